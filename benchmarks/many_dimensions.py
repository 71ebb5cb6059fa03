"""Exits in many dimensions: time a step and coordinate, memory, compilation. Run: python benchmarks/many_dimensions.py

Beside it the loop over tuples, at 16 and 100 coordinates, and a NumPy loop for white noise.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np

from fbmsde import (
    FractionalNoise,
    Landscape,
    ball,
    first_passage,
    hessian_spectrum,
    langevin,
    power_law_spectrum,
    sgd,
)

DT, SIGMA, FAR = 0.01, 0.5, 1e6
HURSTS = (0.3, 0.5, 0.7)
NUMBERS = 2**21  # steps times coordinates of one run


def well(dim: int, largest: float = 4.0) -> Landscape:
    """The quadratic well of arrays that is timed."""
    return hessian_spectrum(power_law_spectrum(dim, 1.0, largest))


def well_of_tuples(dim: int) -> Landscape:
    """The same well of tuples, written out."""
    eigenvalues = power_law_spectrum(dim, 1.0, 4.0).tolist()
    energy = " + ".join(f"{0.5 * a} * x[{j}] ** 2" for j, a in enumerate(eigenvalues))
    slope = ", ".join(f"{a} * x[{j}]" for j, a in enumerate(eigenvalues))
    return Landscape(eval(f"lambda x: {energy}"), eval(f"lambda x: ({slope})"), dim=dim)


def run(landscape: object, dim: int, hurst: float, n_steps: int, n_paths: int) -> None:
    """Paths that never leave a ball, on one thread."""
    first_passage(landscape, FractionalNoise(hurst, SIGMA), np.zeros(dim), ball(FAR), dt=DT, horizon=n_steps * DT,
                  n_paths=n_paths, seed=1, n_jobs=1)  # fmt: skip


def numpy_loop(dim: int, n_steps: int, n_paths: int) -> None:
    """White noise only: all paths side by side, as one writes it by hand."""
    generator, a = np.random.default_rng(1), power_law_spectrum(dim, 1.0, 4.0)
    x, step = np.zeros((n_paths, dim)), SIGMA * DT**0.5
    left = np.zeros(n_paths, bool)
    for _ in range(n_steps):
        x += step * generator.standard_normal(x.shape) - DT * a * x
        left |= np.einsum("ij,ij->i", x, x) >= FAR**2


def seconds(call: Callable[[], None]) -> float:
    """CPU time of a call."""
    begin = time.process_time()
    call()
    return time.process_time() - begin


def compile_time(dim: int) -> float:
    """CPU time of the first exit from a well that was never seen, with the kernels of the package compiled before.

    The eigenvalues are part of the compiled gradient, so that new ones compile it again.
    """
    landscape = well(dim, 3.0 + np.random.default_rng().random())
    return seconds(partial(run, landscape, dim, 0.5, 8, 1))


def nanoseconds(calls: dict[str, Callable[[], None]], numbers: int, repeats: int) -> dict[str, float]:
    """Medians of CPU time per step and coordinate, the calls in turn."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(repeats):
        for name, call in calls.items():
            times[name].append(seconds(call))
    return {name: median(found) / numbers * 1e9 for name, found in times.items()}


def table(dims: list[int], repeats: int) -> None:
    """Print a row for each number of coordinates."""
    print("ns a step and coordinate")
    print("     d   H = 0.3   H = 0.5   H = 0.7   NumPy, H = 0.5   compile [s]   memory [MB]")
    for dim in dims:
        n_paths = 16 if dim < 1000 else 4
        n_steps = max(16, NUMBERS // (dim * n_paths))
        compiled = compile_time(dim)
        landscape = well(dim)
        calls = {f"{h}": partial(run, landscape, dim, h, n_steps, n_paths) for h in HURSTS}
        calls["numpy"] = partial(numpy_loop, dim, n_steps, n_paths)
        found = nanoseconds(calls, dim * n_steps * n_paths, repeats)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        row = "".join(f"{found[f'{h}']:10.2f}" for h in HURSTS)
        print(f"{dim:6d}{row}{found['numpy']:17.2f}{compiled:14.2f}{memory:14.0f}", flush=True)


def inert(dims: list[int], repeats: int) -> None:
    """Print the cost of momentum and inertia beside the plain step."""
    print("ns a step and coordinate of the position, H = 0.3")
    print("     d    plain   momentum   Langevin")
    for dim in dims:
        n_steps, n_paths, noise = max(16, NUMBERS // (dim * 16)), 16, FractionalNoise(0.3, SIGMA)
        moved = {"momentum": (sgd(well(dim), 0.01, momentum=0.9), 1.0), "langevin": (langevin(well(dim), 1.0), DT)}
        calls = {
            name: partial(first_passage, each, noise, np.zeros(dim), ball(FAR), dt=dt, horizon=n_steps * dt,
                          n_paths=n_paths, seed=1, n_jobs=1)
            for name, (each, dt) in moved.items()
        }  # fmt: skip
        calls["plain"] = partial(run, well(dim), dim, 0.3, n_steps, n_paths)
        found = nanoseconds(calls, dim * n_steps * n_paths, repeats)
        print(f"{dim:6d}{found['plain']:9.2f}{found['momentum']:11.2f}{found['langevin']:11.2f}", flush=True)


def tuples(dims: list[int]) -> None:
    """Print what the loop over tuples costs."""
    print("loop over tuples, ns a step and coordinate")
    print("     d   H = 0.3   compile [s]")
    for dim in dims:
        landscape, n_steps = well_of_tuples(dim), max(64, NUMBERS // (dim * 128))
        first = seconds(partial(run, landscape, dim, 0.3, 8, 1))
        calls = {"tuples": partial(run, landscape, dim, 0.3, n_steps, 128)}
        found = nanoseconds(calls, dim * n_steps * 128, 3)
        print(f"{dim:6d}{found['tuples']:10.2f}{first:14.1f}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dims", type=int, nargs="+", default=[16, 100, 1000, 10_000])
    parser.add_argument("--tuples", type=int, nargs="*", default=[16, 100], help="dimensions of the loop over tuples")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    run(well(16), 16, 0.5, 8, 1)
    table(options.dims, options.repeats)
    inert(options.dims[:2], options.repeats)
    tuples(options.tuples)


if __name__ == "__main__":
    main()
