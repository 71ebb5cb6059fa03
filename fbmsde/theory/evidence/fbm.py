"""Evidence for the formulas about fractional Brownian motion without a well."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import scipy

from ...core.types import Array
from ...laws.extremes import barrier_shift
from ..verification import SIGMAS, Evaluate, Verification, absolute, relative, restated, worst
from .paths import fbm_maxima, fbm_paths, first_above

STEPS, PATHS = 512, 8000


def _alive(hurst: float, levels: Array) -> Array:
    """The share of paths of fBm that stay below each level until the time 1, the shift of the grid taken off."""
    highest, _ = fbm_maxima(hurst, STEPS, PATHS, 3)
    return np.mean(highest[:, None] < levels - barrier_shift(hurst) * STEPS**-hurst, axis=0)


def persistence(evaluate: Evaluate) -> Verification:
    """How survival falls from an early time to the time 1, below a low level."""
    cases = []
    for hurst, level, times in ((0.3, 0.25, 8.0), (0.7, 0.02, 32.0)):
        early, late = _alive(hurst, np.array([level * times**hurst, level]))
        slope = math.log(early / late) / math.log(times)
        error = SIGMAS * math.sqrt((1.0 - late) / (late * PATHS)) / math.log(times)
        what = f"the exponent with the slope of the survival of exact paths, H = {hurst}"
        cases.append(absolute(what, evaluate(hurst=hurst), slope, 0.06, error))
    return worst(*cases)


def self_similarity(evaluate: Evaluate) -> Verification:
    """The share of paths that have passed two levels by times in the ratio of the two units of time."""
    cases = []
    for hurst in (0.3, 0.7):
        unit, double = (float(evaluate(hurst=hurst, barrier=b, sigma=1.3)) for b in (0.4, 0.8))
        paths = fbm_paths(hurst, STEPS, 4000, seed=8) * 1.3
        shift = barrier_shift(hurst) * 1.3 * STEPS**-hurst
        passed = [
            float(np.mean(first_above(paths, b - shift) < STEPS * 0.5 * time / double))
            for b, time in ((0.4, unit), (0.8, double))
        ]
        what = f"shares of exact paths that pass two levels in times of this ratio, H = {hurst}"
        cases.append(absolute(what, passed[0], passed[1], 0.01, SIGMAS * math.sqrt(0.5 / 4000.0)))
    cases.append(absolute("the unit at barrier = sigma", evaluate(hurst=0.4, barrier=1.3, sigma=1.3), 1.0, 0.0, 1e-12))
    return worst(*cases)


def _survival(evaluate: Evaluate, stated: dict[float, float], levels: tuple[float, ...]) -> Verification:
    """Survival below these levels at the time 1 against exact paths."""
    cases = []
    for hurst, error in stated.items():
        alive = _alive(hurst, np.array(levels))
        for level, share in zip(levels, alive, strict=True):
            found = evaluate(hurst=hurst, barrier=level, times=1.0)
            what = f"the survival below {level:g} with exact paths, H = {hurst}"
            cases.append(absolute(what, found, share, error, SIGMAS * math.sqrt(share * (1.0 - share) / PATHS)))
    return worst(*cases)


def fbm_survival(evaluate: Evaluate) -> Verification:
    """Survival below three levels, relative to the true one; at H = 1/2 the error function."""
    cases = []
    levels = np.array([0.3, 1.0, 2.0])
    for hurst, error in ((0.3, 0.1), (0.7, 0.03)):
        alive = _alive(hurst, levels)
        for level, share in zip(levels, alive, strict=True):
            what = f"the survival below {level:g} with exact paths, H = {hurst}"
            uncertainty = SIGMAS * math.sqrt((1.0 - share) / (share * PATHS))
            found = evaluate(hurst=hurst, barrier=level, times=1.0)
            cases.append(relative(what, found, share, error, uncertainty))
    brownian = evaluate(hurst=0.5, barrier=levels, times=1.0)
    cases.append(relative("the survival at H = 1/2", brownian, scipy.special.erf(levels / math.sqrt(2.0)), 0.0, 1e-9))
    return worst(*cases)


def fbm_survival_perturbative(evaluate: Evaluate) -> Verification:
    """Survival below three levels."""
    return _survival(evaluate, {0.33: 0.02, 0.55: 0.006, 0.67: 0.026}, (0.3, 1.0, 2.0))


def fbm_survival_straight(evaluate: Evaluate) -> Verification:
    """How much too high survival is below a low level, and that it is right below higher ones."""
    high = float(evaluate(hurst=0.9, barrier=0.02, times=1.0)) - float(_alive(0.9, np.array([0.02]))[0])
    low = restated("survival too high below 0.02, H = 0.9", high, 0.19, 0.005, SIGMAS * 0.47 / math.sqrt(PATHS))
    return worst(low, _survival(evaluate, {0.9: 0.005}, (1.0, 2.0)))


def brownian_survival(evaluate: Evaluate) -> Verification:
    """The integral of the inverse Gaussian density."""
    found, true = [], []
    for drift in (-0.4, 0.5):

        def density(t: float, drift: float = drift) -> float:
            z = (1.3 - drift * t) / (0.8 * math.sqrt(t))
            return 1.3 / (0.8 * math.sqrt(2.0 * math.pi * t**3)) * math.exp(-z * z / 2.0)

        true.append(1.0 - scipy.integrate.quad(density, 0.0, 2.0, epsabs=1e-12)[0])
        found.append(float(evaluate(hurst=0.5, barrier=2.0, x0=0.7, times=2.0, drift=drift, sigma=0.8)))
    return relative("the survival with an integral of the inverse Gaussian density", found, true, 0.0, 1e-8)


def brownian_interval_survival(evaluate: Evaluate) -> Verification:
    """The sum over images, at all times."""
    times, x0, n = np.array([0.05, 0.3, 1.0, 3.0]), 0.3, np.arange(-40.0, 41.0)[:, None]
    spread = np.sqrt(times)

    def between(centre: Any) -> Any:
        return scipy.special.ndtr((1.0 - centre) / spread) - scipy.special.ndtr((-1.0 - centre) / spread)

    true = np.sum(between(x0 + 4.0 * n) - between(2.0 - x0 + 4.0 * n), axis=0)
    found = evaluate(hurst=0.5, barrier=1.0, times=times, x0=x0)
    return relative("the survival with a sum over images", found, true, 0.0, 1e-9)


def fbm_maximum_mean(evaluate: Evaluate) -> Verification:
    """The mean of the maxima of exact paths, the shift of the grid added."""
    cases = []
    for hurst in (0.3, 0.7):
        highest, _ = fbm_maxima(hurst, STEPS, PATHS, 3)
        mean = float(highest.mean()) + barrier_shift(hurst) * STEPS**-hurst
        error = float(highest.std()) / math.sqrt(PATHS) / mean
        what = f"the mean with that of exact paths, H = {hurst}"
        cases.append(relative(what, evaluate(hurst=hurst), mean, 0.0015, SIGMAS * error + 0.001))
    half = evaluate(hurst=0.5, horizon=3.0, sigma=1.2)
    cases.append(relative("the mean at H = 1/2", half, 1.2 * math.sqrt(6.0 / math.pi), 0.0, 1e-9))
    return worst(*cases)


@lru_cache(maxsize=2)
def _places(hurst: float) -> Array:
    """The distance of the time of each path's maximum from the nearer end."""
    places = (fbm_paths(hurst, STEPS, PATHS, seed=12).argmax(axis=1) + 0.5) / STEPS
    return np.minimum(places, 1.0 - places)


