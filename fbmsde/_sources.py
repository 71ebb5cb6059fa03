"""Where a lane's noise comes from: each source is a pair of compiled functions and a tuple of arrays.

``start(source, lane, path)`` puts the beginning of a path into a lane; ``draw(source, noise)`` writes the next BLOCK
increments of all lanes into `noise` (d, BLOCK, n_lanes). A kernel that takes the pair runs on any source.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ._lanes import normal_pair, normal_pairs, seed_lane

BLOCK = 8  # steps drawn at once: a cache line of stored increments; the recursion loads its states once for all eight
_UNROLLED = 4  # steps of the recursion written out in one vector loop: the compiler unrolls no more of them
LANES = 128  # paths advanced side by side: enough to hide the loops' overhead, few enough for the first-level cache


@njit(error_model="numpy", nogil=True)
def start_stored(source: Any, lane: int, path: int) -> None:
    """Point the lane at the first increment of its path."""
    _, first, where = source
    where[0, lane] = path - first
    where[1, lane] = 0


@njit(error_model="numpy", nogil=True)
def draw_stored(source: Any, noise: NDArray) -> None:
    """Copy the next increments of each lane's path from the stored ones; what lies behind the end is left as it is."""
    increments, _, where = source
    n_steps = increments.shape[2]
    for lane in range(noise.shape[2]):
        time = where[1, lane]
        for j in range(noise.shape[0]):
            path = increments[j, where[0, lane]]
            if time + BLOCK <= n_steps:
                for s in range(np.uint64(BLOCK)):  # unsigned: no test for indices from the end
                    noise[j, s, lane] = path[np.uint64(time) + s]
            else:
                for s in range(n_steps - time):
                    noise[j, s, lane] = path[time + s]
        where[1, lane] = time + BLOCK


def stored_source(increments: NDArray, first: int, n_lanes: int) -> tuple[Any, ...]:
    """The arrays of a source that reads `increments` (d, n_paths, n_steps) of the paths from `first` on."""
    return increments, first, np.zeros((2, n_lanes), np.int64)


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
def _advance_poles(states: NDArray, shocks: NDArray, out: NDArray, rho: NDArray, c: NDArray) -> None:
    """Add what four poles contribute to a few steps of `out` (_UNROLLED, n_lanes); move `states` (4, n_lanes) on."""
    r0, r1, r2, r3 = rho[0], rho[1], rho[2], rho[3]
    c0, c1, c2, c3 = c[0], c[1], c[2], c[3]
    for i in range(out.shape[1]):
        x0, x1, x2, x3 = states[0, i], states[1, i], states[2, i], states[3, i]
        for s in range(_UNROLLED):
            e = shocks[s, i]
            out[s, i] += (c0 * x0 + c1 * x1) + (c2 * x2 + c3 * x3)
            x0 = r0 * x0 + e
            x1 = r1 * x1 + e
            x2 = r2 * x2 + e
            x3 = r3 * x3 + e
        states[0, i], states[1, i], states[2, i], states[3, i] = x0, x1, x2, x3


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


@njit(error_model="numpy", nogil=True)
def draw_recursion(source: Any, noise: NDArray) -> None:
    """Run the rational model BLOCK steps: ``y = d e + level + sum_k c_k x_k``, ``x_k <- rho_k x_k + e``."""
    _, words, states, levels, model, mixing, shocks, _ = source
    rho, c, gain, _, _ = model
    for j in range(states.shape[0]):
        for s in range(0, BLOCK, 2):
            normal_pairs(words[j], shocks[s], shocks[s + 1])
        out = noise[j]
        for s in range(BLOCK):
            for i in range(out.shape[1]):
                out[s, i] = gain * shocks[s, i] + levels[j, i]
        for k in range(0, rho.size, 4):
            for s in range(0, BLOCK, _UNROLLED):
                late = s + _UNROLLED
                _advance_poles(states[j, k : k + 4], shocks[s:late], out[s:late], rho[k : k + 4], c[k : k + 4])
    if mixing.size > 0:
        _correlate(noise, mixing)
