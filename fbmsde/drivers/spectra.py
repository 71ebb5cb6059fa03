"""Autocovariances of stationary sequences from their spectral densities, by numerical integration."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import scipy

from ..core.linear import gauss_legendre
from ..core.types import Array

Spectrum: TypeAlias = Callable[[Array], Array]  # angular frequencies in (0, pi] -> spectral density, same shape

ACCURACY = 1e-9  # the largest error of an autocovariance, relative to the variance, by two step sizes
_FEWEST = 2**12  # intervals of the finer rule for short autocovariances
_PER_LAG = 8  # intervals of the finer rule for each lag
_EDGE = 128  # intervals near frequency 0 that are integrated apart
_DEPTH = 1e-13  # there panels reach down to so much of their width; below, the spectrum is a power of the frequency
_CHEBYSHEV = 96  # nodes of the interpolation in the lag, over which cos(k l) turns by less than 16 pi


def checked_spectrum(spectrum: Spectrum, frequencies: Array) -> Array:
    """Values of a spectral density at frequencies, checked, same shape.

    Raises ValueError unless they are finite and at least 0.

    >>> checked_spectrum(lambda f: 1.0 + 0.0 * f, np.array([1.0, 2.0]))
    array([1., 1.])
    """
    found = np.asarray(spectrum(frequencies), dtype=float)
    if found.shape != frequencies.shape:
        raise ValueError(f"spectrum must return one value for each frequency, got shape {found.shape}.")
    bad = ~(np.isfinite(found) & (found >= 0.0))
    if bad.any():
        raise ValueError(f"spectrum must be finite and at least 0, got {found[bad][0]:.6g} at frequency "
                         f"{frequencies[bad][0]:.6g}.")  # fmt: skip
    return found


def spectral_autocovariance(spectrum: Spectrum, n_lags: int) -> Array:
    """Autocovariance ``r_k = (1/pi) int_0^pi f(l) cos(k l) dl`` at the lags 0 ... n_lags - 1, (n_lags,).

    f may rise to frequency 0 like a power ``l^-a``, a < 1. A smooth step divides it: near 0 panels that shrink
    geometrically are summed, elsewhere the trapezoidal rule, which is exact to rounding for smooth periodic functions.
    Raises ValueError if two step sizes differ by more than 1e-9 of the variance, which lines and jumps of the spectrum
    cause, and for a spectrum that is somewhere negative.

    >>> spectral_autocovariance(lambda f: 1.0 + np.cos(f), 3).round(12) + 0.0
    array([1. , 0.5, 0. ])
    """
    finer = max(_FEWEST, _PER_LAG * 2 ** math.ceil(math.log2(n_lags)))
    rough, found = (_integrated(spectrum, n_lags, n) for n in (finer // 2, finer))
    error = np.abs(found - rough)
    if not error.max() <= ACCURACY * found[0]:
        raise ValueError(
            f"spectrum must be smooth on the scale of pi / {finer}, got an autocovariance that is uncertain by "
            f"{error.max() / found[0]:.2g} of the variance at lag {int(error.argmax())}. Give its autocovariance."
        )
    return found


def _integrated(spectrum: Spectrum, n_lags: int, n: int) -> Array:
    """The autocovariance by n intervals on (0, pi)."""
    step, edge = math.pi / n, _EDGE * math.pi / n
    freq = step * np.arange(1.0, n + 1.0)
    smooth = np.concatenate([[0.0], checked_spectrum(spectrum, freq) * (1.0 - _near(freq, edge))])
    far = scipy.fft.dct(smooth, type=1)[:n_lags] / (2.0 * n)
    nodes, weights = _edge_panels(edge)
    masses = checked_spectrum(spectrum, nodes) * weights * _near(nodes, edge) / math.pi
    first, second = checked_spectrum(spectrum, nodes[:1] * np.array([1.0, 2.0]))
    slope = min(0.99, math.log(first / second) / math.log(2.0)) if first > second > 0.0 else 0.0
    below = first * nodes[0] / (1.0 - slope) / math.pi
    return far + _cosines(nodes, masses, n_lags) + below


def _near(freq: Array, edge: float) -> Array:
    """A smooth step in the frequency from 1 at 0 to 0 at `edge`, to rounding."""
    return scipy.special.erfc(12.0 * freq / edge - 6.0) / 2.0


def _edge_panels(edge: float) -> tuple[Array, Array]:
    """Nodes and weights of panels on (0, edge), even near the edge and shrinking geometrically towards 0."""
    low = np.geomspace(_DEPTH * edge, edge / 32.0, 60)
    edges = np.concatenate([low, np.linspace(edge / 32.0, edge, 32)[1:]])
    x, w = gauss_legendre(12)
    half = np.diff(edges)[:, None] / 2.0
    nodes, weights = (edges[:-1, None] + half * (1.0 + x)).ravel(), (half * w).ravel()
    return np.concatenate([edges[:1], nodes]), np.concatenate([[0.0], weights])


def _cosines(nodes: Array, masses: Array, n_lags: int) -> Array:
    """``sum of masses cos(k nodes)`` at the lags, by interpolation in the lag where there are many."""
    if n_lags <= _CHEBYSHEV:
        return np.einsum("ij,j->i", np.cos(np.outer(np.arange(n_lags), nodes)), masses)
    last = n_lags - 1.0
    series = np.polynomial.chebyshev.chebinterpolate(
        lambda x: np.einsum("ij,j->i", np.cos(np.outer((x + 1.0) * last / 2.0, nodes)), masses), _CHEBYSHEV - 1
    )
    found: Array = np.polynomial.chebyshev.chebval(2.0 * np.arange(n_lags) / last - 1.0, series)
    return found
