"""Exact second moments against the simulated chains and particles of the package."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fbmsde import FractionalNoise, quadratic, simulate_paths
from fbmsde.drivers.epoch import EpochNoise
from fbmsde.dynamics.descent import sgd
from fbmsde.dynamics.inertia import langevin
from fbmsde.theory import langevin_variance, momentum_second_moment
from tests.conftest import threshold

HURSTS = (0.3, 0.5, 0.7)


def scores(squares, exact):
    """Deviations of the mean of squares, (n_paths, ...), in standard errors."""
    return (squares.mean(axis=0) - exact) / (squares.std(axis=0) / math.sqrt(len(squares)))


@pytest.mark.slow
@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_from_the_first_step_to_the_stationary_state(nesterov):
    """Second moments of 10 000 chains from x = 1 at five steps, under epochs and H = 0.3; catches one 10 % off."""
    steps, setting = np.array([1, 3, 10, 40, 160]), dict(learning_rate=0.1, momentum=0.9, nesterov=nesterov)
    for noise in (EpochNoise(1437, 128), FractionalNoise(0.3)):
        run = simulate_paths(sgd(quadratic(2.0), **setting), noise, 1.0, dt=1.0, n_steps=160, n_paths=10_000, seed=1)
        exact = momentum_second_moment(steps, 1.0, noise.autocovariance, curvature=2.0, **setting)
        assert np.abs(scores(run.values[:, steps, 0] ** 2, exact)).max() < threshold(20)


@pytest.mark.slow
@pytest.mark.parametrize("hurst", HURSTS)
def test_particle_with_inertia_spreads_as_its_integral(hurst):
    """The position of 10 000 particles at time 20, steps of 0.04; catches a variance 8 % off."""
    run = simulate_paths(
        langevin(quadratic(1.0), 1.0), FractionalNoise(hurst), 0.0, dt=0.04, n_steps=500, n_paths=10_000,
        save_every=500, solver="heun", seed=2,
    )  # fmt: skip
    found = scores(run.values[:, -1, 0] ** 2, langevin_variance(hurst, friction=1.0))
    assert abs(found) < threshold(len(HURSTS))
