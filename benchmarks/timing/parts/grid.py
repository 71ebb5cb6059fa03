"""Exits seen on a grid: a step of a path that does not leave, the escape from a double well, Brownian exits."""

from __future__ import annotations

import math
from functools import partial
from importlib import import_module

import numpy as np

import fbmsde
from fbmsde import FractionalNoise, first_passage

from ..measure import Peer, Row, Run, batches, repeated

FAR, N_STEPS, N_PATHS = 1e6, 4096, 1280
KERNEL_STEPS, KERNEL_PATHS, CALLS = 2000, 512, 16
DT, WELL_STEPS, SIGMA = 1e-3, 2**14, 0.8
UNIT, PER_SECOND = "ns a path-step", 1e9
REDRAWN = (
    "biased: a path that has not left is drawn anew, so that a mean time of 7.53(4) was found where 12.5 is exact; its "
    "fractional motion raises an error for H other than 1/2"
)


def inside(hurst: float, n_jobs: int = 1) -> Run:
    """Paths in the quadratic well that stay to the end, on one thread."""
    def run(paths: int) -> None:
        first_passage(fbmsde.quadratic(1.0), FractionalNoise(hurst), 0.0, (-FAR, FAR), dt=0.01,
                      horizon=0.01 * N_STEPS, n_paths=paths, seed=1, n_jobs=n_jobs)  # fmt: skip

    return batches(run, N_STEPS)


def momentum(hurst: float) -> Run:
    """The chain of gradient descent with momentum, which stays to the end."""
    chain = fbmsde.sgd(fbmsde.quadratic(1.0), 0.01, momentum=0.9)
    def run(paths: int) -> None:
        first_passage(chain, FractionalNoise(hurst), 0.0, (-FAR, FAR), dt=1.0, horizon=float(N_STEPS), n_paths=paths,
                      seed=1, n_jobs=1)  # fmt: skip

    return batches(run, N_STEPS)


