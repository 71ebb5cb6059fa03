"""`fgn` and `fbm`: exact noise and paths as arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from ..core import checks
from ..core.types import AnyArray
from .exact.generators import GENERATORS, Progress, fill_components, fill_paths, make_generator


def fgn(
    hurst: float,
    n_steps: int,
    n_paths: int = 1,
    *,
    method: str = "davies_harte",
    seed: checks.Seed,
    dtype: DTypeLike = float,
    dim: int | None = None,
    n_jobs: int | None = None,
    progress: Progress = False,
) -> AnyArray:
    """Unit-step fractional Gaussian noise, (n_paths, n_steps), or (n_paths, n_steps, dim) with independent components.

    Exact for every n_steps >= 1 and 0 < hurst < 1. Path i depends on (seed, i) alone: the first 1000 paths of a run of
    10 000 are the run of 1000. `method` is a key of ``GENERATORS``, `dtype` float64 or float32.
    `n_jobs`: threads, None for all cores, each with a block of paths in work; the result does not depend on it.
    `progress`: True shows a bar; a function is called with the number of paths newly finished.
    Raises MemoryError, saying how much was asked for, when the result would not fit.

    >>> fgn(0.7, 1000, 3, seed=1).shape
    (3, 1000)
    """
    hurst = checks.hurst_parameter(hurst)
    n_steps, n_paths = checks.count("n_steps", n_steps), checks.count("n_paths", n_paths)
    real, parts = checks.float_type("dtype", dtype), 1 if dim is None else checks.count("dim", dim)
    checks.choice("method", method, GENERATORS)
    checks.fits_memory("fGn", float(n_paths) * n_steps * parts * real.itemsize)
    key, threads = checks.as_seed(seed), checks.workers(n_jobs)
    generator = make_generator(method, hurst, n_steps)
    out = np.empty((n_paths, n_steps, parts), real) if dim is not None else np.empty((n_paths, n_steps), real)

    def fill(rows: slice) -> None:
        if dim is None:
            generator.fill(key, rows.start, 0, out[rows])
        else:
            fill_components(generator, key, rows.start, out[rows])

    fill_paths(fill, generator.block_paths, out, threads, progress)
    return out


def fbm(
    hurst: float,
    n_steps: int,
    n_paths: int = 1,
    *,
    horizon: float = 1.0,
    method: str = "davies_harte",
    seed: checks.Seed,
    n_jobs: int | None = None,
    progress: Progress = False,
) -> AnyArray:
    """Fractional Brownian motion at the times k horizon / n_steps, (n_paths, n_steps + 1), starting at 0.

    The cumulated :func:`fgn` of the same seed times ``(horizon / n_steps)^H``; `n_jobs` and `progress` as there.

    >>> path = fbm(0.7, 4, seed=1)
    >>> path.shape, float(path[0, 0])
    ((1, 5), 0.0)
    """
    horizon = checks.positive("horizon", horizon)
    hurst = checks.hurst_parameter(hurst)
    n_steps, n_paths = checks.count("n_steps", n_steps), checks.count("n_paths", n_paths)
    checks.choice("method", method, GENERATORS)
    checks.fits_memory("fBm", 8.0 * n_paths * (n_steps + 1))
    key, generator = checks.as_seed(seed), make_generator(method, hurst, n_steps)
    threads, out = checks.workers(n_jobs), np.zeros((n_paths, n_steps + 1))

    def fill(rows: slice) -> None:
        steps = np.empty((min(generator.block_paths, rows.stop - rows.start), n_steps))
        for first in range(rows.start, rows.stop, len(steps)):
            some = out[first : min(first + len(steps), rows.stop), 1:]
            generator.fill(key, first, 0, steps[: len(some)])
            np.cumsum(steps[: len(some)], axis=1, out=some)
            some *= (horizon / n_steps) ** hurst

    fill_paths(fill, generator.block_paths, out, threads, progress)
    return out
