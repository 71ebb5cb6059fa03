"""What is left of series when fGn is fitted and filtered out: is it white, do its squares cluster, and what follows.

A series may have the spectrum of fGn although its residuals are merely uncorrelated: their sizes may come in clusters,
as in GARCH models, or drift. An estimate of H is, to first order, a quadratic form ``sum_ts A(t - s) u_t u_s`` of the
residuals u. If their signs are fair coins, its variance given the sizes is ``2 sum_{t != s} A(t - s)^2 u_t^2 u_s^2``.
Under Gaussian white noise the variance is the same expression with the mean of u^2 in place of every u_t^2. The ratio
of the two needs only the products of squares at every lag, and holds for any pattern of the sizes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, stats

from ..core.types import Array
from .ordinates import bands, periodogram
from .spectral import local_bandwidth, log_shapes, near_node, score_directions

_LONGEST_KERNEL = 2**15  # lags beyond half of this, which weigh less than 1e-4 together, are left out


def residuals(increments: Array, hurst: Array) -> Array:
    """Series (n_series, n) divided by the root of the spectrum of fGn with each one's `hurst`, on the circle."""
    return _filtered(increments, -0.5 * log_shapes(hurst, increments.shape[1])[0])


def coloured(white: Array, hurst: float) -> Array:
    """Series (n_series, n) times the root of the spectrum of fGn: the inverse of `residuals`."""
    return _filtered(white, 0.5 * log_shapes(np.array([hurst]), white.shape[1])[0])


def _filtered(series: Array, log_gain: Array) -> Array:
    """Series with each Fourier coefficient multiplied by a gain given in bands, and without their mean."""
    n = series.shape[1]
    transform = fft.rfft(series, axis=1)
    transform[:, 0] = 0.0
    transform[:, 1:] *= bands(n).spread(np.exp(log_gain))
    filtered: Array = fft.irfft(transform, n, axis=1)
    return filtered


def kernel_length(n: int) -> int:
    """The length of the circle on which quadratic forms of n values are computed."""
    return min(n, _LONGEST_KERNEL)


def whittle_score(hurst: Array, n: int) -> Array:
    """Weights of the ordinates of the kernel's length in the derivative of the Whittle likelihood, (n_series, ...)."""
    return log_shapes(hurst, kernel_length(n))[1]


