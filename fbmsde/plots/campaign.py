"""Figures of a campaign: survival in each of its problems, and the quantity that was estimated of each."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from ..results.campaign import Summary
from .escape import _wrapped
from .style import _new_axes, _new_figure, _noise_styles

_FEW = 8  # problems whose colours come from a list; more of them have the colours of a scale, in their order
_WIDEST = 40  # letters of a name that stands in one line
_ROW = 0.24  # inches that a problem takes in the list of estimates
_DECADES = 6  # of survival that are shown at most
_LOG_FROM = 5.0  # largest over smallest estimate from which their axis is logarithmic
_TITLES = {
    "exit_rate": "exit rate (per unit of time)",
    "mean": "mean exit time",
    "probability": "probability to leave by the horizon",
}


def plot_campaign(summaries: Sequence[Summary]) -> Figure:
    """Draw survival in each problem, and beside it the estimated quantity of each with its 95 % interval.

    The names in the list of estimates have the colours of the curves. Hollow symbols are estimates of problems that
    have fewer paths than were asked for, or a wider interval.
    """
    lines = max((name.count("\n") + 1 for name in _names(summaries)), default=1)
    height = max(4.2, 1.6 + _ROW * (1.0 + 0.6 * (lines - 1)) * len(summaries))
    figure = _new_figure(figsize=(11.0, height))
    left, right = figure.subplots(1, 2)
    plot_problem_survival(summaries, ax=left)
    plot_problem_estimates(summaries, ax=right)
    return figure


def plot_problem_survival(summaries: Sequence[Summary], ax: Axes | None = None) -> Axes:
    """Share of paths still inside against time, logarithmic, one curve for each problem that has paths."""
    ax = ax or _new_axes()
    lowest, drawn = 1.0, []
    for summary, colour in zip(summaries, _colours(len(summaries)), strict=True):
        if summary.curve is None or summary.curve.times.size < 2:
            continue
        times, inside = summary.curve
        alive = inside > 0.0
        ax.step(times[alive], inside[alive], where="post", color=colour, lw=1.2, label=summary.name)
        lowest = min(lowest, float(inside[alive].min()))
        drawn.append(times)
    ax.set(xscale="log", yscale="log", xlabel="time (units of the equation)", ylabel="share of paths inside")
    ax.set_ylim(max(0.5 * lowest, 10.0**-_DECADES), 1.3)
    if drawn:
        first = min(float(times[times > 0.0][0]) for times in drawn)
        last = max(float(times[-1]) for times in drawn)
        ax.set_xlim(max(first, 1e-4 * last), 1.1 * last)
    return ax


def plot_problem_estimates(summaries: Sequence[Summary], ax: Axes | None = None) -> Axes:
    """The quantity that was estimated of each problem with its 95 % interval, one row a problem from top to bottom."""
    ax = ax or _new_axes()
    colours = _colours(len(summaries))
    known = [(row, s, c) for row, (s, c) in enumerate(zip(summaries, colours, strict=True))
             if math.isfinite(s.estimate.value)]  # fmt: skip
    for row, summary, colour in known:
        value, low, high = summary.estimate
        whole = summary.precise and summary.paths >= summary.asked
        ax.errorbar([value], [row], xerr=[[value - low], [high - value]], fmt="o", ms=5, color=colour, capsize=2.5,
                    mfc=colour if whole else "white")  # fmt: skip
    values = [summary.estimate.value for _, summary, _ in known]
    if values and min(values) > 0.0 and max(values) > _LOG_FROM * min(values):
        ax.set_xscale("log")
    ax.set_ylim(len(summaries) - 0.4, -0.6)
    for row in set(range(len(summaries))) - {row for row, _, _ in known}:
        ax.text(0.02, row, "not determined", transform=ax.get_yaxis_transform(), va="center", fontsize="x-small")
    size = "small" if len(summaries) <= _FEW else "x-small"
    ticks = ax.set_yticks(range(len(summaries)), _names(summaries), fontsize=size)
    for tick, colour in zip(ticks, colours, strict=True):
        tick.label1.set_color(colour)
    ax.grid(axis="x", color="0.9", lw=0.8)
    ax.set(xlabel=_title(summaries), ylabel="problem")
    ax.set_title("95 % intervals" + ("; hollow: not finished" if _open([s for _, s, _ in known]) else ""))
    return ax


def _colours(n: int) -> list[str]:
    """A colour for each of n problems: far apart for a few, along a scale without its palest part for many."""
    if n <= _FEW:
        return [style.colour for style in _noise_styles(map(str, range(n))).values()]
    return [to_hex(matplotlib.colormaps["viridis"](at)) for at in np.linspace(0.0, 0.85, n)]


def _names(summaries: Sequence[Summary]) -> list[str]:
    """The names of the problems, long ones in several lines that end behind a comma, a colon or a plus sign."""
    return [_wrapped(s.name) if len(s.name) > _WIDEST else s.name for s in summaries]


def _title(summaries: Sequence[Summary]) -> str:
    """What the estimates are."""
    quantity = summaries[0].quantity if summaries else "exit_rate"
    return _TITLES.get(quantity, f"probability to leave through {quantity.partition(':')[2]}")


def _open(summaries: Sequence[Summary]) -> bool:
    """Whether the estimate of a problem is not final."""
    return any(not summary.precise or summary.paths < summary.asked for summary in summaries)
