"""`simulate_paths`: whole paths of the equation, thinned as they are written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from . import _checks
from ._errors import PathError
from ._points import Point, is_finite, load, load_step, scaled, store
from ._sources import BLOCK, LANES
from .landscapes import Landscape
from .noise import FractionalNoise
from .passage import as_point
from .solvers import SOLVERS


@dataclass(frozen=True, eq=False)
class Paths:
    """Paths of the equation: `times` (n_saved + 1,), `values` (n_paths, n_saved + 1), in d dimensions with a last axis.

    The first time is 0 and the first value the start; between two saved times lie `save_every` steps of `dt`.
    """

    times: NDArray[np.float64]
    values: NDArray[np.float64]
    dt: float


@njit(error_model="numpy", forceinline=True)
def _advance(
    step: Any, gradient: Any, params: Any, x0: Point, clock: Any, x: NDArray, noise: NDArray, s: int
) -> bool:  # fmt: skip
    """Advance all lanes one step; True when all of them stay finite."""
    dt, scale = clock
    fine = True
    for lane in range(x.shape[1]):
        point = load(x0, x, lane)
        point = step(gradient, params, point, scaled(scale, load_step(x0, noise, s, lane)), dt)
        store(point, x, lane)
        fine = fine & is_finite(point)
    return fine


@njit(error_model="numpy", nogil=True)
def _save_paths(
    start: Any, draw: Any, source: Any, step: Any, gradient: Any, params: Any,
    x0: Point, clock: Any, n_steps: int, first: int, save_every: int, out: NDArray,
) -> tuple[int, int]:  # fmt: skip
    """Paths from number `first` on into `out` (n_paths, n_saved + 1, d); (path, step) of the first that breaks."""
    x, noise = np.empty((len(x0), LANES)), np.zeros((len(x0), BLOCK, LANES))
    for base in range(0, out.shape[0], LANES):
        used = min(LANES, out.shape[0] - base)
        for lane in range(LANES):
            store(x0, x, lane)
            start(source, lane, first + base + min(lane, used - 1))
        out[base : base + used, 0] = x[:, :used].T
        for done in range(0, n_steps, BLOCK):
            draw(source, noise)
            for s in range(min(BLOCK, n_steps - done)):
                fine = _advance(step, gradient, params, x0, clock, x, noise, s)
                if not fine:
                    return first + base + _first_broken(x), done + s + 1
                if (done + s + 1) % save_every == 0:
                    out[base : base + used, (done + s + 1) // save_every] = x[:, :used].T
    return -1, 0


@njit(error_model="numpy", nogil=True)
def _first_broken(x: NDArray) -> int:
    """The first lane of `x` (d, n_lanes) with a coordinate that is not finite."""
    for lane in range(x.shape[1]):
        for j in range(x.shape[0]):
            if not np.isfinite(x[j, lane]):
                return lane
    return -1


def simulate_paths(
    landscape: Landscape,
    noise: FractionalNoise,
    x0: ArrayLike,
    *,
    dt: float,
    n_steps: int,
    n_paths: int,
    seed: _checks.Seed,
    solver: str = "euler",
    save_every: int = 1,
    n_jobs: int | None = None,
) -> Paths:
    """Paths of ``dX = -gradient(X) dt + sigma dB_H`` from `x0`, every `save_every`-th step of them, as `Paths`.

    Path i depends on (seed, i) alone and is the path that `first_passage` follows with the same arguments. Memory is
    that of the result, whatever `n_steps`, with streaming noise; exact generators hold some whole paths besides.
    Raises PathError when a path leaves the finite numbers, MemoryError when the result would not fit.

    >>> from fbmsde import FractionalNoise, quadratic
    >>> paths = simulate_paths(quadratic(1.0), FractionalNoise(0.7), 1.0, dt=0.01, n_steps=1000, n_paths=3, seed=0,
    ...                        save_every=100)
    >>> paths.values.shape, paths.times[-1].round(9)
    ((3, 11), np.float64(10.0))
    """
    step, n_steps = _checks.positive("dt", dt), _checks.count("n_steps", n_steps)
    n_paths, every = _checks.count("n_paths", n_paths), _checks.count("save_every", save_every)
    if every > n_steps:
        raise ValueError(f"save_every must be at most n_steps = {n_steps}, got {every}.")
    start, threads, key = as_point(landscape, x0), _checks.workers(n_jobs), _checks.as_seed(seed)
    method, dim, n_saved = SOLVERS[_checks.choice("solver", solver, SOLVERS)], landscape.dim, n_steps // every
    _checks.fits_memory("paths", 8.0 * n_paths * (n_saved + 1) * dim)
    out = np.empty((n_paths, n_saved + 1, dim))
    feed = noise.feed(n_steps, dim, key)
    size = feed.max_paths or max(1, -(-n_paths // threads))

    def work(first: int) -> tuple[int, int]:
        block = out[first : first + size]
        kit = feed.kit(first, len(block))
        clock = (step, noise.scale(step))
        plan = (*kit, method, landscape.drift, landscape.params, start, clock)
        return _save_paths(*plan, n_steps, first, every, block)

    with ThreadPoolExecutor(threads) as pool:
        broken = [(path, when) for path, when in pool.map(work, range(0, n_paths, size)) if path >= 0]
    if broken:
        raise PathError.at(*broken[0], step)
    times = np.arange(n_saved + 1, dtype=np.float64) * (every * step)
    return Paths(times, out[:, :, 0] if dim == 1 else out, step)
