"""Samples that are shuffled in each epoch and cut into batches: checks, and the second moments of the batches."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ..core import checks
from ..core.random import next_words, seed_lane
from ..core.types import Array, Key

EPOCHS = 2**24 - 1  # the lane of a path whose random words tell its place in its epoch and its shuffles, the last one


@njit(error_model="numpy", nogil=True)
def random_phase(key: Key, path: int, n_batches: float, words: NDArray[np.uint64]) -> float:
    """The number of batches, 0 ... n_batches - 1, that a path's epoch has used up at its start; `words` is (4, 1)."""
    seed_lane(key, path, EPOCHS, words, 0)
    first, _ = next_words(words, 0)
    return float(np.floor(np.float64(np.int64(first >> np.uint64(11))) * 2.0**-53 * n_batches))


def checked_batches(n_samples: int, batch_size: int) -> tuple[int, int]:
    """Both as ints; ValueError unless a batch is smaller than the data.

    >>> checked_batches(10, 10)
    Traceback (most recent call last):
        ...
    ValueError: batch_size must be smaller than n_samples = 10, got 10. The gradient of all samples has no noise.
    """
    samples, batch = checks.count("n_samples", n_samples, 2), checks.count("batch_size", batch_size)
    if batch > samples:
        raise ValueError(f"batch_size must be at most n_samples = {samples}, got {batch}.")
    if batch == samples:
        raise ValueError(f"batch_size must be smaller than n_samples = {samples}, got {batch}. "
                         "The gradient of all samples has no noise.")  # fmt: skip
    return samples, batch


def checked_phase(phase: int, n_batches: int) -> int:
    """The number of batches that an epoch has used up at the start, from 0 to ``n_batches - 1``.

    >>> checked_phase(4, 4)
    Traceback (most recent call last):
        ...
    ValueError: phase must be less than the 4 batches of an epoch, got 4.
    """
    drawn = checks.count("phase", phase, 0)
    if drawn >= n_batches:
        raise ValueError(f"phase must be less than the {n_batches} batches of an epoch, got {drawn}.")
    return drawn


def correlation_within(n_samples: int, batch_size: int) -> float:
    """Correlation ``-1 / (N / B - 1)`` of two batches of one epoch, which are drawn without replacement.

    The samples of both have variance v and covariance ``-v / (N - 1)`` with each other; the means over B of them have
    variance ``(v / B) (N - B) / (N - 1)`` and covariance ``-v / (N - 1)``.

    >>> correlation_within(40, 10)
    -0.3333333333333333
    """
    return -batch_size / (n_samples - batch_size)


def epoch_autocorrelation(n_samples: int, batch_size: int, lags: ArrayLike) -> Array:
    """Autocorrelation of the batches at integer lags, same shape, averaged over the places in an epoch.

    Of the M batches of an epoch, M - k have a partner in it that is k steps away.

    >>> epoch_autocorrelation(40, 10, [0, 1, 2, 3, 4]).round(4).tolist()
    [1.0, -0.25, -0.1667, -0.0833, 0.0]
    """
    k, n_batches = checks.lags("lags", lags), n_samples // batch_size
    share = np.maximum(n_batches - k, 0) / n_batches
    return np.where(k == 0, 1.0, np.where(share > 0.0, correlation_within(n_samples, batch_size) * share, 0.0))
