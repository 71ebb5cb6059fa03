"""A first-passage problem, and the crowd of paths that is sent through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from ..core import checks
from ..core.types import Array, Key
from ..drivers.base import Driver
from ..dynamics.base import Dynamics
from .regions import Region
from .starts import Points, Start

MOST_NUMBERED = 2**40  # paths of a seed that have random numbers of their own


@dataclass(frozen=True)
class Problem:
    """A first-passage problem: an equation, its noise, the start, the region to leave, the horizon and the seed.

    The start is that of the range of paths that is run, which begins with number `first`.
    Path i of a problem is a pure function of its `key` and i.
    """

    equation: Dynamics
    driver: Driver
    start: Start
    region: Region
    horizon: float
    key: Key
    first: int = 0

    @property
    def places(self) -> Array:
        """The positions at which the paths of the range begin, (n_paths, n_positions) or (1, n_positions) for all.

        There are none if the start is stationary.
        """
        n = self.equation.n_positions
        return self.start.rows[:, :n] if isinstance(self.start, Points) else np.empty((0, n))


class RunOptions(TypedDict, total=False):
    """How a range of paths is run, which does not change the result.

    n_jobs, progress : as for `first_passage`.
    stop : is asked about every tenth of a second. Once it returns True the run ends with `core.blocks.Stopped`.
    """

    n_jobs: int | None
    progress: bool | Callable[[int], object]
    stop: Callable[[], bool] | None


@dataclass(frozen=True)
class Crowd:
    """The paths first ... first + n_paths - 1 on so many threads.

    If `progress` is True a bar is shown; if it is a function, it is called with the number of paths newly finished.
    `stop` is asked about every tenth of a second whether the run shall end with `Stopped`.
    """

    n_paths: int
    threads: int
    progress: bool | Callable[[int], object] = False
    first: int = 0
    stop: Callable[[], bool] | None = None

    @classmethod
    def of(
        cls,
        n_paths: int,
        first: int,
        *,
        n_jobs: int | None = None,
        progress: bool | Callable[[int], object] = False,
        stop: Callable[[], bool] | None = None,
    ) -> Crowd:
        """The paths of a range, run with these `RunOptions`; ValueError or TypeError for what they cannot be."""
        if not (isinstance(progress, bool) or callable(progress)):
            raise TypeError(f"progress must be True, False or a function, got {progress!r}.")
        return cls(n_paths, checks.workers(n_jobs), progress, first, stop)

    @property
    def paths(self) -> range:
        """The numbers of the paths."""
        return range(self.first, self.first + self.n_paths)
