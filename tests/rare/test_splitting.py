"""Splitting: branches share the past of their parents, and the estimates are those of plain simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fbmsde import (
    EpochNoise,
    Equation,
    FractionalNoise,
    Grid,
    NoEstimateError,
    PathError,
    Shifted,
    StableNoise,
    first_passage,
    langevin,
    quadratic,
    simulate_paths,
)
from fbmsde.core.checks import as_seed
from fbmsde.drivers.base import BLOCK, LANES
from fbmsde.laws.diffusions import ou_exit_rate
from fbmsde.rare._branches import FRESH, Book, Tasks, branch_paths
from fbmsde.rare.posed import escape_of
from fbmsde.rare.problem import RareProblem
from fbmsde.rare.splitting import Splitting

from .. import naive
from ..conftest import threshold

WELL = quadratic(1.5)
UPPER, DT, N_STEPS, N_PATHS = 0.9, 0.05, 44, 20  # the last block of steps ends beyond the horizon


def splitting(landscape, noise, x0, domain, *, n_replicas=10, n_jobs=None, **options):
    """Replicas of a problem by this method, whose settings are those options that no problem has."""
    given = {name: options.pop(name) for name in ("monitoring", "horizon", "seed")}
    problem = RareProblem(landscape, noise, x0, domain, **given, method=Splitting(**options))
    return problem.replicas(n_replicas, n_jobs=n_jobs)


def tasks(rows, parents, levels, generation):
    n = len(rows)
    return Tasks(np.array(rows), np.array(parents), np.array(levels, float), np.full(n, generation))


@pytest.fixture(scope="module")
def made():
    """The book of 20 fresh paths, and the escape, the lanes and the branch that made it."""
    noise = FractionalNoise(0.3, 0.6)
    escape = escape_of(
        WELL, noise, 0.2, (None, UPPER), monitoring=Grid(DT), horizon=DT * N_STEPS, key=as_seed(3)
    )
    feed = escape.feed()
    lanes = feed.lanes(0, N_PATHS)
    branch = feed.branch(lanes)
    book = Book.blank(2 * N_PATHS, 1, branch.n_numbers, branch.n_words)

    def make(todo):
        control = np.zeros(3, np.int64)
        paths = np.arange(2 * N_PATHS)
        branch_paths(lanes, branch, escape.ascents["upper"], N_STEPS, todo, book, paths, control)
        return int(control[2])

    make(tasks(range(N_PATHS), [FRESH] * N_PATHS, np.zeros(N_PATHS), 0))
    values = simulate_paths(WELL, noise, 0.2, dt=DT, n_steps=N_STEPS, n_paths=N_PATHS, seed=3).values
    return escape, lanes, branch, book, make, values


def test_fresh_paths_climb_as_the_plain_loop_does(made):
    _, _, _, book, _, values = made
    for path in range(N_PATHS):
        scores = values[path] - UPPER
        arrived = np.flatnonzero(scores >= 0.0)
        last = arrived[0] if arrived.size else N_STEPS
        assert book.final_arrivals[path] == (last if arrived.size else -1)
        assert book.final_tops[path] == pytest.approx(scores[: last + 1].max(), abs=1e-12)
    assert 0 < np.sum(book.final_tops[:N_PATHS] >= 0.0) < N_PATHS


def test_a_branch_leaves_its_parent_where_it_passes_the_level_and_goes_on_by_itself(made):
    """Compared with the plain loop, fed by what the driver draws from the state that the branch has in the book."""
    _, lanes, branch, book, make, values = made
    level = float(np.median(book.final_tops[:N_PATHS]))
    parents = np.flatnonzero(book.final_tops[:N_PATHS] > level)
    rows = N_PATHS + np.arange(parents.size)
    make(tasks(rows, parents, np.full(parents.size, level), 1))
    noise = np.zeros((1, BLOCK, LANES))
    for row, parent in zip(rows, parents, strict=True):
        age = naive.branch_age(values[parent, 1:] - UPPER, level, BLOCK)
        assert book.ages[row] == age
        if age <= N_STEPS:
            assert book.points[row, 0] == pytest.approx(values[parent, age], abs=1e-12)
        if book.arrivals[row] >= 0:
            assert book.final_arrivals[row] == book.arrivals[row] == book.final_arrivals[parent]
            continue
        branch.load(lanes.data, 0, book.numbers[row], book.words[row])
        increments = []
        for _ in range(age, N_STEPS, BLOCK):
            lanes.draw(lanes.data, noise)
            increments.extend(lanes.scale * noise[0, :, 0])
        left = increments[: max(0, N_STEPS - age)]
        top, arrival = naive.climb(WELL, np.array(left), book.points[row, 0], UPPER, DT)
        assert book.final_tops[row] == pytest.approx(max(top, book.tops[row]), abs=1e-12)
        assert book.final_arrivals[row] == (arrival + age if arrival > 0 else -1)
    ends = {tuple(book.words[row]) for row in (*rows, *parents)}
    assert len(ends) == 2 * parents.size


def test_branches_of_a_branch_begin_where_it_began(made):
    *_, book, make, _ = made
    top = int(np.argmax(book.final_tops[:N_PATHS]))
    make(tasks([N_PATHS], [top], [-0.4], 2))
    make(tasks([N_PATHS + 1], [N_PATHS], [-0.5], 3))
    assert book.ages[N_PATHS + 1] == book.ages[N_PATHS]
    assert np.array_equal(book.points[N_PATHS + 1], book.points[N_PATHS])
    assert not np.array_equal(book.words[N_PATHS + 1], book.words[N_PATHS])


OPTIONS = {"monitoring": Grid(0.05), "horizon": 2.0, "seed": 1, "n_replicas": 4, "n_paths": 32}


def test_replicas_depend_neither_on_threads_nor_on_how_many_there_are():
    def run(n_jobs, **change):
        options = OPTIONS | {"n_paths": 16, "horizon": 1.0} | change
        return splitting(WELL, FractionalNoise(0.4, 0.7), 0.0, (-1.2, 1.2), **options, n_jobs=n_jobs)

    four, two = [run(jobs) for jobs in (1, 3)], run(1, n_replicas=2)
    assert np.array_equal(four[0].values, four[1].values)
    assert np.array_equal(four[0].values[:2], two.values)
    assert four[0].path_steps == four[1].path_steps > two.path_steps
    assert np.unique(four[0].values).size == 4
    replicas = [replica for runs in four[0].sides.values() for replica in runs]
    assert sum(replica.ancestors for replica in replicas) < sum(replica.times.size for replica in replicas)


CASES = {
    "rough": (WELL, FractionalNoise(0.3, 0.6), 1.6),
    "persistent": (WELL, FractionalNoise(0.7, 0.8), 1.5),
    "epochs": (WELL, EpochNoise(60, 10, 0.2), 0.85),
    "stable": (WELL, StableNoise(1.7, 0.1), 0.8),
    "inert": (langevin(WELL, 0.7), FractionalNoise(0.5, 0.5), 1.1),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_small_replicas_have_no_bias(name):
    """The mean of 400 replicas of 32 paths fixes the probability to 4 to 8 % at one s.d.

    Paths that branch before they pass the level, or keep the noise of their parent, are off by a factor.
    """
    equation, noise, upper = CASES[name]
    options = {"monitoring": Grid(0.05), "horizon": 3.0}
    rare = splitting(equation, noise, 0.0, (None, upper), **options, seed=5, n_replicas=400, n_paths=32, killed=0.2)
    plain = first_passage(equation, noise, 0.0, (None, upper), **options, n_paths=200_000, seed=6)
    share = 1.0 - plain.censored.mean()
    assert 3e-4 < share < 3e-2
    values = rare.values
    error = math.hypot(values.std(ddof=1) / math.sqrt(values.size), math.sqrt(share / 200_000))
    assert abs(values.mean() - share) < threshold(len(CASES)) * error


@pytest.mark.slow
def test_times_of_arrival_are_those_of_plain_simulation():
    """The mean time of exits before the horizon; 200 replicas fix it to 1.5 %."""
    options = {"monitoring": Grid(0.05), "horizon": 3.0}
    rare = splitting(WELL, FractionalNoise(0.3, 0.6), 0.0, (None, 1.6), **options, seed=5, n_replicas=200, n_paths=64)
    plain = first_passage(WELL, FractionalNoise(0.3, 0.6), 0.0, (None, 1.6), **options, n_paths=200_000, seed=6)
    weights = rare.values / rare.values.mean()
    means = np.array([r.times.mean() if r.times.size else 0.0 for r in rare.sides["upper"]])
    left = plain.times[~plain.censored]
    mean = float(np.mean(weights * means))
    error = math.hypot(np.std(weights * (means - mean)) / math.sqrt(200), left.std() / math.sqrt(left.size))
    assert abs(mean - left.mean()) < threshold(1) * error


@pytest.mark.slow
def test_rate_of_the_ornstein_uhlenbeck_process_at_six_standard_deviations():
    """The exact eigenvalue lies within the 99.9 % interval, which is narrower than 50 % either way."""
    rare = splitting(
        quadratic(1.0), FractionalNoise(0.5, math.sqrt(2.0)), 0.0, (None, 6.0), monitoring=Shifted(1 / 256),
        horizon=10.0, seed=2, n_paths=2048,
    )  # fmt: skip
    rate, exact = rare.rate(4.0, 0.999), ou_exit_rate(6.0, sigma=math.sqrt(2.0))
    assert rate.low < exact < rate.high < 1.5 * rate.value
    assert rare.doubts == ()


@pytest.mark.slow
def test_a_wall_that_cannot_be_climbed_step_by_step_is_noticed():
    """A single jump of stable noise leads beyond the wall, so that no path gets there by branching."""
    rare = splitting(quadratic(1.0), StableNoise(1.2, 1e-4), 0.0, (None, 4.0), **(OPTIONS | {"n_replicas": 10}))
    with pytest.raises(NoEstimateError, match=r"disagree or are degenerate|no replica of 10 reached"):
        rare.probability()


def test_a_boundary_that_no_path_reaches_gives_a_bound():
    still = splitting(quadratic(1.0), FractionalNoise(0.5, 1e-3), 0.0, (None, 9.0), **OPTIONS, least=1e-3)
    with pytest.raises(NoEstimateError, match=r"no replica of 4 reached .* up to time 2 is at most about"):
        still.probability()
    assert 0.0 < still.sides["upper"][0].at_most < 2e-3
    assert math.isnan(still.spread)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"killed": 0.6}, ValueError, r"killed must be at most 0\.5, got 0\.6"),
        ({"n_paths": 3}, ValueError, "n_paths must be at least 16, got 3"),
        ({"x0": 2.0}, ValueError, "x0 must lie inside the domain"),
        ({"x0": "stationary"}, ValueError, "x0 must be one point for a rare escape, got 'stationary'"),
        ({"noise": FractionalNoise(0.5, method="davies_harte")}, ValueError, "noise must be one whose lanes can"),
        ({"noise": 3}, TypeError, "noise must be a Driver, got 3"),
        ({"monitoring": "grid"}, TypeError, r"monitoring must be a Grid, got 'grid'\. Write Grid"),
        ({"monitoring": Grid(0.1, until=0.5)}, ValueError, r"until must be None for a rare escape, got 0\.5"),
        ({"domain": (None, None)}, ValueError, "domain must have an end"),
        ({"horizon": 0.01}, ValueError, r"horizon must be at least dt = 0\.05, got 0\.01"),
    ],
)
def test_bad_arguments(change, error, message):
    given = {"landscape": WELL, "noise": FractionalNoise(0.5), "x0": 0.0, "domain": (None, 1.0)} | OPTIONS | change
    with pytest.raises(error, match=message):
        splitting(**given)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_path_that_breaks_is_an_error():
    blown = Equation(lambda t, x: -1e200 * x * x * x)
    with pytest.raises(PathError, match="a path must stay finite until it leaves"):
        splitting(blown, FractionalNoise(0.5), 0.1, (-1e308, 1e308), **OPTIONS, n_jobs=1)
