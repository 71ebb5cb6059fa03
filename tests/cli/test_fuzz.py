"""Hostile arguments of the functions that simulate: documented errors that name the argument, nothing else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fbmsde
from fbmsde import FractionalNoise

HOSTILE = st.one_of(
    st.sampled_from([None, math.nan, math.inf, -math.inf, 0, -1, 0.0, -0.0, 1e-320, 1e308, 10**400, 2**64, True]),
    st.sampled_from(["", "0.5", b"1", (), [], (1.0,), (2.0, 1.0), {}, 1j, object(), 3.7]),
)
ERRORS = (TypeError, ValueError, MemoryError, fbmsde.PathError)
WELL = fbmsde.quadratic()

GRID = {"landscape": WELL, "noise": FractionalNoise(0.5), "x0": 0.0, "domain": (-1.0, 1.0), "dt": 0.1, "horizon": 0.4,
        "n_paths": 2, "seed": 0, "monitoring": "grid", "n_jobs": 1}  # fmt: skip
CALLS = {
    "first_passage": (fbmsde.first_passage, GRID, ("x0", "domain", "dt", "horizon", "n_paths", "seed", "solver",
                      "monitoring", "fine_steps", "until", "n_jobs")),
    "bridge_passage": (fbmsde.bridge_passage, {"landscape": WELL, "sigma": 1.0, "x0": 0.0, "domain": (-1.0, 1.0),
                       "dt": 0.1, "horizon": 0.4, "n_paths": 2, "seed": 0, "n_jobs": 1},
                       ("sigma", "x0", "domain", "dt", "horizon", "n_paths", "seed", "n_jobs")),
    "simulate_paths": (fbmsde.simulate_paths, {"landscape": WELL, "noise": FractionalNoise(0.5), "x0": 0.0, "dt": 0.1,
                       "n_steps": 4, "n_paths": 2, "seed": 0, "n_jobs": 1},
                       ("x0", "dt", "n_steps", "n_paths", "seed", "solver", "save_every", "n_jobs")),
    "fractional_ornstein_uhlenbeck": (fbmsde.fractional_ornstein_uhlenbeck, {"hurst": 0.5, "n_steps": 4, "dt": 0.1,
                                      "seed": 0},
                                      ("hurst", "n_steps", "n_paths", "dt", "curvature", "sigma", "x0", "seed")),
    "FractionalNoise": (FractionalNoise, {"hurst": 0.5}, ("hurst", "sigma", "method", "tolerance", "dtype")),
}  # fmt: skip
# What a message may call an argument: a derived quantity, or where it is used.
ALSO = {"domain": ("x0",), "dt": ("horizon", "x0"), "n_steps": ("paths", "save_every"), "n_paths": ("passage times",
        "paths"), "horizon": ("dt",), "fine_steps": ("monitoring",), "until": ("method",), "x0": ("domain",),
        "monitoring": ("solver",), "curvature": ("dt",), "sigma": ("x0",), "save_every": ("paths",)}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_hostile_arguments_are_refused_by_name(name, data):
    function, plan, arguments = CALLS[name]
    argument = data.draw(st.sampled_from(arguments))
    value = data.draw(HOSTILE)
    try:
        result = function(**plan | {argument: value})
    except ERRORS as error:
        names = ("path",) if isinstance(error, fbmsde.PathError) else (argument, *ALSO.get(argument, ()))
        assert any(str(error).startswith(known) for known in names), f"{argument} = {value!r}: {error}"
    else:
        assert "\n" not in repr(result) or name == "fractional_ornstein_uhlenbeck"
