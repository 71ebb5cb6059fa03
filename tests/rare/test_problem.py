"""`RareProblem`: any range of replicas, method by method, and what it tells of itself."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from fbmsde import (
    EpochNoise,
    FractionalNoise,
    GaussianNoise,
    Grid,
    Landscape,
    OrnsteinUhlenbeckNoise,
    RareEscape,
    RareProblem,
    Shifted,
    StableNoise,
    double_well,
    quadratic,
    sgd,
)
from fbmsde.core.blocks import Stopped
from fbmsde.rare.bending import Conditioned
from fbmsde.rare.splitting import Splitting
from fbmsde.rare.subset import SubsetSimulation

WELL = quadratic(1.5)


def problem(method="auto", landscape=WELL, noise=FractionalNoise(0.4, 0.7), **changed):  # noqa: B008
    given = {"monitoring": Grid(0.05), "horizon": 1.0, "seed": 1} | changed
    return RareProblem(landscape, noise, 0.0, (-1.2, 1.2), method=method, **given)


@pytest.mark.slow
@pytest.mark.parametrize("method", [Conditioned(50), Splitting(16), SubsetSimulation(128, sweeps=2)])
def test_any_range_of_replicas_is_that_of_the_whole_run(method):
    """A replica whose random words depend on where its range begins, or on threads, differs."""
    whole = problem(method).replicas(4, n_jobs=1)
    parts = [problem(method).replicas(n, first, n_jobs=2) for n, first in ((1, 0), (3, 1))]
    joined = RareEscape.concat(parts)
    assert joined.path_steps == whole.path_steps
    assert np.unique(whole.values).size == 4
    for side, replicas in whole.sides.items():
        for one, other in zip(replicas, joined.sides[side], strict=True):
            for name in ("probability", "times", "weights", "levels", "shares", "acceptance", "ancestors"):
                assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_the_method_is_chosen_by_what_it_can_follow():
    exact = FractionalNoise(0.4, method="davies_harte")
    named = {"splitting", "subset"}
    assert problem().method.name == "conditioned"
    assert problem(noise=GaussianNoise(lambda k: 0.5**k, method="circulant")).method.name == "conditioned"
    assert problem(landscape=double_well()).method.name == "subset"
    assert problem(noise=StableNoise(1.5, 0.1)).method.name == "splitting"
    assert problem(landscape=double_well(), noise=exact).method.name == "subset"
    assert problem(noise=OrnsteinUhlenbeckNoise(2.0)).method.name == "subset"
    assert {problem(name).method.name for name in named} == named
    assert problem("subset").why == "It was asked for."


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"landscape": sgd(WELL, 0.1), "monitoring": Grid(1.0), "horizon": 20.0},
         "Not conditioned: landscape must be a quadratic well itself for conditioned paths, not as a chain or an "
         "equation, got 'sgd quadratic'."),
        ({"landscape": double_well()},
         "Not conditioned: landscape must be a quadratic well with its minimum at 0, got 'double_well'."),
        ({"noise": FractionalNoise(0.95), "monitoring": Shifted(0.001), "horizon": 0.1},
         "Not conditioned: dt * n_steps must allow a circulant embedding"),
        ({"noise": EpochNoise(100, 10)},
         "Not subset: noise must be jointly normal for subset simulation, got EpochNoise(n_samples=100, "
         "batch_size=10, sigma=1.0, phase=None)."),
        ({"noise": StableNoise(1.5, 0.1)},
         "Not subset: noise must be jointly normal for subset simulation, got StableNoise(alpha=1.5, sigma=0.1)."),
    ],
)  # fmt: skip
def test_why_a_better_method_was_not_taken_is_told(changed, told):
    assert told in problem(**changed).why


def test_a_well_with_ripples_is_no_parabola():
    """Its gradient is that of a parabola at all integers; conditioned paths would be 35 % off."""
    ripples = Landscape(
        lambda x: 0.5 * x * x + 0.2 * (1.0 - math.cos(2.0 * math.pi * x)),
        lambda x: x + 0.4 * math.pi * math.sin(2.0 * math.pi * x),
    )
    assert problem(landscape=ripples).method.name == "subset"


def test_auto_goes_on_where_no_circulant_exists_and_says_at_once_that_a_step_is_too_long():
    assert problem(noise=FractionalNoise(0.95), monitoring=Shifted(0.001), horizon=0.1).method.name == "subset"
    with pytest.raises(ValueError, match=r"dt must be at most .* for a shifted boundary at"):
        problem(monitoring=Shifted(0.5), noise=FractionalNoise(0.5, 0.1))


@pytest.mark.slow
def test_the_side_that_nobody_leaves_by_is_not_doubted():
    """An end eight standard deviations away is negligible beside one at four, by its own bound."""
    wide = RareProblem(quadratic(1.0), FractionalNoise(0.5, 2**0.5), 0.0, (-8.0, 4.0), horizon=2.0, seed=1,
                       monitoring=Grid(0.05), method=Conditioned(200))  # fmt: skip
    assert wide.replicas(4).doubts == ()


@pytest.mark.parametrize(
    ("method", "changed", "error", "message"),
    [
        ("tilting", {}, ValueError, "method must be one of auto, conditioned, subset, splitting, got 'tilting'"),
        (3, {}, TypeError, r"method must be a Method, got 3\. Write one of auto"),
        ("conditioned", {"landscape": double_well()}, ValueError, "landscape must be a quadratic well"),
        ("conditioned", {"noise": StableNoise(1.5)}, ValueError, "noise must be a Frac.* or .* method='split"),
        ("subset", {"noise": StableNoise(1.5)}, ValueError, "noise must be jointly normal .* method='splitting'"),
        ("splitting", {"noise": FractionalNoise(0.4, method="hosking")}, ValueError, "lanes can be copied"),
        ("auto", {"noise": StableNoise(1.5), "monitoring": Shifted(0.05)}, TypeError, "noise must be a Fractional"),
    ],
)
def test_what_a_method_cannot_follow_is_refused(method, changed, error, message):
    with pytest.raises(error, match=message):
        problem(method, **changed)


def test_a_problem_travels_and_tells_what_it_is():
    one = problem(Conditioned(50), seed=np.random.default_rng(3))
    again = pickle.loads(pickle.dumps(one))
    assert again.digest() == one.digest() != problem(Conditioned(51), seed=np.random.default_rng(3)).digest()
    assert np.array_equal(again.replicas(2).values, one.replicas(2).values)
    assert one.description()["method"] == {"kind": "Conditioned", "n_paths": 50, "n_draws": 1, "slack": 1.0}
    assert set(one.provenance()) == {"versions", "machine"}
    assert (one.names, one.dt, one.reached, one.shift) == (("lower", "upper"), 0.05, 1.0, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("method", [Conditioned(50), Splitting(16), SubsetSimulation(128, sweeps=2)])
def test_a_run_stops_when_it_is_asked_to(method):
    """The work lasts many times the tenth of a second after which `stop` is first asked."""
    with pytest.raises(Stopped):
        problem(method, horizon=2000.0).replicas(400, stop=lambda: True, n_jobs=1)


def test_progress_counts_replicas():
    told = []
    problem(Conditioned(8)).replicas(5, progress=told.append, n_jobs=2)
    assert sum(told) == 5
