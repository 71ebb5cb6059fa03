"""Exits in continuous time: jumps compose, kernel = plain loop, exact laws, what is missed, errors."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import fbmsde
from fbmsde import FractionalNoise, Landscape, LevelSet, PathError, first_passage, quadratic
from fbmsde.core import checks
from fbmsde.core.random import fill_normals, seed_row
from fbmsde.drivers.rational.jump_tables import jumps
from fbmsde.drivers.rational.streaming import StreamingNoise
from fbmsde.dynamics.solvers import heun
from fbmsde.laws.diffusions import brownian_survival, mean_exit_time, ou_exit_rate
from fbmsde.laws.extremes import barrier_shift
from fbmsde.laws.fou import euler_chain_variance, fou_autocorrelation, fou_stationary_variance, fou_variance
from fbmsde.results.accuracy import Accuracy
from fbmsde.simulation._jump_state import refill
from fbmsde.simulation.bridge import bridge_passage
from fbmsde.simulation.budget import (
    SafeDistances,
    drift_error,
    hidden_between,
    hidden_excursion,
    missed_crossings,
)
from fbmsde.simulation.continuous import Jumper, Plan, exits
from fbmsde.simulation.exact_ou import fractional_ornstein_uhlenbeck
from fbmsde.simulation.levels import interval_clearance, level_clearance, level_distance
from fbmsde.simulation.problem import Crowd
from fbmsde.simulation.scan import scan_line, visited
from fbmsde.simulation.watch import interval_watch

from .. import naive
from ..conftest import threshold

FLAT = Landscape(lambda x: 0.0 * x, lambda x: 0.0 * x)
SOFT = fbmsde.double_well(0.02, 1.0, 1.0)
BOWL = Landscape(lambda x: (x[0] ** 2 + x[1] ** 2) / 2, lambda x: (x[0], x[1]), dim=2)


def run(landscape=FLAT, hurst=0.3, x0=0.0, domain=(-math.inf, 1.0), **options):
    settings = {"horizon": 1.0, "n_paths": 200, "seed": 3, "n_jobs": 1, "monitoring": "continuous"} | options
    noise = settings.pop("noise", FractionalNoise(hurst))
    if settings["monitoring"] == "continuous":
        settings.setdefault("fine_steps", 2**12)
    return first_passage(landscape, noise, x0, domain, **settings)


def on_grid(hurst, barrier, n_steps, n_paths, *, landscape=FLAT, horizon=1.0, seed=1, **accuracy):
    """Exits on the grid itself: the barrier is not moved."""
    region = interval_watch(-math.inf, barrier), interval_clearance
    motion, dt = (landscape.point_gradient, landscape.params), horizon / n_steps
    plan = Plan(motion, *region, np.array([[0.0]]), dt, n_steps, n_steps, 0.0)
    key = checks.as_seed(seed)
    return exits(FractionalNoise(hurst), plan, Accuracy(**accuracy), key, Crowd(n_paths, 1))


def tables(hurst, n_steps, tolerance=None):
    model = StreamingNoise(hurst, n_steps, tolerance).model
    return model, jumps(model, n_steps.bit_length())


CASES = [(0.02, 16), (0.1, 20), (0.3, 20), (0.49, 16), (0.51, 16), (0.7, 20), (0.95, 24)]


@pytest.mark.parametrize(("hurst", "log_n"), [(0.3, 10), *(pytest.param(*c, marks=pytest.mark.slow) for c in CASES)])
def test_jumps_have_the_variance_of_sums(hurst, log_n):
    """Of the state's part and the noise's: relative error below 1e-9 at every length, 1e-12 for H < 1/2."""
    model, table = tables(hurst, 2**log_n)
    k, lengths = model.q.size, 2.0 ** np.arange(log_n + 1)
    from_state = np.sum((table.mean[:, :k] @ model.start) ** 2, axis=1)
    expected = model.sum_variance(lengths) - model.level_variance * lengths**2
    assert np.abs((from_state + table.deviation**2) / expected - 1.0).max() < (1e-12 if hurst < 0.5 else 1e-9)
    assert table.kl.max() < 1e-15


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.1, 0.3, 0.7, 0.9])
def test_two_jumps_compose_to_one_of_twice_the_length(hurst):
    """Two jumps of M and one of 2M: means to rounding, covariances of S and of all it predicts to what is neglected."""
    model, table = tables(hurst, 2**20)
    k = model.q.size
    forecasts = (table.mean / table.deviation[:, None])[:, :k].T  # of the sums of the next 1, 2, 4, ... steps

    def law(m):
        s = np.zeros(table.rank[m])
        s[0] = table.deviation[m]
        return table.factor[m, : table.rank[m], :k], s

    for m in range(20):
        (f, s), (f2, s2) = law(m), law(m + 1)
        sums = np.concatenate([s + f @ table.mean[m, :k], s])
        states = np.vstack([f * table.decay[m, :k], f])
        assert abs(sums @ sums / (s2 @ s2) - 1.0) < 3e-7
        told, told2 = states @ forecasts, f2 @ forecasts
        assert np.abs(sums @ told - s2 @ told2).max() / s2[0] < 1e-7
        assert np.abs(told.T @ told - told2.T @ told2).max() < 1e-7
        twice = table.mean[m, :k] + table.decay[m, :k] * table.mean[m, :k]
        assert np.allclose(twice, table.mean[m + 1, :k], rtol=1e-12)


@pytest.mark.parametrize(("hurst", "log_n"), [(0.3, 5), (0.5, 12), pytest.param(0.8, 16, marks=pytest.mark.slow)])
def test_halves_of_a_jump_make_it_up(hurst, log_n):
    """The normals of both halves are a rotation; their sum, and what they forecast, are those of the jump."""
    _, table = tables(hurst, 2**log_n)
    forecasts = (table.mean / table.deviation[:, None]).T
    for m in range(1, log_n + 1):
        r, rank = table.rank[m - 1], table.rank[m]
        rows, half = table.split[m, : 2 * r, : 2 * r], table.factor[m - 1, :r]
        assert np.abs(rows @ rows.T - np.eye(2 * r)).max() < 1e-13
        assert not table.split[m, 2 * r :].any() and not table.split[m, :, 2 * r :].any()
        sums = np.concatenate([half @ table.mean[m - 1], np.zeros(r)])
        sums[[0, r]] += table.deviation[m - 1]
        assert np.abs(rows @ sums / table.deviation[m] - np.eye(2 * r)[0]).max() < 1e-7
        states = rows @ np.vstack([half * table.decay[m - 1], half])
        assert np.abs(states[:rank] - table.factor[m, :rank]).max() <= 1e-12 * np.abs(states).max()
        assert np.abs(states[rank:] @ forecasts).max(initial=0.0) < 1e-3  # directions that are left out


def test_ordinary_noise_jumps_without_a_state():
    model, table = tables(0.5, 2**10)
    assert model.q.size == 0
    assert np.allclose(table.deviation, 2.0 ** (np.arange(11) / 2.0), rtol=1e-14)
    assert np.all(table.rank == 1)


class PlainPath:
    """One path by the obvious recursion: a jump that is not safe is split into two halves, given its normals."""

    def __init__(self, jumper, path, landscape, bounds, x0, dt):
        self.tables, self.hurst, self.landscape, self.bounds = jumper.tables, jumper.model.hurst, landscape, bounds
        self.safe = SafeDistances.of(self.hurst, 99, jumper.accuracy.miss)
        self.batches = [naive.lane_state(jumper.key, path, lane) for lane in range(64)]
        z, k = self.batch(), len(jumper.model.rho)
        self.state = np.zeros(self.tables.decay.shape[1])
        self.state[:k] = jumper.model.start @ z[:k]
        self.level, self.stock, self.x, self.now = jumper.model.level_sd * z[k], [], x0, 0
        self.dt, self.scale, self.jumps = dt, dt**self.hurst, 0

    def batch(self):
        pairs = []
        for state in self.batches:
            first = naive.next_word(state)
            pairs.append(naive.box_muller(first, naive.next_word(state)))
        return [a for a, _ in pairs] + [b for _, b in pairs]

    def normals(self, n):
        if len(self.stock) < n:
            self.stock = self.batch()
        taken, self.stock = self.stock[:n], self.stock[n:]
        return taken

    def room(self, x, move, reach):
        most = self.hurst * reach
        return min(self.bounds[1] - x - max(move, -most), x - self.bounds[0] + min(move, most))

    def predicted(self, m, half):
        """The mean noise of a jump of 2^m steps, and whether the jump is within the limits."""
        t, length, unit = self.tables, 2**m, self.scale * self.tables.deviation[m]
        far, before = self.safe.reach[m] * unit, (self.safe.between if half else self.safe.before)[m] * unit
        slope = self.landscape.gradient(self.x, *self.landscape.params)
        noise = self.scale * (t.mean[m] @ self.state + self.level * length)
        ends = [self.landscape.gradient(self.x + s * far, *self.landscape.params) for s in (-1, 1)]
        stiff = max(abs(g - slope) for g in ends) / far * self.dt * length
        early = min(self.bounds[1] - self.x, self.x - self.bounds[0]) >= (1 - self.hurst) * before
        clear = self.room(self.x, noise - slope * self.dt * length, before) >= before
        return noise, m == 0 or (early and clear and stiff <= 0.02)

    def make(self, m, z, half):
        """Make a jump with the normals z, or its halves; True if the path has left."""
        t, unit = self.tables, self.scale * self.tables.deviation[m]
        noise, fits = self.predicted(m, half)
        step = self.dt * 2**m
        y = heun(self.landscape.point_gradient, self.landscape.params, (self.x,), (noise + unit * z[0],), step)[0]
        after = (self.safe.between if half else self.safe.after)[m] * unit
        if m > 0 and not (fits and min(self.bounds[1] - y, y - self.bounds[0]) >= after):
            r = t.rank[m - 1]
            both = np.array([*z, *self.normals(2 * r - len(z))]) @ t.split[m, : 2 * r, : 2 * r]
            return self.make(m - 1, both[:r], True) or self.make(m - 1, both[r:], True)
        self.state = t.decay[m] * self.state + np.array(z) @ t.factor[m, : t.rank[m]]
        self.x, self.now, self.m, self.jumps = y, self.now + 2**m, m, self.jumps + 1
        return not self.bounds[0] < y < self.bounds[1]


def plain_exit(jumper, path, landscape, bounds, x0, dt, n_steps):
    """Exit step of one path by the obvious loop, None when it stays inside, its last place and its number of jumps."""
    plain = PlainPath(jumper, path, landscape, bounds, x0, dt)
    top = len(jumper.tables.rank) - 1
    plain.m = top
    while plain.now < n_steps:
        m = min(plain.m + 1, top)
        while plain.now + 2**m > n_steps or not plain.predicted(m, False)[1]:
            m -= 1
        if plain.make(m, plain.normals(jumper.tables.rank[m]), False):
            return plain.now, plain.x, plain.jumps
    return None, plain.x, plain.jumps


@pytest.mark.parametrize(("hurst", "bounds"), [(0.3, (-2.2, -0.2)), (0.5, (-2.2, -0.2)), (0.8, (-1.4, -0.5))])
def test_kernel_equals_plain_loop(hurst, bounds):
    noise, n_steps, dt = FractionalNoise(hurst), 700, 1e-3
    jumper = Jumper.of(noise, n_steps, n_steps, 1, checks.as_seed(3), Accuracy())
    region = interval_watch(*bounds), interval_clearance
    plan = Plan((SOFT.point_gradient, SOFT.params), *region, np.array([[-1.0]]), dt, n_steps, n_steps, 0.0)
    got = exits(noise, plan, Accuracy(), jumper.key, Crowd(12, 1))
    jumps = 0
    for path in range(12):
        expected, place, made = plain_exit(jumper, path, SOFT, bounds, -1.0, dt, n_steps)
        assert (None if got.censored[path] else got.ends.steps[path]) == expected
        assert expected is None or got.ends.places[path, 0] == pytest.approx(place, rel=1e-9)
        jumps += made
    assert round(12 * got.budget.jumps_per_path) == jumps
    assert 0 < np.count_nonzero(got.censored) < 12


def test_normals_come_in_the_same_order_however_many_are_asked_for():
    """A scratch of several batches holds what `fill_normals` writes into a row."""
    key, words, expected = checks.as_seed(4), np.zeros((4, 64), np.uint64), np.empty((1, 384))
    fill_normals(key, 7, 0, expected)
    seed_row(key, 7, 0, words)
    normals = np.full(384, np.nan)
    refill(words, normals)
    assert np.array_equal(normals, expected[0])


@pytest.mark.slow
@settings(deadline=None, max_examples=8)
@given(st.integers(1, 4), st.integers(1, 300), st.sampled_from([0.3, 0.7]))
def test_path_depends_on_seed_and_number_alone(n_jobs, n_paths, hurst):
    whole = run(hurst=hurst, n_paths=300)
    part = run(hurst=hurst, n_paths=n_paths, n_jobs=n_jobs)
    assert np.array_equal(part.times, whole.times[:n_paths])
    assert np.array_equal(part.censored, whole.censored[:n_paths])


@pytest.mark.slow
def test_budget_does_not_depend_on_threads():
    assert run(n_jobs=1, n_paths=30).error_budget == run(n_jobs=3, n_paths=30).error_budget


@pytest.mark.parametrize("fine_steps", [1, 2, 3, 1000, pytest.param(2**20 + 1, marks=pytest.mark.slow)])
def test_ends_exactly_at_the_horizon(fine_steps):
    passages = run(domain=(-50.0, 50.0), fine_steps=fine_steps, horizon=0.7, n_paths=4)
    assert passages.censored.all()
    assert np.all(passages.times == 0.7)


@pytest.mark.slow
def test_scaling_of_fbm_is_exact():
    """sigma and barrier doubled: the same jumps, the same steps."""
    one, two = run(n_paths=20), run(n_paths=20, noise=FractionalNoise(0.3, 2.0), domain=(-math.inf, 2.0))
    assert np.array_equal(one.times, two.times)


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.1, 0.3, 0.4, 0.6, 0.7, 0.9])
def test_same_law_as_exact_paths_on_the_grid(hurst):
    """P(exit by 1) on 2^10 steps: 40 000 paths each see .018 at the threshold; jumps that come too near are caught."""
    n_steps, n_paths, limit = 2**10, 40_000, threshold(12)
    maxima = np.concatenate([fbmsde.fbm(hurst, n_steps, 4000, seed=s).max(axis=1) for s in range(10)])
    broken = []
    for barrier in (0.1, 1.0):
        exact = np.mean(maxima >= barrier)
        error = math.sqrt(2.0 * exact * (1.0 - exact) / n_paths)
        p = 1.0 - np.mean(on_grid(hurst, barrier, n_steps, n_paths).censored)
        assert abs(p - exact) / error < limit
        broken.append(abs(1.0 - np.mean(on_grid(hurst, barrier, n_steps, n_paths, miss=0.25).censored) - exact) / error)
    assert max(broken) > limit


@pytest.mark.slow
@pytest.mark.parametrize("drift", [0.0, 1.0, -1.0])
def test_brownian_motion_with_drift(drift):
    """Inverse Gaussian, H = 1/2: 100 000 paths see .008 at the threshold."""
    slope = Landscape(lambda x, m: -m * x, lambda x, m: -m + 0.0 * x, (drift,))
    passages = run(slope, 0.5, n_paths=100_000, fine_steps=2**20, n_jobs=2)
    for t in (0.25, 0.5, 1.0):
        exact = float(brownian_survival(1.0, t, drift=drift))
        survived = np.mean((passages.times > t) | passages.censored)
        assert abs(survived - exact) / math.sqrt(exact * (1 - exact) / passages.n_paths) < threshold(9)


@pytest.mark.slow
def test_brownian_rate_is_the_eigenvalue():
    """Ornstein-Uhlenbeck, two sides, k = 2: 40 000 paths see 3 % of the rate, at once by jumps and by bridges."""
    barrier = 2.0 * math.sqrt(fou_stationary_variance(0.5))
    exact = ou_exit_rate(barrier, sides=2)
    options = {"horizon": 20.0, "n_paths": 40_000, "seed": 5}
    jumped = run(quadratic(), 0.5, domain=(-barrier, barrier), fine_steps=2**20, n_jobs=2, **options)
    bridged = bridge_passage(quadratic(), 1.0, 0.0, (-barrier, barrier), dt=0.005, n_jobs=2, **options)
    for rate in (jumped.exit_rate(after=2.0), bridged.exit_rate(after=2.0)):
        assert abs(rate.value - exact) / (exact / math.sqrt(rate.events)) < threshold(2)


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.3, 0.7])
def test_drift_against_exact_paths(hurst):
    """Survival in the well at k = 1.5 on the grid: 20 000 paths each see .022 at the threshold."""
    n_steps, horizon, n_paths = 2**10, 4.0, 20_000
    barrier = 1.5 * math.sqrt(fou_stationary_variance(hurst))
    x = fractional_ornstein_uhlenbeck(hurst, n_steps, n_paths, dt=horizon / n_steps, x0=0.0, seed=1)
    exact = np.mean((x < barrier).all(axis=1))
    survived = np.mean(on_grid(hurst, barrier, n_steps, n_paths, landscape=quadratic(), horizon=horizon).censored)
    assert abs(survived - exact) / math.sqrt(2 * exact * (1 - exact) / n_paths) < threshold(2)


def test_drift_error_is_that_of_the_euler_chain_to_first_order():
    """It is far below the Euler chain's, by the same formula, and at H = 1/2 it is quadratic in the step."""
    for hurst in (0.3, 0.7):
        euler = euler_chain_variance(hurst, 0.02) / fou_stationary_variance(hurst) - 1.0
        assert drift_error(hurst, 0.02) < euler / 10
    assert drift_error(0.5, 0.02) / drift_error(0.5, 0.01) == pytest.approx(4.0, rel=0.05)
    assert drift_error(0.3, 0.0) == 0.0


