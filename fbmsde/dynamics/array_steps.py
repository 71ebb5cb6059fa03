"""Steps of equations in many dimensions, whose points are arrays: the twins of `solvers` that write into arrays.

A solver is a compiled function ``step(drift, params, t, x, noise, dt, out, work)``. It writes the point after x (d,)
into `out`. The drift is ``drift(t, x, out, *params)``. `noise` holds the increments of the last coordinates; those
before have none. A step may change it. `work` (WORK, d) is room.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

from ..core.captured import OPTIONS
from ..core.compile import by_content
from ..core.types import Array

ArrayStep = Callable[[tuple[float, ...], float, Array, Array, float, Array, Array], None]

WORK = 2  # arrays that a step needs besides the points


@njit(error_model="numpy", forceinline=True)
def _move(x: Array, dt: float, drift: Array, noise: Array, out: Array) -> None:
    """Write ``x + dt drift + noise`` into `out`."""
    quiet = x.size - noise.size
    for j in range(quiet):
        out[j] = x[j] + dt * drift[j]
    for j in range(quiet, x.size):
        out[j] = x[j] + dt * drift[j] + noise[j - quiet]


@njit(error_model="numpy", forceinline=True)
def euler_into(
    drift: Callable[..., None], params: tuple[float, ...], t: float, x: Array, noise: Array, dt: float, out: Array,
    work: Array,
) -> None:  # fmt: skip
    """The scheme of `solvers.euler`."""
    rise = work[0]
    drift(t, x, rise, *params)
    _move(x, dt, rise, noise, out)


@njit(error_model="numpy", forceinline=True)
def heun_into(
    drift: Callable[..., None], params: tuple[float, ...], t: float, x: Array, noise: Array, dt: float, out: Array,
    work: Array,
) -> None:  # fmt: skip
    """The scheme of `solvers.heun`."""
    rise, predicted = work[0], work[1]
    drift(t, x, rise, *params)
    _move(x, dt, rise, noise, predicted)
    _move(x, 0.5 * dt, rise, noise, out)
    drift(t + dt, predicted, rise, *params)
    for j in range(x.size):
        out[j] += 0.5 * dt * rise[j]


ARRAY_SOLVERS: dict[str, Callable[..., None]] = {"euler": euler_into, "heun": heun_into}


@by_content
def array_step(
    drift: Callable[..., None], solver: Callable[..., None], factor: Callable[..., float] | None = None
) -> ArrayStep:
    """The step of a solver for a compiled drift, with a factor of the noise at the middle of the step, None for 1.

    >>> import numpy as np
    >>> def double(t, x, out):
    ...     out[:] = 2.0 * x
    >>> out = np.empty(2)
    >>> array_step(double, euler_into)((), 0.0, np.ones(2), np.array([0.25]), 0.5, out, np.empty((WORK, 2)))
    >>> out
    array([2.  , 2.25])
    """

    strength: Any = factor

    def step(
        params: tuple[float, ...], t: float, x: Array, noise: Array, dt: float, out: Array, work: Array
    ) -> None:  # fmt: skip
        solver(drift, params, t, x, noise, dt, out, work)

    def amplified(
        params: tuple[float, ...], t: float, x: Array, noise: Array, dt: float, out: Array, work: Array
    ) -> None:  # fmt: skip
        size = strength(params, t + 0.5 * dt)
        for j in range(noise.size):
            noise[j] *= size
        solver(drift, params, t, x, noise, dt, out, work)

    compiled_step: ArrayStep = njit(**OPTIONS)(step if factor is None else amplified)
    return compiled_step


@by_content
def array_factor(amplitude: Callable[..., float]) -> Callable[..., float]:
    """An amplitude of time as a function ``factor(params, t)``.

    >>> array_factor(lambda t, a: a * t)((3.0,), 2.0)
    6.0
    """

    def factor(params: tuple[float, ...], t: float) -> float:
        return 1.0 * amplitude(t, *params)

    compiled_factor: Callable[..., float] = njit(**OPTIONS)(factor)
    return compiled_factor


@by_content
def chain_step(update: Callable[..., None], channels: int) -> ArrayStep:
    """The step of a chain whose ``update(k, x, noise, out, *params)`` writes into an array.

    >>> import numpy as np
    >>> def add(k, x, noise, out):
    ...     out[:] = x + noise
    >>> out = np.empty(2)
    >>> chain_step(add, 2)((), 0.0, np.ones(2), np.array([0.5, 0.0]), 1.0, out, np.empty((WORK, 2)))
    >>> out
    array([1.5, 1. ])
    """

    def step(
        params: tuple[float, ...], t: float, x: Array, noise: Array, dt: float, out: Array, work: Array
    ) -> None:  # fmt: skip
        update(t, x, noise, out, *params)

    def by_number(
        params: tuple[float, ...], t: float, x: Array, noise: Array, dt: float, out: Array, work: Array
    ) -> None:  # fmt: skip
        update(t, x, noise[0], out, *params)

    compiled_step: ArrayStep = njit(**OPTIONS)(by_number if channels == 1 else step)
    return compiled_step


@by_content
def downhill_into(gradient: Callable[..., None]) -> Callable[..., None]:
    """Minus a gradient of arrays, as the drift of an equation.

    >>> import numpy as np
    >>> def double(x, out):
    ...     out[:] = 2.0 * x
    >>> downhill_into(double)(0.0, np.ones(2), out := np.empty(2))
    >>> out
    array([-2., -2.])
    """

    def drift(t: float, x: Array, out: Array, *params: float) -> None:
        gradient(x, out, *params)
        for j in range(out.size):
            out[j] = -out[j]

    compiled_drift: Callable[..., None] = njit(**OPTIONS)(drift)
    return compiled_drift


@by_content
def falling_into(gradient: Callable[..., None], dim: int) -> Callable[..., None]:
    """The drift of a position and a velocity, `dim` coordinates each, under friction.

    >>> import numpy as np
    >>> def double(x, out):
    ...     out[:] = 2.0 * x
    >>> falling_into(double, 1)(0.0, np.array([1.0, 3.0]), out := np.empty(2), 0.5, 1.0)
    >>> out
    array([ 3. , -3.5])
    """

    def drift(t: float, y: Array, out: Array, friction: float, mass: float, *params: float) -> None:
        x, v, rise, fall = y[:dim], y[dim:], out[:dim], out[dim:]
        gradient(x, fall, *params)
        for j in range(dim):
            rise[j] = v[j]
            fall[j] = -1.0 / mass * (fall[j] + friction * v[j])

    compiled_drift: Callable[..., None] = njit(**OPTIONS)(drift)
    return compiled_drift


@by_content
def descent_into(
    gradient: Callable[..., None], amplitude: Callable[..., float] | None, dim: int, inert: bool, nesterov: bool
) -> Callable[..., None]:
    """The update of a chain of gradient descent, twin of those of `descent` with one amplitude for all coordinates.

    >>> import numpy as np
    >>> def double(x, out):
    ...     out[:] = 2.0 * x
    >>> update = descent_into(double, None, 2, False, False)
    >>> update(0.0, np.ones(2), np.array([0.0, 1.0]), out := np.empty(2), 0.0, 0.0, 0.25)
    >>> out
    array([0.5 , 0.25])
    """

    @njit(**OPTIONS)
    def one(x: Array, *params: float) -> float:
        return 1.0

    size = one if amplitude is None else amplitude

    @njit(**OPTIONS)
    def fall(x: Array, noise: Array, out: Array, decay: float, numbers: tuple[float, ...]) -> None:
        params, rate = numbers[:-1], numbers[-1]
        strength = size(x, *params)
        gradient(x, out, *params)
        for j in range(dim):
            out[j] = -rate * (out[j] + decay * x[j] + strength * noise[j])

    def plain(k: float, x: Array, noise: Array, out: Array, beta: float, decay: float, *numbers: float) -> None:
        fall(x, noise, out, decay, numbers)
        for j in range(dim):
            out[j] += x[j]

    def heavy(k: float, y: Array, noise: Array, out: Array, beta: float, decay: float, *numbers: float) -> None:
        x, v, onward, faster = y[:dim], y[dim:], out[:dim], out[dim:]
        fall(x, noise, faster, decay, numbers)
        for j in range(dim):
            faster[j] += beta * v[j]
            onward[j] = x[j] + faster[j]

    def ahead(k: float, y: Array, noise: Array, out: Array, beta: float, decay: float, *numbers: float) -> None:
        x, v, onward, faster = y[:dim], y[dim:], out[:dim], out[dim:]
        fall(x, noise, faster, decay, numbers)
        for j in range(dim):
            move = faster[j]
            faster[j] = move + beta * v[j]
            onward[j] = x[j] + beta * faster[j] + move

    update: Callable[..., None] = njit(**OPTIONS)(ahead if nesterov else heavy if inert else plain)
    return update
