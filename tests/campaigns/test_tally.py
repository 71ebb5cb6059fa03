"""Sums over blocks tell what passage times tell, whatever the blocks are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fbmsde.campaigns.tally import Estimates, Tally, classes_of, joined
from fbmsde.core.states import BROKEN, CENSORED, LEFT
from fbmsde.results.estimates import Mean, Moments, NoEstimateError
from fbmsde.simulation.ended import Ended

DT, HORIZON = 0.25, 100.0


def ended(seed: int, n_paths: int, mean: float, broken: float = 0.0) -> Ended:
    """Paths with exponential times on a grid, some of them broken."""
    rng = np.random.default_rng(seed)
    steps = np.minimum(np.ceil(rng.exponential(mean, n_paths) / DT), HORIZON / DT)
    states = np.where(steps < HORIZON / DT, LEFT, CENSORED).astype(np.uint8)
    states[rng.random(n_paths) < broken] = BROKEN
    sides = np.where(states == LEFT, rng.integers(1, 3, n_paths), 0).astype(np.uint8)
    places = np.where(states == LEFT, 1.0, np.nan).reshape(-1, 1)
    return Ended(steps * DT, states, sides, places, ("lower", "upper"), DT, HORIZON, None)


def cut(whole: Ended, sizes: list[int]) -> list[Ended]:
    """The same in parts."""
    ends = np.cumsum([0, *sizes])
    return [
        Ended(whole.times[a:b], whole.states[a:b], whole.sides[a:b], whole.places[a:b], whole.names, DT, HORIZON, None)
        for a, b in itertools.pairwise(ends)
    ]


def estimates(parts: list[Ended], after: float | None) -> Estimates:
    classes = classes_of(round(HORIZON / DT), DT, after)
    return Estimates(joined(Tally.of(part, classes) for part in parts), classes, DT, HORIZON)


@pytest.mark.parametrize("mean", [3.0, 60.0, 400.0])
def test_tallies_tell_what_the_times_tell(mean):
    whole = ended(1, 1000, mean)
    found, passages = estimates(cut(whole, [300, 1, 699]), 2.1), whole.passages()
    rate, times = passages.exit_rate(after=2.1), passages.mean()
    assert found.rate(rate.after) == pytest.approx((rate.value, *rate.confidence_interval()), rel=1e-9)
    value, restricted = found.mean()
    assert value == pytest.approx((times.value, *times.confidence_interval()), rel=1e-9)
    assert restricted == times.restricted
    split = passages.split()
    assert found.sides(("lower", "upper"))["upper"] == pytest.approx(split["upper"], rel=1e-9)
    curve = found.curve()
    np.testing.assert_allclose(curve.probabilities[1:], passages.survival().at(curve.times[1:]), atol=1e-12)


def test_broken_paths_count_as_at_risk_while_they_lived():
    whole = ended(2, 2000, 50.0, broken=0.1)
    with pytest.raises(ArithmeticError) as caught:
        whole.passages()
    passages = caught.value.passages
    found = estimates(cut(whole, [1000, 1000]), 5.0)
    assert found.rate(5.0) == pytest.approx((passages.exit_rate(after=5.0).value, *found.rate(5.0)[1:]), rel=0.01)
    assert found.tally.n_broken == passages.n_broken


def test_without_an_exit_nothing_is_estimated():
    silent = ended(3, 50, 1e9)
    found = estimates([silent], None)
    with pytest.raises(NoEstimateError):
        silent.passages().exit_rate()
    assert np.isnan(found.rate(0.0).value) and np.isnan(found.mean()[0].value) and found.quartile() == 0.0
    assert found.sides(("lower", "upper"))["lower"].value == 0.0


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_any_cut_gives_the_same_sums(sizes, seed):
    whole = ended(seed, sum(sizes), 40.0, broken=0.02)
    classes = classes_of(round(HORIZON / DT), DT, None)
    once, parts = Tally.of(whole, classes), joined(Tally.of(part, classes) for part in cut(whole, sizes))
    for name in ("exits", "lost", "exit_steps", "lost_steps", "sides"):
        np.testing.assert_array_equal(getattr(once, name), getattr(parts, name))
    assert once.censored == parts.censored and once.n_paths == sum(sizes)
    np.testing.assert_allclose(once.moments, parts.moments, rtol=1e-9, atol=1e-9)


def test_the_rate_begins_at_the_end_of_the_class_of_the_last_exit_of_the_first_quarter():
    """Of the exits at the steps 1, 2, ..., 8 it is the second, with which a class ends: as for the times."""
    times = DT * np.arange(1.0, 9.0)
    states, sides = np.full(8, LEFT, np.uint8), np.ones(8, np.uint8)
    block = Ended(times, states, sides, np.ones((8, 1)), ("lower",), DT, HORIZON, None)
    assert estimates([block], None).quartile() == 2 * DT == block.passages().exit_rate().after


def test_broken_paths_are_no_part_of_the_mean():
    """Of 9 paths that did not break 5 are censored, of all 12 less than half: then the tail is not made up for."""
    times = np.array([1.0, 2.0, 3.0, 4.0, *[HORIZON] * 5, 90.0, 91.0, 92.0])
    states = np.array([LEFT] * 4 + [CENSORED] * 5 + [BROKEN] * 3, np.uint8)
    sides = np.where(states == LEFT, 1, 0).astype(np.uint8)
    block = Ended(times, states, sides, np.full((12, 1), np.nan), ("lower",), DT, HORIZON, None)
    exact = Mean.of_moments(Moments.of(times[:9]), 5.0 / 9.0, HORIZON)
    found, restricted = estimates([block], None).mean()
    assert restricted and found == pytest.approx((exact.value, *exact.confidence_interval()), rel=1e-9)


@pytest.mark.parametrize(("censored", "skewness"), [(0.0, 4.0), (0.5, 4.0), (0.51, 0.5)])
def test_the_skewness_of_a_gamma_law_is_taken_where_the_tail_is_seen(censored, skewness):
    """A gamma law has twice its standard deviation over its mean, here 4; the sample alone has 1 / 2."""
    n = 100_000
    found = Mean.of_moments(Moments(n, 1.0, 4.0, 4.0), censored, 9.0)
    assert found.skewness == pytest.approx(skewness, rel=1e-4)
