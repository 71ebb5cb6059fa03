"""Subset simulation: moves keep the law of the noise, and the estimates are those of plain simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fbmsde import (
    EpochNoise,
    FractionalNoise,
    Grid,
    Landscape,
    LevelSet,
    NoEstimateError,
    Shifted,
    first_passage,
    quadratic,
)
from fbmsde.core.checks import as_seed
from fbmsde.drivers.base import BLOCK, LANES
from fbmsde.laws.diffusions import mean_exit_time, ou_exit_rate
from fbmsde.rare._chains import Chains, Move, copy_chain, move
from fbmsde.rare.posed import escape_of
from fbmsde.rare.problem import RareProblem
from fbmsde.rare.subset import SubsetSimulation

from .. import naive
from ..conftest import threshold

WELL = quadratic(1.5)
DT, N_STEPS, UPPER = 0.05, 20, 0.5
NOISE = FractionalNoise(0.7, 0.6)


def present(chains):
    """The numbers that drive the present path of each chain, (LANES, n_steps)."""
    lanes = np.arange(LANES)
    return np.array([chains.noise[:, chains.side[lane], 0, :, lane].ravel() for lane in lanes])


def drawn(feed, first):
    """What the driver draws for the paths from number `first` on, (LANES, n_steps)."""
    lanes, noise, blocks = feed.lanes(first, LANES), np.empty((1, BLOCK, LANES)), []
    for lane in range(LANES):
        lanes.start(lanes.data, lane, first + lane)
    for _ in range(-(-N_STEPS // BLOCK)):
        lanes.draw(lanes.data, noise)
        blocks.append(noise[0].T.copy())
    return np.concatenate(blocks, axis=1), lanes.scale


def subset_simulation(landscape, noise, x0, domain, *, n_replicas=10, n_jobs=None, **options):
    """Replicas of a problem by this method, whose settings are those options that no problem has."""
    given = {name: options.pop(name) for name in ("monitoring", "horizon", "seed")}
    problem = RareProblem(landscape, noise, x0, domain, **given, method=SubsetSimulation(**options))
    return problem.replicas(n_replicas, n_jobs=n_jobs)


@pytest.fixture
def setting():
    escape = escape_of(WELL, NOISE, 0.0, (None, UPPER), monitoring=Grid(DT), horizon=DT * N_STEPS, key=as_seed(3))
    feed, chains = escape.feed(), Chains.blank(N_STEPS, 1)
    return escape.ascents["upper"], feed, feed.lanes(0, LANES), chains


def test_a_move_mixes_the_noise_with_that_of_a_fresh_path(setting):
    ascent, feed, lanes, chains = setting
    assert move(lanes, ascent, N_STEPS, Move(0, 0.0, 1.0, -math.inf), chains) == LANES
    first, scale = drawn(feed, 0)
    assert np.array_equal(present(chains), first)
    for lane in range(LANES):
        top, arrival = naive.climb(WELL, scale * first[lane, :N_STEPS], 0.0, UPPER, DT)
        assert chains.tops[lane] == pytest.approx(top, abs=1e-12)
        assert chains.arrivals[lane] == arrival
    level = float(np.median(chains.tops))
    before, tops = present(chains), chains.tops.copy()
    accepted = move(lanes, ascent, N_STEPS, Move(LANES, 0.8, 0.6, level), chains)
    mixed = 0.8 * before + 0.6 * drawn(feed, LANES)[0]
    taken = np.array([naive.climb(WELL, scale * row[:N_STEPS], 0.0, UPPER, DT)[0] > level for row in mixed])
    assert accepted == taken.sum()
    assert 0 < accepted < LANES
    assert np.allclose(present(chains), np.where(taken[:, None], mixed, before), atol=1e-12)
    assert np.array_equal(chains.tops[~taken], tops[~taken])


def test_a_copy_has_the_noise_of_its_source(setting):
    ascent, _, lanes, chains = setting
    move(lanes, ascent, N_STEPS, Move(0, 0.0, 1.0, -math.inf), chains)
    copy_chain(chains.noise, int(chains.side[1]), 1, chains.noise, int(chains.side[4]), 4)
    rows = present(chains)
    assert np.array_equal(rows[4], rows[1])
    assert not np.array_equal(rows[3], rows[1])


OPTIONS = {"monitoring": Grid(0.05), "horizon": 1.0, "seed": 1, "n_replicas": 2, "n_chains": 128, "sweeps": 2}


@pytest.mark.slow
def test_replicas_depend_neither_on_threads_nor_on_how_many_there_are():
    two = [subset_simulation(WELL, NOISE, 0.0, (-0.9, 0.9), **OPTIONS, n_jobs=jobs) for jobs in (1, 2)]
    one = subset_simulation(WELL, NOISE, 0.0, (-0.9, 0.9), **(OPTIONS | {"n_replicas": 1}))
    assert np.array_equal(two[0].values, two[1].values)
    assert two[0].values[0] == one.values[0]
    assert np.unique(two[0].values).size == 2


CASES = {
    "rough": (FractionalNoise(0.3, 0.6), 1.6),
    "exact": (FractionalNoise(0.7, 0.8, method="davies_harte"), 1.5),
    "epochs": (EpochNoise(60, 10, 0.2, phase=0), 0.85),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_estimates_are_those_of_plain_simulation(name):
    """60 replicas fix the probability to 4 to 7 % at one s.d.; moves that are always accepted are off by a factor."""
    noise, upper = CASES[name]
    options = {"monitoring": Grid(0.05), "horizon": 3.0}
    rare = subset_simulation(WELL, noise, 0.0, (None, upper), **options, seed=5, n_replicas=60, n_chains=128)
    plain = first_passage(WELL, noise, 0.0, (None, upper), **options, n_paths=200_000, seed=6)
    share = 1.0 - plain.censored.mean()
    assert 3e-4 < share < 3e-2
    error = math.hypot(rare.values.std(ddof=1) / math.sqrt(60), math.sqrt(share / 200_000))
    assert abs(rare.values.mean() - share) < threshold(len(CASES)) * error
    acceptance = np.concatenate([replica.acceptance for replica in rare.sides["upper"]])
    assert 0.15 < acceptance.mean() < 0.4


@pytest.mark.slow
def test_rate_of_the_ornstein_uhlenbeck_process_at_six_standard_deviations():
    """The exact eigenvalue lies within the 99.9 % interval, which is narrower than a factor of 2 either way."""
    rare = subset_simulation(
        quadratic(1.0), FractionalNoise(0.5, math.sqrt(2.0)), 0.0, (None, 6.0), monitoring=Shifted(1 / 128),
        horizon=8.0, seed=2,
    )  # fmt: skip
    rate, exact = rare.rate(4.0, 0.999), ou_exit_rate(6.0, sigma=math.sqrt(2.0))
    assert rate.low < exact < rate.high < 2.0 * rate.value
    assert rare.doubts == ()


def two_ways(x, height):
    """To the right a parabola with a wall beyond 2; to the left a steep rise to `height` at -1 and then a plateau."""
    y = min(-x, 1.0)
    return 0.5 * x * x + 8.0 * max(x - 2.0, 0.0) ** 2 if x > 0.0 else height * y * y * (3.0 - 2.0 * y)


def uphill(x, height):
    y = min(-x, 1.0)
    return x + 16.0 * max(x - 2.0, 0.0) if x > 0.0 else -6.0 * height * y * (1.0 - y)


@pytest.mark.slow
def test_a_way_that_is_hard_at_first_is_found_by_its_side_and_noticed_in_a_common_score():
    """Nearly all paths leave to the left, but those that come half of the way go to the right.

    The exact rate lies within the 99.9 % interval of the sum over sides. With one score for both sides, a few replicas
    find the way, most are 1000 times too low, and no number comes back. If none had found it, nothing would tell.
    """
    landscape, noise = Landscape(two_ways, uphill, (6.0,)), FractionalNoise(0.5)
    options = {"monitoring": Shifted(1 / 64), "horizon": 8.0, "seed": 3}
    exact = 1.0 / mean_exit_time(landscape, 0.0, (-3.0, 3.0), sigma=1.0)
    rate = subset_simulation(landscape, noise, 0.0, (-3.0, 3.0), **options).rate(4.0, 0.999)
    assert rate.low < exact < rate.high
    common = subset_simulation(landscape, noise, 0.0, LevelSet(lambda x: abs(x) - 3.0), **options, n_replicas=20)
    with pytest.raises(NoEstimateError, match=r"One of 20 replicas makes up|The replicas differ by"):
        common.rate(4.0)
    assert np.median(common.values) < exact


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"p0": 0.5}, ValueError, r"p0 must lie in \(1 / n_chains, 0\.5\), got 0\.5"),
        ({"n_chains": 200}, ValueError, "n_chains must be a multiple of 128, got 200"),
        ({"noise": EpochNoise(60, 10)}, ValueError, r"noise must be jointly normal for .*Take method='splitting'"),
        ({"x0": 1.0}, ValueError, "x0 must lie inside the domain"),
    ],
)
def test_bad_arguments(change, error, message):
    given = {"landscape": WELL, "noise": NOISE, "x0": 0.0, "domain": (None, 1.0)} | OPTIONS | change
    with pytest.raises(error, match=message):
        subset_simulation(**given)


def test_a_level_that_does_not_rise_gives_a_bound():
    """The level is flat around the start, so that no path is higher than another."""
    level, noise = LevelSet(lambda x: max(abs(x), 1.0) - 9.0), FractionalNoise(0.5, 1e-3)
    flat = subset_simulation(quadratic(1.0), noise, 0.0, level, **OPTIONS)
    with pytest.raises(NoEstimateError, match="no replica of 2 reached the boundary"):
        flat.probability()
