"""Motions: a solver, an equation and a watch, compiled to the only functions of the loop that depend on the user's.

The loop takes them as values of function types of fixed signatures. They get their numbers (the step, the parameters of
the equation and of the watch) in an array, so that these change without compiling.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types

from ..core.captured import digest, packaged
from ..core.compile import locked
from ..core.points import Point, add, is_finite, largest, load_step, replaced, scaled, taken, taking, times
from ..core.states import LEFT, NO_LEVEL, UNRESOLVED
from ..core.types import Array
from ..drivers.base import BLOCK, NOISE
from ..dynamics.base import Dynamics, Step
from ._ends import ENDS, Ends
from .watch import INSIDE, UNDEFINED, Watch

_UNSTABLE = 2.0  # both schemes amplify a displacement if dt times the curvature is larger than this
_PROBE = 1e-2  # length of the probe of the curvature, in standard deviations of the noise of a step
# A step is unresolved if its drift carries the path farther than so many noise steps and than this share of its way.
_NOISE_STEPS = 10.0
_SHARE = 0.1
Scheme = Callable[..., Point]

_BEHIND = 2  # where the parameters of the equation begin in `numbers`, behind dt and the scale of the noise

NUMBERS, COUNTS = types.Array(types.float64, 1, "C"), types.Array(types.int64, 1, "C")
ORIGINS = types.Array(types.float64, 2, "C")
ADVANCE = types.int64(NUMBERS, types.float64, NOISE, NOISE, NOISE, COUNTS, types.int64, COUNTS)
SETTLE = types.void(NUMBERS, types.float64, ORIGINS, NOISE, NOISE, *[types.int64] * 4, ENDS)


class Motion(NamedTuple):
    """What the loop needs of an equation.

    ``advance(numbers, scale, x, moved, noise, born, now, masks) -> events`` moves all lanes BLOCK steps on, from the
    last of the points `x` (dim, depth, LANES), and writes points into `moved`, of the same shape: those after each step
    if the depth is BLOCK, the last ones if it is 1. Bit s of masks[lane] is set if the path was not inside after step s
    of this block; bit BLOCK + s if it was inf or nan. `events` is the union of the masks. A lane was at the beginning
    of its path at step ``born[lane]``; the block begins at step `now`. The increments are `scale` times `noise`.

    ``settle(numbers, scale, origins, x, noise, lane, age, n, path, ends)`` notes in the `Ends` of all paths what the
    n-th step of the block was, by which a path in a lane that was `age` steps old before it left at a finite point: its
    state (LEFT, UNRESOLVED or NO_LEVEL), the side and the place.

    `origins` (n_paths, dim) are the points at which paths begin, or one point (1, dim) for all of them. They begin
    `wait` steps before their step 0.
    """

    advance: Callable[..., int]
    settle: Callable[..., None]
    numbers: Array
    origins: Array
    channels: int
    wait: int = 0

    @classmethod
    def of(cls, equation: Dynamics, solver: Scheme, watch: Watch, origins: Array, dt: float, scale: float) -> Motion:
        """The motion of paths that are watched; `scale` is the typical size of an increment of the noise."""
        sizes = _Sizes.of(equation, len(watch.bounds))
        step, resolved = equation.step(solver), (equation.slope(), equation.factor())
        numbers = np.array([dt, scale, *equation.params, *watch.bounds])
        functions = _advance(step, watch.test, sizes, 1), _settle(step, *resolved, watch.test, sizes)
        return cls(*functions, numbers, origins, sizes.channels)

    @classmethod
    def unwatched(cls, equation: Dynamics, solver: Scheme, origins: Array, dt: float) -> Motion:
        """The motion of paths of which every point is wanted and that end at the horizon."""
        sizes = _Sizes.of(equation, 0)
        numbers = np.array([dt, 1.0, *equation.params])
        advance = _advance(equation.step(solver), anywhere, sizes, BLOCK)
        return cls(advance, _nothing_to_settle(), numbers, origins, sizes.channels)

    def on(self, schedule: Array) -> Motion:
        """The motion whose step takes one more number at each step: those of a schedule (n_steps,), empty for none."""
        return self._replace(numbers=np.append(self.numbers, schedule))


class _Sizes(NamedTuple):
    """Lengths of the tuples that the user's functions take."""

    dim: int
    channels: int
    n_params: int
    n_bounds: int
    positions: int
    scheduled: bool

    @classmethod
    def of(cls, equation: Dynamics, n_bounds: int) -> _Sizes:
        """Those of an equation."""
        positions, scheduled = equation.n_positions, equation.schedule(1).size > 0
        return cls(equation.dim, equation.n_channels, len(equation.params), n_bounds, positions, scheduled)


