"""Estimates from passage times with their intervals: a mean, a rate, a hazard and a survival curve."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from ..core import checks
from ..core.pictures import picture
from ..core.show import Shown, html_of
from ..core.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Pair = tuple[float, float]
Line: TypeAlias = "float | Callable[[Array], ArrayLike]"  # an exit rate, or the share inside as a function of times
Theory: TypeAlias = "Line | Mapping[str, Line]"

_SYMMETRIC = 1e-9  # with less skewness of the mean than this, the cubic is the identity to rounding
_ROUNDING = 1e-6  # times are multiples of dt up to this part of a step


class Estimate(NamedTuple):
    """A value with the ends of its confidence interval; NaN where the data do not determine them.

    >>> Estimate(2.0, 1.5, 2.5).high
    2.5
    """

    value: float
    low: float
    high: float

    def text(self, digits: int = 4) -> str:
        """The value with its interval to so many digits, or a dash where it is unknown.

        >>> Estimate(2.0, 1.5, 2.5).text(), Estimate(math.nan, math.nan, math.nan).text()
        ('2 [1.5, 2.5]', '-')
        """
        return "{0:.{3}g} [{1:.{3}g}, {2:.{3}g}]".format(*self, digits) if math.isfinite(self.value) else "-"

    def _repr_html_(self) -> str:
        return html_of("Estimate", {"value [interval, 95 % unless another level was given]": self.text()})


def log_ratio(over: Estimate, under: Estimate) -> Estimate:
    """The logarithm of one positive estimate over another of independent paths, with its interval.

    With ``u = log(high / value)`` and ``l = log(value / low)`` of each, the interval reaches ``hypot(l_over, u_under)``
    below the value and ``hypot(u_over, l_under)`` above it (the variance estimates recovered from both ends, Zou and
    Donner 2008). So the side to which an estimate of few exits is unsure stays unsure. It is NaN unless both values
    are positive.

    >>> few, many = Estimate(1.0, 0.1, 2.0), Estimate(1.0, 1.0, 1.0)
    >>> [round(float(np.exp(part)), 9) for part in log_ratio(few, many)]
    [1.0, 0.1, 2.0]
    >>> [round(float(np.exp(part)), 9) for part in log_ratio(many, few)]
    [1.0, 0.5, 10.0]
    """
    if not (over.value > 0.0 and under.value > 0.0):
        return Estimate(math.nan, math.nan, math.nan)
    (below, above), (under_below, under_above) = _log_reaches(over), _log_reaches(under)
    value = math.log(over.value / under.value)
    return Estimate(value, value - math.hypot(below, under_above), value + math.hypot(above, under_below))


def _log_reaches(estimate: Estimate) -> Pair:
    """How far the interval of a positive estimate reaches below and above the logarithm of its value."""
    below = math.log(estimate.value / estimate.low) if estimate.low > 0.0 else math.inf
    return below, math.log(estimate.high / estimate.value)


class NoEstimateError(ValueError):
    """Raised when passage times do not determine an estimate. The message says what they tell instead.

    >>> from fbmsde import PassageTimes
    >>> PassageTimes(np.full(10, 3.0), np.full(10, True), 3.0, 1.0).exit_rate()
    Traceback (most recent call last):
        ...
    fbmsde.results.estimates.NoEstimateError: no path of 10 left before ... the exit rate is below 0.0999.
    """


class Moments(NamedTuple):
    """The number of values, their mean, and their second and third central moment."""

    n: int
    mean: float
    second: float
    third: float

    @classmethod
    def of(cls, values: Array) -> Moments:
        """The moments of the values (n,); zeros if there are none.

        >>> Moments.of(np.array([1.0, 3.0]))
        Moments(n=2, mean=2.0, second=1.0, third=0.0)
        """
        if values.size == 0:
            return cls(0, 0.0, 0.0, 0.0)
        mean = float(values.mean())
        deviations = values - mean
        return cls(values.size, mean, float(np.mean(deviations**2)), float(np.mean(deviations**3)))

    def joined(self, other: Moments) -> Moments:
        """The moments of the values of both.

        Each part of weight w at the distance d from the common mean adds ``w (m_3 + 3 d m_2 + d^3)`` to the third
        moment, and likewise ``w (m_2 + d^2)`` to the second one.

        >>> round(Moments.of(np.array([1.0])).joined(Moments.of(np.array([2.0, 3.0]))).mean, 12)
        2.0
        """
        n = self.n + other.n
        if n == 0:
            return self
        weights, parts = (self.n / n, other.n / n), (self, other)
        mean = sum(w * part.mean for w, part in zip(weights, parts, strict=True))
        second = third = 0.0
        for w, part in zip(weights, parts, strict=True):
            d = part.mean - mean
            second += w * (part.second + d * d)
            third += w * (part.third + 3.0 * d * part.second + d**3)
        return Moments(n, mean, second, third)


@dataclass(frozen=True, repr=False)
class Mean(Shown):
    """Mean exit time, as `PassageTimes.mean` returns it.

    value, standard_error : the mean and its standard error, NaN for a single path.
    restricted : True if paths were censored. The value then is the mean of min(T, horizon), a lower bound of E[T].
    horizon : the end of the simulated time, or the last time of all paths if no path was seen beyond it.
    skewness : the skewness of the times in the sample. Unless more than half of the paths were censored, it is at
        least that of a gamma law of the same mean and variance, because a small sample does not show the tail.
    n_paths : the number of paths behind the value, without those that were censored before its end, as broken ones are.

    >>> from fbmsde import FractionalNoise, first_passage, quadratic
    >>> passages = first_passage(quadratic(), FractionalNoise(0.5), 0.0, (-1.0, 1.0), dt=0.01, horizon=50.0,
    ...                          n_paths=200, seed=1)
    >>> mean = passages.mean()
    >>> mean.restricted, mean.confidence_interval()[0] < mean.value
    (False, True)
    """

    value: float
    standard_error: float
    restricted: bool
    horizon: float
    skewness: float
    n_paths: int

    @classmethod
    def of_moments(cls, moments: Moments, censored: float, horizon: float) -> Mean:
        """The mean from the moments of the times, of which the share `censored` is censored.

        >>> Mean.of_moments(Moments(2, 2.0, 1.0, 0.0), 0.0, 5.0).standard_error
        1.0
        """
        n_paths, value, variance, third = moments
        if n_paths < 2:
            return cls(value, math.nan, censored > 0.0, horizon, math.nan, n_paths)
        spread = math.sqrt(variance * n_paths / (n_paths - 1))
        skewness = 0.0
        if variance > 0.0 and n_paths > 2:
            unbiased = math.sqrt(n_paths * (n_paths - 1)) / (n_paths - 2)
            skewness = unbiased * third / variance**1.5
        if censored <= 0.5 and value > 0.0:
            skewness = max(skewness, 2.0 * spread / value)
        return cls(value, spread / math.sqrt(n_paths), censored > 0.0, horizon, skewness, n_paths)

    def _facts(self) -> Mapping[str, object]:
        what = f"mean of min(T, {self.horizon:g})" if self.restricted else "mean exit time"
        interval = Estimate(self.value, *self.confidence_interval())
        return {what: interval, "standard error": self.standard_error, "paths": self.n_paths}

    def confidence_interval(self, level: float = 0.95) -> Pair:
        """Lower and upper confidence limit of the mean; `level` lies in (0, 1).

        They are those of Student's t, with the skewness removed by a monotone cubic (Hall 1992). Measured by
        ``benchmarks/mean_interval.py``: from 20 paths on, the 95 % interval holds the mean of exponential times with
        probability .95 to .96 and that of Weibull times of shape 1/2, whose skewness is 6.6, with .94 to .97. For 5
        paths it is .97 and .86. With censored paths it is .94 to .99 from 20 paths on.

        >>> low, high = Mean.of_moments(Moments.of(np.arange(1.0, 21.0)), 0.0, 30.0).confidence_interval()
        >>> low < 10.5 < high
        True
        """
        quantile = float(scipy.stats.t.isf((1.0 - checks.fraction("level", level)) / 2.0, max(1, self.n_paths - 1)))
        upper = self.value - self.standard_error * self._without_skewness(-quantile)
        lower = self.value - self.standard_error * self._without_skewness(quantile)
        return max(lower, 0.0), min(upper, self.horizon) if self.restricted else upper

    def _without_skewness(self, t: float) -> float:
        """The studentised mean T for which ``T + g T^2/3 + g^2 T^3/27 + g/6`` equals t, with g = skewness / sqrt(n)."""
        g = self.skewness / math.sqrt(self.n_paths)
        return 3.0 / g * (math.cbrt(1.0 + g * (t - g / 6.0)) - 1.0) if abs(g) > _SYMMETRIC else t


@dataclass(frozen=True, repr=False)
class Rate(Shown):
    """Exit rate, as `PassageTimes.exit_rate` returns it: the maximum-likelihood estimate of a constant hazard.

    value : the rate, per unit of time.
    events : the number of exits after the time `after`.
    exposure : the time for which paths were inside after `after`, summed over paths: ``exposure / dt`` steps at risk.
    after : the time from which exits and exposure count, a multiple of dt up to rounding.
    dt : the step of the grid of times.

    >>> from fbmsde import FractionalNoise, first_passage, quadratic
    >>> passages = first_passage(quadratic(), FractionalNoise(0.5), 0.0, (-1.0, 1.0), dt=0.01, horizon=50.0,
    ...                          n_paths=200, seed=1)
    >>> rate = passages.exit_rate(after=1.0)
    >>> rate.after, rate.events, 0.5 < rate.value < 2.0
    (1.0, 110, True)
    """

    value: float
    events: int
    exposure: float
    after: float
    dt: float

    def _facts(self) -> Mapping[str, object]:
        rate = Estimate(self.value, *self.confidence_interval())
        return {"exit rate": rate, "exits": self.events, "time at risk": self.exposure, "after": self.after}

    def confidence_interval(self, level: float = 0.95) -> Pair:
        """Lower and upper confidence limit of the rate; `level` lies in (0, 1).

        They are the exact binomial limits of the hazard per step (Clopper & Pearson 1934), turned into rates.

        >>> low, high = Rate(0.2, 20, 100.0, 0.0, 0.01).confidence_interval()
        >>> round(low, 3), round(high, 3)
        (0.122, 0.309)
        """
        low, high = _rate_bounds(np.array([self.events]), np.array([self.exposure]), self.dt, level)
        return float(low[0]), float(high[0])


@dataclass(frozen=True, repr=False)
class Hazard(Shown):
    """Exit rates in windows of time, as `PassageTimes.hazard` returns them.

    edges : the ends of the windows, (n + 1,).
    values : the rate ``-ln(1 - p) / dt`` in each window, (n,), where p is the hazard per step. It is inf where all
        paths at risk left in one step and NaN where no path was at risk.
    events, exposure : the number of exits and the time at risk, summed over paths, in each window, (n,).
    dt : the step of the grid of times.

    >>> from fbmsde import FractionalNoise, first_passage, quadratic
    >>> passages = first_passage(quadratic(), FractionalNoise(0.5), 0.0, (-1.0, 1.0), dt=0.01, horizon=50.0,
    ...                          n_paths=200, seed=1)
    >>> passages.hazard([0.0, 1.0, 2.0]).values.shape
    (2,)
    """

    edges: Array
    values: Array
    events: NDArray[np.int64]
    exposure: Array
    dt: float

    def plot(self, ax: Axes | None = None, *, label: str | None = None) -> Axes:
        """Draw the rates with their 95 % intervals on `ax`, None for Axes of its own, which come back.

        >>> hazard = Hazard(np.array([0.0, 1.0]), np.array([0.2]), np.array([20]), np.array([100.0]), 0.01)
        >>> hazard.plot().get_ylabel()
        'exit rate (per unit of time)'
        """
        return picture("plot_hazard")(self, ax, label=label)

    def confidence_interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Lower and upper confidence limits of the rates, (n,) each; NaN where no path was at risk.

        They are the exact binomial limits of the hazards per step (Clopper & Pearson 1934), turned into rates.

        >>> hazard = Hazard(np.array([0.0, 1.0]), np.array([0.2]), np.array([20]), np.array([100.0]), 0.01)
        >>> hazard.confidence_interval()[1].round(3)
        array([0.309])
        """
        return _rate_bounds(self.events, self.exposure, self.dt, level)

    def _facts(self) -> Mapping[str, object]:
        windows = f"{self.values.size} from {self.edges[0]:g} to {self.edges[-1]:g}"
        return {"windows": windows, "exits": int(self.events.sum()), "exit rates": self.values}


