"""Second derivatives of a landscape: what makes a chain stable, and noise in proportion to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..core import checks
from ..core.linear import symmetric_eigen
from ..core.types import Array
from .landscapes import Landscape

_STEP = 1e-5  # of the differences of the gradient, relative to the size of the coordinate


def hessian(landscape: Landscape, x: ArrayLike) -> Array:
    """The matrix (d, d) of second derivatives at one point, by central differences of the gradient.

    The relative error is about 1e-10 where the landscape gives its gradient, and 1e-5 where the gradient itself is
    found by differences.

    >>> from fbmsde import quadratic
    >>> hessian(quadratic(3.0), 0.0).round(6)
    array([[3.]])
    """
    d = landscape.dim
    point = np.atleast_1d(checks.reals("x", x)).astype(float)
    if point.shape != (d,):
        raise ValueError(f"x must be one point of {d} coordinates, got shape {np.shape(x)}.")
    steps = _STEP * np.maximum(1.0, np.abs(point))
    ends = point + np.concatenate([np.diag(steps), -np.diag(steps)])
    slopes = np.reshape(landscape.slope(ends if d > 1 else ends[:, 0]), (2, d, d))
    matrix = (slopes[0] - slopes[1]) / (2.0 * steps[:, None])
    return (matrix + matrix.T) / 2.0


def hessian_factor(landscape: Landscape, x: ArrayLike) -> Array:
    """A matrix F (d, d) with ``F F'`` the Hessian at `x`, for noise whose covariance is in proportion to it.

    Near a minimum the covariance of the gradient noise of SGD is close to a multiple of the Hessian (Zhu et al., 2019,
    arXiv:1803.00195, and others). F is the symmetric root. Eigenvalues that are not positive, as at a saddle, count as
    0: no noise goes that way. Raises ValueError for a point of the wrong shape.

    >>> from fbmsde import Landscape
    >>> valley = Landscape(lambda x: 2.0 * x[0] ** 2 + 4.5 * x[1] ** 2, dim=2)
    >>> hessian_factor(valley, (0.0, 0.0)).round(3) + 0.0
    array([[2., 0.],
           [0., 3.]])
    """
    values, vectors = symmetric_eigen(hessian(landscape, x))
    return np.einsum("ij,j,kj->ik", vectors, np.sqrt(np.maximum(values, 0.0)), vectors)


def sharpness(landscape: Landscape, x: ArrayLike) -> float:
    """The largest eigenvalue of the Hessian at `x`.

    >>> from fbmsde import double_well
    >>> round(sharpness(double_well(1.0, 1.0, 1.0), 1.0), 6)
    8.0
    """
    return float(symmetric_eigen(hessian(landscape, x))[0][-1])
