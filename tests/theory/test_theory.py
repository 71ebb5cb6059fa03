"""Closed forms against exact values, against each other and against simulation."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special
from scipy.stats import norm

from fbmsde import Accuracy, FractionalNoise, first_passage, theory
from fbmsde.dynamics.landscapes import Landscape, quadratic
from fbmsde.laws import _extremes_tables as _tables
from fbmsde.laws import diffusions, extremes, fou
from fbmsde.theory import formula, registry, sharp_or_flat
from fbmsde.theory.formula import EXIT, FBM, PASSAGE
from fbmsde.theory.registry import FORMULAS
from tests.gaussian_paths import fbm_paths, stationary_paths

ALPHA = 1e-6
UNIT = math.sqrt(2.0)  # the sigma that makes the stationary variance 1 at H = 1/2, curvature 1


def euler_chain_exit(barrier: float, dt: float, sides: int) -> tuple[float, float]:
    """Exit rate and mean exit time from 0 of the Euler chain with a = 1, sigma^2 = 2, from its transition operator."""
    lower = -9.0 if sides == 1 else -barrier
    x, w = np.polynomial.legendre.leggauss(500)
    x, w = lower + (barrier - lower) * (x + 1.0) / 2.0, w * (barrier - lower) / 2.0
    step = UNIT * math.sqrt(dt)
    kernel = norm.pdf(x, (1.0 - dt) * x[:, None], step) * w
    rate = -math.log(np.abs(np.linalg.eigvals(kernel)).max()) / dt
    mean = dt + norm.pdf(x, 0.0, step) * w @ np.linalg.solve(np.eye(x.size) - kernel, np.full(x.size, dt))
    return rate, float(mean)


# ---------------------------------------------------------------------------------------------------------------------
# Diffusions


@pytest.mark.parametrize(
    ("barrier", "mean", "inverse_rate"),
    [
        (1.0, 2.093406649678322, 2.5757376684),
        (2.0, 10.428409397945999, 10.2801763520),
        (2.5, 27.014228797194101, 26.5415031069),
        (3.0, 86.931619898888341, 86.1645299917),
        (3.5, 364.357840834384198, 363.347511783),
        (4.0, 2018.392383646646520, 2017.19063458),
    ],
)
def test_ornstein_uhlenbeck_numbers(barrier, mean, inverse_rate):
    """Mean: ``sqrt(2 pi) int_0^k exp(z^2/2) Phi(z) dz`` in 25 digits; rate: zero of the parabolic cylinder function."""
    well = lambda x: x * x / 2.0  # noqa: E731
    assert diffusions.mean_exit_time(well, 0.0, (-math.inf, barrier), sigma=UNIT) == pytest.approx(mean, rel=1e-11)
    assert diffusions.mean_exit_time(well, 0.0, (-barrier, math.inf), sigma=UNIT) == pytest.approx(mean, rel=1e-11)
    assert 1.0 / diffusions.ou_exit_rate(barrier, sigma=UNIT) == pytest.approx(inverse_rate, rel=1e-10)


@pytest.mark.parametrize(
    ("potential", "barrier", "mean"),
    [(lambda x: x * x / 2, 1.2, 27.43273915), (lambda x: x**4 / 4, 1.5, 323.72474831), (abs, 1.0, 45.38071349)],
)
def test_two_sided_mean_exit_times(potential, barrier, mean):
    """Three wells, one with a kink, at low noise; every half of a symmetric domain with a mirror gives the same."""
    assert diffusions.mean_exit_time(potential, 0.0, (-barrier, barrier), sigma=0.6) == pytest.approx(mean, rel=1e-9)


def test_mean_exit_time_of_free_motion_and_of_a_slope():
    """Brownian motion: (b - x)(x - a)/sigma^2; down a slope mu to the wall: distance / mu."""
    free = diffusions.mean_exit_time(lambda x: 0.0, 0.3, (-1.0, 2.0), sigma=0.5)
    assert free == pytest.approx(1.7 * 1.3 / 0.25, rel=1e-12)
    wall = diffusions.mean_exit_time(lambda x: x * 0.7, 5.0, (0.0, math.inf), sigma=0.3)
    assert wall == pytest.approx(5.0 / 0.7, rel=1e-10)


def test_mean_exit_time_takes_an_asymmetric_domain_and_its_mirror():
    """The potential, the start and the domain reflected."""
    tilted = lambda x: x**4 / 4 - x**2 / 2 + 0.1 * x  # noqa: E731
    one = diffusions.mean_exit_time(tilted, -0.9, (-1.7, 0.4), sigma=0.3)
    other = diffusions.mean_exit_time(lambda x: tilted(-x), 0.9, (-0.4, 1.7), sigma=0.3)
    assert one == pytest.approx(other, rel=1e-11)
    left = diffusions.mean_exit_time(tilted, -0.9, (-math.inf, 0.4), sigma=0.3)
    far = diffusions.mean_exit_time(tilted, -0.9, (-4.0, 0.4), sigma=0.3)
    assert left == pytest.approx(far, rel=1e-10)


def test_mean_exit_time_takes_a_landscape():
    """With its parameters."""
    by_hand = diffusions.mean_exit_time(lambda x: 1.5 * x * x, 0.0, (-1.0, 1.0), sigma=0.8)
    assert diffusions.mean_exit_time(quadratic(3.0), 0.0, (-1.0, 1.0), sigma=0.8) == pytest.approx(by_hand, rel=1e-12)


def test_mean_exit_time_satisfies_its_differential_equation():
    """``sigma^2/2 T'' - U' T' = -1``, by central differences of the answer over the double well."""
    well, slope, sigma, h = lambda x: (x * x - 1) ** 2 / 4, lambda x: x**3 - x, 0.6, 1e-3
    for x in (-1.1, -0.4, 0.2):
        low, mid, high = (diffusions.mean_exit_time(well, x + d, (-1.8, 0.5), sigma=sigma) for d in (-h, 0.0, h))
        residual = sigma**2 / 2 * (high - 2 * mid + low) / h**2 - slope(x) * (high - low) / (2 * h)
        assert residual == pytest.approx(-1.0, abs=2e-3)


def test_mean_exit_time_refuses():
    """Every message."""
    well = lambda x: x * x  # noqa: E731
    with pytest.raises(ValueError, match=r"x0 must lie strictly inside the domain \(0.0, 1.0\), got 1.0"):
        diffusions.mean_exit_time(well, 1.0, (0.0, 1.0))
    with pytest.raises(ValueError, match="domain must have a finite end"):
        diffusions.mean_exit_time(well, 1.0, (-math.inf, math.inf))
    with pytest.raises(ValueError, match="potential must rise without bound on an open side"):
        diffusions.mean_exit_time(lambda x: 0.0, 0.0, (-math.inf, 1.0))
    with pytest.raises(ValueError, match="potential must be finite"):
        diffusions.mean_exit_time(lambda x: math.nan, 0.0, (-1.0, 1.0))
    with pytest.raises(ValueError, match="potential must be one-dimensional, got 2 dimensions"):
        diffusions.mean_exit_time(Landscape(lambda x: x[0] ** 2 + x[1] ** 2, dim=2), 0.0, (-1.0, 1.0))
    with pytest.raises(ValueError, match="sigma must be positive"):
        diffusions.mean_exit_time(well, 0.0, (-1.0, 1.0), sigma=0.0)
    with pytest.raises(ValueError, match="below 1e300"):
        diffusions.mean_exit_time(well, 0.0, (-1.0, 1.0), sigma=0.03)


@pytest.mark.parametrize("k", [0.5, 1.0, 2.0, 5.0, 8.0])
def test_eigenvalues_are_zeros_of_the_parabolic_cylinder_function(k):
    """Against arbitrary precision, down to rates of 4e-14; two sides: zeros of the Hermite polynomials He_2, He_4."""
    mpmath = pytest.importorskip("mpmath")
    nu = diffusions.ou_exit_rate(k, sigma=UNIT)
    assert float(mpmath.findroot(lambda n: mpmath.pcfd(n, -k), nu)) == pytest.approx(nu, rel=1e-12)
    assert diffusions.ou_exit_rate(1.0, sigma=UNIT, sides=2) == pytest.approx(2.0, rel=1e-13)
    assert diffusions.ou_exit_rate(math.sqrt(3 - math.sqrt(6)), sigma=UNIT, sides=2) == pytest.approx(4.0, rel=1e-12)
    assert diffusions.ou_exit_rate(k, curvature=3.0, sigma=UNIT * 3**0.5) == pytest.approx(3 * nu, rel=1e-12)


def test_eigenvalue_of_a_narrow_slit_is_that_of_free_motion():
    """``pi^2 sigma^2 / (8 b^2)`` for b -> 0."""
    assert diffusions.ou_exit_rate(0.01, sides=2) == pytest.approx(math.pi**2 / 8 / 1e-4, rel=1e-4)


@pytest.mark.parametrize("k", [9.99, 10.01, 20.0, 36.5])
@pytest.mark.parametrize("sides", [1, 2])
def test_eigenvalues_of_high_barriers(k, sides):
    """The cylinder function, or its even companion, changes sign within 1e-12 of nu, in arbitrary precision."""
    mpmath = pytest.importorskip("mpmath")
    nu = diffusions.ou_exit_rate(k, sigma=UNIT, sides=sides)
    with mpmath.workdps(60 if sides == 1 else 350):
        low, high = (mpmath.mpf(nu) * (1 + mpmath.mpf(e)) for e in (-1e-12, 1e-12))
        zero_of = (lambda n: mpmath.pcfd(n, -k)) if sides == 1 else (lambda n: mpmath.hyp1f1(-n / 2, 0.5, k * k / 2))
        assert zero_of(low) > 0 > zero_of(high)
    faster = diffusions.ou_exit_rate(k, curvature=1e9, sigma=UNIT * 10**4.5, sides=sides)
    assert faster == pytest.approx(1e9 * nu, rel=1e-11)


def test_eigenvalue_where_floats_end():
    """A rate that no float holds is 0; a fast clock brings it back: ``log nu`` from ``k exp(-k^2/2) / sqrt(2 pi)``."""
    assert diffusions.ou_exit_rate(50.0, sigma=UNIT) == 0.0 == diffusions.ou_exit_rate(1e200, sigma=1e-200)
    back = diffusions.ou_exit_rate(50.0, curvature=1e300, sigma=UNIT * 1e150)
    log_nu = math.log(50.0) - 1250.0 - math.log(2 * math.pi) / 2 + math.log1p(-1 / 2500.0 - 2 / 2500.0**2)
    assert math.log(back) == pytest.approx(300 * math.log(10.0) + log_nu, abs=1e-9)
    slit = [diffusions.ou_exit_rate(k, sigma=UNIT, sides=2) * k * k for k in (1e-150, 0.9999e-3, 1.0001e-3)]
    assert slit == pytest.approx([math.pi**2 / 4] * 3, rel=1e-6)
    assert slit[1] == pytest.approx(slit[2], rel=1e-9)


STARTS = [(0.0, 3.0), (-0.7, 1.3), (1.1, 1.1000001), (0.4, 7.1), (-9.0, 0.2), (0.0, 1e-6)]


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize(("x0", "barrier"), STARTS)
def test_mean_exit_time_of_the_process_against_arbitrary_precision(x0, barrier, sides):
    """``sqrt(pi) int exp(w^2) erfc(-w) dw``, or of erf(w), and `mean_exit_time` of the harmonic well."""
    mpmath = pytest.importorskip("mpmath")
    x0 = min(abs(x0), barrier / 2) if sides == 2 and abs(x0) > barrier else x0
    with mpmath.workdps(30):
        inner = (lambda w: mpmath.erfc(-w)) if sides == 1 else mpmath.erf
        start = mpmath.mpf(x0 if sides == 1 else abs(x0))
        points = [start, *(x for x in range(-9, 8) if start < x < barrier), mpmath.mpf(barrier)]
        exact = float(mpmath.sqrt(mpmath.pi) * mpmath.quad(lambda w: mpmath.exp(w * w) * inner(w), points))
    value = diffusions.ou_mean_exit_time(barrier, x0=x0, sides=sides)
    assert value == pytest.approx(exact, rel=1e-12)
    domain = (-math.inf if sides == 1 else -barrier, barrier)
    if barrier > 1e-3:
        assert diffusions.mean_exit_time(quadratic(), x0, domain) == pytest.approx(exact, rel=1e-9)


def test_mean_exit_time_of_the_process_from_far_away():
    """From the left of x = -10 it grows by ``log(x0 / x1) / a``, to 1 / (4 x^2); beyond 1e300 it is refused."""
    near, far, farthest = (diffusions.ou_mean_exit_time(1.0, x0=x, curvature=2.0) for x in (-1e5, -1e9, -1e100))
    assert far - near == pytest.approx(4 * math.log(10.0) / 2.0, rel=1e-10)
    assert farthest - near == pytest.approx(95 * math.log(10.0) / 2.0, rel=1e-12)
    with pytest.raises(ValueError, match=r"barrier must leave a mean exit time below 1e300, got exp\(897\.2\)"):
        diffusions.ou_mean_exit_time(30.0)
    with pytest.raises(ValueError, match=r"x0 must lie inside the barrier, got -1\.5 and a barrier at 1.0"):
        diffusions.ou_mean_exit_time(1.0, x0=-1.5, sides=2)
    with pytest.raises(ValueError, match="sides must be 1 or 2"):
        diffusions.ou_mean_exit_time(1.0, sides=0)


def test_eigenvalue_refuses():
    with pytest.raises(ValueError, match="sides must be 1 or 2, got 3"):
        diffusions.ou_exit_rate(1.0, sides=3)
    with pytest.raises(ValueError, match="barrier must be positive"):
        diffusions.ou_exit_rate(-1.0)


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize(("barrier", "dt", "tolerance"), [(2.0, 0.02, 1e-3), (3.0, 0.05, 5e-3), (3.0, 0.1, 1e-2)])
def test_euler_chain_formulas_against_the_transition_operator(sides, barrier, dt, tolerance):
    """The chain's exit rate and mean time, solved by quadrature; catches a shift that is wrong by 2 %."""
    rate, mean = euler_chain_exit(barrier, dt, sides)
    problem = dict(hurst=0.5, sigma=UNIT, barrier=barrier, dt=dt, sides=sides)
    assert FORMULAS["ou_eigenvalue_grid"].evaluate(**problem) == pytest.approx(rate, rel=tolerance)
    assert FORMULAS["ou_mean_exit_grid"].evaluate(**problem) == pytest.approx(mean, rel=tolerance)


