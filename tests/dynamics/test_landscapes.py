"""Landscapes: the contract of every one in the registry, and what users may get wrong."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import interpolate, special

import fbmsde
from fbmsde import (
    FractionalNoise,
    Landscape,
    LevelSet,
    bridge_passage,
    double_well,
    first_passage,
    rippled_well,
    simulate_paths,
    tilted_double_well,
)
from fbmsde.dynamics.landscapes import LANDSCAPES, named_landscape, parameters, registered

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
def test_a_landscape_has_one_name(name):
    assert getattr(fbmsde, name) is LANDSCAPES[name]
    assert LANDSCAPES[name]().name == name


@pytest.mark.parametrize("name", LANDSCAPES)
def test_parameters_can_be_given_by_name(name):
    defaults = {key: value for key, value in parameters(name).items() if value is not None}
    assert defaults and named_landscape(name, defaults) == LANDSCAPES[name]()
    first = next(iter(defaults))
    assert named_landscape(name, {first: 0.7}) == LANDSCAPES[name](0.7)
    with pytest.raises(ValueError, match=rf"landscape_params must be parameters of {name}, which are {first} = "):
        named_landscape(name, {"nothing": 1.0})


def test_registration_leaves_the_function_as_it_is(monkeypatch):
    monkeypatch.setattr("fbmsde.dynamics.landscapes.LANDSCAPES", known := {})

    def narrow_well():
        return double_well(9.0)

    assert registered(narrow_well) is narrow_well is known["narrow_well"] is fbmsde.narrow_well
    with pytest.raises(AttributeError, match="wide_well"):
        fbmsde.wide_well  # noqa: B018


@pytest.mark.parametrize("amplitude", [0.117, 0.12, 0.5, 30.0])
def test_crests_of_ripples_lie_between_the_middle_and_the_next_minimum(amplitude):
    well = rippled_well(1.0, amplitude, 1.0)
    x = np.linspace(0.0, well.saddles[1], 1001)
    assert well.saddles[0] == -well.saddles[1] and 0.5 < well.saddles[1] < 0.75
    assert np.all(well.slope(x[1:-1]) > 0.0) and abs(well.slope(x[-1])) < 1e-9 and well.slope(x[-1] * 1.01) < 0.0


@pytest.mark.parametrize("amplitude", [0.01, 0.1166])
def test_weak_ripples_have_no_crest(amplitude):
    well = rippled_well(1.0, amplitude, 1.0)
    assert well.saddles == () and np.all(well.slope(np.linspace(1e-3, 5.0, 2001)) > 0.0)


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
    assert double_well(4.0, 1.0).point_gradient is double_well(9.0, 2.0, 3.0).point_gradient


class Holder:
    """Something with a method and a value, as users have them."""

    k = 2.0

    def potential(self, x):
        return self.k * x

    def __call__(self, x):
        return x


def no_return(x):
    x * 2


def several_lines(x):
    y = 2.0 * x
    return special.erf(y)


def first_is_star(*params):
    return params[0]


OBJECTS = [
    (0.3, r"potential must be a function of \(x, \*params\), got 0\.3\. Write a function"),
    (Holder().potential, r"got <bound method .* Write a function outside of the class and pass the object's numbers"),
    (Holder(), r"Objects of class Holder cannot be compiled"),
    (np.poly1d([1.0, 2.0]), r"got poly1d\(\[1\., 2\.\]\)\. Write it as a function, with its coefficients in `params`"),
    (interpolate.CubicSpline([0.0, 1.0, 2.0], [0.0, 1.0, 4.0]), r"Objects of class CubicSpline cannot be compiled"),
    (math.cos, r"Objects of class builtin_function_or_method cannot be compiled"),
    (functools.partial(Holder().potential), r"got functools\.partial\(<bound method"),
]


@pytest.mark.parametrize(("function", "message"), OBJECTS)
def test_objects_that_are_no_functions_are_refused(function, message):
    with pytest.raises(TypeError, match=message):
        Landscape(function)
    if function != 0.3:
        with pytest.raises(TypeError, match=message.replace("potential must", "gradient must")):
            Landscape(lambda x: 0.0, function)


@given(
    st.one_of(
        st.none(), st.booleans(), st.floats(), st.complex_numbers(), st.text(max_size=3), st.binary(max_size=3),
        st.lists(st.floats(), max_size=2), st.dictionaries(st.text(max_size=1), st.floats(), max_size=1),
        st.sampled_from([len, int, np.cos, math, Holder, Holder(), Holder().potential, np.poly1d([1.0]), np.ones(2)]),
    )
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_nothing_but_functions_passes(thing):
    with pytest.raises(TypeError, match=r"potential must be a function of \(x, \*params\), got"):
        Landscape(thing)
    with pytest.raises(TypeError, match=r"landscape must be a Landscape, got"):
        simulate_paths(thing, FractionalNoise(0.5), 0.0, dt=0.1, n_steps=1, n_paths=1, seed=0)


SIGNATURES = [
    (lambda x, k: k * x, (), r"must take x and 0 numbers of params, got \(x, k\): missing a required argument: 'k'"),
    (lambda x: x, (1.0,), r"must take x and 1 number of params, got \(x\): too many .*line \d.*Write \(x, a\) for it"),
    (lambda: 1.0, (), r"got \(\): too many positional arguments"),
    (first_is_star, (), r"got \(\*params\): the point has no name of its own .*Write \(x\) for it"),
    (lambda x, **options: x, (), r"keywords cannot be compiled"),
    (functools.partial(lambda x, a, b: a * x + b, a=2.0), (1.0,), r"got \(x, \*, a=2\.0, b\)"),
]


@pytest.mark.parametrize(("function", "params", "message"), SIGNATURES)
def test_signatures_that_do_not_fit_are_refused(function, params, message):
    with pytest.raises(ValueError, match=message):
        Landscape(function, None, params)


FAULTY = [
    (lambda x: special.erf(x), 1, r"Unknown attribute 'erf' .*Numba knows the functions of math and numpy"),
    (several_lines, 1, r"line \d+: return special\.erf\(y\)\)"),
    (lambda x: Holder.k * x, 1, r"Cannot determine Numba type of <class 'type'> .*Pass its numbers in `params`"),
    (lambda x: x[0], 1, r"getitem\(float64.*write x for x\[0\]"),
    (lambda x: x**2, 2, r"pow\(UniTuple\(float64 x 2.*coordinates x\[0\], x\[1\]"),
    (lambda x: x[2], 2, r"tuple index out of range.*Count the coordinates of x"),
    (lambda x: missing(x), 1, r"name 'missing' is not defined.*Define this name"),  # noqa: F821
    (lambda x: np.where(x > 0, x, -x), 1, r"must return one number, got numba type array.*write `a if x > 0 else b`"),
    (no_return, 1, r"must return one number, got numba type none .*It lacks a `return`"),
    (lambda x: (x,), 1, r"must return one number.*Return the number alone"),
    (lambda x: 1j * x, 1, r"must return one number, got numba type complex128"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("function", "dim", "message"), FAULTY)
def test_faulty_functions_get_their_line_and_advice(function, dim, message):
    with pytest.raises(ValueError, match=message) as error:
        Landscape(function, dim=dim)
    assert f"{__file__}, line " in str(error.value)


@pytest.mark.slow
def test_gradients_in_the_plane_are_tuples():
    for gradient in (lambda x: np.array([x[0], 1.0]), lambda x: [x[0], 1.0]):
        with pytest.raises(ValueError, match=r"gradient must return a tuple of 2 floats.*Return a tuple, \(g0, g1"):
            Landscape(lambda x: 0.0, gradient, dim=2)


@pytest.mark.parametrize(
    ("params", "error"),
    [(2.0, TypeError), ("ab", TypeError), (None, TypeError), (("a",), TypeError), ((np.inf,), ValueError)],
)
def test_params_are_a_tuple_of_numbers(params, error):
    with pytest.raises(error, match="params must be"):
        Landscape(lambda x, a: a * x, None, params)
    with pytest.raises(error, match="params must be"):
        first_passage(Landscape(lambda x: x), FractionalNoise(0.5), 0.0, LevelSet(lambda x, a: x - a, params), dt=0.1,
                      horizon=1.0, n_paths=1, seed=0)  # fmt: skip


@pytest.mark.parametrize("run", [first_passage, simulate_paths, bridge_passage])
def test_wrong_kinds_of_landscapes_and_noise_are_refused(run):
    rest = {"dt": 0.1, "n_paths": 1, "seed": 0} | ({"n_steps": 2} if run is simulate_paths else {"horizon": 1.0})
    domain = () if run is simulate_paths else ((-1.0, 1.0),)
    noise = 1.0 if run is bridge_passage else FractionalNoise(0.5)
    with pytest.raises(TypeError, match=r"landscape must be a Landscape, got <function .*Write Landscape\(potential"):
        run(lambda x: x, noise, 0.0, *domain, **rest)
    if run is not bridge_passage:
        with pytest.raises(TypeError, match=r"noise must be a Driver, got 0\.3\. Write FractionalNoise\("):
            run(Landscape(lambda x: x), 0.3, 0.0, *domain, **rest)


@pytest.mark.parametrize(
    "value", [lambda x: 0, lambda x: x > 0, lambda x: np.float32(2.0) * np.float32(x), lambda x: 3, lambda x: 0.5 * x]
)
@pytest.mark.slow
def test_numbers_of_every_kind_are_taken(value):
    """Literal ints, bools and single precision become floats, in one dimension and in the plane."""
    line = Landscape(value, value)
    assert line.point_gradient((2.0,)) == (float(value(2.0)),)
    assert isinstance(line.point_gradient((2.0,))[0], float)
    assert line.energy(2.0) == float(value(2.0))
    plane = Landscape(lambda x: 0, lambda x: (0, x[1]), dim=2)
    assert plane.point_gradient((1.0, 2.0)) == (0.0, 2.0)


def test_gradients_may_take_their_params_together():
    well = Landscape(lambda x, *params: params[0] * x, None, (2.0, 3.0))
    assert well.slope(1.0) == pytest.approx(2.0)


def opposite(landscape):
    """The landscape with the sign of its gradient turned."""
    gradient = landscape.gradient
    if landscape.dim == 1:
        return lambda x, *params: -gradient(x, *params)
    return lambda x, *params: (-gradient(x, *params)[0], -gradient(x, *params)[1])


@pytest.mark.parametrize("name", LANDSCAPES)
def test_gradients_of_the_wrong_sign_are_refused(name):
    well = LANDSCAPES[name]()
    with pytest.raises(ValueError, match="gradient must point up the potential, got one that points down at x = "):
        Landscape(well.potential, opposite(well), well.params, well.dim)


SCALE = [1e-3, 1e-2, 1.0, 20.0]


@pytest.mark.parametrize("scale", SCALE)
def test_wrong_signs_are_seen_where_the_potential_is_defined(scale):
    """A well between walls, a logarithm that needs x > 0, a table, a dip in a plain."""
    table = np.linspace(0.0, 1.0, 101) ** 2
    wells = [
        (lambda x, s: math.log(1.0 - (x / s) ** 2), lambda x, s: -2.0 * x / (s * s - x * x)),
        (lambda x, s: x / s - math.log(x / s), lambda x, s: 1.0 / s - 1.0 / x),
        (lambda x, s: table[int(abs(x) / s * 100)] + 0.0 * x, lambda x, s: 2.0 * x / s**2),
        (lambda x, s: -math.exp(-((x / s) ** 2)), lambda x, s: 2.0 * x / s**2 * math.exp(-((x / s) ** 2))),
    ]
    for potential, gradient in wells:
        Landscape(potential, gradient, (scale,))
    for potential, gradient in (wells[1], wells[3]):
        with pytest.raises(ValueError, match="gradient must point up"):
            Landscape(potential, lambda x, s, up=gradient: -up(x, s), (scale,))


def test_drifts_that_are_no_gradients_are_taken():
    """A placeholder for the potential, a rotation, a gradient with noise of its own scale."""
    Landscape(lambda x: 0.0, lambda x: -x)
    Landscape(lambda x: x[0] ** 2 + x[1] ** 2, lambda x: (2 * x[0] - 3 * x[1], 2 * x[1] + 3 * x[0]), dim=2)
    Landscape(lambda x: x**2, lambda x: 1e3 * x)


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
