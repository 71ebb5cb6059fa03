"""How the components of a noise are made of components of unit strength: weights, or a matrix factor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..core import checks
from ..core.types import Array
from .base import BLOCK

Vector = tuple[float, ...]
Matrix = tuple[Vector, ...]

_LARGEST = 1e150  # its square is finite


class Mixture(NamedTuple):
    """The components are ``weights * xi``, or ``matrix xi`` if the matrix is not empty.

    weights : what each component is multiplied by, (d,); ones where there is a matrix.
    matrix : (d, m), or an empty array.
    """

    weights: Array
    matrix: Array

    @classmethod
    def none(cls, dim: int) -> Mixture:
        """The mixture that leaves `dim` components as they are."""
        return cls(np.ones(dim), np.empty((0, 0)))

    @classmethod
    def of(cls, matrix: Array) -> Mixture:
        """The mixture by a matrix (d, m)."""
        return cls(np.ones(len(matrix)), matrix)

    @property
    def is_none(self) -> bool:
        """True if the components are left as they are."""
        return self.matrix.size == 0 and bool(np.all(self.weights == 1.0))

    def applied(self, components: NDArray[np.floating]) -> NDArray[np.floating]:
        """The mixed components of an array (d, n_paths, n_steps), which may be used up; its type is kept."""
        if self.matrix.size:
            return np.einsum("jk,kpt->jpt", self.matrix.astype(components.dtype), components)
        if not self.is_none:
            components *= self.weights.astype(components.dtype)[:, None, None]
        return components


@njit(error_model="numpy", nogil=True)
def multiply(matrix: NDArray, drawn: Array, out: Array) -> None:
    """Write `matrix` (d, m) times the components `drawn` (m, BLOCK, n_lanes) to `out` (d, BLOCK, n_lanes).

    The term of the diagonal comes first in each sum.
    """
    for row in range(out.shape[0]):
        own = min(row, drawn.shape[0] - 1)
        for s in range(BLOCK):
            for i in range(out.shape[2]):
                out[row, s, i] = matrix[row, own] * drawn[own, s, i]
            for k in range(drawn.shape[0]):
                if k != own and matrix[row, k] != 0.0:
                    for i in range(out.shape[2]):
                        out[row, s, i] += matrix[row, k] * drawn[k, s, i]


def is_several(value: Any) -> bool:
    """True for a sequence or an array of values, False for a single one and for text."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes))


def strengths(name: str, value: Any) -> Vector | Matrix:
    """The strengths (d,) of the axes, or a matrix factor (d, m), as tuples.

    A component may have strength 0, but not all of them. Raises ValueError for another shape and for values that are
    not finite, larger than 1e150 in size, or, of an axis, negative.

    >>> strengths("sigma", [1, 2.0])
    (1.0, 2.0)
    """
    found = checks.reals(name, value)
    if found.ndim > 2 or found.size == 0:
        raise ValueError(f"{name} must be a number, one for each axis, or a matrix (d, m), got shape {found.shape}.")
    wrong = ~(np.abs(found) <= _LARGEST) | ((found < 0.0) & (found.ndim == 1))
    if wrong.any():
        rule = "lie in [0, 1e150] on every axis" if found.ndim == 1 else "be at most 1e150 in size"
        raise ValueError(f"{name} must {rule}, got {found[wrong][0]}.")
    if not found.any():
        raise ValueError(f"{name} must not be 0 throughout, got {found.tolist()}. An equation needs some noise.")
    return tuple(found.tolist()) if found.ndim == 1 else tuple(map(tuple, found.tolist()))
