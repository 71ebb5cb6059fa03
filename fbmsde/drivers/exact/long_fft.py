"""Noise, scaled and Fourier transformed: the first half of the output of complex transforms of random input.

A transform of length ``N = 8 M`` is done as 8 transforms of length M side by side, which a last pass of radix 8 joins.
In that pass alone numbers move between lanes. The transforms of length M are done within blocks that stay in the cache,
then across the blocks. The input comes in the order that the first passes need, which costs nothing as it is random.
The output comes in its natural order, and only its first half is computed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from operator import mul
from typing import NamedTuple

import numpy as np
from numba import njit

from ...core.blocks import short_ranges
from ...core.cache import kernel
from ...core.lanes import WIDTH, load, store, transposed
from ...core.random import ROW_LANES, box_muller, next_words, seed_row
from ...core.types import AnyArray, Key
from .passes import (
    SIZE,
    Sweep,
    eighth,
    eighths,
    four,
    get,
    input_places,
    put_eight,
    radices,
    roots_of_passes,
    sweep,
    turned,
)

_SHORT = 2**12  # complex vectors, 512 KiB, that stay in a second-level cache of 1 MiB with what is beside them
_FEW_BLOCKS = 8  # of short transforms: a group of places is joined in one pass
_MOST_BLOCKS = 64  # of long ones: a group of places, 256 KiB, stays in the second-level cache
_GROUP = 32  # neighbouring places of each block that are finished together: memory takes long pieces faster
_AT_ONCE = 2**22  # numbers that are transformed in some hundredths of a second, after which a call can be stopped


@dataclass(frozen=True)
class Split:
    """A length N of fast transforms: 64 times factors of 2, 3 and 5."""

    length: int

    @property
    def lanes(self) -> int:
        """The length M of the transforms that stand side by side."""
        return self.length // WIDTH

    @property
    def block(self) -> int:
        """The length of the transforms within a block: the first radices whose product leaves few enough blocks."""
        lengths = list(accumulate(radices(self.lanes), mul))
        most = _FEW_BLOCKS if self.lanes <= _SHORT else _MOST_BLOCKS
        return next(length for length in lengths if length * most >= self.lanes)

    def frequencies(self) -> AnyArray:
        """The frequency that each number of the input belongs to, (N,)."""
        found: AnyArray = (WIDTH * input_places(self.lanes)[:, None] + np.arange(WIDTH)).ravel()
        return found

    def input_order(self, symmetric: AnyArray) -> AnyArray:
        """All N values of a sequence with ``s[N - k] = s[k]`` in the input's order, from those of k = 0 ... N/2."""
        k = self.frequencies()
        return symmetric[np.minimum(k, self.length - k, out=k)]


