"""The recursion of a rational model as a linear map of normals, and its transpose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...core.cache import kernel
from ...core.types import Array


@kernel
def run_recursion(normals: NDArray, rho: NDArray, c: NDArray, d: float, level_sd: float, start: NDArray) -> NDArray:
    """Increments (n_paths, n) from normals (n_paths, K + 1 + n): K for the start, one for the level, n for steps."""
    n_poles = rho.size
    n_paths, n_steps = normals.shape[0], normals.shape[1] - n_poles - 1
    out = np.empty((n_paths, n_steps), normals.dtype)
    state = np.empty(n_poles, normals.dtype)
    for path in range(n_paths):
        for k in range(n_poles):
            state[k] = 0.0
            for j in range(k + 1):
                state[k] += start[k, j] * normals[path, j]
        level = level_sd * normals[path, n_poles]
        for i in range(n_steps):
            newest = normals[path, n_poles + 1 + i]
            value = level + d * newest
            for k in range(n_poles):
                value += c[k] * state[k]
                state[k] = rho[k] * state[k] + newest
            out[path, i] = value
    return out


@kernel
def pull_back(weights: Array, rho: Array, c: Array, d: float, level_sd: float, start: Array) -> Array:
    """The transpose of `run_recursion`: weights (n_paths, n) of the increments become weights (n_paths, K + 1 + n).

    It runs the recursion backwards; ``later[k]`` is the weight of the state of pole k after the step in hand.
    """
    n_poles, n_steps = rho.size, weights.shape[1]
    out = np.zeros((weights.shape[0], n_poles + 1 + n_steps))
    later = np.empty(n_poles)
    for path in range(weights.shape[0]):
        later[:] = 0.0
        total = 0.0
        for i in range(n_steps - 1, -1, -1):
            weight = weights[path, i]
            total += weight
            value = d * weight
            for k in range(n_poles):
                value += later[k]
                later[k] = rho[k] * later[k] + c[k] * weight
            out[path, n_poles + 1 + i] = value
        out[path, n_poles] = level_sd * total
        for j in range(n_poles):
            for k in range(j, n_poles):
                out[path, j] += start[k, j] * later[k]
    return out
