"""Figures of paths: themselves, and their mean squared displacement."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array
from ..results.displacement import Displacement
from .style import _band, _finish, _new_axes

_ENOUGH = 40  # paths from which a band holds 95 % of them
_SHARES = (0.025, 0.975)


def plot_paths(times: Array, values: Array, ax: Axes | None = None, *, n_paths: int = 10) -> Axes:
    """Draw the first of some paths (n_paths, n_times) against time, over the band that holds 95 % of all of them."""
    ax = ax or _new_axes()
    whole = values[~np.isnan(values).any(axis=1)]
    if len(whole) >= _ENOUGH:
        low, high = np.quantile(whole, _SHARES, axis=0)
        ax.fill_between(times, low, high, color="grey", alpha=0.25, lw=0, label=f"95 % of {len(whole)} paths")
    for path in values[: checks.count("n_paths", n_paths)]:
        ax.plot(times, path, lw=0.8)
    ax.set(xlabel="time (units of the equation)", ylabel="state", xlim=(times[0], times[-1]))
    return _finish(ax)


def plot_displacement(
    displacement: Displacement,
    ax: Axes | None = None,
    *,
    theory: Callable[[Array], ArrayLike] | None = None,
    label: str | None = None,
) -> Axes:
    """Draw the mean squared displacement against the lag, a line with its 95 % band for each age."""
    ax = ax or _new_axes()
    low, high = displacement.confidence_interval()
    for i, age in enumerate(displacement.ages):
        known = displacement.values[i] > 0.0
        told = f"from time {age:g}" if displacement.ages.size > 1 else None
        name = ", ".join(part for part in (label, told) if part) or None
        line = ax.plot(displacement.lags[known], displacement.values[i, known], "o-", ms=3, lw=1.0, label=name)[0]
        _band(ax, displacement.lags[known], low[i, known], high[i, known], line.get_color())
    if theory is not None:
        ax.plot(displacement.lags, np.asarray(theory(displacement.lags)), "--", color="black", lw=1.2, label="theory")
    ax.set(xscale="log", yscale="log", xlabel="lag (units of the equation)", ylabel="mean squared displacement")
    return _finish(ax)
