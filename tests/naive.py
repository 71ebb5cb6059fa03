"""Plain-loop twins of the kernels: slow, obvious, and what the fast ones must equal."""

from __future__ import annotations

from typing import Any

import numpy as np


def step(solver: str, landscape: Any, x: float, noise: float, dt: float) -> float:
    """One step of a solver in one dimension."""
    slope = landscape.gradient(x, *landscape.params)
    if solver == "euler":
        return x - dt * slope + noise
    predicted = x - dt * slope + noise
    return x - dt / 2 * slope + noise - dt / 2 * landscape.gradient(predicted, *landscape.params)


def first_passage(landscape: Any, increments: np.ndarray, x0: float, domain: Any, dt: float, solver: str) -> Any:
    """Times and censoring of the paths driven by `increments` (n_paths, n_steps)."""
    n_paths, n_steps = increments.shape
    times, censored = np.full(n_paths, n_steps * dt), np.ones(n_paths, dtype=bool)
    for path in range(n_paths):
        x = x0
        for i in range(n_steps):
            x = step(solver, landscape, x, increments[path, i], dt)
            if not domain[0] < x < domain[1]:
                times[path], censored[path] = (i + 1) * dt, False
                break
    return times, censored
