"""Streaming noise against Davies-Harte: maximum, first passage and variance of fractional Brownian motion.

Two-sample tests; nothing is rejected at ALPHA / comparisons when the model is right, and a deliberately bad model is.
Run: python benchmarks/streaming_laws.py
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy import stats

import fbmsde
from fbmsde import FractionalNoise, simulate_paths

ALPHA = 1e-6
HURST = (0.1, 0.3, 0.45, 0.6, 0.7, 0.9)
SIZES = ((64, 1_000_000, 1), (2**14, 10_000, 4))  # n_steps, n_paths, poles of the deliberately bad model
FREE = fbmsde.Landscape(lambda x: 0.0, lambda x: 0.0, name="free")
BARRIERS = (0.3, 1.0)  # in units of n^H


def tolerance_for(hurst: float, n_steps: int, poles: int) -> float:
    """A tolerance that a model with so few poles meets."""
    tolerance = 1e-6
    while len(fbmsde.StreamingNoise(hurst, n_steps, tolerance).rho) > poles:
        tolerance *= 1.5
    return tolerance


def paths(noise: FractionalNoise, n_steps: int, n_paths: int, seed: int) -> Iterator[np.ndarray]:
    """Blocks of paths (block, n_steps + 1) of plain fractional Brownian motion."""
    block = max(1, 2**24 // n_steps)
    for i, first in enumerate(range(0, n_paths, block)):
        yield simulate_paths(FREE, noise, 0.0, dt=1.0, n_steps=n_steps, n_paths=min(block, n_paths - first),
                             seed=1000 * seed + i).values  # fmt: skip


def features(noise: FractionalNoise, n_steps: int, n_paths: int, seed: int) -> dict[str, np.ndarray]:
    """Maximum, passage step of each barrier, and squares at dyadic times, path by path."""
    dyadic = 2 ** np.arange(int(math.log2(n_steps)) + 1)
    parts: dict[str, list[np.ndarray]] = {}
    for block in paths(noise, n_steps, n_paths, seed):
        parts.setdefault("maximum", []).append(block.max(axis=1))
        for b in BARRIERS:
            beyond = block >= b * n_steps**noise.hurst
            when = np.where(beyond.any(axis=1), beyond.argmax(axis=1), n_steps + 1)
            parts.setdefault(f"passage of {b:g} n^H", []).append(when)
        for t in dyadic:
            parts.setdefault(f"variance at {t}", []).append(block[:, t] ** 2)
    return {name: np.concatenate(part) for name, part in parts.items()}


def compare(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> dict[str, float]:
    """p-values: Kolmogorov-Smirnov for laws (conservative where there are ties), z for variances."""
    p = {}
    for name in a:
        if name.startswith("variance"):
            spread = math.hypot(a[name].std() / math.sqrt(a[name].size), b[name].std() / math.sqrt(b[name].size))
            p[name] = float(2 * stats.norm.sf(abs(a[name].mean() - b[name].mean()) / spread))
        else:
            p[name] = float(stats.ks_2samp(a[name], b[name], method="asymp").pvalue)
    return p


def main() -> None:
    """Print the smallest p-value of each H and size, for the default model and for the bad one."""
    comparisons = len(HURST) * sum(int(math.log2(n)) + 2 + len(BARRIERS) for n, *_ in SIZES)
    print(f"rejected below {ALPHA / comparisons:.1e} (ALPHA = {ALPHA:g} over {comparisons} comparisons)")
    rejected = 0
    for n_steps, n_paths, poles in SIZES:
        for hurst in HURST:
            exact = features(FractionalNoise(hurst, method="davies_harte"), n_steps, n_paths, 1)
            line = f"n = {n_steps:6d}, {n_paths:8d} paths, H = {hurst:4.2f}:"
            for label, tolerance in (("default", None), ("bad", tolerance_for(hurst, n_steps, poles))):
                noise = FractionalNoise(hurst, tolerance=tolerance)
                model = fbmsde.StreamingNoise(hurst, n_steps, tolerance)
                p = compare(features(noise, n_steps, n_paths, 2), exact)
                worst = min(p, key=lambda name: p[name])
                line += f"  {label} (K = {len(model.rho)}): smallest p = {p[worst]:.1e} ({worst})"
                rejected += label == "default" and p[worst] < ALPHA / comparisons
            print(line, flush=True)
    print(f"rejected of the default model: {rejected}")


if __name__ == "__main__":
    main()