def fbm_argmax(evaluate: Evaluate) -> Verification:
    """The places of the maxima of exact paths in six bins, folded about the middle."""
    cases = []
    for hurst in (0.33, 0.67):
        ends = np.linspace(0.0, 0.5, 7)
        counts, _ = np.histogram(_places(hurst), ends)
        nodes, weights = np.polynomial.legendre.leggauss(200)
        u = (nodes + 1.0) / 2.0
        # The density rises like a power at 0: u^4 spreads the nodes towards it.
        mass = [2.0 * float(weights @ (2.0 * u**3 * evaluate(hurst=hurst, times=end * u**4))) * end for end in ends[1:]]
        expected = PATHS * np.diff([0.0, *mass])
        chi2 = float(np.sum((counts - expected) ** 2 / expected))
        reach = float(scipy.stats.chi2.isf(6e-5, 6)) - 11.0
        cases.append(Verification(f"chi2 of the times of maxima in 6 bins, H = {hurst}", chi2, 11.0, reach))
    return worst(*cases)


@lru_cache(maxsize=2)
def _tops(hurst: float, horizon: float) -> dict[float, tuple[float, int]]:
    """By start: the share that leaves (0, 1) at 1, of how many, the shift of the grid taken off at both ends."""
    paths = fbm_paths(hurst, 2048, 4000, seed=5) * horizon**hurst
    shift = barrier_shift(hurst) * (horizon / 2048) ** hurst
    found = {}
    for x0 in (0.3, 0.5):
        top, bottom = first_above(paths, 1.0 - x0 - shift), first_above(-paths, x0 - shift)
        left = top != bottom
        found[x0] = float(np.mean(top[left] < bottom[left])), int(np.sum(left))
    return found


def fbm_exit_at_top(evaluate: Evaluate) -> Verification:
    """The share of exact paths that leave (0, 1) at 1, the shift of the grid taken off at both ends."""
    cases = []
    for hurst, horizon in ((0.33, 1.0), (0.67, 4.0)):
        for x0, (share, n) in _tops(hurst, horizon).items():
            what = f"the probability with exact paths from {x0}, H = {hurst}"
            error = math.sqrt(share * (1.0 - share) / n)
            cases.append(absolute(what, evaluate(hurst=hurst, barrier=1.0, x0=x0), share, 0.003, SIGMAS * error))
    return worst(*cases)


def grid_shift(evaluate: Evaluate) -> Verification:
    """What is left of the bias between two grids; at H = 1/2 Spitzer's sum for random walks."""
    cases = []
    for hurst in (0.3, 0.7):
        shifts = evaluate(hurst=hurst, dt=[1.0 / STEPS, 8.0 / STEPS])
        fine, coarse = fbm_maxima(hurst, STEPS, PATHS, 3)
        bias = float(np.mean(coarse < 1.0) - np.mean(fine < 1.0))
        corrected = (fine < 1.0 - shifts[0]) != (coarse < 1.0 - shifts[1])
        left = float(np.mean(fine < 1.0 - shifts[0]) - np.mean(coarse < 1.0 - shifts[1]))
        what = f"the part of the bias of an exit probability that a grid of 8 steps keeps, H = {hurst}"
        uncertainty = SIGMAS * math.sqrt(float(np.mean(corrected)) / PATHS) / bias
        cases.append(Verification(what, abs(left / bias), 0.05, uncertainty))
    n = 10**6
    walk = float(np.sum(1.0 / np.sqrt(2.0 * math.pi * np.arange(1.0, n + 1.0))))
    missed = math.sqrt(2.0 * n / math.pi) - walk
    cases.append(relative("the shift at H = 1/2 with Spitzer's sum", evaluate(hurst=0.5, dt=1.0), missed, 0.0, 1e-3))
    return worst(*cases)
