"""What a path works with in continuous time: tables of jumps, its normals, and the state of the noise."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..core.lanes import WIDTH, load, splat, store, total
from ..core.points import Point, replaced
from ..core.random import ROW_LANES, multiply_add, normal_pairs, seed_row
from ..core.types import Array, Key
from ..drivers.rational.jump_tables import Jumps

# References to arrays are not counted, as all arrays outlive the call: counting took more than half of the time.
BARE: dict[str, Any] = {"error_model": "numpy", "nogil": True, "_nrt": False}
INLINED: dict[str, Any] = BARE | {"forceinline": True}
_BATCH = 2 * ROW_LANES  # normals that one step of all lanes gives


@njit(**BARE)
def refill(words: NDArray[np.uint64], normals: Array) -> None:
    """Fill `normals` with a path's next ones, in whole batches: the first ones of all lanes, then the second ones."""
    for start in range(0, normals.size, _BATCH):
        middle = start + ROW_LANES
        normal_pairs(words, normals[start:middle], normals[middle : start + _BATCH])


class Source(NamedTuple):
    """What a path begins with: the key, the factor (K, K) of its states, the size of its level, and the mixing."""

    key: Key
    start: Array
    level_sd: float
    mixing: Array


class Tables(NamedTuple):
    """The tables of jumps by level with all their rows one after the other, so that no kernel takes a slice.

    n_states, n_pair : the number K of states and the number P of normals that two halves of a jump may have, both with
        idle ones that fill vectors.
    decay, mean, factor, split, deviation, rank : as in `Jumps`.
    """

    n_states: int
    n_pair: int
    decay: Array
    mean: Array
    factor: Array
    split: Array
    deviation: Array
    rank: NDArray[np.int64]


def tables_of(tables: Jumps) -> Tables:
    """The tables as the kernel takes them."""
    return Tables(
        tables.decay.shape[1], tables.split.shape[1], tables.decay.ravel(), tables.mean.ravel(),
        tables.factor.ravel(), tables.split.ravel(), tables.deviation, tables.rank,
    )  # fmt: skip


class Room(NamedTuple):
    """What a block of paths works with; one path at a time uses it.

    words, normals : the states of the random numbers, and normals that have been drawn.
    state, levels : the states of the model, (dim K,), and its levels, (dim,).
    pairs : the normals of jumps by level, (n_levels dim P,): those of a jump or of two halves of a longer one.
    """

    words: NDArray[np.uint64]
    normals: Array
    state: Array
    levels: Array
    pairs: Array


