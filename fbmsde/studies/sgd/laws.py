"""Gradient noise described by three laws: white noise, fractional Gaussian noise, and batches of shuffled epochs."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import NDArray

from ...core.types import Array
from ...hurst.spectral import whittle
from ...laws.epochs import batches_per_epoch, epoch_autocorrelation, epoch_correlation
from ...laws.fgn import fgn_autocovariance
from ...results.estimates import Estimate
from ...results.gradient_runs import Curves, Laws

Mask = NDArray[np.bool_]

LAGS = 100  # of the autocorrelation that is kept
_SHORTEST_BLOCK = 16  # steps
_DETERMINED = 1e-9  # conditional variance of a batch that the others of its epoch determine
_HURST_RANGE = (0.02, 0.98)


def epoch_innovations(noise: Array, correlation: float, n_batches: int) -> tuple[Array, Array]:
    """Errors of the best prediction of each batch from those before it in its epoch, and their variances.

    `noise` is (n_coordinates, n_steps) with an epoch of `n_batches` steps at its start. The errors have the shape of
    `noise`; the variances, (n_steps,), are in units of the variance of a batch. Batches of an epoch have the same
    `correlation` c with each other, so that the sum S of the first j of them tells all: the next has the mean
    ``c S / (1 + (j - 1) c)`` and the variance ``1 - j c^2 / (1 + (j - 1) c)`` (conditional normal law).

    >>> errors, variances = epoch_innovations(np.array([[1.0, 2.0, 3.0]]), -0.5, 2)
    >>> errors.tolist(), variances.tolist()
    ([[1.0, 2.5, 3.0]], [1.0, 0.75, 1.0])
    """
    steps = np.arange(noise.shape[1])
    before = steps % n_batches  # batches of the epoch that were drawn before
    sums = np.concatenate([np.zeros((len(noise), 1)), np.cumsum(noise, axis=1)], axis=1)
    drawn = sums[:, steps] - sums[:, steps - before]
    weight = 1.0 + (before - 1) * correlation
    weight[before == 0] = 1.0
    return noise - correlation * drawn / weight, 1.0 - before * correlation**2 / weight


def fgn_innovations(noise: Array, hurst: float) -> tuple[Array, Array]:
    """Errors of the best prediction of each value from all before it under unit fGn, and their variances (n_steps,).

    >>> errors, variances = fgn_innovations(np.array([[1.0, 2.0]]), 0.5)
    >>> errors.tolist(), variances.tolist()
    ([[1.0, 2.0]], [1.0, 1.0])
    """
    covariance = scipy.linalg.toeplitz(fgn_autocovariance(hurst, np.arange(noise.shape[1])))
    factor = scipy.linalg.cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
    scale = np.diag(factor)
    errors = scipy.linalg.solve_triangular(factor, noise.T, lower=True, check_finite=False).T * scale
    return errors, scale**2


def log_scores(innovations: tuple[Array, Array], scored: Mask) -> Array:
    """Log density of each scored step given the steps before it, in nats, as a mean over the coordinates, (n_scored,).

    Every coordinate has a scale of its own, the one that makes its Gaussian likelihood largest. `scored` marks the
    steps that count.

    >>> log_scores((np.array([[1.0, -1.0]]), np.ones(2)), np.array([True, True])).round(4).tolist()
    [-1.4189, -1.4189]
    """
    errors, variances = innovations[0][:, scored], innovations[1][scored]
    squares = errors**2 / variances
    scales = squares.mean(axis=1, keepdims=True)
    return np.mean(-0.5 * (np.log(2.0 * math.pi * scales * variances) + squares / scales), axis=0)


def describe(noise: Array, n_samples: int, batch_size: int) -> Laws:
    """How well white noise, fGn and the law of epochs describe noise (n_coordinates, n_steps) of shuffled epochs.

    The noise begins with an epoch, and every coordinate varies. Each law predicts each step from those before it, and
    its score is the log density of what came. All laws have a free scale for each coordinate. White noise has no other
    parameter, fGn has one H for all coordinates, the median of Whittle's estimates, and the law of epochs has none: its
    correlation and its number of batches follow from `n_samples` and `batch_size`.

    A batch that the others of its epoch determine, the last one where the batch size divides the number of samples, is
    scored for no law. The intervals are Student's, from the means of blocks of whole epochs, which are independent.

    >>> rng = np.random.default_rng(0)
    >>> white = rng.standard_normal((5, 300, 4))
    >>> sums_to_zero = (white - white.mean(axis=2, keepdims=True)).reshape(5, 1200)
    >>> found = describe(sums_to_zero, 80, 20)
    >>> found.n_batches, round(found.correlation, 3), found.lead.low > 0.0
    (4, -0.333, True)
    """
    n_batches, correlation = batches_per_epoch(n_samples, batch_size), epoch_correlation(n_samples, batch_size)
    epoch = epoch_innovations(noise, correlation, n_batches)
    scored = epoch[1] > _DETERMINED
    white = log_scores((noise, np.ones(noise.shape[1])), scored)
    hurst = float(np.median(np.clip(whittle(noise).hurst, *_HURST_RANGE)))
    gains = {"fgn": log_scores(fgn_innovations(noise, hurst), scored) - white,
             "epoch": log_scores(epoch, scored) - white}  # fmt: skip
    per_block = n_batches * math.ceil(_SHORTEST_BLOCK / n_batches)
    number = (np.arange(noise.shape[1]) // per_block)[scored]
    kept = number < noise.shape[1] // per_block
    told = _teller(number[kept], kept)
    return Laws(
        n_batches=n_batches, correlation=correlation, hurst=hurst,
        fgn=told(gains["fgn"]), epoch=told(gains["epoch"]), lead=told(gains["epoch"] - gains["fgn"]),
        expected=float(-0.5 * np.mean(np.log(epoch[1][scored]))),
        autocorrelation=_curves(noise, hurst, n_samples, batch_size),
    )  # fmt: skip


def _curves(noise: Array, hurst: float, n_samples: int, batch_size: int) -> Curves:
    """The autocorrelation that was measured, and that of the laws."""
    measured = autocorrelation(noise, min(2 * batches_per_epoch(n_samples, batch_size), LAGS))
    lags = np.arange(1, measured.size + 1)
    laws = fgn_autocovariance(hurst, lags), epoch_autocorrelation(lags, n_samples, batch_size)
    return Curves(*(tuple(values.tolist()) for values in (measured, *laws)))


def _teller(block: NDArray[np.int64], kept: Mask) -> Callable[[Array], Estimate]:
    """The function that takes gains of steps to their mean with a 95 % interval from the means of the blocks.

    `block` has the number of the block of each step that is kept. The interval is NaN for fewer than two blocks, and
    the mean is over all steps then.
    """
    counts = np.bincount(block) if block.size else np.zeros(0)

    def told(gains: Array) -> Estimate:
        if counts.size < 2:
            return Estimate(float(gains.mean()), math.nan, math.nan)
        return mean_of_blocks(np.bincount(block, gains[kept]) / counts)

    return told


def mean_of_blocks(means: Array) -> Estimate:
    """Mean of independent values with its 95 % interval by Student's t.

    >>> mean_of_blocks(np.array([1.0, 3.0])).value
    2.0
    """
    half = float(scipy.stats.t.isf(0.025, means.size - 1)) * float(means.std(ddof=1)) / math.sqrt(means.size)
    value = float(means.mean())
    return Estimate(value, value - half, value + half)


def autocorrelation(noise: Array, n_lags: int) -> Array:
    """Autocorrelation at lags 1 to `n_lags`, at most half the length, about zero, as a mean over the coordinates.

    >>> autocorrelation(np.array([[1.0, -1.0, 1.0, -1.0]]), 2).tolist()
    [-1.0, 1.0]
    """
    n = noise.shape[1]
    variance = np.mean(noise**2, axis=1)
    return np.array([
        np.mean(np.mean(noise[:, k:] * noise[:, :-k], axis=1) / variance) for k in range(1, min(n_lags, n // 2) + 1)
    ])  # fmt: skip
