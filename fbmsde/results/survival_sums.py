"""What follows from the steps of a Kaplan-Meier curve: restricted means, densities and the log-rank comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from ..core import checks
from ..core.pictures import picture
from ..core.show import Shown
from ..core.types import Array
from .estimates import Mean, Moments
from .split import effective_number, share_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Steps(NamedTuple):
    """The distinct exit times t_i, ascending, the exits d_i then and the paths n_i at risk just before, (n,) each."""

    times: Array
    events: NDArray[np.int64]
    at_risk: NDArray[np.int64]

    @classmethod
    def of(cls, times: Array, censored: NDArray[np.bool_]) -> Steps:
        """The steps of paths (n_paths,). A path that is censored at an exit time was still at risk then.

        >>> Steps.of(np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, False, True, True])).at_risk
        array([4, 3])
        """
        when, events = np.unique(times[~censored], return_counts=True)
        return cls(when, events, times.size - np.searchsorted(np.sort(times), when))

    @property
    def inside(self) -> Array:
        """The share inside just after each time, ``prod (1 - d_i / n_i)``, (n,)."""
        return np.asarray(np.cumprod(1.0 - self.events / self.at_risk), float)

    @property
    def greenwood(self) -> Array:
        """Greenwood's sums ``sum d_i / (n_i (n_i - d_i))`` up to each time, (n,); inf once nobody is left."""
        with np.errstate(divide="ignore"):
            left = (self.at_risk - self.events).astype(float)
            return np.asarray(np.cumsum(self.events / (self.at_risk * left)), float)

    def until(self, end: float) -> Steps:
        """The steps up to a time."""
        n = int(np.searchsorted(self.times, end, side="right"))
        return Steps(self.times[:n], self.events[:n], self.at_risk[:n])


def restricted_mean(times: Array, censored: NDArray[np.bool_], until: float) -> Mean:
    """The mean of min(T, until), the area A below the Kaplan-Meier curve up to then.

    Its variance is ``sum_i A_i^2 d_i / (n_i (n_i - d_i))``, where A_i is the area between t_i and the end (Greenwood's
    formula by the delta method). As for a plain mean it is multiplied by ``n / (n - 1)``, where n is the number of the
    paths that were not censored before then.
    """
    steps = Steps.of(times, censored).until(until)
    ends = np.concatenate([[0.0], steps.times, [until]])
    share = np.concatenate([[1.0], steps.inside])
    parts = share * np.diff(ends)
    area, n = float(parts.sum()), times.size - int(np.count_nonzero(censored & (times < until)))
    behind = area - np.cumsum(parts)[:-1]  # A_i
    left = (steps.at_risk - steps.events).astype(float)
    terms = np.divide(behind**2 * steps.events, steps.at_risk * left, out=np.zeros(left.size), where=left > 0)
    variance = float(terms.sum()) * n / max(n - 1, 1)
    weights = -np.diff(share, append=0.0)
    deviations = np.append(steps.times, until) - area
    moments = Moments(n, area, float(weights @ deviations**2), float(weights @ deviations**3))
    mean = Mean.of_moments(moments, float(share[-1]), until)
    return replace(mean, standard_error=math.sqrt(variance)) if n > 1 else mean


@dataclass(frozen=True, eq=False, repr=False)
class Density(Shown):
    """Density of exit times in windows, as `PassageTimes.density` returns it.

    edges : the ends of the windows, (n + 1,).
    values : the probability to leave in each window over its length, per unit of time, (n,).
    low, high : the ends of the pointwise confidence intervals, (n,) each.
    n_paths, confidence_level : the number of paths, and the level of the intervals.

    >>> from fbmsde import PassageTimes
    >>> passages = PassageTimes(np.array([1.0, 2.0, 3.0, 3.0]), np.array([False, False, False, True]), 3.0, 1.0)
    >>> passages.density([0.0, 2.0, 3.0]).values
    array([0.25, 0.25])
    """

    edges: Array
    values: Array
    low: Array
    high: Array
    n_paths: int
    confidence_level: float

    def _facts(self) -> Mapping[str, object]:
        windows = f"{self.values.size} from {self.edges[0]:g} to {self.edges[-1]:g}"
        within = float(self.values @ np.diff(self.edges))
        return {"windows": windows, "probability within": within, "largest density": float(self.values.max()),
                "paths": self.n_paths}  # fmt: skip

    def plot(self, ax: Axes | None = None, *, label: str | None = None) -> Axes:
        """Draw the density with its band on `ax`, None for Axes of its own, which come back.

        >>> from fbmsde import PassageTimes
        >>> passages = PassageTimes(np.array([1.0, 2.0, 3.0]), np.array([False, False, True]), 3.0, 1.0)
        >>> passages.density([0.0, 1.0, 3.0]).plot().get_ylabel()
        'density of exit times (per unit of time)'
        """
        return picture("plot_density")(self, ax, label=label)