def local_whittle_score(hurst: Array, n: int) -> Array:
    """The same for the local Whittle likelihood, which does not depend on H."""
    length = kernel_length(n)
    logs = np.log(np.arange(1.0, local_bandwidth(n) * length // n + 1.0))
    score = np.zeros((len(hurst), length // 2))
    score[:, : logs.size] = logs - logs.mean()
    return score


def quadratic_forms(weights: Array, n: int) -> Array:
    """``A(lag)`` on the circle, (..., kernel_length(n)), of ``sum_j weights_j I_j`` over the ordinates j."""
    length = kernel_length(n)
    padded = np.concatenate([np.zeros((*weights.shape[:-1], 1)), weights], axis=-1)
    forms: Array = fft.irfft(padded, length, axis=-1)
    return forms


def lagged_products(values: Array) -> Array:
    """Mean products of values (n_series, n) a lag apart on the circle, (n_series, kernel_length(n))."""
    n = values.shape[1]
    power = np.abs(fft.rfft(values, axis=1)) ** 2
    products: Array = fft.irfft(power, n, axis=1) / n
    half = kernel_length(n) // 2
    return products if n <= _LONGEST_KERNEL else np.hstack([products[:, : half + 1], products[:, half - 1 : 0 : -1]])


def square_products(white: Array) -> Array:
    """`lagged_products` of the squares of residuals over their squared mean: 1 at every lag but 0 for white noise."""
    squares = white**2
    return lagged_products(squares / squares.mean(axis=1, keepdims=True))


def widening(forms: Array, products: Array) -> Array:
    """Standard error of a quadratic form over all signs of the residuals over its Gaussian one, (n_series,)."""
    shares = forms[:, 1:] ** 2
    return np.sqrt(np.sum(shares * products[:, 1:], axis=1) / shares.sum(axis=1))


def clustering_p_values(white: Array, forms: Array) -> Array:
    """One-sided p-values of "the sizes of the residuals are in random order", (n_series,).

    The statistic is the sum over lags of ``A(lag)^2`` times the autocovariance of ``q / (1 + q)``, q the squares over
    their mean, which large values cannot dominate. Its mean and variance over all orders of the values are exact
    (Moran's statistic under randomisation, Cliff & Ord 1981), its distribution is taken as normal.
    """
    n, shares = float(white.shape[1]), forms**2
    shares[:, 0] = 0.0
    squares = white**2
    bounded = squares / (squares + squares.mean(axis=1, keepdims=True))
    bounded -= bounded.mean(axis=1, keepdims=True)
    second = np.mean(bounded**2, axis=1)
    total, spread = n * shares.sum(axis=1), 2.0 * n * np.sum(shares**2, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # residuals of one size: NaN, in no order
        peak = np.mean(bounded**4, axis=1) / second**2
        moran = np.sum(shares * lagged_products(bounded), axis=1) * n / (total * second)
        plain = (n * n - 3.0 * n + 3.0) * spread - 4.0 * total**2 + 3.0 * total**2
        peaked = (n * n - n) * spread - 8.0 * total**2 + 6.0 * total**2
        moment = (n * plain - peak * peaked) / ((n - 1.0) * (n - 2.0) * (n - 3.0) * total**2)
        z = (moran + 1.0 / (n - 1.0)) / np.sqrt(moment - (n - 1.0) ** -2)
    return np.nan_to_num(stats.norm.sf(z), nan=1.0)


def fgn_p_values(increments: Array, hurst: Array, robust: NDArray[np.bool_]) -> Array:
    """p-values of the score test of fGn against ``f exp(sum_k theta_k cos(k l))``, k = 1 ... 8, (n_series,).

    Below n = 20 there are ``n // 2 - 2`` cosines, as many as the ordinates leave beside the scale and H.
    `hurst` must be the Whittle estimate (or another one of error n^-1/2): the cosines are made orthogonal to the slope
    in H, so that its error does not enter. Where `robust`, the covariance of the scores is that over all signs of the
    residuals, elsewhere that of Gaussian fGn.
    """
    n = increments.shape[1]
    ratios = bands(n).means(periodogram(increments)) * np.exp(-log_shapes(hurst, n)[0])
    weights = bands(n).weights
    ratios /= (ratios @ weights / weights.sum())[:, None]
    nearest, out = near_node(hurst), np.empty(len(hurst))
    for node in np.unique(nearest):
        rows = np.flatnonzero(nearest == node)
        scores = (ratios[rows] - 1.0) @ score_directions(node, n)
        statistic = np.sum(scores**2, axis=1)
        if robust[rows].any():
            unsure = robust[rows]
            covariances = _score_covariances(increments[rows[unsure]], hurst[rows[unsure]], node)
            inverse = np.linalg.pinv(covariances, hermitian=True)
            statistic[unsure] = np.einsum("ik,ikl,il->i", scores[unsure], inverse, scores[unsure])
        out[rows] = stats.chi2.sf(statistic, scores.shape[1])
    return out


def _score_covariances(increments: Array, hurst: Array, node: np.intp) -> Array:
    """Covariances of the scores over all signs of the residuals, (n_series, n_scores, n_scores)."""
    n = increments.shape[1]
    length = kernel_length(n)
    weights = bands(length).weights
    forms = quadratic_forms((score_directions(node, length) / weights[:, None]).T, n)[:, 1:]
    products = square_products(residuals(increments, hurst))[:, 1:]
    return 2.0 * length * np.array([(forms * row) @ forms.T for row in products])
