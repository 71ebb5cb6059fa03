"""Figures of the escape study."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..studies.escape.rows import Row, StudyData
from ..theory.registry import FORMULAS
from .style import _new_axes

WELL_STYLE: dict[str, dict[str, Any]] = {  # two colours of Okabe & Ito that stay apart for every kind of colour vision
    "sharp": {"color": "#D55E00", "marker": "^"},
    "flat": {"color": "#0072B2", "marker": "o"},
}
_REFERENCE = "pickands_euler"


def plot_escape(study: StudyData) -> Figure:
    """The study in one figure: survival for each H, exit rate against H, and the ratio of the rates."""
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
    plot_rates(study, ax=figure.add_subplot(grid[1, :columns]))
    plot_order(study, ax=figure.add_subplot(grid[1, columns:]))
    return figure


def plot_survival(rows: list[Row], ax: Axes | None = None) -> Axes:
    """Share of paths still inside against time, logarithmic, with the exponential decay of the reference formula."""
    ax = ax or _new_axes()
    for row in rows:
        style, (times, inside) = WELL_STYLE[row.well], row.curve
        alive = inside > 0
        ax.step(times[alive], inside[alive], where="post", color=style["color"], label=f"{row.well} well")
        rate = row.predicted.get(_REFERENCE, math.nan)
        if math.isfinite(rate):
            t = np.linspace(0.0, times[alive][-1], 100)
            ax.plot(t, np.exp(-rate * t), "--", color=style["color"], lw=1.0, label=f"{row.well}, theory")
    ax.set_yscale("log")
    ax.set_xscale("log")
    ax.set(xlabel="time (units of the equation)", ylabel="share of paths inside", ylim=(1e-3, 1.3))
    _widen_time(ax, rows)
    return ax


def _widen_time(ax: Axes, rows: list[Row]) -> None:
    """From well before the first exits to the end."""
    ends = [row.curve[0][-1] for row in rows if row.curve[0].size > 1]
    starts = [row.curve[0][1] for row in rows if row.curve[0].size > 1]
    if ends:
        ax.set_xlim(max(min(starts), 1e-3 * max(ends)), 1.1 * max(ends))


def plot_rates(study: StudyData, ax: Axes | None = None) -> Axes:
    """Exit rate of both wells against H, measured with 95 % intervals, and by the reference formula."""
    ax = ax or _new_axes()
    for name, style in WELL_STYLE.items():
        rows = [row for row in study.rows if row.well == name and row.rate > 0]
        if not rows:
            continue
        h, rate = np.array([r.hurst for r in rows]), np.array([r.rate for r in rows])
        errors = np.abs(np.array([r.rate_interval for r in rows]).T - rate)
        look = {"fmt": style["marker"], "color": style["color"], "capsize": 3}
        ax.errorbar(h, rate, errors, **look, label=f"{name} well, measured")
        exact = [(r.hurst, r.continuous, *r.continuous_interval) for r in rows if r.continuous > 0]
        if exact:
            at, mid, low, high = (np.array(column) for column in zip(*exact, strict=True))
            hollow = {"fmt": style["marker"], "color": style["color"], "mfc": "white", "capsize": 3}
            ax.errorbar(at, mid, [mid - low, high - mid], **hollow, label=f"{name} well, continuous time")
        predicted = [(r.hurst, r.predicted[_REFERENCE]) for r in rows if _REFERENCE in r.predicted]
        if predicted:
            ax.plot(*zip(*predicted, strict=True), "--", color=style["color"], lw=1.2,
                    label=f"{name} well, {FORMULAS[_REFERENCE].title}")  # fmt: skip
    ax.set_yscale("log")
    ax.set(xlabel="Hurst parameter H", ylabel="exit rate (per unit of time)", title="Exit rate")
    if ax.has_data():
        ax.legend(fontsize="small", frameon=False)
    return ax


def plot_order(study: StudyData, ax: Axes | None = None) -> Axes:
    """Ratio of the exit rates, sharp over flat, against H: below 1 the flat well empties first."""
    ax = ax or _new_axes()
    pairs = [(s, f) for s, f in study.pairs() if s.rate > 0 and f.rate > 0]
    if pairs:
        h = np.array([s.hurst for s, _ in pairs])
        ratio = np.array([s.rate / f.rate for s, f in pairs])
        width = [math.hypot(*(math.log(r.rate_interval[1] / r.rate_interval[0]) / 2 for r in pair)) for pair in pairs]
        errors = np.array([ratio * (1 - np.exp(-np.array(width))), ratio * (np.exp(np.array(width)) - 1)])
        ax.errorbar(h, ratio, errors, fmt="s", color="black", capsize=3, label="measured", zorder=3)
        free = [(s.hurst, s.continuous / f.continuous) for s, f in pairs if s.continuous > 0 and f.continuous > 0]
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
    ax.axhspan(1.0, high, color=WELL_STYLE["sharp"]["color"], alpha=0.12, lw=0)
    ax.axhspan(low, 1.0, color=WELL_STYLE["flat"]["color"], alpha=0.12, lw=0)
    ax.axhline(1.0, color="grey", lw=0.8)
    ax.text(0.98, 0.95, "the sharp well empties first", transform=ax.transAxes, ha="right", va="top")
    ax.text(0.02, 0.05, "the flat well empties first", transform=ax.transAxes, ha="left", va="bottom")
    ax.set(xlabel="Hurst parameter H", ylabel="exit rate, sharp / flat", title="Sharp against flat")
    if pairs:
        ax.legend(fontsize="small", loc="center left", frameon=False)
    return ax
