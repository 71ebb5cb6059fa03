"""`MixedNoise`: the sum of independent noises."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import ArrayLike

from ..core import checks
from ..core.brief import brief
from ..core.compile import kind_of
from ..core.types import Array, Key
from .anisotropic import AnisotropicNoise
from .base import BLOCK, LANES, NOISE, Correlated, Driver, Extending, Feed, Lanes, Shaped, Spreading
from .branching import Branch, Branching, Copying
from .certified import Certified
from .composing import composed
from .from_normals import is_jointly_normal
from .rational.certified import Certificate
from .sample import Sampled

_COPIED = types.Array(types.float64, 1, "C"), types.Array(types.uint64, 1, "C")


class _Data(NamedTuple):
    """The lanes of two noises, the factors of the numbers that they draw, and room for those of the second."""

    first: tuple[object, ...]
    second: tuple[object, ...]
    first_scale: float
    second_scale: float
    drawn: Array


@brief
@dataclass(frozen=True, init=False)
class MixedNoise(Sampled):
    """The sum of two or more independent noises, ``MixedNoise(a, b, ...)``.

    noises : the drivers. Each has random numbers of its own, also where two of them are equal. They are not those that
        it has alone, so that the sum's path i is no function of the path i of a part that runs by itself.

    The increments, and the autocovariance, are the sums of those of the parts. A step costs as much as one of each
    part. Raises ValueError for less than two noises, and for noises that prescribe different numbers of components.

    >>> from fbmsde import EpochNoise, FractionalNoise
    >>> MixedNoise(FractionalNoise(0.5, 2.0), EpochNoise(40, 10)).autocovariance([0, 1]).tolist()
    [5.0, -0.25]
    """

    noises: tuple[Driver, ...]

    def __init__(self, *noises: Driver) -> None:
        if len(noises) < 2:
            raise ValueError(f"noises must be at least 2, got {len(noises)}. One noise needs no mixture.")
        for noise in noises:
            checks.kind("noises", noise, Driver, "Write MixedNoise(EpochNoise(60, 10), StableNoise(1.5)), for example.")
        object.__setattr__(self, "noises", noises)
        if len(set(self._prescribed)) > 1:
            raise ValueError(f"noises must have the same number of components, got {self._prescribed}.")

    @property
    def components(self) -> int | None:
        """The number of components that the noises prescribe, None for any number."""
        return self._prescribed[0] if self._prescribed else None

    def increment_scale(self, dt: float) -> float:
        """The root of the sum of the squared scales of the noises over a step of `dt`."""
        return math.hypot(*(noise.increment_scale(dt) for noise in self.noises))

    def autocovariance(self, lags: ArrayLike, dt: float = 1.0) -> Array:
        """Autocovariance at integer lags, of their shape, and (d, d) behind it where a noise prescribes d components.

        Raises what a noise without variance raises.
        """
        shape, total = np.shape(lags), None
        for noise in self.noises:
            part = checks.kind("noises", noise, Correlated, "It has no autocovariance.").autocovariance(lags, dt)
            if self.components is not None and part.ndim == len(shape):
                part = part[..., None, None] * np.eye(self.components)
            total = part if total is None else total + part
        return np.asarray(total)

    @property
    def jointly_normal(self) -> bool:
        """Whether the increments of a path are jointly normal, which they are if those of all noises are."""
        return all(is_jointly_normal(noise) for noise in self.noises)

    def certificates(self, n_steps: int) -> tuple[Certificate, ...]:
        """The certificates of the models of all noises for paths of `n_steps` steps."""
        certified = (noise for noise in self.noises if isinstance(noise, Certified))
        return tuple(found for noise in certified for found in noise.certificates(n_steps))

    def most_steps(self) -> int:
        """The largest number of steps of a path, the least of all noises; TypeError where one makes whole paths."""
        advice = "It makes whole paths, which have a fixed end."
        return min(checks.kind("noises", noise, Extending, advice).most_steps() for noise in self.noises)

    def feed(self, n_steps: int, dt: float, channels: int, key: Key) -> Feed:
        """Increments of `channels` components over steps of `dt`, for the loops."""
        feeds = tuple(
            noise.feed(n_steps, dt, channels, part_key(key, index)) for index, noise in enumerate(self.noises)
        )
        branching = all(isinstance(feed, Branching) for feed in feeds)
        return (_BranchingFeed if branching else _MixedFeed)(feeds, channels)

    @property
    def _prescribed(self) -> list[int]:
        """The numbers of components that the noises prescribe."""
        shaped = [noise.components for noise in self.noises if isinstance(noise, Shaped)]
        return [number for number in shaped if number is not None]


def part_key(key: Key, index: int) -> Key:
    """The key of a part of a noise, (4,): keys of different parts are independent of each other and of `key`.

    >>> bool((part_key(checks.as_seed(1), 0) == part_key(checks.as_seed(1), 1)).any())
    False
    """
    words = np.random.SeedSequence([int(word) for word in key], spawn_key=(index,)).generate_state(4, np.uint64)
    return np.asarray(words)


@dataclass(frozen=True)
class _MixedFeed:
    """The lanes of several feeds side by side."""

    feeds: tuple[Feed, ...]
    channels: int

    @property
    def max_paths(self) -> int | None:
        """Paths that one set of lanes may serve, the least of all feeds."""
        return min((feed.max_paths for feed in self.feeds if feed.max_paths is not None), default=None)

    def lanes(self, first: int, n_paths: int, width: int = LANES) -> Lanes:
        """The lanes of the sum of two feeds, to which those of a third are added, and so on."""
        parts = [feed.lanes(first, n_paths, width) for feed in self.feeds]
        return reduce(lambda a, b: _added(a, b, self.channels, width), parts)

    def coordinates(self, rows: int, width: int, paths: int = 1) -> Lanes | None:
        """Lanes of which each is a component of a path: see `Spreading`. None unless all feeds have such lanes."""
        found = [feed.coordinates(rows, width, paths) if isinstance(feed, Spreading) else None for feed in self.feeds]
        parts = [part for part in found if part is not None]
        return reduce(lambda a, b: _added(a, b, rows, width), parts) if len(parts) == len(found) else None


class _BranchingFeed(_MixedFeed):
    """The same for feeds whose lanes can all be copied."""

    def branch(self, lanes: Lanes) -> Branch:
        """The functions that copy lanes of this feed: see `Branching`."""
        data, chain = lanes.data, [lanes.data]
        while len(chain) < len(self.feeds) - 1:
            data = data.first  # type: ignore[attr-defined]  # lanes know tuples only; here each is _Data
            chain.insert(0, data)
        whole = self._branch_of(0, chain[0].first)  # type: ignore[attr-defined]  # as above
        for index, pair in enumerate(chain, start=1):
            second = self._branch_of(index, pair.second)  # type: ignore[attr-defined]  # as above
            whole = _added_branch(whole, second, kind_of(pair))
        return whole

    def _branch_of(self, index: int, data: tuple[object, ...]) -> Branch:
        """The branch of one of the feeds, whose lanes have this data."""
        feed = self.feeds[index]
        assert isinstance(feed, Branching)
        return feed.branch(feed.lanes(0, 1, 1)._replace(data=data, kind=kind_of(data)))


def _added(first: Lanes, second: Lanes, rows: int, width: int) -> Lanes:
    """The lanes of a sum."""
    data = _Data(first.data, second.data, first.scale, second.scale, np.zeros((rows, BLOCK, width)))
    kind = kind_of(data)
    return Lanes(*_functions((first.start, second.start), (first.draw, second.draw), kind), data, 1.0, kind)


_Pair = tuple[Callable[..., None], Callable[..., None]]


@lru_cache(maxsize=64)
def _functions(starts: _Pair, draws: _Pair, kind: types.Type) -> _Pair:
    """The functions of the lanes, compiled for one type of data."""
    (start_first, start_second), (draw_first, draw_second) = starts, draws

    def start(data: _Data, lane: int, path: int) -> None:
        start_first(data.first, lane, path)
        start_second(data.second, lane, path)

    def draw(data: _Data, noise: Array) -> None:
        a, b, drawn = data.first_scale, data.second_scale, data.drawn
        draw_first(data.first, noise)
        draw_second(data.second, drawn)
        for j in range(noise.shape[0]):
            for s in range(BLOCK):
                for i in range(noise.shape[2]):
                    noise[j, s, i] = a * noise[j, s, i] + b * drawn[j, s, i]

    return (
        composed(start, starts, types.void(kind, types.int64, types.int64)),
        composed(draw, draws, types.void(kind, NOISE)),
    )


def _added_branch(first: Branch, second: Branch, kind: types.Type) -> Branch:
    """The branch of a sum: the second noise's numbers and words stand behind those of the first."""
    parts = Copying(first.save, first.load, first.reseed), Copying(second.save, second.load, second.reseed)
    copying = _copying(*parts, first.n_numbers, first.n_words, kind)
    return Branch(*copying, first.n_numbers + second.n_numbers, first.n_words + second.n_words)


