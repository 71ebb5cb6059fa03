"""Small linear algebra in an order of summation of its own: its numbers do not depend on the machine's BLAS or LAPACK.

Which kernel such a library takes depends on the processor and on the number of threads, and the last bits of a sum, or
the whole of an eigenvector, depend on the kernel. A path that is a pure function of its seed must not be fed with them.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from .cache import kernel
from .types import Array

_SWEEPS = 30  # of Jacobi's method, which converges quadratically: 6 to 10 are enough
_NEWTON_STEPS = 8


def product(*matrices: Array) -> Array:
    """Return the product of two or more matrices, multiplied from the left."""
    total = matrices[0]
    for matrix in matrices[1:]:
        total = np.einsum("ij,jk->ik", total, matrix)
    return total


def symmetric_eigen(matrix: Array) -> tuple[Array, Array]:
    """Return the eigenvalues (n,), ascending, and eigenvectors, the columns of (n, n), of a symmetric matrix.

    By Jacobi's rotations (Golub & Van Loan, Matrix Computations, 8.5), good to rounding of the largest eigenvalue and,
    for a graded positive matrix, of each one.
    """
    rest, vectors = np.array(matrix, dtype=float), np.eye(len(matrix))
    _rotate_to_diagonal(rest, vectors)
    values = np.diag(rest)
    order = np.argsort(values, kind="stable")
    return values[order], vectors[:, order]


@kernel
def _turn(first: Array, second: Array, c: float, s: float) -> None:
    """Rotate a pair of vectors (n,) of which the first has the cosine c and the second the sine s, in place."""
    for k in range(first.size):
        x, y = first[k], second[k]
        first[k], second[k] = c * x - s * y, s * x + c * y


@kernel
def _rotate_to_diagonal(rest: Array, vectors: Array) -> None:
    """Rotate the symmetric `rest` (n, n) until it is diagonal, in place, and the columns of `vectors` with it."""
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
    """Return the lower-triangular L (n, n), of diagonal at least 0, with ``L L' = root root'`` for `root` (n, n).

    By Householder's reflections of the columns, from the first row down; singular matrices are welcome.
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
    """Return the nodes (n,), ascending, and weights (n,) of Gauss's rule on [-1, 1], by Newton's method."""
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