def test_brownian_survival_is_the_integral_of_the_inverse_gaussian_density():
    """``L / sqrt(2 pi sigma^2 t^3) exp(-(L - mu t)^2 / (2 sigma^2 t))``, integrated; the total mass for mu < 0."""
    length, drift, sigma = 1.3, 0.4, 0.8

    def density(t):
        return (
            length
            / math.sqrt(2 * math.pi * sigma**2 * t**3)
            * math.exp(-((length - drift * t) ** 2) / (2 * sigma**2 * t))
        )

    left = diffusions.brownian_survival(2.0, [0.5, 2.0, 5.0], drift=drift, sigma=sigma, x0=0.7)
    assert left == pytest.approx([1 - integrate.quad(density, 0, t)[0] for t in (0.5, 2.0, 5.0)], abs=1e-8)
    never = diffusions.brownian_survival(1.0, 1e6, drift=-0.5)
    assert never == pytest.approx(1 - math.exp(-1.0), rel=1e-9)


@pytest.mark.parametrize("drift", [-30.0, -0.1, 0.0, 0.1, 10.0])
@pytest.mark.parametrize("barrier", [1e-100, 1e-10, 0.00332, 0.00334, 0.0999, 0.1001, 1.0])
def test_brownian_survival_keeps_its_digits_where_it_is_small(drift, barrier):
    """Relative error against arbitrary precision; the plain difference of two terms is off by 7e-7 at b = 1e-10."""
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(330):
        b, mu = mpmath.mpf(barrier), mpmath.mpf(drift)
        exact = float(mpmath.ncdf(b - mu) - mpmath.exp(2 * mu * b) * mpmath.ncdf(-b - mu))
    assert diffusions.brownian_survival(barrier, 1.0, drift=drift) == pytest.approx(exact, rel=1e-11)


