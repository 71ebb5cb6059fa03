"""Vector kernels for random numbers: xoshiro256+ lanes seeded from (key, path, lane), Box-Muller normals.

A lane is one column of a ``state`` array (4, n_lanes) of uint64. The loops run over lanes, contiguous in memory and
free of library calls, so that LLVM turns them into vector code. Nothing is reassociated, and fused only where it says
so: a lane's numbers do not depend on the number of its neighbours, nor on the width of the machine's vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from .cache import kernel

ROW_LANES = 64  # lanes that fill one row: enough to hide latencies, few enough to be seeded at once
_LANE_BITS = np.uint64(24)

_LN_2 = 0.6931471805599453
_QUARTER_TURN = np.pi / 4 * 2.0**-52  # a signed 53-bit integer, from (-pi/4, pi/4)

# Highest power first; interpolation at Chebyshev points, the largest relative error of each function is below 2e-17.
_LOG = (  # -4 atanh(s) / s in powers of s^2, |s| < 0.172
    *(-0.29232899370177817, -0.3066344320310338, -0.3636577825052376, -0.4444442226959015),
    *(-0.5714285725195097, -0.7999999999979901, -1.333333333333334, -4.0),
)
_SINE = (  # (sin(t) / t - 1) / t^2 in powers of t^2, |t| < pi/4
    *(1.591812929486638e-10, -2.505113184500362e-08, 2.755731610255244e-06),
    *(-0.00019841269836758574, 0.008333333333330948, -0.16666666666666666),
)
_COSINE = (  # (cos(t) - 1) / t^2 in powers of t^2, |t| < pi/4
    *(-1.1367998654022327e-11, 2.087588673804705e-09, -2.7557315566341895e-07, 2.480158729369346e-05),
    *(-0.0013888888888880775, 0.04166666666666664, -0.5),
)


@njit(error_model="numpy", forceinline=True)
def _mix(z: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014), a bijection of 64-bit words."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(error_model="numpy", nogil=True)
def seed_lane(key: NDArray[np.uint64], path: int, lane: int, state: NDArray[np.uint64], column: int) -> None:
    """Set one column of `state` from (key, path < 2^40, lane < 2^24); distinct pairs get distinct states."""
    index = (np.uint64(path) << _LANE_BITS) | np.uint64(lane)
    for j in range(4):
        state[j, column] = _mix(_mix(index ^ key[j]) ^ key[(j + 1) % 4])


@intrinsic
def _llvm_fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c`` of floats, or of vectors (`core.lanes`), of one type, rounded once on every machine."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        if not isinstance(kind, ir.VectorType):
            return builder.fma(*arguments)
        name = f"llvm.fma.v{kind.count}{kind.element.intrinsic_name}"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)
        return builder.call(function, arguments)

    return a(a, b, c), emit


def multiply_add(a: float, b: float, c: float) -> float:
    """``a * b + c``; compiled code rounds once and is the same bit for bit on every machine."""
    return a * b + c


@overload(multiply_add, strict=False)
def _compiled_multiply_add(a: Any, b: Any, c: Any) -> Any:
    return lambda a, b, c: _llvm_fma(a, b, c)


@njit(error_model="numpy", forceinline=True)
def polynomial(coefficients: tuple[float, ...], z: float) -> float:
    """Horner's rule, highest power first."""
    value = coefficients[0]
    for j in range(1, len(coefficients)):
        value = multiply_add(value, z, coefficients[j])
    return value


@njit(error_model="numpy", forceinline=True)
def open_uniform(word: np.uint64) -> float:
    """A number from the upper 52 bits of a word, (k + 1/2) 2^-52 without rounding: neither 0 nor 1 occurs."""
    return multiply_add(np.float64(np.int64(word >> np.uint64(12))), 2.0**-52, 2.0**-53)


