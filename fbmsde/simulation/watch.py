"""Watches: compiled tests of a point that tell whether it is inside a domain and, if not, where it has left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from numba import njit

from ..core.captured import OPTIONS, packaged
from ..core.compile import by_content
from ..core.points import Point
from .domains import Wall

INSIDE, UNDEFINED = 0, -1
LOWER, UPPER = 1, 2


class Watch(NamedTuple):
    """The test of a domain: ``test(t, x, *bounds)`` is INSIDE, the number of the rim that was passed, or UNDEFINED.

    The rims of an interval are LOWER and UPPER; a level set has one, number 1, and several have one each. UNDEFINED is
    a point at which the level is not a number.
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


@by_content
def _either(first: Callable[..., int], second: Callable[..., int], n_first: int, n_sides: int) -> Any:
    """The test of two domains, of which the first has the first `n_first` bounds and `n_sides` sides."""

    def either(t: float, x: Point, *bounds: float) -> int:
        side = first(t, x, *bounds[:n_first])
        other = second(t, x, *bounds[n_first:])
        return side if side != INSIDE else other + n_sides if other > INSIDE else other

    return njit(**OPTIONS)(either)


def either_watch(first: Watch, second: Watch, n_sides: int) -> Watch:
    """The watch of the points inside both domains. The sides of the second are numbered after `n_sides` of the first.

    Where both tests tell an exit, the first one counts.
    """
    test = _either(first.test, second.test, len(first.bounds), n_sides)
    return Watch(test, (*first.bounds, *second.bounds))


@packaged
def _standing(t: float, place: float) -> float:
    """A wall that does not move."""
    return place


@by_content
def _wall(function: Callable[[float], float]) -> Any:
    """A wall that moves, with the place of one that stands as an argument that it does not use."""

    def wall(t: float, place: float) -> float:
        return 1.0 * function(t)

    return njit(**OPTIONS)(wall)


@by_content
def _moving(lower: Callable[..., float], upper: Callable[..., float]) -> Any:
    """The test of the open interval between two walls that are moved inwards by `shift`."""

    def test(t: float, x: Point, shift: float, low: float, high: float) -> int:
        bottom, top = lower(t, low) + shift, upper(t, high) - shift
        if (x[0] > bottom) & (x[0] < top):
            return INSIDE
        return LOWER if x[0] <= bottom else UPPER

    return njit(**OPTIONS)(test)


def moving_watch(lower: Wall, upper: Wall, shift: float) -> Watch:
    """The watch of an open interval of the first coordinate between two walls, moved inwards by `shift`."""
    walls = [_wall(wall) if callable(wall) else _standing for wall in (lower, upper)]
    places = [0.0 if wall is None or callable(wall) else float(wall) for wall in (lower, upper)]
    return Watch(_moving(*walls), (shift, *places))


@by_content
def _from_zero(test: Callable[..., int]) -> Any:
    """A test that takes every point before time 0 as inside."""

    def late(t: float, x: Point, *bounds: float) -> int:
        return test(t, x, *bounds) if t >= 0.0 else INSIDE

    return njit(**OPTIONS)(late)


def from_zero(watch: Watch) -> Watch:
    """The watch that begins at time 0."""
    return Watch(_from_zero(watch.test), watch.bounds)


def level_watch(level: Callable[..., float], params: tuple[float, ...], dim: int) -> Watch:
    """The watch of the points with ``level(x, *params) < 0``."""
    return Watch(_level(level, dim), params)
