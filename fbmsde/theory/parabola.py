"""Exit rates through either rim of a parabola, by all formulas for continuous time at once."""

from __future__ import annotations

from ..laws.fou import fou_stationary_variance
from .formula import EXIT
from .registry import applicable

_ROUNDED = 1e-12  # by so much a barrier may seem too low for a formula that holds from there on


def parabola_rates(hurst: float, barrier: float, curvature: float = 1.0) -> dict[str, float]:
    """The exit rate of fractional noise by every formula that applies, by name.

    `barrier` is the distance of the rims in stationary standard deviations. By scaling the rate is the `curvature`
    times a function of H and this distance alone.

    >>> list(parabola_rates(0.5, 3.0))
    ['kramers_brownian_prefactor', 'pickands', 'ou_eigenvalue']
    """
    sigma, seen = fou_stationary_variance(hurst, curvature) ** -0.5, barrier * (1.0 + _ROUNDED)
    problem = {"hurst": hurst, "barrier": seen, "curvature": curvature, "sigma": sigma, "sides": 2}
    return {f.name: float(f.evaluate(**problem)) for f in applicable("exit_rate", EXIT, **problem)}
