"""What conditioned paths cost and how exact they are: ``python benchmarks/conditioned_exits.py``.

First the rate of the Ornstein-Uhlenbeck process through k standard deviations against the exact eigenvalue. Then the
share of effective paths for several H, k and steps, when steps beyond the end alone are counted (`slack` 0) and when
those near it are as well.
"""

from __future__ import annotations

import time

from fbmsde.laws.diffusions import ou_exit_rate
from fbmsde.laws.fou import fou_stationary_variance
from fbmsde.rare.conditioned import ConditionedExits, conditioned_exits
from fbmsde.rare.linear_process import fou_process

STEPS = {0.1: 1e-3, 0.2: 1e-3, 0.3: 1e-3, 0.5: 5e-3, 0.7: 0.01, 0.9: 0.02}


def exits_of(
    hurst: float, k: float, dt: float, n_paths: int, slack: float = 1.0, shifted: bool = True
) -> ConditionedExits:
    """Exits in the last 3 of 8 relaxation times from a well of unit variance."""
    process = fou_process(hurst, round(8.0 / dt), dt=dt, sigma=fou_stationary_variance(hurst) ** -0.5)
    first = round(5.0 / dt) + 1
    return conditioned_exits(
        process, (None, k), first=first, n_paths=n_paths, slack=slack, shifted=shifted, seed=1, n_jobs=1
    )


def main() -> None:
    """Print both tables."""
    exits_of(0.5, 3.0, 0.1, 10)
    print("k  dt     rate        exact       ratio   error   z      effective  largest  CPU s")
    for k, dt in ((3, 0.005), (4, 0.005), (5, 0.005), (6, 0.005), (8, 0.005)):
        start = time.process_time()
        rate = exits_of(0.5, k, dt, 20000).rate()
        seconds, exact = time.process_time() - start, ou_exit_rate(k, sigma=2**0.5)
        z = (rate.value / exact - 1.0) / rate.relative_error
        print(
            f"{k}  {dt:g}  {rate.value:.4e}  {exact:.4e}  {rate.value / exact:.4f}  {rate.relative_error:.4f}  {z:5.2f}"
            f"  {rate.effective:9.0f}  {rate.largest_share:.5f}  {seconds:.2f}"
        )
    print("\nH    k  dt     coarse  effective and largest share of 2000 paths for slack 0, 0.5, 1, 2, ends on the grid")
    for hurst, dt in STEPS.items():
        for k in (1, 2, 4, 8):
            process = fou_process(hurst, 1000, dt=dt, sigma=fou_stationary_variance(hurst) ** -0.5)
            each = [exits_of(hurst, k, dt, 2000, slack, False).probability() for slack in (0.0, 0.5, 1.0, 2.0)]
            shares = "  ".join(f"{e.effective / 2000:.3f} {e.largest_share:.4f}" for e in each)
            print(f"{hurst}  {k}  {dt:<5g}  {process.coarseness(k):.2f}    {shares}")


if __name__ == "__main__":
    main()
