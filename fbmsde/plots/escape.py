"""Figures of the escape study."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results.escape import REFERENCES, EscapeData, EscapeRow
from ..results.escape_rates import RateRow
from ..results.estimates import Estimate
from ..theory.registry import FORMULAS
from .style import _new_axes, _new_figure


class WellStyle(NamedTuple):
    """How everything about one well is drawn."""

    color: str
    marker: str


WELL_STYLE = {  # two colours of Okabe & Ito that stay apart for every kind of colour vision
    "sharp": WellStyle("#D55E00", "^"),
    "flat": WellStyle("#0072B2", "o"),
}
_TABLE = "fou_exit_rate_grid"  # the formula for the rate on the grid that comes from a table
_ASIDE = 0.16  # of the distance between two noises
_OTHER_STYLES = (WellStyle("#009E73", "s"), WellStyle("#CC79A7", "D"), WellStyle("#E69F00", "v"))


def plot_escape(study: EscapeData) -> Figure:
    """Draw the study in one figure: survival under each noise, exit rate against H or noise, and ratio of the rates.

    The last one is left out where no noise has both a sharp and a flat well.
    """
    noises = list(dict.fromkeys(row.noise for row in study.rows))
    columns = max(2, len(noises))
    figure = _new_figure(figsize=(max(9.0, 2.9 * columns), 7.6))
    grid = figure.add_gridspec(2, 2 * columns, height_ratios=(1.0, 1.25))
    for i, noise in enumerate(noises):
        ax = figure.add_subplot(grid[0, 2 * i : 2 * i + 2])
        rows = [row for row in study.rows if row.noise == noise]
        plot_survival(rows, ax=ax)
        ax.set_title(_wrapped(study.title(rows[0])), fontsize="large" if study.settings.noises is None else "small")
        if i:
            ax.set_ylabel("")
        else:
            ax.legend(fontsize="x-small", loc="lower left", frameon=False)
    paired = any(study.pairs())
    plot_rates(study, ax=figure.add_subplot(grid[1, :columns] if paired else grid[1, :]))
    if paired:
        plot_order(study, ax=figure.add_subplot(grid[1, columns:]))
    return figure


def _wrapped(name: str) -> str:
    """A name in lines that end behind a comma, a colon or a plus sign; "H = 0.3" stays as it is."""
    return re.sub(r"([:,+])(?=.)", r"\1\n", name)


@dataclass(frozen=True)
class _Across:
    """Where each noise stands along the horizontal axis: at its H, or in a row with the others under its name."""

    places: Mapping[str, float]
    categories: bool

    @classmethod
    def of(cls, study: EscapeData) -> _Across:
        """The places of the noises of a study."""
        if study.settings.noises is None:
            return cls({row.noise: row.hurst for row in study.rows if row.hurst is not None}, False)
        return cls({name: float(i) for i, name in enumerate(study.settings.noises)}, True)

    def at(self, rows: Sequence[EscapeRow], free: bool = False) -> list[float]:
        """The places of some rows; of what is `free` of a grid, beside the others if noises stand in a row."""
        aside = _ASIDE if free and self.categories else 0.0
        return [self.places[row.noise] + aside for row in rows]

    def predicted(self, ax: Axes, places: Sequence[float], values: Sequence[float], color: str, who: str = "") -> None:
        """Draw predictions: a line along H, or a dash at each noise."""
        if self.categories:
            ax.plot(places, values, "_", color=color, ms=16, mew=1.5, label=f"{who}predicted", zorder=1)
        else:
            ax.plot(places, values, "--", color=color, lw=1.2, label=f"{who}{FORMULAS[REFERENCES[0]].title}")

    def named(self, ax: Axes) -> None:
        """Say what the horizontal axis is."""
        ax.set_xlabel("noise" if self.categories else "Hurst parameter H")
        if self.categories:
            ax.set_xticks(list(self.places.values()), [_wrapped(name) for name in self.places], fontsize="x-small")
            ax.set_xlim(-0.5, len(self.places) - 0.5)


def _label(well: str) -> str:
    """What a well is called in a legend."""
    return well if "well" in well else f"{well} well"


def well_styles(rows: Sequence[EscapeRow | RateRow]) -> dict[str, WellStyle]:
    """The style of each well that there is, sharp and flat first."""
    names = dict.fromkeys(row.well for row in rows)
    others = [name for name in names if name not in WELL_STYLE]
    known = {name: style for name, style in WELL_STYLE.items() if name in names}
    return known | dict(zip(others, itertools.cycle(_OTHER_STYLES), strict=False))


def plot_survival(rows: Sequence[EscapeRow], ax: Axes | None = None) -> Axes:
    """Share of paths still inside against time, logarithmic, with the exponential decay of the reference formula."""
    ax = ax or _new_axes()
    styles = well_styles(rows)
    for row in rows:
        style, (times, inside) = styles[row.well], row.curve
        alive = inside > 0
        ax.step(times[alive], inside[alive], where="post", color=style.color, label=_label(row.well))
        rate = row.reference
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
    """Exit rate of both wells against H or noise, measured with 95 % intervals, and by the reference formula."""
    ax = ax or _new_axes()
    across = _Across.of(study)
    for name, style in well_styles(study.rows).items():
        rows = [row for row in study.rows if row.well == name and row.rate.value > 0]
        if not rows:
            continue
        _bars(ax, across.at(rows), [row.rate for row in rows], style, f"{_label(name)}, measured")
        free = [row for row in rows if row.continuous.value > 0]
        if free:
            _bars(ax, across.at(free, free=True), [row.continuous for row in free], style,
                  f"{_label(name)}, continuous time", hollow=True)  # fmt: skip
        known = [row for row in rows if math.isfinite(row.reference)]
        if known:
            across.predicted(ax, across.at(known), [row.reference for row in known], style.color, f"{_label(name)}, ")
        tabulated = [row for row in rows if _TABLE in row.predicted]
        if tabulated:
            ax.plot(across.at(tabulated), [row.predicted[_TABLE] for row in tabulated], "x", color=style.color, ms=9,
                    label=f"{_label(name)}, table")  # fmt: skip
    ax.set_yscale("log")
    ax.set(ylabel="exit rate (per unit of time)", title="Exit rate")
    across.named(ax)
    if ax.has_data():
        ax.legend(fontsize="small", frameon=False)
    return ax


def _bars(
    ax: Axes,
    places: Sequence[float],
    rates: Sequence[Estimate],
    style: WellStyle,
    label: str,
    hollow: bool = False,
) -> None:
    """Rates at their places with their intervals, as full or hollow symbols."""
    values, low, high = (np.array(column) for column in zip(*rates, strict=True))
    ax.errorbar(places, values, [values - low, high - values], fmt=style.marker, color=style.color,
                mfc="white" if hollow else style.color, capsize=3, label=label)  # fmt: skip


def plot_order(study: EscapeData, ax: Axes | None = None) -> Axes:
    """Ratio of the exit rates, sharp over flat, against H or noise: below 1 the flat well empties first."""
    ax = ax or _new_axes()
    across = _Across.of(study)
    pairs = [(s, f) for s, f in study.pairs() if s.rate.value > 0 and f.rate.value > 0]
    if pairs:
        ratio = np.array([s.rate.value / f.rate.value for s, f in pairs])
        width = [math.hypot(*(math.log(r.rate.high / r.rate.low) / 2 for r in pair)) for pair in pairs]
        errors = np.array([ratio * (1 - np.exp(-np.array(width))), ratio * (np.exp(np.array(width)) - 1)])
        places = across.at([s for s, _ in pairs])
        ax.errorbar(places, ratio, errors, fmt="s", color="black", capsize=3, label="measured", zorder=3)
        free = [(s, f) for s, f in pairs if s.continuous.value > 0 and f.continuous.value > 0]
        if free:
            ratios = [s.continuous.value / f.continuous.value for s, f in free]
            places = across.at([s for s, _ in free], free=True)
            ax.plot(places, ratios, "s", color="black", mfc="white", label="measured, continuous time")
        both = [(s, f) for s, f in pairs if math.isfinite(s.reference / f.reference)]
        if both:
            places = across.at([s for s, _ in both])
            across.predicted(ax, places, [s.reference / f.reference for s, f in both], "black")
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    room = 2.5 if across.categories else 1.0  # for the texts, beside which a noise may stand
    low, high = min(low / room, 0.5), max(high * room, 2.0)
    ax.set_ylim(low, high)
    ax.axhspan(1.0, high, color=WELL_STYLE["sharp"].color, alpha=0.12, lw=0)
    ax.axhspan(low, 1.0, color=WELL_STYLE["flat"].color, alpha=0.12, lw=0)
    ax.axhline(1.0, color="grey", lw=0.8)
    ax.text(0.98, 0.95, "the sharp well empties first", transform=ax.transAxes, ha="right", va="top")
    ax.text(0.02, 0.05, "the flat well empties first", transform=ax.transAxes, ha="left", va="bottom")
    ax.set(ylabel="exit rate, sharp / flat", title="Sharp against flat")
    across.named(ax)
    if pairs:
        ax.legend(fontsize="small", loc="best" if across.categories else "center left", frameon=False)
    return ax
