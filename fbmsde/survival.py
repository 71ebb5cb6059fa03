"""Passage times and what they say: survival curve, hazard, mean and exit rate, each with its confidence interval."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from . import _checks

Array = NDArray[np.float64]
Pair = tuple[float, float]


class NoEstimateError(ValueError):
    """The passage times do not determine the quantity asked for; the message says what can be said instead."""


@dataclass(frozen=True)
class Mean:
    """Mean exit time; `restricted` when paths were censored: then it is the mean of min(T, horizon), a lower bound."""

    value: float
    standard_error: float
    restricted: bool
    horizon: float

    def confidence_interval(self, level: float = 0.95) -> Pair:
        """Normal interval of the mean (central limit theorem)."""
        half = float(stats.norm.isf((1.0 - _checks.fraction("level", level)) / 2.0)) * self.standard_error
        return self.value - half, self.value + half


@dataclass(frozen=True)
class Rate:
    """Exit rate: events over time at risk after `after`, the maximum-likelihood value of a constant hazard there."""

    value: float
    events: int
    exposure: float
    after: float

    def confidence_interval(self, level: float = 0.95) -> Pair:
        """Exact Poisson interval of the number of events (Garwood 1936), scaled to the rate."""
        tail = (1.0 - _checks.fraction("level", level)) / 2.0
        low = stats.chi2.ppf(tail, 2 * self.events) / 2.0 if self.events else 0.0
        high = stats.chi2.isf(tail, 2 * self.events + 2) / 2.0
        per_event = self.value / self.events if self.events else 1.0 / self.exposure
        return float(low * per_event), float(high * per_event)


@dataclass(frozen=True)
class Hazard:
    """Exit rates in windows: `edges` (n + 1,), `values` (n,), `events` (n,), `exposure` (n,) time at risk in each."""

    edges: Array
    values: Array
    events: NDArray[np.int64]
    exposure: Array

    def confidence_interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Exact Poisson intervals, window by window; NaN where nobody was at risk."""
        tail = (1.0 - _checks.fraction("level", level)) / 2.0
        with np.errstate(divide="ignore", invalid="ignore"):
            low = np.where(self.events > 0, stats.chi2.ppf(tail, 2 * self.events), 0.0) / 2.0 / self.exposure
            high = stats.chi2.isf(tail, 2 * self.events + 2) / 2.0 / self.exposure
        at_risk = self.exposure > 0
        return np.where(at_risk, low, np.nan), np.where(at_risk, high, np.nan)


@dataclass(frozen=True)
class SurvivalCurve:
    """Kaplan-Meier estimate: the share still inside just after each of `times` (n,), `probabilities` (n,)."""

    times: Array
    probabilities: Array
    _estimate: Any

    def confidence_interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Pointwise log-log interval (Kalbfleisch & Prentice), each (n,); NaN where the curve is at 0 or 1."""
        _checks.fraction("level", level)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            interval = self._estimate.sf.confidence_interval(level, method="log-log")
        return interval.low.probabilities, interval.high.probabilities

    def at(self, times: ArrayLike) -> Array:
        """Share still inside at any times, the step function itself."""
        return np.asarray(self._estimate.sf.evaluate(np.asarray(times, dtype=float)))


@dataclass(frozen=True, eq=False)
class PassageTimes:
    """First-passage times of paths: `times` (n_paths,), `censored` (n_paths,): True = still inside at the horizon.

    A censored time is the horizon. Times are multiples of `dt`. `error_budget`: in continuous time what each
    approximation may contribute, else None.

    >>> passages = PassageTimes(np.array([1.0, 2.0, 3.0, 3.0]), np.array([False, False, False, True]), 3.0, 1.0)
    >>> passages.n_left, passages.survival().probabilities.tolist()
    (3, [0.75, 0.5, 0.25])
    """

    times: Array
    censored: NDArray[np.bool_]
    horizon: float
    dt: float
    error_budget: Any = None

    @property
    def n_paths(self) -> int:
        """Number of paths."""
        return self.times.size

    @property
    def n_left(self) -> int:
        """Number of paths that left before the horizon."""
        return int(np.count_nonzero(~self.censored))

    def survival(self) -> SurvivalCurve:
        """Kaplan-Meier estimate of the probability to be inside, by ``scipy.stats.ecdf`` of the censored data."""
        self._require_exits("the survival curve is 1 up to the horizon")
        data = stats.CensoredData.right_censored(self.times, self.censored)
        estimate = stats.ecdf(data)
        return SurvivalCurve(estimate.sf.quantiles, estimate.sf.probabilities, estimate)

    def mean(self) -> Mean:
        """Mean exit time; when paths are censored the restricted mean of ``min(T, horizon)``, and it says so."""
        self._require_exits(f"the mean exit time is above the horizon {self.horizon:g} by an unknown amount")
        error = float(np.std(self.times, ddof=1) / np.sqrt(self.n_paths)) if self.n_paths > 1 else float("nan")
        return Mean(float(np.mean(self.times)), error, bool(self.censored.any()), self.horizon)

    def exit_rate(self, after: float | None = None) -> Rate:
        """Exit rate by censored maximum likelihood from the exits later than `after` (default: the lower quartile).

        The hazard per step of the grid, events / steps at risk = p, as a rate: ``-ln(1 - p) / dt``.
        """
        self._require_exits(f"95 % confidence: the exit rate is below {self.rate_bound():.3g}")
        left = self.times[~self.censored]
        if np.all(left <= self.dt * (1 + 1e-9)) and left.size == self.n_paths:
            raise NoEstimateError(
                f"every path left at the first step of {self.dt:g}, so the rate is not resolved. Take a smaller dt."
            )
        begin = float(np.quantile(left, 0.25)) if after is None else _checks.finite("after", after)
        events = int(np.count_nonzero(left > begin))
        exposure = float(np.sum(np.maximum(self.times - begin, 0.0)))
        if events == 0:
            raise NoEstimateError(f"no path left after {begin:g}, so the tail has no rate. Take an earlier `after`.")
        per_step = min(events * self.dt / exposure, 1.0 - 1e-12)
        return Rate(float(-np.log1p(-per_step) / self.dt), events, exposure, begin)

    def rate_bound(self, level: float = 0.95) -> float:
        """Upper confidence bound of a constant exit rate when no path has left: ``-ln(1 - level) / exposure``."""
        return float(-np.log1p(-_checks.fraction("level", level)) / np.sum(self.times))

    def hazard(self, edges: ArrayLike) -> Hazard:
        """Exit rate in the windows between increasing `edges` (n + 1,): events over time at risk."""
        e = np.asarray(edges, dtype=float)
        if e.ndim != 1 or e.size < 2 or not np.all(np.diff(e) > 0):
            raise ValueError(f"edges must be increasing and at least two, got {edges!r}.")
        left = np.sort(self.times[~self.censored])
        events = np.diff(np.searchsorted(left, e, side="right")).astype(np.int64)
        ordered = np.sort(self.times)
        sums = np.concatenate([[0.0], np.cumsum(ordered)])
        index = np.searchsorted(ordered, e, side="right")
        lived = sums[index] + e * (ordered.size - index)  # sum over paths of min(T, edge)
        exposure = np.diff(lived)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(exposure > 0, events / exposure, np.nan)
        return Hazard(e, values, events, exposure)

    def _require_exits(self, instead: str) -> None:
        if self.n_left == 0:
            raise NoEstimateError(f"no path of {self.n_paths} left before the horizon {self.horizon:g}: {instead}.")
