"""The most likely escape over paths that escaped
==============================================

Weak noise takes one path out of a parabola, and those that escape under real noise lie around it. With a file name,
``python most_likely_escape.py FILE.png``, the figure is written there.

The paths leave through four standard deviations, which one in some thousands does within 8 units of time. They are
drawn exactly from the law of those that do, and laid over one another at their exits.
"""

import sys

import matplotlib.pyplot as plt

from fbmsde import FractionalNoise, most_likely_escape, quadratic
from fbmsde.plots import plot_most_likely_escape
from fbmsde.rare.exit_paths import exit_paths
from fbmsde.rare.linear_process import chain_process

HORIZON, DT, SEEN = 8.0, 0.02, 5.0
N_PATHS = {0.3: 2000, 0.5: 4000, 0.7: 10000}  # of which some hundreds are kept


def main(file: str = "") -> None:
    """Draw the figure and print what is in it."""
    n_steps = round(HORIZON / DT)
    figure, axes = plt.subplots(1, len(N_PATHS), figsize=(11.0, 3.6), layout="constrained", sharey=True)
    for hurst, ax in zip(N_PATHS, axes, strict=True):
        noise = FractionalNoise(hurst)
        process = chain_process(quadratic(), noise, n_steps, dt=DT)
        deviation = process.variances[-1] ** 0.5
        level = 4.0 * deviation
        escape = most_likely_escape(quadratic(), noise, 0.0, level, horizon=HORIZON, dt=DT)
        paths = exit_paths(process, (None, level), first=round(SEEN / DT), n_paths=N_PATHS[hurst], seed=1)
        plot_most_likely_escape(escape, paths, ax)
        ax.set(title=f"H = {hurst}: {len(paths)} paths")
        print(f"H = {hurst}: exponent {escape.exponent:.4f}, {len(paths)} paths that escaped")
    for ax in axes[1:]:
        ax.set_ylabel("")
    axes[-1].legend(fontsize="small", frameon=False, loc="lower left")
    if file:
        figure.savefig(file, dpi=110)
    else:
        plt.show()


if __name__ == "__main__":
    main(*sys.argv[1:])
