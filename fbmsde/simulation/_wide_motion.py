"""Motions in many dimensions: the step of an equation of arrays and the test of a domain, compiled to one function.

The loop takes it as a value of a function type; numbers come in an array, so that they change without compiling.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ..core import checks
from ..core.captured import OPTIONS, digest
from ..core.compile import locked
from ..core.points import taking
from ..core.states import BROKEN, LEFT, NO_LEVEL, RUNNING, UNRESOLVED
from ..core.types import Array
from ..drivers.base import NOISE
from ..dynamics.array_steps import WORK, ArrayStep
from ..dynamics.base import ArrayDynamics, Dynamics
from ..dynamics.solvers import SolverName
from ._motion import (
    _BEHIND,
    _NOISE_STEPS,
    _PROBE,
    _SHARE,
    _UNSTABLE,
    anywhere,
)
from .watch import INSIDE, UNDEFINED, Watch

ROOM = WORK + 2  # arrays of the length of a point that a block of steps needs

_LINE, _TABLE = types.Array(types.float64, 1, "C"), types.Array(types.float64, 2, "C")
_WHOLE = types.Array(types.int64, 1, "C")
ADVANCE = types.void(
    _LINE, types.float64, _LINE, _LINE, NOISE, _WHOLE, _TABLE, _TABLE, _LINE, types.int64, types.int64, _WHOLE
)  # fmt: skip


class WideMotion(NamedTuple):
    """What the loop in many dimensions needs of an equation.

    ``advance(numbers, scale, start, x, noise, lanes, moved, work, increment, age, n_steps, report)`` moves a path on
    from x (dim,) by `n_steps` steps. The increments are `scale` times `noise` (rows, BLOCK, width), where the path has
    ``lanes[1]`` lanes of a row from ``lanes[0]`` on. The point after step s is written into row s of `moved`
    (depth, dim), modulo the depth, and the last one into x. It ends early where the path leaves or breaks. `report`
    gets the number of steps made, the state, and the number of the rim that was passed. The path began at `start`
    (dim,), `age` steps ago. `work` (ROOM, dim) and `increment` (channels,) are room.
    """

    advance: Callable[..., None]
    numbers: Array
    channels: int
    origins: Array

    @classmethod
    def of(
        cls, equation: Dynamics, solver: SolverName, watch: Watch | None, origins: Array, clock: tuple[float, float]
    ) -> WideMotion:
        """The motion of paths from their origins, (n_paths, dim) or (1, dim), that are watched, or not.

        `clock` is the step dt and the typical size of an increment of the noise over it.
        """
        moves = checks.kind("equation", equation, ArrayDynamics, "Its points must be arrays.")
        test, bounds = (anywhere, ()) if watch is None else watch
        numbers = np.array([*clock, *equation.params, *bounds])
        scheduled = equation.schedule(1).size > 0
        sizes = _Sizes(len(equation.params), len(bounds), equation.n_positions, scheduled)
        drift = None if watch is None else moves.array_drift()
        return cls(_advance(moves.array_step(solver), drift, test, sizes), numbers, equation.n_channels, origins)

    def on(self, schedule: Array) -> WideMotion:
        """The motion whose step takes one more number at each step: those of a schedule (n_steps,), empty for none."""
        return self._replace(numbers=np.append(self.numbers, schedule))


class _Sizes(NamedTuple):
    """Lengths of the tuples that the user's functions take, and of the positions."""

    n_params: int
    n_bounds: int
    positions: int
    scheduled: bool


@njit(error_model="numpy", forceinline=True)
def _is_finite(x: Array) -> bool:
    """True if all coordinates are finite."""
    finite = True
    for j in range(x.size):
        finite &= abs(x[j]) < np.inf
    return finite


@njit(error_model="numpy", forceinline=True)
def _scheduled(params: tuple[float, ...], numbers: Array, first: int, k: int) -> tuple[float, ...]:
    """The parameters with the number of a schedule at step k behind them; the schedule begins at place `first`."""
    return params + (numbers[min(first + k, numbers.size - 1)],)


@njit(error_model="numpy", forceinline=True)
def _unscheduled(params: tuple[float, ...], numbers: Array, first: int, k: int) -> tuple[float, ...]:
    """The parameters, which are the same at every step."""
    return params


