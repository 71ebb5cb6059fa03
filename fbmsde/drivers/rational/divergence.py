"""Kullback-Leibler divergence (KL) between the law of a stationary Gaussian noise and that of a rational model."""

from __future__ import annotations

import numpy as np
import scipy

from ...core.cache import kernel
from ...core.types import Array
from .model import RationalModel
from .targets import Nodes, Target, frequency_nodes

_BLOCKS = 4096  # size of the matrices with which the estimate accounts for the ends of the path
_WAVES = 10.0  # the spectral integral starts here, in units of 1/n


@kernel
def durbin_levinson(gamma: Array) -> tuple[Array, Array]:
    """Prediction-error filter (n,) of the last value from the n - 1 before it, and the n prediction variances."""
    n = gamma.size
    filt, old, variances = np.zeros(n), np.zeros(n), np.empty(n)
    filt[0], variances[0] = 1.0, gamma[0]
    for m in range(1, n):
        dot = 0.0
        for j in range(m):
            dot += filt[j] * gamma[m - j]
        partial = -dot / variances[m - 1]
        old[:m] = filt[:m]
        for j in range(1, m):
            filt[j] += partial * old[m - j]
        filt[m] = partial
        variances[m] = variances[m - 1] * (1.0 - partial) * (1.0 + partial)
    return filt, variances


def gaussian_kl(exact: Array, model: Array) -> float:
    """KL(exact || model) in nats of two stationary Gaussian paths, from their autocovariances (n,) at lags 0 ... n-1.

    ``KL = (1/2) [tr(G^-1 (F - G)) + sum log(v_G / v_F)]`` with the covariance matrices F (exact) and G (model) and the
    prediction variances v of both. ``G^-1`` is a difference of products of triangular Toeplitz matrices of the last
    predictor (Gohberg & Semencul 1972). Its diagonals therefore have closed sums, which cost O(n^2) time and O(n)
    memory.

    >>> round(gaussian_kl(np.array([1.0, 0.0]), np.array([2.0, 0.0])), 6)  # log(2) - 1/2
    0.193147
    """
    n = exact.size
    _, exact_variances = durbin_levinson(exact)
    filt, model_variances = durbin_levinson(model)
    size = scipy.fft.next_fast_len(2 * n, real=True)
    transform = scipy.fft.rfft(filt, size)
    lag = np.arange(n)
    plain = scipy.fft.irfft(np.conj(transform) * transform, size)[:n]
    linear = scipy.fft.irfft(transform * np.conj(scipy.fft.rfft(lag * filt, size)), size)[:n]
    diagonals = ((n - lag) * plain - 2.0 * linear) / model_variances[-1]
    diagonals[1:] *= 2.0
    trace = float(np.sum(diagonals * (exact - model)))
    return 0.5 * (trace + float(np.sum(np.log(model_variances / exact_variances))))


def exact_kl(model: RationalModel, target: Target, n_steps: int) -> float:
    """KL in nats of a whole path of n_steps increments, from the two covariance matrices."""
    lags = np.arange(n_steps)
    return gaussian_kl(target.autocovariance(lags), model.autocovariance(lags))


def estimated_kl(model: RationalModel, target: Target, n_steps: int) -> float:
    """Estimate of the KL in nats of a path of n_steps >= 4096 increments.

    The sums over 4096 blocks have an exact KL, which is a lower bound. The steps within the blocks add the spectral
    integral for the steps minus that for the block sums. The ends of the path blur frequencies of a few times 1/n only,
    and do so equally in both integrals.
    """
    block = n_steps // _BLOCKS
    n_blocks = n_steps // block
    scale = 1.0 / target.block_scale(block)
    blocks = scale * model.block_autocovariance(block, n_blocks)
    coarse = gaussian_kl(target.block_autocovariance(block, n_blocks), blocks)
    freq, weight = _waves(target.nodes(n_steps), n_steps)
    steps = _spectral_kl(target.spectrum(freq), model.spectrum(freq), n_steps * weight)
    freq, weight = _waves(frequency_nodes(n_blocks), n_blocks)
    own = scale * model.block_spectrum(block, freq)
    hidden = _spectral_kl(target.block_spectrum(block, freq), own, n_blocks * weight)
    return coarse + steps - hidden


def _waves(nodes: Nodes, n_steps: int) -> tuple[Array, Array]:
    """The nodes above 10/n, and their weights."""
    keep = nodes.freq * n_steps > _WAVES
    return nodes.freq[keep], nodes.weight[keep]


def _spectral_kl(exact: Array, model: Array, weights: Array) -> float:
    """``(1/2pi) sum of weights * (f/g - 1 - log f/g)``."""
    ratio = (exact - model) / model
    return float(np.sum(weights * (ratio - np.log1p(ratio)))) / (2.0 * np.pi)


def worst_frequency(model: RationalModel, target: Target, n_steps: int) -> float:
    """The frequency in [1/n, pi] around which the model adds most to the divergence per step."""
    freq, weight, _ = target.nodes(n_steps)
    ratio = target.spectrum(freq) / model.spectrum(freq)
    share = np.where(freq * n_steps >= 1.0, weight * (ratio - 1.0 - np.log(ratio)), 0.0)
    return float(freq[np.argmax(share)])


def error_lags(n_steps: int) -> Array:
    """The lags at which the largest errors are looked for: all up to 4096, and 1000 larger ones spaced evenly in log.

    >>> error_lags(4)
    array([0., 1., 2., 3., 4.])
    """
    near = np.arange(min(n_steps, 4096) + 1)
    far = np.geomspace(4096, n_steps, 1000).round() if n_steps > 4096 else np.empty(0)
    return np.unique(np.concatenate([near, far]))
