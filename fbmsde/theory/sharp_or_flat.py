"""Which of two quadratic wells with equal barrier heights empties first, and where the order of the two flips.

The exit rates are those of Pickands' formula in continuous time. Its constant cancels from their ratio.
"""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from ..core import checks
from ..core.types import Array


def scaled_barrier(hurst: ArrayLike, height: ArrayLike, curvature: ArrayLike, sigma: ArrayLike = 1.0) -> Array:
    """Distance of the rim of a quadratic well in stationary standard deviations; arguments are broadcast.

    The square of the distance is ``k^2 = 2 dV a^(2H-1) / (sigma^2 H Gamma(2H))``, where dV is the `height` of the rim
    above the minimum and a the `curvature`. At a fixed height the sharper well has its rim at fewer standard deviations
    for H < 1/2 and at more for H > 1/2. Raises ValueError unless 0 < H < 1 and the other arguments are positive.

    >>> scaled_barrier([0.3, 0.5, 0.7], 2.0, 4.0).round(3)
    array([2.268, 2.828, 3.349])
    """
    h, dv, a, s = (np.asarray(x, dtype=float) for x in (hurst, height, curvature, sigma))
    if not (np.all((h > 0) & (h < 1)) and np.all(dv > 0) and np.all(a > 0) and np.all(s > 0)):
        raise ValueError("hurst must lie in (0, 1), height, curvature and sigma must be positive.")
    return np.sqrt(2.0 * dv * a ** (2.0 * h - 1.0) / (h * scipy.special.gamma(2.0 * h))) / s


def _log_advantage(hurst: ArrayLike, height: ArrayLike, sharp: float, flat: float, sigma: float) -> Array:
    """Logarithm of the exit rate of the sharp well over that of the flat one, both by Pickands' formula."""
    h = np.asarray(hurst, dtype=float)
    k_sharp, k_flat = (scaled_barrier(h, height, a, sigma) for a in (sharp, flat))
    clock = np.log(sharp / flat) + np.log(k_sharp / k_flat) / h
    return clock + scipy.special.log_ndtr(-k_sharp) - scipy.special.log_ndtr(-k_flat)


def _ordered(sharp: float, flat: float, sigma: float) -> None:
    """Raise ValueError unless sharp > flat > 0 and sigma > 0."""
    a, b = checks.positive("sharp", sharp), checks.positive("flat", flat)
    checks.positive("sigma", sigma)
    if a <= b:
        raise ValueError(f"sharp must exceed flat, got {a} and {b}.")


def first_to_empty(
    hurst: ArrayLike, height: ArrayLike, *, sharp: float, flat: float, sigma: float = 1.0
) -> NDArray[np.str_]:
    """Name of the well with the higher exit rate at equal barrier height, "sharp" or "flat", by Pickands' formula.

    `hurst` and `height` are broadcast together. `sharp` and `flat` are the curvatures; ValueError is raised unless
    sharp > flat. `flip_height` says where the formula can be trusted.

    >>> first_to_empty([0.3, 0.5, 0.7, 0.9], 4.0, sharp=4.0, flat=1.0)
    array(['sharp', 'sharp', 'flat', 'flat'], dtype='<U5')
    """
    _ordered(sharp, flat, sigma)
    return np.where(_log_advantage(hurst, height, sharp, flat, sigma) > 0.0, "sharp", "flat")


def flip_height(hurst: float, *, sharp: float, flat: float, sigma: float = 1.0) -> float:
    """Barrier height above which the flat well empties first, by Pickands' formula; infinite for H <= 1/2.

    Behind high barriers the sharp well empties first for H <= 1/2, behind low ones only for H >= 1/4: where barriers
    get low, the rates by the formula are in the ratio ``(sharp / flat)^((4H-1)/(2H))``, which is below 1 for H < 1/4.

    Pickands' formula is asymptotic: trust the height where `scaled_barrier` is at least 2 in both wells. If the
    curvatures differ by a factor of 4, that holds up to about H = 0.7; beyond, the order flips at barriers that are too
    low for the formula. Raises ValueError unless sharp > flat.

    >>> round(flip_height(0.7, sharp=4.0, flat=1.0), 3), flip_height(0.5, sharp=4.0, flat=1.0)
    (1.31, inf)
    """
    _ordered(sharp, flat, sigma)
    h = checks.hurst_parameter(hurst)
    if h <= 0.5:
        return math.inf

    def advantage(log_height: float) -> float:
        return float(_log_advantage(h, math.exp(log_height), sharp, flat, sigma))

    low, high = -40.0 + 2.0 * math.log(sigma), 2.0 * math.log(sigma)
    while advantage(high) > 0.0:
        high += 2.0
    return math.exp(scipy.optimize.brentq(advantage, low, high, xtol=1e-12))


def flip_hurst(height: float, *, sharp: float, flat: float, sigma: float = 1.0) -> float:
    """Smallest H from 1/2 on above which the flat well of this height empties first, by Pickands' formula; NaN if none.

    For H below 1/4 and a low barrier the flat well empties first too, as `flip_height` tells. Raises ValueError unless
    sharp > flat and the height is positive.

    >>> round(flip_hurst(4.0, sharp=4.0, flat=1.0), 3)
    0.564
    """
    _ordered(sharp, flat, sigma)
    checks.positive("height", height)
    grid = np.linspace(0.5, 0.9999, 201)
    behind = np.flatnonzero(_log_advantage(grid, height, sharp, flat, sigma) <= 0.0)
    if behind.size == 0:
        return math.nan
    left, right = grid[behind[0] - 1], grid[behind[0]]
    return float(scipy.optimize.brentq(lambda h: float(_log_advantage(h, height, sharp, flat, sigma)), left, right))
