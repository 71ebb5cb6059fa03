"""Figures of the study of views."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results.estimates import log_ratio
from ..results.views import ViewsData
from .style import _new_axes, _new_figure, _noise_styles

_MATCHINGS = {"step": "same step", "spread": "same spread"}


def plot_views(study: ViewsData) -> Figure:
    """Draw the study: survival in the sharp and in the flat well, their mean exit times, and the exponents."""
    figure = _new_figure(figsize=(12.5, 8.2))
    grid = figure.add_gridspec(2, 2, height_ratios=(1.0, 1.0))
    top = figure.add_subplot(grid[0, 0])
    plot_view_survival(study, "sharp", ax=top)
    top.legend(fontsize="small", frameon=False, loc="upper right")
    plot_view_survival(study, "flat", ax=figure.add_subplot(grid[0, 1]))
    plot_view_order(study, ax=figure.add_subplot(grid[1, 0]))
    plot_view_exponents(study, ax=figure.add_subplot(grid[1, 1]))
    return figure


def plot_view_survival(study: ViewsData, well: str, ax: Axes | None = None) -> Axes:
    """Share of paths still inside one of both wells against time, for the noises of the same step."""
    ax = ax or _new_axes()
    styles = _noise_styles(study.settings.views)
    for row in study.rows:
        if row.well == well and row.matching == "step":
            alive = row.curve.probabilities > 0
            ax.step(row.curve.times[alive], row.curve.probabilities[alive], where="post", color=styles[row.view].colour,
                    label=row.view)  # fmt: skip
    ax.set(xscale="log", yscale="log", ylim=(2e-3, 1.3), xlim=(10 * study.settings.dt, 1.2 * _longest(study)))
    ax.set(
        xlabel="time (units of the equation)",
        ylabel="share of paths inside",
        title=f"{well} well, noises of the same step",
    )
    return ax


def _longest(study: ViewsData) -> float:
    """The last time of the survival curves that are drawn."""
    return max((row.curve.times[-1] for row in study.rows if row.matching == "step"), default=study.settings.horizon)


def plot_view_order(study: ViewsData, ax: Axes | None = None) -> Axes:
    """Mean exit time of the flat well over that of the sharp one for each noise and matching, with the prediction."""
    ax = ax or _new_axes()
    styles = _noise_styles(study.settings.views)
    for offset, matching, filled in ((-0.12, "step", True), (0.12, "spread", False)):
        for place, (view, style) in enumerate(styles.items()):
            pair = study.pair(view, matching)
            if pair is None or any(row.restricted for row in pair):
                continue
            value, low, high = np.exp(log_ratio(pair[1].mean, pair[0].mean))
            bars = [[value - low], [high - value]]
            ax.errorbar([place + offset], [value], bars, fmt=style.marker, color=style.colour, capsize=3,
                        mfc=style.colour if filled else "white")  # fmt: skip
            ax.plot(
                [place + offset - 0.1, place + offset + 0.1],
                [pair[1].predicted / pair[0].predicted] * 2,
                color="grey",
                lw=2,
            )
    ax.axhline(1.0, color="grey", lw=0.8)
    ax.set(yscale="log", xlabel="noise", ylabel="mean exit time, flat / sharp")
    ax.set_title("Above 1 the sharp well empties first")
    ax.set_xticks(
        range(len(styles)), [name.replace(", ", "\n").replace(" of ", "\nof ") for name in styles], fontsize="small"
    )
    for matching, inner in (("step", "dimgrey"), ("spread", "white")):
        ax.plot([], [], "o", color="dimgrey", mfc=inner, label=_MATCHINGS[matching])
    ax.plot([], [], color="grey", lw=2, label="predicted")
    ax.legend(fontsize="small", frameon=False)
    return ax


def plot_view_exponents(study: ViewsData, ax: Axes | None = None) -> Axes:
    """Exponents of the mean exit time in height and width, measured with 95 % intervals, and predicted."""
    ax = ax or _new_axes()
    kinds = list(dict.fromkeys((d.varied, d.held) for d in study.dependences))
    styles = _noise_styles(study.settings.views)
    for number, (view, style) in enumerate(styles.items()):
        shift = 0.14 * (number - (len(styles) - 1) / 2.0)
        found = [d for d in study.dependences if d.view == view]
        for d in found:
            place = kinds.index((d.varied, d.held)) + shift
            bars = [[d.measured.value - d.measured.low], [d.measured.high - d.measured.value]]
            ax.errorbar([place], [d.measured.value], bars, fmt=style.marker, color=style.colour, capsize=2)
            ax.plot([place - 0.05, place + 0.05], [d.predicted] * 2, color="grey", lw=2)
    ax.axhline(0.0, color="grey", lw=0.8)
    ax.set_xticks(range(len(kinds)), [f"{varied}\n({held} fixed)" for varied, held in kinds])
    ax.set(xlabel="what varies", ylabel="exponent of the mean exit time", title="What the mean exit time depends on")
    return ax
