"""One picture per result; every function takes the result and returns what matplotlib drew."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from ._study import Row, StudyData
from .theory import FORMULAS

if TYPE_CHECKING:
    from .hurst import RollingHurst
    from .sgd_escape import EscapeCase, SgdEscape
    from .sgd_study import Run, SgdStudy
    from .survival import PassageTimes

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


def _new_axes() -> Axes:
    """Axes of a figure of their own."""
    return Figure(layout="constrained").add_subplot()


_RUN_STYLE: dict[str, tuple[str, str]] = {"hurst": ("#0072B2", "o"), "null": ("#E69F00", "s"), "score": ("black", "D")}
_SAMPLING_NAME = {"with_replacement": "fresh batches", "epochs": "shuffled epochs"}


def plot_rolling_hurst(rolling: RollingHurst, ax: Axes | None = None) -> Axes:
    """Hurst estimate of each window with its 95 % interval as a band, and the line of no memory."""
    ax = ax or _new_axes()
    low, high = rolling.estimate.confidence_interval()
    colour = _RUN_STYLE["hurst"][0]
    ax.fill_between(rolling.centres, low, high, color=colour, alpha=0.25, lw=0, label="95 % interval of a window")
    ax.plot(rolling.centres, rolling.estimate.hurst, color=colour, lw=1.5, label=f"windows of {rolling.window}")
    ax.axhline(0.5, color="black", ls=":", lw=1.0, label="no memory")
    ax.set(xlabel="centre of the window (increments)", ylabel="Hurst parameter H", ylim=(0.0, 1.0))
    ax.legend(fontsize="small", frameon=False)
    return ax


def plot_sgd_group(study: SgdStudy, group: str) -> Figure:
    """One group of runs: both estimators with their nulls for each way of taking the noise, and the scores."""
    runs = study.group(group)
    ways = list(runs[0].result["noise"])
    figure = Figure(figsize=(3.3 * len(ways), 8.4), layout="constrained")
    axes = figure.subplots(3, len(ways), squeeze=False)
    titles = {"whittle": "H by Whittle", "rs_noise_as_path": "published simplified R/S"}
    for row, (method, title) in enumerate(titles.items()):
        for ax, way in zip(axes[row], ways, strict=True):
            _plot_memory([run.result["noise"][way][method] for run in runs], method, ax)
            ax.set_title(way if row == 0 else "")
            ax.set_ylim((0.2, 0.8) if row == 0 else (0.1, 0.55))
            _name_runs(ax, [run.name for run in runs])
        axes[row, 0].set_ylabel(title)
        if row == 1:
            white = study.references["Gaussian white noise"][method]["hurst"]
            for ax in axes[row]:
                ax.axhline(white, color="black", ls=":", lw=1.0, label="Gaussian white noise")
        axes[row, 0].legend(fontsize="x-small", frameon=False, loc="upper left" if row == 0 else "upper right")
    _plot_scores(runs, list(axes[2]))
    figure.suptitle(f"Gradient noise by {group}")
    return figure


def _plot_memory(found: list[dict[str, float]], method: str, ax: Axes) -> None:
    """Estimates of one way of taking the noise beside what copies without memory give."""
    places = np.arange(len(found), dtype=float)
    copies = "signs of steps flipped" if method == "whittle" else "steps shuffled"
    for name, shift in (("hurst", -0.1), ("null", 0.1)):
        colour, marker = _RUN_STYLE[name]
        values = np.array([f[name] for f in found])
        ends = ("low", "high") if name == "hurst" else ("null_low", "null_high")
        errors = np.array([[f[name] - f[ends[0]], f[ends[1]] - f[name]] for f in found]).T
        bare = name == "hurst" and method != "whittle"  # its interval would be one of fGn, which this does not estimate
        label = "steps in order" if name == "hurst" else f"{copies}, 95 % range"
        ax.errorbar(places + shift, values, None if bare else np.maximum(errors, 0.0), fmt=marker, color=colour, ms=5,
                    capsize=2, label=label + (", 95 % interval" if name == "hurst" and not bare else ""))  # fmt: skip
    if method == "whittle":
        ax.axhline(0.5, color="black", ls=":", lw=1.0, label="no memory")


def _plot_scores(runs: list[Run], axes: list[Axes]) -> None:
    """Test accuracy, sharpness, and the tail index and size of the frozen noise."""
    colour, marker = _RUN_STYLE["score"]
    frozen = [run.result["noise"]["frozen, fresh batches"] for run in runs]
    scores = {
        "test accuracy": [run.result["accuracy"] for run in runs],
        "largest Hessian eigenvalue": [run.result["sharpness"] for run in runs],
        "tail index (Hill)": [f["tail_index"] for f in frozen],
        "noise std per coordinate": [f["std"] for f in frozen],
    }
    for ax, (title, values) in zip(axes, scores.items(), strict=True):
        ax.plot(range(len(runs)), values, color=colour, marker=marker, ls="none", ms=5)
        ax.set_title(title, fontsize="medium")
        ax.set_ylim(0.0, 1.15 * max(values))
        _name_runs(ax, [run.name for run in runs])


def _name_runs(ax: Axes, names: list[str]) -> None:
    """Names of the runs below the axis, slanted when they are long."""
    long = max(map(len, names)) > 5
    slant: dict[str, Any] = {"rotation": 40, "ha": "right"} if long else {}
    ax.set_xticks(range(len(names)), names, fontsize="small", **slant)
    ax.set_xlim(-0.5, len(names) - 0.5)


def plot_sgd_escape(found: SgdEscape) -> Figure:
    """Loss and parabola, survival of SGD beside the model in every case with its verdict, and ratios of exit times."""
    figure = Figure(figsize=(13.5, 7.8), layout="constrained")
    axes = figure.subplots(2, 3)
    _plot_basin(found, axes[0, 0])
    _plot_exit_ratios(found, axes[1, 0])
    for ax, case in zip((*axes[0, 1:], *axes[1, 1:]), found.cases, strict=True):
        _plot_case(case, ax)
    axes[0, 1].legend(fontsize="x-small", frameon=False, loc="lower left")
    return figure


def _plot_basin(found: SgdEscape, ax: Axes) -> None:
    """Loss along the sharpest direction and the fitted parabola."""
    basin = found.basin
    parabola = np.polynomial.Polynomial.fit(basin.offsets, basin.losses, 2)
    ax.plot(basin.offsets, basin.losses, color="#0072B2", lw=3, label="loss of the network")
    label = f"parabola, curvature {basin.curvature:.3g}"
    ax.plot(basin.offsets, parabola(basin.offsets), "--", color="#D55E00", label=label)
    ax.set(xlabel="distance along the sharpest direction", ylabel="loss with weight decay")
    ax.set_title(f"basin: largest misfit {100 * basin.misfit:.1f} % of the rise")
    ax.legend(fontsize="small", frameon=False)


def _plot_case(case: EscapeCase, ax: Axes) -> None:
    """Survival of SGD and of the model at every barrier, in steps of SGD; bands: the interval of the measured H."""
    n_steps = round(case.sgd[0].horizon / case.learning_rate)
    grid = np.arange(1, n_steps + 1)

    def inside(passages: PassageTimes) -> NDArray[np.float64]:
        steps = np.sort(np.where(passages.censored, np.inf, passages.times / case.learning_rate - 0.5))
        return 1.0 - np.searchsorted(steps, grid) / passages.n_paths

    for place, colour in enumerate(("#56B4E9", "#009E73", "#CC79A7")):
        lower, upper = map(inside, case.model_ends[place])
        ax.fill_between(grid, lower, upper, color=colour, alpha=0.3, lw=0)
        ax.plot(grid, inside(case.model[place]), "--", color=colour, lw=1.2)
        ax.step(grid, inside(case.sgd[place]), where="post", color=colour, lw=2.2,
                label=f"SGD, barrier {case.levels[place]:g} s.d.")  # fmt: skip
    ax.plot([], [], "--", color="black", lw=1.2, label="model; band: interval of H")
    ax.set(xscale="log", xlabel="steps of SGD", ylabel="share inside", ylim=(0.0, 1.02), xlim=(1, n_steps))
    name = f"{_SAMPLING_NAME[case.sampling]}, rate x curvature = {case.drift:g}, H = {case.hurst:.2f}"
    ax.set_title(f"{name}\n{case.verdict}", fontsize="small", color="#D55E00" if "FAILS" in case.verdict else "black")


def _plot_exit_ratios(found: SgdEscape, ax: Axes) -> None:
    """Mean exit time of SGD over that of the model, with the measured H and with H = 1/2, at every barrier."""
    n = len(found.cases[0].barriers)
    names = [f"{_SAMPLING_NAME[case.sampling]}\n{case.drift:g}" for case in found.cases]
    for memoryless, (colour, marker, label) in enumerate(
        (("#0072B2", "o", "model with measured H"), ("#E69F00", "s", "model with H = 1/2"))
    ):
        values = np.array([case.ratio(k, memoryless=bool(memoryless)) for case in found.cases for k in range(n)])
        places = np.repeat(np.arange(len(found.cases)), n) + np.tile(np.linspace(-0.25, 0.25, n), len(found.cases))
        errors = np.array([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]])
        look: dict[str, Any] = {"fmt": marker, "color": colour, "capsize": 2, "ms": 5}
        ax.errorbar(places + 0.07 * memoryless, values[:, 0], errors, label=label, **look)
    ax.axhline(1.0, color="black", ls=":", lw=1.0)
    ax.set_xticks(range(len(names)), names, fontsize="small")
    ax.set(yscale="log", ylabel="exit time, SGD / model", xlabel="sampling, rate x curvature")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_title(f"barriers at {', '.join(f'{k:g}' for k in found.cases[0].levels)} s.d., left to right")
    ax.legend(fontsize="small", frameon=False)