@pytest.mark.parametrize("hurst", [0.1, 0.3, 0.5, 0.8])
def test_hidden_excursions_are_bounded_by_points_and_supremum(hurst):
    r = np.array([2.0, 3.0, 4.0, 5.0])
    for hidden in (hidden_excursion, hidden_between):
        short = [hidden(hurst, m, r) for m in (1, 2, 16, 2**10, 2**20)]
        assert np.all(short[0] == 0.0)
        assert all(np.all(b >= a * (1 - 1e-9)) for a, b in pairwise(short))
    assert np.all(hidden_excursion(hurst, 2**10, r, 1.0) < hidden_excursion(hurst, 2**10, r))
    middle = math.sqrt(2.0 ** (-2.0 * hurst) - fraction_at_half(hurst) ** 2)
    assert np.allclose(hidden_between(hurst, 2, r), stats.norm.sf(r / middle), rtol=1e-9)
    safe = SafeDistances.of(hurst, 12, 1e-6)
    for m in range(1, 12):
        for found in (hidden_excursion(hurst, 2**m, safe.reach[m]), hidden_between(hurst, 2**m, safe.between[m]),
                      hidden_excursion(hurst, 2**m, safe.before[m], safe.after[m])):  # fmt: skip
            assert float(found) == pytest.approx(1e-6, rel=1e-6) or found < 1e-6


