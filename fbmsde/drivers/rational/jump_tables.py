"""Jumps over M = 2^m steps of the rational noise model: the Gaussian law of (sum, state afterwards) given the state.

The state x is a Gaussian Markov chain, so for every M

    S = a(M) . x + noise,   x' = rho^M x + noise,   a_k(M) = c_k (1 - rho_k^M) / (1 - rho_k),

with the covariances of the noise from ``w_l = d + sum_k c_k (1 - rho_k^l) / (1 - rho_k)``, the weight in S of the
normal l steps before the end: ``Cov(x_j, x_k) = (1 - (rho_j rho_k)^M) / (1 - rho_j rho_k)``, ``Cov(x_j, S) =
sum_l rho_j^l w_l`` and ``Var S = sum_l w_l^2``. They are Cauchy-like, hence evaluated and brought to the orthonormal
coordinates of the stationary start in decimal arithmetic of many digits; there the states have unit variance and double
precision does. The noise is then written in as few independent normals as the future of the path can tell from all.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.linear import product, symmetric_eigen
from ...core.types import Array
from .model import RationalModel

DIGITS = 120  # rounding is seen below 60 for forty poles and 2^30 steps
_DOUBLINGS = 60  # of the sum of the information in the future: zeros within 2^-60 of the circle do not occur
NEGLECTED = 2e-8  # signal-to-noise ratio of a direction that is left out; its KL per jump is a quarter of the square
WIDTH = 8  # states are padded with idle ones to a multiple of the width of a vector


@dataclass(frozen=True, eq=False)
class Jumps:
    """Jumps over 2^0, 2^1, ... steps, one level each, in the states of the recursion padded to a multiple of 8.

    `decay` (n, K) holds rho^M, `mean` (n, K) the row a(M), `deviation` (n,) the standard deviation of S given the
    state, `factor` (n, R, K) the states' response to the normals of a jump, of which the first also drives S and
    `rank` (n,) are in use; `kl` (n,) is the divergence of the law of one jump and all that follows, watched at every
    step, caused by the directions left out.
    """

    decay: Array
    mean: Array
    deviation: Array
    factor: Array
    rank: NDArray[np.int64]
    kl: Array


@dataclass(frozen=True, eq=False)
class _Exact:
    """A rational model in decimal arithmetic: poles, weights, gain and the factor of the stationary covariance."""

    rho: Any
    weights: Any
    gain: Any
    start: Any
    inverse: Any


def jumps(model: RationalModel, n_levels: int, neglected: float = NEGLECTED) -> Jumps:
    """The jumps over 2^0 ... 2^(n_levels - 1) steps of a model, its constant level left out."""
    return _tables(model, n_levels, neglected)


@lru_cache(maxsize=64)
def _tables(model: RationalModel, n_levels: int, neglected: float) -> Jumps:
    """The levels one after the other, rho^M by squaring."""
    n_poles = model.q.size
    width = max(WIDTH, -(-n_poles // WIDTH) * WIDTH)
    decay, mean = np.zeros((n_levels, width)), np.zeros((n_levels, width))
    factor, rank = np.zeros((n_levels, n_poles + 1, width)), np.zeros(n_levels, np.int64)
    deviation, kl = np.empty(n_levels), np.empty(n_levels)
    with decimal.localcontext() as context:
        context.prec = DIGITS
        exact = _exact(model)
        information = _future_information(exact)
        power, count = exact.rho, decimal.Decimal(1)
        for m in range(n_levels):
            row, covariance, cross, variance = _noise(exact, power, count)
            columns, kl[m] = _directions(covariance, cross, information, neglected)
            decay[m, :n_poles], mean[m, :n_poles] = _floats(power), _floats(row)
            deviation[m], rank[m] = np.sqrt(float(variance)), columns.shape[1]
            factor[m, : rank[m], :n_poles] = product(model.start, columns).T
            power, count = power * power, count * 2
    return Jumps(decay, mean, deviation, factor[:, : rank.max()].copy(), rank, kl)


def _decimals(values: Array) -> Any:
    """Doubles as decimals, without rounding."""
    return np.array([decimal.Decimal(float(v)) for v in values], dtype=object)


def _floats(values: Any) -> Array:
    """Decimals rounded to doubles."""
    return np.asarray(values, dtype=object).astype(float)


def _exact(model: RationalModel) -> _Exact:
    """The formulas of `RationalModel` from the same q and r, in decimals."""
    one = decimal.Decimal(1)
    q, r = _decimals(model.q), _decimals(model.r)
    k = q.size
    gain = decimal.Decimal(float(model.log_gain / 2.0)).exp()
    for j in range(k):
        gain *= (1 + r[j]) / (1 + q[j])
    weights, start = np.empty(k, dtype=object), np.full((k, k), 0 * one, dtype=object)
    for j in range(k):
        weights[j] = gain * 2 / (1 + q[j]) * (r[j] - q[j]) / (1 + r[j])
        for i in range(k):
            if i != j:
                weights[j] *= (r[i] - q[j]) / (1 + r[i]) * (1 + q[i]) / (q[i] - q[j])
        left = one
        for m in range(j + 1):
            start[j, m] = left * q[m].sqrt() * (1 + q[j]) / (q[m] + q[j])
            left *= abs(q[m] - q[j]) / (q[m] + q[j])
    return _Exact((1 - q) / (1 + q), weights, gain, start, _triangular_inverse(start))


def _triangular_inverse(lower: Any) -> Any:
    """Inverse of a lower-triangular matrix by forward substitution."""
    k = lower.shape[0]
    inverse = np.full((k, k), decimal.Decimal(0), dtype=object)
    for j in range(k):
        inverse[j, j] = 1 / lower[j, j]
        for i in range(j + 1, k):
            inverse[i, j] = -np.dot(lower[i, j:i], inverse[j:i, j]) / lower[i, i]
    return inverse


def _noise(exact: _Exact, power: Any, count: Any) -> tuple[Any, Array, Array, Any]:
    """Row a(M), noise covariance (K, K) in orthonormal coordinates, that with S over its s.d. (K,), Var S."""
    rho, size = exact.rho, exact.rho.size
    total = exact.weights / (1 - rho)
    limit = exact.gain + sum(total)  # w_l = limit - sum_k total_k rho_k^l
    within = (1 - np.multiply.outer(power, power)) / (1 - np.multiply.outer(rho, rho))
    geometric = (1 - power) / (1 - rho)
    back = np.dot(within, total) if size else total
    cross = limit * geometric - back
    variance = count * limit * limit + (np.dot(total, back - 2 * limit * geometric) if size else 0)
    if size == 0:
        return geometric, np.zeros((0, 0)), np.zeros(0), variance
    covariance = np.dot(np.dot(exact.inverse, within), exact.inverse.T)
    scaled = np.dot(exact.inverse, cross) / variance.sqrt()
    return exact.weights * geometric, _floats(covariance), _floats(scaled), variance


def _future_information(exact: _Exact) -> Array:
    """What the infinite future tells of the state, (K, K): its precision about the orthonormal coordinates.

    An unknown error v of the state moves the innovation of step l by ``c . v_l / d``, ``v_{l+1} = (rho - 1 c'/d) v_l``;
    the information is the sum over l of the squares, doubled from 1, 2, 4, ... terms.
    """
    size = exact.rho.size
    if size == 0:
        return np.zeros((0, 0))
    row = exact.weights / exact.gain
    step = np.multiply.outer(np.full(size, decimal.Decimal(-1), dtype=object), row)
    step[np.arange(size), np.arange(size)] += exact.rho
    move = _floats(np.dot(np.dot(exact.inverse, step), exact.start))
    first = _floats(np.dot(row, exact.start))
    information = np.outer(first, first)
    for _ in range(_DOUBLINGS):
        information = information + product(move.T, information, move)
        move = product(move, move)
    return information


def _directions(covariance: Array, cross: Array, information: Array, neglected: float) -> tuple[Array, float]:
    """Columns (K, r) of the noise in order of their weight, the first that of S, and the KL of those left out.

    Of the noise that S does not tell, with covariance C', the directions diagonalise ``C'`` and the information W of
    the future together; those of eigenvalue below `neglected` go. The divergence is ``sum (e - ln(1 + e)) / 2``.
    """
    rest = covariance - np.outer(cross, cross)
    values, vectors = symmetric_eigen(rest)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    weight, turn = symmetric_eigen(product(root.T, information, root))
    kept = weight > neglected
    order = np.argsort(-weight[kept], kind="stable")
    columns = product(root, turn[:, kept])[:, order]
    lost = np.maximum(weight[~kept], 0.0)
    return np.hstack([cross[:, None], columns]), float(np.sum(lost - np.log1p(lost)) / 2.0)
