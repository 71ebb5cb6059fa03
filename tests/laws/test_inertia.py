"""Particles with inertia: variances against integrals, the turnover against its limits and against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fbmsde.laws import fou, inertia
from tests.conftest import threshold


def by_quadrature(hurst, friction, mass, curvature, power):
    """``Gamma(2H+1) sin(pi H)/(2 pi) int |w|^power / ((k - m w^2)^2 + gamma^2 w^2) dw`` with w = exp(v)."""
    v = np.arange(-120.0, 120.0, 0.002)
    w = np.exp(v)
    with np.errstate(over="ignore", under="ignore"):
        density = w ** (power + 1.0) / ((curvature - mass * w**2) ** 2 + (friction * w) ** 2)
    front = math.gamma(2.0 * hurst + 1.0) * math.sin(math.pi * hurst) / (2.0 * math.pi)
    return 2.0 * front * float(np.sum(density)) * 0.002


@pytest.mark.parametrize("hurst", [0.15, 0.3, 0.5, 0.7, 0.85])
@pytest.mark.parametrize(("friction", "mass", "curvature"), [(0.5, 1.0, 1.0), (2.0, 1.0, 1.0), (3.0, 0.5, 2.0)])
def test_langevin_variances_are_their_integrals(hurst, friction, mass, curvature):
    """Below, at and beyond critical damping; the trapezoidal rule in log w converges exponentially."""
    setting = dict(friction=friction, mass=mass, curvature=curvature)
    place, speed = (by_quadrature(hurst, power=p - 2.0 * hurst, **setting) for p in (1.0, 3.0))
    assert inertia.langevin_variance(hurst, sigma=1.5, **setting) == pytest.approx(2.25 * place, rel=1e-10)
    assert inertia.langevin_velocity_variance(hurst, sigma=1.5, **setting) == pytest.approx(2.25 * speed, rel=1e-10)


def test_langevin_variance_at_half_and_without_mass():
    """``sigma^2/(2 gamma k)``; a light particle has the variance of the equation without inertia."""
    assert inertia.langevin_variance(0.5, friction=0.3, mass=7.0, curvature=2.0) == pytest.approx(1 / 1.2, rel=1e-13)
    assert inertia.langevin_velocity_variance(0.5, friction=0.3, mass=7.0) == pytest.approx(1 / 4.2, rel=1e-13)
    for hurst in (0.3, 0.7):
        light = inertia.langevin_variance(hurst, friction=2.0, mass=1e-9, curvature=3.0)
        assert light == pytest.approx(fou.fou_stationary_variance(hurst, 1.5, 0.5), rel=1e-3)


@pytest.mark.parametrize("loss", [1e-8, 1e-3, 0.3, 1.0, 5.0, 60.0])
def test_turnover_factor_is_its_integral(loss):
    """In arbitrary precision."""
    mpmath = pytest.importorskip("mpmath")
    points = [0, 0.1, 1, 10, 100, mpmath.inf]
    whole = mpmath.quad(lambda x: mpmath.log(1 - mpmath.exp(-loss * (x * x + 0.25))) / (x * x + 0.25), points)
    assert inertia.turnover_factor(loss) == pytest.approx(float(mpmath.exp(whole / mpmath.pi)), rel=1e-12)


def test_action_is_the_integral_of_the_momentum():
    """Over one period of ``U = h (1 - x^2/w^2)^2``, ``w^2 = 8h/a``, at the energy h."""
    h, a, m = 0.7, 3.0, 1.9
    w = math.sqrt(8.0 * h / a)
    x = math.sqrt(2.0) * w * np.sin((np.arange(4000) + 0.5) / 4000 * math.pi / 2.0)
    momentum = np.sqrt(2.0 * m * (h - h * (1.0 - (x / w) ** 2) ** 2))
    slope = math.sqrt(2.0) * w * np.cos((np.arange(4000) + 0.5) / 4000 * math.pi / 2.0)
    assert inertia.quartic_action(h, a, m) == pytest.approx(np.sum(momentum * slope) * math.pi / 4000, rel=1e-6)


def test_turnover_between_its_limits():
    """By space for strong friction, half of the limit by energy for weak one (both ways down are open), and a maximum.

    At the fixed temperature 0.1, a tenth of the height.
    """
    well = dict(height=1.0, curvature=4.0)

    def rate(friction, formula=inertia.turnover_escape_rate, **more):
        return formula(friction=friction, sigma=math.sqrt(0.2 * friction), **well, **more)

    by_space = rate(50.0, inertia.spatial_escape_rate, saddle_curvature=2.0)
    assert rate(50.0) == pytest.approx(by_space, rel=1e-6)
    assert by_space == pytest.approx(math.sqrt(8.0) / (2 * math.pi * 50.0) * math.exp(-10.0), rel=1e-3)
    by_energy = rate(1e-6, inertia.energy_escape_rate, action=inertia.quartic_action(1.0, 4.0))
    assert rate(1e-6) == pytest.approx(by_energy / 2.0, rel=5e-3)
    rates = np.array([rate(g) for g in np.geomspace(1e-3, 1e2, 60)])
    rising = np.diff(rates) > 0
    assert rising[0] and not rising[-1] and np.count_nonzero(np.diff(rising)) == 1


def passages(friction, temperature, n_paths, seed, steps):
    """Mean number of passages from one minimum of the quartic double well (h = 1, a = 8) to the other, per unit of
    time.

    A passage is counted when a particle is on the other side with less than half of the energy of the barrier: one
    that flies over and comes back has not passed. A step of 0.02 is kick, drift, heat, drift, kick, where heat is the
    exact motion of the velocity under friction and noise.
    """
    rng, dt = np.random.default_rng(seed), 0.02
    x, v = np.full(n_paths, -1.0), math.sqrt(temperature) * rng.standard_normal(n_paths)
    keep = math.exp(-friction * dt)
    heat = math.sqrt(temperature * -math.expm1(-2.0 * friction * dt))
    side, count = np.full(n_paths, -1.0), 0
    force = 4.0 * x * (1.0 - x * x)
    for k in range(steps):
        v += dt / 2.0 * force
        x += dt / 2.0 * v
        v = keep * v + heat * rng.standard_normal(n_paths)
        x += dt / 2.0 * v
        force = 4.0 * x * (1.0 - x * x)
        v += dt / 2.0 * force
        over = (x * side < 0.0) & ((1.0 - x * x) ** 2 + v * v / 2.0 < 0.5)
        count += int(np.count_nonzero(over)) if k >= steps // 4 else 0
        side[over] = -side[over]
    return count / (n_paths * dt * steps * 0.75), count


@pytest.mark.slow
@pytest.mark.parametrize(("friction", "steps"), [(0.05, 20_000), (0.5, 12_000), (5.0, 12_000)])
def test_turnover_against_simulation(friction, steps):
    """Rates at a temperature of a fifth of the barrier height, below the maximum, near it and beyond.

    The ratios of simulation and formula are 0.82, 0.94 and 0.93 with standard errors of 0.04, 0.025 and 0.04 (4000
    paths). Without the factor 1/2 for both ways down the first would be 0.41, and that of the limit by space is 0.18.
    """
    rate, count = passages(friction, 0.2, 2000, 5, steps)
    well = dict(height=1.0, curvature=8.0, friction=friction, sigma=math.sqrt(0.4 * friction))
    ratio = rate / inertia.turnover_escape_rate(**well)
    noise = threshold(3) / math.sqrt(count)
    assert 0.8 * (1.0 - noise) < ratio < 1.05 * (1.0 + noise)


def test_inertia_refuses():
    with pytest.raises(ValueError, match="friction must be positive"):
        inertia.langevin_variance(0.3, friction=0.0)
    with pytest.raises(ValueError, match="mass must be positive"):
        inertia.turnover_escape_rate(height=1.0, curvature=1.0, friction=1.0, mass=-1.0)
    with pytest.raises(ValueError, match="loss must be positive"):
        inertia.turnover_factor(0.0)
