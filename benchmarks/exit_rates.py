"""One-sided exit rates of the quadratic well on a grid, with both noises, beside Pickands' formulas.

Run: python benchmarks/exit_rates.py [--paths N]
"""

from __future__ import annotations

import argparse
import math

from fbmsde import FractionalNoise, first_passage, quadratic
from fbmsde.covariance import fou_stationary_variance
from fbmsde.theory import FORMULAS

STEPS = {0.3: 1 / 1024, 0.5: 1 / 512, 0.7: 1 / 256}
BARRIERS = (2.0, 2.5, 3.0, 3.5)
HORIZON, AFTER = 24.0, 4.0


def main() -> None:
    """Print rate / a with its 95 % interval by H, barrier in stationary s.d. and noise."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--paths", type=int, default=20_000)
    paths = parser.parse_args().paths
    names = ("pickands_grid", "pickands_shifted", "pickands", "kramers_brownian_prefactor")
    print(f"{'H':>3} {'k':>4} {'noise':>13}  {'rate / a [95 %]':28}  measured / {', '.join(names)}")
    for hurst, dt in STEPS.items():
        for k in BARRIERS:
            barrier = k * math.sqrt(fou_stationary_variance(hurst))
            problem = {"hurst": hurst, "barrier": barrier, "dt": dt, "sides": 1}
            predicted = [float(FORMULAS[name].evaluate(**problem)) for name in names]
            for method, n in (("streaming", paths), ("davies_harte", paths // 4)):
                rate = first_passage(quadratic(1.0), FractionalNoise(hurst, method=method), 0.0, (-math.inf, barrier),
                                     dt=dt, horizon=HORIZON, n_paths=n, seed=1).exit_rate(after=AFTER)  # fmt: skip
                low, high = rate.confidence_interval()
                ratios = " ".join(f"{rate.value / p:5.2f}" for p in predicted)
                print(f"{hurst:3.1f} {k:4.1f} {method:>13}  {rate.value:.5f} [{low:.5f}, {high:.5f}]  {ratios}")


if __name__ == "__main__":
    main()
