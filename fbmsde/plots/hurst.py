"""Figures of Hurst estimates."""

from __future__ import annotations

from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..hurst.result import HurstEstimate
from ..hurst.rolling import RollingHurst
from .style import _RUN_STYLE, _new_axes

_SHARES = (0.025, 0.975)
_ONE_ROW = 1.8  # inches, of a figure of one series


def plot_hurst(estimate: HurstEstimate, ax: Axes | None = None) -> Axes:
    """Draw the estimate of each series with its 95 % interval, one row a series from top to bottom; the Axes come back.

    A single series has a row without a number, in a figure that is low.

    Where copies without memory were asked for, the range that holds 95 % of those of each series is shaded.
    """
    hurst, rows = np.atleast_1d(estimate.hurst), np.arange(np.size(estimate.hurst))
    if ax is None:
        ax = _new_axes()
        if rows.size == 1:
            cast(Figure, ax.figure).set_figheight(_ONE_ROW)
    low, high = (np.atleast_1d(end) for end in estimate.confidence_interval())
    null = np.atleast_2d(estimate.null)
    if null.size:
        ends = np.nanquantile(null, _SHARES, axis=1)
        ax.barh(rows, ends[1] - ends[0], height=0.3, left=ends[0], color=_RUN_STYLE["null"].colour, alpha=0.4,
                label="95 % of copies without memory")  # fmt: skip
    ax.use_sticky_edges = False
    look = _RUN_STYLE["hurst"]
    ax.errorbar(hurst, rows, xerr=[hurst - low, high - hurst], fmt=look.marker, ms=4, color=look.colour, capsize=2,
                label="estimate with its 95 % interval")  # fmt: skip
    ax.axvline(0.5, color="black", ls=":", lw=1.0, label="no memory")
    ax.set(xlabel="Hurst parameter H", ylim=(rows.size - 0.4, -0.6))
    if rows.size > 1:
        ax.set_ylabel("series")
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        ax.set_yticks([])
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize="small", frameon=False)
    return ax


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
