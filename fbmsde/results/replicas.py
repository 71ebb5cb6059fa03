"""`Replica`: one run of a rare-event method, and the reasons to doubt several of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..core.show import Shown
from ..core.types import Array

_LARGEST_SHARE = 0.5  # of one replica in the mean of all
LARGEST_SPREAD = 1.0  # relative standard deviation of a replica
_EXCESS = 4.0  # of the spread of replicas over what they expect of themselves
_SMALL_SPREAD = 0.25  # at which more paths have cured such an excess: measured, intervals of 95 % cover 91 to 98 %
_LOWEST_ACCEPTANCE = 0.05
_FEWEST_ANCESTORS = 2.0  # on average
_FEWEST_EFFECTIVE = 30.0  # weighted paths of a replica, on average


@dataclass(frozen=True, eq=False, repr=False)
class Replica(Shown):
    """One of the independent runs of a rare-event method, to one side of the domain.

    probability : the estimate of the probability to leave by this side up to the horizon; 0 if no path arrived.
    times, weights : the times at which paths left that arrived, in order, and their positive weights, (n,) each. They
        are a weighted sample of the law of the time of those that leave up to the horizon, whose members may depend on
        each other.
    levels, shares : the levels that were passed one after the other, and the estimated probability to pass each given
        the one before, (n_levels,) each. Conditioned paths pass one level, with the bound of their estimate.
    acceptance : the share of moves that were accepted at each level (n_levels,); empty where nothing is moved.
    ancestors : the number of the first paths from which those that arrived descend.
    expected_error : the relative standard error that the replica expects of itself. It is too small where paths that
        depend on each other are taken for independent ones.

    >>> from fbmsde import FractionalNoise, quadratic, rare_escape
    >>> rare = rare_escape(quadratic(), FractionalNoise(0.5), 0.0, (None, 4.0), horizon=8.0, seed=1, dt=0.01)
    >>> [0.0 < replica.probability < 1e-5 for replica in rare.sides["upper"][:2]]
    [True, True]
    """

    probability: float
    times: Array
    weights: Array
    levels: Array
    shares: Array
    acceptance: Array
    ancestors: int
    expected_error: float

    @property
    def at_most(self) -> float:
        """The estimate, or for a replica that did not arrive that of the probability of the highest level passed."""
        return self.probability or float(np.prod(self.shares[self.shares > 0.0]))

    def share(self, first: float, last: float) -> float:
        """The share of the arrivals at times in (first, last], up to rounding; 0 if there are none."""
        if self.times.size == 0:
            return 0.0
        margin = 1e-9 * last
        within = (self.times > first + margin) & (self.times <= last + margin)
        return float(self.weights[within].sum() / self.weights.sum())

    @property
    def effective(self) -> float:
        """The effective number of arrivals ``(sum w)^2 / sum w^2`` of the weights w, at most their number."""
        return float(self.weights.sum() ** 2 / (self.weights @ self.weights)) if self.weights.size else 0.0


def _doubts(replicas: tuple[Replica, ...]) -> Iterator[str]:
    """Reasons to doubt the replicas of one side."""
    values = np.array([replica.probability for replica in replicas])
    arrived = [replica for replica in replicas if replica.probability > 0.0]
    yield from _disagreement(values, "did not arrive")
    if len(arrived) < 2:
        return
    spread, expected = _spread(values), float(np.median([replica.expected_error for replica in arrived]))
    if spread > min(LARGEST_SPREAD, max(_SMALL_SPREAD, _EXCESS * expected)):
        yield f"The replicas differ by {spread:.0%} of their mean, where they expect {expected:.0%}."
    effective = float(np.mean([replica.effective for replica in arrived]))
    weighted = any((replica.weights != 1.0).any() for replica in arrived)
    if weighted and effective < _FEWEST_EFFECTIVE:
        yield f"The paths that arrived in a replica count as {effective:.0f} of equal weight on average."
    ancestors = float(np.mean([replica.ancestors for replica in arrived]))
    if ancestors < _FEWEST_ANCESTORS:
        yield f"The paths that arrived in a replica descend from {ancestors:.1f} first paths on average."
    lowest = [replica.acceptance.min() for replica in arrived if replica.acceptance.size]
    if lowest and float(np.median(lowest)) < _LOWEST_ACCEPTANCE:
        yield f"Only {np.median(lowest):.1%} of the moves were accepted at a level."


def _disagreement(values: Array, missed: str) -> Iterator[str]:
    """Reasons to doubt the mean of what replicas estimate: some have `missed` it, or one makes up most of it."""
    n, lost = values.size, int(np.count_nonzero(values == 0.0))
    if lost:
        yield f"{lost} of {n} replicas {missed}."
    if n - lost >= 2 and n > 2 and values.max() > _LARGEST_SHARE * values.sum():
        yield f"One of {n} replicas makes up {values.max() / values.sum():.0%} of the mean."


def _spread(values: Array) -> float:
    """The relative standard deviation of positive values, NaN for one of them or if all are 0."""
    mean = values.mean()
    return float(values.std(ddof=1) / mean) if values.size > 1 and mean > 0.0 else math.nan