@packaged
def anywhere(t: float, x: Point) -> int:
    """The test of a path that nobody watches: it is inside everywhere."""
    return INSIDE


@njit(error_model="numpy", forceinline=True)
def _window(numbers: Array, first: int, born: Array, now: int) -> Array:
    """The numbers of a schedule at the steps of a block, (BLOCK, LANES); the schedule begins at place `first`.

    They are copied lane by lane, so that the loop over lanes reads them in order.
    """
    window = np.empty((BLOCK, born.size))
    for lane in range(born.size):
        for s in range(BLOCK):
            window[s, lane] = numbers[min(first + now - born[lane] + s, numbers.size - 1)]
    return window


@njit(error_model="numpy", forceinline=True)
def _no_window(numbers: Array, first: int, born: Array, now: int) -> Array:
    """Something to hand on where there is no schedule."""
    return numbers


@njit(error_model="numpy", forceinline=True)
def _at_step(params: tuple[float, ...], window: Array, s: int, lane: int) -> tuple[float, ...]:
    """The parameters with the number of the schedule behind them."""
    return params + (window[s, lane],)


@njit(error_model="numpy", forceinline=True)
def _unscheduled(params: tuple[float, ...], window: Array, s: int, lane: int) -> tuple[float, ...]:
    """The parameters, which are the same at every step."""
    return params


_SCHEDULED = {True: (_window, _at_step), False: (_no_window, _unscheduled)}


def _watched(test: Any, sizes: _Sizes) -> Any:
    """The test of a point of all coordinates by its positions."""
    positions = sizes.positions
    if positions == sizes.dim:
        return test

    @njit(error_model="numpy", forceinline=True)
    def on_positions(t: float, x: Point, *bounds: float) -> int:
        return test(t, x[:positions], *bounds)

    return on_positions


@lru_cache(maxsize=256)
def _advance(step: Step, test: Any, sizes: _Sizes, depth: int) -> Any:
    """Compile `advance` of a motion that writes the points after the last `depth` steps of a block."""
    point_like, noise_like = (0.0,) * sizes.dim, (0.0,) * sizes.channels
    params_like, bounds_like, bounds_from = (0.0,) * sizes.n_params, (0.0,) * sizes.n_bounds, _BEHIND + sizes.n_params
    params_of, bounds_of = taking(sizes.n_params), taking(sizes.n_bounds)
    skipped, name = BLOCK - depth, digest("advance", step, test, sizes, depth)
    rates_from, (window_of, at_step) = bounds_from + sizes.n_bounds, _SCHEDULED[sizes.scheduled]
    test = _watched(test, sizes)

    def advance(
        numbers: Array, scale: float, x: Array, moved: Array, noise: Array, born: Array, now: int, masks: Array
    ) -> int:  # fmt: skip
        dt, events = numbers[0], 0
        params, bounds = params_of(params_like, numbers, _BEHIND), bounds_of(bounds_like, numbers, bounds_from)
        window = window_of(numbers, rates_from, born, now)
        for lane in range(x.shape[2]):
            point = load_step(point_like, x, depth - 1, lane)
            mask, age = 0, now - born[lane]
            for s in range(BLOCK):
                increment = scaled(scale, load_step(noise_like, noise, s, lane))
                point = step(at_step(params, window, s, lane), (age + s) * dt, point, increment, dt)
                mask |= (1 << s) if test((age + s + 1) * dt, point, *bounds) != INSIDE else 0
                mask |= 0 if is_finite(point) else (1 << (BLOCK + s))
                if s >= skipped:
                    for j in range(len(point)):
                        moved[j, s - skipped, lane] = point[j]
            masks[lane] = mask
            events |= mask
        return events

    return locked(advance, ADVANCE, name)


