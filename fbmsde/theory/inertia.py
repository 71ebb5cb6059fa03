"""Closed forms for a particle with inertia: its spread in a quadratic well, and its escape from a quartic double well.

The double well is ``U = h (1 - x^2/w^2)^2`` with the barrier `height` h and the `curvature` ``a = 8h/w^2`` at its
minima. Noise and friction fix the temperature ``T = sigma^2 / (2 friction)`` at H = 1/2. The functions that return a
text give the reason why a formula does not hold, or an empty text.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..laws.inertia import (
    energy_escape_rate,
    langevin_variance,
    langevin_velocity_variance,
    quartic_action,
    spatial_escape_rate,
    turnover_escape_rate,
)
from .formula import INERTIA, Formula, no_memory

_LOWEST_HEIGHT = 4.0  # of the barrier, in temperatures


def _place(hurst: float, friction: float, mass: float = 1.0, curvature: float = 1.0, sigma: float = 1.0) -> float:
    """Variance of the position."""
    return langevin_variance(hurst, friction=friction, mass=mass, curvature=curvature, sigma=sigma)


def _speed(hurst: float, friction: float, mass: float = 1.0, curvature: float = 1.0, sigma: float = 1.0) -> float:
    """Variance of the velocity."""
    return langevin_velocity_variance(hurst, friction=friction, mass=mass, curvature=curvature, sigma=sigma)


def _high(hurst: float, height: float, friction: float, sigma: float = 1.0) -> str:
    """H must be 1/2, and the barrier must be high in units of the temperature."""
    k = 2.0 * friction / sigma * height / sigma
    low = "" if k >= _LOWEST_HEIGHT else f"height must be at least 4 temperatures sigma^2/(2 friction), got {k:.3g}."
    return no_memory(hurst) or low


def _loss(height: float, friction: float, curvature: float, mass: float, sigma: float) -> float:
    """Energy lost in one period at the saddle's energy, in temperatures."""
    return friction / mass * quartic_action(height, curvature, mass) * (2.0 * friction / sigma) / sigma


def _high_and_damped(
    hurst: float, height: float, friction: float, curvature: float = 1.0, mass: float = 1.0, sigma: float = 1.0
) -> str:
    """As `_high`, and a particle must lose much energy in one period."""
    loss = _loss(height, friction, curvature, mass, sigma)
    weak = "" if loss >= 10.0 else f"friction must take at least 10 temperatures in one period, got {loss:.3g}."
    return _high(hurst, height, friction, sigma) or weak


def _high_and_free(
    hurst: float, height: float, friction: float, curvature: float = 1.0, mass: float = 1.0, sigma: float = 1.0
) -> str:
    """As `_high`, and a particle must lose little energy in one period."""
    loss = _loss(height, friction, curvature, mass, sigma)
    strong = "" if loss <= 0.1 else f"friction must take at most 0.1 temperatures in one period, got {loss:.3g}."
    return _high(hurst, height, friction, sigma) or strong


def _by_space(height: float, friction: float, curvature: float = 1.0, mass: float = 1.0, sigma: float = 1.0) -> float:
    """Kramers' rate with the curvature -a/2 of the quartic saddle."""
    return spatial_escape_rate(
        height=height, curvature=curvature, saddle_curvature=curvature / 2.0, friction=friction, mass=mass, sigma=sigma
    )


def _by_energy(height: float, friction: float, curvature: float = 1.0, mass: float = 1.0, sigma: float = 1.0) -> float:
    """Half of the rate at which particles reach the saddle's energy: they come down on either side."""
    action = quartic_action(height, curvature, mass)
    return 0.5 * energy_escape_rate(
        height=height, action=action, curvature=curvature, friction=friction, mass=mass, sigma=sigma
    )


def _turnover(height: float, friction: float, curvature: float = 1.0, mass: float = 1.0, sigma: float = 1.0) -> float:
    """The rate by space times ``A(d)^2 / A(2d)``."""
    return turnover_escape_rate(height=height, curvature=curvature, friction=friction, mass=mass, sigma=sigma)


def inertia_formulas() -> Iterator[Formula]:
    """Yield the formulas for a particle with inertia.

    >>> [formula.name for formula in inertia_formulas() if formula.status == "exact"]
    ['langevin_variance', 'langevin_velocity_variance']
    """
    yield Formula(
        name="langevin_variance",
        title="Stationary variance of the position",
        quantity="variance",
        subject=INERTIA,
        status="exact",
        source="integral over the spectrum of the noise, Gradshteyn & Ryzhik 3.252.12",
        validity="every H, every friction, quadratic well",
        measured="exact; against quadrature within 1e-10; simulated over it: 1.01(1), 1.00(1), 1.00(1) at H = 0.3, "
        "0.5, 0.7",
        compute=_place,
    )
    yield Formula(
        name="langevin_velocity_variance",
        title="Stationary variance of the velocity",
        quantity="variance",
        subject=INERTIA,
        status="exact",
        source="integral over the spectrum of the noise, Gradshteyn & Ryzhik 3.252.12",
        validity="every H, every friction, quadratic well",
        measured="exact; against quadrature within 1e-10",
        compute=_speed,
    )
    yield Formula(
        name="kramers_by_space",
        title="Kramers' rate, strong friction",
        quantity="exit_rate",
        subject=INERTIA,
        status="asymptotic",
        source="Kramers 1940, diffusion in space",
        validity="H = 1/2, quartic double well of at least 4 temperatures, at least 10 of them lost in one period",
        measured="simulated / predicted, 5 temperatures, friction 2, 5 (a = 8, m = 1): 0.95(3), 0.93(4)",
        compute=_by_space,
        limits=_high_and_damped,
    )
    yield Formula(
        name="kramers_by_energy",
        title="Kramers' rate, weak friction",
        quantity="exit_rate",
        subject=INERTIA,
        status="asymptotic",
        source="Kramers 1940, diffusion in energy; half of it, because both ways down are open",
        validity="H = 1/2, quartic double well of at least 4 temperatures, at most 0.1 of them lost in one period",
        measured="turnover formula / predicted: 0.86 at a loss of 0.1 temperatures, 0.95 at 0.01, 0.98 at 0.001",
        compute=_by_energy,
        limits=_high_and_free,
    )
    yield Formula(
        name="kramers_turnover",
        title="Kramers' rate, every friction",
        quantity="exit_rate",
        subject=INERTIA,
        status="approximate",
        source="Mel'nikov & Meshkov 1986: rate by space times A(d)^2 / A(2d), d the loss in one period",
        validity="H = 1/2, quartic double well of at least 4 temperatures",
        measured="simulated / predicted, 5 temperatures, friction 0.02, 0.05, 0.1, 0.5, 2, 5 (a = 8, m = 1): 0.82, "
        "0.82, 0.89, 0.94, 0.95, 0.93, standard errors 0.03-0.04",
        compute=_turnover,
        limits=_high,
    )
