"""Nanoseconds a path-step of every kind of noise in a quadratic well. Run: python benchmarks/drivers.py"""

from __future__ import annotations

import time
from statistics import median

import numpy as np

from fbmsde import (
    EpochNoise,
    FractionalNoise,
    MixedNoise,
    OrnsteinUhlenbeckNoise,
    PopulationNoise,
    StableNoise,
    anti_pgd,
    arfima,
    first_passage,
    quadratic,
)
from fbmsde.drivers.base import Driver

DT, N_STEPS, N_PATHS, REPEATS = 0.1, 4096, 1280, 7
NOISES: dict[str, Driver] = {
    "fractional, H = 0.3": FractionalNoise(0.3),
    "fractional, H = 0.5": FractionalNoise(0.5),
    "fractional, H = 0.7": FractionalNoise(0.7),
    "epoch, N = 1437, B = 128": EpochNoise(1437, 128),
    "Gaussian, arfima d = 0.3": arfima(0.3),
    "moving average of Anti-PGD": anti_pgd(),
    "coloured, tau = 5 steps": OrnsteinUhlenbeckNoise(0.5),
    "stable, alpha = 1.5": StableNoise(1.5),
    "mixed, epoch and stable": MixedNoise(EpochNoise(1437, 128), StableNoise(1.5)),
    "population, N = 1437, B = 128": PopulationNoise(np.random.default_rng(0).standard_t(3, 1437), 128),
    "the same with replacement": PopulationNoise(np.random.default_rng(0).standard_t(3, 1437), 128, True),
}


def cost(noise: Driver, seed: int) -> float:
    """Nanoseconds of CPU time a path-step on one thread; no path leaves."""
    few = 10 if isinstance(noise, PopulationNoise) else 1
    begin = time.process_time()
    first_passage(quadratic(1.0), noise, 0.0, (-1e300, 1e300), dt=DT, horizon=N_STEPS * DT, n_paths=N_PATHS // few,
                  seed=seed, n_jobs=1)  # fmt: skip
    return (time.process_time() - begin) / (N_PATHS // few * N_STEPS) * 1e9


def main() -> None:
    """Print the medians of interleaved runs, and their ratios to fractional noise of H = 0.3."""
    for noise in NOISES.values():
        cost(noise, 0)
    times = {name: [] for name in NOISES}
    for turn in range(REPEATS):
        for name, noise in NOISES.items():
            times[name].append(cost(noise, turn))
    first = median(next(iter(times.values())))
    for name, found in times.items():
        print(f"{name:32s} {median(found):8.2f} ns a path-step, {median(found) / first:7.2f} of fractional noise")


if __name__ == "__main__":
    main()
