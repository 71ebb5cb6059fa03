"""Evidence for the formulas about a particle with inertia."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import scipy

from ...core.types import Array
from ...laws.inertia import turnover_escape_rate
from ..verification import Evaluate, Verification, relative, restated, worst

WELL = {"height": 1.0, "curvature": 8.0}  # the quartic double well with its minima at -1 and 1
TEMPERATURE = 0.2
MODES, PLACES, REACH = 40, 56, 2.0


def _spectral(evaluate: Evaluate, power: float) -> Verification:
    """The integral of ``|w|^(power - 2H) / ((a - m w^2)^2 + (friction w)^2)``, in logarithms of w."""
    u = np.linspace(-90.0, 90.0, 60_001)
    found, true = [], []
    for hurst, friction in ((0.3, 0.8), (0.5, 0.8), (0.7, 6.0)):
        strength = 0.81 * scipy.special.gamma(2.0 * hurst + 1.0) * math.sin(math.pi * hurst) / math.pi
        squares = np.exp(2.0 * u)
        density = np.exp((power + 1.0 - 2.0 * hurst) * u) / ((2.0 - 1.5 * squares) ** 2 + friction**2 * squares)
        true.append(strength * scipy.integrate.trapezoid(density, u))
        found.append(float(evaluate(hurst=hurst, friction=friction, mass=1.5, curvature=2.0, sigma=0.9)))
    return relative("the variance with the integral over the spectrum, H = 0.3, 0.5, 0.7", found, true, 1e-10, 1e-9)


def langevin_variance(evaluate: Evaluate) -> Verification:
    """The integral over the spectrum."""
    return _spectral(evaluate, 1.0)


def langevin_velocity_variance(evaluate: Evaluate) -> Verification:
    """The integral over the spectrum."""
    return _spectral(evaluate, 3.0)


def _slope(n: int, length: float) -> Array:
    """The matrix of the derivative of periodic functions on n points, n even."""
    lag = np.arange(1, n)
    column = np.append(0.0, 0.5 * (-1.0) ** lag / np.tan(lag * math.pi / n))
    return scipy.linalg.toeplitz(column, -column) * (2.0 * math.pi / length)


@lru_cache(maxsize=8)
def escape_rate(friction: float) -> float:
    """The rate of the escape over the barrier, by the smallest eigenvalue of the Kramers-Fokker-Planck operator.

    Velocities are expanded in Hermite functions, of which each has its values at points of x. Both wells are alike, so
    that the eigenvalue is twice the rate.
    """
    x = -REACH + 2.0 * REACH * np.arange(PLACES) / PLACES
    force = 4.0 * x * (x * x - 1.0)
    down = math.sqrt(TEMPERATURE) * (_slope(PLACES, 2.0 * REACH) + np.diag(force / (2.0 * TEMPERATURE)))
    n = np.arange(1.0, MODES)
    ladder = scipy.sparse.diags_array([np.sqrt(n)], offsets=[-1], shape=(MODES, MODES))
    operator = scipy.sparse.kron(ladder.T, down.T) - scipy.sparse.kron(ladder, down)
    damping = scipy.sparse.diags_array(friction * np.arange(float(MODES)))
    operator -= scipy.sparse.kron(damping, scipy.sparse.eye_array(PLACES))
    start = np.ones(MODES * PLACES)
    values = scipy.sparse.linalg.eigs(operator.tocsc(), k=2, sigma=1e-3, v0=start, return_eigenvectors=False)
    return float(np.abs(values).max()) / 2.0


def _simulated(evaluate: Evaluate, said: dict[float, float]) -> Verification:
    """The stated ratios of the true rate and the formula at 5 temperatures."""
    cases = []
    for friction, ratio in said.items():
        sigma = math.sqrt(2.0 * friction * TEMPERATURE)
        found = escape_rate(friction) / float(evaluate(hurst=0.5, friction=friction, sigma=sigma, **WELL))
        what = f"eigenvalue of the Kramers-Fokker-Planck operator / predicted, friction {friction:g}"
        cases.append(restated(what, found, ratio, 0.001))
    return worst(*cases)


def kramers_by_space(evaluate: Evaluate) -> Verification:
    """The stated ratios of the true rate and the formula at 5 temperatures."""
    return _simulated(evaluate, {2.0: 0.953, 5.0: 0.933})


def kramers_turnover(evaluate: Evaluate) -> Verification:
    """The stated ratios of the true rate and the formula at 5 temperatures."""
    return _simulated(evaluate, {0.5: 0.938, 2.0: 0.953, 5.0: 0.933})


def kramers_by_energy(evaluate: Evaluate) -> Verification:
    """The formula for every friction over this one."""
    cases = []
    for loss, said in ((0.1, 0.86), (0.01, 0.95), (0.001, 0.98)):
        action = 16.0 * math.sqrt(2.0) / (3.0 * math.sqrt(8.0))
        friction = 0.999 * loss * TEMPERATURE / action
        sigma = math.sqrt(2.0 * friction * TEMPERATURE)
        whole = turnover_escape_rate(friction=friction, sigma=sigma, **WELL)
        found = whole / float(evaluate(hurst=0.5, friction=friction, sigma=sigma, **WELL))
        cases.append(restated(f"turnover / predicted, loss of {loss:g} temperatures", found, said, 0.006))
    return worst(*cases)
