"""Paths from their increments: running sums of rows, some times as fast as `numpy.cumsum` and the same to the bit."""

from __future__ import annotations

from ..core.cache import kernel
from ..core.types import Array

_TOGETHER = 4  # a sum waits for the one before it, so that some rows are summed side by side


@kernel
def running_sums(steps: Array, unit: float, scale: float, out: Array) -> None:
    """Write ``scale * sum_{i < k} (unit * steps[:, i])`` to column k of `out` (n_paths, n + 1), k = 0 ... n."""
    n_paths, n_steps = steps.shape
    out[:, 0] = 0.0
    together = n_paths // _TOGETHER * _TOGETHER
    for row in range(0, together, _TOGETHER):
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        for i in range(n_steps):
            a += unit * steps[row, i]
            b += unit * steps[row + 1, i]
            c += unit * steps[row + 2, i]
            d += unit * steps[row + 3, i]
            out[row, i + 1], out[row + 1, i + 1] = scale * a, scale * b
            out[row + 2, i + 1], out[row + 3, i + 1] = scale * c, scale * d
    for row in range(together, n_paths):
        a = 0.0
        for i in range(n_steps):
            a += unit * steps[row, i]
            out[row, i + 1] = scale * a
