"""Conditioned exits against exact probabilities, eigenvalues, plain paths and themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats

from fbmsde import FractionalNoise, GaussianNoise, NoEstimateError, first_passage, quadratic
from fbmsde.core.checks import as_seed
from fbmsde.laws.diffusions import ou_exit_rate
from fbmsde.laws.fou import fou_stationary_variance
from fbmsde.rare._count_exits import Bent, Counts, Ends, Path, count_exits
from fbmsde.rare.conditioned import Draws, _normals, conditioned_exits, seen
from fbmsde.rare.linear_process import chain_process, fou_process
from fbmsde.results.rare_estimate import RareEstimate
from tests import naive
from tests.conftest import threshold


def well(hurst, n_steps, dt, **start):
    """The process whose stationary standard deviation is 1."""
    return fou_process(hurst, n_steps, dt=dt, sigma=fou_stationary_variance(hurst) ** -0.5, **start)


def dense(process):
    """The covariance of the process at all steps, (n + 1, n + 1)."""
    r, p = process.autocovariance, process.memory
    lags = np.abs(np.subtract.outer(np.arange(r.size), np.arange(r.size)))
    return r[lags] - np.outer(p, r) - np.outer(r, p) + np.outer(p, p) * r[0]


def z_score(estimate, exact):
    """The error of an estimate in standard errors."""
    return (estimate.value / exact - 1.0) / estimate.relative_error


@pytest.mark.parametrize(("x0", "window"), [(0.0, 1), (0.4, 12)])
def test_the_kernel_is_its_twin(x0, window):
    """1200 steps are more than two pieces; the levels are low, so that many steps are outside."""
    process, rng = well(0.3, 1200, 0.01, x0=x0), np.random.default_rng(5)
    rows = rng.normal(size=(5, 1201)).cumsum(axis=1) * 0.03
    steps = rng.integers(window, 1201, (5, 3))
    steps[0] = [window, 1200, 700]
    bent = Bent(steps, rng.choice([-1.0, 1.0], (5, 3)) * rng.uniform(0.95, 1.4, (5, 3)), np.ones((5, 3)))
    bent.sides[:] = np.sign(bent.values)
    ends = Ends(-1.1, 1.0, -0.9, 0.8)
    found = Counts(*(np.empty((5, 3), kind) for kind in (np.int64, np.int64, np.int8)), np.empty(5, bool))
    count_exits(rows, Path(process.autocovariance, process.memory, x0), ends, window, bent, found)
    covariance = dense(process)
    for i in range(5):
        plain = process.from_start(rows[i : i + 1])[0]
        assert found.left[i] == (naive.exits_of(plain[:window], ends[:2], ends[2:], 1)[1] == 0)
        for j in range(3):
            mean = x0 * process.memory
            path = mean + naive.bent_path(plain - mean, covariance, steps[i, j], bent.values[i, j] - mean[steps[i, j]])
            path[steps[i, j]] = bent.values[i, j]
            expected = naive.exits_of(path, ends[:2], ends[2:], window)
            assert (found.near[i, j], found.steps[i, j], found.sides[i, j]) == expected


@pytest.mark.slow
@pytest.mark.parametrize("slack", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("level", [1.5, 5.0])
@pytest.mark.parametrize("first", [1, 2])
def test_two_steps_have_the_probability_of_the_bivariate_normal_law(slack, level, first):
    """Deviations of 3 % would be seen."""
    process = well(0.3, 2, 0.2)
    exits = conditioned_exits(process, (None, level), first=first, n_paths=40000, seed=3, slack=slack, shifted=False)
    covariance = dense(process)[1:, 1:]
    one, two = special.ndtr(-level / np.sqrt(np.diag(covariance)))
    upper = stats.multivariate_normal(cov=covariance, abseps=1e-18, releps=1e-9)
    both = upper.cdf([-level, -level])
    exact = one + two - both if first == 1 else two - both
    assert abs(z_score(exits.probability(), exact)) < threshold(12)
    assert exits.probability().relative_error < 0.02


@pytest.mark.slow
@pytest.mark.parametrize(("level", "dt"), [(3.0, 0.005), (4.0, 0.005), (5.0, 0.005), (6.0, 0.005), (8.0, 0.002)])
def test_rates_of_the_ornstein_uhlenbeck_process(level, dt):
    """Rates between 1e-2 and 4e-14; an error of 8 % would be seen. What the shift leaves is below 1 %."""
    begin, end = round(5.0 / dt), round(8.0 / dt)
    exits = conditioned_exits(well(0.5, end, dt), (None, level), first=begin + 1, n_paths=6000, seed=1)
    rate = exits.rate()
    assert rate.trusted and rate.relative_error < 0.02
    assert abs(rate.value / ou_exit_rate(level, sigma=2**0.5) - 1.0) < threshold(6) * rate.relative_error + 0.01


@pytest.mark.slow
def test_two_sides_are_left_alike():
    """An error of 8 % of the rate would be seen, and one of 0.04 of the share of a side."""
    exits = conditioned_exits(well(0.5, 1600, 0.005), (-3.5, 3.5), first=1001, n_paths=8000, seed=2)
    rate, lower, upper = exits.rate(), exits.probability("lower"), exits.probability("upper")
    exact = ou_exit_rate(3.5, sigma=2**0.5, sides=2)
    assert abs(rate.value / exact - 1.0) < threshold(2) * rate.relative_error + 0.01
    assert abs(math.log(lower.value / upper.value)) < threshold(2) * math.hypot(
        lower.relative_error, upper.relative_error
    )
    assert math.isclose(lower.value + upper.value, exits.probability().value, rel_tol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("hurst", "domain", "x0"), [(0.3, (None, 2.5), 0.0), (0.7, (-2.0, 2.5), 0.8)])
def test_chains_leave_as_often_as_plain_paths(hurst, domain, x0):
    """Both see the same chain. Probabilities that differ by 8 % would be noticed, rates too."""
    noise, dt = FractionalNoise(hurst, fou_stationary_variance(hurst) ** -0.5), 0.02
    process = chain_process(quadratic(1.0), noise, 100, dt=dt, solver="heun", x0=x0)
    exits = conditioned_exits(process, domain, first=51, n_paths=10000, seed=4, shifted=False)
    run = {"horizon": 2.0, "n_paths": 200000, "seed": 5, "monitoring": "grid", "dt": dt, "solver": "heun"}
    plain = first_passage(quadratic(1.0), noise, x0, domain, **run)
    for estimate, share in ((exits.probability(), np.mean((plain.times > 1.001) & ~plain.censored)),):
        error = math.hypot(estimate.standard_error, math.sqrt(share / 200000))
        assert abs(estimate.value - share) < threshold(4) * error
    left, over = np.count_nonzero(plain.times > 1.001), np.count_nonzero(plain.censored)
    rate, log = exits.rate(), math.log(left / over)
    error = math.hypot(rate.relative_error, math.sqrt(1.0 / over - 1.0 / left) / log)
    assert abs(rate.value / log - 1.0) < threshold(4) * error


@pytest.mark.slow
def test_paths_are_functions_of_seed_and_number():
    """6000 paths are two blocks."""
    process = well(0.7, 50, 0.1)
    whole = conditioned_exits(process, (-3.0, 3.0), n_paths=6000, n_draws=2, seed=9, n_jobs=1)
    other = conditioned_exits(process, (-3.0, 3.0), n_paths=5500, n_draws=2, seed=9, n_jobs=2)
    for name in ("counts", "steps", "sides", "left"):
        assert np.array_equal(getattr(whole, name)[:5500], getattr(other, name))


@pytest.mark.slow
def test_the_interval_covers():
    """Of 400 runs about 380 have the common mean in their 95 % interval; an interval of 85 % would be seen."""
    process = well(0.3, 200, 0.03)
    runs = [
        conditioned_exits(process, (None, 4.0), first=100, n_paths=400, seed=seed, n_jobs=1).probability()
        for seed in range(400)
    ]
    mean = np.mean([run.value for run in runs])
    inside = sum(run.confidence_interval()[0] < mean < run.confidence_interval()[1] for run in runs)
    assert stats.binomtest(inside, 400, 0.95).pvalue > 1e-6


@pytest.mark.slow
def test_nearness_keeps_the_error_when_steps_get_shorter():
    """Counting beyond the end alone has a relative variance that grows like ``dt^-H``."""
    runs = {
        (slack, dt): conditioned_exits(well(0.5, round(4 / dt), dt), (None, 5.0), n_paths=4000, seed=3, slack=slack)
        for slack in (0.0, 1.0)
        for dt in (0.01, 0.001)
    }
    share = {key: run.probability().effective / 4000 for key, run in runs.items()}
    assert share[1.0, 0.001] > 0.8 * share[1.0, 0.01] > 0.3
    assert share[0.0, 0.001] < 0.5 * share[0.0, 0.01]


def test_bends_of_a_path_do_not_depend_on_the_block():
    key = as_seed(3)
    draws = Draws(key, 1, 2, 1.0)
    assert np.array_equal(_normals(draws, 0, 5)[3:], _normals(draws, 3, 2))


def test_too_few_paths_are_not_trusted():
    exits = conditioned_exits(well(0.3, 400, 0.01), (None, 4.0), n_paths=20, seed=1)
    assert not exits.probability().trusted


def test_no_rate_where_none_is_left():
    """A well as wide as its fluctuations is empty before the window begins."""
    exits = conditioned_exits(well(0.3, 200, 0.2), (-0.9, 0.9), first=190, n_paths=20, seed=1, shifted=False)
    with pytest.raises(NoEstimateError, match="window must begin while paths are left"):
        exits.rate()


def test_bad_input_is_refused():
    process = well(0.3, 10, 0.01)
    for domain, message in [
        ((None, None), "domain must have a finite end"),
        ((0.5, 1.0), "x0 must lie inside the domain"),
        ((None, 0.2), "dt must be at most .* for a shifted boundary with x0 = 0 inside, got 0.01. Take a shorter dt"),
        ((None, 9.0), "dt must be at most .* for a shifted boundary at 9, got 0.01. Take a shorter dt, or monitoring="),
    ]:
        with pytest.raises(ValueError, match=message):
            conditioned_exits(process, domain, n_paths=10, seed=1)
    assert conditioned_exits(process, (None, 9.0), n_paths=10, seed=1, shifted=False).probability().value < 1e-18
    chain = chain_process(quadratic(1.0), GaussianNoise(lambda k: 0.5**k, method="circulant"), 10, dt=0.1)
    with pytest.raises(ValueError, match="shifted must be False for a noise that is not fractional"):
        conditioned_exits(chain, (None, 9.0), n_paths=10, seed=1)
    with pytest.raises(ValueError, match="first must be at most 10"):
        conditioned_exits(process, (None, 3.0), first=11, n_paths=10, seed=1)
    with pytest.raises(ValueError, match="slack must lie in"):
        conditioned_exits(process, (None, 3.0), n_paths=10, seed=1, slack=-1.0)
    with pytest.raises(ValueError, match="side must be one of lower, upper"):
        conditioned_exits(process, (None, 3.0), n_paths=10, seed=1).probability("left")


@pytest.mark.parametrize(
    ("hurst", "dt", "end"), [(0.3, 0.05, 40.0), (0.3, 0.5, 3.0), (0.3, 0.1, 0.2), (0.5, 5.0, 2.0), (0.8, 4.0, 9.0)]
)
def test_the_step_that_is_named_is_taken_and_hardly_shorter_than_it_must_be(hurst, dt, end):
    """A change within a step as long as the well's memory varies less than dt^2H; scaled from there, it is refused."""
    with pytest.raises(ValueError, match="dt must be at most") as told:
        seen(well(hurst, 1, dt), (None, end), True)
    named = float(str(told.value).split()[5])
    seen(well(hurst, 1, named), (None, end), True)
    with pytest.raises(ValueError, match="dt must be at most"):
        seen(well(hurst, 1, 1.6 * named), (None, end), True)


