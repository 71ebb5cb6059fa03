"""Passage times and what they say: survival curve, hazard, mean and exit rate, each with its confidence interval."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from . import _checks

Array = NDArray[np.float64]
Pair = tuple[float, float]

_SYMMETRIC = 1e-9  # skewness of the mean below which the cubic is the identity to rounding
_ROUNDING = 1e-6  # of a step: times are multiples of dt up to that


class NoEstimateError(ValueError):
    """The passage times do not determine the quantity asked for; the message says what can be said instead."""


@dataclass(frozen=True)
class Mean:
    """Mean exit time; `restricted` when paths were censored: then it is the mean of min(T, horizon), a lower bound.

    `skewness` of the times is the sample's. Unless more than half of the paths were censored it is at least that of a
    gamma law of the same mean and variance, because a small sample does not show the tail of the times. `n_paths` is
    the number of paths behind the value, the broken ones left out.
    """

    value: float
    standard_error: float
    restricted: bool
    horizon: float
    skewness: float
    n_paths: int

    @classmethod
    def of(cls, times: Array, weights: Array, n_paths: int, n_censored: int, horizon: float) -> Mean:
        """The mean of `times` (n,) under `weights` (n,) of sum 1 that stand for so many equally weighted paths."""
        value = float(times @ weights)
        if n_paths < 2:
            return cls(value, math.nan, n_censored > 0, horizon, math.nan, n_paths)
        deviations = times - value
        variance = float(deviations**2 @ weights)
        spread = math.sqrt(variance * n_paths / (n_paths - 1))
        skewness = 0.0
        if variance > 0.0 and n_paths > 2:
            unbiased = math.sqrt(n_paths * (n_paths - 1)) / (n_paths - 2)
            skewness = unbiased * float(deviations**3 @ weights) / variance**1.5
        if 2 * n_censored <= times.size:
            skewness = max(skewness, 2.0 * spread / value)
        return cls(value, spread / math.sqrt(n_paths), n_censored > 0, horizon, skewness, n_paths)

    def confidence_interval(self, level: float = 0.95) -> Pair:
        """Interval of the mean from Student's t with its skewness removed by a monotone cubic (Hall 1992).

        The 95 % interval holds the mean of exponential times with probability .95 to .96 and that of Weibull times of
        shape 1/2, whose skewness is 6.6, with .94 to .97 for 20 paths and more; for 5 paths .97 and .86. When paths
        were censored it is .94 to .99 for 20 paths and more. Measured by ``benchmarks/mean_interval.py``.
        """
        quantile = float(stats.t.isf((1.0 - _checks.fraction("level", level)) / 2.0, max(1, self.n_paths - 1)))
        upper = self.value - self.standard_error * self._without_skewness(-quantile)
        lower = self.value - self.standard_error * self._without_skewness(quantile)
        return max(lower, 0.0), min(upper, self.horizon) if self.restricted else upper

    def _without_skewness(self, t: float) -> float:
        """The studentised mean whose transform ``T + g T^2/3 + g^2 T^3/27 + g/6``, g = skewness / sqrt(n), is t."""
        g = self.skewness / math.sqrt(self.n_paths)
        return 3.0 / g * (math.cbrt(1.0 + g * (t - g / 6.0)) - 1.0) if abs(g) > _SYMMETRIC else t


@dataclass(frozen=True)
class Rate:
    """Exit rate: the constant hazard in the steps after `after`, by maximum likelihood.

    `events` exits in ``exposure / dt`` steps at risk.
    """

    value: float
    events: int
    exposure: float
    after: float
    dt: float

    def confidence_interval(self, level: float = 0.95) -> Pair:
        """Exact binomial interval of the hazard per step (Clopper & Pearson 1934) as a rate."""
        low, high = _rate_bounds(np.array([self.events]), np.array([self.exposure]), self.dt, level)
        return float(low[0]), float(high[0])


@dataclass(frozen=True)
class Hazard:
    """Exit rates in windows: `edges` (n + 1,), `values` (n,), `events` (n,), `exposure` (n,) time at risk in each.

    Each is the rate ``-ln(1 - p) / dt`` of the hazard per step p of its window: inf where all at risk have left in one
    step, NaN where no step was at risk.
    """

    edges: Array
    values: Array
    events: NDArray[np.int64]
    exposure: Array
    dt: float

    def confidence_interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Exact binomial intervals of the hazards per step as rates, window by window; NaN where nobody was at risk."""
        return _rate_bounds(self.events, self.exposure, self.dt, level)

    def __repr__(self) -> str:
        return (
            f"Hazard({self.values.size} windows from {self.edges[0]:g} to {self.edges[-1]:g}, "
            f"{int(self.events.sum())} exits)"
        )


def _as_rate(per_step: Any, dt: float) -> Any:
    """A probability to leave in a step of `dt` as a constant rate: inf for 1."""
    with np.errstate(divide="ignore"):
        return -np.log1p(-np.asarray(per_step)) / dt


