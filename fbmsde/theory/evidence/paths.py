"""Exact Gaussian paths by circulant embedding, in NumPy alone, and what is seen of them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

from ...core.types import Array
from ...laws import fgn, fou
from ...laws.extremes import barrier_shift


def stationary_paths(covariances: Array, n_paths: int, seed: int) -> Array:
    """Paths of a stationary Gaussian process with these covariances at lags 0 ... n, (n_paths, n); n_paths is even."""
    n = covariances.size - 1
    eigenvalues = scipy.fft.fft(np.concatenate([covariances, covariances[-2:0:-1]])).real
    z = np.random.default_rng(seed).standard_normal((n_paths // 2, 2 * n, 2)).view(complex)[..., 0]
    z *= np.sqrt(np.maximum(eigenvalues, 0.0) / (2 * n))
    pairs = scipy.fft.fft(z, axis=1, overwrite_x=True)[:, :n]
    return np.concatenate([pairs.real, pairs.imag])


def fbm_paths(hurst: float, n_steps: int, n_paths: int, seed: int) -> Array:
    """Paths of fBm on [0, 1] without their start, (n_paths, n_steps)."""
    noise = stationary_paths(fgn.fgn_autocovariance(hurst, np.arange(n_steps + 1)), n_paths, seed)
    return np.cumsum(noise, axis=1, out=noise) * n_steps**-hurst


def well_paths(hurst: float, start: float, dt: float, n_steps: int, n_paths: int, seed: int) -> Array:
    """Paths of ``dX = -X dt + dB_H`` from `start` standard deviations, in these units, (n_paths, n_steps)."""
    times = dt * np.arange(n_steps + 1)
    paths = stationary_paths(fou.fou_autocorrelation(hurst, times), n_paths, seed)
    return paths + np.exp(-times[:-1]) * (start - paths[:, :1])


def first_above(paths: Array, barrier: float) -> NDArray[np.intp]:
    """The first column in which each path is above the barrier; the number of columns if none is."""
    above = paths > barrier
    first = above.argmax(axis=1)
    return np.where(above.any(axis=1), first, paths.shape[1])


@lru_cache(maxsize=8)
def fbm_maxima(hurst: float, n_steps: int, n_paths: int, seed: int) -> tuple[Array, Array]:
    """Maxima of fBm on [0, 1] with its start, (n_paths,), on the grid and on every 8th of its points."""
    paths = fbm_paths(hurst, n_steps, n_paths, seed)
    return np.maximum(paths.max(axis=1), 0.0), np.maximum(paths[:, 7::8].max(axis=1), 0.0)


@lru_cache(maxsize=4)
def well_exits(hurst: float, barriers: tuple[float, ...], dt: float, end: float, n_paths: int) -> NDArray[np.intp]:
    """The steps of the first exits through each barrier, in standard deviations, (n_barriers, n_paths).

    Paths start at the minimum and are looked at every dt until the end.
    """
    found = []
    for seed in range(n_paths // 1000):
        paths = well_paths(hurst, 0.0, dt, round(end / dt), 1000, seed)
        found.append([first_above(paths, barrier) for barrier in barriers])
    return np.concatenate(found, axis=1)


def rate_within(exits: NDArray[np.intp], dt: float, window: tuple[float, float]) -> tuple[float, float]:
    """Exits per time at risk within the window, and the relative standard error."""
    first, last = (round(end / dt) for end in window)
    late = exits[exits >= first]
    count = int(np.sum(late < last))
    return count / (float(np.sum(np.minimum(late, last) - first)) * dt), count**-0.5


@lru_cache(maxsize=8)
def passage_survival(hurst: float, n_paths: int = 6000) -> tuple[Array, Array]:
    """Times 0.5, 1 ... 6, and the share of paths that had not reached the minimum from one standard deviation by then.

    The grid sees the minimum lower by the barrier shift, which is taken off.
    """
    dt = 1.0 / 128.0
    unit = fou.fou_stationary_variance(hurst) ** -0.5
    paths = well_paths(hurst, 1.0, dt, 6 * 128 + 1, n_paths, seed=15)
    exits = first_above(-paths, -barrier_shift(hurst) * dt**hurst * unit)
    steps = 64 * np.arange(1, 13)
    return np.asarray(steps * dt), np.asarray(np.mean(exits[:, None] > steps, axis=0))
