"""Descriptions and digests: equal for equal content in every process, different where anything differs."""

from __future__ import annotations

import enum
import functools
import json
import math
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass, replace
from types import FunctionType
from typing import NamedTuple

import cloudpickle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

import fbmsde
from fbmsde import (
    Accuracy,
    AnisotropicNoise,
    ArmaNoise,
    Chain,
    Continuous,
    EpochNoise,
    Equation,
    FractionalNoise,
    GaussianNoise,
    Grid,
    Landscape,
    LevelSet,
    MixedNoise,
    OrnsteinUhlenbeckNoise,
    PopulationNoise,
    Shifted,
    StableNoise,
    Stationary,
    schedules,
)
from fbmsde.core.described import content_digest, described

WELL = fbmsde.quadratic(2.0)
FREE = Equation(lambda t, x, a: -a * x, params=(1.0,), name="free")
MAP = Chain(lambda k, x, noise: 0.9 * x + noise)
SAMPLES = np.linspace(-1.0, 2.0, 40)


def changed(*values):
    """An array of samples of which one differs in its last bit."""
    other = SAMPLES.copy()
    other[7] = np.nextafter(other[7], 9.0)
    return other


CHANGES = {  # of every field that a comparison looks at, to another value
    WELL: {
        "potential": lambda x, a: 0.5 * a * x * x + 1.0,
        "gradient": lambda x, a: a * x * 1.0,
        "params": (2.5,),
        "name": "other",
        "finest": 0.5,
    },
    FREE: {
        "drift": lambda t, x, a: -a * x - 1.0,
        "params": (1.5,),
        "channels": 1,
        "name": "tied",
        "landscape": WELL,
        "positions": 1,
        "amplitude": lambda t, a: 1.0 + t,
    },
    MAP: {
        "update": lambda k, x, noise: 0.8 * x + noise,
        "channels": 1,
        "positions": 1,
        "name": "map",
    },
    fbmsde.reflected(WELL, 0.0, 2.0): {"inner": fbmsde.overdamped(fbmsde.quadratic(3.0)), "lower": 0.5, "upper": 2.5},
    fbmsde.resetting(WELL, 0.5): {"inner": MAP, "rate": 0.25},
    FractionalNoise(0.3, 0.7): {
        "hurst": 0.31,
        "sigma": 0.7000000001,
        "method": "davies_harte",
        "tolerance": 1e-5,
        "dtype": np.float32,
    },
    FractionalNoise(0.3, (1.0, 2.0)): {"sigma": (1.0, 2.5), "correlation": None, "hurst": (0.3, 0.4)},
    ArmaNoise((0.5,), (0.1,)): {"ar": (0.4,), "ma": (0.2,), "sigma": 2.0},
    StableNoise(1.5): {"alpha": 1.6, "sigma": 2.0},
    EpochNoise(60, 10): {"n_samples": 70, "batch_size": 12, "sigma": 2.0, "phase": 1},
    OrnsteinUhlenbeckNoise(0.5): {"correlation_time": 0.6, "sigma": 2.0},
    MixedNoise(StableNoise(1.5), EpochNoise(60, 10)): {},
    AnisotropicNoise(StableNoise(1.5), [[1.0, 0.0], [0.5, 1.0]]): {
        "noise": StableNoise(1.4),
        "factor": [[1.0, 0.0], [0.6, 1.0]],
    },
    PopulationNoise(SAMPLES, 4): {"samples": changed(), "batch_size": 5, "replacement": True, "sigma": 2.0, "phase": 2},
    GaussianNoise(lambda k: 0.5**k): {
        "autocovariance": lambda k: 0.6**k,
        "spectrum": lambda f: 0.75 / (1.25 - np.cos(f)),
        "sigma": 2.0,
        "method": "circulant",
        "tolerance": 1e-5,
    },
    GaussianNoise([1.0, 0.5, 0.2]): {"autocovariance": [1.0, 0.5, 0.21]},
    LevelSet(lambda x, r: x - r, (1.0,)): {
        "level": lambda x, r: x - r - 1.0,
        "params": (1.5,),
        "finest": 0.1,
        "steepness": 1.0,
    },
    Grid(0.1): {"dt": 0.2, "solver": "heun", "until": 0.5},
    Shifted(0.1): {"dt": 0.2, "solver": "heun", "until": 0.5},
    Continuous(): {"fine_steps": 2**20, "longest": 1.0, "accuracy": Accuracy(miss=1e-8)},
    Accuracy(): {"miss": 1e-8, "drift_step": 0.01, "tolerance": 1e-6},
    Stationary(5.0): {"burn_in": 6.0, "x0": 1.0},
}


