"""A particle with inertia, ``m x'' = -gamma x' - U'(x) + sigma dB_H/dt``: spread in a well, escape from one at H = 1/2.

The escape rates hold at H = 1/2, where noise and friction fix the temperature ``T = sigma^2 / (2 gamma)``.
"""

from __future__ import annotations

import math

import numpy as np

from ..core import checks

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)


def langevin_variance(
    hurst: float, *, friction: float, mass: float = 1.0, curvature: float = 1.0, sigma: float = 1.0
) -> float:
    """Stationary variance of the position in ``m x'' = -gamma x' - k x + sigma dB_H/dt``. It is exact for every H.

    It is the integral ``sigma^2 Gamma(2H+1) sin(pi H)/(2 pi) int |w|^(1-2H) / ((k - m w^2)^2 + gamma^2 w^2) dw`` over
    all frequencies. With ``w^2 = (k/m) s`` the integral is one of Gradshteyn & Ryzhik 3.252.12, and the variance is
    ``sigma^2 Gamma(2H+1)/(2 k^2) (k/m)^(1-H) sin(2 H u)/sin(2u)`` with ``2 cos u = gamma/sqrt(m k)``; beyond critical
    damping, where ``gamma^2 > 4 m k``, u is imaginary. At H = 1/2 it is ``sigma^2/(2 gamma k)``, whatever the mass.

    >>> round(langevin_variance(0.5, friction=0.5, curvature=2.0), 6), round(langevin_variance(0.3, friction=0.5), 6)
    (0.5, 0.656092)
    """
    h, damping, k, front = _checked(hurst, friction, mass, curvature, sigma)
    return front * (k / mass) ** (1.0 - h) / k / k * _sine_ratio(h, damping)


def langevin_velocity_variance(
    hurst: float, *, friction: float, mass: float = 1.0, curvature: float = 1.0, sigma: float = 1.0
) -> float:
    """Stationary variance of the velocity in ``m x'' = -gamma x' - k x + sigma dB_H/dt``. It is exact for every H.

    It is the integral of `langevin_variance` with a factor w^2, which exchanges H and 1 - H:
    ``sigma^2 Gamma(2H+1)/(2 k^2) (k/m)^(2-H) sin(2 (1-H) u)/sin(2u)``. At H = 1/2 it is ``sigma^2/(2 gamma m)``.

    >>> round(langevin_velocity_variance(0.5, friction=0.5, mass=2.0), 9)
    0.5
    """
    h, damping, k, front = _checked(hurst, friction, mass, curvature, sigma)
    return front * (k / mass) ** (2.0 - h) / k / k * _sine_ratio(1.0 - h, damping)


def _checked(
    hurst: float, friction: float, mass: float, curvature: float, sigma: float
) -> tuple[float, float, float, float]:
    """H, ``gamma / (2 sqrt(m k))``, the curvature, and ``sigma^2 Gamma(2H+1)/2``."""
    h, s = checks.hurst_parameter(hurst), checks.squarable("sigma", sigma)
    gamma, m = checks.positive("friction", friction), checks.positive("mass", mass)
    k = checks.positive("curvature", curvature)
    return h, gamma / (2.0 * math.sqrt(m) * math.sqrt(k)), k, s * s * math.gamma(2.0 * h + 1.0) / 2.0


def _sine_ratio(h: float, damping: float) -> float:
    """``sin(2 h u) / sin(2 u)`` with ``cos u = damping``, continued to imaginary u where the damping exceeds 1."""
    if damping == 1.0:
        return h
    if damping < 1.0:
        u = math.acos(damping)
        return math.sin(2.0 * h * u) / (2.0 * damping * math.sin(u))
    u = math.acosh(damping)
    return math.exp(2.0 * (h - 1.0) * u) * math.expm1(-4.0 * h * u) / math.expm1(-4.0 * u)


def spatial_escape_rate(
    *, height: float, curvature: float, saddle_curvature: float, friction: float, mass: float = 1.0, sigma: float = 1.0
) -> float:
    """Escape rate over a high barrier where friction is not weak, H = 1/2: Kramers 1940, the limit by space.

    It is ``(sqrt(g^2/4 + w_b^2) - g/2)/w_b  w_0/(2 pi) exp(-height/T)`` with ``g = gamma/m``, the frequencies
    ``w_0 = sqrt(curvature/m)`` at the minimum and ``w_b = sqrt(saddle_curvature/m)`` at the saddle, and
    ``T = sigma^2/(2 gamma)``.
    `saddle_curvature` is minus the second derivative there, positive.

    >>> round(spatial_escape_rate(height=1.0, curvature=4.0, saddle_curvature=2.0, friction=1e3, sigma=20.0) * 1e3, 5)
    0.00303
    """
    m, gamma = checks.positive("mass", mass), checks.positive("friction", friction)
    well = math.sqrt(checks.positive("curvature", curvature) / m)
    half = gamma / (2.0 * m) / math.sqrt(checks.positive("saddle_curvature", saddle_curvature) / m)
    slowing = 1.0 / (half + math.hypot(1.0, half))  # sqrt(1 + half^2) - half
    return slowing * well / (2.0 * math.pi) * math.exp(-checks.positive("height", height) / _temperature(gamma, sigma))


