"""Noise, scaled and Fourier transformed: the first half of the output of long complex transforms of random input.

A transform of length ``N = rows * columns`` is done as ``rows`` transforms of length ``columns``, of which `WIDTH` lie
side by side, and then ``columns`` transforms of length ``rows`` across them. The input must come in the order that the
first ones need, which costs nothing when it is random. The output comes in its natural order, and only its first half
is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import DTypeLike

from ...core.blocks import short_ranges
from ...core.cache import kernel
from ...core.lanes import WIDTH, load, splat, store, transposed
from ...core.random import ROW_LANES, box_muller, next_words
from ...core.types import AnyArray
from .passes import input_places, pass_tables, transform, turned

_CACHE = 2**15  # complex numbers, 512 KiB, that with tables and output fit a second-level cache of 1 MiB
_ROWS = ((16, 2**12), (128, 3 * 2**13))  # numbers of rows, with the length up to which each measured as fastest
_MOST_ROWS = 256
_APART = 64  # numbers between real and imaginary parts, lest both fall on the same lines of the cache
_BURST = 16  # blocks of columns that are written to the output together


@dataclass(frozen=True)
class Split:
    """The split of a length into ``rows * columns``: a power of two from 16 on, times a multiple of `WIDTH`."""

    rows: int
    columns: int

    @property
    def length(self) -> int:
        """The length N of the whole transform."""
        return self.rows * self.columns

    @property
    def batch(self) -> int:
        """The number of transforms of length N that are done together."""
        return max(1, _CACHE // self.length)

    @property
    def stride(self) -> int:
        """The distance of rows in memory: not a power of two, lest all rows fall on the same lines of the cache."""
        return self.columns + WIDTH

    def frequencies(self) -> AnyArray:
        """The frequency that each number of the input belongs to, (N,)."""
        row = input_places(self.rows).reshape(-1, 1, WIDTH)
        found: AnyArray = (row + self.rows * input_places(self.columns)[:, None]).ravel()
        return found

    def input_order(self, symmetric: AnyArray) -> AnyArray:
        """All N values of a sequence with ``s[N - k] = s[k]`` in the input's order, from those of k = 0 ... N/2."""
        k = self.frequencies()
        return symmetric[np.minimum(k, self.length - k, out=k)]


