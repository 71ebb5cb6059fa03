"""Covariances and spectra of fractional Brownian motion (fBm) and its increments, fractional Gaussian noise (fGn)."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array

_SERIES_FROM = 50  # larger lags use the binomial series, whose rest is less than 50**-12 of the value


def fgn_autocovariance(hurst: float, lags: ArrayLike) -> Array:
    """Autocovariance of unit-step fractional Gaussian noise at integer lags, same shape as `lags`.

    ``gamma(k) = (|k+1|^2H - 2|k|^2H + |k-1|^2H) / 2`` (Mandelbrot & Van Ness 1968). The second difference is evaluated
    without cancellation: up to lag 50 by ``expm1``, beyond by the binomial series ``k^2H sum_j C(2H, 2j) k^-2j``. The
    relative error therefore stays below 1e-12 for |2H - 1| > 1e-3 at every lag, and a circulant embedding keeps its
    eigenvalues positive. Raises ValueError unless 0 < H < 1.

    >>> fgn_autocovariance(0.7, [0, 1, 2]).round(4)
    array([1.    , 0.3195, 0.1888])
    """
    two_h = 2.0 * checks.hurst_parameter(hurst)
    k = np.abs(np.asarray(lags, dtype=float))
    out = np.ones_like(k)
    out[k == 1] = np.expm1((two_h - 1.0) * np.log(2.0))
    near = (k > 1) & (k <= _SERIES_FROM)
    x = 1.0 / k[near]
    out[near] = k[near] ** two_h * (np.expm1(two_h * np.log1p(x)) + np.expm1(two_h * np.log1p(-x))) / 2.0
    far = k > _SERIES_FROM
    x2 = k[far] ** -2.0
    series = np.zeros_like(x2)
    for j in range(6, 0, -1):
        series = (series + scipy.special.binom(two_h, 2 * j)) * x2
    out[far] = k[far] ** two_h * series
    return out


def fbm_covariance(hurst: float, s: ArrayLike, t: ArrayLike) -> Array:
    """Covariance ``E B_H(s) B_H(t) = (s^2H + t^2H - |t-s|^2H) / 2`` of fBm at times s and t, broadcast together.

    Raises ValueError for a negative time and unless 0 < H < 1.

    >>> fbm_covariance(0.5, 1.0, [0.5, 1.0, 2.0])
    array([0.5, 1. , 1. ])
    """
    two_h = 2.0 * checks.hurst_parameter(hurst)
    s, t = np.asarray(s, dtype=float), np.asarray(t, dtype=float)
    if np.any(s < 0) or np.any(t < 0):
        raise ValueError("times must be at least 0, got a negative one.")
    return (s**two_h + t**two_h - np.abs(t - s) ** two_h) / 2.0


def fgn_spectrum(hurst: float, frequencies: ArrayLike) -> Array:
    """Spectral density of unit-step fGn at angular frequencies 0 < |l| <= pi, normalised to ``(1/2pi) int f = 1``.

    ``f(l) = 2 sin(pi H) Gamma(2H+1) (1 - cos l) [|l|^-a + (2pi)^-a (zeta(a, 1 + l/2pi) + zeta(a, 1 - l/2pi))]`` with
    ``a = 2H + 1`` and the Hurwitz zeta function: the sum of the continuous spectrum over its aliases (Sinai 1976). The
    result has the shape of `frequencies`. ``1 - cos l`` is computed as ``2 sin^2(l/2)``, which keeps the relative
    accuracy down to the smallest frequency. Raises ValueError for frequencies outside (0, pi] up to sign.

    >>> fgn_spectrum(0.5, [0.1, 1.0, 3.0]).round(12)
    array([1., 1., 1.])
    """
    h = checks.hurst_parameter(hurst)
    freq = np.abs(np.asarray(frequencies, dtype=float))
    if np.any(freq <= 0) or np.any(freq > np.pi):
        raise ValueError("frequencies must lie in (0, pi] up to sign.")
    a, x = 2.0 * h + 1.0, freq / (2.0 * np.pi)
    aliases = (scipy.special.zeta(a, 1.0 + x) + scipy.special.zeta(a, 1.0 - x)) * (2.0 * np.pi) ** -a
    scale = 4.0 * np.sin(np.pi * h) * scipy.special.gamma(2.0 * h + 1.0)
    return scale * np.sin(freq / 2.0) ** 2 * (freq**-a + aliases)


def chain_excess(hurst: float, step: float) -> float:
    """Stationary variance of the Euler chain of the quadratic well over that of the process in continuous time.

    With ``y = step = curvature * dt`` in (0, 1) it is
    ``2 y^2H / Gamma(2H+1) y / ((2 - y)(1 - y)) Li_{-2H}(1 - y)``. The leading term of the polylogarithm,
    ``Gamma(2H+1) (-log(1 - y))^(-1-2H)``, is divided out by hand, so that no digit is lost at small steps.

    >>> round(chain_excess(0.5, 0.1), 6)  # 2 / (2 - y)
    1.052632
    """
    p, decay = 2.0 * hurst, -np.log1p(-step)
    front = 2.0 / ((2.0 - step) * (1.0 - step))
    if decay > 2.0:
        return float(front * step ** (1.0 + p) / scipy.special.gamma(1.0 + p) * _polylog_sum(p, -decay))
    pace = step / decay if step > 1e-300 else 1.0
    rest = step ** (1.0 + p) / scipy.special.gamma(1.0 + p) * _polylog_rest(p, -decay)
    return float(front * (pace ** (1.0 + p) + rest))


def _polylog_sum(p: float, log_x: float) -> float:
    """``sum_k k^p x^k``, for x below exp(-2)."""
    k = np.arange(1.0, 200.0)
    return float(np.sum(k**p * np.exp(k * log_x)))


def _polylog_rest(p: float, log_x: float) -> float:
    """``sum_k zeta(-p-k) (ln x)^k / k!``, for x above exp(-2)."""
    k = np.arange(40)
    # reflection: zeta(-s) = 2 (2 pi)^(-s-1) cos(pi (s+1) / 2) Gamma(s+1) zeta(s+1)
    s = p + k
    zeta = 2 * (2 * np.pi) ** (-s - 1) * np.cos(np.pi * (s + 1) / 2)
    zeta = zeta * scipy.special.gamma(s + 1) * scipy.special.zeta(s + 1)
    return float(np.sum(zeta * log_x**k / scipy.special.factorial(k)))
