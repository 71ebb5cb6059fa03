"""Exits in many dimensions, where points are arrays: starts, domains and problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from ..core import checks
from ..core.captured import OPTIONS, packaged
from ..core.compile import by_content, compiled
from ..core.points import Point
from ..core.types import Array, Key
from ..drivers.base import Driver
from ..drivers.fractional import FractionalNoise
from ..dynamics.base import ArrayDynamics, Dynamics
from ..dynamics.solvers import SOLVERS
from ..laws.extremes import barrier_shift
from ._ends import Ends
from ._wide_motion import WideMotion
from .beginning import Walk, beginning
from .domains import Domain, LevelSet
from .ended import Ended
from .grid import GridRun, run_ends
from .monitoring import _TAKE_GRID, Grid, Monitoring, Shifted
from .posed import posed_solver
from .problem import Crowd
from .regions import Below, named_levels
from .starts import Points, of_path

_MOST_PLACES = 2.0**30  # bytes of the places of exit that a run may keep


@packaged
def _distance_beyond(x: Point, radius: float) -> float:
    """The distance of x from the origin, a tuple or an array, less the radius.

    Four sums run side by side, as each of them waits for its last addition.
    """
    a, b, c, d, whole = 0.0, 0.0, 0.0, 0.0, len(x) // 4 * 4
    for j in range(0, whole, 4):
        a += x[j] * x[j]
        b += x[j + 1] * x[j + 1]
        c += x[j + 2] * x[j + 2]
        d += x[j + 3] * x[j + 3]
    for j in range(whole, len(x)):
        a += x[j] * x[j]
    return np.sqrt((a + b) + (c + d)) - radius


def ball(radius: float, center: ArrayLike | None = None) -> LevelSet:
    """The open ball around `center` (d,), None for the origin, in any number of dimensions.

    Its level is the distance from the center less the radius, so that its boundary can be moved in all dimensions. At
    points of another dimension than the center it is nan, which a run refuses.

    >>> ball(2.0).level((1.0, 0.0), 2.0)
    -1.0
    """
    r = checks.positive("radius", radius)
    if center is None:
        return LevelSet(_distance_beyond, (r,), steepness=1.0)
    middle = checks.reals("center", center)
    if middle.ndim != 1 or not np.all(np.isfinite(middle)):
        raise ValueError(f"center must hold the finite coordinates of a point, got {center!r}.")

    def level(x: Point, radius: float) -> float:
        square = 0.0 if len(x) == middle.size else np.nan  # of another dimension than the center: no level
        for j in range(min(len(x), middle.size)):
            square += (x[j] - middle[j]) ** 2
        return np.sqrt(square) - radius

    return LevelSet(level, (r,), steepness=1.0)


@by_content
def _moved(level: Callable[..., float]) -> Callable[..., float]:
    """The level function plus the first of its parameters."""

    def moved(x: Array, shift: float, *params: float) -> float:
        return level(x, *params) + shift

    compiled_level: Callable[..., float] = njit(**OPTIONS)(moved)
    return compiled_level


@dataclass(frozen=True)
class WideProblem:
    """A first-passage problem in many dimensions: see `Problem`.

    `origins` is (n_paths, dim), with the starts of the paths from number `first` on, or (1, dim).
    """

    equation: Dynamics
    driver: Driver
    origins: Array
    region: Below
    horizon: float
    key: Key
    first: int = 0

    def moved_in(self, dt: float) -> WideProblem:
        """The problem with its boundary moved inwards by the shift that makes up for steps of `dt`."""
        advice = f"The shift of the boundary is known for fractional noise only. {_TAKE_GRID}"
        noise = checks.kind("noise", self.driver, FractionalNoise, advice)
        moves = checks.kind("equation", self.equation, ArrayDynamics, "Its points must be arrays.")
        if moves.array_drift() is None or self.equation.factor() is not None:
            raise ValueError(
                "equation must be driven by the noise as it is in every coordinate for a shifted boundary, got "
                f"{self.equation.name!r}. {_TAKE_GRID}"
            )
        if noise.rows is not None:
            raise ValueError(
                "noise must have independent components of one strength for a moved boundary in many dimensions, got "
                f"{noise}. {_TAKE_GRID}"
            )
        shift = barrier_shift(noise.common_hurst) * noise.increment_scale(dt)
        level_sets = tuple(_moved_in(each, shift) for each in self.region.level_sets)
        moved = Below(self.region.dim, self.region.names, level_sets)
        where = f"farther from the boundary than its shift of beta_H sigma dt^H = {shift:.3g}"
        require_below(moved, self.origins, where, self.first)
        return replace(self, region=moved)


def _moved_in(domain: LevelSet, shift: float) -> LevelSet:
    """A level set with its boundary moved inwards; ValueError unless its steepness is known."""
    if domain.steepness is None:
        raise ValueError(
            "domain must tell its steepness for a moved boundary in many dimensions, got None. Write the level as a "
            "distance, with LevelSet(level, steepness=1.0), take ball(radius), or monitor on a grid."
        )
    return LevelSet(_moved(domain.level), (shift * domain.steepness, *domain.params))


def wide_region(dim: int, domain: Domain) -> Below:
    """The region of a domain of arrays: one level set or several named ones."""
    if not isinstance(domain, (Mapping, LevelSet)) and not callable(domain):
        raise ValueError(f"domain must be a level function in {dim} dimensions, got {domain!r}.")
    return Below.of(dim, named_levels(domain), arrays=True)


def require_below(
    region: Below, origins: Array, where: str = "inside the domain, where the level is negative", first: int = 0
) -> None:
    """Raise ValueError, with the path and the level, unless origins (n, dim) of paths from `first` on are inside."""
    for each in region.level_sets:
        level = compiled(each.level)
        for path, origin in enumerate(origins):
            value = level(origin[: region.dim], *each.params)
            if not value < 0:
                raise ValueError(f"x0 must lie {where}, got level {value}{of_path(first + path, len(origins))}.")


def wide_ends(problem: WideProblem, monitoring: Monitoring, crowd: Crowd) -> Ended:
    """How paths end on a grid, with the boundary moved or not; ValueError in continuous time."""
    if not isinstance(monitoring, Grid):
        raise ValueError(
            f"monitoring must be Grid or Shifted where points are arrays, got {type(monitoring).__name__}. "
            "Continuous time needs points that are tuples, in up to about 15 dimensions."
        )
    posed = problem.moved_in(monitoring.dt) if isinstance(monitoring, Shifted) else problem
    dim, dt = posed.equation.n_positions, monitoring.dt
    if 8.0 * crowd.n_paths * dim > _MOST_PLACES:
        raise MemoryError(
            f"the places of exit must fit in 1 GiB, got {crowd.n_paths} paths in {dim} dimensions. Run fewer at a time."
        )
    clock = dt, posed.driver.increment_scale(dt)
    solver = posed_solver(posed.equation, posed.driver, monitoring.solver, dt)
    motion = WideMotion.of(posed.equation, solver, posed.region.watch, posed.origins, clock)
    walk = Walk(posed.equation, posed.driver, SOLVERS[monitoring.solver], dt, posed.key)
    opening = partial(beginning, Points(posed.origins), walk, paths=crowd.paths)
    run = GridRun(motion, dt, Ends.open(crowd.n_paths, dim, crowd.first), posed.region.names, crowd, opening)
    return run_ends(run, posed, monitoring.until)