@pytest.mark.parametrize("whole", CHANGES, ids=lambda whole: type(whole).__name__)
def test_a_change_of_any_field_changes_the_digest(whole):
    """A digest that left a field out would let a store go on with the paths of another problem."""
    seen = {content_digest(whole)}
    for name, value in CHANGES[whole].items():
        extra = {"calculus": "additive"} if name == "amplitude" else {}
        if name in ("sigma", "correlation", "hurst") and isinstance(whole, FractionalNoise) and whole.components:
            extra = {"correlation": [[1.0, 0.5], [0.5, 1.0]]} if name == "correlation" else {}
            value = whole.sigma if name == "correlation" else value
            name = "sigma" if name == "correlation" else name
        seen.add(content_digest(replace(whole, **{name: value}, **extra)))
    assert len(seen) == 1 + len(CHANGES[whole])
    assert content_digest(cloudpickle.loads(cloudpickle.dumps(whole))) in seen
    json.dumps(described(whole), allow_nan=False)


def test_order_and_number_of_parts_count():
    left, right = LevelSet(lambda x: x - 1.0), LevelSet(lambda x: -x - 1.0)
    seen = [
        {"left": left, "right": right},
        {"right": right, "left": left},
        {"left": left},
        {"left": right, "right": left},
        MixedNoise(StableNoise(1.5), StableNoise(1.4)),
        MixedNoise(StableNoise(1.4), StableNoise(1.5)),
        MixedNoise(StableNoise(1.4), StableNoise(1.5), StableNoise(1.5)),
        Grid(0.1),
        Shifted(0.1),
        (None, 1.0),
        (1.0, None),
        (lambda t: -1.0 - t, 1.0),
        (lambda t: -2.0 - t, 1.0),
        schedules.constant(0.1),
        schedules.constant(0.2),
        schedules.warmup(0.1, 4),
        schedules.warmup(0.1, 5),
        schedules.tabulated([0.1, 0.2]),
        schedules.tabulated([0.1, 0.3]),
        fbmsde.langevin(WELL, 1.0),
        fbmsde.langevin(WELL, 2.0),
        fbmsde.hessian_spectrum(np.arange(1.0, 30.0)),
        fbmsde.hessian_spectrum(np.arange(2.0, 31.0)),
    ]
    assert len({content_digest(value) for value in seen}) == len(seen)


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Place(NamedTuple):
    x: float
    y: float


def cube(x):
    return x**3


def the_same(x):
    return x**3


def test_equal_content_has_equal_digests():
    pairs = [
        (cube, the_same),
        (FractionalNoise(0.5, 1), FractionalNoise(0.5, 1.0)),
        ([1.0, 2.0], np.array([1, 2])),
        (list(range(40)), np.arange(40.0)),
        (np.arange(40).reshape(4, 10), np.asfortranarray(np.arange(40.0).reshape(4, 10))),
        (np.arange(40.0), np.arange(40.0).astype(">f8")),
        (7, np.random.SeedSequence(7)),
        (np.int64(7), 7),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (Landscape(lambda x: x**4, minima=(0.0,)), Landscape(lambda x: x**4)),  # minima are for reading only
    ]
    for one, other in pairs:
        assert content_digest(one) == content_digest(other)
    different = [0.0, -0.0, 1, True, "1", None, math.nan, 2**53, 2**53 + 1, Colour.RED, Colour.BLUE, Place(1.0, 2.0)]
    different += [(1.0, 2.0), np.arange(40.0), np.arange(40.0).reshape(4, 10), np.arange(40) > 3, np.dtype(np.float32)]
    different += [np.random.SeedSequence(1).spawn(2)[1], np.random.SeedSequence([1, 2]), np.arange(40.0) + 0.5]
    assert len({content_digest(value) for value in different}) == len(different)


