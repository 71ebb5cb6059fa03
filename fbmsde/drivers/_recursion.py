"""Where a lane's noise comes from: each source is a pair of compiled functions and a tuple of arrays.

``start(source, lane, path)`` puts the beginning of a path into a lane; ``draw(source, noise)`` writes the next BLOCK
increments of all lanes into `noise` (d, BLOCK, n_lanes). A kernel that takes the pair runs on any source.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..core.random import multiply_add, normal_pair, normal_pairs, seed_lane
from .base import BLOCK, LANES

_UNROLLED = 4  # steps of the recursion written out in one vector loop: the compiler unrolls no more of them


@njit(error_model="numpy", nogil=True)
def start_recursion(source: Any, lane: int, path: int) -> None:
    """Draw the stationary state and the level of a path into its lane."""
    key, words, states, levels, model, _, _, normals = source
    _, _, _, factor, level_sd = model
    n_poles = factor.shape[0]
    for j in range(states.shape[0]):
        seed_lane(key, path, j, words[j], lane)
        for k in range(0, n_poles + 1, 2):
            normals[k], normals[k + 1] = normal_pair(words[j], lane)
        for row in range(n_poles):
            value = 0.0
            for k in range(row + 1):
                value += factor[row, k] * normals[k]
            states[j, row, lane] = value
        levels[j, lane] = level_sd * normals[n_poles]


@njit(error_model="numpy", nogil=True)
def _correlate(noise: NDArray, mixing: NDArray) -> None:
    """Multiply the components by the lower-triangular `mixing` (d, d), the last row first, in place."""
    for row in range(noise.shape[0] - 1, -1, -1):
        for s in range(BLOCK):
            for i in range(noise.shape[2]):
                noise[row, s, i] *= mixing[row, row]
            for j in range(row):
                for i in range(noise.shape[2]):
                    noise[row, s, i] += mixing[row, j] * noise[j, s, i]


@njit(error_model="numpy", forceinline=True)
def _by_factor(x: float, factor: float, shock: float) -> float:
    """``rho x + e``: the fastest form, exact enough in double precision (2e-10 of n^H after 2^24 steps)."""
    return multiply_add(factor, x, shock)


@njit(error_model="numpy", forceinline=True)
def _by_decay(x: float, decay: float, shock: float) -> float:
    """``x + (e - (1 - rho) x)``: keeps the slowest poles apart from 1 in single precision."""
    return x + (shock - decay * x)


def _poles(move: Any) -> Any:
    """Four poles: adds what they contribute to _UNROLLED steps of `out`, carries their `states` (4, n_lanes) on."""

    @njit(error_model="numpy", nogil=True)
    def advance_poles(states: NDArray, shocks: NDArray, out: NDArray, pace: NDArray, c: NDArray) -> None:
        r0, r1, r2, r3 = pace[0], pace[1], pace[2], pace[3]
        c0, c1, c2, c3 = c[0], c[1], c[2], c[3]
        for i in range(out.shape[1]):
            x0, x1, x2, x3 = states[0, i], states[1, i], states[2, i], states[3, i]
            for s in range(_UNROLLED):
                e = shocks[s, i]
                out[s, i] += multiply_add(c0, x0, c1 * x1) + multiply_add(c2, x2, c3 * x3)
                x0, x1, x2, x3 = move(x0, r0, e), move(x1, r1, e), move(x2, r2, e), move(x3, r3, e)
            states[0, i], states[1, i], states[2, i], states[3, i] = x0, x1, x2, x3

    return advance_poles


def _recursion(advance_poles: Any) -> Any:
    """The draw of the rational model ``y = d e + level + sum_k c_k x_k``."""

    @njit(error_model="numpy", nogil=True)
    def draw(source: Any, noise: NDArray) -> None:
        _, words, states, levels, model, mixing, shocks, _ = source
        pace, c, gain, _, _ = model
        for j in range(states.shape[0]):
            for s in range(0, BLOCK, 2):
                normal_pairs(words[j], shocks[s], shocks[s + 1])
            out = noise[j]
            for s in range(BLOCK):
                for i in range(out.shape[1]):
                    out[s, i] = gain * shocks[s, i] + levels[j, i]
            for k in range(0, pace.size, 4):
                for s in range(0, BLOCK, _UNROLLED):
                    late = s + _UNROLLED
                    advance_poles(states[j, k : k + 4], shocks[s:late], out[s:late], pace[k : k + 4], c[k : k + 4])
        if mixing.size > 0:
            _correlate(noise, mixing)

    return draw


_DRAWS = {
    np.dtype(np.float64): _recursion(_poles(_by_factor)),
    np.dtype(np.float32): _recursion(_poles(_by_decay)),
}


def recursion_kit(
    model: Any, key: NDArray[np.uint64], dim: int, mixing: NDArray, real: np.dtype
) -> tuple[Any, Any, tuple[Any, ...]]:
    """Start, draw and empty lanes for a `StreamingNoise`, its poles padded with idle ones to a multiple of four."""
    n_poles = len(model.rho)
    padded = -(-n_poles // 4) * 4
    pace, c = np.zeros(padded, real), np.zeros(padded, real)
    pace[:n_poles] = model.rho if real == np.float64 else model.decay
    c[:n_poles] = model.c
    arrays = (pace, c, real.type(model.d), np.ascontiguousarray(model.start), float(model.level_sd))
    words = np.zeros((dim, 4, LANES), np.uint64)
    states, levels = np.zeros((dim, padded, LANES), real), np.zeros((dim, LANES), real)
    shocks, normals = np.zeros((BLOCK, LANES), real), np.zeros(n_poles + 2)
    return start_recursion, _DRAWS[real], (key, words, states, levels, arrays, mixing.astype(real), shocks, normals)
