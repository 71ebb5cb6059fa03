"""Ranges of paths: bit for bit those of the whole run, for every driver, monitoring and kind of start, however far out.

Every comparison sees a path that is seeded, started or scanned by its place in the range in place of its number.
"""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
import threading
import time
from functools import cache

import cloudpickle
import numpy as np
import pytest

import fbmsde
from fbmsde import (
    Continuous,
    ErrorBudget,
    FractionalNoise,
    Grid,
    LevelSet,
    PassageProblem,
    PathError,
    Shifted,
    Stationary,
    first_passage,
    quadratic,
)
from fbmsde.core.blocks import Stopped
from fbmsde.core.states import BROKEN, LEFT
from fbmsde.dynamics.schedules import cosine
from fbmsde.results.accuracy import Accuracy
from fbmsde.simulation.ended import Ended
from fbmsde.simulation.starts import DRAWN, Points, start_of

from ..drivers.test_contract import DRIVERS

N, FIRST, PART = 45, 21, 19  # an odd place, as pairs of paths share a transform
NOISE, WELL, GRID = FractionalNoise(0.3, 0.8), quadratic(1.0), Grid(0.05)
PLANE = fbmsde.double_well_2d(4.0, 1.0, 1.0)
STARTS = {
    "point": 0.1,
    "array": np.linspace(-0.3, 0.4, N),
    "drawn": lambda rng, n: rng.uniform(-0.3, 0.4, n),
    "stationary": "stationary",
    "burn-in": Stationary(0.7),
}


def problem(landscape=WELL, noise=NOISE, x0=0.1, domain=(-0.9, 1.1), monitoring=GRID, horizon=2.0, seed=4):
    return PassageProblem(landscape, noise, x0, domain, horizon=horizon, seed=seed, monitoring=monitoring)


def require_same(part, whole):
    """The arrays of a range are those of the run that holds it."""
    begin = part.first - whole.first
    for name in ("times", "states", "sides", "places"):
        rows = getattr(whole, name)[begin : begin + part.n_paths]
        assert np.array_equal(getattr(part, name), rows, equal_nan=name == "places"), name
    assert (part.dt, part.horizon, part.names) == (whole.dt, whole.horizon, whole.names)


def require_ranges(posed, n_paths=N):
    """Both a range in the middle and a single last path are those of the whole run, in which some paths leave."""
    whole = posed.ends(n_paths, n_jobs=2)
    assert np.any(whole.states == LEFT)
    require_same(posed.ends(PART, FIRST, n_jobs=1), whole)
    require_same(posed.ends(1, n_paths - 1, n_jobs=1), whole)
    assert (posed.dt, posed.reached, posed.names) == (whole.dt, whole.horizon, whole.names)
    assert whole.places.shape == (n_paths, posed.n_positions)


@pytest.mark.parametrize("name", DRIVERS)
def test_every_driver(name):
    require_ranges(problem(noise=DRIVERS[name], domain=(-0.5, 0.6), horizon=3.0))


@pytest.mark.parametrize("kind", STARTS)
@pytest.mark.parametrize(
    "monitoring", [Grid(0.05, "heun"), pytest.param(Shifted(0.02), marks=pytest.mark.slow), Continuous(2**6)], ids=repr
)
def test_every_monitoring_and_start(monitoring, kind):
    posed = problem(x0=STARTS[kind], monitoring=monitoring, horizon=1.0, domain=(-0.9, None))
    if isinstance(monitoring, Continuous) and kind in ("stationary", "burn-in"):
        with pytest.raises(ValueError, match="x0 must be points in continuous time, got a stationary start"):
            posed.ends(PART, FIRST)
    else:
        require_ranges(posed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["array", "drawn"])
def test_steps_and_scan_in_continuous_time_are_those_of_all_paths(kind):
    """The default step follows the distance of the starts, and the scan of an open side their extremes."""
    ends = np.concatenate([np.full(N - 5, 0.0), np.full(5, 0.89)])
    x0 = ends if kind == "array" else lambda rng, n: np.where(rng.random(n) < 0.7, 0.0, 0.89)
    posed = problem(fbmsde.rippled_well(), x0=x0, domain=(None, 0.9), monitoring=Continuous(), horizon=0.1)
    require_ranges(posed)
    assert posed.ends(PART, FIRST).budget.resolution == posed.ends(N).budget.resolution


@pytest.mark.parametrize("name", ["streaming", "white", "arma"])
@pytest.mark.slow
def test_stationary_start_of_every_noise_that_has_one(name):
    require_ranges(problem(noise=DRIVERS[name], x0="stationary", domain=(-0.5, 0.6)))


