"""Figures of the study of convergence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results.converge import ConvergeData
from .style import _new_axes, _new_figure, _noise_styles


def plot_converge(study: ConvergeData) -> Figure:
    """Draw the study in six panels: three loss curves, plateaus, time averages and schedules."""
    figure = _new_figure(figsize=(14.0, 8.4))
    axes = figure.subplots(2, 3)
    momentum = study.settings.momentum
    plot_loss(study, "parabola", 0.0, ax=axes[0, 0])
    axes[0, 0].legend(fontsize="small", frameon=False)
    if momentum > 0.0:
        plot_loss(study, "parabola", momentum, ax=axes[0, 1])
    else:
        axes[0, 1].set_axis_off()
    plot_loss(study, "double_well", 0.0, ax=axes[0, 2])
    momenta = tuple(dict.fromkeys((0.0, momentum)))
    plot_dependence(study, "plateau against learning rate", momenta, ax=axes[1, 0])
    plot_dependence(study, "variance of the time average against time", (0.0,), ax=axes[1, 1])
    plot_schedules(study, ax=axes[1, 2])
    return figure


def plot_loss(study: ConvergeData, landscape: str, momentum: float, ax: Axes | None = None) -> Axes:
    """Loss against the step for every noise, with its standard error; the exact mean loss is dashed."""
    ax = ax or _new_axes()
    styles = _noise_styles(study.settings.noises)
    for curve in study.curves:
        if (curve.landscape, curve.momentum) != (landscape, momentum):
            continue
        colour, late = styles[curve.noise].colour, slice(1, None)
        steps, loss, error = curve.steps[late], curve.loss[late], curve.error[late]
        label = curve.noise + (" (median)" if curve.statistic == "median" else "")
        ax.plot(steps, loss, color=colour, lw=1.2, label=label)
        ax.fill_between(steps, loss - error, loss + error, color=colour, alpha=0.25, lw=0)
        if curve.exact.size:
            ax.plot(steps, curve.exact[late], "--", color="black", lw=0.9)
    where = landscape.replace("_", " ")
    ax.set(xscale="log", yscale="log", xlabel="step", ylabel="loss above the minimum",
           title=where if landscape != "parabola" else f"{where}, momentum {momentum:g} (dashed: exact)")  # fmt: skip
    return ax


def plot_dependence(study: ConvergeData, name: str, momenta: Sequence[float], ax: Axes | None = None) -> Axes:
    """A quantity against what it depends on, measured (symbols, hollow with momentum) and exact (lines)."""
    ax = ax or _new_axes()
    styles = _noise_styles(study.settings.noises)
    for found in study.dependences:
        if found.name != name or found.momentum not in momenta:
            continue
        style, plain = styles[found.noise], found.momentum == 0.0
        ax.errorbar(found.x, found.measured, 1.96 * found.error, fmt=style.marker, color=style.colour, ms=5,
                    mfc=style.colour if plain else "white")  # fmt: skip
        ax.plot(found.x, found.exact, "-" if plain else "--", color=style.colour, lw=1.0)
    title = "lines: exact" if len(momenta) == 1 else f"lines: exact; hollow: momentum {momenta[-1]:g}"
    what, _, against = name.partition(" against ")
    ax.set(xscale="log", yscale="log", xlabel=against if against != "time" else "steps of the average",
           ylabel="loss of the plateau" if what == "plateau" else what, title=title)  # fmt: skip
    return ax


def plot_schedules(study: ConvergeData, ax: Axes | None = None) -> Axes:
    """Loss at the end of each schedule for every noise, measured (symbols) and exact (bars)."""
    ax = ax or _new_axes()
    styles = _noise_styles(study.settings.noises)
    names = list(dict.fromkeys(row.schedule for row in study.schedules))
    for number, (noise, style) in enumerate(styles.items()):
        rows = [row for row in study.schedules if row.noise == noise]
        places = np.array([names.index(row.schedule) for row in rows]) + 0.14 * (number - (len(styles) - 1) / 2.0)
        values = np.array([row.measured for row in rows]).reshape(-1, 3)
        bars = np.abs(values[:, 1:].T - values[:, 0])
        ax.errorbar(places, values[:, 0], bars, fmt=style.marker, color=style.colour, ms=5, capsize=2)
        for place, row in zip(places, rows, strict=True):
            ax.plot([place - 0.06, place + 0.06], [row.exact] * 2, color="grey", lw=2, zorder=0)
    ax.set_xticks(range(len(names)), [name.replace(" at ", "\nat ") for name in names], fontsize="small")
    ax.set(yscale="log", xlabel="schedule", ylabel="loss at the end")
    ax.set_title("schedules of the learning rate (bars: exact)")
    return ax
