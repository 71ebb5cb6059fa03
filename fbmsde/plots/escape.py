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
from matplotlib.ticker import NullFormatter, NullLocator

from ..results.escape import REFERENCES, EscapeData, EscapeRow
from ..results.escape_rates import RateRow
from ..results.estimates import Estimate, log_ratio
from ..theory.registry import FORMULAS
from .style import _finish, _new_axes, _new_figure, shared_legend


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
_PANELS = 4  # of survival in a row
_LOW, _HIGH, _LOWER, _LEGENDS = 2.2, 3.2, 4.0, 0.9  # inches: panels of survival in many rows and in one, rates, legends
_DECADE = 0.08  # of the last time: where a short axis of times begins
_ROOM = 0.1  # of the height of a panel, for a sentence
_LONG_ROW = 6  # noises from which their names are written aslant
_OTHER_STYLES = (WellStyle("#009E73", "s"), WellStyle("#CC79A7", "D"), WellStyle("#E69F00", "v"))


def plot_escape(study: EscapeData) -> Figure:
    """Draw the study in one figure: survival under each noise, exit rate against H or noise, and ratio of the rates.

    Survival has at most four panels in a row. The ratio is left out where neither paths nor theory tell it under any
    noise. One legend above the panels tells of survival, one below them of the rates.
    """
    noises = list(dict.fromkeys(row.noise for row in study.rows))
    lower = [plot_rates, *[plot_order] * _Ratios.of(study).known]
    apart = study.settings.noises is not None and len(noises) > _PANELS  # names need the whole width
    above, below = -(-len(noises) // _PANELS), len(lower) if apart else 1
    columns = -(-len(noises) // above)
    heights = [_LOW if above > 1 else _HIGH] * above + [_LOWER] * below
    figure = _new_figure(figsize=(max(9.0, 2.9 * columns), sum(heights) + _LEGENDS))
    grid = figure.add_gridspec(above + below, 2 * columns, height_ratios=heights)
    panels = [figure.add_subplot(grid[i // columns, 2 * (i % columns) : 2 * (i % columns) + 2])
              for i in range(len(noises))]  # fmt: skip
    for i, (ax, noise) in enumerate(zip(panels, noises, strict=True)):
        rows = [row for row in study.rows if row.noise == noise]
        plot_survival(rows, ax=ax)
        ax.set_title(_wrapped(study.title(rows[0])), fontsize="medium" if study.settings.noises is None else "small")
        ax.set_ylabel(ax.get_ylabel() if i % columns == 0 else "")
        ax.set_xlabel(ax.get_xlabel() if i + columns >= len(noises) else "")
    width = 2 * columns if apart else 2 * columns // len(lower)
    rates = []
    for i, draw in enumerate(lower):
        row, first = (above + i, 0) if apart else (above, i * width)
        rates.append(draw(study, ax=figure.add_subplot(grid[row, first : first + width])))
    shared_legend(figure, panels, "outside upper center")
    shared_legend(figure, rates, "outside lower center")
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
        elif len(places) == 1:
            ax.plot(places, values, "_", color=color, ms=16, mew=1.5, label=f"{who}{FORMULAS[REFERENCES[0]].title}")
        else:
            ax.plot(places, values, "--", color=color, lw=1.2, label=f"{who}{FORMULAS[REFERENCES[0]].title}")

    def named(self, ax: Axes) -> None:
        """Say what the horizontal axis is."""
        ax.set_xlabel("noise" if self.categories else "Hurst parameter H")
        if self.categories:
            ax.set_xticks(list(self.places.values()), [_wrapped(name) for name in self.places], fontsize="x-small")
            ax.set_xlim(-0.5, len(self.places) - 0.5)
            for label in ax.get_xticklabels() if len(self.places) > _LONG_ROW else ():
                label.set(rotation=30, ha="right", rotation_mode="anchor")
        elif len(self.places) == 1:
            (place,) = self.places.values()
            ax.set_xticks([place])
            ax.set_xlim(place - 0.1, place + 0.1)


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
    """From well before the first exits to the end, a decade or more, whose inner ticks have no numbers."""
    ends = [row.curve.times[-1] for row in rows if row.curve.times.size > 1]
    starts = [row.curve.times[1] for row in rows if row.curve.times.size > 1 and row.exits]
    if ends:
        last = max(ends)
        ax.set_xlim(min(max(min(starts, default=0.0), 1e-3 * last), _DECADE * last), 1.1 * last)
    ax.xaxis.set_minor_formatter(NullFormatter())


def plot_rates(study: EscapeData, ax: Axes | None = None) -> Axes:
    """Exit rate of both wells against H or noise, measured with 95 % intervals, and by the reference formula.

    Where no path has left, an arrow begins at the 95 % bound of the rate.
    """
    ax = ax or _new_axes()
    across = _Across.of(study)
    for name, style in well_styles(study.rows).items():
        _rates_of(ax, across, [row for row in study.rows if row.well == name], style)
    ax.set(yscale="log", ylabel="exit rate (per unit of time)", title="Exit rate")
    across.named(ax)
    return _finish(ax) if ax.has_data() else _empty(ax, "no rate is known")


def _rates_of(ax: Axes, across: _Across, rows: Sequence[EscapeRow], style: WellStyle) -> None:
    """The rates of one well: measured, in continuous time, bounded, and by formula."""
    who = _label(rows[0].well)
    known = [row for row in rows if row.rate.value > 0]
    if known:
        _bars(ax, across.at(known), [row.rate for row in known], style, f"{who}, measured")
    free = [row for row in rows if row.continuous.value > 0]
    if free:
        _bars(ax, across.at(free, free=True), [row.continuous for row in free], style, f"{who}, continuous time",
              hollow=True)  # fmt: skip
    stay = [row for row in rows if row.exits == 0 and row.curve.times.size]
    if stay:
        bounds = np.array([-math.log(0.05) / (row.paths * row.curve.times[-1]) for row in stay])
        ax.errorbar(across.at(stay), bounds, 0.5 * bounds, uplims=True, fmt="_", ms=10, color=style.color,
                    label=f"{who}, none left: below")  # fmt: skip
    told = [row for row in rows if math.isfinite(row.reference)]
    if told:
        across.predicted(ax, across.at(told), [row.reference for row in told], style.color, f"{who}, ")
    tabulated = [row for row in rows if _TABLE in row.predicted]
    if tabulated:
        ax.plot(across.at(tabulated), [row.predicted[_TABLE] for row in tabulated], "x", color=style.color, ms=9,
                label=f"{who}, table")  # fmt: skip


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


class _Ratios(NamedTuple):
    """The pairs of rows (sharp, flat) whose ratio of rates is known: measured, in continuous time, by formula."""

    measured: list[tuple[EscapeRow, EscapeRow]]
    free: list[tuple[EscapeRow, EscapeRow]]
    predicted: list[tuple[EscapeRow, EscapeRow]]

    @classmethod
    def of(cls, study: EscapeData) -> _Ratios:
        """The pairs of a study."""
        pairs = list(study.pairs())
        measured = [(s, f) for s, f in pairs if s.rate.value > 0 and f.rate.value > 0]
        free = [(s, f) for s, f in pairs if s.continuous.value > 0 and f.continuous.value > 0]
        return cls(measured, free, [(s, f) for s, f in pairs if math.isfinite(s.reference / f.reference)])

    @property
    def known(self) -> bool:
        """Whether any ratio is known."""
        return any(self)


def plot_order(study: EscapeData, ax: Axes | None = None) -> Axes:
    """Ratio of the exit rates, sharp over flat, against H or noise: below 1 the flat well empties first."""
    ax = ax or _new_axes()
    across, ratios = _Across.of(study), _Ratios.of(study)
    if ratios.measured:
        ratio, low, high = np.exp([log_ratio(s.rate, f.rate) for s, f in ratios.measured]).T
        errors = np.array([ratio - low, high - ratio])
        places = across.at([s for s, _ in ratios.measured])
        ax.errorbar(places, ratio, errors, fmt="s", color="black", capsize=3, label="measured", zorder=3)
    if ratios.free:
        values = [s.continuous.value / f.continuous.value for s, f in ratios.free]
        places = across.at([s for s, _ in ratios.free], free=True)
        ax.plot(places, values, "s", color="black", mfc="white", label="measured, continuous time")
    if ratios.predicted:
        places = across.at([s for s, _ in ratios.predicted])
        across.predicted(ax, places, [s.reference / f.reference for s, f in ratios.predicted], "black")
    ax.set(yscale="log", ylabel="exit rate, sharp / flat", title="Sharp against flat")
    across.named(ax)
    if not ratios.known:
        return _empty(ax, "no noise has rates of both wells")
    halves(ax)
    return _finish(ax)


def halves(ax: Axes) -> None:
    """Tell the half in which the sharp well empties first from the other one, with room for both sentences."""
    low, high = ax.get_ylim()
    room = (max(high, 2.0) / min(low, 0.5)) ** _ROOM
    low, high = min(low, 0.5) / room, max(high, 2.0) * room
    ax.axhspan(1.0, high, color=WELL_STYLE["sharp"].color, alpha=0.12, lw=0)
    ax.axhspan(low, 1.0, color=WELL_STYLE["flat"].color, alpha=0.12, lw=0)
    ax.axhline(1.0, color="grey", lw=0.8)
    ax.set_ylim(low, high)
    for height, side, text in ((0.97, "top", "sharp"), (0.03, "bottom", "flat")):
        ax.text(0.97, height, f"the {text} well empties first", transform=ax.transAxes, ha="right", va=side,
                fontsize="small")  # fmt: skip


def _empty(ax: Axes, why: str) -> Axes:
    """Axes on which there is nothing to see, and why."""
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", va="center")
    ax.set(xticks=[], yticks=[])
    ax.yaxis.set_minor_locator(NullLocator())
    return ax