def density_of(times: Array, censored: NDArray[np.bool_], edges: Array, level: float) -> Density:
    """The density of exit times between `edges` (n + 1,), from the falls of the Kaplan-Meier curve S.

    The fall from S_a to S_b has, with Greenwood's sums G and q = S_b / S_a, the variance ``S_a^2 ((1 - q)^2 G_a +
    q^2 (G_b - G_a))``, which without censoring is that of a share of n paths. Intervals are Wilson's, for the number of
    paths with which a share has this variance.
    """
    checks.fraction("confidence_level", level)
    steps, n = Steps.of(times, censored), times.size
    index = np.searchsorted(steps.times, edges * (1.0 + 1e-12), side="right")
    inside = np.concatenate([[1.0], steps.inside])[index]
    sums = np.concatenate([[0.0], steps.greenwood])[index]
    above, fall = inside[:-1], -np.diff(inside)
    kept = np.divide(inside[1:], above, out=np.zeros(above.size), where=above > 0.0)
    with np.errstate(invalid="ignore"):
        spread = np.where(kept > 0.0, kept**2 * np.diff(sums), 0.0)
        before = np.where(above > 0.0, (1.0 - kept) ** 2 * sums[:-1], 0.0)
    number = effective_number(fall, above**2 * (before + spread), n)
    low, high = share_interval(fall, number, level)
    width = np.diff(edges)
    return Density(edges, fall / width, low / width, high / width, n, level)


@dataclass(frozen=True, repr=False)
class LogRank(Shown):
    """Log-rank comparison of two samples of exit times, as `PassageTimes.logrank` returns it.

    statistic : ``(O - E) / sqrt(V)``, positive if the first sample leaves faster. Where both have the same law it is
        normal with variance 1 for many exits.
    p_value : the two-sided p-value of the hypothesis that both have the same law, by the normal law.
    observed, expected : the exits O of the first sample, and the number E that would be expected of it.
    variance : the variance V of O, hypergeometric at each time.
    note : what keeps the two samples from being independent, empty if nothing is known of it.

    >>> from fbmsde import FractionalNoise, first_passage, quadratic
    >>> run = {"dt": 0.01, "horizon": 20.0, "n_paths": 200}
    >>> rough, smooth = (first_passage(quadratic(), FractionalNoise(hurst), 0.0, (-1.5, 1.5), seed=seed, **run)
    ...                  for seed, hurst in enumerate((0.3, 0.7)))
    >>> rough.logrank(smooth).p_value < 1e-6
    True
    """

    statistic: float
    p_value: float
    observed: int
    expected: float
    variance: float
    note: str = ""

    def _facts(self) -> Mapping[str, object]:
        p_value = self.p_value or "below 1e-300"
        return {"statistic": self.statistic, "p-value": p_value, "exits": self.observed,
                "expected": self.expected, "note": self.note or None}  # fmt: skip


def logrank_of(first: Steps, second: Steps, sizes: tuple[Array, Array], note: str) -> LogRank:
    """The comparison of two samples from their steps and their sorted times, with a note on their independence.

    At each exit time of either sample, d of n paths at risk leave, n_1 of which belong to the first:
    ``E = sum d n_1 / n`` and ``V = sum d n_1 (n - n_1) (n - d) / (n^2 (n - 1))`` (Mantel 1966).
    """
    when = np.union1d(first.times, second.times)
    risk = [(times.size - np.searchsorted(times, when)).astype(float) for times in sizes]
    events = np.zeros(when.size)
    for steps in (first, second):
        events[np.searchsorted(when, steps.times)] += steps.events
    n1, n = risk[0], risk[0] + risk[1]
    expected = float(np.sum(events * n1 / n))
    spread = events * n1 * (n - n1) * (n - events) / (n**2 * np.maximum(n - 1.0, 1.0))
    variance, observed = float(spread.sum()), int(first.events.sum())
    statistic = (observed - expected) / math.sqrt(variance) if variance > 0.0 else math.nan
    return LogRank(statistic, float(2.0 * scipy.stats.norm.sf(abs(statistic))), observed, expected, variance, note)
