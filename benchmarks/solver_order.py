"""Strong order of the solvers: the error at a fixed time against a path on a grid of 2^15 steps, same noise.

Run: python benchmarks/solver_order.py
"""

from __future__ import annotations

import numpy as np
from numba import njit

import fbmsde
from fbmsde.drivers.sample import fgn
from fbmsde.dynamics.solvers import SOLVERS

HORIZON, FINEST, PATHS = 1.0, 2**15, 400


@njit
def _end_points(step, gradient, params, x0, noise, dt, out):  # type: ignore[no-untyped-def]
    for path in range(noise.shape[0]):
        x = x0
        for i in range(noise.shape[1]):
            x = step(gradient, params, x, (noise[path, i],), dt)
        out[path] = x[0]


def errors(solver: str, landscape: fbmsde.Landscape, hurst: float, sigma: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Step sizes and root-mean-square errors at the horizon."""
    fine = sigma * (HORIZON / FINEST) ** hurst * fgn(hurst, FINEST, PATHS, seed=1)
    start, sizes = (0.8,), 2 ** np.arange(4, 11)
    truth = np.empty(PATHS)
    _end_points(SOLVERS["heun"], landscape.point_gradient, landscape.params, start, fine, HORIZON / FINEST, truth)
    rms = []
    for n in sizes:
        coarse, out = fine.reshape(PATHS, n, -1).sum(axis=2), np.empty(PATHS)
        _end_points(SOLVERS[solver], landscape.point_gradient, landscape.params, start, coarse, HORIZON / n, out)
        rms.append(np.sqrt(np.mean((out - truth) ** 2)))
    return HORIZON / sizes, np.array(rms)


def main() -> None:
    """Print error and order of each solver on a linear and a quartic drift."""
    head = f"{'landscape':20s} {'H':>4s} {'solver':>7s} {'order':>6s} {'min(1, H+1/2)':>13s}"
    print(f"{head}  error at dt = 1/16, 1/128, 1/1024")
    for landscape in (fbmsde.quadratic(2.0), fbmsde.tilted_double_well(1.0, 1.0, 0.2)):
        for hurst in (0.3, 0.5, 0.7, 0.9):
            for solver in SOLVERS:
                dt, rms = errors(solver, landscape, hurst)
                order = np.polyfit(np.log(dt), np.log(rms), 1)[0]
                print(f"{landscape.name:20s} {hurst:4.1f} {solver:>7s} {order:6.2f} {min(1.0, hurst + 0.5):13.2f}  "
                      f"{rms[0]:.2e} {rms[3]:.2e} {rms[6]:.2e}")  # fmt: skip


if __name__ == "__main__":
    main()
