"""The exponent of the most likely escape against probabilities at small noise: ``python benchmarks/instanton.py``.

By the exponent E at strength 1 the probability p to leave the left well of a double well over its saddle obeys
``-sigma^2 log p -> E`` as sigma gets small. Each line gives E / sigma^2, the estimate of p by `rare_escape` with the
same steps, the ratio ``-sigma^2 log p / E``, and the slope of log p against E / sigma^2 from the line before, which
tends to -1 without the constant that is in front of the exponential.

The horizon is so short that the exponent falls up to it, also for H < 1/2: so the best time to arrive is the horizon.
"""

from __future__ import annotations

import math

from fbmsde import FractionalNoise, double_well, most_likely_escape, rare_escape

HURST = (0.3, 0.7)
EXPONENTS = (6.0, 12.0, 24.0)
HORIZON, DT = 0.8, 0.02
START, TARGET = -(2.0**0.5), 0.0


def main() -> None:
    """Print a line for each H and strength."""
    for hurst in HURST:
        one = most_likely_escape(double_well(), FractionalNoise(hurst), START, TARGET, horizon=HORIZON, dt=DT)
        before = (0.0, math.nan)
        for exponent in EXPONENTS:
            sigma = math.sqrt(one.exponent / exponent)
            rare = rare_escape(
                double_well(), FractionalNoise(hurst, sigma), START, (None, TARGET), horizon=HORIZON, dt=DT,
                monitoring="grid", solver="euler", relative_error=0.15, seed=1,
            )  # fmt: skip
            p = rare.probability()
            low, high = (-math.log(end) / exponent for end in (p.high, p.low))
            log = math.log(p.value)
            slope = (log - before[1]) / (exponent - before[0])
            before = (exponent, log)
            print(
                f"H = {hurst}, E = {one.exponent:.4f}, E / sigma^2 = {exponent:g}: p = {p.value:.3g} ({rare.method}), "
                f"ratio {-log / exponent:.3f} ({low:.3f} to {high:.3f}), slope {slope:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