def steps_of(dim: int) -> int:
    """Steps in so many dimensions."""
    return max(64, 2**15 // dim)


def many(dim: int, n_jobs: int = 1) -> Run:
    """A quadratic well of many dimensions, whose paths stay in a ball; the numbers are coordinates of steps."""
    steps, landscape = steps_of(dim), fbmsde.hessian_spectrum(fbmsde.power_law_spectrum(dim, 1.0, 4.0))
    def run(paths: int) -> None:
        first_passage(landscape, FractionalNoise(0.3, 0.5), np.zeros(dim), fbmsde.ball(FAR), dt=0.01,
                      horizon=0.01 * steps, n_paths=paths, seed=1, n_jobs=n_jobs)  # fmt: skip

    return batches(run, steps * dim)


def numpy_many(dim: int) -> Run:
    """White noise in the same well, all paths side by side, as one writes it by hand."""
    steps = steps_of(dim)
    loop = import_module("many_dimensions").numpy_loop
    return batches(lambda paths: loop(dim, steps, paths), steps * dim)


def kernel(solver: str) -> Run:
    """The step and the test of the boundary alone, by the kernel of the loop: the increments are given."""
    ends, loop, motions = (import_module(f"fbmsde.simulation.{name}") for name in ("_ends", "_loop", "_motion"))
    stored, solvers = import_module("fbmsde.drivers._stored"), import_module("fbmsde.dynamics.solvers").SOLVERS
    watch = import_module("fbmsde.simulation.watch").interval_watch(-math.inf, FAR)
    well, start = fbmsde.overdamped(fbmsde.double_well(4.0, 1.0, 1.0)), np.array([[-math.sqrt(2.0)]])
    motion = motions.Motion.of(well, solvers[solver], watch, start, DT, 0.01)
    increments = fbmsde.fgn(0.5, KERNEL_STEPS, KERNEL_PATHS, seed=1)[None]

    def call() -> None:
        lanes, crowd = stored.stored_lanes(increments, 0, 0.01), np.arange(KERNEL_PATHS)
        loop.follow(lanes, motion, KERNEL_STEPS, crowd, ends.Ends.open(KERNEL_PATHS, 1), np.zeros(2, np.int64))

    return repeated(call, float(increments.size))


def escape(hurst: float, method: str) -> Run:
    """Escapes from the sharp side of a double well."""
    well, noise = fbmsde.double_well(4.0, 1.0, 1.0), FractionalNoise(hurst, SIGMA, method)
    def run(paths: int) -> float:
        passages = first_passage(well, noise, -math.sqrt(2.0), (-math.inf, 0.0), dt=DT, horizon=WELL_STEPS * DT,
                                 n_paths=paths, seed=1, n_jobs=1)  # fmt: skip
        return float(passages.times.sum()) / DT

    return run


def raced(hurst: float, name: str) -> Run:
    """The same by a program made of published packages, from `fbmsde bench --passage`."""
    task = import_module("fbmsde.bench.passage").CONTESTANTS[name].build()
    return lambda paths: float(task(hurst, WELL_STEPS, paths, 1))


def brownian(paths: int) -> float:
    """Brownian exits from (-1, 1)."""
    flat = fbmsde.Landscape(flat_energy, flat_energy, name="flat")
    passages = first_passage(flat, FractionalNoise(0.5), 0.0, (-1.0, 1.0), dt=DT, horizon=20.0, n_paths=paths, seed=1,
                             n_jobs=1)  # fmt: skip
    return float(passages.times.sum()) / DT


def flat_energy(x: float) -> float:
    """Zero, which is its own gradient."""
    return 0.0 * x


def diffusionx_brownian() -> Run:
    """The same by `diffusionx`, a call a path."""
    source = import_module("diffusionx.simulation").Bm()

    def run(paths: int) -> float:
        times = (source.fpt((-1.0, 1.0), max_duration=20.0, time_step=DT) for _ in range(paths))
        return sum(20.0 if time is None else time for time in times) / DT

    return run


def kramers_brownian() -> Run:
    """The same by `kramers`, which looks between the steps by bridges as well."""
    simulate = import_module("kramers.solvers.simulate")

    def run(paths: int) -> float:
        found = simulate.first_passage_times(np.zeros_like, 0.5, 0.0, n_paths=paths, dt=DT, t_max=20.0,
                                             absorbing=(-1.0, 1.0))  # fmt: skip
        return float(np.minimum(found.times, 20.0).sum()) / DT

    return run


ESCAPES = (
    ("stochastic-rs", "stochastic-rs + NumPy Euler", 256, False),
    ("fbm", "fbm + Python loop", 1, False),
    ("diffrax", "diffrax, Event", 64, True),
    ("torchsde", "torchsde", 8, True),
)  # package, name in `fbmsde.bench`, paths, H = 1/2 alone


def rows() -> list[Row]:
    """Steps inside, escapes, and Brownian exits."""
    call, stay = "first_passage(quadratic(1), FractionalNoise(h), 0, ...)", f"{N_STEPS} steps x {N_PATHS}"
    found = [Row(f"none leaves, H = {h}", stay, UNIT, PER_SECOND, call, partial(inside, h), N_PATHS)
             for h in (0.3, 0.5, 0.7)]  # fmt: skip
    for solver in ("euler", "heun"):
        found.append(Row(f"increments given, {solver}", f"{KERNEL_STEPS} steps x {KERNEL_PATHS}", UNIT, PER_SECOND,
                         "the kernel of the loop", partial(kernel, solver), CALLS))  # fmt: skip
    found.append(Row("momentum, none leaves, H = 0.3", f"{N_STEPS} steps x 640", UNIT, PER_SECOND,
                     "first_passage(sgd(quadratic(1), 0.01, momentum=0.9), ...)", partial(momentum, 0.3), 640))
    by_hand = Peer("numpy", "a loop of NumPy, white noise", partial(numpy_many, 128), pieces=64)
    found.append(Row("128 dimensions, H = 0.3", "256 steps x 128 x 64", "ns a step and coordinate", PER_SECOND,
                     "first_passage(hessian_spectrum(...), ..., ball(r))", partial(many, 128), 64, (by_hand,)))
    for h in (0.3, 0.5, 0.7):
        peers = tuple(Peer(package, name, partial(raced, h, name), pieces=paths)
                      for package, name, paths, brownian_only in ESCAPES if h == 0.5 or not brownian_only)  # fmt: skip
        found.append(Row(f"escape from a double well, H = {h}", "2^14 steps x 2048", UNIT, PER_SECOND,
                         "first_passage(double_well(4, 1, 1), FractionalNoise(h, 0.8), ...)",
                         partial(escape, h, "streaming"), 2048, peers))  # fmt: skip
    exits = (
        Peer("diffusionx", "Bm().fpt((-1, 1), ...), a call a path", diffusionx_brownian, REDRAWN),
        Peer("kramers", "solvers.simulate.first_passage_times(...)", kramers_brownian, pieces=1024),
    )
    found.append(Row("Brownian exits from (-1, 1)", "1000 steps x 8192", UNIT, PER_SECOND,
                     "first_passage(flat, FractionalNoise(0.5), 0, (-1, 1), ...)", lambda: brownian, 8192, exits))
    return found
