"""Equations: drifts that depend on time, noise on some coordinates only, and what a landscape stands for."""

from __future__ import annotations

import math
import pickle

import numba
import numpy as np
import pytest

import fbmsde
from fbmsde import Equation, FractionalNoise, first_passage, overdamped, simulate_paths
from fbmsde.dynamics.solvers import SOLVERS

from ..conftest import threshold

WELL = fbmsde.double_well(4.0, 1.0, 1.0)
PLANE = fbmsde.double_well_2d(4.0, 1.0, 1.0)
QUIET = FractionalNoise(0.5, 1e-12)


def whole(equation, noise, x0, solver="euler", **change):
    options = {"dt": 0.01, "n_steps": 100, "n_paths": 5, "seed": 3, "solver": solver} | change
    return simulate_paths(equation, noise, x0, **options).values


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("landscape", "x0"), [(WELL, -1.0), (PLANE, (-1.0, 0.1))])
def test_an_equation_of_the_same_drift_is_the_landscape_to_the_bit(solver, landscape, x0):
    gradient, dim = landscape.gradient, landscape.dim
    if dim == 1:
        own = Equation(lambda t, x, a, b, c, d: -gradient(x, a, b, c, d), landscape.params)
    else:

        def drift(t, x, a, b, c, d):
            slope = gradient(x, a, b, c, d)
            return -slope[0], -slope[1]

        own = Equation(drift, landscape.params, dim=2)
    for equation in (own, overdamped(landscape)):
        got = whole(equation, FractionalNoise(0.3), x0, solver)
        assert np.array_equal(got, whole(landscape, FractionalNoise(0.3), x0, solver))


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_clock_of_a_path_begins_at_its_start(solver):
    """``dX = 2 t dt``: the rectangle rule gives n (n-1) dt^2, the trapezoidal rule t^2, late lanes included."""
    ramp = Equation(lambda t, x: 2.0 * t + 0.0 * x)
    steps = np.arange(101)
    exact = steps * (steps - 1) * 1e-4 if solver == "euler" else steps**2 * 1e-4
    np.testing.assert_allclose(whole(ramp, QUIET, 0.0, solver, n_paths=130), np.tile(exact, (130, 1)), atol=1e-9)
    passages = first_passage(ramp, QUIET, 0.0, (-1.0, 0.249), dt=0.01, horizon=1.0, n_paths=130, seed=1, solver=solver)
    assert np.all(passages.times == 0.01 * np.argmax(exact >= 0.249))


@pytest.mark.slow
def test_time_is_that_of_each_lane_in_its_turn():
    """Lanes take a new path whenever one leaves: with noise, exits of 400 paths are those of one path at a time."""
    push = Equation(lambda t, x, a: a * t - x, params=(3.0,))
    options = {"dt": 0.01, "horizon": 3.0, "seed": 5}
    crowd = first_passage(push, FractionalNoise(0.5), 0.0, (-1.0, 1.0), n_paths=400, **options)
    values = simulate_paths(push, FractionalNoise(0.5), 0.0, dt=0.01, n_steps=300, n_paths=400, seed=5).values
    out = np.abs(values) >= 1.0
    assert np.array_equal(crowd.censored, ~out.any(axis=1))
    assert np.array_equal(crowd.times[~crowd.censored], 0.01 * np.argmax(out, axis=1)[~crowd.censored])


@pytest.mark.slow
def test_noise_on_the_last_coordinate_alone():
    """``dx = v dt, dv = -g v dt + dB``: the chain by hand from its own increments, and the variance of the velocity."""
    friction, dt = 2.0, 0.01
    langevin = Equation(lambda t, y, g: (y[1], -g * y[1]), params=(friction,), dim=2, channels=1)
    noise = FractionalNoise(0.5, 0.7)
    got = whole(langevin, noise, (0.5, -1.0), n_paths=2000, n_steps=300)
    kicks, x, v = noise.sample(300, 2000, dt=dt, seed=3), np.full(2000, 0.5), np.full(2000, -1.0)
    for step in range(300):
        x, v = x + dt * v, v - dt * friction * v + kicks[:, step]
    np.testing.assert_allclose(got[:, -1], np.column_stack([x, v]), rtol=1e-12, atol=1e-12)
    variance = 0.49 * dt / (1.0 - (1.0 - friction * dt) ** 2)  # of the stationary chain, reached up to e^-12
    assert abs(got[:, -1, 1].var() / variance - 1.0) < math.sqrt(2 / 2000) * threshold(1)


def test_exits_of_an_equation_with_fewer_channels_follow_its_paths():
    langevin = Equation(lambda t, y, g: (y[1], -y[0] - g * y[1]), params=(1.0,), dim=2, channels=1)
    left = first_passage(langevin, FractionalNoise(0.7), (0.0, 0.0), lambda y: y[0] - 0.5, dt=0.01, horizon=1.0,
                         n_paths=140, seed=9)  # fmt: skip
    values = whole(langevin, FractionalNoise(0.7), (0.0, 0.0), n_paths=140, n_steps=100, seed=9)
    out = values[:, :, 0] >= 0.5
    assert 0 < left.n_left < 140
    assert np.array_equal(left.censored, ~out.any(axis=1))
    assert np.array_equal(left.times[~left.censored], 0.01 * np.argmax(out, axis=1)[~left.censored])


def test_a_drift_uses_the_present_values_of_what_it_captures():
    rate = np.array([1.0])
    own = Equation(lambda t, x: -rate[0] * x)
    first = whole(own, QUIET, 1.0)[0, -1]
    rate[0] = 2.0
    assert first == pytest.approx(0.99**100, abs=1e-9)
    assert whole(own, QUIET, 1.0)[0, -1] == pytest.approx(0.98**100, abs=1e-9)


def test_pickled_equations_give_the_same_paths():
    factor = 1.5
    own = Equation(lambda t, x, a: math.sin(t) - a * factor * x, params=(2.0,))
    again = pickle.loads(pickle.dumps(own))
    assert np.array_equal(whole(again, FractionalNoise(0.3), 0.2), whole(own, FractionalNoise(0.3), 0.2))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Equation(lambda x: -x), ValueError, r"drift must take t, x and 0 numbers of params, got \(x\)"),
        (lambda: Equation(3.0), TypeError, r"drift must be a function of \(t, x, \*params\), got 3\.0"),
        (lambda: Equation(lambda t, x: -x, channels=2), ValueError, r"channels must be at most dim = 1, got 2"),
        (lambda: Equation(lambda t, x: -x, dim=0), ValueError, r"dim must be"),
        (lambda: whole(Equation(lambda t, x: -x), QUIET, (0.0, 1.0)), ValueError, r"x0 must have 1 coordinates"),
    ],
)
def test_bad_equations(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="the compiler tells what a function returns")
def test_drifts_that_return_something_else_are_refused():
    with pytest.raises(ValueError, match="drift must return one number, got numba type"):
        Equation(lambda t, x: (x, x))
    with pytest.raises(ValueError, match="drift must return a tuple of 2 floats"):
        Equation(lambda t, x: x[0], dim=2)
