"""Landscapes in many dimensions: slopes, points of rest, and the invariances that they must have."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from fbmsde import Landscape, double_well_2d, hessian_spectrum, linear_network, power_law_spectrum, rosenbrock, valley

RNG = np.random.default_rng(0)
TARGET = RNG.normal(size=(3, 5))
LANDSCAPES = {
    "spectrum": hessian_spectrum([3.0, 1.0, 0.1, 2.0]),
    "saddle": hessian_spectrum([1.0, -0.5, 0.0]),
    "rosenbrock 2": rosenbrock(2),
    "rosenbrock 17": rosenbrock(17, steepness=3.0),
    "valley 2": valley(2),
    "valley 30": valley(30, 5.0, 0.7, 1.3, sharp_width=0.4, flat_width=2.0),
    "network": linear_network(TARGET, hidden=4),
    "narrow network": linear_network(TARGET, hidden=1),
}
each = pytest.mark.parametrize("name", LANDSCAPES)


@each
def test_gradient_is_the_slope_of_the_potential(name):
    landscape = LANDSCAPES[name]
    for x in RNG.uniform(-2.0, 2.0, size=(3, landscape.dim)):
        ends = np.array([[x + s * 1e-5 * axis for axis in np.eye(landscape.dim)] for s in (1.0, -1.0)])
        differences = np.subtract(*landscape.energy(ends)) / 2e-5
        assert landscape.slope(x) == pytest.approx(differences, rel=1e-5, abs=1e-6)


@each
def test_minima_and_saddles_are_points_of_rest(name):
    landscape = LANDSCAPES[name]
    for x in (*landscape.minima, *landscape.saddles):
        assert landscape.slope(x) == pytest.approx(np.zeros(landscape.dim), abs=1e-9)
    for x in landscape.minima:
        near = np.asarray(x) + 1e-3 * RNG.normal(size=(20, landscape.dim))
        assert np.all(landscape.energy(near) > landscape.energy(x) - 1e-14)


@each
def test_landscapes_of_arrays_can_be_pickled(name):
    landscape = LANDSCAPES[name]
    x = RNG.normal(size=(2, landscape.dim))
    assert landscape.wide
    assert np.array_equal(pickle.loads(pickle.dumps(landscape)).slope(x), landscape.slope(x))


def test_valley_in_the_plane_is_the_double_well_in_two_dimensions():
    x, plane = RNG.uniform(-3.0, 3.0, size=(50, 2)), double_well_2d(5.0, 0.7, 1.3)
    both = valley(2, 5.0, 0.7, 1.3)
    assert both.energy(x) == pytest.approx(plane.energy(x)) and both.slope(x) == pytest.approx(plane.slope(x))
    assert both.minima == plane.minima


def test_valley_rises_by_its_height_at_its_width():
    narrow = valley(6, 4.0, 1.0, 2.0, sharp_width=0.3, flat_width=1.5)
    for place, width in zip(narrow.minima, (0.3, 1.5), strict=True):
        beside = np.array(place) + width * np.eye(6)[4]
        assert narrow.energy(place) == pytest.approx(-2.0) and narrow.energy(beside) == pytest.approx(0.0, abs=1e-12)


def test_power_law_spectrum():
    assert power_law_spectrum(3, 2.0, 9.0) == pytest.approx([9.0, 9.0 / 4.0, 1.0])


def test_network_is_the_loss_of_its_matrices():
    """Written out with matrix products; the gradient of a rescaling vanishes: ``G1 W1' = W2' G2``."""
    network, x = LANDSCAPES["network"], RNG.normal(size=32)
    first, second = x[:20].reshape(4, 5), x[20:].reshape(3, 4)
    assert network.energy(x) == pytest.approx(0.5 * np.sum((second @ first - TARGET) ** 2))
    slope = network.slope(x)
    assert slope[:20].reshape(4, 5) @ first.T == pytest.approx(second.T @ slope[20:].reshape(3, 4))


def test_minimum_of_a_narrow_network_keeps_the_largest_singular_value():
    values = np.linalg.svd(TARGET, compute_uv=False)
    network = LANDSCAPES["narrow network"]
    assert network.energy(network.minima[0]) == pytest.approx(0.5 * np.sum(values[1:] ** 2))
    full = LANDSCAPES["network"]
    assert full.energy(full.minima[0]) == pytest.approx(0.0, abs=1e-12)


def test_equal_spectra_share_their_compiled_gradient():
    """The eigenvalues are part of the compiled function by their values, so that an equal one compiles nothing."""
    one, two = hessian_spectrum([2.0, 1.0]), hessian_spectrum([2.0, 1.0])
    assert one.array_gradient is two.array_gradient
    assert one.array_gradient is not hessian_spectrum([2.0, 1.5]).array_gradient


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: hessian_spectrum([1.0]), "eigenvalues must be two or more in one dimension"),
        (lambda: hessian_spectrum([[1.0, 2.0]]), "eigenvalues must be two or more in one dimension"),
        (lambda: hessian_spectrum([1.0, np.inf]), "eigenvalues must be finite, got one that is not at index 1"),
        (lambda: power_law_spectrum(0, 1.0), "dim must be at least 1, got 0"),
        (lambda: power_law_spectrum(3, np.nan), "exponent must be finite, got nan"),
        (lambda: rosenbrock(1), "dim must be at least 2, got 1"),
        (lambda: rosenbrock(3, -1.0), "steepness must be positive and finite"),
        (lambda: valley(1), "dim must be at least 2, got 1"),
        (lambda: valley(5, sharp=0.0), "sharp must be positive and finite"),
        (lambda: valley(5, flat_width=-1.0), "flat_width must be positive and finite"),
        (lambda: linear_network([1.0], 2), r"target must be a finite matrix \(outputs, inputs\), got shape \(1,\)"),
        (lambda: linear_network([[np.nan]], 2), "target must be a finite matrix"),
        (lambda: linear_network([[1.0]], 0), "hidden must be at least 1, got 0"),
    ],
)
def test_bad_arguments_are_refused(build, match):
    with pytest.raises(ValueError, match=match):
        build()


def test_a_gradient_that_is_left_out_may_call_a_helper():
    def half(v):
        return 0.5 * v

    landscape = Landscape(lambda x: half(x[2] ** 2), dim=20)
    assert landscape.slope(np.ones(20))[:4] == pytest.approx([0.0, 0.0, 1.0, 0.0])