def test_interval_survival_keeps_its_digits_near_an_end():
    """Before the other end is felt, that of a half line; a difference of images loses seven digits."""
    for x0 in (1e-100, 1e-9):
        one = diffusions.brownian_interval_survival(1e-3, (0.0, 1.0), x0=x0)
        assert one == pytest.approx(math.sqrt(2 / (math.pi * 1e-3)) * x0, rel=1e-12)
    assert diffusions.brownian_interval_survival(1e-3, (-1.0, 0.0), x0=-1e-9) == one


def test_interval_survival_joins_series_and_images():
    """Both forms agree where they meet; the late decay is that of the first sine; a far wall is no wall."""
    near = diffusions.brownian_interval_survival([0.3 * 9 - 1e-9, 0.3 * 9 + 1e-9], (-1.0, 2.0), x0=0.4)
    assert near[0] == pytest.approx(near[1], rel=1e-8)
    late = diffusions.brownian_interval_survival([5.0, 6.0], (-1.0, 1.0))
    assert late[1] / late[0] == pytest.approx(math.exp(-(math.pi**2) / 8), rel=1e-12)
    with pytest.raises(ValueError, match="times must be at least 0"):
        diffusions.brownian_interval_survival([-1.0], (-1.0, 1.0))
    one = diffusions.brownian_interval_survival([0.1, 1.0], (-50.0, 1.0))
    assert one == pytest.approx(diffusions.brownian_survival(1.0, [0.1, 1.0]), rel=1e-12)


# ---------------------------------------------------------------------------------------------------------------------
# Constants of extremes


def test_barrier_shift_at_half_and_in_between():
    """Exact at 1/2, decreasing, and within four standard errors of an independent measurement."""
    assert extremes.barrier_shift(0.5) == pytest.approx(0.58259715793901, rel=1e-12)
    h = np.linspace(0.02, 0.99, 195)
    assert np.all(np.diff([extremes.barrier_shift(x) for x in h]) < 0)
    known = {0.2: (1.529, 0.006), 0.3: (1.047, 0.004), 0.4: (0.768, 0.003), 0.6: (0.446, 0.002), 0.7: (0.337, 0.002)}
    known |= {0.8: (0.243, 0.002), 0.9: (0.156, 0.001)}
    for hurst, (value, error) in known.items():
        assert extremes.barrier_shift(hurst) == pytest.approx(value, abs=4 * error)
    with pytest.raises(ValueError, match=r"hurst must be at least 0\.02"):
        extremes.barrier_shift(0.01)


@pytest.mark.parametrize("hurst", [0.25, 0.4, 0.6, 0.8])
def test_barrier_shift_makes_grids_agree(hurst):
    """Maxima on 1024 and on every fourth point of one path, where they are far from the ends, differ by the shifts.

    Power: a beta_H that is 12 % off, of which 3 % are granted to the finite grids.
    """
    n = 1024
    paths = fbm_paths(hurst, n, 6000, seed=11)
    middle = paths[np.abs(paths.argmax(axis=1) / n - 0.5) < 0.25]
    gap = middle.max(axis=1) - middle[:, ::4].max(axis=1)
    beta = extremes.barrier_shift(hurst)
    expected = beta * (4.0**hurst - 1.0) * n**-hurst
    z = (abs(gap.mean() - expected) - 0.03 * expected) / (gap.std(ddof=1) / math.sqrt(len(middle)))
    assert z < norm.isf(ALPHA / 8)


def test_pickands_constant_where_it_is_known():
    """alpha = 1 and 2 in continuous time and on grids, the slope at 1, the wide grid, and a fine grid's correction."""
    assert extremes.pickands_constant(1.0) == pytest.approx(1.0, rel=1e-14)
    assert extremes.pickands_constant(2.0) == pytest.approx(1 / math.sqrt(math.pi), rel=1e-5)
    delta = np.array([1e-3, 0.1, 0.5, 1.0, 2.0, 5.0, 20.0])
    assert extremes.pickands_constant(2.0, delta) == pytest.approx(special.erf(delta / 2) / delta, rel=2e-4)
    k = np.arange(1, 200_000)
    walk = [math.exp(-2 * np.sum(special.ndtr(-np.sqrt(d * k / 2)) / k)) / d for d in (0.01, 0.3, 4.0)]
    assert extremes.pickands_constant(1.0, [0.01, 0.3, 4.0]) == pytest.approx(walk, rel=1e-10)
    slope = (extremes.pickands_constant(1.02) - extremes.pickands_constant(0.98)) / 0.04
    assert slope == pytest.approx(-np.euler_gamma, abs=0.02)
    assert extremes.pickands_constant(0.7, 200.0) == pytest.approx(1 / 200.0, rel=1e-3)
    fine = extremes.pickands_constant(1.4) * math.exp(-UNIT * extremes.barrier_shift(0.7) * 0.01**0.7)
    assert extremes.pickands_constant(1.4, 0.01) == pytest.approx(fine, rel=1e-3)


