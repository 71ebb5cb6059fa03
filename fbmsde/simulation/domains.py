"""Domains: intervals and level sets, with the tests and the distances of their boundaries that kernels need."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from ..core import checks
from ..core.captured import packaged
from ..core.compile import by_content, compiled, numeric_gradient, require_compiles
from ..core.points import Point, add, replaced, scaled
from ..core.portable import Portable
from ..drivers.jumping import Jumping
from .watch import Watch, interval_watch, level_watch

Rows = tuple[tuple[float, ...], ...] | None
Clearance = Callable[..., float]


@packaged
def interval_clearance(x: Point, move: Point, reach: float, trust: float, lower: float, upper: float) -> float:
    """Distance from the nearer bound, less the predicted move towards it, in units of `reach`.

    A predicted move away from a bound counts up to ``trust * reach``. With trust = H, the bound is nearest at the end
    of the jump, in standard deviations that grow as time^H.
    """
    most = trust * reach
    up = upper - x[0] - max(move[0], -most)
    down = x[0] - lower + min(move[0], most)
    return min(up, down) / reach


@by_content
def level_clearance(level: Callable[..., float], dim: int, factor: Rows) -> Clearance:
    """Compile the clearance of ``level(x, *params) < 0`` with its boundary moved inwards by the first of the bounds.

    The clearance is 1.0 if the level is negative at every probe point, otherwise 0.0. Probe points lie at ``reach`` and
    the shift from the predicted point, and at ``(1 - trust) * reach`` and the shift from x, all in standard deviations
    of the noise, of which `factor` (dim, dim) is the lower-triangular factor of the correlation, None for independent
    components: along each column of the factor, both ways, and along the level's gradient towards the point of a plane
    boundary that the noise reaches most easily. A boundary that bends between the probes is missed.
    """
    inner = _on_points(level, dim)
    slope = _slope(level, dim)
    mixing = np.eye(dim) if factor is None else np.array(factor)

    @njit(error_model="numpy", forceinline=True)
    def uphill(x: Point, params: Any) -> Point:
        """The displacement by one standard deviation of the noise to the highest level, zero where none changes it."""
        steepest = slope(x, *params)
        step, size = scaled(0.0, x), 0.0
        for k in range(len(x)):
            across = 0.0
            for j in range(k, len(x)):
                across += mixing[j, k] * steepest[j]
            size += across * across
            for j in range(k, len(x)):
                step = replaced(step, j, step[j] + mixing[j, k] * across)
        return scaled(1.0 / np.sqrt(size) if size > 0.0 else 0.0, step)

    @njit(error_model="numpy", forceinline=True)
    def all_inside(x: Point, radius: float, params: Any) -> bool:
        inside = inner(add(x, radius, uphill(x, params)), *params) < 0.0
        for k in range(len(x)):
            up, down = x, x
            for j in range(k, len(x)):
                up = replaced(up, j, x[j] + radius * mixing[j, k])
                down = replaced(down, j, x[j] - radius * mixing[j, k])
            inside = inside & (inner(up, *params) < 0.0) & (inner(down, *params) < 0.0)
        return inside

    @njit(error_model="numpy", forceinline=True)
    def clearance(x: Point, move: Point, reach: float, trust: float, shift: float, *params: float) -> float:
        if not all_inside(x, (1.0 - trust) * reach + shift, params):
            return 0.0
        return 1.0 if all_inside(add(x, 1.0, move), reach + shift, params) else 0.0

    return clearance


@by_content
def shifted_level(level: Callable[..., float], dim: int, correlation: Rows) -> Callable[..., float]:
    """Compile the level function whose zero lies `shift` inside: ``level(x, *params) + shift |gradient of level|``.

    The norm is that of the matrix `correlation`: its square is the variance of the noise across the level set.
    """
    inner = _on_points(level, dim)
    slope = _slope(level, dim)
    rows = correlation or tuple(map(tuple, np.eye(dim).tolist()))

    @njit(error_model="numpy", forceinline=True)
    def on_points(x: Point, shift: float, *params: float) -> float:
        size = 0.0
        steepest = slope(x, *params)
        for j in range(len(x)):
            for k in range(len(x)):
                size += rows[j][k] * steepest[j] * steepest[k]
        return inner(x, *params) + shift * np.sqrt(max(size, 0.0))

    @njit(error_model="numpy", forceinline=True)
    def on_floats(x: float, shift: float, *params: float) -> float:
        return on_points((x,), shift, *params)

    return on_points if dim > 1 else on_floats


@by_content
def _on_points(level: Callable[..., float], dim: int) -> Any:
    """The level as a function of tuples."""
    inner = compiled(level)
    if dim > 1:
        return inner

    @njit(error_model="numpy", forceinline=True)
    def on_tuples(x: Point, *params: float) -> float:
        return inner(x[0], *params)

    return on_tuples


@by_content
def _slope(level: Callable[..., float], dim: int) -> Any:
    """The level's gradient by central differences, tuples to tuples."""
    inner = numeric_gradient(level, dim)
    if dim > 1:
        return inner

    @njit(error_model="numpy", forceinline=True)
    def on_tuples(x: Point, *params: float) -> Point:
        return (inner(x[0], *params),)

    return on_tuples


def level_distance(level: Callable[..., float], params: tuple[float, ...], x: Point, correlation: Rows) -> float:
    """First-order distance of x from the zero of a level function, in standard deviations of a unit noise towards it.

    The components of the noise have unit variance and this `correlation`, None if they are independent. The distance
    is inf where no move of the noise changes the level.
    """
    slope = _slope(level, len(x))(x, *params)
    rows = correlation or np.eye(len(x)).tolist()
    variance = sum(slope[j] * rows[j][k] * slope[k] for j in range(len(x)) for k in range(len(x)))
    return abs(_on_points(level, len(x))(x, *params)) / float(np.sqrt(variance)) if variance > 0.0 else float("inf")


