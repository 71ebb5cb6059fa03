"""Where paths leave: sides and places, on grids, in continuous time and on bridges."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest
from scipy import stats

import fbmsde
from fbmsde import FractionalNoise, Landscape, LevelSet, bridge_passage, first_passage, quadratic, simulate_paths

from ..conftest import threshold

FLAT = Landscape(lambda x: 0.0 * x, lambda x: 0.0 * x, name="flat")
PLANE = Landscape(lambda x: 0.0 * x[0], lambda x: (0.0 * x[0], 0.0 * x[1]), dim=2, name="flat")
RUN = {"horizon": 50.0, "n_paths": 300, "seed": 4, "n_jobs": 1}


def test_side_is_the_bound_that_the_place_lies_beyond():
    got = first_passage(quadratic(1.0), FractionalNoise(0.4), 0.0, (-0.8, 1.0), dt=0.01, **RUN | {"horizon": 0.5})
    left = ~got.censored
    assert 0 < got.n_left < got.n_paths
    assert set(got.side) == {"lower", "upper", ""}
    assert np.array_equal(got.side == "upper", got.place >= 1.0)
    assert np.array_equal(got.side == "lower", got.place <= -0.8)
    assert np.array_equal(got.side == "", ~left) and np.isnan(got.place[~left]).all()


def test_place_is_the_point_of_the_path_in_the_plane():
    run, disc = {"dt": 0.01, "n_paths": 40, "seed": 3}, LevelSet(lambda x, r: x[0] ** 2 + x[1] ** 2 - r**2, (0.3,))
    got = first_passage(PLANE, FractionalNoise(0.6), (0.1, 0.0), disc, horizon=1.0, **run)
    paths = simulate_paths(PLANE, FractionalNoise(0.6), (0.1, 0.0), n_steps=100, **run)
    left = np.flatnonzero(~got.censored)
    assert left.size > 5 and got.place.shape == (40, 2)
    assert np.array_equal(got.place[left], paths.values[left, np.rint(got.times[left] / 0.01).astype(int)])
    assert set(got.side[left]) == {"level"}


@pytest.mark.slow
@pytest.mark.parametrize("monitoring", ["shifted", "continuous"])
def test_brownian_motion_leaves_at_the_nearer_end_more_often(monitoring):
    """P(top) = (x - a) / (b - a): 10 000 paths see an error of .024 at the threshold."""
    step = {"dt": 1e-3} if monitoring == "shifted" else {"fine_steps": 2**13, "horizon": 20.0}
    run = RUN | {"n_paths": 10_000, "monitoring": monitoring, "n_jobs": 2} | step
    got = first_passage(FLAT, FractionalNoise(0.5), 0.0, (-1.0, 2.0), **run)
    top, exact = np.mean(got.side == "upper"), 1.0 / 3.0
    assert not got.censored.any()
    assert abs(top - exact) / math.sqrt(exact * (1 - exact) / got.n_paths) < threshold(3)
    assert np.array_equal(got.side == "upper", got.place > 1.0)


@pytest.mark.slow
def test_bridge_leaves_at_the_nearer_end_more_often():
    """P(top) = (x - a) / (b - a): 20 000 paths see an error of .017 at the threshold; the place is the bound."""
    got = bridge_passage(FLAT, 1.0, 0.0, (-1.0, 2.0), dt=0.01, **RUN | {"n_paths": 20_000})
    top, exact = np.mean(got.side == "upper"), 1.0 / 3.0
    assert abs(top - exact) / math.sqrt(exact * (1 - exact) / got.n_paths) < threshold(3)
    assert np.array_equal(got.place, np.where(got.side == "upper", 2.0, -1.0))


@pytest.mark.slow
def test_place_on_a_disc_is_uniform():
    """Brownian motion from the centre leaves a disc everywhere alike: a density off by 8 % at cos(phi) is seen."""
    disc = LevelSet(lambda x: x[0] ** 2 + x[1] ** 2 - 1.0)
    got = first_passage(PLANE, FractionalNoise(0.5), (0.0, 0.0), disc, dt=0.01, **RUN | {"n_paths": 20_000})
    angles = np.arctan2(got.place[:, 1], got.place[:, 0])
    counts = np.histogram(angles, bins=12, range=(-math.pi, math.pi))[0]
    assert stats.chisquare(counts).pvalue > 1e-6


def test_times_without_departures_have_no_side():
    passages = fbmsde.PassageTimes(np.array([1.0, 2.0]), np.array([False, True]), 2.0, 1.0)
    for name in ("side", "place"):
        with pytest.raises(fbmsde.NoEstimateError, match="departures must be given to tell where paths left, got None"):
            getattr(passages, name)


@pytest.mark.parametrize(
    ("codes", "names", "places", "message"),
    [
        ([1, 2], ("out",), [0.0, 0.0], r"codes must lie in 0 ... 1, the number of names, got 1 to 2"),
        ([1.0], ("out",), [0.0], r"codes must be whole numbers of one dimension, got shape \(1,\) of float64"),
        ([1, 0], ("out",), [0.0], r"places must hold 2 points, got shape \(1,\)"),
    ],
)
def test_departures_refuse(codes, names, places, message):
    with pytest.raises(ValueError, match=message):
        fbmsde.Departures(np.array(codes), names, np.array(places))


def test_departures_belong_to_the_paths_that_left():
    departures = fbmsde.Departures(np.array([1, 1]), ("out",), np.array([0.0, 0.0]))
    with pytest.raises(ValueError, match="departures must tell a side for just the paths that left"):
        fbmsde.PassageTimes(np.array([1.0, 2.0]), np.array([False, True]), 2.0, 1.0, departures=departures)


def _unheard(x):
    return unheard_of(x)  # noqa: F821


COMPILED = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="the compiler tells what is undefined")
SIDES = {"left": lambda x: -1.0 - x, "right": LevelSet(lambda x, b: x - b, (0.7,))}


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{"dt": 0.01}, {"dt": 0.01, "monitoring": "shifted"}, {"monitoring": "continuous", "fine_steps": 2**10}]
)
def test_named_level_sets_are_the_interval(options):
    run = RUN | {"horizon": 1.0} | options
    named = first_passage(quadratic(1.0), FractionalNoise(0.4), 0.0, SIDES, **run)
    plain = first_passage(quadratic(1.0), FractionalNoise(0.4), 0.0, (-1.0, 0.7), **run)
    assert {"left", "right"} <= set(named.side)
    if options.get("monitoring") != "continuous":
        assert np.array_equal(named.times, plain.times)
        assert np.array_equal(named.side == "left", plain.side == "lower")
    else:  # the clearances of a level and of a bound are not alike, so that jumps differ
        assert abs(named.n_left - plain.n_left) < 0.2 * plain.n_left


@pytest.mark.slow
def test_first_level_set_that_is_not_negative_gives_the_name():
    both = {"ring": lambda x: x[0] ** 2 + x[1] ** 2 - 0.25, "half": lambda x: -x[0] - 0.45, "never": lambda x: -1.0}
    got = first_passage(PLANE, FractionalNoise(0.5), (0.0, 0.0), both, dt=0.02, **RUN)
    ring = (got.place**2).sum(axis=1) >= 0.25
    assert np.array_equal(got.side == "ring", ring)
    assert np.array_equal(got.side == "half", ~ring) and np.sum(~ring) > 10
    assert np.any(ring & (got.place[:, 0] <= -0.45))  # outside of both
    assert got.split().names == ("ring", "half", "never") and got.split()["never"].value == 0.0


def test_walls_that_move():
    """A wall that comes nearer at speed 1 is that of a path with drift: the plain loop over the saved path."""
    speed = 0.5
    walls = (lambda t: speed * t - 1.0, 1.2)
    run = {"dt": 0.01, "n_paths": 50, "seed": 5}
    got = first_passage(quadratic(1.0), FractionalNoise(0.3, 0.5), 0.0, walls, horizon=3.0, **run)
    values = simulate_paths(quadratic(1.0), FractionalNoise(0.3, 0.5), 0.0, n_steps=300, **run).values
    times = 0.01 * np.arange(301)
    low, high = values <= speed * times - 1.0, values >= 1.2
    out = low | high
    step = np.argmax(out, axis=1)
    assert np.array_equal(got.censored, ~out.any(axis=1)) and got.n_left > 0
    assert np.allclose(got.times[~got.censored], times[step][~got.censored])
    assert np.array_equal(got.side == "lower", ~got.censored & low[np.arange(50), step])


@pytest.mark.slow
def test_shifted_walls_are_the_shifted_interval():
    run = RUN | {"dt": 0.01, "horizon": 1.0, "monitoring": "shifted"}
    still = first_passage(quadratic(1.0), FractionalNoise(0.3), 0.0, (-1.0, 1.5), **run)
    place = 1.5
    moving = first_passage(quadratic(1.0), FractionalNoise(0.3), 0.0, (-1.0, lambda t: place + 0.0 * t), **run)
    assert np.array_equal(still.times, moving.times) and np.array_equal(still.side, moving.side)
    place = 0.5
    nearer = first_passage(quadratic(1.0), FractionalNoise(0.3), 0.0, (-1.0, lambda t: place + 0.0 * t), **run)
    assert nearer.n_left > moving.n_left


@pytest.mark.parametrize(
    ("domain", "error", "message"),
    [
        ({}, ValueError, "domain must name at least one level set, got an empty dictionary"),
        ({"a": 3.0}, TypeError, r"domain\['a'\] must be a level function or a LevelSet, got 3.0"),
        ({1: abs}, TypeError, "domain must name its level sets by non-empty texts, got 1"),
        (SIDES | {"top": lambda x: x + 1.0}, ValueError, "where the level of 'top' is negative, got level 1.0 at"),
        pytest.param(SIDES | {"b": _unheard}, ValueError, r"domain\['b'\] must compile with numba", marks=COMPILED),
        ((lambda t: 0.3 * t - 1.0, 1.0), ValueError, r"lower\(t\) < upper\(t\) at every step, got \(1.001, 1\) at"),
        ((lambda t: t, 1.0), ValueError, r"x0 must lie inside the domain \(0.0, 1.0\), got 0.0 at time 0"),
        pytest.param((None, _unheard), ValueError, "upper must compile with numba", marks=COMPILED),
    ],
)
def test_bad_domains(domain, error, message):
    with pytest.raises(error, match=message):
        first_passage(quadratic(1.0), FractionalNoise(0.5), 0.0, domain, dt=0.01, **RUN)


def test_continuous_time_asks_for_walls_that_stand():
    with pytest.raises(ValueError, match="domain must stand still in continuous time, got walls that move"):
        first_passage(quadratic(), FractionalNoise(0.5), 0.0, (None, lambda t: 1 + t), monitoring="continuous", **RUN)
