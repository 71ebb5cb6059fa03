"""Sums of independent noises: their parts, their moments, copied lanes and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fbmsde import EpochNoise, FractionalNoise, MixedNoise, PopulationNoise, StableNoise
from fbmsde.core import checks
from fbmsde.drivers.base import BLOCK, LANES
from fbmsde.drivers.branching import Branching
from fbmsde.drivers.feed_rows import fill_from_feed
from fbmsde.drivers.mixed import part_key

KEY = checks.as_seed(3)
PARTS = FractionalNoise(0.3, 0.5), EpochNoise(50, 10, 0.7), StableNoise(1.5, 0.2)
SAMPLES = [[1.0, 2.0], [3.0, -1.0], [0.0, 0.5], [2.0, 2.0]]


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("parts", [PARTS, (PARTS[1], PARTS[1])])
def test_increments_are_the_sum_of_those_of_the_parts(parts, dim):
    total = MixedNoise(*parts).sample(20, LANES + 3, dt=0.3, dim=dim, seed=3)
    added = np.zeros_like(total)
    for index, part in enumerate(parts):
        rows = np.empty_like(total)
        fill_from_feed(part.feed(20, 0.3, dim, part_key(KEY, index)), rows, 1)
        added += rows
    np.testing.assert_allclose(total, added, rtol=0, atol=1e-12 * np.abs(added).max())


def test_parts_that_make_whole_paths():
    noise = MixedNoise(FractionalNoise(0.7, method="davies_harte"), FractionalNoise(0.3))
    feed = noise.feed(30, 1.0, 1, KEY)
    assert feed.max_paths == FractionalNoise(0.7, method="davies_harte").feed(30, 1.0, 1, KEY).max_paths
    assert not isinstance(feed, Branching)
    with pytest.raises(ValueError, match="method must be 'streaming' for `until`"):
        noise.most_steps()
    assert MixedNoise(*PARTS).most_steps() == min(part.most_steps() for part in PARTS)


def test_moments_are_sums():
    noise = MixedNoise(*PARTS[:2])
    lags = np.arange(6).reshape(2, 3)
    wanted = PARTS[0].autocovariance(lags, 0.3) + PARTS[1].autocovariance(lags, 0.3)
    np.testing.assert_allclose(noise.autocovariance(lags, 0.3), wanted)
    assert noise.increment_scale(0.3) == pytest.approx(math.sqrt(wanted[0, 0]))
    shaped = MixedNoise(PopulationNoise(SAMPLES, 2), EpochNoise(50, 10))
    assert shaped.components == 2
    np.testing.assert_allclose(shaped.autocovariance([0])[0], PopulationNoise(SAMPLES, 2).covariance() + np.eye(2))


def test_copied_and_reseeded_lanes():
    feed = MixedNoise(*PARTS).feed(500, 1.0, 2, KEY)
    lanes, room = feed.lanes(0, LANES), np.empty((2, BLOCK, LANES))
    for lane in range(LANES):
        lanes.start(lanes.data, lane, lane)
    for _ in range(2):
        lanes.draw(lanes.data, room)
    branch = feed.branch(lanes)
    numbers, words = np.empty(branch.n_numbers), np.empty(branch.n_words, np.uint64)
    branch.save(lanes.data, 2, numbers, words)
    for lane in (5, 6):
        branch.load(lanes.data, lane, numbers, words)
    branch.reseed(lanes.data, 6, 2, 1)
    lanes.draw(lanes.data, room)
    assert np.array_equal(room[:, :, 2], room[:, :, 5])
    assert not np.isin(room[:, :, 6], room[:, :, 2]).any()


@pytest.mark.slow
def test_copies_of_mixtures_of_different_sizes_keep_apart():
    """A short path's model has fewer poles than a long one's; the code of one must not copy the other's lanes."""
    noise = MixedNoise(FractionalNoise(0.3), EpochNoise(40, 10))
    for n_steps in (4, 3000):
        feed = noise.feed(n_steps, 1.0, 1, KEY)
        lanes, room = feed.lanes(0, LANES), np.empty((1, BLOCK, LANES))
        for lane in range(LANES):
            lanes.start(lanes.data, lane, lane)
        branch = feed.branch(lanes)
        numbers, words = np.full(branch.n_numbers, np.nan), np.empty(branch.n_words, np.uint64)
        branch.save(lanes.data, 2, numbers, words)
        branch.load(lanes.data, 5, numbers, words)
        lanes.draw(lanes.data, room)
        assert np.isfinite(numbers).all() and np.array_equal(room[:, :, 2], room[:, :, 5])


def test_components_of_a_path_spread_over_lanes_are_the_same():
    noise = MixedNoise(*PARTS)
    lanes, room = noise.feed(BLOCK, 1.0, 6, KEY).coordinates(2, 3), np.empty((2, BLOCK, 3))
    for lane in range(3):
        lanes.start(lanes.data, lane, 1)
    lanes.draw(lanes.data, room)
    drawn = noise.sample(BLOCK, 2, dim=6, seed=3)[1]
    np.testing.assert_allclose(room.transpose(1, 0, 2).reshape(BLOCK, 6), drawn, rtol=1e-12)
    whole = MixedNoise(PARTS[0], PopulationNoise(SAMPLES, 2))
    assert whole.feed(BLOCK, 1.0, 2, KEY).coordinates(2, 1) is None


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: MixedNoise(PARTS[0]), ValueError, "noises must be at least 2, got 1"),
        (lambda: MixedNoise(PARTS[0], 2.0), TypeError, "noises must be a Driver, got 2.0. Write MixedNoise"),
        (lambda: MixedNoise(*PARTS).autocovariance(0), ValueError, "alpha must be 2 for an autocovariance"),
        (
            lambda: MixedNoise(PopulationNoise(SAMPLES, 2), PopulationNoise(np.arange(9.0).reshape(3, 3), 2)),
            ValueError,
            r"noises must have the same number of components, got \[2, 3\]",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
