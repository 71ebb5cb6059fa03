"""Residence times from core to core: visits of a plain loop, and laws that are known at H = 1/2."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate

from fbmsde import (
    EpochNoise,
    Equation,
    FractionalNoise,
    Landscape,
    NoEstimateError,
    PathError,
    double_well,
    double_well_2d,
    langevin,
    quadratic,
    resetting,
    residence_times,
    schedules,
    sgd,
    simulate_paths,
)
from fbmsde.laws.diffusions import mean_exit_time
from fbmsde.laws.extremes import barrier_shift
from fbmsde.results.residence import ResidenceTimes, Visits
from fbmsde.simulation import _visit_loop, residence

from .. import naive
from ..conftest import threshold

WELL = double_well(1.0, 1.0)
EDGE = 8**0.5  # the minima are at plus and minus this
SIGMA = 1.2
CASES = {
    "two wells": (double_well(2.0, 1.0), FractionalNoise(0.3, 1.5), {"dt": 0.02}),
    "whole paths": (double_well(2.0, 1.0), FractionalNoise(0.7, 2.5, "cholesky"), {"dt": 0.02, "solver": "heun"}),
    "plane": (double_well_2d(2.0, 1.0, 0.5), FractionalNoise((0.3, 0.6), (1.5, 0.5)), {"dt": 0.02}),
    "inertia": (langevin(double_well(2.0, 1.0), 0.5), FractionalNoise(0.5, 1.2), {"dt": 0.02}),
    "chain": (sgd(double_well(2.0, 1.0), 0.05), EpochNoise(400, 10, 20.0), {}),
    "schedule": (sgd(double_well(2.0, 1.0), schedules.cosine(0.08, 700), 0.5), FractionalNoise(0.5, 12.0), {}),
    "resets": (resetting(double_well(2.0, 1.0), 0.5), FractionalNoise(0.5, 2.0), {"dt": 0.02}),
}


@pytest.mark.parametrize("name", CASES)
def test_visits_and_shares_are_those_of_a_plain_loop(name):
    equation, noise, options = CASES[name]
    known = double_well_2d(2.0, 1.0, 0.5) if name == "plane" else double_well(2.0, 1.0)
    minima = np.reshape(known.minima, (2, -1))
    n_steps, n_paths = 603, 4
    found = residence_times(equation, noise, known.minima, n_steps=n_steps, n_paths=n_paths, seed=3, radius=0.4,
                            **options)  # fmt: skip
    dt = options.get("dt", 1.0)
    start = known.minima[0]
    values = simulate_paths(equation, noise, start, n_steps=n_steps, n_paths=n_paths, seed=3, **options).values
    positions = np.reshape(values, (n_paths, n_steps + 1, -1))[:, :, : minima.shape[1]]
    cores = np.column_stack([minima, [0.4, 0.4]])
    expected = [(i, *entry) for i in range(n_paths) for entry in naive.visits(positions[i], cores)]
    assert len(expected) > n_paths + 1
    path, step, core = np.transpose(expected)
    visits = found.visits
    assert np.array_equal(visits.path, path) and np.array_equal(visits.minimum, core)
    np.testing.assert_allclose(visits.start, step * dt)
    ends = np.where(visits.last, n_steps, np.append(step[1:], n_steps))
    np.testing.assert_allclose(visits.duration, (ends - step) * dt, rtol=1e-12)
    inside = np.linalg.norm(positions[:, 1:, None] - minima, axis=-1) <= 0.4
    assert found.spent.sum(axis=0).tolist() == [*inside.sum(axis=(0, 1)).tolist(), n_steps * n_paths]


def test_result_does_not_depend_on_threads_pieces_and_the_number_of_paths(monkeypatch):
    run = {"dt": 0.02, "n_steps": 500, "seed": 4, "radius": 0.4}
    well, noise = double_well(2.0, 1.0), FractionalNoise(0.3, 1.5)
    whole = residence_times(well, noise, n_paths=9, n_jobs=2, **run)
    monkeypatch.setattr(_visit_loop, "ENTRIES", 10 * _visit_loop.BLOCK)
    monkeypatch.setattr(residence, "_CHUNK", 64)
    pieces = residence_times(well, noise, n_paths=9, n_jobs=1, **run)
    fewer = residence_times(well, noise, n_paths=4, **run)
    for name in ("path", "minimum", "start", "duration", "first", "last"):
        values = getattr(whole.visits, name)
        assert np.array_equal(values, getattr(pieces.visits, name))
        assert np.array_equal(values[whole.visits.path < 4], getattr(fewer.visits, name))
    assert np.array_equal(whole.spent.sum(axis=0), pieces.spent.sum(axis=0))


def test_default_cores_reach_a_third_of_the_way_to_the_saddle():
    told = residence_times(WELL, FractionalNoise(0.5), dt=0.1, n_steps=8, seed=1)
    np.testing.assert_allclose(told.radii, [EDGE / 3.0] * 2)
    bare = Landscape(WELL.potential, WELL.gradient, WELL.params)
    found = residence_times(bare, FractionalNoise(0.5), (-1.0, 1.0, 5.0), dt=0.1, n_steps=8, seed=1, x0=1.0)
    np.testing.assert_allclose(found.radii, np.array([1.0, 1.0, 2.0]) / 3.0)
    assert found.visits.minimum.tolist() == [1]


@pytest.fixture(scope="module")
def brownian():
    return residence_times(WELL, FractionalNoise(0.5, SIGMA), dt=0.01, n_steps=300_000, n_paths=128, seed=1)


@pytest.mark.slow
def test_brownian_visits_last_as_long_as_the_way_from_core_to_core(brownian):
    """About 5000 visits to each minimum: 7 % of the mean is seen. Edges are passed by beta sigma sqrt(dt) on average.

    Without the two passings it would be 12 % off; were visits to end at the saddle, by more than half.
    """
    past = barrier_shift(0.5) * SIGMA * 0.1
    edge = EDGE - float(brownian.radii[0])
    exact = mean_exit_time(WELL, -edge - past, (-math.inf, edge + past), sigma=SIGMA)
    for minimum in (0, 1):
        mean = brownian.mean(minimum)
        assert abs(mean.value - exact) / mean.standard_error < threshold(2)
        assert mean.standard_error / exact < 0.02
        curve = brownian.survival(minimum)
        low, high = np.interp([0.5 * exact, 2.0 * exact], curve.times, curve.probabilities)
        assert 0.5 < low < 0.7 and 0.1 < high < 0.2  # nearly exponential: .61 and .135


@pytest.mark.slow
def test_brownian_paths_spend_the_time_of_boltzmann_in_each_core(brownian):
    """Shares of time have an error of 1.3 %: a temperature that is off by 10 % would be seen."""
    def weight(x):
        return math.exp(-2.0 * float(WELL.energy(x)) / SIGMA**2)

    radius = float(brownian.radii[0])
    exact = integrate.quad(weight, EDGE - radius, EDGE + radius)[0] / integrate.quad(weight, -8.0, 8.0)[0]
    for share in brownian.occupation:
        assert abs(share.value - exact) < threshold(2) * (share.high - share.low) / 3.96
        assert share.high - share.low < 0.05


@pytest.mark.slow
def test_successive_visits_are_independent_for_brownian_motion_and_not_with_memory(brownian):
    """A lasting push makes stays on its side long and others short, so that the sign alternates with the lag."""
    for lag in (1, 2):
        found = brownian.correlation(lag)
        assert abs(found.z) < threshold(2) and found.n_pairs > 8000
    persistent = residence_times(WELL, FractionalNoise(0.85, SIGMA), dt=0.02, n_steps=100_000, n_paths=128, seed=1)
    one, two = persistent.correlation(1), persistent.correlation(2)
    assert one.high < 0.0 < two.low and one.z < -threshold(2) and two.z > threshold(2)


def handmade(rows, n_steps=100, n_paths=2):
    """Residence times of entries (path, step, minimum) on paths of 100 steps of 0.5."""
    spent, visits = np.array([[30, 50, n_steps], [10, 80, n_steps]]), Visits.of(np.array(rows), 0.5, n_steps)
    cores = np.array([[0.0], [1.0]]), np.array([0.1, 0.1])
    return ResidenceTimes(visits, *cores, spent, 0.5, 0.5 * n_steps, n_paths)


def test_estimates_of_a_few_visits():
    found = handmade([(0, 0, 0), (0, 10, 1), (0, 40, 0), (0, 60, 1), (1, 5, 1), (1, 25, 0), (1, 65, 1)])
    assert found.visits.censored.tolist() == [True, False, False, True, True, False, True]
    assert found.transitions.tolist() == [[0, 3], [2, 0]]
    assert found.durations(0).tolist() == [10.0, 20.0] and found.durations(1).tolist() == [15.0]
    assert found.mean(0).value == 15.0 and found.mean(0).n_visits == 2
    assert found.mean(1).value == pytest.approx(15.0 + 20.0 + 17.5)  # two more visits have not ended
    assert found.survival(1).probabilities.tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3])
    assert [share.value for share in found.occupation] == [0.2, 0.65]
    assert repr(found) == "ResidenceTimes(7 visits to 2 minima, 2 paths of 50, dt = 0.5)"


def test_what_few_visits_do_not_tell():
    found = handmade([(0, 0, 0), (0, 10, 1)])
    with pytest.raises(NoEstimateError, match="no visit to minimum 1 was seen from its beginning to its end"):
        found.mean(1)
    with pytest.raises(NoEstimateError, match="no visit to minimum 0 began with an entry from another core"):
        found.survival(0)
    with pytest.raises(NoEstimateError, match="only 0 pairs of whole visits lie 1 apart"):
        found.correlation()
    with pytest.raises(ValueError, match="minimum must be at most 1"):
        found.mean(2)


def test_intervals_hold_independent_visits():
    """Exponential visits of two lengths, by turns: the mean is held, and no correlation is made by their difference."""
    rng, rows, n_steps = np.random.default_rng(1), [], 60_000
    for path in range(40):
        step, turn = 0, 0
        while step < n_steps:
            rows.append((path, step, turn % 2))
            step, turn = step + 1 + int(rng.exponential(2000.0 if turn % 2 else 200.0)), turn + 1
    visits = Visits.of(np.array(rows), 0.5, n_steps)
    found = ResidenceTimes(visits, np.zeros((2, 1)), np.ones(2), np.ones((1, 3), int), 0.5, 0.5 * n_steps, 40)
    low, high = found.mean(1).confidence_interval(1.0 - 1e-6)
    assert low < 1000.5 < high and high - low < 400.0
    assert abs(found.correlation(1, seed=2).z) < threshold(1)


def run(**changes):
    options = {"landscape": WELL, "noise": FractionalNoise(0.5), "dt": 0.1, "n_steps": 16, "seed": 1} | changes
    return residence_times(**options)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"landscape": quadratic(1.0)}, ValueError, "minima must be given, got None"),
        ({"landscape": Equation(lambda t, x: -x)}, ValueError, "minima must be given"),
        ({"landscape": 3.0}, TypeError, "landscape must be a Landscape"),
        ({"minima": (1.0,)}, ValueError, r"minima must be at least two finite points of 1 coord"),
        ({"minima": ((1.0, 2.0), (3.0, 4.0))}, ValueError, r"of 1 coordinates, got shape \(2, 2\)"),
        ({"minima": (0.0, math.inf)}, ValueError, "minima must be at least two finite points"),
        ({"radius": 0.0}, ValueError, "radius must be positive and finite, one or 2 of them, got 0.0"),
        ({"radius": (1.0, 1.0, 1.0)}, ValueError, "radius must be positive and finite, one or 2"),
        ({"radius": 3.0}, ValueError, "radius must keep cores apart, got 3 and 3 for minima 0 and 1"),
        ({"x0": (0.0, 1.0, 2.0)}, ValueError, "x0 must have 1 coordinates"),
        ({"x0": math.inf}, ValueError, "x0 must be one finite point"),
        ({"dt": None}, TypeError, "dt must be a number"),
        ({"n_steps": 0}, ValueError, "n_steps must be at least 1"),
        ({"solver": "rk9"}, ValueError, "solver must be one of"),
        ({"noise": 0.5}, TypeError, "noise must be a Driver"),
    ],
)  # fmt: skip
def test_bad_input(changes, error, message):
    with pytest.raises(error, match=message):
        run(**changes)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_path_that_breaks_is_an_error():
    with pytest.raises(PathError, match="must stay finite"):
        run(noise=FractionalNoise(0.5, 500.0), dt=1.0, n_steps=200)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_path_breaks_at_its_step_and_not_beyond_the_last():
    steep = Landscape(lambda x: x**6, lambda x: 6.0 * x**5, minima=(-1.0, 1.0), name="steep")

    def visits(n_steps):
        return residence_times(steep, FractionalNoise(0.5, 1e-9), dt=1.0, n_steps=n_steps, x0=1.0, radius=0.1, seed=1)

    with pytest.raises(PathError) as whole:
        simulate_paths(steep, FractionalNoise(0.5, 1e-9), 1.0, dt=1.0, n_steps=20, n_paths=1, seed=1)
    with pytest.raises(PathError) as broken:
        visits(20)
    assert broken.value.time == whole.value.time
    visits(int(whole.value.time) - 1)