def fraction_at_half(hurst):
    """Covariance of the noise of a jump halfway with that at its end, by quadrature in v = (1/2 - u)^(H + 1/2)."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    a = hurst + 0.5
    v = (nodes + 1.0) / 2.0 * 0.5**a
    return 2.0 * hurst / a * 0.5**a / 2.0 * float(np.sum(weights * (v ** (1.0 / a) + 0.5) ** (hurst - 0.5)))


def test_hidden_excursions_of_brownian_motion():
    """Long jumps at H = 1/2: by reflection, and the crossing of a bridge."""
    r = np.array([2.0, 3.0, 4.0])
    assert np.allclose(hidden_excursion(0.5, 2**30, r, 1.5), stats.norm.sf(r + 1.5), rtol=1e-12)
    assert np.allclose(hidden_between(0.5, 2**30, r), np.exp(-2.0 * r * r), rtol=1e-12)


@pytest.mark.parametrize("hurst", [0.02, 0.3, 0.5, 0.98])
@pytest.mark.parametrize("miss", [1e-14, 0.25])
def test_safe_distances_exist(hurst, miss):
    safe = np.array(SafeDistances.of(hurst, 31, miss)[1:])
    assert np.all(np.isfinite(safe)) and np.all(safe[0] >= safe[1]) and safe.max() < 14.0


def test_missed_crossings_sums_the_tails():
    safe, counts = SafeDistances.of(0.3, 3, 1e-2), np.zeros((2, 3, 128), np.int64)
    counts[0, 0, 0], counts[0, 1, 40], counts[0, 2, 0], counts[1, 2, 32] = 100, 5, 3, 7
    expected = 5 * hidden_excursion(0.3, 2, 5.0, safe.after[1]) + 7 * hidden_between(0.3, 4, 4.0) + 3 * 1e-2
    assert missed_crossings(safe, counts) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.slow
def test_missed_crossings_bound_what_is_missed():
    """Jumps too bold by design: exits missed, against careful ones, stay below the budget's estimate."""
    n_paths = 40_000
    careful = np.mean(on_grid(0.3, 1.0, 2**12, n_paths, miss=1e-8).censored)
    for miss, least in ((0.1, 0.05), (1e-3, -1.0)):
        bold = on_grid(0.3, 1.0, 2**12, n_paths, miss=miss)
        excess = np.mean(bold.censored) - careful
        assert least < excess < bold.budget.missed_crossings + threshold(2) * math.sqrt(0.5 / n_paths)