def split(n_outputs: int) -> Split:
    """The split of a length N of at least ``2 n_outputs`` into few factors. Long ones get more rows, to stay in cache.

    >>> split(1024)
    Split(rows=16, columns=128)
    """
    rows = next((rows for rows, longest in _ROWS if 2 * n_outputs <= longest), _MOST_ROWS)
    least = -(-2 * n_outputs // (WIDTH * rows))
    odd = [3**i * 5**j for i in range(4) for j in range(3)]
    return Split(rows, WIDTH * min(q << max(0, (-(-least // q) - 1).bit_length()) for q in odd))


class Tables(NamedTuple):
    """What the kernels need beside the scale: of each of the two transforms its passes and roots, and the turns between.

    Column k of row r is turned by ``starts[k // WIDTH, r] * steps[r, k % WIDTH]``, where `starts`
    (columns / WIDTH, 2 rows) holds pairs and `steps_re`, `steps_im` (rows * WIDTH,) the parts.
    """

    row_passes: AnyArray
    row_roots: AnyArray
    passes: AnyArray
    roots: AnyArray
    starts: AnyArray
    steps_re: AnyArray
    steps_im: AnyArray


@lru_cache(maxsize=16)
def tables(cut: Split, dtype: DTypeLike) -> Tables:
    """The tables of a split for parts of the type float64 or float32."""
    row = input_places(cut.rows)
    starts = _roots(np.arange(0, cut.columns, WIDTH)[:, None] * row, cut.length)
    steps = _roots(row[:, None] * np.arange(WIDTH), cut.length)
    pairs = np.stack([starts.real, starts.imag], axis=-1).reshape(len(starts), -1)
    parts = (pairs.astype(dtype), steps.real.ravel().astype(dtype), steps.imag.ravel().astype(dtype))
    return Tables(*pass_tables(cut.columns, dtype), *pass_tables(cut.rows, dtype), *parts)


def _roots(power: AnyArray, order: int) -> AnyArray:
    """``exp(-2 pi i power / order)``."""
    angle = -2.0 * np.pi / order * (power % order)
    return np.cos(angle) + 1j * np.sin(angle)


@njit(error_model="numpy", forceinline=True)
def _draw(state: AnyArray, scale: AnyArray, re: AnyArray, im: AnyArray) -> None:
    """Write the next pairs of normals times `scale`, of a size that is a multiple of ROW_LANES, to `re` and `im`."""
    for start in range(0, scale.size, ROW_LANES):
        part = slice(start, start + ROW_LANES)
        weight, to_re, to_im = scale[part], re[part], im[part]
        for lane in range(ROW_LANES):
            first, second = next_words(state, lane)
            a, b = box_muller(first, second)
            to_re[lane] = weight[lane] * a
            to_im[lane] = weight[lane] * b


@njit(error_model="numpy", forceinline=True)
def _turn_over(values: AnyArray, k: int, to: AnyArray, start: int, stride: int) -> None:
    """Write the vectors k ... k + WIDTH - 1 as columns to rows of `to`, which begin at `start` at distances `stride`."""
    rows = transposed(
        (
            *(load(values, WIDTH * k), load(values, WIDTH * (k + 1)), load(values, WIDTH * (k + 2))),
            *(load(values, WIDTH * (k + 3)), load(values, WIDTH * (k + 4)), load(values, WIDTH * (k + 5))),
            *(load(values, WIDTH * (k + 6)), load(values, WIDTH * (k + 7))),
        )
    )
    for lane in range(WIDTH):
        store(to, start + lane * stride, rows[lane])


@kernel
def draw_rows(
    states: AnyArray, scale: AnyArray, table: Tables, some: tuple[int, int], work_re: AnyArray, work_im: AnyArray
) -> None:
    """Draw `some` of the groups of WIDTH rows of each item, and transform them along the rows, into `work`."""
    state = np.empty((4, ROW_LANES), np.uint64)  # local: known not to overlap, without which nothing vectorises
    columns = table.starts.shape[0] * WIDTH
    size, stride = columns * WIDTH, columns + WIDTH
    item = stride * (table.starts.shape[1] // 2)
    both = np.empty(2 * size + _APART, work_re.dtype)
    re, im = both[:size], both[size + _APART :]
    for p in range(states.shape[0]):
        state[:] = states[p]
        for group in range(some[0], some[1]):
            _draw(state, scale[group * size : (group + 1) * size], re, im)
            transform(re, im, table.row_passes, table.row_roots)
            for k in range(0, columns, WIDTH):
                start = p * item + group * WIDTH * stride + k
                _turn_over(re, k, work_re, start, stride)
                _turn_over(im, k, work_im, start, stride)
        states[p] = state


@njit(error_model="numpy", nogil=True)
def _collect(
    work_re: AnyArray, work_im: AnyArray, start: int, block: int, table: Tables, re: AnyArray, im: AnyArray
) -> None:
    """Load one block of columns of all rows, turned, into `re` and `im`."""
    stride = (table.starts.shape[0] + 1) * WIDTH
    for row in range(re.size // WIDTH):
        root_re, root_im = turned(
            load(table.steps_re, WIDTH * row), load(table.steps_im, WIDTH * row),
            splat(table.starts[block, 2 * row]), splat(table.starts[block, 2 * row + 1]),
        )  # fmt: skip
        place = start + row * stride + block * WIDTH
        x, y = turned(load(work_re, place), load(work_im, place), root_re, root_im)
        store(re, WIDTH * row, x)
        store(im, WIDTH * row, y)


@njit(error_model="numpy", nogil=True)
def _put_back(values: AnyArray, to: AnyArray, start: int, stride: int) -> None:
    """Write the first half of the vectors of `values` to rows of `to`, which begin at `start` at distances `stride`."""
    for row in range(values.size // (2 * WIDTH)):
        store(to, start + row * stride, load(values, WIDTH * row))


@njit(error_model="numpy", nogil=True)
def _copy(source: AnyArray, columns: int, left: int, right: int, out: AnyArray) -> None:
    """Write the columns from `left` to `right` of the rows that begin at the start of `source` to their places in `out`.

    It is done in long pieces, since memory takes short ones that lie apart at half the speed.
    """
    for row in range((out.size - left + columns - 1) // columns):
        start, end = row * columns + left, min(row * columns + right, out.size)
        shift = row * WIDTH
        for to in range(start, end - WIDTH + 1, WIDTH):
            store(out, to, load(source, to + shift))
        for to in range(end - (end - start) % WIDTH, end):
            out[to] = source[to + shift]


@kernel
def across(
    work_re: AnyArray, work_im: AnyArray, table: Tables, some: tuple[int, int], skip: int, out: AnyArray
) -> None:
    """Do the second transforms of `some` blocks of columns of all items, and write their first halves to rows of `out`.

    Row ``2 p - skip`` of `out` becomes the real part of item p and the next row its imaginary part, if `out` has these
    rows.
    """
    columns, rows = table.starts.shape[0] * WIDTH, table.starts.shape[1] // 2
    stride = columns + WIDTH
    both = np.empty(2 * rows * WIDTH + _APART, out.dtype)
    re, im = both[: rows * WIDTH], both[rows * WIDTH + _APART :]
    for p in range(work_re.size // (rows * stride)):
        item, row = p * rows * stride, 2 * p - skip
        for first in range(some[0], some[1], _BURST):
            last = min(first + _BURST, some[1])
            for block in range(first, last):
                _collect(work_re, work_im, item, block, table, re, im)
                transform(re, im, table.passes, table.roots)
                _put_back(re, work_re, item + block * WIDTH, stride)
                _put_back(im, work_im, item + block * WIDTH, stride)
            if 0 <= row < out.shape[0]:
                _copy(work_re[item:], columns, first * WIDTH, last * WIDTH, out[row])
            if 0 <= row + 1 < out.shape[0]:
                _copy(work_im[item:], columns, first * WIDTH, last * WIDTH, out[row + 1])


def fill_pairs(states: AnyArray, scale: AnyArray, cut: Split, skip: int, out: AnyArray) -> None:
    """Fill rows of `out` (n_rows, n), ``n <= N / 2``, with transforms of noise times `scale` from lanes (items, 4, 64).

    Row ``2 p - skip`` becomes the real part of item p and the next row its imaginary part, if `out` has these rows.
    """
    table = tables(cut, out.dtype)
    work = np.empty((2, len(states) * cut.rows * cut.stride), out.dtype)
    for groups in short_ranges(cut.rows // WIDTH, len(states) * cut.columns * WIDTH):
        draw_rows(states, scale, table, groups, work[0], work[1])
    for blocks in short_ranges(cut.columns // WIDTH, len(states) * cut.rows * WIDTH):
        across(work[0], work[1], table, blocks, skip, out)
