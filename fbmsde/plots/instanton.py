"""Figures of the most likely escape over paths that did escape."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ..core.types import Array
from ..results.instanton import MostLikelyEscape
from .style import _RUN_STYLE, _new_axes

_DRAWN = 4  # paths that are drawn one by one
_SHARES = (0.025, 0.975)


def plot_most_likely_escape(
    escape: MostLikelyEscape, paths: Array | None = None, ax: Axes | None = None, *, coordinate: int = 0
) -> Axes:
    """The most likely escape against the time before the end, over paths that escaped.

    `paths` (n_paths, m + 1) are values of the coordinate, one column a step of `escape`, with the exit in the last
    one, such as those of `fbmsde.rare.exit_paths.exit_paths`. They are drawn as a band that holds 95 % of them at each
    time, their median and some of them.
    """
    ax = ax or _new_axes()
    times, look = escape.times - escape.horizon, _RUN_STYLE["null"]
    if paths is not None:
        before = (np.arange(paths.shape[1]) - paths.shape[1] + 1) * (escape.times[1] - escape.times[0])
        low, high = np.quantile(paths, _SHARES, axis=0)
        ax.fill_between(before, low, high, color=look.colour, alpha=0.25, lw=0, label="95 % of the paths that escaped")
        ax.plot(before, paths[:_DRAWN].T, color=look.colour, lw=0.6, alpha=0.8)
        ax.plot(before, np.median(paths, axis=0), color=look.colour, lw=1.5, ls="--", label="their median")
        times = times[-paths.shape[1] :]
    line = escape.path[-times.size :, coordinate]
    ax.plot(times, line, color=_RUN_STYLE["hurst"].colour, lw=2.0, label="most likely escape")
    if np.isfinite(escape.target[coordinate]):
        ax.axhline(escape.target[coordinate], color="grey", lw=0.8, zorder=1)
    ax.set(xlim=(times[0], 0.0), xlabel="time before the exit", ylabel="position", title=escape.landscape)
    return ax
