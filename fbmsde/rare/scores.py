"""Scores: how far a point lies beyond a side of a domain, negative inside. Rare-event methods climb them.

Each side has its own: where two ways out compete, a common score would follow the one that is easier at first, however
little it contributes in the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ..core.captured import OPTIONS, packaged
from ..core.compile import by_content
from ..core.points import Point
from ..simulation.regions import Below, Between, Region
from ..simulation.watch import INSIDE, UNDEFINED

LOST = -math.inf  # the score of a path that has left by another side
_LOWEST = -1e300  # the lowest score inside


class Score(NamedTuple):
    """A compiled function ``function(t, x, *bounds)``: at least 0 where a path has left by one side, negative inside.

    It is the distance beyond an end of an interval, or the level of a level set. Where a path has left by another side
    it is `LOST`.
    """

    function: Callable[..., float]
    bounds: tuple[float, ...]


@packaged
def beyond_interval(t: float, x: Point, lower: float, upper: float) -> float:
    """The distance of the first coordinate beyond the nearer end of an interval, of which one may be infinite."""
    return max(lower - x[0], x[0] - upper)


@packaged
def lowest_at_least(level: float) -> float:
    """A level that is no lower than the lowest score, since `LOST` has a meaning of its own; nan stays."""
    return _LOWEST if level < _LOWEST else 1.0 * level


@by_content
def _level(level: Callable[..., float], dim: int) -> Any:
    """A level function of the point as a score."""

    def on_points(t: float, x: Point, *params: float) -> float:
        return lowest_at_least(level(x, *params))

    def on_floats(t: float, x: Point, *params: float) -> float:
        return lowest_at_least(level(x[0], *params))

    return njit(**OPTIONS)(on_points if dim > 1 else on_floats)


@by_content
def _through(score: Any, test: Any, n_first: int, wanted: int) -> Any:
    """A score of one side, which takes the first `n_first` bounds, given the test of the whole region."""

    def through(t: float, x: Point, *bounds: float) -> float:
        side = test(t, x, *bounds[n_first:])
        if (side == INSIDE) | (side == wanted):
            return max(score(t, x, *bounds[:n_first]), _LOWEST)
        return np.nan if side == UNDEFINED else LOST

    return njit(**OPTIONS)(through)


def scores_of(region: Region) -> dict[str, Score]:
    """The score of each side of a region; ValueError for walls that move and for an interval without an end.

    >>> from fbmsde.simulation.regions import region_of
    >>> score = scores_of(region_of((-1.0, 3.0), 1))["upper"]
    >>> score.function(0.0, (2.0,), *score.bounds), score.function(0.0, (-1.5,), *score.bounds)
    (-1.0, -inf)
    """
    if isinstance(region, Between):
        ends = {"lower": (region.lower, math.inf), "upper": (-math.inf, region.upper)}
        plain = {side: Score(beyond_interval, pair) for side, pair in ends.items() if not all(map(math.isinf, pair))}
        if not plain:
            raise ValueError(f"domain must have an end, got {region.ends}. No path leaves the whole line.")
    elif isinstance(region, Below):
        levels = zip(region.names, region.level_sets, strict=True)
        plain = {name: Score(_level(each.level, region.dim), each.params) for name, each in levels}
    else:
        raise ValueError(f"domain must stand still for rare escapes, got {region!r}. Give walls that are numbers.")
    if len(plain) == 1:
        return plain
    watch, numbers = region.watch, {name: number for number, name in enumerate(region.names, 1)}
    return {
        name: Score(
            _through(score.function, watch.test, len(score.bounds), numbers[name]), (*score.bounds, *watch.bounds)
        )
        for name, score in plain.items()
    }


@by_content
def on_positions(score: Callable[..., float], positions: int, dim: int) -> Callable[..., float]:
    """A score of the leading coordinates as one of the whole state."""
    if positions == dim:
        return score

    def of_state(t: float, x: Point, *bounds: float) -> float:
        return score(t, x[:positions], *bounds)

    return njit(**OPTIONS)(of_state)
