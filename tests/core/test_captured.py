"""Functions are compiled for the values that they capture: changed ones are seen, equal ones compile nothing anew."""

from __future__ import annotations

import functools
import struct
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from fbmsde import FractionalNoise, Landscape, quadratic, simulate_paths
from fbmsde.core.captured import CannotFollow, content_of, recipe_of
from fbmsde.core.compile import by_content, compiled
from fbmsde.simulation.levels import level_clearance, level_distance, shifted_level
from fbmsde.simulation.watch import INSIDE, level_watch

stiffness = 1.0
table = np.array([1.0, 2.0])
settings_module = types.ModuleType("some_settings")
settings_module.stiffness = 1.0
numbers = [1.0]


@njit
def helper(x):
    return stiffness * x


def plain_helper(x):
    return helper(x)


def by_global(x):
    return stiffness * x


def by_helper(x):
    return helper(x)


def by_plain_helper(x):
    return plain_helper(x)


def by_inner_function(x):
    def inner(y):
        return stiffness * y

    return inner(x)


def by_array(x):
    return table[0] * x


def by_module(x):
    return settings_module.stiffness * x


def with_default(x, k=1.0):
    return k * x


def closure(value):
    def gradient(x):
        return k * x

    def change(new):
        nonlocal k
        k = new

    k = value
    return gradient, change


def _change_global(monkeypatch, value):
    monkeypatch.setitem(globals(), "stiffness", value)


def _change_array(monkeypatch, value):
    table[0] = value


def _change_module(monkeypatch, value):
    settings_module.stiffness = value


def _change_default(monkeypatch, value):
    monkeypatch.setattr(with_default, "__defaults__", (value,))


CASES = {
    "global": (by_global, _change_global),
    "njit helper": (by_helper, _change_global),
    "helper of a helper": (by_plain_helper, _change_global),
    "inner function": (by_inner_function, _change_global),
    "array": (by_array, _change_array),
    "module": (by_module, _change_module),
    "default": (with_default, _change_default),
    "bound": (functools.partial(with_default), _change_default),
}


@pytest.mark.parametrize("case", CASES)
def test_a_changed_value_is_seen(case, monkeypatch):
    function, change = CASES[case]
    change(monkeypatch, 1.0)
    landscape = Landscape(lambda x: 0.0, function)
    first = landscape.point_gradient
    assert landscape.slope(2.0) == 2.0
    change(monkeypatch, 20.0)
    assert landscape.slope(2.0) == 40.0
    assert landscape.point_gradient is not first
    change(monkeypatch, 1.0)
    assert landscape.point_gradient is first, "equal values must not be compiled again"


def test_a_changed_closure_is_seen_by_the_gradient_of_a_potential():
    potential, change = closure(1.0)
    landscape = Landscape(potential)
    assert landscape.slope(0.5) == pytest.approx(1.0)
    change(20.0)
    assert landscape.slope(0.5) == pytest.approx(20.0)
    assert landscape.energy(0.5) == 10.0


@pytest.mark.slow
def test_runs_take_the_present_values():
    """The same paths as those of `quadratic`, which takes the number as a parameter."""
    gradient, change = closure(1.0)
    landscape = Landscape(lambda x: 0.0, gradient)
    options = {"dt": 0.01, "n_steps": 50, "n_paths": 3, "seed": 5}
    for k in (1.0, 20.0, 1.0):
        change(k)
        got = simulate_paths(landscape, FractionalNoise(0.5), 1.0, **options).values
        assert np.array_equal(got, simulate_paths(quadratic(k), FractionalNoise(0.5), 1.0, **options).values)


def test_level_functions_take_the_present_values():
    """The test for the outside, the clearance of a jump, the shifted boundary and its distance, radii of 1 and 2."""
    radius = 1.0

    def level(x):
        return x * x - radius * radius

    def found():
        shifted = shifted_level(level, 1, None)
        clear = level_clearance(level, 1, None)((0.9,), (0.0,), 0.5, 0.5, 0.0)
        outside = level_watch(level, (), 1).test(0.0, (1.5,)) != INSIDE
        return outside, clear, shifted(1.0, 0.25) < 0.0, level_distance(level, (), (0.5,), None)

    first = found()
    assert first[:3] == (True, 0.0, False)
    radius = 2.0
    later = found()
    assert later[:3] == (False, 1.0, True)
    assert later[3] == pytest.approx(3.75)
    radius = 1.0
    assert found() == first


