"""`EpochNoise`: the noise of batches that are cut from shuffled epochs, as stochastic gradient descent has it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ..core import checks
from ..core.random import normal_pair, normal_pairs, seed_lane
from ..core.types import Array, Key
from ..laws.epochs import epoch_autocorrelation, epoch_correlation
from .base import BLOCK, LANES, Feed, Lanes, component, lanes
from .branching import Branch, Copying, branch_of
from .sample import Sampled
from .shuffling import checked_batches, checked_phase, random_phase

_MOST_STEPS = 2**40


class _Data(NamedTuple):
    """The lanes of d components, L of them.

    words : the states of the random numbers, (d, 4, L).
    drawn, sums : the number of batches that the present epoch has used up, and the sum of their noise, (d, L) each.
    n_batches, ratio : batches in an epoch, and N / B, which is more than that if B does not divide N.
    phase : the batches used up at the start of a path, -1 for a random number of them.
    phase_words : room for the random words of a phase, (4, 1).
    spread : the number of lanes in a row that belong to one path, 0 where a lane is a path; see `component`.
    """

    key: Key
    words: NDArray[np.uint64]
    drawn: Array
    sums: Array
    n_batches: float
    ratio: float
    phase: float
    phase_words: NDArray[np.uint64]
    spread: int


def start_epoch(data: _Data, lane: int, path: int) -> None:
    """Put the beginning of a path into its lane: all components stand at the same place in their epoch.

    The sum of k batches that were drawn before has variance ``k (ratio - k) / (ratio - 1)``.
    """
    drawn = data.phase if data.phase >= 0.0 else random_phase(data.key, path, data.n_batches, data.phase_words)
    for j in range(data.words.shape[0]):
        words = data.words[j]
        seed_lane(data.key, path, component(data.spread, j, lane), words, lane)
        normal, _ = normal_pair(words, lane)
        data.drawn[j, lane] = drawn
        data.sums[j, lane] = math.sqrt(drawn * (data.ratio - drawn) / (data.ratio - 1.0)) * normal


def draw_epoch(data: _Data, noise: Array) -> None:
    """Draw each batch given the sum S of the k before it in its epoch: increments of a Brownian bridge.

    The bridge runs from 0 to 0 over the time ``ratio = N / B`` and is scaled to increments of variance 1, which then
    have the correlation ``-1 / (ratio - 1)``. With ``q = 1 / (ratio - k)`` the next one has mean ``-q S`` and variance
    ``(1 - q) ratio / (ratio - 1)``.
    """
    for j in range(noise.shape[0]):
        for s in range(0, BLOCK, 2):
            normal_pairs(data.words[j], noise[j, s], noise[j, s + 1])
        _bridge(noise[j], data.drawn[j], data.sums[j], data.n_batches, data.ratio)


@njit(error_model="numpy")  # a function of one component: over several, the compiler fears that its rows overlap
def _bridge(out: Array, drawn: Array, sums: Array, n_batches: float, ratio: float) -> None:
    """Turn the normals of one component (BLOCK, L) into batches, given the state of its lanes, (L,) each."""
    spread = math.sqrt(ratio / (ratio - 1.0))
    for lane in range(out.shape[1]):
        k, before = drawn[lane], sums[lane]
        for s in range(BLOCK):
            over = k >= n_batches
            k = 0.0 if over else k
            before = 0.0 if over else before
            share = 1.0 / (ratio - k)
            batch = spread * math.sqrt(1.0 - share) * out[s, lane] - share * before
            out[s, lane] = batch
            before += batch
            k += 1.0
        drawn[lane], sums[lane] = k, before


def save_epoch(data: _Data, lane: int, numbers: Array, words: NDArray[np.uint64]) -> None:
    """Write the place in the epoch and the sums of a lane into `numbers` and its random words into `words`."""
    for j in range(data.words.shape[0]):
        numbers[2 * j], numbers[2 * j + 1] = data.drawn[j, lane], data.sums[j, lane]
        for k in range(4):
            words[4 * j + k] = data.words[j, k, lane]


def load_epoch(data: _Data, lane: int, numbers: Array, words: NDArray[np.uint64]) -> None:
    """Put what `save_epoch` wrote into a lane."""
    for j in range(data.words.shape[0]):
        data.drawn[j, lane], data.sums[j, lane] = numbers[2 * j], numbers[2 * j + 1]
        for k in range(4):
            data.words[j, k, lane] = words[4 * j + k]


def reseed_epoch(data: _Data, lane: int, path: int, generation: int) -> None:
    """Give a lane the random words of a later generation of a path."""
    n_components = data.words.shape[0]
    for j in range(n_components):
        seed_lane(data.key, path, generation * n_components + j, data.words[j], lane)


@dataclass(frozen=True)
class EpochNoise(Sampled):
    """The noise of SGD whose batches are cut from shuffled epochs, by its exact second moments; one step is one batch.

    `n_samples` samples N are shuffled at the beginning of each epoch and cut into ``M = floor(N / B)`` batches of
    `batch_size` B. Two batches of an epoch have correlation ``c = -1 / (N / B - 1)``, because samples are drawn without
    replacement, and batches of different epochs have none. The increments are Gaussian, as sums over large batches
    are, and each has standard deviation `sigma`. If s is the standard deviation of one sample's gradient, the mean
    gradient of a batch has ``sigma = s sqrt((N - B) / (B (N - 1)))``. If B divides N, the increments of an epoch add
    up to zero, up to rounding.

    This is the noise of a chain. An increment belongs to a step and does not depend on `dt`.

    phase : how many batches of the first epoch a path has behind it at its start, 0 ... M - 1, the same for all paths.
        None draws it for each path with equal probabilities, which makes the noise stationary.

    All components of a path stand at the same place in their epoch and are otherwise independent. A step costs the
    same, and takes the same memory, for every N and B. Raises ValueError for a batch that is not smaller than the data.

    >>> noise = EpochNoise(1437, 128)
    >>> noise.n_batches, round(noise.correlation, 4)
    (11, -0.0978)
    """

    n_samples: int
    batch_size: int
    sigma: float = 1.0
    phase: int | None = None

    def __post_init__(self) -> None:
        n_samples, batch_size = checked_batches(self.n_samples, self.batch_size)
        object.__setattr__(self, "n_samples", n_samples)
        object.__setattr__(self, "batch_size", batch_size)
        checks.positive("sigma", self.sigma)
        if self.phase is not None:
            object.__setattr__(self, "phase", checked_phase(self.phase, self.n_batches))

    @property
    def n_batches(self) -> int:
        """Number M of whole batches in an epoch. The samples that are left over are not used in it."""
        return self.n_samples // self.batch_size

    @property
    def correlation(self) -> float:
        """Correlation c of two batches of one epoch; NaN if there is only one."""
        if self.n_batches < 2:
            return math.nan
        return epoch_correlation(self.n_samples, self.batch_size)

    def increment_scale(self, dt: float) -> float:
        """Standard deviation of an increment, which is `sigma` for every step `dt`."""
        return float(self.sigma)

    def autocovariance(self, lags: ArrayLike, dt: float = 1.0) -> Array:
        """Autocovariance at integer lags, same shape, averaged over the places in an epoch.

        It is ``sigma^2 c (M - k) / M`` at lag 0 < k < M and 0 beyond, for every step `dt`.

        >>> EpochNoise(40, 10).autocovariance([0, 1, 2, 3, 4]).round(4).tolist()
        [1.0, -0.25, -0.1667, -0.0833, 0.0]
        """
        return self.sigma**2 * epoch_autocorrelation(lags, self.n_samples, self.batch_size)

    @property
    def jointly_normal(self) -> bool:
        """Whether the increments of a path are jointly normal: not if the phase is drawn, which makes a mixture."""
        return self.phase is not None

    def most_steps(self) -> int:
        """The largest number of steps of a path."""
        return _MOST_STEPS

    def feed(self, n_steps: int, dt: float, channels: int, key: Key) -> Feed:
        """Increments of `channels` components, for the loops."""
        return _EpochFeed(self, channels, key)


@dataclass(frozen=True)
class _EpochFeed:
    """Lanes that serve any path, over any number of steps."""

    noise: EpochNoise
    channels: int
    key: Key
    max_paths: None = None

    def lanes(self, first: int, n_paths: int, width: int = LANES) -> Lanes:
        """Empty lanes."""
        return self._lanes(self.channels, width, 0)

    def coordinates(self, rows: int, width: int, paths: int = 1) -> Lanes | None:
        """Lanes of which each is a component of a path: see `Spreading`."""
        return self._lanes(rows, width, width // paths)

    def _lanes(self, rows: int, width: int, spread: int) -> Lanes:
        noise = self.noise
        data = _Data(
            key=self.key,
            words=np.zeros((rows, 4, width), np.uint64),
            drawn=np.zeros((rows, width)),
            sums=np.zeros((rows, width)),
            n_batches=float(noise.n_batches),
            ratio=noise.n_samples / noise.batch_size,
            phase=-1.0 if noise.phase is None else float(noise.phase),
            phase_words=np.zeros((4, 1), np.uint64),
            spread=spread,
        )
        return lanes(start_epoch, draw_epoch, data, float(noise.sigma))

    def branch(self, lanes: Lanes) -> Branch:
        """The functions that copy lanes of this feed: see `Branching`."""
        return branch_of(lanes, Copying(save_epoch, load_epoch, reseed_epoch), 2 * self.channels, 4 * self.channels)
