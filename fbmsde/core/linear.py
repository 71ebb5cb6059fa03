"""Linear algebra of small matrices whose results do not depend on the machine's BLAS or LAPACK.

Which kernel such a library uses depends on the processor and on the number of threads, and the last bits of a sum, or
a whole eigenvector, depend on the kernel. A path must be a pure function of its seed, so no such number may enter it.
The functions here sum in a fixed order instead.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from .cache import kernel
from .types import Array

_SWEEPS = 30  # an upper limit: Jacobi's method converges quadratically, and 6 to 10 sweeps are enough
_NEWTON_STEPS = 8


def product(*matrices: Array) -> Array:
    """The product of two or more matrices, multiplied from the left.

    >>> product(np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 2.],
           [3., 4.]])
    """
    total = matrices[0]
    for matrix in matrices[1:]:
        total = np.einsum("ij,jk->ik", total, matrix)
    return total


def symmetric_eigen(matrix: Array) -> tuple[Array, Array]:
    """The eigenvalues (n,), ascending, and the eigenvectors, the columns of (n, n), of a symmetric matrix (n, n).

    They are found by Jacobi's rotations (Golub & Van Loan, Matrix Computations, 8.5). The error of an eigenvalue is
    that of rounding of the largest one; for a graded positive matrix it is that of rounding of the eigenvalue itself.

    >>> symmetric_eigen(np.array([[2.0, 1.0], [1.0, 2.0]]))[0].round(12)
    array([1., 3.])
    """
    rest, vectors = np.array(matrix, dtype=float), np.eye(len(matrix))
    _rotate_to_diagonal(rest, vectors)
    values = np.diag(rest)
    order = np.argsort(values, kind="stable")
    return values[order], vectors[:, order]


@kernel
def _turn(first: Array, second: Array, c: float, s: float) -> None:
    """Replace two vectors (n,) x and y by ``c x - s y`` and ``s x + c y``, in place."""
    for k in range(first.size):
        x, y = first[k], second[k]
        first[k], second[k] = c * x - s * y, s * x + c * y


@kernel
def _rotate_to_diagonal(rest: Array, vectors: Array) -> None:
    """Rotate the symmetric `rest` (n, n) until it is diagonal, and the columns of `vectors` with it, both in place."""
    n = rest.shape[0]
    for _ in range(_SWEEPS):
        rotated = False
        for p in range(n - 1):
            for q in range(p + 1, n):
                off, a, b = rest[p, q], rest[p, p], rest[q, q]
                if abs(off) <= 1e-300 or abs(off) <= 1e-17 * math.sqrt(abs(a)) * math.sqrt(abs(b)):
                    continue
                rotated = True
                theta = (b - a) / (2.0 * off)
                t = 1.0 / (abs(theta) + math.sqrt(theta * theta + 1.0))
                t = -t if theta < 0.0 else t
                c = 1.0 / math.sqrt(t * t + 1.0)
                s = t * c
                _turn(rest[:, p], rest[:, q], c, s)
                _turn(rest[p], rest[q], c, s)
                _turn(vectors[:, p], vectors[:, q], c, s)
                rest[p, p], rest[q, q] = a - t * off, b + t * off
                rest[p, q] = rest[q, p] = 0.0
        if not rotated:
            break


def triangular_root(root: Array) -> Array:
    """The lower-triangular L (n, m) with ``L L' = root root'`` and a diagonal of at least 0, for `root` (n, m >= n).

    It is found by Householder's reflections of the columns, from the first row down. `root` may be singular.

    >>> triangular_root(np.array([[0.0, 2.0], [3.0, 4.0]])).round(12)
    array([[2., 0.],
           [4., 3.]])
    """
    lower = np.array(root, dtype=float)
    for i in range(len(lower)):
        mirror = lower[i, i:].copy()
        size = np.sqrt(np.sum(mirror * mirror))
        mirror[0] += size if mirror[0] > 0.0 else -size
        square = np.sum(mirror * mirror)
        if square > 0.0:
            lower[i:, i:] -= np.outer(np.sum(lower[i:, i:] * mirror, axis=1) * (2.0 / square), mirror)
        lower[i, i + 1 :] = 0.0
        if lower[i, i] < 0.0:
            lower[i:, i] *= -1.0
    return lower


@lru_cache(maxsize=8)
def gauss_legendre(n: int) -> tuple[Array, Array]:
    """The nodes (n,), ascending, and the weights (n,) of Gauss's quadrature rule on [-1, 1], by Newton's method.

    >>> nodes, weights = gauss_legendre(2)
    >>> nodes.round(6), weights.round(6)
    (array([-0.57735,  0.57735]), array([1., 1.]))
    """
    x = np.array([-math.cos(math.pi * (i + 0.75) / (n + 0.5)) for i in range(n)])
    for _ in range(_NEWTON_STEPS):
        value, before = x, np.ones(n)
        for k in range(2, n + 1):
            value, before = ((2 * k - 1) * x * value - (k - 1) * before) / k, value
        slope = n * (x * value - before) / (x * x - 1.0)
        x = x - value / slope
    x = (x - x[::-1]) / 2.0
    weights = 2.0 / ((1.0 - x * x) * slope * slope)
    return x, (weights + weights[::-1]) / 2.0
