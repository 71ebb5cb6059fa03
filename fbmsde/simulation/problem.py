"""A first-passage problem, and the crowd of paths that is sent through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..core.types import Array, Key
from ..drivers.base import Driver
from ..dynamics.base import Dynamics
from .regions import Region
from .starts import Points, Start


@dataclass(frozen=True)
class Problem:
    """A first-passage problem: an equation, its noise, the start, the region to leave, the horizon and the seed.

    Path i of a problem is a pure function of its `key` and i.
    """

    equation: Dynamics
    driver: Driver
    start: Start
    region: Region
    horizon: float
    key: Key

    @property
    def places(self) -> Array:
        """The positions at which paths begin, (n_paths, n_positions) or one row for all; none if stationary."""
        n = self.equation.n_positions
        return self.start.rows[:, :n] if isinstance(self.start, Points) else np.empty((0, n))


@dataclass(frozen=True)
class Crowd:
    """The paths 0 ... n_paths - 1 on so many threads.

    If `progress` is True a bar is shown; if it is a function, it is called with the number of paths newly finished.
    """

    n_paths: int
    threads: int
    progress: bool | Callable[[int], object] = False
