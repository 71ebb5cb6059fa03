"""Formulas for gradient descent, inertia, stable noise and sides: numbers, scaling, and what a registry entry passes
on.

The laws behind them are tested in `tests/laws`.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from fbmsde.laws import epochs, fou, splitting
from fbmsde.laws.fgn import fgn_autocovariance
from fbmsde.theory import FORMULAS, applicable
from fbmsde.theory.formula import CHAIN, INERTIA, SIDES, STABLE
from tests.conftest import threshold
from tests.gaussian_paths import stationary_paths

DIGITS = dict(n_samples=1437, batch_size=128)


def value(name, **arguments):
    """The value of a formula for one set of arguments."""
    return float(FORMULAS[name].evaluate(**arguments))


@pytest.mark.parametrize(
    ("name", "more", "variance", "tolerance"),
    [
        ("heavy_ball_variance", {}, 0.263889, 5e-7),
        ("heavy_ball_fractional_variance", {"hurst": 0.3}, 0.14145, 5e-6),
        ("heavy_ball_fractional_variance", {"hurst": 0.5}, 0.263889, 5e-7),
        ("heavy_ball_fractional_variance", {"hurst": 0.7}, 0.39431, 5e-6),
        ("heavy_ball_epoch_variance", DIGITS, 0.24432, 5e-6),
    ],
)
def test_variance_of_the_heavy_ball(name, more, variance, tolerance):
    """eta = 0.1, a = 2, beta = 0.9, noise of variance 1: for epochs that of a batch."""
    unit = epochs.epoch_variance(**more) if name == "heavy_ball_epoch_variance" else 1.0
    found = value(name, learning_rate=0.1, curvature=2.0, momentum=0.9, sigma=3.0, **more)
    assert found / (9.0 * unit) == pytest.approx(variance, abs=tolerance)


@pytest.mark.parametrize(("drift", "ratio"), [(0.1, 0.555), (0.8, 0.934)])
def test_spread_of_epochs(drift, ratio):
    """Digits, 1437 samples in batches of 128."""
    assert value("epoch_spread_ratio", learning_rate=drift / 4.0, curvature=4.0, **DIGITS) == pytest.approx(
        ratio, abs=5e-4
    )


def test_descent_without_momentum_is_the_euler_chain():
    """fGn with momentum 0; white noise under both momenta; differences against white noise: half the ratio 2/(2-y)."""
    y, eta = 0.3, 0.15
    chain = value("heavy_ball_fractional_variance", hurst=0.3, learning_rate=eta, curvature=2.0, sigma=0.7)
    assert chain == pytest.approx(fou.euler_chain_variance(0.3, 1.0, y, eta * 0.7), rel=1e-12)
    plain = [value(f"{n}_variance", learning_rate=eta, curvature=2.0) for n in ("heavy_ball", "nesterov")]
    assert plain == pytest.approx([eta**2 / (y * (2.0 - y))] * 2, rel=1e-13)
    assert value("anti_pgd_variance", learning_rate=eta, curvature=2.0) == pytest.approx(plain[0] * y, rel=1e-13)


@pytest.mark.parametrize("name", ["heavy_ball", "nesterov"])
def test_bound_is_where_the_variance_formula_ends(name):
    """Just below the bound the formula holds, at it it refuses and says why."""
    bound = value(f"{name}_bound", momentum=0.7, curvature=3.0)
    formula = FORMULAS[f"{name}_variance"]
    assert not formula.valid(learning_rate=bound * 0.999, momentum=0.7, curvature=3.0)
    reason = formula.valid(learning_rate=bound * (1 + 1e-12), momentum=0.7, curvature=3.0)
    assert "learning_rate * curvature must be below" in reason and "The chain is unstable." in reason


def test_reasons_of_chains():
    """Batches that are too large, momenta and steps that make a sum too long, and kinds of arguments."""
    formula = FORMULAS["heavy_ball_epoch_variance"]
    assert "batch_size must be below n_samples = 100, got 100" in formula.valid(
        n_samples=100, batch_size=100, learning_rate=0.1
    )
    assert "momentum must be at most 0.999" in formula.valid(learning_rate=0.1, momentum=0.9999, **DIGITS)
    assert "must lie in [1e-4, 1.998]" in formula.valid(learning_rate=1e-5, **DIGITS)
    assert "n_samples must be a whole number" in formula.valid(n_samples=10.5, batch_size=2, learning_rate=0.1)
    assert "momentum must lie in [0, 1), got 1.0" in formula.valid(learning_rate=0.1, momentum=1.0, **DIGITS)
    assert "alpha must lie in (0, 2], got 2.5" in FORMULAS["stable_ball_mean"].valid(alpha=2.5, radius=1.0)


def test_time_average():
    """The law behind it, and its late power."""
    late = value("time_average_variance", hurst=0.7, horizon=1e7, curvature=2.0, sigma=3.0)
    assert late == pytest.approx(9.0 / 4.0 * 1e7 ** (-0.6), rel=1e-3)


@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.7])
def test_langevin_variance(hurst):
    """A light particle spreads as the equation without inertia with the curvature and the noise over the friction."""
    light = value("langevin_variance", hurst=hurst, friction=2.0, mass=1e-10, curvature=3.0, sigma=0.8)
    assert light == pytest.approx(fou.fou_stationary_variance(hurst, 1.5, 0.4), rel=1e-3)
    speed = value("langevin_velocity_variance", hurst=hurst, friction=2.0, mass=0.5, curvature=3.0, sigma=0.8)
    if hurst == 0.5:
        assert speed == pytest.approx(0.64 / 2.0, rel=1e-12)


def test_kramers_rates_against_each_other():
    """The turnover joins both limits at the losses that their ranges begin with, and each limit says where it ends."""
    well = dict(hurst=0.5, height=1.0, curvature=8.0)
    low, high = (dict(well, friction=g, sigma=math.sqrt(0.2 * g)) for g in (1e-4, 20.0))
    by_energy = value("kramers_by_energy", **low)
    assert value("kramers_turnover", **low) == pytest.approx(by_energy, rel=0.15)
    assert value("kramers_turnover", **high) == pytest.approx(value("kramers_by_space", **high), rel=1e-6)
    assert "at least 10 temperatures in one period" in FORMULAS["kramers_by_space"].valid(**low)
    assert "at most 0.1 temperatures in one period" in FORMULAS["kramers_by_energy"].valid(**high)
    assert "height must be at least 4 temperatures" in FORMULAS["kramers_turnover"].valid(**{**low, "sigma": 1.0})
    assert "hurst must be 1/2" in FORMULAS["kramers_turnover"].valid(**{**low, "hurst": 0.4})


@pytest.mark.parametrize(("alpha", "mean"), [(1.0, 1.0), (1.3, 0.857), (1.5, 0.752), (1.8, 0.5965)])
def test_stable_means(alpha, mean):
    """From the centre of (-1, 1) and of a ball in one dimension."""
    assert value("stable_interval_mean", alpha=alpha, lower=-1.0, upper=1.0) == pytest.approx(mean, abs=5e-4)
    assert value("stable_ball_mean", alpha=alpha, radius=1.0) == pytest.approx(mean, abs=5e-4)
    two = value("stable_ball_mean", alpha=2.0, radius=1.3, dim=3, x0=-0.4, sigma=0.5)
    assert two == pytest.approx(value("ball_mean_exit", hurst=0.5, radius=1.3, dim=3, x0=0.4, sigma=0.5 * 2**0.5))


def test_weak_stable_noise_says_where_it_ends():
    """The width counts, the height does not; strong noise, alpha near 2 and a minimum outside are refused."""
    formula = FORMULAS["stable_jump_rate"]
    narrow, wide = (value(formula.name, alpha=1.5, lower=-w, upper=w, sigma=0.05) for w in (1.0, 2.0))
    assert narrow / wide == pytest.approx(2.0**1.5, rel=1e-12)
    steep = value(formula.name, alpha=1.5, lower=-1.0, upper=1.0, sigma=0.05, curvature=5.0)
    assert steep == narrow
    assert "0.2 of the nearer end, got 0.5" in formula.valid(alpha=1.5, lower=-1.0, upper=2.0, sigma=0.5)
    assert "alpha must be at most 1.8" in formula.valid(alpha=1.9, lower=-1.0, upper=2.0, sigma=0.01)
    assert "the minimum at 0 must lie" in formula.valid(alpha=1.5, lower=0.5, upper=2.0, sigma=0.01)


@pytest.mark.parametrize("sigma", [0.02, 0.5, 30.0])
def test_side_of_the_quadratic_well(sigma):
    """The closed form against quadrature of the scale function, also where exp overflows and where the well is flat."""
    place = dict(x0=0.95, lower=-0.8, upper=1.0)
    exact = splitting.exit_at_top(lambda x: 0.75 * x * x, 0.95, (-0.8, 1.0), sigma=sigma)
    assert value("ou_exit_at_top", hurst=0.5, curvature=1.5, sigma=sigma, **place) == pytest.approx(exact, rel=1e-9)
    narrow = dict(x0=1.0 + 1e-10, lower=1.0, upper=1.0 + 4e-10)
    assert value("ou_exit_at_top", hurst=0.5, sigma=sigma, **narrow) == pytest.approx(0.25, abs=1e-6)
    brownian = value("brownian_exit_at_top", hurst=0.5, drift=0.3, sigma=sigma, **place)
    assert brownian == pytest.approx(splitting.exit_at_top(lambda x: -0.3 * x, 0.95, (-0.8, 1.0), sigma=sigma))


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.7])
def test_reflecting_wall(hurst):
    """``x' = max(0, x + xi)``, 512 steps: mean within 1 % and noise; catches a missing shift of the grid at H = 0.3."""
    n, n_paths = 512, 20_000
    x = np.zeros(n_paths)
    for xi in stationary_paths(fgn_autocovariance(hurst, np.arange(n + 1)), n_paths, seed=31).T:
        x = np.maximum(0.0, x + xi)
    x *= n**-hurst
    exact = value("reflected_mean", hurst=hurst, dt=1.0 / n)
    assert abs(x.mean() - exact) < 0.01 * exact + threshold(3) * x.std() / math.sqrt(n_paths)


