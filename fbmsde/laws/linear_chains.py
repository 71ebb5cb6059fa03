"""Exact second moments of linear chains that are driven by any stationary noise.

A chain is ``x' = phi x + xi``, or in general ``x_k = sum_j psi_j xi_(k-1-j)`` with weights psi. The noise xi has mean 0
and enters by its autocovariance r alone: an `Autocovariance` maps integer lags to ``r(lag)``, an array of the same
shape. `white_autocovariance`, ``lambda k: fgn_autocovariance(0.3, k)``,
``lambda k: epoch_autocorrelation(k, 1437, 128)`` and the method `autocovariance` of the drivers are such functions. For
gradient descent of rate eta in a well of curvature h, ``phi = 1 - eta h``, and xi is eta times the noise of the
gradient.

* ``chain_variance(phi, autocovariance)``: stationary variance
* ``chain_second_moment(steps, x0, phi, autocovariance)``: ``E x_k^2`` after a start at the point x0
* ``chain_mean_variance(n_steps, phi, autocovariance)``: variance of the average over n steps of the stationary chain
* ``linear_chain_variance(psi, autocovariance)``, ``linear_chain_variances(psi, autocovariance)``: by weights
* ``spectral_variance(transfer, spectrum)``: the same by an integral over frequencies
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import scipy
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import AnyArray, Array

Autocovariance: TypeAlias = Callable[[AnyArray], Array]  # integer lags -> autocovariance of the noise, same shape

_MOST_TERMS = 2**24  # longer sums need more than 0.5 GB
_REST = 1e-20  # what is left out of a sum over lags, relative to its largest term
_PANEL_NODES, _PANEL_WEIGHTS = np.polynomial.legendre.leggauss(16)


def white_autocovariance(lags: ArrayLike) -> Array:
    """Autocovariance of white noise of variance 1 at integer lags, same shape as `lags`.

    >>> white_autocovariance([0, 1, 2])
    array([1., 0., 0.])
    """
    return np.where(np.asarray(lags) == 0, 1.0, 0.0)


def values_at_lags(autocovariance: Autocovariance, n_lags: int) -> Array:
    """Values of an autocovariance at the lags 0 ... n_lags - 1, checked, (n_lags,).

    Raises ValueError unless they are finite, as many as lags, and none is larger in size than that at lag 0.

    >>> values_at_lags(white_autocovariance, 2)
    array([1., 0.])
    """
    found: Array = np.asarray(autocovariance(np.arange(n_lags)), dtype=np.float64)
    if found.shape != (n_lags,):
        raise ValueError(f"autocovariance must return one value for each lag, got shape {found.shape} for {n_lags}.")
    if not np.all(np.isfinite(found)):
        raise ValueError(f"autocovariance must be finite, got {found[~np.isfinite(found)][0]}.")
    if np.any(np.abs(found) > found[0] * (1.0 + 1e-12)):
        worst = int(np.argmax(np.abs(found)))
        raise ValueError(f"autocovariance must be largest at lag 0, got {found[worst]:.6g} at lag {worst}.")
    return found


def memory_of(modulus: float) -> int:
    """The number of steps after which a chain with this largest modulus of its roots has forgotten a start.

    Powers of the modulus, multiplied by their exponent as for a double root, are then negligible. Raises ValueError
    unless the modulus lies in [0, 1), and for chains that need more than 2^24 steps.

    >>> memory_of(0.0), memory_of(0.5)
    (2, 70)
    """
    if not 0.0 <= modulus < 1.0:
        raise ValueError(f"chain must be stable, got one whose deviations grow by {modulus:.6g} a step.")
    if modulus < 1e-20:
        return 2
    steps = (math.log(_REST) + 2.0 * math.log1p(-modulus)) / math.log(modulus)
    if steps > _MOST_TERMS:
        raise ValueError(f"chain must forget its start within 2^24 steps, got about {steps:.3g}. Take a larger step.")
    return math.ceil(steps) + 1


def chain_variance(phi: float, autocovariance: Autocovariance) -> float:
    """Stationary variance ``(r_0 + 2 sum_k r_k phi^k) / (1 - phi^2)`` of ``x' = phi x + xi``.

    It follows from ``Var x = phi^2 Var x + r_0 + 2 phi Cov(x, xi)`` and ``Cov(x, xi) = sum_k phi^(k-1) r_k``. The sum
    ends where its terms no longer count. Raises ValueError unless -1 < phi < 1, for chains that need more than 2^24
    terms (``1 - |phi|`` below about 5e-6), and for an autocovariance that gives no positive variance.

    >>> round(chain_variance(0.5, white_autocovariance), 6)
    1.333333
    """
    p = _contraction(phi)
    r = values_at_lags(autocovariance, memory_of(abs(p)))
    driven = float(r[0] + 2.0 * np.dot(r[1:], p ** np.arange(1.0, r.size)))
    return positive_variance(driven) / (1.0 - p * p)


def chain_second_moment(steps: ArrayLike, x0: float, phi: float, autocovariance: Autocovariance) -> Array:
    """``E x_k^2`` of ``x' = phi x + xi`` after a start at the point `x0`, at the numbers of steps k, same shape.

    It is ``phi^(2k) x0^2 + V_k`` with ``V_(k+1) = phi^2 V_k + r_0 + 2 sum_(j=1..k) phi^j r_j`` and ``V_0 = 0``, exact
    for every stationary noise. `phi` may be -1 and 1 as well; at 1, V_k is the variance of the sum of k values of the
    noise. Raises ValueError for negative numbers of steps and unless -1 <= phi <= 1.

    >>> chain_second_moment([0, 1, 2], 2.0, 0.5, white_autocovariance)
    array([4. , 2. , 1.5])
    """
    p, start = checks.finite("phi", phi), checks.finite("x0", x0)
    if abs(p) > 1.0:
        raise ValueError(f"phi must lie in [-1, 1], got {p}.")
    k = step_numbers(steps)
    longest = int(k.max(initial=0))
    r = values_at_lags(autocovariance, longest + 1)
    driven = 2.0 * np.cumsum(r[:longest] * p ** np.arange(longest)) - r[0]
    variances = np.concatenate([[0.0], scipy.signal.lfilter([1.0], [1.0, -p * p], driven)])
    return p ** (2.0 * k) * start**2 + variances[k]


def chain_mean_variance(n_steps: ArrayLike, phi: float, autocovariance: Autocovariance) -> Array:
    """Variance of the average of n states of the stationary chain ``x' = phi x + xi``, shape of `n_steps`.

    It is ``(R_0 + 2 sum_k (1 - k/n) R_k) / n`` with the autocovariance R of the chain. For fractional Gaussian noise it
    falls like ``n^(2H-2) / (1 - phi)^2``, because the sum of x is the sum of xi over ``1 - phi`` up to a bounded rest.
    Raises ValueError unless -1 < phi < 1 and all n are at least 1.

    >>> chain_mean_variance([1, 2], 0.5, white_autocovariance).round(6)  # 4/3 and 4/3 (1 + 1/2)/2
    array([1.333333, 1.      ])
    """
    n = step_numbers(n_steps)
    if np.any(n < 1):
        raise ValueError(f"n_steps must be at least 1, got {int(n.min())}.")
    r = chain_autocovariance(int(n.max(initial=1)), phi, autocovariance)
    lags = np.arange(r.size)
    plain, weighted = np.cumsum(r), np.cumsum(r * lags)  # sums over lags 0 ... k
    return (2.0 * (plain[n - 1] - weighted[n - 1] / n) - r[0]) / n


def chain_autocovariance(n_lags: int, phi: float, autocovariance: Autocovariance) -> Array:
    """Autocovariance of the stationary chain ``x' = phi x + xi`` at the lags 0 ... n_lags - 1.

    ``R_(k+1) = phi R_k + c_k`` with ``c_k = Cov(x_0, xi_k) = sum_(j>=1) phi^(j-1) r_(k+j)``. Raises what
    `chain_variance` raises.

    >>> chain_autocovariance(3, 0.5, white_autocovariance).round(6)
    array([1.333333, 0.666667, 0.333333])
    """
    n = checks.count("n_lags", n_lags)
    start = chain_variance(phi, autocovariance)
    p, memory = float(phi), memory_of(abs(float(phi)))
    r = values_at_lags(autocovariance, n + memory)
    ahead = scipy.signal.lfilter([1.0], [1.0, -p], r[:0:-1])[::-1][: n - 1]
    return np.concatenate([[start], scipy.signal.lfilter([1.0], [1.0, -p], ahead + np.eye(1, n - 1)[0] * p * start)])


def linear_chain_variances(psi: ArrayLike, autocovariance: Autocovariance) -> Array:
    """Variances of ``x_k = sum_(j<k) psi_j xi_(k-1-j)`` for k = 0 ... n, (n + 1,), where n is the number of weights.

    ``V_(k+1) = V_k + psi_k^2 r_0 + 2 psi_k sum_(i<k) psi_i r_(k-i)``; the inner sums are one convolution by FFT. The
    last value is `linear_chain_variance`.

    >>> linear_chain_variances([1.0, -1.0], white_autocovariance)
    array([0., 1., 2.])
    """
    weights = np.asarray(psi, dtype=float)
    if weights.ndim != 1 or weights.size == 0 or not np.all(np.isfinite(weights)):
        raise ValueError(f"psi must be a row of finite weights, got shape {weights.shape}.")
    r = values_at_lags(autocovariance, weights.size)
    r_past = np.where(np.arange(r.size) > 0, r, 0.0)
    past = scipy.signal.fftconvolve(weights, r_past)[: weights.size]
    return np.concatenate([[0.0], np.cumsum(weights * (weights * r[0] + 2.0 * past))])


def linear_chain_variance(psi: ArrayLike, autocovariance: Autocovariance) -> float:
    """Variance ``sum_ij psi_i psi_j r_(i-j)`` of ``sum_j psi_j xi_(-j)``: of a linear chain with finitely many weights.

    A stable chain has infinitely many weights that fall geometrically: give as many as count. Raises ValueError for
    weights that are not finite and for an autocovariance that gives no positive variance.

    >>> linear_chain_variance([1.0, 0.5], lambda k: 0.5 ** np.abs(k))  # 1 + 1/4 + 2 (1/2)(1/2)
    1.75
    """
    return positive_variance(float(linear_chain_variances(psi, autocovariance)[-1]))


def spectral_variance(transfer: Callable[[Array], Array], spectrum: Callable[[Array], Array]) -> float:
    """Variance ``(1/2pi) int f(l) |T(l)|^2 dl`` over -pi < l < pi of a linear chain with the transfer function T.

    `spectrum` f is normalised to ``(1/2pi) int f = r_0``, and T is ``sum_j psi_j exp(-ijl)``, for a chain
    ``x' = phi x + xi`` the function ``1 / (1 - phi exp(-il))``. Both are even in absolute value and are given l in
    (0, pi]. The integral runs over panels that halve towards l = 0, down to ``pi 2^-100``; what lies below is that of
    the power law through the last panel. A peak of T must be wider than about a hundredth of its frequency. Raises
    ValueError for a spectrum that is not integrable at 0 or negative somewhere.

    >>> from fbmsde.laws.fgn import fgn_spectrum
    >>> round(spectral_variance(lambda l: 1 / (1 - 0.9 * np.exp(-1j * l)), lambda l: fgn_spectrum(0.5, l)), 6)
    5.263158
    """

    def density(frequency: Array) -> Array:
        return np.asarray(spectrum(frequency)) * np.abs(transfer(frequency)) ** 2

    octaves = np.concatenate([np.full(40, 64), np.full(60, 4)])
    steps = (np.pi * 2.0**-j * np.linspace(1.0, 0.5, n + 1)[1:] for j, n in enumerate(octaves))
    edges = np.concatenate([[np.pi], *steps])
    left, width = edges[1:], -np.diff(edges)
    values = density(left[:, None] + width[:, None] * (_PANEL_NODES + 1.0) / 2.0)
    if np.any(values < 0.0) or not np.all(np.isfinite(values)):
        raise ValueError(f"spectrum must be finite and at least 0, got {float(values.min())}.")
    low, high = density(np.array([edges[-1], 2.0 * edges[-1]]))
    power = math.log2(high / low) if low > 0.0 else 0.0
    if power <= -1.0:
        raise ValueError(f"spectrum must be integrable at frequency 0, got one that rises there like l^{power:.3g}.")
    rest = low * edges[-1] / (1.0 + power)
    return (float(width @ (values @ _PANEL_WEIGHTS)) / 2.0 + float(rest)) / math.pi


def step_numbers(steps: ArrayLike) -> np.ndarray:
    """Whole numbers of steps as an array of integers; TypeError for others, ValueError for negative ones.

    >>> step_numbers([0, 2.0])
    array([0, 2])
    """
    given = checks.array("steps", steps)
    if np.any(given != np.floor(given)) or not np.all(np.isfinite(given)):
        raise TypeError(f"steps must be whole numbers, got {steps!r}.")
    if np.any(given < 0):
        raise ValueError(f"steps must be at least 0, got {given.min():g}.")
    return given.astype(np.int64)


def positive_variance(variance: float) -> float:
    """The variance; ValueError if it is negative, which the autocovariance of no noise gives.

    >>> positive_variance(0.5)
    0.5
    """
    if variance < 0.0:
        raise ValueError(f"autocovariance must be positive definite, got one that gives a variance of {variance:.6g}.")
    return variance


def _contraction(phi: float) -> float:
    """The factor as a float; ValueError unless it lies strictly between -1 and 1."""
    p = checks.finite("phi", phi)
    if not -1.0 < p < 1.0:
        raise ValueError(f"phi must lie in (-1, 1), got {p}. Other chains have no stationary state.")
    return p