CASES = {
    "named level sets": lambda: problem(
        PLANE, x0=(-1.0, 0.0), domain={"right": lambda x: x[0] + 0.6, "far": lambda x: abs(x[1]) - 0.8}
    ),
    "two components of strength of their own": lambda: problem(
        PLANE, FractionalNoise((0.3, 0.5), (0.5, 0.7), method="davies_harte"), (-1.0, 0.0), lambda x: x[0] + 0.6
    ),
    "moving walls": lambda: problem(domain=(lambda t: -1.0 - 0.1 * t, 0.9)),
    "chain with a schedule": lambda: problem(
        fbmsde.sgd(WELL, cosine(0.5, 40)), monitoring=Grid(1.0), domain=(-0.3, 0.4), horizon=40.0
    ),
    "velocities": lambda: problem(
        fbmsde.langevin(WELL, 1.0), x0=np.linspace(0.0, 0.2, N), domain=(-0.5, 0.5), horizon=4.0
    ),
    "resets": lambda: problem(fbmsde.resetting(fbmsde.overdamped(WELL), 0.5)),
    "walls": lambda: problem(fbmsde.reflected(WELL, -0.5, None), domain=(None, 1.0)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_every_equation_and_domain(name):
    require_ranges(CASES[name]())


@pytest.mark.slow
@pytest.mark.parametrize("method", ["streaming", "cholesky"])
@pytest.mark.parametrize("x0", ["point", "array", "drawn"])
def test_points_that_are_arrays(method, x0):
    well = fbmsde.hessian_spectrum(np.linspace(0.5, 2.0, 20))
    rows = np.random.default_rng(1).normal(size=(N, 20)) * 0.05
    starts = {"point": np.zeros(20), "array": rows, "drawn": lambda rng, n: 0.05 * rng.normal(size=(n, 20))}
    require_ranges(problem(well, FractionalNoise(0.4, 0.5, method), starts[x0], fbmsde.ball(1.9), horizon=1.0))


@pytest.mark.parametrize("x0", ["point", "drawn"])
@pytest.mark.parametrize("monitoring", [Grid(0.05), Continuous(2**6)], ids=["grid", "continuous"])
def test_a_range_far_out_costs_what_its_length_costs(monitoring, x0):
    """A run that made anything for the paths before it would not fit in memory."""
    posed, far = problem(monitoring=monitoring, x0=STARTS[x0], domain=(-0.9, None)), 10**9 + 7
    whole = posed.ends(40, far)
    require_same(posed.ends(13, far + 27), whole)
    assert not np.array_equal(whole.times, posed.ends(40).times)


def test_drawn_starts_of_a_range_across_blocks():
    equation, key = fbmsde.overdamped(WELL), problem().key
    calls = []

    def draw(rng, n):
        calls.append(n)
        return rng.normal(size=n)

    whole = start_of(draw, equation, range(3 * DRAWN), key).rows
    calls.clear()
    part = start_of(draw, equation, range(DRAWN - 3, DRAWN + 5), key)
    assert np.array_equal(part.rows, whole[DRAWN - 3 : DRAWN + 5]) and calls == [DRAWN] * 2
    assert np.array_equal(part.typical, whole[:DRAWN])


def test_typical_points_of_an_array_are_all():
    rows, equation = np.linspace(0.0, 1.0, 9), fbmsde.overdamped(WELL)
    start = start_of(rows, equation, range(4, 6), problem().key)
    assert isinstance(start, Points)
    assert np.array_equal(start.rows[:, 0], rows[4:6]) and np.array_equal(start.typical[:, 0], rows)


@pytest.mark.parametrize("kind", ["point", "array", "drawn", "stationary"])
def test_first_path(kind):
    options = {"dt": 0.05, "horizon": 2.0, "seed": 4}
    whole = first_passage(WELL, NOISE, STARTS[kind], (-0.9, 1.1), n_paths=N, **options)
    part = first_passage(WELL, NOISE, STARTS[kind], (-0.9, 1.1), n_paths=N - FIRST, first_path=FIRST, **options)
    assert np.array_equal(part.times, whole.times[FIRST:]) and np.array_equal(part.side, whole.side[FIRST:])
    passages = problem(x0=STARTS[kind]).passages(PART, FIRST)
    assert np.array_equal(passages.times, whole.times[FIRST : FIRST + PART])


def test_a_generator_is_advanced_once():
    posed = problem(seed=np.random.default_rng(3))
    require_same(posed.ends(5, 10), posed.ends(20))
    assert posed.digest() == posed.digest() != problem(seed=np.random.default_rng(4)).digest()


@pytest.mark.parametrize(
    ("change", "span", "message"),
    [
        ({}, (10, -1), r"first must be at least 0, got -1"),
        ({}, (10, 2**40), r"first \+ n_paths must be at most 1099511627776"),
        ({"x0": np.zeros(9)}, (5, 5), r"x0 must hold a row for each path up to number 9, got 9 rows"),
        ({"monitoring": Grid(0.05, until=0.5)}, (5, 5), r"until must be None in a range of paths from number 5 on"),
    ],
)
def test_bad_ranges(change, span, message):
    with pytest.raises(ValueError, match=message):
        problem(**change).ends(*span)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x0": 2.0}, ValueError, r"x0 must lie inside the domain \(-0\.9, 1\.1\), got 2\.0"),
        ({"x0": np.linspace(0.0, 1.3, 14)}, ValueError, r"x0 must lie inside .* for path 11"),
        ({"x0": np.zeros((3, 2))}, ValueError, r"x0 must have 1 coordinates, or be \(n_paths,\), got shape \(3, 2\)"),
        ({"noise": 3}, TypeError, r"noise must be a Driver, got 3"),
        ({"monitoring": "grid"}, TypeError, r"monitoring must be a Monitoring, got 'grid'. Write Grid\(dt\)"),
        ({"horizon": "long"}, TypeError, r"horizon must be a number"),
        ({"domain": (1.0, 0.0)}, ValueError, r"domain must"),
        ({"x0": "stationary", "domain": (1.0, 0.0)}, ValueError, r"domain must"),
        ({"seed": -1}, ValueError, r"seed must be at least 0"),
    ],
)
def test_bad_problems(change, error, message):
    with pytest.raises(error, match=message):
        problem(**change)


