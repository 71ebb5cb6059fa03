"""Adaptive multilevel splitting: paths that climb least are replaced by branches of those that climbed higher."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..core import checks
from ..core.blocks import counters, run_blocks
from ..core.types import Array
from ..drivers.base import Feed
from ..drivers.branching import Branching
from ..results.rare import Replica
from ..simulation.problem import MOST_NUMBERED, Crowd
from ..simulation.starts import substream
from ._branches import FRESH, Book, Tasks, branch_paths
from ._climb import Counts
from .posed import Escape
from .runs import Runs, least_beside, nearest_first, runs_of

_FEWEST = 16  # paths of a replica


@dataclass(frozen=True)
class Splitting:
    """Adaptive multilevel splitting: copies of lanes climb level by level.

    Each replica follows `n_paths` paths up to the horizon and scores them by how near they came to the boundary. In
    each round the share `killed` with the lowest scores is replaced: a new path follows one of the others, drawn at
    random, until that one first scores higher than all that were killed, and goes on from there with fresh noise. The
    product of the shares that were kept, and of the share that has left at the end, is an estimate of the probability
    without bias (Brehier, Gazeau, Goudenege, Lelievre & Rousset 2016). Paths branch at the end of a block of 8 steps.
    A boundary that is reached within 8 steps from everywhere cannot be climbed to.

    n_paths : the number of paths of a replica, at least 16. Its relative error is at best ``sqrt(-log(p) / n_paths)``.
    killed : the share of the paths that is replaced in a round, in (0, 1/2].
    least : the probability below which a replica gives up. It also gives up on a side by which less than a millionth
        leaves of what leaves by a nearer one, which then is told as a bound.

    The noise must be one whose lanes can be copied (`Branching`); all but exact generators are.
    """

    name: ClassVar[str] = "splitting"
    n_paths: int = 1024
    killed: float = 0.1
    least: float = 1e-30

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_paths", checks.count("n_paths", self.n_paths, _FEWEST))
        if checks.fraction("killed", self.killed) > 0.5:
            raise ValueError(f"killed must be at most 0.5, got {self.killed}.")
        checks.fraction("least", self.least)

    def require(self, escape: Escape) -> None:
        """ValueError unless the lanes of the noise can be copied."""
        if not isinstance(escape.feed(), Branching):
            raise ValueError(
                f"noise must be one whose lanes can be copied for splitting, got {escape.driver!r}. Take the streaming "
                "noise, or method='subset'."
            )

    def run(self, escape: Escape, crowd: Crowd) -> Runs:
        """The replicas of a crowd, and the number of steps that their paths made."""
        feed, n = escape.feed(), crowd.n_paths
        checks.count("first + n_replicas", crowd.paths.stop, 1, MOST_NUMBERED // (self.n_paths * len(escape.names)))
        size, order = -(-n // crowd.threads), nearest_first(escape)
        climbers = [
            {side: _Climber(escape, self, number) for side, number in runs_of(escape, i)} for i in crowd.paths
        ]
        teams = [climbers[i : i + size] for i in range(0, n, size)]
        control = counters(len(teams), 3)

        def work(i: int) -> None:
            for k, side in enumerate(order):
                for each in teams[i]:
                    each[side].least = least_beside((each[other].replica() for other in order[:k]), self.least)
                _climb_together(feed, side, [each[side] for each in teams[i]], control[i])
                if control[i, 0] != 0:
                    return
            control[i, 1] = len(teams[i])

        run_blocks(work, crowd.threads, control, n, crowd.progress, "replica", crowd.stop)
        found = {side: tuple(each[side].replica() for each in climbers) for side in escape.names}
        return found, int(control[:, 2].sum())


@dataclass
class _Climber:
    """One run on its way up to a side, which it gives up below the probability `least`. Its paths begin at `first`."""

    escape: Escape
    settings: Splitting
    number: int
    tops: Array = field(init=False)
    arrivals: Counts = field(init=False)
    levels: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    gave_up: bool = False
    least: float = 0.0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(substream(self.escape.key, "parents", self.number))
        self.ancestors = np.arange(self.settings.n_paths)

    @property
    def first(self) -> int:
        """The number of its first path among those of all runs."""
        return self.number * self.settings.n_paths

    def tasks(self, generation: int) -> Tasks | None:
        """The paths that are to be made in a round, given the scores of the last one; None if there are none."""
        n = self.settings.n_paths
        if generation == 0:
            return Tasks(np.arange(n), np.full(n, FRESH), np.zeros(n), np.zeros(n, np.int64))
        level = float(np.partition(self.tops, self._n_killed - 1)[self._n_killed - 1])
        if level >= 0.0 or self.gave_up:
            return None
        killed, kept = np.flatnonzero(self.tops <= level), np.flatnonzero(self.tops > level)
        self.levels.append(level)
        self.shares.append(kept.size / n)
        if kept.size == 0 or math.prod(self.shares) < self.least:
            self.gave_up = True
            return None
        parents = self.rng.choice(kept, killed.size)
        self.ancestors[killed] = self.ancestors[parents]
        return Tasks(killed, parents, np.full(killed.size, level), np.full(killed.size, generation))

    @property
    def _n_killed(self) -> int:
        """The number of paths with the lowest scores that are replaced in a round."""
        return max(1, int(self.settings.killed * self.settings.n_paths))

    def replica(self) -> Replica:
        """What has become of the replica."""
        n, there = self.settings.n_paths, np.flatnonzero(self.tops >= 0.0)
        there = there[:0] if self.gave_up else there
        shares = np.array([*self.shares, there.size / n])
        passed = shares[shares > 0.0]
        return Replica(
            probability=float(np.prod(shares)),
            times=np.sort(self.arrivals[there]) * np.float64(self.escape.dt),
            weights=np.ones(there.size),
            levels=np.array(self.levels),
            shares=shares[:-1],
            acceptance=np.empty(0),
            ancestors=int(np.unique(self.ancestors[there]).size),
            expected_error=float(np.sqrt(np.sum((1.0 - passed) / passed) / n)),
        )


def _climb_together(feed: Feed, side: str, team: list[_Climber], control: NDArray[np.int64]) -> None:
    """Let some runs to the same side climb, round by round, until all have arrived or given up."""
    escape = team[0].escape
    n, ascent = team[0].settings.n_paths, escape.ascents[side]
    assert isinstance(feed, Branching)
    lanes = feed.lanes(0, n)
    branch = feed.branch(lanes)
    book = Book.blank(len(team) * n, ascent.origin.size, branch.n_numbers, branch.n_words)
    firsts = np.repeat([climber.first for climber in team], n) + np.tile(np.arange(n), len(team))
    follow = partial(branch_paths, lanes, branch, ascent, escape.n_steps)
    climbing, generation = list(enumerate(team)), 0
    while control[0] == 0:
        found = [(i, climber, tasks) for i, climber in climbing if (tasks := climber.tasks(generation)) is not None]
        if not found:
            return
        rows = [_moved(tasks, i * n) for i, _, tasks in found]
        follow(Tasks(*map(np.concatenate, zip(*rows, strict=True))), book, firsts, control)
        climbing = [(i, climber) for i, climber, _ in found]
        for i, climber in climbing:
            own = slice(i * n, (i + 1) * n)
            climber.tops, climber.arrivals = book.final_tops[own].copy(), book.final_arrivals[own].copy()
            escape.require_finite(climber.tops)
        generation += 1


def _moved(tasks: Tasks, by: int) -> Tasks:
    """Tasks whose rows are counted from another one on."""
    parents = np.where(tasks.parents == FRESH, FRESH, tasks.parents + by)
    return Tasks(tasks.rows + by, parents, tasks.levels, tasks.generations)
