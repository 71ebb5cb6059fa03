"""Sums over the paths of a block, from which everything that a campaign reports is made: memory stays bounded."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from ..core.states import BROKEN, CENSORED, NO_LEVEL
from ..core.types import Array
from ..results.escape import UNKNOWN, Curve
from ..results.estimates import Estimate, Mean, Moments, Rate
from ..results.split import share_interval
from ..simulation.ended import Ended

_CLASSES = 400  # of times, each wider than the one before by the same factor

Counts = NDArray[np.int64]


def classes_of(n_steps: int, dt: float, after: float | None) -> Counts:
    """The last steps of the classes of times up to `n_steps`, (n_classes,), ascending; one class ends at `after`.

    >>> classes_of(4, 0.5, None).tolist()
    [1, 2, 3, 4]
    """
    edges = np.rint(np.geomspace(1.0, n_steps, _CLASSES)).astype(np.int64)
    begin = [] if after is None else [_first_step(after, dt)]
    return np.unique(np.concatenate([edges, [b for b in begin if 0 < b < n_steps]]).astype(np.int64))


def _first_step(after: float, dt: float) -> int:
    """The first step that does not end before `after`."""
    return math.ceil(after / dt * (1.0 - 1e-12))


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums over paths. Those of two blocks join to those of both.

    moments : the moments of the times of paths that did not break.
    exits, lost : the number of exits and of broken paths in each class of times, (n_classes,).
    exit_steps, lost_steps : the sums of their steps, (n_classes,).
    censored : the number of paths that were inside up to the horizon.
    sides : the number of exits through each side, (n_sides,).
    """

    moments: Moments
    exits: Counts
    lost: Counts
    exit_steps: Counts
    lost_steps: Counts
    censored: int
    sides: Counts

    @classmethod
    def of(cls, block: Ended, classes: Counts) -> Tally:
        """The sums over the paths of a block."""
        steps = np.rint(block.times / block.dt).astype(np.int64)
        broken = (block.states == BROKEN) | (block.states == NO_LEVEL)
        left = ~broken & (block.states != CENSORED)
        places = np.searchsorted(classes, steps)
        parts: list[Counts] = []
        for who in (left, broken):
            parts += [np.bincount(places[who], minlength=classes.size), np.zeros(classes.size, np.int64)]
            np.add.at(parts[-1], places[who], steps[who])
        exits, exit_steps, lost, lost_steps = parts
        sides = np.bincount(block.sides[left], minlength=len(block.names) + 1)[1:]
        censored = int(np.count_nonzero(~left & ~broken))
        return cls(Moments.of(block.times[~broken]), exits, lost, exit_steps, lost_steps, censored, sides)

    def joined(self, other: Tally) -> Tally:
        """The sums over the paths of both."""
        return Tally(
            self.moments.joined(other.moments),
            self.exits + other.exits,
            self.lost + other.lost,
            self.exit_steps + other.exit_steps,
            self.lost_steps + other.lost_steps,
            self.censored + other.censored,
            self.sides + other.sides,
        )

    @property
    def n_exits(self) -> int:
        """The number of exits."""
        return int(self.exits.sum())

    @property
    def n_broken(self) -> int:
        """The number of broken paths."""
        return int(self.lost.sum())

    @property
    def n_paths(self) -> int:
        """The number of paths."""
        return self.n_exits + self.n_broken + self.censored


def joined(tallies: Iterable[Tally]) -> Tally:
    """The sums over all paths of several tallies, of which there is at least one, joined in their order."""
    return reduce(Tally.joined, tallies)


@dataclass(frozen=True, eq=False)
class Estimates:
    """What a tally tells of a problem with this step and horizon, and these classes of times."""

    tally: Tally
    classes: Counts
    dt: float
    horizon: float

    def quartile(self) -> float:
        """The end of the class of the last exit of the first quarter of them, 0 without an exit.

        Whether a class holds that exit is known at its end, so that the rate from there on depends on later exits only.
        """
        if self.tally.n_exits == 0:
            return 0.0
        last = (self.tally.n_exits - 1) // 4  # as the lower quantile of `PassageTimes.exit_rate`
        place = int(np.searchsorted(np.cumsum(self.tally.exits), last, side="right"))
        return float(self.classes[place] * self.dt)

    def mean(self) -> tuple[Estimate, bool]:
        """The mean exit time, and whether it is that of ``min(T, horizon)``; unknown without an exit."""
        tally = self.tally
        intact = tally.n_exits + tally.censored
        if tally.n_exits == 0:
            return UNKNOWN, tally.censored > 0
        found = Mean.of_moments(tally.moments, tally.censored / intact, self.horizon)
        return Estimate(found.value, *found.confidence_interval()), found.restricted

    def rate(self, after: float) -> Estimate:
        """The exit rate from the exits later than `after`, in whose step a class ends or which is 0; unknown without.

        As in `PassageTimes.exit_rate`, steps count from the first multiple of dt that is not before `after`.
        """
        begin = _first_step(after, self.dt)
        later = self.classes > begin
        tally = self.tally
        events = int(tally.exits[later].sum())
        ended = int(tally.exits[later].sum() + tally.lost[later].sum())
        steps = int(tally.exit_steps[later].sum() + tally.lost_steps[later].sum()) - begin * ended
        steps += tally.censored * (int(self.classes[-1]) - begin)
        if events == 0 or steps <= events:
            return UNKNOWN
        rate = Rate(-math.log1p(-events / steps) / self.dt, events, steps * self.dt, after, self.dt)
        return Estimate(rate.value, *rate.confidence_interval())

    def probability(self) -> Estimate:
        """The probability to have left by the horizon; broken paths are left out."""
        n = self.tally.n_exits + self.tally.censored
        if n == 0:
            return UNKNOWN
        low, high = share_interval(np.array([self.tally.n_exits / n]), np.array([float(n)]), 0.95)
        return Estimate(self.tally.n_exits / n, float(low[0]), float(high[0]))

    def sides(self, names: tuple[str, ...]) -> dict[str, Estimate]:
        """The probability to have left through each side by the horizon, by name; broken paths are left out."""
        n = self.tally.n_exits + self.tally.censored
        if n == 0:
            return dict.fromkeys(names, UNKNOWN)
        shares = self.tally.sides / n
        low, high = share_interval(shares, np.full(shares.size, float(n)), 0.95)
        found = zip(names, shares.tolist(), low.tolist(), high.tolist(), strict=True)
        return {name: Estimate(value, lower, upper) for name, value, lower, upper in found}

    def curve(self) -> Curve:
        """The share of paths that are still inside at the end of each class, from (0, 1) on (Kaplan and Meier)."""
        gone = np.cumsum(self.tally.exits + self.tally.lost)
        at_risk = self.tally.n_paths - np.concatenate([[0], gone[:-1]])
        inside = np.cumprod(1.0 - self.tally.exits / np.maximum(at_risk, 1))
        times: Array = np.concatenate([[0.0], self.classes * self.dt])
        return Curve(times, np.concatenate([[1.0], inside]))
