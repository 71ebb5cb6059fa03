"""`Split`: how probable each side is for a path to leave through, with intervals, and as functions of time."""

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
from ..core.show import Shown, Table, line
from ..core.types import Array
from .departures import Departures
from .estimates import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class Incidence(Shown):
    """The probability to have left through one side by each time, as `Split.curve` returns it.

    times : the distinct times of exits through any side, ascending, (n_times,).
    probabilities : the probability to have left through this side by each time, (n_times,).
    low, high : the ends of its pointwise confidence intervals, (n_times,) each.

    >>> from fbmsde import FractionalNoise, first_passage, quadratic
    >>> passages = first_passage(quadratic(), FractionalNoise(0.5), 0.0, (-1.0, 1.0), dt=0.01, horizon=50.0,
    ...                          n_paths=200, seed=1)
    >>> curve = passages.split().curve("upper")
    >>> curve.times.shape == curve.probabilities.shape, bool(curve.probabilities[-1] == passages.split()["upper"].value)
    (True, True)
    """

    times: Array
    probabilities: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False, repr=False)
class Split(Shown):
    """The probabilities of the sides, as `PassageTimes.split` returns them.

    names : the names of the sides, (n_sides,).
    probability : the probability to leave through each side, (n_sides,). If paths were censored it is the probability
        to have left there by the horizon, and `restricted` is True.
    low, high : the ends of the confidence intervals, (n_sides,) each.
    restricted : True if some paths were censored.
    n_paths : the number of paths.
    confidence_level : the level of all intervals.

    ``split["upper"]`` is the `Estimate` of one side.

    >>> from fbmsde import FractionalNoise, first_passage, quadratic
    >>> passages = first_passage(quadratic(), FractionalNoise(0.5), 0.0, (-1.0, 1.0), dt=0.01, horizon=50.0,
    ...                          n_paths=200, seed=1)
    >>> split = passages.split()
    >>> split.names, bool(split["upper"].low < 0.5 < split["upper"].high)
    (('lower', 'upper'), True)
    """

    names: tuple[str, ...]
    restricted: bool
    n_paths: int
    confidence_level: float
    curves: tuple[Incidence, ...]

    @classmethod
    def of(cls, times: Array, departures: Departures, level: float) -> Split:
        """The split of paths with these times (n_paths,), which are those of censoring where there is no side.

        The estimate is that of Aalen and Johansen for competing risks: with d_ij exits through side j at time t_i out
        of n_i paths at risk, ``F_j(t) = sum_{t_i <= t} S(t_{i-1}) d_ij / n_i``, where S is the share still inside
        (Kaplan and Meier). Without censoring F_j is the share of the paths. The variance is that of the delta method
        for the independent multinomial counts of the steps. Intervals are Wilson's, for the number of paths with which
        a share F has the variance of the estimate, ``F (1 - F) / Var F``. Without censoring before the horizon that is
        the number of paths itself. Where F is 0 or 1 it is the number of paths that left or reached the last time.
        """
        checks.fraction("confidence_level", level)
        censored = departures.codes == 0
        when = np.unique(times[~censored])
        at_risk = times.size - np.searchsorted(np.sort(times), when)
        total = _events(times, when, ~censored)
        known = int(np.count_nonzero(~censored | (times >= times.max())))
        curves = tuple(
            _incidence(when, _events(times, when, departures.codes == j), total, at_risk, known, level)
            for j in range(1, len(departures.names) + 1)
        )
        return cls(departures.names, bool(censored.any()), times.size, level, curves)

    @property
    def probability(self) -> Array:
        """The probability of each side, (n_sides,)."""
        return np.array([curve.probabilities[-1] for curve in self.curves])

    @property
    def low(self) -> Array:
        """The lower end of each interval, (n_sides,)."""
        return np.array([curve.low[-1] for curve in self.curves])

    @property
    def high(self) -> Array:
        """The upper end of each interval, (n_sides,)."""
        return np.array([curve.high[-1] for curve in self.curves])

    def curve(self, name: str) -> Incidence:
        """The probability to have left through one side by each time; ValueError for a name of no side."""
        return self.curves[self.names.index(checks.choice("name", name, self.names))]

    def __getitem__(self, name: str) -> Estimate:
        """The probability of one side with its interval; ValueError for a name of no side."""
        curve = self.curve(name)
        return Estimate(float(curve.probabilities[-1]), float(curve.low[-1]), float(curve.high[-1]))

    def text(self) -> str:
        """Each side with its probability and interval, in one line."""
        return ", ".join(f"{name} {self[name].text()}" for name in self.names)

    def __repr__(self) -> str:
        end = ", up to the horizon" if self.restricted else ""
        return line("Split", [f"{self.n_paths} paths{end}", self.text()])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the probability to have left through each side by each time, with bands; the Axes come back.

        >>> from fbmsde import Departures, PassageTimes
        >>> left = Departures(np.array([1, 2, 2]), ("lower", "upper"), np.array([-1.0, 1.0, 1.0]))
        >>> times = np.array([1.0, 2.0, 3.0])
        >>> PassageTimes(times, np.full(3, False), 3.0, 1.0, departures=left).split().plot().get_ylabel()
        'probability to have left'
        """
        return picture("plot_split")(self, ax)

    def _facts(self) -> Mapping[str, object]:
        level = f"{100 * self.confidence_level:g} %"
        return {"paths": self.n_paths, "up to": "the horizon" if self.restricted else None, "intervals": level}

    def _lines(self) -> Table:
        return ("side", "probability to leave through it"), [(name, self[name].text()) for name in self.names]


def _events(times: Array, when: Array, through: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The number of exits through one side at each of the times `when`, (n_times,)."""
    return np.bincount(np.searchsorted(when, times[through]), minlength=when.size)


