"""Survival statistics on data whose answers are known, and what is said when there is no answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from fbmsde import Departures, NoEstimateError, PassageTimes

from ..conftest import ALPHA, threshold


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
    known = (curve.probabilities > 0.0) & (curve.probabilities < 1.0)  # no interval at certainty
    assert np.count_nonzero(known) > 1000
    assert np.all((low[known] <= curve.probabilities[known]) & (curve.probabilities[known] <= high[known]))


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
    quartile = np.quantile(passages.times[~passages.censored], 0.25, method="lower")
    assert passages.exit_rate().after == pytest.approx(quartile)


def test_the_rate_does_not_look_ahead_for_where_it_begins():
    """Exponential times: from an exit on, the mean rate is e / (e - 1) = 1.2 for e = 6 exits; 1.39 with a quantile.

    Two thousand samples of 8 times see a mean that is off by 5.3 standard errors, .07.
    """
    times = np.ceil(np.random.default_rng(4).exponential(1.0, (2000, 8)) / 1e-4) * 1e-4
    rates = [PassageTimes(each, np.zeros(8, bool), 99.0, 1e-4).exit_rate().value for each in times]
    assert abs(np.mean(rates) - 1.2) < threshold(1) * np.std(rates) / math.sqrt(2000) < 0.1


def test_rate_counts_steps_not_time():
    """All paths leave with probability p a step: the rate is -ln(1 - p) / dt, also for large steps."""
    times = np.random.default_rng(1).geometric(0.3, 50_000) * 2.0
    rate = PassageTimes(times, np.zeros(50_000, bool), times.max(), 2.0).exit_rate(after=0.0)
    assert rate.value == pytest.approx(-np.log(0.7) / 2.0, rel=0.03)


@pytest.mark.parametrize("after", [0.0, 0.5, 1.5, 2.0])
def test_rate_does_not_depend_on_where_between_the_steps_it_begins(after):
    """Exponential times on a grid of step 1: 200 000 see the rate off by 5 % at six s.d. (1.3 per root of exits)."""
    times = np.ceil(np.random.default_rng(1).exponential(1.0, 200_000))
    passages = PassageTimes(times, np.zeros(times.size, bool), times.max(), 1.0)
    rate = passages.exit_rate(after=after)
    assert rate.value == pytest.approx(1.0, rel=0.05)
    assert rate.after == np.ceil(after)
    assert rate == passages.exit_rate(after=float(np.ceil(after)))


def test_hazard_is_the_rate_of_the_steps():
    """The same times: windows of one, two and half steps all have rate 1; .63 is seen at once."""
    times = np.ceil(np.random.default_rng(2).exponential(1.0, 200_000))
    passages = PassageTimes(times, np.zeros(times.size, bool), times.max(), 1.0)
    hazard = passages.hazard([0.0, 1.0, 3.0, 3.5, 4.0])
    assert hazard.values[[0, 1, 3]] == pytest.approx(1.0, rel=0.07)
    assert np.isnan(hazard.values[2])  # no step ends between 3 and 3.5
    whole = passages.hazard([2.0, times.max()])
    rate = passages.exit_rate(after=2.0)
    assert whole.values[0] == pytest.approx(rate.value, rel=1e-12)
    assert np.ravel(whole.confidence_interval()) == pytest.approx(rate.confidence_interval(), rel=1e-12)


def test_a_horizon_between_two_steps_puts_nobody_at_risk():
    """Geometric times of p = .3 on steps of 1, seen up to 1.9: one step at risk each, not 1.9 of them."""
    times = np.random.default_rng(3).geometric(0.3, 50_000).astype(float)
    censored = times > 1.9
    passages = PassageTimes(np.where(censored, 1.9, times), censored, 1.9, 1.0)
    assert passages.exit_rate(after=0.0).exposure == 50_000.0
    assert passages.exit_rate(after=0.0).value == pytest.approx(-np.log(0.7), rel=0.05)
    assert passages.hazard([0.0, 1.9]).values[0] == pytest.approx(-np.log(0.7), rel=0.05)


def test_all_left_in_one_step_has_no_rate():
    passages = PassageTimes(np.array([1.0, 2.0, 2.0]), np.zeros(3, bool), 5.0, 1.0)
    with pytest.raises(NoEstimateError, match=r"every path inside at 1 left in the next step of 1"):
        passages.exit_rate(after=1.0)
    hazard = passages.hazard([0.0, 1.0, 2.0])
    assert hazard.values[0] == pytest.approx(-np.log(2 / 3))
    assert hazard.values[1] == np.inf
    assert hazard.confidence_interval()[1][1] == np.inf


def test_interval_of_coarse_steps_covers():
    """p = .9 a step, 30 paths, 400 repetitions: the exact interval covers .95 and more, below .91 is seen at 4 s.d."""
    generator, covered = np.random.default_rng(4), 0
    for _ in range(400):
        times = generator.geometric(0.9, 30).astype(float)
        low, high = PassageTimes(times, np.zeros(30, bool), 50.0, 1.0).hazard([0.0, 20.0]).confidence_interval()
        covered += low[0] < -np.log(0.1) < high[0]
    assert covered / 400 > 0.95 - 4 * np.sqrt(0.05 * 0.95 / 400)


def coverage(draw, mean, n, repetitions, seed):
    """Share of 95 % intervals of the mean of n times that hold it."""
    generator, covered = np.random.default_rng(seed), 0
    for times in draw(generator, (repetitions, n)):
        low, high = PassageTimes(times, np.zeros(n, bool), 1e6, 1e-9).mean().confidence_interval(0.95)
        covered += low < mean < high
    return covered / repetitions


LAWS = {
    "exponential": (lambda g, size: g.exponential(1.0, size), 1.0),
    "weibull": (lambda g, size: g.weibull(0.5, size), 2.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [20, 50, 200])
def test_interval_of_the_mean_covers_skewed_times(law, n):
    """From .93 to .97, 4000 repetitions: .91 and .99 are seen at ALPHA, as the plain normal interval's .80 to .92."""
    draw, mean = LAWS[law]
    spread = stats.norm.isf(ALPHA / (2 * 6)) * np.sqrt(0.95 * 0.05 / 4000)
    assert 0.93 - spread < coverage(draw, mean, n, 4000, seed=n) < 0.97 + spread