REACH_OF_FINEST = 2.0  # jumps reach at most so many smallest lengths, so that their ends show a feature


@dataclass(frozen=True)
class LevelSet(Portable):
    """The domain ``level(x, *params) < 0`` of a plain or njit function.

    In d dimensions x is a tuple of d floats, or an array where those of the landscape are arrays.

    `finest` is the smallest length of the boundary's features, such as the radius of the smallest excluded disc, and
    matters in continuous time. No jump reaches farther than that, at a cost that grows like its inverse square at
    H = 1/2. A level function tells the distance of the boundary to first order only. Without `finest`, jumps therefore
    pass over features that are narrower than they are, and ``error_budget.missed_crossings`` tells how often.

    `steepness` is the length of the level's gradient where that is the same everywhere, as it is 1 for a distance. A
    boundary of points that are arrays can be moved inwards (`Shifted`) only if it is known.

    >>> disc = LevelSet(lambda x, r: x[0] ** 2 + x[1] ** 2 - r**2, params=(1.5,))
    """

    level: Callable[..., float]
    params: tuple[float, ...] = ()
    finest: float | None = None
    steepness: float | None = None
    _functions: ClassVar[tuple[str, ...]] = ("level",)


Domain = checks.Interval | LevelSet | Callable[..., float]


def as_point(dim: int, x0: ArrayLike) -> Point:
    """The start as a tuple of `dim` finite floats; ValueError for another number of them."""
    values = np.atleast_1d(checks.reals("x0", x0))
    if values.shape != (dim,):
        raise ValueError(f"x0 must have {dim} coordinates, got shape {np.shape(x0)}.")
    return tuple(checks.finite("x0", v) for v in values)


@dataclass(frozen=True)
class Region:
    """A domain for the kernels: an interval, or a level function with its parameters."""

    start: Point
    interval: tuple[float, float] | None
    level_set: LevelSet | None

    @classmethod
    def of(cls, start: Point, domain: Domain) -> Region:
        """The region of a domain; ValueError unless the start lies inside."""
        if isinstance(domain, LevelSet) or callable(domain):
            level_set = domain if isinstance(domain, LevelSet) else LevelSet(domain)
            return cls(start, None, _checked_level_set(len(start), start, level_set))
        if len(start) != 1:
            raise ValueError(f"domain must be a level function in {len(start)} dimensions, got {domain!r}.")
        lower, upper = checks.interval("domain", domain, " or a level function")
        if not lower < start[0] < upper:
            raise ValueError(f"x0 must lie inside the domain ({lower}, {upper}), got {start[0]}.")
        return cls(start, (lower, upper), None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sides, in the order of the numbers that the watch gives."""
        return ("level",) if self.interval is None else ("lower", "upper")

    @property
    def watch(self) -> Watch:
        """The compiled test for the outside."""
        if self.interval is not None:
            return interval_watch(*self.interval)
        assert self.level_set is not None
        return level_watch(self.level_set.level, self.level_set.params, len(self.start))

    def clearance(self, noise: Jumping) -> Clearance:
        """The compiled distance of a jump from the moved boundary, with the parameters of the moved region's test."""
        if self.interval is not None:
            return interval_clearance
        assert self.level_set is not None
        return level_clearance(self.level_set.level, len(self.start), noise.factor)

    @property
    def widest(self) -> float:
        """The longest reach of a jump that passes over no part of the boundary."""
        if self.level_set is None or self.level_set.finest is None:
            return math.inf
        return self.level_set.finest

    def distance(self, noise: Jumping) -> float:
        """Distance of the start from the boundary; for level functions to first order, in units of the noise."""
        if self.interval is not None:
            return min(self.start[0] - self.interval[0], self.interval[1] - self.start[0])
        assert self.level_set is not None
        return level_distance(self.level_set.level, self.level_set.params, self.start, noise.rows)

    def moved_in(self, shift: float, noise: Jumping) -> Region:
        """The region with its boundary moved inwards; ValueError if the start is no longer inside."""
        if self.interval is not None:
            lower, upper = self.interval[0] + shift, self.interval[1] - shift
            inside = lower < self.start[0] < upper
            region = Region(self.start, (lower, upper), None)
        else:
            assert self.level_set is not None
            dim = len(self.start)
            level = shifted_level(self.level_set.level, dim, noise.rows)
            moved = LevelSet(level, (shift, *self.level_set.params), self.level_set.finest)
            inside = moved.level(self.start if dim > 1 else self.start[0], *moved.params) < 0
            region = Region(self.start, None, moved)
        if not inside:
            raise ValueError(
                f"x0 must lie farther from the boundary than its shift of beta_H sigma dt^H = {shift:.3g}, got "
                f"{self.start}. Take more steps up to the horizon."
            )
        return region


def _checked_level_set(dim: int, start: Point, domain: LevelSet) -> LevelSet:
    """The level set with checked parameters; ValueError unless its function compiles and the start lies inside."""
    params = checks.numbers("params", domain.params)
    require_compiles("domain", domain.level, dim, len(params), vector=False)
    value = compiled(domain.level)(start if dim > 1 else start[0], *params)
    if not value < 0:
        raise ValueError(f"x0 must lie inside the domain, where the level is negative, got level {value} at {start}.")
    given = {"finest": domain.finest, "steepness": domain.steepness}
    lengths = {name: None if value is None else checks.positive(name, value) for name, value in given.items()}
    return LevelSet(domain.level, params, **lengths)
