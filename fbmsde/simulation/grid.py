"""Exits on a grid of time steps: blocks of paths on threads, and the trials of an open horizon."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..core import checks
from ..core.blocks import counters, run_blocks
from ..core.points import Point
from ..core.states import CENSORED, LEFT, NO_LEVEL, RUNNING
from ..core.types import Array
from ..drivers.base import Driver, Extending, Feed
from ..dynamics.base import Dynamics
from ._ends import Ends
from ._loop import follow, width_for
from ._motion import Motion
from ._wide_loop import Spread, follow_wide
from ._wide_motion import WideMotion
from .beginning import Beginning, Walk, beginning, waiting_steps
from .ended import Ended
from .errors import HorizonError
from .problem import Crowd, Problem
from .regions import Moving, Region
from .watch import INSIDE, UNDEFINED, from_zero

_FIRST_TRIAL = 2**10  # number of steps of the first trial of an open horizon
_MOST_STEPS = 2**30  # largest number of steps of an open horizon
_WORTH_THREADS = 2**16  # so many numbers take a thread as long as its start and its end


def grid_ends(
    problem: Problem, region: Region, dt: float, solver: Callable[..., Point], until: float | None, crowd: Crowd
) -> Ended:
    """The ends of paths on a grid of steps `dt` out of a region, which is the problem's own or a smaller one.

    The run ends at the horizon or, if `until` is not None, when this share of the paths has left.
    """
    equation, start = problem.equation, problem.start
    wait, walk = waiting_steps(start, dt), Walk(equation, problem.driver, solver, dt, problem.key)
    watch = from_zero(region.watch) if wait > 0 else region.watch
    motion = Motion.of(equation, solver, watch, np.empty((0, equation.dim)), dt, problem.driver.increment_scale(dt))
    ends = Ends.open(crowd.n_paths, equation.n_positions, crowd.first)
    opening = partial(beginning, start, walk, paths=crowd.paths)
    run = GridRun(motion._replace(wait=wait), dt, ends, region.names, crowd, opening, region)
    return run_ends(run, problem, until)


class Posed(Protocol):
    """What a run on a grid reads of a problem."""

    @property
    def equation(self) -> Dynamics:
        """The equation."""

    @property
    def driver(self) -> Driver:
        """The noise."""

    @property
    def horizon(self) -> float:
        """The end, which is inf where a share of the paths decides."""


def run_ends(run: GridRun, problem: Posed, until: float | None) -> Ended:
    """The ends of the paths of a run up to the horizon or, if `until` is not None, when this share has left."""
    dt = run.dt
    if until is not None:
        return _run_until(run, problem, until)
    n_steps, end = steps_up_to(problem.horizon, dt)
    begun, feed, queue = run.begun(n_steps)
    begun.on(problem.equation.schedule(n_steps)).fill(feed, n_steps, queue)
    return run.ended(n_steps, end)


def steps_up_to(horizon: float, dt: float) -> tuple[int, float]:
    """The number of steps up to the horizon, and the horizon; ValueError unless it is finite and at least a step."""
    end = checks.positive("horizon", horizon)
    return checks.whole_steps(dt, end), end


@dataclass(frozen=True)
class GridRun:
    """Paths of a crowd on a grid.

    motion, dt : how they move, and the step.
    ends, names : the ends of the paths, which are filled in here, and the names of the sides.
    opening : ``opening(n_steps, most=None)`` is the beginning of a run of so many steps, see `beginning`.
    region : the region that they leave, if they may be outside at time 0 or its walls may move.
    """

    motion: Motion | WideMotion
    dt: float
    ends: Ends
    names: tuple[str, ...]
    crowd: Crowd
    opening: Callable[..., Beginning]
    region: Region | None = None

    @property
    def wait(self) -> int:
        """The number of steps of a burn-in."""
        return self.motion.wait if isinstance(self.motion, Motion) else 0

    def begun(self, n_steps: int, most: int | None = None) -> tuple[GridRun, Feed, NDArray[np.int64]]:
        """The run at its beginning, the feed of the noise, and the paths that are inside at time 0.

        These are counted from the first. The others have left then, which is noted. `most` is the largest number of
        steps of a feed, None for no limit.
        """
        origins, feed, drawn = self.opening(n_steps, most=most)
        inside = np.ones(self.crowd.n_paths, bool)
        if drawn and self.region is not None:
            positions = origins[:, : self.ends.places.shape[1]]
            sides = np.array([self.region.side_at(tuple(row)) for row in positions.tolist()])
            inside = sides == INSIDE
            self.ends.states[:] = np.where(inside, RUNNING, np.where(sides == UNDEFINED, NO_LEVEL, LEFT))
            self.ends.sides[sides > INSIDE] = sides[sides > INSIDE]
            self.ends.places[sides > INSIDE] = positions[sides > INSIDE]
        motion = self.motion
        moved = motion._replace(origins=origins) if isinstance(motion, Motion) else motion
        return replace(self, motion=moved), feed, np.flatnonzero(inside)

    def on(self, schedule: Array) -> GridRun:
        """The run whose motion takes the numbers of a schedule (n_steps,), empty for none."""
        if schedule.size == 0:
            return self
        return replace(self, motion=self.motion.on(schedule))

    def fill(self, feed: Feed, n_steps: int, queue: NDArray[np.int64]) -> None:
        """Follow the queued paths, counted from the first, up to the horizon, in blocks over the threads."""
        if isinstance(self.region, Moving):
            self.region.require_open(self.dt, n_steps)
        threads = self.crowd.threads
        numbers = float(queue.size) * n_steps * self.motion.channels
        size = feed.max_paths or max(1, queue.size if numbers <= _WORTH_THREADS else -(-queue.size // threads))
        blocks = [queue[i : i + size] for i in range(0, queue.size, size)]
        control = counters(len(blocks))

        def work(index: int) -> None:
            if control[index, 0] == 0:
                self._follow(feed, n_steps, blocks[index], control[index])

        known = math.inf if feed.max_paths else numbers  # whole paths may cost as many numbers as they have, squared
        run_blocks(work, threads, control, queue.size, self.crowd.progress, stop=self.crowd.stop, numbers=known)

    def _follow(self, feed: Feed, n_steps: int, block: NDArray[np.int64], control: NDArray[np.int64]) -> None:
        """Follow a block of paths, counted from the first of the crowd."""
        first, n_paths = self.crowd.first + int(block[0]), int(block[-1] - block[0]) + 1
        if isinstance(self.motion, WideMotion):
            spread = Spread.of(feed, self.motion.channels, first, n_paths)
            follow_wide(spread, self.motion, n_steps, block, self.ends, control)
        else:
            width = width_for(block.size)
            lanes = feed.lanes(first, n_paths, width)
            follow(lanes, self.motion, n_steps, block, self.ends, control, width=width)

    def ended(self, n_steps: int, horizon: float) -> Ended:
        """How the paths have ended, from the steps."""
        return Ended.of(self.ends, self.names, self.dt, checks.reached(self.dt, n_steps, horizon))


def _run_until(run: GridRun, problem: Posed, share: float) -> Ended:
    """Double the number of steps, for the paths that have not left, until the share of the paths has left."""
    if run.crowd.first > 0:
        raise ValueError(
            f"until must be None in a range of paths from number {run.crowd.first} on, got {share}. It is the share "
            "of all paths. Give a horizon."
        )
    dt, end = run.dt, checks.number("horizon", problem.horizon)
    if not end > 0:
        raise ValueError(f"horizon must be positive, got {end}.")
    driver = checks.kind("noise", problem.driver, Extending, "Whole paths have a fixed end: leave `until` out.")
    asked = checks.whole_steps(dt, end) if math.isfinite(end) else _MOST_STEPS + 1
    limit = min(driver.most_steps() - run.wait, asked if math.isfinite(end) else _MOST_STEPS)
    begun, feed, queue = run.begun(limit, driver.most_steps())
    n_steps = min(_FIRST_TRIAL, limit)
    while True:
        begun.on(problem.equation.schedule(n_steps)).fill(feed, n_steps, queue)
        queue = np.flatnonzero(run.ends.states == CENSORED)
        left = 1.0 - queue.size / run.crowd.n_paths
        if left >= share or n_steps == limit:
            break
        n_steps = min(2 * n_steps, limit)
    ended = run.ended(n_steps, end)
    if left < share and limit < asked:
        raise HorizonError(
            f"until must be reached within the noise model's {n_steps} steps, got {left:.6g} of the paths by then. "
            "Take a larger dt or a finite horizon.",
            ended.passages(),
        )
    return ended
