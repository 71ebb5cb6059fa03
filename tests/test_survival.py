"""Survival statistics on data whose answers are known, and what is said when there is no answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fbmsde import NoEstimateError, PassageTimes


def exponential(rate=0.5, horizon=3.0, n=4000, dt=1e-3, seed=0):
    """Exponential times rounded up to the grid and censored."""
    times = np.ceil(np.random.default_rng(seed).exponential(1 / rate, n) / dt) * dt
    censored = times > horizon
    return PassageTimes(np.where(censored, horizon, times), censored, horizon, dt)


def test_survival_is_one_minus_the_empirical_distribution():
    passages = exponential()
    curve = passages.survival()
    for t in (0.0, 0.5, 1.0, 2.999):
        assert curve.at(t) == pytest.approx(np.mean(passages.times > t))
    low, high = curve.confidence_interval(0.95)
    inside = (low <= curve.probabilities) & (curve.probabilities <= high)
    assert np.all(inside | np.isnan(low))


def test_survival_agrees_with_the_law():
    """Kolmogorov-Smirnov distance of 4000 times: a curve off by .043 is seen at ALPHA = 1e-6."""
    curve = exponential().survival()
    distance = np.abs(curve.probabilities - np.exp(-0.5 * curve.times)).max()
    assert distance < stats.kstwo.isf(1e-6, 4000)


def test_rate_interval_covers_the_rate():
    """200 repetitions, 95 %: coverage below .85 or above .995 is seen."""
    covered = 0
    for seed in range(200):
        low, high = exponential(n=300, seed=seed).exit_rate(after=0.0).confidence_interval(0.95)
        covered += low < 0.5 < high
    assert 170 < covered < 200


def test_rate_interval_is_the_exact_poisson_one():
    """Three events: the 95 % interval of their mean is [0.61867, 8.76727] (Garwood's table)."""
    times = np.array([1.0, 2.0, 3.0] + [4.0] * 97)
    rate = PassageTimes(times, times == 4.0, 4.0, 1e-9).exit_rate(after=0.0)
    assert np.multiply(rate.confidence_interval(0.95), rate.exposure) == pytest.approx([0.61867, 8.76727], rel=1e-5)


def test_rate_of_the_tail_forgets_the_beginning():
    passages = exponential(n=20_000)
    assert passages.exit_rate(after=1.0).value == pytest.approx(0.5, rel=0.06)
    assert passages.exit_rate().after == pytest.approx(np.quantile(passages.times[~passages.censored], 0.25))


def test_rate_counts_steps_not_time():
    """All paths leave with probability p a step: the rate is -ln(1 - p) / dt, also for large steps."""
    times = np.random.default_rng(1).geometric(0.3, 50_000) * 2.0
    rate = PassageTimes(times, np.zeros(50_000, bool), times.max(), 2.0).exit_rate(after=0.0)
    assert rate.value == pytest.approx(-np.log(0.7) / 2.0, rel=0.03)


def test_mean_is_restricted_when_paths_are_censored():
    passages = exponential(n=20_000)
    mean = passages.mean()
    assert mean.restricted
    expected = (1 - np.exp(-0.5 * 3.0)) / 0.5
    low, high = mean.confidence_interval(1 - 1e-6)
    assert low < expected < high
    assert not exponential(horizon=1e9, n=50).mean().restricted


def test_hazard_in_windows():
    passages = exponential(n=20_000)
    hazard = passages.hazard([0.0, 1.0, 2.0, 3.0, 4.0])
    low, high = hazard.confidence_interval(1 - 1e-7)
    assert np.all((low < 0.5) & (high > 0.5), where=[True, True, True, False])
    assert np.isnan(hazard.values[3])
    assert hazard.events.sum() == passages.n_left
    assert hazard.exposure.sum() == pytest.approx(passages.times.sum())


def test_nothing_left_is_said():
    passages = PassageTimes(np.full(10, 5.0), np.ones(10, bool), 5.0, 0.1)
    with pytest.raises(NoEstimateError, match=r"no path of 10 left before the horizon 5: 95 % .* below 0\.0599"):
        passages.exit_rate()
    with pytest.raises(NoEstimateError, match="the mean exit time is above the horizon 5"):
        passages.mean()
    with pytest.raises(NoEstimateError, match="the survival curve is 1"):
        passages.survival()


def test_everything_at_the_first_step_is_said():
    passages = PassageTimes(np.full(10, 0.1), np.zeros(10, bool), 5.0, 0.1)
    with pytest.raises(NoEstimateError, match=r"every path left at the first step of 0\.1"):
        passages.exit_rate()


def test_a_tail_without_exits_is_said():
    with pytest.raises(NoEstimateError, match="no path left after 100"):
        exponential().exit_rate(after=100.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: p.mean().confidence_interval(1.0), r"level must lie in \(0, 1\), got 1\.0"),
        (lambda p: p.exit_rate().confidence_interval(0.0), r"level must lie in \(0, 1\), got 0\.0"),
        (lambda p: p.survival().confidence_interval(-1.0), r"level must lie in \(0, 1\), got -1\.0"),
        (lambda p: p.hazard([1.0]), r"edges must be increasing and at least two"),
        (lambda p: p.hazard([1.0, 0.5]), r"edges must be increasing and at least two"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(exponential(n=50))
