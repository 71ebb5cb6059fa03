"""What every driver does: paths that are functions of seed and number, increments of the size that it tells, and exits.

`DRIVERS` has one example of each kind; a new driver needs a line there and nothing else.
"""

from __future__ import annotations

import copy
import dataclasses
import pickle
from functools import partial

import numpy as np
import pytest
from numba import typeof

from fbmsde import (
    ArmaNoise,
    EpochNoise,
    FractionalNoise,
    MixedNoise,
    OrnsteinUhlenbeckNoise,
    PopulationNoise,
    StableNoise,
    arfima,
    first_passage,
    quadratic,
    simulate_paths,
    tempered_fgn,
)
from fbmsde.drivers.base import LANES, Correlated, Driver, Extending
from fbmsde.drivers.sample import sample
from fbmsde.dynamics.solvers import SOLVERS
from fbmsde.simulation.monitoring import Grid

from ..conftest import threshold

SAMPLES = np.random.default_rng(1).standard_t(3, size=25)

DRIVERS = {
    "streaming": FractionalNoise(0.3, 0.7),
    "white": FractionalNoise(0.5, 2.0),
    "single precision": FractionalNoise(0.7, 0.7, dtype=np.float32),
    "davies_harte": FractionalNoise(0.7, 0.5, "davies_harte"),
    "cholesky": FractionalNoise(0.3, method="cholesky"),
    "arma": ArmaNoise(ar=(1.2, -0.7), ma=(0.4,), sigma=0.3),
    "hosking": FractionalNoise(0.8, method="hosking"),
    "gaussian": arfima(0.3, sigma=0.5),
    "circulant": tempered_fgn(0.7, 0.05, 2.0),
    "coloured": OrnsteinUhlenbeckNoise(0.5, 0.7),
    "epoch": EpochNoise(1437, 128, 0.7),
    "epoch that sums to zero": EpochNoise(60, 10),
    "stable": StableNoise(1.5, 0.7),
    "Cauchy": StableNoise(1.0),
    "population": PopulationNoise(np.concatenate([SAMPLES, -SAMPLES]), 7),
    "mixed": MixedNoise(FractionalNoise(0.7, 0.3), EpochNoise(60, 10, 0.5)),
    "population with replacement": PopulationNoise(np.concatenate([SAMPLES, -SAMPLES]), 4, True),
}


@pytest.fixture(params=DRIVERS)
def driver(request):
    return DRIVERS[request.param]


def test_driver_is_a_value(driver):
    assert isinstance(driver, Driver)
    assert pickle.loads(pickle.dumps(driver)) == driver and hash(driver) == hash(copy.deepcopy(driver))
    with pytest.raises(dataclasses.FrozenInstanceError):
        driver.sigma = 2.0


def test_path_is_a_function_of_seed_and_number(driver):
    several = sample(driver, 37, LANES + 45, dt=0.1, dim=2, seed=5, n_jobs=2)
    assert np.isfinite(several).all()
    assert np.array_equal(sample(driver, 37, 11, dt=0.1, dim=2, seed=5, n_jobs=1), several[:11])
    assert np.array_equal(sample(driver, 37, 11, dt=0.1, seed=5), several[:11, :, 0])


def test_paths_components_and_seeds_are_different(driver):
    """No two rows of 30 increments are equal, and none is another's mirror image."""
    rows = np.concatenate(
        [sample(driver, 30, 20, dim=2, seed=seed).transpose(0, 2, 1).reshape(40, 30) for seed in (1, 2)]
    )
    assert len(np.unique(np.abs(rows).round(9), axis=0)) == 80


def test_lanes_tell_the_type_that_the_compiler_sees(driver):
    lanes = driver.feed(16, 0.1, 2, np.arange(4, dtype=np.uint64)).lanes(0, 3, 8)
    assert lanes.kind == typeof(lanes.data)


@pytest.mark.parametrize("dt", [1e-4, 1.0, 50.0])
def test_increments_are_of_the_size_that_is_told(driver, dt):
    """Their median size is .67 standard deviations of a normal law; half and twice that are seen."""
    sizes = np.abs(sample(driver, 32, 100, dt=dt, seed=3))
    assert 0.34 < np.median(sizes) / driver.increment_scale(dt) < 1.35


@pytest.mark.slow
def test_increments_have_the_autocovariance_that_is_told(driver):
    """Mean products at lags 0 ... 5 of 8000 paths of 12 steps: at z = 5 an error of 2 % of the variance is seen."""
    if not isinstance(driver, Correlated) or getattr(driver, "alpha", 2.0) < 2.0:
        pytest.skip("this driver has no autocovariance")
    lags = np.arange(6).reshape(2, 3)
    told = driver.autocovariance(lags, dt=0.3)
    assert told.shape == (2, 3) and told[0, 0] == pytest.approx(driver.increment_scale(0.3) ** 2)
    rows = sample(driver, 12, 8000, dt=0.3, seed=8)
    for k in range(6):
        products = (rows[:, : 12 - k] * rows[:, k:]).mean(axis=1)
        assert abs(products.mean() - told.flat[k]) < threshold(6) * products.std() / np.sqrt(8000)


@pytest.mark.slow
def test_increments_have_no_drift(driver):
    """The sign of the first increment over 4000 paths: z = 4.9 is a share of 46 or 54 %."""
    assert abs((sample(driver, 1, 4000, seed=4) > 0).mean() - 0.5) < 4.9 * 0.5 / np.sqrt(4000)


@pytest.mark.parametrize("solver", SOLVERS)
def test_exits_are_those_of_the_whole_paths(driver, solver):
    dt, n_steps, well = 0.05, 40, quadratic(1.0)
    values = simulate_paths(well, driver, 0.0, dt=dt, n_steps=n_steps, n_paths=50, seed=6, solver=solver).values
    rim = float(np.median(np.abs(values).max(axis=1)))  # half of the paths leave
    outside = np.abs(values) >= rim
    passages = first_passage(well, driver, 0.0, (-rim, rim), monitoring=Grid(dt, solver), horizon=n_steps * dt,
                             n_paths=50, seed=6)  # fmt: skip
    assert np.array_equal(passages.censored, ~outside.any(axis=1))
    left = ~passages.censored
    np.testing.assert_allclose(passages.times[left], outside.argmax(axis=1)[left] * dt, rtol=1e-12)


@pytest.mark.slow
def test_open_horizon_goes_on_until_enough_have_left(driver):
    if not isinstance(driver, Extending):
        pytest.skip("this driver makes whole paths")
    dt, rim = 0.05, 4.0 * driver.increment_scale(0.05)
    run = partial(first_passage, quadratic(1.0), driver, 0.0, (-rim, rim), dt=dt, horizon=1e4, until=0.9)
    try:
        driver.most_steps()
    except ValueError:
        with pytest.raises(ValueError, match="method must be 'streaming' for `until`"):
            run(n_paths=200, seed=7)
    else:
        assert run(n_paths=200, seed=7).n_left >= 180
