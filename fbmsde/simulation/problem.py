"""A first-passage problem, and the crowd of paths that is sent through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..core.points import Point
from ..core.types import Key
from ..drivers.base import Driver
from ..dynamics.base import Dynamics
from .regions import Region


@dataclass(frozen=True)
class Problem:
    """A first-passage problem: an equation, its noise, the start, the region to leave, the horizon and the seed.

    Path i of a problem is a pure function of its `key` and i.
    """

    equation: Dynamics
    driver: Driver
    start: Point
    region: Region
    horizon: float
    key: Key

    @property
    def position(self) -> Point:
        """The coordinates of the start that the region sees."""
        return self.start[: self.equation.n_positions]


@dataclass(frozen=True)
class Crowd:
    """The paths 0 ... n_paths - 1 on so many threads.

    If `progress` is True a bar is shown; if it is a function, it is called with the number of paths newly finished.
    """

    n_paths: int
    threads: int
    progress: bool | Callable[[int], object] = False
