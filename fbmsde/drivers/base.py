"""What every driver is: a feed of increments for kernels, in blocks of steps and lanes of paths."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numba import config
from numpy.typing import ArrayLike

from ..core.linear import symmetric_eigen, triangular_root
from ..core.types import Array

BLOCK = 8  # steps drawn at once: a cache line of stored increments; the recursion loads its states once for all eight

# Paths advanced side by side: enough to hide the overhead of the loops, few enough for the first-level cache. Results
# do not depend on it.
LANES = 8 if config.DISABLE_JIT else 128


class Feed(Protocol):
    """Noise for kernels: ``(start, draw, source)`` of any range of paths, a pure function of (key, path)."""

    @property
    def max_paths(self) -> int | None:
        """Paths that one kit may hold, None for any number."""

    def kit(self, first: int, n_paths: int) -> tuple[Any, Any, Any]:
        """The pair of compiled functions and the arrays for the paths first ... first + n_paths - 1."""


def correlation_factor(matrix: ArrayLike) -> Array:
    """Lower-triangular L (d, d) with ``L L' = matrix``, for a correlation matrix; singular ones are welcome.

    ValueError unless the matrix is symmetric with a unit diagonal and no eigenvalue below -1e-12 d.

    >>> correlation_factor([[1.0, 0.6], [0.6, 1.0]]).round(12)
    array([[1. , 0. ],
           [0.6, 0.8]])
    """
    m = np.asarray(matrix, dtype=float)
    if m.ndim != 2 or m.shape[0] != m.shape[1] or m.size == 0:
        raise ValueError(f"correlation must be a square matrix, got shape {m.shape}.")
    if not np.all(np.isfinite(m)):
        raise ValueError("correlation must be finite, got a value that is not.")
    if not np.allclose(m, m.T, rtol=0.0, atol=1e-12):
        raise ValueError(f"correlation must be symmetric, got entries that differ by {np.abs(m - m.T).max():.3g}.")
    if not np.allclose(np.diag(m), 1.0, rtol=0.0, atol=1e-12):
        raise ValueError(f"correlation must have a unit diagonal, got {np.diag(m)}. "
                         "Divide a covariance by both standard deviations; sigma is the strength of all.")  # fmt: skip
    values, vectors = symmetric_eigen(m)
    if values[0] < -1e-12 * len(m):
        raise ValueError(f"correlation must be positive semi-definite, got smallest eigenvalue {values[0]:.6g}.")
    return triangular_root(vectors * np.sqrt(np.maximum(values, 0.0)))
