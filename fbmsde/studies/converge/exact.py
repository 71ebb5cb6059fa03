"""The exact loss of gradient descent in a parabola under any noise with an autocovariance."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...core.types import Array
from ...drivers.base import Driver
from ...drivers.stable import StableNoise
from ...laws.linear_chains import Autocovariance, chain_mean_variance, linear_chain_variance
from ...laws.momentum import momentum_second_moment, momentum_variance


class Case(NamedTuple):
    """A chain of gradient descent in the parabola ``curvature x^2 / 2``."""

    curvature: float
    learning_rate: float
    momentum: float = 0.0


def autocovariance_of(noise: Driver) -> Autocovariance | None:
    """The autocovariance of the noise at integer lags, None if it has no variance."""
    if isinstance(noise, StableNoise) and noise.alpha < 2.0:
        return None
    found: Callable[..., Array] = noise.autocovariance  # type: ignore[attr-defined]  # it was matched by it
    return lambda lags: found(lags, 1.0)


def loss_curve(noise: Driver, case: Case, steps: Array, x0: float) -> Array:
    """The mean loss ``a E x_k^2 / 2`` at the numbers of steps, same shape; empty where the noise has no variance."""
    r = autocovariance_of(noise)
    if r is None:
        return np.empty(0)
    moments = momentum_second_moment(steps, x0, r, learning_rate=case.learning_rate, momentum=case.momentum,
                                     curvature=case.curvature)  # fmt: skip
    return 0.5 * case.curvature * moments


def plateau(noise: Driver, case: Case) -> float:
    """The mean loss of the stationary chain, NaN where the noise has no variance."""
    r = autocovariance_of(noise)
    if r is None:
        return math.nan
    variance = momentum_variance(r, learning_rate=case.learning_rate, momentum=case.momentum, curvature=case.curvature)
    return 0.5 * case.curvature * variance


def average_variances(noise: Driver, case: Case, n_steps: Array) -> Array:
    """The variance of the average of the stationary chain without momentum over `n_steps` steps, same shape."""
    r = autocovariance_of(noise)
    assert r is not None and case.momentum == 0.0
    return case.learning_rate**2 * chain_mean_variance(n_steps, 1.0 - case.learning_rate * case.curvature, r)


def scheduled_loss(noise: Driver, curvature: float, rates: Array, x0: float) -> float:
    """The mean loss after steps with the learning rates `rates` (n,), NaN where the noise has no variance.

    ``x_n = p_0 x_0 - sum_j p_(j+1) eta_j xi_j`` with ``p_j = prod_(i>=j) (1 - eta_i a)``: a linear form of the noise.
    """
    r = autocovariance_of(noise)
    if r is None:
        return math.nan
    ahead = np.append(np.cumprod((1.0 - rates * curvature)[::-1])[::-1], 1.0)
    weights = ahead[1:] * rates
    return 0.5 * curvature * (float(ahead[0] * x0) ** 2 + linear_chain_variance(weights[::-1], r))
