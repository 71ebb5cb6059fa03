"""Subset simulation: chains of whole paths that climb level by level (Au & Beck 2001)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..core import checks
from ..core.blocks import counters, run_blocks
from ..core.types import Array
from ..drivers.base import LANES, Feed
from ..drivers.from_normals import is_jointly_normal
from ..results.rare import Replica
from ..simulation.problem import MOST_NUMBERED, Crowd
from ..simulation.starts import substream
from ._chains import Chains, Move, copy_chain, move
from ._climb import Counts
from .posed import Escape
from .runs import Runs, least_beside, nearest_first, runs_of

_MOST_SWEEPS = 2**12  # of a replica
_TARGET = 0.25  # share of moves that should be accepted
_GAIN = 1.5  # by how much the logarithm of the size of a move follows the share that was accepted
_SMALLEST = 1e-3  # size of a move
_GROUP = 128  # chains come in groups of so many, which fill the lanes


@dataclass(frozen=True)
class SubsetSimulation:
    """Subset simulation: chains of whole paths climb level by level.

    A path is scored by how near it comes to the boundary. Each replica passes a sequence of levels of the score: the
    next one is that which a share `p0` of its paths exceeds. These paths are copied over the others, and then `sweeps`
    times all paths are moved and stay above the level (Au & Beck 2001). A move mixes the noise of a path with that of a
    fresh one, so that it keeps its law (Cotter, Roberts, Stuart & White 2013); the mixture is adapted so that a quarter
    of the moves is accepted. The probability is the product of the shares. Its bias is of order
    1 / n_chains: measured 5 % upwards with 128 chains at probabilities of 1e-3.

    n_chains : the number of paths of a replica, a multiple of 128. The noise of all is in memory twice.
    sweeps : the number of moves of each path at a level.
    p0 : the share of paths that exceed the next level, in (1 / n_chains, 1/2).
    least : the probability below which a replica gives up. It also gives up on a side by which less than a millionth
        leaves of what leaves by a nearer one, which then is told as a bound.

    The noise must be jointly normal (`JointlyNormal`), as an `EpochNoise` is whose `phase` is given.
    """

    name: ClassVar[str] = "subset"
    n_chains: int = 512
    sweeps: int = 8
    p0: float = 0.1
    least: float = 1e-100

    def __post_init__(self) -> None:
        n = checks.count("n_chains", self.n_chains, _GROUP)
        if n % _GROUP:
            raise ValueError(f"n_chains must be a multiple of {_GROUP}, got {n}.")
        if not 1.0 / n < checks.number("p0", self.p0) < 0.5:
            raise ValueError(f"p0 must lie in (1 / n_chains, 0.5), got {self.p0}.")
        object.__setattr__(self, "n_chains", n)
        object.__setattr__(self, "sweeps", checks.count("sweeps", self.sweeps))
        checks.fraction("least", self.least)

    def require(self, escape: Escape) -> None:
        """ValueError unless the noise is a map of normals."""
        if not is_jointly_normal(escape.driver):
            raise ValueError(
                f"noise must be jointly normal for subset simulation, got {escape.driver!r}. Take method='splitting'."
            )

    def run(self, escape: Escape, crowd: Crowd) -> Runs:
        """The replicas of a crowd, and the number of steps that their paths made."""
        numbered = MOST_NUMBERED // (_MOST_SWEEPS * self.n_chains * len(escape.names))
        checks.count("first + n_replicas", crowd.paths.stop, 1, numbered)
        climbers = [
            {side: _Climber(escape, self, number, side) for side, number in runs_of(escape, i)} for i in crowd.paths
        ]
        room = 16.0 * self.n_chains * escape.n_steps * escape.equation.n_channels
        checks.fits_memory("the paths of all chains", room * min(crowd.threads, crowd.n_paths))
        feed, order = escape.feed(), nearest_first(escape)
        found: list[dict[str, Replica]] = [{} for _ in crowd.paths]
        control = counters(crowd.n_paths)

        def work(i: int) -> None:
            for side in order:
                found[i][side] = climbers[i][side].climb(feed, least_beside(found[i].values(), self.least))
            control[i, 1] = 1

        run_blocks(work, crowd.threads, control, crowd.n_paths, crowd.progress, "replica", crowd.stop)
        sweeps = sum(climber.sweeps for each in climbers for climber in each.values())
        replicas = {side: tuple(runs[side] for runs in found) for side in escape.names}
        return replicas, sweeps * self.n_chains * escape.n_steps


@dataclass
class _Climber:
    """One run on its way up to a side."""

    escape: Escape
    settings: SubsetSimulation
    number: int
    side: str
    levels: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    acceptance: list[float] = field(default_factory=list)
    variance: float = 0.0
    root: float = 0.5
    sweeps: int = 0

    def climb(self, feed: Feed, least: float) -> Replica:
        """Climb level by level until a share p0 of the paths arrives, none gets any higher, or fewer than `least`."""
        settings, rng = self.settings, np.random.default_rng(substream(self.escape.key, "chains", self.number))
        sizes, ancestors = (self.escape.n_steps, self.escape.equation.n_channels), np.arange(settings.n_chains)
        groups = [Chains.blank(*sizes) for _ in range(settings.n_chains // LANES)]
        tops, arrivals = self._sweep(feed, groups, None)
        while np.mean(tops >= 0.0) < settings.p0:
            level = float(np.quantile(tops, 1.0 - settings.p0, method="inverted_cdf"))
            kept = np.flatnonzero(tops[-1] > level)
            self._pass(level, tops > level)
            spent = math.prod(self.shares) < least or self.sweeps + settings.sweeps > _MOST_SWEEPS
            if kept.size == 0 or spent:
                return self._replica(tops[:, :0], arrivals[:, :0], ancestors[:0])
            parents = _parents(kept, settings.n_chains, rng)
            ancestors = ancestors[parents]
            _copy(groups, parents)
            tops, arrivals = self._sweep(feed, groups, level)
        self._pass(0.0, tops >= 0.0)
        return self._replica(tops, arrivals, ancestors)

    def _sweep(self, feed: Feed, groups: list[Chains], level: float | None) -> tuple[Array, Counts]:
        """The scores and the steps of arrival after each of the sweeps above a level, (sweeps, n_chains).

        With `level` None all paths are drawn anew at each of them.
        """
        n, fresh = self.settings.n_chains, level is None
        shape = self.settings.sweeps, n
        tops, arrivals, shares = np.empty(shape), np.empty(shape, np.int64), []
        lanes = feed.lanes(0, LANES) if feed.max_paths is None else None
        for k in range(self.settings.sweeps):
            first = (self.number * _MOST_SWEEPS + self.sweeps) * n
            rho, root = (0.0, 1.0) if fresh else (math.sqrt(1.0 - self.root**2), self.root)
            accepted = 0
            for g, chains in enumerate(groups):
                step = Move(first + g * LANES, rho, root, -math.inf if level is None else level)
                served = lanes or feed.lanes(step.path, LANES)
                accepted += move(served, self.escape.ascents[self.side], self.escape.n_steps, step, chains)
                tops[k, g * LANES : (g + 1) * LANES] = chains.tops
                arrivals[k, g * LANES : (g + 1) * LANES] = chains.arrivals
            self.escape.require_finite(tops[k])
            self.sweeps += 1
            shares.append(accepted / n)
            if not fresh:
                self.root = min(1.0, max(_SMALLEST, self.root * math.exp(_GAIN * (shares[-1] - _TARGET))))
        if not fresh:
            self.acceptance.append(float(np.mean(shares)))
        return tops, arrivals

    def _pass(self, level: float, above: NDArray[np.bool_]) -> None:
        """Note a level and which of the paths (sweeps, n_chains) are above it."""
        share = float(above.mean())
        self.levels.append(level)
        self.shares.append(share)
        if share > 0.0:
            self.variance += float(above.mean(axis=0).var()) / (self.settings.n_chains * share**2)

    def _replica(self, tops: Array, arrivals: Counts, ancestors: Counts) -> Replica:
        """What has become of the replica; no paths for one that has given up."""
        there = tops[-1] >= 0.0
        return Replica(
            probability=math.prod(self.shares) if there.any() else 0.0,
            times=np.sort(arrivals[tops >= 0.0]) * np.float64(self.escape.dt),
            weights=np.ones(np.count_nonzero(tops >= 0.0)),
            levels=np.array(self.levels),
            shares=np.array(self.shares),
            acceptance=np.array(self.acceptance),
            ancestors=int(np.unique(ancestors[there]).size),
            expected_error=math.sqrt(self.variance),
        )


def _parents(kept: Counts, n: int, rng: np.random.Generator) -> Counts:
    """The path that each of n paths becomes a copy of: those that are kept stay, the others become copies in turn."""
    parents, lost = np.arange(n), np.setdiff1d(np.arange(n), kept)
    parents[lost] = np.resize(rng.permutation(kept), lost.size)
    return parents


def _copy(groups: list[Chains], parents: Counts) -> None:
    """Let each chain take the path of its parent, which keeps its own."""
    for chain in np.flatnonzero(parents != np.arange(parents.size)):
        (g, lane), (h, other) = divmod(int(chain), LANES), divmod(int(parents[chain]), LANES)
        source, target = groups[h], groups[g]
        copy_chain(source.noise, int(source.side[other]), other, target.noise, int(target.side[lane]), lane)
        target.tops[lane], target.arrivals[lane] = source.tops[other], source.arrivals[other]
