"""Covariance of the exact generators against theory, as z-scores, and long paths.

Run: python benchmarks/covariance.py
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from fbmsde.drivers.exact.generators import GENERATORS
from fbmsde.drivers.sample import fgn
from fbmsde.laws.fgn import fgn_autocovariance

ALPHA = 1e-6
HURST = (0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)
LENGTHS = (1, 2, 7, 64, 1000)
PATHS = 20_000
LONG = ((0.95, 2**22), (0.99, 2**20))


def largest_z(method: str, hurst: float, n_steps: int, n_paths: int) -> tuple[float, int]:
    """Largest |z| of the products of the first, the middle and the last increment with all others, and their number."""
    x = fgn(hurst, n_steps, n_paths, method=method, seed=1)
    gamma = fgn_autocovariance(hurst, np.arange(n_steps))
    z = []
    for i in sorted({0, n_steps // 2, n_steps - 1}):
        expected = gamma[np.abs(np.arange(n_steps) - i)]
        products = x[:, i] @ x / n_paths
        z.append((products - expected) / np.sqrt((1.0 + expected**2) / n_paths))
    return float(np.abs(z).max()), np.size(z)


def main() -> None:
    """Print the largest z-score of each case beside its threshold, then the check of long paths."""
    print(f"{'n':>5} {'paths':>6} {'threshold':>9}  largest |z| by H = {HURST}")
    for method in GENERATORS:
        for n in LENGTHS:
            paths = PATHS if n < 1000 or method == "davies_harte" else PATHS // 10
            cases = [largest_z(method, h, n, paths) for h in HURST]
            limit = stats.norm.isf(ALPHA / (2 * len(HURST) * cases[0][1]))
            print(f"{n:5d} {paths:6d} {limit:9.2f}  {' '.join(f'{z:5.2f}' for z, _ in cases)}  {method}")
    for hurst, n in LONG:
        x = fgn(hurst, n, 2, seed=1)
        expected = 2.0 - 2.0 * float(fgn_autocovariance(hurst, 1))
        got = float(np.mean(np.diff(x, axis=1) ** 2))
        ratio, broken = got / expected, bool(np.isnan(x).any())
        print(f"n = {n}, H = {hurst}: E (xi_k+1 - xi_k)^2 / theory = {ratio:.5f}, NaN: {broken}")


if __name__ == "__main__":
    main()
