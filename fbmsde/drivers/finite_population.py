"""`PopulationNoise`: batches of given per-sample gradients, with their tails and their epochs together."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ..core import checks
from ..core.random import next_words, seed_lane
from ..core.types import Array, Key
from ..laws.epochs import epoch_autocorrelation
from .base import BLOCK, LANES, Feed, Lanes, lanes
from .branching import Branch, Copying, branch_of
from .sample import Sampled
from .shuffling import checked_batches, checked_phase, random_phase

_MOST_STEPS = 2**40


class _Data(NamedTuple):
    """The population and the lanes: L lanes with q shuffles each, of which every one serves d of the components.

    words : the states of the random numbers, (q, 4, L).
    samples : the centred samples, (d, N).
    batch_size, n_batches : B, and the number of batches in an epoch.
    phase : the batches used up at the start of a path, -1 for a random number of them.
    phase_words : room for the random words of a phase, (4, 1).
    order : the order of the samples in each lane's epoch, of which the batches drawn are fixed, (q, L, N); with
        replacement room for the samples of one batch, (1, 1, B).
    drawn : the batches of the present epoch that are used up, (q, L).
    """

    key: Key
    words: NDArray[np.uint64]
    samples: Array
    batch_size: int
    n_batches: int
    phase: int
    phase_words: NDArray[np.uint64]
    order: NDArray[np.int32]
    drawn: NDArray[np.int64]


@njit(error_model="numpy", forceinline=True)
def _below(word: np.uint64, n: int) -> int:
    """A whole number 0 ... n - 1, all alike up to n 2^-53 of their probability."""
    return int(np.float64(np.int64(word >> np.uint64(11))) * 2.0**-53 * n)


@njit(error_model="numpy", nogil=True)
def _shuffle(words: NDArray[np.uint64], lane: int, order: NDArray[np.int32], begin: int, end: int) -> None:
    """Fix the places begin ... end - 1 of `order` by Fisher and Yates' exchanges with a random place not before."""
    for i in range(begin, end, 2):
        first, second = next_words(words, lane)
        j = i + _below(first, order.size - i)
        order[i], order[j] = order[j], order[i]
        if i + 1 < end:
            j = i + 1 + _below(second, order.size - i - 1)
            order[i + 1], order[j] = order[j], order[i + 1]


@njit(error_model="numpy", nogil=True)
def _write_sums(samples: Array, batch: NDArray[np.int32], noise: Array, row: int, s: int, lane: int) -> None:
    """Write the sums of all components over the samples of a batch to the rows of `noise` from `row` on."""
    for c in range(samples.shape[0]):
        total = 0.0
        for i in range(batch.size):
            total += samples[c, batch[i]]
        noise[row + c, s, lane] = total


def start_shuffled(data: _Data, lane: int, path: int) -> None:
    """Put the beginning of a path into its lane: its samples in order, and those shuffled that were drawn before."""
    phase = data.phase
    if phase < 0:
        phase = int(random_phase(data.key, path, float(data.n_batches), data.phase_words))
    for q in range(data.words.shape[0]):
        seed_lane(data.key, path, q, data.words[q], lane)
        order = data.order[q, lane]
        for i in range(order.size):
            order[i] = i
        _shuffle(data.words[q], lane, order, 0, phase * data.batch_size)
        data.drawn[q, lane] = phase


def draw_shuffled(data: _Data, noise: Array) -> None:
    """Draw the next batches of all lanes, each from the samples that its epoch has not used yet, and sum them."""
    size, rows = data.batch_size, data.samples.shape[0]
    for q in range(data.words.shape[0]):
        for lane in range(noise.shape[2]):
            order, k = data.order[q, lane], data.drawn[q, lane]
            for s in range(BLOCK):
                k = 0 if k >= data.n_batches else k
                _shuffle(data.words[q], lane, order, k * size, (k + 1) * size)
                _write_sums(data.samples, order[k * size : (k + 1) * size], noise, q * rows, s, lane)
                k += 1
            data.drawn[q, lane] = k


def start_fresh(data: _Data, lane: int, path: int) -> None:
    """Seed a lane for its path."""
    for q in range(data.words.shape[0]):
        seed_lane(data.key, path, q, data.words[q], lane)


def draw_fresh(data: _Data, noise: Array) -> None:
    """Draw each sample of each batch from the whole population, and sum the batches."""
    batch, n_samples, rows = data.order[0, 0], data.samples.shape[1], data.samples.shape[0]
    for q in range(data.words.shape[0]):
        for lane in range(noise.shape[2]):
            for s in range(BLOCK):
                for i in range(0, batch.size, 2):
                    first, second = next_words(data.words[q], lane)
                    batch[i] = _below(first, n_samples)
                    if i + 1 < batch.size:
                        batch[i + 1] = _below(second, n_samples)
                _write_sums(data.samples, batch, noise, q * rows, s, lane)


