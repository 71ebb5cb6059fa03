"""Figures of exit times: survival beside theory, density, hazard, sides, visits and rare escapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array
from ..results.estimates import Hazard, NoEstimateError, SurvivalCurve, Theory
from ..results.passage_times import PassageTimes
from ..results.rare import RareEscape
from ..results.residence import ResidenceTimes
from ..results.split import Split
from ..results.survival_sums import Density
from .known import counts_steps, known_rates
from .style import _band, _finish, _new_axes

_TIME = "time (units of the equation)"
_FINE = 200  # points of a line
_DASHES = ("--", ":", "-.")
_DARKER = 0.5  # of the brightness of a curve has the line of theory that belongs to it
_DECADE = 0.1  # the least share that is still drawn on a linear axis
_MARGIN, _NEARLY = 0.08, 1e-3  # room below and above a linear axis over its range, which is at least so much


def plot_passages(
    passages: PassageTimes,
    ax: Axes | None = None,
    *,
    theory: Theory | Literal[True] | None = None,
    label: str | None = None,
    level: float = 0.95,
) -> Axes:
    """Draw the survival curve of passage times with its band, and theory beside it; the Axes come back.

    `theory` is what `plot_survival_curve` takes, or True for the rate that is known of the problem in `provenance`.
    """
    lines = theory
    if theory is True:
        lines = {_of_curve(name, label): rate for name, rate in known_rates(passages.provenance).items()}
    if passages.n_left:
        ax = plot_survival_curve(passages.survival(), ax, theory=lines, label=label, level=level)
    else:
        ax = _full(passages, ax or _new_axes(), lines, label or "no path has left", level)
    if counts_steps(passages.provenance):
        ax.set_xlabel("time (steps)")
    return ax


def _of_curve(name: str, label: str | None) -> str:
    """The name of a line of theory, with the label of the curve that it belongs to."""
    return f"{name}, {label}" if label else name


def _full(passages: PassageTimes, ax: Axes, theory: Theory | None, label: str, level: float) -> Axes:
    """Draw the share inside where no path has left, above the bound of the exit rate."""
    line = ax.plot([0.0, passages.horizon], [1.0, 1.0], label=label)[0]
    bound = passages.rate_bound(level)
    times = np.linspace(0.0, passages.horizon, _FINE)
    _band(ax, times, np.exp(-bound * times), np.ones(_FINE), line.get_color())
    return _survival_axes(ax, line, theory, passages.horizon)


def plot_survival_curve(
    curve: SurvivalCurve,
    ax: Axes | None = None,
    *,
    theory: Theory | None = None,
    label: str | None = None,
    level: float = 0.95,
) -> Axes:
    """Draw the share of paths inside against time with its band, and theory as broken lines of the same, darker colour.

    The axis is logarithmic where the shares span a decade. `theory` is an exit rate, a function of times that returns
    the share inside, or several of these by their names.
    """
    ax = ax or _new_axes()
    times = np.concatenate([[0.0], curve.times])
    inside = np.concatenate([[1.0], curve.probabilities])
    low, high = (np.concatenate([[1.0], np.where(np.isnan(end), curve.probabilities, end)])
                 for end in curve.confidence_interval(level))  # fmt: skip
    alive = inside > 0.0
    line = ax.step(times[alive], inside[alive], where="post", label=label)[0]
    _band(ax, times[alive], low[alive], high[alive], line.get_color(), step="post")
    return _survival_axes(ax, line, theory, float(times[-1]))


def _survival_axes(ax: Axes, curve: Line2D, theory: Theory | None, end: float) -> Axes:
    """Draw the lines of theory of a curve up to a time, and say what the axes are."""
    label = str(curve.get_label())
    unnamed = _of_curve("theory", "" if label.startswith("_") else label)
    named = theory if isinstance(theory, Mapping) else {} if theory is None else {unnamed: theory}
    dark = tuple(_DARKER * part for part in to_rgb(curve.get_color()))
    times = np.linspace(0.0, end, _FINE)
    for number, (name, line) in enumerate(named.items()):
        rate = None if callable(line) else checks.finite(f"theory {name!r}", line)
        inside = np.exp(-rate * times) if rate is not None else _values(name, line, times)  # type: ignore[arg-type]
        ax.plot(times[inside > 0.0], inside[inside > 0.0], _DASHES[number % len(_DASHES)], color=dark, lw=1.5,
                label=name, zorder=3)  # fmt: skip
    ax.set(xlabel=_TIME, ylabel="share of paths inside")
    lows = [float(np.min(line.get_ydata())) for line in ax.lines if np.size(line.get_ydata())]
    low = max(min(lows, default=1.0), 2e-6)
    if low > _DECADE:
        margin = _MARGIN * max(1.0 - low, _NEARLY)
        ax.set(yscale="linear", ylim=(low - margin, 1.0 + margin))
    else:
        ax.set(yscale="log", ylim=(0.5 * low, 1.3))
    return _finish(ax)


def _values(name: str, function: Callable[[Array], ArrayLike], times: Array) -> Array:
    """What a function returns for times; ValueError unless it is one number for each."""
    found = np.asarray(function(times), dtype=float)
    if found.shape != times.shape:
        raise ValueError(f"theory {name!r} must return a number for each of {times.size} times, got {found.shape}.")
    return found


def plot_density(density: Density, ax: Axes | None = None, *, label: str | None = None) -> Axes:
    """Draw the density of exit times as stairs with its band; the Axes come back."""
    ax = ax or _new_axes()
    value, low, high = (np.append(part, part[-1]) for part in (density.values, density.low, density.high))
    line = ax.step(density.edges, value, where="post", label=label)[0]
    _band(ax, density.edges, low, high, line.get_color(), step="post")
    ax.set(xlabel=_TIME, ylabel="density of exit times (per unit of time)", ylim=(0.0, None))
    return _finish(ax)


def plot_hazard(hazard: Hazard, ax: Axes | None = None, *, label: str | None = None) -> Axes:
    """Draw the exit rate in each window with its 95 % interval; the Axes come back."""
    ax = ax or _new_axes()
    low, high = hazard.confidence_interval()
    known = np.isfinite(hazard.values) & np.isfinite(high)
    centres, half = (hazard.edges[1:] + hazard.edges[:-1]) / 2.0, np.diff(hazard.edges) / 2.0
    values = hazard.values[known]
    ax.errorbar(centres[known], values, [values - low[known], high[known] - values], half[known], fmt="o", ms=4,
                capsize=2, label=label)  # fmt: skip
    ax.set(xlabel=_TIME, ylabel="exit rate (per unit of time)", xlim=(hazard.edges[0], hazard.edges[-1]))
    ax.set_ylim(0.0, None)
    return _finish(ax)


def plot_split(split: Split, ax: Axes | None = None) -> Axes:
    """Draw the probability to have left through each side by each time, with bands; the Axes come back."""
    ax = ax or _new_axes()
    for name, curve in zip(split.names, split.curves, strict=True):
        line = ax.step(curve.times, curve.probabilities, where="post", label=name)[0]
        _band(ax, curve.times, curve.low, curve.high, line.get_color(), step="post")
    ax.set(xlabel=_TIME, ylabel="probability to have left", ylim=(0.0, None))
    return _finish(ax)


def plot_residence(residence: ResidenceTimes, ax: Axes | None = None) -> Axes:
    """Draw the survival curves of the visits to each minimum with bands; minima without visits are left out."""
    ax = ax or _new_axes()
    for minimum in range(len(residence.minima)):
        try:
            curve = residence.survival(minimum)
        except NoEstimateError:
            continue
        place = ", ".join(f"{x:.3g}" for x in np.atleast_1d(residence.minima[minimum]))
        plot_survival_curve(curve, ax, label=f"minimum {minimum} at {place}")
    ax.set(xlabel="residence time (units of the equation)", ylabel="share of visits that last longer")
    return _finish(ax)


def plot_rare_escape(rare: RareEscape, ax: Axes | None = None, *, label: str | None = None) -> Axes:
    """Draw the probability to have left by each time with its 95 % band, despite doubts; the Axes come back.

    Where no replica arrived, the bound by the highest levels passed is a dotted line.
    """
    ax = ax or _new_axes()
    times = np.linspace(0.0, rare.horizon, _FINE)[1:] if rare.values.any() else np.empty(0)
    found = [rare.probability(by=float(time), despite_doubts=True) for time in times]
    value, low, high = np.array(found, dtype=float).reshape(-1, 3).T
    doubt = "; in doubt" if rare.doubts else ""
    line = ax.plot(times, value, label=f"{label or rare.method}{doubt}")[0]
    _band(ax, times, low, high, line.get_color())
    if not times.size:
        ax.axhline(rare.at_most, ls=":", color=line.get_color(), label="at most about")
    ax.set(xlabel=_TIME, ylabel="probability to have left", yscale="log")
    return _finish(ax)
