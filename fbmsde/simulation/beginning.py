"""How a run begins: the points of its paths, the steps of a burn-in, and the feed of the noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from ..core.compile import lasting_name, locked
from ..core.points import Point
from ..core.random import normal_pair, seed_lane
from ..core.types import Array, Key
from ..drivers import stationary
from ..drivers.base import Driver, Feed
from ..drivers.branching import Branching
from ..dynamics.base import Dynamics
from .posed import feed_of
from .starts import Points, Start, rows_of, substream

_BEYOND = 16.0  # the noise is modelled for so many memories of the chain beyond the steps of a run
_REACH = 8.0  # a step must be linear within so many bounds of the standard deviation of the state
_ROUNDING = 1e-9
_BURN_IN = "Give a burn-in: x0=Stationary(burn_in=time)."


@dataclass(frozen=True)
class Walk:
    """How paths move: an equation, its noise, a solver, a step and the key of the seed."""

    equation: Dynamics
    driver: Driver
    solver: Callable[..., Point]
    dt: float
    key: Key

    def feed(self, n_steps: int) -> Feed:
        """A feed of so many steps."""
        return feed_of(self.equation, self.driver, n_steps, self.dt, self.key)


class Beginning(NamedTuple):
    """The beginning of a run: the points of the paths, (n_paths, dim) or (1, dim), and the feed of the noise.

    `drawn` is True if the points were drawn for time 0 and may lie outside the domain.
    """

    rows: Array
    feed: Feed
    drawn: bool = False


def waiting_steps(start: Start, dt: float) -> int:
    """The number of steps of the burn-in, 0 without one."""
    if isinstance(start, Points) or start.burn_in is None:
        return 0
    return math.ceil(start.burn_in / dt * (1.0 - 1e-12))


def beginning(start: Start, walk: Walk, n_steps: int, paths: range, most: int | None = None) -> Beginning:
    """The beginning of a run of the `paths` over `n_steps` steps after time 0.

    `most` is the largest number of steps of a feed, None for no limit. Raises ValueError for a start that cannot be
    made.
    """
    wait = waiting_steps(start, walk.dt)
    if isinstance(start, Points):
        return Beginning(start.rows, walk.feed(n_steps))
    if walk.equation.schedule(1).size > 0:
        raise ValueError("x0 must be points for a chain with a schedule, got a stationary start.")
    if wait > 0:
        return Beginning(rows_of(start.point, walk.equation, 1), walk.feed(n_steps + wait))
    chain = _linear_chain(walk, n_steps)
    beyond = n_steps + math.ceil(_BEYOND / (1.0 - abs(chain.phi)))
    feed = walk.feed(beyond if most is None else min(beyond, most))
    return Beginning(_stationary_rows(feed, chain, walk, paths), feed, True)


class Chain(NamedTuple):
    """The chain ``x' = phi x + gain xi + shift`` that a solver makes of a linear equation."""

    phi: float
    gain: float
    shift: float


