"""What acts on any equation or chain in one dimension or more: walls that reflect, and resets to the start."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numba import njit

from ..core import checks
from ..core.brief import brief
from ..core.captured import OPTIONS
from ..core.compile import by_content
from ..core.points import Point, replaced
from ..core.types import Array
from .base import Dynamics, Factor, Slope, Step, takes_arrays
from .equation import as_equation
from .landscapes import Landscape
from .solvers import SolverName


@dataclass(frozen=True)
class _Around:
    """Dynamics around those of `inner`, which they are in all that a subclass does not change."""

    inner: Dynamics

    @property
    def name(self) -> str:
        """The name of the inner dynamics."""
        return self.inner.name

    @property
    def dim(self) -> int:
        """The dimension of the state."""
        return self.inner.dim

    @property
    def n_channels(self) -> int:
        """The number of components of the noise."""
        return self.inner.n_channels

    @property
    def n_positions(self) -> int:
        """The number of leading coordinates that domains test."""
        return self.inner.n_positions

    @property
    def n_shown(self) -> int:
        """The number of leading coordinates that `Paths` hold."""
        return self.inner.n_shown

    @property
    def params(self) -> tuple[float, ...]:
        """The numbers that the step takes."""
        return self.inner.params

    @property
    def unit_step(self) -> bool:
        """True for a chain."""
        return self.inner.unit_step

    @property
    def reset_rate(self) -> float:
        """The rate of resets."""
        return self.inner.reset_rate

    def states(self, points: Array) -> Array:
        """States (n, dim) of starts."""
        return self.inner.states(points)

    def schedule(self, n_steps: int) -> Array:
        """What the inner step takes at each step."""
        return self.inner.schedule(n_steps)

    def require(self, solver: SolverName, dt: float, hurst: float | None) -> None:
        """Raise an error unless the solver may move the inner dynamics."""
        self.inner.require(solver, dt, hurst)

    def gradient_system(self) -> NoReturn:
        """ValueError: continuous time knows neither walls nor resets."""
        raise ValueError(f"equation must be free of walls and resets in continuous time, got {self.name!r}. "
                         "Take monitoring='grid'.")  # fmt: skip


@brief
@dataclass(frozen=True)
class Reflected(_Around):
    """Dynamics in one dimension between walls; see `reflected`."""

    lower: float
    upper: float

    @property
    def params(self) -> tuple[float, ...]:
        """The walls, and behind them the numbers that the inner step takes."""
        return (self.lower, self.upper, *self.inner.params)

    def states(self, points: Array) -> Array:
        """States (n, 1) of starts; ValueError for one beyond a wall."""
        found = self.inner.states(points)
        beyond = ~((found >= self.lower) & (found <= self.upper))
        if beyond.any():
            raise ValueError(f"x0 must lie between the walls at {self.lower} and {self.upper}, got {found[beyond][0]}.")
        return found

    def step(self, solver: Callable[..., Point]) -> Step:
        """The inner step, and then the nearest point between the walls."""
        step: Step = _reflected_step(self.inner.step(solver))
        return step

    def slope(self) -> Slope | None:
        """Minus the drift between the walls."""
        inner = self.inner.slope()
        return None if inner is None else _behind_walls(inner)

    def factor(self) -> Factor | None:
        """The amplitude between the walls."""
        inner = self.inner.factor()
        return None if inner is None else _factor_behind_walls(inner)


@brief
@dataclass(frozen=True)
class Resetting(_Around):
    """Dynamics whose state goes back to its start now and then; see `resetting`.

    The state of a path holds its start behind the inner state, and the noise has one more component, which is positive
    at the steps with a reset.
    """

    rate: float

    @property
    def dim(self) -> int:
        """The dimension of the state with the start behind it."""
        return 2 * self.inner.dim

    @property
    def n_channels(self) -> int:
        """The number of components of the noise, with the one that tells of resets."""
        return self.inner.n_channels + 1

    @property
    def reset_rate(self) -> float:
        """The rate of resets."""
        return self.rate

    def states(self, points: Array) -> Array:
        """States (n, dim) of starts given as the inner dynamics take them."""
        inner = self.inner.states(points)
        return np.hstack([inner, inner])

    def step(self, solver: Callable[..., Point]) -> Step:
        """The inner step, or the start if the last component of the noise is positive."""
        step: Step = _resetting_step(self.inner.step(solver), self.inner.dim, self.inner.n_channels)
        return step

    def slope(self) -> None:
        """Nothing: every exit is one."""

    def factor(self) -> None:
        """Nothing."""


def reflected(
    equation: Dynamics | Landscape, lower: float | None = None, upper: float | None = None
) -> Reflected:  # fmt: skip
    """An equation or a chain in one dimension that walls at `lower` and `upper` keep in, as it is on a grid.

    After each step a point beyond a wall is put back onto the wall, ``x <- max(lower, min(upper, x))``; None is no
    wall. For free noise with a wall at 0 this is, in law, the running maximum ``max(0, S_1, ..., S_n)`` of its partial
    sums at every n, because the increments have the same law when their order is reversed.

    Raises ValueError for walls that cross, for none, and for an equation whose state is not one position. A run raises
    ValueError for a start beyond a wall. Continuous time is not offered.

    >>> from fbmsde import FractionalNoise, quadratic, simulate_paths
    >>> kept = simulate_paths(reflected(quadratic(1.0), lower=0.0), FractionalNoise(0.3), 0.5, dt=0.1, n_steps=100,
    ...                       n_paths=10, seed=1)
    >>> float(kept.values.min())
    0.0
    """
    inner = as_equation(equation)
    if inner.dim != 1:
        raise ValueError(f"equation must have a state of one position between walls, got {inner.dim} coordinates.")
    low, high = (
        far if wall is None else checks.number(name, wall)
        for name, wall, far in (("lower", lower, -math.inf), ("upper", upper, math.inf))
    )
    if not low < high:
        raise ValueError(f"lower must be less than upper, got walls at {low} and {high}.")
    if math.isinf(low) and math.isinf(high):
        raise ValueError("lower or upper must be finite, got no wall. Take the equation itself.")
    return Reflected(inner, low, high)


def resetting(equation: Dynamics | Landscape, rate: float) -> Resetting:
    """An equation or a chain whose state goes back to its start at random times, `rate` of them a unit of time.

    After each step it goes back with probability ``1 - exp(-rate dt)``, velocities included. The noise keeps its
    memory: at H = 1/2 the path begins anew, at other H what comes depends on what was. `rate` is positive. Resets have
    random numbers of their own, so that the noise is that of the equation without them. Continuous time is not offered.
    Raises ValueError for a rate that is not positive and for an equation that has
    resets already or whose points are arrays.

    >>> from fbmsde import FractionalNoise, first_passage, quadratic
    >>> quiet = FractionalNoise(0.5, 1e-9)
    >>> first_passage(resetting(quadratic(1.0), 0.5), quiet, 1.0, (0.1, 2.0), dt=0.01, horizon=10.0, n_paths=100,
    ...               seed=1).n_left < 100
    True
    """
    inner = as_equation(equation)
    if takes_arrays(inner):
        raise ValueError("equation must take points as tuples to be reset, got one that takes arrays.")
    if inner.reset_rate > 0.0:
        raise ValueError("equation must have no resets of its own, got one that has. Take one rate, the sum of both.")
    return Resetting(inner, checks.positive("rate", rate))


@by_content
def _reflected_step(inner: Any) -> Any:
    """A step between walls."""

    def step(params: tuple[float, ...], t: float, x: Point, increment: Point, dt: float) -> Point:
        moved = inner(params[2:], t, x, increment, dt)[0]
        low, high = params[0], params[1]
        return (low if moved < low else high if moved > high else moved,)

    return njit(**OPTIONS)(step)


@by_content
def _behind_walls(inner: Any) -> Any:
    """A slope whose first two parameters are walls."""

    def slope(x: Point, t: float, lower: float, upper: float, *params: float) -> Point:
        return inner(x, t, *params)

    return njit(**OPTIONS)(slope)


@by_content
def _factor_behind_walls(inner: Any) -> Any:
    """An amplitude whose first two parameters are walls."""

    def factor(params: tuple[float, ...], t: float, x: Point, dt: float) -> Point:
        return inner(params[2:], t, x, dt)

    return njit(**OPTIONS)(factor)


@by_content
def _resetting_step(inner: Any, dim: int, channels: int) -> Any:
    """A step that ends at the start of the path where the last component of the noise is positive."""

    def step(params: tuple[float, ...], t: float, x: Point, increment: Point, dt: float) -> Point:
        origin, back = x[dim:], increment[channels] > 0.0
        moved = inner(params, t, x[:dim], increment[:channels], dt)
        for j in range(dim):
            moved = replaced(moved, j, origin[j] if back else moved[j])
        return moved + origin

    return njit(**OPTIONS)(step)
