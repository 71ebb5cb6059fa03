"""Exact second moments of gradient descent with momentum in a well of curvature h, under any stationary noise.

The chain is that of PyTorch's optimizer, ``v' = beta v - eta g``, ``x' = x + v'`` (heavy ball), or ``x' = x + beta v' -
eta g`` (Nesterov), with the gradient ``g = h x + xi``; eta is the `learning_rate`, beta the `momentum`. Without v it is

    x_(k+1) = a1 x_k + a2 x_(k-1) - eta (c0 xi_k + c1 xi_(k-1))

with ``y = eta h`` and (a1, a2, c0, c1) = ``(1 + beta - y, -beta, 1, 0)`` for the heavy ball and
``((1 + beta)(1 - y), -beta (1 - y), 1 + beta, -beta)`` for Nesterov. Both are gradient descent at beta = 0. Weight
decay adds to the curvature. Autocovariances are those of `linear_chains`, here of the noise of the gradient.

* ``momentum_bound(momentum, nesterov)``: the chain is stable for ``0 < eta h < bound``
* ``momentum_variance(autocovariance, ...)``: stationary variance
* ``momentum_second_moment(steps, x0, autocovariance, ...)``: ``E x_k^2`` after a start at rest in the point x0
* ``momentum_weights(n, ...)``: the weights psi of ``x_k = sum_j psi_j xi_(k-1-j)``
* ``white_momentum_variance(...)``: closed form for white noise
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from ..core import checks
from ..core.types import Array
from .linear_chains import (
    Autocovariance,
    linear_chain_variances,
    memory_of,
    positive_variance,
    step_numbers,
    values_at_lags,
)


class _Recursion(NamedTuple):
    """The numbers in the recursion of x, and the factor of the first step from rest, ``x_1 = first x_0``."""

    a1: float
    a2: float
    c0: float
    c1: float
    first: float

    @property
    def characteristic(self) -> list[float]:
        """Coefficients of the denominator ``1 - a1 z - a2 z^2``."""
        return [1.0, -self.a1, -self.a2]

    @property
    def modulus(self) -> float:
        """The largest modulus of the roots of ``z^2 = a1 z + a2``."""
        half, square = self.a1 / 2.0, self.a1 * self.a1 / 4.0 + self.a2
        return math.sqrt(-self.a2) if square < 0.0 else abs(half) + math.sqrt(square)

    @property
    def own_moments(self) -> tuple[float, float]:
        """Variance and autocovariance at lag 1 under white noise of variance 1, at eta = 1: those of an ARMA(2, 1)."""
        a1, a2, c0, c1 = self.a1, self.a2, self.c0, self.c1
        top = (1.0 - a2) * (c0 * c0 + c1 * c1) + 2.0 * a1 * c0 * c1
        variance = top / ((1.0 + a2) * (1.0 - a2 - a1) * (1.0 - a2 + a1))
        return variance, (a1 * variance + c0 * c1) / (1.0 - a2)


def momentum_bound(momentum: float, nesterov: bool = False) -> float:
    """The bound of ``learning_rate * curvature`` below which the chain is stable.

    It is ``2 (1 + beta)`` for the heavy ball and ``2 (1 + beta) / (1 + 2 beta)`` for Nesterov: there a root of the
    characteristic polynomial passes -1, and no root leaves the unit circle before. Raises ValueError unless
    0 <= momentum < 1.

    >>> momentum_bound(0.9), round(momentum_bound(0.9, nesterov=True), 6)
    (3.8, 1.357143)
    """
    beta = _checked_momentum(momentum)
    return 2.0 * (1.0 + beta) / (1.0 + 2.0 * beta if nesterov else 1.0)


def white_momentum_variance(
    *, learning_rate: float, momentum: float = 0.0, curvature: float = 1.0, sigma: float = 1.0, nesterov: bool = False
) -> float:
    """Stationary variance under white noise of the gradient with the standard deviation `sigma`.

    With ``y = eta h`` it is ``eta s^2 (1 + beta) / ((1 - beta) h (2 (1 + beta) - y))`` for the heavy ball and
    ``eta s^2 [(1 + beta (1-y)) ((1+beta)^2 + beta^2) - 2 beta (1+beta)^2 (1-y)] / [(1 - beta (1-y)) h (2 (1+beta) -
    (1 + 2 beta) y)]`` for Nesterov: the variance of an autoregressive process of order 2 with a moving average of order
    1. Raises ValueError for an unstable chain.

    >>> round(white_momentum_variance(learning_rate=0.1, momentum=0.9, curvature=2.0), 6)
    0.263889
    """
    s = checks.squarable("sigma", sigma)
    eta, chain = _stable_recursion(learning_rate, momentum, curvature, nesterov)
    return (eta * s) ** 2 * chain.own_moments[0]


def momentum_variance(
    autocovariance: Autocovariance,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    curvature: float = 1.0,
    nesterov: bool = False,
) -> float:
    """Stationary variance ``eta^2 (C_0 r_0 + 2 sum_k C_k r_k)`` under noise of the gradient with the autocovariance r.

    ``C_k = sum_j psi_j psi_(j+k)`` is the autocovariance of the chain under white noise, which from lag 2 on obeys
    ``C_k = a1 C_(k-1) + a2 C_(k-2)``. Raises ValueError for an unstable chain, for chains that need more than 2^24
    terms, and for an autocovariance that gives a negative variance.

    >>> from fbmsde.laws.fgn import fgn_autocovariance
    >>> noise = lambda lags: fgn_autocovariance(0.3, lags)
    >>> round(momentum_variance(noise, learning_rate=0.1, momentum=0.9, curvature=2.0), 5)
    0.14145
    """
    eta, chain = _stable_recursion(learning_rate, momentum, curvature, nesterov)
    r = values_at_lags(autocovariance, memory_of(chain.modulus))
    variance, at_one = chain.own_moments
    own = _recursive(chain, r.size, variance, at_one)
    return eta**2 * positive_variance(float(own[0] * r[0] + 2.0 * np.dot(own[1:], r[1:])))


def momentum_weights(
    n_weights: int, *, learning_rate: float, momentum: float = 0.0, curvature: float = 1.0, nesterov: bool = False
) -> Array:
    """Weights psi of ``x_k = sum_j psi_j xi_(k-1-j)``, (n_weights,): the answer of x to one unit of gradient noise.

    They are given for unstable chains too. Those of the heavy ball begin ``-eta, -eta (1 + beta - eta h)``.

    >>> momentum_weights(3, learning_rate=0.5, momentum=0.5, curvature=1.0)
    array([-0.5 , -0.5 , -0.25])
    """
    n = checks.count("n_weights", n_weights)
    eta, chain = _recursion(learning_rate, momentum, curvature, nesterov)
    return -eta * _recursive(chain, n, chain.c0, chain.a1 * chain.c0 + chain.c1)


def momentum_second_moment(
    steps: ArrayLike,
    x0: float,
    autocovariance: Autocovariance,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    curvature: float = 1.0,
    nesterov: bool = False,
) -> Array:
    """``E x_k^2`` after a start at rest (v = 0) in the point `x0`, at the numbers of steps k, same shape as `steps`.

    It is the square of the noiseless path plus the variance of ``sum_(j<k) psi_j xi_(k-1-j)``. It is given for unstable
    chains too. Raises ValueError for negative numbers of steps.

    >>> from fbmsde.laws.linear_chains import white_autocovariance
    >>> momentum_second_moment([0, 1, 2], 2.0, white_autocovariance, learning_rate=0.5, momentum=0.5).round(6)
    array([4.  , 1.25, 0.5 ])
    """
    k, start = step_numbers(steps), checks.finite("x0", x0)
    longest = int(k.max(initial=1))
    _, chain = _recursion(learning_rate, momentum, curvature, nesterov)
    psi = momentum_weights(
        longest, learning_rate=learning_rate, momentum=momentum, curvature=curvature, nesterov=nesterov
    )
    mean = _recursive(chain, longest + 1, start, chain.first * start)
    return mean[k] ** 2 + linear_chain_variances(psi, autocovariance)[k]


def _recursive(chain: _Recursion, size: int, first: float, second: float) -> Array:
    """The sequence ``u_k = a1 u_(k-1) + a2 u_(k-2)`` from its first two values, (size,)."""
    impulse = np.zeros(size)
    impulse[0] = 1.0
    return scipy.signal.lfilter([first, second - chain.a1 * first], chain.characteristic, impulse)


def _checked_momentum(momentum: float) -> float:
    """The momentum as a float; ValueError unless it lies in [0, 1)."""
    beta = checks.finite("momentum", momentum)
    if not 0.0 <= beta < 1.0:
        raise ValueError(f"momentum must lie in [0, 1), got {beta}.")
    return beta


def _recursion(learning_rate: float, momentum: float, curvature: float, nesterov: bool) -> tuple[float, _Recursion]:
    """The learning rate and the recursion of the chain, for checked arguments."""
    eta, beta = checks.squarable("learning_rate", learning_rate), _checked_momentum(momentum)
    y = eta * checks.positive("curvature", curvature)
    if nesterov:
        kept = 1.0 - y
        return eta, _Recursion((1.0 + beta) * kept, -beta * kept, 1.0 + beta, -beta, 1.0 - (1.0 + beta) * y)
    return eta, _Recursion(1.0 + beta - y, -beta, 1.0, 0.0, 1.0 - y)


def _stable_recursion(
    learning_rate: float, momentum: float, curvature: float, nesterov: bool
) -> tuple[float, _Recursion]:
    """The learning rate and the recursion; ValueError unless the chain is stable."""
    eta, chain = _recursion(learning_rate, momentum, curvature, nesterov)
    bound = momentum_bound(momentum, nesterov)
    if not eta * curvature < bound:
        raise ValueError(
            f"learning_rate * curvature must be below {bound:.6g}, got {eta * curvature:.6g}. The chain is unstable."
        )
    return eta, chain
