"""Figure of the escape of SGD beside models of its noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from ..core.types import Array
from ..results.passage_times import PassageTimes
from ..results.sgd_escape import EscapeCase, EscapeComparison
from .style import _new_figure

_SAMPLING_NAME = {"with_replacement": "fresh batches", "epochs": "shuffled epochs"}
_COLUMNS = 4  # of cases
_SHOWN = 1  # number of the barrier whose survival is drawn


class _Look(NamedTuple):
    """Colour, marker and name of a model."""

    colour: str
    marker: str
    label: str


_LOOKS = {
    "white": _Look("#999999", "v", "white noise"),
    "fGn": _Look("#E69F00", "s", "fGn with the measured H"),
    "epochs": _Look("#0072B2", "o", "law of epochs"),
    "population": _Look("#009E73", "D", "gradients of all samples, resampled"),
}


def plot_sgd_escape(found: EscapeComparison) -> Figure:
    """Draw the escape of SGD beside models of its noise as a figure.

    It shows the loss along the sharpest direction with its parabola, the ratios of the mean exit times, and for each
    case the survival of SGD and of the models at the barrier in the middle.
    """
    rows = -(-len(found.cases) // _COLUMNS)
    figure = _new_figure(figsize=(4.3 * _COLUMNS, 3.9 * (rows + 1)))
    grid = figure.add_gridspec(rows + 1, _COLUMNS)
    _plot_basin(found, figure.add_subplot(grid[0, 0]))
    _plot_exit_ratios(found, figure.add_subplot(grid[0, 1:]))
    for number, case in enumerate(_in_rows(found)):
        ax = figure.add_subplot(grid[1 + number // _COLUMNS, number % _COLUMNS])
        _plot_case(case, ax)
        if number == 0:
            ax.legend(fontsize="x-small", frameon=False, loc="lower left")
    return figure


def _in_rows(found: EscapeComparison) -> list[EscapeCase]:
    """The cases by momentum, so that each has a row."""
    return sorted(found.cases, key=lambda case: case.momentum)


def _plot_basin(found: EscapeComparison, ax: Axes) -> None:
    """Loss along the sharpest direction and the fitted parabola."""
    basin = found.basin
    parabola = np.polynomial.Polynomial.fit(basin.offsets, basin.losses, 2)
    ax.plot(basin.offsets, basin.losses, color="#0072B2", lw=3, label="loss of the network")
    label = f"parabola, curvature {basin.curvature:.3g}"
    ax.plot(basin.offsets, parabola(basin.offsets), "--", color="#D55E00", label=label)
    ax.set(xlabel="distance along the sharpest direction", ylabel="loss with weight decay")
    ax.set_title(f"basin: largest misfit {100 * basin.misfit:.1f} % of the rise", fontsize="medium")
    ax.legend(fontsize="small", frameon=False)


def _name(case: EscapeCase) -> str:
    """How SGD was run."""
    inertia = f", momentum {case.momentum:g}" if case.momentum else ""
    return f"{_SAMPLING_NAME[case.sampling]}{inertia},\nrate x curvature / (1 - momentum) = {case.drift:g}"


def _plot_exit_ratios(found: EscapeComparison, ax: Axes) -> None:
    """Mean exit time of SGD over that of each model at every barrier."""
    cases = _in_rows(found)
    for place, (model, look) in enumerate(_LOOKS.items()):
        ratios = [
            (number + 0.19 * (place - 1.5) + 0.055 * (k - 1), *case.ratio(k, model))
            for number, case in enumerate(cases) if model in case.models for k in range(len(case.barriers))
        ]  # fmt: skip
        x, value, low, high = np.array(ratios).reshape(-1, 4).T
        ax.errorbar(x, value, [value - low, high - value], label=look.label, fmt=look.marker, color=look.colour,
                    capsize=2, ms=4.5, lw=1.2)  # fmt: skip
    ax.axhline(1.0, color="black", ls=":", lw=1.0)
    ax.set_xticks(range(len(cases)), [_short(case) for case in cases], fontsize="small")
    ax.set(yscale="log", ylabel="mean exit time, SGD / model", xlim=(-0.5, len(cases) - 0.5))
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    levels = ", ".join(f"{k:g}" for k in cases[0].levels)
    ax.set_title(f"exits at {levels} s.d. of the chain under white noise, left to right, 95 %", fontsize="medium")
    ax.legend(fontsize="small", frameon=False, loc="upper left")


def _short(case: EscapeCase) -> str:
    """How SGD was run, in a narrow column."""
    inertia = f"momentum {case.momentum:g}" if case.momentum else "no momentum"
    return f"{_SAMPLING_NAME[case.sampling]}\n{inertia}\n{case.drift:g}"


def _plot_case(case: EscapeCase, ax: Axes) -> None:
    """Survival of SGD, with a 95 % band, and of the models at the barrier in the middle."""
    steps = np.arange(1.0, case.sgd[_SHOWN].horizon + 1.0)
    share = _inside(case.sgd[_SHOWN], steps)
    error = 1.96 * np.sqrt(share * (1.0 - share) / case.sgd[_SHOWN].n_paths)
    ax.fill_between(steps, share - error, share + error, step="post", color="black", alpha=0.15, lw=0)
    ax.step(steps, share, where="post", color="black", lw=2.0, label=f"SGD, {case.levels[_SHOWN]:g} s.d., 95 % band")
    for model, exits in case.models.items():
        look = _LOOKS[model]
        if exits.ends:
            lower, upper = (_inside(passages, steps) for passages in exits.ends[_SHOWN])
            ax.fill_between(steps, lower, upper, color=look.colour, alpha=0.3, lw=0)
        ax.plot(steps, _inside(exits.passages[_SHOWN], steps), color=look.colour, lw=1.3, label=look.label)
    ax.set(xscale="log", xlabel="steps of SGD", ylabel="share inside", ylim=(0.0, 1.02), xlim=(1, steps[-1]))
    agree = ", ".join(model for model in case.models if case.agrees(model)) or "none"
    ax.set_title(f"{_name(case)}\nagrees at all three barriers: {agree}", fontsize="small")


def _inside(passages: PassageTimes, steps: Array) -> Array:
    """The share of the paths that are inside after so many steps."""
    times = np.sort(np.where(passages.censored, np.inf, passages.times - 0.5))
    return 1.0 - np.searchsorted(times, steps) / passages.n_paths
