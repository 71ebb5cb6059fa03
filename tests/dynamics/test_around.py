"""Walls that reflect and resets to the start: steps by hand, and exact laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import fbmsde
from fbmsde import (
    Equation,
    FractionalNoise,
    first_passage,
    langevin,
    reflected,
    resetting,
    schedules,
    sgd,
    simulate_paths,
)

from ..conftest import ALPHA, threshold

FREE = Equation(lambda t, x: 0.0 * x, name="free")
NOISE = FractionalNoise(0.3, 0.8)
RUN = {"n_paths": 4, "seed": 3}


def test_a_wall_puts_a_path_back_after_each_step():
    kept = reflected(sgd(fbmsde.quadratic(1.0), schedules.cosine(0.5, 60)), -0.2, 0.3)
    got = simulate_paths(kept, NOISE, 0.1, n_steps=50, **RUN).values
    for path, kicks in enumerate(NOISE.sample(50, 4, dt=1.0, seed=3)):
        x = 0.1
        for step, kick in enumerate(kicks):
            x -= schedules.cosine(0.5, 60)(float(step)) * (x + kick)
            x = max(-0.2, min(0.3, x))
            assert got[path, step + 1] == pytest.approx(x, rel=1e-12)
    assert got.min() == -0.2 and got.max() == 0.3


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.3, 0.7])
def test_a_wall_makes_the_running_maximum_of_free_noise(hurst):
    """Law of ``max(0, S_1 ... S_n)``, n = 1024: with 4000 paths each, 6 % of the distribution function is seen."""
    noise, n = FractionalNoise(hurst), 1024
    ends = simulate_paths(reflected(FREE, lower=0.0), noise, 0.0, dt=1.0, n_steps=n, n_paths=4000, seed=1, save_every=n)
    highest = np.maximum(0.0, np.cumsum(noise.sample(n, 4000, seed=2), axis=1).max(axis=1))
    assert stats.ks_2samp(ends.values[:, -1], highest).pvalue > ALPHA / 2


def test_exits_behind_a_wall_are_those_of_the_paths():
    kept = reflected(fbmsde.quadratic(1.0), lower=-0.1)
    left = first_passage(kept, NOISE, 0.0, (None, 1.0), dt=0.05, horizon=2.5, n_paths=150, seed=3)
    paths = simulate_paths(kept, NOISE, 0.0, dt=0.05, n_steps=50, n_paths=150, seed=3)
    out = paths.values >= 1.0
    assert 0 < left.n_left < 150
    assert np.array_equal(left.censored, ~out.any(axis=1))
    shifted = first_passage(kept, NOISE, 0.0, (None, 2.0), monitoring="shifted", dt=0.05, horizon=2.5, n_paths=150,
                            seed=3)  # fmt: skip
    assert 0 < shifted.n_left < 150


def test_resets_go_back_to_the_start_and_leave_the_noise_alone():
    """8000 steps: the share of resets is ``1 - exp(-rate dt)`` within .027, where ``rate dt`` is larger by .11."""
    run = {"dt": 0.05, "n_steps": 400, "seed": 3}
    got = simulate_paths(resetting(FREE, 10.0), NOISE, 0.25, n_paths=20, **run).values
    moves = np.diff(got, axis=1)
    kicks = NOISE.sample(400, 20, dt=0.05, seed=3)
    back = got[:, 1:] == 0.25
    np.testing.assert_allclose(moves[~back], kicks[~back], rtol=1e-9, atol=1e-12)
    share = -math.expm1(-0.5)
    assert abs(back.mean() - share) < threshold(1) * math.sqrt(share * (1 - share) / back.size)
    longer = simulate_paths(resetting(FREE, 10.0), NOISE, 0.25, n_paths=27, n_jobs=2, **run)
    assert np.array_equal(longer.values[:20], got)


def test_a_reset_takes_the_velocity_back_too():
    particle = resetting(langevin(fbmsde.quadratic(1.0), 0.5), 2.0)
    got = simulate_paths(particle, NOISE, 1.0, dt=0.05, n_steps=400, n_paths=20, seed=3).values
    assert got.shape == (20, 401, 2)
    back, share = (got[:, 1:, 0] == 1.0) & (got[:, 1:, 1] == 0.0), -math.expm1(-0.1)
    assert abs(back.mean() - share) < threshold(1) * math.sqrt(share * (1 - share) / back.size)


def mean_time_under_resets(rate, barrier, dt):
    """The mean exit time of Brownian motion on a grid, put back to 0 after a step with chance ``1 - exp(-rate dt)``.

    Without resets the path would first be beyond the barrier after N steps. It leaves if no step up to that one ends in
    a reset, which has probability ``G = E q^N`` with ``q = exp(-rate dt)``. A stretch between resets lasts
    ``sum_n q^n P(N > n) = (1 - G) / (1 - q)`` steps on average, and 1 / G of them are needed. From a point x,
    ``u(x) = E q^N`` solves ``u(x) = q (P(x + xi > barrier) + int_(-inf)^barrier u(y) p(y - x) dy)``; it decays like
    ``exp(-sqrt(2 rate) (barrier - x))`` and is left out where that is below 1e-6.
    """
    sd, q, reach = math.sqrt(dt), math.exp(-rate * dt), 14.0 / math.sqrt(2.0 * rate)
    edges = np.linspace(barrier - reach, barrier, math.ceil(reach / sd) + 1)
    nodes, weights = np.polynomial.legendre.leggauss(6)
    y = (edges[:-1, None] + np.diff(edges)[:, None] * (nodes + 1.0) / 2.0).ravel()
    mass = q * (np.diff(edges)[:, None] * weights / 2.0).ravel()
    law = stats.norm(scale=sd)
    u = np.linalg.solve(np.eye(y.size) - law.pdf(y - y[:, None]) * mass, q * law.sf(barrier - y))
    left = q * law.sf(barrier) + np.sum(law.pdf(y) * mass * u)
    return dt * (1.0 - left) / ((1.0 - q) * left)


def test_mean_time_under_resets_tends_to_that_of_continuous_time():
    """There it is ``(exp(sqrt(2 r) b) - 1) / r``, and the steps move b out by .5826 sqrt(dt) first of all."""
    limits = [2.0 * math.expm1(1.0 + 0.5826 * math.sqrt(dt)) for dt in (0.1, 0.025)]
    errors = [mean_time_under_resets(0.5, 1.0, dt) - limit for dt, limit in zip((0.1, 0.025), limits, strict=True)]
    assert 0.0 < errors[1] < errors[0] / 3.0 < 0.1


@pytest.mark.slow
def test_mean_exit_time_under_resets():
    """The exact law of the chain: 20 000 paths see 5 %; resets at half or twice the rate change it by 15 % and more."""
    left = first_passage(resetting(FREE, 0.5), FractionalNoise(0.5), 0.0, (None, 1.0), dt=0.1, horizon=400.0,
                         n_paths=20_000, seed=3)  # fmt: skip
    assert not left.censored.any()
    exact = mean_time_under_resets(0.5, 1.0, 0.1)
    assert abs(left.times.mean() - exact) < threshold(1) * left.times.std() / math.sqrt(20_000)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: reflected(FREE, 1.0, 0.0), r"lower must be less than upper, got walls at 1\.0 and 0\.0"),
        (lambda: reflected(FREE), "lower or upper must be finite, got no wall"),
        (lambda: reflected(fbmsde.double_well_2d(), 0.0), "must have a state of one position between walls, got 2"),
        (lambda: reflected(FREE, 0.0, 1.0), r"x0 must lie between the walls at 0\.0 and 1\.0, got -0\.5"),
        (lambda: resetting(FREE, 0.0), "rate must be positive"),
    ],
)
def test_bad_walls_and_resets(make, message):
    with pytest.raises(ValueError, match=message):
        simulate_paths(make(), NOISE, -0.5, dt=0.1, n_steps=5, **RUN)


@pytest.mark.parametrize("make", [lambda: reflected(FREE, 0.0), lambda: resetting(FREE, 1.0)])
def test_continuous_time_knows_neither_walls_nor_resets(make):
    with pytest.raises(ValueError, match="must be free of walls and resets in continuous time"):
        first_passage(make(), NOISE, 0.5, (-1.0, 1.0), monitoring="continuous", horizon=1.0, n_paths=2, seed=0)


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        (lambda: resetting(fbmsde.quadratic(1.0), 0.5), "equation must have no resets of its own"),
        (lambda: fbmsde.rosenbrock(20), "equation must take points as tuples to be reset"),
    ],
)
def test_resets_are_put_around_once_and_around_tuples(equation, message):
    with pytest.raises(ValueError, match=message):
        resetting(equation(), 0.5)
