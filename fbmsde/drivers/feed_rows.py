"""Increments of any feed as arrays: whole paths as rows, or one path in pieces without end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import njit

from ..core.blocks import short_ranges
from ..core.types import AnyArray
from .base import BLOCK, LANES, Feed
from .exact.generators import Progress, fill_paths


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
    start, draw, data = feed.kit(path, 1)
    noise, held = np.empty((1, BLOCK, 1), dtype), np.empty((1, 0, 1), dtype)
    fresh = True
    while True:
        missing = chunk - held.shape[1]
        drawn = np.empty((1, max(0, -(-missing // BLOCK) * BLOCK), 1), dtype)
        for first, last in _time_ranges(drawn.shape[1], 1):
            _fill_rows(start, draw, data, noise, path, fresh, (first, last), drawn)
            fresh = False
        held = np.concatenate([held, drawn], axis=1)
        yield held[0, :chunk, 0]
        held = held[:, chunk:]


def fill_some(feed: Feed, first: int, out: AnyArray) -> None:
    """Fill the rows of the paths from `first` on, in kernel calls short enough to be stopped between them."""
    n_paths, n_steps, n_components = out.shape
    start, draw, data = feed.kit(first, n_paths)
    noise = np.empty((n_components, BLOCK, min(n_paths, LANES)), out.dtype)
    lanes = noise.shape[2]
    if next(iter(_time_ranges(n_steps, lanes * n_components)))[1] == n_steps:
        _fill_rows(start, draw, data, noise, first, True, (0, n_steps), out)
        return
    for group in range(0, n_paths, lanes):
        for some in _time_ranges(n_steps, lanes * n_components):
            _fill_rows(start, draw, data, noise, first + group, some[0] == 0, some, out[group : group + lanes])


def _time_ranges(n_steps: int, numbers: int) -> Iterator[tuple[int, int]]:
    """Ranges of steps, whole blocks each but the last, for kernel calls of at most some hundredths of a second."""
    for first, last in short_ranges(-(-n_steps // BLOCK), numbers * BLOCK):
        yield first * BLOCK, min(last * BLOCK, n_steps)


@njit(error_model="numpy", nogil=True)
def _fill_rows(
    start: Any,
    draw: Any,
    data: Any,
    noise: AnyArray,
    first: int,
    fresh: bool,
    some: tuple[int, int],
    out: AnyArray,
) -> None:
    """Fill `some` steps of the rows of `out`, as many rows at a time as `noise` (n_components, BLOCK, lanes) has lanes.

    Unless `fresh`, the lanes go on from where the last call has left them.
    """
    lanes = noise.shape[2]
    for group in range(0, out.shape[0], lanes):
        used = min(lanes, out.shape[0] - group)
        if fresh:
            for lane in range(used):
                start(data, lane, first + group + lane)
        for step in range(some[0], some[1], BLOCK):
            draw(data, noise)
            for j in range(noise.shape[0]):
                _copy_block(noise[j], step, out[group : group + used, : some[1], j])


@njit(error_model="numpy", nogil=True)
def _copy_block(block: AnyArray, step: int, rows: AnyArray) -> None:
    """Copy a block (BLOCK, n_lanes) into the steps of `rows` (n_used, n_steps) from `step` on, as far as they go."""
    left = rows.shape[1] - step
    for lane in range(rows.shape[0]):
        if left >= BLOCK:  # a loop of known length is several times faster
            for s in range(BLOCK):
                rows[lane, step + s] = block[s, lane]
        else:
            for s in range(left):
                rows[lane, step + s] = block[s, lane]
