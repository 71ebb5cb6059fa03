"""Exact generators of unit-step fractional Gaussian noise: Davies-Harte, Cholesky and Hosking. `GENERATORS` lists them.

A generator is built for one (hurst, n_steps) and fills rows with paths. Path i is a pure function of (key, i,
component). To this end the work is done in blocks of fixed shape at fixed places, so that no rounding depends on how
many paths are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from ...core import checks
from ...core.blocks import counters, run_blocks, short_ranges
from ...core.cache import kernel
from ...core.random import fill_normals
from ...core.types import AnyArray, Key
from ...laws.fgn import fgn_autocovariance
from .long_fft import Split, fill_pairs, split

Progress = bool | Callable[[int], object]

_BLOCK_NUMBERS = 2**15  # so many float64 numbers stay in a second-level cache of 1 MiB with what is beside them
_PAIRS_NUMBERS = 2**16  # complex numbers of a block, so many that a call costs little beside them
_PIECE_NUMBERS = 2**19  # a thread draws so many numbers between two reports of its progress
_LANES = 64  # paths that lie side by side in the triangular products
_FEW_LANES = 8  # lanes if there are few paths: one vector of the processor


class Generator(Protocol):
    """A generator of unit-step fGn for one (hurst, n_steps), as the entries of `GENERATORS` build it."""

    block_paths: int

    def fill(self, key: Key, first: int, component: int, out: AnyArray) -> None:
        """Row i of `out`, (n_rows, n_steps) float64 or float32, becomes path ``first + i`` of (key, component)."""


class WhiteNoise:
    """The generator for H = 1/2, whose increments are the normals themselves."""

    def __init__(self, n_steps: int) -> None:
        self.block_paths = 2 * max(1, _BLOCK_NUMBERS // (2 * n_steps))

    def fill(self, key: Key, first: int, component: int, out: AnyArray) -> None:
        """Fill rows with independent standard normals."""
        fill_normals(key, first, component, out)


class Circulant:
    """Circulant embedding (Davies & Harte 1987, Wood & Chan 1994). Paths 2j and 2j + 1 come from one complex transform.

    It is built from the eigenvalues 0 ... N/2 of a circulant of the length N of `cut`, (N/2 + 1,), which it overwrites.
    Beside the output one transform is held, 32 bytes a step, with its scale, 16 bytes a step. Rows of `out` must be
    contiguous. In float32 the same float64 normals are transformed in single precision; up to 2^20 steps a path differs
    from the float64 one by less than 2e-6 of its largest increment.
    """

    def __init__(self, cut: Split, eigenvalues: NDArray[np.float64]) -> None:
        self.block_paths = 2 * max(1, _PAIRS_NUMBERS // cut.length)
        eigenvalues /= cut.length
        self.scale = cut.input_order(np.sqrt(eigenvalues, out=eigenvalues))

    def fill(self, key: Key, first: int, component: int, out: AnyArray) -> None:
        """Fill the rows of `out` pair by pair."""
        fill_pairs(key, first, component, self.scale, out)


class DaviesHarte(Circulant):
    """The circulant embedding of fGn, which may be longer than ``2 n_steps`` to have a length of fast transforms."""

    def __init__(self, hurst: float, n_steps: int) -> None:
        cut = split(n_steps)
        checks.fits_memory("the circulant embedding", 24.0 * cut.length)
        super().__init__(cut, circulant_eigenvalues(hurst, cut.length // 2))


class Triangular:
    """A lower-triangular factor (n_steps, n_steps) times white noise, at O(n) operations a step."""

    def __init__(self, factor: NDArray[np.float64]) -> None:
        self.block_paths, self._factor = _LANES, factor

    def fill(self, key: Key, first: int, component: int, out: AnyArray) -> None:
        """Fill rows; the scratch is (n_steps, lanes)."""
        _fill_lanes(key, first, component, out, self._transform)

    def _transform(self, noise: AnyArray, x: AnyArray) -> None:
        for some in short_ranges(noise.shape[0], noise.size):
            _multiply(self._factor, some, noise, x)


class Cholesky(Triangular):
    """The lower Cholesky factor of the covariance times white noise, at O(n^2) memory and O(n) operations a step."""

    def __init__(self, hurst: float, n_steps: int) -> None:
        checks.fits_memory("the Cholesky factor", 8.0 * n_steps**2)
        super().__init__(np.empty((n_steps, n_steps)))
        _cholesky_factor(fgn_autocovariance(hurst, np.arange(n_steps)), self._factor)


class Hosking:
    """The Durbin-Levinson recursion (Hosking 1984), which draws each step given all steps before it, at O(n) memory."""

    def __init__(self, hurst: float, n_steps: int) -> None:
        self.block_paths = _LANES
        self._gamma = fgn_autocovariance(hurst, np.arange(n_steps))

    def fill(self, key: Key, first: int, component: int, out: AnyArray) -> None:
        """Fill rows; the scratch is (n_steps, lanes)."""
        _fill_lanes(key, first, component, out, self._transform)

    def _transform(self, noise: AnyArray, x: AnyArray) -> None:
        state = np.zeros((2, noise.shape[0] + 1))
        for some in short_ranges(noise.shape[0], noise.size):
            _levinson(self._gamma, state, some, noise, x)


GeneratorName = Literal["davies_harte", "cholesky", "hosking"]

GENERATORS: dict[GeneratorName, Callable[[float, int], Generator]] = {
    "davies_harte": DaviesHarte,
    "cholesky": Cholesky,
    "hosking": Hosking,
}


@lru_cache(maxsize=8)
def make_generator(method: GeneratorName, hurst: float, n_steps: int) -> Generator:
    """The generator named `method` in `GENERATORS`, with its factor or eigenvalues computed; at H = 1/2 white noise.

    >>> out = np.empty((2, 5))
    >>> make_generator("hosking", 0.7, 5).fill(checks.as_seed(0), 0, 0, out)
    """
    build = GENERATORS[checks.choice("method", method, GENERATORS)]
    return WhiteNoise(n_steps) if hurst == 0.5 else build(hurst, n_steps)


def circulant_eigenvalues(hurst: float, half: int) -> NDArray[np.float64]:
    """Eigenvalues 0 ... half of the circulant with first row ``gamma(0..half), gamma(half-1..1)``, (half + 1,).

    The eigenvalue of index ``2 half - k`` repeats that of index k. The embedding is non-negative definite for fGn at
    every length (Craigmile 2003). Values that rounding puts below 0 are set to 0; values farther below raise
    ArithmeticError.

    >>> circulant_eigenvalues(0.5, 2)
    array([1., 1., 1.])
    """
    gamma = np.empty(half + 1)
    for start in range(0, half + 1, _BLOCK_NUMBERS):  # in pieces, since the formula has many intermediate results
        piece = gamma[start : start + _BLOCK_NUMBERS]
        piece[:] = fgn_autocovariance(hurst, np.arange(start, start + piece.size))
    values: NDArray[np.float64] = scipy.fft.dct(gamma, type=1, overwrite_x=True)
    rounding = 64 * np.finfo(float).eps * values.max()
    if values.min() < -rounding:
        raise ArithmeticError(
            f"circulant eigenvalues must be at least 0, got {values.min():.3g} at hurst {hurst}, half length {half}. "
            "Use method='hosking'."
        )
    return np.maximum(values, 0.0, out=values)


def fill_paths(
    fill: Callable[[slice], None], block_paths: int, out: AnyArray, threads: int, progress: Progress
) -> None:
    """Call `fill` on the rows of `out` in pieces of whole blocks, on threads; a single piece needs none."""
    n_paths = len(out)
    size = block_paths * max(1, _PIECE_NUMBERS // (block_paths * (out.size // n_paths)))
    if n_paths <= size and progress is False:
        fill(slice(0, n_paths))
        return
    pieces = [slice(first, min(first + size, n_paths)) for first in range(0, n_paths, size)]
    control = counters(len(pieces))

    def work(i: int) -> None:
        fill(pieces[i])
        control[i, 1] = pieces[i].stop - pieces[i].start

    run_blocks(work, threads, control, n_paths, progress)


def fill_components(generator: Generator, key: Key, first: int, out: AnyArray) -> None:
    """Fill `out`, (n_paths, n_steps, dim), one component after the other, through a buffer of one block of paths."""
    n_paths, n_steps, dim = out.shape
    block = np.empty((min(n_paths, generator.block_paths), n_steps), out.dtype)
    for start in range(0, n_paths, len(block)):
        rows = block[: n_paths - start]
        for component in range(dim):
            generator.fill(key, first + start, component, rows)
            out[start : start + len(rows), :, component] = rows


def _fill_lanes(
    key: Key, first: int, component: int, out: AnyArray, transform: Callable[[AnyArray, AnyArray], None]
) -> None:
    """Fill the rows of `out` group by group: white noise with the paths on its last axis goes through `transform`.

    Each lane is summed by itself in a fixed order, so that a path does not depend on how many lanes run beside it.
    """
    n_paths, n_steps = out.shape
    lanes = _LANES if n_paths > _FEW_LANES else _FEW_LANES
    noise = np.zeros((lanes, n_steps))
    x = np.empty((n_steps, lanes))
    for start in range(0, n_paths, lanes):
        rows = min(lanes, n_paths - start)
        fill_normals(key, first + start, component, noise[:rows])
        transform(np.ascontiguousarray(noise.T), x)
        out[start : start + rows] = x[:, :rows].T


def _cholesky_factor(gamma: NDArray[np.float64], factor: NDArray[np.float64]) -> None:
    """Write the lower Cholesky factor of the Toeplitz matrix of `gamma` to `factor`, by Schur's algorithm."""
    up, down = gamma / np.sqrt(gamma[0]), gamma / np.sqrt(gamma[0])
    down[0] = 0.0
    for first, last in short_ranges(gamma.size, gamma.size):
        factor[first:last] = 0.0  # in pieces, because the first access to so much memory may take long
    for first, last in short_ranges(gamma.size, max(gamma.size, 2**16)):
        columns = np.zeros((last - first, gamma.size))
        _schur(up, down, first, columns)
        factor[:, first:last] = columns.T


