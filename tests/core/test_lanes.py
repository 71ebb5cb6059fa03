"""The random number lanes: equal to plain integers, normal, independent."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from fbmsde.core import checks, random

from .. import naive
from ..conftest import ALPHA, threshold

KEY = checks.as_seed(20)
WORDS = (0, 2**64 - 1, 2**63, 2**63 - 1, 2**11, 0x123456789ABCDEF0, 0xFEDCBA9876543210, 0x7FFFFFFFFFFFF800)


def rows(n_rows, n, first=0, component=0, key=KEY, dtype=float):
    out = np.empty((n_rows, n), dtype)
    random.fill_normals(key, first, component, out)
    return out


@pytest.mark.parametrize("n", [1, 63, 64, 65, 128, 300])
@pytest.mark.parametrize(("path", "component"), [(0, 0), (2**33 + 5, 7)])
def test_rows_equal_plain_integers(n, path, component):
    expected = naive.normals(KEY, path, component, n)
    np.testing.assert_allclose(rows(1, n, path, component)[0], expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("first", WORDS)
@pytest.mark.parametrize("second", WORDS)
def test_transform_has_full_precision_at_the_edges(first, second):
    expected = naive.box_muller(first, second)
    got = random.box_muller(np.uint64(first), np.uint64(second))
    np.testing.assert_allclose(got, expected, rtol=3e-15, atol=3e-16)


def test_largest_normal_is_the_53_bit_one():
    assert max(map(abs, random.box_muller(np.uint64(0), np.uint64(0)))) == pytest.approx(
        math.sqrt(108 * math.log(2)), rel=1e-12
    )


def test_polynomials_equal_their_functions():
    t = np.linspace(1e-3, math.pi / 4, 2000)
    for coefficients, exact in ((random._SINE, (np.sin(t) / t - 1) / t**2), (random._COSINE, (np.cos(t) - 1) / t**2)):
        error = np.polyval(coefficients, t**2) - exact
        assert np.abs(error * t**2).max() < 4e-16
    s = np.linspace(1e-3, 0.1716, 2000)
    assert np.abs(np.polyval(random._LOG, s**2) * s + 4 * np.arctanh(s)).max() < 3e-16


def test_seeding_a_row_equals_seeding_its_lanes():
    row, one = np.empty((4, 64), np.uint64), np.empty((4, 64), np.uint64)
    random.seed_row(KEY, 2**39, 5, row)
    for lane in range(64):
        random.seed_lane(KEY, 2**39, 5 * 64 + lane, one, lane)
    assert np.array_equal(row, one)


def test_states_are_all_distinct():
    states = np.empty((400, 4, 64), np.uint64)
    for path in range(400):
        random.seed_row(KEY, path, 0, states[path])
    flat = states.transpose(0, 2, 1).reshape(-1, 4)
    assert len(np.unique(flat[:, 0])) == len(flat)  # 25 600 words of 64 bits: a chance meeting has probability 2e-11


@pytest.mark.slow
def test_normals_have_normal_moments_and_law():
    """Catches moments off by .5 % (mean .003, kurtosis .02), and a law off by .002 anywhere."""
    x = rows(2000, 2000).ravel()
    n = x.size
    z = [
        x.mean() * math.sqrt(n),
        (np.mean(x**2) - 1) / math.sqrt(2 / n),
        np.mean(x**3) / math.sqrt(15 / n),
        (np.mean(x**4) - 3) / math.sqrt(96 / n),
    ]
    assert np.abs(z).max() < threshold(len(z))
    assert stats.kstest(x[: 10**6], "norm").pvalue > ALPHA


@pytest.mark.slow
def test_tails_have_the_normal_share():
    """4e6 normals: 253 beyond 4, 2.3 beyond 5 expected; catches a tail beyond 4 off by a third."""
    x = np.abs(rows(2000, 2000, first=10**6).ravel())
    for level in (3.0, 4.0, 5.0):
        expected = 2 * stats.norm.sf(level)
        assert stats.binomtest(int((x > level).sum()), x.size, expected).pvalue > ALPHA / 3


@pytest.mark.slow
def test_neighbours_are_independent():
    """Correlations of values and of squares between paths, lanes, components, keys; catches .006 in any of them."""
    x = rows(1001, 1024)
    pairs = {
        "paths": (x[:-1], x[1:]),
        "lanes": (x[:, :-1], x[:, 1:]),
        "members of a pair": (x.reshape(1001, -1, 2, 64)[:, :, 0], x.reshape(1001, -1, 2, 64)[:, :, 1]),
        "steps of a lane": (x[:, :-128], x[:, 128:]),
        "components": (x, rows(1001, 1024, component=1)),
        "keys": (x, rows(1001, 1024, key=checks.as_seed(21))),
    }
    z = []
    for a, b in pairs.values():
        root = math.sqrt(a.size)
        z += [np.mean(a * b) * root, np.mean((a**2 - 1) * (b**2 - 1)) / 2 * root]
    assert np.abs(z).max() < threshold(len(z)), dict(zip(pairs, np.reshape(z, (-1, 2)), strict=True))
