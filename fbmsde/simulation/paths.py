"""`simulate_paths`: whole paths of the equation, thinned as they are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ..core import checks
from ..core.blocks import run_blocks
from ..core.points import Point, is_finite, load, load_step, scaled, store
from ..drivers.base import BLOCK, LANES
from ..drivers.fractional import FractionalNoise
from ..dynamics.landscapes import Landscape
from ..dynamics.solvers import SOLVERS
from .domains import as_point
from .errors import PathError


@dataclass(frozen=True, eq=False, repr=False)
class Paths:
    """Paths of the equation: `times` (n_saved + 1,), `values` (n_paths, n_saved + 1), in d dimensions with a last axis.

    The first time is 0 and the first value the start; between two saved times lie `save_every` steps of `dt`. `broken`
    (n_paths,) marks paths that left the finite numbers, whose values are nan from there on.
    """

    times: NDArray[np.float64]
    values: NDArray[np.float64]
    dt: float
    broken: NDArray[np.bool_] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.broken is None:
            object.__setattr__(self, "broken", np.zeros(len(self.values), bool))

    def __repr__(self) -> str:
        dim = f" in {self.values.shape[2]} dimensions" if self.values.ndim == 3 else ""
        lost = f", {int(self.broken.sum())} broken" if self.broken.any() else ""
        return (
            f"Paths({len(self.values)} paths{dim} at {self.times.size} times from 0 to {self.times[-1]:g}, "
            f"dt = {self.dt:g}{lost})"
        )


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
    x0: Point, clock: Any, n_steps: int, first: int, save_every: int, out: NDArray, broken: NDArray, control: NDArray,
) -> None:  # fmt: skip
    """Paths from number `first` on into `out` (n_paths, n_saved + 1, d).

    `broken` (n_paths,), zero before, takes the steps at which paths leave the finite numbers; what `out` holds of them
    from there on means nothing. control[0] asks to stop, control[1] counts finished paths.
    """
    x, noise = np.empty((len(x0), LANES)), np.zeros((len(x0), BLOCK, LANES))
    for base in range(0, out.shape[0], LANES):
        used = min(LANES, out.shape[0] - base)
        for lane in range(LANES):
            store(x0, x, lane)
            start(source, lane, first + base + min(lane, used - 1))
        out[base : base + used, 0] = x[:, :used].T
        for done in range(0, n_steps, BLOCK):
            if control[0] != 0:
                return
            draw(source, noise)
            for s in range(min(BLOCK, n_steps - done)):
                fine = _advance(step, gradient, params, x0, clock, x, noise, s)
                if not fine:
                    _retire(x0, x, broken[base : base + used], done + s + 1)
                if (done + s + 1) % save_every == 0:
                    out[base : base + used, (done + s + 1) // save_every] = x[:, :used].T
        control[1] += used


@njit(error_model="numpy", nogil=True)
def _retire(x0: Point, x: NDArray, broken: NDArray, step: int) -> None:
    """Note the step of lanes of `x` (d, n_lanes) that are not finite now, and let them run on from the start."""
    for lane in range(x.shape[1]):
        if not is_finite(load(x0, x, lane)):
            store(x0, x, lane)
            if lane < broken.size and broken[lane] == 0:
                broken[lane] = step


def simulate_paths(
    landscape: Landscape,
    noise: FractionalNoise,
    x0: ArrayLike,
    *,
    dt: float,
    n_steps: int,
    n_paths: int,
    seed: checks.Seed,
    solver: str = "euler",
    save_every: int = 1,
    n_jobs: int | None = None,
    progress: bool | Callable[[int], Any] = False,
) -> Paths:
    """Paths of ``dX = -gradient(X) dt + sigma dB_H`` from `x0`, every `save_every`-th step of them, as `Paths`.

    Path i depends on (seed, i) alone and is the path that `first_passage` follows with the same arguments. Memory is
    that of the result, whatever `n_steps`, with streaming noise; exact generators hold some whole paths besides.
    `n_jobs`: threads, None for all cores; the result does not depend on it. `progress`: True shows a bar; a function is
    called with the number of paths newly finished. An interrupt stops a run at once.
    Raises PathError when a path leaves the finite numbers, with all paths in its `paths` and the broken ones marked;
    MemoryError when the result would not fit.

    >>> from fbmsde import FractionalNoise, quadratic
    >>> paths = simulate_paths(quadratic(1.0), FractionalNoise(0.7), 1.0, dt=0.01, n_steps=1000, n_paths=3, seed=0,
    ...                        save_every=100)
    >>> paths.values.shape, paths.times[-1].round(9)
    ((3, 11), np.float64(10.0))
    """
    step, n_steps = checks.positive("dt", dt), checks.count("n_steps", n_steps)
    n_paths, every = checks.count("n_paths", n_paths), checks.count("save_every", save_every)
    checks.finite("dt * n_steps", step * n_steps)
    if every > n_steps:
        raise ValueError(f"save_every must be at most n_steps = {n_steps}, got {every}.")
    checks.kind("noise", noise, FractionalNoise, "Write FractionalNoise(hurst, sigma).")
    start, threads, key = as_point(landscape, x0), checks.workers(n_jobs), checks.as_seed(seed)
    method, dim, n_saved = SOLVERS[checks.choice("solver", solver, SOLVERS)], landscape.dim, n_steps // every
    checks.fits_memory("paths", 8.0 * n_paths * (n_saved + 1) * dim)
    out = np.empty((n_paths, n_saved + 1, dim))
    feed, motion = noise.feed(n_steps, dim, key), (method, landscape.point_gradient, landscape.params)
    size = feed.max_paths or LANES * -(-n_paths // (LANES * threads))
    firsts = range(0, n_paths, size)
    control, broken = np.zeros((len(firsts), 2), np.int64), np.zeros(n_paths, np.int64)

    def work(i: int) -> None:
        block = out[firsts[i] : firsts[i] + size]
        plan = (*feed.kit(firsts[i], len(block)), *motion, start, (step, noise.scale(step)))
        _save_paths(*plan, n_steps, firsts[i], every, block, broken[firsts[i] : firsts[i] + size], control[i])

    run_blocks(work, threads, control, n_paths, progress)
    times = np.arange(n_saved + 1, dtype=np.float64) * (every * step)
    for lost in np.flatnonzero(broken):
        out[lost, -(-broken[lost] // every) :] = np.nan
    paths = Paths(times, out[:, :, 0] if dim == 1 else out, step, broken > 0)
    if broken.any():
        path = int(np.argmax(broken > 0))
        raise PathError.at(path, int(broken[path]), step, paths=paths)
    return paths