@pytest.mark.parametrize("hurst", [0.3, 0.7])
def test_shifted_is_the_grid_with_the_bounds_moved_in(hurst):
    dt = 0.01
    shift = barrier_shift(hurst) * dt**hurst
    grid = {"n_paths": 40, "dt": dt, "fine_steps": None}
    shifted = run(quadratic(), hurst, domain=(-1.0, 1.2), monitoring="shifted", **grid)
    moved = run(quadratic(), hurst, domain=(-1.0 + shift, 1.2 - shift), monitoring="grid", **grid)
    assert np.array_equal(shifted.times, moved.times)
    level = run(quadratic(), hurst, domain=lambda x: max(x - 1.2, -1.0 - x), monitoring="shifted", **grid)
    assert np.array_equal(level.times, shifted.times)


@pytest.mark.slow
def test_shifted_grid_and_continuous_time_agree():
    """H = .3, 2^10 steps against 2^22: the raw grid is off by .03, 40 000 paths see .017 at the threshold."""
    fine, n_paths = run(n_paths=40_000, fine_steps=2**22, n_jobs=2), 40_000
    coarse = run(n_paths=n_paths, dt=2.0**-10, monitoring="shifted", n_jobs=2, seed=8)
    raw = run(n_paths=n_paths, dt=2.0**-10, monitoring="grid", n_jobs=2, seed=8)
    error = math.sqrt(0.5 / n_paths)
    assert abs(coarse.n_left - fine.n_left) / n_paths / error < threshold(1)
    assert (fine.n_left - raw.n_left) / n_paths / error > threshold(1)


