"""The one loop over lanes of paths, for exits and for whole paths.

It takes the functions of a driver and of a motion as values of function types, and sees arrays and numbers only: one
version for every type of a driver's data serves all equations, solvers and domains, and is kept between processes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numba import config, njit, types
from numpy.typing import NDArray

from ..core.compile import lasting_name, locked
from ..core.states import BROKEN, CENSORED, LEFT, RUNNING
from ..core.types import Array
from ..drivers.base import BLOCK, LANES, NOISE, Lanes
from ._ends import ENDS, Ends
from ._motion import ADVANCE, COUNTS, NUMBERS, ORIGINS, SETTLE, Motion

Counts = NDArray[np.int64]

NOT_SAVED: Array = np.empty((0, 0, 0))

# Lanes are added in groups that fill the widest vector of floats. Where the compiler takes vector versions of exp and
# the like, whose last bits are others than those of single calls, all lanes run, so that none falls out of a vector.
_GROUP = LANES if config.USING_SVML else 8


@njit(error_model="numpy", nogil=True)
def _verdict(mask: int, age: int, n_steps: int) -> tuple[int, int]:
    """State and step number of a lane that was `age` steps old before the block with this mask."""
    for s in range(min(BLOCK, n_steps - age)):
        if mask & ((1 << s) | (1 << (BLOCK + s))):
            return (BROKEN if mask & (1 << (BLOCK + s)) else LEFT), age + s + 1
    return (CENSORED if age + BLOCK >= n_steps else RUNNING), n_steps


@njit(error_model="numpy", nogil=True)
def _save(moved: Array, paths: Counts, age: int, n_steps: int, every: int, saved: Array) -> None:
    """Copy the points after every `every`-th step of all lanes, `age` steps old before, to their places in `saved`."""
    for s in range(every - 1 - age % every, min(BLOCK, n_steps - age), every):
        place = (age + s + 1) // every
        for j in range(saved.shape[2] if place >= 0 else 0):
            for lane in range(paths.size):
                if paths[lane] >= 0:
                    saved[paths[lane], place, j] = moved[j, s, lane]


@njit(error_model="numpy", nogil=True)
def _put(origins: Array, path: int, x: Array, lane: int) -> None:
    """Let a lane begin at the origin of a path."""
    row = path if origins.shape[0] > 1 else 0
    for j in range(origins.shape[1]):
        x[j, x.shape[1] - 1, lane] = origins[row, j]


@njit(error_model="numpy", nogil=True)
def _begin(
    start: Callable[..., None], data: tuple[object, ...], lane: int, path: int, first: int, origins: Array, x: Array,
    saved: Array,
) -> int:  # fmt: skip
    """Put the beginning of a path into a lane and its origin there and into `saved`; the path, counted from `first`."""
    start(data, lane, first + path)
    _put(origins, path, x, lane)
    if saved.size > 0:
        for j in range(saved.shape[2]):
            saved[path, 0, j] = x[j, x.shape[1] - 1, lane]
    return path


@njit(error_model="numpy", nogil=True)
def _end_paths(
    start: Callable[..., None], data: tuple[object, ...], scale: float, settle: Callable[..., None], numbers: Array,
    origins: Array, wait: int, before: Array, x: Array, noise: Array, masks: Counts, born: Counts, paths: Counts,
    now: int, n_steps: int, queue: Counts, upcoming: int, ends: Ends, saved: Array, control: Counts,
) -> tuple[int, int]:  # fmt: skip
    """Note the paths that ended in the block up to step `now` and give their lanes to the upcoming ones of the queue.

    Returns the first step at which the next path can be censored, and the place in the queue.
    """
    deadline = now + wait + n_steps
    for lane in range(paths.size):
        age = now - BLOCK - born[lane]
        state, last = _verdict(masks[lane], age, n_steps)
        if state != RUNNING:
            path, paths[lane] = paths[lane], -1
            if path >= 0:
                ends.steps[path], ends.states[path] = last, state
                if state == LEFT:
                    settle(numbers, scale, origins, before, noise, lane, age, last - age, path, ends)
                control[1] += 1
            free = saved.size == 0 or age + BLOCK >= n_steps
            if free:
                born[lane] = now + wait
            if free and upcoming < queue.size:
                paths[lane] = _begin(start, data, lane, queue[upcoming], ends.first, origins, x, saved)
                upcoming += 1
            else:
                _put(origins, queue[0], x, lane)
        deadline = min(deadline, born[lane] + n_steps)
    return deadline, upcoming


def follow_paths(
    start: Callable[..., None], draw: Callable[..., None], data: tuple[object, ...], scale: float,
    advance: Callable[..., int], settle: Callable[..., None], numbers: Array, origins: Array, channels: int,
    wait: int, n_steps: int, queue: Counts, ends: Ends, saved: Array, every: int, control: Counts, width: int,
) -> None:  # fmt: skip
    """Follow the queued paths to their exit or the horizon, on `width` lanes, and note how each ended.

    The queue counts paths from ``ends.first`` on, as all arrays do. `origins` has a row for each path, or one for all
    of them. A path begins `wait` steps before its step 0, from which on it counts. Where `saved`
    (n_paths, n_saved + 1, n_shown) is not empty, it takes the origin and the points after every
    `every`-th step, and all lanes begin their paths at the same time; otherwise a lane takes the next path at once.
    control[0] asks to stop, control[1] counts finished paths.
    """
    depth, dim = BLOCK if saved.size > 0 else 1, origins.shape[1]
    x, moved = np.empty((dim, depth, width)), np.empty((dim, depth, width))
    noise, masks = np.zeros((channels, BLOCK, width)), np.zeros(width, np.int64)
    born, paths = np.full(width, wait, np.int64), np.empty(width, np.int64)
    for lane in range(width):
        path = _begin(start, data, lane, queue[min(lane, queue.size - 1)], ends.first, origins, x, saved)
        paths[lane] = path if lane < queue.size else -1  # a lane without a path runs along unread
    upcoming, now, deadline = min(width, queue.size), 0, wait + n_steps
    while control[1] < queue.size and control[0] == 0:
        draw(data, noise)
        events = advance(numbers, scale, x, moved, noise, born, now, masks)
        if saved.size > 0:
            _save(moved, paths, now - born[0], n_steps, every, saved)
        x, moved = moved, x
        now += BLOCK
        if events != 0 or now >= deadline:
            deadline, upcoming = _end_paths(
                start, data, scale, settle, numbers, origins, wait, moved, x, noise, masks, born, paths,
                now, n_steps, queue, upcoming, ends, saved, control,
            )  # fmt: skip


def follow(
    lanes: Lanes, motion: Motion, n_steps: int, queue: Counts, ends: Ends, control: Counts,
    saved: Array = NOT_SAVED, every: int = 1, width: int = LANES,
) -> None:  # fmt: skip
    """Call `follow_paths`, compiled for the driver's type of data; the lanes are made for the same `width`."""
    noise = lanes.start, lanes.draw, lanes.data, lanes.scale
    _loop(lanes.kind)(*noise, *motion, n_steps, queue, ends, saved, every, control, width)


def width_for(n_paths: int) -> int:
    """The number of lanes for so many paths, at most LANES; lanes without a path cost as much as others."""
    return min(LANES, -(-n_paths // _GROUP) * _GROUP)


@lru_cache(maxsize=64)
def _loop(data: types.Type) -> Callable[..., None]:
    """The loop for one type of a driver's data."""
    start, draw = types.void(data, types.int64, types.int64), types.void(data, NOISE)
    signature = types.void(
        types.FunctionType(start), types.FunctionType(draw), data, types.float64, types.FunctionType(ADVANCE),
        types.FunctionType(SETTLE), NUMBERS, ORIGINS, *[types.int64] * 3, COUNTS, ENDS, NOISE, types.int64, COUNTS,
        types.int64,
    )  # fmt: skip
    loop: Callable[..., None] = locked(follow_paths, signature, lasting_name(follow_paths))
    return loop
