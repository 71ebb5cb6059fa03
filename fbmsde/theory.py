"""Closed forms for exits, passages and extremes, each with its source, its status and the range in which it holds.

`FORMULAS` lists them. Every formula takes the same keyword arguments and ignores those it has no use for, so that one
dictionary describes a problem to all of them:

>>> problem = dict(hurst=0.7, curvature=2.0, sigma=1.0, barrier=2.0, dt=1e-3, sides=1)
>>> [f.name for f in applicable("exit_rate", EXIT, **problem) if f.status != "refuted"]
['pickands', 'pickands_grid', 'pickands_euler', 'pickands_shifted']
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from . import _checks
from ._exit_formulas import exit_formulas, spread_formulas
from ._fbm_formulas import fbm_formulas
from ._formula import ARGUMENTS, EXIT, FBM, PASSAGE, SPREAD, Array, Formula
from ._passage_formulas import passage_formulas
from .diffusions import brownian_interval_survival, brownian_survival, mean_exit_time, ou_exit_rate
from .extremes import (
    barrier_shift,
    fbm_argmax_density,
    fbm_exit_at_top,
    fbm_maximum_cdf,
    fbm_maximum_cdf_perturbative,
    fbm_maximum_density,
    fbm_maximum_mean,
    pickands_constant,
)

__all__ = [
    "ARGUMENTS",
    "EXIT",
    "FBM",
    "FORMULAS",
    "PASSAGE",
    "SPREAD",
    "Formula",
    "applicable",
    "barrier_shift",
    "brownian_interval_survival",
    "brownian_survival",
    "fbm_argmax_density",
    "fbm_exit_at_top",
    "fbm_maximum_cdf",
    "fbm_maximum_cdf_perturbative",
    "fbm_maximum_density",
    "fbm_maximum_mean",
    "first_to_empty",
    "flip_height",
    "flip_hurst",
    "formulas_table",
    "mean_exit_time",
    "ou_exit_rate",
    "pickands_constant",
    "scaled_barrier",
]

FORMULAS: dict[str, Formula] = {
    formula.name: formula for formula in (*spread_formulas(), *exit_formulas(), *passage_formulas(), *fbm_formulas())
}


def applicable(quantity: str, subject: str, **problem: Any) -> list[Formula]:
    """The formulas that give `quantity` for `subject`, have all they need in `problem`, and are valid for it.

    >>> [f.name for f in applicable("mean_exit_time", EXIT, hurst=0.5, barrier=1.0)]
    ['ou_mean_exit']
    """
    relevant = (f for f in FORMULAS.values() if f.quantity == quantity and f.subject == subject)
    return [f for f in relevant if not f.valid(**problem)]


def formulas_table() -> str:
    """The registry as a Markdown table: formula, quantity, status, where it holds, measured error.

    >>> print(formulas_table().splitlines()[0])
    | formula | what it gives | status | where it holds | measured |
    """
    rows = ["| formula | what it gives | status | where it holds | measured |", "|---|---|---|---|---|"]
    for f in FORMULAS.values():
        status = f"{f.status}; H = 1/2: {f.brownian_status}" if f.brownian_status else f.status
        what = f"{f.title}: {f.quantity.replace('_', ' ')}, {f.subject}"
        cells = (f"`{f.name}`", what, status, f.validity, f.measured)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def scaled_barrier(hurst: ArrayLike, height: ArrayLike, curvature: ArrayLike, sigma: ArrayLike = 1.0) -> Array:
    """The rim of a quadratic well of the given height, in stationary standard deviations; arguments broadcast.

    ``k^2 = 2 dV a^(2H-1) / (sigma^2 H Gamma(2H))``: at a fixed height the sharper well has the lower rim for H < 1/2
    and the higher one for H > 1/2.

    >>> scaled_barrier([0.3, 0.5, 0.7], 2.0, 4.0).round(3)
    array([2.268, 2.828, 3.349])
    """
    h, dv, a, s = (np.asarray(x, dtype=float) for x in (hurst, height, curvature, sigma))
    if not (np.all((h > 0) & (h < 1)) and np.all(dv > 0) and np.all(a > 0) and np.all(s > 0)):
        raise ValueError("hurst must lie in (0, 1), height, curvature and sigma must be positive.")
    return np.sqrt(2.0 * dv * a ** (2.0 * h - 1.0) / (h * special.gamma(2.0 * h))) / s


def _log_advantage(hurst: ArrayLike, height: ArrayLike, sharp: float, flat: float, sigma: float) -> Array:
    """Logarithm of the exit rate of the sharp well over that of the flat one, by Pickands: the constant cancels."""
    h = np.asarray(hurst, dtype=float)
    k_sharp, k_flat = (scaled_barrier(h, height, a, sigma) for a in (sharp, flat))
    clock = np.log(sharp / flat) + np.log(k_sharp / k_flat) / h
    return clock + special.log_ndtr(-k_sharp) - special.log_ndtr(-k_flat)


def _ordered(sharp: float, flat: float, sigma: float) -> None:
    """Refuse curvatures that are not a sharp and a flat one."""
    a, b = _checks.positive("sharp", sharp), _checks.positive("flat", flat)
    _checks.positive("sigma", sigma)
    if a <= b:
        raise ValueError(f"sharp must exceed flat, got {a} and {b}.")


def first_to_empty(
    hurst: ArrayLike, height: ArrayLike, *, sharp: float, flat: float, sigma: float = 1.0
) -> NDArray[np.str_]:
    """ "sharp" or "flat": the well of the higher exit rate at equal barrier height, by Pickands; arguments broadcast.

    >>> first_to_empty([0.3, 0.5, 0.7, 0.9], 4.0, sharp=4.0, flat=1.0)
    array(['sharp', 'sharp', 'flat', 'flat'], dtype='<U5')
    """
    _ordered(sharp, flat, sigma)
    return np.where(_log_advantage(hurst, height, sharp, flat, sigma) > 0.0, "sharp", "flat")


def flip_height(hurst: float, *, sharp: float, flat: float, sigma: float = 1.0) -> float:
    """The barrier height above which the flat well empties first, by Pickands; infinite for H <= 1/2: it never does.

    Asymptotic like Pickands' formula: trust it where `scaled_barrier` is at least 2 in both wells, for a sharpness
    ratio of 4 up to about H = 0.7, beyond which the order flips at barriers too low for the formula.

    >>> round(flip_height(0.7, sharp=4.0, flat=1.0), 3), flip_height(0.5, sharp=4.0, flat=1.0)
    (1.31, inf)
    """
    _ordered(sharp, flat, sigma)
    h = _checks.hurst_parameter(hurst)
    if h <= 0.5:
        return math.inf

    def advantage(log_height: float) -> float:
        return float(_log_advantage(h, math.exp(log_height), sharp, flat, sigma))

    low, high = -40.0 + 2.0 * math.log(sigma), 2.0 * math.log(sigma)
    while advantage(high) > 0.0:
        high += 2.0
    return math.exp(optimize.brentq(advantage, low, high, xtol=1e-12))


def flip_hurst(height: float, *, sharp: float, flat: float, sigma: float = 1.0) -> float:
    """The smallest H above which the flat well of this barrier height empties first, by Pickands; NaN if none does.

    >>> round(flip_hurst(4.0, sharp=4.0, flat=1.0), 3)
    0.564
    """
    _ordered(sharp, flat, sigma)
    _checks.positive("height", height)
    grid = np.linspace(0.5, 0.9999, 201)
    behind = np.flatnonzero(_log_advantage(grid, height, sharp, flat, sigma) <= 0.0)
    if behind.size == 0:
        return math.nan
    left, right = grid[behind[0] - 1], grid[behind[0]]
    return float(optimize.brentq(lambda h: float(_log_advantage(h, height, sharp, flat, sigma)), left, right))
