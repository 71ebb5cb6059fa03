"""Increments and paths of noises as arrays: `fgn`, `fbm`, and the increments of any driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypedDict, Unpack, get_args, overload

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..core import checks, seeds
from ..core.types import AnyArray, Array, Floats, Key
from ._running_sums import running_sums
from .base import LANES, Driver, Shaped
from .exact.generators import Generator, GeneratorName, Progress, fill_components, fill_paths, make_generator
from .feed_rows import fill_from_feed, fill_some
from .rational.streaming import StreamingNoise
from .rational_stream import ModelFeed

NoiseMethod = Literal["streaming", GeneratorName]
METHODS: tuple[NoiseMethod, ...] = get_args(NoiseMethod)


class _Options(TypedDict, total=False):
    """Options of `fgn` that do not change the type of what it returns."""

    method: NoiseMethod
    seed: checks.Seed | None
    rng: seeds.Rng | None
    dim: int | None
    n_jobs: int | None
    progress: Progress


@overload
def fgn(
    hurst: float, n_steps: int, n_paths: int = 1, *, dtype: type[np.float32], **options: Unpack[_Options]
) -> NDArray[np.float32]: ...
@overload
def fgn(
    hurst: float, n_steps: int, n_paths: int = 1, *, dtype: type[float] = ..., **options: Unpack[_Options]
) -> Array: ...
@overload
def fgn(
    hurst: float, n_steps: int, n_paths: int = 1, *, dtype: DTypeLike = ..., **options: Unpack[_Options]
) -> Floats: ...
def fgn(
    hurst: float,
    n_steps: int,
    n_paths: int = 1,
    *,
    method: NoiseMethod = "davies_harte",
    seed: checks.Seed | None = None,
    rng: seeds.Rng | None = None,
    dtype: DTypeLike = float,
    dim: int | None = None,
    n_jobs: int | None = None,
    progress: Progress = False,
) -> Floats:
    """Unit-step fractional Gaussian noise, (n_paths, n_steps), or (n_paths, n_steps, dim) with independent components.

    `method` is a key of `GENERATORS`, all of which are exact for every n_steps >= 1 and 0 < hurst < 1, or "streaming".
    The latter gives the numbers of :meth:`StreamingNoise.sample` with its default tolerance, for hurst in
    [0.02, 0.98]. They are the increments that the simulations use.

    Path i depends on (seed, i) alone: the first 1000 paths of a run of 10 000 are the run of 1000. In place of `seed`,
    `rng` takes a numpy Generator, which is advanced, or anything else that makes one. `dtype` is float64 or float32.
    `n_jobs` is the number of threads, None for all cores; the result does not depend on it. If `progress` is True a bar
    is shown; if it is a function, it is called with the number of paths newly finished. Raises MemoryError, which says
    how much was asked for, if the result would not fit.

    >>> fgn(0.7, 1000, 3, seed=1).shape
    (3, 1000)
    """
    hurst = checks.hurst_parameter(hurst)
    n_steps, n_paths = checks.count("n_steps", n_steps), checks.count("n_paths", n_paths)
    real, parts = checks.float_type("dtype", dtype), 1 if dim is None else checks.count("dim", dim)
    checks.choice("method", method, METHODS)
    checks.fits_memory("fGn", float(n_paths) * n_steps * parts * real.itemsize)
    key, threads = seeds.as_key(seed, rng), checks.workers(n_jobs)
    source = _source(method, hurst, n_steps, key)
    out = np.empty((n_paths, n_steps, parts), real) if dim is not None else np.empty((n_paths, n_steps), real)
    fill_paths(lambda rows: source.fill(rows.start, out[rows]), source.block_paths, out, threads, progress)
    return out


def fbm(
    hurst: float,
    n_steps: int,
    n_paths: int = 1,
    *,
    horizon: float = 1.0,
    method: NoiseMethod = "davies_harte",
    seed: checks.Seed | None = None,
    rng: seeds.Rng | None = None,
    n_jobs: int | None = None,
    progress: Progress = False,
) -> Array:
    """Fractional Brownian motion at the times k horizon / n_steps, (n_paths, n_steps + 1), starting at 0.

    The paths are the cumulated :func:`fgn` of the same seed and method times ``(horizon / n_steps)^H``; `rng`, `n_jobs`
    and `progress` are as there.

    >>> path = fbm(0.7, 4, seed=1)
    >>> path.shape, float(path[0, 0])
    ((1, 5), 0.0)
    """
    horizon = checks.positive("horizon", horizon)
    hurst = checks.hurst_parameter(hurst)
    n_steps, n_paths = checks.count("n_steps", n_steps), checks.count("n_paths", n_paths)
    checks.choice("method", method, METHODS)
    checks.fits_memory("fBm", 8.0 * n_paths * (n_steps + 1))
    source = _source(method, hurst, n_steps, seeds.as_key(seed, rng))
    threads, out, scale = checks.workers(n_jobs), np.empty((n_paths, n_steps + 1)), (horizon / n_steps) ** hurst

    def fill(rows: slice) -> None:
        steps = np.empty((min(source.block_paths, rows.stop - rows.start), n_steps))
        for first in range(rows.start, rows.stop, len(steps)):
            some = out[first : min(first + len(steps), rows.stop)]
            source.fill(first, steps[: len(some)])
            running_sums(steps[: len(some)], 1.0, scale, some)

    fill_paths(fill, source.block_paths, out, threads, progress)
    return out


def sample(
    driver: Driver,
    n_steps: int,
    n_paths: int = 1,
    *,
    dt: float = 1.0,
    dim: int | None = None,
    seed: checks.Seed | None = None,
    rng: seeds.Rng | None = None,
    n_jobs: int | None = None,
    progress: Progress = False,
) -> Array:
    """Increments of any driver over steps of `dt`, (n_paths, n_steps), or (n_paths, n_steps, dim).

    They have the driver's strength, for fractional noise ``sigma dt^H``, and are what the simulations feed to path i of
    a run of `n_steps` steps with the same seed. If `dim` is None it is the number of components that the driver
    prescribes, if it does. `rng`, `n_jobs` and `progress` are as for :func:`fgn`.

    >>> from fbmsde import FractionalNoise
    >>> sample(FractionalNoise(0.7, sigma=0.5), 1000, 3, dt=0.01, seed=1).shape
    (3, 1000)
    """
    n_steps, n_paths = checks.count("n_steps", n_steps), checks.count("n_paths", n_paths)
    dim = driver.components if dim is None and isinstance(driver, Shaped) else dim
    step, parts = checks.positive("dt", dt), 1 if dim is None else checks.count("dim", dim)
    checks.fits_memory("the increments", 8.0 * n_paths * n_steps * parts)
    out = np.empty((n_paths, n_steps, parts))
    fill_from_feed(driver.feed(n_steps, step, parts, seeds.as_key(seed, rng)), out, checks.workers(n_jobs), progress)
    return out[:, :, 0] if dim is None else out


class Sampled:
    """What every driver has: its increments as an array."""

    def sample(
        self: Driver, n_steps: int, n_paths: int = 1, *, dt: float = 1.0, dim: int | None = None,
        seed: checks.Seed | None = None, rng: seeds.Rng | None = None,
    ) -> Array:  # fmt: skip
        """Increments over steps of `dt` as the simulations use them, (n_paths, n_steps) or (n_paths, n_steps, dim).

        Path i depends on (seed, i) alone. `rng` may take the place of `seed`, as for :func:`fgn`.

        >>> from fbmsde import EpochNoise
        >>> EpochNoise(1437, 128).sample(1000, 3, seed=1).shape
        (3, 1000)
        """
        return sample(self, n_steps, n_paths, dt=dt, dim=dim, seed=seed, rng=rng)


class _Source(Protocol):
    """A source of the rows of an array, in blocks of paths."""

    @property
    def block_paths(self) -> int:
        """Paths that are generated together."""

    def fill(self, first: int, out: AnyArray) -> None:
        """Row i of `out`, (n_rows, n_steps) or (n_rows, n_steps, dim), becomes path ``first + i``."""


@dataclass(frozen=True)
class _Exact:
    """Rows of an exact generator."""

    generator: Generator
    key: Key

    @property
    def block_paths(self) -> int:
        """Paths that are generated together."""
        return self.generator.block_paths

    def fill(self, first: int, out: AnyArray) -> None:
        """Fill rows, in several dimensions component by component."""
        if out.ndim == 2:
            self.generator.fill(self.key, first, 0, out)
        else:
            fill_components(self.generator, self.key, first, out)


@dataclass(frozen=True)
class _Streaming:
    """Rows of a rational model."""

    model: StreamingNoise
    key: Key
    block_paths: int = LANES

    def fill(self, first: int, out: AnyArray) -> None:
        """Fill rows, all components together."""
        parts = out if out.ndim == 3 else out[:, :, None]
        fill_some(ModelFeed(self.model.model, self.key, parts.shape[2], out.dtype), first, parts)


def _source(method: NoiseMethod, hurst: float, n_steps: int, key: Key) -> _Source:
    """The rows of the method, an element of ``METHODS``."""
    if method == "streaming":
        return _Streaming(StreamingNoise(hurst, max(2, n_steps)), key)
    return _Exact(make_generator(method, hurst, n_steps), key)
