"""The laws that rational models are fitted to: fractional Gaussian noise, and any other stationary Gaussian noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from ...core.linear import gauss_legendre
from ...core.types import Array
from ...laws.fgn import fgn_autocovariance, fgn_spectrum

BLOCKS = 256  # size of the matrices from which the form is computed at low frequencies
_LOWEST, _BLURRED = 1.0 / 64.0, 60.0  # the lowest node, and where the form becomes diagonal, in units of 1/n
_NODES = 8  # Gauss-Legendre nodes in a panel
_WIDTH = 0.8  # of panels in the logarithm of the frequency, above 60/n
_HALVINGS = 7  # a panel is halved so often at most
_SMOOTH = 1e-5  # relative error of the integral of a spectrum over a panel, from which on the panel is halved
_LEVEL_SLOPE = 0.01  # a spectrum that rises more slowly towards frequency 0 needs no constant level
_STEEPEST = 0.98  # a spectrum rises to frequency 0 more slowly than 1/l, or it would have no finite integral


class Nodes(NamedTuple):
    """Frequencies in (0, pi] (k,), their weights dl (k,), and how many of them lie below 60/n.

    Below 60/n the ends of the path blur the form.
    """

    freq: Array
    weight: Array
    n_low: int


class Blurred(NamedTuple):
    """What the form at low frequencies is computed from, with m blocks of steps in the place of steps.

    autocovariance : that of the sums over the blocks, (m,).
    angles : the low nodes as angles a block, (n_low,); the first one, which stands for all below, is 0.
    masses : the integral of the spectrum of the sums around each node, (n_low,).
    """

    autocovariance: Array
    angles: Array
    masses: Array


class Target(Protocol):
    """A stationary Gaussian noise of variance 1 that a model is fitted to: a frozen, hashable value."""

    @property
    def unit(self) -> float:
        """The scale in which the parameters of the fit and its residuals are counted."""

    def __hash__(self) -> int:
        """A hash of the content, by which fits are kept."""

    def has_level(self, n_steps: int) -> bool:
        """Whether the mass below the lowest frequency of a path needs a level that is constant along it."""

    def autocovariance(self, lags: ArrayLike) -> Array:
        """Autocovariance at integer lags, same shape."""

    def spectrum(self, frequencies: ArrayLike) -> Array:
        """Spectral density at frequencies in (0, pi], same shape."""

    def slope(self, frequencies: Array) -> Array:
        """``-d log f / d log l``, same shape."""

    def nodes(self, n_steps: int) -> Nodes:
        """The frequencies at which the model is compared with the target."""

    def blurred(self, n_steps: int, low: Nodes) -> Blurred:
        """What the form at the `low` nodes is computed from."""

    def block_scale(self, block: int) -> float:
        """The variance in whose units the following two are given."""

    def block_autocovariance(self, block: int, n_blocks: int) -> Array:
        """Autocovariance of the sums over successive blocks of `block` values, (n_blocks,)."""

    def block_spectrum(self, block: int, frequencies: Array) -> Array:
        """Spectral density of these sums at frequencies per block, same shape."""

    def sum_variance(self, counts: Array) -> Array:
        """Variance of the sum of so many values, same shape."""


@dataclass(frozen=True)
class FractionalTarget:
    """Unit-step fractional Gaussian noise. Sums over its blocks are fractional Gaussian noise again, times a scale."""

    hurst: float

    @property
    def unit(self) -> float:
        """``2H - 1``, in which the problem keeps its shape as H tends to 1/2."""
        return 2.0 * self.hurst - 1.0

    def has_level(self, n_steps: int) -> bool:
        """True for H > 1/2."""
        return self.hurst > 0.5

    def autocovariance(self, lags: ArrayLike) -> Array:
        """Autocovariance at integer lags, same shape."""
        return fgn_autocovariance(self.hurst, lags)

    def spectrum(self, frequencies: ArrayLike) -> Array:
        """Spectral density at frequencies in (0, pi], same shape."""
        return fgn_spectrum(self.hurst, frequencies)

    def slope(self, frequencies: Array) -> Array:
        """``2H - 1``, the slope at low frequencies."""
        return np.full(frequencies.shape, self.unit)

    def nodes(self, n_steps: int) -> Nodes:
        """Panels even in the logarithm of the frequency, since the spectrum is smooth."""
        return frequency_nodes(n_steps)

    def blurred(self, n_steps: int, low: Nodes) -> Blurred:
        """Blocks whose number need not divide the number of steps, by self-similarity."""
        m = min(n_steps, BLOCKS)
        scale = n_steps / m
        x, dx = low.freq * n_steps, low.weight * scale
        masses = fgn_spectrum(self.hurst, low.freq * scale) * dx
        masses[0] /= 1.0 - self.unit
        x[0] = 0.0  # the frequencies below the first node act as a level
        return Blurred(fgn_autocovariance(self.hurst, np.arange(m)), x / m, masses)

    def block_scale(self, block: int) -> float:
        """``block^2H``."""
        return float(block) ** (2.0 * self.hurst)

    def block_autocovariance(self, block: int, n_blocks: int) -> Array:
        """That of fractional Gaussian noise at every size of the blocks."""
        return fgn_autocovariance(self.hurst, np.arange(n_blocks))

    def block_spectrum(self, block: int, frequencies: Array) -> Array:
        """That of fractional Gaussian noise at every size of the blocks."""
        return fgn_spectrum(self.hurst, frequencies)

    def sum_variance(self, counts: Array) -> Array:
        """``counts^2H``."""
        return counts ** (2.0 * self.hurst)


@dataclass(frozen=True)
class GivenTarget:
    """A stationary Gaussian noise over a path of `values.size` steps, whose identity is the content of its `digest`.

    digest : a hash of everything that the fit reads of the other two.
    values : the autocovariance at the lags 0, 1, ..., (n,), with the variance 1.
    density : the spectral density as a function of an array of frequencies in (0, pi], positive.
    """

    digest: str
    values: Array = field(repr=False, compare=False)
    density: Callable[[Array], Array] = field(repr=False, compare=False)

    @property
    def unit(self) -> float:
        """1."""
        return 1.0

    def has_level(self, n_steps: int) -> bool:
        """Whether the spectrum still rises at the lowest frequency of a path."""
        return float(self.slope(np.array([_LOWEST / n_steps]))[0]) > _LEVEL_SLOPE

    def autocovariance(self, lags: ArrayLike) -> Array:
        """Autocovariance at integer lags, same shape."""
        return self.values[np.asarray(lags, dtype=np.int64)]

    def spectrum(self, frequencies: ArrayLike) -> Array:
        """Spectral density at frequencies in (0, pi], same shape."""
        return self.density(np.asarray(frequencies, dtype=float))

    def slope(self, frequencies: Array) -> Array:
        """``-d log f / d log l`` by differences over a tenth of the frequency."""
        near = np.minimum(frequencies, 0.95 * np.pi)
        steep = np.log(self.density(near / 1.05) / self.density(near * 1.05)) / (2.0 * np.log(1.05))
        return np.minimum(steep, _STEEPEST)

    def nodes(self, n_steps: int) -> Nodes:
        """Panels that are halved until they resolve the spectrum."""
        return frequency_nodes(n_steps, self.density)

    def blurred(self, n_steps: int, low: Nodes) -> Blurred:
        """Blocks of equal size; a rest of the path that fills no block is left out."""
        block = max(1, n_steps // BLOCKS)
        m = n_steps // block
        waves = np.sin(low.freq * block / 2.0) / np.sin(low.freq / 2.0)
        masses, angles = self.density(low.freq) * waves**2 * low.weight, low.freq * block
        masses[0] /= 1.0 - float(self.slope(low.freq[:1])[0])
        angles[0] = 0.0
        return Blurred(self.block_autocovariance(block, m), angles, masses)

    def block_scale(self, block: int) -> float:
        """1."""
        return 1.0

    def block_autocovariance(self, block: int, n_blocks: int) -> Array:
        """Sums of the autocovariance with triangular weights, (n_blocks,)."""
        rows, ramp = self.values[: block * n_blocks].reshape(n_blocks, block), np.arange(float(block))
        out = np.sum(rows * (block - ramp), axis=1)
        out[1:] += np.sum(rows[:-1] * ramp, axis=1)
        out[0] += np.sum(rows[0, 1:] * (block - ramp[1:]))
        return out

    def block_spectrum(self, block: int, frequencies: Array) -> Array:
        """The sum of the spectral density over all frequencies that look the same in blocks."""
        angles = (frequencies[:, None] + 2.0 * np.pi * np.arange(block)) / block
        waves = np.sin(frequencies[:, None] / 2.0) / np.sin(angles / 2.0)
        return np.sum(self.density(np.minimum(angles, 2.0 * np.pi - angles)) * waves**2, axis=1) / block

    @cached_property
    def _sums(self) -> Array:
        """Variance of the sum of 0, 1, ... n values."""
        inside = np.cumsum(self.values) * 2.0 - self.values[0]  # of the next value with itself and all before, twice
        return np.concatenate([[0.0], np.cumsum(inside)])

    def sum_variance(self, counts: Array) -> Array:
        """Variance of the sum of so many values, same shape."""
        return self._sums[counts.astype(np.int64)]


def _panels(low: float, high: float, width: float) -> tuple[Array, Array]:
    """Nodes and weights of Gauss-Legendre panels of at most `width` that cover [low, high]."""
    return _on_panels(np.linspace(low, high, max(1, int(np.ceil((high - low) / width))) + 1))


def _on_panels(edges: Array) -> tuple[Array, Array]:
    """Nodes and weights of Gauss-Legendre panels between `edges`."""
    x, w = gauss_legendre(_NODES)
    half = np.diff(edges)[:, None] / 2.0
    return (edges[:-1, None] + half * (1.0 + x)).ravel(), (half * w).ravel()


def _log_panels(low: float, high: float, width: float) -> tuple[Array, Array]:
    """Nodes and weights for an integral over x in [low, high], on panels of at most `width` in log x."""
    t, w = _panels(np.log(low), np.log(high), width)
    return np.exp(t), w * np.exp(t)


def _resolving_panels(n_steps: int, density: Callable[[Array], Array]) -> tuple[Array, Array]:
    """The panels between 60/n and pi, in units of 1/n, halved where they do not resolve the density."""
    low, high = np.log(_BLURRED / n_steps), np.log(np.pi)
    edges = np.linspace(low, high, max(1, int(np.ceil((high - low) / _WIDTH))) + 1)
    for _ in range(_HALVINGS):
        middles = (edges[:-1] + edges[1:]) / 2.0
        whole, halves = (_integrals(e, density) for e in (edges, np.sort(np.concatenate([edges, middles]))))
        pairs = halves[0::2] + halves[1::2]
        rough = np.abs(whole - pairs) > _SMOOTH * pairs
        if not rough.any():
            break
        edges = np.sort(np.concatenate([edges, middles[rough]]))
    t, w = _on_panels(edges)
    return np.exp(t) * n_steps, w * np.exp(t) * n_steps


def _integrals(edges: Array, density: Callable[[Array], Array]) -> Array:
    """The integral of the density over each panel between `edges`, which are logarithms of frequencies."""
    t, w = _on_panels(edges)
    return np.sum((w * np.exp(t) * density(np.exp(t))).reshape(-1, _NODES), axis=1)


def frequency_nodes(n_steps: int, density: Callable[[Array], Array] | None = None) -> Nodes:
    """Frequencies in (0, pi), their weights dl, and the number of those below 60/n, where the ends blur the form.

    Above 60/n the nodes resolve the spectral density, if one is given.
    """
    top = np.pi * n_steps
    parts = [_log_panels(_LOWEST, 2.0, 1.2), _panels(2.0, min(_BLURRED, top), 2.0 * np.pi)]
    n_low = sum(x.size for x, _ in parts)
    if top > _BLURRED:
        parts.append(_log_panels(_BLURRED, top, _WIDTH) if density is None else _resolving_panels(n_steps, density))
    x, w = (np.concatenate(column) / n_steps for column in zip(*parts, strict=True))
    lowest = _LOWEST / n_steps
    return Nodes(np.concatenate([[lowest], x]), np.concatenate([[lowest], w]), n_low + 1)
