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
from .evidence import inertia
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
        equation=r"""\operatorname{Var} x = \frac{\sigma^2\,\Gamma(2H+1)\sin\pi H}{2\pi}
\int_{-\infty}^{\infty}\frac{|\omega|^{1-2H}\,\mathrm{d}\omega}{(a - m\omega^2)^2 + \gamma^2\omega^2}
= \frac{\sigma^2\,\Gamma(2H+1)}{2a^2}\Bigl(\frac am\Bigr)^{1-H}\frac{\sin 2Hu}{\sin 2u}, \qquad
2\cos u = \frac{\gamma}{\sqrt{ma}}""",
        source="integral over the spectrum of the noise, Gradshteyn & Ryzhik 3.252.12",
        references=("gradshteyn2007", "fbmsde"),
        validity="every H, every friction, quadratic well",
        measured="exact; against quadrature within 1e-10; simulated over it: 1.01(1), 1.00(1), 1.00(1) at H = 0.3, "
        "0.5, 0.7",
        compute=_place,
        check=inertia.langevin_variance,
    )
    yield Formula(
        name="langevin_velocity_variance",
        title="Stationary variance of the velocity",
        quantity="variance",
        subject=INERTIA,
        status="exact",
        equation=r"""\operatorname{Var} v
= \frac{\sigma^2\,\Gamma(2H+1)}{2a^2}\Bigl(\frac am\Bigr)^{2-H}
\frac{\sin 2(1-H)u}{\sin 2u}, \qquad 2\cos u = \frac{\gamma}{\sqrt{ma}}""",
        source="integral over the spectrum of the noise, Gradshteyn & Ryzhik 3.252.12",
        references=("gradshteyn2007", "fbmsde"),
        validity="every H, every friction, quadratic well",
        measured="exact; against quadrature within 1e-10",
        compute=_speed,
        check=inertia.langevin_velocity_variance,
    )
    yield Formula(
        name="kramers_by_space",
        title="Kramers' rate, strong friction",
        quantity="exit_rate",
        subject=INERTIA,
        status="asymptotic",
        equation=r"""\lambda = \frac{\sqrt{\gamma^2/4m^2 + \omega_b^2} - \gamma/2m}{\omega_b}\;
\frac{\omega_0}{2\pi}\;e^{-h/\Theta}, \qquad \omega_0^2 = \frac am,\quad \omega_b^2 = \frac{a}{2m},\quad
\Theta = \frac{\sigma^2}{2\gamma}""",
        source="Kramers 1940, diffusion in space",
        references=("kramers1940",),
        validity="H = 1/2, quartic double well of at least 4 temperatures, at least 10 of them lost in one period",
        measured="eigenvalue of the Kramers-Fokker-Planck operator / predicted, 5 temperatures, friction 2, 5 (a = 8, "
        "m = 1): 0.953, 0.933",
        compute=_by_space,
        check=inertia.kramers_by_space,
        limits=_high_and_damped,
    )
    yield Formula(
        name="kramers_by_energy",
        title="Kramers' rate, weak friction",
        quantity="exit_rate",
        subject=INERTIA,
        status="asymptotic",
        equation=r"""\lambda = \frac12\,\frac{\gamma J}{m\Theta}\;\frac{\omega_0}{2\pi}\;e^{-h/\Theta}, \qquad
J = \frac{16\sqrt2}{3}\,h\sqrt{\frac ma}""",
        source="Kramers 1940, diffusion in energy; half of it, because both ways down are open",
        references=("kramers1940",),
        validity="H = 1/2, quartic double well of at least 4 temperatures, at most 0.1 of them lost in one period",
        measured="turnover formula / predicted: 0.86 at a loss of 0.1 temperatures, 0.95 at 0.01, 0.98 at 0.001",
        compute=_by_energy,
        check=inertia.kramers_by_energy,
        limits=_high_and_free,
    )
    yield Formula(
        name="kramers_turnover",
        title="Kramers' rate, every friction",
        quantity="exit_rate",
        subject=INERTIA,
        status="approximate",
        equation=r"""\lambda = \frac{A(\delta)^2}{A(2\delta)}\;\lambda_{\text{space}}, \qquad
\delta = \frac{\gamma J}{m\Theta}, \quad
A(\delta) =
\exp\left[\frac{1}{2\pi}\int_{-\infty}^{\infty}
\frac{\ln\bigl(1 - e^{-\delta(x^2+1/4)}\bigr)}{x^2+1/4}\,\mathrm{d}x\right]""",
        source="Mel'nikov & Meshkov 1986: rate by space times A(d)^2 / A(2d), d the loss in one period",
        references=("melnikov1986",),
        validity="H = 1/2, quartic double well of at least 4 temperatures",
        measured="eigenvalue of the Kramers-Fokker-Planck operator / predicted, 5 temperatures, friction 0.5, 2, 5 "
        "(a = 8, m = 1): 0.938, 0.953, 0.933; simulated at friction 0.02, 0.05, 0.1: 0.82, 0.82, 0.89, standard errors "
        "0.03-0.04",
        compute=_turnover,
        check=inertia.kramers_turnover,
        limits=_high,
    )