def test_equal_functions_share_what_was_compiled():
    made = [compiled(eval("lambda x: 3.0 * x")) for _ in range(2)]
    assert made[0] is made[1]


def test_a_function_that_is_given_back_as_it_came_keeps_what_it_is_known_by():
    """Else stores would know a problem by another name once it was run, and refuse to go on with it."""
    function = compiled(lambda x: x + 1.5)
    before = content_of(function)
    assert before is not None and by_content(lambda inner, dim: inner)(function, 2) is function
    assert content_of(function) == before


def test_arrays_are_frozen_when_they_are_compiled():
    table[0] = 1.0
    first = compiled(by_array)
    table[0] = 7.0
    assert first(1.0) == 1.0
    table[0] = 1.0


def test_a_function_may_call_itself():
    def power(x, n):
        return 1.0 if n < 0.5 else x * power(x, n - 1.0)

    assert recipe_of(power).key == recipe_of(power).key
    assert recipe_of(power).make() is not None


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: numbers[0] * x, r"potential must capture nothing but .*, got numbers, a list\. Pass its numbers in"),
        (lambda x: x if settings_module is None else 2 * x, r"got settings_module, a module whose attributes are"),
    ],
)
def test_what_cannot_be_followed_is_refused(function, message):
    with pytest.raises(TypeError, match=message):
        Landscape(function)


def test_arrays_of_objects_are_refused():
    things = np.array([1.0, None])
    with pytest.raises(CannotFollow, match="things, an array of objects"):
        recipe_of(lambda x: things[0] * x)


def capturing(value):
    return lambda x: value


def capturing_call(function):
    return lambda x: function(x)


CONSTANTS = st.recursive(
    st.one_of(st.booleans(), st.integers(-3, 3), st.floats(), st.complex_numbers(), st.text(max_size=2), st.none())
    | st.builds(np.float32, st.floats(width=32))
    | st.lists(st.floats(), max_size=3).map(np.array)
    | st.lists(st.integers(0, 3), max_size=3).map(np.array),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
)


def bits(value):
    """The value as something that tells all constants of a compiler apart."""
    if isinstance(value, tuple):
        return tuple(map(bits, value))
    if isinstance(value, (np.ndarray, np.generic)):
        return type(value), value.dtype, value.shape, value.tobytes()
    if isinstance(value, float):
        return float, struct.pack("d", value)
    if isinstance(value, complex):
        return complex, struct.pack("dd", value.real, value.imag)
    return type(value), value


@given(CONSTANTS, CONSTANTS)
@settings(max_examples=150, deadline=None)
def test_keys_are_equal_when_the_captured_bits_are(a, b):
    """0.0 and -0.0, 1 and 1.0 and True, two NaNs of the same bits."""
    same = recipe_of(capturing(a)).key == recipe_of(capturing(b)).key
    assert same == (bits(a) == bits(b))
    assert recipe_of(capturing(a)).key == recipe_of(capturing(a)).key


@given(
    st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.sampled_from(["positions", "keywords", "mixed", "nested"])
)
@settings(max_examples=12, deadline=None)
def test_partial_functions_are_compiled_as_python_calls_them(a, b, x, how):
    def line(p, q, s):
        return p + 10.0 * q + 100.0 * s

    bound = {
        "positions": functools.partial(line, a, b),
        "keywords": functools.partial(line, s=a),
        "mixed": functools.partial(line, a, s=b),
        "nested": functools.partial(functools.partial(line, a), s=b),
    }[how]
    rest = (x, b) if how == "keywords" else (x,)
    assert compiled(bound)(*rest) == bound(*rest)


@pytest.mark.slow
def test_numba_options_of_a_helper_are_kept():
    keys = {recipe_of(capturing_call(njit(fastmath=fast)(with_default))).key for fast in (False, True)}
    assert len(keys) == 2
