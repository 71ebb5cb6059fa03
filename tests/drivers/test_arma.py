"""Autoregressive moving averages: the exact law from the first step on, chains, copied lanes and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from fbmsde import ArmaNoise, anti_pgd, first_passage, quadratic
from fbmsde.core import checks
from fbmsde.drivers.base import BLOCK, LANES, Spreading
from fbmsde.drivers.branching import Branching
from fbmsde.drivers.from_normals import FromNormals
from fbmsde.laws.linear_chains import chain_variance

from .. import naive
from ..conftest import threshold

KEY = checks.as_seed(3)
ANGLES = np.array([0.3, 1.0, 2.0, 2.5])
EIGHT = tuple(-np.poly(0.97 * np.exp(1j * np.concatenate([ANGLES, -ANGLES]))).real[1:])
MODELS = {
    "white": ArmaNoise(sigma=0.5),
    "ar1": ArmaNoise(ar=(-0.8,)),
    "anti_pgd": anti_pgd(2.0),
    "complex roots": ArmaNoise(ar=(1.2, -0.7), ma=(0.4,), sigma=0.3),
    "long moving average": ArmaNoise(ar=(0.9,), ma=(0.2, -0.5, 0.1, 0.7, -0.3)),
    "order eight": ArmaNoise(ar=EIGHT),
    "common root": ArmaNoise(ar=(0.5,), ma=(-0.5,)),
}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


def covariance(model, n):
    """The covariance matrix (n, n) of n increments."""
    return model.autocovariance(np.abs(np.subtract.outer(range(n), range(n))))


def test_autocovariance_is_that_of_the_weights_of_the_innovations(model):
    """Sums of products of the impulse response, 2000 terms of which are enough for roots of modulus .97."""
    psi = signal.lfilter([1.0, *model.ma], [1.0, *(-a for a in model.ar)], np.eye(1, 4000)[0])
    r = np.array([psi[: 4000 - k] @ psi[k:] for k in range(40)])
    assert model.innovation == pytest.approx(model.sigma / np.sqrt(r[0]), rel=1e-11)
    np.testing.assert_allclose(model.autocovariance(range(40)), model.sigma**2 * r / r[0], atol=1e-11 * model.sigma**2)


def test_spectrum_is_the_transform_of_the_autocovariance(model):
    freq, lags = np.linspace(0.0, np.pi, 7), np.arange(1, 2000)
    sums = model.autocovariance(0) + 2.0 * np.cos(np.outer(freq, lags)) @ model.autocovariance(lags)
    np.testing.assert_allclose(model.spectrum(freq), sums, atol=1e-10 * model.sigma**2)


def test_law_is_exact_from_the_first_step_on(model):
    """The linear map of the normals has the covariance of the noise, at every pair of 30 steps."""
    assert isinstance(model, FromNormals)
    matrix = model.increments(np.eye(model.n_normals(30))).T
    np.testing.assert_allclose(matrix @ matrix.T, covariance(model, 30), atol=1e-11 * model.sigma**2)
    np.testing.assert_allclose(model.pull_back(np.eye(30)), matrix, rtol=1e-12, atol=1e-14)


def test_kernel_is_the_plain_recursion(model):
    drawn = model.sample(30, 5, dim=2, seed=3)
    for path in range(5):
        for j in range(2):
            twin = naive.arma(model, KEY, path, j, 30)
            np.testing.assert_allclose(drawn[path, :, j], twin, rtol=1e-11, atol=1e-11 * model.sigma)


def test_increments_obey_the_difference_equation(model):
    """The increments less their autoregression are the moving average of the normals of the steps."""
    rng, first = np.random.default_rng(2), model.n_normals(1) - 1
    normals = rng.normal(size=(3, model.n_normals(40)))
    left = signal.lfilter([1.0, *(-a for a in model.ar)], [1.0], model.increments(normals), axis=1)
    right = model.innovation * signal.lfilter([1.0, *model.ma], [1.0], normals[:, first:], axis=1)
    np.testing.assert_allclose(left[:, first:], right[:, first:], atol=1e-10 * model.sigma)


def test_components_of_a_path_spread_over_lanes_are_the_same():
    model = MODELS["complex roots"]
    feed = model.feed(16, 1.0, 6, KEY)
    assert isinstance(feed, Spreading)
    lanes, room = feed.coordinates(2, 3), np.empty((2, BLOCK, 3))
    for lane in range(3):
        lanes.start(lanes.data, lane, 1)
    lanes.draw(lanes.data, room)
    drawn = model.sample(16, 2, dim=6, seed=3)[1]
    assert np.array_equal(lanes.scale * room.transpose(1, 0, 2).reshape(BLOCK, 6), drawn[:BLOCK])


def at_work(model, channels=2):
    """Lanes that have drawn three blocks, their branch, and room for what a lane remembers."""
    feed = model.feed(500, 1.0, channels, KEY)
    assert isinstance(feed, Branching)
    lanes, room = feed.lanes(0, LANES), np.empty((channels, BLOCK, LANES))
    for lane in range(LANES):
        lanes.start(lanes.data, lane, lane)
    for _ in range(3):
        lanes.draw(lanes.data, room)
    branch = feed.branch(lanes)
    return lanes, branch, np.empty(branch.n_numbers), np.empty(branch.n_words, np.uint64), room


def test_a_copied_lane_draws_the_same_increments_and_a_reseeded_one_others():
    lanes, branch, numbers, words, room = at_work(MODELS["long moving average"])
    branch.save(lanes.data, 2, numbers, words)
    branch.load(lanes.data, 5, numbers, words)
    lanes.draw(lanes.data, room)
    assert np.array_equal(room[:, :, 2], room[:, :, 5]) and not np.array_equal(room[:, :, 2], room[:, :, 4])
    for lane, generation in ((1, 1), (2, 2), (3, 1)):
        branch.load(lanes.data, lane, numbers, words)
        branch.reseed(lanes.data, lane, 9, generation)
    lanes.draw(lanes.data, room)
    assert np.array_equal(room[:, :, 1], room[:, :, 3]) and not np.array_equal(room[:, :, 1], room[:, :, 2])


@pytest.mark.slow
@pytest.mark.parametrize("phi", [0.5, 0.9])
def test_anticorrelated_noise_spreads_a_chain_less(phi):
    """Stationary variance ``1/(1 + phi)``, where independent noise of the same size has ``1/(1 - phi^2)``.

    The chain is started at 0 and looked at after 200 steps; with 40 000 paths an error of 4 % is seen.
    """
    model = anti_pgd()
    assert chain_variance(phi, model.autocovariance) == pytest.approx(1.0 / (1.0 + phi), rel=1e-12)
    x = signal.lfilter([1.0], [1.0, -phi], model.sample(200, 40_000, seed=4), axis=1)[:, -1]
    z = ((x**2).mean() * (1.0 + phi) - 1.0) * np.sqrt(x.size / 2.0)
    assert abs(z) < threshold(2)


@pytest.mark.slow
def test_covariance_of_drawn_increments(model):
    """At z = 5 an error of .04 in a correlation of the first six increments is seen: 20 000 paths."""
    n = 20_000
    drawn, wanted = model.sample(6, n, seed=9), covariance(model, 6)
    errors = np.sqrt((np.outer(np.diag(wanted), np.diag(wanted)) + wanted**2) / n)
    assert np.abs((drawn.T @ drawn / n - wanted) / errors).max() < threshold(21 * len(MODELS))


@pytest.mark.slow
def test_open_horizon():
    assert first_passage(quadratic(1.0), anti_pgd(), 0.0, (-2.0, 2.0), dt=0.1, horizon=1e6, until=0.5, n_paths=50,
                         seed=1).n_left >= 25  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"ar": (1.0,)}, ValueError, "ar must have all roots .* inside the unit circle, got one of modulus 1"),
        ({"ar": (0.5, 0.6)}, ValueError, "got one of modulus 1.06"),
        ({"ar": 0.5}, TypeError, "ar must be a tuple of numbers"),
        ({"ma": (float("nan"),)}, ValueError, "ma must be finite"),
        ({"ma": (0.1,) * 33}, ValueError, "ma must have at most 32 coefficients, got 33"),
        ({"sigma": 0.0}, ValueError, "sigma must be positive"),
    ],
)
def test_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        ArmaNoise(**arguments)
