"""What a driver can do beyond a feed: lanes that branch, and increments as a linear map of normals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fbmsde import (
    AnisotropicNoise,
    ArmaNoise,
    EpochNoise,
    FractionalNoise,
    GaussianNoise,
    MixedNoise,
    OrnsteinUhlenbeckNoise,
    PopulationNoise,
    StableNoise,
    StreamingNoise,
)
from fbmsde.core import checks
from fbmsde.drivers.base import BLOCK, LANES
from fbmsde.drivers.branching import Branching
from fbmsde.drivers.from_normals import FromNormals, is_jointly_normal

from ..conftest import threshold

KEY = checks.as_seed(5)


def branching(hurst, channels, dtype):
    """Lanes at work, their branch, and room for what a lane remembers."""
    correlation = [[1.0, 0.6], [0.6, 1.0]] if channels == 2 else None
    feed = FractionalNoise(hurst, 0.7, correlation=correlation, dtype=dtype).feed(500, 0.25, channels, KEY)
    lanes = feed.lanes(0, LANES)
    for lane in range(LANES):
        lanes.start(lanes.data, lane, lane)
    noise = np.empty((channels, BLOCK, LANES))
    for _ in range(3):
        lanes.draw(lanes.data, noise)
    branch = feed.branch(lanes)
    return lanes, branch, np.empty(branch.n_numbers), np.empty(branch.n_words, np.uint64), noise


@pytest.mark.parametrize(
    ("hurst", "channels", "dtype"), [(0.3, 1, "f8"), (0.7, 2, "f8"), (0.5, 1, "f8"), (0.3, 1, "f4")]
)
def test_a_copied_lane_draws_the_same_increments(hurst, channels, dtype):
    lanes, branch, numbers, words, noise = branching(hurst, channels, dtype)
    branch.save(lanes.data, 2, numbers, words)
    branch.load(lanes.data, 5, numbers, words)
    for _ in range(2):
        lanes.draw(lanes.data, noise)
        assert np.array_equal(noise[:, :, 2], noise[:, :, 5])
        assert not np.array_equal(noise[:, :, 2], noise[:, :, 4])


@pytest.mark.parametrize("hurst", [0.3, 0.7])
def test_reseeded_lanes_share_their_past_and_differ_in_the_newest_normal(hurst):
    """The next increment of copies is the same prediction plus ``gain`` times a normal of their own.

    16 generations of all lanes but one fix the spread to 2 % (7 % where few lanes are used) at the threshold's 5 s.d.
    """
    lanes, branch, numbers, words, noise = branching(hurst, 1, "f8")
    branch.save(lanes.data, 0, numbers, words)
    firsts = []
    for generation in range(1, 17):
        for lane in range(1, LANES):
            branch.load(lanes.data, lane, numbers, words)
            branch.reseed(lanes.data, lane, lane, generation)
        branch.load(lanes.data, 0, numbers, words)
        lanes.draw(lanes.data, noise)
        firsts.append(noise[0, 0, 1:].copy())
    drawn = np.concatenate(firsts)
    gain = StreamingNoise(hurst, 500).gain
    assert np.unique(drawn).size == drawn.size
    assert abs(drawn.std() / gain - 1.0) < threshold(2) / math.sqrt(2 * drawn.size)
    branch.load(lanes.data, 0, numbers, words)
    branch.load(lanes.data, 1, numbers, words)
    branch.reseed(lanes.data, 0, 3, 1)
    branch.reseed(lanes.data, 1, 3, 1)
    lanes.draw(lanes.data, noise)
    assert np.array_equal(noise[0, :, 0], noise[0, :, 1])


def test_only_streaming_noise_branches():
    feeds = {m: FractionalNoise(0.3, method=m).feed(64, 1.0, 1, KEY) for m in ("streaming", "davies_harte", "hosking")}
    assert [isinstance(feed, Branching) for feed in feeds.values()] == [True, False, False]


@pytest.mark.parametrize("hurst", [0.2, 0.5, 0.8])
def test_pulling_back_is_the_transpose(hurst):
    model, rng = StreamingNoise(hurst, 300), np.random.default_rng(2)
    assert isinstance(model, FromNormals)
    size = model.n_normals(40)
    matrix = model.increments(np.eye(size)).T
    np.testing.assert_allclose(model.pull_back(np.eye(40)), matrix, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(matrix @ matrix.T, model.autocovariance(np.abs(np.subtract.outer(range(40), range(40)))),
                               atol=1e-12)  # fmt: skip
    weights, normals = rng.normal(size=(3, 40)), rng.normal(size=(3, size))
    forward = (model.increments(normals) * weights).sum(axis=1)
    np.testing.assert_allclose((normals * model.pull_back(weights)).sum(axis=1), forward, rtol=1e-10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.increments(np.zeros(50)), r"normals must have shape \(n_paths, \d+ or more\), got \(50,\)"),
        (lambda m: m.increments(np.zeros((2, 1))), r"normals must have shape \(n_paths, \d+ or more\), got \(2, 1\)"),
        (lambda m: m.pull_back(np.zeros((2, 0))), r"weights must have shape"),
        (lambda m: m.n_normals(0), r"n_steps must be"),
    ],
)
def test_bad_input_of_the_linear_map(call, message):
    with pytest.raises(ValueError, match=message):
        call(StreamingNoise(0.3, 100))


@pytest.mark.parametrize(
    ("noise", "normal"),
    [
        (FractionalNoise((0.3, 0.7)), True),
        (FractionalNoise(0.3, method="davies_harte"), True),
        (GaussianNoise(lambda k: 0.5**k), True),
        (ArmaNoise(ma=(-1.0,)), True),
        (OrnsteinUhlenbeckNoise(2.0), True),
        (EpochNoise(40, 10, phase=2), True),
        (EpochNoise(40, 10), False),
        (StableNoise(2.0), True),
        (StableNoise(1.9), False),
        (PopulationNoise(np.arange(40.0), 10), False),
        (MixedNoise(FractionalNoise(0.3), StableNoise(2.0)), True),
        (MixedNoise(FractionalNoise(0.3), EpochNoise(40, 10)), False),
        (AnisotropicNoise(StableNoise(2.0), (1.0, 2.0)), True),
        (AnisotropicNoise(StableNoise(1.5), (1.0, 2.0)), False),
    ],
)
def test_drivers_tell_whether_their_increments_are_jointly_normal(noise, normal):
    assert is_jointly_normal(noise) == normal
