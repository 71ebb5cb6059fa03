"""Axes and colours that all figures share."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

_SHORT, _LONG = 4.0, 1e3  # the end of a logarithmic axis over its beginning


def _new_axes() -> Axes:
    """Axes of a figure of their own."""
    return Figure(layout="constrained").add_subplot()


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
