"""Equations: a drift that may depend on time, with additive noise. A landscape stands for that of its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from numba import njit

from ..core import checks
from ..core.arrays import writes_into
from ..core.captured import OPTIONS
from ..core.compile import by_content, compiled, require_compiles
from ..core.points import Point, replaced
from ..core.portable import Portable
from .array_steps import ARRAY_SOLVERS, ArrayStep, array_step, downhill_into
from .landscapes import Coordinates, Landscape

Step = Callable[[tuple[float, ...], float, Point, Point, float], Point]


@dataclass(frozen=True)
class Equation(Portable):
    """The equation ``dX = b(t, X) dt + dZ`` with the drift ``b = drift(t, x, *params)``, a plain or njit function.

    drift : In one dimension `x` and the drift are floats; in `dim` dimensions both are tuples of floats. In many
        dimensions both are arrays, and the drift is written into the second, ``drift(t, x, out, *params)``; the name
        `out` tells this form. The drift has its minus sign: for a landscape it is ``-gradient``.
    params : the numbers that the drift takes after x. They can change without compiling.
    dim : the dimension of the state.
    channels : the number of components of the noise Z, None for `dim`. Fewer components drive the last coordinates of
        the state only, as in ``dx = v dt``, ``dv = -(gradient + friction v) dt + dZ``, which has ``dim = 2`` and
        ``channels = 1``.
    name : a name for tables and messages.
    landscape : the landscape whose gradient is minus the drift, if there is one. Continuous time needs it.

    `first_passage` and `simulate_paths` take an equation wherever they take a landscape. As with a `Landscape`, every
    run uses the present values of what the drift captures, and an equation can be pickled. Raises TypeError for an
    object that is no such function, and ValueError for a drift that does not compile and for `channels` outside
    1 ... `dim`.

    >>> from fbmsde import FractionalNoise, simulate_paths
    >>> forced = Equation(lambda t, x, a: 2.0 * t - a * x, params=(0.0,))
    >>> paths = simulate_paths(forced, FractionalNoise(0.5, sigma=1e-9), 0.0, dt=0.01, n_steps=100, n_paths=1, seed=1)
    >>> paths.values[0, -1].round(6)
    np.float64(0.99)
    """

    drift: Callable[..., Coordinates | None]
    params: tuple[float, ...] = ()
    dim: int = 1
    channels: int | None = None
    name: str = "equation"
    landscape: Landscape | None = None

    _functions: ClassVar[tuple[str, ...]] = ("drift",)

    def __post_init__(self) -> None:
        dim = checks.count("dim", self.dim)
        channels = dim if self.channels is None else checks.count("channels", self.channels)
        if channels > dim:
            raise ValueError(f"channels must be at most dim = {dim}, got {channels}.")
        values = {"dim": dim, "params": checks.numbers("params", self.params), "channels": channels}
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self._compiled()

    @property
    def n_channels(self) -> int:
        """The number of components of the noise."""
        return self.dim if self.channels is None else self.channels

    @property
    def wide(self) -> bool:
        """Whether points are arrays: the drift writes into `out`."""
        return self.dim > 1 and writes_into(self.drift, timed=True)

    def array_step(self, solver: str) -> ArrayStep:
        """The compiled step ``step(params, t, x, noise, dt, out, work)`` of an equation that is `wide`.

        It writes the point after x (dim,) into `out`; `noise` holds the increments of the channels, and the rows of
        `work` are room for WORK arrays of `dim` numbers. `solver` is a key of `ARRAY_SOLVERS`.
        """
        step: ArrayStep = array_step(self._compiled(), compiled(ARRAY_SOLVERS[solver]))
        return step

    def array_drift(self) -> Callable[..., None]:
        """The compiled drift of an equation that is `wide`."""
        drift: Callable[..., None] = self._compiled()
        return drift

    def slope(self) -> Callable[..., Point]:
        """Minus the drift as a compiled function ``slope(x, t, *params)`` from tuples to tuples."""
        slope: Callable[..., Point] = _slope(self._compiled(), self.dim)
        return slope

    def step(self, solver: Callable[..., Point]) -> Step:
        """The compiled step ``step(params, t, x, increment, dt) -> x`` of a solver for this equation.

        `x` is a tuple of `dim` floats, `increment` one of the `channels` increments of the noise.
        """
        step: Step = _step(self._compiled(), compiled(solver), self.dim, self.n_channels)
        return step

    def _compiled(self) -> Any:
        """The drift, checked and compiled with the present values of what it captures."""
        sizes = self.dim, len(self.params)
        require_compiles("drift", self.drift, *sizes, vector=True, timed=True, arrays=self.wide)
        return compiled(self.drift)


def overdamped(landscape: Landscape) -> Equation:
    """The equation ``dX = -gradient(X) dt + dZ`` that a bare landscape stands for.

    >>> from fbmsde import quadratic
    >>> overdamped(quadratic(2.0)).drift(0.0, 1.5, 2.0)
    -3.0
    """
    if landscape.wide:
        drift = downhill_into(landscape.array_gradient)
    else:
        drift = _downhill(landscape.point_gradient, landscape.dim)
    return Equation(drift, landscape.params, landscape.dim, name=landscape.name, landscape=landscape)


def as_equation(equation: Equation | Landscape) -> Equation:
    """The equation itself, or the one that a landscape stands for; TypeError for anything else."""
    if isinstance(equation, Equation):
        return equation
    checks.kind("landscape", equation, Landscape, "Write Landscape(potential, gradient) for functions.")
    return overdamped(equation)


@by_content
def _downhill(gradient: Any, dim: int) -> Any:
    """Minus a gradient of points, as the drift of an equation."""

    def on_floats(t: float, x: float, *params: float) -> float:
        return -gradient((x,), *params)[0]

    def on_points(t: float, x: Point, *params: float) -> Point:
        slope = gradient(x, *params)
        for j in range(len(x)):
            slope = replaced(slope, j, -slope[j])
        return slope

    return njit(**OPTIONS)(on_points if dim > 1 else on_floats)


@by_content
def _slope(drift: Any, dim: int) -> Any:
    """Minus the drift as a function from tuples to tuples, which takes the time after the point, like a parameter."""

    def on_floats(x: Point, t: float, *params: float) -> Point:
        return (-1.0 * drift(t, x[0], *params),)

    def on_points(x: Point, t: float, *params: float) -> Point:
        moved, result = drift(t, x, *params), x
        for j in range(len(x)):
            result = replaced(result, j, -1.0 * moved[j])
        return result

    return njit(**OPTIONS)(on_points if dim > 1 else on_floats)


@by_content
def _step(drift: Any, solver: Any, dim: int, channels: int) -> Any:
    """The step of a solver for an equation. The solver sees time as one more coordinate, with drift 1 and no noise."""
    uphill, idle = _slope(drift, dim), (0.0,) * (dim - channels)

    @njit(**OPTIONS)
    def slope(y: Point, *params: float) -> Point:
        return uphill(y[:dim], y[dim], *params) + (-1.0,)

    def driven_everywhere(params: tuple[float, ...], t: float, x: Point, increment: Point, dt: float) -> Point:
        return solver(slope, params, x + (t,), increment + (0.0,), dt)[:dim]

    def driven_behind(params: tuple[float, ...], t: float, x: Point, increment: Point, dt: float) -> Point:
        return solver(slope, params, x + (t,), idle + increment + (0.0,), dt)[:dim]

    return njit(**OPTIONS)(driven_everywhere if channels == dim else driven_behind)