def test_interval_of_the_mean_of_five():
    """Exponential times: .97 of the intervals hold the mean (Student's: .88); 2000 repetitions see .947."""
    assert coverage(*LAWS["exponential"], 5, 2000, seed=1) > 0.97 - 6 * np.sqrt(0.97 * 0.03 / 2000)


@pytest.mark.parametrize("horizon", [0.2, 1.0, 2.0])
def test_interval_of_a_restricted_mean_covers_and_stays_below_the_horizon(horizon):
    """20 exponential times: coverage .95 to .98, 2000 repetitions see .925 at five s.d.; Student's has .87 at .2."""
    generator, covered, total = np.random.default_rng(6), 0, 0
    for times in generator.exponential(1.0, (2000, 20)):
        censored = times > horizon
        if not censored.all():
            passages = PassageTimes(np.minimum(times, horizon), censored, horizon, 1e-9)
            low, high = passages.mean().confidence_interval()
            covered, total = covered + (low < 1 - np.exp(-horizon) < high), total + 1
            assert 0.0 <= low <= high <= horizon
    assert covered / total > 0.95 - 5 * np.sqrt(0.05 * 0.95 / total)


def test_interval_of_the_mean_solves_its_cubic():
    """At the bounds ``T + g T^2/3 + g^2 T^3/27 + g/6``, g = skewness / sqrt(n), is Student's quantile (Hall 1992)."""
    mean = exponential(horizon=1e3, n=30).mean()
    g = mean.skewness / np.sqrt(30)
    t = (mean.value - np.array(mean.confidence_interval(0.9))) / mean.standard_error
    cubic = t + g * t**2 / 3 + g**2 * t**3 / 27 + g / 6
    assert cubic == pytest.approx([stats.t.ppf(0.95, 29), stats.t.ppf(0.05, 29)], rel=1e-9)


def test_skewness_is_at_least_that_of_a_gamma_law():
    even, skewed = np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0, 20.0])
    none = np.zeros(4, bool)
    assert PassageTimes(even, none[:3], 9.0, 1.0).mean().skewness == pytest.approx(2 * even.std(ddof=1) / 2.0)
    assert PassageTimes(skewed, none, 30.0, 1.0).mean().skewness == pytest.approx(
        max(stats.skew(skewed, bias=False), 2 * skewed.std(ddof=1) / skewed.mean())
    )
    late = np.append(np.full(4, 9.0), 1.0)  # most are censored: the sample's own skewness
    assert PassageTimes(late, late == 9.0, 9.0, 1.0).mean().skewness == pytest.approx(stats.skew(late, bias=False))


def test_equal_times_have_an_interval_of_no_width():
    mean = PassageTimes(np.full(5, 2.0), np.zeros(5, bool), 5.0, 1.0).mean()
    assert mean.confidence_interval() == (2.0, 2.0)
    assert np.isnan(PassageTimes(np.full(1, 2.0), np.zeros(1, bool), 5.0, 1.0).mean().confidence_interval()).all()


def test_broken_paths_hand_their_weight_to_later_ones():
    """Broken at 1, exits at 1, 2, 4: the survival curve 3/4, 3/8, 0 has the area 1 + 3/4 + 2 * 3/8."""
    broken = np.array([True, False, False, False])
    passages = PassageTimes(np.array([1.0, 1.0, 2.0, 4.0]), broken, 5.0, 1.0, broken=broken)
    assert passages.n_left == 3
    assert passages.n_broken == 1
    assert passages.survival().probabilities.tolist() == [0.75, 0.375, 0.0]
    assert passages.mean().value == 2.5
    assert passages.mean().n_paths == 3
    assert passages.mean().restricted
    assert passages.exit_rate(after=0.0).exposure == 8.0
    assert passages.hazard([0.0, 2.0]).exposure.tolist() == [6.0]
    assert "1 broken" in repr(passages)


