"""Medians, restricted means, densities and comparisons of exit times; displacements of paths and their age."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fbmsde import FractionalNoise, NoEstimateError, PassageTimes, Paths, fbm, quadratic, simulate_paths
from tests.conftest import threshold

SAMPLES, PATHS, CUT = 300, 150, 0.4  # samples of a coverage, paths of one, and the rate at which paths are lost


def censored(seed, n=PATHS, rate=1.0, step=None, lost=CUT):
    """Exponential exit times of which some are lost at independent exponential times, on a grid where a step is given.

    Paths lost early count as broken, so that every estimate hands their weight on.
    """
    rng = np.random.default_rng(seed)
    times, ends = rng.exponential(1.0 / rate, n), np.minimum(rng.exponential(1.0 / lost, n), 3.0)
    gone = ends < times
    seen = np.minimum(times, ends)
    if step is not None:
        seen = np.ceil(seen / step) * step
    return PassageTimes(seen, gone, max(3.0, float(seen.max())), step or 1e-6, broken=gone & (ends < 3.0))


def coverage(intervals, true):
    """How many standard deviations the share of 95 % intervals that hold the truth is off."""
    share = np.mean([low <= true <= high for low, high in intervals])
    return (share - 0.95) / np.sqrt(0.95 * 0.05 / len(intervals))


@pytest.mark.parametrize("step", [None, 0.25])
def test_logrank_is_that_of_scipy(step):
    """With ties of many paths at one step and without them, and signed: the first sample leaves faster."""
    first, second = censored(1, rate=2.0, step=step), censored(2, n=90, step=step)
    found = first.logrank(second)
    data = [stats.CensoredData.right_censored(p.times, p.censored) for p in (first, second)]
    theirs = stats.logrank(*data)
    assert abs(found.statistic) == pytest.approx(abs(theirs.statistic), rel=1e-12)
    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert found.statistic > 0.0
    assert second.logrank(first).statistic == pytest.approx(-found.statistic)


def told(x0, seed, first=0):
    """Times that say of what problem, seed and paths they are."""
    origin = {"problem": {"x0": x0, "seed": seed}, "digest": f"{x0} {seed}", "paths": [[first, 20]]}
    return PassageTimes(np.arange(1.0, 21.0), np.full(20, False), 40.0, 1.0, provenance=origin)


def test_logrank_looks_whether_paths_are_independent():
    """A path in both samples is refused, and one noise under two problems is told."""
    with pytest.raises(ValueError, match="got path 10 of one problem and seed twice"):
        told(0.0, 1).logrank(told(0.0, 1, first=10))
    assert told(0.0, 1).logrank(told(0.5, 1)).note.startswith("Paths of both runs have the same seed and numbers")
    for other in (told(0.0, 2), told(0.0, 1, first=20), told(0.5, 1, first=20)):
        assert told(0.0, 1).logrank(other).note == ""


def test_logrank_refuses_samples_in_which_nobody_leaves():
    stays = PassageTimes(np.full(3, 2.0), np.full(3, True), 2.0, 1.0)
    with pytest.raises(NoEstimateError, match="nothing to compare"):
        stays.logrank(stays)
    assert censored(1).logrank(stays).observed > 0
    with pytest.raises(TypeError, match="other must be"):
        stays.logrank([1.0, 2.0])


def test_quantiles_and_their_intervals():
    """The interval of the median holds it in 95 % of samples; 5.5 points off would be seen."""
    plain = PassageTimes(np.arange(1.0, 11.0), np.full(10, False), 10.0, 1.0)
    assert [plain.quantile(share).value for share in (0.05, 0.1, 0.11, 0.9, 0.95)] == [1.0, 1.0, 2.0, 9.0, 10.0]
    assert plain.median() == plain.quantile(0.5)
    intervals = [censored(seed).median()[1:] for seed in range(SAMPLES)]
    assert abs(coverage(intervals, np.log(2.0))) < threshold(1)
    few = PassageTimes(np.array([1.0, 2.0, 2.0, 2.0]), np.array([False, True, True, True]), 2.0, 1.0)
    with pytest.raises(NoEstimateError, match=r"got 0.5: 0.25 of the paths have left by 2"):
        few.median()
    with pytest.raises(ValueError, match="share must"):
        plain.quantile(1.0)


def test_restricted_mean_has_its_value_and_error():
    """Against the area below scipy's curve and Greenwood's sum as a loop; coverage 5.5 points off would be seen."""
    passages, until = censored(3), 1.5
    curve = passages.survival()
    grid = np.linspace(0.0, until, 200_001)
    assert passages.mean(until).value == pytest.approx(np.mean(curve.at(grid)[:-1]) * until, rel=1e-4)
    variance = 0.0
    for time in np.unique(passages.times[~passages.censored & (passages.times <= until)]):
        risk = np.sum(passages.times >= time)
        exits = np.sum((passages.times == time) & ~passages.censored)
        behind = np.mean(curve.at(np.linspace(time, until, 2001))[:-1]) * (until - time)
        variance += behind**2 * exits / (risk * (risk - exits))
    expected = np.sqrt(variance * PATHS / (PATHS - 1))
    assert passages.mean(until).standard_error == pytest.approx(expected, rel=1e-2)
    intervals = [censored(seed).mean(until).confidence_interval() for seed in range(SAMPLES)]
    assert abs(coverage(intervals, 1.0 - np.exp(-until))) < threshold(1)


def test_restricted_mean_of_whole_paths_is_a_plain_mean():
    times = np.random.default_rng(4).exponential(1.0, 50)
    passages = PassageTimes(np.minimum(times, 2.0), times > 2.0, 2.0, 1e-6)
    assert passages.mean(2.0).value == pytest.approx(passages.mean().value)
    assert passages.mean(2.0).standard_error == pytest.approx(passages.mean().standard_error)
    assert passages.mean(1.0).value == pytest.approx(np.minimum(times, 1.0).mean())
    assert passages.mean(1.0).confidence_interval()[0] < passages.mean(1.0).value
    with pytest.raises(ValueError, match="until must be at most the horizon 2, got 3"):
        passages.mean(3.0)


def test_density_is_that_of_shares_and_integrates_to_what_has_left():
    """Without losses the interval is Wilson's; with them each window's interval covers, to 6.5 points."""
    times = np.random.default_rng(5).exponential(1.0, 80)
    plain = PassageTimes(np.minimum(times, 2.0), times > 2.0, 2.0, 1e-6)
    density = plain.density([0.0, 0.5, 2.0])
    for i, (low, high) in enumerate(((0.0, 0.5), (0.5, 2.0))):
        wilson = stats.binomtest(int(np.sum((times > low) & (times <= high))), 80).proportion_ci(method="wilson")
        assert density.low[i] * (high - low) == pytest.approx(wilson.low)
        assert density.high[i] * (high - low) == pytest.approx(wilson.high)
    whole = plain.density()
    assert whole.values @ np.diff(whole.edges) == pytest.approx(plain.n_left / 80)
    edges = np.array([0.0, 0.3, 1.0, 2.0])
    found = [censored(seed).density(edges) for seed in range(SAMPLES)]
    true = -np.diff(np.exp(-edges)) / np.diff(edges)
    for i in range(3):
        intervals = [(d.low[i], d.high[i]) for d in found]
        assert abs(coverage(intervals, true[i])) < threshold(3)
    on_grid = censored(6, step=0.1).density(7)
    assert np.allclose(np.rint(on_grid.edges / 0.1), on_grid.edges / 0.1)
    with pytest.raises(ValueError, match="edges must be"):
        plain.density([1.0])


@pytest.mark.slow
def test_displacement_of_fbm_has_the_exact_law_at_every_age():
    """``E |B(s + t) - B(s)|^2 = t^2H``: z-scores of 12 means over 4000 paths; 8 % at one lag would be seen.

    The errors are those of Gaussian squares, ``t^2H sqrt(2 / n)``, to 10 %.
    """
    hurst, n = 0.3, 4000
    paths = Paths(np.linspace(0.0, 1.0, 65), fbm(hurst, 64, n, seed=7), 1 / 64)
    found = paths.mean_squared_displacement([1 / 64, 1 / 8, 1 / 4, 1 / 2], age=[0.0, 0.25, 0.5])
    true = found.lags ** (2 * hurst)
    assert np.all(abs(found.values - true) < threshold(12) * found.standard_errors)
    assert np.allclose(found.standard_errors, true * np.sqrt(2 / n), rtol=0.1)
    low, high = found.confidence_interval()
    assert np.all((low < found.values) & (found.values < high))


@pytest.mark.slow
def test_displacement_in_a_well_ages_as_the_chain_does():
    """From 0 the chain ``x' = (1 - a) x + xi`` has ``((1 - a)^k - 1)^2 V(s) + V(t)`` with ``V = (1 - r^n) / (1 - r)``.

    r = (1 - a)^2 and steps of noise of variance 1: the displacement grows with age. 8 % at one place would be seen.
    """
    dt, a = 0.1, 0.1
    paths = simulate_paths(quadratic(1.0), FractionalNoise(0.5, dt**-0.5), 0.0, dt=dt, n_steps=60, n_paths=4000, seed=8)
    ages, lags = np.array([0.0, 1.0, 4.0]), np.array([0.1, 1.0, 2.0])
    found = paths.mean_squared_displacement(lags, age=ages)

    def variance(times):
        return (1.0 - (1.0 - a) ** (2 * times / dt)) / (1.0 - (1.0 - a) ** 2)

    true = ((1.0 - a) ** (lags / dt) - 1.0) ** 2 * variance(ages)[:, None] + variance(lags)
    assert np.all(abs(found.values - true) < threshold(9) * found.standard_errors)
    assert np.all(np.diff(true[:, 2]) > 0.4)


def test_displacement_counts_coordinates_and_leaves_out_broken_paths():
    values = np.zeros((3, 4, 2))
    values[0, :, 0], values[1, :, 1], values[2] = np.arange(4), 2 * np.arange(4), np.nan
    paths = Paths(np.arange(4.0), values, 1.0, np.array([False, False, True]))
    assert paths.mean_squared_displacement([2.0], age=1.0).values.tolist() == [[10.0]]
    assert paths.mean_squared_displacement([2.0], coordinate=1).values.tolist() == [[8.0]]
    assert paths.mean_squared_displacement(3).n_paths == 2
    assert np.isnan(paths.mean_squared_displacement([3.0], age=1.0).values).all()
    for options, match in (
        ({"lags": [0.5]}, "lags must be multiples of the saved step 1"),
        ({"lags": [9.0]}, "lags must be at most 3"),
        ({"age": -1.0}, "age must be multiples"),
        ({"lags": [0.0]}, "lags must be positive"),
        ({"lags": 0}, "lags must"),
        ({"coordinate": 2}, "coordinate must"),
    ):
        with pytest.raises(ValueError, match=match):
            paths.mean_squared_displacement(**options)
