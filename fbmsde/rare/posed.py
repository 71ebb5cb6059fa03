"""What all rare-event methods make of a landscape or an equation, its noise, a start and a domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array, Key
from ..drivers.base import Driver, Feed
from ..dynamics.base import Dynamics, takes_arrays
from ..dynamics.equation import as_equation
from ..dynamics.landscapes import Landscape
from ..dynamics.solvers import SOLVERS
from ..results.rare import RareEscape, Replica
from ..simulation.domains import Domain
from ..simulation.errors import PathError
from ..simulation.monitoring import Grid
from ..simulation.posed import feed_of, posed_solver
from ..simulation.problem import Problem
from ..simulation.regions import region_of, require_inside
from ..simulation.starts import Points, Stationary, rows_of
from ._climb import Ascent
from .scores import scores_of

_MOST_STEPS = 2**30


@dataclass(frozen=True)
class Escape:
    """A rare escape: how paths climb to each side, the noise, and the grid of `n_steps` steps of `dt`."""

    equation: Dynamics
    driver: Driver
    ascents: dict[str, Ascent]
    dt: float
    n_steps: int
    key: Key
    shift: float

    @property
    def horizon(self) -> float:
        """The end of the last step."""
        return self.dt * self.n_steps

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sides."""
        return tuple(self.ascents)

    def of_replicas(self, n_replicas: int) -> list[tuple[int, str]]:
        """The number and the side of each run: a replica has one for each side."""
        return list(enumerate(self.names * n_replicas))

    def result(self, method: str, runs: Sequence[Replica], path_steps: int) -> RareEscape:
        """The result of a method from its runs, in the order of `of_replicas`."""
        n = len(self.names)
        sides = {name: tuple(runs[side::n]) for side, name in enumerate(self.names)}
        return RareEscape(method, sides, self.horizon, self.dt, self.shift, path_steps)

    def feed(self) -> Feed:
        """A feed of the noise of all components."""
        return feed_of(self.equation, self.driver, self.n_steps, self.dt, self.key)

    def require_finite(self, tops: Array) -> None:
        """PathError if a path, of which these are the highest scores, left the finite numbers or met a nan."""
        if np.isnan(tops).any():
            raise PathError(
                f"a path must stay finite until it leaves, and its level must be a number, got inf or nan. Check the "
                f"gradient and the level, or try dt = {self.dt / 4:g}.", int(np.argmax(np.isnan(tops))), np.nan,
            )  # fmt: skip


def posed(
    landscape: Landscape | Dynamics, noise: Driver, x0: ArrayLike, domain: Domain, *, monitoring: Grid, horizon: float,
    seed: checks.Seed,
) -> Escape:  # fmt: skip
    """The escape of an equation from a domain; ValueError or TypeError where it is none that can be climbed to."""
    equation, key = as_equation(landscape), checks.as_seed(seed)
    _require_plain(equation)
    checks.kind("noise", noise, Driver, "Write FractionalNoise(hurst, sigma).")
    grid = checks.kind("monitoring", monitoring, Grid, "Write Grid(dt), or Shifted(dt) for continuous time.")
    if grid.until is not None:
        raise ValueError(f"until must be None for a rare escape, got {grid.until}. Give a horizon.")
    if isinstance(x0, (str, Stationary)) or callable(x0):
        raise ValueError(f"x0 must be one point for a rare escape, got {x0!r}.")
    rows = rows_of(checks.reals("x0", x0), equation, 1)
    problem = Problem(equation, noise, Points(rows), region_of(domain, equation.n_positions), horizon, key)
    require_inside(problem.region, problem.places)
    solver = SOLVERS[posed_solver(equation, noise, grid.solver, grid.dt)]
    region = grid.region(problem)
    n_steps = checks.whole_steps(grid.dt, checks.positive("horizon", horizon))
    checks.count("horizon / dt", n_steps, 1, _MOST_STEPS)
    scores = scores_of(region).items()
    ascents = {name: Ascent.of(equation, solver, score, rows[0], grid.dt) for name, score in scores}
    return Escape(equation, noise, ascents, grid.dt, n_steps, key, grid.shift(problem))


def _require_plain(equation: Dynamics) -> None:
    """ValueError for an equation whose paths rare-event methods do not follow."""
    if takes_arrays(equation):
        raise ValueError(f"landscape must have points that are tuples for a rare escape, got {equation.name!r}.")
    if equation.reset_rate > 0.0:
        raise ValueError(f"landscape must not be reset in a rare escape, got {equation.name!r}.")
    if equation.schedule(1).size > 0:
        raise ValueError(f"landscape must have a constant learning rate in a rare escape, got {equation.name!r}.")
