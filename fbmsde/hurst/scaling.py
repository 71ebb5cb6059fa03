"""Hurst estimators that fit a slope in a log-log plot: of variations, fluctuations, ranges and wavelet energies.

Every estimator takes increments (n_series, n) that are finite and not constant, and returns Hurst values and sigmas,
(n_series,) each. They are NaN for a series that varies on fewer than two of the scales.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

from ..core.cache import kernel
from ..core.types import Array
from ..laws.fgn import fgn_autocovariance
from .spectral import GRID, Fitted

Fit = Callable[[Array], Fitted]

VARIATION_SCALES = np.arange(1, 6)
_FIRST_OCTAVE = 3  # the two finest octaves do not follow the power law that the spectrum has at low frequencies
_ROOT3 = math.sqrt(3.0)

# Daubechies' filter with two vanishing moments, which is blind to linear trends
_SCALING_FILTER = np.array([1.0 + _ROOT3, 3.0 + _ROOT3, 3.0 - _ROOT3, 1.0 - _ROOT3]) / (4.0 * math.sqrt(2.0))
_WAVELET_FILTER = _SCALING_FILTER[::-1] * np.array([1.0, -1.0, 1.0, -1.0])
_SIMULATED = 256  # series per Hurst value behind a simulated standard error, which is then known to 4.4 %
_SIMULATED_LENGTH = 8192  # the errors of longer series follow a power law of the length
_SIMULATED_HURST = np.array([0.1, 0.3, 0.5, 0.7, 0.9])


def slopes(scales: Array, values: Array, weights: Array | None = None) -> Array:
    """Weighted least-squares slope, (n_series,), of each row of `values` (n_series, n_scales) on `scales` (n_scales,).

    Values that are not finite are left out; the slope is NaN where fewer than two are left. The default `weights`
    (n_scales,) are equal ones.

    >>> slopes(np.array([1.0, 2.0, 3.0]), np.array([[2.0, 4.0, -np.inf]]))
    array([2.])
    """
    share = np.isfinite(values) * (np.ones(len(scales)) if weights is None else weights)
    known = np.where(share > 0, values, 0.0)
    total = share.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):  # fewer than two scales: NaN, which the caller reports
        centred = scales - np.sum(share * scales, axis=1, keepdims=True) / total
        return np.sum(share * centred * known, axis=1) / np.sum(share * centred**2, axis=1)


def log_above_rounding(values: Array, magnitude: Array) -> Array:
    """Natural logarithms of `values`, minus infinity for values that are no larger than rounding makes them.

    `values`, (n_series, n_scales), are mean squares formed from numbers of the size `magnitude`, (n_series,). `slopes`
    leaves an infinite logarithm out of the fit.

    >>> log_above_rounding(np.array([[1.0, 1e-40]]), np.array([1.0]))
    array([[  0., -inf]])
    """
    rounding = (64.0 * np.finfo(float).eps * magnitude[:, None]) ** 2
    return np.log(values, out=np.full_like(values, -np.inf), where=values > rounding)


def sample_sigma(increments: Array, hurst: Array) -> Array:
    """Standard deviation of unit-step fGn, (n_series,), from the sample one about the sample mean.

    The mean of n values has ``n^(2H-2)`` times the variance of one value; the variance about the sample mean lacks it.

    >>> sample_sigma(np.array([[1.0, -1.0]]), np.array([0.5])).round(6)
    array([1.414214])
    """
    n = increments.shape[1]
    return np.std(increments, axis=1) / np.sqrt(-np.expm1((2.0 * np.clip(hurst, 0.0, 0.99) - 2.0) * math.log(n)))


def _paths(increments: Array) -> Array:
    """Cumulative sums from 0, (n_series, n + 1)."""
    return np.concatenate([np.zeros((len(increments), 1)), np.cumsum(increments, axis=1)], axis=1)


def quadratic_variations(increments: Array) -> Fitted:
    """Hurst and sigma from the second-order quadratic variations of the path at steps 1 ... 5 (Istas & Lang).

    >>> quadratic_variations(np.random.default_rng(0).standard_normal((1, 1000))).hurst.round(2)
    array([0.51])
    """
    path = _paths(increments)
    variations = [
        np.mean((path[:, 2 * m :] - 2.0 * path[:, m:-m] + path[:, : -2 * m]) ** 2, axis=1) for m in VARIATION_SCALES
    ]
    hurst = slopes(np.log(VARIATION_SCALES), log_above_rounding(np.array(variations).T, np.abs(path).max(axis=1))) / 2.0
    return Fitted(hurst, sample_sigma(increments, hurst))


def _geometric_sizes(smallest: int, largest: int, per_octave: int) -> NDArray[np.intp]:
    """Distinct whole window sizes from `smallest` to `largest`, geometrically spaced."""
    count = max(2, 1 + int(per_octave * math.log2(largest / smallest)))
    return np.unique(np.rint(np.geomspace(smallest, largest, count)).astype(np.intp))


def detrended_fluctuation(increments: Array) -> Fitted:
    """Hurst and sigma by detrended fluctuation analysis of order 1.

    The variance of the path about a line in windows of 8 ... n/4 values grows like the size of the window to the
    power 2H.

    >>> detrended_fluctuation(np.random.default_rng(0).standard_normal((1, 1000))).hurst.round(2)
    array([0.49])
    """
    sizes = _geometric_sizes(8, increments.shape[1] // 4, 4)
    profile = np.cumsum(increments - increments.mean(axis=1, keepdims=True), axis=1)
    fluctuations = np.empty((len(profile), len(sizes)))
    _detrended_variances(profile, sizes, fluctuations)
    hurst = slopes(np.log(sizes), log_above_rounding(fluctuations, np.abs(profile).max(axis=1))) / 2.0
    return Fitted(hurst, sample_sigma(increments, hurst))


@kernel
def _detrended_variances(profile: Array, sizes: NDArray[np.intp], out: Array) -> None:
    """Write the mean squared residual about a line in non-overlapping windows to `out` (n_series, n_sizes)."""
    for i in range(profile.shape[0]):
        for k in range(sizes.size):
            size = sizes[k]
            windows = profile.shape[1] // size
            centre, spread, total = (size - 1) / 2.0, size * (size * size - 1.0) / 12.0, 0.0
            for start in range(0, windows * size, size):
                first, line, square, product = profile[i, start], 0.0, 0.0, 0.0
                for t in range(size):
                    y = profile[i, start + t] - first
                    line += y
                    square += y * y
                    product += (t - centre) * y
                total += square - line * line / size - product * product / spread
            out[i, k] = total / (windows * size)


def rescaled_range(increments: Array) -> Fitted:
    """Hurst and sigma from the classical rescaled range in windows of 16 ... n/2 increments.

    The rescaled range of a window is the range of the cumulated deviations from its mean over its standard deviation.

    >>> rescaled_range(np.random.default_rng(0).standard_normal((1, 1000))).hurst.round(2)
    array([0.49])
    """
    return _ranges_slope(increments, _geometric_sizes(16, increments.shape[1] // 2, 4))


def rs_windows_50_500(increments: Array) -> Fitted:
    """Hurst and sigma from the rescaled range in windows of 50, 60, 72, 86, ..., 445 increments.

    The sizes grow by the factor 1.2 and are rounded down; those beyond the length of the series are left out. The
    standard deviation is the sample one, with one less than the size for its divisor. Nothing else is corrected, so
    that independent Gaussian values give 0.54.

    >>> rs_windows_50_500(np.random.default_rng(0).standard_normal((1, 3000))).hurst.round(2)
    array([0.57])
    """
    sizes = (50.0 * 1.2 ** np.arange(13)).astype(np.intp)
    return _ranges_slope(increments, sizes, np.sqrt((sizes - 1.0) / sizes))


def _ranges_slope(increments: Array, sizes: NDArray[np.intp], factors: Array | float = 1.0) -> Fitted:
    """Hurst and sigma from the growth of the mean rescaled range, times the factor of each size, with the size."""
    ranges = np.empty((len(increments), len(sizes)))
    _rescaled_ranges(increments, sizes, ranges)
    hurst = slopes(np.log(sizes), log_above_rounding(factors * ranges, np.zeros(len(ranges))))
    return Fitted(hurst, sample_sigma(increments, hurst))


@kernel
def _rescaled_ranges(increments: Array, sizes: NDArray[np.intp], out: Array) -> None:
    """Write the mean rescaled range over non-overlapping windows to `out` (n_series, n_sizes)."""
    for i in range(increments.shape[0]):
        for k in range(sizes.size):
            size, total, windows = sizes[k], 0.0, 0
            for start in range(0, increments.shape[1] - size + 1, size):
                window = increments[i, start : start + size]
                mean = window.mean()
                level, low, high, square = 0.0, 0.0, 0.0, 0.0
                for value in window:
                    level += value - mean
                    square += (value - mean) ** 2
                    low, high = min(low, level), max(high, level)
                if square > 0.0:
                    total += (high - low) / math.sqrt(square / size)
                    windows += 1
            out[i, k] = total / windows if windows else 0.0


def rs_noise_as_path(increments: Array) -> Fitted:
    """Slope and sigma of the simplified rescaled range **with the increments taken for the path**.

    The sizes of the windows are 10^1, 10^1.25, ... below n - 1, and n. In each window the range of the values is
    divided by the sample standard deviation of their differences; the mean is taken over the windows where both are
    non-zero, and the logarithms are fitted without weights. The slope is no estimate of H.

    >>> rs_noise_as_path(np.random.default_rng(0).standard_normal((1, 1000))).hurst.round(2)
    array([0.17])
    """
    n = increments.shape[1]
    sizes = np.append([int(10.0**power) for power in np.arange(1.0, math.log10(n - 1), 0.25)], n).astype(np.intp)
    ranges = np.empty((len(increments), len(sizes)))
    _simplified_ranges(increments, sizes, ranges)
    slope = slopes(np.log10(sizes), log_above_rounding(ranges, np.zeros(len(ranges))) / math.log(10.0))
    return Fitted(slope, sample_sigma(increments, np.full(len(slope), 0.5)))


@kernel
def _simplified_ranges(values: Array, sizes: NDArray[np.intp], out: Array) -> None:
    """Write the mean of range over standard deviation of the differences to `out` (n_series, n_sizes)."""
    for i in range(values.shape[0]):
        for k in range(sizes.size):
            size, total, windows = sizes[k], 0.0, 0
            for start in range(0, values.shape[1] - size + 1, size):
                window = values[i, start : start + size]
                low, high, square = window[0], window[0], 0.0
                mean = (window[size - 1] - window[0]) / (size - 1)
                for t in range(1, size):
                    low, high = min(low, window[t]), max(high, window[t])
                    square += (window[t] - window[t - 1] - mean) ** 2
                if high > low and square > 0.0:
                    total += (high - low) / math.sqrt(square / (size - 2))
                    windows += 1
            out[i, k] = total / windows if windows else 0.0


def wavelet(increments: Array) -> Fitted:
    """Hurst and sigma from the wavelet energies of octaves 3 and up (Abry & Veitch).

    >>> wavelet(np.random.default_rng(0).standard_normal((1, 1000))).hurst.round(2)
    array([0.57])
    """
    octaves, counts = _octaves(increments.shape[1])
    energies = np.array([np.mean(details**2, axis=1) for details in _details(increments)]).T[:, _FIRST_OCTAVE - 1 :]
    size = np.abs(increments).max(axis=1)
    # the mean of k squared unit normals has a logarithm of mean digamma(k/2) - log(k/2), which is taken off
    offsets = scipy.special.digamma(counts / 2.0) - np.log(counts / 2.0)
    logs = log_above_rounding(energies, size) - offsets
    hurst = (slopes(octaves * math.log(2.0), logs, 1.0 / scipy.special.zeta(2.0, counts / 2.0)) + 1.0) / 2.0
    return Fitted(hurst, sample_sigma(increments, hurst))


def wavelet_error(n: int) -> Array:
    """Standard error of `wavelet` at every node of GRID, with the wavelet coefficients taken as independent.

    >>> wavelet_error(1000)[0].round(3)
    np.float64(0.069)
    """
    octaves, counts = _octaves(n)
    weights = 1.0 / scipy.special.zeta(2.0, counts / 2.0)
    spread = weights @ (octaves - weights @ octaves / weights.sum()) ** 2
    return np.full(GRID.size, 0.5 / (math.log(2.0) * math.sqrt(spread)))


def _octaves(n: int) -> tuple[Array, Array]:
    """The octaves in use and the number of wavelet coefficients in each."""
    counts = []
    while (n := (n - 2) // 2) >= 2:
        counts.append(n)
    return np.arange(_FIRST_OCTAVE, len(counts) + 1.0), np.array(counts[_FIRST_OCTAVE - 1 :], dtype=float)


def _details(series: Array) -> list[Array]:
    """Wavelet coefficients of every octave, finest first, without those whose filter would reach over an end."""
    details, smooth = [], series
    while (count := (smooth.shape[1] - 2) // 2) >= 2:
        taps = [smooth[:, k : k + 2 * count : 2] for k in range(4)]
        details.append(sum(c * tap for c, tap in zip(_WAVELET_FILTER, taps, strict=True)))
        smooth = sum(c * tap for c, tap in zip(_SCALING_FILTER, taps, strict=True))
    return details


@lru_cache(maxsize=32)
def simulated_error(fit: Fit, n: int) -> Array:
    """Standard deviation of an estimator on fGn of n values, at every node of GRID.

    It is measured on 256 series at each of five values of H and interpolated between them. Beyond n = 8192 the power
    law through n = 2048 and 8192 is continued.

    >>> bool(np.all(simulated_error(quadratic_variations, 200) < 0.1))
    True
    """
    if n > _SIMULATED_LENGTH:
        last, before = simulated_error(fit, _SIMULATED_LENGTH), simulated_error(fit, _SIMULATED_LENGTH // 4)
        return last * (last / before) ** (math.log(n / _SIMULATED_LENGTH) / math.log(4.0))
    rng = np.random.default_rng(0)
    errors = [np.nanstd(fit(_fgn(hurst, n, rng)).hurst) for hurst in _SIMULATED_HURST]
    return np.interp(GRID, _SIMULATED_HURST, errors)


def _fgn(hurst: float, n: int, rng: np.random.Generator) -> Array:
    """Exact unit fGn, (256, n), by circulant embedding; the real and the imaginary part are independent series."""
    gamma = fgn_autocovariance(hurst, np.arange(n + 1))
    spectrum = np.maximum(scipy.fft.fft(np.concatenate([gamma, gamma[-2:0:-1]])).real, 0.0)
    normals = rng.standard_normal((2, _SIMULATED // 2, 2 * n))
    series = scipy.fft.fft((normals[0] + 1j * normals[1]) * np.sqrt(spectrum / (2 * n)), axis=1)[:, :n]
    return np.concatenate([series.real, series.imag])
