"""`ExitTimes`: the estimates that are made from exit times of which some are censored."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from ..core import checks
from ..core.pictures import picture
from ..core.show import Shown
from ..core.types import Array
from .estimates import _ROUNDING, Estimate, Hazard, Mean, NoEstimateError, Rate, SurvivalCurve, Theory
from .exposure import edges_of, hazard_between, rate_after, whole_steps, windows_of
from .provenance import Provenance, common_numbers
from .survival_sums import Density, LogRank, Steps, density_of, logrank_of, restricted_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COMMON = (
    "Paths of both runs have the same seed and numbers, and thus the same noise. The p-value is for independent paths: "
    "it is too large where the same noise lets both leave at similar times. Take another seed for one of the runs."
)


class ExitTimes(Shown):
    """Exit times and what is estimated from them. `PassageTimes` says what its arrays are and where they come from."""

    times: Array
    censored: NDArray[np.bool_]
    broken: NDArray[np.bool_]
    horizon: float
    dt: float
    provenance: Provenance | None

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
        """Kaplan-Meier estimate of the probability to be inside, by ``scipy.stats.ecdf``.

        Raises NoEstimateError if no path has left.
        """
        self._require_exits("the survival curve is 1 up to the horizon")
        data = scipy.stats.CensoredData.right_censored(self.times, self.censored)
        estimate = scipy.stats.ecdf(data)
        return SurvivalCurve(estimate.sf.quantiles, estimate.sf.probabilities, estimate)

    def quantile(self, share: float, level: float = 0.95) -> Estimate:
        """The time by which this share of the paths has left, with its interval, by `SurvivalCurve.quantile`.

        >>> from fbmsde import PassageTimes

        >>> passages = PassageTimes(np.arange(1.0, 101.0), np.arange(100) > 79, 100.0, 1.0)
        >>> passages.quantile(0.75).text()
        '75 [66, inf]'
        """
        return self.survival().quantile(share, level)

    def median(self, level: float = 0.95) -> Estimate:
        """The time by which half of the paths have left, with its interval; `quantile` tells the rest.

        >>> from fbmsde import PassageTimes

        >>> PassageTimes(np.arange(1.0, 101.0), np.full(100, False), 100.0, 1.0).median().value
        50.0
        """
        return self.quantile(0.5, level)

    def density(self, edges: ArrayLike | int = 20, level: float = 0.95) -> Density:
        """Density of exit times between increasing `edges` (n + 1,), or in so many windows, with a band, as `Density`.

        A number of windows covers the exits with windows of equal length, which is a multiple of the step. An exit at
        an edge counts before it. Censored paths leave later, by the Kaplan-Meier curve, so that the density integrates
        to the share that has left by the horizon. Raises NoEstimateError if no path has left.

        >>> from fbmsde import PassageTimes

        >>> PassageTimes(np.array([1.0, 2.0, 3.0]), np.array([False, False, True]), 3.0, 1.0).density(2).values.round(3)
        array([0.333, 0.333])
        """
        self._require_exits("the density is 0 up to the horizon")
        ends = windows_of(edges, self.times[~self.censored], self.dt) if isinstance(edges, int) else edges_of(edges)
        return density_of(self.times, self.censored, ends, level)

    def logrank(self, other: ExitTimes) -> LogRank:
        """Log-rank comparison with another sample: do both leave at the same rate at all times? As `LogRank`.

        The paths of both must be independent: other seeds, or other path numbers. Where `provenance` tells that one
        path is in both, ValueError is raised; where different problems were run with the same random numbers, `note` of
        the result says so. Raises NoEstimateError if no path of either has left.

        >>> from fbmsde import PassageTimes

        >>> early = PassageTimes(np.arange(1.0, 21.0), np.full(20, False), 40.0, 1.0)
        >>> late = PassageTimes(np.arange(11.0, 31.0), np.full(20, False), 40.0, 1.0)
        >>> early.logrank(late)
        LogRank(statistic 4.505, p-value 6.624e-06, exits 20, expected 9.154)
        """
        checks.kind("other", other, type(self), "Give the result of another run.")
        if self.n_left + other.n_left == 0:
            self._require_exits("no path of the other sample did, and there is nothing to compare")
        note = _COMMON if common_numbers(self.provenance, other.provenance) else ""
        steps = [Steps.of(sample.times, sample.censored) for sample in (self, other)]
        return logrank_of(steps[0], steps[1], (np.sort(self.times), np.sort(other.times)), note)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        theory: Theory | Literal[True] | None = None,
        label: str | None = None,
        level: float = 0.95,
    ) -> Axes:
        """Draw the survival curve with its band on `ax`, None for Axes of its own; the Axes come back.

        `theory` is what `SurvivalCurve.plot` takes, or True for what the package knows of the exit from a quadratic
        well under fractional noise; the problem is read from `provenance`.

        >>> from fbmsde import FractionalNoise, first_passage, quadratic
        >>> run = {"dt": 0.01, "horizon": 9.0, "n_paths": 50, "seed": 1}
        >>> ax = first_passage(quadratic(), FractionalNoise(0.5), 0.0, (-1.0, 1.0), **run).plot(theory=True)
        >>> ax.get_xlabel()
        'time (units of the equation)'
        """
        return picture("plot_passages")(self, ax, theory=theory, label=label, level=level)

    def mean(self, until: float | None = None) -> Mean:
        """Mean exit time, the area below the Kaplan-Meier curve, with Greenwood's error.

        If paths are censored it is the mean of ``min(T, horizon)``, and `restricted` is True. The weight of a path that
        is censored before the horizon, a broken one among them, is so shared by those that were inside for longer. If
        there is no such path, the mean is that of ``min(T, last)``, where ``last`` is the last time of all paths, and
        `Mean.horizon` is that time.

        `until` gives the mean of min(T, until) instead, the restricted mean survival time. It compares runs with
        different horizons. Raises NoEstimateError if no path has left, and ValueError for `until` beyond the horizon,
        or beyond the last time of all paths if that is a time of censoring.

        >>> from fbmsde import PassageTimes

        >>> PassageTimes(np.array([1.0, 2.0, 3.0]), np.array([False, False, True]), 3.0, 1.0).mean().value
        2.0
        """
        last = float(self.times.max())
        seen = self.horizon if np.any(~self.censored & (self.times == last)) else last
        if until is not None:
            if checks.positive("until", until) > self.horizon:
                raise ValueError(f"until must be at most the horizon {self.horizon:g}, got {until:g}.")
            if until > seen * (1.0 + _ROUNDING):
                raise ValueError(f"until must be at most {seen:g}, where the last path was censored, got {until:g}.")
            return restricted_mean(self.times, self.censored, until)
        self._require_exits(f"the mean exit time is above the horizon {self.horizon:g} by an unknown amount")
        mean = restricted_mean(self.times, self.censored, seen)
        return replace(mean, restricted=bool(self.censored.any()))

    def exit_rate(self, after: float | None = None) -> Rate:
        """Exit rate by maximum likelihood with censoring, from the exits later than `after`.

        By default `after` is the time of the last exit of the first quarter of them, so that it does not depend on
        later ones. With the hazard p per step, exits over steps at risk, the rate is ``-ln(1 - p) / dt``. Where all
        paths leave, its mean over samples is ``e / (e - 1)`` times the rate for e exits after `after`.

        Steps count from the first multiple of dt that is not before `after`; `after` of the result is that multiple.
        Raises NoEstimateError if no path left after it, or if all paths then at risk left in one step, and ValueError
        for an `after` that is negative or not finite.

        >>> from fbmsde import PassageTimes

        >>> passages = PassageTimes(np.array([1.0, 2.0, 3.0, 3.0]), np.array([False, False, False, True]), 3.0, 1.0)
        >>> rate = passages.exit_rate(after=0.0)
        >>> rate.events, rate.exposure, round(rate.value, 3)
        (3, 9.0, 0.405)
        """
        self._require_exits(f"95 % confidence: the exit rate is below {self.rate_bound():.3g}")
        left = self.times[~self.censored]
        if np.all(left <= self.dt * (1 + 1e-9)) and left.size == self.n_paths:
            raise NoEstimateError(
                f"every path left at the first step of {self.dt:g}, so the rate is not resolved. Take a smaller dt."
            )
        asked = float(np.quantile(left, 0.25, method="lower")) if after is None else checks.finite("after", after)
        if asked < 0.0:
            raise ValueError(f"after must be at least 0, got {asked}.")
        return rate_after(asked, left, self._seen(), self.dt)

    def rate_bound(self, level: float = 0.95) -> float:
        """Upper confidence bound of a constant exit rate if no path has left: ``-ln(1 - level) / exposure``.

        The exposure is the time at risk summed over paths; the bound is inf if it is 0.

        >>> from fbmsde import PassageTimes

        >>> round(PassageTimes(np.full(10, 3.0), np.full(10, True), 3.0, 1.0).rate_bound(), 4)
        0.0999
        """
        exposure = float(np.sum(self._seen()))
        return float(-np.log1p(-checks.fraction("level", level)) / exposure) if exposure > 0.0 else math.inf

    def hazard(self, edges: ArrayLike) -> Hazard:
        """Exit rates in the windows between increasing `edges` (n + 1,); an exit at an edge counts before it.

        With the hazard p per step, exits over steps at risk that end in the window, the rate is ``-ln(1 - p) / dt``.
        Raises ValueError unless edges are increasing, finite and at least 0.

        >>> from fbmsde import PassageTimes

        >>> passages = PassageTimes(np.array([1.0, 2.0, 3.0, 3.0]), np.array([False, False, False, True]), 3.0, 1.0)
        >>> passages.hazard([0.0, 2.0, 3.0]).events
        array([2, 1])
        """
        return hazard_between(edges_of(edges), self.times[~self.censored], self._seen(), self.dt)

    def _seen(self) -> Array:
        """The time for which each path was at risk, in whole steps, (n_paths,)."""
        return np.where(self.censored, whole_steps(self.times, self.dt), self.times)

    def _require_exits(self, instead: str) -> None:
        if self.n_left == 0:
            raise NoEstimateError(f"no path of {self.n_paths} left before the horizon {self.horizon:g}: {instead}.")
