"""Likelihoods of fractional Gaussian noise on a grid of Hurst values: Whittle, local Whittle and exact Gaussian.

Every estimator takes increments (n_series, n) that are finite and not constant, and returns Hurst values and sigmas,
(n_series,) each. Sigma is the standard deviation of unit-step fGn with that Hurst value.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from ..core.cache import kernel
from ..core.types import Array
from ..laws.fgn import fgn_autocovariance
from .ordinates import bands, periodogram

# Objectives are evaluated at these nodes and interpolated by the polynomial of degree 6 through the 7 nearest ones. The
# nodes are equally spaced in sqrt(H), because the low frequencies change fast with H near 0. On a grid four times finer
# the estimate moves by less than 2e-6 and sigma by less than 3e-5, for H = .01 ... .98 and n = 64 ... 16384.
_ROOTS = np.linspace(math.sqrt(0.001), math.sqrt(0.999), 65)
_SPACING = _ROOTS[1] - _ROOTS[0]
GRID = _ROOTS**2
_HALF = 3
_OFFSETS = np.arange(-_HALF, _HALF + 1)
_TO_POLYNOMIAL = np.linalg.inv(np.vander(_OFFSETS.astype(float), increasing=True))
_FINE = np.linspace(-_HALF, _HALF, 61)  # where a polynomial is looked at before Newton's steps
_AT_FINE = np.vander(_FINE, 2 * _HALF + 1, increasing=True).T
_COSINES = 8  # directions of the goodness-of-fit test; short series have too few ordinates for all of them
_LANES = 64  # series that share one Durbin-Levinson recursion


class Fitted(NamedTuple):
    """The estimates for several series.

    hurst : the Hurst values, (n_series,).
    sigma : the standard deviations of unit-step fGn with these Hurst values, (n_series,).
    """

    hurst: Array
    sigma: Array


class LogShapes(NamedTuple):
    """Logarithms of expected periodograms less their means, and their slopes in H, (n_series, n_bands) each.

    The slopes are per spacing of the nodes of the grid.
    """

    logs: Array
    slopes: Array


class _NodeShapes(NamedTuple):
    """Deviations of the logarithms from their means, (len(GRID), n_bands), and these means, (len(GRID),)."""

    deviations: Array
    means: Array


def _log_shape(hurst: float, n: int) -> tuple[Array, float]:
    """Logarithm of the expected periodogram less its weighted mean, (n_bands,), and that mean."""
    logs, weights = np.log(bands(n).expected(hurst)), bands(n).weights
    level = float(logs @ weights / weights.sum())
    return logs - level, level


@lru_cache(maxsize=4)
def _log_shapes(n: int) -> _NodeShapes:
    """`_log_shape` at all nodes."""
    rows = [_log_shape(hurst, n) for hurst in GRID]
    return _NodeShapes(np.array([row for row, _ in rows]), np.array([level for _, level in rows]))


@lru_cache(maxsize=4)
def _whittle_matrix(n: int) -> Array:
    """The matrix (n_bands, len(GRID)) that takes a periodogram I in bands to the mean of I / f at every node."""
    weights = bands(n).weights
    return np.ascontiguousarray((np.exp(-_log_shapes(n).deviations) * weights / weights.sum()).T)


def _windows(objective: Array, centre: NDArray[np.intp]) -> Array:
    """The seven values (n_series, 7) around node `centre` of each row of an objective (n_series, len(GRID))."""
    return objective[np.arange(len(objective))[:, None], centre[:, None] + _OFFSETS]


def _minimise(window: Array) -> tuple[Array, Array]:
    """Minimum of the polynomial through each row of seven values: its place in nodes from the centre, and its value."""
    coefficients = window @ _TO_POLYNOMIAL.T
    place = _FINE[(coefficients @ _AT_FINE).argmin(axis=1)]
    powers = np.arange(2 * _HALF + 1.0)
    first, second = coefficients[:, 1:] * powers[1:], coefficients[:, 2:] * powers[2:] * powers[1:-1]
    for _ in range(3):  # Newton steps; the start is at most half a fine step away
        slope = _horner(first, place)
        bend = _horner(second, place)
        step = np.divide(slope, bend, out=np.zeros_like(slope), where=bend > 0)
        place = np.clip(place - np.clip(step, -0.1, 0.1), -_HALF, _HALF)
    return place, _horner(coefficients, place)


def _horner(coefficients: Array, place: Array) -> Array:
    """Values (n_series,) of the polynomials with the given coefficients, lowest power first, each at its own place."""
    value = np.zeros_like(place)
    for column in coefficients.T[::-1]:
        value = value * place + column
    return value


def _grid_minimum(objective: Array) -> tuple[Array, Array]:
    """Hurst value that minimises each row of an objective (n_series, len(GRID)), and the minimum."""
    centre = np.clip(objective.argmin(axis=1), _HALF, GRID.size - 1 - _HALF)
    place, value = _minimise(_windows(objective, centre))
    return _between(centre, place), value


def _between(centre: NDArray[np.intp], place: Array) -> Array:
    """The Hurst value `place` spacings from node number `centre`."""
    return (_ROOTS[centre] + place * _SPACING) ** 2


def whittle(increments: Array) -> Fitted:
    """Hurst and sigma by the debiased Whittle likelihood of fGn with the scale profiled out (Sykulski et al. 2019).

    >>> whittle(np.random.default_rng(0).standard_normal((2, 500))).hurst.round(2)
    array([0.48, 0.52])
    """
    n = increments.shape[1]
    hurst, value = _grid_minimum(np.log(bands(n).means(periodogram(increments)) @ _whittle_matrix(n)))
    level = _smooth_level(n)(np.sqrt(hurst)) + np.log1p(-hurst)
    return Fitted(hurst, np.exp((value - level) / 2.0))


@lru_cache(maxsize=4)
def _smooth_level(n: int) -> scipy.interpolate.CubicSpline:
    """The mean logarithm of the expected periodogram less ``log(1 - H)``, as a function of sqrt(H).

    The mean goes to minus infinity like ``log(1 - H)`` at H = 1; without that term it is smooth enough for a spline.
    """
    return scipy.interpolate.CubicSpline(_ROOTS, _log_shapes(n).means - np.log1p(-GRID))


def local_bandwidth(n: int) -> int:
    """Number of ordinates that the local Whittle likelihood uses: the whole part of n^0.65.

    >>> local_bandwidth(1000)
    89
    """
    return int(n**0.65)


def local_whittle(increments: Array) -> Fitted:
    """Hurst and sigma by the Whittle likelihood of ``f ~ |l|^(1-2H)`` on the lowest n^0.65 ordinates (Robinson).

    Both are NaN for a series that does not vary at these frequencies.

    >>> local_whittle(np.random.default_rng(0).standard_normal((1, 1000))).hurst.round(2)
    array([0.49])
    """
    n = increments.shape[1]
    band = local_bandwidth(n)
    logs = np.log(2.0 * np.pi * np.arange(1, band + 1) / n)
    tilts = np.exp(np.outer(logs - logs.mean(), 2.0 * GRID - 1.0)) / band
    power = periodogram(increments)
    rounding = (64.0 * np.finfo(float).eps) ** 2 * power.mean(axis=1)
    varies = power[:, :band].mean(axis=1) > rounding  # otherwise the low frequencies hold nothing but rounding
    hurst, value = _grid_minimum(np.log(power[:, :band][varies] @ tilts))
    height = np.exp(value + (2.0 * hurst - 1.0) * logs.mean())  # of the spectrum times |l|^(2H-1)
    out = np.full((2, len(power)), np.nan)
    out[:, varies] = hurst, np.sqrt(height / (np.sin(np.pi * hurst) * scipy.special.gamma(2.0 * hurst + 1.0)))
    return Fitted(out[0], out[1])


def exact(increments: Array) -> Fitted:
    """Hurst and sigma by the exact Gaussian likelihood of fGn, restricted for the unknown mean (Durbin-Levinson).

    >>> exact(np.random.default_rng(0).standard_normal((1, 200))).hurst.round(2)
    array([0.54])
    """
    centre = near_node(whittle(increments).hurst)
    hurst, sigma, todo = np.empty(len(centre)), np.empty(len(centre)), np.arange(len(centre))
    while todo.size:
        deviance, scale = _exact_windows(increments[todo], centre[todo])
        place, _ = _minimise(deviance)
        nodes = GRID[centre[todo][:, None] + _OFFSETS]
        hurst[todo] = _between(centre[todo], place)
        smooth = np.log(scale * (1.0 - nodes)) @ _TO_POLYNOMIAL.T  # sigma^2 behaves like 1 / (1 - H) at H = 1
        sigma[todo] = np.exp((_horner(smooth, place) - np.log1p(-hurst[todo])) / 2.0)
        moved = near_node(hurst[todo])
        again = (np.abs(place) >= _HALF) & (moved != centre[todo])
        centre[todo] = moved
        todo = todo[again]
    return Fitted(hurst, sigma)


def near_node(hurst: Array) -> NDArray[np.intp]:
    """The number of the node of GRID nearest to each Hurst value, among those with three neighbours on either side.

    >>> near_node(np.array([0.0, 0.5, 1.0]))
    array([ 3, 45, 61])
    """
    return np.clip(np.rint((np.sqrt(hurst) - _ROOTS[0]) / _SPACING).astype(np.intp), _HALF, GRID.size - 1 - _HALF)


def _exact_windows(increments: Array, centre: NDArray[np.intp]) -> tuple[Array, Array]:
    """Deviance and sigma^2 of each series at the seven nodes around node `centre`, (n_series, 7) each."""
    n = increments.shape[1]
    deviance, scale = np.empty((len(centre), _OFFSETS.size)), np.empty((len(centre), _OFFSETS.size))
    for node in range(GRID.size):
        rows, columns = np.nonzero(centre[:, None] + _OFFSETS == node)
        for first in range(0, rows.size, _LANES):
            row, column = rows[first : first + _LANES], columns[first : first + _LANES]
            squares, log_det = _restricted_squares(increments[row], GRID[node])
            scale[row, column] = squares / (n - 1)
            deviance[row, column] = np.log(squares) + log_det / (n - 1)
    return deviance, scale


def _restricted_squares(series: Array, hurst: float) -> tuple[Array, float]:
    """Generalised sum of squares about the fitted mean, (n_series,), and ``log |G| + log 1'G^-1 1``.

    G is the covariance matrix of unit fGn, 1 the vector of ones.
    """
    n = series.shape[1]
    # time is the first axis; a last column of ones is filtered with the series, because the mean is fitted
    lanes = np.vstack([series - series.mean(axis=1, keepdims=True), np.ones(n)]).T.copy()
    squares, products = np.zeros(lanes.shape[1]), np.zeros(lanes.shape[1])
    log_det = _innovation_sums(fgn_autocovariance(hurst, np.arange(n + 1)), lanes, squares, products)
    return squares[:-1] - products[:-1] ** 2 / squares[-1], log_det + math.log(squares[-1])


@kernel
def _innovation_sums(gamma: Array, lanes: Array, squares: Array, products: Array) -> float:
    """Add to `squares` and `products`, (width,) each, and return the log-determinant of the covariance matrix.

    `lanes` (n, width) holds one series per column. Summed over time, `squares` gets the squared innovation of each
    over its variance, and `products` its innovation times that of the last column over the same variance.
    """
    n, width = lanes.shape
    phi, previous, error = np.zeros(n), np.zeros(n), np.empty(width)
    variance, log_det = 1.0, 0.0
    for t in range(n):
        error[:] = lanes[t]
        partial = gamma[t + 1]
        for i in range(t):
            partial -= phi[i] * gamma[t - i]
            for k in range(width):
                error[k] -= phi[i] * lanes[t - 1 - i, k]
        for k in range(width):
            squares[k] += error[k] * error[k] / variance
            products[k] += error[k] * error[width - 1] / variance
        log_det += math.log(variance)
        partial /= variance
        previous[:t] = phi[:t]
        for i in range(t):
            phi[i] = previous[i] - partial * previous[t - 1 - i]
        phi[t] = partial
        variance *= 1.0 - partial * partial
    return log_det


def log_shapes(hurst: Array, n: int) -> LogShapes:
    """Logarithms of the expected periodograms less their means, and their slopes in H, (n_series, n_bands) each.

    The logarithms are interpolated by parabolas through three nodes. The slopes are those at the nearest node, per
    spacing of the nodes.

    >>> bool(np.abs(log_shapes(np.array([0.5]), 100).logs).max() < 1e-3)  # white noise has a flat spectrum
    True
    """
    node = near_node(hurst)
    below, here, above = (_log_shapes(n).deviations[node + step] for step in (-1, 0, 1))
    slope, bend = (above - below) / 2.0, (above + below) / 2.0 - here
    delta = ((np.sqrt(hurst) - _ROOTS[node]) / _SPACING)[:, None]
    return LogShapes(here + delta * (slope + delta * bend), slope)


def score_directions(node: np.intp, n: int) -> Array:
    """Directions (n_bands, n_cosines) of the goodness-of-fit test: scores are their products with periodogram over fit.

    They are the cosines ``cos(k l)``, made orthogonal to a constant, to the slope in H at the node and to each other,
    so that the scores of Gaussian fGn are uncorrelated and have variance 1.

    >>> score_directions(near_node(np.array([0.5]))[0], 100).shape
    (50, 8)
    """
    slope, weights = log_shapes(GRID[node : node + 1], n).slopes[0], bands(n).weights
    frequencies = 2.0 * np.pi * bands(n).centres / n
    count = min(_COSINES, frequencies.size - 2)
    cosines = np.cos(np.outer(frequencies, np.arange(1, count + 1)))
    basis = np.column_stack([np.ones_like(slope), slope, cosines])
    root = np.sqrt(weights / 2.0)  # the ordinate at pi has twice the variance of the others
    directions: Array = np.linalg.qr(basis * root[:, None])[0][:, 2:] * root[:, None]
    return directions