def test_pickands_constant_against_an_independent_measurement():
    """Values and errors of a separate program, in four errors."""
    known = {0.6: (1.25, 0.02), 0.8: (1.13, 0.01), 1.2: (0.901, 0.005), 1.4: (0.812, 0.004), 1.6: (0.733, 0.003)}
    known |= {1.8: (0.658, 0.002)}
    for alpha, (value, error) in known.items():
        assert extremes.pickands_constant(alpha) == pytest.approx(value, abs=4 * error)
    grid = extremes.pickands_constant(0.6, np.geomspace(1e-9, 1e3, 300))
    assert np.all(np.diff(grid) < 0) and np.all(grid < extremes.pickands_constant(0.6))


@pytest.mark.parametrize("hurst", [0.35, 0.75])
def test_pickands_constant_of_a_grid_is_a_probability(hurst):
    """``delta P^delta`` = P(Z < 0 at all other points), by simulation at s = 1. Power: an error of 8 %."""
    n = 1024
    walk = fbm_paths(hurst, n, 6000, seed=12) * n**hurst
    walk = walk - walk[:, n // 2 : n // 2 + 1]
    z = math.sqrt(2.0) * walk - np.abs(np.arange(n + 1) - n // 2) ** (2 * hurst)
    stays = np.mean(np.delete(z, n // 2, axis=1).max(axis=1) < 0)
    predicted = float(extremes.pickands_constant(2 * hurst, 1.0))
    assert abs(stays - predicted) < norm.isf(ALPHA / 4) * math.sqrt(predicted * (1 - predicted) / 6000)


def test_pickands_constant_refuses():
    with pytest.raises(ValueError, match=r"alpha must lie in \[0.4, 2\], got 0.3"):
        extremes.pickands_constant(0.3)
    with pytest.raises(ValueError, match="delta must be at least 0"):
        extremes.pickands_constant(1.0, [0.1, -0.1])


@pytest.mark.parametrize("hurst", [0.25, 0.4, 0.6, 0.8])
def test_law_of_the_maximum_against_paths(hurst):
    """Distribution at four levels and the mean, maxima raised by the grid shift. Power: a probability 0.035 off."""
    n = 1024
    top = fbm_paths(hurst, n, 6000, seed=13).max(axis=1) + extremes.barrier_shift(hurst) * n**-hurst
    levels = np.array([0.3, 0.8, 1.4, 2.2])
    probability = extremes.fbm_maximum_cdf(hurst, levels)
    error = np.sqrt(np.maximum(probability * (1 - probability), 0.01) / top.size)
    bound = norm.isf(ALPHA / (2 * 5 * 4))
    assert np.max(np.abs(np.mean(top[:, None] < levels, axis=0) - probability) / error) < bound
    assert abs(top.mean() - extremes.fbm_maximum_mean(hurst)) / (top.std() / math.sqrt(top.size)) < bound


def test_law_of_the_maximum_is_a_distribution_and_consistent():
    """Monotone, 0 to 1, exact at 1/2; its mean is the tabulated mean."""
    for hurst in np.linspace(0.1, 0.9, 33):
        lowest = max(0.001, 15 * (0.2 - hurst))
        z = np.concatenate([np.linspace(-1.0, 0.0, 11), np.linspace(lowest, 9.0, 2001)])
        law = extremes.fbm_maximum_cdf(hurst, z)
        assert np.all(np.diff(law) >= 0) and np.all(law[z <= 0] == 0)
        assert law[-1] == pytest.approx(1.0, abs=1e-3 if hurst < 0.2 else 1e-6)
        mean = integrate.trapezoid(1 - law[z >= 0], z[z >= 0])  # the first piece, from 0, has probability 1 - S/2
        assert mean == pytest.approx(extremes.fbm_maximum_mean(hurst), rel=0.01)
    levels = np.geomspace(1e-3, 9.0, 200)
    assert extremes.fbm_maximum_cdf(0.5, levels) == pytest.approx(special.erf(levels / UNIT), rel=1e-12)
    with pytest.raises(ValueError, match=r"hurst must lie in \[0.1, 0.9\]"):
        extremes.fbm_maximum_cdf(0.95, 1.0)


@pytest.mark.parametrize(
    ("hurst", "level", "value", "error"),
    [(0.9, 0.001, 0.2080, 8e-4), (0.8, 0.01, 0.1716, 7e-4), (0.4, 0.05, 0.0086, 2e-4)],
)
def test_law_of_the_maximum_at_low_levels(hurst, level, value, error):
    """An independent simulation, in three of its errors; catches 1.2 % at the first two, 7 % at the last."""
    assert extremes.fbm_maximum_cdf(hurst, level) == pytest.approx(value, abs=3 * error)
    survival = FORMULAS["fbm_survival"].evaluate(hurst=hurst, barrier=2 * level, sigma=0.5, times=4.0 ** (1 / hurst))
    assert survival == pytest.approx(extremes.fbm_maximum_cdf(hurst, level), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("hurst", "bound"), [(0.375, 0.03), (0.675, 0.03), (0.875, 0.03)])
def test_law_of_the_maximum_between_its_nodes(hurst, bound):
    """Passages in continuous time at Hurst values that are not in the table, within its relative error and noise."""
    flat = Landscape(lambda x: 0.0 * x, lambda x: 0.0 * x)
    levels = np.array([0.02, 0.1, 0.5])
    options = dict(monitoring="continuous", fine_steps=2**22, accuracy=Accuracy(tolerance=1e-4), seed=17)
    horizon = 0.02 ** (-1 / hurst)
    run = first_passage(flat, FractionalNoise(hurst), 0.0, (-np.inf, 1.0), horizon=horizon, n_paths=20_000, **options)
    alive = np.mean(np.where(run.censored, np.inf, run.times) >= 0.9999 * levels[:, None] ** (-1 / hurst), axis=1)
    law = extremes.fbm_maximum_cdf(hurst, levels)
    noise = norm.isf(ALPHA / 30) * np.sqrt(law * (1 - law) / run.n_paths)
    assert np.all(np.abs(alive - law) < bound * law + noise)


def test_law_of_the_maximum_refuses_what_it_has_not_seen():
    """Below the table, through each formula that rests on it; a power law holds at its lower end."""
    with pytest.raises(ValueError, match=r"levels, or barrier / \(sigma t\^H\), must be at least 0\.001, got 0\.0009"):
        extremes.fbm_maximum_cdf(0.5, [0.1, 0.0009])
    with pytest.raises(ValueError, match=r"must be at least 1\.5, got 1\.4"):
        extremes.fbm_maximum_cdf(0.1, 1.4)
    with pytest.raises(ValueError, match=r"must be at least 0\.001, got nan"):
        extremes.fbm_maximum_cdf(0.5, math.nan)
    assert "must be at least 0.001" in FORMULAS["lamperti_survival"].valid(hurst=0.6, x0=1.0, times=20.0)
    assert "must be at least 0.001" in FORMULAS["lamperti_survival"].valid(hurst=0.6, x0=1.0, times=2000.0)
    assert "must be at least 0.001" in FORMULAS["fbm_survival"].valid(hurst=0.6, barrier=1e-4, times=1.0)
    for hurst in (0.25, 0.35, 0.45):
        law = extremes.fbm_maximum_cdf(hurst, [0.001, 0.002])
        assert math.log2(law[1] / law[0]) == pytest.approx(1 / hurst - 1, rel=0.01)


def test_perturbative_laws_reduce_to_brownian_motion_and_are_normalised():
    """At H = 1/2: half-normal, arcsine, x; elsewhere unit mass, density = slope of the distribution, symmetry."""
    y = np.linspace(0.05, 5.0, 60)
    assert extremes.fbm_maximum_density(0.5, y) == pytest.approx(2 * norm.pdf(y), rel=1e-9)
    assert extremes.fbm_maximum_cdf_perturbative(0.5, y) == pytest.approx(special.erf(y / UNIT), abs=1e-9)
    t = np.linspace(0.05, 0.95, 19)
    assert extremes.fbm_argmax_density(0.5, t) == pytest.approx(1 / (np.pi * np.sqrt(t * (1 - t))), rel=1e-8)
    assert extremes.fbm_exit_at_top(0.5, t) == pytest.approx(t, rel=1e-9)
    for h in (0.33, 0.67):
        slope = (
            extremes.fbm_maximum_cdf_perturbative(h, y + 1e-4) - extremes.fbm_maximum_cdf_perturbative(h, y - 1e-4)
        ) / 2e-4
        assert slope == pytest.approx(extremes.fbm_maximum_density(h, y), abs=1e-5)
        assert extremes.fbm_argmax_density(h, t) == pytest.approx(extremes.fbm_argmax_density(h, 1 - t), rel=1e-12)
        v = (np.arange(20_000) + 0.5) / 20_000  # s = v^4 / 2 takes the singularity at 0 away
        mass = 2 * np.mean(extremes.fbm_argmax_density(h, v**4 / 2) * 2 * v**3)
        assert mass == pytest.approx(1.0, abs=1e-6)
        assert extremes.fbm_exit_at_top(h, 1 - t) == pytest.approx(1 - extremes.fbm_exit_at_top(h, t), rel=1e-9)


@pytest.mark.parametrize("hurst", [0.4, 0.6])
def test_perturbative_laws_against_paths(hurst):
    """Law of the maximum, exit of an interval. Power: a probability 0.06 off."""
    n = 1024
    paths = fbm_paths(hurst, n, 4000, seed=14)
    bound = 0.015 + norm.isf(ALPHA / 24) * 0.5 / math.sqrt(4000)
    top = paths.max(axis=1) + extremes.barrier_shift(hurst) * n**-hurst
    for level in (0.5, 1.0, 2.0):
        assert abs(np.mean(top < level) - extremes.fbm_maximum_cdf_perturbative(hurst, level)) < bound
    x0 = 0.3
    long = paths * 8.0**hurst + x0  # on [0, 8], where nearly all have left (0, 1)
    up, down = (np.where(hit.any(axis=1), hit.argmax(axis=1), n + 1) for hit in (long >= 1.0, long <= 0.0))
    left = np.minimum(up, down) <= n
    assert abs(np.mean(up[left] < down[left]) - extremes.fbm_exit_at_top(hurst, x0)) < bound


@pytest.mark.parametrize("hurst", [0.33, 0.67])
def test_time_of_the_maximum_against_paths(hurst):
    """Probability of the middle half. Power: 0.025 off; a perturbation of the wrong sign is off by 0.035."""
    n, n_paths = 512, 12_000
    late = np.abs(fbm_paths(hurst, n, n_paths, seed=16).argmax(axis=1) / n - 0.5) < 0.25
    t = 0.25 + (np.arange(1000) + 0.5) / 2000
    predicted = np.mean(extremes.fbm_argmax_density(hurst, t)) / 2
    assert abs(np.mean(late) - predicted) < norm.isf(ALPHA / 4) * math.sqrt(predicted * (1 - predicted) / n_paths)


@pytest.mark.parametrize(
    "function", ["fbm_maximum_density", "fbm_maximum_cdf_perturbative", "fbm_argmax_density", "fbm_exit_at_top"]
)
def test_perturbative_laws_refuse(function):
    with pytest.raises(ValueError, match=r"hurst must lie in \[0.25, 0.75\]"):
        getattr(theory, function)(0.8, 0.5)


def test_perturbative_laws_refuse_what_is_outside_the_interval():
    with pytest.raises(ValueError, match="times must lie strictly between 0 and 1"):
        extremes.fbm_argmax_density(0.5, 1.0)
    with pytest.raises(ValueError, match=r"x0 must lie in \[0, 1\]"):
        extremes.fbm_exit_at_top(0.5, 1.1)


# ---------------------------------------------------------------------------------------------------------------------
# The registry

PROBLEMS = [
    dict(
        hurst=h,
        curvature=2.0,
        sigma=sigma,
        barrier=b,
        x0=x0,
        times=np.array([0.1, 0.5, 0.9]),
        dt=1e-3,
        sides=s,
        horizon=4.0,
        learning_rate=0.3,
        momentum=0.6,
        n_samples=1437,
        batch_size=128,
        friction=g,
        mass=1.5,
        height=3.0,
        alpha=1.5,
        lower=-1.0,
        upper=2.5,
        radius=1.2,
        dim=3,
        rate=0.5,
    )
    for h in (0.3, 0.5, 0.65, 0.7, 0.95)
    for b, x0, s, sigma, g in ((2.0, 0.4, 1, 0.9, 0.8), (1.5, 0.4, 2, 0.9, 0.8), (2.0, 0.4, 1, 0.02, 1e-3))
]
OUTSIDE = [
    dict(
        hurst=h,
        barrier=0.1,
        x0=x0,
        times=2.0,
        dt=1.5,
        learning_rate=50.0,
        n_samples=100,
        batch_size=200,
        friction=1.0,
        height=0.1,
        alpha=1.5,
        lower=1.0,
        upper=3.0,
        radius=0.1,
        rate=1.0,
    )
    for h, x0 in ((0.15, 0.0), (0.05, 0.0), (0.01, 0.0), (0.15, 5.0))
]


@pytest.mark.parametrize("name", FORMULAS)
def test_formula_is_finite_inside_its_range(name):
    """It is valid for at least one of the problems, and finite for each for which it is."""
    formula = FORMULAS[name]
    inside = [p for p in PROBLEMS if not formula.valid(**p)]
    assert inside
    for problem in inside:
        value = formula.evaluate(**problem)
        assert np.all(np.isfinite(value)) and np.all(value >= 0)
        assert value.shape == ((3,) if "times" in formula.arguments else ())
        if formula.quantity in ("survival", "probability"):
            assert np.all(value <= 1)


def log_uniform(decades):
    """Positive numbers over so many decades to either side of 1."""
    return st.floats(-decades, decades).map(lambda e: 10.0**e)


def problems(name, decades, lowest_hurst):
    """All arguments of a formula."""
    positive = log_uniform(decades)
    signed = st.one_of(st.just(0.0), positive, positive.map(lambda x: -x))
    hurst = st.one_of(st.just(0.5), st.floats(lowest_hurst, 1.0, exclude_max=True), st.floats(0.3, 0.7))
    kinds = {"hurst": hurst, "sides": st.sampled_from([1, 2])}
    kinds |= {name: signed for name in ("x0", "drift", "lower", "upper")}
    kinds |= {name: st.integers(1, 10**4) for name in ("n_samples", "batch_size", "dim")}
    momentum = st.one_of(st.just(0.0), st.floats(1e-300, 1.0, exclude_max=True))
    kinds |= {"momentum": momentum, "alpha": st.floats(1e-3, 2.0)}
    return st.fixed_dictionaries({argument: kinds.get(argument, positive) for argument in FORMULAS[name].arguments})


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMULAS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_formula_keeps_its_word(name, data):
    """What `valid` lets pass has a finite value of the right range; what it does not is refused with its reason."""
    formula = FORMULAS[name]
    sizes = (problems(name, 300.0, 5e-324), problems(name, 30.0, 1e-3), problems(name, 1.5, 0.02))
    problem = data.draw(st.one_of(sizes))
    reason = formula.valid(**problem)
    if reason:
        with pytest.raises(ValueError) as error:
            formula.evaluate(**problem)
        assert reason in str(error.value)
        return
    value = formula.evaluate(**problem)
    assert np.isfinite(value) and value >= 0
    assert value <= 1 or formula.quantity not in ("survival", "probability")


TABLES = ("fbm_survival", "lamperti_survival", "fou_exit_rate", "fou_exit_rate_grid")  # which end somewhere


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in FORMULAS if n not in TABLES])
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_formula_has_a_value_wherever_its_limits_hold(name, data):
    """Arguments from 0.4 to 2.5 leave no float's range: nothing but the stated limits may refuse them."""
    formula, problem = FORMULAS[name], data.draw(problems(name, 0.4, 0.05))
    named = {k: v for k, v in problem.items() if k in inspect.signature(formula.limits).parameters}
    assert not formula.valid(**problem) or formula.limits(**named)


def test_formula_gives_the_reason_for_a_value_that_no_float_holds():
    """2e6 to the power 50, and a mean time of exp(897)."""
    for name, problem, reason in (
        ("self_similarity", dict(hurst=0.02, barrier=2.0, sigma=1e-6), "time_scale must be finite"),
        ("ou_mean_exit", dict(hurst=0.5, barrier=30.0), "barrier must leave a mean exit time below 1e300"),
    ):
        assert reason in FORMULAS[name].valid(**problem)
        with pytest.raises(ValueError, match=reason):
            FORMULAS[name].evaluate(extrapolate=True, **problem)


RISING = {"exit_rate": -1, "mean_exit_time": 1, "survival": 1, "time_scale": 1, "mean_maximum": 1, "barrier_shift": 1}
RAISED = {"mean_maximum": "horizon", "barrier_shift": "dt", "variance": "sigma"}


def raised_argument(formula):
    """The argument in which a formula is monotone: a distance wherever it has one."""
    default = "x0" if formula.subject == PASSAGE else "barrier"
    return RAISED.get(formula.quantity, default)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [n for n, f in FORMULAS.items() if raised_argument(f) in f.arguments and f.quantity in {*RISING, *RAISED}]
)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), factor=st.floats(1.0, 3.0))
def test_formula_is_monotone(name, data, factor):
    """A farther barrier or start is reached later, a later time finds fewer; up to rounding."""
    formula, raised = FORMULAS[name], raised_argument(FORMULAS[name])
    problem = data.draw(st.one_of(problems(name, 100.0, 1e-3), problems(name, 1.0, 0.05)))
    pairs = [({**problem, raised: problem[raised] * factor}, RISING.get(formula.quantity, 1))]
    if formula.quantity == "survival":
        pairs.append(({**problem, "times": problem["times"] * factor}, -1))
    for other, sign in pairs:
        if not formula.valid(**problem) and not formula.valid(**other):
            one, two = formula.evaluate(**problem), formula.evaluate(**other)
            assert sign * (two - one) >= -1e-11 * max(one, two)


