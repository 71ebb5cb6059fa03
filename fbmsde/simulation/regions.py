"""Regions: domains as the kernels take them, with the compiled tests and distances of their boundaries."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from ..core import checks
from ..core.arrays import require_indices
from ..core.captured import OPTIONS
from ..core.compile import Form, by_content, compiled, require_compiles
from ..core.points import Point
from ..core.types import Array
from ..drivers.jumping import Jumping
from .domains import Domain, Level, LevelSet, Wall
from .levels import Clearance, clear_of_both, interval_clearance, level_clearance, level_distance, shifted_level
from .starts import of_path
from .watch import INSIDE, LOWER, UNDEFINED, UPPER, Watch, either_watch, interval_watch, level_watch, moving_watch

_CHUNK = 2**16  # steps at which moving walls are looked at in one go


@dataclass(frozen=True)
class Between:
    """The open interval between two bounds."""

    lower: float
    upper: float

    names = ("lower", "upper")
    widest = math.inf

    @property
    def ends(self) -> tuple[float, float]:
        """Both bounds."""
        return self.lower, self.upper

    @property
    def watch(self) -> Watch:
        """The compiled test for the outside."""
        return interval_watch(self.lower, self.upper)

    def side_at(self, x: Point) -> int:
        """What the watch tells of a point."""
        return INSIDE if self.lower < x[0] < self.upper else LOWER if x[0] <= self.lower else UPPER

    def told(self, x: Point) -> str:
        """The end of a message on a point that is not inside."""
        return f" ({self.lower}, {self.upper}), got {x[0]}"

    def moved_in(self, shift: float, noise: Jumping) -> Between:
        """The interval between the bounds moved inwards."""
        return Between(self.lower + shift, self.upper - shift)

    def clearance(self, noise: Jumping) -> Clearance:
        """The distance from the nearer bound."""
        return interval_clearance

    def distance(self, x: Point, noise: Jumping) -> float:
        """Distance of a point from the nearer bound."""
        return min(x[0] - self.lower, self.upper - x[0])


@dataclass(frozen=True)
class Below:
    """The points of `dim` dimensions at which all of some named level functions are negative."""

    dim: int
    names: tuple[str, ...]
    level_sets: tuple[LevelSet, ...]

    ends = (-math.inf, math.inf)

    @classmethod
    def of(cls, dim: int, levels: Mapping[str, Level], arrays: bool = False) -> Below:
        """The region of level sets or level functions with checked parameters; ValueError unless they compile.

        If `arrays` is True they take points as arrays, for the loop in many dimensions.
        """
        named = {name: each if isinstance(each, LevelSet) else LevelSet(each) for name, each in levels.items()}
        argument = "domain" if len(named) == 1 else "domain[{!r}]"
        checked = [_checked(argument.format(name), dim, each, arrays) for name, each in named.items()]
        return cls(dim, tuple(named), tuple(checked))

    @property
    def watch(self) -> Watch:
        """The compiled test for the outside, which gives the number of the first level that is not negative."""
        watches = [level_watch(each.level, each.params, self.dim) for each in self.level_sets]
        whole = watches[0]
        for number, watch in enumerate(watches[1:], 1):
            whole = either_watch(whole, watch, number)
        return whole

    def side_at(self, x: Point) -> int:
        """What the watch tells of a point."""
        for number, value in enumerate(self._values(x), 1):
            if not value < 0.0:
                return number if value >= 0.0 else UNDEFINED
        return INSIDE

    def told(self, x: Point) -> str:
        """The end of a message on a point that is not inside."""
        (name, value) = next((n, v) for n, v in zip(self.names, self._values(x), strict=True) if not v < 0.0)
        of = f" of {name!r}" if len(self.names) > 1 else ""
        return f", where the level{of} is negative, got level {value} at {x}"

    def moved_in(self, shift: float, noise: Jumping) -> Below:
        """The region with the boundaries of all level sets moved inwards."""
        moved = (
            LevelSet(shifted_level(each.level, self.dim, noise.rows), (shift, *each.params), each.finest)
            for each in self.level_sets
        )
        return Below(self.dim, self.names, tuple(moved))

    def clearance(self, noise: Jumping) -> Clearance:
        """The compiled distance of a jump from the moved boundaries, with the parameters of the moved region's test."""
        whole, n_bounds = None, 0
        for each in self.level_sets:
            clear = level_clearance(each.level, self.dim, noise.factor)
            whole = clear if whole is None else clear_of_both(whole, clear, n_bounds)
            n_bounds += 1 + len(each.params)
        assert whole is not None
        return whole

    @property
    def widest(self) -> float:
        """The longest reach of a jump that passes over no declared feature of a boundary."""
        return min(math.inf if each.finest is None else each.finest for each in self.level_sets)

    def distance(self, x: Point, noise: Jumping) -> float:
        """Distance of a point from the nearest boundary, to first order, in units of the noise."""
        return min(level_distance(each.level, each.params, x, noise.rows) for each in self.level_sets)

    def _values(self, x: Point) -> list[float]:
        """All levels at a point."""
        at = x if self.dim > 1 else x[0]
        return [1.0 * compiled(each.level)(at, *each.params) for each in self.level_sets]


Standing = Between | Below


def _checked(argument: str, dim: int, level_set: LevelSet, arrays: bool) -> LevelSet:
    """The level set with checked parameters; ValueError unless its function compiles."""
    params = checks.numbers("params", level_set.params)
    require_compiles(argument, level_set.level, Form.of_value(dim, len(params), arrays=arrays))
    if arrays:
        require_indices(argument, compiled(level_set.level), dim, params, vector=False)
    given = {"finest": level_set.finest, "steepness": level_set.steepness}
    lengths = {name: None if value is None else checks.positive(name, value) for name, value in given.items()}
    return LevelSet(level_set.level, params, **lengths)


