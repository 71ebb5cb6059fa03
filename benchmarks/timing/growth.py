"""How time and memory grow: with increments, paths, dimensions, towards both ends of H, with the height of a barrier,
threads, the horizon, and the effective grid of continuous time."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import NamedTuple

import numpy as np

import fbmsde
from fbmsde import FractionalNoise, first_passage

from .curves import Curve, fixed
from .measure import Run, repeated
from .parts import continuous, exact_noise, grid, hurst, rare

MANY = 2**18  # increments of a measurement of noise
FEW = 64  # paths of a measurement of exits


class Axis(NamedTuple):
    """What is varied, what the figure says, and whether the exponent is that towards the smallest place."""

    title: str
    place: str
    value: str
    curves: Callable[[], list[Curve]]
    to_zero: bool = False


def steps(longest: int, shortest: int = 8, stride: int = 2) -> tuple[int, ...]:
    """Powers of two."""
    return tuple(2**k for k in range(shortest, longest + 1, stride))


def increments() -> list[Curve]:
    """Seconds a path of so many increments."""

    def of(make: Callable[[int], Run], n: int, least: int = 4) -> tuple[Run, int]:
        run = make(n)
        return lambda pieces: run(pieces) / n, max(least, MANY // n)

    def streamed(n: int) -> Run:
        return lambda paths: float(np.size(fbmsde.fgn(0.3, n, int(paths), method="streaming", seed=0, n_jobs=1)))

    return [
        Curve("exact", "fgn(.7, n, paths)", steps(20), partial(of, exact_noise.array)),
        Curve("streaming", "fgn(.3, n, paths, method='streaming')", steps(18),
              partial(of, streamed, least=FEW)),
        Curve("stochastic-rs", "PyFgn(.7, n).sample_par(paths)", steps(20), partial(of, exact_noise.rs_array), True),
        Curve("stochastic", "FractionalGaussianNoise(.7).sample(n)", steps(18),
              partial(of, exact_noise.stochastic_path), True),
        Curve("fbm", "FBM(n, .7).fgn()", steps(14), partial(_one, exact_noise.fbm_path), True),
    ]  # fmt: skip


def _one(make: Callable[[int], Run], n: int) -> tuple[Run, int]:
    """One path of n increments."""
    run = make(n)
    return lambda pieces: run(pieces) / n, 1


def paths() -> list[Curve]:
    """Seconds of a call for so many paths."""

    def whole(run: Run, n: int) -> tuple[Run, int]:
        return repeated(lambda: run(n)), 1

    places = steps(12, 0)
    return [
        Curve("exact noise", "fgn(.7, 1024, paths)", places, lambda n: whole(exact_noise.array(1024), n)),
        Curve("exits on a grid", "first_passage(quadratic(1), FractionalNoise(.3), ...), 4096 steps", places,
              lambda n: whole(grid.inside(0.3), n)),
        Curve("exits in continuous time", "first_passage(..., monitoring='continuous'), 2^16", places,
              lambda n: whole(continuous.free(16), n)),
        Curve("Whittle", "estimate_hurst(x), series of 1000", places,
              lambda n: whole(hurst.together("whittle", most=places[-1]), n)),
        Curve("stochastic-rs", "PyFgn(.7, 1024).sample_par(paths)", places,
              lambda n: whole(exact_noise.rs_array(1024), n), True),
    ]  # fmt: skip


def dimensions() -> list[Curve]:
    """Seconds a step of a path in so many dimensions."""
    places = steps(12, 4)

    def step_of(run: Run, dim: int) -> tuple[Run, int]:
        return lambda pieces: run(pieces) / dim, 16

    return [
        Curve("exits, H = 0.3", "first_passage(hessian_spectrum(...), ..., ball(r))", places,
              lambda dim: step_of(grid.many(dim), dim)),
        Curve("NumPy loop", "white noise, written by hand", places,
              lambda dim: step_of(grid.numpy_many(dim), dim), True),
    ]  # fmt: skip


def towards(hurst_of: Callable[[float], float], places: tuple[float, ...]) -> list[Curve]:
    """Seconds a path of 4096 steps, or in continuous time, as H goes to one of its ends."""

    def noise(make: Callable[[float], Run], place: float) -> tuple[Run, int]:
        return make(hurst_of(place)), 128

    def exact(h: float) -> Run:
        return repeated_paths(lambda k: fbmsde.fgn(h, grid.N_STEPS, k, seed=0, n_jobs=1))

    def steps_of(h: float) -> Run:
        run = grid.inside(h)
        return lambda k: run(k) / grid.N_STEPS

    def rs(h: float) -> Run:
        return repeated_paths(import_module("stochastic_rs").PyFgn(h, grid.N_STEPS, seed=0).sample_par)

    reached = tuple(place for place in places if hurst_of(place) >= 0.1)
    return [
        Curve("exits on a grid", "first_passage(quadratic(1), FractionalNoise(h), ...), 4096 steps", places,
              partial(noise, steps_of)),
        Curve("exact noise", "fgn(h, 4096, paths)", places, partial(noise, exact)),
        Curve("exits in continuous time", "first_passage(flat, ..., (-inf, 1), monitoring='continuous'), 2^24", reached,
              partial(noise, free_barrier)),
        Curve("stochastic-rs", "PyFgn(h, 4096).sample_par(paths)", places, partial(noise, rs), True),
    ]  # fmt: skip


def free_barrier(h: float) -> Run:
    """Plain motion in continuous time, to 1 within time 1."""
    flat = fbmsde.Landscape(grid.flat_energy, grid.flat_energy, name="flat")
    return repeated_paths(
        lambda k: first_passage(flat, FractionalNoise(h), 0.0, (-math.inf, 1.0), horizon=1.0, monitoring="continuous",
                                fine_steps=2**24, n_paths=k, seed=1, n_jobs=1)
    )  # fmt: skip


def repeated_paths(call: Callable[[int], object]) -> Run:
    """Work whose numbers are the paths of a call."""

    def run(pieces: int) -> float:
        call(pieces)
        return float(pieces)

    return run


def barriers() -> list[Curve]:
    """CPU seconds to a relative error of 10 % at so many standard deviations."""

    def conditioned(h: float, dt: float) -> Callable[[float], tuple[Run, int]]:
        return lambda k: (rare.escapes(h, k, dt), 4)

    return [
        Curve("conditioned, H = 0.3", "rare_escape(...)", (2.0, 3.0, 4.0, 5.0, 6.0, 8.0), conditioned(0.3, 1 / 512)),
        Curve("conditioned, H = 0.7", "rare_escape(...)", (2.0, 3.0, 4.0, 5.0, 6.0, 8.0), conditioned(0.7, 1 / 32)),
        Curve("splitting, H = 0.7", "rare_escape(..., method='splitting')", (3.0, 4.0, 6.0),
              lambda k: (rare.escapes(0.7, k, 1 / 16, "splitting"), 1)),
        Curve("plain paths, H = 0.7", "first_passage(...), 4000 paths", (1.5, 2.0, 2.5, 3.0),
              lambda k: (rare.plain(0.7, k, 1 / 32, 4000), 1), True, note="as every simulator without a rare method"),
    ]  # fmt: skip


def threads() -> list[Curve]:
    """Seconds of the clock of the same work on so many threads."""
    cores = os.cpu_count() or 1
    places = tuple(k for k in (1, 2, 4, 8, 16) if k <= cores)

    def noise(h: float, n: int, paths: int, method: str = "davies_harte") -> Callable[[int], tuple[Run, int]]:
        return lambda k: (repeated(lambda: fbmsde.fgn(h, n, paths, seed=0, method=method, n_jobs=k)), 1)

    works = {
        "exact noise, short paths": ("fgn(.7, 1024, 8192)", noise(0.7, 1024, 8192)),
        "exact noise, long paths": ("fgn(.7, 2^18, 16)", noise(0.7, 2**18, 16)),
        "streaming noise": ("fgn(.3, 4096, 2048, method='streaming')", noise(0.3, 4096, 2048, "streaming")),
        "exits on a grid": ("first_passage(...), 4096 x 4096", lambda k: fixed(grid.inside(0.3, k), 4096)),
        "exits in continuous time": ("first_passage(...), 2^20 x 8192", lambda k: fixed(continuous.free(20, k), 8192)),
        "many dimensions": ("first_passage(..., ball(r)), 4096 dimensions", lambda k: fixed(grid.many(4096, k), 64)),
        "Whittle": ("estimate_hurst(x), 1000 x 4096",
                    lambda k: fixed(hurst.together("whittle", most=4096, n_jobs=k), 4096)),
        "test against no memory": ("estimate_hurst(x).p_no_memory", lambda k: fixed(hurst.memory(n_jobs=k), 64)),
        "rare escapes": ("rare_escape(...), relative error 0.2 %",
                         lambda k: fixed(rare.escapes(0.7, 4.0, 1 / 64, n_jobs=k, wanted=0.002), 1)),
        "splitting": ("rare_escape(..., method='splitting')",
                      lambda k: fixed(rare.escapes(0.7, 4.0, 1 / 16, "splitting", n_jobs=k), 1)),
    }  # fmt: skip
    return [Curve(name, call, places, make, clock=True) for name, (call, make) in works.items()]


def horizons() -> list[Curve]:
    """Seconds a path of the escape from a double well, seen up to so many steps."""

    def ours(method: str, n: int) -> tuple[Run, int]:
        well, noise = fbmsde.double_well(4.0, 1.0, 1.0), FractionalNoise(0.3, grid.SIGMA, method)
        return repeated_paths(
            lambda k: first_passage(well, noise, -math.sqrt(2.0), (-math.inf, 0.0), dt=grid.DT, horizon=n * grid.DT,
                                    n_paths=k, seed=1, n_jobs=1)
        ), FEW * 4  # fmt: skip

    def theirs(n: int) -> tuple[Run, int]:
        task = import_module("fbmsde.bench.passage").CONTESTANTS["stochastic-rs + NumPy Euler"].build()
        return repeated_paths(lambda k: task(0.3, n, k, 1)), FEW * 4

    return [
        Curve("streaming", "first_passage(double_well(4, 1, 1), FractionalNoise(.3, .8), ...)", steps(20),
              partial(ours, "streaming")),
        Curve("davies_harte", "FractionalNoise(.3, .8, method='davies_harte')", steps(14),
              partial(ours, "davies_harte")),
        Curve("stochastic-rs + NumPy", "PyFgn(.3, n).sample_par(paths), Euler by NumPy", steps(12), theirs, True),
    ]  # fmt: skip


def fine_steps() -> list[Curve]:
    """Seconds a path of plain motion on an effective grid of so many steps."""
    published = tuple((2**k, 1e-3 * cost) for k, cost in continuous.PUBLISHED.items())

    def make(n: int) -> tuple[Run, int]:
        return continuous.free(n.bit_length() - 1), 512

    return [
        Curve("continuous time", "first_passage(..., monitoring='continuous'), H = .33, barrier .1",
              steps(28, 12, 4), make),
        Curve("Walter & Wiese", "their program in C", (), make, True, stored=published, note=continuous.SOURCE),
    ]  # fmt: skip


NEAR = (0.02, 0.05, 0.1, 0.2, 0.35)
AXES: dict[str, Axis] = {
    "n": Axis("Length of a path", "increments of a path", "CPU seconds a path", increments),
    "paths": Axis("Number of paths", "paths, or series, of a call", "CPU seconds a call", paths),
    "d": Axis("Dimensions", "dimensions", "CPU seconds a path-step", dimensions),
    "H": Axis("H towards 0", "H", "CPU seconds a path", lambda: towards(lambda h: h, NEAR), True),
    "1-H": Axis("H towards 1", "1 - H", "CPU seconds a path", lambda: towards(lambda h: 1.0 - h, NEAR), True),
    "k": Axis("Height of the barrier", "standard deviations", "CPU seconds to 10 % relative error", barriers),
    "threads": Axis("Threads", "threads", "seconds of the clock a call", threads),
    "horizon": Axis("Horizon", "steps to the horizon", "CPU seconds a path", horizons),
    "fine-steps": Axis("Effective grid of continuous time", "steps", "CPU seconds a path", fine_steps),
}