@pytest.mark.parametrize("name", [n for n, f in FORMULAS.items() if f.limits.__name__ != "_everywhere"])
def test_formula_refuses_outside_its_range(name):
    """With the reason that `valid` gives."""
    formula = FORMULAS[name]
    outside = [p for p in OUTSIDE if formula.valid(**p)]
    assert outside
    for problem in outside:
        with pytest.raises(ValueError) as error:
            formula.evaluate(**problem)
        assert formula.valid(**problem) in str(error.value)


@pytest.mark.parametrize("name", FORMULAS)
def test_formula_says_what_it_is(name):
    """Every field filled, names and statuses from the known sets, an entry in the table."""
    f = FORMULAS[name]
    subjects = {formula.SPREAD, PASSAGE, EXIT, FBM, formula.CHAIN, formula.INERTIA, formula.STABLE, formula.SIDES}
    assert f.name == name and f.subject in subjects
    assert all((f.title, f.quantity, f.source, f.validity, f.measured))
    known = {"exact", "asymptotic", "approximate", "numerical", "refuted"}
    assert f.status in known and f.brownian_status in known | {""}
    assert set(f.arguments) <= set(formula.ARGUMENTS)
    rows = [line for line in registry.formulas_table().splitlines() if line.startswith(f"| `{name}` |")]
    assert len(rows) == 1 and rows[0].replace("\\|", "").count("|") == 6