def test_resetting():
    """``(exp(sqrt(2r) b/sigma) - 1)/r``, least at the best rate."""
    b, sigma = 2.0, 0.7
    best = value("best_resetting_rate", hurst=0.5, barrier=b, sigma=sigma)
    means = [value("resetting_mean", hurst=0.5, barrier=b, sigma=sigma, rate=best * f) for f in (0.98, 1.0, 1.02)]
    assert means[1] == pytest.approx(math.expm1(math.sqrt(2.0 * best) * b / sigma) / best, rel=1e-12)
    assert means[1] < min(means[0], means[2])


@pytest.mark.parametrize("name", [f.name for f in FORMULAS.values() if f.subject in (CHAIN, INERTIA, STABLE, SIDES)])
def test_formula_does_not_depend_on_units(name):
    """Lengths in another unit: for chains and inertia sigma, for the others lengths and sigma together.

    A chain's variance is in units of sigma^2 at any curvature; rates, ratios and probabilities have no length.
    """
    f, c = FORMULAS[name], 3.7
    problem = dict(hurst=0.5, barrier=2.0, x0=0.4, curvature=2.0, sigma=0.02, learning_rate=0.3, momentum=0.6)
    problem |= dict(friction=1e-3, mass=1.5, height=3.0, alpha=1.5, lower=-1.0, upper=2.5, radius=1.2, dim=3, rate=0.5)
    problem |= dict(dt=1e-3, drift=0.01, **DIGITS)
    if f.valid(**problem):
        problem |= dict(friction=0.8, sigma=0.9)
    lengths = ("barrier", "x0", "sigma", "lower", "upper", "radius", "drift")
    scaled = dict(problem, **{n: problem[n] * c for n in lengths})
    if f.subject == INERTIA:  # forces and energies: curvature fixed, height with the square
        scaled["height"] = problem["height"] * c * c
    power = {"variance": 2, "mean": 1}.get(f.quantity, 0)
    assert value(name, **scaled) == pytest.approx(c**power * value(name, **problem), rel=1e-9)


def test_formulas_of_subjects_are_found():
    """By quantity and subject; at H other than 1/2 those that need it are left out."""
    names = [f.name for f in applicable("variance", CHAIN, hurst=0.3, learning_rate=0.1, momentum=0.5, **DIGITS)]
    assert names == [
        "heavy_ball_variance",
        "nesterov_variance",
        "heavy_ball_fractional_variance",
        "heavy_ball_epoch_variance",
        "anti_pgd_variance",
    ]
    assert not applicable("probability", SIDES, hurst=0.3, lower=-1.0, upper=1.0)