def test_the_step_that_is_named_is_shorter_for_a_chain_of_long_steps():
    """Euler's chain varies the more the longer its steps are: by its own variance 5.8 would do in place of 1.5."""
    process = chain_process(quadratic(1.0), FractionalNoise(0.5), 60, dt=1.5)
    with pytest.raises(ValueError, match=r"dt must be at most 0\.75 for .*, got 1\.5"):
        seen(process, (None, 1.75), True)


def test_a_step_beyond_the_floats_is_named_as_the_shortest():
    with pytest.raises(ValueError, match="dt must be at most 1e-300 for a shifted boundary at 1e"):
        seen(fou_process(0.3, 9, dt=0.01), (None, 1e140), True)


def test_estimates_know_themselves():
    estimate = RareEstimate.of(np.array([1.0, 3.0]), math.log(1e-10))
    assert math.isclose(estimate.value, 2e-10) and math.isclose(estimate.standard_error, 1e-10)
    assert (estimate.effective, estimate.largest_share, estimate.trusted) == (1.6, 0.75, False)
    nothing = RareEstimate.of(np.zeros(5))
    assert nothing.value == 0.0 and nothing.confidence_interval() == (0.0, math.inf) and not nothing.trusted
    deep = RareEstimate.of(np.ones(100), -2000.0)
    assert deep.value == 0.0 and deep.log_value == -2000.0 and deep.trusted