@pytest.mark.slow
def test_level_set_in_one_dimension_is_the_interval():
    """The law is that of the interval, with other jumps: 10 000 paths see .035 at the threshold."""
    interval = run(quadratic(), 0.4, domain=(-0.8, 0.8), n_paths=10_000, n_jobs=2)
    level = run(quadratic(), 0.4, domain=LevelSet(lambda x, b: x * x - b * b, (0.8,)), n_paths=10_000, seed=9, n_jobs=2)
    assert abs(interval.n_left - level.n_left) / 10_000 / math.sqrt(0.5 / 10_000) < threshold(1)


@pytest.mark.slow
def test_disc_in_the_plane():
    """Brownian motion from the centre leaves the unit disc after 1/2 on average: 20 000 paths see 3 %."""
    plane = Landscape(lambda x: 0.0 * x[0], lambda x: (0.0 * x[0], 0.0 * x[1]), dim=2)
    disc = LevelSet(lambda x: x[0] ** 2 + x[1] ** 2 - 1.0)
    mean = run(plane, 0.5, (0.0, 0.0), disc, horizon=6.0, n_paths=20_000, fine_steps=2**20, n_jobs=2).mean()
    assert abs(mean.value - 0.5) / mean.standard_error < threshold(1)


def flat(dim):
    """No force in `dim` dimensions; the function is written out, as compiled tuples have a fixed length."""
    return Landscape(lambda x: 0.0 * x[0], eval(f"lambda x: ({'0.0 * x[0], ' * dim})"), dim=dim)


@pytest.mark.slow
def test_ball_in_twelve_dimensions():
    """A jump takes more than 128 normals: 1000 paths see .1 of P(exit) on the shifted grid at the threshold."""
    ball = LevelSet(eval("lambda x, r: " + " + ".join(f"x[{j}] ** 2" for j in range(12)) + " - r * r"), (4.5,))
    options = {"domain": ball, "x0": (0.0,) * 12, "n_paths": 1000, "n_jobs": 2}
    coarse = run(flat(12), dt=2.0**-8, monitoring="shifted", seed=8, **options)
    fine = run(flat(12), fine_steps=2**20, **options)
    assert abs(coarse.n_left - fine.n_left) / 1000 / math.sqrt(2 * 0.26 * 0.74 / 1000) < threshold(1)


@pytest.mark.slow
@pytest.mark.parametrize("dim", [4, 6])
def test_half_space_under_correlated_noise(dim):
    """The sum of Brownian components is Brownian: 20 000 paths see .02 of P(exit) at the threshold.

    Jumps that measure the distance in standard deviations of one component leave late: .16 and .35 of the paths do.
    """
    correlation = np.full((dim, dim), 0.99)
    np.fill_diagonal(correlation, 1.0)
    half = LevelSet(eval("lambda x: " + " + ".join(f"x[{j}]" for j in range(dim)) + " - 1.0"))
    noise = FractionalNoise(0.5, correlation=correlation)
    options = {"noise": noise, "domain": half, "x0": (0.0,) * dim, "n_paths": 20_000, "fine_steps": 2**19, "n_jobs": 2}
    passages = run(flat(dim), **options)
    for t in (0.01, 0.1, 1.0):
        exact = 1.0 - float(brownian_survival(1.0, t, sigma=math.sqrt(correlation.sum())))
        error = math.sqrt(exact * (1.0 - exact) / passages.n_paths)
        assert abs(np.mean((passages.times <= t) & ~passages.censored) - exact) / error < threshold(6)


def test_distance_counts_standard_deviations_of_the_noise():
    """Along the diagonal fully correlated components move sqrt(2) times as far, across it not at all."""
    both = ((1.0, 1.0), (1.0, 1.0))
    assert level_distance(lambda x: x[0] + x[1] - 3.0, (), (0.0, 0.0), None) == pytest.approx(3.0 / math.sqrt(2.0))
    assert level_distance(lambda x: x[0] + x[1] - 3.0, (), (0.0, 0.0), both) == pytest.approx(1.5)
    assert level_distance(lambda x: x[0] - x[1] - 3.0, (), (0.0, 0.0), both) == math.inf