def test_paths_that_are_censored_early_hand_their_weight_to_later_ones():
    """Of the weights 1/4 that of the second path goes to two later ones; where there is none, the mean ends with it."""
    times, early = np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, False])
    mean = PassageTimes(times, early, 9.0, 1.0).mean()
    assert (mean.value, mean.restricted, mean.horizon, mean.n_paths) == (0.25 + 3 / 8 * (3 + 4), True, 9.0, 3)
    last = PassageTimes(times, np.roll(early, 2), 9.0, 1.0).mean()
    assert (last.value, last.restricted, last.horizon, last.n_paths) == (2.5, True, 4.0, 4)
    assert "mean of min(T, 4) 2.5" in repr(PassageTimes(times, np.roll(early, 2), 9.0, 1.0))
    with pytest.raises(ValueError, match=r"until must be at most 4, where the last path was censored, got 8"):
        PassageTimes(times, np.roll(early, 2), 9.0, 1.0).mean(until=8.0)


def test_every_estimate_forgets_paths_from_where_they_were_censored():
    """Exponential times of rate 1, half of them censored at random: an estimate off by 6 to 8 % is seen.

    A mean over the times themselves is 0.5, and shares of the paths are half of what they should be.
    """
    rng, n = np.random.default_rng(2), 20_000
    exact, end = rng.exponential(1.0, (2, n))
    early = end < exact
    codes = np.where(early, 0, np.where(rng.random(n) < 0.3, 1, 2))
    places = np.where(early, np.nan, 1.0)
    left = Departures(codes.astype(np.uint8), ("lower", "upper"), places)
    passages = PassageTimes(np.where(early, end, exact), early, 30.0, 1e-6, departures=left)
    mean = passages.mean()
    close = threshold(6)
    assert abs(mean.value - 1.0) < close * mean.standard_error < 0.1
    lower, gone = passages.split().curve("lower"), 1.0 - math.exp(-1.0)
    found = (
        passages.median().value, passages.density([0.0, 1.0]).values[0], passages.exit_rate().value,
        passages.hazard([0.0, 2.0]).values[0], lower.probabilities[np.searchsorted(lower.times, 1.0) - 1],
    )  # fmt: skip
    assert found == pytest.approx((math.log(2.0), gone, 1.0, 1.0, 0.3 * gone), rel=0.08)


def test_every_result_shows_itself_in_one_line():
    passages = exponential(n=100)
    for result in (passages, passages.mean(), passages.exit_rate(), passages.hazard([0, 1, 2]), passages.survival()):
        assert "\n" not in repr(result)
        assert len(repr(result)) < 200
    assert repr(PassageTimes(np.array([1.0, 2.0]), np.zeros(2, bool), 3.0, 1.0, unresolved=1)).startswith(
        "PassageTimes(2 of 2 paths left by horizon 3, dt = 1, mean 1.5, with a note)"
    )


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
        (lambda p: p.hazard([-1.0, 0.5]), r"edges must be finite and at least 0, got -1 to 0\.5"),
        (lambda p: p.hazard([0.0, np.inf]), r"edges must be finite and at least 0, got 0 to inf"),
        (lambda p: p.hazard([0.0, np.nan]), r"edges must not hold nan, got it at index 1"),
        (lambda p: p.exit_rate(after=-1.0), r"after must be at least 0, got -1\.0"),
        (lambda p: p.exit_rate(after=np.nan), r"after must be finite, got nan"),
        (lambda p: p.survival().at([np.nan]), r"times must not hold nan, got it at index 0"),
        (lambda p: PassageTimes([1.0, np.nan], p.censored[:2], 3.0, 1.0), r"times must not hold nan, got it at index"),
        (lambda p: PassageTimes([1.0, 4.0], p.censored[:2], 3.0, 1.0), r"times must lie in \[0, horizon = 3\], got 1"),
        (lambda p: PassageTimes([1.0, -4.0], p.censored[:2], 3.0, 1.0), r"times must lie in \[0, horizon = 3\]"),
        (lambda p: PassageTimes([], p.censored[:0], 3.0, 1.0), r"times must have one dimension and at least one entry"),
        (lambda p: PassageTimes([1.0], p.censored[:2], 3.0, 1.0), r"censored must hold 1 truth values, got shape"),
        (lambda p: PassageTimes([1.0], [0], 3.0, 1.0), r"censored must hold 1 truth values, got .* of int64"),
        (
            lambda p: PassageTimes([1.0], p.censored[:1] & False, 3.0, 1.0, broken=np.ones(1, bool)),
            r"broken must mark censored paths only",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(exponential(n=50))