@kernel
def _schur(up: AnyArray, down: AnyArray, first: int, columns: AnyArray) -> None:
    """Write the columns of the factor from `first` on to the rows of `columns`.

    Each column but the first comes from the one before it by a hyperbolic rotation of `up` and `down`.
    """
    if first == 0:
        columns[0] = up
    for k in range(max(1, first), first + columns.shape[0]):
        reflection = down[k] / up[k - 1]
        norm = np.sqrt((1.0 - reflection) * (1.0 + reflection))
        for i in range(up.size - 1, k - 1, -1):
            up[i] = (up[i - 1] - reflection * down[i]) / norm
            down[i] = norm * down[i] - reflection * up[i]
            columns[k - first, i] = up[i]


@kernel
def _add_weighted(weights: AnyArray, rows: AnyArray, count: int, total: AnyArray) -> None:
    """Add ``sum_{j < count} weights[j] rows[j]`` to `total`, in an order that depends on `count` alone."""
    for j in range(0, count - 3, 4):
        a, b, c, d = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
        four = rows[j : j + 4]
        for lane in range(total.size):
            total[lane] += a * four[0, lane] + b * four[1, lane] + c * four[2, lane] + d * four[3, lane]
    for j in range(count // 4 * 4, count):
        a, row = weights[j], rows[j]
        for lane in range(total.size):
            total[lane] += a * row[lane]


@kernel
def _multiply(factor: AnyArray, some: tuple[int, int], noise: AnyArray, x: AnyArray) -> None:
    """Compute the rows `some` of ``x = factor @ noise`` for a lower-triangular factor."""
    total = np.empty(noise.shape[1])
    for k in range(some[0], some[1]):
        total[:] = 0.0
        _add_weighted(factor[k], noise, k + 1, total)
        x[k] = total


@kernel
def _levinson(gamma: AnyArray, state: AnyArray, some: tuple[int, int], noise: AnyArray, x: AnyArray) -> None:
    """Compute the rows `some` of ``x_k = sum_{i < k} w_ki x_i + sqrt(v_k) noise_k`` by the Durbin-Levinson recursion.

    The first row of `state` (2, n) carries the regression weights w from call to call, with the variance v in its last
    place; the second row is scratch.
    """
    weights, old, total = state[0], state[1], np.empty(noise.shape[1])
    for k in range(some[0], some[1]):
        if k == 0:
            weights[-1] = gamma[0]
            x[0] = np.sqrt(gamma[0]) * noise[0]
            continue
        partial, variance = gamma[k], weights[-1]
        for i in range(k - 1):
            partial -= weights[i] * gamma[i + 1]
            old[i] = weights[i]
        partial /= variance
        weights[0] = partial
        for i in range(1, k):
            weights[i] = old[i - 1] - partial * old[k - 1 - i]
        weights[-1] = variance * ((1.0 - partial) * (1.0 + partial))
        total[:] = np.sqrt(weights[-1]) * noise[k]
        _add_weighted(weights, x, k, total)
        x[k] = total
