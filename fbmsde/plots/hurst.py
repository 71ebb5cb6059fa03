"""Figures of Hurst estimates."""

from __future__ import annotations

from matplotlib.axes import Axes

from ..hurst.rolling import RollingHurst
from .style import _RUN_STYLE, _new_axes


def plot_rolling_hurst(rolling: RollingHurst, ax: Axes | None = None) -> Axes:
    """Draw the Hurst estimate of each window with its 95 % interval as a band, and the line of no memory.

    The Axes come back; `ax` is the one to draw on, None for a figure of its own.
    """
    ax = ax or _new_axes()
    low, high = rolling.estimate.confidence_interval()
    colour = _RUN_STYLE["hurst"].colour
    ax.fill_between(rolling.centres, low, high, color=colour, alpha=0.25, lw=0, label="95 % interval of a window")
    ax.plot(rolling.centres, rolling.estimate.hurst, color=colour, lw=1.5, label=f"windows of {rolling.window}")
    ax.axhline(0.5, color="black", ls=":", lw=1.0, label="no memory")
    ax.set(xlabel="centre of the window (increments)", ylabel="Hurst parameter H", ylim=(0.0, 1.0))
    ax.legend(fontsize="small", frameon=False)
    return ax
