"""Hurst estimators for one series with gaps. They use the known values at their times and fill nothing in."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from ..core.types import Array
from ..laws.fgn import fgn_autocovariance
from .scaling import VARIATION_SCALES, log_above_rounding, slopes
from .spectral import GRID
from .standard_errors import restricted_information

_STEP = 5e-4  # step of the numerical derivatives in H
_SECOND = (1.0, -2.0, 1.0)


class GapFit(NamedTuple):
    """The estimate for one series with gaps.

    hurst, sigma : the Hurst value, and the standard deviation of a unit step.
    error : the standard error of the Hurst value.
    """

    hurst: float
    sigma: float
    error: float


class _Restricted(NamedTuple):
    """Deviance per degree of freedom with drift and scale profiled out, and the estimate of sigma^2."""

    deviance: float
    variance: float


class _Known(NamedTuple):
    """Increments between known values (n,), what a unit of drift adds to each (n,), and ``covariance(hurst)`` (n, n).

    The covariance is that for sigma = 1.
    """

    increments: Array
    drift: Array
    covariance: Callable[[float], Array]


def exact(values: Array, kind: str) -> GapFit:
    """The estimate of the Gaussian likelihood of fGn at the known times, restricted for the unknown mean.

    `values` (length,) hold NaN in the gaps. The cost is O(n^3) for n known values.

    >>> values = np.random.default_rng(0).standard_normal(100)
    >>> values[20:40] = np.nan
    >>> fit = exact(values, "increments")
    >>> abs(fit.hurst - 0.5) < 3.0 * fit.error
    True
    """
    known = _known_path(values) if kind == "path" else _known_increments(values)
    bounds = (math.sqrt(GRID[0]), math.sqrt(GRID[-1]))

    def deviance(root: float) -> float:
        return _restricted(known, root**2).deviance

    found = scipy.optimize.minimize_scalar(deviance, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    hurst = float(found.x) ** 2
    inside = min(max(hurst, GRID[0] + _STEP), GRID[-1] - _STEP)
    slope = (known.covariance(inside + _STEP) - known.covariance(inside - _STEP)) / (2.0 * _STEP)
    error = restricted_information(known.covariance(inside), slope, known.drift) ** -0.5
    return GapFit(hurst, math.sqrt(_restricted(known, hurst).variance), error)


def _known_increments(values: Array) -> _Known:
    """The known increments at their times."""
    times = np.flatnonzero(np.isfinite(values))
    lags = np.abs(times[:, None] - times)
    return _Known(
        values[times], np.ones(times.size), lambda hurst: fgn_autocovariance(hurst, np.arange(values.size))[lags]
    )


def _known_path(values: Array) -> _Known:
    """The increments from each known point of a path to the next one, which may span several steps."""
    times = np.flatnonzero(np.isfinite(values))
    lags = np.abs(times[:, None] - times)

    def covariance(hurst: float) -> Array:
        power = (np.arange(values.size, dtype=float) ** (2.0 * hurst))[lags]
        return (power[1:, :-1] + power[:-1, 1:] - power[1:, 1:] - power[:-1, :-1]) / 2.0

    return _Known(np.diff(values[times]), np.diff(times).astype(float), covariance)


def _restricted(known: _Known, hurst: float) -> _Restricted:
    """The restricted likelihood at one Hurst value."""
    factor = scipy.linalg.cho_factor(known.covariance(hurst))
    centred = known.increments - known.drift * (known.increments.sum() / known.drift.sum())
    both = np.column_stack([centred, known.drift])
    products = both.T @ scipy.linalg.cho_solve(factor, both)
    squares, freedom = products[0, 0] - products[0, 1] ** 2 / products[1, 1], centred.size - 1
    log_det = 2.0 * np.log(np.diag(factor[0])).sum() + math.log(products[1, 1])
    return _Restricted(math.log(squares) + log_det / freedom, squares / freedom)


def quadratic_variations(values: Array, kind: str) -> GapFit:
    """The estimate from second-order quadratic variations at steps 1 ... 5, over the differences that no gap touches.

    `values` (length,) hold NaN in the gaps. The result is NaN if fewer than two of the steps have such differences.

    >>> values = np.random.default_rng(0).standard_normal(100)
    >>> values[20:40] = np.nan
    >>> fit = quadratic_variations(values, "increments")
    >>> abs(fit.hurst - 0.5) < 3.0 * fit.error
    True
    """
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    path, gaps = (filled, np.zeros(filled.size)) if kind == "path" else _summed(filled, known)
    known = known if kind == "path" else np.ones(path.size, dtype=bool)
    masks, variations = np.zeros((VARIATION_SCALES.size, path.size)), np.zeros(VARIATION_SCALES.size)
    for row, m in enumerate(VARIATION_SCALES):
        start, middle, end = slice(None, -2 * m), slice(m, -m), slice(2 * m, None)
        complete = known[start] & known[middle] & known[end] & (gaps[start] == gaps[end])
        masks[row, : complete.size] = complete
        squares = (path[start] - 2.0 * path[middle] + path[end]) ** 2
        variations[row] = complete @ squares / max(1, complete.sum())
    # a step weighs in proportion to its share of complete differences
    weights = masks.sum(axis=1) / (path.size - 2.0 * VARIATION_SCALES)
    logs = log_above_rounding(variations[None], np.abs(path).max(keepdims=True))
    hurst = float(slopes(np.log(VARIATION_SCALES), logs, weights)[0]) / 2.0
    if not np.isfinite(hurst):
        return GapFit(math.nan, math.nan, math.nan)
    inside, used = min(max(hurst, 0.01), 0.99), np.isfinite(logs[0])
    scales, weights, masks = VARIATION_SCALES[used], weights[used], masks[used]
    shares = variations[used] * scales ** (-2.0 * inside)
    sigma = math.sqrt(np.average(shares, weights=weights) / (4.0 - 4.0**inside))
    return GapFit(hurst, sigma, _variation_error(inside, scales, weights, masks))


def _summed(increments: Array, known: NDArray[np.bool_]) -> tuple[Array, Array]:
    """The sums of the increments from 0, and the number of gaps before each.

    Two sums can be compared if they have the same number of gaps before them.
    """
    return np.append(0.0, np.cumsum(increments)), np.append(0.0, np.cumsum(~known))


def _variation_error(hurst: float, scales: NDArray[np.intp], weights: Array, masks: Array) -> float:
    """Standard error of H, half the slope, to first order in the covariances of the variations V_m.

    ``cov(V_m, V_l) = 2 sum_st c_ml(t - s)^2 / (N_m N_l)``, summed over the complete differences at s and t; ``c_ml`` is
    the covariance of second differences of fBm and N the number of complete ones.
    """
    n = masks.shape[1]
    lags = np.arange(-n + 1.0, n)
    transforms = scipy.fft.rfft(masks, 2 * n - 1, axis=1)
    centred = np.log(scales) - np.average(np.log(scales), weights=weights)
    lever = weights * centred / (weights @ centred**2) / 2.0  # derivative of H by the logarithm of each variation
    lever /= masks.sum(axis=1) * scales ** (2.0 * hurst) * (4.0 - 4.0**hurst)
    total = 0.0
    for i, m in enumerate(scales):
        for j, step in enumerate(scales):
            pairs = np.roll(scipy.fft.irfft(transforms[i].conj() * transforms[j], 2 * n - 1), n - 1)
            shifts = [(a * b, q * step - p * m) for p, a in enumerate(_SECOND) for q, b in enumerate(_SECOND)]
            covariance = -0.5 * sum(c * np.abs(lags + shift) ** (2.0 * hurst) for c, shift in shifts)
            total += 2.0 * lever[i] * lever[j] * float(pairs @ covariance**2)
    return math.sqrt(total)
