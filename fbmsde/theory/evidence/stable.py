"""Evidence for the formulas about exits under symmetric stable noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

import numpy as np
import scipy

from ...core.types import Array
from ..verification import SIGMAS, Evaluate, Verification, absolute, relative, restated, worst


def _fractional_laplacian(
    function: Callable[[Array], Array], x: float, alpha: float, ends: tuple[float, float]
) -> float:
    """``(-Laplacian)^(alpha/2)`` at x of a function that is 0 beyond the ends and smooth between them."""
    strength = scipy.special.gamma(1.0 + alpha) * math.sin(math.pi * alpha / 2.0) / math.pi
    here = float(function(np.array([x]))[0])
    nearest, *breaks = 1e-3, *sorted(abs(end - x) for end in ends)

    def second_difference(z: Array) -> Array:
        return (2.0 * here - function(x + z) - function(x - z)) * z ** (-1.0 - alpha)

    # Closer in than `nearest` the second difference is that of a parabola; beyond the ends only `here` is left.
    whole = float(second_difference(np.array([nearest]))[0]) * nearest / (2.0 - alpha)
    whole += 2.0 * here * breaks[-1] ** -alpha / alpha
    for left, right in pairwise([nearest, *breaks]):
        nodes, weights = _double_exponential(left, right)
        whole += float(weights @ second_difference(nodes))
    return strength * whole


def _double_exponential(left: float, right: float) -> tuple[Array, Array]:
    """Nodes and weights of a quadrature for functions that are not smooth at the ends."""
    t = np.linspace(-3.0, 3.0, 61)
    rise = np.tanh(math.pi / 2.0 * np.sinh(t))
    slope = math.pi / 2.0 * np.cosh(t) * (1.0 - rise * rise)
    half = (right - left) / 2.0
    return left + half * (1.0 + rise), half * slope * (t[1] - t[0])


def _inside(evaluate: Evaluate, y: Array, ends: tuple[float, float], **arguments: float) -> Array:
    """The values of a formula at the starts inside the ends, 0 at the others."""
    inside = (y > ends[0]) & (y < ends[1])
    return np.where(inside, evaluate(x0=np.where(inside, y, 0.0), sigma=0.8, **arguments), 0.0)


def stable_interval_mean(evaluate: Evaluate) -> Verification:
    """The equation ``sigma^alpha (-Laplacian)^(alpha/2) T = 1`` inside, T = 0 outside."""
    found = []
    for alpha, x in ((0.8, 0.2), (1.5, -0.5)):

        def mean(y: Array, alpha: float = alpha) -> Array:
            return _inside(evaluate, y, (-1.0, 1.4), alpha=alpha, lower=-1.0, upper=1.4)

        found.append(0.8**alpha * _fractional_laplacian(mean, x, alpha, (-1.0, 1.4)))
    return relative("the fractional Laplacian of the mean with -1, alpha = 0.8, 1.5", found, np.ones(2), 0.0, 1e-4)


def stable_ball_mean(evaluate: Evaluate) -> Verification:
    """The same equation in three dimensions, where ``r T(r)`` obeys that of one dimension."""
    found = []
    for alpha, x in ((0.8, 0.4), (1.5, 0.7)):

        def moment(y: Array, alpha: float = alpha) -> Array:
            return y * _inside(evaluate, y, (-1.2, 1.2), alpha=alpha, radius=1.2, dim=3)

        found.append(0.8**alpha * _fractional_laplacian(moment, x, alpha, (-1.2, 1.2)) / x)
    what = "the fractional Laplacian of the mean with -1 in three dimensions, alpha = 0.8, 1.5"
    return relative(what, found, np.ones(2), 0.0, 1e-4)


def _variates(alpha: float, shape: int, rng: np.random.Generator) -> Array:
    """Standard symmetric stable variates by the transformation of an angle and an exponential variable."""
    angle = rng.uniform(-math.pi / 2.0, math.pi / 2.0, shape)
    waiting = rng.standard_exponential(shape)
    tail = (np.cos((1.0 - alpha) * angle) / waiting) ** ((1.0 - alpha) / alpha)
    return np.sin(alpha * angle) / np.cos(angle) ** (1.0 / alpha) * tail


@lru_cache(maxsize=4)
def well_exits(alpha: float, sigma: float, n_paths: int = 3000, dt: float = 0.02) -> tuple[float, float]:
    """Mean exit time of ``dX = -X dt + sigma dL`` from (-1, 2) and the share that leaves at 2, from exact steps."""
    rng = np.random.default_rng(7)
    scale = sigma * (-math.expm1(-alpha * dt) / alpha) ** (1.0 / alpha)
    x, total, at_top, step = np.zeros(n_paths), 0.0, 0, 0
    while x.size:
        step += 1
        x = math.exp(-dt) * x + scale * _variates(alpha, x.size, rng)
        inside = (x > -1.0) & (x < 2.0)
        total += step * dt * (x.size - int(inside.sum()))
        at_top += int(np.sum(x >= 2.0))
        x = x[inside]
    return total / n_paths, at_top / n_paths


def stable_jump_rate(evaluate: Evaluate) -> Verification:
    """The rate times the mean exit time of simulated paths."""
    cases = []
    for alpha, sigma, said in ((1.2, 0.2, 0.95), (1.5, 0.2, 0.90)):
        product = float(evaluate(alpha=alpha, lower=-1.0, upper=2.0, sigma=sigma)) * well_exits(alpha, sigma)[0]
        what = f"rate x simulated mean time, sigma = {sigma}, alpha = {alpha}"
        cases.append(restated(what, product, said, 0.02, SIGMAS * product / math.sqrt(3000.0)))
    return worst(*cases)


def stable_exit_at_top(evaluate: Evaluate) -> Verification:
    """The share of simulated paths that leave at the upper end."""
    cases = []
    for alpha, sigma in ((1.2, 0.2), (1.5, 0.2)):
        found = evaluate(alpha=alpha, lower=-1.0, upper=2.0, sigma=sigma)
        what = f"the probability with simulated paths, sigma = {sigma}, alpha = {alpha}"
        cases.append(absolute(what, found, well_exits(alpha, sigma)[1], 0.02, SIGMAS * 0.46 / math.sqrt(3000.0)))
    return worst(*cases)
