"""Jumps over M = 2^m steps of the rational noise model.

A jump draws the sum S of M steps and the state x' after them, given the state x before them. The state is a Gaussian
Markov chain, so for every M

    S = a(M) . x + noise,   x' = rho^M x + noise,   a_k(M) = c_k (1 - rho_k^M) / (1 - rho_k).

The variance of S is ``sum_l w_l^2`` with the weight ``w_l = d + sum_k c_k (1 - rho_k^l) / (1 - rho_k)`` in S of the
normal l steps before the end. Such sums, and the powers of rho, are ill-conditioned and therefore evaluated in decimal
arithmetic of many digits. The noise of the state is written in as few independent normals as make a difference to the
path's future. That of one step is one normal, and that of 2 M steps is made of two jumps over M steps: their normals
are rotated, so that the first one makes up S and the others come in the order of what the future can tell of them.
States are in the orthonormal coordinates of the stationary start, in which they have unit variance and double precision
is enough. The same rotation, read backwards, splits a jump into two halves when its normals are known.
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
    split : the rotations that give the normals of both halves of a jump, one half after the other, from those of the
        jump and as many new ones as are needed, (n_levels, P, P) with a row for each of the latter.
    rank : the number of normals in use, (n_levels,).
    kl : the divergence, in nats, that the directions left out cause in the law of one jump and of all that follows it,
        watched at every step, (n_levels,).
    """

    decay: Array
    mean: Array
    deviation: Array
    factor: Array
    split: Array
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
    """The jumps, level after level: each is made of two of the level before, with rho^M found by squaring."""
    model = RationalModel(np.array(log_q), np.array(shift), log_gain)
    n_poles = model.q.size
    width = max(WIDTH, -(-n_poles // WIDTH) * WIDTH)
    decay, mean = np.zeros((n_levels, width)), np.zeros((n_levels, width))
    deviation, kl, halves = np.empty(n_levels), np.zeros(n_levels), []
    with decimal.localcontext() as context:
        context.prec = DIGITS
        exact = _exact(model)
        information = _future_information(exact)
        power, count = exact.rho, decimal.Decimal(1)
        columns, forecast, move = _floats(exact.inverse.sum(axis=1))[:, None], np.zeros(0), np.zeros((0, 0))
        for m in range(n_levels):
            row, variance = _sum(exact, power, count)
            if m > 0:
                turned, columns, kl[m] = _joined(columns, forecast, deviation[m - 1], move, information, neglected)
            halves.append((columns, turned if m > 0 else np.zeros((0, 0))))
            decay[m, :n_poles], mean[m, :n_poles] = _floats(power), _floats(row)
            deviation[m] = np.sqrt(float(variance))
            forecast = _floats(np.dot(row, exact.start)) if n_poles else np.zeros(0)
            move = _floats(np.dot(exact.inverse, power[:, None] * exact.start)) if n_poles else np.zeros((0, 0))
            power, count = power * power, count * 2
    return Jumps(decay, mean, deviation, *_stacked(model, halves, width), kl)


def _stacked(model: RationalModel, halves: list[tuple[Array, Array]], width: int) -> tuple[Array, Array, Any]:
    """The arrays `factor`, `split` and `rank` of all levels, from the columns and the rotation of each."""
    rank = np.array([columns.shape[1] for columns, _ in halves])
    pair = -(-2 * int(rank.max()) // WIDTH) * WIDTH
    factor, split = np.zeros((rank.size, -(-rank.max() // 2) * 2, width)), np.zeros((rank.size, pair, pair))
    for m, (columns, turned) in enumerate(halves):
        factor[m, : rank[m], : len(columns)] = product(model.start, columns).T
        split[m, : len(turned), : len(turned)] = turned.T
    return factor, split, rank


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


def _sum(exact: _Exact, power: Any, count: Any) -> tuple[Any, Any]:
    """The law of S: the row a(M) that gives its mean from the state, and its variance given the state."""
    rho = exact.rho
    total = exact.weights / (1 - rho)
    limit = exact.gain + sum(total)  # w_l = limit - sum_k total_k rho_k^l
    within = (1 - np.multiply.outer(power, power)) / (1 - np.multiply.outer(rho, rho))
    geometric = (1 - power) / (1 - rho)
    back = np.dot(within, total) if rho.size else total
    variance = count * limit * limit + (np.dot(total, back - 2 * limit * geometric) if rho.size else 0)
    return exact.weights * geometric, variance


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


def _joined(
    columns: Array, forecast: Array, deviation: float, move: Array, information: Array, neglected: float
) -> tuple[Array, Array, float]:
    """A jump that is made of two: the rotation of its normals, its columns (K, R), and the KL that it leaves out.

    The halves have the columns (K, r), S given the state has the standard deviation `deviation` and, from the state in
    orthonormal coordinates, the mean `forecast`; `move` takes the state over one half. The normals of both together are
    rotated: the first of the new ones, which come in the columns of the rotation, makes up S. The others are those
    directions along which the effect on the state and the future's information about it are both diagonal, in the order
    of their product e, largest first. Directions with e below `neglected` cause the divergence ``(e - ln(1 + e)) / 2``
    each, and have no part in the jump.
    """
    rank = columns.shape[1]
    both = np.hstack([product(move, columns), columns])
    along = np.concatenate([product(forecast[None], columns)[0], np.zeros(rank)])
    along[[0, rank]] += deviation
    along /= np.sqrt(np.sum(along * along))
    rest = both - np.outer(np.sum(both * along, axis=1), along)
    weights = product(rest.T, information, rest)
    values, turned = symmetric_eigen(weights + (1.0 + 2.0 * np.trace(weights)) * np.outer(along, along))
    values, turned = values[::-1], turned[:, ::-1].copy()
    turned[:, 0] *= np.sign(np.sum(turned[:, 0] * along))
    kept = 1 + int(np.count_nonzero(values[1:] > neglected))
    lost = np.maximum(values[kept:], 0.0)
    return turned, product(both, turned[:, :kept]), float(np.sum(lost - np.log1p(lost)) / 2.0)
