"""Residuals of series after a fit of fGn, tests whether they are white, and standard errors when their sizes cluster.

The residuals of a series with the spectrum of fGn are uncorrelated, but they need not be independent: their sizes may
come in clusters, as in GARCH models, or drift. An estimate of H is, to first order, a quadratic form
``sum_ts A(t - s) u_t u_s`` of the residuals u. If their signs are fair coins, its variance given the sizes is
``2 sum_{t != s} A(t - s)^2 u_t^2 u_s^2``. Under Gaussian white noise the variance is the same expression with the mean
of u^2 in place of every u_t^2. The ratio of the two needs only the mean products of squares at every lag, and it holds
for any pattern of the sizes.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from ..core.types import Array
from .ordinates import bands, periodogram
from .spectral import local_bandwidth, log_shapes, near_node, score_directions

_LONGEST_KERNEL = 2**15  # lags beyond half of this are left out; together they weigh less than 1e-4


def residuals(increments: Array, hurst: Array) -> Array:
    """Each series (n_series, n) divided, in frequency, by the root of the spectrum of fGn with its `hurst` (n_series,).

    The result has the same shape. The series is treated as periodic.

    >>> white = residuals(np.array([[1.0, 2.0, 4.0, 1.0]]), np.array([0.5]))
    >>> coloured(white, 0.5).round(6)
    array([[-1.,  0.,  2., -1.]])
    """
    return _filtered(increments, -0.5 * log_shapes(hurst, increments.shape[1]).logs)


def coloured(white: Array, hurst: float) -> Array:
    """The inverse of `residuals`: series (n_series, n) times, in frequency, the root of the spectrum of fGn.

    >>> coloured(np.array([[1.0, -1.0, 1.0, -1.0]]), 0.5).round(6)
    array([[ 1., -1.,  1., -1.]])
    """
    return _filtered(white, 0.5 * log_shapes(np.array([hurst]), white.shape[1]).logs)


def _filtered(series: Array, log_gain: Array) -> Array:
    """Each series less its mean, with its Fourier coefficients multiplied by ``exp(log_gain)``, given in bands."""
    n = series.shape[1]
    transform = scipy.fft.rfft(series, axis=1)
    transform[:, 0] = 0.0
    transform[:, 1:] *= bands(n).spread(np.exp(log_gain))
    filtered: Array = scipy.fft.irfft(transform, n, axis=1)
    return filtered


def kernel_length(n: int) -> int:
    """The period to which quadratic forms of n values are shortened: n, but at most 2^15.

    >>> kernel_length(1000), kernel_length(100_000)
    (1000, 32768)
    """
    return min(n, _LONGEST_KERNEL)


def whittle_score(hurst: Array, n: int) -> Array:
    """Weight of each ordinate in the derivative of the Whittle likelihood by H, (n_series, n_bands).

    The ordinates are those of a series of length `kernel_length(n)`.

    >>> whittle_score(np.array([0.3, 0.7]), 100).shape
    (2, 50)
    """
    return log_shapes(hurst, kernel_length(n)).slopes


def local_whittle_score(hurst: Array, n: int) -> Array:
    """Weight of each ordinate in the derivative of the local Whittle likelihood by H, which is the same for all H.

    The ordinates are those of a series of length `kernel_length(n)`; the result is (n_series, kernel_length(n) // 2).

    >>> local_whittle_score(np.array([0.3, 0.7]), 100).shape
    (2, 50)
    """
    length = kernel_length(n)
    logs = np.log(np.arange(1.0, local_bandwidth(n) * length // n + 1.0))
    score = np.zeros((len(hurst), length // 2))
    score[:, : logs.size] = logs - logs.mean()
    return score


def quadratic_forms(weights: Array, n: int) -> Array:
    """Kernel ``A(lag)``, (..., kernel_length(n)), of the quadratic form ``sum_j weights_j I_j`` over ordinates j.

    >>> quadratic_forms(np.array([1.0, 0.0]), 4)
    array([ 0.5,  0. , -0.5,  0. ])
    """
    length = kernel_length(n)
    padded = np.concatenate([np.zeros((*weights.shape[:-1], 1)), weights], axis=-1)
    forms: Array = scipy.fft.irfft(padded, length, axis=-1)
    return forms


def lagged_products(values: Array) -> Array:
    """Mean products of values (n_series, n) that lie a lag apart on a circle, (n_series, kernel_length(n)).

    >>> lagged_products(np.array([[1.0, -1.0, 1.0, -1.0]]))
    array([[ 1., -1.,  1., -1.]])
    """
    n = values.shape[1]
    power = np.abs(scipy.fft.rfft(values, axis=1)) ** 2
    products: Array = scipy.fft.irfft(power, n, axis=1) / n
    half = kernel_length(n) // 2
    return products if n <= _LONGEST_KERNEL else np.hstack([products[:, : half + 1], products[:, half - 1 : 0 : -1]])


def square_products(white: Array) -> Array:
    """`lagged_products` of squared residuals over their mean: about 1 beyond lag 0 if the residuals are independent.

    >>> square_products(np.array([[1.0, -1.0, 2.0, 2.0]])).round(2)
    array([[1.36, 1.  , 0.64, 1.  ]])
    """
    squares = white**2
    return lagged_products(squares / squares.mean(axis=1, keepdims=True))


def widening(forms: Array, products: Array) -> Array:
    """Ratio of the standard error of a quadratic form over all signs of the residuals to its Gaussian one, (n_series,).

    `forms` is the kernel from `quadratic_forms`, `products` the result of `square_products`.

    >>> widening(np.array([[0.0, 1.0, 1.0]]), np.array([[3.0, 2.0, 2.0]])).round(3)  # sqrt(2)
    array([1.414])
    """
    shares = forms[:, 1:] ** 2
    return np.sqrt(np.sum(shares * products[:, 1:], axis=1) / shares.sum(axis=1))


def clustering_p_values(white: Array, forms: Array) -> Array:
    """One-sided p-values of the hypothesis that the sizes of the residuals come in random order, (n_series,).

    The statistic is the sum over lags of ``A(lag)^2`` times the autocovariance of ``q / (1 + q)``, where q are the
    squares over their mean; large values cannot dominate this quantity. The mean and variance of the statistic over
    all orders of the values are exact (Moran's statistic under randomisation, Cliff & Ord 1981); its distribution is
    taken as normal. Residuals of one size have p-value 1.

    >>> sizes = np.repeat([[3.0, 1.0]], 50, axis=1)  # 50 large residuals before 50 small ones
    >>> forms = quadratic_forms(whittle_score(np.array([0.5]), 100), 100)
    >>> bool(clustering_p_values(sizes, forms)[0] < 1e-6)
    True
    """
    n, shares = float(white.shape[1]), forms**2
    shares[:, 0] = 0.0
    squares = white**2
    bounded = squares / (squares + squares.mean(axis=1, keepdims=True))
    bounded -= bounded.mean(axis=1, keepdims=True)
    second = np.mean(bounded**2, axis=1)
    total, spread = n * shares.sum(axis=1), 2.0 * n * np.sum(shares**2, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # NaN for residuals of one size, which have no order
        peak = np.mean(bounded**4, axis=1) / second**2
        moran = np.sum(shares * lagged_products(bounded), axis=1) * n / (total * second)
        plain = (n * n - 3.0 * n + 3.0) * spread - 4.0 * total**2 + 3.0 * total**2
        peaked = (n * n - n) * spread - 8.0 * total**2 + 6.0 * total**2
        moment = (n * plain - peak * peaked) / ((n - 1.0) * (n - 2.0) * (n - 3.0) * total**2)
        z = (moran + 1.0 / (n - 1.0)) / np.sqrt(moment - (n - 1.0) ** -2)
    return np.nan_to_num(scipy.stats.norm.sf(z), nan=1.0)


def fgn_p_values(increments: Array, hurst: Array, robust: NDArray[np.bool_]) -> Array:
    """p-values of the score test of fGn against ``f exp(sum_k theta_k cos(k l))``, k = 1 ... 8, (n_series,).

    Below n = 20 there are ``n // 2 - 2`` cosines, as many as the ordinates leave beside the scale and H. `hurst`
    (n_series,) must be the Whittle estimate or another one with an error of order n^-1/2: the cosines are made
    orthogonal to the slope in H, so that this error does not enter. Where `robust` (n_series,) is True, the covariance
    of the scores is that over all signs of the residuals; elsewhere it is that of Gaussian fGn.

    >>> trend = np.random.default_rng(0).standard_normal((1, 500)) + np.linspace(-2.0, 2.0, 500)
    >>> bool(fgn_p_values(trend, np.array([0.9]), np.array([False]))[0] < 1e-3)
    True
    """
    n = increments.shape[1]
    ratios = bands(n).means(periodogram(increments)) * np.exp(-log_shapes(hurst, n).logs)
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
        out[rows] = scipy.stats.chi2.sf(statistic, scores.shape[1])
    return out


def _score_covariances(increments: Array, hurst: Array, node: np.intp) -> Array:
    """Covariances of the scores over all signs of the residuals, (n_series, n_scores, n_scores)."""
    n = increments.shape[1]
    length = kernel_length(n)
    weights = bands(length).weights
    forms = quadratic_forms((score_directions(node, length) / weights[:, None]).T, n)[:, 1:]
    products = square_products(residuals(increments, hurst))[:, 1:]
    return 2.0 * length * np.array([(forms * row) @ forms.T for row in products])
