"""The first half of the output of long complex Fourier transforms, which are split into short ones that stay in cache.

A transform of length ``N = rows * columns`` is done as ``rows`` transforms of length ``columns`` by :mod:`scipy.fft`,
and then ``columns`` transforms of length ``rows`` across them. The input must come in the order that the first ones
need, which costs nothing when it is random. The output then comes in its natural order, and only its first half is
computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import DTypeLike

from ...core.blocks import short_ranges
from ...core.cache import kernel
from ...core.types import AnyArray

_CACHE = 2**15  # complex numbers, 512 KiB, that fit a second-level cache of 1 MiB with their output
_FEWEST = 16  # the number of columns is a multiple of this
_ROWS = ((4, 2**10), (16, 2**15), (64, 2**17))  # numbers of rows, with the length up to which each measured as fastest
_MOST_ROWS = 256
_WIDTH = 160  # columns that the second transform takes at once: enough to make the overhead of vector loops small


@dataclass(frozen=True)
class Split:
    """The split of a length into ``rows * columns``, where rows is a power of four and columns a multiple of 16."""

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
    def chunk(self) -> int:
        """The number of rows that are done together: all of them, or as many as fit the cache, a multiple of four."""
        return min(self.rows, 4 * max(1, _CACHE // (4 * self.columns)))

    def input_order(self, symmetric: AnyArray) -> AnyArray:
        """All N values of a sequence with ``s[N - k] = s[k]`` in the input's order, from those of k = 0 ... N/2."""
        out = np.empty((self.rows, self.columns))
        for row in range(self.rows):
            k = np.arange(row, self.length, self.rows)
            out[row] = symmetric[np.minimum(k, self.length - k)]
        return out.ravel()


