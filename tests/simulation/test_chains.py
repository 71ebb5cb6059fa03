"""Chains and equations with inertia: their steps by hand, their stationary variance, and what they refuse."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import fbmsde
from fbmsde import Chain, EpochNoise, FractionalNoise, first_passage, langevin, schedules, sgd, simulate_paths

from .. import naive
from ..conftest import threshold

WELL = fbmsde.tilted_double_well(1.0, 1.0, 0.2)
PLANE = fbmsde.double_well_2d(1.0, 1.0, 1.0)
NOISE = FractionalNoise(0.3, 0.3)
RUN = {"n_steps": 40, "n_paths": 3, "seed": 4}


def rates_of(schedule, n_steps):
    return [schedule(float(k)) for k in range(n_steps)]


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.8, False), (0.8, True)])
@pytest.mark.parametrize("schedule", [None, schedules.warmup(schedules.cosine(0.05, 40), 10)])
def test_sgd_is_the_loop_of_plain_python(momentum, nesterov, decay, schedule):
    rates = [0.05] * 40 if schedule is None else rates_of(schedule, 40)
    chain = sgd(WELL, 0.05 if schedule is None else schedule, momentum, nesterov, decay)
    got = simulate_paths(chain, NOISE, 0.3, **RUN).values
    for path, kicks in enumerate(NOISE.sample(40, 3, dt=1.0, seed=4)):
        expected = naive.descent(WELL, 0.3, kicks, rates, momentum, nesterov, decay)
        found = got[path] if momentum == 0.0 else got[path, :, 0]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_sgd_in_two_dimensions_is_each_component_of_the_same_noise():
    """On a landscape that is a sum over the coordinates, each follows the chain of its own."""
    bowl = fbmsde.Landscape(lambda x: x[0] ** 2 + 2 * x[1] ** 2, lambda x: (2 * x[0], 4 * x[1]), dim=2)
    got = simulate_paths(sgd(bowl, 0.1, 0.5), NOISE, (0.5, 1.0), **RUN).values
    first = simulate_paths(sgd(fbmsde.quadratic(2.0), 0.1, 0.5), NOISE, 0.5, **RUN).values
    np.testing.assert_allclose(got[:, :, [0, 2]], first, rtol=1e-12, atol=1e-12)
    assert got.shape == (3, 41, 4)


def test_exits_of_a_chain_with_momentum_are_those_of_its_positions():
    chain = sgd(WELL, 0.05, 0.9)
    left = first_passage(chain, FractionalNoise(0.7, 2.5), -1.0, (-math.inf, 0.0), horizon=60, n_paths=200, seed=9)
    paths = simulate_paths(chain, FractionalNoise(0.7, 2.5), -1.0, n_steps=60, n_paths=200, seed=9)
    out = paths.values[:, :, 0] >= 0.0
    assert 0 < left.n_left < 200
    assert np.array_equal(left.censored, ~out.any(axis=1))
    assert np.array_equal(left.times[~left.censored], np.argmax(out, axis=1)[~left.censored])


def test_exits_under_a_schedule_follow_it_from_the_start_of_each_path():
    """Lanes take a new path whenever one leaves: its schedule begins anew. The last step lies within a block."""
    chain = sgd(fbmsde.quadratic(1.0), schedules.step_decay(0.4, 7, 0.5), 0.5)
    noise = FractionalNoise(0.5, 1.0)
    left = first_passage(chain, noise, 0.0, (-math.inf, 1.5), horizon=37, n_paths=200, seed=2)
    paths = simulate_paths(chain, noise, 0.0, n_steps=37, n_paths=200, seed=2)
    out = paths.values[:, :, 0] >= 1.5
    assert 0 < left.n_left < 200
    assert np.array_equal(left.censored, ~out.any(axis=1))
    assert np.array_equal(left.times[~left.censored], np.argmax(out, axis=1)[~left.censored])


@pytest.mark.slow
def test_a_schedule_goes_on_while_the_run_does():
    """With `until` the number of steps is not known beforehand: exits after 2^10 steps follow the schedule too."""
    chain = sgd(fbmsde.quadratic(1.0), schedules.step_decay(1e-3, 1500, 1e3))
    options = {"n_paths": 30, "seed": 3}
    until = first_passage(chain, FractionalNoise(0.5), 0.0, (-1.5, 1.5), horizon=4000, until=0.9, **options)
    whole = first_passage(chain, FractionalNoise(0.5), 0.0, (-1.5, 1.5), horizon=until.horizon, **options)
    assert until.horizon > 1500 and until.n_left >= 27
    assert np.array_equal(until.times, whole.times)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("noise", "expected"),
    [
        (FractionalNoise(0.5), 0.263889),
        (FractionalNoise(0.3), 0.14145),
        (FractionalNoise(0.7), 0.39431),
        (EpochNoise(1437, 128), 0.24432),
    ],
)
def test_stationary_variance_of_the_heavy_ball(noise, expected):
    """The exact variances; 20 000 paths see 5 %, and Nesterov's gradient or a missing factor momentum changes more."""
    chain, n_paths = sgd(fbmsde.quadratic(2.0), 0.1, 0.9), 20_000
    ends = simulate_paths(chain, noise, 0.0, n_steps=400, n_paths=n_paths, seed=1, save_every=400)
    assert abs(ends.values[:, -1, 0].var() / expected - 1.0) < math.sqrt(2 / n_paths) * threshold(4)


