"""`rare_escape`: one call for escapes of any size, against exact rates, with what it says of itself."""

from __future__ import annotations

import math

import pytest

from fbmsde import (
    FractionalNoise,
    NoEstimateError,
    StableNoise,
    double_well,
    quadratic,
    rare_escape,
    resetting,
)
from fbmsde.laws.diffusions import ou_exit_rate
from fbmsde.rare.bending import Conditioned
from fbmsde.rare.splitting import Splitting

from ..conftest import threshold

OU = quadratic(1.0), FractionalNoise(0.5, math.sqrt(2.0)), 0.0


def test_one_call_gives_the_exact_rate_of_a_rare_escape():
    """Six standard deviations: 3.7e-8 a unit of time. The boundary without its shift would be 40 % off."""
    rare = rare_escape(
        *OU, (None, 6.0), horizon=8.0, after=4.0, seed=1, dt=0.005, relative_error=0.02, method=Conditioned(400)
    )
    exact, error = ou_exit_rate(6.0, sigma=math.sqrt(2.0)), rare.relative_error_of_rate(4.0)
    assert 0.005 < error < 0.02
    assert abs(rare.rate(4.0).value / exact - 1.0) < threshold(1) * error + 0.01
    assert (rare.doubts, rare.note) == ((), "")
    assert "RareEscape by conditioned" in repr(rare)
    assert f"boundary moved inwards by {rare.shift:.3g}" in repr(rare)


def test_half_the_step_changes_little():
    rare = rare_escape(*OU, (None, 4.0), horizon=4.0, seed=2, dt=0.01, method=Conditioned(400), halve=True)
    assert rare.halved.low < 1.0 < rare.halved.high < 1.15
    assert "half the step" in repr(rare)


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
    rare = rare_escape(*OU, (-1.0, 1.0), horizon=4.0, seed=2, dt=0.02, monitoring="grid", method=Conditioned(400))
    assert 0.9 < rare.probability(despite_doubts=True).value < 1.05
    assert "first_passage finds it with less work" in rare.note


def test_a_level_that_cannot_be_reached_gives_a_bound():
    with pytest.raises(NoEstimateError, match=r"no replica of 2 reached the boundary: .* at most about"):
        rare_escape(
            quadratic(1.0), FractionalNoise(0.5, 1e-3), 0.0, (None, 9.0), horizon=1.0, seed=1, dt=0.1, n_replicas=2,
            method=Splitting(16, least=1e-3),
        ).probability()  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"x0": 3.0}, ValueError, "x0 must lie inside the domain"),
        ({"domain": (None, lambda t: 2.0 + t)}, ValueError, "domain must stand still"),
        ({"x0": "stationary"}, ValueError, "x0 must be one point"),
        ({"landscape": resetting(quadratic(1.0), 0.5)}, ValueError, "landscape must not be reset"),
        ({"noise": StableNoise(1.5)}, TypeError, r"noise must be a FractionalNoise.*Take Grid\(dt\)"),
        ({"dt": None}, TypeError, "dt must be a number"),
        ({"fine_steps": 3}, TypeError, "unexpected keyword argument 'fine_steps'"),
        ({"monitoring": "continuous"}, ValueError, "monitoring must be one of shifted, grid"),
        ({"relative_error": 0.0}, ValueError, "relative_error must"),
        ({"n_replicas": 1}, ValueError, "n_replicas must be at least 2"),
        ({"most_replicas": 5}, ValueError, "most_replicas must be at least n_replicas = 10, got 5"),
        ({"after": 2.0}, ValueError, r"after must lie in \[0, horizon\), got 2"),
        ({"dt": 0.5, "domain": (None, 9.0)}, ValueError, "dt must be so short that a step"),
    ],
)
def test_bad_input_is_refused(changed, error, message):
    given = {"landscape": quadratic(1.0), "noise": FractionalNoise(0.4), "x0": 0.0, "domain": (None, 3.0)}
    given |= {"horizon": 2.0, "seed": 1, "dt": 0.01}
    with pytest.raises(error, match=message):
        rare_escape(**(given | changed))
