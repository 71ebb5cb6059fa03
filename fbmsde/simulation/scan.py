"""The scan of a one-dimensional landscape before a run, so that no jump passes over a feature narrower than itself.

The range that paths can visit is cut into `CELLS` equal cells, and the least and the greatest gradient in each cell are
found. They tell how much the gradient changes within the reach of a jump from any cell.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import scipy
from numba import njit

from ..core.compile import baked
from ..core.points import Point, replaced
from ..core.types import Array
from ..drivers.jumping import Jumping

CELLS = 2**11
INTERVALS = 8  # the gradient is first looked at between so many intervals of a cell; each further look halves them
_SETTLED = 0.1  # a cell has settled when a closer look widens its range of gradients by a smaller share than this
_DOUBLINGS = 6  # the number of intervals in a cell is doubled at most so often until the cell has settled
_MOST_INTERVALS = 2**13
_QUIET = 8.0  # a path on a slope that pulls it back gains at most so many standard deviations of the noise
_FARTHEST = 12.0  # no path without a drift goes farther than so many standard deviations of the noise at the horizon
_SCALES, _SAMPLES = 40, 33


class Line(NamedTuple):
    """The line that was scanned, as numbers that kernels pass freely.

    It begins at `low` and has `per_length` cells to a unit of length; `beyond` is the longest reach of a jump where
    nothing was scanned.
    """

    low: float
    per_length: float
    beyond: float


@dataclass(frozen=True, eq=False)
class Scan:
    """What is known of the gradient in each cell of a line. The arrays are (CELLS,), empty if nothing was scanned.

    least, most : the least and the greatest gradient in each cell.
    change : the steepest change of the gradient between neighbouring points in each cell.
    spacing : the largest distance of neighbouring points.
    open_sides : True for the sides, the lower and the upper one, on which paths may leave the line.
    """

    line: Line
    least: Array
    most: Array
    change: Array
    spacing: float
    open_sides: tuple[bool, bool]

    @property
    def steepest(self) -> float:
        """The steepest change of the gradient anywhere, 0 if nothing was scanned."""
        return float(self.change.max(initial=0.0))

    def stiffness(self, reaches: Array) -> Array:
        """Steepest change of the gradient within each reach of any place in a cell, (n_reaches, CELLS).

        It is the smaller of the steepest change between neighbouring points and the largest difference of two gradients
        over the reach, because a feature that is far narrower than a jump moves it little. It is NaN where the reach
        leaves the line on an open side.
        """
        if self.change.size == 0:
            return np.full((reaches.size, 1), np.nan)
        return _stiffness(self, tuple(reaches.tolist()))

    def within(self, reach: float) -> Array:
        """One row of `stiffness`, that of one reach: from the cells up to `n` cells away, which it touches."""
        n = min(CELLS, max(1, math.ceil(reach * self.line.per_length)))
        around = {"size": 2 * n + 1, "mode": "nearest"}
        up = scipy.ndimage.maximum_filter1d(self.most, **around) - self.least
        down = self.most - scipy.ndimage.minimum_filter1d(self.least, **around)
        within = np.minimum(scipy.ndimage.maximum_filter1d(self.change, **around), np.maximum(up, down) / reach)
        if self.open_sides[0]:
            within[:n] = np.nan
        if self.open_sides[1]:
            within[-n:] = np.nan
        return within


@lru_cache(maxsize=8)
def _stiffness(scan: Scan, reaches: tuple[float, ...]) -> Array:
    """`Scan.stiffness`, kept for runs that are called in a loop: about 300 KB each."""
    return np.array([scan.within(reach) for reach in reaches])


def no_scan(beyond: float = math.inf) -> Scan:
    """The scan of a landscape that was not looked at; jumps reach at most `beyond`."""
    empty = np.empty(0)
    return Scan(Line(math.inf, 1.0, beyond), empty, empty, empty, math.inf, (True, True))


@lru_cache(maxsize=16)
def scan_line(
    motion: tuple[Callable[..., Point], tuple[float, ...]], ends: tuple[float, float],
    open_sides: tuple[bool, bool], finest: float | None, beyond: float,
) -> Scan:  # fmt: skip
    """The scan of a landscape's motion (gradient, params) between two finite ends.

    The gradient is read at 2^15 equidistant points, or at more so that they lie at most half of `finest` apart;
    ValueError when that asks for too many. Where the last doubling of their number has widened the range of the
    gradient in a cell by more than a tenth, the number is doubled again there, up to 2^5 times. What is narrower than
    the distance between two points can be overlooked. Scans are kept, 48 KB each.
    """
    low, high = ends
    width, intervals = (high - low) / CELLS, INTERVALS
    while finest is not None and width / intervals > finest:
        intervals *= 2
    if intervals > _MOST_INTERVALS:
        raise ValueError(
            f"finest must be at least {width / _MOST_INTERVALS:.3g} to be seen in a scan from {low:.6g} to "
            f"{high:.6g}, got {finest}. Take a narrower domain, or a smallest length that paths can feel."
        )
    seen = np.empty((3, CELLS))
    gradient, params = motion
    arguments = params, (low,), width, intervals, seen
    baked(_looking, (gradient,), arguments)(*arguments)
    line, spacing = Line(low, 1.0 / width, beyond), width / (2 * intervals)
    return Scan(line, seen[0], seen[1], seen[2], spacing, open_sides)


def visited(
    gradient: Callable[..., Point], params: tuple[float, ...], x0: float, side: int, noise: Jumping, horizon: float
) -> float:
    """The distance that paths can be expected to go from the start to one side, +1 or -1.

    It is at most twelve standard deviations of the noise at the horizon. It is less where the landscape pulls paths
    back so strongly that they cannot cross the outer half of the distance: a path that gains eight standard deviations
    of the noise within any time t loses the drift over that time, and ``max_t (8 sigma t^H - pull t) <= distance / 2``.
    """
    farthest, gain = _FARTHEST * noise.increment_scale(horizon), _QUIET * noise.increment_scale(1.0)
    return _visited(gradient, params, (x0, side), (farthest, gain), float(noise.common_hurst))


@lru_cache(maxsize=64)
def _visited(
    gradient: Callable[..., Point], params: tuple[float, ...], place: tuple[float, int], most: tuple[float, float],
    hurst: float,
) -> float:  # fmt: skip
    """`visited` from a place (x0, side), of a noise that brings paths and gains so much at the most."""
    (x0, side), (farthest, gain) = place, most
    for halvings in range(_SCALES, 0, -1):
        distance = farthest * 2.0**-halvings
        places = x0 + side * distance * np.linspace(0.5, 1.0, _SAMPLES)
        pull = min(side * gradient((float(x),), *params)[0] for x in places)
        if pull > 0.0:
            longest = (gain * hurst / pull) ** (1.0 / (1.0 - hurst))
            if gain * (1.0 - hurst) * longest**hurst <= distance / 2.0:
                return distance
    return farthest


@njit(error_model="numpy", forceinline=True)
def _range(gradient: Any, params: Any, place: Point, width: float, intervals: int) -> tuple[float, float, float]:
    """The least and the greatest gradient over `width` from `place` on, and its steepest change between two points."""
    least, most, change, before = np.inf, -np.inf, 0.0, np.nan
    for i in range(intervals + 1):
        value = gradient(replaced(place, 0, place[0] + width * i / intervals), *params)[0]
        if abs(value) < np.inf:
            least, most = min(least, value), max(most, value)
            if abs(value - before) > change:
                change = abs(value - before)
        before = value
    return least, most, change * intervals / width


@njit(error_model="numpy", forceinline=True)
def _look(gradient: Any, params: Any, start: Point, width: float, intervals: int, seen: Array) -> None:
    """Fill in the least gradient, the greatest and the steepest change for each cell, in `seen` (3, n_cells)."""
    for cell in range(seen.shape[1]):
        place = replaced(start, 0, start[0] + cell * width)
        least, most, change = _range(gradient, params, place, width, intervals)
        n = intervals
        for _ in range(_DOUBLINGS):
            n *= 2
            before = most - least
            least, most, change = _range(gradient, params, place, width, n)
            if (most - least) - before <= _SETTLED * (most - least):
                break
        seen[0, cell], seen[1, cell], seen[2, cell] = least, most, change


def _looking(gradient: Any) -> Any:
    """`_look` at one gradient."""

    def look(params: Any, start: Point, width: float, intervals: int, seen: Array) -> None:
        _look(gradient, params, start, width, intervals, seen)

    return look
