"""Figure of the study of exit rates against the height of the barrier."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..core.types import Array
from ..results.escape_rates import RateRow, RatesData, log_ratio_of
from ..results.estimates import Estimate
from ..theory.parabola import parabola_rates
from ..theory.registry import FORMULAS
from .escape import WellStyle, _empty, halves, well_styles
from .style import _log_scale, _new_axes, _new_figure, _noise_styles, _Style, shared_legend

_PARABOLAS = "quadratic"  # the landscape for which there are formulas
_LINES = {"ou_eigenvalue": "-", "mean_exit_time": "-", "fou_exit_hazard": "-.", "pickands": "--",
          "kramers_brownian_prefactor": ":"}  # fmt: skip
_TITLES = {"ou_eigenvalue": "exact (smallest eigenvalue)", "mean_exit_time": "one over the exact mean exit time",
           "fou_exit_hazard": "table of exit rates"}  # fmt: skip
_PANELS = 4  # of rates in a row
_FINE = 25  # barriers at which a line is evaluated
_FAINT = 0.35
_SHOWN = "pickands"

Place = Callable[[RateRow], float]


def plot_escape_rates(study: RatesData) -> Figure:
    """Draw the study in one figure: exit rates against the barrier for each H, their ratio, and Pickands' formula.

    The ratio is left out where no H has both a sharp and a flat well, the formula where it does not apply.
    """
    hursts = list(dict.fromkeys(row.hurst for row in study.rows))
    lower = [draw for draw, there in ((plot_rate_ratio, any(study.pairs())),
                                      (plot_over_pickands, any(_SHOWN in row.predicted for row in study.rows)))
             if there]  # fmt: skip
    upper = math.ceil(len(hursts) / _PANELS)
    columns, height = math.ceil(len(hursts) / upper), 4.2 * (upper + bool(lower))
    figure = _new_figure(figsize=(max(9.0, 3.4 * columns), height))
    grid = figure.add_gridspec(upper + bool(lower), 2 * columns)
    shared: Axes | None = None
    for i, hurst in enumerate(hursts):
        row, column = divmod(i, columns)
        ax = shared = figure.add_subplot(grid[row, 2 * column : 2 * column + 2], sharey=shared)
        plot_rates_of_barriers(study, hurst, ax=ax)
        if column:
            ax.set_ylabel("")
    shared_legend(figure, figure.axes, "outside upper center")
    width = 2 * columns // max(len(lower), 1)
    for i, draw in enumerate(lower):
        draw(study, ax=figure.add_subplot(grid[upper, i * width : (i + 1) * width]))
    return figure


def plot_rates_of_barriers(study: RatesData, hurst: float, ax: Axes | None = None) -> Axes:
    """Exit rates under noise of one H against the barrier of the flat well, with 95 % intervals and by formula."""
    ax = ax or _new_axes()
    rows = [row for row in study.rows if row.hurst == hurst]
    for well, style in well_styles(rows).items():
        own = [row for row in rows if row.well == well]
        _estimates(ax, own, style, well)
        _formulas(ax, study, own, style.color)
    for crossing in study.crossings:
        if crossing.hurst == hurst and crossing.order == "flips":
            k = crossing.barrier
            ax.axvspan(k.low, k.high, color="grey", alpha=_FAINT, lw=0)
            ax.axvline(k.value, color="grey", lw=0.8)
            ax.text(k.value, 0.98, f" equal at k = {k.value:.2f}", transform=ax.get_xaxis_transform(), va="top",
                    fontsize="small")  # fmt: skip
    for name in _names(rows):
        ax.plot([], [], _LINES[name], color="grey", label=_TITLES.get(name) or FORMULAS[name].title)
    _log_scale(ax)
    ax.set(xlabel="barrier k of the flat well (s.d.)", ylabel="exit rate (per unit of time)", title=f"H = {hurst:g}")
    return ax


def _estimates(ax: Axes, rows: Sequence[RateRow], style: WellStyle, well: str) -> None:
    """The rates from plain paths as full symbols, those from rare escapes as hollow ones."""
    for kind, filled in (("plain", True), ("rare", False)):
        known = [(row.barrier, getattr(row, kind)) for row in rows if getattr(row, kind).value > 0.0]
        if known:
            places, rates = zip(*known, strict=True)
            label = f"{well}, plain paths" if filled else f"{well}, rare escapes"
            size = {"ms": 4.0} if filled else {"ms": 7.5, "mfc": "none"}
            _points(ax, places, rates, fmt=style.marker, color=style.color, label=label, **size)


def _points(ax: Axes, places: Sequence[float], values: Sequence[Estimate], **look: object) -> None:
    """Values at their places with their intervals."""
    value, low, high = np.array(values).T
    ax.errorbar(places, value, [value - low, high - value], capsize=2, **look)  # type: ignore[arg-type]


def _names(rows: Sequence[RateRow]) -> list[str]:
    """The formulas that have a line."""
    return [name for name in _LINES if any(name in row.predicted for row in rows)]


def _formulas(ax: Axes, study: RatesData, rows: Sequence[RateRow], color: str) -> None:
    """The rates of one well by formula: fine lines where the wells are parabolas, else from barrier to barrier."""
    lines = {name: [row.predicted.get(name, math.nan) for row in rows] for name in _names(rows)}
    places = np.array([row.barrier for row in rows])
    if study.settings.landscape == _PARABOLAS:
        own, lines = _parabolas(rows)
        places = own * rows[0].barrier / rows[0].own_barrier
    for name in _names(rows):
        ax.plot(places, lines[name], _LINES[name], color=color, lw=1.0, zorder=1)


def _parabolas(rows: Sequence[RateRow]) -> tuple[Array, dict[str, list[float]]]:
    """Barriers in standard deviations over the range of the rows, and the rates of a parabola like the first one's."""
    ends = [row.own_barrier for row in rows]
    own = np.linspace(min(ends), max(ends), _FINE)
    rates = [parabola_rates(rows[0].hurst, k, rows[0].curvature, rows[-1].age) for k in own]
    return own, {name: [rate.get(name, math.nan) for rate in rates] for name in _LINES}


