"""The loop over paths in many dimensions, one after the other: a lane of the noise is a coordinate of the path."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ..core.compile import lasting_name, locked
from ..core.states import CENSORED, LEFT, RUNNING, UNRESOLVED
from ..core.types import Array
from ..drivers.base import BLOCK, LANES, NOISE, Feed, Lanes, Spreading
from ._ends import ENDS, Ends
from ._loop import NOT_SAVED
from ._wide_motion import ADVANCE, ROOM, WideMotion

_LINE, _TABLE = types.Array(types.float64, 1, "C"), types.Array(types.float64, 2, "C")
_WHOLE = types.Array(types.int64, 1, "C")
_MOST_HELD = 2**15  # where a lane is a path, so many lanes times components are drawn at once
_VECTOR = 8  # doubles of the widest vectors: rows of lanes are multiples of it

Whole = NDArray[np.int64]


class Spread(NamedTuple):
    """Lanes that hold `paths` paths side by side, with the shape of the block of noise that they draw."""

    lanes: Lanes
    shape: tuple[int, int, int]
    paths: int

    @classmethod
    def of(cls, feed: Feed, channels: int, first: int, n_paths: int) -> Spread:
        """Lanes of which each is a coordinate, in rows of about LANES; or else a path, with the coordinates in rows."""
        if isinstance(feed, Spreading):
            rows = -(-channels // LANES)
            spread = -(-channels // (rows * _VECTOR)) * _VECTOR
            paths = max(1, min(LANES // spread, n_paths))
            lanes = feed.coordinates(rows, spread * paths, paths)
            if lanes is not None:
                return cls(lanes, (rows, BLOCK, spread * paths), paths)
        paths = max(1, min(LANES, n_paths, _MOST_HELD // channels))
        return cls(feed.lanes(first, n_paths, paths), (channels, BLOCK, paths), paths)


@njit(error_model="numpy", nogil=True)
def _begin(
    start: Callable[..., None], data: tuple[object, ...], lanes: Whole, path: int, first: int, origin: Array, x: Array,
    saved: Array,
) -> int:  # fmt: skip
    """Put the beginning of a path into its lanes, its origin into x and `saved`; the path, counted from `first`."""
    for lane in range(lanes[0], lanes[0] + lanes[1]):
        start(data, lane, first + path)
    x[:] = origin
    if saved.size > 0:
        saved[path, 0] = origin
    return path


@njit(error_model="numpy", nogil=True)
def _note(
    path: int, report: Whole, moved: Array, age: int, n_steps: int, ends: Ends
) -> bool:  # fmt: skip
    """Note the step at which a path ended, and where; False if it goes on."""
    state = CENSORED if report[1] == RUNNING and age >= n_steps else report[1]
    if state == RUNNING:
        return False
    ends.steps[path], ends.states[path] = age, state
    if (state == LEFT) | (state == UNRESOLVED):
        ends.sides[path] = report[2]
        if ends.places.size > 0:
            last, positions = (report[0] - 1) % moved.shape[0], ends.places.shape[1]
            ends.places[path] = moved[last, :positions]
    return True


def follow_spread(
    start: Callable[..., None], draw: Callable[..., None], data: tuple[object, ...], scale: float, noise: Array,
    advance: Callable[..., None], numbers: Array, channels: int, origins: Array, n_steps: int, at_once: int,
    queue: Whole, ends: Ends, saved: Array, every: int, control: Whole,
) -> None:  # fmt: skip
    """Follow the queued paths to their exit or the horizon, `at_once` side by side, and note their `Ends`.

    The queue counts paths from ``ends.first`` on, as all arrays do. `origins` is (n_paths, dim), or (1, dim) for one
    start of all. Where `saved` (n_paths, n_saved + 1, dim) is not
    empty, it takes the origin and the points after every `every`-th step. control[0] asks to stop, and control[1]
    counts finished paths.
    """
    dim, last, spread = origins.shape[1], origins.shape[0] - 1, noise.shape[2] // at_once
    depth = BLOCK if saved.size > 0 else 2  # points that are not saved are held until the next
    x, moved, work = np.empty((at_once, dim)), np.empty((depth, dim)), np.empty((ROOM, dim))
    lanes, increment, report = np.array([0, spread]), np.empty(channels), np.zeros(3, np.int64)
    paths, ages, upcoming = np.full(at_once, -1), np.zeros(at_once, np.int64), 0
    while control[1] < queue.size and control[0] == 0:
        for i in range(at_once):
            if paths[i] < 0 and upcoming < queue.size:
                lanes[0], path = i * spread, queue[upcoming]
                paths[i] = _begin(start, data, lanes, path, ends.first, origins[min(path, last)], x[i], saved)
                ages[i], upcoming = 0, upcoming + 1
        draw(data, noise)
        for i in range(at_once):
            if paths[i] >= 0:
                lanes[0], path, age = i * spread, paths[i], ages[i]
                origin, n = origins[min(path, last)], min(BLOCK, n_steps - age)
                advance(numbers, scale, origin, x[i], noise, lanes, moved, work, increment, age, n, report)
                if saved.size > 0:
                    for s in range(every - 1 - age % every, report[0], every):
                        saved[path, (age + s + 1) // every] = moved[s]
                ages[i] = age + report[0]
                if _note(path, report, moved, ages[i], n_steps, ends):
                    paths[i] = -1
                    control[1] += 1


def follow_wide(
    spread: Spread, motion: WideMotion, n_steps: int, queue: Whole, ends: Ends, control: Whole,
    saved: Array = NOT_SAVED, every: int = 1,
) -> None:  # fmt: skip
    """Call `follow_spread`, compiled for the driver's type of data."""
    lanes, noise = spread.lanes, np.zeros(spread.shape)
    drawn = lanes.start, lanes.draw, lanes.data, lanes.scale, noise
    _loop(lanes.kind)(*drawn, *motion, n_steps, spread.paths, queue, ends, saved, every, control)


@lru_cache(maxsize=64)
def _loop(data: types.Type) -> Callable[..., None]:
    """The loop for one type of a driver's data."""
    start, draw = types.void(data, types.int64, types.int64), types.void(data, NOISE)
    signature = types.void(
        types.FunctionType(start), types.FunctionType(draw), data, types.float64, NOISE,
        types.FunctionType(ADVANCE), _LINE, types.int64, _TABLE, types.int64, types.int64, _WHOLE,
        ENDS, NOISE, types.int64, _WHOLE,
    )  # fmt: skip
    loop: Callable[..., None] = locked(follow_spread, signature, lasting_name(follow_spread))
    return loop
