"""Batches of given samples: what is in them, their second moments, copied lanes, equality and bad input."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from scipy import stats

from fbmsde import EpochNoise, PopulationNoise
from fbmsde.core import checks
from fbmsde.drivers.base import BLOCK, LANES

from .. import naive
from ..conftest import ALPHA, threshold

KEY = checks.as_seed(3)
PAIRS = np.random.default_rng(1).standard_t(4, size=(30, 2)) @ [[1.0, 0.5], [0.0, 1.0]]


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("phase", [None, 2])
def test_kernel_is_the_shuffle_step_by_step(phase, replacement):
    noise = PopulationNoise(PAIRS, 7, replacement, 0.7, None if replacement else phase)
    drawn = noise.sample(20, 4, seed=3)
    assert drawn.shape == (4, 20, 2)
    for path in range(4):
        batches = naive.batches(30, 7, replacement, noise.phase, KEY, path, 20)
        twin = 0.7 * np.array([PAIRS[batch].mean(axis=0) - PAIRS.mean(axis=0) for batch in batches])
        np.testing.assert_allclose(drawn[path], twin, rtol=0, atol=1e-14)


def members(noise, n_samples, n_steps, n_paths):
    """The samples in each batch, (n_paths, n_steps, n_samples), of a noise whose sample i is 2^i."""
    powers = 2.0 ** np.arange(n_samples)
    sums = (noise.sample(n_steps, n_paths, seed=4) + powers.mean()) * noise.batch_size
    masks = np.rint(sums).astype(np.int64)
    assert np.abs(sums - masks).max() < 1e-6
    return masks[:, :, None] >> np.arange(n_samples) & 1


def test_batches_of_an_epoch_are_disjoint():
    noise = PopulationNoise(2.0 ** np.arange(20), 6, phase=0)
    held = members(noise, 20, 30, 50)
    assert np.all(held.sum(axis=2) == 6)
    epochs = held.reshape(50, 10, 3, 20)
    assert epochs.sum(axis=2).max() == 1
    assert (epochs[:, 1:, 0] != epochs[:, :-1, 0]).any(axis=2).mean() > 0.99


@pytest.mark.slow
@pytest.mark.parametrize("replacement", [False, True])
def test_every_batch_is_as_likely_as_another(replacement):
    """Chi-squared over the 10 pairs of 5 samples, or the 25 pairs in order, at a random place of the epoch.

    With 40 000 batches an error of 6 % of one probability is seen.
    """
    noise, n = PopulationNoise(10.0 ** np.arange(5), 2, replacement), 40_000
    values = {}
    for a, b in itertools.product(range(5), repeat=2):
        if replacement or a != b:
            mean = (10.0**a + 10.0**b) / 2.0 - 11111.0 / 5.0
            values[round(mean, 3)] = values.get(round(mean, 3), 0) + 1
    drawn, counts = np.unique(noise.sample(2, n, seed=5)[:, 1].round(3), return_counts=True)
    assert drawn.tolist() == pytest.approx(sorted(values))
    wanted = np.array([values[v] for v in sorted(values)])
    assert stats.chisquare(counts, n * wanted / wanted.sum()).pvalue > ALPHA / 2


def test_second_moments_are_those_of_epochs():
    noise = PopulationNoise(PAIRS[:, 0], 7, sigma=0.3)
    epochs = EpochNoise(30, 7, noise.increment_scale(1.0))
    np.testing.assert_allclose(noise.autocovariance(range(6)), epochs.autocovariance(range(6)), rtol=1e-12, atol=1e-18)
    both = PopulationNoise(PAIRS, 7, sigma=0.3).autocovariance([[0, 1]])
    assert both.shape == (1, 2, 2, 2)
    np.testing.assert_allclose(both[0, :, 0, 0], epochs.autocovariance([0, 1]), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("replacement", [False, True])
def test_covariance_of_batches(replacement):
    """All products of two components at lags 0 ... 4 of 20 000 paths: at z = 5 an error of 5 % is seen."""
    noise = PopulationNoise(PAIRS, 7, replacement)
    drawn, told = noise.sample(6, 20_000, seed=6), noise.autocovariance(range(5))
    for k in range(5):
        products = np.einsum("pti,ptj->pij", drawn[:, : 6 - k], drawn[:, k:]) / (6 - k)
        z = (products.mean(axis=0) - told[k]) / (products.std(axis=0) / np.sqrt(20_000))
        assert np.abs(z).max() < threshold(40)


def test_batches_of_one_sample_are_the_samples():
    values = {round(v, 9) for v in PAIRS[:, 0] - PAIRS[:, 0].mean()}
    assert {round(v, 9) for v in PopulationNoise(PAIRS[:, 0], 1, phase=0).sample(30, 1, seed=1)[0]} == values


@pytest.mark.parametrize("replacement", [False, True])
def test_copied_and_reseeded_lanes(replacement):
    noise = PopulationNoise(PAIRS, 3, replacement, phase=None if replacement else 0)
    feed = noise.feed(500, 1.0, 2, KEY)
    lanes, room = feed.lanes(0, LANES), np.empty((2, BLOCK, LANES))
    for lane in range(LANES):
        lanes.start(lanes.data, lane, lane)
    lanes.draw(lanes.data, room)
    sums = room[:, :, 2].sum(axis=1)  # of 8 of 10 batches
    branch = feed.branch(lanes)
    numbers, words = np.empty(branch.n_numbers), np.empty(branch.n_words, np.uint64)
    branch.save(lanes.data, 2, numbers, words)
    for lane in (5, 6):
        branch.load(lanes.data, lane, numbers, words)
    branch.reseed(lanes.data, 6, 2, 1)
    lanes.draw(lanes.data, room)
    assert np.array_equal(room[:, :, 2], room[:, :, 5])
    assert not np.array_equal(room[:, :, 2], room[:, :, 6])
    if not replacement:
        np.testing.assert_allclose(room[:, :2, 6].sum(axis=1), -sums, atol=1e-13)


def test_noise_is_told_by_the_content_of_its_samples():
    given = PAIRS[:, 0].copy()
    noise = PopulationNoise(given, 7)
    given[0] = 9.0
    same = pickle.loads(pickle.dumps(noise))
    assert noise == same == PopulationNoise(PAIRS[:, 0], 7) and hash(noise) == hash(same)
    assert noise != PopulationNoise(given, 7) and noise != PopulationNoise(PAIRS[:, 0], 8) and noise != 3
    with pytest.raises(ValueError, match="read-only"):
        same.population[0] = 1.0
    assert repr(noise) == "PopulationNoise((30,) samples, batches of 7 without replacement, sigma=1.0, phase=None)"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: PopulationNoise([1.0, 2.0], 3), ValueError, "batch_size must be at most n_samples = 2, got 3"),
        (lambda: PopulationNoise([1.0, 2.0], 2), ValueError, "batch_size must be smaller than n_samples = 2"),
        (lambda: PopulationNoise([1.0, 2.0], 0, True), ValueError, "batch_size must be at least 1, got 0"),
        (lambda: PopulationNoise([1.0], 1), ValueError, r"samples must have shape \(N,\) or .* got shape \(1,\)"),
        (lambda: PopulationNoise([1.0, np.inf], 1), ValueError, "samples must be finite"),
        (lambda: PopulationNoise([[1.0, 2.0], [1.0, 3.0]], 1), ValueError, "samples must differ from each other"),
        (lambda: PopulationNoise(["a", "b"], 1), TypeError, "samples must be real numbers"),
        (lambda: PopulationNoise([1.0, 2.0], 1, True, phase=0), ValueError, "phase must be None with replacement"),
        (lambda: PopulationNoise([1.0, 2.0], 1, phase=2), ValueError, "phase must be less than the 2 batches"),
        (lambda: PopulationNoise([1.0, 2.0], 1, sigma=0), ValueError, "sigma must be positive"),
        (lambda: PopulationNoise(PAIRS, 7).feed(5, 1.0, 3, KEY), ValueError, r"shape \(N, 3\) .* got \(30, 2\)"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_replacement_is_true_or_false():
    with pytest.raises(TypeError, match="replacement must be True or False, got 'no'"):
        PopulationNoise(PAIRS, 7, "no")
