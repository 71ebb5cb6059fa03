"""Where paths leave: sides and places, on grids, in continuous time and on bridges."""

from __future__ import annotations

import math

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
