"""The protocols of drivers, which give the loops increments in blocks of steps and lanes of paths.

A driver is a frozen dataclass. Asked for a `feed`, it returns what hands out `Lanes`: two compiled functions and the
arrays on which they work. `Extending`, `Jumping`, `Branching`, `Spreading` and `FromNormals` tell what else a driver or
its feed can do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numba import config, njit, types
from numpy.typing import ArrayLike

from ..core.compile import kind_of, lasting_name, locked
from ..core.linear import symmetric_eigen, triangular_root
from ..core.types import Array, Key

BLOCK = 8  # steps drawn at once, a cache line of stored increments; the recursion loads its states once for all eight

# So many paths are advanced side by side: enough to hide the overhead of the loops, and few enough for the first-level
# cache. Results do not depend on it.
LANES = 8 if config.DISABLE_JIT else 128

NOISE = types.Array(types.float64, 3, "C")  # increments (channels, BLOCK, LANES)


class Lanes(NamedTuple):
    """What a loop needs of a driver to advance LANES paths side by side.

    start : ``start(data, lane, path)`` puts the beginning of a path into a lane.
    draw : ``draw(data, noise)`` writes the next BLOCK numbers of all lanes into `noise` (channels, BLOCK, LANES).
    data : a named tuple of arrays and numbers that only these two functions read.
    scale : the increments are so many times the numbers drawn. The loop multiplies them at no cost.
    kind : the type of `data` for the compiler.
    """

    start: Callable[..., None]
    draw: Callable[..., None]
    data: tuple[object, ...]
    scale: float
    kind: types.Type


class Feed(Protocol):
    """Lanes for any range of paths, of which each is a pure function of (key, path number)."""

    @property
    def max_paths(self) -> int | None:
        """The number of paths that one set of lanes may serve, None for any number."""

    def lanes(self, first: int, n_paths: int, width: int = LANES) -> Lanes:
        """Lanes for the paths first ... first + n_paths - 1, of which only the first `width` are used."""


@runtime_checkable
class Driver(Protocol):
    """The noise of an equation: a frozen, hashable dataclass that can be pickled."""

    def feed(self, n_steps: int, dt: float, channels: int, key: Key) -> Feed:
        """A feed of increments of `channels` components over `n_steps` steps of `dt`, at the strength of the noise."""

    def increment_scale(self, dt: float) -> float:
        """The typical size of an increment over a step of `dt`, which is its standard deviation if it has one."""


@runtime_checkable
class Extending(Protocol):
    """A driver that makes no more of a path than is read. The option `until` needs one, to decide how far to go."""

    def most_steps(self) -> int:
        """The largest number of steps of a feed; ValueError where whole paths are made at once."""


@runtime_checkable
class Correlated(Protocol):
    """A driver whose increments have a variance and a known autocovariance."""

    def autocovariance(self, lags: ArrayLike, dt: float = 1.0) -> Array:
        """Autocovariance of a component's increments over steps of `dt` at integer lags, same shape as `lags`.

        A driver that prescribes d components gives the covariances of all with all, of the shape of `lags` and (d, d).
        """


@runtime_checkable
class Shaped(Protocol):
    """A driver that may prescribe the number of its components."""

    @property
    def components(self) -> int | None:
        """The number of components, None for any number."""


@runtime_checkable
class Spreading(Protocol):
    """A feed that can spread a path over its lanes: a lane is then a component of a path, as many dimensions need.

    A feed without it serves many dimensions too; a lane is then a path, and needs room for all its components.
    """

    def coordinates(self, rows: int, width: int, paths: int = 1) -> Lanes | None:
        """Lanes that draw into (rows, BLOCK, width), for `paths` paths side by side, of n = width // paths lanes each.

        Lane l of a path in row r is its component ``r n + l``. ``start(data, lane, path)`` begins a lane in all rows. A
        component has the numbers that it has in lanes of whole paths. None where the components depend on each other.
        """


@njit(error_model="numpy", forceinline=True)
def component(spread: int, row: int, lane: int) -> int:
    """The component of a path that a lane of a row draws.

    `spread` is the number of lanes in a row that belong to one path, 0 where a lane is a path and a row a component.

    >>> component(0, 3, 7), component(128, 3, 7), component(32, 0, 39)
    (3, 391, 7)
    """
    return row if spread == 0 else row * spread + lane % spread


def lanes(start: Callable[..., None], draw: Callable[..., None], data: tuple[object, ...], scale: float = 1.0) -> Lanes:
    """Lanes made of two plain functions of a module; they are compiled once for every type of `data`.

    Their machine code is kept between processes.
    """
    kind = kind_of(data)
    return Lanes(*_compiled(start, draw, kind), data, scale, kind)


@lru_cache(maxsize=64)
def _compiled(
    start: Callable[..., None], draw: Callable[..., None], data: types.Type
) -> tuple[Callable[..., None], Callable[..., None]]:
    """Both functions of a driver, compiled for one type of data."""
    return (
        locked(start, types.void(data, types.int64, types.int64), lasting_name(start)),
        locked(draw, types.void(data, NOISE), lasting_name(draw)),
    )


def correlation_factor(matrix: ArrayLike) -> Array:
    """Lower-triangular L (d, d) with ``L L' = matrix``, for a correlation matrix, which may be singular.

    Raises ValueError unless the matrix is symmetric with a unit diagonal and has no eigenvalue below -1e-12 d.

    >>> correlation_factor([[1.0, 0.6], [0.6, 1.0]]).round(12)
    array([[1. , 0. ],
           [0.6, 0.8]])
    """
    m = np.asarray(matrix, dtype=float)
    if m.ndim != 2 or m.shape[0] != m.shape[1] or m.size == 0:
        raise ValueError(f"correlation must be a square matrix, got shape {m.shape}.")
    if not np.all(np.isfinite(m)):
        raise ValueError("correlation must be finite, got a value that is not.")
    if not np.allclose(m, m.T, rtol=0.0, atol=1e-12):
        raise ValueError(f"correlation must be symmetric, got entries that differ by {np.abs(m - m.T).max():.3g}.")
    if not np.allclose(np.diag(m), 1.0, rtol=0.0, atol=1e-12):
        raise ValueError(f"correlation must have a unit diagonal, got {np.diag(m)}. "
                         "Divide a covariance by both standard deviations; sigma is the strength of all.")  # fmt: skip
    values, vectors = symmetric_eigen(m)
    if values[0] < -1e-12 * len(m):
        raise ValueError(f"correlation must be positive semi-definite, got smallest eigenvalue {values[0]:.6g}.")
    return triangular_root(vectors * np.sqrt(np.maximum(values, 0.0)))
