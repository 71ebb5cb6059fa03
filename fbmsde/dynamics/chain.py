"""Chains: maps that are iterated as they are, a step a unit of time, such as an optimizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import numpy as np
from numba import njit

from ..core import checks
from ..core.arrays import writes_into
from ..core.brief import brief
from ..core.captured import OPTIONS
from ..core.compile import Form, as_floats, baked, by_content, compiled, require_compiles
from ..core.points import Point
from ..core.portable import Portable
from ..core.types import Array
from .array_steps import ArrayStep, chain_step
from .base import Step, at_most, filled
from .landscapes import Coordinates
from .solvers import SolverName


@brief
@dataclass(frozen=True)
class Chain(Portable):
    """The chain ``x' = update(k, x, noise, *params)``, a plain or njit function, with one step a unit of time.

    update : from the number k = 0, 1, ... of the step as a float, the state, and the increment of the driver over a
        step of length 1, to the next state. In one dimension `x` and what comes back are floats; in `dim` dimensions
        they are tuples of floats. `noise` is a float for one component, a tuple for several. In many dimensions x and
        noise are arrays, and the next state is written into a third, ``update(k, x, noise, out, *params)``; the name
        `out` tells this form.
    params : the numbers that `update` takes after the noise. They can change without compiling.
    dim, channels, positions, name : as for an `Equation`.
    rate : a function ``rate(k)`` whose value at each step `update` takes behind `params`, such as a learning rate;
        see `schedules`. None for no such number.
    stability : what is known of the stability at each minimum; `sgd` fills it in. It is for reading only.

    `first_passage` and `simulate_paths` take a chain wherever they take an equation. `dt` is 1 and may be left out, a
    horizon is a number of steps, and there is no solver to choose. A chain has no continuous time. Raises TypeError and
    ValueError as an `Equation` does. A run raises ValueError for a rate that is negative or not finite at one of its
    steps.

    >>> from fbmsde import FractionalNoise, simulate_paths
    >>> sign = Chain(lambda k, x, noise, a: x - a * (1.0 if x + noise > 0.0 else -1.0), params=(0.25,))
    >>> simulate_paths(sign, FractionalNoise(0.5, 1e-9), 1.1, n_steps=6, n_paths=1, seed=0).values[0].round(2).tolist()
    [1.1, 0.85, 0.6, 0.35, 0.1, -0.15, 0.1]
    """

    update: Callable[..., Coordinates | None]
    params: tuple[float, ...] = ()
    dim: int = 1
    channels: int | None = None
    positions: int | None = None
    name: str = "chain"
    rate: Callable[[float], float] | None = None
    stability: tuple[Stability, ...] = ()

    _functions: ClassVar[tuple[str, ...]] = ("update", "rate")
    unit_step: ClassVar[bool] = True
    reset_rate: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        dim = checks.count("dim", self.dim)
        values = {"dim": dim, "params": checks.numbers("params", self.params)}
        values |= {name: at_most(name, getattr(self, name), dim) for name in ("channels", "positions")}
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self._update()
        if self.rate is not None:
            require_compiles("rate", self.rate, Form((("k", 1),)))

    @property
    def n_channels(self) -> int:
        """The number of components of the noise."""
        return self.dim if self.channels is None else self.channels

    @property
    def n_positions(self) -> int:
        """The number of leading coordinates that domains test."""
        return self.dim if self.positions is None else self.positions

    @property
    def n_shown(self) -> int:
        """The number of coordinates that `Paths` hold, which is all."""
        return self.dim

    @property
    def wide(self) -> bool:
        """Whether points are arrays: the update writes into `out`."""
        return self.dim > 1 and writes_into(self.update, place=3)

    def array_step(self, solver: SolverName) -> ArrayStep:
        """The compiled step ``step(params, k, x, noise, 1.0, out, work)`` of a chain that is `wide`."""
        step: ArrayStep = chain_step(self._update(), self.n_channels)
        return step

    def array_drift(self) -> None:
        """Nothing: a chain has no drift that a step could fail to resolve."""

    def states(self, points: Array) -> Array:
        """States (n, dim) of starts given by their coordinates (n, dim), or by their positions alone."""
        return filled(points, self.n_positions, self.dim)

    def step(self, solver: Callable[..., Point]) -> Step:
        """The compiled step ``step(params, k, x, increment, 1.0) -> x``. The solver is not used."""
        step: Step = _step(self._update(), self.dim, self.n_channels)
        return step

    def slope(self) -> None:
        """Nothing: a chain has no drift that a step could fail to resolve."""

    def factor(self) -> None:
        """Nothing: the noise is handed to `update` as it is."""

    def schedule(self, n_steps: int) -> Array:
        """The rates at the steps 0 ... n_steps - 1; ValueError for one that is negative or not finite."""
        if self.rate is None:
            return np.empty(0)
        rates = np.empty(n_steps)
        baked(_tabling, (compiled(self.rate),), (rates,))(rates)
        wrong = np.flatnonzero(~((rates >= 0.0) & (rates < np.inf)))
        if wrong.size:
            raise ValueError(
                f"rate must be finite and at least 0 at every step, got {rates[wrong[0]]:g} at step {wrong[0]} of "
                f"{n_steps}.{' A table must be as long as the run.' if np.isnan(rates[wrong[0]]) else ''}"
            )
        return rates

    def gradient_system(self) -> NoReturn:
        """ValueError: a chain has no continuous time."""
        raise ValueError(f"equation must not be a chain in continuous time, got {self.name!r}. Take monitoring='grid'.")

    def require(self, solver: SolverName, dt: float, hurst: float | None) -> None:
        """ValueError unless the step is 1 and the solver the default, of which a chain has no use."""
        if dt != 1.0:
            raise ValueError(f"dt must be 1 for a chain, whose step is a unit of time, got {dt}. Leave it out.")
        if solver != "euler":
            raise ValueError(f"solver must be left out for a chain, which makes its own step, got {solver!r}.")

    def _update(self) -> Any:
        """The update, checked and compiled with the present values of what it captures."""
        out = (("out", self.dim),) if self.wide else ()
        points = ("k", 1), ("x", self.dim), ("noise", self.n_channels), *out
        n_params = len(self.params) + (self.rate is not None)
        require_compiles("update", self.update, Form(points, n_params, 0 if self.wide else self.dim, self.wide))
        return compiled(self.update)


@dataclass(frozen=True)
class Stability:
    """Whether a chain of gradient descent stays near a minimum without noise.

    minimum : the place of the minimum.
    curvature : the largest second derivative there.
    product : the learning rate times the sum of curvature and weight decay.
    bound : the chain is stable where `product` is below it: ``2 (1 + momentum)``, with Nesterov's gradient
        ``2 (1 + momentum) / (1 + 2 momentum)``.
    """

    minimum: Coordinates
    curvature: float
    product: float
    bound: float

    @property
    def stable(self) -> bool:
        """True if displacements from the minimum die out."""
        return self.product < self.bound


def _tabling(rate: Any) -> Any:
    """The kernel that writes the rates of all steps."""

    def tabulate(rates: Array) -> None:
        for k in range(rates.size):
            rates[k] = rate(1.0 * k)

    return tabulate


@by_content
def _step(update: Any, dim: int, channels: int) -> Any:
    """The update as a step from tuples to tuples."""

    def from_float(params: tuple[float, ...], t: float, x: Point, increment: Point, dt: float) -> Point:
        return (1.0 * update(t, x[0], increment[0], *params),)

    def from_numbers(params: tuple[float, ...], t: float, x: Point, increment: Point, dt: float) -> Point:
        return as_floats(update(t, x, increment[0], *params))

    def from_points(params: tuple[float, ...], t: float, x: Point, increment: Point, dt: float) -> Point:
        return as_floats(update(t, x, increment, *params))

    return njit(**OPTIONS)(from_float if dim == 1 else from_numbers if channels == 1 else from_points)
