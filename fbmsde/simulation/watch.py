"""Watches: compiled tests of a point that tell whether it is inside a domain and, if not, where it has left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from numba import njit

from ..core.captured import OPTIONS, packaged
from ..core.compile import by_content
from ..core.points import Point

INSIDE, UNDEFINED = 0, -1
LOWER, UPPER = 1, 2


class Watch(NamedTuple):
    """The test of a domain: ``test(t, x, *bounds)`` is INSIDE, the number of the rim that was passed, or UNDEFINED.

    The rims of an interval are LOWER and UPPER; a level set has one, number 1. UNDEFINED is a point at which the level
    is not a number.
    """

    test: Callable[..., int]
    bounds: tuple[float, ...]


@packaged
def interval_test(t: float, x: Point, lower: float, upper: float) -> int:
    """The test of the open interval from `lower` to `upper`."""
    if (x[0] > lower) & (x[0] < upper):
        return INSIDE
    return LOWER if x[0] <= lower else UPPER


@by_content
def _level(level: Callable[..., float], dim: int) -> Any:
    """The test of the points at which a level function is negative."""

    def on_points(t: float, x: Point, *params: float) -> int:
        value = 1.0 * level(x, *params)
        return INSIDE if value < 0.0 else UNDEFINED if value != value else LOWER

    def on_floats(t: float, x: Point, *params: float) -> int:
        value = 1.0 * level(x[0], *params)
        return INSIDE if value < 0.0 else UNDEFINED if value != value else LOWER

    return njit(**OPTIONS)(on_points if dim > 1 else on_floats)


def interval_watch(lower: float, upper: float) -> Watch:
    """The watch of an open interval of the first coordinate."""
    return Watch(interval_test, (lower, upper))


def level_watch(level: Callable[..., float], params: tuple[float, ...], dim: int) -> Watch:
    """The watch of the points with ``level(x, *params) < 0``."""
    return Watch(_level(level, dim), params)
