"""The Hurst parameter of a series in a file
=========================================

It is what ``fbmsde hurst returns.csv --kind increments`` prints, and then the same in moving windows."""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import fbmsde
from fbmsde.plots import plot_rolling_hurst

file = Path(tempfile.mkdtemp()) / "returns.csv"
np.savetxt(file, fbmsde.fgn(0.65, 4000, seed=1).T, header="return", comments="")

read = fbmsde.read_series(file, kind="increments")
print(read)
series = read.values[0]
estimate = fbmsde.estimate_hurst(series, kind="increments")
low, high = estimate.confidence_interval()
print(f"H = {estimate.hurst:.3f}, 95 % interval [{low:.3f}, {high:.3f}], sigma = {estimate.sigma:.3f}")
print(f"shuffled copies: {np.median(estimate.null):.3f}; p-value of no memory {estimate.p_no_memory:.3g}, "
      f"of which {estimate.p_floor:g} is the smallest that so many copies can give")
print(f"p-value of being fGn {estimate.p_fgn:.2g}")

_, ax = plt.subplots(layout="constrained")
plot_rolling_hurst(fbmsde.rolling_hurst(series, window=500, kind="increments"), ax)
plt.show()
