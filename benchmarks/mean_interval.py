"""Coverage of the 95 % interval of the mean exit time, beside Student's. Run: python benchmarks/mean_interval.py

Times of known laws, all seen or seen up to a horizon; the share of intervals that hold the mean, and of those that lie
above it and below it.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fbmsde import PassageTimes

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Array]

LAWS: dict[str, tuple[Draw, float, float]] = {  # how to draw, mean of min(T, horizon), horizon
    "exponential": (lambda g, size: g.exponential(1.0, size), 1.0, math.inf),
    "Weibull 1/2": (lambda g, size: g.weibull(0.5, size), 2.0, math.inf),
    "Weibull .7": (lambda g, size: g.weibull(0.7, size), math.gamma(1.0 + 1.0 / 0.7), math.inf),
    "gamma 3": (lambda g, size: g.gamma(3.0, 1.0, size), 3.0, math.inf),
    "exponential to 1": (lambda g, size: g.exponential(1.0, size), 1.0 - math.exp(-1.0), 1.0),
    "exponential to .2": (lambda g, size: g.exponential(1.0, size), 1.0 - math.exp(-0.2), 0.2),
    "Weibull 1/2 to 2": (
        lambda g, size: g.weibull(0.5, size),
        2.0 - 2.0 * (1.0 + math.sqrt(2.0)) * math.exp(-math.sqrt(2.0)),
        2.0,
    ),
}


def interval(times: Array, horizon: float) -> tuple[float, float]:
    """The interval of the package; times on a grid so fine that it does not matter."""
    censored = times > horizon
    end = horizon if math.isfinite(horizon) else float(times.max()) + 1.0
    if censored.all():
        return math.nan, math.nan
    return PassageTimes(np.minimum(times, end), censored, end, 1e-9).mean().confidence_interval()


def student(times: Array, horizon: float) -> tuple[float, float]:
    """Mean and standard error times Student's quantile."""
    seen = np.minimum(times, horizon)
    half = stats.t.isf(0.025, seen.size - 1) * seen.std(ddof=1) / math.sqrt(seen.size)
    return float(seen.mean() - half), float(seen.mean() + half)


def main() -> None:
    """Print a row for each law and number of paths."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=4000)
    repetitions = parser.parse_args().repetitions
    print(f"{repetitions} repetitions, standard error {math.sqrt(0.0475 / repetitions):.4f}")
    print(f"{'law':18} {'paths':>5}  {'covers (above, below)':24} Student's")
    for name, (draw, mean, horizon) in LAWS.items():
        for n in (5, 10, 20, 50, 100, 500):
            samples, cells = draw(np.random.default_rng(n), (repetitions, n)), []
            for method in (interval, student):
                bounds = np.array([method(times, horizon) for times in samples])
                low, high = bounds[np.isfinite(bounds[:, 0])].T
                above, below = np.mean(low >= mean), np.mean(high <= mean)
                cells.append(f"{1 - above - below:.3f} ({above:.3f}, {below:.3f})")
            print(f"{name:18} {n:5d}  {cells[0]:24} {cells[1]}")


if __name__ == "__main__":
    main()
