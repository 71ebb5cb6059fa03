"""What moves a path: the protocol that equations, chains, walls and resets share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from ..core import checks
from ..core.points import Point
from ..core.types import Array
from .landscapes import Landscape
from .solvers import SolverName

Step = Callable[[tuple[float, ...], float, Point, Point, float], Point]
Slope = Callable[..., Point]
Factor = Callable[[tuple[float, ...], float, Point, float], Point]


@runtime_checkable
class Dynamics(Protocol):
    """What moves the state of a path: an `Equation`, a `Chain`, or one of them with walls or with resets.

    name : a name for tables and messages.
    dim : the number of coordinates of the state.
    n_channels : the number of components of the noise.
    n_positions : the number of leading coordinates that domains test. The others are velocities and the like.
    n_shown : the number of leading coordinates that `Paths` hold.
    params : the numbers that the step takes. They can change without compiling.
    unit_step : True for a chain, whose step is a unit of time.
    reset_rate : how often a unit of time the last component of the noise is to be positive, and otherwise 0; that
        component is none of the driver's. 0 where all components are.
    """

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    @property
    def n_channels(self) -> int: ...

    @property
    def n_positions(self) -> int: ...

    @property
    def n_shown(self) -> int: ...

    @property
    def reset_rate(self) -> float: ...

    @property
    def params(self) -> tuple[float, ...]: ...

    @property
    def unit_step(self) -> bool: ...

    def states(self, points: Array) -> Array:
        """States (n, dim) of starts given by their coordinates (n, dim), or by their positions alone."""

    def step(self, solver: Callable[..., Point]) -> Step:
        """The compiled step ``step(params, t, x, increment, dt) -> x`` by a solver.

        `x` is a tuple of `dim` floats, `increment` one of the `n_channels` increments of the noise.
        """

    def slope(self) -> Slope | None:
        """Minus the drift as a compiled function ``slope(x, t, *params)`` from tuples to tuples.

        It tells whether a step was so long that the drift was not resolved. None where every exit is one: for a chain,
        and where the noise drives some of the coordinates only.
        """

    def factor(self) -> Factor | None:
        """The amplitude as a compiled function ``factor(params, t, x, dt)`` to `n_channels` floats; None for 1."""

    def schedule(self, n_steps: int) -> Array:
        """What the step takes as its last parameter at each of so many steps (n_steps,); empty where it takes none."""

    def gradient_system(self) -> Landscape:
        """The landscape, if it moves as ``dX = -gradient(X) dt + dZ``; otherwise ValueError with the reason."""

    def require(self, solver: SolverName, dt: float, hurst: float | None) -> None:
        """Raise an error unless the solver called `solver` may move it by steps of `dt`.

        `hurst` is the smallest Hurst parameter of the components of fractional noise, None for any other noise.
        """


@runtime_checkable
class ArrayDynamics(Protocol):
    """What moves paths of arrays, where it is `wide`: an `Equation` or a `Chain`."""

    @property
    def wide(self) -> bool:
        """Whether points are arrays."""

    def array_step(self, solver: SolverName) -> Callable[..., None]:
        """The compiled step ``step(params, t, x, noise, dt, out, work)``, which writes the point after x into `out`.

        `noise` holds the increments of the channels, and the rows of `work` are room for arrays of `dim` numbers.
        """

    def array_drift(self) -> Callable[..., None] | None:
        """The compiled drift ``drift(t, x, out, *params)``; None where every exit is one."""


def takes_arrays(dynamics: Dynamics) -> bool:
    """Whether paths are moved as arrays."""
    return getattr(dynamics, "wide", False) and isinstance(dynamics, ArrayDynamics)


def filled(points: Array, n_positions: int, dim: int) -> Array:
    """States (n, dim) from points (n, dim), or from positions (n, n_positions), with zeros behind them.

    >>> filled(np.array([[1.0], [2.0]]), 1, 2)
    array([[1., 0.],
           [2., 0.]])
    """
    given = points.shape[1]
    if given not in (n_positions, dim):
        whole = f"{dim} coordinates" if n_positions == dim else f"{n_positions} coordinates, or {dim} with velocities"
        raise ValueError(f"x0 must have {whole}, got shape {points.shape[1:]}.")
    return np.hstack([points, np.zeros((len(points), dim - given))])


def at_most(name: str, value: int | None, dim: int) -> int | None:
    """The number as an int from 1 to `dim`, or None.

    >>> at_most("channels", 1, 2)
    1
    """
    if value is not None and checks.count(name, value) > dim:
        raise ValueError(f"{name} must be at most dim = {dim}, got {value}.")
    return value if value is None else int(value)
