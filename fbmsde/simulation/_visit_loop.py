"""The loop that follows long paths from core to core of the minima, in memory that does not grow with their length."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit, typeof, types
from numpy.typing import NDArray

from ..core.compile import lasting_name, locked
from ..core.types import Array
from ..drivers.base import BLOCK, LANES, NOISE, Lanes
from ._motion import ADVANCE, COUNTS, NUMBERS

ENTRIES = 2**14  # so many entries into cores are noted before the loop hands them over
NOWHERE = -1  # the core of a path that has not been in any


class Walk(NamedTuple):
    """The lanes of paths on their way, L of them, of which the first `n_paths` are used.

    x, moved : points (dim, BLOCK, L), of which the last before and all after the present block count.
    noise, masks, born : as in the loop of exits.
    cores : centres of the m cores and their radii, (m, n_positions + 1).
    core, codes : the core that each path was in last, (L,), and the one in which it is after each step of a block,
        (BLOCK, L), NOWHERE for none.
    entries, filled : path, step and core of each entry into another core than the last, (ENTRIES, 3), and how many have
        been noted, (1,).
    spent : steps in each core by segment of the path, and in the last column all steps, (n_segments, L, m + 1).
    broken : the step at which a path left the finite numbers, 0 for none, (L,).
    """

    x: Array
    moved: Array
    noise: Array
    masks: NDArray[np.int64]
    born: NDArray[np.int64]
    cores: Array
    core: NDArray[np.int64]
    codes: NDArray[np.int64]
    entries: NDArray[np.int64]
    filled: NDArray[np.int64]
    spent: NDArray[np.int64]
    broken: NDArray[np.int64]

    @classmethod
    def at(cls, origin: Array, channels: int, cores: Array, n_segments: int) -> Walk:
        """Lanes whose points are at the origin (dim,)."""
        x = np.ascontiguousarray(np.broadcast_to(origin[:, None, None], (origin.size, BLOCK, LANES)))
        return cls(
            x=x,
            moved=x.copy(),
            noise=np.zeros((channels, BLOCK, LANES)),
            masks=np.zeros(LANES, np.int64),
            born=np.zeros(LANES, np.int64),
            cores=cores,
            core=np.full(LANES, NOWHERE, np.int64),
            codes=np.full((BLOCK, LANES), NOWHERE, np.int64),
            entries=np.zeros((ENTRIES, 3), np.int64),
            filled=np.zeros(1, np.int64),
            spent=np.zeros((n_segments, LANES, len(cores) + 1), np.int64),
            broken=np.zeros(LANES, np.int64),
        )


_WALK = typeof(Walk.at(np.zeros(1), 1, np.zeros((1, 2)), 1))


@njit(error_model="numpy", nogil=True)
def mark(cores: Array, points: Array, codes: NDArray[np.int64]) -> None:
    """Write the number of the core in which each of the points (dim, n_steps, n) is, NOWHERE for none, to `codes`."""
    last = cores.shape[1] - 1
    for s in range(points.shape[1]):
        for lane in range(points.shape[2]):
            code = NOWHERE
            for c in range(cores.shape[0]):
                square = 0.0
                for j in range(last):
                    square += (points[j, s, lane] - cores[c, j]) ** 2
                code = c if square <= cores[c, last] ** 2 else code
            codes[s, lane] = code


@njit(error_model="numpy", nogil=True)
def _note(walk: Walk, path: int, lane: int, step: int, code: int) -> None:
    """Note that a path is in a core after a step, if it comes from another one."""
    if code not in (NOWHERE, walk.core[lane]):
        entry = walk.entries[walk.filled[0]]
        entry[0], entry[1], entry[2] = path, step, code
        walk.filled[0] += 1
        walk.core[lane] = code


@njit(error_model="numpy", nogil=True)
def _broken_at(mask: int, now: int, counted: int) -> int:
    """The step of the block from `now` on at which a lane left the finite numbers, 0 if none of `counted` steps."""
    for s in range(counted):
        if mask & (1 << (BLOCK + s)):
            return now + s + 1
    return 0


def follow_visits(
    start: Callable[..., None], draw: Callable[..., None], data: tuple[object, ...], scale: float,
    advance: Callable[..., int], numbers: Array, walk: Walk, first: int, n_paths: int, now: int, end: int,
    n_steps: int, control: NDArray[np.int64],
) -> int:  # fmt: skip
    """Follow the paths from `first` on from step `now` to step `end`, or until the entries are full; the step reached.

    Steps are counted up to `n_steps`, and control[0] asks to stop. At step 0 the paths begin.
    """
    noted, n_cores = walk.entries.shape[0] - BLOCK * n_paths, walk.cores.shape[0]
    n_segments, n_blocks = walk.spent.shape[0], -(-n_steps // BLOCK)
    if now == 0:
        mark(walk.cores, walk.x, walk.codes)
        for lane in range(LANES):
            start(data, lane, first + min(lane, n_paths - 1))
            if lane < n_paths:
                _note(walk, first + lane, lane, 0, walk.codes[BLOCK - 1, lane])
    while now < end and walk.filled[0] <= noted and control[0] == 0:
        draw(data, walk.noise)
        events = advance(numbers, scale, walk.x, walk.moved, walk.noise, walk.born, now, walk.masks)
        mark(walk.cores, walk.moved, walk.codes)
        spent, counted = walk.spent[now // BLOCK * n_segments // n_blocks], min(BLOCK, n_steps - now)
        for lane in range(n_paths):
            for s in range(counted):
                code = walk.codes[s, lane]
                if code != NOWHERE:
                    spent[lane, code] += 1
                    _note(walk, first + lane, lane, now + s + 1, code)
            spent[lane, n_cores] += counted
            if events != 0 and walk.broken[lane] == 0:
                walk.broken[lane] = _broken_at(walk.masks[lane], now, counted)
        walk.x[:, BLOCK - 1] = walk.moved[:, BLOCK - 1]
        now += BLOCK
    return now


def follow(
    lanes: Lanes, advance: Callable[..., int], numbers: Array, walk: Walk, paths: tuple[int, int],
    clock: tuple[int, int, int], control: NDArray[np.int64],
) -> int:  # fmt: skip
    """Call `follow_visits`, compiled for the driver's type of data; `clock` is (now, end, n_steps)."""
    noise = lanes.start, lanes.draw, lanes.data, lanes.scale
    return int(_loop(lanes.kind)(*noise, advance, numbers, walk, *paths, *clock, control))


@lru_cache(maxsize=64)
def _loop(data: types.Type) -> Callable[..., int]:
    """The loop for one type of a driver's data."""
    start, draw = types.void(data, types.int64, types.int64), types.void(data, NOISE)
    signature = types.int64(
        types.FunctionType(start), types.FunctionType(draw), data, types.float64, types.FunctionType(ADVANCE),
        NUMBERS, _WALK, *[types.int64] * 5, COUNTS,
    )  # fmt: skip
    loop: Callable[..., int] = locked(follow_visits, signature, lasting_name(follow_visits))
    return loop