def energy_escape_rate(
    *, height: float, action: float, curvature: float, friction: float, mass: float = 1.0, sigma: float = 1.0
) -> float:
    """Escape rate over a high barrier where friction is weak, H = 1/2: Kramers 1940, the limit by energy.

    It is ``gamma J/(m T)  w_0/(2 pi) exp(-height/T)`` for a particle that does not return from beyond the saddle, where
    J = `action` is the integral of the momentum over one period at the energy of the saddle (see `quartic_action`),
    ``w_0 = sqrt(curvature/m)`` and ``T = sigma^2/(2 gamma)``.

    >>> round(energy_escape_rate(height=1.0, action=2.0, curvature=1.0, friction=0.01, sigma=0.1), 8)
    0.00086157
    """
    m, gamma = checks.positive("mass", mass), checks.positive("friction", friction)
    well, loss = math.sqrt(checks.positive("curvature", curvature) / m), gamma / m * checks.positive("action", action)
    temperature = _temperature(gamma, sigma)
    return loss / temperature * well / (2.0 * math.pi) * math.exp(-checks.positive("height", height) / temperature)


def quartic_action(height: float, curvature: float, mass: float = 1.0) -> float:
    """The action ``16 sqrt(2)/3 h sqrt(m/a)`` of one period at the saddle's energy in ``U = h (1 - x^2/w^2)^2``.

    The well is that of `double_well` with the curvature a = 8h/w^2 at its minimum, and the action is
    ``2 int sqrt(2 m (h - U)) dx`` from 0 to ``sqrt(2) w``.

    >>> round(quartic_action(3.0, 2.0), 6)
    16.0
    """
    pace = math.sqrt(checks.positive("mass", mass)) / math.sqrt(checks.positive("curvature", curvature))
    return 16.0 * math.sqrt(2.0) / 3.0 * checks.positive("height", height) * pace


def turnover_factor(loss: float) -> float:
    """The factor A of Mel'nikov & Meshkov (1986) for the energy `loss` in one period, in units of the temperature.

    ``A(d) = exp[(1/2pi) int ln(1 - exp(-d (x^2 + 1/4))) / (x^2 + 1/4) dx]`` over the whole line. It behaves like d for
    weak and like 1 for strong friction. It is computed with ``x = tan(s)/2``, which gives
    ``ln A = (1/pi) int ln(1 - exp(-d/(4 cos^2 s))) ds`` from -pi/2 to pi/2. The relative error is below 1e-12 for
    d > 1e-8.

    >>> round(turnover_factor(1e-6) * 1e6, 3), round(turnover_factor(1.0), 4), turnover_factor(300.0)
    (0.999, 0.443, 1.0)
    """
    d = checks.positive("loss", loss)
    u = (_NODES + 1.0) / 2.0  # cos(s) = sin(pi u^3 / 2): nodes gather where cos(s) = 0
    cosine = np.sin(math.pi / 2.0 * u**3)
    with np.errstate(divide="ignore", under="ignore"):
        depth = np.log(-np.expm1(-d / (4.0 * cosine**2)))
    return math.exp(float(np.sum(_WEIGHTS * 1.5 * u**2 * depth)))


def turnover_escape_rate(
    *, height: float, curvature: float, friction: float, mass: float = 1.0, sigma: float = 1.0
) -> float:
    """Escape rate from one minimum of the symmetric quartic double well to the other, for every friction, H = 1/2.

    It is the rate by space times ``A(d)^2 / A(2d)`` with `turnover_factor` A and the loss ``d = gamma J/(m T)`` in one
    period (Mel'nikov & Meshkov 1986 for a double well). The factor counts particles that cross the saddle, lose too
    little energy, and come back. The well is ``double_well(a, a, h)`` with curvature a and barrier height h.

    >>> temperature = 0.2
    >>> frictions = (0.01, 0.1, 1.0, 10.0)  # the rate has a maximum
    >>> rates = [turnover_escape_rate(height=1.0, curvature=4.0, friction=g, sigma=(2.0 * g * temperature) ** 0.5)
    ...          for g in frictions]
    >>> [round(1e3 * rate, 3) for rate in rates]
    [0.163, 0.987, 1.51, 0.297]
    """
    d = friction / mass * quartic_action(height, curvature, mass) / _temperature(friction, sigma)
    by_space = spatial_escape_rate(
        height=height, curvature=curvature, saddle_curvature=curvature / 2.0, friction=friction, mass=mass, sigma=sigma
    )
    return by_space * turnover_factor(d) ** 2 / turnover_factor(2.0 * d)


def _temperature(friction: float, sigma: float) -> float:
    """``sigma^2 / (2 gamma)``."""
    s = checks.positive("sigma", sigma)
    return s / checks.positive("friction", friction) * s / 2.0
