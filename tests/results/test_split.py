"""Probabilities of sides: shares, competing risks by hand and against simulated truth, intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fbmsde import Departures, PassageTimes

from ..conftest import threshold


def passages(times, codes, names=("a", "b"), horizon=None, broken=None):
    codes, times = np.asarray(codes), np.asarray(times, float)
    places = np.where(codes > 0, 1.0, np.nan)
    return PassageTimes(times, codes == 0, horizon or times.max(), 1.0, broken=broken,
                        departures=Departures(codes, names, places))  # fmt: skip


def test_without_censoring_it_is_the_share_with_wilsons_interval():
    split = passages(np.arange(1, 41), [1] * 9 + [2] * 31).split(0.9)
    assert split.probability == pytest.approx([9 / 40, 31 / 40], rel=1e-13)
    for j, count in enumerate((9, 31)):
        exact = stats.binomtest(count, 40).proportion_ci(0.9, method="wilson")
        assert (split.low[j], split.high[j]) == pytest.approx((exact.low, exact.high), rel=1e-10)
    assert not split.restricted and split["a"].value == pytest.approx(9 / 40)


def test_censoring_at_the_horizon_alone_leaves_the_share():
    """Aalen-Johansen is the share then, and its variance that of a binomial: Wilson's interval again."""
    rng = np.random.default_rng(1)
    times, codes = rng.integers(1, 30, 200).astype(float), rng.integers(1, 3, 200)
    codes[times > 20] = 0
    split = passages(np.minimum(times, 20.0), codes).split()
    exact = stats.binomtest(int(np.sum(codes == 1)), 200).proportion_ci(0.95, method="wilson")
    assert split.restricted
    assert (split["a"].low, split["a"].high) == pytest.approx((exact.low, exact.high), rel=1e-9)


def test_competing_risks_by_hand():
    """Six paths: a at 1, censored at 2, b at 2 and 3, a at 4, censored at 5.

    At risk are 6, 5, 3, 2. F_a = 1/6 + S(3) / 2 with S = 5/6, 5/6 4/5 = 2/3, 2/3 2/3 = 4/9, and F_b = 5/6/5 + 2/3/3.
    """
    split = passages([1, 2, 2, 3, 4, 5], [1, 0, 2, 2, 1, 0]).split()
    assert split.probability == pytest.approx([1 / 6 + 4 / 9 / 2, 1 / 6 + 2 / 9], rel=1e-14)
    curve = split.curve("b")
    assert curve.times.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert curve.probabilities == pytest.approx([0.0, 1 / 6, 7 / 18, 7 / 18])
    assert split.restricted and 1.0 - split.probability.sum() == pytest.approx(2 / 9)


def plain_variance(t, times, codes, side):
    """The delta method by its definition: numeric derivatives of F in the hazards of each time."""
    when = np.unique(times[codes > 0])
    when = when[when <= t]
    risk = np.array([np.sum(times >= u) for u in when])
    hazards = np.array([[np.sum((times == u) & (codes == j)) for j in (1, 2)] for u in when]) / risk[:, None]

    def incidence(h):
        inside, total = 1.0, 0.0
        for row in h:
            total, inside = total + inside * row[side - 1], inside * (1.0 - row.sum())
        return total

    variance = 0.0
    for i in range(when.size):
        slope = np.zeros(2)
        for j in range(2):
            moved = [hazards.copy(), hazards.copy()]
            moved[0][i, j] += 1e-6
            moved[1][i, j] -= 1e-6
            slope[j] = (incidence(moved[0]) - incidence(moved[1])) / 2e-6
        covariance = (np.diag(hazards[i]) - np.outer(hazards[i], hazards[i])) / risk[i]
        variance += slope @ covariance @ slope
    return variance


def test_interval_has_the_variance_of_the_delta_method():
    """Wilson's interval at n = F (1 - F) / Var F, with Var from numeric derivatives."""
    rng = np.random.default_rng(2)
    times, codes = rng.integers(1, 12, 60).astype(float), rng.integers(0, 3, 60)
    split = passages(times, codes, horizon=12.0).split()
    curve = split.curve("b")
    for i in (2, 5, curve.times.size - 1):
        value = curve.probabilities[i]
        n = value * (1 - value) / plain_variance(curve.times[i], times, codes, 2)
        z = stats.norm.isf(0.025)
        centre, half = (value + z**2 / 2 / n), z * np.sqrt(value * (1 - value) / n + z**2 / 4 / n**2)
        assert curve.low[i] == pytest.approx((centre - half) / (1 + z**2 / n), rel=1e-6)
        assert curve.high[i] == pytest.approx((centre + half) / (1 + z**2 / n), rel=1e-6)


def test_intervals_hold_the_truth_under_censoring():
    """Exponential risks of rates 1 and 2 censored at rate 1: 2000 runs of 60 paths see a coverage off by .03.

    Shares of all paths, or of those that left, would be far off: 1/4 and 1/3 against the truth of .288 at time 2/3.
    """
    rng, truth, hits, values = np.random.default_rng(3), (1 - np.exp(-2.0)) / 3.0, 0, []
    for _ in range(2000):
        left, lost = rng.exponential(1 / 3, 60), np.minimum(rng.exponential(1.0, 60), 2 / 3)
        codes = np.where(left < lost, np.where(rng.random(60) < 1 / 3, 1, 2), 0)
        found = passages(np.minimum(left, lost), codes, horizon=1.0).split()["a"]
        hits += found.low <= truth <= found.high
        values.append(found.value)
    assert abs(np.mean(values) - truth) / (np.std(values) / np.sqrt(2000)) < threshold(2)
    assert 0.93 < hits / 2000 < 0.97


def test_broken_paths_are_at_risk_up_to_their_last_time():
    """A path that broke at 1 takes its weight to those that go on: F_a = 1/2 of the rest."""
    broken = np.array([True, False, False])
    split = passages([1.0, 2.0, 3.0], [0, 1, 2], broken=broken).split()
    assert split.probability == pytest.approx([0.5, 0.5]) and split.restricted


def test_side_that_nobody_took_has_an_upper_end():
    split = passages([1.0] * 10, [0] * 10).split()
    assert split.probability.tolist() == [0.0, 0.0]
    assert split.high == pytest.approx(stats.binomtest(0, 10).proportion_ci(method="wilson").high)
    assert passages([1.0] * 10, [1] * 10).split()["a"].low == pytest.approx(
        stats.binomtest(10, 10).proportion_ci(method="wilson").low
    )


def test_exits_at_time_zero_count():
    split = passages([0.0, 0.0, 1.0], [1, 2, 2]).split()
    assert split.probability == pytest.approx([1 / 3, 2 / 3])


def test_bad_names_and_levels():
    one = passages([1.0, 2.0], [1, 2])
    with pytest.raises(ValueError, match=r"name must be one of a, b, got 'c'"):
        one.split()["c"]
    with pytest.raises(ValueError, match=r"confidence_level must lie in \(0, 1\), got 95"):
        one.split(95)


def test_no_exit_through_a_side_has_an_interval_from_zero():
    """Rounding made 2e-19 of it for 2000 paths, and 1 - 1e-16 of the end of the other side."""
    for n in (7, 200, 2000):
        sides = Departures(np.full(n, 2), ("lower", "upper"), np.ones(n))
        split = PassageTimes(np.arange(1.0, n + 1.0), np.full(n, False), float(n), 1.0, departures=sides).split()
        assert split["lower"].low == 0.0 and split["upper"].high == 1.0