def _linear_chain(walk: Walk, n_steps: int) -> Chain:
    """The chain of an equation and its solver; ValueError unless the step is linear wherever the state can be.

    The standard deviation of the state is at most ``gain s / (1 - |phi|)`` with that of an increment s, whatever the
    correlation is. The step is compared with the chain out to `_REACH` times that, at times up to the end of the run.
    """
    equation, dt, s = walk.equation, walk.dt, walk.driver.increment_scale(walk.dt)
    if equation.reset_rate > 0.0:
        raise ValueError(f"x0='stationary' needs an equation without resets, got {equation.name!r}. {_BURN_IN}")
    if equation.dim != 1 or equation.n_channels != 1:
        raise ValueError(f"x0='stationary' needs an equation of one coordinate, got {equation.dim}. {_BURN_IN}")
    step = equation.step(walk.solver)

    def moved(x: float, xi: float = 0.0, t: float = 0.0) -> float:
        return float(step(equation.params, t, (x,), (xi,), dt)[0])

    def chain_around(middle: float, reach: float) -> Chain:
        phi = (moved(middle + reach) - moved(middle - reach)) / (2.0 * reach)
        return Chain(phi, (moved(middle, s) - moved(middle, -s)) / (2.0 * s), moved(middle) - phi * middle)

    rough = chain_around(0.0, s)
    margin = 1.0 - abs(rough.phi) if abs(rough.phi) < 1.0 else 1.0
    middle, reach = rough.shift / margin if rough.phi < 1.0 else 0.0, _REACH * abs(rough.gain) * s / margin
    chain = chain_around(middle, reach)
    for t in (0.0, dt, 0.3 * n_steps * dt, n_steps * dt):
        for x in middle + reach * np.linspace(-1.0, 1.0, 33):
            for xi in (-3.0 * s, 0.0, 3.0 * s):
                parts = chain.phi * x, chain.gain * xi, chain.shift
                if not abs(moved(x, xi, t) - sum(parts)) <= _ROUNDING * max(map(abs, parts)):
                    raise ValueError(
                        f"x0='stationary' needs a drift that is linear and does not depend on time, got "
                        f"{equation.name!r}, which bends at x = {x:.4g}. {_BURN_IN}"
                    )
    if not abs(chain.phi) < 1.0:
        raise ValueError(
            f"x0 must be points where nothing is stationary, got {equation.name!r}, whose step multiplies a "
            f"displacement by {chain.phi:.6g}."
        )
    return chain


def _stationary_rows(feed: Feed, chain: Chain, walk: Walk, paths: range) -> Array:
    """Stationary values of the chain, (n_paths, 1), each drawn jointly with the beginning of its path's noise."""
    if not (isinstance(feed, stationary.Stationary) and isinstance(feed, Branching)):
        raise ValueError(f"x0='stationary' needs a noise that knows its past, got {walk.driver!r}. {_BURN_IN}")
    law, lanes = feed.linear_start(chain.phi), feed.lanes(paths.start, len(paths))
    branch, own = feed.branch(lanes), substream(walk.key, "stationary").generate_state(4, np.uint64)
    values, words = np.empty(len(paths)), np.empty(branch.n_words, np.uint64)
    given = lanes.start, branch.save, lanes.data, own, np.ascontiguousarray(law.weights), law.sd
    _drawing(lanes.kind)(*given, paths.start, words, values)
    return (chain.gain * lanes.scale * values + chain.shift / (1.0 - chain.phi)).reshape(-1, 1)


def draw_starts(
    start: Callable[..., None], save: Callable[..., None], data: tuple[object, ...], key: Key, weights: Array,
    sd: float, first: int, words: NDArray[np.uint64], values: Array,
) -> None:  # fmt: skip
    """Write ``weights . numbers + sd z`` of the paths from `first` on to `values`, in units of the numbers drawn.

    `numbers` is what a lane remembers that was started for the path. z is a normal from random words of its own.
    """
    numbers, own = np.empty(weights.size), np.empty((4, 1), np.uint64)
    for i in range(values.size):
        start(data, 0, first + i)
        save(data, 0, numbers, words)
        seed_lane(key, first + i, 0, own, 0)
        values[i] = sd * normal_pair(own, 0)[0]
        for k in range(weights.size):
            values[i] += weights[k] * numbers[k]


@lru_cache(maxsize=16)
def _drawing(data: types.Type) -> Callable[..., None]:
    """`draw_starts`, compiled for one type of a driver's data."""
    floats, words = types.Array(types.float64, 1, "C"), types.Array(types.uint64, 1, "C")
    start, save = types.void(data, types.int64, types.int64), types.void(data, types.int64, floats, words)
    signature = types.void(
        types.FunctionType(start), types.FunctionType(save), data, words, floats, types.float64, types.int64, words,
        floats,
    )
    drawing: Callable[..., None] = locked(draw_starts, signature, lasting_name(draw_starts))
    return drawing