def save_population(data: _Data, lane: int, numbers: Array, words: NDArray[np.uint64]) -> None:
    """Write the epochs of a lane into `numbers`, which has no room for them with replacement, and its random words."""
    n_samples = data.order.shape[2] if numbers.size > 0 else 0
    for q in range(data.words.shape[0]):
        for k in range(4):
            words[4 * q + k] = data.words[q, k, lane]
        for i in range(n_samples):
            numbers[q * (n_samples + 1) + i] = data.order[q, lane, i]
        if n_samples > 0:
            numbers[q * (n_samples + 1) + n_samples] = data.drawn[q, lane]


def load_population(data: _Data, lane: int, numbers: Array, words: NDArray[np.uint64]) -> None:
    """Put what `save_population` wrote into a lane."""
    n_samples = data.order.shape[2] if numbers.size > 0 else 0
    for q in range(data.words.shape[0]):
        for k in range(4):
            data.words[q, k, lane] = words[4 * q + k]
        for i in range(n_samples):
            data.order[q, lane, i] = np.int32(numbers[q * (n_samples + 1) + i])
        if n_samples > 0:
            data.drawn[q, lane] = np.int64(numbers[q * (n_samples + 1) + n_samples])


def reseed_population(data: _Data, lane: int, path: int, generation: int) -> None:
    """Give a lane the random words of a later generation of a path."""
    n_shuffles = data.words.shape[0]
    for q in range(n_shuffles):
        seed_lane(data.key, path, generation * n_shuffles + q, data.words[q], lane)


@dataclass(frozen=True, eq=False, repr=False)
class PopulationNoise(Sampled):
    """The noise of SGD on given per-sample gradients; one step is one batch, whose mean is an increment.

    samples : the gradients of N samples along one direction, (N,), or along d directions, (N, d). Their mean is taken
        away. Units are those of a gradient.
    batch_size : samples in a batch, B.
    replacement : False cuts the batches from shuffled epochs of ``floor(N / B)`` batches, as SGD does. True draws every
        sample of every batch from the whole population, which is the noise without memory.
    sigma : a factor of the increments.
    phase : how many batches of the first epoch a path has behind it at its start, the same for all paths. None draws it
        for each path with equal probabilities, which makes the noise stationary.

    This is the noise of a chain. An increment belongs to a step and does not depend on `dt`. For (N, d) samples the
    noise has d components, and a batch has the same samples in all of them. The components of (N,) samples are batches
    of independent shuffles, as many as the equation has. In second moments batches without replacement are
    :class:`EpochNoise`, but their law keeps the tails of the samples.

    A step costs O(B), some nanoseconds for each sample. Each thread holds the order of the samples for each of its 128
    lanes, 512 N bytes, and the start of a path costs O(N). Equality and hash go by the content of the samples. Raises
    ValueError for samples that are not finite or all alike, and for a batch that is not smaller than the data.

    >>> noise = PopulationNoise([1.0, 2.0, 6.0, 7.0], 2, phase=0)
    >>> pairs = noise.sample(4, 1, seed=1).reshape(2, 2)
    >>> pairs.sum(axis=1).tolist()
    [0.0, 0.0]
    """

    samples: ArrayLike
    batch_size: int
    replacement: bool = False
    sigma: float = 1.0
    phase: int | None = None

    def __post_init__(self) -> None:
        samples = _checked_samples(self.samples)
        object.__setattr__(self, "samples", samples)
        checks.positive("sigma", self.sigma)
        if checks.truth("replacement", self.replacement):
            object.__setattr__(self, "batch_size", checks.count("batch_size", self.batch_size))
            if self.phase is not None:
                raise ValueError(f"phase must be None with replacement, got {self.phase}. There are no epochs.")
            return
        object.__setattr__(self, "batch_size", checked_batches(len(samples), self.batch_size)[1])
        if self.phase is not None:
            object.__setattr__(self, "phase", checked_phase(self.phase, self.n_batches))

    @property
    def population(self) -> Array:
        """The samples as a read-only array, (N,) or (N, d), as they were given."""
        return np.asarray(self.samples)

    @property
    def n_batches(self) -> int:
        """Number of whole batches in an epoch."""
        return len(self.population) // self.batch_size

    @property
    def components(self) -> int | None:
        """The number of components of (N, d) samples, which is d; None for (N,) samples."""
        return self.population.shape[1] if self.population.ndim == 2 else None

    def covariance(self) -> Array:
        """Covariance matrix (d, d) of an increment, with d = 1 for (N,) samples.

        It is ``sigma^2 C / B``, times ``(N - B) / (N - 1)`` without replacement, if C is the samples' own.
        """
        centred = self._centred()
        n_samples, b = centred.shape[1], self.batch_size
        rest = 1.0 if self.replacement else (n_samples - b) / (n_samples - 1)
        return self.sigma**2 * rest / b * np.einsum("in,jn->ij", centred, centred) / n_samples

    def increment_scale(self, dt: float) -> float:
        """Standard deviation of an increment for every step `dt`, the largest of those of the components."""
        return math.sqrt(self.covariance().diagonal().max())

    def autocovariance(self, lags: ArrayLike, dt: float = 1.0) -> Array:
        """Autocovariance at integer lags, averaged over the places in an epoch, for every step `dt`.

        It has the shape of `lags`, and for (N, d) samples (d, d) behind it.
        """
        k = checks.lags("lags", lags)
        memory = (k == 0) * 1.0
        if not self.replacement:
            memory = epoch_autocorrelation(k, len(self.population), self.batch_size)
        return np.multiply.outer(memory, self.covariance() if self.components else self.covariance()[0, 0])

    def most_steps(self) -> int:
        """The largest number of steps of a path."""
        return _MOST_STEPS

    def feed(self, n_steps: int, dt: float, channels: int, key: Key) -> Feed:
        """Increments of `channels` components, for the loops; ValueError unless the samples have as many."""
        if self.components not in (None, channels):
            raise ValueError(f"samples must have shape (N, {channels}) for {channels} components of noise, "
                             f"got {self.population.shape}.")  # fmt: skip
        return _PopulationFeed(self, self._centred(), channels if self.components is None else 1, key)

    def _centred(self) -> Array:
        """The samples with their mean taken away, (d, N)."""
        rows = np.atleast_2d(self.population.T)
        return np.ascontiguousarray(rows - rows.mean(axis=1, keepdims=True))

    def _values(self) -> tuple[bytes, tuple[int, ...], int, bool, float, int | None]:
        """What makes two noises equal."""
        content = hashlib.blake2b(self.population.tobytes()).digest()
        return content, self.population.shape, self.batch_size, self.replacement, self.sigma, self.phase

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PopulationNoise) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __reduce__(self) -> tuple[type[PopulationNoise], tuple[object, ...]]:
        return type(self), (self.samples, self.batch_size, self.replacement, self.sigma, self.phase)

    def __repr__(self) -> str:
        how = "with" if self.replacement else "without"
        return (f"PopulationNoise({self.population.shape} samples, batches of {self.batch_size} {how} replacement, "
                f"sigma={self.sigma}, phase={self.phase})")  # fmt: skip


