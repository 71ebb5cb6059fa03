"""Landscapes: the contract of every one in the registry, and what users may get wrong."""

from __future__ import annotations

import numpy as np
import pytest

from fbmsde import Landscape, double_well, tilted_double_well
from fbmsde.landscapes import LANDSCAPES

RNG = np.random.default_rng(0)


def points(landscape, n=40):
    return RNG.uniform(-3.0, 3.0, size=n if landscape.dim == 1 else (n, landscape.dim))


@pytest.mark.parametrize("name", LANDSCAPES)
def test_gradient_is_the_slope_of_the_potential(name):
    landscape = LANDSCAPES[name]()
    numeric = Landscape(landscape.potential, None, landscape.params, landscape.dim)
    x = points(landscape)
    assert np.allclose(landscape.slope(x), numeric.slope(x), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", LANDSCAPES)
def test_minima_and_saddles_are_stationary(name):
    landscape = LANDSCAPES[name]()
    for x in (*landscape.minima, *landscape.saddles):
        assert np.allclose(landscape.slope(x), 0.0, atol=1e-9)
    for x in landscape.minima:
        near = np.asarray(x) + 1e-3 * RNG.normal(size=(20, landscape.dim) if landscape.dim > 1 else 20)
        assert np.all(landscape.energy(near) > landscape.energy(x))


@pytest.mark.parametrize("name", LANDSCAPES)
def test_parameters_are_refused_when_not_positive(name):
    for bad in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="must be positive and finite, got"):
            LANDSCAPES[name](bad)


@pytest.mark.parametrize("name", ["double_well", "double_well_2d"])
def test_double_well_has_the_curvatures_and_the_height_asked_for(name):
    sharp, flat, height = 5.0, 0.7, 1.3
    well = LANDSCAPES[name](sharp, flat, height)
    h = 1e-4
    for x, curvature in zip(well.minima, (sharp, flat), strict=True):
        for axis in np.atleast_2d(np.eye(well.dim)):
            step = h * (axis if well.dim > 1 else axis[0])
            second = (well.energy(x + step) - 2 * well.energy(x) + well.energy(np.asarray(x) - step)) / h**2
            assert second == pytest.approx(curvature, rel=1e-4)
        assert well.energy(well.saddles[0]) - well.energy(x) == pytest.approx(height)


def test_chosen_heights_differ():
    well = double_well(4.0, 1.0, 1.0, flat_height=2.5)
    assert well.energy(list(well.minima)).tolist() == pytest.approx([-1.0, -2.5])


def test_tilt_must_leave_two_minima():
    with pytest.raises(ValueError, match=r"tilt must lie in \(-1\.5396, 1\.5396\) to leave two minima, got 2\.0"):
        tilted_double_well(1.0, 1.0, 2.0)


def test_new_parameters_need_no_new_kernel():
    assert double_well(4.0, 1.0).drift is double_well(9.0, 2.0, 3.0).drift


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Landscape(3.0), TypeError, r"potential must be a function of \(x, \*params\), got 3\.0"),
        (lambda: Landscape(lambda x: missing(x)), ValueError, r"potential must compile with numba, got: .*missing"),  # noqa: F821
        (lambda: Landscape(lambda x: x.shape), ValueError, r"potential must compile with numba, got: .*'shape'"),
        (lambda: Landscape(lambda x: "x"), ValueError, r"potential must return one number, got numba type"),
        (lambda: Landscape(lambda x: x, lambda x: (x, x)), ValueError, r"gradient must return one number, got"),
        (lambda: Landscape(lambda x: x[0], lambda x: x[0], dim=2), ValueError, r"gradient must return a tuple of 2"),
        (lambda: Landscape(lambda x, a: x, lambda x: x, (1.0,)), ValueError, r"gradient must compile with numba, got"),
        (lambda: Landscape(lambda x, a: x, None, (np.nan,)), ValueError, r"params must be finite, got nan"),
        (lambda: Landscape(lambda x: x, dim=0), ValueError, r"dim must be at least 1, got 0"),
        (lambda: LANDSCAPES["double_well_2d"]().energy([1.0]), ValueError, r"x must have a last axis of length 2"),
    ],
)
@pytest.mark.slow
def test_bad_functions(make, error, message):
    with pytest.raises(error, match=message):
        make()