@njit(error_model="numpy", forceinline=True)
def split_at_one(x: float) -> tuple[float, float]:
    """Exponent e and mantissa m of a normal number ``x = m 2^e > 0`` with m between sqrt(1/2) and sqrt(2)."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits - np.int64(0x3FE6A09E667F3BCD)) >> np.int64(52)
    return np.float64(exponent), np.int64(bits - (exponent << np.int64(52))).view(np.float64)


@njit(error_model="numpy", forceinline=True)
def log_quotient(mantissa: float) -> float:
    """``-2 log m`` for m between sqrt(1/2) and sqrt(2), precise next to m = 1."""
    s = (mantissa - 1.0) / (mantissa + 1.0)
    return s * polynomial(_LOG, s * s)


@njit(error_model="numpy", forceinline=True)
def box_muller(first: np.uint64, second: np.uint64) -> tuple[float, float]:
    """Two independent standard normals from two random words: radius of 53 bits, angle of 53 bits and an octant."""
    u = multiply_add(np.float64(np.int64(first >> np.uint64(11))), 2.0**-53, 2.0**-54)
    exponent, mantissa = split_at_one(u)
    radius = np.sqrt(multiply_add(exponent, -2.0 * _LN_2, log_quotient(mantissa)))
    t = multiply_add(np.float64(np.int64(second) >> np.int64(11)), _QUARTER_TURN, _QUARTER_TURN / 2)
    z = t * t
    sine = multiply_add(t * z, polynomial(_SINE, z), t)
    cosine = multiply_add(z, polynomial(_COSINE, z), 1.0)
    swap = (second & np.uint64(512)) != np.uint64(0)
    a = sine if swap else cosine
    b = cosine if swap else sine
    a = -a if (second & np.uint64(1024)) != np.uint64(0) else a
    b = -b if (second & np.uint64(256)) != np.uint64(0) else b
    return radius * a, radius * b


@njit(error_model="numpy", forceinline=True)
def next_words(state: NDArray[np.uint64], lane: int) -> tuple[np.uint64, np.uint64]:
    """The next two random words of one lane: two steps of xoshiro256+ (Blackman & Vigna 2021)."""
    x0, x1, x2, x3 = state[0, lane], state[1, lane], state[2, lane], state[3, lane]
    first = x0 + x3
    shifted = x1 << np.uint64(17)
    x2 ^= x0
    x3 ^= x1
    x1 ^= x2
    x0 ^= x3
    x2 ^= shifted
    x3 = (x3 << np.uint64(45)) | (x3 >> np.uint64(19))
    second = x0 + x3
    shifted = x1 << np.uint64(17)
    x2 ^= x0
    x3 ^= x1
    x1 ^= x2
    x0 ^= x3
    x2 ^= shifted
    x3 = (x3 << np.uint64(45)) | (x3 >> np.uint64(19))
    state[0, lane], state[1, lane], state[2, lane], state[3, lane] = x0, x1, x2, x3
    return first, second


@njit(error_model="numpy", forceinline=True)
def normal_pair(state: NDArray[np.uint64], lane: int) -> tuple[float, float]:
    """The next two standard normals of one lane."""
    first, second = next_words(state, lane)
    return box_muller(first, second)


@njit(error_model="numpy", forceinline=True)
def normal_pairs(state: NDArray[np.uint64], a: NDArray[np.float64], b: NDArray[np.float64]) -> None:
    """The next two standard normals of every lane into `a` and `b`, each (n_lanes,)."""
    for i in range(a.size):
        a[i], b[i] = normal_pair(state, i)


@njit(error_model="numpy", nogil=True)
def seed_row(key: NDArray[np.uint64], path: int, component: int, state: NDArray[np.uint64]) -> None:
    """Set all ROW_LANES columns of `state`, as :func:`seed_lane` does one by one."""
    index = (np.uint64(path) << _LANE_BITS) | np.uint64(component * ROW_LANES)
    for j in range(4):
        first, second = key[j], key[(j + 1) % 4]
        for lane in range(ROW_LANES):
            state[j, lane] = _mix(_mix((index + np.uint64(lane)) ^ first) ^ second)


@kernel
def fill_normals(key: NDArray[np.uint64], first: int, component: int, out: NDArray[np.float64]) -> None:
    """Rows of independent normals, `out` (n_rows, n): row i is a function of (key, first + i, component) alone."""
    state = np.empty((4, ROW_LANES), np.uint64)
    drawn = np.empty(2 * ROW_LANES)
    for i in range(out.shape[0]):
        seed_row(key, first + i, component, state)
        for start in range(0, out.shape[1], drawn.size):
            normal_pairs(state, drawn[:ROW_LANES], drawn[ROW_LANES:])
            target = out[i, start : start + drawn.size]
            for j in range(target.size):
                target[j] = drawn[j]
