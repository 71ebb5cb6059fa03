"""Nanoseconds a path-step and coordinate of every kind of noise and of chain. Run: python benchmarks/drivers.py

A quadratic well on one thread; no path leaves. Each row is compared with another one, its base, in the same run: noises
with fractional noise of H = 0.3, and what is done with a noise with the same noise in the plain equation. Gaussian
noise fits its model in each run, which 40 times the paths make negligible.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import numpy as np

from fbmsde import (
    AnisotropicNoise,
    ArmaNoise,
    EpochNoise,
    FractionalNoise,
    GaussianNoise,
    Landscape,
    MixedNoise,
    PopulationNoise,
    StableNoise,
    first_passage,
    overdamped,
    quadratic,
    reflected,
    schedules,
    sgd,
)
from fbmsde.drivers.base import Driver
from fbmsde.dynamics.base import Dynamics

DT, N_STEPS, N_PATHS, REPEATS = 0.1, 4096, 1280, 7
WELL = quadratic(1.0)
PLANE = Landscape(lambda x: 0.5 * x[0] ** 2 + x[1] ** 2, lambda x: (x[0], 2.0 * x[1]), dim=2)
ROUGH, PLAIN, FLAT = FractionalNoise(0.3), "fractional, H = 0.3", "two dimensions, H = 0.3"
EPOCH = EpochNoise(1437, 128)
MATRIX = ((1.0, 0.0), (0.5, 1.0))


class Case(NamedTuple):
    """What is timed: the equation, the noise, the row that it is compared with, and the number of paths."""

    equation: Landscape | Dynamics
    noise: Driver
    base: str = PLAIN
    n_paths: int = N_PATHS


def population(replacement: bool) -> Case:
    """Batches of a population, of which fewer paths are enough."""
    samples = np.random.default_rng(0).standard_t(3, 1437)
    return Case(WELL, PopulationNoise(samples, 128, replacement), n_paths=N_PATHS // 10)


CASES: dict[str, Case] = {
    PLAIN: Case(WELL, ROUGH),
    "fractional, H = 0.5": Case(WELL, FractionalNoise(0.5)),
    "fractional, H = 0.7": Case(WELL, FractionalNoise(0.7)),
    "epoch, N = 1437, B = 128": Case(WELL, EPOCH),
    "stable, alpha = 1.5": Case(WELL, StableNoise(1.5)),
    "Gaussian, (1 + k/10)^-2": Case(WELL, GaussianNoise(lambda k: 1.0 / (1.0 + 0.1 * k) ** 2), n_paths=40 * N_PATHS),
    "ARMA(2, 1)": Case(WELL, ArmaNoise((0.5, 0.2), (0.3,))),
    "mixed, epoch and stable": Case(WELL, MixedNoise(EPOCH, StableNoise(1.5))),
    "population, N = 1437, B = 128": population(False),
    "the same with replacement": population(True),
    "sgd, plain": Case(sgd(WELL, DT), ROUGH),
    "sgd, momentum 0.9": Case(sgd(WELL, DT, 0.9), ROUGH),
    "sgd, cosine schedule": Case(sgd(WELL, schedules.cosine(DT, N_STEPS, 0.01)), ROUGH),
    "sgd, momentum, cosine, epochs": Case(
        sgd(WELL, schedules.cosine(DT, N_STEPS, 0.01), 0.9), EPOCH, "epoch, N = 1437, B = 128"
    ),
    "reflected at 0": Case(reflected(WELL, 0.0), ROUGH),
    "amplitude, chain": Case(overdamped(WELL, amplitude=lambda x, a: 1.0 / (1.0 + x * x), calculus="chain"), ROUGH),
    FLAT: Case(PLANE, ROUGH),
    "sigma for each axis": Case(PLANE, FractionalNoise(0.3, (1.0, 2.0)), FLAT),
    "sigma a matrix": Case(PLANE, FractionalNoise(0.3, MATRIX), FLAT),
    "hurst for each axis": Case(PLANE, FractionalNoise((0.3, 0.7)), FLAT),
    "two dimensions, epoch": Case(PLANE, EPOCH, FLAT),
    "the same mixed by a matrix": Case(PLANE, AnisotropicNoise(EPOCH, MATRIX), "two dimensions, epoch"),
}


def everywhere(x: tuple[float, ...]) -> float:
    """A level that is negative at all points."""
    return -1.0


def cost(case: Case, seed: int) -> float:
    """Nanoseconds of CPU time a path-step and coordinate of the position."""
    domain: tuple[float, float] | Callable[[tuple[float, ...]], float] = (-1e300, 1e300)
    dim, dt = (2, DT) if case.equation is PLANE else (1, DT)
    if isinstance(case.equation, Dynamics) and case.equation.unit_step:
        dt = 1.0
    begin = time.process_time()
    first_passage(case.equation, case.noise, np.zeros(dim), everywhere if dim == 2 else domain, dt=dt,
                  horizon=N_STEPS * dt, n_paths=case.n_paths, seed=seed, n_jobs=1)  # fmt: skip
    return (time.process_time() - begin) / (case.n_paths * N_STEPS * dim) * 1e9


def main() -> None:
    """Print the medians of interleaved runs, and their ratios to the bases."""
    for case in CASES.values():
        cost(case, 0)
    times = {name: [] for name in CASES}
    for turn in range(REPEATS):
        for name, case in CASES.items():
            times[name].append(cost(case, turn))
    print("| what | ns a path-step and coordinate | ratio | to |\n|---|---|---|---|")
    for name, case in CASES.items():
        ratio = median(one / base for one, base in zip(times[name], times[case.base], strict=True))
        print(f"| {name} | {median(times[name]):.2f} | {ratio:.2f} | {case.base} |")


if __name__ == "__main__":
    main()
