"""Equations: a drift and an amplitude that may depend on time. A landscape stands for that of its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numba import njit

from ..core import checks
from ..core.arrays import writes_into
from ..core.brief import brief
from ..core.captured import OPTIONS
from ..core.compile import Form, as_floats, by_content, compiled, require_compiles
from ..core.points import Point, add, replaced, scaled, times
from ..core.portable import Portable
from ..core.types import Array
from .array_steps import ARRAY_SOLVERS, ArrayStep, array_factor, array_step, downhill_into
from .base import Dynamics, Step, at_most, filled
from .landscapes import Coordinates, Landscape
from .solvers import CALCULI, Calculus, SolverName

_ROUGHEST = 1.0 / 6.0  # the Hurst parameter at which the sum of errors of size dt^(6 H), one a step, no longer falls


@brief
@dataclass(frozen=True)
class Equation(Portable):
    """The equation ``dX = b(t, X) dt + s(t, X) dZ`` with ``b = drift(t, x, *params)``, a plain or njit function.

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
    positions : the number of leading coordinates that domains test, None for all of them. A start may be given by its
        positions alone; the coordinates behind them then begin at 0.
    amplitude : the factor s of each component of the noise, a float for one component, a tuple of floats for several;
        None for 1. Where points are arrays it is one float for all components, and depends on time alone.
    calculus : what s dZ means; it must be named where there is an amplitude.

        "additive" : ``s = amplitude(t, *params)`` depends on time alone. The integral of s against Z is that of
            Wiener or Young at every H. Each step takes s at its middle.
        "chain" : ``s = amplitude(t, x, *params)``, and the equation is the chain ``x + b dt + s(t, x) increment`` of
            the solver `euler` as it is, under any driver. As dt falls it tends to the integral of Ito for independent
            increments, to that of Young for fractional noise with H > 1/2, and to nothing for H < 1/2, where its
            result belongs to its dt.
        "stratonovich" : ``s = amplitude(t, x, *params)``, and within a step Z moves along a straight line. The limit is
            the integral of Stratonovich at H = 1/2 and that of Young above. For H < 1/2 the noise must have one
            component; the equation then is that of Doss (1977) and Sussmann (1978), whose solution depends
            continuously on the path of Z, and the solver is `rk4`.

    `first_passage` and `simulate_paths` take an equation wherever they take a landscape. As with a `Landscape`, every
    run uses the present values of what its functions capture, and an equation can be pickled. Raises TypeError for an
    object that is no such function, and ValueError for a function that does not compile, for `channels` and `positions`
    outside 1 ... `dim`, and for an amplitude without a calculus. A run raises ValueError for a solver or a Hurst
    parameter that the calculus does not allow, and TypeError for the calculus of Stratonovich under another noise than
    a fractional one, because jumps would need another integral.

    >>> from fbmsde import FractionalNoise, simulate_paths
    >>> forced = Equation(lambda t, x, a: 2.0 * t - a * x, params=(0.0,))
    >>> paths = simulate_paths(forced, FractionalNoise(0.5, sigma=1e-9), 0.0, dt=0.01, n_steps=100, n_paths=1, seed=1)
    >>> paths.values[0, -1].round(6)
    np.float64(0.99)
    >>> Equation(lambda t, x: -x, amplitude=lambda t, x: 1.0 + x * x, calculus="chain").n_channels
    1
    """

    drift: Callable[..., Coordinates | None]
    params: tuple[float, ...] = ()
    dim: int = 1
    channels: int | None = None
    name: str = "equation"
    landscape: Landscape | None = None
    positions: int | None = None
    amplitude: Callable[..., Coordinates] | None = None
    calculus: Calculus | None = None

    _functions: ClassVar[tuple[str, ...]] = ("drift", "amplitude")
    unit_step: ClassVar[bool] = False
    reset_rate: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        dim = checks.count("dim", self.dim)
        values = {"dim": dim, "params": checks.numbers("params", self.params)}
        values |= {name: at_most(name, getattr(self, name), dim) for name in ("channels", "positions")}
        values["calculus"] = _calculus(self.calculus, self.amplitude is not None)
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if self.wide and values["calculus"] != "additive":
            raise ValueError(
                f"calculus must be 'additive' where points are arrays, got {self.calculus!r}. "
                "An amplitude that depends on x needs points that are tuples."
            )
        self._drift()
        self.factor()

    @property
    def n_channels(self) -> int:
        """The number of components of the noise."""
        return self.dim if self.channels is None else self.channels

    @property
    def wide(self) -> bool:
        """Whether points are arrays: the drift writes into `out`."""
        return self.dim > 1 and writes_into(self.drift, place=2)

    def array_step(self, solver: SolverName) -> ArrayStep:
        """The compiled step ``step(params, t, x, noise, dt, out, work)`` of an equation that is `wide`.

        It writes the point after x (dim,) into `out`; `noise` holds the increments of the channels, and the rows of
        `work` are room for WORK arrays of `dim` numbers. `solver` is a key of `ARRAY_SOLVERS`.
        """
        step: ArrayStep = array_step(self._drift(), compiled(ARRAY_SOLVERS[solver]), self.factor())
        return step

    def array_drift(self) -> Callable[..., None] | None:
        """The compiled drift of an equation that is `wide`; None where the noise drives some coordinates only."""
        return self._drift() if self.n_channels == self.dim else None

    @property
    def n_positions(self) -> int:
        """The number of leading coordinates that domains test."""
        return self.dim if self.positions is None else self.positions

    @property
    def n_shown(self) -> int:
        """The number of coordinates that `Paths` hold, which is all."""
        return self.dim

    def states(self, points: Array) -> Array:
        """States (n, dim) of starts given by their coordinates (n, dim), or by their positions alone."""
        return filled(points, self.n_positions, self.dim)

    def slope(self) -> Callable[..., Point] | None:
        """Minus the drift as a compiled function ``slope(x, t, *params)`` from tuples to tuples.

        It is None where the noise drives some of the coordinates only.
        """
        return _slope(self._drift(), self.dim) if self.n_channels == self.dim else None

    def step(self, solver: Callable[..., Point]) -> Step:
        """The compiled step ``step(params, t, x, increment, dt) -> x`` of a solver for this equation.

        `x` is a tuple of `dim` floats, `increment` one of the `channels` increments of the noise.
        """
        parts, sizes = (self._drift(), compiled(solver), self.factor()), (self.dim, self.n_channels)
        smooth = self.calculus == "stratonovich"
        step: Step = _smooth_step(*parts, *sizes, len(self.params)) if smooth else _step(*parts, *sizes)
        return step

    def schedule(self, n_steps: int) -> Array:
        """Nothing: the step takes no number of its own at each step."""
        return np.empty(0)

    def gradient_system(self) -> Landscape:
        """The landscape; ValueError unless the equation is that of a landscape without an amplitude."""
        if self.landscape is None or self.amplitude is not None:
            raise ValueError(
                f"landscape must be a Landscape in continuous time, got {self.name!r}. Take monitoring='grid'."
            )
        return self.landscape

    def require(self, solver: SolverName, dt: float, hurst: float | None) -> None:
        """Raise an error unless the solver called `solver` has a meaning for this calculus and this noise.

        `hurst` is the smallest Hurst parameter of the components of fractional noise, None for any other noise.
        """
        if self.wide and solver not in ARRAY_SOLVERS:
            raise ValueError(f"solver must be {' or '.join(ARRAY_SOLVERS)} where points are arrays, got {solver!r}.")
        if self.calculus not in CALCULI.get(solver, ("additive",)):
            allowed = " or ".join(name for name, calculi in CALCULI.items() if self.calculus in calculi)
            raise ValueError(f"solver must be {allowed} for the calculus {self.calculus!r}, got {solver!r}.")
        if self.calculus == "stratonovich":
            _require_continuous(solver, hurst, self.n_channels)

    def _drift(self) -> Any:
        """The drift, checked and compiled with the present values of what it captures."""
        return require_compiles("drift", self.drift, Form.of_vector(self.dim, len(self.params), self.wide, timed=True))

    def factor(self) -> Callable[..., Point] | None:
        """The amplitude as a compiled function ``factor(params, t, x, dt)`` to `n_channels` floats; None for 1.

        Where points are arrays it is one float for all components.
        """
        if self.amplitude is None:
            return None
        if self.wide:
            require_compiles("amplitude", self.amplitude, Form((("t", 1),), len(self.params)))
            return array_factor(self.amplitude)
        timed = self.calculus == "additive"
        points = (("t", 1),) if timed else (("t", 1), ("x", self.dim))
        require_compiles("amplitude", self.amplitude, Form(points, len(self.params), self.n_channels))
        factor: Callable[..., Point] = _factor(self.amplitude, self.dim, self.n_channels, timed)
        return factor


def _calculus(calculus: Calculus | None, named: bool) -> str:
    """The calculus, "additive" where there is no amplitude; ValueError where an amplitude comes without one."""
    if calculus is None and named:
        raise ValueError(
            "calculus must be named for an amplitude, got None. Write 'additive' for an amplitude(t, *params) of time "
            "alone, 'chain' for the chain x + drift dt + amplitude(t, x, *params) dZ as it is (Ito's integral at "
            "H = 1/2), or 'stratonovich' for the limit of smooth noise."
        )
    if calculus is not None and not named and calculus != "additive":
        raise ValueError(f"calculus must be 'additive' without an amplitude, got {calculus!r}.")
    return checks.choice("calculus", calculus or "additive", ("additive", "chain", "stratonovich"))


def _require_continuous(solver: SolverName, hurst: float | None, channels: int) -> None:
    """Raise an error unless an equation in the calculus of Stratonovich has a solution that the solver tends to."""
    otherwise = "Take calculus='chain' for the chain itself."
    if hurst is None:
        raise TypeError(
            "noise must be FractionalNoise for the calculus 'stratonovich', got another one, for which the limit of "
            f"small steps is not settled here. {otherwise}"
        )
    if hurst < 0.5 and channels > 1:
        raise ValueError(
            f"hurst must be at least 1/2 for an amplitude under {channels} components of noise, got {hurst}. Below, "
            f"the path of the noise alone poses no equation: the areas between its components matter. {otherwise}"
        )
    if hurst < 0.5 and solver != "rk4":
        raise ValueError(f"solver must be 'rk4' for an amplitude at H < 1/2, got {solver!r} at {hurst}. {otherwise}")
    if hurst <= _ROUGHEST:
        raise ValueError(
            f"hurst must be larger than 1/6 for the calculus 'stratonovich', got {hurst}. The errors of the steps, of "
            f"the size dt^(6 H), do not add up to a small one. {otherwise}"
        )


def overdamped(
    landscape: Landscape, amplitude: Callable[..., Coordinates] | None = None, calculus: Calculus | None = None
) -> Equation:
    """The equation ``dX = -gradient(X) dt + s(X) dZ``, for which a bare landscape stands without the amplitude s.

    amplitude : ``s = amplitude(x, *landscape.params)``, a float in one dimension, a tuple of d floats in d dimensions;
        None for 1.
    calculus : "chain" or "stratonovich"; see `Equation`. It must be named where there is an amplitude.

    >>> from fbmsde import quadratic
    >>> overdamped(quadratic(2.0)).drift(0.0, 1.5, 2.0)
    -3.0
    >>> overdamped(quadratic(2.0), lambda x, a: 1.0 + a * x * x, "stratonovich").calculus
    'stratonovich'
    """
    if landscape.wide and amplitude is not None:
        raise ValueError("amplitude must be None where points are arrays. Take sgd(landscape, rate, amplitude=...).")
    if landscape.wide:
        drift = downhill_into(landscape.array_gradient)
    else:
        drift = _downhill(landscape.point_gradient, landscape.dim)
    noise = None if amplitude is None else _autonomous(amplitude, landscape)
    if calculus == "additive" and noise is not None:
        raise ValueError("calculus must be 'chain' or 'stratonovich' for an amplitude of x, got 'additive'.")
    equation = Equation(drift, landscape.params, landscape.dim, name=landscape.name, landscape=landscape)
    return equation if noise is None and calculus is None else replace(equation, amplitude=noise, calculus=calculus)


def _autonomous(amplitude: Callable[..., Coordinates], landscape: Landscape) -> Any:
    """An amplitude of the point alone as one of time and point."""
    require_compiles("amplitude", amplitude, Form.of_vector(landscape.dim, len(landscape.params)))
    return _timeless(amplitude)


@by_content
def _timeless(amplitude: Any) -> Any:
    """A function of the point as one of time and point."""

    def timed(t: float, x: Any, *params: float) -> Any:
        return amplitude(x, *params)

    return njit(**OPTIONS)(timed)


def as_equation(equation: Dynamics | Landscape) -> Dynamics:
    """The equation or the chain itself, or the equation of a landscape; TypeError for anything else."""
    if isinstance(equation, Landscape):
        return overdamped(equation)
    if not isinstance(equation, Dynamics):
        checks.kind("landscape", equation, Landscape, "Write Landscape(potential, gradient) for functions.")
    return equation


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
def _factor(amplitude: Any, dim: int, channels: int, timed: bool) -> Any:
    """The amplitude as a function ``factor(params, t, x, dt)`` to tuples, at the middle of a step where it is timed."""

    @njit(**OPTIONS)
    def one_number(value: float) -> Point:
        return (1.0 * value,)

    lift = one_number if channels == 1 else as_floats

    def of_time(params: tuple[float, ...], t: float, x: Point, dt: float) -> Point:
        return lift(amplitude(t + 0.5 * dt, *params))

    def of_float(params: tuple[float, ...], t: float, x: Point, dt: float) -> Point:
        return lift(amplitude(t, x[0], *params))

    def of_point(params: tuple[float, ...], t: float, x: Point, dt: float) -> Point:
        return lift(amplitude(t, x, *params))

    return njit(**OPTIONS)(of_time if timed else of_float if dim == 1 else of_point)


@by_content
def _step(drift: Any, solver: Any, factor: Any, dim: int, channels: int) -> Any:
    """The step of a solver for an equation. The solver sees time as one more coordinate, with drift 1 and no noise."""
    uphill, idle = _slope(drift, dim), (0.0,) * (dim - channels)

    @njit(**OPTIONS)
    def slope(y: Point, *params: float) -> Point:
        return uphill(y[:dim], y[dim], *params) + (-1.0,)

    @njit(**OPTIONS)
    def as_it_is(params: tuple[float, ...], t: float, x: Point, increment: Point, dt: float) -> Point:
        return increment

    @njit(**OPTIONS)
    def amplified(params: tuple[float, ...], t: float, x: Point, increment: Point, dt: float) -> Point:
        return times(factor(params, t, x, dt), increment)

    push = as_it_is if factor is None else amplified

    def driven_everywhere(params: tuple[float, ...], t: float, x: Point, increment: Point, dt: float) -> Point:
        return solver(slope, params, x + (t,), push(params, t, x, increment, dt) + (0.0,), dt)[:dim]

    def driven_behind(params: tuple[float, ...], t: float, x: Point, increment: Point, dt: float) -> Point:
        return solver(slope, params, x + (t,), idle + push(params, t, x, increment, dt) + (0.0,), dt)[:dim]

    return njit(**OPTIONS)(driven_everywhere if channels == dim else driven_behind)


@by_content
def _smooth_step(drift: Any, solver: Any, factor: Any, dim: int, channels: int, n_params: int) -> Any:
    """The step of a solver along the vector field ``b + s dZ/dt``, with Z a straight line within the step."""
    uphill, idle, still = _slope(drift, dim), (0.0,) * (dim - channels), (0.0,) * (dim + 1)

    @njit(**OPTIONS)
    def slope(y: Point, *numbers: float) -> Point:
        x, t, params, rates = y[:dim], y[dim], numbers[:n_params], numbers[n_params:]
        push = idle + times(factor(params, t, x, 0.0), rates)
        return add(uphill(x, t, *params), -1.0, push) + (-1.0,)

    @njit(**OPTIONS)
    def everywhere(y: Point, *numbers: float) -> Point:
        x, t, params, rates = y[:dim], y[dim], numbers[:n_params], numbers[n_params:]
        return add(uphill(x, t, *params), -1.0, times(factor(params, t, x, 0.0), rates)) + (-1.0,)

    field = everywhere if channels == dim else slope

    def step(params: tuple[float, ...], t: float, x: Point, increment: Point, dt: float) -> Point:
        return solver(field, params + scaled(1.0 / dt, increment), x + (t,), still, dt)[:dim]

    return njit(**OPTIONS)(step)
