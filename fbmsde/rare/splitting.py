"""Adaptive multilevel splitting: paths that climb least are replaced by branches of those that climbed higher."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core import checks
from ..core.blocks import run_blocks
from ..core.types import Array
from ..drivers.base import Driver, Feed
from ..drivers.branching import Branching
from ..dynamics.base import Dynamics
from ..dynamics.landscapes import Landscape
from ..results.rare import RareEscape, Replica
from ..simulation.domains import Domain
from ..simulation.monitoring import Grid
from ..simulation.starts import substream
from ._branches import FRESH, Book, Tasks, branch_paths
from ._climb import Counts
from .posed import Escape, posed

_FEWEST = 16  # paths of a replica


def splitting(
    landscape: Landscape | Dynamics,
    noise: Driver,
    x0: ArrayLike,
    domain: Domain,
    *,
    monitoring: Grid,
    horizon: float,
    seed: checks.Seed,
    n_replicas: int = 10,
    n_paths: int = 1024,
    killed: float = 0.1,
    least: float = 1e-30,
    n_jobs: int | None = None,
) -> RareEscape:
    """The probability that a path leaves `domain` up to the horizon, by adaptive multilevel splitting.

    Each replica follows `n_paths` paths up to the horizon and scores them by how near they came to the boundary. In
    each round the share `killed` with the lowest scores is replaced: a new path follows one of the others, drawn at
    random, until that one first scores higher than all that were killed, and goes on from there with fresh noise. The
    product of the shares that were kept, and of the share that has left at the end, is an estimate of the probability
    without bias (Brehier, Gazeau, Goudenege, Lelievre & Rousset 2016). Paths branch at the end of a block of 8 steps.
    A boundary that is reached within 8 steps from everywhere cannot be climbed to.

    Parameters
    ----------
    landscape, noise, x0, domain, horizon, seed : as for `first_passage`. The noise must be one whose lanes can be
        copied (`Branching`); all but exact generators are. `x0` is one point. The score is the distance beyond the
        nearer end of an interval, or the largest level of level sets, at most 0 inside.
    monitoring : ``Grid(dt, solver)``, or ``Shifted(dt, solver)`` for the rate of continuous time.
    n_replicas : the number of independent replicas, from whose spread intervals come.
    n_paths : the number of paths of a replica. Its relative error is at best ``sqrt(-log(p) / n_paths)``.
    killed : the share of the paths that is replaced in a round, in (0, 1/2].
    least : the probability below which a replica gives up.
    n_jobs : the number of threads, None for all cores. The result does not depend on it.

    Raises ValueError and TypeError for arguments outside their range or of the wrong kind, and PathError if a path
    leaves the finite numbers.

    >>> from fbmsde import FractionalNoise, Grid, quadratic
    >>> rare = splitting(quadratic(1.0), FractionalNoise(0.5), 0.0, (None, 3.0), monitoring=Grid(0.02), horizon=4.0,
    ...                  seed=1, n_replicas=4, n_paths=128)
    >>> 1e-4 < rare.probability(despite_doubts=True).value < 1e-2
    True
    """
    escape = posed(landscape, noise, x0, domain, monitoring=monitoring, horizon=horizon, seed=seed)
    share = checks.fraction("killed", killed)
    if share > 0.5:
        raise ValueError(f"killed must be at most 0.5, got {share}.")
    settings = _Settings(checks.count("n_paths", n_paths, _FEWEST), share, checks.fraction("least", least))
    feed = escape.feed()
    if not isinstance(feed, Branching):
        raise ValueError(f"noise must be one whose lanes can be copied, got {noise!r}. Take method='streaming', or "
                         "subset_simulation.")  # fmt: skip
    n_replicas, threads = checks.count("n_replicas", n_replicas), checks.workers(n_jobs)
    climbers = [_Climber(escape, settings, number, side) for number, side in escape.of_replicas(n_replicas)]
    size = -(-n_replicas // threads)
    teams = [
        climbers[first :: len(escape.names)][i : i + size]
        for first in range(len(escape.names))
        for i in range(0, n_replicas, size)
    ]
    control = np.zeros((len(teams), 2), np.int64)
    run_blocks(lambda i: _climb_together(escape, feed, teams[i], control[i]), threads, control, 0, False)
    return escape.result("splitting", [climber.replica() for climber in climbers], int(control[:, 1].sum()))


@dataclass(frozen=True)
class _Settings:
    """What all replicas of a run have in common."""

    n_paths: int
    killed: float
    least: float


@dataclass
class _Climber:
    """One run on its way up to a side. Its paths are those from `first` on."""

    escape: Escape
    settings: _Settings
    number: int
    side: str
    tops: Array = field(init=False)
    arrivals: Counts = field(init=False)
    levels: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    gave_up: bool = False

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
        if kept.size == 0 or math.prod(self.shares) < self.settings.least:
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
            levels=np.array(self.levels),
            shares=shares[:-1],
            acceptance=np.empty(0),
            ancestors=int(np.unique(self.ancestors[there]).size),
            expected_error=float(np.sqrt(np.sum((1.0 - passed) / passed) / n)),
        )


def _climb_together(escape: Escape, feed: Feed, team: list[_Climber], control: NDArray[np.int64]) -> None:
    """Let some runs to the same side climb, round by round, until all have arrived or given up."""
    n, ascent = team[0].settings.n_paths, escape.ascents[team[0].side]
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
