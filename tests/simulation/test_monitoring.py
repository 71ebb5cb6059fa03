"""Monitorings: objects and their shorthands are the same, options without a meaning are refused, any driver will do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

import fbmsde
from fbmsde import Accuracy, Continuous, Equation, FractionalNoise, Grid, Shifted, first_passage, simulate_paths
from fbmsde.core.random import normal_pair, seed_lane
from fbmsde.drivers.base import BLOCK, LANES, Driver, lanes
from fbmsde.drivers.jumping import Jumping

from .. import naive

WELL = fbmsde.double_well(4.0, 1.0, 1.0)


def run(noise=None, landscape=WELL, **change):
    options = {"x0": -1.0, "domain": (-math.inf, 0.0), "horizon": 2.0, "n_paths": 60, "seed": 4} | change
    return first_passage(landscape, noise or FractionalNoise(0.4), **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("monitoring", "shorthands"),
    [
        (Grid(0.01), {"dt": 0.01}),
        (Grid(0.01, "heun"), {"dt": 0.01, "solver": "heun"}),
        (Grid(0.01), {"dt": 0.01, "solver": None, "fine_steps": None, "accuracy": None}),
        (Shifted(0.01), {"dt": 0.01, "monitoring": "shifted"}),
        (Grid(0.01, until=0.2), {"dt": 0.01, "until": 0.2}),
        (Continuous(2**10), {"monitoring": "continuous", "fine_steps": 2**10}),
        (
            Continuous(2**10, 0.1, Accuracy(miss=1e-6)),
            {"monitoring": "continuous", "fine_steps": 2**10, "dt": 0.1, "accuracy": Accuracy(miss=1e-6)},
        ),
    ],
)
def test_a_name_with_shorthands_is_the_object(monitoring, shorthands):
    assert np.array_equal(run(monitoring=monitoring).times, run(**shorthands).times)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"monitoring": Grid(0.01), "dt": 0.01}, ValueError, r"dt must be None beside .*, got 0\.01\. .*Grid itself"),
        ({"monitoring": Continuous(), "fine_steps": 9}, ValueError, r"fine_steps must be None beside a monitoring"),
        ({"dt": 0.01, "steps": 3}, TypeError, r"unexpected keyword argument 'steps'"),
        ({}, TypeError, r"got None\. Give the step, such as dt=0\.01, or monitoring='continuous' for"),
        ({"monitoring": Continuous(), "until": 0.5}, ValueError, r"until must be None beside a monitoring, got 0\.5"),
        ({"monitoring": "continuous", "until": 0.5}, ValueError, r"until must be None in continuous time, got 0\.5"),
        ({"monitoring": 3}, TypeError, r"monitoring must be a Monitoring, got 3"),
    ],
)
def test_options_without_a_meaning_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        run(**change)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Grid(0.0), r"dt must be positive and finite, got 0\.0"),
        (lambda: Grid(0.1, "milstein"), r"solver must be one of euler, heun, rk4, got 'milstein'"),
        (lambda: Continuous(0), r"fine_steps must be"),
        (lambda: Continuous(2**31), r"fine_steps must be at most 2\^30, got 2147483648"),
        (lambda: Continuous(longest=-1.0), r"longest must be positive and finite, got -1\.0"),
    ],
)
def test_bad_monitorings(make, message):
    with pytest.raises(ValueError, match=message):
        make()


class _Coins(NamedTuple):
    """Random words and the last pair of normals of each lane."""

    key: np.ndarray
    words: np.ndarray


def _start(data, lane, path):
    seed_lane(data.key, path, 0, data.words, lane)


def _draw(data, noise):
    for lane in range(noise.shape[2]):
        for s in range(0, BLOCK, 2):
            a, b = normal_pair(data.words, lane)
            noise[0, s, lane] = 1.0 if a > 0.0 else -1.0
            noise[0, s + 1, lane] = 1.0 if b > 0.0 else -1.0


@dataclass(frozen=True)
class Coins:
    """A driver of steps +-sigma sqrt(dt), written with the public parts alone."""

    sigma: float = 1.0
    max_paths: None = None

    def increment_scale(self, dt):
        return self.sigma * math.sqrt(dt)

    def feed(self, n_steps, dt, channels, key):
        return _CoinFeed(key, self.increment_scale(dt))


@dataclass(frozen=True)
class _CoinFeed:
    key: np.ndarray
    scale: float
    max_paths: None = None

    def lanes(self, first, n_paths, width=LANES):
        return lanes(_start, _draw, _Coins(self.key, np.zeros((4, LANES), np.uint64)), self.scale)


FLAT = fbmsde.Landscape(lambda x: 0.0 * x, lambda x: 0.0 * x)


def test_a_driver_of_ones_own_drives_exits_and_paths():
    """The symmetric walk between -3 and 3 takes 9 steps on average; exits are those of the sampled increments."""
    options = {"landscape": FLAT, "x0": 0.0, "domain": (-2.5, 2.5), "monitoring": Grid(1.0), "horizon": 500.0}
    left = run(Coins(), n_paths=4000, **options)
    assert abs(left.times.mean() - 9.0) < 5.0 * left.times.std() / math.sqrt(4000)
    increments = fbmsde.drivers.sample.sample(Coins(), 40, 50, seed=4)
    assert set(np.unique(increments)) == {-1.0, 1.0}
    expected = naive.first_passage(FLAT, increments, 0.0, (-2.5, 2.5), 1.0, "euler")
    got = run(Coins(), n_paths=50, **options | {"horizon": 40.0})
    assert np.array_equal(got.times, expected[0])
    paths = simulate_paths(FLAT, Coins(0.5), 0.0, dt=4.0, n_steps=40, n_paths=50, seed=4)
    np.testing.assert_array_equal(paths.values[:, 1:], np.cumsum(increments, axis=1))


def test_what_a_driver_lacks_is_told():
    assert isinstance(Coins(), Driver) and not isinstance(Coins(), Jumping)
    with pytest.raises(TypeError, match=r"noise must be a FractionalNoise, got Coins\(.*The shift of the boundary"):
        run(Coins(), monitoring=Shifted(0.01))
    with pytest.raises(TypeError, match=r"noise must be a Jumping, got Coins.* steps at once. Take monitoring='grid'"):
        run(Coins(), monitoring=Continuous())
    with pytest.raises(TypeError, match=r"noise must be an Extending, got Coins\(.*leave `until` out"):
        run(Coins(), monitoring=Grid(0.01, until=0.5))


def test_continuous_time_asks_for_a_landscape():
    drifting = Equation(lambda t, x: t - x)
    with pytest.raises(ValueError, match=r"landscape must be a Landscape in continuous time, got 'equation'"):
        run(landscape=drifting, monitoring=Continuous())