def _checked_samples(samples: ArrayLike) -> Array:
    """A read-only copy of the samples."""
    found = np.array(checks.reals("samples", samples))
    if found.ndim not in (1, 2) or found.shape[0] < 2 or found.size == 0:
        raise ValueError(f"samples must have shape (N,) or (N, d) with N of at least 2, got shape {found.shape}.")
    if not np.all(np.isfinite(found)):
        raise ValueError("samples must be finite, got a value that is not.")
    if np.any(found.min(axis=0) == found.max(axis=0)):
        raise ValueError("samples must differ from each other along every direction, got a column of equal ones.")
    found.flags.writeable = False
    return found


@dataclass(frozen=True)
class _PopulationFeed:
    """Lanes that serve any path, over any number of steps."""

    noise: PopulationNoise
    centred: Array
    n_shuffles: int
    key: Key
    max_paths: None = None

    def lanes(self, first: int, n_paths: int, width: int = LANES) -> Lanes:
        """Empty lanes."""
        noise, n_samples = self.noise, self.centred.shape[1]
        room = (1, 1, noise.batch_size) if noise.replacement else (self.n_shuffles, width, n_samples)
        checks.fits_memory("the shuffled samples of the lanes", 4.0 * math.prod(room))
        data = _Data(
            key=self.key,
            words=np.zeros((self.n_shuffles, 4, width), np.uint64),
            samples=self.centred,
            batch_size=noise.batch_size,
            n_batches=noise.n_batches,
            phase=-1 if noise.phase is None else noise.phase,
            phase_words=np.zeros((4, 1), np.uint64),
            order=np.zeros(room, np.int32),
            drawn=np.zeros((self.n_shuffles, width), np.int64),
        )
        start, draw = (start_fresh, draw_fresh) if noise.replacement else (start_shuffled, draw_shuffled)
        return lanes(start, draw, data, noise.sigma / noise.batch_size)

    def branch(self, lanes: Lanes) -> Branch:
        """The functions that copy lanes of this feed: see `Branching`."""
        numbers = 0 if self.noise.replacement else self.centred.shape[1] + 1
        copying = Copying(save_population, load_population, reseed_population)
        return branch_of(lanes, copying, self.n_shuffles * numbers, 4 * self.n_shuffles)
