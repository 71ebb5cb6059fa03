"""Samples that are shuffled in each epoch and cut into batches: checks, and the place of a path in its epoch."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..core import checks
from ..core.random import next_words, seed_lane
from ..core.types import Key

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