def _as_rate(per_step: Any, dt: float) -> Any:
    """The constant rate for which a path leaves in a step of `dt` with this probability; inf for probability 1."""
    with np.errstate(divide="ignore"):
        return -np.log1p(-np.asarray(per_step)) / dt


def _rate_bounds(events: NDArray[np.int64], exposure: Array, dt: float, level: float) -> tuple[Array, Array]:
    """The Clopper-Pearson limits of the hazards per step as rates, (n,) each; NaN without exposure."""
    tail = (1.0 - checks.fraction("level", level)) / 2.0
    at_risk = exposure > 0
    steps = np.where(at_risk, np.maximum(np.rint(exposure / dt), events), np.nan)
    low = np.where(events > 0, scipy.stats.beta.ppf(tail, np.maximum(events, 1), steps - events + 1), 0.0)
    high = np.where(events < steps, scipy.stats.beta.isf(tail, events + 1, np.maximum(steps - events, 1)), 1.0)
    return np.where(at_risk, _as_rate(low, dt), np.nan), np.where(at_risk, _as_rate(high, dt), np.nan)


@dataclass(frozen=True, repr=False)
class SurvivalCurve(Shown):
    """Kaplan-Meier estimate of survival, as `PassageTimes.survival` returns it.

    times : the distinct times of the paths, ascending, (n,).
    probabilities : the share of paths still inside just after each time, (n,).

    >>> from fbmsde import PassageTimes
    >>> curve = PassageTimes(np.array([1.0, 2.0, 3.0]), np.array([False, False, True]), 3.0, 1.0).survival()
    >>> curve.at([0.5, 1.0, 2.5]).round(3)
    array([1.   , 0.667, 0.333])
    """

    times: Array
    probabilities: Array
    _estimate: Any

    def confidence_interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Lower and upper confidence limits at each time, (n,) each; NaN where the curve is at 0 or 1.

        They are pointwise log-log limits (Kalbfleisch & Prentice). `level` lies in (0, 1).
        """
        checks.fraction("level", level)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            interval = self._estimate.sf.confidence_interval(level, method="log-log")
        return interval.low.probabilities, interval.high.probabilities

    def quantile(self, share: float, level: float = 0.95) -> Estimate:
        """The first time by which this share of the paths has left, with its confidence interval.

        The interval holds the times at which the interval of the curve holds ``1 - share`` (Brookmeyer & Crowley 1982).
        Its upper end is inf where the paths do not determine it. Raises NoEstimateError if fewer have left, and
        ValueError unless `share` lies in (0, 1).

        >>> from fbmsde import PassageTimes
        >>> PassageTimes(np.arange(1.0, 101.0), np.full(100, False), 100.0, 1.0).survival().quantile(0.5)
        Estimate(value=50.0, low=40.0, high=60.0)
        """
        inside = 1.0 - checks.fraction("share", share)
        low, high = self.confidence_interval(level)
        gone = 1e-12 + inside  # shares round
        ends = (np.flatnonzero(self.probabilities <= gone), np.flatnonzero(low <= gone),
                np.flatnonzero(np.where(np.isnan(high), self.probabilities, high) <= gone))  # fmt: skip
        if ends[0].size == 0:
            last = f"{1.0 - self.probabilities[-1]:.3g} of the paths have left by {self.times[-1]:g}"
            raise NoEstimateError(f"share must be left by the horizon, got {share:g}: {last}. Take a later horizon.")
        first = [float(self.times[end[0]]) if end.size else math.inf for end in ends]
        return Estimate(first[0], min(first[1], first[0]), first[2])

    def plot(
        self, ax: Axes | None = None, *, theory: Theory | None = None, label: str | None = None, level: float = 0.95
    ) -> Axes:
        """Draw the curve with its band on `ax`, None for Axes of its own, and what theory says; the Axes come back.

        `theory` is an exit rate for exponential decay, or a function of times (n,) that returns the share inside, or
        several of them by the names that the legend shall show.

        >>> from fbmsde import PassageTimes
        >>> curve = PassageTimes(np.array([1.0, 2.0, 3.0]), np.array([False, False, True]), 3.0, 1.0).survival()
        >>> curve.plot(theory={"rate 1/3": 1 / 3}).get_ylabel()
        'share of paths inside'
        """
        return picture("plot_survival_curve")(self, ax, theory=theory, label=label, level=level)

    def at(self, times: ArrayLike) -> Array:
        """Share of paths still inside at any times, same shape as `times`: the curve as a step function."""
        return np.asarray(self._estimate.sf.evaluate(checks.array("times", times)))

    def _facts(self) -> Mapping[str, object]:
        times = f"{self.times.size} up to {self.times[-1]:g}"
        return {"times": times, "share inside at the end": self.probabilities[-1]}
