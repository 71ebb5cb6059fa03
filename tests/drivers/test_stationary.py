"""The stationary value of a linear chain, drawn jointly with what the noise remembers."""

from __future__ import annotations

import numpy as np
import pytest

from fbmsde import ArmaNoise, FractionalNoise, StreamingNoise, anti_pgd
from fbmsde.core import checks
from fbmsde.drivers.base import BLOCK, LANES
from fbmsde.drivers.stationary import Stationary
from fbmsde.laws.linear_chains import chain_variance

from ..conftest import threshold

STEPS = 4096
CASES = {
    "H=.3": FractionalNoise(0.3, 0.5),
    "H=.5": FractionalNoise(0.5, 2.0),
    "H=.7": FractionalNoise(0.7),
    "arma": ArmaNoise(ar=(1.2, -0.7), ma=(0.4, 0.0, -0.2), sigma=0.3),
    "anti_pgd": anti_pgd(2.0),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.mark.parametrize("phi", [0.95, 0.0, -0.6, "a pole", "beside a pole"])
@pytest.mark.parametrize("hurst", [0.3, 0.7, 0.9])
def test_start_has_the_covariances_of_the_chain(hurst, phi):
    """The equations that a stationary chain and the states of its noise obey, solved to rounding."""
    model = StreamingNoise(hurst, 1000).model
    middle = float(model.poles[len(model.poles) // 2])
    phi = {"a pole": middle, "beside a pole": middle + 1e-9}.get(phi, phi)
    weights, sd = model.linear_start(phi)
    states, c, d = model.state_covariance, model.weights, model.gain
    shared = (model.poles * (states @ c) + d) / (1.0 - phi * model.poles)  # Cov(X, states)
    variance = (c @ states @ c + d * d + 2.0 * phi * (shared @ c)) / (1.0 - phi**2)
    np.testing.assert_allclose(states @ weights, shared, rtol=1e-11)
    assert weights @ shared + sd**2 == pytest.approx(variance, rel=1e-11)


def parts_of(hurst):
    """The factor of the start and the standard deviation of the level of fractional noise."""
    model = StreamingNoise(hurst, STEPS)
    return model.start, model.level_sd


@pytest.mark.slow
@pytest.mark.parametrize("phi", [0.95, 0.0, -0.6, 0.5])
@pytest.mark.parametrize("noise", [*CASES.values(), ArmaNoise(ar=(0.5,)), ArmaNoise(ar=(0.5,), ma=(-0.5,))])
def test_start_has_the_variance_of_the_chain(noise, phi):
    """The weights times a root of the covariance of what a lane remembers; beside a level there are idle states."""
    weights, sd = noise.feed(STEPS, 1.0, 1, checks.as_seed(3)).linear_start(phi)
    root, level = (noise._system.factor, 0.0) if isinstance(noise, ArmaNoise) else parts_of(noise.hurst)
    known = weights[: len(root)] @ root
    rest = weights[-1] * level if level else 0.0
    variance = noise.increment_scale(1.0) ** 2 * (known @ known + rest**2 + sd**2)
    assert variance == pytest.approx(chain_variance(phi, noise.autocovariance), rel=1e-3 if level else 1e-6)


def started(driver, phi, n_paths, n_steps):
    """Stationary chains (n_steps + 1, n_paths) in units of the driver, stepped through its lanes."""
    feed = driver.feed(STEPS, 1.0, 1, checks.as_seed(3))
    assert isinstance(feed, Stationary)
    lanes, rng = feed.lanes(0, n_paths), np.random.default_rng(8)
    branch, (weights, sd) = feed.branch(lanes), feed.linear_start(phi)
    numbers, words = np.empty(branch.n_numbers), np.empty(branch.n_words, np.uint64)
    noise, chains = np.empty((1, BLOCK, LANES)), np.empty((n_steps + 1, n_paths))
    for first in range(0, n_paths, LANES):
        for lane in range(LANES):
            lanes.start(lanes.data, lane, first + lane)
            branch.save(lanes.data, lane, numbers, words)
            chains[0, first + lane] = lanes.scale * (weights @ numbers + sd * rng.standard_normal())
        for step in range(n_steps):
            if step % BLOCK == 0:
                lanes.draw(lanes.data, noise)
            some = slice(first, first + LANES)
            chains[step + 1, some] = phi * chains[step, some] + lanes.scale * noise[0, step % BLOCK]
    return chains


@pytest.mark.slow
@pytest.mark.parametrize("phi", [0.9, -0.5])
def test_variance_is_stationary_from_the_start(case, phi):
    """12 800 chains at four times: 6 % of the variance is seen.

    Without the noise's past in the start it is wrong by 12 % after one step at H = .3 and phi = .9.
    """
    times = [0, 1, 5, 40]
    values = started(case, phi, 12_800, times[-1])[times]
    exact = chain_variance(phi, case.autocovariance)
    z = ((values**2).mean(axis=1) / exact - 1.0) * np.sqrt(values.shape[1] / 2.0)
    assert np.abs(z).max() < threshold(8 * len(CASES))


@pytest.mark.parametrize("phi", [1.0, -1.5, float("nan")])
def test_a_chain_without_a_stationary_state_is_refused(phi):
    with pytest.raises(ValueError, match=r"phi must lie in \(-1, 1\), got"):
        FractionalNoise(0.3).feed(100, 1.0, 1, checks.as_seed(0)).linear_start(phi)
