"""The law of the gradient noise of batches that are cut from shuffled epochs.

N samples are shuffled at the beginning of each epoch and cut into ``M = floor(N / B)`` batches of B samples; the rest
is left out. Batches of one epoch share no sample, which makes their noise negatively correlated. All formulas are those
of sampling from a finite population without replacement (Cochran, Sampling Techniques, simple random sampling); no
parameter is fitted. The noise is that of a unit marginal variance unless a function says otherwise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array


def batches_per_epoch(n_samples: int, batch_size: int) -> int:
    """The number ``M = floor(N / B)`` of whole batches in an epoch.

    Raises ValueError unless ``1 <= batch_size < n_samples``: a batch of all samples has no noise.

    >>> batches_per_epoch(1437, 128)
    11
    """
    n = checks.count("n_samples", n_samples, 2)
    b = checks.count("batch_size", batch_size)
    if b >= n:
        raise ValueError(f"batch_size must be below n_samples = {n}, got {b}. A batch of all samples has no noise.")
    return n // b


def epoch_correlation(n_samples: int, batch_size: int) -> float:
    """Correlation ``c = -1 / (N/B - 1)`` of the noise of two batches of the same epoch.

    Two batch means without common samples have the covariance ``-S^2/N``, and each has the variance
    ``S^2 (1/B - 1/N)``, where S^2 is the variance of the population with the divisor N - 1. If B is more than half of
    N, an epoch has a single batch, and c, which is then below -1, is the correlation of no two batches.

    >>> round(epoch_correlation(1437, 128), 6)
    -0.097785
    """
    batches_per_epoch(n_samples, batch_size)
    return -batch_size / (n_samples - batch_size)


def epoch_autocorrelation(lags: ArrayLike, n_samples: int, batch_size: int) -> Array:
    """Autocorrelation of epoch noise at integer lags, averaged over the place in the epoch, same shape as `lags`.

    Of all pairs of steps at lag k < M a share ``(M - k)/M`` lies in one epoch, so that ``rho_k = c (M - k)/M`` with the
    correlation c of `epoch_correlation`; from lag M on the autocorrelation is 0. A noise whose first epoch is entered
    at a uniform random place is stationary in its first two moments and has exactly this autocorrelation.

    >>> epoch_autocorrelation([0, 1, 2, 3, 4], 120, 30).round(4)
    array([ 1.    , -0.25  , -0.1667, -0.0833,  0.    ])
    """
    whole = batches_per_epoch(n_samples, batch_size)
    k = checks.lags("lags", lags)
    same = epoch_correlation(n_samples, batch_size) * (whole - k) / whole
    return np.where(k == 0, 1.0, np.where(k < whole, same, 0.0))


def epoch_variance(n_samples: int, batch_size: int, replacement: bool = False) -> float:
    """Variance of a batch's mean around the mean of all samples, over the variance of the samples (divisor N).

    It is ``(N - B) / ((N - 1) B)`` without replacement and ``1/B`` with replacement.

    >>> epoch_variance(101, 1), epoch_variance(101, 51), epoch_variance(101, 50, replacement=True)
    (1.0, 0.00980392156862745, 0.02)
    """
    batches_per_epoch(n_samples, batch_size)
    fresh = 1.0 / batch_size
    return fresh if replacement else fresh * (n_samples - batch_size) / (n_samples - 1)
