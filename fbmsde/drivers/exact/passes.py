"""Passes of Fourier transforms of `WIDTH` sequences side by side: the numbers of one place are a vector of lanes.

An array holds complex vectors one behind the other, the real part of a vector before its imaginary part. A pass of
radix r joins r transforms of length `gap` to one of length ``r * gap``. The first pass asks for the input in the order
of `input_places`, which costs nothing where the input is random.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ...core.lanes import WIDTH, load, splat, store
from ...core.random import multiply_add
from ...core.types import AnyArray

SIZE = 2 * WIDTH  # numbers of a complex vector
_FIRST_RADIX = 8  # of the first pass, which needs no roots
_HALF = np.sqrt(0.5)  # cos(pi / 4)
_SIN_3 = np.sqrt(0.75)  # sin(2 pi / 3)
_COS_5, _COS_10 = (np.sqrt(5.0) - 1.0) / 4.0, -(np.sqrt(5.0) + 1.0) / 4.0  # cos(2 pi / 5), cos(4 pi / 5)
_SIN_5, _SIN_10 = np.sin(2.0 * np.pi / 5.0), np.sin(4.0 * np.pi / 5.0)


def radices(length: int) -> tuple[int, ...]:
    """The radix of each pass for 8 times factors of 2, 3 and 5: 8, then 4 and 8, and the odd ones; 2 only if alone.

    >>> radices(3840)
    (8, 4, 8, 3, 5)
    """
    found, odd_ones, length = [_FIRST_RADIX], [], length // _FIRST_RADIX
    for odd in (3, 5):
        while length % odd == 0:
            length //= odd
            odd_ones.append(odd)
    rest = length.bit_length() - 1
    if length != 1 << rest:
        raise ValueError(f"length must be 8 times factors of 2, 3 and 5, got one with the factor {length}.")
    fours = min(2 * rest % 3, rest // 2)  # as few as leave a multiple of three, since a pass of radix 2 is dear
    left = rest - 2 * fours
    return (*found, *([2] if left % 3 else []), *[4] * fours, *[8] * (left // 3), *odd_ones)


def input_places(length: int) -> AnyArray:
    """Which number of the sequence stands at each place of the input, (length,).

    >>> input_places(16)
    array([ 0,  2,  4,  6,  8, 10, 12, 14,  1,  3,  5,  7,  9, 11, 13, 15])
    """
    order = np.zeros(1, np.int64)
    for radix in radices(length):
        order = np.concatenate([q + radix * order for q in range(radix)])
    return order


def roots_of_passes(length: int) -> AnyArray:
    """The roots of unity of all passes but the first, as pairs of real and imaginary parts in one array.

    Those of a pass are ``exp(-2 pi i q j / (radix gap))``, for each place j of the gap and in it for each q = 1 ...
    radix - 1. They begin where those of the passes before end.
    """
    gap, roots = _FIRST_RADIX, [np.empty(0)]
    for radix in radices(length)[1:]:
        angle = -2.0 * np.pi / (radix * gap) * (np.arange(gap)[:, None] * np.arange(1, radix))
        roots.append(np.stack([np.cos(angle), np.sin(angle)], axis=-1).ravel())
        gap *= radix
    return np.concatenate(roots)


@njit(error_model="numpy", forceinline=True)
def turned(a: Any, root: Any) -> Any:
    """The product of two complex vectors."""
    return multiply_add(a[0], root[0], -(a[1] * root[1])), multiply_add(a[0], root[1], a[1] * root[0])


@njit(error_model="numpy", forceinline=True)
def _plus(a: Any, b: Any) -> Any:
    return a[0] + b[0], a[1] + b[1]


@njit(error_model="numpy", forceinline=True)
def _minus(a: Any, b: Any) -> Any:
    return a[0] - b[0], a[1] - b[1]


@njit(error_model="numpy", forceinline=True)
def _quarter(a: Any) -> Any:
    """The complex vector times ``-i``."""
    return a[1], -a[0]


@njit(error_model="numpy", forceinline=True)
def get(z: AnyArray, place: int) -> Any:
    """The complex vector at a place."""
    return load(z, SIZE * place), load(z, SIZE * place + WIDTH)


@njit(error_model="numpy", forceinline=True)
def put(z: AnyArray, place: int, a: Any) -> None:
    """Write the complex vector to a place."""
    store(z, SIZE * place, a[0])
    store(z, SIZE * place + WIDTH, a[1])


@njit(error_model="numpy", forceinline=True)
def _take(z: AnyArray, place: int, roots: AnyArray, k: int) -> Any:
    """The complex vector at a place times root number k."""
    return turned(get(z, place), (splat(roots[2 * k]), splat(roots[2 * k + 1])))


@njit(error_model="numpy", forceinline=True)
def four(a: Any, b: Any, c: Any, d: Any) -> Any:
    """The transform of four complex vectors."""
    even, rest, odd, side = _plus(a, c), _minus(a, c), _plus(b, d), _minus(b, d)
    return (
        *(_plus(even, odd), (rest[0] + side[1], rest[1] - side[0])),
        *(_minus(even, odd), (rest[0] - side[1], rest[1] + side[0])),
    )


@njit(error_model="numpy", forceinline=True)
def eighths(odd: Any, half: Any) -> Any:
    """The transform of the four odd ones of eight complex vectors, times the eighth roots; `half` is cos(pi / 4)."""
    b, d = odd[1], odd[3]
    return (
        *(odd[0], (half * (b[0] + b[1]), half * (b[1] - b[0]))),
        *(_quarter(odd[2]), (half * (d[1] - d[0]), -(half * (d[0] + d[1])))),
    )


@njit(error_model="numpy", forceinline=True)
def eighth(z: AnyArray) -> Any:
    """The vector of cos(pi / 4) in the type of an array."""
    return splat(z.dtype.type(_HALF))


@njit(error_model="numpy", forceinline=True)
def put_eight(z: AnyArray, place: int, step: int, even: Any, odd: Any) -> None:
    """Write the transform of eight complex vectors, from those of its halves, to places at distances `step`."""
    put(z, place, _plus(even[0], odd[0]))
    put(z, place + step, _plus(even[1], odd[1]))
    put(z, place + 2 * step, _plus(even[2], odd[2]))
    put(z, place + 3 * step, _plus(even[3], odd[3]))
    put(z, place + 4 * step, _minus(even[0], odd[0]))
    put(z, place + 5 * step, _minus(even[1], odd[1]))
    put(z, place + 6 * step, _minus(even[2], odd[2]))
    put(z, place + 7 * step, _minus(even[3], odd[3]))


@njit(error_model="numpy", forceinline=True)
def _join_2(source: AnyArray, at: int, gap: int, z: AnyArray, to: int, step: int, roots: AnyArray, k: int) -> None:
    a, b = get(source, at), _take(source, at + gap, roots, k)
    put(z, to, _plus(a, b))
    put(z, to + step, _minus(a, b))


@njit(error_model="numpy", forceinline=True)
def _join_3(source: AnyArray, at: int, gap: int, z: AnyArray, to: int, step: int, roots: AnyArray, k: int) -> None:
    real = z.dtype.type
    sine, half = splat(real(_SIN_3)), splat(real(-0.5))
    a, b, c = get(source, at), _take(source, at + gap, roots, 2 * k), _take(source, at + 2 * gap, roots, 2 * k + 1)
    both, side = _plus(b, c), _minus(b, c)
    side = sine * side[1], -(sine * side[0])
    put(z, to, _plus(a, both))
    a = multiply_add(half, both[0], a[0]), multiply_add(half, both[1], a[1])
    put(z, to + step, _plus(a, side))
    put(z, to + 2 * step, _minus(a, side))


@njit(error_model="numpy", forceinline=True)
def _join_4(source: AnyArray, at: int, gap: int, z: AnyArray, to: int, step: int, roots: AnyArray, k: int) -> None:
    b, c = _take(source, at + gap, roots, 3 * k), _take(source, at + 2 * gap, roots, 3 * k + 1)
    all_four = four(get(source, at), b, c, _take(source, at + 3 * gap, roots, 3 * k + 2))
    put(z, to, all_four[0])
    put(z, to + step, all_four[1])
    put(z, to + 2 * step, all_four[2])
    put(z, to + 3 * step, all_four[3])


@njit(error_model="numpy", forceinline=True)
def _join_5(source: AnyArray, at: int, gap: int, z: AnyArray, to: int, step: int, roots: AnyArray, k: int) -> None:
    real = z.dtype.type
    cos_1, cos_2, sin_1, sin_2 = splat(real(_COS_5)), splat(real(_COS_10)), splat(real(_SIN_5)), splat(real(_SIN_10))
    a, b = get(source, at), _take(source, at + gap, roots, 4 * k)
    c, d = _take(source, at + 2 * gap, roots, 4 * k + 1), _take(source, at + 3 * gap, roots, 4 * k + 2)
    e = _take(source, at + 4 * gap, roots, 4 * k + 3)
    p, q, s, t = _plus(b, e), _plus(c, d), _minus(b, e), _minus(c, d)
    put(z, to, _plus(a, _plus(p, q)))
    mean = (
        multiply_add(cos_1, p[0], multiply_add(cos_2, q[0], a[0])),
        multiply_add(cos_1, p[1], multiply_add(cos_2, q[1], a[1])),
    )
    side = multiply_add(sin_1, s[1], sin_2 * t[1]), -multiply_add(sin_1, s[0], sin_2 * t[0])
    put(z, to + step, _plus(mean, side))
    put(z, to + 4 * step, _minus(mean, side))
    mean = (
        multiply_add(cos_2, p[0], multiply_add(cos_1, q[0], a[0])),
        multiply_add(cos_2, p[1], multiply_add(cos_1, q[1], a[1])),
    )
    side = multiply_add(sin_2, s[1], -(sin_1 * t[1])), multiply_add(sin_1, t[0], -(sin_2 * s[0]))
    put(z, to + 2 * step, _plus(mean, side))
    put(z, to + 3 * step, _minus(mean, side))


@njit(error_model="numpy", forceinline=True)
def _join_8(source: AnyArray, at: int, gap: int, z: AnyArray, to: int, step: int, roots: AnyArray, k: int) -> None:
    k *= 7
    even = four(
        *(get(source, at), _take(source, at + 2 * gap, roots, k + 1)),
        *(_take(source, at + 4 * gap, roots, k + 3), _take(source, at + 6 * gap, roots, k + 5)),
    )
    odd = four(
        *(_take(source, at + gap, roots, k), _take(source, at + 3 * gap, roots, k + 2)),
        *(_take(source, at + 5 * gap, roots, k + 4), _take(source, at + 7 * gap, roots, k + 6)),
    )
    put_eight(z, to, step, even, eighths(odd, eighth(z)))


class Sweep(NamedTuple):
    """Where the transforms stand that a pass joins: in `blocks` blocks of `width` neighbouring places each.

    Block b is read from places ``b * stride + at`` of the source on, and written to places ``b * width`` on. Blocks at
    distances of `gap` blocks are joined. Place i of block j of a gap has the roots ``period * j + first + i``.
    """

    blocks: int
    width: int
    stride: int
    at: int
    gap: int
    period: int
    first: int


@njit(error_model="numpy", inline="always")
def _swept(join: Any, radix: int, source: AnyArray, z: AnyArray, roots: AnyArray, form: Sweep) -> None:
    for base in range(0, form.blocks, radix * form.gap):
        for j in range(form.gap):
            at, to = (base + j) * form.stride + form.at, (base + j) * form.width
            root = form.period * j + form.first
            for i in range(form.width):
                join(source, at + i, form.gap * form.stride, z, to + i, form.gap * form.width, roots, root + i)


@njit(error_model="numpy", nogil=True)
def sweep(radix: int, source: AnyArray, z: AnyArray, roots: AnyArray, form: Sweep) -> None:
    """Join the transforms in `source` by a pass of that radix, and write the longer ones to `z`."""
    if radix == 8:
        _swept(_join_8, 8, source, z, roots, form)
    elif radix == 4:
        _swept(_join_4, 4, source, z, roots, form)
    elif radix == 2:
        _swept(_join_2, 2, source, z, roots, form)
    elif radix == 3:
        _swept(_join_3, 3, source, z, roots, form)
    else:
        _swept(_join_5, 5, source, z, roots, form)