def split(n_outputs: int) -> Split:
    """The split of the cheapest length N of at least ``2 n_outputs``. Long transforms get more rows, to stay in cache.

    >>> split(1024)
    Split(rows=16, columns=128)
    """
    rows = next((rows for rows, longest in _ROWS if 2 * n_outputs <= longest), _MOST_ROWS)
    return Split(rows, _FEWEST * scipy.fft.next_fast_len(-(-2 * n_outputs // (_FEWEST * rows))))


def transform_rows(work: AnyArray) -> AnyArray:
    """Fourier transform of `work` (batch, rows, columns) along the last axis, in place."""
    done: AnyArray = scipy.fft.fft(work, axis=-1, overwrite_x=True)
    if not np.may_share_memory(done, work):
        work[...] = done
    return work


def transform_across(work: AnyArray, cut: Split, skip: int, out: AnyArray) -> None:
    """Do the second transforms of `work` and write their first halves to the rows of `out`.

    `work` (batch, rows, columns) holds the transformed rows; `out` (n_rows, n) holds floats, with ``n <= N / 2``. Row
    ``2 p - skip`` of `out` becomes the real part of transform p and the next row its imaginary part, if `out` has
    these rows.
    """
    tables = _tables(cut, out.dtype)
    n_blocks = cut.columns // tables[1].shape[2]
    for some in short_ranges(n_blocks, work.size // n_blocks):
        _across(work.view(out.dtype), *tables, some, skip, out)


@lru_cache(maxsize=16)
def _tables(cut: Split, dtype: DTypeLike) -> tuple[AnyArray, ...]:
    """The tables of `_across`: three of roots of unity, and the places of the output's rows.

    The first has a root for each (block of columns, row), the second for each (row, column of a block), and the third
    those of order `rows`.
    """
    width = _block_width(cut.columns)
    row = np.arange(cut.rows)
    starts = _roots(np.arange(0, cut.columns, width)[:, None] * row, cut.length, dtype)
    steps = _roots(row[:, None] * np.arange(width), cut.length, dtype)
    order, digits = row[: cut.rows // 4], np.zeros(cut.rows // 4, np.int64)
    for _ in range(cut.rows.bit_length() // 2 - 1):
        order, digits = order // 4, 4 * digits + order % 4
    return starts, steps, _roots(row, cut.rows, dtype), digits


def _roots(power: AnyArray, order: int, dtype: DTypeLike) -> AnyArray:
    """Real and imaginary part of ``exp(-2 pi i power / order)``, stacked along a new first axis."""
    angle = -2.0 * np.pi / order * (power % order)
    return np.stack([np.cos(angle), np.sin(angle)]).astype(dtype)


def _block_width(columns: int) -> int:
    """The largest divisor of `columns` up to `_WIDTH` that is a multiple of sixteen."""
    sixteens = columns // _FEWEST
    return _FEWEST * max(d for d in range(1, _WIDTH // _FEWEST + 1) if sixteens % d == 0)


@kernel
def _twiddle(rows: AnyArray, left: int, start: AnyArray, steps: AnyArray, re: AnyArray, im: AnyArray) -> None:
    """Write the columns from `left` on of complex `rows`, times ``start * steps`` of their row, to `re` and `im`."""
    for k in range(re.shape[0]):
        start_re, start_im = start[0, k], start[1, k]
        step_re, step_im, row_re, row_im = steps[0, k], steps[1, k], re[k], im[k]
        source = rows[k, 2 * left : 2 * (left + re.shape[1])]
        for j in range(re.shape[1]):
            root_re = start_re * step_re[j] - start_im * step_im[j]
            root_im = start_re * step_im[j] + start_im * step_re[j]
            x, y = source[2 * j], source[2 * j + 1]
            row_re[j] = x * root_re - y * root_im
            row_im[j] = x * root_im + y * root_re


@kernel
def _radix_4(re: AnyArray, im: AnyArray, first: int, gap: int, roots: AnyArray, turn: int) -> None:
    """Do one butterfly of the rows ``first + (0, 1, 2, 3) gap``. Output q is multiplied by root number ``q turn``."""
    a_re, b_re, c_re, d_re = re[first], re[first + gap], re[first + 2 * gap], re[first + 3 * gap]
    a_im, b_im, c_im, d_im = im[first], im[first + gap], im[first + 2 * gap], im[first + 3 * gap]
    u_re, v_re, w_re = roots[0, turn], roots[0, 2 * turn], roots[0, 3 * turn]
    u_im, v_im, w_im = roots[1, turn], roots[1, 2 * turn], roots[1, 3 * turn]
    for j in range(a_re.size):
        even_re, even_im, odd_re, odd_im = a_re[j] + c_re[j], a_im[j] + c_im[j], b_re[j] + d_re[j], b_im[j] + d_im[j]
        rest_re, rest_im, side_re, side_im = a_re[j] - c_re[j], a_im[j] - c_im[j], b_im[j] - d_im[j], d_re[j] - b_re[j]
        a_re[j], a_im[j] = even_re + odd_re, even_im + odd_im
        x, y = rest_re + side_re, rest_im + side_im
        b_re[j], b_im[j] = x * u_re - y * u_im, x * u_im + y * u_re
        x, y = even_re - odd_re, even_im - odd_im
        c_re[j], c_im[j] = x * v_re - y * v_im, x * v_im + y * v_re
        x, y = rest_re - side_re, rest_im - side_im
        d_re[j], d_im[j] = x * w_re - y * w_im, x * w_im + y * w_re


@kernel
def _radix_4_half(re: AnyArray, im: AnyArray, first: int) -> None:
    """Do the last butterfly of four neighbouring rows, of which only the outputs 0 and 1 lie in the wanted half."""
    a_re, b_re, c_re, d_re = re[first], re[first + 1], re[first + 2], re[first + 3]
    a_im, b_im, c_im, d_im = im[first], im[first + 1], im[first + 2], im[first + 3]
    for j in range(a_re.size):
        even_re, even_im, odd_re, odd_im = a_re[j] + c_re[j], a_im[j] + c_im[j], b_re[j] + d_re[j], b_im[j] + d_im[j]
        rest_re, rest_im, side_re, side_im = a_re[j] - c_re[j], a_im[j] - c_im[j], b_im[j] - d_im[j], d_re[j] - b_re[j]
        a_re[j], a_im[j] = even_re + odd_re, even_im + odd_im
        b_re[j], b_im[j] = rest_re + side_re, rest_im + side_im


@kernel
def _columns(re: AnyArray, im: AnyArray, roots: AnyArray) -> None:
    """Transform along the first axis by decimation in frequency, up to the last butterflies of four rows."""
    rows = re.shape[0]
    size = rows
    while size > 4:
        gap = size // 4
        for first in range(0, rows, size):
            for k in range(gap):
                _radix_4(re, im, first + k, gap, roots, k * (rows // size))
        size = gap
    for first in range(0, rows, 4):
        _radix_4_half(re, im, first)


@kernel
def _store(values: AnyArray, digits: AnyArray, left: int, columns: int, row: AnyArray) -> None:
    """Copy the rows ``4 k`` and ``4 k + 1`` of `values` to their places in one row of the output."""
    rows, width = values.shape
    for k in range(2 * digits.size):
        to = left + columns * (digits[k // 2] + (k % 2) * (rows // 4))
        source = values[k // 2 * 4 + k % 2]
        n = min(width, row.size - to)
        if n > 0:
            target = row[to : to + n]
            for j in range(n):
                target[j] = source[j]


@kernel
def _across(
    work: AnyArray, starts: AnyArray, steps: AnyArray, roots: AnyArray, digits: AnyArray, some: tuple[int, int],
    skip: int, out: AnyArray,
) -> None:  # fmt: skip
    """Do the second transform of all items of `work` for `some` blocks of columns, and write it to rows of `out`."""
    columns, (rows, width) = work.shape[2] // 2, steps.shape[1:]
    re, im = np.empty((rows, width), out.dtype), np.empty((rows, width), out.dtype)
    for p in range(work.shape[0]):
        for block in range(some[0], some[1]):
            _twiddle(work[p], block * width, starts[:, block], steps, re, im)
            _columns(re, im, roots)
            if 0 <= 2 * p - skip < out.shape[0]:
                _store(re, digits, block * width, columns, out[2 * p - skip])
            if 0 <= 2 * p + 1 - skip < out.shape[0]:
                _store(im, digits, block * width, columns, out[2 * p + 1 - skip])
