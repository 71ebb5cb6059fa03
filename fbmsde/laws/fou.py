"""Exact variances of the fractional Ornstein-Uhlenbeck process, ``dX = -a X dt + sigma dB_H``, and its Euler chain."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array
from .fgn import _polylog_rest, _polylog_sum, chain_excess


def fou_stationary_variance(hurst: float, curvature: float = 1.0, sigma: float = 1.0) -> float:
    """Stationary variance ``sigma^2 H Gamma(2H) a^-2H`` of ``dX = -a X dt + sigma dB_H`` (Cheridito et al. 2003).

    `curvature` is a. It and `sigma` must be positive, and H must lie in (0, 1); otherwise ValueError is raised.

    >>> fou_stationary_variance(0.5, curvature=2.0)
    0.25
    """
    h = checks.hurst_parameter(hurst)
    a, s = checks.positive("curvature", curvature), checks.positive("sigma", sigma)
    return float(s**2 * h * scipy.special.gamma(2 * h) * a ** (-2 * h))


def fou_variance(hurst: float, times: ArrayLike, curvature: float = 1.0, sigma: float = 1.0) -> Array:
    """Variance of ``dX = -a X dt + sigma dB_H`` at times t >= 0 after a start at a point, same shape as `times`.

    ``V(t) = sigma^2 H a^-2H [g(2H, at) + e^(-at) (at)^2H / (2H) 1F1(1; 2H+1; -at)]``, where g is the lower incomplete
    gamma function and `curvature` is a. It is the integral
    ``sigma^2 H int_0^t u^(2H-1) (e^(-au) + e^(-a(2t-u))) du``, which follows from
    ``X_t = B_t - a int_0^t e^(-a(t-s)) B_s ds`` and the covariance of B. Raises ValueError for a negative time.

    >>> fou_variance(0.5, [0.0, 1.0]).round(6)  # (1 - exp(-2)) / 2
    array([0.      , 0.432332])
    """
    h = checks.hurst_parameter(hurst)
    x = checks.positive("curvature", curvature) * np.asarray(times, dtype=float)
    if np.any(x < 0):
        raise ValueError("times must be at least 0, got a negative one.")
    lower = scipy.special.gamma(2 * h) * scipy.special.gammainc(2 * h, x)
    late = np.minimum(x, 700.0)
    reflected = np.exp(-late) * late ** (2 * h) / (2 * h) * scipy.special.hyp1f1(1.0, 2 * h + 1.0, -late)
    return fou_stationary_variance(h, curvature, sigma) / scipy.special.gamma(2 * h) * (lower + reflected)


def fou_autocorrelation(hurst: float, times: ArrayLike) -> Array:
    """Autocorrelation ``r(t)/V`` of the stationary fractional Ornstein-Uhlenbeck process, same shape as `times`.

    Times are in units of 1/a, the inverse of the curvature. With ``b = 2H + 1`` the autocorrelation is
    ``{[e^-t Gamma(b) + t^b/b 1F1(1; b+1; -t) + e^t Gamma(b, t)]/2 - t^2H} / Gamma(b)`` up to t = 25. Beyond, it is the
    asymptotic series ``(1/Gamma(b)) sum_n prod_{k<2n} (2H-k) t^(2H-2n)``, whose relative error there is below 1e-8
    (Cheridito, Kawaguchi & Maejima 2003 give both forms).

    >>> fou_autocorrelation(0.5, [0.0, 1.0]).round(6)
    array([1.      , 0.367879])
    """
    h = checks.hurst_parameter(hurst)
    t = np.abs(np.asarray(times, dtype=float))
    b, gamma_b = 2.0 * h + 1.0, scipy.special.gamma(2.0 * h + 1.0)
    near = np.minimum(t, 25.0)
    kummer = near**b / b * scipy.special.hyp1f1(1.0, b + 1.0, -near)
    tail = np.exp(near) * gamma_b * scipy.special.gammaincc(b, near)
    close = ((np.exp(-near) * gamma_b + kummer + tail) / 2.0 - near ** (2 * h)) / gamma_b
    far = np.maximum(t, 25.0)
    series, product = np.zeros_like(far), 1.0
    for n in range(1, 12):
        product *= (2 * h - (2 * n - 2)) * (2 * h - (2 * n - 1))
        series = series + product * far ** (2 * h - 2 * n)
    return np.where(t > 25.0, series / gamma_b, close)


def fou_mean_variance(hurst: float, horizon: ArrayLike, curvature: float = 1.0, sigma: float = 1.0) -> Array:
    """Variance of the time average ``(1/T) int_0^T X dt`` of the stationary process, same shape as `horizon` (T > 0).

    It is ``[sigma^2 T^2H - 2 (V - r(T))] / (a T)^2`` with the autocovariance r and ``V = r(0)``, exact: half of the
    variance of the integral is a function G whose second derivative is r, and ``a^2 G - G'' = sigma^2 T^2H / 2 - V`` by
    the spectral density of X. For a long time it falls like ``sigma^2 T^(2H-2) / a^2``: the average forgets the start
    but not the noise. For ``a T < 1`` it is the integral ``2 int_0^1 (1 - u) r(u T) du``, because the difference loses
    digits there. Raises ValueError unless all T are positive.

    >>> fou_mean_variance(0.5, [1e-9, 10.0]).round(6)  # V, and (T - 1 + exp(-T)) / T^2
    array([0.5 , 0.09])
    """
    h = checks.hurst_parameter(hurst)
    x = checks.positive("curvature", curvature) * np.asarray(horizon, dtype=float)
    if not np.all(x > 0):
        raise ValueError("horizon must be positive, got a value that is not.")
    late, early = np.maximum(x, 1.0), np.minimum(x, 1.0)
    two_h, variance = 2.0 * h, fou_stationary_variance(h)
    far = (late**two_h - 2.0 * variance * (1.0 - fou_autocorrelation(h, late))) / late**2
    u, weights = _graded_nodes()
    near = 2.0 * variance * (fou_autocorrelation(h, early[..., None] * u) @ (weights * (1.0 - u)))
    return np.where(x > 1.0, far, near) * fou_stationary_variance(h, curvature, sigma) / variance


def _graded_nodes() -> tuple[Array, Array]:
    """Nodes and weights on (0, 1) whose panels halve towards 0, where functions of ``u^2H`` are not smooth."""
    nodes, weights = np.polynomial.legendre.leggauss(16)
    left = np.append(2.0 ** -np.arange(1.0, 40.0), 0.0)
    width = np.append(2.0 ** -np.arange(1.0, 40.0), 2.0**-39)
    return (left[:, None] + width[:, None] * (nodes + 1.0) / 2.0).ravel(), (width[:, None] * weights / 2.0).ravel()


def euler_chain_variance(hurst: float, dt: float, curvature: float = 1.0, sigma: float = 1.0) -> float:
    """Stationary variance of the Euler-Maruyama chain ``X' = (1 - a dt) X + sigma dt^H xi`` of the quadratic well.

    xi is unit-step fGn and `curvature` is a. With ``phi = 1 - a dt`` the variance is the sum
    ``sigma^2 dt^2H (gamma(0) + 2 sum_k phi^k gamma(k)) / (1 - phi^2)`` over the autocovariance of xi, which equals
    ``sigma^2 dt^2H (1 - phi) / ((1 + phi) phi) Li_{-2H}(phi)`` because gamma is a second difference of ``k^2H``. The
    variance exceeds that of the process in continuous time by a factor ``1 + (1 - H) a dt + O(dt^2)``. Raises
    ValueError unless ``a dt`` lies in (0, 1).

    >>> round(euler_chain_variance(0.5, 0.1) / 0.5, 6)  # 2 / (2 - a dt)
    1.052632
    """
    h, step = checks.hurst_parameter(hurst), checks.positive("dt", dt)
    a, s = checks.positive("curvature", curvature), checks.positive("sigma", sigma)
    if a * step >= 1.0:
        raise ValueError(f"curvature * dt must lie in (0, 1), got {a * step}. Take a smaller dt.")
    return fou_stationary_variance(h, a, s) * chain_excess(h, a * step)


def polylog_negative(p: float, x: float) -> float:
    """The polylogarithm ``Li_{-p}(x) = sum_k k^p x^k`` for 0 < x < 1 and p > 0.

    For x above exp(-2) it is computed as ``Gamma(1+p) (-ln x)^(-1-p) + sum_k zeta(-p-k) (ln x)^k / k!``, below as the
    plain sum.

    >>> round(polylog_negative(1.0, 0.5), 12)  # x / (1 - x)^2
    2.0
    """
    log_x = float(np.log(x))
    if log_x < -2.0:
        return _polylog_sum(p, log_x)
    return float(scipy.special.gamma(1 + p) * (-log_x) ** (-1 - p) + _polylog_rest(p, log_x))
