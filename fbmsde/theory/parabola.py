"""Exit rates through either rim of a parabola, by all formulas for continuous time at once."""

from __future__ import annotations

from contextlib import suppress

from ..laws.fou import fou_stationary_variance
from ..laws.fou_exits import fou_exit_hazard
from .formula import EXIT
from .registry import applicable

_ROUNDED = 1e-12  # by so much a barrier may seem too low for a formula that holds from there on


def parabola_rates(hurst: float, barrier: float, curvature: float = 1.0, age: float = 10.0) -> dict[str, float]:
    """The exit rate of fractional noise by every formula that applies, by name, and by the table `fou_exit_hazard`.

    `barrier` is the distance of the rims in stationary standard deviations. By scaling the rate is the `curvature`
    times a function of H and this distance alone. The table is that of the time ``age / curvature`` after a start at
    the minimum; where it ends it is left out.

    >>> list(parabola_rates(0.5, 3.0))
    ['kramers_brownian_prefactor', 'pickands', 'ou_eigenvalue', 'fou_exit_hazard']
    """
    sigma, seen = fou_stationary_variance(hurst, curvature) ** -0.5, barrier * (1.0 + _ROUNDED)
    problem = {"hurst": hurst, "barrier": seen, "curvature": curvature, "sigma": sigma, "sides": 2}
    rates = {f.name: float(f.evaluate(**problem)) for f in applicable("exit_rate", EXIT, **problem)}
    with suppress(ValueError):
        table = fou_exit_hazard(hurst, barrier, age / curvature, curvature=curvature, sigma=sigma, sides=2)
        rates["fou_exit_hazard"] = float(table.value)
    return rates
