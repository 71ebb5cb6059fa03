"""Noise in proportion to the loss or to its curvature, and the curvature that decides on stability."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy
from numba import njit
from numpy.typing import ArrayLike

from ..core import checks
from ..core.captured import OPTIONS
from ..core.compile import by_content
from ..core.linear import symmetric_eigen
from ..core.points import Point, replaced
from ..core.types import Array
from .landscapes import Coordinates, Landscape

_DENSE = 64  # up to so many dimensions the whole Hessian is computed
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
    """The largest eigenvalue of the Hessian at `x`, beyond 64 dimensions by Lanczos' method with two gradients a step.

    >>> from fbmsde import tilted_double_well
    >>> round(sharpness(tilted_double_well(1.0, 1.0, 0.0), 1.0), 6)
    8.0
    """
    if landscape.dim <= _DENSE:
        return float(symmetric_eigen(hessian(landscape, x))[0][-1])
    point = np.asarray(x, dtype=float)
    size = _STEP * max(1.0, float(np.linalg.norm(point)))

    def bend(direction: Array) -> Array:
        way = size / float(np.linalg.norm(direction)) * direction.ravel()
        slopes = np.asarray(landscape.slope(np.stack([point + way, point - way])))
        found: Array = (slopes[0] - slopes[1]) / (2.0 * size) * np.linalg.norm(direction)
        return found

    operator = scipy.sparse.linalg.LinearOperator((point.size, point.size), matvec=bend, dtype=float)
    begin = np.cos(np.arange(float(point.size)))  # the same at every call
    found = scipy.sparse.linalg.eigsh(operator, k=1, which="LA", v0=begin, tol=1e-6, return_eigenvectors=False)
    return float(found[0])


def loss_noise(
    landscape: Landscape, scale: float = 1.0, offset: float = 0.0, minimum: float | None = None
) -> Callable[..., Coordinates]:
    """The amplitude ``sqrt((potential(x) - minimum + offset) / scale)`` of noise whose variance grows with the loss.

    Under the mean-square loss the gradient noise of SGD near a minimum has a covariance in proportion to the product of
    the loss and the Hessian there (Mori, Ziyin, Liu & Ueda, Power-law escape rate of SGD, 2022, arXiv:2105.09557).
    The amplitude makes the loss, and the noise makes the Hessian, as the matrix `hessian_factor`:
    ``sgd(landscape, 0.1, amplitude=loss_noise(landscape))`` driven by
    ``FractionalNoise(0.5, sigma=hessian_factor(landscape, minimum))``.

    scale : the loss above the minimum at which the amplitude is 1.
    offset : at least 0: the loss that is left at the minimum. Without it the noise vanishes there.
    minimum : the least value of the potential; None for the least one at the known minima. Below it the amplitude is
        that of the offset alone.

    Where points are arrays it is one number for all coordinates.

    Raises ValueError for numbers outside their range, and where no minimum is given or known.

    >>> from fbmsde import quadratic
    >>> loss_noise(quadratic(2.0), scale=4.0)(2.0, 2.0)
    1.0
    """
    scale, offset = checks.positive("scale", scale), checks.finite("offset", offset)
    if offset < 0.0:
        raise ValueError(f"offset must be at least 0, got {offset}.")
    if minimum is None and not landscape.minima:
        raise ValueError("minimum must be given for a landscape whose minima are not known, got None.")
    known = min((float(landscape.energy(x)) for x in landscape.minima), default=0.0)
    least = known if minimum is None else checks.finite("minimum", minimum)
    return _of_loss(landscape.potential, 1 if landscape.wide else landscape.dim, scale, offset, least)


@by_content
def _of_loss(potential: Any, dim: int, scale: float, offset: float, least: float) -> Any:
    """The amplitude of noise whose variance is linear in a potential."""

    def on_floats(x: float, *params: float) -> float:
        return math.sqrt((max(potential(x, *params) - least, 0.0) + offset) / scale)

    def on_points(x: Point, *params: float) -> Point:
        size, result = math.sqrt((max(potential(x, *params) - least, 0.0) + offset) / scale), x
        for j in range(len(x)):
            result = replaced(result, j, size)
        return result

    return njit(**OPTIONS)(on_points if dim > 1 else on_floats)
