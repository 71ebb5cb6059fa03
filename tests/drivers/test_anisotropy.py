"""Noises whose axes differ: components of their own strength and Hurst parameter, and matrix factors."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from scipy import stats

from fbmsde import (
    AnisotropicNoise,
    EpochNoise,
    FractionalNoise,
    Landscape,
    LevelSet,
    Shifted,
    first_passage,
    hessian_factor,
    hessian_spectrum,
    quadratic,
    simulate_paths,
)
from fbmsde.core import checks
from fbmsde.drivers.base import BLOCK, LANES, Lanes
from fbmsde.drivers.branching import Branching
from fbmsde.drivers.mixture import multiply
from fbmsde.drivers.sample import sample
from fbmsde.theory.free_fbm import brownian_survival

from ..conftest import threshold

FACTOR = [[1.0, 0.0], [0.6, 0.5]]
WIDE = [[0.5, 1.0, -0.3], [0.0, 0.2, 2.0]]
FLAT = Landscape(lambda x: 0.0 * x[0], lambda x: (0.0 * x[0], 0.0 * x[1]), dim=2)
NOISES = {
    "two strengths": FractionalNoise(0.3, (0.5, 2.0)),
    "two Hurst parameters": FractionalNoise((0.3, 0.7)),
    "both": FractionalNoise((0.3, 0.5), (0.5, 2.0)),
    "both, exactly": FractionalNoise((0.3, 0.7), (0.5, 2.0), "davies_harte"),
    "single precision": FractionalNoise((0.3, 0.7), (0.5, 2.0), dtype=np.float32),
    "factor": FractionalNoise(0.7, FACTOR),
    "wide factor": FractionalNoise(0.3, WIDE),
    "factor and two Hurst parameters": FractionalNoise((0.3, 0.7), FACTOR),
    "factor, exactly": FractionalNoise(0.7, FACTOR, "davies_harte"),
    "strengths and correlation": FractionalNoise(0.7, (0.5, 2.0), correlation=[[1.0, 0.6], [0.6, 1.0]]),
    "weighted epochs": AnisotropicNoise(EpochNoise(40, 10), (0.5, 2.0)),
    "mixed epochs": AnisotropicNoise(EpochNoise(40, 10), WIDE),
}


@pytest.fixture(params=NOISES)
def noise(request):
    return NOISES[request.param]


def test_noise_is_a_value_and_its_paths_are_functions_of_seed_and_number(noise):
    assert pickle.loads(pickle.dumps(noise)) == noise and hash(noise) == hash(pickle.loads(pickle.dumps(noise)))
    several = sample(noise, 21, LANES + 9, dt=0.1, seed=5, n_jobs=2)
    assert several.shape == (LANES + 9, 21, 2) and np.isfinite(several).all()
    assert np.array_equal(noise.sample(21, 7, dt=0.1, seed=5), several[:7])


@pytest.mark.parametrize("method", ["streaming", "davies_harte"])
def test_a_component_is_that_of_a_noise_of_its_own(method):
    noise = FractionalNoise((0.3, 0.5, 0.8), (0.5, 2.0, 0.0), method)
    got = noise.sample(50, 20, dt=0.1, seed=3)
    for j, hurst in enumerate((0.3, 0.5, 0.8)):
        alone = sample(FractionalNoise(hurst, method=method), 50, 20, dt=0.1, dim=3, seed=3)[:, :, j]
        np.testing.assert_allclose(got[:, :, j], noise.sigma[j] * alone, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("method", ["streaming", "davies_harte"])
@pytest.mark.parametrize("hurst", [0.3, (0.3, 0.7)])
def test_a_factor_mixes_independent_components(hurst, method):
    """One Hurst parameter: the factor is lower-triangular, and is its own root."""
    independent = sample(FractionalNoise(hurst, method=method), 40, 20, dt=0.1, dim=2, seed=3)
    mixed = FractionalNoise(hurst, FACTOR, method).sample(40, 20, dt=0.1, seed=3)
    np.testing.assert_allclose(mixed, independent @ np.transpose(FACTOR), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("factor", [(0.5, 2.0), FACTOR, WIDE, [[1.0, -2.0]]])
def test_any_driver_takes_a_factor(factor):
    epochs = EpochNoise(40, 10, sigma=0.7)
    matrix = np.diag(factor) if np.ndim(factor) == 1 else np.array(factor)
    independent = sample(epochs, 40, 20, dim=matrix.shape[1], seed=3)
    mixed = AnisotropicNoise(epochs, factor).sample(40, 20, seed=3)
    np.testing.assert_allclose(mixed, independent @ matrix.T, rtol=1e-13, atol=1e-14)


def test_many_dimensions_have_a_strength_for_each():
    """Steps of a linear chain by NumPy; five paths share the lanes, with components beyond the last of 20 idle."""
    curvatures, noise = np.linspace(1.0, 2.0, 20), FractionalNoise(0.3, np.linspace(0.5, 1.0, 20))
    x, increments = np.zeros((5, 20)), noise.sample(30, 5, dt=0.05, seed=3)
    for step in range(30):
        x = x - 0.05 * curvatures * x + increments[:, step]
    paths = simulate_paths(hessian_spectrum(curvatures), noise, np.zeros(20), dt=0.05, n_steps=30, n_paths=5, seed=3)
    np.testing.assert_allclose(paths.values[:, -1], x, rtol=1e-12, atol=1e-14)
    assert isinstance(noise.feed(30, 0.05, 20, checks.as_seed(3)).coordinates(1, 24), Lanes)
    assert FractionalNoise((0.3, 0.7)).feed(30, 0.05, 2, checks.as_seed(3)).coordinates(1, 8) is None


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (1, 4), (4, 1), (2, 3)])
def test_multiplication_is_that_of_matrices(shape):
    rng = np.random.default_rng(1)
    matrix, drawn = rng.normal(size=shape), rng.normal(size=(shape[1], BLOCK, 5))
    out = np.empty((shape[0], BLOCK, 5))
    multiply(matrix, drawn, out)
    np.testing.assert_allclose(out, np.einsum("jk,ksi->jsi", matrix, drawn), rtol=1e-12, atol=1e-13)


@pytest.mark.slow
def test_increments_have_the_covariance_that_is_told(noise):
    """Products of 20 000 pairs at lags 0 and 1: 4 % of a variance, and .04 of a correlation, are seen."""
    dt, n_paths = 0.1, 20_000
    drawn = noise.sample(2, n_paths, dt=dt, seed=4)
    told = noise.autocovariance([0, 1], dt)
    assert told.shape == (2, 2, 2)
    assert noise.increment_scale(dt) == pytest.approx(math.sqrt(np.diag(told[0]).max()), rel=1e-12)
    for lag in (0, 1):
        for i in range(2):
            for j in range(2):
                products = drawn[:, 0, i] * drawn[:, lag, j]
                z = (products.mean() - told[lag, i, j]) / (products.std() / math.sqrt(n_paths))
                assert abs(z) < threshold(8 * len(NOISES))


@pytest.mark.slow
def test_two_coordinates_leave_like_two_noises_of_their_own():
    """The first of two exits of 4000 paths, with H = .3 and .7: Kolmogorov and Smirnov see 6 % of the distribution."""
    wells = Landscape(lambda x: (x[0] ** 2 + 4.0 * x[1] ** 2) / 2, lambda x: (x[0], 4.0 * x[1]), dim=2)
    box = LevelSet(lambda x: max(abs(x[0]) - 1.0, abs(x[1]) - 0.7))
    options = {"dt": 0.02, "horizon": 30.0, "n_paths": 4000}
    both = first_passage(wells, FractionalNoise((0.3, 0.7), (0.7, 0.9)), (0.0, 0.0), box, seed=5, **options)
    first = first_passage(quadratic(1.0), FractionalNoise(0.3, 0.7), 0.0, (-1.0, 1.0), seed=6, **options)
    second = first_passage(quadratic(4.0), FractionalNoise(0.7, 0.9), 0.0, (-0.7, 0.7), seed=7, **options)
    assert stats.ks_2samp(both.times, np.minimum(first.times, second.times)).pvalue > 1e-6


def test_a_linear_map_of_the_noise_is_one_of_the_moved_boundary():
    """A half-plane under ``L xi`` is another one that xi sees, with the same shift: the same paths leave at once."""
    options = {"monitoring": Shifted(0.02), "horizon": 1.0, "n_paths": 300, "seed": 8}
    half = LevelSet(lambda x: x[0] + 2.0 * x[1] - 1.0)
    seen = LevelSet(lambda x: x[0] + 2.0 * (0.6 * x[0] + 0.5 * x[1]) - 1.0)
    mixed = first_passage(FLAT, FractionalNoise(0.3, FACTOR), (0.0, 0.0), half, **options)
    plain = first_passage(FLAT, FractionalNoise(0.3), (0.0, 0.0), seen, **options)
    assert 0 < mixed.n_left < 300
    np.testing.assert_allclose(mixed.times, plain.times)


@pytest.mark.slow
def test_brownian_exits_of_a_half_plane_in_continuous_time_are_those_of_its_normal():
    """Exact survival at three times, 4000 paths: a strength off by 3 % is seen."""
    noise = FractionalNoise(0.5, WIDE)
    strength = float(np.linalg.norm(np.array([1.0, -0.5]) @ np.array(WIDE)))
    passages = first_passage(FLAT, noise, (0.0, 0.0), lambda x: x[0] - 0.5 * x[1] - 1.0, monitoring="continuous",
                             horizon=2.0, n_paths=4000, seed=9)  # fmt: skip
    for t in (0.2, 0.7, 1.9):
        exact = float(brownian_survival(1.0, t, sigma=strength))
        share = float(np.mean(passages.times > t))
        assert abs(share - exact) < threshold(3) * math.sqrt(exact * (1.0 - exact) / 4000) + 1e-3


@pytest.mark.slow
def test_noise_like_the_hessian_makes_a_quadratic_well_isotropic():
    """With the covariance ``s^2 H`` and the Hessian H the Euler chain has ``s^2 (2 I - H dt)^-1``, close to s^2 / 2.

    12 000 paths: 5 % of a variance and .05 of a correlation are seen. A scalar sigma would give a ratio of 10.
    """
    hessian, s, dt = np.array([[5.0, 1.5], [1.5, 1.0]]), 0.6, 0.05
    well = Landscape(lambda x: 2.5 * x[0] ** 2 + 1.5 * x[0] * x[1] + 0.5 * x[1] ** 2,
                     lambda x: (5.0 * x[0] + 1.5 * x[1], 1.5 * x[0] + x[1]), dim=2)  # fmt: skip
    noise = FractionalNoise(0.5, s * hessian_factor(well, (0.0, 0.0)))
    paths = simulate_paths(well, noise, (0.0, 0.0), dt=dt, n_steps=400, save_every=400, n_paths=12_000, seed=10)
    x = paths.values[:, -1]
    exact = s**2 * np.linalg.inv(2.0 * np.eye(2) - dt * hessian)
    for i, j in ((0, 0), (0, 1), (1, 1)):
        products = x[:, i] * x[:, j]
        z = (products.mean() - exact[i, j]) / (products.std() / math.sqrt(len(x)))
        assert abs(z) < threshold(3)


@pytest.mark.parametrize("name", ["two Hurst parameters", "factor", "weighted epochs", "mixed epochs"])
def test_copied_lanes_draw_the_same_increments(name):
    feed = NOISES[name].feed(500, 0.25, 2, checks.as_seed(5))
    assert isinstance(feed, Branching)
    lanes = feed.lanes(0, LANES)
    for lane in range(LANES):
        lanes.start(lanes.data, lane, lane)
    noise, branch = np.empty((2, BLOCK, LANES)), feed.branch(lanes)
    numbers, words = np.empty(branch.n_numbers), np.empty(branch.n_words, np.uint64)
    lanes.draw(lanes.data, noise)
    branch.save(lanes.data, 2, numbers, words)
    branch.load(lanes.data, 5, numbers, words)
    lanes.draw(lanes.data, noise)
    assert np.array_equal(noise[:, :, 2], noise[:, :, 5]) and not np.array_equal(noise[:, :, 2], noise[:, :, 4])
    branch.load(lanes.data, 3, numbers, words)
    branch.reseed(lanes.data, 3, 3, 1)
    branch.load(lanes.data, 2, numbers, words)
    lanes.draw(lanes.data, noise)
    assert not np.array_equal(noise[:, :, 2], noise[:, :, 3])


def plane(noise, **options):
    return first_passage(FLAT, noise, (0.0, 0.0), lambda x: x[0] - 1.0, horizon=1.0, n_paths=2, seed=1, **options)


ONE_HURST = r"hurst must be one number in continuous time and for a moved boundary, got \(0.3, 0.7\)"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: FractionalNoise((0.3, 1.2)), ValueError, r"hurst must lie in \(0, 1\), got 1.2"),
        (lambda: FractionalNoise(()), ValueError, "hurst must be a number in .* got none"),
        (lambda: FractionalNoise("rough"), TypeError, "hurst must be a number, got 'rough'"),
        (lambda: FractionalNoise(0.3, (1.0, -2.0)), ValueError, r"sigma must lie in \[0, 1e150\] on every axis"),
        (lambda: FractionalNoise(0.3, (1.0, np.nan)), ValueError, r"sigma must lie in .* got nan"),
        (lambda: FractionalNoise(0.3, [[1.0, np.inf]]), ValueError, r"sigma must be at most 1e150 in size, got inf"),
        (lambda: FractionalNoise(0.3, (0.0, 0.0)), ValueError, "sigma must not be 0 throughout"),
        (lambda: FractionalNoise(0.3, np.ones((2, 2, 2))), ValueError, r"sigma must be .* got shape \(2, 2, 2\)"),
        (lambda: FractionalNoise(0.3, []), ValueError, r"sigma must be .* got shape \(0,\)"),
        (lambda: FractionalNoise(0.3, ["a"]), TypeError, "sigma must be real numbers"),
        (lambda: FractionalNoise((0.3, 0.7), (1.0, 2.0, 3.0)), ValueError, "got 2 of hurst and 3 of sigma"),
        (lambda: FractionalNoise((0.3, 0.7), WIDE), ValueError, r"sigma must have a column for each of the 2 Hurst"),
        (lambda: FractionalNoise(0.3, FACTOR, correlation=np.eye(2)), ValueError, "correlation must be None"),
        (lambda: FractionalNoise((0.3, 0.7), correlation=np.eye(2)), ValueError, "correlation must be None"),
        (lambda: FractionalNoise(0.3, (1.0, 2.0)).feed(9, 1.0, 3, None), ValueError, "noise must have the 3 comp"),
        (lambda: plane(FractionalNoise((0.3, 0.7)), monitoring="shifted", dt=0.1), ValueError, ONE_HURST),
        (lambda: plane(FractionalNoise((0.3, 0.7)), monitoring="continuous"), ValueError, ONE_HURST),
        (lambda: AnisotropicNoise(FractionalNoise(0.3), (1.0, 2.0)), ValueError, "noise must be another driver"),
        (lambda: AnisotropicNoise(EpochNoise(40, 10), 2.0), TypeError, "factor must be a number for each axis"),
        (lambda: AnisotropicNoise(0.3, (1.0, 2.0)), TypeError, "noise must be a Driver, got 0.3"),
        (lambda: AnisotropicNoise(NOISES["mixed epochs"], (1.0, 2.0, 3.0)), ValueError, "a column for each of the 2"),
        (lambda: NOISES["mixed epochs"].sample(9, dim=3, seed=1), ValueError, "noise must have the 3 components"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
