"""One-sided exit rates of the quadratic well on a grid, with both noises, beside Pickands' formulas.

Run: python benchmarks/exit_rates.py [--paths N]
"""

from __future__ import annotations

import argparse
import math

from fbmsde import FractionalNoise, first_passage, quadratic
from fbmsde.laws.fou import fou_stationary_variance
from fbmsde.simulation.passage import MONITORING
from fbmsde.theory.registry import FORMULAS

GRID, FREE = ("pickands_grid", "pickands_shifted"), ("pickands", "kramers_brownian_prefactor")

STEPS = {0.3: 1 / 1024, 0.5: 1 / 512, 0.7: 1 / 256}
BARRIERS = (2.0, 2.5, 3.0, 3.5)
HORIZON, AFTER = 24.0, 4.0


def main() -> None:
    """Print rate / a with its 95 % interval by H, barrier in stationary s.d. and noise."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--paths", type=int, default=20_000)
    paths = parser.parse_args().paths
    print(f"{'H':>3} {'k':>4} {'monitoring':>24}  {'rate / a [95 %]':28}  measured / predicted")
    for hurst, dt in STEPS.items():
        for k in BARRIERS:
            barrier = k * math.sqrt(fou_stationary_variance(hurst))
            problem = {"hurst": hurst, "barrier": barrier, "dt": dt, "sides": 1}
            cases = [(monitoring, "streaming", paths) for monitoring in MONITORING]
            cases.append(("grid", "davies_harte", paths // 4))
            for monitoring, method, n in cases:
                noise = FractionalNoise(hurst, method=method)
                step = None if monitoring == "continuous" else dt
                rate = first_passage(quadratic(1.0), noise, 0.0, (-math.inf, barrier), dt=step, horizon=HORIZON,
                                     n_paths=n, seed=1, monitoring=monitoring).exit_rate(after=AFTER)  # fmt: skip
                low, high = rate.confidence_interval()
                names = GRID if monitoring == "grid" else FREE
                ratios = ", ".join(f"{rate.value / float(FORMULAS[f].evaluate(**problem)):.2f} {f}" for f in names)
                label = f"{monitoring}, {method}"
                print(f"{hurst:3.1f} {k:4.1f} {label:>24}  {rate.value:.5f} [{low:.5f}, {high:.5f}]  {ratios}")


if __name__ == "__main__":
    main()
