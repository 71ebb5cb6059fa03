"""`Flagged`: a driver with one more component, which tells at which steps something happens."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from ..core.compile import kind_of
from ..core.random import next_words, open_uniform, seed_lane
from ..core.types import Array, Key
from .base import BLOCK, LANES, NOISE, Driver, Feed, Lanes
from .composing import composed

_STREAM = 2**24 - 3  # the number of the random numbers among those of a path; components count from 0


class _Data(NamedTuple):
    """The lanes of the driver, the words of the flags (4, L), how likely one is, and room (m, BLOCK, L)."""

    inner: tuple[object, ...]
    key: Key
    words: NDArray[np.uint64]
    share: float
    drawn: Array


@dataclass(frozen=True)
class Flagged:
    """The components of a driver, and one more that is positive at steps of its own and 0 at the others.

    The last component is positive at each step with probability ``1 - exp(-rate dt)``, independent of all else. The
    others are those of the driver to the bit.

    >>> from fbmsde import FractionalNoise
    >>> Flagged(FractionalNoise(0.5), 2.0).increment_scale(0.25)
    0.5
    """

    noise: Driver
    rate: float

    def increment_scale(self, dt: float) -> float:
        """The typical size of an increment of the driver."""
        return self.noise.increment_scale(dt)

    def feed(self, n_steps: int, dt: float, channels: int, key: Key) -> Feed:
        """Increments of ``channels - 1`` components of the driver, and the flags."""
        share = -math.expm1(-self.rate * dt)
        return _Feed(self.noise.feed(n_steps, dt, channels - 1, key), key, share, channels - 1)


@dataclass(frozen=True)
class _Feed:
    """The lanes of a feed with one more component."""

    inner: Feed
    key: Key
    share: float
    n_drawn: int

    @property
    def max_paths(self) -> int | None:
        """Paths that one set of lanes may serve."""
        return self.inner.max_paths

    def lanes(self, first: int, n_paths: int, width: int = LANES) -> Lanes:
        """The inner lanes, the words of the flags, and room for the increments."""
        inner = self.inner.lanes(first, n_paths, width)
        words, room = np.zeros((4, width), np.uint64), np.zeros((self.n_drawn, BLOCK, width))
        data = _Data(inner.data, self.key, words, self.share, room)
        kind = kind_of(data)
        return Lanes(*_functions(inner.start, inner.draw, kind), data, inner.scale, kind)


@lru_cache(maxsize=64)
def _functions(
    start_inner: Callable[..., None], draw_inner: Callable[..., None], kind: types.Type
) -> tuple[Callable[..., None], Callable[..., None]]:
    """The functions of the lanes, compiled for one type of data."""

    def start(data: _Data, lane: int, path: int) -> None:
        start_inner(data.inner, lane, path)
        seed_lane(data.key, path, _STREAM, data.words, lane)

    def draw(data: _Data, noise: Array) -> None:
        draw_inner(data.inner, data.drawn)
        m = data.drawn.shape[0]
        noise[:m] = data.drawn
        for s in range(0, BLOCK, 2):
            for lane in range(noise.shape[2]):
                first, second = next_words(data.words, lane)
                noise[m, s, lane] = 1.0 if open_uniform(first) < data.share else 0.0
                noise[m, s + 1, lane] = 1.0 if open_uniform(second) < data.share else 0.0

    return (
        composed(start, (start_inner,), types.void(kind, types.int64, types.int64)),
        composed(draw, (draw_inner,), types.void(kind, NOISE)),
    )
