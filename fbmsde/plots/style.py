"""Axes and colours that all figures share."""

from __future__ import annotations

import io
import itertools
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Literal, NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator
from matplotlib.typing import ColorType

from ..core.types import Array

_SHORT, _LONG = 4.0, 1e3  # the end of a logarithmic axis over its beginning
_WIDE = 11.0  # inches from which a legend has four columns
_LAYOUT: Literal["constrained"] = "constrained"


class NotebookFigure(Figure):
    """A figure that a notebook shows where it is the value of a cell. pyplot knows nothing of it."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=self.dpi)
        return file.getvalue()


def _new_figure(**options: Any) -> Figure:
    """A figure for several panels."""
    return NotebookFigure(layout=_LAYOUT, **options)


def _new_axes() -> Axes:
    """Axes of a figure of their own.

    Whoever has imported pyplot goes on with ``plt.savefig`` and ``plt.show``, and a notebook shows what pyplot has made
    at the end of the cell and closes it. There, and where pyplot is interactive, pyplot therefore makes the figure.
    Elsewhere nobody would close it, and pyplot knows nothing of it.
    """
    if not {"matplotlib.pyplot", "ipykernel"}.isdisjoint(sys.modules) or matplotlib.is_interactive():
        axes: Axes = import_module("matplotlib.pyplot").figure(layout=_LAYOUT).add_subplot()
        return axes
    return _new_figure().add_subplot()


def _log_scale(ax: Axes) -> None:
    """Make the y axis logarithmic, with plain numbers where it is short and powers of ten where it is long."""
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    if high / low < _LONG:
        short = MaxNLocator(5, steps=(1.0, 2.0, 5.0, 10.0))
        ax.yaxis.set_major_locator(short if high / low < _SHORT else LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_minor_formatter(NullFormatter())


class _Style(NamedTuple):
    """How points are drawn; the colours of Okabe & Ito stay apart for every kind of colour vision."""

    colour: str
    marker: str


_RUN_STYLE = {"hurst": _Style("#0072B2", "o"), "null": _Style("#E69F00", "s"), "score": _Style("black", "D")}
_NOISE_STYLES = (
    _Style("black", "o"), _Style("#0072B2", "v"), _Style("#56B4E9", "^"), _Style("#009E73", "D"),
    _Style("#D55E00", "s"), _Style("#CC79A7", "P"), _Style("#E69F00", "X"), _Style("#999999", "*"),
)  # fmt: skip


def _noise_styles(names: Iterable[str]) -> dict[str, _Style]:
    """A style for each noise, in their order; after eight they come again."""
    return dict(zip(names, itertools.cycle(_NOISE_STYLES), strict=False))


def _band(ax: Axes, x: Array, low: Array, high: Array, colour: ColorType, step: Literal["post"] | None = None) -> None:
    """A band between two curves in the colour of the one that it belongs to."""
    ax.fill_between(x, low, high, color=colour, alpha=0.25, lw=0, step=step)


def shared_legend(figure: Figure, axes: Iterable[Axes], place: str) -> None:
    """One legend of several panels outside of them: each label once, and lines behind points."""
    known = {label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    for ax in axes:
        if ax.get_legend() is not None:
            ax.get_legend().remove()  # type: ignore[union-attr]
    labels = sorted(known, key=lambda label: isinstance(known[label], Line2D))
    if labels:
        columns = 4 if figure.get_figwidth() >= _WIDE or len(labels) <= 4 else 3
        figure.legend([known[label] for label in labels], labels, loc=place, ncols=columns, fontsize="small",
                      frameon=False)  # type: ignore[call-overload]  # fmt: skip


def _finish(ax: Axes) -> Axes:
    """The Axes, with a legend if something on them has a name."""
    if ax.get_legend_handles_labels()[1]:
        ax.legend(fontsize="small", frameon=False)
    return ax