@pytest.mark.parametrize("name", [n for n, f in FORMULAS.items() if "hurst" in f.arguments])
def test_formula_refuses_a_hurst_parameter_of_one(name):
    """The mathematics is not lifted by `extrapolate`."""
    with pytest.raises(ValueError, match=r"hurst must lie in \(0, 1\), got 1.0"):
        FORMULAS[name].evaluate(extrapolate=True, **{**PROBLEMS[0], "hurst": 1.0})
    assert "hurst must lie in (0, 1)" in FORMULAS[name].valid(**{**PROBLEMS[0], "hurst": 1.0})


def test_formula_broadcasts_and_extrapolates():
    """Hurst values against barriers and times; the limits of a theorem can be lifted."""
    pickands = FORMULAS["pickands"]
    table = pickands.evaluate(hurst=[[0.3], [0.7]], barrier=[2.0, 2.5, 3.0])
    assert table.shape == (2, 3)
    assert table[1, 2] == pickands.evaluate(hurst=0.7, barrier=3.0)
    curve = FORMULAS["lamperti_survival"].evaluate(hurst=[[0.4], [0.6]], x0=1.0, times=np.linspace(0, 3, 7))
    assert curve.shape == (2, 7)
    assert np.array_equal(
        curve[1], FORMULAS["lamperti_survival"].evaluate(hurst=0.6, x0=1.0, times=np.linspace(0, 3, 7))
    )
    with pytest.raises(ValueError, match=r"pickands: barrier must be at least 2 .* extrapolate=True lifts this limit"):
        pickands.evaluate(hurst=0.5, barrier=[1.0, 3.0])
    assert pickands.evaluate(hurst=0.5, barrier=1.0, extrapolate=True) > 0


