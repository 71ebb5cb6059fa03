"""The fused step of rare-event methods: a solver's step and the score, for a block of steps of all lanes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from ..core.captured import digest
from ..core.compile import locked
from ..core.points import is_finite, load, load_step, scaled, store, taking
from ..core.types import Array
from ..drivers.base import BLOCK, NOISE
from ..dynamics.base import Dynamics, Step
from .scores import LOST, Score, on_positions

Counts = NDArray[np.int64]

NUMBERS, COUNTS = types.Array(types.float64, 1, "C"), types.Array(types.int64, 1, "C")
POINTS = types.Array(types.float64, 2, "C")
CLIMB = types.void(NUMBERS, types.float64, POINTS, NOISE, COUNTS, types.int64, NUMBERS, COUNTS)

NOT_ARRIVED, ELSEWHERE = -1, -2  # the step of arrival of a path that is on its way, and of one that left elsewhere


class Ascent(NamedTuple):
    """What the loops need of an equation and a score.

    ``climb(numbers, scale, x, noise, ages, n_steps, tops, arrivals)`` moves the points `x` (dim, LANES) of all lanes
    BLOCK steps on and adds these to their `ages` (LANES,), the numbers of steps behind them. `tops` (LANES,) are the
    running maxima of the score, and `arrivals` (LANES,) the numbers of the steps at which it was first at least 0,
    `NOT_ARRIVED` before, `ELSEWHERE` once the score is `LOST`. Both then stay as they are, and after step `n_steps`.
    The top of a lane that left the finite numbers, or where the score is not a number, is nan. The increments are
    `scale` times `noise`.

    `numbers` are the step, the parameters of the equation and the bounds of the score. All paths begin at `origin`
    (dim,), whose score is `floor`.
    """

    climb: Callable[..., None]
    numbers: Array
    origin: Array
    floor: float
    channels: int

    @classmethod
    def of(cls, equation: Dynamics, solver: Callable[..., Any], score: Score, origin: Array, dt: float) -> Ascent:
        """The ascent of the paths of an equation from a point."""
        sizes = equation.dim, equation.n_channels, len(equation.params), len(score.bounds)
        whole = on_positions(score.function, equation.n_positions, equation.dim)
        numbers = np.array([dt, *equation.params, *score.bounds])
        floor = float(whole(0.0, tuple(origin.tolist()), *score.bounds))
        return cls(_climbing(equation.step(solver), whole, sizes), numbers, origin, floor, equation.n_channels)


@lru_cache(maxsize=256)
def _climbing(step: Step, score: Any, sizes: tuple[int, int, int, int]) -> Any:
    """Compile the fused step of an equation and a score; `sizes` are dim, channels and the numbers of parameters."""
    _, _, n_params, n_bounds = sizes
    point_like, noise_like, params_like, bounds_like = ((0.0,) * size for size in sizes)
    params_of, bounds_of, name = taking(n_params), taking(n_bounds), digest("climb", step, score, sizes)

    def climb(
        numbers: Array, scale: float, x: Array, noise: Array, ages: Counts, n_steps: int, tops: Array, arrivals: Counts
    ) -> None:  # fmt: skip
        dt = numbers[0]
        params, bounds = params_of(params_like, numbers, 1), bounds_of(bounds_like, numbers, 1 + n_params)
        for lane in range(x.shape[1]):
            point, top, arrival, age = load(point_like, x, lane), tops[lane], arrivals[lane], ages[lane]
            for s in range(BLOCK):
                increment = scaled(scale, load_step(noise_like, noise, s, lane))
                point = step(params, (age + s) * dt, point, increment, dt)
                value = score((age + s + 1) * dt, point, *bounds)
                value = value if is_finite(point) else np.nan
                counts = (top < 0.0) & (arrival == NOT_ARRIVED) & (age + s < n_steps)
                arrival = age + s + 1 if counts & (value >= 0.0) else arrival
                arrival = ELSEWHERE if counts & (value == LOST) else arrival
                top = value if counts & (not value <= top) else top
            store(point, x, lane)
            tops[lane], arrivals[lane], ages[lane] = top, arrival, age + BLOCK

    return locked(climb, CLIMB, name)