def _rate_bounds(events: NDArray[np.int64], exposure: Array, dt: float, level: float) -> tuple[Array, Array]:
    """Clopper-Pearson bounds of the hazards per step, as rates; NaN without exposure."""
    tail = (1.0 - _checks.fraction("level", level)) / 2.0
    at_risk = exposure > 0
    steps = np.where(at_risk, np.maximum(np.rint(exposure / dt), events), np.nan)
    low = np.where(events > 0, stats.beta.ppf(tail, np.maximum(events, 1), steps - events + 1), 0.0)
    high = np.where(events < steps, stats.beta.isf(tail, events + 1, np.maximum(steps - events, 1)), 1.0)
    return np.where(at_risk, _as_rate(low, dt), np.nan), np.where(at_risk, _as_rate(high, dt), np.nan)


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
        return np.asarray(self._estimate.sf.evaluate(_checks.array("times", times)))

    def __repr__(self) -> str:
        last = self.probabilities[-1]
        return f"SurvivalCurve({self.times.size} times up to {self.times[-1]:g}, share inside at the end {last:.4g})"


@dataclass(frozen=True, eq=False, repr=False)
class PassageTimes:
    """First-passage times of paths: `times` (n_paths,), `censored` (n_paths,): True = not seen to leave.

    A censored time is the last at which the path was seen inside: the horizon, or for the paths that left the finite
    numbers, `broken` (n_paths,), the step before. Every estimate takes them as at risk up to there and no longer.

    `horizon`: the end of the last step that was simulated. `dt`: the step of the grid of times, that of the chain; in
    continuous time it is ``horizon / fine_steps``, while the option `dt` of `first_passage` bounds the jumps there.
    `error_budget`: in continuous time what each approximation may contribute, else None. `note`: what a reader must
    know of these times, empty when there is nothing.

    Raises ValueError unless times are finite, from 0 to the horizon.

    >>> passages = PassageTimes(np.array([1.0, 2.0, 3.0, 3.0]), np.array([False, False, False, True]), 3.0, 1.0)
    >>> passages.n_left, passages.survival().probabilities.tolist()
    (3, [0.75, 0.5, 0.25])
    """

    times: Array
    censored: NDArray[np.bool_]
    horizon: float
    dt: float
    error_budget: Any = None
    broken: NDArray[np.bool_] = None  # type: ignore[assignment]
    note: str = ""

    def __post_init__(self) -> None:
        times, end = _checks.array("times", self.times), _checks.positive("horizon", self.horizon)
        _checks.positive("dt", self.dt)
        if times.ndim != 1 or times.size == 0:
            raise ValueError(f"times must have one dimension and at least one entry, got shape {times.shape}.")
        if not (np.all(times >= 0.0) and np.all(times <= end * (1.0 + _ROUNDING))):
            raise ValueError(f"times must lie in [0, horizon = {end:g}], got {times.min():g} to {times.max():g}.")
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "censored", self._flags("censored", self.censored))
        broken = np.zeros(times.size, bool) if self.broken is None else self._flags("broken", self.broken)
        if np.any(broken & ~self.censored):
            raise ValueError("broken must mark censored paths only, got one that left.")
        object.__setattr__(self, "broken", broken)

    def _flags(self, name: str, values: Any) -> NDArray[np.bool_]:
        """One truth value for each path."""
        flags = np.asarray(values)
        if flags.dtype != bool or flags.shape != self.times.shape:
            raise ValueError(
                f"{name} must hold {self.times.size} truth values, got shape {flags.shape} of {flags.dtype}."
            )
        return flags

    def __repr__(self) -> str:
        parts = [f"{self.n_left} of {self.n_paths} paths left by horizon {self.horizon:g}", f"dt = {self.dt:g}"]
        if self.n_left:
            mean = self.mean()
            parts.append(f"mean {'of min(T, horizon) ' if mean.restricted else ''}{mean.value:.4g}")
        if self.n_broken:
            parts.append(f"{self.n_broken} broken")
        if self.note:
            parts.append(f"note: {self.note}")
        return f"PassageTimes({', '.join(parts)})"

    @property
    def n_paths(self) -> int:
        """Number of paths."""
        return self.times.size

    @property
    def n_left(self) -> int:
        """Number of paths that left before the horizon."""
        return int(np.count_nonzero(~self.censored))

    @property
    def n_broken(self) -> int:
        """Number of paths that left the finite numbers, so that their exit is unknown."""
        return int(np.count_nonzero(self.broken))

    def survival(self) -> SurvivalCurve:
        """Kaplan-Meier estimate of the probability to be inside, by ``scipy.stats.ecdf`` of the censored data."""
        self._require_exits("the survival curve is 1 up to the horizon")
        data = stats.CensoredData.right_censored(self.times, self.censored)
        estimate = stats.ecdf(data)
        return SurvivalCurve(estimate.sf.quantiles, estimate.sf.probabilities, estimate)

    def mean(self) -> Mean:
        """Mean exit time; when paths are censored the restricted mean of ``min(T, horizon)``, and it says so.

        The weight of a broken path goes to those that were inside for longer, as in the Kaplan-Meier estimate; when no
        such path is left it counts with its last time inside.
        """
        self._require_exits(f"the mean exit time is above the horizon {self.horizon:g} by an unknown amount")
        n_intact, n_censored = self.n_paths - self.n_broken, self.n_paths - self.n_left
        return Mean.of(self.times, self._weights(), n_intact, n_censored, self.horizon)

    def _weights(self) -> Array:
        """Share of each path (n_paths,) in the mean: equal ones, those of broken paths handed on to later times."""
        n = self.n_paths
        weights = np.full(n, 1.0 / n)
        if self.n_broken:
            order = np.lexsort((self.broken, self.times))  # broken last among equal times: they were inside then
            handed_on = self.broken[order]
            at_risk = np.arange(n, 0, -1)
            handed_on[-1] = False
            growth = np.where(handed_on, at_risk / np.maximum(at_risk - 1, 1), 1.0)
            weights[order] = np.where(handed_on, 0.0, np.cumprod(growth) / n)
        return weights

    def exit_rate(self, after: float | None = None) -> Rate:
        """Exit rate by censored maximum likelihood from the exits later than `after` (default: the lower quartile).

        The hazard per step of the grid, events / steps at risk = p, as a rate: ``-ln(1 - p) / dt``. Steps count from
        the first multiple of dt that is not before `after`, which the result's `after` gives.
        """
        self._require_exits(f"95 % confidence: the exit rate is below {self.rate_bound():.3g}")
        left = self.times[~self.censored]
        if np.all(left <= self.dt * (1 + 1e-9)) and left.size == self.n_paths:
            raise NoEstimateError(
                f"every path left at the first step of {self.dt:g}, so the rate is not resolved. Take a smaller dt."
            )
        asked = float(np.quantile(left, 0.25)) if after is None else _checks.finite("after", after)
        if asked < 0.0:
            raise ValueError(f"after must be at least 0, got {asked}.")
        begin = -float(self._last_step(np.array(-asked)))
        events = int(np.count_nonzero(left > begin * (1.0 + 1e-12)))
        exposure = float(np.sum(np.maximum(self._seen() - begin, 0.0)))
        if events == 0:
            raise NoEstimateError(f"no path left after {begin:g}, so the tail has no rate. Take an earlier `after`.")
        if exposure < events * self.dt * (1.0 + _ROUNDING):
            raise NoEstimateError(
                f"every path inside at {begin:g} left in the next step of {self.dt:g}, so the rate is not resolved. "
                "Take an earlier `after` or a smaller dt."
            )
        return Rate(float(_as_rate(events * self.dt / exposure, self.dt)), events, exposure, begin, self.dt)

    def rate_bound(self, level: float = 0.95) -> float:
        """Upper confidence bound of a constant exit rate when no path has left: ``-ln(1 - level) / exposure``."""
        exposure = float(np.sum(self._seen()))
        return float(-np.log1p(-_checks.fraction("level", level)) / exposure) if exposure > 0.0 else math.inf

    def hazard(self, edges: ArrayLike) -> Hazard:
        """Exit rates in the windows between increasing `edges` (n + 1,): exits in (edge, next edge].

        The hazard per step, exits over steps at risk that end in the window, as a rate like that of `exit_rate`.
        """
        e = _checks.array("edges", edges)
        if e.ndim != 1 or e.size < 2 or not np.all(np.diff(e) > 0):
            raise ValueError(f"edges must be increasing and at least two, got {edges!r}.")
        if e[0] < 0.0 or e[-1] == np.inf:
            raise ValueError(f"edges must be finite and at least 0, got {e[0]:g} to {e[-1]:g}.")
        steps = self._last_step(e)
        left = np.sort(self.times[~self.censored])
        events = np.diff(np.searchsorted(left, steps * (1.0 + 1e-12), side="right")).astype(np.int64)
        ordered = np.sort(self._seen())
        sums = np.concatenate([[0.0], np.cumsum(ordered)])
        index = np.searchsorted(ordered, steps, side="right")
        exposure = np.diff(sums[index] + steps * (ordered.size - index))  # sum over paths of min(T, edge)
        at_risk = exposure > 0.5 * self.dt  # the sums round
        per_step = np.where(at_risk, np.minimum(events * self.dt / np.where(at_risk, exposure, 1.0), 1.0), np.nan)
        return Hazard(e, _as_rate(per_step, self.dt), events, np.where(at_risk, exposure, 0.0), self.dt)

    def _last_step(self, times: Array) -> Array:
        """The last multiples of dt that are not later, the times themselves where they are multiples up to rounding."""
        whole = np.rint(times / self.dt)
        close = np.abs(times - whole * self.dt) <= _ROUNDING * self.dt
        return np.where(close, times, np.floor(times / self.dt) * self.dt)

    def _seen(self) -> Array:
        """How long each path was at risk in whole steps (n_paths,)."""
        return np.where(self.censored, self._last_step(self.times), self.times)

    def _require_exits(self, instead: str) -> None:
        if self.n_left == 0:
            raise NoEstimateError(f"no path of {self.n_paths} left before the horizon {self.horizon:g}: {instead}.")
