"""Figures of gradient noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FormatStrFormatter, NullLocator

from ..core.types import Array
from ..results.estimates import Estimate
from ..results.gradient_runs import GradientRuns, Memory, Run
from .style import _RUN_STYLE, _new_figure


def plot_sgd_group(study: GradientRuns, group: str) -> Figure:
    """Draw one group of runs as a figure of three rows, with a column for each way of taking the noise.

    The rows are Whittle's H and the published rescaled range, both beside what copies without memory give, and the
    scores of the networks.
    """
    runs = study.group(group)
    ways, published = list(runs[0].result.noise), _published(runs[0])
    figure = _new_figure(figsize=(3.3 * len(ways), 8.4))
    axes = figure.subplots(3, len(ways), squeeze=False)
    for row, method in enumerate(("whittle", published)):
        for ax, way in zip(axes[row], ways, strict=True):
            _plot_memory([run.result.noise[way].memory[method] for run in runs], method, ax)
            ax.set_title(way if row == 0 else "")
            ax.set_ylim(_LOOKS[method].limits)
            _name_runs(ax, [run.name for run in runs])
        axes[row, 0].set_ylabel(_LOOKS[method].title)
        if row == 1:
            for ax in axes[row]:
                ax.axhline(_white(study, published), color="black", ls=":", lw=1.0, label="Gaussian white noise")
        axes[row, 0].legend(fontsize="x-small", frameon=False, loc="upper left" if row == 0 else "upper right")
    _plot_scores(runs, list(axes[2]))
    figure.suptitle(f"Gradient noise by {group}" if published == "rs_noise_as_path" else f"Gradient noise, {group}")
    return figure


class _Look(NamedTuple):
    """Name of an estimator on an axis, and the range of the axis."""

    title: str
    limits: tuple[float, float]


_LOOKS = {
    "whittle": _Look("H by Whittle", (0.2, 0.8)),
    "rs_noise_as_path": _Look("published simplified R/S", (0.1, 0.55)),
    "rs_windows_50_500": _Look("R/S in windows of 50 to 445", (0.1, 0.8)),
}


def _published(run: Run) -> str:
    """The estimator of the publication whose protocol was followed."""
    (noise, *_) = run.result.noise.values()
    return next(method for method in noise.memory if method != "whittle")


def _white(study: GradientRuns, method: str) -> float:
    """What an estimator returns for Gaussian white noise."""
    white = study.references["Gaussian white noise"].memory
    return white[method].hurst.value if method in white else study.nulls["Gaussian, independent"].mean


def _plot_memory(found: Sequence[Memory], method: str, ax: Axes) -> None:
    """Estimates of one way of taking the noise beside what copies without memory give."""
    places = np.arange(len(found), dtype=float)
    hurst, null = [memory.hurst for memory in found], [memory.null for memory in found]
    if method == "whittle":
        _plot_estimates(ax, places - 0.1, hurst, "hurst", "steps in order, 95 % interval")
        _plot_estimates(ax, places + 0.1, null, "null", "signs of steps flipped, 95 % range")
        ax.axhline(0.5, color="black", ls=":", lw=1.0, label="no memory")
    else:  # the interval of H would be one of fGn, which this estimator does not read
        _plot_estimates(ax, places - 0.1, hurst, "hurst", "steps in order", bars=False)
        _plot_estimates(ax, places + 0.1, null, "null", "steps shuffled, 95 % range")


def _plot_estimates(
    ax: Axes, places: Array, estimates: Sequence[Estimate], style: str, label: str, *, bars: bool = True
) -> None:
    """Values, with their intervals as error bars if wished; an interval that leaves its value out is cut there."""
    colour, marker = _RUN_STYLE[style]
    value, low, high = np.array(estimates).T
    sizes = np.maximum([value - low, high - value], 0.0) if bars else None
    ax.errorbar(places, value, sizes, fmt=marker, color=colour, ms=5, capsize=2, label=label)


def _plot_scores(runs: Sequence[Run], axes: Sequence[Axes]) -> None:
    """Test accuracy, sharpness, and the tail index and size of the frozen noise."""
    colour, marker = _RUN_STYLE["score"]
    frozen = [run.result.noise["frozen, fresh batches"] for run in runs]
    scores = {
        "test accuracy": [run.result.accuracy for run in runs],
        "largest Hessian eigenvalue": [run.result.sharpness for run in runs],
        "tail index (Hill)": [noise.tail_index for noise in frozen],
        "noise std per coordinate": [noise.std for noise in frozen],
    }
    for ax, (title, values) in zip(axes, scores.items(), strict=True):
        ax.plot(range(len(runs)), values, color=colour, marker=marker, ls="none", ms=5)
        ax.set_title(title, fontsize="medium")
        ax.set_ylim(0.0, 1.15 * max(values))
        _name_runs(ax, [run.name for run in runs])


def _name_runs(ax: Axes, names: Sequence[str]) -> None:
    """Names of the runs below the axis, slanted when they are long."""
    if max(map(len, names), default=0) > 5:
        ax.set_xticks(range(len(names)), names, fontsize="small", rotation=40, ha="right")
    else:
        ax.set_xticks(range(len(names)), names, fontsize="small")
    ax.set_xlim(-0.5, len(names) - 0.5)


_EPOCHS = ("frozen, epochs", "training, epochs")
_SHOWN = 4  # runs whose autocorrelation is drawn
_LAW_COLOUR = {"fgn": "#E69F00", "epoch": "#0072B2"}


def plot_sgd_laws(study: GradientRuns) -> Figure:
    """Draw how well fractional Gaussian noise and the law of epochs describe the noise of shuffled epochs.

    The rows above show, for frozen weights and in training, the gain of each law in log density over white noise, in
    units of the gain that the law of epochs promises. The row below shows the autocorrelation of the frozen noise of
    the runs of the first group.
    """
    figure = _new_figure(figsize=(13.5, 11.0))
    grid = figure.add_gridspec(3, _SHOWN)
    for row, way in enumerate(_EPOCHS):
        _plot_gains(study, way, figure.add_subplot(grid[row, :]))
    for column, run in enumerate(study.group(study.runs[0].group)[:_SHOWN]):
        _plot_autocorrelation(run, figure.add_subplot(grid[2, column]))
    return figure


def _plot_gains(study: GradientRuns, way: str, ax: Axes) -> None:
    """Gain of both laws over white noise in every run, over the gain that the law of epochs promises."""
    found = [(run, laws) for run in study.runs if (laws := run.result.noise[way].laws)]
    looks = (("fgn", "fGn with the H by Whittle"), ("epoch", "law of epochs, no parameter fitted"))
    for shift, (name, label) in zip((-0.12, 0.12), looks, strict=True):
        gains = np.array([[x / laws.expected for x in getattr(laws, name)] for _, laws in found]).reshape(-1, 3)
        value, low, high = gains.T
        ax.errorbar(np.arange(len(found)) + shift, value, [value - low, high - value], label=label, ms=5, capsize=2,
                    fmt=_RUN_STYLE["null" if name == "fgn" else "hurst"].marker, color=_LAW_COLOUR[name])  # fmt: skip
    ax.axhline(1.0, color="black", ls=":", lw=1.0, label="what the law of epochs promises")
    ax.axhline(0.0, color="black", lw=0.6)
    ax.set_yscale("symlog", linthresh=2.0)
    ax.yaxis.set_major_locator(FixedLocator([-100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    ax.set(ylabel="gain over white noise,\nshare of what is promised", title=f"{way}: log density of each step")
    _name_runs(ax, [f"{run.group}: {run.name}" for run, _ in found])
    ax.legend(fontsize="small", frameon=False, loc="upper right", ncols=3)


def _plot_autocorrelation(run: Run, ax: Axes) -> None:
    """The measured autocorrelation of frozen noise and that of both laws."""
    laws = run.result.noise[_EPOCHS[0]].laws
    if laws is not None:
        measured, fgn, epoch = laws.autocorrelation
        lags = range(1, 1 + len(measured))
        ax.plot(lags, measured, "o", color="black", ms=3, label="measured")
        ax.plot(lags, fgn, color=_LAW_COLOUR["fgn"], label=f"fGn, H = {laws.hurst:.2f}")
        ax.plot(lags, epoch, color=_LAW_COLOUR["epoch"], label=f"{laws.n_batches} batches an epoch")
        ax.legend(fontsize="x-small", frameon=False, loc="lower right")
    ax.axhline(0.0, color="black", lw=0.6)
    ax.set(xlabel="lag (steps)", ylabel="autocorrelation", title=f"{run.group}: {run.name}, {_EPOCHS[0]}")
    ax.title.set_fontsize("medium")
