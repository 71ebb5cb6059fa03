"""Landscapes in many dimensions, whose points are arrays: a given Hessian spectrum, joined wells, Rosenbrock, networks.

Their gradients write into an array, so that they take arrays from two dimensions on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array
from .landscapes import Landscape, double_well

_MOST_TERMS = 2**24  # of a landscape that is written out in memory


def power_law_spectrum(dim: int, exponent: float, largest: float = 1.0) -> Array:
    """Eigenvalues ``largest * k^-exponent`` for k = 1 ... dim, (dim,).

    >>> power_law_spectrum(4, 1.0, largest=12.0).tolist()
    [12.0, 6.0, 4.0, 3.0]
    """
    n = checks.count("dim", dim, maximum=_MOST_TERMS)
    return checks.positive("largest", largest) * np.arange(1.0, n + 1.0) ** -checks.finite("exponent", exponent)


def hessian_spectrum(eigenvalues: ArrayLike) -> Landscape:
    """The well ``sum_j a_j x_j^2 / 2`` whose Hessian has these eigenvalues a (d,), measured ones or a power law.

    Coordinates are those along the eigenvectors. Eigenvalues may be 0 or negative, as measured ones are; only where all
    are positive is there a minimum, at 0. Raises ValueError unless there are two or more finite eigenvalues.

    >>> well = hessian_spectrum(power_law_spectrum(3, 1.0, largest=6.0))
    >>> well.slope([1.0, 1.0, 1.0]).tolist()
    [6.0, 3.0, 2.0]
    """
    a = np.array(checks.reals("eigenvalues", eigenvalues))
    if a.ndim != 1 or a.size < 2:
        raise ValueError(f"eigenvalues must be two or more in one dimension, got shape {a.shape}.")
    if not np.all(np.isfinite(a)):
        raise ValueError(f"eigenvalues must be finite, got one that is not at index {np.isfinite(a).argmin()}.")

    def potential(x: Array) -> float:
        total = 0.0
        for j in range(len(x)):
            total += 0.5 * a[j] * x[j] * x[j]
        return total

    def gradient(x: Array, out: Array) -> None:
        for j in range(len(x)):
            out[j] = a[j] * x[j]

    minima = (((0.0,) * a.size),) if a.min() > 0.0 else ()
    return Landscape(potential, gradient, (), a.size, "hessian_spectrum", minima)


@njit
def _rosenbrock(x: Array, steepness: float) -> float:
    total = 0.0
    for j in range(len(x) - 1):
        bend = x[j + 1] - x[j] * x[j]
        total += steepness * bend * bend + (1.0 - x[j]) ** 2
    return total


@njit
def _rosenbrock_gradient(x: Array, out: Array, steepness: float) -> None:
    last = len(x) - 1
    out[last] = 2.0 * steepness * (x[last] - x[last - 1] * x[last - 1])
    for j in range(last):
        out[j] = 2.0 * (x[j] - 1.0) - 4.0 * steepness * x[j] * (x[j + 1] - x[j] * x[j])
    for j in range(1, last):
        out[j] += 2.0 * steepness * (x[j] - x[j - 1] * x[j - 1])


def rosenbrock(dim: int, steepness: float = 100.0) -> Landscape:
    """Rosenbrock's function ``sum_j s (x_{j+1} - x_j^2)^2 + (1 - x_j)^2`` of `dim` >= 2 coordinates.

    Its minimum (1, ..., 1) lies in a bent, narrow valley: with s = 100 the curvatures there differ by a factor of 2500
    in two dimensions. s is `steepness`.

    >>> rosenbrock(3).energy([1.0, 1.0, 0.0])
    np.float64(100.0)
    """
    n = checks.count("dim", dim, minimum=2, maximum=_MOST_TERMS)
    params = (checks.positive("steepness", steepness),)
    return Landscape(_rosenbrock, _rosenbrock_gradient, params, n, "rosenbrock", ((1.0,) * n,))


@njit
def _along(x: float, sharp: float, sharp_at: float, flat: float, flat_at: float) -> tuple[float, float]:
    """The double well along the valley, zero at its saddle: its value and slope."""
    curvature, place = (sharp, sharp_at) if x < 0.0 else (flat, flat_at)
    u = x * x / (place * place)
    return 0.125 * curvature * place * place * u * (u - 2.0), -0.5 * curvature * x * (1.0 - u)


@njit
def _across(x: float, sharp_at: float, flat_at: float, sharp: float, flat: float) -> tuple[float, float]:
    """The curvature across the valley and its slope: between the minima a cubic goes from one to the other."""
    span = flat_at - sharp_at
    u = min(1.0, max(0.0, (x - sharp_at) / span))
    return sharp + (flat - sharp) * u * u * (3.0 - 2.0 * u), (flat - sharp) * 6.0 * u * (1.0 - u) / span


@njit
def _square_across(x: Array) -> float:
    """The squared distance from the axis of the valley."""
    square = 0.0
    for j in range(1, len(x)):
        square += x[j] * x[j]
    return square


@njit
def _valley(
    x: Array, sharp: float, sharp_at: float, flat: float, flat_at: float, sharp_across: float, flat_across: float
) -> float:
    height, _ = _along(x[0], sharp, sharp_at, flat, flat_at)
    curvature, _ = _across(x[0], sharp_at, flat_at, sharp_across, flat_across)
    return height + 0.5 * curvature * _square_across(x)


@njit
def _valley_gradient(
    x: Array, out: Array,
    sharp: float, sharp_at: float, flat: float, flat_at: float, sharp_across: float, flat_across: float,
) -> None:  # fmt: skip
    _, slope = _along(x[0], sharp, sharp_at, flat, flat_at)
    curvature, change = _across(x[0], sharp_at, flat_at, sharp_across, flat_across)
    for j in range(1, len(x)):
        out[j] = curvature * x[j]
    out[0] = slope + 0.5 * change * _square_across(x)


def valley(
    dim: int,
    sharp: float = 4.0,
    flat: float = 1.0,
    height: float = 1.0,
    *,
    sharp_width: float | None = None,
    flat_width: float | None = None,
) -> Landscape:
    """A sharp and a flat minimum at the two ends of a valley in `dim` >= 2 dimensions, with the saddle at 0 between.

    Along the first coordinate it is `double_well` (sharp, flat, height): the sharp minimum lies at negative x_0, both
    are `height` below the saddle, and ``x_0 = 0`` parts the two wells. Across it there is a parabola in each of the
    other coordinates. At distance `sharp_width` (or `flat_width`) from a minimum across the valley the potential is
    `height` higher; None makes the minimum isotropic. Between the minima the curvature across goes smoothly from one to
    the other. In two dimensions and with isotropic minima it is `double_well_2d`.

    >>> well = valley(100, sharp=8.0, flat=2.0, height=1.0, flat_width=0.5)
    >>> [place[:2] for place in well.minima]
    [(-1.0, 0.0), (2.0, 0.0)]
    >>> well.slope(np.eye(100)[7] + well.minima[1])[:9].round(9).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 8.0, 0.0]
    """
    n, line = checks.count("dim", dim, minimum=2, maximum=_MOST_TERMS), double_well(sharp, flat, height)
    left, right = (float(place) for place in line.minima)  # type: ignore[arg-type]  # floats in one dimension
    sharp_across = sharp if sharp_width is None else 2.0 * height / checks.positive("sharp_width", sharp_width) ** 2
    flat_across = flat if flat_width is None else 2.0 * height / checks.positive("flat_width", flat_width) ** 2
    params = (float(sharp), left, float(flat), right, float(sharp_across), float(flat_across))
    rest = (0.0,) * (n - 1)
    return Landscape(
        _valley, _valley_gradient, params, n, "valley", ((left, *rest), (right, *rest)), ((0.0, *rest),)
    )


def linear_network(target: ArrayLike, hidden: int) -> Landscape:
    """The loss ``|W2 W1 - T|^2 / 2`` of a two-layer linear network with `hidden` units, for inputs of unit covariance.

    `target` is the matrix T (outputs, inputs). A point x holds W1 (hidden, inputs) and then W2 (outputs, hidden), row
    by row, so that it has ``hidden * (inputs + outputs)`` coordinates. For every invertible M the weights ``M W1`` and
    ``W2 M^-1`` have the same loss: the minima form a manifold. The entry of `minima` is the balanced one, with
    ``W1 W1' = W2' W2``, from the `hidden` largest singular values of T; the saddle at 0 has no other name.

    >>> network = linear_network([[2.0, 0.0], [0.0, 0.5]], hidden=2)
    >>> network.dim, float(network.energy(network.minima[0]).round(12)), network.energy(np.zeros(8))
    (8, 0.0, np.float64(2.125))
    """
    t = np.ascontiguousarray(checks.reals("target", target))
    if t.ndim != 2 or t.size == 0 or not np.all(np.isfinite(t)):
        raise ValueError(f"target must be a finite matrix (outputs, inputs), got shape {t.shape}.")
    units = checks.count("hidden", hidden, maximum=_MOST_TERMS)
    dim, error = units * sum(t.shape), _network_error(t, units)
    potential, gradient = _network_loss(error, *t.shape), _network_gradient(error, units, *t.shape)
    return Landscape(potential, gradient, (), dim, "linear_network", (_balanced(t, units),), ((0.0,) * dim,))


def _network_error(target: Array, units: int) -> Callable[..., None]:
    """The function that writes a row of ``W2 W1 - T`` into an array (inputs,)."""
    n_in = target.shape[1]

    def write_error(x: Array, row: int, error: Array) -> None:
        for i in range(n_in):
            error[i] = -target[row, i]
        for k in range(units):
            weight = x[units * n_in + row * units + k]
            for i in range(n_in):
                error[i] += weight * x[k * n_in + i]

    compiled_error: Callable[..., None] = njit(error_model="numpy")(write_error)
    return compiled_error


def _network_loss(write_error: Callable[..., None], n_out: int, n_in: int) -> Callable[..., float]:
    """The loss of a network whose errors `write_error` writes."""

    def potential(x: Array) -> float:
        error, total = np.empty(n_in), 0.0
        for row in range(n_out):
            write_error(x, row, error)
            for i in range(n_in):
                total += 0.5 * error[i] * error[i]
        return total

    return potential


def _network_gradient(write_error: Callable[..., None], units: int, n_out: int, n_in: int) -> Callable[..., None]:
    """The gradient of the loss, ``W2' E`` and ``E W1'`` with the errors E, row by row of E."""
    border = units * n_in

    def gradient(x: Array, out: Array) -> None:
        error = np.empty(n_in)
        for k in range(border):
            out[k] = 0.0
        for row in range(n_out):
            write_error(x, row, error)
            for k in range(units):
                weight, total = x[border + row * units + k], 0.0
                for i in range(n_in):
                    total += error[i] * x[k * n_in + i]
                    out[k * n_in + i] += weight * error[i]
                out[border + row * units + k] = total

    return gradient


def _balanced(target: Array, units: int) -> tuple[float, ...]:
    """The balanced minimum of a linear network: each layer takes the roots of the largest singular values."""
    left, values, right = np.linalg.svd(target, full_matrices=False)
    n = min(units, values.size)
    first, second = np.zeros((units, target.shape[1])), np.zeros((target.shape[0], units))
    first[:n] = np.sqrt(values[:n])[:, None] * right[:n]
    second[:, :n] = left[:, :n] * np.sqrt(values[:n])
    return (*first.ravel().tolist(), *second.ravel().tolist())
