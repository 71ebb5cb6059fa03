"""Vector kernels for random numbers: xoshiro256+ lanes seeded from (key, path, lane), Box-Muller normals.

A lane is one column of a ``state`` array (4, n_lanes) of uint64. The loops run over lanes, contiguous in memory and free
of library calls, so that LLVM turns them into vector code. Nothing is reassociated or contracted: a lane's numbers do
not depend on the number of its neighbours, nor on the width of the machine's vectors.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

ROW_LANES = 64  # lanes that fill one row: enough to hide latencies, few enough to be seeded at once
_LANE_BITS = np.uint64(24)

_LN_2 = 0.6931471805599453
_QUARTER_TURN = np.pi / 4 * 2.0**-52  # a signed 53-bit integer, from (-pi/4, pi/4)
_ODD = tuple(2.0 / (2 * j + 1) for j in range(9, -1, -1))  # 2 atanh(s) = s (2 + 2/3 s^2 + 2/5 s^4 + ...)
_SIN = tuple((-1.0) ** j / float(np.prod(np.arange(1.0, 2 * j + 2))) for j in range(7, 0, -1))  # Taylor, |t| < pi/4
_COS = tuple((-1.0) ** j / float(np.prod(np.arange(1.0, 2 * j + 1))) for j in range(8, 0, -1))


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


@njit(error_model="numpy", forceinline=True)
def _minus_two_log(u: float) -> float:
    """``-2 ln u`` for 0 < u <= 1, relative error below 1e-15: mantissa to [sqrt(1/2), sqrt(2)), atanh series."""
    bits = np.float64(u).view(np.int64)
    exponent = (bits - np.int64(0x3FE6A09E667F3BCD)) >> np.int64(52)
    mantissa = np.int64(bits - (exponent << np.int64(52))).view(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    series = _ODD[0]
    for j in range(1, 10):
        series = series * z + _ODD[j]
    return -2.0 * (np.float64(exponent) * _LN_2 + s * series)


@njit(error_model="numpy", forceinline=True)
def _box_muller(first: np.uint64, second: np.uint64) -> tuple[float, float]:
    """Two independent standard normals from two random words: radius of 53 bits, angle of 53 bits and an octant."""
    radius = np.sqrt(_minus_two_log((np.float64(np.int64(first >> np.uint64(11))) + 0.5) * 2.0**-53))
    t = (np.float64(np.int64(second) >> np.int64(11)) + 0.5) * _QUARTER_TURN
    z = t * t
    sine, cosine = _SIN[0], _COS[0]
    for j in range(1, 7):
        sine = sine * z + _SIN[j]
    for j in range(1, 8):
        cosine = cosine * z + _COS[j]
    sine, cosine = t + t * z * sine, 1.0 + z * cosine
    swap = (second & np.uint64(512)) != np.uint64(0)
    a = sine if swap else cosine
    b = cosine if swap else sine
    a = -a if (second & np.uint64(1024)) != np.uint64(0) else a
    b = -b if (second & np.uint64(256)) != np.uint64(0) else b
    return radius * a, radius * b


@njit(error_model="numpy", forceinline=True)
def normal_pairs(state: NDArray[np.uint64], a: NDArray[np.float64], b: NDArray[np.float64]) -> None:
    """The next two standard normals of every lane into `a` and `b`, each (n_lanes,)."""
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    for i in range(a.size):
        x0, x1, x2, x3 = s0[i], s1[i], s2[i], s3[i]
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
        s0[i], s1[i], s2[i] = x0, x1, x2
        s3[i] = (x3 << np.uint64(45)) | (x3 >> np.uint64(19))
        a[i], b[i] = _box_muller(first, second)


@njit(error_model="numpy", nogil=True, cache=True)
def fill_normals(key: NDArray[np.uint64], first: int, component: int, out: NDArray[np.float64]) -> None:
    """Rows of independent normals, `out` (n_rows, n): row i is a function of (key, first + i, component) alone."""
    state = np.empty((4, ROW_LANES), np.uint64)
    pair = np.empty((2, ROW_LANES))
    n = out.shape[1]
    for i in range(out.shape[0]):
        for lane in range(ROW_LANES):
            seed_lane(key, first + i, component * ROW_LANES + lane, state, lane)
        for start in range(0, n, 2 * ROW_LANES):
            normal_pairs(state, pair[0], pair[1])
            for j in range(min(ROW_LANES, n - start)):
                out[i, start + j] = pair[0, j]
            for j in range(min(ROW_LANES, n - start - ROW_LANES)):
                out[i, start + ROW_LANES + j] = pair[1, j]
