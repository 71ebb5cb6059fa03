"""`StableNoise`: independent increments with a symmetric stable law, the heavy-tailed view of gradient noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ..core import checks
from ..core.brief import brief
from ..core.elementary import exp2, log2, sine_of_turn
from ..core.random import next_words, open_uniform, seed_lane
from ..core.types import Array, Key
from .base import BLOCK, LANES, Feed, Lanes, component, lanes
from .branching import Branch, Copying, branch_of
from .sample import Sampled

_MOST_STEPS = 2**40
_LN_2 = math.log(2.0)
_LARGEST_LOG = 300.0 * math.log(10.0)


class _Data(NamedTuple):
    """The seed, the states (d, 4, L) of the random numbers of d components and L lanes, and the index of the law.

    `spread` is the number of lanes in a row that belong to one path, 0 where a lane is a path; see `component`.
    """

    key: Key
    words: NDArray[np.uint64]
    alpha: float
    spread: int


@njit(error_model="numpy", forceinline=True)
def stable_variate(first: np.uint64, second: np.uint64, alpha: float) -> float:
    """A symmetric stable variate with ``E exp(i u X) = exp(-|u|^alpha)`` from two random words.

    ``X = sin(alpha V) / cos(V)^(1/alpha) (cos((1 - alpha) V) / W)^((1 - alpha) / alpha)`` with V uniform in
    (-pi/2, pi/2) and W exponential (Chambers, Mallows & Stuck 1976). V is ``+-(1 - t) pi/2`` with t in (0, 1), and each
    angle is counted from the nearer multiple of a right angle, so that no digits are lost at the ends: ``cos V`` is
    ``sin(t pi/2)``, for example. Sizes beyond 2^1021 and below 2^-1021 are replaced by these.
    """
    u, t = open_uniform(first), open_uniform(second)
    above, near = 2.0 - alpha, min(alpha, 2.0 - alpha)
    waiting = -_LN_2 * log2(u)
    top = sine_of_turn(min(alpha * (1.0 - t), above + alpha * t))
    middle = sine_of_turn(near + (1.0 - near) * t)
    power = ((1.0 - alpha) * log2(middle / waiting) - log2(sine_of_turn(t))) / alpha
    size = top * exp2(power)
    return -size if (second & np.uint64(512)) != np.uint64(0) else size


def start_stable(data: _Data, lane: int, path: int) -> None:
    """Seed a lane for its path."""
    for j in range(data.words.shape[0]):
        seed_lane(data.key, path, component(data.spread, j, lane), data.words[j], lane)


def draw_stable(data: _Data, noise: Array) -> None:
    """Draw independent stable variates for all lanes."""
    for j in range(noise.shape[0]):
        _draw_component(data.words[j], noise[j], data.alpha)


@njit(error_model="numpy")  # a function of one component: over several, the compiler fears that its rows overlap
def _draw_component(words: NDArray[np.uint64], out: Array, alpha: float) -> None:
    """Draw independent stable variates for all lanes of one component."""
    for s in range(BLOCK):
        for lane in range(out.shape[1]):
            first, second = next_words(words, lane)
            out[s, lane] = stable_variate(first, second, alpha)


def save_stable(data: _Data, lane: int, numbers: Array, words: NDArray[np.uint64]) -> None:
    """Write the random words of a lane into `words`; it remembers nothing else."""
    for j in range(data.words.shape[0]):
        for k in range(4):
            words[4 * j + k] = data.words[j, k, lane]


def load_stable(data: _Data, lane: int, numbers: Array, words: NDArray[np.uint64]) -> None:
    """Put what `save_stable` wrote into a lane."""
    for j in range(data.words.shape[0]):
        for k in range(4):
            data.words[j, k, lane] = words[4 * j + k]


def reseed_stable(data: _Data, lane: int, path: int, generation: int) -> None:
    """Give a lane the random words of a later generation of a path."""
    n_components = data.words.shape[0]
    for j in range(n_components):
        seed_lane(data.key, path, generation * n_components + j, data.words[j], lane)


@brief
@dataclass(frozen=True)
class StableNoise(Sampled):
    """The increments of a symmetric alpha-stable Levy process L with ``E exp(i u L_t) = exp(-|sigma u|^alpha t)``.

    alpha : the index in (0, 2]. Below 2 the variance is infinite, and sizes beyond x have the probability
        ``~ x^-alpha``; alpha = 1 is Cauchy's law. At alpha = 2 the noise is Gaussian of variance ``2 sigma^2 dt``.
    sigma : the strength, in units of the state over ``time^(1 / alpha)``.

    An increment over dt is ``sigma dt^(1/alpha)`` times a variate drawn by Chambers, Mallows & Stuck's formula.
    Components are independent, so that the noise of several dimensions is not isotropic for alpha < 2: large jumps go
    along an axis. Sizes are cut at 2^1021, which for alpha > 0.1 none reaches.

    >>> StableNoise(1.5, 0.5).increment_scale(1.0)
    0.5
    """

    alpha: float
    sigma: float = 1.0

    def __post_init__(self) -> None:
        alpha = checks.number("alpha", self.alpha)
        if not 0.0 < alpha <= 2.0:
            raise ValueError(f"alpha must lie in (0, 2], got {alpha}.")
        checks.positive("sigma", self.sigma)

    def increment_scale(self, dt: float) -> float:
        """The typical size ``sigma dt^(1/alpha)`` of an increment; half of the sizes are below about that.

        Raises ValueError where it is no normal number, as happens for a small alpha.
        """
        log_scale = math.log(self.sigma) + math.log(checks.positive("dt", dt)) / self.alpha
        if not abs(log_scale) < _LARGEST_LOG:
            raise ValueError(f"sigma dt^(1/alpha) must lie in (1e-300, 1e300), got {log_scale / math.log(10.0):.4g} "
                             f"as its logarithm to base 10 for alpha = {self.alpha} and dt = {dt}.")  # fmt: skip
        return float(self.sigma * dt ** (1.0 / self.alpha))

    def autocovariance(self, lags: ArrayLike, dt: float = 1.0) -> Array:
        """Autocovariance at integer lags for alpha = 2, which is ``2 sigma^2 dt`` at lag 0 and 0 elsewhere.

        Raises ValueError for a smaller alpha, where the variance is infinite.

        >>> StableNoise(2.0).autocovariance([0, 1]).tolist()
        [2.0, 0.0]
        """
        if self.alpha < 2.0:
            raise ValueError(
                f"alpha must be 2 for an autocovariance, got {self.alpha}. Below 2 the variance is infinite."
            )
        return np.where(checks.lags("lags", lags) == 0, 2.0 * self.increment_scale(dt) ** 2, 0.0)

    @property
    def jointly_normal(self) -> bool:
        """Whether the increments of a path are jointly normal, which they are for alpha = 2."""
        return self.alpha == 2.0

    def most_steps(self) -> int:
        """The largest number of steps of a path."""
        return _MOST_STEPS

    def feed(self, n_steps: int, dt: float, channels: int, key: Key) -> Feed:
        """Increments of `channels` independent components over steps of `dt`, for the loops."""
        return _StableFeed(float(self.alpha), self.increment_scale(dt), channels, key)


@dataclass(frozen=True)
class _StableFeed:
    """Lanes that serve any path, over any number of steps."""

    alpha: float
    scale: float
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
        data = _Data(self.key, np.zeros((rows, 4, width), np.uint64), self.alpha, spread)
        return lanes(start_stable, draw_stable, data, self.scale)

    def branch(self, lanes: Lanes) -> Branch:
        """The functions that copy lanes of this feed: see `Branching`."""
        return branch_of(lanes, Copying(save_stable, load_stable, reseed_stable), 0, 4 * self.channels)
