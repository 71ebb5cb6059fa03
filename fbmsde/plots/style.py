"""Axes and colours that all figures share."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def _new_axes() -> Axes:
    """Axes of a figure of their own."""
    return Figure(layout="constrained").add_subplot()


class _Style(NamedTuple):
    """How points are drawn; the colours of Okabe & Ito stay apart for every kind of colour vision."""

    colour: str
    marker: str


_RUN_STYLE = {"hurst": _Style("#0072B2", "o"), "null": _Style("#E69F00", "s"), "score": _Style("black", "D")}
