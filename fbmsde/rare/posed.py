"""What all rare-event methods make of a landscape or an equation, its noise, a start and a domain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array, Key
from ..drivers.base import Driver, Feed
from ..dynamics.base import Dynamics, takes_arrays
from ..dynamics.equation import as_equation
from ..dynamics.landscapes import Landscape
from ..dynamics.solvers import SOLVERS
from ..simulation.domains import Domain
from ..simulation.errors import PathError
from ..simulation.monitoring import Grid
from ..simulation.posed import feed_of, posed_solver
from ..simulation.problem import Problem
from ..simulation.regions import Between, region_of, require_inside
from ..simulation.starts import Points, Stationary, rows_of
from ._climb import Ascent
from .scores import Score, scores_of

_MOST_STEPS = 2**30
_FARTHEST = 1e150  # distance of an end in increments of the noise; its square is a float


@dataclass(frozen=True, eq=False)
class Escape:
    """A rare escape: the landscape or equation as it was given, the problem, and the grid of `n_steps` steps."""

    landscape: Landscape | Dynamics
    problem: Problem
    monitoring: Grid
    n_steps: int

    @property
    def equation(self) -> Dynamics:
        """The equation of the paths."""
        return self.problem.equation

    @property
    def driver(self) -> Driver:
        """The noise."""
        return self.problem.driver

    @property
    def key(self) -> Key:
        """The key of all random numbers."""
        return self.problem.key

    @property
    def origin(self) -> Array:
        """The point from which all paths start, (dim,)."""
        assert isinstance(self.problem.start, Points)
        return self.problem.start.rows[0]

    @property
    def dt(self) -> float:
        """The length of a step."""
        return self.monitoring.dt

    @property
    def horizon(self) -> float:
        """The end of the last step."""
        return checks.reached(self.dt, self.n_steps, self.problem.horizon)

    @property
    def shift(self) -> float:
        """The length by which the boundary is moved inwards."""
        return self.monitoring.shift(self.problem)

    @cached_property
    def scores(self) -> dict[str, Score]:
        """The score of each side, with its boundary moved inwards."""
        return scores_of(self.monitoring.region(self.problem))

    @cached_property
    def ascents(self) -> dict[str, Ascent]:
        """How paths climb to each side."""
        solver = SOLVERS[self.monitoring.solver]
        return {
            name: Ascent.of(self.equation, solver, score, self.origin, self.dt) for name, score in self.scores.items()
        }

    @property
    def one_way(self) -> bool:
        """Whether there is one way to each side: to an end of an interval a place in one dimension has no other."""
        return isinstance(self.problem.region, Between) and self.equation.n_positions == 1

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sides."""
        return tuple(self.scores)

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


def escape_of(
    landscape: Landscape | Dynamics, noise: Driver, x0: ArrayLike, domain: Domain, *, monitoring: Grid, horizon: float,
    key: Key,
) -> Escape:  # fmt: skip
    """The escape of an equation from a domain; ValueError or TypeError where it is none that can be climbed to."""
    equation = as_equation(landscape)
    _require_plain(equation)
    checks.kind("noise", noise, Driver, "Write FractionalNoise(hurst, sigma).")
    grid = checks.kind("monitoring", monitoring, Grid, "Write Grid(dt), or Shifted(dt) for continuous time.")
    if grid.until is not None:
        raise ValueError(f"until must be None for a rare escape, got {grid.until}. Give a horizon.")
    if isinstance(x0, (str, Stationary)) or callable(x0):
        raise ValueError(f"x0 must be one point for a rare escape, got {x0!r}.")
    rows = rows_of(checks.reals("x0", x0), equation, 1)
    n_steps = checks.whole_steps(grid.dt, checks.positive("horizon", horizon))
    checks.count("horizon / dt", n_steps, 1, _MOST_STEPS)
    problem = Problem(equation, noise, Points(rows), region_of(domain, equation.n_positions), horizon, key)
    require_inside(problem.region, problem.places)
    posed_solver(equation, noise, grid.solver, grid.dt)
    _require_near(problem, checks.squarable("increments of noise", noise.increment_scale(grid.dt)))
    escape = Escape(landscape, problem, grid, n_steps)
    assert escape.names
    return escape


def _require_near(problem: Problem, scale: float) -> None:
    """ValueError for an interval with a finite end so far away that its square in increments of noise is no float."""
    region = problem.region
    for end in filter(math.isfinite, region.ends if isinstance(region, Between) else ()):
        if not abs(end - problem.places[0, 0]) <= _FARTHEST * scale:
            raise ValueError(
                f"domain must end within {_FARTHEST:g} increments of noise, got an end at {end:g}. Write None for an "
                "end that no path reaches."
            )


def _require_plain(equation: Dynamics) -> None:
    """ValueError for an equation whose paths rare-event methods do not follow."""
    if takes_arrays(equation):
        raise ValueError(f"landscape must have points that are tuples for a rare escape, got {equation.name!r}.")
    if equation.reset_rate > 0.0:
        raise ValueError(f"landscape must not be reset in a rare escape, got {equation.name!r}.")
    if equation.schedule(1).size > 0:
        raise ValueError(f"landscape must have a constant learning rate in a rare escape, got {equation.name!r}.")
