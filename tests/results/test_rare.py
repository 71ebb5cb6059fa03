"""Rare escapes: what is computed from replicas, and when they are doubted."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from fbmsde import NoEstimateError
from fbmsde.results.rare import RareEscape, Replica

from ..conftest import threshold


def replica(probability=1e-6, times=(1.0, 2.0, 3.0, 4.0), acceptance=(), ancestors=9, expected_error=0.2):
    shares = np.array([0.1, 0.01])
    acceptance = np.array(acceptance, float)
    times, levels = np.array(times), np.array([-2.0, -1.0])
    return Replica(probability, times, np.ones(times.size), levels, shares, acceptance, ancestors, expected_error)


def escape(*replicas, **other):
    return RareEscape("splitting", {"upper": replicas, **other}, 4.0, 0.5, 0.0, 100)


def test_probability_and_rate_are_means_over_replicas_and_sums_over_sides():
    four = tuple(replica(p) for p in (1e-6, 2e-6, 3e-6, 2e-6))
    one_side = escape(*four)
    both = escape(*four, lower=tuple(replica(1e-6, times=(0.5, 4.0)) for _ in range(4)))
    assert one_side.probability().value == pytest.approx(2e-6)
    assert both.probability().value == pytest.approx(3e-6)
    assert both.by_side("lower").probability().value == pytest.approx(1e-6)
    assert both.probability(by=2.0).value == pytest.approx(2e-6 / 2 + 1e-6 / 2)
    assert both.rate(1.0).value == pytest.approx((2e-6 * 0.75 + 1e-6 * 0.5) / 3.0, rel=1e-5)
    half = escape(replica(0.5), replica(0.5))
    assert half.rate(2.0).value == pytest.approx(math.log(0.75 / 0.5) / 2.0)
    assert one_side.relative_error == pytest.approx(math.sqrt(2.0 / 3.0) / 4.0)


def test_times_have_no_unit_of_their_own():
    """The same escape told in a unit of time 1e13 times as long: shares of early times stay what they are."""
    short = RareEscape("splitting", {"upper": (replica(times=(1e-13, 2e-13, 3e-13, 4e-13)),) * 2}, 4e-13, 5e-14, 0.0, 9)
    assert short.probability(by=2e-13).value == pytest.approx(5e-7)
    assert short.probability().value == pytest.approx(1e-6)


def test_a_result_without_a_rate_prints_itself():
    """All paths left in the first half: there is a probability and no rate."""
    early = escape(*(replica(p, times=(0.5, 1.0)) for p in (0.9, 1.0)))
    assert "probability up to time 4" in str(early)
    assert "none, nobody is left" in str(early)


def test_the_interval_is_log_normal_with_students_quantiles():
    found = escape(*(replica(p) for p in (1e-6, 2e-6, 3e-6, 2e-6))).probability(0.9)
    reach = stats.t.ppf(0.95, 3) * math.sqrt(math.log(1.0 + (2.0 / 3.0) / 4.0 / 4.0))
    assert found.high == pytest.approx(2e-6 * math.exp(reach))
    assert found.low == pytest.approx(2e-6 * math.exp(-reach))


@pytest.mark.parametrize(
    ("replicas", "doubt"),
    [
        ([replica()] * 3 + [replica(0.0, ())], "1 of 4 replicas did not arrive. (upper)"),
        ([replica()] * 9 + [replica(2e-5)], "One of 10 replicas makes up 69% of the mean. (upper)"),
        ([replica()] * 5 + [replica(8e-6)] * 5, "differ by 82% of their mean, where they expect 20%. (upper)"),
        ([replica(ancestors=1)] * 4, "descend from 1.0 first paths on average. (upper)"),
        ([replica(acceptance=(0.2, 0.01))] * 4, "Only 1.0% of the moves were accepted at a level. (upper)"),
    ],
)
def test_degenerate_replicas_are_doubted(replicas, doubt):
    found = escape(*replicas)
    assert any(sentence.endswith(doubt) for sentence in found.doubts), found.doubts
    with pytest.raises(NoEstimateError, match="despite_doubts=True"):
        found.probability()
    assert found.probability(despite_doubts=True).value > 0.0


def test_an_excess_of_the_spread_is_cured_by_more_paths():
    """Replicas that depend within themselves expect too little however many paths they have; small spreads are fine."""
    few = escape(*[replica(p, expected_error=0.05) for p in (1e-6, 1e-6, 2e-6, 2e-6)])
    many = escape(*[replica(p, expected_error=0.01) for p in (1.3e-6, 1.3e-6, 1.6e-6, 1.6e-6)])
    assert few.doubts == ("The replicas differ by 38% of their mean, where they expect 5%. (upper)",)
    assert many.doubts == ()


def test_intervals_cover_the_mean_of_log_normal_replicas():
    """At a spread of 0.5 intervals of 95 % of ten replicas cover 93.4 % (of 20000); 6 % less would be noticed."""
    rng, width = np.random.default_rng(1), math.sqrt(math.log1p(0.25))
    draws = rng.lognormal(math.log(1e-6) - width**2 / 2.0, width, (400, 10))
    found = [escape(*map(replica, row)).probability(despite_doubts=True) for row in draws]
    covered = sum(each.low < 1e-6 < each.high for each in found)
    assert abs(covered - 400 * 0.934) < threshold(1) * math.sqrt(400 * 0.934 * 0.066)


def test_a_side_that_does_not_matter_is_not_doubted():
    none = np.empty(0)
    lost = [Replica(0.0, none, none, np.zeros(1), np.array([share]), none, 0, 0.2) for share in (1e-11, 1e-7)]
    assert escape(*[replica()] * 4, lower=(lost[0],) * 4).doubts == ()
    assert escape(*[replica()] * 4, lower=(lost[1],) * 4).doubts == ("4 of 4 replicas did not arrive. (lower)",)


@pytest.mark.parametrize(("times", "left"), [((0.5, 0.5), "0 left"), ((0.5, 3.0), "0.51 left")])
def test_a_rate_of_paths_that_have_all_left_is_refused(times, left):
    found = escape(*[replica(1.01, times)] * 4)
    with pytest.raises(NoEstimateError, match=rf"got 2: \S+ of all were inside then, and {left}"):
        found.rate(2.0, despite_doubts=True)


def test_the_error_of_a_rate_counts_those_that_left_before():
    """Paths that leave at a constant rate, nine of ten of them before the time: the error is that of the binomial law.
    Without those that left before it would be threefold, without the slope of the rate a quarter of it, and without
    either, the mere spread of the later exits, less by a quarter."""
    rng, n, early, late = np.random.default_rng(3), 2000, 0.1, 0.01
    rate = -math.log(late / early) / 2.0
    times = 2.0 + rng.exponential(1.0 / rate, (400, n)) + math.log(early) / rate
    rows = [np.sort(row[row <= 4.0]) for row in times]
    found = escape(*(replica(row.size / n, np.maximum(row, 0.1)) for row in rows))
    chance = 1.0 - late / early
    error = math.sqrt(chance / ((1.0 - chance) * early * 400 * n)) / -math.log1p(-chance)
    assert abs(math.log(found.relative_error_of_rate(2.0) / error)) < threshold(2) / math.sqrt(2 * 399)
    assert abs(found.rate(2.0).value / rate - 1.0) < threshold(2) * error


def test_no_arrival_gives_a_bound():
    found = escape(*[replica(0.0, ())] * 3)
    with pytest.raises(NoEstimateError, match=r"up to time 4 is at most about 0\.001"):
        found.rate(1.0)
    assert "probability up to time 4: at most about 0.001, by the highest" in str(found)
    assert "rate after time 2: none, no path left" in str(found)


def test_times_outside_are_refused():
    found = escape(replica(), replica())
    with pytest.raises(ValueError, match=r"after must be below the horizon 4, got 4"):
        found.rate(4.0)
    with pytest.raises(ValueError, match=r"by must lie in \[0, 4\], got 5"):
        found.probability(by=5.0)
    with pytest.raises(ValueError, match="name must be one of upper, got 'lower'"):
        found.by_side("lower")


def test_a_rate_whose_window_was_hardly_seen_is_doubted():
    """All replicas agree on the probability, but left at other times."""
    found = escape(replica(times=(1.0,)), replica(times=(1.5,)), replica(times=(3.0,)))
    assert found.doubts == ()
    assert found.doubts_of_rate(2.0)[0] == "2 of 3 replicas saw no exit between the times 2 and 4."
    with pytest.raises(NoEstimateError, match="saw no exit between"):
        found.rate()
    assert "rate after time 2: in doubt, about 1.67e-07" in str(found)
    assert "doubt: 2 of 3 replicas saw no exit between the times 2 and 4." in str(found)


def test_weights_of_times_count():
    shares = np.array([0.1])
    heavy = Replica(1e-6, np.array([1.0, 3.0]), np.array([3.0, 1.0]), np.zeros(1), shares, np.empty(0), 9, 0.2)
    assert heavy.share(0.0, 2.0) == 0.75
    assert heavy.effective == pytest.approx(1.6)
    assert escape(heavy, heavy, heavy).doubts == (
        "The paths that arrived in a replica count as 2 of equal weight on average. (upper)",
    )


def test_a_probability_is_at_most_1_and_0_at_the_start():
    sure = escape(replica(0.9), replica(1.15), replica(1.1))
    found = sure.probability()
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.5 < found.low < 1.0
    assert sure.probability(by=0.0) == (0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="level must lie in"):
        sure.probability(5.0, by=0.0)


def test_a_part_is_joined_once():
    """Four times the same replicas would look four times as sure."""
    one = escape(replica(1e-6), replica(2e-6))
    with pytest.raises(ValueError, match="parts must hold each replica once, got some twice"):
        RareEscape.concat([one, one])


def test_parts_are_joined_and_compared():
    one, two = escape(replica(1e-6), replica(2e-6)), escape(replica(3e-6))
    joined = RareEscape.concat([one, two])
    assert joined.values.tolist() == [1e-6, 2e-6, 3e-6]
    assert joined.path_steps == 200
    with pytest.raises(ValueError, match=r"dt must be the same in all parts, got 0\.5 and 0\.25"):
        RareEscape.concat([one, replace(two, dt=0.25)])
    with pytest.raises(ValueError, match="sides must be the same"):
        RareEscape.concat([one, escape(replica(), lower=(replica(),))])
    with pytest.raises(ValueError, match="parts must hold at least one"):
        RareEscape.concat([])
    ratio = joined.ratio_to(one)
    assert ratio.value == pytest.approx(4.0 / 3.0)
    errors = [math.log1p(rare.relative_error**2) for rare in (joined, one)]
    assert ratio.high == pytest.approx(4.0 / 3.0 * math.exp(stats.t.ppf(0.975, 1) * math.sqrt(sum(errors))))