def langevin_variance(hurst):
    """``Gamma(2H+1) sin(pi H) / (2 pi) int |w|^(1-2H) / ((1 - w^2)^2 + w^2) dw``, by the rule of w = e^s."""
    s = np.linspace(-80.0, 80.0, 200_001)
    w = np.exp(s)
    integral = 2.0 * np.sum(w ** (2.0 - 2.0 * hurst) / ((1.0 - w * w) ** 2 + w * w)) * (s[1] - s[0])
    return math.gamma(2 * hurst + 1) * math.sin(math.pi * hurst) / (2 * math.pi) * integral


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.7])
def test_stationary_variance_of_a_particle(hurst):
    """At friction, curvature and mass 1: 20 000 paths see 5 %; Euler's scheme at this step is off by 8 to 14 %."""
    n_paths, particle = 20_000, langevin(fbmsde.quadratic(1.0), friction=1.0)
    ends = simulate_paths(particle, FractionalNoise(hurst), 0.0, dt=0.1, n_steps=250, n_paths=n_paths, seed=1,
                          save_every=250, solver="heun")  # fmt: skip
    assert langevin_variance(0.5) == pytest.approx(0.5)
    assert abs(ends.values[:, -1, 0].var() / langevin_variance(hurst) - 1.0) < math.sqrt(2 / n_paths) * threshold(3)


@pytest.mark.parametrize("mass", [1.0, 2.5])
def test_a_particle_in_two_dimensions_is_the_loop_of_plain_python(mass):
    dt, friction = 0.02, 0.7
    got = simulate_paths(langevin(PLANE, friction, mass), NOISE, (-1.0, 0.2), dt=dt, **RUN).values
    kicks, x, v = NOISE.sample(40, 3, dt=dt, seed=4), np.array([-1.0, 0.2]), np.zeros(2)
    assert got.shape == (3, 41, 4)
    for step in range(40):
        force = np.array(PLANE.gradient(tuple(x), *PLANE.params)) + friction * v
        x, before = x + dt * v, v
        v = before - dt / mass * force
        v[0] += kicks[0, step] / mass
        np.testing.assert_allclose(got[0, step + 1, [0, 2]], [x[0], v[0]], rtol=1e-9)
        x[1], v[1] = got[0, step + 1, [1, 3]]  # of the other component of the noise the sample tells nothing


def test_the_mass_divides_the_noise_of_a_particle_in_one_dimension():
    dt, mass = 0.02, 2.5
    got = simulate_paths(langevin(fbmsde.quadratic(2.0), 0.7, mass), NOISE, 1.0, dt=dt, **RUN).values[0]
    x, v = 1.0, 0.0
    for step, kick in enumerate(NOISE.sample(40, 3, dt=dt, seed=4)[0]):
        x, v = x + dt * v, v + (kick - dt * (2.0 * x + 0.7 * v)) / mass
        assert got[step + 1] == pytest.approx([x, v], rel=1e-9)


@pytest.mark.slow
def test_a_level_set_sees_the_positions_of_a_particle():
    particle, noise = langevin(PLANE, 0.5), FractionalNoise(0.7)
    left = first_passage(particle, noise, (-1.0, 0.0), lambda x: x[0] + 0.0 * x[1], dt=0.02, horizon=20.0, n_paths=100,
                         seed=5, solver="heun")  # fmt: skip
    paths = simulate_paths(particle, noise, (-1.0, 0.0, 0.0, 0.0), dt=0.02, n_steps=1000, n_paths=100, seed=5,
                           solver="heun")  # fmt: skip
    out = paths.values[:, :, 0] >= 0.0
    assert 0 < left.n_left < 100
    assert np.array_equal(left.censored, ~out.any(axis=1))


def test_a_chain_of_ones_own_is_pickled_with_what_it_captures():
    clip = 0.1
    chain = Chain(lambda k, x, noise, a: x - max(-clip, min(clip, a * x + noise)), params=(0.5,))
    again = pickle.loads(pickle.dumps(chain))
    assert np.array_equal(*(simulate_paths(c, NOISE, 1.0, **RUN).values for c in (chain, again)))
    moves = np.abs(np.diff(simulate_paths(chain, NOISE, 1.0, **RUN).values))
    assert moves.max() == pytest.approx(0.1)
    again = pickle.loads(pickle.dumps(sgd(WELL, schedules.cosine(0.1, 40), 0.9)))
    assert np.all(np.isfinite(simulate_paths(again, NOISE, 1.0, **RUN).values))


