"""Evidence for the formulas about sides, balls, walls and resetting."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import scipy

from ...laws import fgn
from ...laws.splitting import brownian_resetting_mean_time
from ..verification import SIGMAS, Evaluate, Verification, relative, restated, worst
from .paths import stationary_paths

ENDS = (-1.0, 2.5)


def brownian_exit_at_top(evaluate: Evaluate) -> Verification:
    """The integral of the density of the scale function."""
    found, true = [], []
    for drift in (-0.3, 0.4):

        def density(y: float, drift: float = drift) -> float:
            return math.exp(-2.0 * drift * y / 0.81)

        below, whole = (scipy.integrate.quad(density, ENDS[0], end)[0] for end in (0.4, ENDS[1]))
        true.append(below / whole)
        found.append(float(evaluate(hurst=0.5, lower=ENDS[0], upper=ENDS[1], x0=0.4, drift=drift, sigma=0.9)))
    return relative("the probability with an integral of the scale density", found, true, 0.0, 1e-9)


def ou_exit_at_top(evaluate: Evaluate) -> Verification:
    """The integral of the density of the scale function."""
    found, true = [], []
    for a in (0.5, 3.0):

        def density(y: float, a: float = a) -> float:
            return math.exp(a * y * y / 0.81)

        below, whole = (scipy.integrate.quad(density, ENDS[0], end)[0] for end in (0.4, ENDS[1]))
        true.append(below / whole)
        found.append(float(evaluate(hurst=0.5, lower=ENDS[0], upper=ENDS[1], x0=0.4, curvature=a, sigma=0.9)))
    return relative("the probability with an integral of the scale density", found, true, 0.0, 1e-9)


def ball_mean_exit(evaluate: Evaluate) -> Verification:
    """The equation ``sigma^2/2 (T'' + (d-1)/r T') = -1`` for the distance r, by collocation in r^2."""
    found, true, radius, sigma = [], [], 1.4, 0.8
    for dim in (1, 3, 10):
        nodes = (1.0 - np.cos(math.pi * np.arange(9) / 8.0)) / 2.0 * radius**2
        powers = np.arange(9)
        values = nodes[:, None] ** powers
        first = powers * nodes[:, None] ** np.maximum(powers - 1, 0)
        second = powers * (powers - 1) * nodes[:, None] ** np.maximum(powers - 2, 0)
        rows = sigma**2 / 2.0 * (4.0 * nodes[:, None] * second + 2.0 * dim * first)
        rows[-1] = values[-1]
        right = np.full(9, -1.0)
        right[-1] = 0.0
        coefficients = np.linalg.solve(rows, right)
        true.append(float((0.5**2) ** powers @ coefficients))
        found.append(float(evaluate(hurst=0.5, radius=radius, dim=dim, x0=0.5, sigma=sigma)))
    return relative("the mean with its differential equation in 1, 3, 10 dimensions", found, true, 0.0, 1e-8)


@lru_cache(maxsize=2)
def _above_a_wall(hurst: float) -> tuple[float, float]:
    """The mean place at time 1 after 1024 steps above a wall at the start, and its relative standard error."""
    noise = stationary_paths(fgn.fgn_autocovariance(hurst, np.arange(1025)), 4000, 6) * 1024.0**-hurst
    place = np.zeros(4000)
    for step in noise.T:
        place = np.maximum(place + step, 0.0)
    mean = float(place.mean())
    return mean, float(place.std()) / math.sqrt(4000.0) / mean


def reflected_mean(evaluate: Evaluate) -> Verification:
    """Walks of fractional Gaussian noise that a wall holds above 0, step by step."""
    cases = []
    for hurst, said in ((0.3, 1.003), (0.7, 1.006)):
        mean, error = _above_a_wall(hurst)
        ratio = mean / float(evaluate(hurst=hurst, dt=1.0 / 1024.0))
        cases.append(restated(f"simulated / predicted, 1024 steps, H = {hurst}", ratio, said, 0.005, SIGMAS * error))
    return worst(*cases)


def resetting_mean(evaluate: Evaluate) -> Verification:
    """The renewal argument ``(1 - L(r)) / (r L(r))`` with the Laplace transform of the passage density, integrated."""
    found, true = [], []
    for drift in (-0.3, 0.4):

        def killed(t: float, drift: float = drift) -> float:
            z = (1.5 - drift * t) / (0.8 * math.sqrt(t))
            return math.exp(-0.5 * t) * 1.5 / (0.8 * math.sqrt(2.0 * math.pi * t**3)) * math.exp(-z * z / 2.0)

        transform = scipy.integrate.quad(killed, 0.0, 80.0, epsabs=1e-12, limit=200)[0]
        true.append((1.0 - transform) / (0.5 * transform))
        found.append(float(evaluate(hurst=0.5, barrier=1.5, rate=0.5, drift=drift, sigma=0.8)))
    return relative("the mean with the integrated Laplace transform of the passage density", found, true, 0.0, 1e-7)


def best_resetting_rate(evaluate: Evaluate) -> Verification:
    """The minimum of the mean passage time, searched for."""

    def mean(rate: float) -> float:
        return brownian_resetting_mean_time(1.5, rate, sigma=0.8)

    best = scipy.optimize.minimize_scalar(mean, bounds=(0.01, 5.0), method="bounded", options={"xatol": 1e-9}).x
    what = "the rate with a search for the minimum of the mean"
    return relative(what, evaluate(hurst=0.5, barrier=1.5, sigma=0.8), best, 0.0, 1e-6)
