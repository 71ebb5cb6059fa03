"""Jumps over M = 2^m steps of the rational noise model.

A jump draws the sum S of M steps and the state x' after them, given the state x before them. The state is a Gaussian
Markov chain, so for every M

    S = a(M) . x + noise,   x' = rho^M x + noise,   a_k(M) = c_k (1 - rho_k^M) / (1 - rho_k).

The covariances of the noise are ``Cov(x_j, x_k) = (1 - (rho_j rho_k)^M) / (1 - rho_j rho_k)``,
``Cov(x_j, S) = sum_l rho_j^l w_l`` and ``Var S = sum_l w_l^2``, where
``w_l = d + sum_k c_k (1 - rho_k^l) / (1 - rho_k)`` is the weight in S of the normal l steps before the end. These
matrices are Cauchy-like and ill-conditioned. They are therefore evaluated in decimal arithmetic of many digits, and
transformed to the orthonormal coordinates of the stationary start. There the states have unit variance, and double
precision is enough. Finally the noise is written in as few independent normals as make a difference to the path's
future.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.cache import remembered
from ...core.linear import product, symmetric_eigen
from ...core.types import Array
from .model import RationalModel

DIGITS = 120  # for forty poles and 2^30 steps, fewer than 60 digits show rounding
_DOUBLINGS = 60  # the sum over the future is doubled so often, since no zero lies within 2^-60 of the unit circle
NEGLECTED = 2e-8  # directions of a lower signal-to-noise ratio are left out: their KL a jump is a quarter of its square
WIDTH = 8  # idle states fill the number of states up to a multiple of this, the width of a vector


class Jumps(NamedTuple):
    """Jumps over 2^0, 2^1, ... steps, one level each, with K states, a multiple of 8 (the last ones may be idle).

    decay : rho^M at each level, (n_levels, K).
    mean : the row a(M) that gives the mean of S from the state, (n_levels, K).
    deviation : the standard deviation of S given the state, (n_levels,).
    factor : the response of the states to the normals of a jump, (n_levels, R, K). The first normal also drives S.
    rank : the number of normals in use, (n_levels,).
    kl : the divergence, in nats, that the directions left out cause in the law of one jump and of all that follows it,
        watched at every step, (n_levels,).
    """

    decay: Array
    mean: Array
    deviation: Array
    factor: Array
    rank: NDArray[np.int64]
    kl: Array


@dataclass(frozen=True, eq=False)
class _Exact:
    """A rational model in decimals: poles, weights, gain, and the factor of the states' covariance with its inverse."""

    rho: Any
    weights: Any
    gain: Any
    start: Any
    inverse: Any


def jumps(model: RationalModel, n_levels: int, neglected: float = NEGLECTED) -> Jumps:
    """The jumps of a model over 2^0 ... 2^(n_levels - 1) steps, without its constant level."""
    poles, shifts = tuple(model.log_q.tolist()), tuple(model.shift.tolist())
    return _tables(poles, shifts, float(model.log_gain), n_levels, neglected)


@remembered
def _tables(
    log_q: tuple[float, ...], shift: tuple[float, ...], log_gain: float, n_levels: int, neglected: float
) -> Jumps:
    """The jumps, level after level, with rho^M found by squaring."""
    model = RationalModel(np.array(log_q), np.array(shift), log_gain)
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
    """The doubles as decimals, without rounding."""
    return np.array([decimal.Decimal(float(v)) for v in values], dtype=object)


def _floats(values: Any) -> Array:
    """The decimals, rounded to doubles."""
    return np.asarray(values, dtype=object).astype(float)


def _exact(model: RationalModel) -> _Exact:
    """The model in decimals: the formulas of `RationalModel` applied to the same q and r."""
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
    """The inverse of a lower-triangular matrix of decimals, by forward substitution."""
    k = lower.shape[0]
    inverse = np.full((k, k), decimal.Decimal(0), dtype=object)
    for j in range(k):
        inverse[j, j] = 1 / lower[j, j]
        for i in range(j + 1, k):
            inverse[i, j] = -np.dot(lower[i, j:i], inverse[j:i, j]) / lower[i, i]
    return inverse


def _noise(exact: _Exact, power: Any, count: Any) -> tuple[Any, Array, Array, Any]:
    """The law of a jump: row a(M), covariance of the state noise (K, K), its covariance with S (K,), and Var S.

    Both covariances are in orthonormal coordinates; that with S is over the standard deviation of S.
    """
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
    """The information of the infinite future about the state in orthonormal coordinates, a precision matrix (K, K).

    An unknown error v of the state moves the innovation of step l by ``c . v_l / d``, where
    ``v_{l+1} = (rho - 1 c'/d) v_l``. The information is the sum of the squares over l; the number of terms is doubled
    again and again.
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
    """The directions of the state noise that are kept, as columns (K, r), and the KL caused by those left out.

    Split the state noise into the part determined by S, which is the first column, and a remainder. Rotate the
    remainder so that its covariance and the future's information about it are both diagonal, and drop directions whose
    product of the two, e, is below `neglected`. The columns that are kept come in order of e, largest first; the
    directions left out cause the divergence ``sum (e - ln(1 + e)) / 2``.
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