def test_stability_of_each_minimum():
    """Sharp minimum at 1 and flat one at -1: a rate between their bounds is stable at the flat one only."""
    uneven = fbmsde.Landscape(lambda x: 0.0 * x, lambda x: (8.0 if x > 0 else 2.0) * (x - 1.0 if x > 0 else x + 1.0),
                              minima=(-1.0, 1.0))  # fmt: skip
    told = sgd(uneven, 0.3).stability
    assert [each.stable for each in told] == [True, False]
    assert told[1].product == pytest.approx(2.4)
    assert [each.product for each in sgd(uneven, 0.3, weight_decay=1.0).stability] == pytest.approx([0.9, 2.7])
    with pytest.raises(ValueError, match=r"learning_rate must be below 1 for a stable chain, got 1\.5"):
        sgd(uneven, 1.5)


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True), (0.3, True)])
def test_the_bound_is_where_the_chain_begins_to_grow(momentum, nesterov):
    bound = 2 * (1 + momentum) / (1 + 2 * momentum * nesterov)
    quiet = FractionalNoise(0.5, 1e-12)
    below = sgd(fbmsde.quadratic(1.0), 0.99 * bound, momentum, nesterov)
    assert not sgd(fbmsde.quadratic(1.0), 1e-3, momentum, nesterov).stability[0].product >= bound
    end = simulate_paths(below, quiet, 1.0, n_steps=1200, n_paths=1, seed=0, save_every=1200)
    assert np.all(np.abs(end.values[0, -1]) < 0.1)
    with pytest.raises(ValueError, match="for a stable chain"):
        sgd(fbmsde.quadratic(1.0), bound, momentum, nesterov)
    above = sgd(fbmsde.Landscape(lambda x: x * x / 2, lambda x: x), 1.01 * bound, momentum, nesterov)
    end = simulate_paths(above, quiet, 1.0, n_steps=1200, n_paths=1, seed=0, save_every=1200)
    assert np.all(np.abs(end.values[0, -1]) > 10.0)


def negative(k):
    return 0.1 - 0.01 * k


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: sgd(WELL, 0.0), ValueError, "learning_rate must be positive and finite, got 0"),
        (lambda: sgd(WELL, 0.1, 1.0), ValueError, r"momentum must lie in \[0, 1\), got 1\.0"),
        (lambda: sgd(WELL, 0.1, nesterov=True), ValueError, "momentum must be positive for nesterov=True"),
        (lambda: sgd(WELL, 0.1, weight_decay=-1.0), ValueError, "weight_decay must be finite and at least 0, got -1"),
        (lambda: sgd(WELL, [0.1, 0.1]), ValueError, "at step 2 of 40. A table must be as long as the run"),
        (lambda: sgd(WELL, negative), ValueError, r"must be finite and at least 0 .*, got -0\.01 at step 11"),
        (lambda: sgd(WELL, lambda t, x: 0.1), ValueError, "rate must take k and 0 numbers of params"),
        (lambda: langevin(WELL, 0.0), ValueError, "friction must be positive"),
        (lambda: langevin(WELL, 1.0, -1.0), ValueError, "mass must be positive"),
        (lambda: schedules.cosine(0.1, 10, 0.2), ValueError, r"lowest must lie in \[0, rate = 0\.1\], got 0\.2"),
        (lambda: schedules.tabulated([]), ValueError, r"rates must be an array \(n,\)"),
        (lambda: schedules.tabulated([0.1, float("nan")]), ValueError, "rates must be finite, got one that is not"),
        (lambda: sgd(WELL, 0.1, 0.9, "false"), TypeError, "nesterov must be True or False, got 'false'"),
        (lambda: Chain(3.0), TypeError, r"update must be a function of \(k, x, noise, \*params\), got 3\.0"),
    ],
)  # fmt: skip
def test_bad_chains(make, error, message):
    with pytest.raises(error, match=message):
        simulate_paths(make(), NOISE, 0.0, **RUN)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dt": 0.1}, r"dt must be 1 for a chain, whose step is a unit of time, got 0\.1"),
        ({"solver": "heun"}, "solver must be left out for a chain"),
        ({"monitoring": "shifted"}, "must be driven by the noise as it is"),
        ({"monitoring": "continuous"}, "must not be a chain in continuous time"),
        ({"x0": (0.0, 0.0, 0.0)}, "x0 must have 1 coordinates, or 2 with velocities"),
    ],
)
def test_chains_refuse_what_has_no_meaning(options, message):
    options = {"x0": 0.0, "horizon": 10} | options
    with pytest.raises(ValueError, match=message):
        first_passage(sgd(fbmsde.quadratic(), 0.1, 0.5), NOISE, options.pop("x0"), (-1.0, 1.0), n_paths=2, seed=0,
                      **options)  # fmt: skip
