"""Figures of growth: time on the left, memory on the right, peers dashed, exponents in the legend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .growth import AXES
from .records import CurveFound

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe & Ito


def draw(curves: Sequence[CurveFound], folder: Path) -> list[Path]:
    """A PNG file for each axis."""
    axes = dict.fromkeys(curve.axis for curve in curves)
    return [_draw(axis, [curve for curve in curves if curve.axis == axis], folder) for axis in axes]


def _draw(axis: str, curves: Sequence[CurveFound], folder: Path) -> Path:
    """The figure of an axis."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    time, memory = figure.subplots(1, 2)
    _panel(time, axis, curves, AXES[axis].value, lambda c: (c.seconds, c.exponent))
    _panel(memory, axis, curves, "largest memory of a call (MB)", lambda c: (c.megabytes, c.memory_exponent))
    figure.suptitle(AXES[axis].title)
    path = folder / f"growth_{axis}.png"
    figure.savefig(path, dpi=90)
    return path


def _panel(
    axes: Axes, axis: str, curves: Sequence[CurveFound], label: str,
    values: Callable[[CurveFound], tuple[Sequence[float], float | None]],
) -> None:  # fmt: skip
    """One panel."""
    for i, curve in enumerate(curves):
        colour, line = COLOURS[i % len(COLOURS)], "s--" if curve.peer else "o-" if i < len(COLOURS) else "v-."
        found, exponent = values(curve)
        if not found:
            continue
        text = curve.name if exponent is None else f"{curve.name}: {exponent:.2f}"
        axes.plot(curve.places, found, line, color=colour, markersize=4, label=text)
    axes.set(xscale="log", yscale="log", xlabel=AXES[axis].place, ylabel=label)
    if axis in ("threads", "k", "H", "1-H"):
        _plain_ticks(axes, sorted({place for curve in curves for place in curve.places}))
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, fontsize="small", frameon=False,
                    title="exponents", title_fontsize="small")  # fmt: skip


def _plain_ticks(axes: Axes, places: Sequence[float]) -> None:
    """Ticks at the places themselves."""
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.set_xticks([], minor=True)