numbers = st.integers() | st.floats() | st.booleans() | st.none() | st.text(max_size=3)


@given(st.recursive(numbers, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner)))
@settings(max_examples=100, deadline=None)
def test_plain_data_describes_itself(data):
    """So a description may be described again, and a digest may be made of it."""
    plain = described(data, "data")
    assert described(plain, "data") == plain and content_digest(plain) == content_digest(data, "data")
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


@given(st.lists(st.floats(allow_nan=False), min_size=17, max_size=40), st.data())
@settings(max_examples=50, deadline=None)
def test_one_number_of_many_changes_the_digest(values, data):
    place = data.draw(st.integers(0, len(values) - 1))
    other = values[:place] + [math.nextafter(values[place], -math.inf)] + values[place + 1 :]
    assert (content_digest(values) == content_digest(other)) == (values[place] == -math.inf)


def fresh(source, **names):
    """The function `f` of a source text, defined anew in a module of its own."""
    space = {"np": np, "njit": njit, "functools": functools, "math": math, **names}
    exec(source, space)
    return space["f"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(x): return a * x", "def f(x): return a + x"),
        ("def f(x, b=1.0): return b * x", "def f(x, b=2.0): return b * x"),
        ("def f(x, *, b=1.0): return b * x", "def f(x, *, b=2.0): return b * x"),
        ("def f(x, *, b=1.0): return b * x", "def f(x, *, b): return b * x"),
        ("def g(x): return x\ndef f(x): return g(x)", "def g(x): return 2 * x\ndef f(x): return g(x)"),
        ("@njit\ndef f(x): return x", "@njit\ndef f(x): return 2 * x"),
        ("def make(a):\n  def f(x): return a * x\n  return f\nf = make(1)",
         "def make(a):\n  def f(x): return a * x\n  return f\nf = make(2)"),
        ("def g(x, b): return b * x\nf = functools.partial(g, b=1.0)",
         "def g(x, b): return b * x\nf = functools.partial(g, b=2.0)"),
        ("def g(rng, n, *, b): return b * n\nf = functools.partial(g, b=1.0)",
         "def g(rng, n, *, b): return b * n\nf = functools.partial(g, b=2.0)"),
        ("def f(x): return x in {1, 2, 3}", "def f(x): return x in {1, 2, 4}"),
        ("def f(x): return [y for y in (1, 2)]", "def f(x): return [y for y in (1, 3)]"),
        ("def f(*x): return x", "def f(x): return x"),
    ],
)  # fmt: skip
def test_a_function_is_told_by_its_code_and_what_it_captures(one, other):
    assert content_digest(fresh(one, a=3.0)) == content_digest(fresh("\n\n# further down\n" + one, a=3.0))
    assert content_digest(fresh(one, a=3.0)) != content_digest(fresh(other, a=3.0))


@pytest.mark.parametrize("a", [4.0, math.nan, "3", np.arange(3.0), np.arange(99.0), (3.0,), Colour.RED])
def test_a_captured_value_is_a_part_of_the_digest(a):
    source = "def f(x): return a"
    assert content_digest(fresh(source, a=a)) == content_digest(fresh(source, a=a))
    assert content_digest(fresh(source, a=a)) != content_digest(fresh(source, a=3.0))


SCRIPT = """
import functools, json, sys
import numpy as np
from numba import njit
import fbmsde
from fbmsde.core.described import content_digest
speed, table = 3.0, np.arange(30.0)
@njit
def helper(x):
    return speed * x if x in {1.0, 2.0, 3.0} else table[2]
def draw(rng, n, *, scale=2.0):
    return rng.normal(size=n) * scale
def well(depth):
    return fbmsde.Landscape(lambda x: depth * x**4, lambda x: 4 * depth * x**3 + 0.0 * helper(x))
parts = [
    well(2.0), fbmsde.overdamped(well(2.0)), draw, functools.partial(draw, scale=3.0), helper,
    fbmsde.sgd(well(1.0), fbmsde.schedules.warmup(0.1, 10), momentum=0.5), fbmsde.langevin(well(2.0), 1.0),
    fbmsde.ball(2.0), fbmsde.double_well_2d(), fbmsde.GaussianNoise(lambda k: 0.5**k), fbmsde.arfima(0.2),
    (lambda t: -1.0 - t, None), {"a": lambda x: x - speed},
]
print(json.dumps([content_digest(part) for part in parts]))
"""


