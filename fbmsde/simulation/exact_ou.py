"""Exact paths of the fractional Ornstein-Uhlenbeck process. There is no time stepping, hence no error of a scheme."""

from __future__ import annotations

import numpy as np
import scipy

from ..core import checks, seeds
from ..core.random import fill_normals
from ..core.types import Array
from ..laws.fou import fou_autocorrelation, fou_stationary_variance

_ROUNDING = 1e-8  # relative error of the autocorrelation; eigenvalues below 0 by less of the largest one count as 0
_NUMBERS = 2**21  # so many normals are held at once
_LONGEST = 2**4  # the longest embedding that is tried, over the shortest one


def fractional_ornstein_uhlenbeck(
    hurst: float,
    n_steps: int,
    n_paths: int = 1,
    *,
    dt: float,
    curvature: float = 1.0,
    sigma: float = 1.0,
    x0: float | None = None,
    seed: checks.Seed | None = None,
    rng: seeds.Rng | None = None,
) -> Array:
    """Paths (n_paths, n_steps + 1) of ``dX = -a X dt + sigma dB_H`` at multiples of `dt`, exact in law.

    The paths start at `x0`, or for None from the stationary law. The stationary process Y is drawn by circulant
    embedding of its autocovariance. A path from a point is ``X_t = Y_t + e^(-at) (x0 - Y_0)``, because X and Y solve
    the equation with the same noise. Row i is a function of (seed, i), and `rng` may take the place of `seed` as in
    `fgn`. The relative error of the autocorrelation is below 1e-8; the embedding is made so long that its eigenvalues
    are positive up to this error, and ValueError is raised if no length is enough. `curvature` is a.

    >>> paths = fractional_ornstein_uhlenbeck(0.3, 100, 5, dt=0.01, x0=1.0, seed=1)
    >>> paths.shape, bool(np.all(paths[:, 0] == 1.0))
    ((5, 101), True)
    """
    h, steps, paths = (
        checks.hurst_parameter(hurst),
        checks.count("n_steps", n_steps),
        checks.count("n_paths", n_paths),
    )
    a, step = checks.positive("curvature", curvature), checks.positive("dt", dt)
    checks.finite("dt * n_steps * curvature", step * steps * a)
    start = None if x0 is None else checks.finite("x0", x0)
    checks.fits_memory("paths", 8.0 * paths * (steps + 1))
    key = seeds.as_key(seed, rng)
    root = np.sqrt(fou_stationary_variance(h, a, checks.squarable("sigma", sigma))) * _embedding(h, steps, a * step)
    out = np.empty((paths, steps + 1))
    block = max(1, _NUMBERS // (2 * root.size))
    for first in range(0, paths, block):
        rows = out[first : first + block]
        normals = np.empty((rows.shape[0], 2 * root.size))
        fill_normals(key, first, 0, normals)
        coefficients = root * (normals[:, : root.size] + 1j * normals[:, root.size :])
        rows[:] = scipy.fft.irfft(coefficients, axis=1)[:, : steps + 1]
    if start is not None:
        out += np.exp(-a * step * np.arange(steps + 1)) * (start - out[:, :1])
    return out


def _embedding(hurst: float, n_steps: int, step: float) -> Array:
    """Standard deviations of the real and imaginary parts of a spectrum whose inverse has unit variance, (N/2 + 1,)."""
    half = scipy.fft.next_fast_len(n_steps + 1, real=True)
    for _ in range(_LONGEST.bit_length()):
        correlation = fou_autocorrelation(hurst, step * np.arange(half + 1.0))
        eigenvalues = scipy.fft.rfft(np.concatenate([correlation, correlation[-2:0:-1]])).real
        if eigenvalues.min() > -_ROUNDING * eigenvalues.max():
            root = np.sqrt(np.maximum(eigenvalues, 0.0) * half)  # half is N/2: two parts share the variance N lambda
            root[[0, -1]] *= np.sqrt(2.0)  # these two are real; their imaginary parts are not used
            return root
        half *= 2
    raise ValueError(
        f"dt * n_steps must allow a circulant embedding, got {step:.3g} relaxation times in {n_steps} steps with an "
        f"eigenvalue of {eigenvalues.min():.3g}. Take a longer path."
    )
