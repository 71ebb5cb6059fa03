"""Symmetric stable noise: its law by characteristic function, tails and known laws, exit times, and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from fbmsde import Equation, StableNoise, first_passage
from fbmsde.core import checks
from fbmsde.core.elementary import exp2, log2, sine_of_turn
from fbmsde.drivers.base import BLOCK, LANES, Spreading
from fbmsde.drivers.stable import stable_variate

from .. import naive
from ..conftest import ALPHA, threshold

KEY = checks.as_seed(3)


@pytest.mark.parametrize("alpha", [0.3, 0.8, 1.0, 1.5, 2.0])
def test_kernel_is_the_formula(alpha):
    drawn = StableNoise(alpha, 0.7).sample(16, 5, dim=2, dt=0.2, seed=3)
    scale = 0.7 * 0.2 ** (1 / alpha)
    for path in range(5):
        for j in range(2):
            twin = scale * np.array(naive.stable_noise(alpha, KEY, path, j, 16))
            np.testing.assert_allclose(drawn[path, :, j], twin, rtol=1e-11)


def test_components_of_a_path_spread_over_lanes_are_the_same():
    feed = StableNoise(1.5).feed(BLOCK, 1.0, 6, KEY)
    assert isinstance(feed, Spreading)
    lanes, room = feed.coordinates(2, 3), np.empty((2, BLOCK, 3))
    for lane in range(3):
        lanes.start(lanes.data, lane, 1)
    lanes.draw(lanes.data, room)
    drawn = StableNoise(1.5).sample(BLOCK, 2, dim=6, seed=3)[1]
    assert np.array_equal(room.transpose(1, 0, 2).reshape(BLOCK, 6), drawn)


@pytest.mark.parametrize("alpha", [0.05, 0.11, 0.5, 1.0, 1.5, 1.999999, 2.0])
def test_extreme_words_give_finite_sizes(alpha):
    """The first and last uniforms, for which a cosine or an exponential variate is nearly 0."""
    last, ends = 2**64 - 1, []
    for first in (0, last, 1 << 63):
        for second in (0, last, 1 << 63):
            ends.append(stable_variate(np.uint64(first), np.uint64(second), alpha))
    assert np.isfinite(ends).all() and np.all(np.array(ends) != 0.0)
    if alpha == 0.11:  # W = t = 2^-53: sin(alpha V) 2^(53 (2 - alpha) / alpha), the largest there is
        assert math.log2(max(np.abs(ends))) == pytest.approx(53 * (2 - alpha) / alpha, abs=30) and max(ends) < 2.0**1000


def test_elementary_functions():
    """Relative errors against the library's, which are below 2e-16 themselves."""
    q = np.concatenate([np.linspace(-1, 1, 401), 2.0 ** -np.arange(1.0, 60.0)])
    np.testing.assert_allclose([sine_of_turn(x) for x in q], np.sin(np.pi / 2 * q), rtol=6e-16)
    x = np.concatenate([np.linspace(0.01, 5, 401), 1 + 2.0 ** -np.arange(1.0, 52.0), 2.0 ** np.arange(-1000, 1000, 77)])
    np.testing.assert_allclose([log2(v) for v in x], np.log2(x), rtol=6e-16)
    y = np.linspace(-1000.3, 1000.3, 801)
    np.testing.assert_allclose([exp2(v) for v in y], np.exp2(y), rtol=5e-16)
    assert exp2(1e9) == 2.0**1021 and exp2(-1e9) == 2.0**-1021


