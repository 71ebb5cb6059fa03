"""Evidence for the formulas about gradient descent in the quadratic well."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import scipy

from ...core.types import Array
from ...laws import fgn
from ..verification import SIGMAS, Evaluate, Verification, relative, worst

SAMPLES, BATCH = 24, 5


def _matrix(momentum: float, step: float, nesterov: bool = False) -> tuple[Array, Array]:
    """The step ``(x, v) -> A (x, v) + b noise`` of the chain for curvature 1: A and b."""
    shrunk = np.array([-step, momentum])
    if not nesterov:
        return np.array([[1.0 - step, momentum], shrunk]), np.array([1.0, 1.0]) * step
    ahead = np.array([1.0 - step * (1.0 + momentum), momentum * momentum])
    return np.array([ahead, shrunk]), np.array([1.0 + momentum, 1.0]) * step


def _white(evaluate: Evaluate, nesterov: bool) -> Verification:
    """The solution of the discrete Lyapunov equation of the chain."""
    found, true = [], []
    for momentum, step in ((0.0, 0.3), (0.6, 0.3), (0.9, 1.0)):
        a, b = _matrix(momentum, step, nesterov)
        covariance = scipy.linalg.solve_discrete_lyapunov(a, 4.0 * np.outer(b, b))
        true.append(covariance[0, 0])
        found.append(float(evaluate(learning_rate=step, momentum=momentum, sigma=2.0)))
    return relative("the variance with the discrete Lyapunov equation", found, true, 0.0, 1e-9)


def heavy_ball_variance(evaluate: Evaluate) -> Verification:
    """The solution of the discrete Lyapunov equation of the chain."""
    return _white(evaluate, nesterov=False)


def nesterov_variance(evaluate: Evaluate) -> Verification:
    """The solution of the discrete Lyapunov equation of the chain."""
    return _white(evaluate, nesterov=True)


def _quadratic_form(momentum: float, step: float, covariances: Array) -> float:
    """The variance of x after as many steps as there are covariances of the noise."""
    a, b = _matrix(momentum, step)
    state, weights = b, []
    for _ in range(covariances.size):
        weights.append(state[0])
        state = a @ state
    return float(np.array(weights) @ scipy.linalg.toeplitz(covariances) @ np.array(weights))


def heavy_ball_fractional_variance(evaluate: Evaluate) -> Verification:
    """The weights of 600 steps of noise, in a quadratic form with its covariance."""
    found, true = [], []
    for hurst, momentum in ((0.3, 0.6), (0.7, 0.6), (0.8, 0.0)):
        noise = fgn.fgn_autocovariance(hurst, np.arange(600))
        true.append(2.25 * _quadratic_form(momentum, 0.3, noise))
        found.append(float(evaluate(hurst=hurst, learning_rate=0.3, momentum=momentum, sigma=1.5)))
    return relative("the variance with a quadratic form of 600 steps, H = 0.3, 0.7, 0.8", found, true, 0.0, 1e-8)


def anti_pgd_variance(evaluate: Evaluate) -> Verification:
    """The weights of 200 steps of noise, in a quadratic form with its covariance."""
    noise = np.zeros(200)
    noise[:2] = 1.0, -0.5
    true = 2.25 * _quadratic_form(0.0, 0.3, noise)
    found = evaluate(learning_rate=0.2, curvature=1.5, sigma=1.5) * 1.5**2
    return relative("the variance with a quadratic form of 200 steps", found, true, 0.0, 1e-8)


@lru_cache(maxsize=1)
def shuffled_epochs(momentum: float, step: float) -> tuple[float, float]:
    """Variance of the chain under batches of shuffled samples with mean 0 and variance 1, and its relative error.

    The chains stop at all places of the last epoch in turn.
    """
    rng = np.random.default_rng(20)
    data = rng.standard_normal(SAMPLES)
    data = (data - data.mean()) / data.std()
    n_chains, n_batches, spreads = 20_000, SAMPLES // BATCH, []
    x, v = np.zeros(n_chains), np.zeros(n_chains)
    for epoch in range(12):
        order = rng.permuted(np.tile(data, (n_chains, 1)), axis=1)
        for batch in range(n_batches):
            gradient = x + order[:, batch * BATCH : (batch + 1) * BATCH].mean(axis=1)
            v = momentum * v - step * gradient
            x = x + v
            spreads += [float(np.mean(x * x))] if epoch >= 10 else []
    return float(np.mean(spreads)), math.sqrt(2.0 / n_chains)


def heavy_ball_epoch_variance(evaluate: Evaluate) -> Verification:
    """Chains under batches of shuffled samples."""
    variance, error = shuffled_epochs(0.5, 0.4)
    found = evaluate(n_samples=SAMPLES, batch_size=BATCH, learning_rate=0.4, momentum=0.5)
    what = f"the variance with {SAMPLES} shuffled samples in batches of {BATCH}"
    return relative(what, found, variance, 0.0, SIGMAS * error)


def epoch_spread_ratio(evaluate: Evaluate) -> Verification:
    """Chains under batches of shuffled samples, over the Lyapunov equation for batches with replacement."""
    variance, error = shuffled_epochs(0.5, 0.4)
    a, b = _matrix(0.5, 0.4)
    fresh = scipy.linalg.solve_discrete_lyapunov(a, np.outer(b, b) / BATCH)[0, 0]
    found = evaluate(n_samples=SAMPLES, batch_size=BATCH, learning_rate=0.4, momentum=0.5)
    what = f"the ratio with {SAMPLES} shuffled samples in batches of {BATCH}"
    small = relative(what, found, math.sqrt(variance / fresh), 0.0, SIGMAS * error / 2.0)
    said = (evaluate(n_samples=1437, batch_size=128, learning_rate=step, curvature=1.0) for step in (0.1, 0.8))
    return worst(small, relative("the two stated ratios", list(said), [0.555, 0.934], 0.0, 1e-3))


def _bound(evaluate: Evaluate, nesterov: bool) -> Verification:
    """The learning rate at which the largest eigenvalue of a step leaves the unit circle."""
    found, true = [], []
    for momentum in (0.0, 0.6, 0.95):

        def beyond(step: float, momentum: float = momentum) -> float:
            return float(np.abs(np.linalg.eigvals(_matrix(momentum, step, nesterov)[0])).max()) - 1.0

        true.append(scipy.optimize.brentq(beyond, 0.5, 5.0, xtol=1e-13))
        found.append(2.0 * float(evaluate(momentum=momentum, curvature=2.0)))
    return relative("the bound with the eigenvalues of a step", found, true, 0.0, 1e-8)


def heavy_ball_bound(evaluate: Evaluate) -> Verification:
    """The learning rate at which the largest eigenvalue of a step leaves the unit circle."""
    return _bound(evaluate, nesterov=False)


def nesterov_bound(evaluate: Evaluate) -> Verification:
    """The learning rate at which the largest eigenvalue of a step leaves the unit circle."""
    return _bound(evaluate, nesterov=True)
