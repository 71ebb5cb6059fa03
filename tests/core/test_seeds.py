"""`seed` and `rng`, of which every function that draws random numbers takes exactly one."""

from __future__ import annotations

import inspect
from functools import partial

import numpy as np
import pytest

import fbmsde
from fbmsde.core import seeds
from fbmsde.drivers.sample import sample
from fbmsde.rare.conditioned import conditioned_exits
from fbmsde.rare.exit_paths import exit_paths

WELL, NOISE = fbmsde.quadratic(), fbmsde.FractionalNoise(0.5)
CALLS = {
    "fgn": partial(fbmsde.fgn, 0.7, 5),
    "fbm": lambda **given: fbmsde.fbm(0.7, 5, **given),
    "sample": lambda **given: sample(NOISE, 5, **given),
    "EpochNoise.sample": lambda **given: fbmsde.EpochNoise(100, 10).sample(5, **given),
    "StreamingNoise.sample": lambda **given: fbmsde.StreamingNoise(0.7, 5).sample(**given),
    "StreamingNoise.stream": lambda **given: next(fbmsde.StreamingNoise(0.7, 5).stream(**given)),
    "first_passage": lambda **given: fbmsde.first_passage(
        WELL, NOISE, 0.0, (-1.0, 1.0), dt=0.1, horizon=1.0, n_paths=9, **given
    ).times,
    "simulate_paths": lambda **given: fbmsde.simulate_paths(
        WELL, NOISE, 0.0, dt=0.1, n_steps=5, n_paths=2, **given
    ).values,
    "fractional_ornstein_uhlenbeck": lambda **given: fbmsde.fractional_ornstein_uhlenbeck(0.7, 5, dt=0.1, **given),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_rng_takes_the_place_of_seed(call):
    """A seed of another place, or one that is not advanced, would give other or equal numbers."""
    by_seed, generator = call(seed=5), np.random.default_rng(5)
    assert np.array_equal(call(rng=5), by_seed)
    assert np.array_equal(call(rng=generator), call(seed=np.random.default_rng(5)))
    assert np.array_equal(call(rng=np.random.PCG64(5)), call(seed=np.random.default_rng(5)))
    assert not np.array_equal(call(rng=generator), call(seed=np.random.default_rng(5)))
    with pytest.raises(ValueError, match=r"rng must be None beside a seed, got 5\. Give one of the two\."):
        call(seed=5, rng=5)
    with pytest.raises(TypeError, match=r"seed must be an int, .* got None\. Write seed=0 .*rng=numpy"):
        call()


def test_what_is_no_rng_is_refused():
    for wrong in ("5", True, 5.0):
        with pytest.raises(TypeError, match=rf"rng must be what numpy.random.default_rng takes, .* got {wrong!r}"):
            seeds.one_seed(None, wrong)


def test_no_public_function_takes_a_seed_alone():
    """A function that needs a seed takes `rng` too; those with a default seed keep the seed with what they write."""
    public = [getattr(fbmsde, name) for name in fbmsde.__all__]
    for function in (*filter(inspect.isfunction, public), conditioned_exits, exit_paths):
        known = inspect.signature(function).parameters
        assert "seed" not in known or "rng" in known or known["seed"].default == 0, function.__name__