@njit(error_model="numpy", nogil=True)
def _lay_out(noise: Array, step: int, lanes: NDArray[np.int64], scale: float, increment: Array) -> None:
    """Write the increment (channels,) of a path over one step of the block."""
    first, spread = lanes[0], lanes[1]
    for row in range(noise.shape[0]):
        source, target = noise[row, step, first : first + spread], increment[row * spread : (row + 1) * spread]
        for j in range(target.size):
            target[j] = scale * source[j]


@lru_cache(maxsize=256)
def _advance(step: ArrayStep, drift: Any, test: Any, sizes: _Sizes) -> Any:
    """Compile `advance` of a motion; if there is a drift, steps that the equation does not take are told."""
    settled, positions = _always_resolved if drift is None else _settled(drift), sizes.positions
    params_like, bounds_like, bounds_from = (0.0,) * sizes.n_params, (0.0,) * sizes.n_bounds, _BEHIND + sizes.n_params
    params_of, bounds_of = taking(sizes.n_params), taking(sizes.n_bounds)
    at_step, schedule_from = _scheduled if sizes.scheduled else _unscheduled, bounds_from + sizes.n_bounds

    def advance(
        numbers: Array, scale: float, start: Array, x: Array, noise: Array, lanes: NDArray[np.int64], moved: Array,
        work: Array, increment: Array, age: int, n_steps: int, report: NDArray[np.int64],
    ) -> None:  # fmt: skip
        dt = numbers[0]
        fixed, bounds = params_of(params_like, numbers, _BEHIND), bounds_of(bounds_like, numbers, bounds_from)
        here = x
        report[0], report[1], report[2] = n_steps, RUNNING, INSIDE
        for s in range(n_steps):
            last, here = here, moved[s % moved.shape[0]]
            _lay_out(noise, s, lanes, scale, increment)
            params = at_step(fixed, numbers, schedule_from, age + s)
            step(params, (age + s) * dt, last, increment, dt, here, work)
            if not _is_finite(here):
                report[0], report[1] = s + 1, BROKEN
                return
            rim = test((age + s + 1) * dt, here[:positions], *bounds)
            if rim != INSIDE:
                state = NO_LEVEL if rim == UNDEFINED else LEFT
                before = (age + s) * dt
                if state == LEFT and not settled(params, before, numbers, start, last, here, increment, work):
                    state = UNRESOLVED
                report[0], report[1], report[2] = s + 1, state, rim
                return
        x[:] = here

    return locked(advance, ADVANCE, digest("wide advance", step, drift, test, sizes))


@njit(**OPTIONS)
def _always_resolved(
    params: tuple[float, ...], t: float, numbers: Array, start: Array, last: Array, here: Array, shock: Array,
    work: Array,
) -> bool:  # fmt: skip
    """The answer where nothing can be told."""
    return True


@lru_cache(maxsize=256)
def _settled(drift: Any) -> Any:
    """Compile the test of a step that led outside: whether the paths of the equation would take it."""

    def settled(
        params: tuple[float, ...], t: float, numbers: Array, start: Array, last: Array, here: Array, shock: Array,
        work: Array,
    ) -> bool:  # fmt: skip
        dt, scale = numbers[0], numbers[1]
        move, carried, way, size = 0.0, 0.0, 0.0, 0.0
        for j in range(last.size):
            move += (here[j] - last[j]) ** 2
            carried += (here[j] - last[j] - shock[j]) ** 2
            way += (here[j] - start[j]) ** 2
            size = max(size, abs(last[j]))
        if carried > last.size * (_NOISE_STEPS * scale) ** 2 and carried > _SHARE**2 * way:
            return False
        length = max(_PROBE * scale, 1e-7 * size)
        ahead, at_last, further = work[WORK], work[0], work[WORK + 1]
        for j in range(last.size):
            ahead[j] = last[j] + length / np.sqrt(move) * (here[j] - last[j])
        drift(t, last, at_last, *params)
        drift(t, ahead, further, *params)
        steeper = 0.0
        for j in range(last.size):
            steeper += (at_last[j] - further[j]) * (here[j] - last[j])
        return dt * steeper <= _UNSTABLE * length * np.sqrt(move)

    return njit(error_model="numpy")(settled)