@lru_cache(maxsize=256)
def _settle(step: Step, slope: Any, factor: Any, test: Any, sizes: _Sizes) -> Any:
    """Compile `settle` of a motion; without a slope every exit is one."""
    point_like, noise_like, params_like = (0.0,) * sizes.dim, (0.0,) * sizes.channels, (0.0,) * sizes.n_params
    bounds_like, bounds_from = (0.0,) * sizes.n_bounds, _BEHIND + sizes.n_params
    params_of, bounds_of = taking(sizes.n_params), taking(sizes.n_bounds)
    name, checked = digest("settle", step, slope, factor, test, sizes), slope is not None
    rates_from, (window_of, at_step) = bounds_from + sizes.n_bounds, _SCHEDULED[sizes.scheduled]
    test, strength = _watched(test, sizes), _strength(factor)

    def settle(
        numbers: Array, scale: float, origins: Array, x: Array, noise: Array, lane: int, age: int, n: int,
        path: int, ends: Ends,
    ) -> None:  # fmt: skip
        dt = numbers[0]
        params, bounds = params_of(params_like, numbers, _BEHIND), bounds_of(bounds_like, numbers, bounds_from)
        here = load_step(point_like, x, x.shape[1] - 1, lane)
        last, shock, window = here, noise_like, window_of(numbers, rates_from, np.zeros(1, np.int64), age)
        for s in range(n):
            last, shock = here, scaled(scale, load_step(noise_like, noise, s, lane))
            here = step(at_step(params, window, s, 0), (age + s) * dt, last, shock, dt)
        side = test((age + n) * dt, here, *bounds)
        if side == UNDEFINED:
            ends.states[path] = NO_LEVEL
            return
        ends.states[path], ends.sides[path] = LEFT, side
        for j in range(ends.places.shape[1]):
            ends.places[path, j] = here[j]
        if checked:
            at = strength(params, (age + n - 1) * dt, last, shock, dt)
            frozen_params, clock = ((age + n - 1) * dt, *params), (dt, numbers[1] * largest(at))
            origin = taken(point_like, origins[path if origins.shape[0] > 1 else 0], 0)
            if unresolved(slope, frozen_params, origin, clock, last, here, times(at, shock)):
                ends.states[path] = UNRESOLVED

    return locked(settle, SETTLE, name)


def _strength(factor: Any) -> Any:
    """The amplitude of each component of the noise, 1 where the noise is taken as it is."""

    def ones(params: tuple[float, ...], t: float, x: Point, noise: Point, dt: float) -> Point:
        unit = noise
        for j in range(len(noise)):
            unit = replaced(unit, j, 1.0)
        return unit

    def amplitudes(params: tuple[float, ...], t: float, x: Point, noise: Point, dt: float) -> Point:
        return factor(params, t, x, dt)

    return njit(error_model="numpy", forceinline=True)(ones if factor is None else amplitudes)


@lru_cache(maxsize=1)
def _nothing_to_settle() -> Any:
    """The `settle` of paths that leave nowhere."""

    def settle(
        numbers: Array, scale: float, origins: Array, x: Array, noise: Array, lane: int, age: int, n: int,
        path: int, ends: Ends,
    ) -> None:  # fmt: skip
        pass

    return locked(settle, SETTLE, digest("nothing to settle"))


@njit(error_model="numpy")
def unresolved(
    slope: Callable[..., Point], params: tuple[float, ...], x0: Point, clock: tuple[float, float],
    last: Point, here: Point, shock: Point,
) -> bool:  # fmt: skip
    """True if the paths of the equation would not take the step from `last` to `here` with the noise `shock`.

    Either dt times the curvature along the step exceeds the stability limit of the schemes at `last`, or the drift of
    this one step carried the path far: over many noise steps and over a good part of its way from the start.
    """
    dt, scale = clock
    move, drift, way, size = 0.0, 0.0, 0.0, 0.0
    for j in range(len(x0)):
        move += (here[j] - last[j]) ** 2
        drift += (here[j] - last[j] - shock[j]) ** 2
        way += (here[j] - x0[j]) ** 2
        size = max(size, abs(last[j]))
    if drift > (_NOISE_STEPS * scale) ** 2 and drift > _SHARE**2 * way:
        return True
    length = max(_PROBE * scale, 1e-7 * size)  # longer than what rounding makes of the difference
    ahead = add(last, length / np.sqrt(move), add(here, -1.0, last))
    at_last, further = slope(last, *params), slope(ahead, *params)
    steeper = 0.0
    for j in range(len(x0)):
        steeper += (further[j] - at_last[j]) * (here[j] - last[j])
    return dt * steeper > _UNSTABLE * length * np.sqrt(move)
