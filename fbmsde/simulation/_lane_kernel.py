"""The kernel of exits on a grid: lanes of paths, each step for all of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..core.points import Point, add, is_finite, load, load_step, scaled, store
from ..core.states import BROKEN, CENSORED, LEFT, NO_LEVEL, RUNNING, UNRESOLVED
from ..drivers.base import BLOCK, LANES

_UNSTABLE = 2.0  # dt times curvature beyond which both schemes amplify a displacement
_PROBE = 1e-2  # length of the probe of the curvature, in standard deviations of the noise of a step
_NOISE_STEPS = 10.0  # a drift that carries a path further than so many noise steps
_SHARE = 0.1  # and further than this share of its way from the start follows no curve


class Domain(NamedTuple):
    """A domain: the compiled tests for its outside and for points without a level, and their parameters.

    Kernels take the three apart, as a named tuple costs numba some 30 microseconds a call.
    """

    outside: Any
    undefined: Any
    bounds: Any


@njit(error_model="numpy", forceinline=True)
def outside_interval(x: Point, lower: float, upper: float) -> bool:
    """True unless the point lies strictly between the bounds."""
    return not ((x[0] > lower) & (x[0] < upper))


@njit(error_model="numpy", forceinline=True)
def never_undefined(x: Point, lower: float, upper: float) -> bool:
    """False: an interval says of every point whether it lies inside."""
    return False


@njit(error_model="numpy", forceinline=True)
def _walk(
    step: Any, gradient: Any, params: Any, outside: Any, bounds: Any,
    x0: Point, clock: Any, x: NDArray, moved: NDArray, noise: NDArray, masks: NDArray,
) -> int:  # fmt: skip
    """Advance all lanes BLOCK steps from `x` to `moved` and return the union of their masks.

    Bit s of masks[lane] is set if the path was outside after step s of this block; bit BLOCK + s if it was inf or nan.
    """
    dt, scale = clock
    events = 0
    for lane in range(x.shape[1]):
        point = load(x0, x, lane)
        mask = 0
        for s in range(BLOCK):
            point = step(gradient, params, point, scaled(scale, load_step(x0, noise, s, lane)), dt)
            mask |= (1 << s) if outside(point, *bounds) else 0
            mask |= 0 if is_finite(point) else (1 << (BLOCK + s))
        store(point, moved, lane)
        masks[lane] = mask
        events |= mask
    return events


@njit(error_model="numpy", nogil=True)
def _verdict(mask: int, age: int, n_steps: int) -> tuple[int, int]:
    """State and step number of a lane that was `age` steps old before the block with this mask."""
    for s in range(min(BLOCK, n_steps - age)):
        if mask & ((1 << s) | (1 << (BLOCK + s))):
            return (BROKEN if mask & (1 << (BLOCK + s)) else LEFT), age + s + 1
    return (CENSORED if age + BLOCK >= n_steps else RUNNING), n_steps


@njit(error_model="numpy")
def unresolved(gradient: Any, params: Any, x0: Point, clock: Any, last: Point, here: Point, shock: Point) -> bool:
    """True if the step from `last` to `here` with the noise `shock` is none that the equation's paths take.

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
    slope, further = gradient(last, *params), gradient(ahead, *params)
    steeper = 0.0
    for j in range(len(x0)):
        steeper += (further[j] - slope[j]) * (here[j] - last[j])
    return dt * steeper > _UNSTABLE * length * np.sqrt(move)


@njit(error_model="numpy")
def _seen_again(
    step: Any, gradient: Any, params: Any, undefined: Any, bounds: Any,
    x0: Point, clock: Any, before: NDArray, noise: NDArray, lane: int, n: int,
) -> int:  # fmt: skip
    """What the n-th step of the block was, in which a lane left at a finite point: LEFT, UNRESOLVED or NO_LEVEL."""
    dt, scale = clock
    here = load(x0, before, lane)
    last, shock = here, here
    for s in range(n):
        last, shock = here, scaled(scale, load_step(x0, noise, s, lane))
        here = step(gradient, params, here, shock, dt)
    if undefined(here, *bounds):
        return NO_LEVEL
    return UNRESOLVED if unresolved(gradient, params, x0, clock, last, here, shock) else LEFT


@njit(error_model="numpy", nogil=True)
def exit_steps(
    start: Any, draw: Any, source: Any, step: Any, gradient: Any, params: Any,
    outside: Any, undefined: Any, bounds: Any,
    x0: Point, clock: Any, n_steps: int, queue: NDArray, steps: NDArray, states: NDArray, control: NDArray,
) -> None:  # fmt: skip
    """Exit step and state of the queued paths; control[0] asks to stop, control[1] counts finished paths."""
    x, before, noise = np.empty((len(x0), LANES)), np.empty((len(x0), LANES)), np.zeros((len(x0), BLOCK, LANES))
    masks, born, paths = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64), np.full(LANES, -1)
    for lane in range(LANES):
        store(x0, x, lane)
        start(source, lane, queue[min(lane, queue.size - 1)])  # a lane without a path runs along unread
        if lane < queue.size:
            paths[lane] = queue[lane]
    upcoming, now, deadline = min(LANES, queue.size), 0, n_steps
    while control[1] < queue.size and control[0] == 0:
        draw(source, noise)
        x, before = before, x
        events = _walk(step, gradient, params, outside, bounds, x0, clock, before, x, noise, masks)
        now += BLOCK
        if events == 0 and now < deadline:
            continue
        deadline = now + n_steps
        for lane in range(LANES):
            age = now - BLOCK - born[lane]
            state, when = _verdict(masks[lane], age, n_steps)
            if state == LEFT and paths[lane] >= 0:
                state = _seen_again(
                    step, gradient, params, undefined, bounds, x0, clock, before, noise, lane, when - age
                )
            if state != RUNNING:
                store(x0, x, lane)
                born[lane] = now
                if paths[lane] >= 0:
                    steps[paths[lane]], states[paths[lane]] = when, state
                    control[1] += 1
                    paths[lane] = -1
                    if upcoming < queue.size:
                        paths[lane] = queue[upcoming]
                        start(source, lane, queue[upcoming])
                        upcoming += 1
            deadline = min(deadline, born[lane] + n_steps)
