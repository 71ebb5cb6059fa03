"""The time for which paths are at risk, and the exit rates that follow from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array
from .estimates import _ROUNDING, Hazard, NoEstimateError, Rate, _as_rate


def whole_steps(times: Array, dt: float) -> Array:
    """The last multiples of dt that are not later than `times`; times that are multiples up to rounding stay.

    >>> whole_steps(np.array([0.25, 0.3]), 0.1).round(9).tolist()
    [0.2, 0.3]
    """
    whole = np.rint(times / dt)
    close = np.abs(times - whole * dt) <= _ROUNDING * dt
    return np.where(close, times, np.floor(times / dt) * dt)


def edges_of(edges: ArrayLike) -> Array:
    """The ends of windows as an array (n + 1,); ValueError unless they are increasing, finite and at least 0."""
    e = checks.array("edges", edges)
    if e.ndim != 1 or e.size < 2 or not np.all(np.diff(e) > 0):
        raise ValueError(f"edges must be increasing and at least two, got {edges!r}.")
    if e[0] < 0.0 or e[-1] == np.inf:
        raise ValueError(f"edges must be finite and at least 0, got {e[0]:g} to {e[-1]:g}.")
    return e


def windows_of(number: int, left: Array, dt: float) -> Array:
    """The ends of at most so many windows of equal length over the exit times, a multiple of dt, (n + 1,).

    >>> windows_of(2, np.array([1.0, 5.0]), 1.0).tolist()
    [0.0, 3.0, 6.0]
    """
    first = np.floor(left.min() / dt * (1.0 - 1e-9))
    steps = np.ceil(left.max() / dt * (1.0 - 1e-9)) - first
    width = max(1.0, np.ceil(steps / checks.count("edges", number)))
    return np.asarray(dt * (first + width * np.arange(max(1.0, np.ceil(steps / width)) + 1.0)))


def rate_after(after: float, left: Array, seen: Array, dt: float) -> Rate:
    """The exit rate from the first step that is not before `after` on.

    `left` are the exit times and `seen` (n_paths,) the times for which paths were at risk, in whole steps. Raises
    NoEstimateError if no path left after it, or if all paths then at risk left in one step.
    """
    begin = -float(whole_steps(np.array(-after), dt))
    events = int(np.count_nonzero(left > begin * (1.0 + 1e-12)))
    exposure = float(np.sum(np.maximum(seen - begin, 0.0)))
    if events == 0:
        raise NoEstimateError(f"no path left after {begin:g}, so the tail has no rate. Take an earlier `after`.")
    if exposure < events * dt * (1.0 + _ROUNDING):
        raise NoEstimateError(
            f"every path inside at {begin:g} left in the next step of {dt:g}, so the rate is not resolved. "
            "Take an earlier `after` or a smaller dt."
        )
    return Rate(float(_as_rate(events * dt / exposure, dt)), events, exposure, begin, dt)


def hazard_between(edges: Array, left: Array, seen: Array, dt: float) -> Hazard:
    """Exit rates in the windows between `edges` (n + 1,), from the same exit times and times at risk."""
    steps, ends = whole_steps(edges, dt), np.sort(left)
    events = np.diff(np.searchsorted(ends, steps * (1.0 + 1e-12), side="right")).astype(np.int64)
    ordered = np.sort(seen)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    index = np.searchsorted(ordered, steps, side="right")
    exposure = np.diff(sums[index] + steps * (ordered.size - index))  # sum over paths of min(T, edge)
    at_risk = exposure > 0.5 * dt  # the sums round
    per_step = np.where(at_risk, np.minimum(events * dt / np.where(at_risk, exposure, 1.0), 1.0), np.nan)
    return Hazard(edges, _as_rate(per_step, dt), events, np.where(at_risk, exposure, 0.0), dt)