@pytest.mark.parametrize("normal", [(1.0, 1.0), (1.0, -1.0), (3.0, -1.0), (0.0, 1.0)])
def test_clearance_of_a_plane_boundary(normal):
    """It is clear as far as the reach of the noise towards it does not touch it, the shift of the boundary included."""
    rows = ((1.0, 0.8), (0.8, 1.0))
    clear = level_clearance(lambda x, a, b: a * x[0] + b * x[1] - 1.0, 2, FractionalNoise(0.3, correlation=rows).factor)
    deviation = math.sqrt(np.array(normal) @ np.array(rows) @ normal)
    still = (0.0, 0.0)
    for shift in (0.0, 0.1 / deviation):
        farthest = 1.0 / deviation - shift
        assert clear(still, still, farthest * (1 - 1e-6), 0.0, shift, *normal) == 1.0
        assert clear(still, still, farthest * (1 + 1e-6), 0.0, shift, *normal) == 0.0
        assert clear(still, still, farthest * (1 - 1e-6), 0.5, shift, *normal) == 1.0
        assert clear(still, still, farthest * (1 + 1e-6), 0.5, shift, *normal) == 0.0


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_clearance_looks_along_the_noise_where_the_level_does_not_point(side):
    """The level rises along the second axis, and the boundary is nearest on one side along the first."""
    clear = level_clearance(lambda x, s: max(0.1 * (x[1] - 5.0), s * x[0] - 1.0), 2, None)
    still = (0.0, 0.0)
    assert clear(still, still, 0.999, 0.0, 0.0, side) == 1.0
    assert clear(still, still, 1.001, 0.0, 0.0, side) == 0.0


@pytest.mark.slow
def test_correlated_components():
    """Fully correlated components move along the diagonal: 10 000 paths see .035 of P(exit) at the threshold."""
    noise = FractionalNoise(0.3, correlation=[[1.0, 1.0], [1.0, 1.0]])
    plane = Landscape(lambda x: 0.0 * x[0], lambda x: (0.0 * x[0], 0.0 * x[1]), dim=2)
    both = run(plane, x0=(0.0, 0.0), domain=lambda x: x[0] + x[1] - 2.0, noise=noise, n_paths=10_000)
    one = run(n_paths=10_000, seed=9)
    assert abs(both.n_left - one.n_left) / 10_000 / math.sqrt(0.5 / 10_000) < threshold(1)
    across = run(plane, x0=(0.0, 0.0), domain=lambda x: x[0] - x[1] - 1e-3, noise=noise, n_paths=50)
    assert across.censored.all()


@pytest.mark.slow
def test_exact_ornstein_uhlenbeck_paths():
    """Variance and correlation of 20 000 paths: 5 % of the variance is seen at the threshold."""
    for hurst in (0.1, 0.3, 0.7, 0.9):
        x = fractional_ornstein_uhlenbeck(hurst, 300, 20_000, dt=0.02, curvature=2.0, sigma=0.5, x0=1.0, seed=2)
        y = fractional_ornstein_uhlenbeck(hurst, 300, 20_000, dt=0.02, curvature=2.0, sigma=0.5, seed=4)
        for step in (10, 300):
            exact = float(fou_variance(hurst, 0.02 * step, 2.0, 0.5))
            centred = x[:, step] - math.exp(-2.0 * 0.02 * step)
            assert abs(np.mean(centred**2) / exact - 1.0) * math.sqrt(10_000) < threshold(16)
            scaled = y[:, 0] * y[:, step] / fou_stationary_variance(hurst, 2.0, 0.5)
            r = float(fou_autocorrelation(hurst, 2.0 * 0.02 * step))
            assert abs(scaled.mean() - r) / math.sqrt((1 + r * r) / 20_000) < threshold(16)
        again = fractional_ornstein_uhlenbeck(hurst, 300, 3, dt=0.02, curvature=2.0, sigma=0.5, seed=4)
        assert np.array_equal(again, y[:3])


def test_exact_ornstein_uhlenbeck_refuses_what_has_no_embedding():
    with pytest.raises(ValueError, match="must allow a circulant embedding"):
        fractional_ornstein_uhlenbeck(0.9, 2000, dt=1e-5, seed=1)


@pytest.mark.slow
def test_budget_says_how_and_halves():
    passages = run(quadratic(), n_paths=500, horizon=4.0)
    budget = passages.error_budget
    assert "per path" in str(budget) and "certificate" in str(budget)
    assert 0 < budget.missed_crossings < 1e-3
    assert budget.drift == pytest.approx(drift_error(0.3, 4.0 / 2**12 * 2**4), rel=0.1)
    assert budget.overshoot == pytest.approx(0.1 * barrier_shift(0.3) * (4.0 / 2**12) ** 0.3)
    finer = run(quadratic(), n_paths=500, horizon=4.0, **budget.halved()).error_budget
    assert finer.missed_crossings <= budget.missed_crossings / 2
    assert finer.overshoot <= budget.overshoot / 2
    assert finer.drift <= budget.drift / 2
    assert finer.step <= budget.step / 2
    assert finer.noise_kl <= budget.noise_kl / 2
    assert run(monitoring="grid", dt=0.1).error_budget is None


@pytest.mark.slow
def test_too_few_fine_steps_for_a_horizon_are_told():
    """At H = 1/2 the mean exit time from (-1.5, 1.5) is 2 % too large with 2^26 steps up to 10^7."""
    problem = {"landscape": quadratic(), "hurst": 0.5, "domain": (-1.5, 1.5), "fine_steps": None, "n_paths": 20}
    late = run(**problem, horizon=1e7)
    told = "2^26, of length 0.15, where 6e+10 would keep"
    assert told in late.note and told in str(late.error_budget) and "with a note" in repr(late)
    assert "6e+10 fine steps are wanted" in str(late.error_budget)
    assert late.error_budget.step == late.dt and "late by up to 0.15" in str(late.error_budget)
    assert told in fbmsde.PassageTimes.concat([late]).note
    soon, given = run(**problem, horizon=50.0), run(**problem | {"fine_steps": 2**26}, horizon=1e7)
    assert soon.note == given.note == "" and "wanted" not in str(soon.error_budget)