def test_a_drawn_start_outside_tells_its_path():
    """Path 30 starts outside: a range before it does not see it, and one that holds it names it."""
    posed = problem(x0=lambda rng, n: np.where(np.arange(n) == 30, 5.0, 0.0))
    assert posed.ends(20, 5).n_paths == 20
    with pytest.raises(ValueError, match=r"x0 must lie inside the domain \(-0\.9, 1\.1\), got 5\.0 for path 30\."):
        posed.ends(20, 25)


def test_horizon_that_a_share_decides_is_not_known_beforehand():
    with pytest.raises(ValueError, match=r"until must be None for a horizon that is known beforehand, got 0\.5"):
        _ = problem(monitoring=Grid(0.05, until=0.5)).reached


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_path_error_tells_the_number_of_the_path():
    posed = problem(fbmsde.Equation(lambda t, x: 0.0 if x < 0.5 else np.nan), domain=(-0.9, 3.0))
    whole = posed.ends(N)
    path = FIRST + int(np.argmax(whole.states[FIRST:] == BROKEN))
    part = posed.ends(PART, FIRST)
    require_same(part, whole)
    with pytest.raises(PathError, match=f"path {path} must stay finite") as caught:
        part.passages()
    assert caught.value.path == path and caught.value.passages.n_broken > 0
    assert caught.value.time == pytest.approx(whole.times[path] + 0.05)


@cache
def in_parts():
    posed = problem(monitoring=Continuous(2**6), domain=(-0.9, None))
    return posed.ends(N), [posed.ends(20), posed.ends(13, 20), posed.ends(12, 33)]


def test_parts_join_to_the_whole():
    """Means per path are weighted by paths; the largest values are those of the whole run."""
    whole, parts = in_parts()
    joined = Ended.concat(parts)
    require_same(joined, whole)
    assert joined.n_paths == N and joined.first == 0
    for name, value in whole.budget.record().items():
        np.testing.assert_allclose(joined.budget.record()[name], value, rtol=1e-12, err_msg=name)
    assert np.array_equal(joined.passages().times, whole.passages().times)
    require_same(whole.head(7), whole)
    assert whole.head(7).n_paths == 7 and whole.head(99) is whole


def test_parts_that_do_not_adjoin_are_refused():
    whole, parts = in_parts()
    with pytest.raises(ValueError, match=r"parts must adjoin, got paths from 33 on after the last path 19"):
        Ended.concat([parts[0], parts[2]])
    with pytest.raises(ValueError, match="parts must be of one problem"):
        Ended.concat([whole, problem().ends(5, N)])
    with pytest.raises(ValueError, match="parts must hold at least one range"):
        Ended.concat([])


