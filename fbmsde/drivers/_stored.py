"""Lanes that read increments held in memory, block by block."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .base import BLOCK, LANES, Lanes, lanes


class _Data(NamedTuple):
    """Increments (d, n_paths, n_steps) of the paths from number `first` on.

    `where` (2, L) holds, for each lane, which of the paths it follows and how many of its increments have been read.
    """

    increments: NDArray[np.floating]
    first: int
    where: NDArray[np.int64]


def start_stored(data: _Data, lane: int, path: int) -> None:
    """Point the lane at the first increment of its path."""
    data.where[0, lane] = path - data.first
    data.where[1, lane] = 0


def draw_stored(data: _Data, noise: NDArray[np.float64]) -> None:
    """Copy the next increments of each lane's path from the stored ones; `noise` beyond the end stays as it is."""
    where, n_steps = data.where, data.increments.shape[2]
    for j in range(noise.shape[0]):
        paths, out = data.increments[j], noise[j]
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


def stored_lanes(increments: NDArray[np.floating], first: int, scale: float) -> Lanes:
    """Lanes that read unit-step `increments` (d, n_paths, n_steps) of the paths from `first` on, times `scale`."""
    return lanes(start_stored, draw_stored, _Data(increments, first, np.zeros((2, LANES), np.int64)), scale)