@pytest.mark.slow
def test_longest_jump():
    """dt limits the jumps: a flat landscape far from the boundary is crossed in horizon / dt of them."""
    budget = run(domain=(-90.0, 90.0), dt=2.0**-5, n_paths=3).error_budget
    assert budget.jumps_per_path == 2**5


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"monitoring": "exact"}, ValueError, "monitoring must be one of grid, shifted, continuous"),
        ({"fine_steps": 0}, ValueError, "fine_steps must be at least 1, got 0"),
        ({"fine_steps": 2.5}, TypeError, "fine_steps must be a whole number"),
        ({"fine_steps": 2**31}, ValueError, r"fine_steps must be at most 2\^30, got 2147483648"),
        ({"x0": 1.0}, ValueError, r"x0 must lie inside the domain \(-inf, 1\.0\), got 1\.0"),
        ({"x0": 0.999}, ValueError, "x0 must lie farther from the boundary than its shift"),
        ({"domain": lambda x: x - 1.0, "x0": 0.999}, ValueError, "x0 must lie farther from the boundary"),
        ({"horizon": math.inf}, ValueError, "horizon must be positive and finite"),
        ({"until": 0.5}, ValueError, "until must be None in continuous time"),
        (
            {"noise": FractionalNoise(0.3, method="davies_harte")},
            ValueError,
            "method must be 'streaming' in continuous",
        ),
        ({"noise": FractionalNoise(0.01)}, ValueError, "hurst must lie in|hurst must be at least"),
        ({"noise": FractionalNoise(0.99)}, ValueError, r"hurst must lie in \[0\.02, 0\.98\]"),
        ({"monitoring": "grid", "dt": 0.1, "fine_steps": 64}, ValueError, "monitoring must be 'continuous' for"),
        ({"monitoring": "grid", "dt": None}, TypeError, "dt must be a number, got None"),
        ({"accuracy": Accuracy(tolerance=1e-12)}, ValueError, "tolerance must be at least"),
    ],
)
def test_refuses(change, error, message):
    with pytest.raises(error, match=message):
        run(**change)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"miss": 0.5}, r"miss must lie in \[1e-14, 0\.25\]"), ({"drift_step": 0.6}, "drift_step must be at most 0.5")],
)
def test_accuracy_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        Accuracy(**options)


@pytest.mark.slow
def test_a_drift_that_explodes_is_an_error():
    """Uphill all the way: the path is at infinity in finite time; merely steep: the step is named."""
    runaway = Landscape(lambda x: -(x**4), lambda x: -4.0 * x**3)
    with pytest.raises(PathError, match="must stay finite"):
        run(runaway, x0=1.0, domain=(-math.inf, math.inf), horizon=10.0, fine_steps=2**10, n_paths=4)
    with pytest.raises(ValueError, match="fine_steps must be so many"):
        run(quadratic(1e4), domain=(-5.0, 5.0), fine_steps=2**10, n_paths=1)


def test_bridge_refuses():
    options = {"dt": 0.1, "horizon": 1.0, "n_paths": 5, "seed": 1}
    with pytest.raises(ValueError, match="landscape must have one dimension, got 2"):
        bridge_passage(BOWL, 1.0, 0.0, (-1.0, 1.0), **options)
    with pytest.raises(ValueError, match="x0 must lie inside the domain"):
        bridge_passage(FLAT, 1.0, 1.0, (-1.0, 1.0), **options)


def needle(x, at, width, height):
    return height * math.exp(-((x - at) ** 2) / (2 * width**2))


def needle_slope(x, at, width, height):
    return -height * (x - at) / width**2 * math.exp(-((x - at) ** 2) / (2 * width**2))


def across(x, at, width, height):
    return needle(x[0], at, width, height)


def across_slope(x, at, width, height):
    return needle_slope(x[0], at, width, height), 0.0 * x[1]


def ring(x, inner):
    square = x[0] * x[0] + x[1] * x[1]
    return max(square - 1.0, inner * inner - square)


def strip(x, lower, upper):
    return max(x[0] - upper, lower - x[0])