@lru_cache(maxsize=64)
def _copying(first: Copying, second: Copying, n_numbers: int, n_words: int, kind: types.Type) -> Copying:
    """The functions that copy lanes, compiled for one type of data."""
    save_first, load_first, reseed_first = first
    save_second, load_second, reseed_second = second

    def save(data: _Data, lane: int, numbers: Array, words: Array) -> None:
        save_first(data.first, lane, numbers[:n_numbers], words[:n_words])
        save_second(data.second, lane, numbers[n_numbers:], words[n_words:])

    def load(data: _Data, lane: int, numbers: Array, words: Array) -> None:
        load_first(data.first, lane, numbers[:n_numbers], words[:n_words])
        load_second(data.second, lane, numbers[n_numbers:], words[n_words:])

    def reseed(data: _Data, lane: int, path: int, generation: int) -> None:
        reseed_first(data.first, lane, path, generation)
        reseed_second(data.second, lane, path, generation)

    copied = types.void(kind, types.int64, *_COPIED)
    return Copying(
        composed(save, (first.save, second.save), copied, n_numbers, n_words),
        composed(load, (first.load, second.load), copied, n_numbers, n_words),
        composed(reseed, (first.reseed, second.reseed), types.void(kind, *[types.int64] * 3)),
    )


def is_per_step(driver: Driver) -> bool:
    """Whether a driver, or a part of it, has increments of the same size over a step of any `dt`.

    Such noise belongs to its step: with half the step the equation is driven by another noise.

    >>> from fbmsde import ArmaNoise, FractionalNoise
    >>> is_per_step(FractionalNoise(0.3)), is_per_step(MixedNoise(FractionalNoise(0.3), ArmaNoise((0.5,))))
    (False, True)
    """
    if isinstance(driver, MixedNoise):
        return any(is_per_step(part) for part in driver.noises)
    if isinstance(driver, AnisotropicNoise):
        return is_per_step(driver.noise)
    return driver.increment_scale(0.5) == driver.increment_scale(1.0)
