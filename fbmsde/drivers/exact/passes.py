"""Fourier transforms of `WIDTH` sequences side by side, in place, from scrambled input to output in order.

Sequence l of length n has its number i at place ``WIDTH * i + l`` of the arrays of real and imaginary parts. A pass of
radix r joins groups of r transforms of length `gap`, which lie one behind the other, to one of length ``r * gap``. The
first pass asks for the input in the order of `input_places`, which costs nothing where the input is random.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import DTypeLike

from ...core.lanes import WIDTH, load, splat, store
from ...core.random import multiply_add
from ...core.types import AnyArray

_HALF = np.sqrt(0.5)  # cos(pi / 4)
_SIN_3 = np.sqrt(0.75)  # sin(2 pi / 3)
_COS_5, _COS_10 = (np.sqrt(5.0) - 1.0) / 4.0, -(np.sqrt(5.0) + 1.0) / 4.0  # cos(2 pi / 5), cos(4 pi / 5)
_SIN_5, _SIN_10 = np.sin(2.0 * np.pi / 5.0), np.sin(4.0 * np.pi / 5.0)


def radices(length: int) -> tuple[int, ...]:
    """The radix of each pass for a length of factors 2, 3 and 5: the odd ones first, then 4 and 8; 2 only if alone.

    >>> radices(240)
    (3, 5, 4, 4)
    """
    found = []
    for odd in (3, 5):
        while length % odd == 0:
            length //= odd
            found.append(odd)
    rest = length.bit_length() - 1
    if length != 1 << rest:
        raise ValueError(f"length must have the factors 2, 3 and 5 only, got one with the factor {length}.")
    fours = min(2 * rest % 3, rest // 2)  # as few as leave a multiple of three, since a pass of radix 2 is dear
    left = rest - 2 * fours
    return (*found, *([2] if left % 3 else []), *[4] * fours, *[8] * (left // 3))


def input_places(length: int) -> AnyArray:
    """Which number of the sequence stands at each place of the input, (length,).

    >>> input_places(8)
    array([0, 1, 2, 3, 4, 5, 6, 7])
    """
    order = np.zeros(1, np.int64)
    for radix in radices(length):
        order = np.concatenate([q + radix * order for q in range(radix)])
    return order


@lru_cache(maxsize=64)
def pass_tables(length: int, dtype: DTypeLike) -> tuple[AnyArray, AnyArray]:
    """The radices, and the roots of unity of all passes but the first.

    The roots of a pass are ``exp(-2 pi i q j / (radix gap))``, as pairs of real and imaginary parts, for each place j
    of the gap and in it for each q = 1 ... radix - 1.
    """
    gap, roots = 1, [np.empty(0)]
    for radix in radices(length):
        if gap > 1:
            angle = -2.0 * np.pi / (radix * gap) * (np.arange(gap)[:, None] * np.arange(1, radix))
            roots.append(np.stack([np.cos(angle), np.sin(angle)], axis=-1).ravel())
        gap *= radix
    return np.array(radices(length), np.int64), np.concatenate(roots).astype(dtype)


@njit(error_model="numpy", forceinline=True)
def turned(x: Any, y: Any, root_re: Any, root_im: Any) -> tuple[Any, Any]:
    """The product of the complex vector (x, y) and a root."""
    return multiply_add(x, root_re, -(y * root_im)), multiply_add(x, root_im, y * root_re)


@njit(error_model="numpy", forceinline=True)
def _take(re: AnyArray, im: AnyArray, place: int, roots: AnyArray | None, k: int) -> tuple[AnyArray, AnyArray]:
    """The complex vector at a place, times root number k if there are roots."""
    x, y = load(re, WIDTH * place), load(im, WIDTH * place)
    if roots is None:
        return x, y
    return turned(x, y, splat(roots[2 * k]), splat(roots[2 * k + 1]))


@njit(error_model="numpy", forceinline=True)
def _put(re: AnyArray, im: AnyArray, place: int, x: AnyArray, y: AnyArray) -> None:
    """Write the complex vector (x, y) to a place."""
    store(re, WIDTH * place, x)
    store(im, WIDTH * place, y)


@njit(error_model="numpy", forceinline=True)
def _four(a_re, a_im, b_re, b_im, c_re, c_im, d_re, d_im):  # type: ignore[no-untyped-def]
    """The transform of four complex vectors, real and imaginary part by turns."""
    even_re, even_im, odd_re, odd_im = a_re + c_re, a_im + c_im, b_re + d_re, b_im + d_im
    rest_re, rest_im, side_re, side_im = a_re - c_re, a_im - c_im, b_im - d_im, d_re - b_re
    return (
        *(even_re + odd_re, even_im + odd_im, rest_re + side_re, rest_im + side_im),
        *(even_re - odd_re, even_im - odd_im, rest_re - side_re, rest_im - side_im),
    )


@njit(error_model="numpy", nogil=True)
def _pass_2(re: AnyArray, im: AnyArray, gap: int, roots: AnyArray | None) -> None:
    for j in range(gap):
        for at in range(j, re.size // WIDTH, 2 * gap):
            a_re, a_im = _take(re, im, at, None, 0)
            b_re, b_im = _take(re, im, at + gap, roots, j)
            _put(re, im, at, a_re + b_re, a_im + b_im)
            _put(re, im, at + gap, a_re - b_re, a_im - b_im)


@njit(error_model="numpy", nogil=True)
def _pass_3(re: AnyArray, im: AnyArray, gap: int, roots: AnyArray | None) -> None:
    sine, half = splat(re.dtype.type(_SIN_3)), splat(re.dtype.type(-0.5))
    for j in range(gap):
        for at in range(j, re.size // WIDTH, 3 * gap):
            a_re, a_im = _take(re, im, at, None, 0)
            b_re, b_im = _take(re, im, at + gap, roots, 2 * j)
            c_re, c_im = _take(re, im, at + 2 * gap, roots, 2 * j + 1)
            sum_re, sum_im, x, y = b_re + c_re, b_im + c_im, sine * (b_im - c_im), sine * (c_re - b_re)
            _put(re, im, at, a_re + sum_re, a_im + sum_im)
            a_re, a_im = multiply_add(half, sum_re, a_re), multiply_add(half, sum_im, a_im)
            _put(re, im, at + gap, a_re + x, a_im + y)
            _put(re, im, at + 2 * gap, a_re - x, a_im - y)


@njit(error_model="numpy", nogil=True)
def _pass_4(re: AnyArray, im: AnyArray, gap: int, roots: AnyArray | None) -> None:
    for j in range(gap):
        for at in range(j, re.size // WIDTH, 4 * gap):
            a = _take(re, im, at, None, 0)
            b = _take(re, im, at + gap, roots, 3 * j)
            c = _take(re, im, at + 2 * gap, roots, 3 * j + 1)
            d = _take(re, im, at + 3 * gap, roots, 3 * j + 2)
            e = _four(*a, *b, *c, *d)
            _put(re, im, at, e[0], e[1])
            _put(re, im, at + gap, e[2], e[3])
            _put(re, im, at + 2 * gap, e[4], e[5])
            _put(re, im, at + 3 * gap, e[6], e[7])


@njit(error_model="numpy", nogil=True)
def _pass_5(re: AnyArray, im: AnyArray, gap: int, roots: AnyArray | None) -> None:
    real = re.dtype.type
    cos_1, cos_2, sin_1, sin_2 = splat(real(_COS_5)), splat(real(_COS_10)), splat(real(_SIN_5)), splat(real(_SIN_10))
    for j in range(gap):
        for at in range(j, re.size // WIDTH, 5 * gap):
            a_re, a_im = _take(re, im, at, None, 0)
            b_re, b_im = _take(re, im, at + gap, roots, 4 * j)
            c_re, c_im = _take(re, im, at + 2 * gap, roots, 4 * j + 1)
            d_re, d_im = _take(re, im, at + 3 * gap, roots, 4 * j + 2)
            e_re, e_im = _take(re, im, at + 4 * gap, roots, 4 * j + 3)
            p_re, p_im, q_re, q_im = b_re + e_re, b_im + e_im, c_re + d_re, c_im + d_im
            s_re, s_im, t_re, t_im = b_re - e_re, b_im - e_im, c_re - d_re, c_im - d_im
            _put(re, im, at, a_re + p_re + q_re, a_im + p_im + q_im)
            u_re = multiply_add(cos_1, p_re, multiply_add(cos_2, q_re, a_re))
            u_im = multiply_add(cos_1, p_im, multiply_add(cos_2, q_im, a_im))
            x, y = multiply_add(sin_1, s_im, sin_2 * t_im), multiply_add(sin_1, s_re, sin_2 * t_re)
            _put(re, im, at + gap, u_re + x, u_im - y)
            _put(re, im, at + 4 * gap, u_re - x, u_im + y)
            u_re = multiply_add(cos_2, p_re, multiply_add(cos_1, q_re, a_re))
            u_im = multiply_add(cos_2, p_im, multiply_add(cos_1, q_im, a_im))
            x, y = multiply_add(sin_2, s_im, -(sin_1 * t_im)), multiply_add(sin_2, s_re, -(sin_1 * t_re))
            _put(re, im, at + 2 * gap, u_re + x, u_im - y)
            _put(re, im, at + 3 * gap, u_re - x, u_im + y)


@njit(error_model="numpy", nogil=True)
def _pass_8(re: AnyArray, im: AnyArray, gap: int, roots: AnyArray | None) -> None:
    half = splat(re.dtype.type(_HALF))
    for j in range(gap):
        k = 7 * j
        for at in range(j, re.size // WIDTH, 8 * gap):
            a, b = _take(re, im, at, None, 0), _take(re, im, at + gap, roots, k)
            c, d = _take(re, im, at + 2 * gap, roots, k + 1), _take(re, im, at + 3 * gap, roots, k + 2)
            e, f = _take(re, im, at + 4 * gap, roots, k + 3), _take(re, im, at + 5 * gap, roots, k + 4)
            g, h = _take(re, im, at + 6 * gap, roots, k + 5), _take(re, im, at + 7 * gap, roots, k + 6)
            u, v = _four(*a, *c, *e, *g), _four(*b, *d, *f, *h)
            _put(re, im, at, u[0] + v[0], u[1] + v[1])
            _put(re, im, at + 4 * gap, u[0] - v[0], u[1] - v[1])
            x, y = half * (v[2] + v[3]), half * (v[3] - v[2])
            _put(re, im, at + gap, u[2] + x, u[3] + y)
            _put(re, im, at + 5 * gap, u[2] - x, u[3] - y)
            _put(re, im, at + 2 * gap, u[4] + v[5], u[5] - v[4])
            _put(re, im, at + 6 * gap, u[4] - v[5], u[5] + v[4])
            x, y = half * (v[7] - v[6]), half * (v[6] + v[7])
            _put(re, im, at + 3 * gap, u[6] + x, u[7] - y)
            _put(re, im, at + 7 * gap, u[6] - x, u[7] + y)


@njit(error_model="numpy", nogil=True)
def _pass(re: AnyArray, im: AnyArray, radix: int, gap: int, roots: AnyArray | None) -> None:
    if radix == 8:
        _pass_8(re, im, gap, roots)
    elif radix == 4:
        _pass_4(re, im, gap, roots)
    elif radix == 2:
        _pass_2(re, im, gap, roots)
    elif radix == 3:
        _pass_3(re, im, gap, roots)
    else:
        _pass_5(re, im, gap, roots)


@njit(error_model="numpy", nogil=True)
def transform(re: AnyArray, im: AnyArray, passes: AnyArray, roots: AnyArray) -> None:
    """Transform `WIDTH` sequences, (WIDTH * length,) each part, in place, by the tables of `pass_tables`."""
    gap, start = 1, 0
    for i in range(passes.size):
        radix = passes[i]
        if i == 0:
            _pass(re, im, radix, gap, None)
        else:
            _pass(re, im, radix, gap, roots[start:])
            start += 2 * gap * (radix - 1)
        gap *= radix