def test_scan_bounds_the_change_of_the_gradient():
    """Every row lies above the differences on a fine grid, at no more than their steepest slope; open sides say NaN."""
    bump = Landscape(needle, needle_slope, (0.4, 0.01, 1.0))
    seen = scan_line((bump.point_gradient, bump.params), (-1.0, 1.0), (True, False), None, math.inf)
    assert seen.steepest == pytest.approx(1e4, rel=0.02)
    reaches = np.array([1e-5, 1e-3, 0.02, 0.3])
    rows = seen.stiffness(reaches)
    x = np.linspace(-1.0, 1.0, 2**14, endpoint=False) + 2.0**-14
    slope = bump.slope(x)
    cells = np.floor((x + 1.0) * seen.line.per_length).astype(int)
    for reach, row in zip(reaches, rows, strict=True):
        n = max(1, int(reach * 2**13))
        most = np.zeros(x.size)
        for shift in range(1, n + 1, max(1, n // 64)):
            change = np.abs(slope[shift:] - slope[:-shift]) / max(reach, shift * 2.0**-13)
            most[:-shift], most[shift:] = np.maximum(most[:-shift], change), np.maximum(most[shift:], change)
        known = ~np.isnan(row[cells])
        assert np.all(x[~known] < -1.0 + reach + 0.002) and not known[0]
        assert np.all(row[cells][known] >= most[known] * 0.97 - 1e-9)
        assert np.nanmax(row) <= seen.steepest
    assert rows[3][cells[np.abs(x - 0.25).argmin()]] > 100.0  # far from the needle, within reach of it


def test_scan_looks_closer_where_more_is_seen():
    """A feature of an eighth of the distance of the points, hit by one of them, is resolved."""
    bump = Landscape(needle, needle_slope, (0.0, 3e-5, 1.0))
    seen = scan_line((bump.point_gradient, bump.params), (-1.0, 1.0), (False, False), None, math.inf)
    assert seen.most.max() == pytest.approx(math.exp(-0.5) / 3e-5, rel=0.05)
    fine = scan_line((bump.point_gradient, bump.params), (-1.0, 1.0), (False, False), 3e-5, math.inf)
    assert fine.spacing <= 1.5e-5


def test_paths_of_a_well_stay_where_it_was_scanned():
    for hurst in (0.3, 0.5, 0.8):
        far = visited(quadratic().point_gradient, (1.0,), 0.0, 1, FractionalNoise(hurst), 1e4)
        assert 6.0 * math.sqrt(fou_stationary_variance(hurst)) < far < 40.0
    assert visited(FLAT.point_gradient, (), 0.0, -1, FractionalNoise(0.5), 4.0) == 24.0


@pytest.mark.slow
def test_narrow_barrier_is_not_jumped_over():
    """Mean exit time over a barrier of width .02, H = 1/2, exact: 600 paths see 22 %, a third of what is at stake."""
    bump = Landscape(needle, needle_slope, (0.5, 0.02, 2.0))
    exact = mean_exit_time(bump, 0.0, (-0.7, 1.0))
    passages = run(bump, 0.5, domain=(-0.7, 1.0), horizon=20.0, n_paths=600, fine_steps=2**21, n_jobs=2)
    assert abs(passages.mean().value - exact) / passages.mean().standard_error < threshold(1)
    assert passages.error_budget.resolution < 1e-4
    assert passages.error_budget.drift < 1e-3


@pytest.mark.slow
def test_narrow_barrier_in_the_plane():
    """Without its width declared the run is refused; with it the mean is that of the line, 300 paths see 33 %."""
    params, strip_domain = (0.5, 0.05, 1.5), LevelSet(strip, (-0.7, 1.0))
    options = {"horizon": 20.0, "fine_steps": 2**20, "n_jobs": 2}
    bump = Landscape(across, across_slope, params, 2)
    with pytest.raises(ValueError, match="landscape must not change within a jump by what its ends do not show"):
        run(bump, 0.5, (0.0, 0.0), strip_domain, n_paths=1000, **options)
    declared = Landscape(across, across_slope, params, 2, finest=0.05)
    mean = run(declared, 0.5, (0.0, 0.0), strip_domain, n_paths=300, **options).mean()
    exact = mean_exit_time(Landscape(needle, needle_slope, params), 0.0, (-0.7, 1.0))
    assert abs(mean.value - exact) / mean.standard_error < threshold(1)


@pytest.mark.slow
def test_pocket_in_a_disc():
    """Brownian motion in a ring, exact: declared, it is hit; not declared, the budget tells what is missed."""
    plane = Landscape(lambda x: 0.0 * x[0], lambda x: (0.0 * x[0], 0.0 * x[1]), dim=2)
    inner, start = 0.05, 0.5
    exact = (1.0 - start**2) / 2.0 - (1.0 - inner**2) * math.log(start) / math.log(inner) / 2.0
    options = {"horizon": 6.0, "fine_steps": 2**20, "n_jobs": 2}
    bold = run(plane, 0.5, (start, 0.0), LevelSet(ring, (inner,)), n_paths=2000, **options)
    assert bold.mean().value > 1.2 * exact
    assert bold.error_budget.missed_crossings > 0.05
    declared = run(plane, 0.5, (start, 0.0), LevelSet(ring, (inner,), finest=inner), n_paths=2000, **options)
    assert abs(declared.mean().value - exact) / declared.mean().standard_error < threshold(1)
    assert declared.error_budget.missed_crossings < 0.005
    disc = run(plane, 0.5, (0.0, 0.0), LevelSet(lambda x: x[0] ** 2 + x[1] ** 2 - 1.0), n_paths=2000, **options)
    assert disc.error_budget.missed_crossings < 0.001


@pytest.mark.parametrize("finest", [0.0, -1.0, math.inf, math.nan])
def test_smallest_lengths_must_be_positive(finest):
    with pytest.raises(ValueError, match="finest must be positive and finite"):
        Landscape(needle, needle_slope, (0.5, 0.02, 2.0), finest=finest)
    with pytest.raises(ValueError, match="finest must be positive and finite"):
        run(domain=LevelSet(lambda x: x - 1.0, finest=finest))


def test_smallest_length_beyond_any_scan():
    with pytest.raises(ValueError, match=r"finest must be at least .* to be seen in a scan from -1 to 1"):
        run(Landscape(needle, needle_slope, (0.5, 0.02, 2.0), finest=1e-9), 0.5, domain=(-1.0, 1.0))


@pytest.mark.parametrize(("half", "seen"), [(20.0, True), (0.02, False)])
def test_paths_beyond_what_was_scanned_leave_no_resolution(half, seen):
    motion, key = (FLAT.point_gradient, FLAT.params), checks.as_seed(1)
    scan = scan_line(motion, (-half, half), (True, True), None, math.inf)
    region = interval_watch(-math.inf, 2.0), interval_clearance
    plan = Plan(motion, *region, np.array([[0.0]]), 2.0**-9, 2**9, 2**9, 0.0, scan)
    budget = exits(FractionalNoise(0.5), plan, Accuracy(), key, Crowd(60, 1)).budget
    assert math.isfinite(budget.resolution) == seen
