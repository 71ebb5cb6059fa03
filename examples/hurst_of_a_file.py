"""The Hurst parameter of a series in a file, as ``fbmsde hurst returns.csv --kind increments`` finds it."""

import tempfile
from pathlib import Path

import numpy as np

import fbmsde
from fbmsde.io.series import read_series

file = Path(tempfile.mkdtemp()) / "returns.csv"
np.savetxt(file, fbmsde.fgn(0.65, 4000, seed=1).T, header="return", comments="")

estimate = fbmsde.estimate_hurst(read_series(file).values[0], kind="increments")
low, high = estimate.confidence_interval()
print(f"H = {estimate.hurst:.3f}, 95 % interval [{low:.3f}, {high:.3f}], sigma = {estimate.sigma:.3f}")
print(f"shuffled copies: {np.median(estimate.null):.3f}; p-value of no memory {estimate.p_no_memory:.3g}")
print(f"p-value of being fGn {estimate.p_fgn:.2g}")
