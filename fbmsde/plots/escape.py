"""Figures of the escape study."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results.escape import EscapeData, EscapeRow
from ..results.estimates import Estimate
from ..theory.registry import FORMULAS
from .style import _new_axes


class WellStyle(NamedTuple):
    """How everything about one well is drawn."""

    color: str
    marker: str


WELL_STYLE = {  # two colours of Okabe & Ito that stay apart for every kind of colour vision
    "sharp": WellStyle("#D55E00", "^"),
    "flat": WellStyle("#0072B2", "o"),
}
_OTHER_STYLES = (WellStyle("#009E73", "s"), WellStyle("#CC79A7", "D"), WellStyle("#E69F00", "v"))
_REFERENCE = "pickands_euler"


def plot_escape(study: EscapeData) -> Figure:
    """Draw the study in one figure: survival for each H, exit rate against H, and the ratio of the rates.

    The last one is left out where no H has both a sharp and a flat well.
    """
    values = list(dict.fromkeys(row.hurst for row in study.rows))
    columns = max(2, len(values))
    figure = Figure(figsize=(max(9.0, 2.9 * columns), 7.6), layout="constrained")
    grid = figure.add_gridspec(2, 2 * columns, height_ratios=(1.0, 1.25))
    for i, h in enumerate(values):
        ax = figure.add_subplot(grid[0, 2 * i : 2 * i + 2])
        plot_survival([row for row in study.rows if row.hurst == h], ax=ax)
        ax.set_title(f"H = {h:g}")
        if i:
            ax.set_ylabel("")
        else:
            ax.legend(fontsize="x-small", loc="lower left", frameon=False)
    paired = any(study.pairs())
    plot_rates(study, ax=figure.add_subplot(grid[1, :columns] if paired else grid[1, :]))
    if paired:
        plot_order(study, ax=figure.add_subplot(grid[1, columns:]))
    return figure


def _label(well: str) -> str:
    """What a well is called in a legend."""
    return well if "well" in well else f"{well} well"


def _styles(rows: Sequence[EscapeRow]) -> dict[str, WellStyle]:
    """The style of each well that there is, sharp and flat first."""
    names = dict.fromkeys(row.well for row in rows)
    others = [name for name in names if name not in WELL_STYLE]
    known = {name: style for name, style in WELL_STYLE.items() if name in names}
    return known | dict(zip(others, itertools.cycle(_OTHER_STYLES), strict=False))


def plot_survival(rows: Sequence[EscapeRow], ax: Axes | None = None) -> Axes:
    """Share of paths still inside against time, logarithmic, with the exponential decay of the reference formula."""
    ax = ax or _new_axes()
    styles = _styles(rows)
    for row in rows:
        style, (times, inside) = styles[row.well], row.curve
        alive = inside > 0
        ax.step(times[alive], inside[alive], where="post", color=style.color, label=_label(row.well))
        rate = row.predicted.get(_REFERENCE, math.nan)
        if math.isfinite(rate):
            t = np.linspace(0.0, times[alive][-1], 100)
            ax.plot(t, np.exp(-rate * t), "--", color=style.color, lw=1.0, label=f"{row.well}, theory")
    ax.set_yscale("log")
    ax.set_xscale("log")
    ax.set(xlabel="time (units of the equation)", ylabel="share of paths inside", ylim=(1e-3, 1.3))
    _widen_time(ax, rows)
    return ax


def _widen_time(ax: Axes, rows: Sequence[EscapeRow]) -> None:
    """From well before the first exits to the end."""
    ends = [row.curve.times[-1] for row in rows if row.curve.times.size > 1]
    starts = [row.curve.times[1] for row in rows if row.curve.times.size > 1]
    if ends:
        ax.set_xlim(max(min(starts), 1e-3 * max(ends)), 1.1 * max(ends))


def plot_rates(study: EscapeData, ax: Axes | None = None) -> Axes:
    """Exit rate of both wells against H, measured with 95 % intervals, and by the reference formula."""
    ax = ax or _new_axes()
    for name, style in _styles(study.rows).items():
        rows = [row for row in study.rows if row.well == name and row.rate.value > 0]
        if not rows:
            continue
        _bars(ax, rows, [row.rate for row in rows], style, f"{_label(name)}, measured")
        free = [row for row in rows if row.continuous.value > 0]
        if free:
            _bars(ax, free, [row.continuous for row in free], style, f"{_label(name)}, continuous time", hollow=True)
        predicted = [(r.hurst, r.predicted[_REFERENCE]) for r in rows if _REFERENCE in r.predicted]
        if predicted:
            ax.plot(*zip(*predicted, strict=True), "--", color=style.color, lw=1.2,
                    label=f"{_label(name)}, {FORMULAS[_REFERENCE].title}")  # fmt: skip
    ax.set_yscale("log")
    ax.set(xlabel="Hurst parameter H", ylabel="exit rate (per unit of time)", title="Exit rate")
    if ax.has_data():
        ax.legend(fontsize="small", frameon=False)
    return ax


def _bars(
    ax: Axes,
    rows: Sequence[EscapeRow],
    rates: Sequence[Estimate],
    style: WellStyle,
    label: str,
    hollow: bool = False,
) -> None:
    """Rates against H with their intervals, as full or hollow symbols."""
    values, low, high = (np.array(column) for column in zip(*rates, strict=True))
    ax.errorbar([row.hurst for row in rows], values, [values - low, high - values], fmt=style.marker, color=style.color,
                mfc="white" if hollow else style.color, capsize=3, label=label)  # fmt: skip


def plot_order(study: EscapeData, ax: Axes | None = None) -> Axes:
    """Ratio of the exit rates, sharp over flat, against H: below 1 the flat well empties first."""
    ax = ax or _new_axes()
    pairs = [(s, f) for s, f in study.pairs() if s.rate.value > 0 and f.rate.value > 0]
    if pairs:
        h = np.array([s.hurst for s, _ in pairs])
        ratio = np.array([s.rate.value / f.rate.value for s, f in pairs])
        width = [math.hypot(*(math.log(r.rate.high / r.rate.low) / 2 for r in pair)) for pair in pairs]
        errors = np.array([ratio * (1 - np.exp(-np.array(width))), ratio * (np.exp(np.array(width)) - 1)])
        ax.errorbar(h, ratio, errors, fmt="s", color="black", capsize=3, label="measured", zorder=3)
        free = [(s.hurst, s.continuous.value / f.continuous.value) for s, f in pairs
                if s.continuous.value > 0 and f.continuous.value > 0]  # fmt: skip
        if free:
            ax.plot(*zip(*free, strict=True), "s", color="black", mfc="white", label="measured, continuous time")
        both = [(s.hurst, s.predicted[_REFERENCE] / f.predicted[_REFERENCE]) for s, f in pairs
                if _REFERENCE in s.predicted and _REFERENCE in f.predicted]  # fmt: skip
        if both:
            ax.plot(*zip(*both, strict=True), "--", color="black", lw=1.2, label=FORMULAS[_REFERENCE].title)
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    low, high = min(low, 0.5), max(high, 2.0)
    ax.set_ylim(low, high)
    ax.axhspan(1.0, high, color=WELL_STYLE["sharp"].color, alpha=0.12, lw=0)
    ax.axhspan(low, 1.0, color=WELL_STYLE["flat"].color, alpha=0.12, lw=0)
    ax.axhline(1.0, color="grey", lw=0.8)
    ax.text(0.98, 0.95, "the sharp well empties first", transform=ax.transAxes, ha="right", va="top")
    ax.text(0.02, 0.05, "the flat well empties first", transform=ax.transAxes, ha="left", va="bottom")
    ax.set(xlabel="Hurst parameter H", ylabel="exit rate, sharp / flat", title="Sharp against flat")
    if pairs:
        ax.legend(fontsize="small", loc="center left", frameon=False)
    return ax
