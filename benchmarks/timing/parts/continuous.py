"""Exits in continuous time: plain fractional motion on finer and finer effective grids, wells, two dimensions.

The published numbers are those of the program of Walter & Wiese for H = 0.33 and a barrier at 0.1, which goes by
adaptive bisection of exact paths.
"""

from __future__ import annotations

import math
from functools import partial

import fbmsde
from fbmsde import FractionalNoise, first_passage

from ..measure import Row, Run, Stored, batches
from .grid import flat_energy

HURST, BARRIER = 0.33, 0.1
PUBLISHED = {16: 2.1, 20: 9.1, 24: 23.6}  # CPU milliseconds a path
SOURCE = (
    "measured once on a two-core machine at its tolerance 1e-9 (3 to 5 times faster at 1e-5), not beside this run; "
    "the laws agree (Kolmogorov-Smirnov p = .97, .44, .33). One path, one dimension and no drift at a time"
)
UNIT, PER_SECOND = "microseconds a path", 1e6


def free(log_n: int, n_jobs: int = 1) -> Run:
    """Plain motion from 0 through a barrier up to time 1, on 2^log_n fine steps."""
    flat = fbmsde.Landscape(flat_energy, flat_energy, name="flat")
    def run(paths: int) -> None:
        first_passage(flat, FractionalNoise(HURST), 0.0, (-math.inf, BARRIER), horizon=1.0, monitoring="continuous",
                      fine_steps=2**log_n, n_paths=paths, seed=1, n_jobs=n_jobs)  # fmt: skip

    return batches(run)


def well(hurst: float, barrier: float) -> Run:
    """The quadratic well, on the fine steps that it chooses."""
    def run(paths: int) -> None:
        first_passage(fbmsde.quadratic(1.0), FractionalNoise(hurst), 0.0, (-math.inf, barrier), horizon=4.0,
                      monitoring="continuous", n_paths=paths, seed=1, n_jobs=1)  # fmt: skip

    return batches(run)


def beyond(x: tuple[float, float]) -> float:
    """The distance from a half plane."""
    return x[0] - 1.0


def plane(hurst: float) -> Run:
    """Plain motion of two dimensions to a straight line."""
    flat = fbmsde.Landscape(lambda x: 0.0 * x[0], lambda x: (0.0 * x[0], 0.0 * x[1]), dim=2, name="flat plane")
    domain = fbmsde.LevelSet(beyond)
    def run(paths: int) -> None:
        first_passage(flat, FractionalNoise(hurst), (0.0, 0.0), domain, horizon=1.0, monitoring="continuous",
                      fine_steps=2**16, n_paths=paths, seed=1, n_jobs=1)  # fmt: skip

    return batches(run)


def rows() -> list[Row]:
    """Four effective grids, two wells, and two dimensions."""
    call, found = "first_passage(flat, FractionalNoise(.33), 0, (-inf, .1), monitoring='continuous', ...)", []
    for log_n, paths in ((16, 4096), (20, 2048), (24, 1024), (28, 1024)):
        stored = (Stored("Walter & Wiese", "their program in C", 1e3 * PUBLISHED[log_n], SOURCE),) \
            if log_n in PUBLISHED else ()
        found.append(Row("plain motion, H = 0.33", f"2^{log_n} x {paths}", UNIT, PER_SECOND, call, partial(free, log_n),
                         paths, stored=stored))  # fmt: skip
    for hurst, barrier in ((0.3, 2.0), (0.7, 2.0)):
        call = f"first_passage(quadratic(1), FractionalNoise({hurst}), 0, (-inf, {barrier:g}), ...)"
        found.append(Row(f"quadratic well, H = {hurst}", "t <= 4 x 1024", UNIT, PER_SECOND, call,
                         partial(well, hurst, barrier), 1024))  # fmt: skip
    found.append(Row("two dimensions, H = 0.4", "2^16 x 1024", UNIT, PER_SECOND,
                     "first_passage(flat, FractionalNoise(.4), (0, 0), LevelSet(...), ...)", partial(plane, 0.4), 1024))
    return found
