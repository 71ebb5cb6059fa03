"""Increments held in memory, handed to the kernels block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .base import BLOCK, LANES


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
    for j in range(noise.shape[0]):
        paths, out = increments[j], noise[j]
        for lane in range(out.shape[1]):
            time = where[1, lane]
            path, to = paths[where[0, lane]], np.uint64(lane)  # unsigned: no test for indices from the end
            if time + BLOCK <= n_steps:
                for s in range(np.uint64(BLOCK)):
                    out[s, to] = path[np.uint64(time) + s]
            else:
                for s in range(n_steps - time):
                    out[s, lane] = path[time + s]
    where[1] += BLOCK


def stored_kit(increments: NDArray, first: int) -> tuple[Any, Any, tuple[Any, ...]]:
    """Start, draw and lanes that read `increments` (d, n_paths, n_steps) of the paths from `first` on."""
    return start_stored, draw_stored, (increments, first, np.zeros((2, LANES), np.int64))