@dataclass(frozen=True)
class Moving:
    """The interval between two walls, of which at least one is a function of time, each moved inwards by `shift`."""

    lower: Wall
    upper: Wall
    shift: float = 0.0

    names = ("lower", "upper")

    @classmethod
    def of(cls, lower: Wall, upper: Wall) -> Moving:
        """The interval with checked walls; ValueError unless their functions compile."""
        walls: list[Wall] = []
        for name, wall, far in (("lower", lower, -math.inf), ("upper", upper, math.inf)):
            if callable(wall):
                require_compiles(name, wall, Form((("t", 1),)))
                walls.append(wall)
            else:
                walls.append(far if wall is None else checks.number("domain", wall))
        return cls(walls[0], walls[1])

    @property
    def watch(self) -> Watch:
        """The compiled test for the outside."""
        return moving_watch(self.lower, self.upper, self.shift)

    def side_at(self, x: Point) -> int:
        """What the watch tells of a point at time 0."""
        lower, upper = self.walls(np.zeros(1))
        return Between(float(lower[0]), float(upper[0])).side_at(x)

    def told(self, x: Point) -> str:
        """The end of a message on a point that is not inside at time 0."""
        lower, upper = self.walls(np.zeros(1))
        return f"{Between(float(lower[0]), float(upper[0])).told(x)} at time 0"

    def moved_in(self, shift: float, noise: Jumping) -> Moving:
        """The interval between the walls moved inwards."""
        return Moving(self.lower, self.upper, self.shift + shift)

    def walls(self, times: Array) -> tuple[Array, Array]:
        """Where the lower and the upper wall stand at some times, (n_times,) each."""
        return _track(self.lower, times) + self.shift, _track(self.upper, times) - self.shift

    def require_open(self, dt: float, n_steps: int) -> None:
        """Raise ValueError with the time unless the lower wall is below the upper one at every step."""
        for first in range(0, n_steps + 1, _CHUNK):
            times = dt * np.arange(first, min(first + _CHUNK, n_steps + 1), dtype=float)
            lower, upper = self.walls(times)
            if not np.all(lower < upper):
                i = int(np.argmin(lower < upper))
                raise ValueError(
                    f"domain must have lower(t) < upper(t) at every step, got ({lower[i]:g}, {upper[i]:g}) at time "
                    f"{times[i]:g}. End the run before the walls meet."
                )


Region = Standing | Moving


def _track(wall: Wall, times: Array) -> Array:
    """Where a wall stands at some times, (n_times,)."""
    if not callable(wall):
        return np.full(times.size, wall, dtype=float)
    places = np.empty(times.size)
    _tracking(wall)(times, places)
    return places


@by_content
def _tracking(wall: Any) -> Any:
    """A wall at many times."""

    def track(times: Array, places: Array) -> None:
        for i in range(times.size):
            places[i] = 1.0 * wall(times[i])

    return njit(**OPTIONS)(track)


def region_of(domain: Domain, dim: int) -> Region:
    """The region of a domain of points with `dim` coordinates; TypeError and ValueError for what is no domain."""
    if isinstance(domain, (Mapping, LevelSet)) or callable(domain):
        return Below.of(dim, named_levels(domain))
    if dim != 1:
        raise ValueError(f"domain must be a level function in {dim} dimensions, got {domain!r}.")
    if isinstance(domain, (tuple, list)) and len(domain) == 2 and any(callable(wall) for wall in domain):
        return Moving.of(*domain)
    lower, upper = checks.interval("domain", domain, " or a level function")
    return Between(lower, upper)


def named_levels(domain: Level | Mapping[str, Level]) -> Mapping[str, Level]:
    """The level sets by name, a single one as "level"; ValueError and TypeError unless all have names and levels."""
    if not isinstance(domain, Mapping):
        return {"level": domain}
    if not domain:
        raise ValueError("domain must name at least one level set, got an empty dictionary.")
    for name, each in domain.items():
        if not isinstance(name, str) or not name:
            raise TypeError(f"domain must name its level sets by non-empty texts, got {name!r}.")
        if not (isinstance(each, LevelSet) or callable(each)):
            raise TypeError(f"domain[{name!r}] must be a level function or a LevelSet, got {each!r}.")
    return domain


def require_inside(region: Region, rows: Array, first: int = 0) -> None:
    """Raise ValueError with the path unless all points (n, dim) of paths from `first` on are inside at time 0."""
    for path, x in _outside(region, rows):
        raise ValueError(f"x0 must lie inside the domain{region.told(x)}{of_path(first + path, len(rows))}.")


def require_room(smaller: Region, shift: float, rows: Array, advice: Callable[[], str], first: int = 0) -> None:
    """Raise ValueError unless all points (n, dim) are inside a region whose boundary was moved inwards by `shift`.

    The sentence of `advice` stands at the end of the message.
    """
    for path, x in _outside(smaller, rows):
        raise ValueError(
            f"x0 must lie farther from the boundary than its shift of beta_H sigma dt^H = {shift:.3g}, got "
            f"{x}{of_path(first + path, len(rows))}. {advice()}"
        )


def has_room(smaller: Region, rows: Array) -> bool:
    """Whether all points (n, dim) are inside a region whose boundary was moved inwards."""
    return next(_outside(smaller, rows), None) is None


def _outside(region: Region, rows: Array) -> Iterator[tuple[int, Point]]:
    """The numbers and the points of the rows that are not inside at time 0."""
    for path, row in enumerate(rows.tolist()):
        if region.side_at(tuple(row)) != INSIDE:
            yield path, tuple(row)