def test_formula_names_what_is_missing_or_unknown():
    with pytest.raises(TypeError, match=r"pickands_grid must be given .*, got no dt"):
        FORMULAS["pickands_grid"].evaluate(hurst=0.5, barrier=3.0)
    with pytest.raises(TypeError, match=r"arguments must be among hurst, .* got barier"):
        FORMULAS["pickands"].evaluate(hurst=0.5, barier=3.0)
    assert "got no dt" in FORMULAS["pickands_grid"].valid(hurst=0.5, barrier=3.0)
    assert "at least 0.2 for Pickands' constant" in FORMULAS["pickands"].valid(hurst=0.15, barrier=9.0)
    with pytest.raises(ValueError, match="sides must be 1"):
        FORMULAS["pickands"].evaluate(hurst=0.5, barrier=3.0, sides=3)
    with pytest.raises(ValueError, match="times must be at least 0"):
        FORMULAS["variance"].evaluate(hurst=0.5, times=-1.0)


@pytest.mark.parametrize("name", [f.name for f in FORMULAS.values() if f.subject in (EXIT, PASSAGE)])
def test_formula_obeys_the_exact_scaling(name):
    """``X_t = sigma a^-H Y_{at}``: lengths in units of sigma a^-H, times in units of 1/a."""
    f, a, s = FORMULAS[name], 3.0, 0.7
    power, compared = {"exit_rate": 1, "mean_exit_time": -1, "survival": 0, "density": 1}[f.quantity], 0
    for hurst in (0.35, 0.5, 0.65):
        unit = dict(hurst=hurst, barrier=3.0, x0=0.8, times=np.array([0.2, 1.5]), dt=1e-2, horizon=20.0)
        length = s * a**-hurst
        scaled = dict(
            hurst=hurst, barrier=3.0 * length, x0=0.8 * length, times=unit["times"] / a, dt=1e-2 / a, horizon=20.0 / a
        )
        if not f.valid(**unit):
            value = f.evaluate(curvature=a, sigma=s, **scaled)
            assert value == pytest.approx(a**power * f.evaluate(**unit), rel=1e-9)
            compared += 1
    assert compared


@pytest.mark.parametrize(
    "name", [f.name for f in FORMULAS.values() if f.subject == PASSAGE and f.brownian_status == "exact"]
)
def test_passage_formulas_are_exact_at_half(name):
    """``S = erf(x0 sqrt(a) / (sigma sqrt(exp(2at) - 1)))``, its density, and its tail rate a."""
    f, t = FORMULAS[name], np.array([0.05, 0.7, 3.0])
    value = f.evaluate(hurst=0.5, x0=-0.8, times=t, curvature=1.5, sigma=0.9)
    z = 0.8 * math.sqrt(1.5) / (0.9 * np.sqrt(np.expm1(3.0 * t)))
    slope = 2 / math.sqrt(math.pi) * np.exp(-(z**2)) * z * 1.5 * np.exp(3.0 * t) / np.expm1(3.0 * t)
    exact = {"survival": special.erf(z), "density": slope, "exit_rate": 1.5}[f.quantity]
    assert value == pytest.approx(exact, rel=1e-9)


def test_power_law_density_is_the_slope_of_its_survival():
    """Central differences at H = 0.3 and 0.7; late times ``t^(1/2-H) exp(-at)``."""
    survival, density = FORMULAS["power_law_diffusion"], FORMULAS["power_law_diffusion_density"]
    for hurst in (0.3, 0.7):
        t = np.array([0.3, 1.0, 4.0])
        slope = [
            float(np.diff(survival.evaluate(hurst=hurst, x0=1.0, times=[x - 1e-5, x + 1e-5]))[0]) / 2e-5 for x in t
        ]
        assert density.evaluate(hurst=hurst, x0=1.0, times=t) == pytest.approx(np.negative(slope), rel=1e-5)
        late = density.evaluate(hurst=hurst, x0=1.0, times=[100.0, 101.0])
        assert late[1] / late[0] == pytest.approx(1.01 ** (0.5 - hurst) / math.e, rel=1e-3)


@pytest.mark.parametrize("hurst", [0.3, 0.7])
def test_passage_formulas_against_exact_paths(hurst):
    """From 1 s.d. to the minimum, no Euler error, barrier shifted: Lamperti's curve holds, the refuted ones do not.

    Power: a survival probability that is 0.06 off, of which 0.01 is the known error of the formula.
    """
    dt, n_paths = 1 / 128, 4000
    t = dt * np.arange(385)
    variance = fou.fou_stationary_variance(hurst)
    stationary = stationary_paths(variance * fou.fou_autocorrelation(hurst, t), n_paths, seed=15)
    x0, t = math.sqrt(variance), t[:-1]
    paths = stationary + np.exp(-t) * (x0 - stationary[:, :1])
    lowest = np.minimum.accumulate(paths, axis=1)[:, ::64]
    alive = np.mean(lowest > extremes.barrier_shift(hurst) * dt**hurst, axis=0)[1:]
    predicted = {f: FORMULAS[f].evaluate(hurst=hurst, x0=x0, times=t[::64][1:]) for f in
                 ("lamperti_survival", "effective_fokker_planck", "power_law_diffusion")}  # fmt: skip
    noise = norm.isf(ALPHA / 20) * 0.5 / math.sqrt(n_paths)
    assert np.max(np.abs(alive - predicted["lamperti_survival"])) < 0.01 + noise
    for refuted in ("effective_fokker_planck", "power_law_diffusion"):
        assert np.max(np.abs(alive - predicted[refuted])) > 0.1 + noise


def test_exit_formulas_against_each_other():
    """At H = 1/2 Pickands tends to the eigenvalue and Kramers to Pickands; grids tend to continuous time."""
    rate = {
        n: FORMULAS[n] for n in ("pickands", "pickands_grid", "pickands_euler", "pickands_shifted", "ou_eigenvalue")
    }
    for k, tolerance in ((4.0, 0.06), (8.0, 0.02), (20.0, 0.003)):
        p = dict(hurst=0.5, sigma=UNIT, barrier=k)
        assert rate["pickands"].evaluate(**p) == pytest.approx(rate["ou_eigenvalue"].evaluate(**p), rel=tolerance)
    for hurst in (0.3, 0.7):
        p = dict(hurst=hurst, barrier=3.0, dt=1e-9)
        for name in ("pickands_grid", "pickands_euler", "pickands_shifted"):
            assert rate[name].evaluate(**p) == pytest.approx(rate["pickands"].evaluate(**p), rel=0.02)
        two = rate["pickands"].evaluate(sides=2, **p)
        assert two == pytest.approx(2 * rate["pickands"].evaluate(**p), rel=1e-14)
    kramers = FORMULAS["kramers_brownian_prefactor"].evaluate(hurst=0.5, barrier=30.0)
    assert kramers == pytest.approx(rate["pickands"].evaluate(hurst=0.5, barrier=30.0), rel=1e-3)


