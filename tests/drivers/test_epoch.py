"""Batches of shuffled epochs: exact second moments, epochs that sum to zero, chains, copied lanes and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from fbmsde import EpochNoise
from fbmsde.core import checks
from fbmsde.drivers.base import BLOCK, LANES, Spreading
from fbmsde.drivers.branching import Branching

from .. import naive
from ..conftest import threshold

KEY = checks.as_seed(3)


@pytest.mark.parametrize("phase", [None, 4])
@pytest.mark.parametrize("sizes", [(50, 10), (1437, 128), (9, 8)])
def test_kernel_is_the_conditional_law_step_by_step(sizes, phase):
    noise = EpochNoise(*sizes, sigma=0.7, phase=phase if phase is None else min(phase, sizes[0] // sizes[1] - 1))
    drawn = noise.sample(30, 5, dim=2, seed=3)
    for path in range(5):
        twin = naive.epoch_noise(*sizes, noise.phase, KEY, path, (2, 30))
        np.testing.assert_allclose(drawn[path].T, 0.7 * twin, rtol=0, atol=1e-13)


def test_components_of_a_path_spread_over_lanes_are_the_same():
    noise = EpochNoise(1437, 128)
    feed = noise.feed(16, 1.0, 6, KEY)
    assert isinstance(feed, Spreading)
    lanes, room = feed.coordinates(2, 3), np.empty((2, BLOCK, 3))
    for lane in range(3):
        lanes.start(lanes.data, lane, 1)
    drawn = noise.sample(16, 2, dim=6, seed=3)[1]
    for block in range(2):
        lanes.draw(lanes.data, room)
        whole = room.transpose(1, 0, 2).reshape(BLOCK, 6)
        assert np.array_equal(whole, drawn[BLOCK * block : BLOCK * (block + 1)])


def test_batches_that_use_up_the_data_sum_to_zero():
    drawn = EpochNoise(60, 10, sigma=3.0, phase=0).sample(60, 20, dim=2, seed=1)
    assert np.abs(drawn.reshape(20, 10, 6, 2).sum(axis=2)).max() < 1e-14 * 3.0 * 6
    after_two = EpochNoise(60, 10, phase=2).sample(16, 20, seed=1)[:, 4:]
    assert np.abs(after_two.reshape(20, 2, 6).sum(axis=2)).max() < 1e-13


def test_an_epoch_of_one_batch_has_no_memory():
    noise = EpochNoise(100, 60)
    assert noise.n_batches == 1 and noise.autocovariance(range(4)).tolist() == [1.0, 0.0, 0.0, 0.0]


@pytest.mark.slow
def test_covariance_of_an_epoch():
    """Every entry of the matrix over two epochs of five batches; at z = 5 an error of .025 in one of them is seen."""
    n, noise = 40_000, EpochNoise(57, 10, phase=0)
    drawn = noise.sample(10, n, seed=5)
    wanted = np.kron(np.eye(2), np.full((5, 5), noise.correlation))
    np.fill_diagonal(wanted, 1.0)
    errors = np.sqrt((1.0 + wanted**2) / n)
    z = (drawn.T @ drawn / n - wanted) / errors
    assert noise.correlation == pytest.approx(-1 / 4.7)
    assert np.abs(z).max() < threshold(55)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(1437, 128), (60, 10)])
def test_random_phase_is_stationary(sizes):
    """The variance of the sum of the first m increments, which needs the law of the past at the start.

    With 40 000 paths an error of 4 % is seen. Without the past's sum it would be 24 % (60, 10) at m = 3.
    """
    n, noise = 40_000, EpochNoise(*sizes)
    sums = noise.sample(20, n, seed=6).cumsum(axis=1)
    lags = np.abs(np.subtract.outer(range(20), range(20)))
    wanted = np.array([noise.autocovariance(lags[:m, :m]).sum() for m in range(1, 21)])
    squares = sums**2
    z = (squares.mean(axis=0) - wanted) / (squares.std(axis=0) / math.sqrt(n))
    assert np.abs(z).max() < threshold(20)


@pytest.mark.slow
@pytest.mark.parametrize(("drift", "known"), [(0.1, 0.555), (0.8, 0.934)])
def test_spread_of_a_chain_over_that_of_a_memoryless_one(drift, known):
    """The digits data, N = 1437 and B = 128: at z = 5 an error of 1 % of the standard deviation is seen."""
    noise, phi = EpochNoise(1437, 128), 1.0 - drift
    finite = (1437 - 128) / (1437 - 1)
    lags = np.arange(1, 12)
    ratio = math.sqrt(finite * (1.0 + 2.0 * noise.autocovariance(lags) @ phi**lags))
    assert ratio == pytest.approx(known, abs=5e-4)
    x = lfilter([1.0], [1.0, -phi], noise.sample(600, 4000, seed=7), axis=1)[:, 200:]
    squares = finite * (1.0 - phi**2) * (x**2).mean(axis=1)
    z = (squares.mean() - ratio**2) / (squares.std() / math.sqrt(squares.size))
    assert abs(z) < threshold(2)


def at_work(noise, channels=2):
    """A feed with lanes that have drawn three blocks, and room for what a lane remembers."""
    feed = noise.feed(500, 1.0, channels, KEY)
    lanes, room = feed.lanes(0, LANES), np.empty((channels, BLOCK, LANES))
    for lane in range(LANES):
        lanes.start(lanes.data, lane, lane)
    for _ in range(3):
        lanes.draw(lanes.data, room)
    branch = feed.branch(lanes)
    return lanes, branch, np.empty(branch.n_numbers), np.empty(branch.n_words, np.uint64), room


def test_a_copied_lane_draws_the_same_increments():
    assert isinstance(EpochNoise(60, 10).feed(5, 1.0, 1, KEY), Branching)
    lanes, branch, numbers, words, room = at_work(EpochNoise(1437, 128))
    branch.save(lanes.data, 2, numbers, words)
    branch.load(lanes.data, 5, numbers, words)
    for _ in range(2):
        lanes.draw(lanes.data, room)
        assert np.array_equal(room[:, :, 2], room[:, :, 5])
        assert not np.array_equal(room[:, :, 2], room[:, :, 4])


def test_a_reseeded_lane_ends_the_epoch_that_it_is_in():
    """24 of 10 batches were drawn: the next 6 of every future have the same sum, minus that of the 4 before."""
    lanes, branch, numbers, words, room = at_work(EpochNoise(100, 10, phase=0))
    before = room[:, 4:, 2].sum(axis=1)
    branch.save(lanes.data, 2, numbers, words)
    for lane in range(LANES):
        branch.load(lanes.data, lane, numbers, words)
        branch.reseed(lanes.data, lane, lane, 1)
    lanes.draw(lanes.data, room)
    assert np.unique(room[:, :5]).size == 2 * 5 * LANES
    np.testing.assert_allclose(room[:, :6].sum(axis=1), -before[:, None] * np.ones(LANES), atol=1e-13)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: EpochNoise(100, 101), ValueError, "batch_size must be at most n_samples = 100, got 101"),
        (lambda: EpochNoise(100, 100), ValueError, "batch_size must be smaller than n_samples = 100, got 100"),
        (lambda: EpochNoise(100, 0), ValueError, "batch_size must be at least 1, got 0"),
        (lambda: EpochNoise(1, 1), ValueError, "n_samples must be at least 2, got 1"),
        (lambda: EpochNoise(100.5, 10), TypeError, "n_samples must be a whole number, got 100.5"),
        (lambda: EpochNoise(100, 10, sigma=0.0), ValueError, "sigma must be positive and finite, got 0.0"),
        (lambda: EpochNoise(100, 30, phase=3), ValueError, "phase must be less than the 3 batches of an epoch, got 3"),
        (lambda: EpochNoise(100, 30, phase=-1), ValueError, "phase must be at least 0, got -1"),
        (lambda: EpochNoise(100, 10).autocovariance(0.5), ValueError, "lags must be whole numbers, got 0.5"),
        (lambda: EpochNoise(100, 10).autocovariance("a"), TypeError, "lags must be real numbers, got 'a'"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_one_batch_an_epoch_has_no_correlation():
    assert math.isnan(EpochNoise(10, 7).correlation)