def _incidence(
    when: Array, events: NDArray[np.int64], total: NDArray[np.int64], at_risk: NDArray[np.int64], known: int,
    level: float,
) -> Incidence:  # fmt: skip
    """The curve of one side, from the exits through it and through all sides and the paths at risk at each time."""
    if when.size == 0:
        zero = np.zeros(1)
        return Incidence(zero, zero, *share_interval(zero, np.array([float(known)]), level))
    before = np.concatenate([[1.0], np.cumprod(1.0 - total / at_risk)[:-1]])  # the share inside before each time
    value = np.cumsum(before * events / at_risk)
    n = effective_number(value, _variance(value, before, events, total, at_risk), known)
    return Incidence(when, value, *share_interval(value, n, level))


def _variance(
    value: Array, before: Array, events: NDArray[np.int64], total: NDArray[np.int64], at_risk: NDArray[np.int64]
) -> Array:
    """Variance of the curve F at each time t, (n_times,), by the delta method.

    It is the sum over the times u up to t, with S before u, d exits of which e through this side, and n at risk, of
    ``(F(t) - F(u))^2 d / (n (n - d)) - 2 (F(t) - F(u)) S e / n^2 + S^2 e (n - e) / n^3``.
    """
    n = at_risk.astype(float)
    square = np.divide(total, n * (n - total), out=np.zeros(n.size), where=n > total)  # no time follows where n = d
    cross = before * events / n**2
    own = np.cumsum(before**2 * events * (n - events) / n**3)
    squares = value**2 * np.cumsum(square) - 2.0 * value * np.cumsum(square * value) + np.cumsum(square * value**2)
    crosses = value * np.cumsum(cross) - np.cumsum(cross * value)
    return np.maximum(squares - 2.0 * crosses + own, 0.0)


def effective_number(value: Array, variance: Array, known: int) -> Array:
    """The number of paths with which a share has the variance of the estimate, (n_times,)."""
    binomial = value * (1.0 - value)
    settled = (binomial > 1e-12) & (variance > 0.0)
    return np.divide(binomial, variance, out=np.full(value.size, float(known)), where=settled)


def share_interval(value: Array, n: Array, level: float) -> tuple[Array, Array]:
    """The ends of Wilson's score interval of a share of n paths, each of the shape of `value`.

    >>> low, high = share_interval(np.array([0.5]), np.array([100.0]), 0.95)
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.4038, 0.5962)
    """
    z2 = float(scipy.stats.norm.isf((1.0 - level) / 2.0)) ** 2
    middle, scale = (value + z2 / (2.0 * n)) / (1.0 + z2 / n), 1.0 / (1.0 + z2 / n)
    half = scale * math.sqrt(z2) * np.sqrt(np.maximum(value * (1.0 - value), 0.0) / n + z2 / (4.0 * n**2))
    low, high = np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
    return np.where(value <= 0.0, 0.0, low), np.where(value >= 1.0, 1.0, high)  # which rounding misses
