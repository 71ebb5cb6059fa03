"""`rare_escape`: one call for escapes of any size, against exact rates, with what it says of itself."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from fbmsde import (
    ArmaNoise,
    EpochNoise,
    FractionalNoise,
    LevelSet,
    MixedNoise,
    NoEstimateError,
    Shifted,
    StableNoise,
    double_well,
    double_well_2d,
    first_passage,
    langevin,
    quadratic,
    rare_escape,
    resetting,
    sgd,
)
from fbmsde.laws.diffusions import ou_exit_rate
from fbmsde.rare.bending import Conditioned
from fbmsde.rare.problem import RareProblem
from fbmsde.rare.splitting import Splitting
from fbmsde.rare.subset import SubsetSimulation

from ..conftest import threshold


def _along(x):
    return x[0]


def _to_one(x):
    return x - 1.0


FEW = {"method": Splitting(16)}
CHAIN = sgd(quadratic(), learning_rate=0.1)
OU = quadratic(1.0), FractionalNoise(0.5, math.sqrt(2.0)), 0.0


@pytest.mark.slow
def test_one_call_gives_the_exact_rate_of_a_rare_escape():
    """Six standard deviations: 3.7e-8 a unit of time. The boundary without its shift would be 40 % off."""
    rare = rare_escape(
        *OU, (None, 6.0), horizon=8.0, after=4.0, seed=1, dt=0.005, relative_error=0.02, method=Conditioned(400)
    )
    exact, error = ou_exit_rate(6.0, sigma=math.sqrt(2.0)), rare.relative_error_of_rate(4.0)
    assert 0.005 < error < 0.02
    assert abs(rare.rate(4.0).value / exact - 1.0) < threshold(1) * error + 0.01
    assert (rare.doubts, rare.note) == ((), "")
    assert "RareEscape by conditioned" in str(rare)
    assert f"boundary moved inwards by {rare.shift:.3g}" in str(rare)


@pytest.mark.slow
def test_half_the_step_changes_little():
    rare = rare_escape(*OU, (None, 4.0), horizon=4.0, seed=2, dt=0.01, method=Conditioned(400), halve=True)
    assert rare.halved.low < 1.0 < rare.halved.high < 1.15
    assert "half the step" in str(rare)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("doubted", "note"),
    [(0.05, "Half the step was not tried, because"), (0.025, "left doubts: 1 of 10 replicas did not arrive. (upper)")],
)
def test_half_the_step_is_no_number_where_a_run_is_in_doubt(monkeypatch, doubted, note):
    """A replica of one of the two runs is lost; its ratio to the other run would look like any other."""
    whole = RareProblem.replicas

    def lossy(problem, *args, **options):
        found = whole(problem, *args, **options)
        (name, runs), = found.sides.items()
        return replace(found, sides={name: (replace(runs[0], probability=0.0), *runs[1:])}
                       if problem.dt == doubted else found.sides)  # fmt: skip

    monkeypatch.setattr(RareProblem, "replicas", lossy)
    rare = rare_escape(*OU, (None, 4.0), horizon=2.0, seed=2, dt=0.05, method=Conditioned(100), halve=True)
    assert rare.halved is None
    assert note in rare.note


@pytest.mark.slow
@pytest.mark.parametrize(
    ("landscape", "x0", "domain", "method", "n_replicas"),
    [
        (quadratic(1.0), 0.0, (None, 1.0), Conditioned(50), 10),
        (quadratic(1.0), 0.0, (None, 1.0), Splitting(16), 10),
        (langevin(quadratic(1.0), 1.0), 0.0, (None, 1.0), Splitting(16), 10),
        (quadratic(1.0), 0.0, LevelSet(_to_one), Splitting(16), 32),
        (double_well_2d(), (-1.0, 0.0), LevelSet(_along), Splitting(16), 32),
    ],
)
def test_more_replicas_are_run_at_first_where_a_side_can_have_two_ways(landscape, x0, domain, method, n_replicas):
    """A way that a replica finds with probability 0.14 is missed by 10 of them in 22 % of runs, by 32 in 1 %."""
    problem = {"horizon": 1.0, "seed": 1, "dt": 0.1, "relative_error": 0.999, "monitoring": "grid", "method": method}
    assert rare_escape(landscape, FractionalNoise(0.4), x0, domain, **problem).n_replicas == n_replicas


@pytest.mark.slow
def test_replicas_are_added_up_to_the_limit_and_the_rest_is_told():
    rare = rare_escape(
        *OU, (None, 4.0), horizon=2.0, seed=2, dt=0.02, method=Conditioned(200), relative_error=1e-3,
        most_replicas=12,
    )  # fmt: skip
    assert rare.n_replicas == 12
    assert "after 12 replicas, 0.001 was asked for" in rare.note


@pytest.mark.slow
def test_the_next_method_is_tried_where_the_first_leaves_doubts(monkeypatch):
    """Splitting with 16 paths cannot reach 1e-6 and says so; subset simulation then answers."""
    from fbmsde.rare import methods

    table = {"splitting": (lambda: Splitting(16), "First."), "subset": methods.METHODS["subset"]}
    monkeypatch.setattr(methods, "METHODS", table)
    rare = rare_escape(
        double_well(), FractionalNoise(0.3, 0.45), -1.0, (None, 0.0), horizon=2.0, seed=1, dt=0.02, relative_error=0.5
    )
    assert rare.method == "subset"
    assert rare.note.startswith("splitting left doubts: ")
    assert rare.why == "splitting was tried first and left doubts."


def test_an_escape_that_is_not_rare_is_told():
    rare = rare_escape(*OU, (-1.0, 1.0), horizon=4.0, seed=2, dt=0.1, monitoring="grid", method=Conditioned(50),
                       n_replicas=2)  # fmt: skip
    assert 0.9 < rare.probability(despite_doubts=True).value < 1.05
    assert "first_passage finds it with less work" in rare.note


def _beyond(x):
    """Half a unit to the left of the saddle."""
    return x[0] + 0.5


PLANE = {"x0": (-1.0, 0.0), "domain": _beyond, "dt": 0.1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("equation", "noise", "step", "told"),
    [
        (quadratic(), FractionalNoise(0.5), {"dt": 0.01, "method": Conditioned(50)}, None),
        (CHAIN, FractionalNoise(0.5), FEW, ""),
        (CHAIN, EpochNoise(40, 4), FEW, ""),
        (langevin(quadratic(), 1.0), FractionalNoise(0.5), {"dt": 0.1} | FEW, "drives every coordinate as it is."),
        (quadratic(), StableNoise(1.5, 0.3), {"dt": 0.1} | FEW, "for fractional noise only."),
        (double_well_2d(), FractionalNoise([0.4, 0.3]), PLANE | FEW, "for one Hurst parameter"),
    ],
)
def test_exits_are_seen_at_the_steps_where_no_shift_of_the_boundary_is_known(equation, noise, step, told):
    """A chain needs neither a monitoring nor a solver. What continuous time would have been is told for an equation."""
    given = {"x0": 0.0, "domain": (None, 0.5), "horizon": 16.0, "seed": 1, "n_replicas": 2, "most_replicas": 2}
    rare = rare_escape(equation, noise, n_jobs=1, **(given | step))
    assert (rare.shift > 0.0) == (told is None)
    assert ("exits seen at the steps" in str(rare)) == (told is not None)
    assert rare.note.startswith("Exits are those that the steps see.") == bool(told)
    assert (told or "") in rare.note


@pytest.mark.slow
def test_sgd_by_epochs_of_a_given_phase_leaves_no_doubt():
    """About 7e-4, where splitting, which takes epochs of any phase, disagrees with itself by more than half."""
    noise, problem = EpochNoise(100, 10, phase=0), {"domain": (None, 0.6), "horizon": 100, "seed": 1, "n_jobs": 1}
    rare = rare_escape(CHAIN, noise, 0.0, **problem)
    plain = ~first_passage(CHAIN, noise, 0.0, n_paths=1000000, **problem).censored
    error = math.hypot(rare.relative_error, plain.sum() ** -0.5)
    assert (rare.method, rare.doubts) == ("subset", ())
    assert abs(rare.probability().value / plain.mean() - 1.0) < threshold(1) * error + 0.05


def test_a_level_that_cannot_be_reached_gives_a_bound():
    with pytest.raises(NoEstimateError, match=r"no replica of 2 reached the boundary: .* at most about"):
        rare_escape(
            quadratic(1.0), FractionalNoise(0.5, 1e-3), 0.0, (None, 9.0), horizon=1.0, seed=1, dt=0.1, n_replicas=2,
            method=Splitting(16, least=1e-3),
        ).probability()  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("method", "most"), [(SubsetSimulation(128), 6.0), (Splitting(64), 4.0)])
def test_a_side_that_does_not_matter_is_given_up(method, most):
    """The lower end is 11 standard deviations away: to climb there costs 18 times as much as to the upper one."""
    near, far = (
        RareProblem(quadratic(1.0), FractionalNoise(0.5), 0.0, (lower, 2.0), horizon=4.0, seed=1,
                    monitoring=Shifted(0.05), method=method)
        for lower in (None, -8.0)
    )  # fmt: skip
    found, alone, part = far.replicas(4), near.replicas(4), far.replicas(1, 2)
    assert 1.0 < found.path_steps / alone.path_steps < most
    assert not any("lower" in doubt for doubt in found.doubts)
    assert "by side: lower at most " in str(found)
    with pytest.raises(NoEstimateError, match="at most about"):
        found.by_side("lower").probability()
    assert found.values[2] == part.values[0]
    assert found.sides["lower"][2].levels.tolist() == part.sides["lower"][0].levels.tolist()


def test_a_bound_below_the_floats_is_told():
    """More than forty standard deviations. A bound that is rounded to 0 must not be told as 1."""
    rare = rare_escape(
        quadratic(1.0), FractionalNoise(0.5), 0.0, (None, 30.0), horizon=1.0, seed=1, dt=0.05, method=Conditioned(20),
        monitoring="grid", n_replicas=2,
    )  # fmt: skip
    with pytest.raises(NoEstimateError, match=r"at most about 3\.3e-308"):
        rare.probability()
    assert rare.doubts


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"x0": 3.0}, ValueError, "x0 must lie inside the domain"),
        ({"domain": (None, lambda t: 2.0 + t)}, ValueError, "domain must stand still"),
        ({"x0": "stationary"}, ValueError, "x0 must be one point"),
        ({"landscape": resetting(quadratic(1.0), 0.5)}, ValueError, "landscape must not be reset"),
        (
            {"noise": StableNoise(1.5), "monitoring": "shifted"}, ValueError,
            "monitoring must be 'grid' for quadratic, got 'shifted'. The shift of the boundary is known for frac",
        ),
        (
            {"landscape": CHAIN, "monitoring": "shifted", "dt": None}, ValueError,
            "monitoring must be 'grid' for sgd quadratic, got 'shifted'. A chain has no continuous time.",
        ),
        (
            {"landscape": langevin(quadratic(), 1.0), "monitoring": Shifted(0.01), "dt": None}, ValueError,
            "driven by the noise as it is in every coordinate .* Take monitoring='grid'",
        ),
        ({"landscape": CHAIN, "dt": None, "solver": "heun"}, ValueError, "solver must be left out for a chain"),
        ({"monitoring": 3}, TypeError, "monitoring must be a Grid, got 3. Write Shifted"),
        ({"dt": None}, TypeError, "dt must be a number"),
        ({"fine_steps": 3}, TypeError, "unexpected keyword argument 'fine_steps'"),
        ({"landscape": CHAIN, "dt": None, "halve": True}, ValueError, "halve must be False for a chain"),
        (
            {"noise": ArmaNoise((0.5,), sigma=0.1), "halve": True}, ValueError,
            "halve must be False under ArmaNoise, whose increments are as large over half a step, got True",
        ),
        (
            {"noise": MixedNoise(FractionalNoise(0.5), EpochNoise(40, 10)), "halve": True}, ValueError,
            "halve must be False under MixedNoise",
        ),
        ({"monitoring": "continuous"}, ValueError, "monitoring must be one of shifted, grid"),
        ({"halve": "yes"}, TypeError, "halve must be True or False, got 'yes'"),
        ({"progress": "yes"}, TypeError, "progress must be True, False or a function, got 'yes'"),
        (
            {"dt": 0.1, "domain": (None, 0.3)}, ValueError,
            "x0 must lie farther .* such as 0.05, or monitoring='grid' for the exits that the steps see",
        ),
        ({"relative_error": 0.0}, ValueError, "relative_error must"),
        ({"n_replicas": 1}, ValueError, "n_replicas must be at least 2"),
        ({"most_replicas": 5}, ValueError, "most_replicas must be at least n_replicas = 10, got 5"),
        ({"after": 2.0}, ValueError, r"after must lie in \[0, horizon\), got 2"),
        ({"noise": FractionalNoise(0.4, 1e-200)}, ValueError, r"increments of noise must lie in \[1e-150, 1e150\]"),
        ({"dt": 0.5, "domain": (None, 9.0)}, ValueError, "dt must be at most .* for a shifted boundary at"),
        ({"domain": (None, 1e100)}, ValueError, "dt must be at most .* for a shifted boundary at 1e\\+100"),
        ({"domain": (None, 1e200)}, ValueError, r"domain must end within 1e\+150 .* an end at 1e\+200\. Write None"),
    ],
)
def test_bad_input_is_refused(changed, error, message):
    given = {"landscape": quadratic(1.0), "noise": FractionalNoise(0.4), "x0": 0.0, "domain": (None, 3.0)}
    given |= {"horizon": 2.0, "seed": 1, "dt": 0.01}
    with pytest.raises(error, match=message):
        rare_escape(**(given | changed))
