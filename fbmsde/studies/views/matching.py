"""Noises of the same strength, although some have a variance and others have none: quartiles are compared."""

from __future__ import annotations

import dataclasses
import math
from functools import lru_cache
from typing import TypeVar

import numpy as np
import scipy

from ...core import checks
from ...drivers.base import Correlated, Driver
from ...drivers.stable import StableNoise
from ...laws.linear_chains import chain_autocovariance, chain_variance

_QUARTILE = 0.6744897501960817  # of the standard normal law, Phi^-1(3/4)


Noise = TypeVar("Noise", bound=Driver)


def step_quartile(noise: Driver, dt: float) -> float:
    """The upper quartile of one increment over a step of `dt`.

    >>> from fbmsde import FractionalNoise
    >>> round(step_quartile(FractionalNoise(0.5, sigma=2.0), 0.25), 6)
    0.67449
    """
    if isinstance(noise, StableNoise) and noise.alpha < 2.0:
        return stable_quartile(noise.alpha) * noise.increment_scale(dt)
    return _QUARTILE * math.sqrt(float(_correlated(noise).autocovariance(np.array([0]), dt)[0]))


def spread_quartile(noise: Driver, curvature: float, dt: float) -> float:
    """The upper quartile of the stationary chain ``x' = (1 - curvature dt) x + increment``.

    Its variance is ``(r_0 + 2 sum_k r_k phi^k) / (1 - phi^2)`` for Gaussian noise with autocovariance r and
    phi = 1 - curvature dt. Under symmetric stable noise it is the sum of independent stable terms, of which the scales
    add in their power alpha: the scale is that of an increment over ``(1 - |phi|^alpha)^(1/alpha)``.

    >>> from fbmsde import FractionalNoise
    >>> round(spread_quartile(FractionalNoise(0.5, sigma=1.0), 1.0, 0.01) / step_quartile(FractionalNoise(0.5), 0.5), 3)
    1.003
    """
    phi = 1.0 - curvature * dt
    if not -1.0 < phi < 1.0:
        raise ValueError(f"dt must be below 2 / curvature = {2.0 / curvature:g}, got {dt}. The chain explodes.")
    if isinstance(noise, StableNoise) and noise.alpha < 2.0:
        scale = noise.increment_scale(dt) / (1.0 - abs(phi) ** noise.alpha) ** (1.0 / noise.alpha)
        return float(stable_quartile(noise.alpha) * scale)
    correlated = _correlated(noise)
    return _QUARTILE * math.sqrt(chain_variance(phi, lambda lags: correlated.autocovariance(lags, dt)))


def chain_moments(noise: Driver, curvature: float, dt: float) -> tuple[float, float]:
    """Variance and correlation of successive states of the stationary chain ``x' = (1 - curvature dt) x + increment``.

    >>> from fbmsde import FractionalNoise
    >>> [round(value, 6) for value in chain_moments(FractionalNoise(0.5), 1.0, 0.5)]
    [0.666667, 0.5]
    """
    correlated = _correlated(noise)
    r = chain_autocovariance(2, 1.0 - curvature * dt, lambda lags: correlated.autocovariance(lags, dt))
    return float(r[0]), float(r[1] / r[0])


def scaled_to(noise: Noise, factor: float) -> Noise:
    """The noise with its strength `sigma` times `factor`; TypeError for a noise without one number of that name."""
    sigma = getattr(noise, "sigma", None)
    if not isinstance(sigma, (int, float)):
        raise TypeError(f"noise must have one strength sigma by which it is matched, got {noise!r}.")
    scaled: Noise = dataclasses.replace(noise, sigma=sigma * factor)  # type: ignore[type-var]  # drivers are dataclasses
    return scaled


@lru_cache(maxsize=16)
def stable_quartile(alpha: float) -> float:
    """The upper quartile of the symmetric stable law with characteristic function ``exp(-|u|^alpha)``.

    It solves ``(1/pi) int_0^inf sin(u x) / u exp(-u^alpha) du = 1/4``.

    >>> round(stable_quartile(1.0), 9)
    1.0
    """

    def excess(x: float) -> float:
        def integrand(u: float) -> float:
            return float(np.sinc(u * x / np.pi) * x * np.exp(-(u**alpha)))

        return float(scipy.integrate.quad(integrand, 0.0, 60.0 ** (1.0 / alpha), limit=500)[0]) / math.pi - 0.25

    return float(scipy.optimize.brentq(excess, 0.3, 3.0, xtol=1e-12))


def _correlated(noise: Driver) -> Correlated:
    """The noise if it has an autocovariance; TypeError otherwise."""
    advice = "Noises are matched by an autocovariance or a stable law."
    found: Correlated = checks.kind("noise", noise, Correlated, advice)
    return found
