"""The most likely escape: exact exponents, derivatives against differences, and what is refused."""

import re

import numpy as np
import pytest
from scipy.linalg import toeplitz

from fbmsde import (
    FractionalNoise,
    Landscape,
    StableNoise,
    double_well,
    most_likely_escape,
    quadratic,
    tilted_double_well,
)
from fbmsde.rare.instanton import _Action, _precision
from fbmsde.rare.linear_process import chain_process


@pytest.mark.parametrize("hurst", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_exponent_and_path_of_a_quadratic_well_are_exact(hurst):
    """L^2 / 2V and Cov(X_k, X_n) / V L of the chain; catches a wrong covariance, adjoint or strength."""
    noise, n, dt, level = FractionalNoise(hurst, 0.7), 100, 0.03, 1.5
    found = most_likely_escape(quadratic(2.0), noise, 0.0, level, horizon=n * dt, dt=dt)
    variance = chain_process(quadratic(2.0), noise, n, dt=dt).variances[-1]
    assert found.exponent == pytest.approx(level**2 / (2.0 * variance), rel=1e-9)
    response = 0.94 ** np.subtract.outer(np.arange(n), np.arange(n)) * np.tri(n)
    covariance = response @ toeplitz(noise.autocovariance(np.arange(n), dt)) @ response.T
    np.testing.assert_allclose(found.path[1:, 0], covariance[-1] / covariance[-1, -1] * level, atol=1e-8)
    np.testing.assert_allclose(np.diff(found.path[:, 0]) + 2.0 * dt * found.path[:-1, 0], found.noise[:, 0], atol=1e-12)


def test_white_noise_has_to_climb_twice_the_barrier():
    """2 dU / sigma^2 for H = 1/2, to the first order of the step: the error halves with it."""
    well, noise = tilted_double_well(tilt=0.0), FractionalNoise(0.5, 0.5)
    errors = [
        most_likely_escape(well, noise, -1.0, 0.0, horizon=5.0, dt=dt).exponent / 8.0 - 1.0 for dt in (0.1, 0.05)
    ]
    assert abs(errors[1]) < 4e-3
    assert abs(errors[1]) < 0.6 * abs(errors[0])


def test_a_well_of_any_size_has_the_same_exponent():
    """A double well drawn 1e5 times as small, with noise in proportion: steps of differences are no lengths."""
    found = []
    for size in (1.0, 1e-5):
        well = Landscape(lambda x, s: s * s * ((x / s) ** 2 - 1.0) ** 2, lambda x, s: 4.0 * x * ((x / s) ** 2 - 1.0),
                         (size,))  # fmt: skip
        noise = FractionalNoise(0.4, 0.3 * size)
        found.append(most_likely_escape(well, noise, -size, 0.0, horizon=2.0, dt=0.05).exponent)
    assert found[1] == pytest.approx(found[0], rel=1e-6)


def test_rough_noise_does_best_at_a_finite_horizon():
    """Near saddle points of the exponent Newton's step has no use; catches a search that stops or creeps there."""
    found = [
        most_likely_escape(double_well(), FractionalNoise(0.3), -(2.0**0.5), 0.0, horizon=t, dt=0.04)
        for t in (0.32, 0.8, 4.0)
    ]
    assert found[1].exponent < found[2].exponent < found[0].exponent
    assert found[2].iterations < 60
    assert all(each.error <= 1e-6 and each.beyond < 1e-6 for each in found)


def test_derivatives_agree_with_differences_in_two_dimensions():
    """Gradient and Hessian with correlated noise; catches a missing third derivative or a transposed block."""
    bowl = Landscape(lambda x: x[0] ** 4 / 4.0 + x[0] ** 2 * x[1] + x[1] ** 4, dim=2)
    noise = FractionalNoise((0.3, 0.7), ((1.0, 0.0), (0.5, 2.0)))
    action = _Action(bowl, _precision(noise, 5, 2, 0.1), 0.1, 1.0)
    path = np.random.default_rng(1).normal(size=(6, 2))
    point, curvature, free = action.at(path), action.curvature(path[:-1]), np.ones(10, bool)

    def moved(i, h):
        other = path.copy()
        other[1:].ravel()[i] += h
        return action.at(other)

    def gradient(p):
        return action.gradient(p, action.curvature(p.path[:-1]))

    slopes = [(moved(i, 1e-5).exponent - moved(i, -1e-5).exponent) / 2e-5 for i in range(10)]
    np.testing.assert_allclose(gradient(point), slopes, rtol=1e-4, atol=1e-3)
    rows = [(gradient(moved(i, 1e-3)) - gradient(moved(i, -1e-3))) / 2e-3 for i in range(10)]
    hessian = action.tangent_hessian(curvature) + action.bend(point, free)
    np.testing.assert_allclose(hessian, rows, rtol=5e-3, atol=0.05)


def test_free_coordinates_of_the_end_take_what_costs_least():
    """In a bowl of Hessian A the chain's covariance is (2 A - A^2 dt)^-1; a coordinate that is free is conditioned."""
    bowl = Landscape(lambda x: x[0] ** 2 + x[0] * x[1] + x[1] ** 2, dim=2)
    free, fixed = (
        most_likely_escape(bowl, FractionalNoise(0.5), (0.0, 0.0), target, horizon=8.0, dt=0.1)
        for target in ((1.0, None), (1.0, 0.0))
    )
    curvature = np.array([[2.0, 1.0], [1.0, 2.0]])
    precision = 2.0 * curvature - 0.1 * curvature @ curvature
    assert free.path[-1, 1] == pytest.approx(-precision[0, 1] / precision[1, 1], rel=1e-5)
    assert free.exponent == pytest.approx(0.5 / np.linalg.inv(precision)[0, 0], rel=1e-5)
    assert fixed.exponent == pytest.approx(0.5 * precision[0, 0], rel=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": -1.0}, "target must be away from x0"),
        ({"x0": 0.5, "target": 0.7}, "which the path reaches without it at time"),
        ({"target": np.nan}, "target must have a finite coordinate"),
        ({"target": (0.0, 1.0)}, "target must have 1 coordinates"),
        ({"x0": np.inf}, "x0 must be finite"),
        ({"noise": StableNoise(1.5)}, "noise must be Gaussian"),
        ({"horizon": 0.0}, "horizon must be positive"),
        ({"dt": 1e-4}, "horizon / dt times the dimension must be"),
        ({"dt": 0.25}, "dt must be below 2 / curvature = 0.25 at x0, got 0.25. Longer steps"),
        ({"target": 1e200}, "target must be at most 1e150 in size, got 1e+200"),
        ({"noise": FractionalNoise(0.5, 1e-200)}, "increments of noise must lie in [1e-150, 1e150], got 3.16"),
    ],
)
def test_what_cannot_be_found_is_refused(change, message):
    asked = {"noise": FractionalNoise(0.5), "x0": -1.0, "target": 0.0, "horizon": 2.0, "dt": 0.1} | change
    with pytest.raises(ValueError, match=re.escape(message)):
        most_likely_escape(
            tilted_double_well(tilt=0.0), asked["noise"], asked["x0"], asked["target"], horizon=asked["horizon"],
            dt=asked["dt"],
        )  # fmt: skip


def test_a_gradient_that_is_not_finite_is_said():
    pit = Landscape(lambda x: x * x / 2.0, lambda x: x if x > -0.5 else np.nan, name="pit")
    with pytest.raises(ArithmeticError, match="finite gradient"):
        most_likely_escape(pit, FractionalNoise(0.5), 0.0, -1.0, horizon=1.0, dt=0.1)
    with pytest.raises(ArithmeticError, match="finite gradient"):
        most_likely_escape(double_well(), FractionalNoise(0.5), -1.0, 1e100, horizon=1.0, dt=0.1)
    cliff = Landscape(lambda x: x * x / 2.0, lambda x: x if x < 1.0 else 1e200 * x, name="cliff")
    with pytest.raises(ArithmeticError, match="finite gradient and action along the path"):
        most_likely_escape(cliff, FractionalNoise(0.5), 0.0, 2.0, horizon=1.0, dt=0.1)
