"""`AnisotropicNoise`: the components of any driver, weighted axis by axis or mixed by a matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import ArrayLike

from ..core import checks
from ..core.brief import brief
from ..core.compile import kind_of
from ..core.types import Array, Key
from .base import BLOCK, LANES, NOISE, Correlated, Driver, Extending, Feed, Lanes, Shaped
from .branching import Branch, Branching, Copying
from .certified import Certified
from .composing import composed
from .fractional import FractionalNoise
from .from_normals import is_jointly_normal
from .mixture import Mixture, is_several, multiply, strengths
from .rational.certified import Certificate
from .sample import Sampled

_COPIED = types.Array(types.float64, 1, "C"), types.Array(types.uint64, 1, "C")


class _Data(NamedTuple):
    """The lanes of the driver, and how its components are mixed.

    `drawn` is room for the driver's own increments, (m, BLOCK, L), if there is a matrix.
    """

    inner: tuple[object, ...]
    mixture: Mixture
    drawn: Array


@brief
@dataclass(frozen=True)
class AnisotropicNoise(Sampled):
    """The increments of another noise, multiplied by a factor for each axis, or by a matrix.

    noise : the driver, any but `FractionalNoise`, which takes such a factor as its `sigma`.
    factor : a number for each axis, (d,), of which component j is multiplied by the j-th; or a matrix L (d, m), which
        makes the d components of m components of the driver.

    >>> from fbmsde import EpochNoise
    >>> AnisotropicNoise(EpochNoise(1437, 128), [[1.0, 0.0], [1.0, 1.0]]).autocovariance(0).tolist()
    [[1.0, 1.0], [1.0, 2.0]]
    """

    noise: Driver
    factor: ArrayLike

    def __post_init__(self) -> None:
        checks.kind("noise", self.noise, Driver, "Write EpochNoise(n_samples, batch_size), for example.")
        if isinstance(self.noise, FractionalNoise):
            raise ValueError(f"noise must be another driver, got {self.noise}. Give FractionalNoise(sigma=factor).")
        if not is_several(self.factor):
            raise TypeError(f"factor must be a number for each axis, or a matrix, got {self.factor!r}. Give the noise "
                            "a sigma for a factor of all axes.")  # fmt: skip
        object.__setattr__(self, "factor", strengths("factor", self.factor))
        prescribed = self.noise.components if isinstance(self.noise, Shaped) else None
        if prescribed not in (None, self._n_drawn):
            raise ValueError(f"factor must have a column for each of the {prescribed} components of the noise, got "
                             f"shape {np.shape(self.factor)}.")  # fmt: skip

    @property
    def components(self) -> int:
        """The number of components d."""
        return len(self.factor)  # type: ignore[arg-type]  # a tuple since __post_init__

    def increment_scale(self, dt: float) -> float:
        """The typical size of the largest component's increments over a step of `dt`."""
        return self.noise.increment_scale(dt) * float(np.sqrt(np.sum(self._matrix**2, axis=1)).max())

    def autocovariance(self, lags: ArrayLike, dt: float = 1.0) -> Array:
        """Covariances of the components at integer lags, of the shape of `lags` and (d, d)."""
        noise = checks.kind("noise", self.noise, Correlated, "Its increments have no covariance.")
        inner, lags = noise.autocovariance(lags, dt), np.asarray(lags)
        matrix = self._matrix
        if inner.ndim == lags.ndim:
            return inner[..., None, None] * (matrix @ matrix.T)
        return matrix @ inner @ matrix.T

    @property
    def jointly_normal(self) -> bool:
        """Whether the increments of a path are jointly normal, which they are if those of the driver are."""
        return is_jointly_normal(self.noise)

    def certificates(self, n_steps: int) -> tuple[Certificate, ...]:
        """The certificates of the models of the noise for paths of `n_steps` steps."""
        return self.noise.certificates(n_steps) if isinstance(self.noise, Certified) else ()

    def most_steps(self) -> int:
        """The largest number of steps of a path; TypeError where whole paths are made at once."""
        return checks.kind("noise", self.noise, Extending, "It makes whole paths, which have a fixed end.").most_steps()

    def feed(self, n_steps: int, dt: float, channels: int, key: Key) -> Feed:
        """Increments of `channels` components, which must be those of the factor."""
        if channels != self.components:
            raise ValueError(f"noise must have the {channels} components that the equation takes, got a factor of "
                             f"shape {np.shape(self.factor)}.")  # fmt: skip
        factor = np.array(self.factor, dtype=float)
        mixture = Mixture.of(factor) if factor.ndim == 2 else Mixture(factor, np.empty((0, 0)))
        inner = self.noise.feed(n_steps, dt, self._n_drawn, key)
        return (_BranchingFeed if isinstance(inner, Branching) else _Feed)(inner, mixture, self._n_drawn)

    @property
    def _n_drawn(self) -> int:
        """The number m of components of the noise that are drawn."""
        return int(np.shape(self.factor)[-1])

    @property
    def _matrix(self) -> Array:
        """The factor as a matrix (d, m)."""
        factor = np.array(self.factor, dtype=float)
        return factor if factor.ndim == 2 else np.diag(factor)


