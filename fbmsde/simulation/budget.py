"""The error budget of a run in continuous time: what each approximation may contribute, and how to make it smaller."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from ..core.linear import gauss_legendre
from ..core.types import Array
from ..laws.fou import polylog_negative

PER_UNIT, BINS = 8, 128  # the clearance of jumps is counted in classes of an eighth of a standard deviation each
_SUMMED = 2**8  # a sum over more steps than this is taken as an integral
_NODES, _WEIGHTS = gauss_legendre(200)


def overshoot_left(hurst: float) -> float:
    """The distance by which the shifted boundary may still be misplaced, as a share of its shift.

    Measured on fBm to a barrier at 1 within time 1, on 2^6 to 2^14 steps, it is .03 at H = .2, below .02 at .3 and .06
    to .1 at .4. Beyond 1/2 the whole shift changes probabilities by about .01 and less, and what is left of it could
    not be resolved.

    >>> overshoot_left(0.3)
    0.1
    """
    return 0.1 if hurst <= 0.5 else 1.0


def _covariance_with_end(hurst: float, t: Array) -> Array:
    """Covariance with its end of the noise of a jump of duration 1, at the times t within it, same shape.

    It is that of the part of fBm that its past does not tell, ``2H int_0^t ((t-u)(1-u))^(H-1/2) du``.
    """
    a = hurst - 0.5
    return 2.0 * hurst * t ** (a + 1.0) / (a + 1.0) * scipy.special.hyp2f1(-a, 1.0, a + 2.0, t)


def _clusters(hurst: float, u: Array, deviation: Array) -> Array:
    """Rate of excursions beyond a level u standard deviations away, by Pickands, with an upper value of the constant.

    The increments of the process are those of fBm and its standard deviation is `deviation`. For Pickands' constant
    stands ``exp(gamma_E (1/2H - 1))``, above it for all H < 1/2 at which it is known.
    """
    pickands = math.exp(np.euler_gamma * (0.5 / hurst - 1.0))
    return pickands * (u / (math.sqrt(2.0) * deviation)) ** (1.0 / hurst) * scipy.special.ndtr(-u)


@lru_cache(maxsize=64)
def _within(hurst: float, steps: int) -> tuple[Array, Array, Array]:
    """The times of the steps inside a jump of duration 1, or for 0 steps nodes of an integral over its duration.

    With their weights and `_covariance_with_end`.
    """
    if steps > 0:
        t, weights = np.arange(1.0, steps) / steps, np.ones(steps - 1)
    else:
        t, weights = (_NODES + 1.0) / 2.0, _WEIGHTS / 2.0
    return t, weights, _covariance_with_end(hurst, t)


def _at_steps(hurst: float, steps: int) -> tuple[Array, Array, Array]:
    """The same for a sum over all steps, which is taken as an integral if there are many."""
    if steps <= _SUMMED:
        return _within(hurst, steps)
    t, weights, covariance = _within(hurst, 0)
    return t, weights * steps, covariance


def hidden_excursion(hurst: float, steps: int, reach: ArrayLike, left: float = 0.0) -> Array:
    """Estimated probability that a jump of M = `steps` steps hides an exit and is made, same shape as `reach`.

    `reach` is the distance r of the boundary in standard deviations of the jump; a jump is made if its end is at least
    `left` of them inside. The noise of the jump is taken as that part N of fBm which the past does not tell, with
    standard deviation ``t^H``. The estimate is the smaller of two values. The first bounds the probability that N is
    beyond the boundary at one of the M - 1 points inside the jump and ends so far inside again,
    ``sum_l Psi(r (M/l)^H) P(N_M < r - left | N_l = r)``. The second does not tell these points apart and is better for
    long jumps. For H >= 1/2 it is ``Psi(r + left)``, by reflection an equality at H = 1/2. For H < 1/2 it is twice the
    integral of the rate of excursions by Pickands, times the same probability to come back; the factor makes it right
    at H = 1/2.

    For 0.1 <= H <= 0.5, r = 3 to 5 and `left` from 0 to 2 the estimate is 0.9 to 8 times the simulated probability for
    M = 16 to 1024. At M = 2 it is 0.6 to 2 times that, because single steps of the model are not quite those of fBm.
    For H > 1/2 it is farther above.

    >>> hidden_excursion(0.5, 2**10, [3.0, 5.0]).round(9)
    array([1.349898e-03, 2.870000e-07])
    """
    r = np.asarray(reach, dtype=float)[..., None]

    def falls_back(t: Array, covariance: Array) -> Array:
        ratio = covariance / t ** (2.0 * hurst)
        return scipy.special.ndtr((r * (1.0 - ratio) - left) / np.sqrt(np.maximum(1.0 - ratio * covariance, 1e-300)))

    t, weights, covariance = _at_steps(hurst, steps)
    union = np.sum(scipy.special.ndtr(-r * t**-hurst) * falls_back(t, covariance) * weights, axis=-1)
    if hurst >= 0.5:
        return np.minimum(union, scipy.special.ndtr(-r - left)[..., 0])
    t, weights, covariance = _within(hurst, 0)
    rate = _clusters(hurst, r * t**-hurst, t**hurst)
    return np.minimum(union, 2.0 * np.sum(rate * falls_back(t, covariance) * weights, axis=-1))


def hidden_between(hurst: float, steps: int, reach: ArrayLike) -> Array:
    """Estimated probability that a jump of `steps` steps hides an exit, given both of its ends, same shape as `reach`.

    Both ends lie `reach` standard deviations of the jump inside. The estimate is the smaller of two values as in
    `hidden_excursion`, for the same process given its end. The second is that of a Brownian bridge, ``exp(-2 r^2)``,
    for H >= 1/2, and the integral of the rate of excursions for H < 1/2.

    For 0.1 <= H <= 0.5 and r = 2.5 to 4 it is 1.0 to 7 times the simulated probability for M = 2 to 1024.

    >>> hidden_between(0.5, 2**20, [2.0, 2.5]).round(9)
    array([3.35463e-04, 3.72700e-06])
    """
    r = np.asarray(reach, dtype=float)[..., None]

    def deviation(t: Array, covariance: Array) -> Array:
        return np.sqrt(np.maximum(t ** (2.0 * hurst) - covariance**2, 1e-300))

    t, weights, covariance = _at_steps(hurst, steps)
    union = np.sum(scipy.special.ndtr(-r / deviation(t, covariance)) * weights, axis=-1)
    if hurst >= 0.5:
        return np.minimum(union, np.exp(-2.0 * r * r)[..., 0])
    t, weights, covariance = _within(hurst, 0)
    rate = _clusters(hurst, r / deviation(t, covariance), deviation(t, covariance))
    return np.minimum(union, np.sum(rate * weights, axis=-1))


def _solved(hidden: Callable[[float], Array], miss: float, lowest: float) -> float:
    """The distance, at least `lowest`, from which on an estimate of what a jump hides is at most `miss`."""

    def excess(r: float) -> float:
        return float(np.log(hidden(r) + 1e-300) - math.log(miss))

    return scipy.optimize.brentq(excess, lowest, 14.0) if excess(lowest) > 0.0 else lowest


class SafeDistances(NamedTuple):
    """How far the boundary must be from jumps of 2^m steps, in standard deviations of the jump, for each level m.

    With all of them a jump hides an exit with the same probability at most. Single steps hide nothing.

    hurst : the Hurst parameter.
    reach : from the expected end of a jump, if every end were taken.
    before, after : from the expected end and from the end that is drawn.
    between : from both ends of a jump which is half of another one, so that both are known.
    """

    hurst: float
    reach: tuple[float, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    between: tuple[float, ...]

    @classmethod
    def of(cls, hurst: float, n_levels: int, miss: float) -> SafeDistances:
        """The distances for a probability `miss`.

        >>> [round(reach, 2) for reach in SafeDistances.of(0.5, 3, 5e-7).between]
        [1.0, 2.45, 2.45]
        """
        return _safe_distances(hurst, n_levels, miss)


@lru_cache(maxsize=256)
def _safe_distances(hurst: float, n_levels: int, miss: float) -> SafeDistances:
    """`SafeDistances.of`; the shorter `before` is, the longer are the jumps and the more of them are split."""
    share = min(0.9, max(0.55, 1.1 - hurst))  # the cost was least near these, at H = .2, .33, .5 and .7
    rows = [(1.0, 1.0, 0.0, 1.0)]
    for m in range(1, n_levels):
        reach = _solved(partial(hidden_excursion, hurst, 2**m), miss, 0.5)
        before = share * reach
        after = _solved(partial(hidden_excursion, hurst, 2**m, before), miss, 0.0)
        rows.append((reach, before, after, _solved(partial(hidden_between, hurst, 2**m), miss, 0.5)))
    return SafeDistances(hurst, *(tuple(row) for row in zip(*rows, strict=True)))


def missed_crossings(safe: SafeDistances, counts: NDArray[np.int64]) -> float:
    """Expected number of excursions hidden by jumps that are counted by level and clearance.

    `counts` (2, n_levels, BINS) has the jumps that were chosen and those that are halves of others. A class of
    clearances is taken at its lower end, but not below what was asked for. Single steps hide nothing.

    >>> counts = np.zeros((2, 2, BINS), np.int64)
    >>> counts[1, 1, 12] = 1000  # halves of two steps with both ends one and a half standard deviations inside
    >>> round(missed_crossings(SafeDistances.of(0.5, 2, 0.01), counts), 2)
    1.35
    """
    low, known, missed = np.arange(BINS) / PER_UNIT, _hidden(safe), 0.0
    for m, half in (np.argwhere(counts[:, 1:].any(axis=2).T) + (1, 0)).tolist():
        seen, row = np.flatnonzero(counts[half, m]), known[half, m]
        new = seen[np.isnan(row[seen])]
        if new.size and half:
            row[new] = hidden_between(safe.hurst, 2**m, np.maximum(low[new], safe.between[m]))
        elif new.size:
            row[new] = hidden_excursion(safe.hurst, 2**m, np.maximum(low[new], safe.before[m]), safe.after[m])
        missed += float(np.sum(counts[half, m, seen] * row[seen]))
    return missed


@lru_cache(maxsize=16)
def _hidden(safe: SafeDistances) -> Array:
    """What a jump hides by kind, level and class of clearance, (2, n_levels, BINS); NaN where nobody asked yet."""
    return np.full((2, len(safe.reach), BINS), np.nan)


def drift_error(hurst: float, step: float) -> float:
    """Relative error of the stationary variance of the trapezoidal chain of step `step` in a well of curvature 1.

    The chain is ``X' = phi X + (1 - step/2) dB`` with ``phi = 1 - step + step^2/2``. Its variance is that of a
    first-order recursion driven by fGn, ``step^2H (1 - phi) / ((1 + phi) phi) Li_{-2H}(phi)``, times
    ``(1 - step/2)^2``. The error is inf from step = 1 on.

    >>> round(drift_error(0.3, 0.02), 4)
    0.0005
    """
    if not 0.0 < step < 1.0:
        return 0.0 if step <= 0.0 else math.inf
    phi = 1.0 - step + step * step / 2.0
    chain = (1.0 - step / 2.0) ** 2 * step ** (2 * hurst) * (1 - phi) / ((1 + phi) * phi)
    exact = hurst * scipy.special.gamma(2 * hurst)
    return abs(float(chain * polylog_negative(2 * hurst, phi) / exact) - 1.0)
