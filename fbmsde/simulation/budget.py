"""The error budget of a run in continuous time: what each approximation may contribute, and how to make it smaller."""

from __future__ import annotations

import math
from functools import lru_cache

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


def hidden_excursion(hurst: float, steps: int, reach: ArrayLike) -> Array:
    """Estimated probability that a jump of M = `steps` steps hides an exit, same shape as `reach`.

    `reach` is the distance r of the boundary in standard deviations of the jump. The estimate is the smaller of two
    values. The first is the sum of the tails at the M - 1 points inside the jump, ``sum_l Psi(r (M/l)^H)``. It bounds
    the probability that the path is beyond the boundary at one of them. The second does not tell these points apart
    and is better for long jumps. For H < 1/2 it is the probability that the supremum of a process with standard
    deviation ``t^H`` and increments like those of fBm exceeds r, ``P_2H 2^(-1/2H) r^(1/H-2) Psi(r) / H`` for large r
    (Piterbarg 1996), where ``exp(gamma_E (1/2H - 1))`` takes the place of Pickands' constant, above it for all H at
    which it is known. For H >= 1/2 that probability is at most twice Psi(r) (by reflection, an equality at H = 1/2),
    half of which is seen at the end of the jump.

    For 0.1 <= H <= 0.5 and r = 3 to 5 the estimate is 0.93 to 6 times the simulated probability for M = 16 to 1024. At
    M = 2 it is 0.65 to 1.6 times that, because single steps of the model are not quite those of fBm. For H > 1/2 it is
    farther above.

    >>> hidden_excursion(0.5, 2**10, [3.0, 5.0]).round(9)
    array([1.349898e-03, 2.870000e-07])
    """
    r = np.asarray(reach, dtype=float)
    if steps <= _SUMMED:
        fractions, weights = np.arange(1.0, steps) / steps, np.ones(steps - 1)
    else:
        fractions, weights = (_NODES + 1.0) / 2.0, _WEIGHTS * steps / 2.0
    union = np.sum(scipy.special.ndtr(-r[..., None] * fractions**-hurst) * weights, axis=-1)
    if hurst >= 0.5:
        supremum = scipy.special.ndtr(-r)
    else:
        pickands = math.exp(np.euler_gamma * (0.5 / hurst - 1.0))
        constant = pickands * 2.0 ** (-0.5 / hurst) / hurst
        supremum = np.maximum(1.0, constant * r ** (1.0 / hurst - 2.0)) * scipy.special.ndtr(-r)
    return np.minimum(union, supremum)


@lru_cache(maxsize=256)
def required_reach(hurst: float, n_levels: int, miss: float) -> tuple[float, ...]:
    """The distance that the boundary must have from a jump of 2^m steps, for each level m, (n_levels,).

    It is in standard deviations of the jump. At this distance the jump hides an exit with probability `miss`.

    >>> [round(reach, 2) for reach in required_reach(0.5, 3, 5e-7)]
    [1.0, 3.46, 4.24]
    """

    def reach(m: int) -> float:
        def excess(r: float) -> float:
            return float(np.log(hidden_excursion(hurst, 2**m, r) + 1e-300) - math.log(miss))

        lowest = 0.5
        return scipy.optimize.brentq(excess, lowest, 14.0) if excess(lowest) > 0.0 else lowest

    return (1.0, *(reach(m) for m in range(1, n_levels)))  # a single step hides nothing


def missed_crossings(hurst: float, counts: NDArray[np.int64]) -> float:
    """Expected number of excursions hidden by jumps that are counted by level and clearance, `counts` (n_levels, BINS).

    A class of clearances is taken at its lower end. Single steps hide nothing.

    >>> counts = np.zeros((2, BINS), np.int64)
    >>> counts[1, 24] = 1000  # jumps of two steps with the boundary three standard deviations away
    >>> round(missed_crossings(0.5, counts), 3)
    0.011
    """
    low = np.arange(BINS) / PER_UNIT
    tails = [hidden_excursion(hurst, 2**m, low) for m in range(1, counts.shape[0])]
    return float(np.sum(counts[1:] * np.array(tails).reshape(-1, BINS)))


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