@dataclass(frozen=True)
class _Feed:
    """The lanes of another feed, of which `n_drawn` components are mixed."""

    inner: Feed
    mixture: Mixture
    n_drawn: int

    @property
    def max_paths(self) -> int | None:
        """Paths that one set of lanes may serve."""
        return self.inner.max_paths

    def lanes(self, first: int, n_paths: int, width: int = LANES) -> Lanes:
        """The inner lanes, and room for their increments."""
        inner = self.inner.lanes(first, n_paths, width)
        room = np.zeros((self.n_drawn if self.mixture.matrix.size else 0, BLOCK, width))
        data = _Data(inner.data, self.mixture, room)
        kind = kind_of(data)
        return Lanes(*_functions(inner.start, inner.draw, kind), data, inner.scale, kind)


class _BranchingFeed(_Feed):
    """The same for a feed whose lanes can be copied."""

    def branch(self, lanes: Lanes) -> Branch:
        """The functions that copy lanes of this feed: see `Branching`."""
        assert isinstance(lanes.data, _Data) and isinstance(self.inner, Branching)
        within = self.inner.lanes(0, 1, 1)._replace(data=lanes.data.inner)
        branch = self.inner.branch(within)
        copying = _copying(Copying(branch.save, branch.load, branch.reseed), lanes.kind)
        return Branch(*copying, branch.n_numbers, branch.n_words)


@lru_cache(maxsize=64)
def _functions(
    start_inner: Callable[..., None], draw_inner: Callable[..., None], kind: types.Type
) -> tuple[Callable[..., None], Callable[..., None]]:
    """The functions of the lanes, compiled for one type of data."""

    def start(data: _Data, lane: int, path: int) -> None:
        start_inner(data.inner, lane, path)

    def draw(data: _Data, noise: Array) -> None:
        matrix, weights = data.mixture.matrix, data.mixture.weights
        if matrix.size > 0:
            draw_inner(data.inner, data.drawn)
            multiply(matrix, data.drawn, noise)
        else:
            draw_inner(data.inner, noise)
            for j in range(noise.shape[0]):
                for s in range(BLOCK):
                    for i in range(noise.shape[2]):
                        noise[j, s, i] *= weights[j]

    return (
        composed(start, (start_inner,), types.void(kind, types.int64, types.int64)),
        composed(draw, (draw_inner,), types.void(kind, NOISE)),
    )


@lru_cache(maxsize=64)
def _copying(inner: Copying, kind: types.Type) -> Copying:
    """The functions that copy lanes, compiled for one type of data."""
    save_inner, load_inner, reseed_inner = inner

    def save(data: _Data, lane: int, numbers: Array, words: Array) -> None:
        save_inner(data.inner, lane, numbers, words)

    def load(data: _Data, lane: int, numbers: Array, words: Array) -> None:
        load_inner(data.inner, lane, numbers, words)

    def reseed(data: _Data, lane: int, path: int, generation: int) -> None:
        reseed_inner(data.inner, lane, path, generation)

    copied = types.void(kind, types.int64, *_COPIED)
    return Copying(
        composed(save, (save_inner,), copied),
        composed(load, (load_inner,), copied),
        composed(reseed, (reseed_inner,), types.void(kind, *[types.int64] * 3)),
    )