def test_measured_exit_rates_are_near_the_grid_formula():
    """Rates of simulations at 3 stationary s.d., one rim, within the stated errors of the asymptotic formula."""
    for hurst, dt, measured, low, high in (
        (0.3, 9.8e-4, 0.0486, 0.8, 1.25),
        (0.5, 2.0e-3, 0.0106, 0.93, 1.07),
        (0.7, 3.9e-3, 0.00301, 0.6, 0.9),
    ):
        barrier = 3.0 * math.sqrt(fou.fou_stationary_variance(hurst))
        for name in ("pickands_grid", "pickands_euler"):
            assert low < measured / FORMULAS[name].evaluate(hurst=hurst, barrier=barrier, dt=dt) < high


def test_applicable_formulas():
    """By quantity and subject, without those that lack an argument or refuse."""
    names = [f.name for f in registry.applicable("exit_rate", EXIT, hurst=0.5, barrier=3.0)]
    assert names == ["kramers_brownian_prefactor", "pickands", "ou_eigenvalue"]
    assert "ou_eigenvalue" not in [
        f.name for f in registry.applicable("exit_rate", EXIT, hurst=0.6, barrier=3.0, dt=0.01)
    ]
    assert FORMULAS["kramers_brownian_prefactor"].status_at(0.5) == "asymptotic"
    assert FORMULAS["kramers_brownian_prefactor"].status_at(0.7) == "refuted"


def test_applicable_refuses_what_no_formula_has():
    """A misspelt quantity, subject or argument is refused, and a formula shows the key that finds it."""
    with pytest.raises(ValueError, match=r"quantity must be one of .*exit_rate, .*, got 'exit rate'\."):
        registry.applicable("exit rate", EXIT, hurst=0.5, barrier=3.0)
    with pytest.raises(ValueError, match=rf"subject must be one of .*{EXIT}, .*, got 'EXIT'\."):
        registry.applicable("exit_rate", "EXIT", hurst=0.5, barrier=3.0)
    with pytest.raises(TypeError, match=r"arguments must be among hurst, .*, got hurts\."):
        registry.applicable("exit_rate", EXIT, hurts=0.5, barrier=3.0)
    pickands = FORMULAS["pickands"]
    assert "exit_rate" in repr(pickands) and "<td" in pickands._repr_html_() and ">exit_rate<" in pickands._repr_html_()


# ---------------------------------------------------------------------------------------------------------------------
# Sharp against flat


def test_scaled_barrier_is_the_rim_in_stationary_deviations():
    for hurst in (0.2, 0.5, 0.8):
        rim = math.sqrt(2 * 1.7 / 3.0) / math.sqrt(fou.fou_stationary_variance(hurst, 3.0, 0.6))
        assert sharp_or_flat.scaled_barrier(hurst, 1.7, 3.0, 0.6) == pytest.approx(rim, rel=1e-12)
    with pytest.raises(ValueError, match="height, curvature and sigma must be positive"):
        sharp_or_flat.scaled_barrier(0.5, -1.0, 1.0)


def test_order_flips_where_pickands_rates_cross():
    """Both flips are the crossing of the two rates; without memory and below H = 1/2 the sharp well is always first."""
    wells = dict(sharp=5.0, flat=1.5, sigma=0.8)

    def rates(hurst, height):
        rims = [(a, math.sqrt(2 * height / a)) for a in (5.0, 1.5)]
        return [
            float(FORMULAS["pickands"].evaluate(hurst=hurst, curvature=a, sigma=0.8, barrier=b, extrapolate=True))
            for a, b in rims
        ]

    height = sharp_or_flat.flip_height(0.75, **wells)
    assert rates(0.75, height)[0] == pytest.approx(rates(0.75, height)[1], rel=1e-9)
    assert sharp_or_flat.flip_hurst(height, **wells) == pytest.approx(0.75, abs=1e-9)
    assert list(sharp_or_flat.first_to_empty(0.75, [0.9 * height, 1.1 * height], **wells)) == ["sharp", "flat"]
    assert set(sharp_or_flat.first_to_empty(np.linspace(0.2, 0.5, 7), 3.0, **wells)) == {"sharp"}
    assert sharp_or_flat.flip_height(0.4, **wells) == math.inf
    assert sharp_or_flat.flip_height(0.51, **wells) > 10 * height
    assert math.isnan(sharp_or_flat.flip_hurst(1e-3, **wells))
    assert sharp_or_flat.flip_height(0.75, sharp=5.0, flat=1.5, sigma=1.6) == pytest.approx(4 * height, rel=1e-9)
    with pytest.raises(ValueError, match=r"sharp must exceed flat, got 1\.0 and 2\.0"):
        sharp_or_flat.flip_height(0.7, sharp=1.0, flat=2.0)


def test_tables_are_complete():
    """One row for each Hurst value, standard errors positive except where a value is exact."""
    assert len(_tables.HURST) == len(_tables.BETA_RATIO) == len(_tables.BETA_RATIO_ERROR)
    assert len(_tables.PICKANDS_HURST) == len(_tables.PICKANDS_REMAINDER) == len(_tables.PICKANDS_ERROR)
    assert len(_tables.LAW_HURST) == len(_tables.LAW_LOG_SCALE) == len(_tables.MAXIMUM_MEAN)
    for grid, error in ((_tables.HURST, _tables.BETA_RATIO_ERROR), (_tables.LAW_HURST, _tables.MAXIMUM_MEAN_ERROR)):
        assert all((e > 0) == (h != 0.5) for h, e in zip(grid, error, strict=True))


def test_below_a_quarter_the_flat_well_empties_first_behind_low_barriers_by_the_formula():
    """Where barriers get low the ratio of the rates is ``(a_s / a_f)^((4H-1)/(2H))``, as derivations.md has it."""
    wells = {"sharp": 4.0, "flat": 1.0}
    assert sharp_or_flat.first_to_empty([0.15, 0.24, 0.26, 0.4], 1e-3, **wells).tolist() == ["flat"] * 2 + ["sharp"] * 2
    heights = np.geomspace(1e-6, 1e3, 50)
    hursts = np.linspace(0.25, 0.5, 11)[:, None]
    assert np.all(sharp_or_flat.first_to_empty(hursts, heights, **wells) == "sharp")
    assert sharp_or_flat.first_to_empty(0.15, 20.0, **wells) == "sharp"