def plot_rate_ratio(study: RatesData, ax: Axes | None = None) -> Axes:
    """Exit rate of the sharp well over that of the flat one against the barrier, and where the order flips."""
    ax = ax or _new_axes()
    styles = _noise_styles(f"{h:g}" for h in study.settings.hurst)
    drawn = [_ratios(ax, study, hurst, styles[f"{hurst:g}"]) for hurst in study.settings.hurst]
    ax.set(xlabel="barrier k of the flat well (s.d.)", ylabel="exit rate, sharp / flat", title="Sharp against flat")
    if not any(drawn):
        return _empty(ax, "no barrier has rates of both wells")
    for crossing in study.crossings:
        if crossing.order == "flips":
            k, colour = crossing.barrier, styles[f"{crossing.hurst:g}"].colour
            ax.errorbar(k.value, 1.0, xerr=[[k.value - k.low], [k.high - k.value]], fmt="*", ms=12, color=colour,
                        mec="black", capsize=3, zorder=5)  # fmt: skip
            ax.set_title("Sharp against flat; stars: equal rates")
    ax.set_yscale("log")
    halves(ax)
    _log_scale(ax)
    ax.legend(fontsize="small", frameon=False, loc="lower left")
    return ax


def _ratios(ax: Axes, study: RatesData, hurst: float, look: _Style) -> bool:
    """The ratios of one H as points, and those of Pickands' rates as a line; whether there were any."""
    pairs = [(s, f) for s, f in study.pairs() if s.hurst == hurst]
    known = [(s.barrier, log_ratio_of(s, f)) for s, f in pairs if math.isfinite(log_ratio_of(s, f).value)]
    both = [(s.barrier, s.predicted[_SHOWN] / f.predicted[_SHOWN]) for s, f in pairs
            if _SHOWN in s.predicted and _SHOWN in f.predicted]  # fmt: skip
    label = f"H = {hurst:g}"
    if known:
        places = [k for k, _ in known]
        ratios = [Estimate(*(math.exp(part) for part in ratio)) for _, ratio in known]
        _points(ax, places, ratios, fmt=look.marker, color=look.colour, ms=5.0, label=label)
    if both:
        ax.plot(*zip(*both, strict=True), "--", color=look.colour, lw=1.0, zorder=1, label="" if known else label)
    return bool(known or both)


def plot_over_pickands(study: RatesData, ax: Axes | None = None) -> Axes:
    """Exit rates over Pickands' rate against the barrier of each well itself: by scaling one curve for each H."""
    ax = ax or _new_axes()
    styles = _noise_styles(f"{h:g}" for h in study.settings.hurst)
    for hurst in study.settings.hurst:
        look = styles[f"{hurst:g}"]
        rows = [row for row in study.rows if row.hurst == hurst and _SHOWN in row.predicted and row.rate.value > 0.0]
        for well, style in well_styles(rows).items():
            own = [row for row in rows if row.well == well]
            ratios = [Estimate(*(part / row.predicted[_SHOWN] for part in row.rate)) for row in own]
            _points(ax, [row.own_barrier for row in own], ratios, fmt=style.marker, color=look.colour, ms=5.0,
                    label=f"H = {hurst:g}, {well}")  # fmt: skip
        _over(ax, rows, look.colour)
    ax.set(xlabel="barrier of the well itself (s.d.)", ylabel="exit rate / Pickands' rate", title="Over Pickands' rate")
    if not ax.get_legend_handles_labels()[1]:
        return _empty(ax, "no rate has Pickands' rate beside it")
    ax.axhline(1.0, color="grey", ls="--", lw=1.0)
    _log_scale(ax)
    ax.legend(fontsize="x-small", frameon=False, ncols=2)
    return ax


def _over(ax: Axes, rows: Sequence[RateRow], colour: str) -> None:
    """The other formulas over Pickands' rate, over the barriers of all parabolas of one H."""
    if rows:
        own, lines = _parabolas(rows)
        for name in _names(rows):
            if name != _SHOWN:
                ax.plot(own, np.array(lines[name]) / lines[_SHOWN], _LINES[name], color=colour, lw=1.0, zorder=1)