def printed(arguments, seed):
    """What another interpreter prints."""
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"PYTHONHASHSEED": seed},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_processes_agree(tmp_path, capsys):
    """In a file, after other lines and under another hash seed; given on the command line; and typed to a session."""
    file = tmp_path / "elsewhere.py"
    file.write_text("from __future__ import annotations\n" + "\n# a line\n" * 30 + SCRIPT)
    exec(compile(SCRIPT, "<input>", "exec"), {"__name__": "typed"})
    here = json.loads(capsys.readouterr().out)
    assert here == printed([str(file)], "1") == printed(["-c", SCRIPT], "2")
    assert len(set(here)) == len(here)


class Model:
    """An object that only this process knows."""

    def draw(self, rng, n):
        return rng.normal(size=n)


places = [1.0, 2.0]
model = Model()


def drawing_with_a_model(rng, n):
    return model.draw(rng, n)


@dataclass(frozen=True)
class Holder:
    """A record from outside the package."""

    part: object
    factor: float = 1.0

    def scale(self):
        return 2.0 * self.factor


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Holder(Holder(model)), r"part\.part must be made of what can be told .*, got <.*Make its class a frozen"),
        (Holder(model.draw), r"part must be made of what can be told .*, got <bound method.*Write a function outside"),
        (Holder(drawing_with_a_model), r"part must be made of .*drawing_with_a_model.*, which uses <.*Model object"),
        (Holder(lambda rng, n: rng.choice(places, n)), r"part must .*, which uses places, a list\. Let it use numbers"),
        (Holder(np.random.default_rng(1)), r"part must .*, got Generator.*Give the seed as an int"),
        ({"a": [1.0, object()]}, r"a\[1\] must be made of .*, got <object"),
        (object(), r"value must be made of .*, got <object object"),
        ({1: 2}, r"value must be made of .*, got 1\. Let its keys be texts"),
        (Holder(np.array([object()])), r"part must be made of .*Give an array of numbers"),
        (Holder(np.ma.masked_array([1.0], [True])), r"part must be made of .*Give an array of numbers"),
        (Holder({1.0, 2.0}), r"part must be made of .*, got \{1\.0, 2\.0\}"),
    ],
)
def test_what_cannot_be_told_is_refused_by_name(value, message):
    with pytest.raises(ValueError, match=message) as caught:
        content_digest(value)
    assert "\n" not in str(caught.value)


def test_a_class_from_elsewhere_is_told_by_the_code_of_its_methods():
    def double(self):
        return 2.0 * self.factor + 1.0

    one = Holder(1.0)
    before = content_digest(one)
    assert before == content_digest(pickle.loads(pickle.dumps(one)))
    kept, other = Holder.scale, FunctionType(double.__code__, {})
    try:
        Holder.scale = other
        assert content_digest(one) != before
    finally:
        Holder.scale = kept
    assert content_digest(one) == before


def test_the_version_is_a_part_of_the_digest(monkeypatch):
    before = content_digest(WELL)
    monkeypatch.setattr("fbmsde.core.described.__version__", "9.9")
    assert content_digest(WELL) != before


def test_descriptions_can_be_read():
    assert described(fbmsde.quadratic(2.0))["params"] == [2.0]
    assert described(Stationary(5.0)) == {"kind": "Stationary", "burn_in": 5.0, "x0": [0.0]}
    assert described(FractionalNoise(0.3))["dtype"] == "float64"
    told = described(np.zeros((100, 2)))
    assert told["array"] == [100, 2] and len(told["digest"]) == 64
    assert described(np.random.SeedSequence(5)) == 5 and described(-math.inf) == "-inf"
    assert described(np.random.SeedSequence(5).spawn(1)[0]) == {
        "kind": "SeedSequence", "entropy": 5, "spawn_key": [0], "pool_size": 4
    }  # fmt: skip
