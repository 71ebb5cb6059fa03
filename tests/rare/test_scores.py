"""Scores tell how far beyond a side a point is, and that it has left by another."""

from __future__ import annotations

import math

import pytest

from fbmsde.rare.scores import LOST, scores_of
from fbmsde.simulation.regions import region_of


def score(domain, side, x, dim=1):
    found = scores_of(region_of(domain, dim))[side]
    return found.function(0.0, x, *found.bounds)


def test_an_interval_has_a_score_for_each_end():
    assert set(scores_of(region_of((-1.0, None), 1))) == {"lower"}
    assert score((-1.0, None), "lower", (2.0,)) == -3.0
    assert score((-1.0, None), "lower", (-1.5,)) == 0.5
    assert set(scores_of(region_of((-1.0, 3.0), 1))) == {"lower", "upper"}
    assert score((-1.0, 3.0), "lower", (2.0,)) == -3.0
    assert score((-1.0, 3.0), "upper", (2.0,)) == -1.0
    assert score((-1.0, 3.0), "upper", (3.5,)) == 0.5
    assert score((-1.0, 3.0), "upper", (-1.0,)) == LOST
    assert score((-1.0, 3.0), "lower", (3.5,)) == LOST


def test_of_level_sets_the_first_one_that_is_not_negative_counts():
    levels = {"right": lambda x: x[0] - 1.0, "up": lambda x: x[1] - 2.0}
    assert score(levels, "up", (0.0, 1.5), 2) == -0.5
    assert score(levels, "up", (0.0, 2.5), 2) == 0.5
    assert score(levels, "up", (1.0, 2.5), 2) == LOST
    assert score(levels, "right", (1.0, 2.5), 2) == 0.0
    assert score(levels, "right", (0.0, 2.5), 2) == LOST
    assert math.isnan(score(levels, "up", (0.0, math.nan), 2))
    assert math.isnan(score(lambda x: math.sqrt(x) - 2.0, "level", (math.nan,)))


def test_a_level_that_is_minus_infinity_inside_is_not_lost():
    """A logarithm of 0 is no exit by another side."""
    assert LOST < score(lambda x: -math.inf, "level", (0.5,)) < -1e200


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ((None, None), r"domain must have an end, got \(-inf, inf\)"),
        ((None, lambda t: 1.0 + t), "domain must stand still"),
    ],
)
def test_domains_without_a_score_are_refused(domain, message):
    with pytest.raises(ValueError, match=message):
        scores_of(region_of(domain, 1))
