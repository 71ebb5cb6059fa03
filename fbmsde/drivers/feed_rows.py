"""Increments of any feed as arrays: whole paths as rows, or one path in pieces without end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from numba import njit, types

from ..core.blocks import short_ranges
from ..core.compile import kind_of, lasting_name, locked
from ..core.types import AnyArray, Array
from .base import BLOCK, LANES, NOISE, Feed, Lanes
from .exact.generators import Progress, fill_paths

_AHEAD = 16384  # increments of a stream that are drawn in one call, which costs as much as two thousand of them


def fill_from_feed(feed: Feed, out: AnyArray, threads: int, progress: Progress = False) -> None:
    """Write path i of the feed into row i of `out`, (n_paths, n_steps, n_components), on threads.

    `out` has the type of the feed's increments, float64 or float32. The numbers do not depend on `threads`.
    """
    held = feed.max_paths or len(out)

    def fill(rows: slice) -> None:
        for first in range(rows.start, rows.stop, held):
            fill_some(feed, first, out[first : min(first + held, rows.stop)])

    fill_paths(fill, feed.max_paths or LANES, out, threads, progress)


def stream_from_feed(feed: Feed, path: int, chunk: int, dtype: np.dtype) -> Iterator[AnyArray]:
    """One path of a feed of one component, as arrays (chunk,) one after the other, without end."""
    lanes, noise = feed.lanes(path, 1, 1), np.empty((1, BLOCK, 1))
    drawn, at, fresh = np.empty((1, 0, 1), dtype), 0, True
    while True:
        if drawn.shape[1] - at < chunk:
            more = np.empty((1, -(-max(chunk, _AHEAD) // BLOCK) * BLOCK, 1), dtype)
            for some in _time_ranges(more.shape[1], 1):
                _fill(lanes, noise, path, fresh, some, more)
                fresh = False
            drawn, at = np.concatenate([drawn[:, at:], more], axis=1), 0
        yield drawn[0, at : at + chunk, 0]
        at += chunk


def fill_some(feed: Feed, first: int, out: AnyArray) -> None:
    """Fill the rows of the paths from `first` on, in kernel calls short enough to be stopped between them."""
    n_paths, n_steps, n_components = out.shape
    width = min(n_paths, LANES)
    lanes, noise = feed.lanes(first, n_paths, width), np.empty((n_components, BLOCK, width))
    if next(iter(_time_ranges(n_steps, width * n_components)))[1] == n_steps:
        _fill(lanes, noise, first, True, (0, n_steps), out)
        return
    for group in range(0, n_paths, width):
        for some in _time_ranges(n_steps, width * n_components):
            _fill(lanes, noise, first + group, some[0] == 0, some, out[group : group + width])


def _time_ranges(n_steps: int, numbers: int) -> Iterator[tuple[int, int]]:
    """Ranges of whole blocks of steps (the last may be cut) for kernel calls of some hundredths of a second at most."""
    for first, last in short_ranges(-(-n_steps // BLOCK), numbers * BLOCK):
        yield first * BLOCK, min(last * BLOCK, n_steps)


def _fill(lanes: Lanes, noise: Array, first: int, fresh: bool, some: tuple[int, int], out: AnyArray) -> None:
    """Call `_fill_rows`, compiled for the types of the driver's data and of `out`."""
    loop = _rows_loop(lanes.kind, kind_of(out))
    loop(lanes.start, lanes.draw, lanes.data, lanes.scale, noise, first, fresh, *some, out)


@lru_cache(maxsize=64)
def _rows_loop(data: types.Type, out: types.Type) -> Callable[..., None]:
    """The loop for one type of a driver's data and one of the array that is filled."""
    start, draw = types.void(data, types.int64, types.int64), types.void(data, NOISE)
    functions = types.FunctionType(start), types.FunctionType(draw)
    rest = types.float64, NOISE, types.int64, types.boolean, types.int64, types.int64, out
    loop: Callable[..., None] = locked(_fill_rows, types.void(*functions, data, *rest), lasting_name(_fill_rows))
    return loop


def _fill_rows(
    start: Callable[..., None], draw: Callable[..., None], data: tuple[object, ...], scale: float,
    noise: Array, first: int, fresh: bool, begin: int, end: int, out: AnyArray,
) -> None:  # fmt: skip
    """Fill the steps from `begin` to `end` of the rows of `out`, as many rows at a time as `noise` has lanes.

    Unless `fresh`, the lanes go on from where the last call has left them.
    """
    lanes = noise.shape[2]
    for group in range(0, out.shape[0], lanes):
        used = min(lanes, out.shape[0] - group)
        if fresh:
            for lane in range(used):
                start(data, lane, first + group + lane)
        for step in range(begin, end, BLOCK):
            draw(data, noise)
            for j in range(noise.shape[0]):
                _copy_block(noise[j], scale, step, out[group : group + used, :end, j])


@njit(error_model="numpy", nogil=True)
def _copy_block(block: Array, scale: float, step: int, rows: AnyArray) -> None:
    """Copy a block (BLOCK, n_lanes) into the steps of `rows` (n_used, n_steps) from `step` on, as far as they go."""
    left = rows.shape[1] - step
    for lane in range(rows.shape[0]):
        if left >= BLOCK:  # a loop of known length is several times faster
            for s in range(BLOCK):
                rows[lane, step + s] = scale * block[s, lane]
        else:
            for s in range(left):
                rows[lane, step + s] = scale * block[s, lane]