FREQUENCIES = (0.05, 0.3, 1.0, 3.0)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.5, 1.0, 1.3, 1.8, 2.0])
def test_characteristic_function(alpha):
    """``E cos(u X)`` from 400 000 increments over dt = 0.3: an error of alpha of .01, or of sigma of 1 %, is seen."""
    x = StableNoise(alpha, 1.4).sample(50, 8000, dt=0.3, seed=11).ravel()
    for u in FREQUENCIES:
        values = np.cos(u * x)
        z = (values.mean() - math.exp(-0.3 * (1.4 * u) ** alpha)) / (values.std() / math.sqrt(values.size))
        assert abs(z) < threshold(5 * len(FREQUENCIES))


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "law"), [(1.0, stats.cauchy()), (2.0, stats.norm(scale=math.sqrt(2.0)))])
def test_laws_with_a_name(alpha, law):
    """Kolmogorov-Smirnov distance from Cauchy's and the normal law, 100 000 values: .008 is seen."""
    x = StableNoise(alpha).sample(10, 10_000, seed=12).ravel()
    assert stats.kstest(x, law.cdf).pvalue > ALPHA / 2


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.6, 1.2, 1.7])
def test_tails(alpha):
    """Of a million sizes, about 1000 are beyond the x with ``(2/pi) Gamma(alpha) sin(pi alpha/2) x^-alpha = .001``.

    The tail's next term is 0.3 % of it there. An error of 16 % of the weight, or of .02 of alpha, is seen.
    """
    weight = 2.0 / math.pi * math.gamma(alpha) * math.sin(math.pi * alpha / 2)
    far = (weight / 0.001) ** (1.0 / alpha)
    x = np.abs(StableNoise(alpha).sample(100, 10_000, seed=13))
    z = ((x > far).sum() - 1000.0) / math.sqrt(1000.0)
    assert abs(z) < threshold(3) + 0.1


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [1.0, 1.3, 1.5, 1.8])
def test_mean_exit_time_from_an_interval(alpha):
    """Getoor's ``(a^2 - x^2)^(alpha/2) / Gamma(1 + alpha)`` at x = 0, a = 1; the free process on two grids.

    The error of a grid is proportional to ``dt^(1/alpha)`` and taken away with both; 6 % is seen.
    """
    known, means = 1.0 / math.gamma(1.0 + alpha), []
    for dt, seed in ((4e-3, 1), (1e-3, 2)):
        times = first_passage(Equation(lambda t, x: 0.0), StableNoise(alpha), 0.0, (-1.0, 1.0), dt=dt, horizon=40.0,
                              n_paths=20_000, seed=seed).times  # fmt: skip
        means.append((times.mean(), times.var() / times.size))
    gain = 4.0 ** (1.0 / alpha)
    (coarse, v), (fine, w) = means
    z = ((gain * fine - coarse) / (gain - 1.0) - known) / (math.sqrt(gain**2 * w + v) / (gain - 1.0))
    assert abs(z) < threshold(4)


def test_copied_and_reseeded_lanes():
    feed = StableNoise(1.3).feed(500, 1.0, 2, KEY)
    lanes, room = feed.lanes(0, LANES), np.empty((2, BLOCK, LANES))
    for lane in range(LANES):
        lanes.start(lanes.data, lane, lane)
    branch = feed.branch(lanes)
    numbers, words = np.empty(branch.n_numbers), np.empty(branch.n_words, np.uint64)
    branch.save(lanes.data, 2, numbers, words)
    for lane in (5, 6):
        branch.load(lanes.data, lane, numbers, words)
    branch.reseed(lanes.data, 6, 2, 1)
    lanes.draw(lanes.data, room)
    assert np.array_equal(room[:, :, 2], room[:, :, 5])
    assert not np.isin(room[:, :, 6], room[:, :, 2]).any()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: StableNoise(0.0), ValueError, r"alpha must lie in \(0, 2\], got 0.0"),
        (lambda: StableNoise(2.1), ValueError, r"alpha must lie in \(0, 2\], got 2.1"),
        (lambda: StableNoise(math.nan), ValueError, r"alpha must lie in \(0, 2\], got nan"),
        (lambda: StableNoise("1"), TypeError, "alpha must be a number, got '1'"),
        (lambda: StableNoise(1.5, -1.0), ValueError, "sigma must be positive and finite, got -1.0"),
        (lambda: StableNoise(1.5).autocovariance(0), ValueError, "alpha must be 2 .*, got 1.5. .* is infinite"),
        (lambda: StableNoise(0.01).increment_scale(1e-4), ValueError, r"must lie in \(1e-300, 1e300\), got -400"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
