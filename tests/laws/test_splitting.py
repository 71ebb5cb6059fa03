"""Sides, balls, resetting and stable exits: against series, differential equations and simulation."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, optimize, special

from fbmsde.dynamics.landscapes import double_well, quadratic
from fbmsde.laws import fou, splitting, stable
from tests.conftest import threshold

# ---------------------------------------------------------------------------------------------------------------------
# Sides and balls


@pytest.mark.parametrize("drift", [-40.0, -1.0, -1e-9, 0.0, 1e-9, 0.7, 40.0])
def test_side_of_brownian_motion_by_its_scale_function(drift):
    """A slope as the potential, and the closed form; both ends add up; a strong push keeps its digits."""
    domain, x0, sigma = (-1.0, 2.0), 0.3, 0.8
    top = splitting.brownian_exit_at_top(x0, domain, drift=drift, sigma=sigma)
    mirrored = splitting.brownian_exit_at_top(-x0, (-2.0, 1.0), drift=-drift, sigma=sigma)
    by_scale = splitting.exit_at_top(lambda x: -drift * x, x0, domain, sigma=sigma)
    assert top == pytest.approx(by_scale, rel=1e-9)
    assert top + mirrored == pytest.approx(1.0, rel=1e-12)
    if drift == 0.0:
        assert top == pytest.approx(1.3 / 3.0, rel=1e-14)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 5.0])
def test_side_of_the_ornstein_uhlenbeck_process(sigma):
    """``(erfi(x) - erfi(a)) / (erfi(b) - erfi(a))`` in units of sigma / sqrt(a)."""
    x, a, b = (math.sqrt(1.5) / sigma * np.array([0.4, -0.9, 1.1])).tolist()
    exact = (special.erfi(x) - special.erfi(a)) / (special.erfi(b) - special.erfi(a))
    assert splitting.exit_at_top(quadratic(1.5), 0.4, (-0.9, 1.1), sigma=sigma) == pytest.approx(exact, rel=1e-10)


def test_side_solves_its_differential_equation():
    """``sigma^2/2 P'' = U' P'`` on a double well with a kink in its second derivative, by integrating the scale."""
    well, domain = double_well(4.0, 1.0, 1.0), (-1.7, 2.5)
    scale = lambda y: math.exp(2.0 * float(well.energy(y)) / 0.64)  # noqa: E731
    for x0 in (-1.5, -0.2, 2.0):
        below, above = (
            integrate.quad(scale, *ends, points=[0.0], limit=200)[0] for ends in ((domain[0], x0), (x0, domain[1]))
        )
        exact = below / (below + above)
        assert splitting.exit_at_top(well, x0, domain, sigma=0.8) == pytest.approx(exact, rel=1e-8)


@pytest.mark.slow
def test_ball_and_its_places_against_simulation():
    """Mean time from two starts in three dimensions by ever smaller steps near the rim; uniform places from the centre.

    A step has the standard deviation of a third of the distance to the rim, and paths end within 1e-3 of it, which
    moves the mean by 0.1 %. Catches a mean that is 7 % off.
    """
    n, rng = 20_000, np.random.default_rng(9)
    for distance in (0.0, 0.7):
        x, t = np.zeros((n, 3)), np.zeros(n)
        x[:, 0] = distance
        inside = np.arange(n)
        while inside.size:
            gap = 1.0 - np.linalg.norm(x[inside], axis=1)
            inside, gap = inside[gap > 1e-3], gap[gap > 1e-3]
            step = (np.maximum(gap, 0.01) / 3.0) ** 2
            x[inside] += np.sqrt(step)[:, None] * rng.standard_normal((inside.size, 3))
            t[inside] += step
        exact = splitting.ball_mean_exit_time(1.0, distance=distance, dim=3)
        assert abs(t.mean() - exact) < 3e-3 + threshold(5) * t.std() / math.sqrt(n)
        if distance == 0.0:
            place = x / np.linalg.norm(x, axis=1)[:, None]
            z = place.mean(axis=0) * math.sqrt(3.0 * n)  # a coordinate is uniform on (-1, 1): variance 1/3
            assert np.abs(z).max() < threshold(5)


@pytest.mark.parametrize("drift", [-0.5, 0.0, 0.8])
def test_resetting_by_the_transform_of_the_passage(drift):
    """The closed form, and the transform ``int exp(-r t) p(t) dt`` of the inverse Gaussian density."""
    b, r, sigma = 1.2, 0.6, 0.9

    def density(t):
        return b / math.sqrt(2 * math.pi * sigma**2 * t**3) * math.exp(-((b - drift * t) ** 2) / (2 * sigma**2 * t))

    def transform(rate):
        return integrate.quad(lambda t: math.exp(-rate * t) * density(t), 0.0, math.inf, limit=400)[0]

    by_transform = splitting.resetting_mean_time(transform, r)
    found = splitting.brownian_resetting_mean_time(b, r, drift=drift, sigma=sigma)
    assert found == pytest.approx(by_transform, rel=1e-7)
    rare = splitting.brownian_resetting_mean_time(b, 1e-14, drift=0.8, sigma=sigma)
    assert rare == pytest.approx(b / 0.8, rel=1e-9)


def test_best_rate_of_resetting_is_the_minimum():
    """Numerically, for another barrier and another noise."""
    best = optimize.minimize_scalar(
        lambda r: splitting.brownian_resetting_mean_time(2.0, r, sigma=0.7), bounds=(1e-3, 2.0), method="bounded"
    )
    assert splitting.best_resetting_rate(2.0, sigma=0.7) == pytest.approx(best.x, rel=1e-4)


def test_splitting_refuses():
    with pytest.raises(ValueError, match=r"x0 must lie strictly inside the domain \(0\.0, 1\.0\), got 1\.0"):
        splitting.brownian_exit_at_top(1.0, (0.0, 1.0))
    with pytest.raises(ValueError, match="domain must have two finite ends"):
        splitting.exit_at_top(quadratic(), 0.0, (-math.inf, 1.0))
    with pytest.raises(ValueError, match="domain must have two finite ends"):
        splitting.brownian_exit_at_top(0.0, (-math.inf, 1.0))
    with pytest.raises(ValueError, match=r"distance must lie in \[0, radius = 1\.0\), got 1\.0"):
        splitting.ball_mean_exit_time(1.0, distance=1.0)
    with pytest.raises(ValueError, match=r"laplace must return a value in \(0, 1\], got 2\.0"):
        splitting.resetting_mean_time(lambda r: 2.0, 1.0)
    with pytest.raises(ValueError, match="rate must be positive"):
        splitting.brownian_resetting_mean_time(1.0, 0.0)


# ---------------------------------------------------------------------------------------------------------------------
# Stable noise


def variates(alpha, size, rng):
    """Unit symmetric stable variates by the formula of Chambers, Mallows and Stuck."""
    u = math.pi * (rng.random(size) - 0.5)
    w = rng.standard_exponential(size)
    if alpha == 1.0:
        return np.tan(u)
    front = np.sin(alpha * u) / np.cos(u) ** (1.0 / alpha)
    return front * (np.cos((1.0 - alpha) * u) / w) ** ((1.0 - alpha) / alpha)


@pytest.mark.parametrize(("alpha", "mean"), [(1.0, 1.0), (1.3, 0.857), (1.5, 0.752), (1.8, 0.5965), (2.0, 0.5)])
def test_mean_exit_time_of_stable_motion(alpha, mean):
    """From the centre of (-1, 1); the ball in one dimension; any interval by shift and scale; Brownian motion at 2."""
    assert stable.stable_mean_exit_time(alpha, (-1.0, 1.0)) == pytest.approx(mean, abs=5e-4)
    line = stable.stable_ball_mean_exit_time(alpha, 1.5, distance=0.4, sigma=0.7)
    interval = stable.stable_mean_exit_time(alpha, (3.5, 6.5), x0=5.4, sigma=0.7)
    assert line == pytest.approx(interval, rel=1e-13)
    brownian = splitting.ball_mean_exit_time(1.5, distance=0.4, dim=4, sigma=math.sqrt(2.0) * 0.7)
    assert stable.stable_ball_mean_exit_time(2.0, 1.5, distance=0.4, dim=4, sigma=0.7) == pytest.approx(brownian)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 1.5, 1.9])
def test_jump_constant_gives_the_characteristic_function(alpha):
    """``2 C int_0^inf (1 - cos x) x^(-1-alpha) dx = 1``, whose far part is an oscillating integral."""
    near = integrate.quad(lambda x: 2.0 * math.sin(x / 2.0) ** 2 * x ** (-1.0 - alpha), 0.0, 1.0, limit=200)[0]
    far = 1.0 / alpha - integrate.quad(lambda x: x ** (-1.0 - alpha), 1.0, math.inf, weight="cos", wvar=1.0)[0]
    assert 2.0 * stable.stable_jump_constant(alpha) * (near + far) == pytest.approx(1.0, rel=1e-6)
    assert stable.stable_jump_constant(2.0) == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [1.2, 1.5])
def test_weak_stable_noise_in_a_well(alpha):
    """Rate and side of exits from (-1, 2) in the harmonic well, noise 0.1; catches a rate 15 % off.

    The measured ratios of this limit are 0.96 and 0.95: the bounds allow 0.9 to 1.02.
    """
    n, dt, sigma, rng = 3000, 0.02, 0.1, np.random.default_rng(21)
    x, t = np.zeros(n), np.zeros(n)
    inside, clock = np.arange(n), 0.0
    while inside.size:
        x[inside] += -dt * x[inside] + sigma * dt ** (1.0 / alpha) * variates(alpha, inside.size, rng)
        clock += dt
        left = (x[inside] <= -1.0) | (x[inside] >= 2.0)
        t[inside[left]] = clock
        inside = inside[~left]
    noise = threshold(4) / math.sqrt(n)
    ratio = stable.stable_exit_rate(alpha, (-1.0, 2.0), sigma=sigma) * t.mean()
    assert 0.9 * (1.0 - noise) < ratio < 1.02 * (1.0 + noise)
    top = stable.stable_exit_at_top(alpha, (-1.0, 2.0))
    assert abs(np.mean(x > 0.0) - top) < 0.01 + noise * math.sqrt(top * (1.0 - top))


def test_open_sides_and_refusals_of_stable_exits():
    """One open side adds no jumps; every message."""
    both = stable.stable_exit_rate(1.5, (-1.0, 2.0))
    ends = stable.stable_exit_rate(1.5, (-1.0, None)) + stable.stable_exit_rate(1.5, (None, 2.0))
    assert both == pytest.approx(ends, rel=1e-14)
    assert stable.stable_exit_at_top(1.5, (None, 2.0)) == 1.0
    for alpha in (0.0, 2.1, -1.0, math.nan):
        with pytest.raises(ValueError, match=r"alpha must lie in \(0, 2\], got"):
            stable.stable_index(alpha)
    with pytest.raises(ValueError, match="domain must hold the minimum at 0 inside"):
        stable.stable_exit_rate(1.5, (0.5, 1.0))
    with pytest.raises(ValueError, match="Nothing leaves the whole line"):
        stable.stable_exit_rate(1.5, (None, None))
    with pytest.raises(ValueError, match="domain must have two finite ends"):
        stable.stable_mean_exit_time(1.5, (None, 1.0))
    with pytest.raises(ValueError, match="x0 must lie strictly inside"):
        stable.stable_mean_exit_time(1.5, (0.0, 1.0))
    with pytest.raises(ValueError, match=r"distance must lie in \[0, radius"):
        stable.stable_ball_mean_exit_time(1.5, 1.0, distance=-0.1)


# ---------------------------------------------------------------------------------------------------------------------
# Time averages of the fractional Ornstein-Uhlenbeck process


@pytest.mark.parametrize("hurst", [0.1, 0.3, 0.5, 0.7, 0.95])
def test_variance_of_a_time_average(hurst):
    """``2/T^2 int_0^T (T - t) r(t) dt`` by quadrature on both sides of a T = 1, and the limits of both ends."""
    variance = fou.fou_stationary_variance(hurst)

    def weighted(t, horizon):
        return 2.0 * variance * (horizon - t) / horizon**2 * float(fou.fou_autocorrelation(hurst, t))

    for horizon in (0.5, 0.999999, 1.000001, 20.0):
        edges = [0.0, *(x for x in (1e-6, 1e-3, 0.1, 1.0, 5.0) if x < horizon), horizon]
        exact = sum(
            integrate.quad(weighted, *ends, args=(horizon,), limit=400, epsrel=1e-11)[0] for ends in pairwise(edges)
        )
        assert fou.fou_mean_variance(hurst, horizon) == pytest.approx(exact, rel=1e-8)
        scaled = fou.fou_mean_variance(hurst, horizon / 3.0, 3.0, 2.0)
        assert scaled == pytest.approx(4.0 * 3.0 ** (-2 * hurst) * exact, rel=1e-8)
    assert fou.fou_mean_variance(hurst, 1e-40) == pytest.approx(variance, rel=1e-6)
    late = 1e16 if hurst < 0.2 else 1e8
    assert fou.fou_mean_variance(hurst, late, 2.0, 3.0) == pytest.approx(9 / 4 * late ** (2 * hurst - 2), rel=2e-2)
    with pytest.raises(ValueError, match="horizon must be positive"):
        fou.fou_mean_variance(0.5, [1.0, 0.0])
