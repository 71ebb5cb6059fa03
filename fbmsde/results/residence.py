"""`ResidenceTimes`: visits of long paths to minima, and the estimates that are made from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy
from numpy.typing import NDArray

from ..core import checks
from ..core.pictures import picture
from ..core.show import Shown, Table, told
from ..core.types import Array
from .estimates import Estimate, NoEstimateError, SurvivalCurve
from .passage_times import PassageTimes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GROUPS = 32  # the mean has its error from so many groups of visits, or more


@dataclass(frozen=True, eq=False, repr=False)
class Visits(Shown):
    """Visits to minima, in the order of paths and time; all arrays are (n_visits,).

    path : the number of the path.
    minimum : the number of the minimum.
    start, duration : when the visit began, and how long it was seen to last.
    first : True for the first visit of a path, which did not begin with an entry from another core.
    last : True for the last one, whose end was not seen.
    """

    path: NDArray[np.int64]
    minimum: NDArray[np.int64]
    start: Array
    duration: Array
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]

    @classmethod
    def of(cls, entries: NDArray[np.int64], dt: float, n_steps: int) -> Visits:
        """The visits between entries (path, step, minimum), (n, 3), in the order of paths and steps.

        >>> visits = Visits.of(np.array([[0, 0, 1], [0, 30, 0], [1, 0, 1]]), 0.1, 100)
        >>> visits.duration.round(6).tolist(), visits.censored.tolist()
        ([3.0, 7.0, 10.0], [True, True, True])
        """
        path, step, minimum = np.reshape(entries, (-1, 3)).T
        changes = path[1:] != path[:-1]
        first, last = np.ones(path.size, bool), np.ones(path.size, bool)
        first[1:], last[:-1] = changes, changes
        end = np.where(last, n_steps, np.append(step[1:], n_steps))
        return cls(path, minimum, np.asarray(step * dt, float), np.asarray((end - step) * dt, float), first, last)

    @property
    def censored(self) -> NDArray[np.bool_]:
        """True for visits that were not seen from their beginning to their end."""
        return self.first | self.last

    def __len__(self) -> int:
        return int(self.path.size)


@dataclass(frozen=True, repr=False)
class MeanResidence(Shown):
    """Mean residence time, as `ResidenceTimes.mean` returns it.

    value, standard_error : the time spent in visits over the number of visits that ended, and its standard error.
    n_visits : the number of visits that ended.
    n_groups : the number of groups of visits, by path and by time, from which the error comes. Visits of a group may
        depend on each other; the groups are taken as independent.

    >>> from fbmsde import FractionalNoise, double_well, residence_times
    >>> times = residence_times(double_well(), FractionalNoise(0.5), dt=0.01, n_steps=100_000, n_paths=4, seed=1)
    >>> mean = times.mean(0)
    >>> 0.0 < mean.standard_error < mean.value
    True
    """

    value: float
    standard_error: float
    n_visits: int
    n_groups: int

    def _facts(self) -> Mapping[str, object]:
        mean = Estimate(self.value, *self.confidence_interval())
        return {"mean residence time": mean, "standard error": self.standard_error, "visits": self.n_visits}

    def confidence_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Lower and upper confidence limit by Student's t with a degree of freedom less than there are groups.

        >>> low, high = MeanResidence(2.0, 0.1, 400, 32).confidence_interval()
        >>> round(low, 2), round(high, 2)
        (1.8, 2.2)
        """
        t = float(scipy.stats.t.isf((1.0 - checks.fraction("level", level)) / 2.0, max(1, self.n_groups - 1)))
        return max(0.0, self.value - t * self.standard_error), self.value + t * self.standard_error


@dataclass(frozen=True, repr=False)
class Correlation(Shown):
    """Rank correlation of residence times, as `ResidenceTimes.correlation` returns it.

    value, low, high : the correlation with its 95 % interval: Fisher's z with the variance ``1.06 / (n - 3)`` of rank
        correlations (Fieller, Hartley & Pearson 1957).
    z : the deviation of `value` from what shuffled visits give, in standard deviations of the latter.
    lag, n_pairs : the lag in visits, and the number of pairs of visits.

    >>> from fbmsde import FractionalNoise, double_well, residence_times
    >>> times = residence_times(double_well(), FractionalNoise(0.5), dt=0.01, n_steps=100_000, n_paths=4, seed=1)
    >>> found = times.correlation()
    >>> found.low < found.value < found.high
    True
    """

    value: float
    low: float
    high: float
    z: float
    lag: int
    n_pairs: int


