"""The exit kernel alone, the whole engine on one and two threads, and its memory. Run: python benchmarks/kernel.py"""

from __future__ import annotations

import math
import resource
import time
from statistics import median

import numpy as np

import fbmsde
from fbmsde import FractionalNoise, first_passage
from fbmsde.drivers._stored import stored_lanes
from fbmsde.dynamics.solvers import SOLVERS
from fbmsde.simulation._ends import Ends
from fbmsde.simulation._loop import follow
from fbmsde.simulation._motion import Motion
from fbmsde.simulation.watch import interval_watch

WELL = fbmsde.double_well(4.0, 1.0, 1.0)
START, DT = WELL.minima[0], 1e-3


def exit_kernel(solver: str, n_steps: int = 2000, n_paths: int = 512, repeats: int = 15) -> float:
    """Nanoseconds per path-step with the increments given, no path leaving; medians of CPU time."""
    increments = fbmsde.fgn(0.5, n_steps, n_paths, seed=1)[None]
    watch = interval_watch(-math.inf, 100.0)
    motion = Motion.of(fbmsde.overdamped(WELL), SOLVERS[solver], watch, np.array([[START]]), DT, 0.01)
    times = []
    for _ in range(repeats + 1):
        lanes = stored_lanes(increments, 0, 0.01)
        ends = Ends.open(n_paths, 1)
        begin = time.process_time()
        follow(lanes, motion, n_steps, np.arange(n_paths), ends, np.zeros(2, np.int64))
        times.append(time.process_time() - begin)
    return median(times[1:]) / increments.size * 1e9


def engine(hurst: float, dtype: str, n_jobs: int, n_paths: int = 4000, repeats: int = 5) -> tuple[float, float]:
    """Nanoseconds of CPU time and of wall time per path-step, streaming noise fitted for 2^16 steps."""
    options = {"dt": DT, "horizon": 2**16 * DT, "n_jobs": n_jobs}
    plan = (WELL, FractionalNoise(hurst, 0.7, dtype=dtype), START, (-math.inf, 0.0))
    first_passage(*plan, n_paths=10, seed=0, **options)
    cpu, wall = [], []
    for turn in range(repeats):
        begin = time.process_time(), time.perf_counter()
        passages = first_passage(*plan, n_paths=n_paths, seed=turn, **options)
        steps = passages.times.sum() / DT
        cpu.append((time.process_time() - begin[0]) / steps * 1e9)
        wall.append((time.perf_counter() - begin[1]) / steps * 1e9)
    return median(cpu), median(wall)


def main() -> None:
    """Print the tables."""
    for solver in SOLVERS:
        print(f"exit kernel, increments given, {solver}: {exit_kernel(solver):.2f} ns per path-step")
    for hurst in (0.3, 0.5, 0.7):
        poles = len(fbmsde.StreamingNoise(hurst, 2**16).rho)
        for dtype in ("float64", "float32"):
            (cpu, wall), (_, two) = engine(hurst, dtype, 1), engine(hurst, dtype, 2)
            print(f"H = {hurst}, K = {poles:2d}, {dtype}: {cpu:.2f} ns per path-step (CPU, one thread), "
                  f"two threads {wall / two:.2f} times as fast")  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    passages = first_passage(WELL, FractionalNoise(0.3, 1.0), START, (-math.inf, 0.0), dt=DT, horizon=1e6 * DT,
                             n_paths=100_000, seed=0)  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"100000 paths, horizon 10^6 steps: {passages.n_left} left, resident memory {after / 1024:.0f} MB at most, "
          f"{(after - before) / 1024:.0f} MB more than before")  # fmt: skip


if __name__ == "__main__":
    main()
