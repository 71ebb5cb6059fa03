"""Standard errors of the likelihood estimates of H, and the Fisher information behind the smallest one."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy

from ..core.types import Array
from ..laws.fgn import fgn_autocovariance, fgn_spectrum
from .ordinates import expected_periodogram, ordinate_weights
from .spectral import GRID, local_bandwidth

_LONGEST_EXACT_ERROR = 2**14  # beyond this length the error of the Whittle estimate falls like n^-1/2
_LONGEST_DENSE = 256  # the longest series whose covariance matrix is inverted


@lru_cache(maxsize=16)
def whittle_error(n: int) -> Array:
    """Standard error of `whittle` at every node of GRID: the root of the exact variance of the score, over its slope.

    Beyond n = 2^14 it is continued like n^-1/2.

    >>> round(float(np.interp(0.5, GRID, whittle_error(1000))), 4)
    0.0201
    """
    if n > _LONGEST_EXACT_ERROR:
        return whittle_error(_LONGEST_EXACT_ERROR) * np.sqrt(_LONGEST_EXACT_ERROR / n)
    return np.array([_whittle_error_at(hurst, n) for hurst in GRID])


def _whittle_error_at(hurst: float, n: int) -> float:
    """Standard error from ``Var(score) = 2 sum_jk a_j a_k |cov(J_j, J_k)|^2 / 4`` over the n Fourier coefficients J.

    For j != k the squared covariance is ``(S_j - S_k)^2 / (n sin((l_j - l_k) / 2))^2`` with the one-sided sums
    ``S_j = sum_{k >= 1} gamma(k) sin(l_j k)``, so that the double sum is a circular convolution.
    """
    step = 5e-4
    slope = np.log(expected_periodogram(hurst + step, n) / expected_periodogram(hurst - step, n)) / (2.0 * step)
    mean = expected_periodogram(hurst, n)
    weights = ordinate_weights(n)
    slope -= slope @ weights / weights.sum()
    slopes, means = _whole_circle(slope, n), _whole_circle(mean, n)
    means[0] = 1.0
    sines = -scipy.fft.fft(np.append(0.0, fgn_autocovariance(hurst, np.arange(1, n)))).imag
    factors = slopes / means
    decay = np.append(0.0, (n * np.sin(np.pi * np.arange(1, n) / n)) ** -2.0)
    smoothed, smoothed_sines = scipy.fft.irfft(
        scipy.fft.rfft(decay) * scipy.fft.rfft(np.array([factors, factors * sines]), axis=1), n, axis=1
    )
    information = slopes @ slopes / 2.0
    leaked = factors * sines**2 @ smoothed - factors * sines @ smoothed_sines
    return float(np.sqrt(information + leaked) / information)


def _whole_circle(values: Array, n: int) -> Array:
    """Values at the ordinates 1 ... n // 2, continued as an even function to all n frequencies, with 0 at the first."""
    return np.concatenate([[0.0], values, values[: (n - 1) // 2][::-1]])


def local_whittle_error(n: int) -> Array:
    """Standard error of `local_whittle` at every node of GRID: it tends to ``1 / (2 sqrt(m))`` for many ordinates m.

    >>> local_whittle_error(10**6)[0].round(4)
    np.float64(0.0056)
    """
    scatter = np.var(np.log(np.arange(1, local_bandwidth(n) + 1))) * local_bandwidth(n)
    return np.full(GRID.size, 0.5 / np.sqrt(scatter))


@lru_cache(maxsize=16)
def exact_error(n: int) -> Array:
    """Smallest possible standard error of H with unknown mean and scale (Cramer-Rao), at every node of GRID.

    It comes from the exact Fisher information of up to 256 values. Each value beyond adds the asymptotic information
    per value, which leaves the error within 1.5 % of the exact one up to n = 2048.

    >>> round(float(np.interp(0.5, GRID, exact_error(1000))), 4)
    0.0199
    """
    dense = min(n, _LONGEST_DENSE)
    return (_dense_information(dense) + (n - dense) * _information_rates()) ** -0.5


@lru_cache(maxsize=16)
def _dense_information(n: int) -> Array:
    """Fisher information of n values on H at every node of GRID, kept because all longer series need it."""
    return np.array([_information_at(hurst, n) for hurst in GRID])


@lru_cache(maxsize=1)
def _information_rates() -> Array:
    """`_information_rate` at every node of GRID."""
    return np.array([_information_rate(hurst) for hurst in GRID])


def _information_at(hurst: float, n: int) -> float:
    """Fisher information of n values of fGn on H, with unknown mean and scale."""
    step, lags = 5e-4, np.arange(n)
    slope = (fgn_autocovariance(hurst + step, lags) - fgn_autocovariance(hurst - step, lags)) / (2.0 * step)
    covariance = scipy.linalg.toeplitz(fgn_autocovariance(hurst, lags))
    return restricted_information(covariance, scipy.linalg.toeplitz(slope), np.ones(n))


def restricted_information(covariance: Array, slope: Array, drift: Array) -> float:
    """Fisher information on H of Gaussian values with unknown drift and scale: ``tr(P G' P G') / 2`` less a projection.

    `covariance` (n, n) is G, `slope` (n, n) its derivative G' by H, and `drift` (n,) what a unit of drift adds to each
    value. ``P = G^-1 - G^-1 d d' G^-1 / (d' G^-1 d)`` with the drift d. What is lost because the scale is unknown,
    ``tr(P G')^2 / (2 (n - 1))``, is taken off.

    >>> slope = np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 1.0], [0.5, 1.0, 0.0]])
    >>> round(restricted_information(np.eye(3), slope, np.ones(3)), 6)
    0.111111
    """
    factor = scipy.linalg.cho_factor(covariance)
    weighted, filtered = scipy.linalg.cho_solve(factor, drift), scipy.linalg.cho_solve(factor, slope)
    filtered -= np.outer(weighted, drift @ filtered) / (drift @ weighted)
    return float(np.sum(filtered * filtered.T) / 2.0 - np.trace(filtered) ** 2 / (2.0 * (len(drift) - 1)))


def _information_rate(hurst: float) -> float:
    """Asymptotic Fisher information on H per value with unknown scale: half the variance over l of d log f(l) / dH."""
    step, frequencies = 5e-4, np.pi * (np.arange(4096) + 0.5) / 4096
    rise = np.log(fgn_spectrum(hurst + step, frequencies) / fgn_spectrum(hurst - step, frequencies))
    return float(np.var(rise / (2.0 * step)) / 2.0)