@dataclass(frozen=True, eq=False, repr=False)
class ResidenceTimes(Shown):
    """Visits to minima from core to core, as `residence_times` returns them.

    visits : all visits, with path, minimum, start, duration and whether they were seen whole.
    minima, radii : the centres of the cores, (m, d), and their radii, (m,).
    spent : the steps in each core and, in the last column, all steps, by segments of the paths, (n_segments, m + 1).
    dt, horizon, n_paths : the step, the end of each path, and the number of paths.

    Estimates leave out the first visit of each path, and take the last one as censored.

    >>> from fbmsde import FractionalNoise, double_well, residence_times
    >>> times = residence_times(double_well(), FractionalNoise(0.5), dt=0.01, n_steps=100_000, n_paths=4, seed=1)
    >>> times.minima.ravel().round(3), times.mean(0).n_visits > 10
    (array([-1.414,  2.828]), True)
    """

    visits: Visits
    minima: Array
    radii: Array
    spent: NDArray[np.int64]
    dt: float
    horizon: float
    n_paths: int

    def __repr__(self) -> str:
        paths = f"{self.n_paths} path{'s' * (self.n_paths > 1)} of {self.horizon:g}"
        return f"ResidenceTimes({len(self.visits)} visits to {len(self.minima)} minima, {paths}, dt = {self.dt:g})"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the survival curves of the visits to each minimum, with bands, on `ax`; the Axes come back.

        >>> visits = Visits.of(np.array([[0, 0, 0], [0, 30, 1], [0, 60, 0], [0, 80, 1]]), 0.1, 100)
        >>> cores = (np.array([[-1.0], [1.0]]), np.full(2, 0.1), np.array([[9, 9, 100]]))
        >>> ResidenceTimes(visits, *cores, 0.1, 10.0, 1).plot().get_xlabel()
        'residence time (units of the equation)'
        """
        return picture("plot_residence")(self, ax)

    def _facts(self) -> Mapping[str, object]:
        return {"visits": len(self.visits), "paths": f"{self.n_paths} of {self.horizon:g}", "step": self.dt}

    def _lines(self) -> Table:
        shares, leaves = self.occupation, self.transitions.sum(axis=1)
        places = (told(tuple(map(float, np.atleast_1d(place)))) for place in self.minima)
        lines = zip(places, (share.text() for share in shares), map(str, leaves), strict=True)
        return ("minimum", "share of time in its core [95 %]", "transitions away"), lines

    @property
    def transitions(self) -> NDArray[np.int64]:
        """Numbers of transitions from each minimum (row) to each other one (column), (m, m)."""
        counts, follows = np.zeros((len(self.minima),) * 2, np.int64), ~self.visits.first[1:]
        np.add.at(counts, (self.visits.minimum[:-1][follows], self.visits.minimum[1:][follows]), 1)
        return counts

    @property
    def occupation(self) -> tuple[Estimate, ...]:
        """The share of time in each core with its 95 % interval, (m,).

        The error is that of segments of the paths, which are taken as independent. They include the beginning of each
        path, so that a path must be much longer than what it remembers of its start.
        """
        total = self.spent[:, -1].astype(float)
        found = (_ratio(inside.astype(float), total) for inside in self.spent[:, :-1].T)
        t = float(scipy.stats.t.isf(0.025, max(1, len(total) - 1)))
        return tuple(Estimate(p, max(0.0, p - t * error), min(1.0, p + t * error)) for p, error in found)

    def durations(self, minimum: int) -> Array:
        """Durations of the visits to a minimum that were seen from their beginning to their end."""
        return self.visits.duration[self._of(minimum) & ~self.visits.censored]

    def mean(self, minimum: int) -> MeanResidence:
        """Mean residence time at a minimum; NoEstimateError if no visit to it ended."""
        counted, visits = self._of(minimum) & ~self.visits.first, self.visits
        if not np.any(counted & ~visits.last):
            raise NoEstimateError(f"no visit to minimum {minimum} was seen from its beginning to its end.")
        n_blocks = -(-_GROUPS // self.n_paths)
        block = np.minimum((visits.start * (n_blocks / self.horizon)).astype(np.int64), n_blocks - 1)
        group, n_groups = visits.path * n_blocks + block, self.n_paths * n_blocks
        time = np.bincount(group[counted], visits.duration[counted], n_groups).astype(float)
        ended = np.bincount(group[counted & ~visits.last], minlength=n_groups).astype(float)
        return MeanResidence(*_ratio(time, ended), int(ended.sum()), n_groups)

    def survival(self, minimum: int) -> SurvivalCurve:
        """Kaplan-Meier estimate of the probability that a visit lasts longer; NoEstimateError if none ended."""
        counted = self._of(minimum) & ~self.visits.first
        if not counted.any():
            raise NoEstimateError(f"no visit to minimum {minimum} began with an entry from another core.")
        times = self.visits.duration[counted]
        return PassageTimes(times, self.visits.last[counted], max(float(times.max()), self.dt), self.dt).survival()

    def correlation(self, lag: int = 1, *, n_shuffles: int = 200, seed: checks.Seed = 0) -> Correlation:
        """Rank correlation of the residence times of visits `lag` apart on the same path.

        Ranks are taken among the visits to the same minimum, so that minima of different depth make no correlation. The
        null shuffles them there, `n_shuffles` times. Raises NoEstimateError for fewer than ten pairs.
        """
        lag, n_shuffles = checks.count("lag", lag), checks.count("n_shuffles", n_shuffles, 20)
        visits, whole = self.visits, ~self.visits.censored
        places = np.arange(len(visits) - lag) if len(visits) > lag else np.empty(0, np.int64)
        pairs = places[whole[places] & whole[places + lag] & (visits.path[places] == visits.path[places + lag])]
        if pairs.size < 10:
            raise NoEstimateError(f"only {pairs.size} pairs of whole visits lie {lag} apart. Simulate longer paths.")
        groups = [np.flatnonzero(whole & (visits.minimum == minimum)) for minimum in range(len(self.minima))]
        ranks = np.zeros(len(visits))
        for group in groups:
            ranks[group] = (scipy.stats.rankdata(visits.duration[group]) - 0.5) / max(group.size, 1) - 0.5
        value, rng, null = _correlation(ranks, pairs, lag), np.random.default_rng(checks.as_seed(seed)), []
        for _ in range(n_shuffles):
            for group in groups:
                ranks[group] = rng.permutation(ranks[group])
            null.append(_correlation(ranks, pairs, lag))
        half = float(scipy.stats.norm.isf(0.025)) * math.sqrt(1.06 / (pairs.size - 3))
        centre = math.atanh(max(-1.0 + 1e-12, min(1.0 - 1e-12, value)))
        z = (value - float(np.mean(null))) / float(np.std(null, ddof=1))
        return Correlation(value, math.tanh(centre - half), math.tanh(centre + half), z, lag, int(pairs.size))

    def _of(self, minimum: int) -> NDArray[np.bool_]:
        """True for the visits to a minimum; ValueError if there is no such minimum."""
        return self.visits.minimum == checks.count("minimum", minimum, 0, len(self.minima) - 1)


def _ratio(parts: Array, wholes: Array) -> tuple[float, float]:
    """The sum of `parts` over that of `wholes`, and its standard error from their scatter over independent groups.

    The error is that of the linearised ratio: ``var(parts - ratio wholes)`` over the squared mean of the wholes.
    """
    ratio, n = float(parts.sum() / wholes.sum()), len(parts)
    residual = parts - ratio * wholes
    return ratio, math.sqrt(float(residual @ residual) * n / (n - 1)) / float(wholes.sum()) if n > 1 else math.nan


def _correlation(values: Array, first: NDArray[np.int64], lag: int) -> float:
    """Correlation of the values at some places and `lag` behind them."""
    return float(np.corrcoef(values[first], values[first + lag])[0, 1])