def test_error_budgets_join_and_survive_json():
    budget = ErrorBudget(1e-4, 1e-3, 5e-4, 1e-6, 30.0, 0.3, 2**16, Accuracy())
    finest = {"resolution": 0.5, "step": 0.1, "wanted_steps": math.inf}
    other = ErrorBudget(3e-4, 2e-3, 4e-4, 1e-6, 40.0, 0.3, 2**16, Accuracy(), **finest)
    merged = ErrorBudget.merged([budget, other], [100, 300])
    assert merged.missed_crossings == pytest.approx(2.5e-4) and merged.jumps_per_path == pytest.approx(37.5)
    assert (merged.overshoot, merged.drift, merged.noise_kl, merged.resolution) == (2e-3, 5e-4, 1e-6, math.inf)
    for each in (budget, other, merged, ErrorBudget(*[0.5] * 6, 9, Accuracy(1e-6, 0.1, 1e-7))):
        assert ErrorBudget.of_record(json.loads(json.dumps(each.record()))) == each
        texts = {name: str(value) for name, value in each.record().items()}
        assert ErrorBudget.of_record(json.loads(json.dumps(texts, allow_nan=False))) == each
    before = {name: value for name, value in budget.record().items() if name not in ("step", "wanted_steps")}
    assert ErrorBudget.of_record(before) == budget and merged.note == other.note != budget.note == ""
    with pytest.raises(ValueError, match="budgets must be of the same options"):
        ErrorBudget.merged([budget, ErrorBudget(*[0.5] * 6, 9, Accuracy())], [1, 1])
    with pytest.raises(ValueError, match="paths must hold a number for each budget, got 1 for 2"):
        ErrorBudget.merged([budget, other], [1])
    with pytest.raises(ValueError, match="record must hold all numbers of an error budget, got none of resolution"):
        ErrorBudget.of_record({name: 1.0 for name in budget.record() if name != "resolution"})


SCRIPT = """
import pickle, sys
problem = pickle.load(sys.stdin.buffer)
ends = problem.ends(19, 21)
pickle.dump((problem.digest(), ends), sys.stdout.buffer)
"""


@pytest.mark.slow
def test_a_problem_of_lambdas_gives_the_same_bits_in_another_process():
    rim, pull = 0.9, 1.3
    well = fbmsde.Landscape(lambda x, k: k * pull * x * x / 2.0, lambda x, k: k * pull * x, (1.5,))
    posed = problem(well, x0=lambda rng, n: rng.uniform(-0.2, 0.2, n), domain=LevelSet(lambda x, r: abs(x) - r, (rim,)))
    here = posed.ends(N)  # what is compiled stays behind
    done = subprocess.run([sys.executable, "-c", SCRIPT], input=cloudpickle.dumps(posed), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    digest, there = cloudpickle.loads(done.stdout)
    require_same(there, here)
    assert digest == posed.digest()


FAR, WHITE = (-90.0, 90.0), FractionalNoise(0.5)
ENDLESS = {  # runs of which no path leaves, and which take minutes
    "grid": lambda: (problem(noise=WHITE, domain=FAR, monitoring=Grid(1e-4), horizon=1e5), 300),
    "continuous": lambda: (problem(domain=FAR, monitoring=Continuous(2**29, 1e-7), horizon=1.0), 4),
    "arrays": lambda: (
        problem(fbmsde.hessian_spectrum(np.ones(20)), WHITE, np.zeros(20), fbmsde.ball(90.0), Grid(1e-5), 1e4), 4
    ),
    "whole paths": lambda: (
        problem(noise=FractionalNoise(0.7, method="hosking"), domain=FAR, monitoring=Grid(1e-3), horizon=600.0), 4
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", ENDLESS)
def test_a_run_stops_when_it_is_asked(name):
    """Within about half a second on an idle machine; the bound leaves room for a busy one."""
    posed, n_paths = ENDLESS[name]()
    dataclasses.replace(posed, horizon=posed.horizon * 1e-5).ends(1)  # compiles
    asked = []
    deadline = time.monotonic() + 0.7

    def stop():
        if time.monotonic() > deadline:
            asked.append(time.monotonic())
        return bool(asked)

    with pytest.raises(Stopped, match="the run was asked to stop before its end"):
        posed.ends(n_paths, n_jobs=2, stop=stop)
    assert time.monotonic() - asked[0] < 20.0
    patience = time.monotonic() + 20.0
    while any(t.name.startswith("fbmsde") for t in threading.enumerate()) and time.monotonic() < patience:
        time.sleep(0.01)
    assert not [t for t in threading.enumerate() if t.name.startswith("fbmsde")]


def test_a_run_that_is_not_stopped_is_whole():
    asked = []
    posed = problem()
    require_same(posed.ends(N, stop=lambda: bool(asked.append(1))), posed.ends(N))
