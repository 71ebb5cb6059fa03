"""The rate at which a fractional Ornstein-Uhlenbeck process leaves its well, from a table that was computed once."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array
from .extremes import pickands_constant
from .fou import fou_stationary_variance, fou_variance

BETWEEN = 0.01  # relative error of the interpolation, which nodes that the table leaves out have measured
EARLY = 0.02  # the same half-way between the first two times, where the memory of the start fades
AFTER = 2.0  # the exits of a run count from this time on, in units of 1 / curvature
GONE = 1e-3  # a run may go on where the table has ended if fewer paths are left
STEPS = 128  # of the integral over a run


class Tabulated(NamedTuple):
    """Values of a table and their relative standard errors, of one shape."""

    value: Array
    relative_error: Array


class ExitTable(NamedTuple):
    """The nodes: `log_ratio` is the logarithm of the hazard over `moving_pickands`, by side, time, H and barrier.

    Where there is no node `error` is NaN, and `log_ratio` is a guess that only bends the curves between other nodes.
    """

    hursts: Array
    barriers: Array
    times: Array
    log_ratio: Array
    error: Array


def log_pickands_rate(hurst: float, deviations: ArrayLike) -> Array:
    """Logarithm of Pickands' exit rate in units of the curvature, same shape as `deviations`.

    The rate is ``P_2H Gamma(2H+1)^(-1/2H) k^(1/H) Psi(k)`` for a barrier k > 0 in stationary standard deviations, where
    Psi is the upper tail of the normal law and P_2H Pickands' constant (Pickands 1969). It is a limit for high
    barriers, in continuous time, through one rim. Valid from H = 0.2 on; raises ValueError below, and for deviations
    that are not positive and finite.

    >>> log_pickands_rate(0.5, [3.0, 6.0]).round(4)
    array([ -4.4105, -17.1533])
    """
    h, k = checks.hurst_parameter(hurst), checks.reals("deviations", deviations)
    wrong = k[~((k > 0.0) & (k < math.inf))]
    if wrong.size:
        raise ValueError(f"deviations must be positive and finite, got {wrong.flat[0]:g}.")
    clock = (np.log(k) - math.lgamma(2.0 * h + 1.0) / 2.0) / h
    return np.asarray(clock + scipy.special.log_ndtr(-k) + np.log(pickands_constant(2.0 * h)))


def log_moving_pickands(hurst: float, deviations: float, times: ArrayLike) -> Array:
    """Logarithm of Pickands' rate with the variance at each time after a start at the minimum, same shape as `times`.

    `deviations` is the barrier in stationary standard deviations, and times are in units of 1 / curvature. Raises
    ValueError for times that are not positive, and for H < 0.2.

    >>> log_moving_pickands(0.5, 6.0, [2.0, 10.0]).round(4)
    array([-17.4794, -17.1533])
    """
    t = checks.reals("times", times)
    if not np.all(t > 0.0):
        raise ValueError(f"times must be positive, got {t[~(t > 0.0)].flat[0]:g}.")
    share = fou_variance(hurst, t) / fou_stationary_variance(hurst)
    return log_pickands_rate(hurst, deviations / np.sqrt(share))


@lru_cache(maxsize=1)
def exit_table() -> ExitTable:
    """The table that comes with the package, as ``benchmarks/fou_exit_table.py --publish`` has written it."""
    text = resources.files(__package__).joinpath("fou_exits.json").read_text(encoding="utf-8")
    found = json.loads(text)
    return ExitTable(*(np.array(found[name], dtype=float) for name in ExitTable._fields))


def _weights(nodes: Array, x: Array) -> Array:
    """The weights of linear interpolation between `nodes` at each x, (x.size, nodes.size)."""
    return np.stack([np.interp(x, nodes, row) for row in np.eye(nodes.size)], axis=-1)


def _log_ratio(hurst: float, deviations: float, sides: int, times: Array) -> Tabulated:
    """Logarithm of the hazard over `log_moving_pickands` at each time, and the error of it, (times.size,).

    The error is NaN where one of the nodes around is missing.
    """
    table = exit_table()
    along = scipy.interpolate.CubicSpline(table.barriers, table.log_ratio[sides - 1], axis=-1)(deviations)
    row = scipy.interpolate.CubicSpline(table.hursts, along, axis=-1)(hurst)
    clock, log_times = np.log(table.times), np.log(np.clip(times, table.times[0], table.times[-1]))
    here = np.multiply.outer(
        _weights(table.hursts, np.array([hurst]))[0], _weights(table.barriers, np.array([deviations]))[0]
    )
    weights = np.multiply.outer(_weights(clock, log_times), here)
    error = np.sum(np.where(weights > 1e-9, weights * table.error[sides - 1], 0.0), axis=(1, 2, 3))
    first = _weights(clock, log_times)[:, :2]
    between = np.hypot(BETWEEN, EARLY * 4.0 * first[:, 0] * first[:, 1])
    return Tabulated(scipy.interpolate.PchipInterpolator(clock, row)(log_times), np.hypot(error, between))


def settled(hurst: float, deviations: float) -> bool:
    """Whether the hazard no longer changes from a t = 10 on: at H = 1/2, for smaller H from 3.5 deviations on.

    For smaller H and lower barriers it goes on rising: at H = 0.4 and 3 deviations by 3 % until a t = 100.

    >>> settled(0.5, 2.0), settled(0.4, 3.0), settled(0.4, 4.0), settled(0.6, 8.0)
    (True, False, True, False)
    """
    return hurst == 0.5 or (hurst < 0.5 and deviations >= 3.5)


def _checked(
    hurst: float, barrier: float, curvature: float, sigma: float, sides: int
) -> tuple[float, float, float, int]:  # fmt: skip
    """H, the barrier in stationary standard deviations, the curvature, and the sides; ValueError outside the table."""
    h, a = checks.hurst_parameter(hurst), checks.positive("curvature", curvature)
    b, s = checks.positive("barrier", barrier), checks.positive("sigma", sigma)
    n_sides = checks.count("sides", sides)
    if n_sides > 2:
        raise ValueError(f"sides must be 1 or 2, got {n_sides}.")
    table = exit_table()
    _inside("hurst", h, table.hursts)
    root = math.sqrt(fou_stationary_variance(h))
    k = min(b / s * a**h / root, 1e100)
    where = f" for barrier = {b:g} and a stationary standard deviation of {s / a**h * root:.4g}"
    _inside("barrier / deviation", k, table.barriers, where)
    return h, k, a, n_sides


def _inside(name: str, value: float, nodes: Array, where: str = "") -> None:
    """ValueError unless the value lies between the first and the last node, up to rounding."""
    if not nodes[0] * (1.0 - 1e-9) <= value <= nodes[-1] * (1.0 + 1e-9):
        bounds = f"[{nodes[0]:g}, {nodes[-1]:g}]"
        raise ValueError(f"{name} must lie in {bounds}, got {value:.4g}{where}. The table ends there.")


def _hazard(hurst: float, deviations: float, sides: int, times: Array) -> Tabulated:
    """The hazard and its relative error at times in units of 1 / curvature, NaN where nodes are missing."""
    log_ratio, error = _log_ratio(hurst, deviations, sides, times)
    value = sides * np.exp(log_ratio + log_moving_pickands(hurst, deviations, times))
    return Tabulated(np.where(np.isnan(error), np.nan, value), error)


def fou_exit_hazard(
    hurst: float, barrier: float, times: ArrayLike, *, curvature: float = 1.0, sigma: float = 1.0, sides: int = 1
) -> Tabulated:
    """Exits per unit of time among the paths inside, for ``dX = -a X dt + sigma dB_H`` from X = 0, and the error of it.

    `barrier` is b > 0, `curvature` is a, and `sides` says whether paths leave at b alone or at b and -b. The value and
    its relative standard error have the shape of `times`. By scaling the hazard is ``a R(H, k, a t)`` with the barrier
    k in stationary standard deviations. R comes from a table of exact paths, conditioned to come near the barrier where
    exits are rare (``benchmarks/fou_exit_table.py``). Its logarithm over Pickands' rate with the variance at time t is
    interpolated in H, k and log t. The error holds that of the nodes and that of the interpolation.

    The table covers 0.3 <= H <= 0.9, 1 <= k <= 8 and 2 <= a t <= 100, and all later times where the hazard no longer
    changes (`settled`). Late times with a low barrier are missing: no paths are left there. Raises ValueError outside.

    >>> hazard = fou_exit_hazard(0.5, 6.0, [10.0, 1000.0], sigma=2**0.5)  # 3.5174e-08 by the eigenvalue
    >>> bool(abs(hazard.value / 3.5174e-8 - 1.0).max() < 0.02)
    True
    """
    h, k, a, n_sides = _checked(hurst, barrier, curvature, sigma, sides)
    t = checks.reals("times", times) * a
    first, last = exit_table().times[[0, -1]]
    late = math.inf if settled(h, k) else last * (1.0 + 1e-9)
    outside = t[~((t >= first * (1.0 - 1e-9)) & (t <= late))]
    if outside.size:
        raise ValueError(
            f"curvature * times must lie in [{first:g}, {late:g}] for H = {h:g} and {k:.4g} stationary standard "
            f"deviations, got {outside.flat[0]:.4g}. The table ends there."
        )
    found = _hazard(h, k, n_sides, t.ravel())
    missing = t.ravel()[np.isnan(found.value)]
    if missing.size:
        raise ValueError(_missing(h, k, n_sides, missing[0]))
    return Tabulated(a * found.value.reshape(t.shape), found.relative_error.reshape(t.shape))


def _missing(hurst: float, deviations: float, sides: int, time: float) -> str:
    """The message where a node is missing."""
    rims = "one side" if sides == 1 else "two sides"
    return (
        f"barrier must be higher, or the time earlier: for H = {hurst:g} and {rims} the table has no hazard at "
        f"{deviations:.4g} stationary standard deviations and a t = {time:.4g}."
    )


def fou_exit_rate(
    hurst: float, barrier: float, horizon: float, *, curvature: float = 1.0, sigma: float = 1.0, sides: int = 1
) -> Tabulated:
    """Exits after ``2 / a`` over the time that paths then spend inside until `horizon`, and the relative error of it.

    It is what ``exit_rate(after=2 / a)`` of passage times up to `horizon` estimates: the mean of `fou_exit_hazard`,
    whose arguments it takes, over the paths that are inside. The table must have the hazard up to the horizon, or until
    one path in a thousand is left. Raises ValueError elsewhere, and for a horizon that is not later than ``2 / a``.

    >>> rate = fou_exit_rate(0.5, 6.0, 100.0, sigma=2**0.5)
    >>> bool(abs(rate.value / 3.5174e-8 - 1.0) < 0.02)
    True
    """
    h, k, a, n_sides = _checked(hurst, barrier, curvature, sigma, sides)
    end = checks.positive("horizon", horizon) * a
    if not end > AFTER:
        raise ValueError(f"horizon must exceed {AFTER:g} / curvature, got {end:.4g} / curvature.")
    last = float(exit_table().times[-1])
    t = np.geomspace(AFTER, min(end, last), STEPS + 1)
    value, error = _hazard(h, k, n_sides, t)
    if settled(h, k) and end > last:
        t, value, error = np.append(t, min(end, 1e300)), np.append(value, value[-1]), np.append(error, error[-1])
    steps = (value[1:] + value[:-1]) / 2.0 * np.diff(t)
    inside = np.exp(-np.concatenate([[0.0], np.cumsum(steps)]))
    left = inside[:-1] * -np.expm1(-steps)
    known = int(np.sum(np.cumprod(~np.isnan(value))))
    if known == t.size and t[-1] < end and h > 0.5 and not inside[-1] < GONE:
        raise ValueError(
            f"horizon must be at most {last:g} / curvature for H = {h:g}, whose hazard goes on to change, got "
            f"{end:.4g} / curvature. The table ends there."
        )
    if (known < t.size or t[-1] < end) and not (known and inside[known - 1] < GONE):
        raise ValueError(_missing(h, k, n_sides, t[known] if known < t.size else end))
    left, steps = left[: known - 1], steps[: known - 1]
    rate = left.sum() / np.sum(left * np.diff(t[:known]) / steps)
    return Tabulated(np.asarray(a * rate), np.asarray(np.average(error[: known - 1], weights=left)))
