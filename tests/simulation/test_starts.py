"""Starts: arrays, functions of a generator, the stationary law; jointly with the past of the noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fbmsde
from fbmsde import Equation, FractionalNoise, Stationary, first_passage, quadratic, resetting, sgd, simulate_paths
from fbmsde.dynamics.schedules import cosine
from fbmsde.laws.fou import euler_chain_variance, fou_autocorrelation, fou_stationary_variance

from ..conftest import threshold

RUN = {"dt": 0.02, "n_paths": 80, "seed": 4, "n_jobs": 1}
NOISE = FractionalNoise(0.3, 0.8)
WELL = quadratic(1.0)
PLANE = fbmsde.double_well_2d(4.0, 1.0, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"dt": 0.02}, {"monitoring": "continuous", "fine_steps": 2**9}])
def test_every_path_begins_at_its_own_start(options):
    """Path i of an array of starts is path i of a run in which all begin there."""
    starts = np.linspace(-0.6, 1.1, 60)
    run = {"horizon": 2.0, "n_paths": 60, "seed": 3} | options
    got = first_passage(WELL, NOISE, starts, (-1.0, 1.5), **run)
    for i in (0, 7, 59):
        alone = first_passage(WELL, NOISE, starts[i], (-1.0, 1.5), **run)
        assert got.times[i] == alone.times[i] and got.side[i] == alone.side[i]
        assert np.array_equal(got.place[i], alone.place[i], equal_nan=True)


def test_paths_begin_at_their_own_starts_in_the_plane():
    starts = np.random.default_rng(1).normal(size=(5, 2))
    values = simulate_paths(PLANE, NOISE, starts, dt=0.01, n_steps=50, n_paths=5, seed=2, save_every=10).values
    assert np.array_equal(values[:, 0], starts)
    alone = simulate_paths(PLANE, NOISE, starts[3], dt=0.01, n_steps=50, n_paths=5, seed=2, save_every=10).values
    assert np.array_equal(values[3], alone[3])


def test_drawn_starts_depend_on_seed_and_path_number_alone():
    def draw(rng, n):
        return rng.uniform(-0.5, 0.5, n)

    some = simulate_paths(WELL, NOISE, draw, dt=0.1, n_steps=2, n_paths=1030, seed=5).values
    more = simulate_paths(WELL, NOISE, draw, dt=0.1, n_steps=2, n_paths=1100, seed=5).values
    assert np.array_equal(some, more[:1030])
    assert np.unique(more[:, 0]).size == 1100 and np.abs(more[:, 0]).max() <= 0.5
    other = simulate_paths(WELL, NOISE, draw, dt=0.1, n_steps=2, n_paths=1100, seed=6).values
    assert not np.any(more[:, 0] == other[:, 0])


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["euler", "heun"])
@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.75])
def test_stationary_start_has_the_law_of_the_chain(hurst, solver):
    """Variance from time 0 on and covariance with time 0: 40 000 paths see 3.5 % of the variance at the threshold.

    A start without the noise's past, N(0, V) alone, misses the covariance at H = .3 and .75 by more than that.
    """
    dt, n_paths = 0.05, 40_000
    values = simulate_paths(quadratic(1.0), FractionalNoise(hurst), "stationary", dt=dt, n_steps=60, n_paths=n_paths,
                            seed=8, save_every=10, solver=solver).values  # fmt: skip
    exact = euler_chain_variance(hurst, dt) if solver == "euler" else fou_stationary_variance(hurst)
    slack = 0.0 if solver == "euler" else 2e-3 if hurst > 0.4 else 0.02
    for k in range(values.shape[1]):
        variance = np.mean(values[:, k] ** 2)
        assert abs(variance / exact - 1.0) < threshold(14) * math.sqrt(2.0 / n_paths) + slack
        r = float(fou_autocorrelation(hurst, np.array([0.5 * k]))[0])
        spread = math.sqrt((1.0 + r * r) / n_paths)
        grid = 0.02 if solver == "euler" else slack  # the chain's correlation differs from that of the process
        assert abs(np.mean(values[:, 0] * values[:, k]) / exact - r) < threshold(14) * spread + grid


@pytest.mark.slow
def test_stationary_start_of_a_shifted_well_is_around_its_minimum():
    moved = Equation(lambda t, x, a: 2.0 * (a - x), (3.0,))
    noise, run = FractionalNoise(0.7, 0.1), {"dt": 0.01, "n_steps": 1, "n_paths": 4000, "seed": 1}
    values = simulate_paths(moved, noise, "stationary", **run).values
    sd = 0.1 * math.sqrt(fou_stationary_variance(0.7, 2.0))
    assert abs(values[:, 0].mean() - 3.0) < threshold(2) * sd / math.sqrt(4000)


@pytest.mark.slow
def test_burn_in_ends_in_the_stationary_law_of_the_same_noise():
    """40 000 paths see 3.5 % of the variance; the start remembers the noise, as the covariance shows."""
    dt, n_paths = 0.05, 40_000
    start = Stationary(burn_in=12.0, x0=0.5)
    values = simulate_paths(WELL, FractionalNoise(0.75), start, dt=dt, n_steps=20, n_paths=n_paths, seed=8,
                            save_every=10).values  # fmt: skip
    exact = euler_chain_variance(0.75, dt)
    for k in range(values.shape[1]):
        variance = np.mean(values[:, k] ** 2)
        assert abs(variance / exact - 1.0) < threshold(3) * math.sqrt(2.0 / n_paths) + 1e-3
    r = float(fou_autocorrelation(0.75, np.array([1.0]))[0])
    spread = math.sqrt((1.0 + r * r) / n_paths)
    assert abs(np.mean(values[:, 0] * values[:, 2]) / exact - r) < threshold(3) * spread + 0.02


@pytest.mark.parametrize("burn_in", [0.02, pytest.param(0.34, marks=pytest.mark.slow)])
def test_burn_in_is_the_beginning_of_a_longer_path(burn_in):
    """Exits after the burn-in are those of the whole path, seen from its end on; a path outside has left at once."""
    skipped = round(burn_in / 0.02)
    whole = simulate_paths(WELL, NOISE, 0.3, **RUN | {"n_steps": skipped + 100}).values[:, skipped:]
    later = simulate_paths(WELL, NOISE, Stationary(burn_in, 0.3), **RUN | {"n_steps": 100, "save_every": 7})
    assert np.array_equal(later.values, whole[:, ::7]) and later.times[0] == 0.0
    got = first_passage(WELL, NOISE, Stationary(burn_in, 0.3), (-0.3, 0.5), horizon=2.0, **RUN)
    out = (whole <= -0.3) | (whole >= 0.5)
    left = out.any(axis=1)
    assert np.array_equal(got.censored, ~left) and np.any(out[:, 0])
    assert np.allclose(got.times[left], 0.02 * np.argmax(out, axis=1)[left], atol=1e-12)
    assert np.allclose(got.place[left], whole[np.arange(80), np.argmax(out, axis=1)][left], rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("until", [None, 0.6])
def test_paths_outside_at_time_0_have_left_then(until):
    run = RUN | {"horizon": 2.0 if until is None else math.inf, "until": until}
    got = first_passage(WELL, NOISE, "stationary", (-0.5, 0.7), **run)
    values = simulate_paths(WELL, NOISE, "stationary", **RUN | {"n_steps": 100}).values
    at_once = (values[:, 0] <= -0.5) | (values[:, 0] >= 0.7)
    if until is None:
        assert np.array_equal(got.times == 0.0, at_once) and 5 < at_once.sum() < 75
        assert np.array_equal(got.place[at_once], values[at_once, 0])
        assert set(got.side[at_once]) == {"lower", "upper"}
    assert np.any(got.times == 0.0)
    assert got.survival().probabilities[0] == pytest.approx(np.mean(got.times > 0.0))
    assert 0.0 < got.mean().value < 2.0 and got.exit_rate().value > 0.0
    assert got.hazard([0.0, 0.5, 1.0]).events.sum() == np.sum((got.times <= 1.0) & (got.times > 0.0))
    assert got.split().probability.sum() == pytest.approx(np.mean(~got.censored))


def test_all_paths_outside_at_time_0():
    got = first_passage(WELL, NOISE, "stationary", (50.0, 60.0), horizon=1.0, **RUN)
    assert np.all(got.times == 0.0) and got.mean().value == 0.0
    assert repr(got).startswith("PassageTimes(80 of 80 paths left")


BEND = fbmsde.double_well(4.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("landscape", "x0", "message"),
    [
        (WELL, np.array([0.0, 2.0, 0.0]), r"x0 must lie inside the domain \(-1.0, 1.0\), got 2.0 for path 1\."),
        (WELL, np.array([0.0, math.nan, 0.0]), r"x0 must be finite, got nan for path 1\."),
        (WELL, np.zeros((3, 2)), r"x0 must have 1 coordinates, or be \(3,\), got shape \(3, 2\)"),
        (WELL, np.zeros(4), r"x0 must have 1 coordinates, or be \(3,\), got shape \(4,\)"),
        (WELL, lambda rng, n: rng.normal(size=3), r"x0\(rng, 1024\) must return 1024 points, got shape \(3,\)"),
        (WELL, lambda rng, n: rng.normal(size=(n, 2)), "x0 must have 1 coordinates, or be"),
        (WELL, "stationarry", "x0 must be one of stationary, got 'stationarry'"),
        (BEND, "stationary", r"x0='stationary' needs a drift that is linear .*, which bends at x = .* Give"),
        (resetting(WELL, 0.1), "stationary", "x0='stationary' needs an equation without resets"),
        (Equation(lambda t, x: 0.0), "stationary", "x0 must be points where nothing is stationary, got 'equation'"),
        (Equation(lambda t, x: math.sin(t) - x), "stationary", "is linear and does not depend on time"),
    ],
)
def test_bad_starts(landscape, x0, message):
    with pytest.raises(ValueError, match=message):
        first_passage(landscape, FractionalNoise(0.5), x0, (-1.0, 1.0), horizon=1.0, **RUN | {"n_paths": 3})


def test_a_chain_with_a_schedule_has_no_stationary_start():
    with pytest.raises(ValueError, match="x0 must be points for a chain with a schedule, got a stationary start"):
        first_passage(sgd(WELL, cosine(0.1, 9)), FractionalNoise(0.5), "stationary", (-1.0, 1.0), horizon=5.0,
                      n_paths=3, seed=1)  # fmt: skip


def test_stationary_start_asks_for_a_noise_with_a_past():
    with pytest.raises(ValueError, match="x0='stationary' needs a noise that knows its past, got FractionalNoise"):
        first_passage(WELL, FractionalNoise(0.7, method="cholesky"), "stationary", (-1.0, 1.0), horizon=1.0, **RUN)


def test_stationary_start_has_no_continuous_time():
    with pytest.raises(ValueError, match="x0 must be points in continuous time, got a stationary start"):
        first_passage(WELL, NOISE, "stationary", (-1.0, 1.0), horizon=1.0, n_paths=3, seed=1, monitoring="continuous")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Stationary(-1.0), "burn_in must be positive and finite, got -1.0"),
        (lambda: Stationary(1.0, np.zeros((2, 2))), "x0 must be one point at the beginning of a burn-in"),
        (lambda: Stationary(1.0, math.inf), "x0 must be finite, got inf"),
        (lambda: Stationary(x0=5.0), r"burn_in must be given for a start of it at x0, got None and x0 = \(5.0,\)"),
    ],
)
def test_bad_burn_ins(make, message):
    with pytest.raises(ValueError, match=message):
        make()
