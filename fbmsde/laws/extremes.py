"""Extremes of fractional Brownian motion: the shift of a grid, Pickands' constant, and the law of the maximum."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array
from . import _extremes_tables as _tables

_SMALLEST_HURST = _tables.HURST[0]
_PERTURBATIVE_LEVELS = np.linspace(0.0, 7.0, 1401)  # the density beyond 7 is below 1e-10


def barrier_shift(hurst: float) -> float:
    """The constant beta_H: the maximum on a grid of step dt lies ``beta_H sigma dt^H`` below that in continuous time.

    A path seen on the grid passes a barrier b as if the barrier were ``b + beta_H sigma dt^H`` in continuous time. A
    simulation that lowers its barrier by that much removes the leading part of the bias, of order dt^H. At H = 1/2 the
    constant is ``-zeta(1/2)/sqrt(2 pi) = 0.5826`` (Chernoff 1965; Broadie, Glasserman & Kou 1997). Elsewhere it comes
    from a table that was measured on exact paths and is interpolated monotonically in
    ``beta_H / (-zeta(1-H)/sqrt(2 pi))``. Its relative standard error is 0.3-0.4 % for 0.15 <= H <= 0.85, up to 0.6 % at
    0.1 and 0.98, 1.5 % at 0.05 and 6 % at 0.02.

    The constant is the limit for fine grids and for maxima far from the ends of the path. For small H the shift for a
    path of n steps is larger (H = 0.2: by 2 % at n = 512; H = 0.1: by 4 % at n = 2048, 14 % at n = 128). For H near 1
    the maximum often is the end point itself, and the mean loss of the maximum of a path is smaller.

    Valid for 0.02 <= H < 1; raises ValueError outside.

    >>> round(barrier_shift(0.5), 4)
    0.5826
    """
    h = checks.hurst_parameter(hurst)
    if h < _SMALLEST_HURST:
        raise ValueError(f"hurst must be at least {_SMALLEST_HURST} for a barrier shift, got {h}.")
    return float(_beta_ratio()(h) * -scipy.special.zeta(1.0 - h) / np.sqrt(2.0 * np.pi))


@lru_cache(maxsize=1)
def _beta_ratio() -> scipy.interpolate.PchipInterpolator:
    """``beta_H / (-zeta(1-H)/sqrt(2 pi))`` as a function of H."""
    return scipy.interpolate.PchipInterpolator([*_tables.HURST, 1.0], [*_tables.BETA_RATIO, 0.0])


def pickands_constant(alpha: float, delta: ArrayLike = 0.0) -> Array:
    """Pickands' constant P_alpha on a grid of spacing `delta`, same shape as `delta`; 0 stands for continuous time.

    ``P^delta = lim E[max e^Z] / T`` for T to infinity, with the maximum over the grid points of [0, T] and
    ``Z = sqrt(2) B_{alpha/2} - |t|^alpha``. It also is ``1/delta`` times the probability that Z stays below 0 at all
    other points of the two-sided grid. Two cases are exact: ``exp(-2 sum_k Psi(sqrt(delta k / 2)) / k) / delta`` at
    alpha = 1, where Psi is the upper tail of the normal law, and ``erf(delta/2) / delta`` at alpha = 2. For other
    alpha the value is ``exp(-2 sum_k Psi(s k^(alpha/2) / sqrt(2)) / k - d(alpha, s)) / delta`` with
    ``s = delta^(alpha/2)`` and a small remainder d from a table, measured by the estimator of Dieker & Yakir (2014).
    The constant tends to 1/delta for wide grids. For fine ones it behaves like ``P exp(-sqrt(2) beta_H s)`` with
    H = alpha/2, which holds within 0.1 % up to s = 0.5 and 1.4 % at s = 1. The standard error is 0.06 % for alpha >= 1,
    0.16 % at 0.7, 0.3 % at 0.5 and 0.6, 1 % at 0.4.

    Valid for 0.4 <= alpha <= 2 and delta >= 0; raises ValueError outside.

    >>> pickands_constant(1.0, [0.0, 0.01]).round(4)
    array([1.    , 0.9209])
    """
    h = checks.positive("alpha", alpha) / 2.0
    grid = np.asarray(delta, dtype=float)
    low = _tables.PICKANDS_HURST[0]
    if not low <= h <= 1.0:
        raise ValueError(f"alpha must lie in [{2 * low}, 2], got {alpha}. No table reaches further.")
    if not np.all(grid >= 0):
        raise ValueError("delta must be at least 0, got a negative one or a NaN.")
    spacing = np.where(grid > 0, grid, 1.0) ** h
    coefficients = scipy.interpolate.PchipInterpolator(_tables.PICKANDS_HURST, _tables.PICKANDS_REMAINDER)(h)
    remainder = np.polynomial.polynomial.polyval(np.minimum(spacing, 3.0), coefficients)  # the fit ends at s = 3
    with np.errstate(divide="ignore"):
        on_grid = np.exp(-_spitzer_sum(h, spacing) - remainder * np.exp(-(spacing**2) / 4.0)) / grid
    return np.where(grid > 0, on_grid, np.exp(np.euler_gamma * (0.5 / h - 1.0) - coefficients[0]))


def _spitzer_sum(h: float, spacing: Array) -> Array:
    """``2 sum_k Psi(s k^H / sqrt(2)) / k`` for s = `spacing`, same shape.

    It is summed term by term where few terms count, and otherwise by its expansion in odd powers of s.
    """
    few = (14.0 / spacing) ** (1.0 / h) < 2e4
    s = np.where(few, 1.0, spacing)[..., None]
    m = np.arange(40.0)
    signs = (-1.0) ** m / ((2.0 * m + 1.0) * scipy.special.factorial(m) * 4.0**m)
    odd = np.sum(signs * s ** (2.0 * m + 1.0) * scipy.special.zeta(1.0 - h * (2.0 * m + 1.0)), axis=-1)
    series = np.euler_gamma * (1.0 - 0.5 / h) - np.log(s[..., 0]) / h - odd / np.sqrt(np.pi)
    out = np.asarray(series)
    for index in np.argwhere(few):
        x = spacing[tuple(index)]
        k = np.arange(1.0, (14.0 / x) ** (1.0 / h) + 2.0)
        out[tuple(index)] = 2.0 * np.sum(scipy.special.ndtr(-x * k**h / np.sqrt(2.0)) / k)
    return out


def fbm_maximum_mean(hurst: float) -> float:
    """Mean of the maximum of fBm on [0, 1], from a table measured on exact paths; ``sqrt(2/pi)`` at H = 1/2.

    The relative standard error is below 0.15 %. Valid for 0.1 <= H < 1 (the limit at H = 1 is ``1/sqrt(2 pi)``);
    raises ValueError outside.

    >>> round(fbm_maximum_mean(0.5), 6)
    0.797885
    """
    h = _at_least_tabulated(hurst, 1.0)
    values = [*_tables.MAXIMUM_MEAN, 1.0 / np.sqrt(2.0 * np.pi)]
    return float(scipy.interpolate.PchipInterpolator([*_tables.LAW_HURST, 1.0], values)(h))


def fbm_maximum_cdf(hurst: float, levels: ArrayLike) -> Array:
    """Probability that fBm stays below each level on [0, 1], same shape as `levels`; ``erf(z/sqrt(2))`` at H = 1/2.

    By self-similarity this also is the probability that fBm has not passed a barrier b by time t, at the level
    ``z = b / (sigma t^H)``. The form ``erf(c_H(z) z)^(1/H-1)`` keeps the Gaussian tail and, for small levels, the power
    law ``z^(1/H-1)`` of persistence (Molchan 1999). The factor c comes from a table of passages in continuous time,
    which the power law continues at small H.

    The relative error is below 3 % for H >= 0.35, 10 % for 0.3 <= H < 0.35 and 30 % for smaller H. The absolute error
    is below 0.01, and below 0.004 for H >= 0.15. At H = 1/2 the result is exact.

    Valid for 0.1 <= H <= 0.9 and levels of at least 0.001, for H < 0.2 of at least ``15 (0.2 - H)``. No path of the
    table stayed below lower levels, and they raise ValueError. At levels of 0 and less the probability is 0.

    >>> fbm_maximum_cdf(0.5, [0.0, 1.0]).round(6)
    array([0.      , 0.682689])
    """
    h = _at_least_tabulated(hurst, _tables.LAW_HURST[-1])
    z = np.asarray(levels, dtype=float)
    lowest, highest = _tables.LAW_LEVELS[0], _tables.LAW_LEVELS[-1]
    reach = max(lowest, 15.0 * (0.2 - h))
    refused = z[~((z <= 0.0) | (z >= reach * (1.0 - 1e-12)))]
    if refused.size:
        raise ValueError(
            f"levels, or barrier / (sigma t^H), must be at least {reach:.4g}, got {refused.flat[0]:.4g}. "
            "No table reaches lower; the survival falls like the power 1/H - 1 of the level."
        )
    rows = scipy.interpolate.PchipInterpolator(np.log(_tables.LAW_LEVELS), _tables.LAW_LOG_SCALE, axis=1)
    return np.where(z > 0.0, _law_between(h, np.maximum(z, lowest), rows(np.log(np.clip(z, lowest, highest)))), 0.0)


def _law_between(h: float, z: Array, log_scale: Array) -> Array:
    """The law at levels z > 0 from the logarithms of c there, one row for each H of the table.

    Between the rows it is interpolated in a form that is smooth in H, a different one on each side of H = 1/2.
    """
    if h < 0.5:
        scale = np.exp(scipy.interpolate.CubicSpline(_tables.LAW_HURST, log_scale)(h))
        return scipy.special.erf(scale * z) ** (1.0 / h - 1.0)
    power = 1.0 / np.array(_tables.LAW_HURST).reshape(-1, *[1] * z.ndim) - 1.0
    log_half = np.log(scipy.special.erf(z / np.sqrt(2.0)))
    excess = power * (np.log(scipy.special.erf(np.exp(log_scale) * z)) - log_half)  # 0 at H = 1/2, Phi(z) at H = 1
    between = scipy.interpolate.CubicSpline(_tables.LAW_HURST, excess)(h)
    return np.minimum(np.exp(between + (1.0 / h - 1.0) * log_half), 1.0)


def _at_least_tabulated(hurst: float, top: float) -> float:
    """The Hurst parameter as a float; ValueError outside the table of the law of the maximum, which ends at `top`."""
    h = checks.hurst_parameter(hurst)
    low = _tables.LAW_HURST[0]
    if not low <= h <= top:
        raise ValueError(f"hurst must lie in [{low}, {top}] for the law of the maximum, got {h}.")
    return h


def fbm_maximum_density(hurst: float, levels: ArrayLike) -> Array:
    """Density of the maximum of fBm on [0, 1] by perturbation around H = 1/2, same shape as `levels`.

    The density is ``N y^(1/H-2) exp(-y^2/2 + eps [W(y) + 4 ln y])`` with ``eps = H - 1/2``, the function W(y) of
    Delorme & Wiese (2016), and N found numerically. It is 0 at levels of 0 and less. Measured on exact paths, the
    distribution function is within 0.02 of the true one for 0.33 <= H <= 0.67. Because it is an expansion in eps,
    ValueError is raised outside 0.25 <= H <= 0.75.

    >>> fbm_maximum_density(0.5, 1.0).round(6)  # sqrt(2/pi) exp(-1/2)
    np.float64(0.483941)
    """
    h = _perturbative(hurst)
    y = np.asarray(levels, dtype=float)
    norm = _perturbative_mass(h)[-1]
    return np.where((y > 0) & (y <= 7.0), _bare_density(h, np.clip(y, 1e-12, 7.0)) / norm, 0.0)


def fbm_maximum_cdf_perturbative(hurst: float, levels: ArrayLike) -> Array:
    """Integral of `fbm_maximum_density` up to each level, same shape as `levels`, same range of validity.

    >>> fbm_maximum_cdf_perturbative(0.5, 1.0).round(6)
    np.float64(0.682689)
    """
    h = _perturbative(hurst)
    mass = _perturbative_mass(h)
    z = np.clip(np.asarray(levels, dtype=float), 0.0, 7.0)
    power = 1.0 / h - 1.0  # mass ~ z^power: interpolate the smooth quotient
    grid = _PERTURBATIVE_LEVELS[1:]
    smooth = scipy.interpolate.CubicSpline(grid, mass[1:] / grid**power)
    return np.minimum(smooth(np.maximum(z, grid[0])) * z**power / mass[-1], 1.0)


def _perturbative(hurst: float) -> float:
    """The Hurst parameter as a float; ValueError where an expansion to first order in H - 1/2 says nothing."""
    h = checks.hurst_parameter(hurst)
    if not 0.25 <= h <= 0.75:
        raise ValueError(f"hurst must lie in [0.25, 0.75] for an expansion around 1/2, got {h}.")
    return h


def _bare_density(h: float, y: Array) -> Array:
    """The perturbative density of the maximum at 0 < y <= 7 before normalisation, same shape as y."""
    eps, x = h - 0.5, y * y / 2.0
    n = np.arange(160.0)
    ratio = (n + 1.0) / ((n + 2.5) * (n + 3.0))
    hyper = 1.0 + np.sum(np.cumprod(ratio * x[..., None], axis=-1), axis=-1)  # 2F2(1, 1; 5/2, 3; x)
    w = y**4 / 6.0 * hyper + np.pi * (1.0 - y * y) * scipy.special.erfi(y / np.sqrt(2.0)) - 3.0 * y * y
    w += np.sqrt(2.0 * np.pi) * np.exp(x) * y + (y * y - 2.0) * (np.euler_gamma + np.log(2.0 * y * y))
    return y ** (1.0 / h - 2.0) * np.exp(-x + eps * (w + 4.0 * np.log(y)))


def _perturbative_mass(h: float) -> Array:
    """Integral of `_bare_density` from 0 to each of `_PERTURBATIVE_LEVELS`."""
    nodes, weights = np.polynomial.legendre.leggauss(6)
    left, right = _PERTURBATIVE_LEVELS[:-1, None], _PERTURBATIVE_LEVELS[1:, None]
    power = 1.0 / h - 1.0  # as a function of v = y^power the integrand has no singularity at 0
    low, high = left**power, right**power
    v = low + (high - low) * (nodes + 1.0) / 2.0
    y = v ** (1.0 / power)
    density_in_v = _bare_density(h, y) * y / (power * v)
    pieces = np.sum(density_in_v * weights, axis=1) * (high - low)[:, 0] / 2.0
    return np.concatenate([[0.0], np.cumsum(pieces)])


def fbm_argmax_density(hurst: float, times: ArrayLike) -> Array:
    """Density of the time of the maximum of fBm on [0, 1], by perturbation around H = 1/2, same shape as `times`.

    The density is ``N [t(1-t)]^-H exp(eps F(t/(1-t)))`` with ``eps = H - 1/2`` and
    ``F(u) = sqrt(u) (pi - 2 atan sqrt(u)) + (pi - 2 atan(1/sqrt(u)))/sqrt(u)`` (Delorme & Wiese 2016), and N found
    numerically. At H = 1/2 it is the arcsine law. Raises ValueError outside 0.25 <= H <= 0.75 and for times outside
    (0, 1).

    >>> fbm_argmax_density(0.5, 0.5).round(6)  # 2 / pi
    np.float64(0.63662)
    """
    h = _perturbative(hurst)
    t = np.asarray(times, dtype=float)
    if not np.all((t > 0) & (t < 1)):
        raise ValueError("times must lie strictly between 0 and 1, where the process runs.")

    def tilt(time: Array) -> Array:
        root = np.sqrt(time / (1.0 - time))
        return np.exp((h - 0.5) * 2.0 * (root * np.arctan(1.0 / root) + np.arctan(root) / root))

    def inside(time: float) -> float:
        return float(tilt(np.clip(time, 1e-15, 1 - 1e-15)))

    norm = scipy.integrate.quad(inside, 0, 1, weight="alg", wvar=(-h, -h))[0]
    return (t * (1.0 - t)) ** -h * tilt(t) / norm


def fbm_exit_at_top(hurst: float, x0: ArrayLike) -> Array:
    """Probability that fBm from x0 in [0, 1] leaves the interval at 1, same shape as `x0`; x0 itself at H = 1/2.

    Its derivative is ``N [x(1-x)]^(1/H-2) exp(16 eps (C - 1)(x - 1/2)^2)`` with ``eps = H - 1/2`` and Catalan's
    constant C (Wiese 2019). It is a perturbation around H = 1/2: ValueError is raised outside 0.25 <= H <= 0.75, and
    for x0 outside [0, 1].

    >>> fbm_exit_at_top(0.5, [0.0, 0.25, 1.0]).round(6)
    array([0.  , 0.25, 1.  ])
    """
    h = _perturbative(hurst)
    x = np.asarray(x0, dtype=float)
    if not np.all((x >= 0) & (x <= 1)):
        raise ValueError("x0 must lie in [0, 1], the interval that is left.")
    power, tilt = 1.0 / h - 2.0, 16.0 * (h - 0.5) * (0.9159655941772190 - 1.0)

    def density(s: float) -> float:
        return float((1.0 - s) ** power * np.exp(tilt * (s - 0.5) ** 2))

    def below(end: float) -> float:
        return scipy.integrate.quad(density, 0.0, end, weight="alg", wvar=(power, 0.0))[0] if end > 0 else 0.0

    nearer = np.vectorize(below, otypes=[float])(np.minimum(x, 1.0 - x)) / (2.0 * below(0.5))
    return np.where(x <= 0.5, nearer, 1.0 - nearer)
