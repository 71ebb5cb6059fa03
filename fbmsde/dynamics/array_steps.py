"""Steps of equations in many dimensions, whose points are arrays: the twins of `solvers` that write into arrays.

A solver is a compiled function ``step(drift, params, t, x, noise, dt, out, work)``. It writes the point after x (d,)
into `out`. The drift is ``drift(t, x, out, *params)``. `noise` holds the increments of the last coordinates; those
before have none. `work` (WORK, d) is room.
"""

from __future__ import annotations

from collections.abc import Callable

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
def array_step(drift: Callable[..., None], solver: Callable[..., None]) -> ArrayStep:
    """The step of a solver for a compiled drift.

    >>> import numpy as np
    >>> def double(t, x, out):
    ...     out[:] = 2.0 * x
    >>> out = np.empty(2)
    >>> array_step(double, euler_into)((), 0.0, np.ones(2), np.array([0.25]), 0.5, out, np.empty((WORK, 2)))
    >>> out
    array([2.  , 2.25])
    """

    def step(
        params: tuple[float, ...], t: float, x: Array, noise: Array, dt: float, out: Array, work: Array
    ) -> None:  # fmt: skip
        solver(drift, params, t, x, noise, dt, out, work)

    compiled_step: ArrayStep = njit(**OPTIONS)(step)
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