def split(n_outputs: int) -> Split:
    """The shortest length of fast transforms of at least ``2 n_outputs``.

    >>> split(1000)
    Split(length=2048)
    """
    least = -(-2 * n_outputs // ROW_LANES)
    odd = [3**i * 5**j for i in range(4) for j in range(3)]
    return Split(ROW_LANES * min(q << max(0, (-(-least // q) - 1).bit_length()) for q in odd))


class Table(NamedTuple):
    """What the kernel needs beside the scale.

    passes : of each pass the radix, the length that it begins with, and where its roots begin, (passes, 3).
    roots : those of all passes, as `roots_of_passes` gives them.
    turns : M / 8 complex vectors, by whose power l number k of lane l is turned before the last pass.
    within, block, blocks : how many passes lie within a block, their product, and the number of blocks.
    group : how many neighbouring places of each block are finished together.
    """

    passes: AnyArray
    roots: AnyArray
    turns: AnyArray
    within: int
    block: int
    blocks: int
    group: int


@lru_cache(maxsize=16)
def table_of(cut: Split, dtype: np.dtype) -> Table:
    """The table of a length for arrays of float64 or float32."""
    found, block = np.array(radices(cut.lanes)), cut.block
    gaps = np.concatenate([[1], np.cumprod(found)])
    starts = np.concatenate([[0, 0], np.cumsum(2 * gaps[1:-1] * (found[1:] - 1))])[: found.size]
    angle = -2.0 * np.pi / cut.length * np.arange(cut.lanes).reshape(-1, WIDTH)
    turns = np.stack([np.cos(angle), np.sin(angle)], axis=1).ravel().astype(dtype)
    within, roots = int(np.flatnonzero(gaps == block)[0]), roots_of_passes(cut.lanes).astype(dtype)
    blocks, group = cut.lanes // block, math.gcd(block, _GROUP)
    passes = np.stack([found, gaps[:-1], starts], axis=1)
    return Table(passes, roots, turns, within, block, blocks, group)


class Noise(NamedTuple):
    """The seed, first path and component; the random numbers' state between two calls, (4, ROW_LANES); the scale."""

    key: Key
    first: int
    component: int
    state: AnyArray
    scale: AnyArray


@njit(error_model="numpy", forceinline=True)
def _draw(state: AnyArray, weight: AnyArray, re: AnyArray, im: AnyArray) -> None:
    """Write the next pairs of normals times `weight` to `re` and `im`, (ROW_LANES,) each."""
    for lane in range(ROW_LANES):
        first, second = next_words(state, lane)
        a, b = box_muller(first, second)
        re[lane] = weight[lane] * a
        im[lane] = weight[lane] * b


@njit(error_model="numpy", forceinline=True)
def _first_pass(re: AnyArray, im: AnyArray, z: AnyArray, place: int) -> None:
    """Transform eight vectors to eight places of `z`."""
    even = four(
        *((load(re, 0), load(im, 0)), (load(re, 2 * WIDTH), load(im, 2 * WIDTH))),
        *((load(re, 4 * WIDTH), load(im, 4 * WIDTH)), (load(re, 6 * WIDTH), load(im, 6 * WIDTH))),
    )
    odd = four(
        *((load(re, WIDTH), load(im, WIDTH)), (load(re, 3 * WIDTH), load(im, 3 * WIDTH))),
        *((load(re, 5 * WIDTH), load(im, 5 * WIDTH)), (load(re, 7 * WIDTH), load(im, 7 * WIDTH))),
    )
    put_eight(z, place, 1, even, eighths(odd, eighth(z)))


@njit(error_model="numpy", inline="always")
def _draw_block(state: AnyArray, scale: AnyArray, re: AnyArray, im: AnyArray, z: AnyArray) -> None:
    """Fill a block with noise that has gone through the first pass."""
    for start in range(0, scale.size, ROW_LANES):
        _draw(state, scale[start : start + ROW_LANES], re, im)
        _first_pass(re, im, z, start // WIDTH)


@njit(error_model="numpy", inline="always")
def _within(z: AnyArray, table: Table) -> None:
    """The passes within a block, but for the first."""
    for i in range(1, table.within):
        gap, roots = table.passes[i, 1], table.roots[table.passes[i, 2] :]
        sweep(table.passes[i, 0], z, z, roots, Sweep(table.block // gap, gap, gap, 0, 1, 0, 0))


@njit(error_model="numpy", inline="always")
def _across(work: AnyArray, stride: int, at: int, table: Table, z: AnyArray) -> None:
    """The passes across the blocks, for the places of a group from `at` on: `z` gets them block by block."""
    source, step, start = work, stride, at
    for i in range(table.within, table.passes.shape[0]):
        gap, roots = table.passes[i, 1] // table.block, table.roots[table.passes[i, 2] :]
        form = Sweep(table.blocks, table.group, step, start, gap, table.block, at)
        sweep(table.passes[i, 0], source, z, roots, form)
        source, step, start = z, table.group, 0


@njit(error_model="numpy", forceinline=True)
def _columns(z: AnyArray, start: int) -> tuple[AnyArray, ...]:
    """The columns of the matrix of the real or imaginary parts of WIDTH neighbouring vectors."""
    return transposed(
        (
            *(load(z, start), load(z, start + SIZE), load(z, start + 2 * SIZE), load(z, start + 3 * SIZE)),
            *(load(z, start + 4 * SIZE), load(z, start + 5 * SIZE)),
            *(load(z, start + 6 * SIZE), load(z, start + 7 * SIZE)),
        )
    )


@njit(error_model="numpy", forceinline=True)
def _write(row: AnyArray, start: int, lanes: AnyArray, beside: AnyArray) -> None:
    """Write a vector to `row` from `start` on, as far as the row reaches."""
    if start + WIDTH <= row.size:
        store(row, start, lanes)
    elif start < row.size:
        store(beside, 0, lanes)
        for i in range(start, row.size):
            row[i] = beside[i - start]


@njit(error_model="numpy", nogil=True)
def _last_pass(
    z: AnyArray, place: int, turns: AnyArray, k: int, first_row: AnyArray, second_row: AnyArray, beside: AnyArray
) -> None:
    """Join numbers k ... k + WIDTH - 1 of all lanes, which begin at `place`, and write half of the results to rows."""
    re, im = _columns(z, SIZE * place), _columns(z, SIZE * place + WIDTH)
    root = get(turns, k // WIDTH)
    square = turned(root, root)
    cube, fourth = turned(square, root), turned(square, square)
    even = four(
        *((re[0], im[0]), turned((re[2], im[2]), square)),
        *(turned((re[4], im[4]), fourth), turned((re[6], im[6]), turned(cube, cube))),
    )
    odd = four(
        *(turned((re[1], im[1]), root), turned((re[3], im[3]), cube)),
        *(turned((re[5], im[5]), turned(fourth, root)), turned((re[7], im[7]), turned(fourth, cube))),
    )
    odd = eighths(odd, eighth(z))
    step = turns.size // 2
    _write(first_row, k, even[0][0] + odd[0][0], beside)
    _write(second_row, k, even[0][1] + odd[0][1], beside)
    _write(first_row, k + step, even[1][0] + odd[1][0], beside)
    _write(second_row, k + step, even[1][1] + odd[1][1], beside)
    _write(first_row, k + 2 * step, even[2][0] + odd[2][0], beside)
    _write(second_row, k + 2 * step, even[2][1] + odd[2][1], beside)
    _write(first_row, k + 3 * step, even[3][0] + odd[3][0], beside)
    _write(second_row, k + 3 * step, even[3][1] + odd[3][1], beside)


@njit(error_model="numpy", inline="always")
def _copy_state(source: AnyArray, state: AnyArray) -> None:
    """Copy number by number: the compiler takes seconds for an assignment of arrays."""
    for j in range(state.shape[0]):
        for lane in range(state.shape[1]):
            state[j, lane] = source[j, lane]


@njit(error_model="numpy", inline="always")
def _finish(work: AnyArray, table: Table, groups: tuple[int, int], first_row: AnyArray, second_row: AnyArray) -> None:
    """The passes across the blocks and the last one, for some of the groups of places."""
    stride = work.size // (SIZE * table.blocks)
    buffer, beside = np.empty(table.blocks * table.group * SIZE, work.dtype), np.empty(WIDTH, work.dtype)
    for at in range(groups[0] * table.group, groups[1] * table.group, table.group):
        source, begin = work, at
        if table.blocks > 1:
            _across(work, stride, at, table, buffer)
            source, begin = buffer, 0
        for b in range(table.blocks):
            for i in range(0, table.group, WIDTH):
                place, k = begin + b * table.group + i, b * table.block + at + i
                _last_pass(source, place, table.turns, k, first_row, second_row, beside)


@kernel
def transform_pairs(
    noise: Noise, table: Table, some: tuple[tuple[int, int], tuple[int, int]], work: AnyArray, out: AnyArray
) -> None:
    """Fill rows of `out` with transforms of noise times its scale, two by two.

    The first row becomes path ``noise.first``. Paths 2j and 2j + 1 are the real and the imaginary part of a transform.
    `some` are ranges of blocks, which are drawn, and of groups of places, which are finished. They are all of them,
    unless there is one transform only, of which `work` and the state of the noise serve the next call.
    """
    state, drawn = np.empty((4, ROW_LANES), np.uint64), np.empty((2, ROW_LANES), out.dtype)  # known not to overlap
    stride, size = work.size // (SIZE * table.blocks), table.block * WIDTH
    _copy_state(noise.state, state)
    for path in range(noise.first // 2 * 2, noise.first + out.shape[0], 2):
        if some[0][0] == 0:
            seed_row(noise.key, path, noise.component, state)
        for b in range(some[0][0], some[0][1]):
            z = work[SIZE * stride * b : SIZE * (stride * b + table.block)]
            _draw_block(state, noise.scale[b * size : (b + 1) * size], drawn[0], drawn[1], z)
            _within(z, table)
        row = path - noise.first
        first_row = out[row] if row >= 0 else out[0, :0]
        second_row = out[row + 1] if row + 1 < out.shape[0] else out[0, :0]
        _finish(work, table, some[1], first_row, second_row)
    _copy_state(state, noise.state)


def fill_pairs(key: Key, first: int, component: int, scale: AnyArray, out: AnyArray) -> None:
    """Fill rows of `out` (n_rows, n), ``n <= N / 2``, with transforms of noise times `scale` (N,), two by two.

    Row i becomes path ``first + i``, of the type float64 or float32.
    """
    table = table_of(Split(scale.size), out.dtype)
    work = np.empty(table.blocks * (table.block + 1) * SIZE, out.dtype)  # distances that spread over the cache
    state, step = np.empty((4, ROW_LANES), np.uint64), 2 * max(1, _AT_ONCE // scale.size)
    for start in range(first // 2 * 2, first + len(out), step):
        begin = max(first, start)
        rows, noise = out[begin - first : start + step - first], Noise(key, begin, component, state, scale)
        for some in _ranges(table, scale.size):
            transform_pairs(noise, table, some, work, rows)


def _ranges(table: Table, length: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The ranges of blocks and of groups for each call of the kernel: one call, unless the transform is very long."""
    groups = table.block // table.group
    if length <= _AT_ONCE:
        yield (0, table.blocks), (0, groups)
        return
    yield from ((some, (0, 0)) for some in short_ranges(table.blocks, length // table.blocks))
    yield from (((0, 0), some) for some in short_ranges(groups, length // groups))