@njit(error_model="numpy")
def room_of(source: Source, tables: Tables, dim: int) -> Room:
    """Room for one path of `dim` components."""
    most = max(source.start.shape[0] + 1, 2 * dim * tables.rank.max())  # normals that a start or a jump takes
    return Room(
        np.empty((4, ROW_LANES), np.uint64), np.empty(-(-most // _BATCH) * _BATCH),
        np.zeros(dim * tables.n_states), np.zeros(dim), np.zeros(tables.rank.size * dim * tables.n_pair),
    )  # fmt: skip


@njit(**BARE)
def begin(source: Source, path: int, room: Room) -> None:
    """Draw the stationary state and the level of all components of a path from its first normals."""
    start = source.start
    n_poles, width = start.shape[0], room.state.size // room.levels.size
    seed_row(source.key, path, 0, room.words)
    for j in range(room.levels.size):
        refill(room.words, room.normals)
        for row in range(n_poles):
            value = 0.0
            for k in range(row + 1):
                value += start[row, k] * room.normals[k]
            room.state[j * width + row] = value
        room.levels[j] = source.level_sd * room.normals[n_poles]


@njit(**INLINED)
def correlated(point: Point, mixing: Array) -> Point:
    """The lower-triangular `mixing` times the point; the point itself if `mixing` is empty."""
    result = point
    if mixing.size > 0:
        for j in range(len(point)):
            value = 0.0
            for k in range(j + 1):
                value += mixing[j, k] * point[k]
            result = replaced(result, j, value)
    return result


@njit(**INLINED)
def _plus(lanes: Any, first: Any, second: Any) -> Any:
    """The vector ``lanes + first * second``."""
    return multiply_add(first, second, lanes)


@njit(**INLINED)
def predicted(like: Point, tables: Tables, m: int, length: float, scale: float, room: Room) -> Point:
    """The contribution of the past to the noise of a jump, before the components are mixed."""
    point, width = like, tables.n_states
    for j in range(len(like)):
        lanes = load(tables.mean, m * width) * load(room.state, j * width)
        for k in range(WIDTH, width, WIDTH):
            lanes = _plus(lanes, load(tables.mean, m * width + k), load(room.state, j * width + k))
        point = replaced(point, j, scale * (total(lanes) + room.levels[j] * length))
    return point


@njit(**INLINED)
def _ready(room: Room, position: int, n: int) -> int:
    """The place of n normals that are not used yet."""
    if position + n > room.normals.size:
        refill(room.words, room.normals)
        position = 0
    return position


@njit(**INLINED)
def draw(room: Room, tables: Tables, m: int, position: int) -> int:
    """Draw the normals of a jump, and give the place of the next unused one."""
    width, dim = tables.rank[m], room.levels.size
    position = _ready(room, position, dim * width)
    for j in range(dim):
        own = (m * dim + j) * tables.n_pair
        for i in range(width):
            room.pairs[np.uint64(own + i)] = room.normals[np.uint64(position + i)]
        position += width
    return position


@njit(**INLINED)
def split(room: Room, tables: Tables, m: int, offset: int, position: int) -> int:
    """The normals of both halves of a jump, from its own ones and from new ones; the place of the next unused one."""
    width, both, dim, across = tables.rank[m], 2 * tables.rank[m - 1], room.levels.size, tables.n_pair
    rows = m * across * across
    position = _ready(room, position, dim * (both - width))
    for j in range(dim):
        own, halves = (m * dim + j) * across + offset, ((m - 1) * dim + j) * across
        for k in range(0, both, WIDTH):
            lanes = load(tables.split, rows + k) * splat(room.pairs[np.uint64(own)])
            for i in range(1, width):
                z = splat(room.pairs[np.uint64(own + i)])
                lanes = _plus(lanes, load(tables.split, rows + i * across + k), z)
            for i in range(both - width):
                z = splat(room.normals[np.uint64(position + i)])
                lanes = _plus(lanes, load(tables.split, rows + (width + i) * across + k), z)
            store(room.pairs, halves + k, lanes)
        position += both - width
    return position


@njit(**INLINED)
def drawn(predicted: Point, room: Room, deviation: float, first: int, across: int) -> Point:
    """The noise of a jump, drawn about its prediction, before the components are mixed."""
    noise = predicted
    for j in range(len(predicted)):
        noise = replaced(noise, j, noise[j] + deviation * room.pairs[first + j * across])
    return noise


@njit(**INLINED)
def carry(room: Room, tables: Tables, m: int, offset: int) -> None:
    """Carry the states on to the end of a jump. Normals are taken by twos, as rows beyond the rank are zero."""
    width, across, dim = tables.rank[m], tables.n_states, room.levels.size
    most = tables.factor.size // tables.rank.size
    for j in range(dim):
        own = (m * dim + j) * tables.n_pair + offset
        for k in range(0, across, WIDTH):
            lanes = load(tables.decay, m * across + k) * load(room.state, j * across + k)
            more, row = splat(0.0) * lanes, m * most + k
            for i in range(0, width, 2):
                z, w = splat(room.pairs[np.uint64(own + i)]), splat(room.pairs[np.uint64(own + i + 1)])
                lanes = _plus(lanes, load(tables.factor, row + i * across), z)
                more = _plus(more, load(tables.factor, row + (i + 1) * across), w)
            store(room.state, j * across + k, lanes + more)
