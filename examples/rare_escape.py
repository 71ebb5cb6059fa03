"""Escapes that happen once in a hundred million runs
==================================================

The path starts at the bottom of the left minimum and leaves at the top of the barrier. Paths cannot be conditioned
exactly here, so whole paths are moved (subset), and where replicas disagree, lanes of the noise are copied (splitting).
"""

import matplotlib.pyplot as plt

from fbmsde import FractionalNoise, double_well, rare_escape


def main() -> None:
    """Print and draw the probability to leave within 4 units of time for rough, Brownian and smooth noise."""
    _, ax = plt.subplots(layout="constrained")
    for hurst in (0.3, 0.5, 0.7):
        noise = FractionalNoise(hurst, sigma=0.32)
        rare = rare_escape(
            double_well(), noise, -(2.0**0.5), (None, 0.0), horizon=4.0, dt=0.02, relative_error=0.3, seed=1
        )  # fmt: skip
        print(f"H = {hurst}\n{rare}\n")
        found = rare.probability()
        below, above = found.value - found.low, found.high - found.value
        ax.errorbar(hurst, found.value, yerr=[[below], [above]], fmt="o", capsize=4)
    ax.set(xlabel="Hurst parameter H", ylabel="probability to leave within 4 units of time", yscale="log")
    plt.show()


if __name__ == "__main__":
    main()
