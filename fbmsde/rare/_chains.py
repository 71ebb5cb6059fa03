"""The loop of subset simulation: moves of LANES chains of whole paths side by side.

A move mixes the noise of a path with that of a fresh one, ``rho x + sqrt(1 - rho^2) w``. As increments are a linear map
of normals, this is the preconditioned Crank-Nicolson move of the normals (Cotter, Roberts, Stuart & White 2013), and
leaves the law of the noise as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit, typeof, types

from ..core.cache import kernel
from ..core.compile import lasting_name, locked
from ..core.types import Array
from ..drivers.base import BLOCK, LANES, NOISE, Lanes
from ._climb import CLIMB, NOT_ARRIVED, NUMBERS, Ascent, Counts


class Chains(NamedTuple):
    """LANES chains of paths.

    noise : the numbers that drive them, (n_blocks, 2, channels, BLOCK, LANES). Of the two halves, ``side[lane]`` is
        that of a chain's present path; a move writes its proposal into the other one.
    side, tops, arrivals : the half, the maximum of the score along the present path, and the step of arrival, (LANES,).
    """

    noise: Array
    side: Counts
    tops: Array
    arrivals: Counts

    @classmethod
    def blank(cls, n_steps: int, channels: int) -> Chains:
        """Chains without a path."""
        n_blocks = -(-n_steps // BLOCK)
        noise = np.zeros((n_blocks, 2, channels, BLOCK, LANES))
        return cls(noise, np.zeros(LANES, np.int64), np.zeros(LANES), np.zeros(LANES, np.int64))


class Move(NamedTuple):
    """A move of all chains: it keeps `rho` of the present noise and `root` of the fresh one, whose first path number is
    `path`, and is accepted if the score exceeds `level` somewhere."""

    path: int
    rho: float
    root: float
    level: float


CHAINS, MOVE = typeof(Chains.blank(1, 1)), typeof(Move(0, 0.0, 0.0, 0.0))


@njit(error_model="numpy", nogil=True)
def _mix(present: Array, other: Array, side: Counts, noise: Array, rho: float, root: float) -> None:
    """Write the proposal of a component and a block, (BLOCK, LANES), to `noise` and to the idle half of each lane."""
    for s in range(BLOCK):
        for lane in range(side.size):
            a, b = present[s, lane], other[s, lane]
            first = side[lane] == 0
            mixed = rho * (a if first else b) + root * noise[s, lane]
            present[s, lane] = a if first else mixed
            other[s, lane] = mixed if first else b
            noise[s, lane] = mixed


def move_chains(
    start: Callable[..., None], draw: Callable[..., None], data: tuple[object, ...], scale: float,
    climb: Callable[..., None], numbers: Array, origin: Array, floor: float, channels: int, n_steps: int,
    move: Move, chains: Chains,
) -> int:  # fmt: skip
    """Move all chains once; the number of chains, from the first on, whose proposals were accepted is `side` changed.

    A proposal whose score is not a number is taken, so that it is seen.
    """
    noise, x = np.zeros((channels, BLOCK, LANES)), np.empty((origin.size, LANES))
    ages, tops, arrivals = np.zeros(LANES, np.int64), np.full(LANES, floor), np.full(LANES, NOT_ARRIVED)
    for lane in range(LANES):
        start(data, lane, move.path + lane)
        for j in range(origin.size):
            x[j, lane] = origin[j]
    for block in range(chains.noise.shape[0]):
        draw(data, noise)
        for j in range(channels):
            _mix(chains.noise[block, 0, j], chains.noise[block, 1, j], chains.side, noise[j], move.rho, move.root)
        climb(numbers, scale, x, noise, ages, n_steps, tops, arrivals)
    accepted = 0
    for lane in range(LANES):
        if not tops[lane] <= move.level:
            chains.side[lane] = 1 - chains.side[lane]
            chains.tops[lane], chains.arrivals[lane] = tops[lane], arrivals[lane]
            accepted += 1
    return accepted


def move(lanes: Lanes, ascent: Ascent, n_steps: int, step: Move, chains: Chains) -> int:
    """Call `move_chains`, compiled for the driver's type of data; the number of accepted proposals."""
    noise = lanes.start, lanes.draw, lanes.data, lanes.scale
    accepted: int = _loop(lanes.kind)(*noise, *ascent, n_steps, step, chains)
    return accepted


@lru_cache(maxsize=64)
def _loop(data: types.Type) -> Callable[..., int]:
    """The loop for one type of a driver's data."""
    start, draw = types.void(data, types.int64, types.int64), types.void(data, NOISE)
    signature = types.int64(
        types.FunctionType(start), types.FunctionType(draw), data, types.float64, types.FunctionType(CLIMB),
        NUMBERS, NUMBERS, types.float64, types.int64, types.int64, MOVE, CHAINS,
    )  # fmt: skip
    loop: Callable[..., int] = locked(move_chains, signature, lasting_name(move_chains))
    return loop


@kernel
def copy_chain(source: Array, source_side: int, source_lane: int, target: Array, side: int, lane: int) -> None:
    """Copy the present noise of one chain of `Chains.noise` over that of another."""
    for block in range(source.shape[0]):
        for j in range(source.shape[2]):
            for s in range(BLOCK):
                target[block, side, j, s, lane] = source[block, source_side, j, s, source_lane]
