"""Exact Gaussian paths by circulant embedding in NumPy alone, for tests that need no compiler."""

from __future__ import annotations

import numpy as np
from scipy import fft

from fbmsde.laws import fgn


def stationary_paths(covariances: np.ndarray, n_paths: int, seed: int) -> np.ndarray:
    """Paths of a stationary Gaussian process with these covariances at lags 0 ... n, (n_paths, n), by circulants."""
    n = covariances.size - 1
    eigenvalues = fft.fft(np.concatenate([covariances, covariances[-2:0:-1]])).real
    z = np.random.default_rng(seed).standard_normal((n_paths // 2, 2 * n, 2)).view(complex)[..., 0]
    pairs = fft.fft(z * np.sqrt(np.maximum(eigenvalues, 0.0) / (2 * n)), axis=1)[:, :n]
    return np.concatenate([pairs.real, pairs.imag])


def fbm_paths(hurst: float, n: int, n_paths: int, seed: int) -> np.ndarray:
    """Paths of fBm on [0, 1] with their start, (n_paths, n + 1)."""
    noise = stationary_paths(fgn.fgn_autocovariance(hurst, np.arange(n + 1)), n_paths, seed)
    return np.concatenate([np.zeros((n_paths, 1)), np.cumsum(noise, axis=1)], axis=1) * n**-hurst
