"""Axes and colours that all figures share."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def _new_axes() -> Axes:
    """Axes of a figure of their own."""
    return Figure(layout="constrained").add_subplot()


_RUN_STYLE: dict[str, tuple[str, str]] = {"hurst": ("#0072B2", "o"), "null": ("#E69F00", "s"), "score": ("black", "D")}
