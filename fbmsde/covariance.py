"""Second-order formulas of fractional Brownian motion, its increments and the fractional Ornstein-Uhlenbeck process."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from . import _checks

Array = NDArray[np.float64]

_SERIES_FROM = 50  # lags above use the binomial series: five terms leave less than 50**-12 of the value


def fgn_autocovariance(hurst: float, lags: ArrayLike) -> Array:
    """Autocovariance of unit-step fractional Gaussian noise at integer lags, same shape as `lags`.

    ``gamma(k) = (|k+1|^2H - 2|k|^2H + |k-1|^2H) / 2`` (Mandelbrot & Van Ness 1968). The second difference is evaluated
    without cancellation: as a difference of ``expm1`` up to lag 50, beyond by the binomial series
    ``k^2H sum_j C(2H, 2j) k^-2j``, so that the relative error stays below 1e-12 for |2H - 1| > 1e-3 at every lag and a
    circulant embedding keeps its eigenvalues positive.

    >>> fgn_autocovariance(0.7, [0, 1, 2]).round(4)
    array([1.    , 0.3195, 0.1888])
    """
    two_h = 2.0 * _checks.hurst_parameter(hurst)
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
        series = (series + special.binom(two_h, 2 * j)) * x2
    out[far] = k[far] ** two_h * series
    return out


def fbm_covariance(hurst: float, s: ArrayLike, t: ArrayLike) -> Array:
    """Covariance ``E B_H(s) B_H(t) = (s^2H + t^2H - |t-s|^2H) / 2`` for times s, t >= 0, broadcast together.

    >>> fbm_covariance(0.5, 1.0, [0.5, 1.0, 2.0])
    array([0.5, 1. , 1. ])
    """
    two_h = 2.0 * _checks.hurst_parameter(hurst)
    s, t = np.asarray(s, dtype=float), np.asarray(t, dtype=float)
    if np.any(s < 0) or np.any(t < 0):
        raise ValueError("times must be at least 0, got a negative one.")
    return (s**two_h + t**two_h - np.abs(t - s) ** two_h) / 2.0


def fgn_spectrum(hurst: float, frequencies: ArrayLike) -> Array:
    """Spectral density of unit-step fGn at angular frequencies 0 < |l| <= pi, normalised to ``(1/2pi) int f = 1``.

    ``f(l) = 2 sin(pi H) Gamma(2H+1) (1 - cos l) [|l|^-a + (2pi)^-a (zeta(a, 1 + l/2pi) + zeta(a, 1 - l/2pi))]`` with
    ``a = 2H + 1`` and the Hurwitz zeta function: the sum of the continuous spectrum over its aliases (Sinai 1976).
    ``1 - cos l`` is taken as ``2 sin^2(l/2)``, so that the relative accuracy holds down to the smallest frequency.

    >>> fgn_spectrum(0.5, [0.1, 1.0, 3.0]).round(12)
    array([1., 1., 1.])
    """
    h = _checks.hurst_parameter(hurst)
    freq = np.abs(np.asarray(frequencies, dtype=float))
    if np.any(freq <= 0) or np.any(freq > np.pi):
        raise ValueError("frequencies must lie in (0, pi] up to sign.")
    a, x = 2.0 * h + 1.0, freq / (2.0 * np.pi)
    aliases = (special.zeta(a, 1.0 + x) + special.zeta(a, 1.0 - x)) * (2.0 * np.pi) ** -a
    scale = 4.0 * np.sin(np.pi * h) * special.gamma(2.0 * h + 1.0)
    return scale * np.sin(freq / 2.0) ** 2 * (freq**-a + aliases)


def fou_stationary_variance(hurst: float, curvature: float = 1.0, sigma: float = 1.0) -> float:
    """Stationary variance ``sigma^2 H Gamma(2H) a^-2H`` of ``dX = -a X dt + sigma dB_H`` (Cheridito et al. 2003).

    >>> fou_stationary_variance(0.5, curvature=2.0)
    0.25
    """
    h = _checks.hurst_parameter(hurst)
    a, s = _checks.positive("curvature", curvature), _checks.positive("sigma", sigma)
    return float(s**2 * h * special.gamma(2 * h) * a ** (-2 * h))


def fou_variance(hurst: float, times: ArrayLike, curvature: float = 1.0, sigma: float = 1.0) -> Array:
    """Variance of ``dX = -a X dt + sigma dB_H`` at times t >= 0 after a start at a point, same shape as `times`.

    ``V(t) = sigma^2 H a^-2H [g(2H, at) + e^(-at) (at)^2H / (2H) 1F1(1; 2H+1; -at)]``, g the lower incomplete gamma
    function: the integral ``sigma^2 H int_0^t u^(2H-1) (e^(-au) + e^(-a(2t-u))) du``, which follows from
    ``X_t = B_t - a int_0^t e^(-a(t-s)) B_s ds`` and the covariance of B.

    >>> fou_variance(0.5, [0.0, 1.0]).round(6)  # (1 - exp(-2)) / 2
    array([0.      , 0.432332])
    """
    h = _checks.hurst_parameter(hurst)
    x = _checks.positive("curvature", curvature) * np.asarray(times, dtype=float)
    if np.any(x < 0):
        raise ValueError("times must be at least 0, got a negative one.")
    lower = special.gamma(2 * h) * special.gammainc(2 * h, x)
    late = np.minimum(x, 700.0)
    reflected = np.exp(-late) * late ** (2 * h) / (2 * h) * special.hyp1f1(1.0, 2 * h + 1.0, -late)
    return fou_stationary_variance(h, curvature, sigma) / special.gamma(2 * h) * (lower + reflected)


def fou_autocorrelation(hurst: float, times: ArrayLike) -> Array:
    """Autocorrelation ``r(t)/V`` of the stationary fractional Ornstein-Uhlenbeck process, time in units of 1/a.

    With ``b = 2H + 1``: ``{[e^-t Gamma(b) + t^b/b 1F1(1; b+1; -t) + e^t Gamma(b, t)]/2 - t^2H} / Gamma(b)`` up to
    t = 25 and the asymptotic series ``(1/Gamma(b)) sum_n prod_{k<2n} (2H-k) t^(2H-2n)`` beyond, where the relative
    error is below 1e-8 (Cheridito, Kawaguchi & Maejima 2003 give both forms).

    >>> fou_autocorrelation(0.5, [0.0, 1.0]).round(6)
    array([1.      , 0.367879])
    """
    h = _checks.hurst_parameter(hurst)
    t = np.abs(np.asarray(times, dtype=float))
    b, gamma_b = 2.0 * h + 1.0, special.gamma(2.0 * h + 1.0)
    near = np.minimum(t, 25.0)
    kummer = near**b / b * special.hyp1f1(1.0, b + 1.0, -near)
    tail = np.exp(near) * gamma_b * special.gammaincc(b, near)
    close = ((np.exp(-near) * gamma_b + kummer + tail) / 2.0 - near ** (2 * h)) / gamma_b
    far = np.maximum(t, 25.0)
    series, product = np.zeros_like(far), 1.0
    for n in range(1, 12):
        product *= (2 * h - (2 * n - 2)) * (2 * h - (2 * n - 1))
        series = series + product * far ** (2 * h - 2 * n)
    return np.where(t > 25.0, series / gamma_b, close)


def euler_chain_variance(hurst: float, dt: float, curvature: float = 1.0, sigma: float = 1.0) -> float:
    """Stationary variance of the Euler-Maruyama chain ``X' = (1 - a dt) X + sigma dt^H xi`` of the quadratic well.

    With ``phi = 1 - a dt`` the sum over the fGn covariance, ``V = sigma^2 dt^2H (gamma(0) + 2 sum_k phi^k gamma(k)) /
    (1 - phi^2)``, is ``sigma^2 dt^2H (1 - phi) / ((1 + phi) phi) Li_{-2H}(phi)``: the polylogarithm collects the second
    difference of ``k^2H``. It exceeds the variance of the process by a factor ``1 + (1 - H) a dt + O(dt^2)``.

    >>> round(euler_chain_variance(0.5, 0.1) / 0.5, 6)  # 2 / (2 - a dt)
    1.052632
    """
    h, step = _checks.hurst_parameter(hurst), _checks.positive("dt", dt)
    a, s = _checks.positive("curvature", curvature), _checks.positive("sigma", sigma)
    if a * step >= 1.0:
        raise ValueError(f"curvature * dt must lie in (0, 1), got {a * step}. Take a smaller dt.")
    return fou_stationary_variance(h, a, s) * chain_excess(h, a * step)


def chain_excess(hurst: float, step: float) -> float:
    """Stationary variance of the Euler chain over that of the process, a function of ``step = curvature * dt`` < 1.

    ``2 y^2H / Gamma(2H+1) y / ((2 - y)(1 - y)) Li_{-2H}(1 - y)``, y the step. The leading term of the polylogarithm,
    ``Gamma(2H+1) (-log(1 - y))^(-1-2H)``, is divided out, so that a small step loses no digit.

    >>> round(chain_excess(0.5, 0.1), 6)  # 2 / (2 - y)
    1.052632
    """
    p, decay = 2.0 * hurst, -np.log1p(-step)
    front = 2.0 / ((2.0 - step) * (1.0 - step))
    if decay > 2.0:
        return float(front * step ** (1.0 + p) / special.gamma(1.0 + p) * _polylog_sum(p, -decay))
    pace = step / decay if step > 1e-300 else 1.0
    rest = step ** (1.0 + p) / special.gamma(1.0 + p) * _polylog_rest(p, -decay)
    return float(front * (pace ** (1.0 + p) + rest))


def _polylog_negative(p: float, x: float) -> float:
    """Li_{-p}(x) for 0 < x < 1, p > 0: Gamma(1+p) (-ln x)^(-1-p) + sum_k zeta(-p-k) (ln x)^k / k!, or the plain sum."""
    log_x = float(np.log(x))
    if log_x < -2.0:
        return _polylog_sum(p, log_x)
    return float(special.gamma(1 + p) * (-log_x) ** (-1 - p) + _polylog_rest(p, log_x))


def _polylog_sum(p: float, log_x: float) -> float:
    """``sum_k k^p x^k``, for x below exp(-2)."""
    k = np.arange(1.0, 200.0)
    return float(np.sum(k**p * np.exp(k * log_x)))


def _polylog_rest(p: float, log_x: float) -> float:
    """``sum_k zeta(-p-k) (ln x)^k / k!``, for x above exp(-2)."""
    k = np.arange(40)
    # reflection: zeta(-s) = 2 (2 pi)^(-s-1) cos(pi (s+1) / 2) Gamma(s+1) zeta(s+1)
    s = p + k
    zeta = 2 * (2 * np.pi) ** (-s - 1) * np.cos(np.pi * (s + 1) / 2) * special.gamma(s + 1) * special.zeta(s + 1)
    return float(np.sum(zeta * log_x**k / special.factorial(k)))
