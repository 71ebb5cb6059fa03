"""Exact generators: the fGn covariance, plain-loop twins, paths as pure functions of (seed, number)."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from fbmsde import fbm, fgn
from fbmsde.bench import generators
from fbmsde.core import blocks, checks, random
from fbmsde.drivers.exact import long_fft
from fbmsde.drivers.exact.generators import GENERATORS, circulant_eigenvalues, make_generator
from fbmsde.laws.fgn import fgn_autocovariance

from .. import naive
from ..conftest import threshold

HURSTS = (0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)
KEY = checks.as_seed(7)


def fill(method, hurst, n_steps, rows, first=0, component=0, dtype=float):
    out = np.empty((rows, n_steps), dtype)
    make_generator(method, hurst, n_steps).fill(KEY, first, component, out)
    return out


# ---- law


def covariance_scores(x, hurst):
    """z-scores of the autocovariance at lags 0 to 8, averaged over a path's positions, and of the variance of its sum.

    The first lags carry most of what a wrong Hurst value changes, and averaging over positions keeps that information.
    """
    n_paths, n_steps = x.shape
    lags = np.arange(min(n_steps, 9))
    samples = [(x[:, : n_steps - k] * x[:, k:]).mean(axis=1) - g for k, g in enumerate(fgn_autocovariance(hurst, lags))]
    samples.append(x.sum(axis=1) ** 2 / n_steps ** (2 * hurst) - 1)
    return np.array([s.mean() / (s.std() / np.sqrt(n_paths)) for s in samples])


def check_law(method, n_steps, n_paths):
    scores = np.concatenate([covariance_scores(fill(method, h, n_steps, n_paths), h) for h in HURSTS])
    assert np.abs(scores).max() < threshold(scores.size)


@pytest.mark.slow
@pytest.mark.parametrize("method", GENERATORS)
@pytest.mark.parametrize("n_steps", [1, 2, 7, 64])
def test_covariance(method, n_steps):
    """Of 20 000 paths. Catches, at every H, H off by .08 (n = 2), .03 (n = 7) or .012 (n = 64).

    A variance off by 10 % is caught everywhere (n = 1 at least, and H = .99), by 2 % at n = 64 and H <= .7.
    """
    check_law(method, n_steps, 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("method", GENERATORS)
def test_covariance_of_long_paths(method):
    """Of 2000 paths. Catches H off by .007 and a variance off by 1 % for H <= .7; ten times that at H = .9 and .99."""
    check_law(method, 1000, 2000)


@pytest.mark.slow
@pytest.mark.parametrize("hurst", HURSTS)
def test_covariance_check_sees_a_wrong_hurst(hurst):
    wrong = hurst + 0.03 if hurst < 0.9 else hurst - 0.03
    scores = covariance_scores(fill("davies_harte", wrong, 7, 20_000), hurst)
    assert np.abs(scores).max() > threshold(len(HURSTS) * scores.size)


@pytest.mark.slow
@pytest.mark.parametrize(("hurst", "n_steps", "n_paths"), [(0.95, 2**22, 4), (0.99, 2**20, 16)])
def test_increments_of_very_long_noise(hurst, n_steps, n_paths):
    """E (xi_{k+1} - xi_k)^2 within .2 %; the standard error is .04 %. A naive second difference gives NaN here."""
    x = fgn(hurst, n_steps, n_paths, seed=5)
    assert np.isfinite(x).all()
    expected = 2 * (1 - fgn_autocovariance(hurst, 1))
    assert np.mean(np.diff(x, axis=1) ** 2) == pytest.approx(float(expected), rel=2e-3)


@pytest.mark.parametrize("hurst", HURSTS)
@pytest.mark.parametrize("half", [32, 35, 512])
def test_eigenvalues_are_those_of_the_circulant_with_gamma_n_in_its_middle(hurst, half):
    lags = np.minimum(np.arange(2 * half), 2 * half - np.arange(2 * half))
    expected = np.fft.fft(fgn_autocovariance(hurst, lags)).real[: half + 1]
    np.testing.assert_allclose(circulant_eigenvalues(hurst, half), expected, atol=1e-12 * expected.max())


@pytest.mark.parametrize("hurst", [1e-9, 0.01, 0.5, 0.99, 1 - 1e-9])
@pytest.mark.parametrize("half", [32, 2**17])
def test_eigenvalues_are_not_negative_at_the_ends_of_the_range(hurst, half):
    values = circulant_eigenvalues(hurst, half)
    assert values.min() >= 0
    assert values.sum() * 2 - values[0] - values[-1] == pytest.approx(2 * half, rel=1e-9)  # the variance is 1


def test_negative_eigenvalues_are_refused(monkeypatch):
    covariance = "fbmsde.drivers.exact.generators.fgn_autocovariance"
    monkeypatch.setattr(covariance, lambda hurst, k: np.where(k == 1, 0.9, k == 0) * 1.0)
    with pytest.raises(ArithmeticError, match=r"circulant eigenvalues must be at least 0, got -0.8"):
        circulant_eigenvalues(0.7, 64)


@pytest.mark.parametrize("hurst", HURSTS)
def test_factor_is_the_cholesky_factor(hurst):
    if hurst != 0.5:
        expected = linalg.cholesky(linalg.toeplitz(fgn_autocovariance(hurst, np.arange(90))), lower=True)
        np.testing.assert_allclose(make_generator("cholesky", hurst, 90)._factor, expected, atol=1e-12)


# ---- fast = naive


@pytest.mark.parametrize("hurst", [0.05, 0.3, 0.9])
@pytest.mark.parametrize(("n_steps", "first"), [(1, 0), (7, 4), (32, 0), (64, 2**33)])
def test_davies_harte_equals_its_defining_sums(hurst, n_steps, first):
    cut = long_fft.split(n_steps)
    pairs = naive.lane_pairs(KEY, first, 2, cut.length)
    expected = naive.davies_harte(hurst, n_steps, pairs, [int(k) for k in cut.frequencies()])
    np.testing.assert_allclose(fill("davies_harte", hurst, n_steps, 2, first, 2), expected, atol=1e-12)


@pytest.mark.parametrize("method", ["cholesky", "hosking"])
@pytest.mark.parametrize("hurst", [0.05, 0.3, 0.9])
@pytest.mark.parametrize("n_steps", [1, 2, 7, 30])
def test_triangular_generators_equal_plain_loops(method, hurst, n_steps):
    noise = naive.normals(KEY, 3, 1, n_steps)
    expected = getattr(naive, method)(hurst, noise)
    np.testing.assert_allclose(fill(method, hurst, n_steps, 5, 0, 1)[3], expected, atol=1e-11)


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("length", [64, 128, 192, 320, 960, 1024])
def test_noise_is_the_fourier_transform_of_its_normals(length, dtype):
    check_transform(long_fft.Split(length), dtype)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("length", [*(64 * k for k in (8, 9, 25, 27, 32, 45, 75, 675, 1024)), 2**18])
def test_long_noise_is_the_fourier_transform_of_its_normals(length, dtype):
    check_transform(long_fft.Split(length), dtype)


def check_transform(cut, dtype):
    """Rows that begin with the second one of a pair, and end before the half of a transform, against numpy.fft."""
    scale, n = np.random.default_rng(1).random(cut.length), cut.length // 2 - 3
    z = np.empty((3, cut.length), complex)
    for pair in range(3):
        drawn = np.empty((1, 2 * cut.length))
        random.fill_normals(KEY, 4 + 2 * pair, 2, drawn)
        a, b = drawn.reshape(-1, 2, random.ROW_LANES).swapaxes(0, 1).reshape(2, -1)
        z[pair, cut.frequencies()] = scale * (a + 1j * b)
    expected = np.fft.fft(z)
    both = np.stack([expected.real, expected.imag], axis=1).reshape(6, -1)[1:5, :n]
    out = np.empty((4, n), dtype)
    long_fft.fill_pairs(KEY, 5, 2, scale, out)
    np.testing.assert_allclose(out, both, atol=np.finfo(dtype).eps * 20 * np.sqrt(cut.length))


def test_a_transform_in_several_calls_is_the_one_in_one_call(monkeypatch):
    whole = fill("davies_harte", 0.3, 1000, 4, 1)
    monkeypatch.setattr(long_fft, "_AT_ONCE", 2**9)
    monkeypatch.setattr(blocks, "_AT_ONCE", 2**9)
    assert np.array_equal(fill("davies_harte", 0.3, 1000, 4, 1), whole)


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 500, 513, 1025, 10007, 65537, 2**20, 2**22])
def test_split_is_long_enough_and_not_much_longer(n):
    cut = long_fft.split(n)
    assert 2 * n <= cut.length <= max(128, 2.6 * n)
    assert cut.length % 64 == 0 and cut.lanes % cut.block == 0
    assert n > 10**4 or np.array_equal(np.sort(cut.frequencies()), np.arange(cut.length))


# ---- a path is a pure function of (seed, number)


@pytest.mark.slow
@pytest.mark.parametrize("method", GENERATORS)
@settings(max_examples=25, deadline=None)
@given(first=st.integers(0, 70), rows=st.integers(1, 70), component=st.integers(0, 2), single=st.booleans())
def test_path_does_not_depend_on_its_block(method, first, rows, component, single):
    dtype = np.float32 if single else np.float64
    whole = fill(method, 0.3, 40, 140, 0, component, dtype)
    assert np.array_equal(fill(method, 0.3, 40, rows, first, component, dtype), whole[first : first + rows])


@pytest.mark.slow
@pytest.mark.parametrize("n_steps", [1, 513, 3000, 20_000])
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_davies_harte_path_does_not_depend_on_its_block(n_steps, dtype):
    block = make_generator("davies_harte", 0.7, n_steps).block_paths
    assert block % 2 == 0
    first, rows = max(0, block - 3), 8
    whole = fill("davies_harte", 0.7, n_steps, first + rows, dtype=dtype)
    assert np.array_equal(fill("davies_harte", 0.7, n_steps, rows, first, dtype=dtype), whole[first:])
    assert np.array_equal(fill("davies_harte", 0.7, n_steps, 1, first, dtype=dtype)[0], whole[first])


@pytest.mark.parametrize("method", GENERATORS)
def test_fewer_paths_are_the_first_of_more(method):
    assert np.array_equal(fgn(0.7, 30, 10, method=method, seed=4), fgn(0.7, 30, 100, method=method, seed=4)[:10])


def test_seeds_are_what_numpy_offers():
    same = [fgn(0.7, 9, seed=3), fgn(0.7, 9, seed=np.random.SeedSequence(3)), fgn(0.7, 9, seed=np.int64(3))]
    assert all(np.array_equal(same[0], x) for x in same)
    generator = np.random.default_rng(3)
    assert not np.array_equal(fgn(0.7, 9, seed=generator), fgn(0.7, 9, seed=generator))


@pytest.mark.slow
@pytest.mark.parametrize("n_steps", [1, 7, 1000, 2**14])
@pytest.mark.parametrize("hurst", [0.05, 0.3, 0.95])
def test_single_precision_is_the_double_one_rounded(hurst, n_steps):
    exact, single = (fgn(hurst, n_steps, 6, seed=2, dtype=dtype) for dtype in (float, np.float32))
    assert single.dtype == np.float32
    assert np.abs(single - exact).max() < 2e-6 * np.abs(exact).max()


@pytest.mark.parametrize("method", GENERATORS)
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_white_noise_is_the_normals_themselves(method, dtype):
    expected = np.empty((5, 70), dtype)
    random.fill_normals(checks.as_seed(1), 0, 0, expected)
    assert np.array_equal(fgn(0.5, 70, 5, method=method, seed=1, dtype=dtype), expected)


# ---- faces


@pytest.mark.slow
def test_components_are_independent_and_the_first_is_the_one_dimensional_path():
    x = fgn(0.3, 40, 700, seed=6, dim=3)
    assert x.shape == (700, 40, 3)
    assert np.array_equal(x[:, :, 0], fgn(0.3, 40, 700, seed=6))
    cross = [np.mean(x[:, :, i] * x[:, :, j]) * np.sqrt(700 * 40) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert np.abs(cross).max() < 2 * threshold(3)  # correlated steps: twice the error of white noise


def test_motion_is_the_scaled_sum_of_the_noise():
    path = fbm(0.3, 50, 40, horizon=2.0, seed=8)
    assert path.shape == (40, 51)
    assert not path[:, 0].any()
    np.testing.assert_allclose(np.diff(path), fgn(0.3, 50, 40, seed=8) * (2 / 50) ** 0.3, atol=1e-13)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"hurst": 1.0}, ValueError, r"hurst must lie in \(0, 1\), got 1.0."),
        ({"hurst": float("nan")}, ValueError, r"hurst must lie in \(0, 1\), got nan."),
        ({"hurst": "rough"}, TypeError, "hurst must be a number, got 'rough'."),
        ({"n_steps": 0}, ValueError, "n_steps must be at least 1, got 0."),
        ({"n_steps": 2.5}, TypeError, "n_steps must be a whole number, got 2.5."),
        ({"n_paths": -1}, ValueError, "n_paths must be at least 1, got -1."),
        ({"method": "wavelet"}, ValueError, r"method must be one of streaming, .*hosking, got 'wavelet'."),
        ({"seed": None}, TypeError, "seed must be an int, a numpy SeedSequence or a numpy Generator, got None."),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1."),
        ({"n_paths": 10**12}, MemoryError, r"must fit in memory, got 8\S*e\+04 GB"),
    ],
)
@pytest.mark.parametrize("face", [fgn, fbm])
def test_bad_input(face, change, error, message):
    arguments = {"hurst": 0.7, "n_steps": 10, "n_paths": 2, "method": "davies_harte", "seed": 1} | change
    with pytest.raises(error, match=message):
        face(**arguments)


def test_bad_input_of_one_face():
    with pytest.raises(ValueError, match=r"dtype must be float64 or float32, got int64."):
        fgn(0.7, 10, seed=1, dtype=np.int64)
    with pytest.raises(ValueError, match=r"dim must be at least 1, got 0."):
        fgn(0.7, 10, seed=1, dim=0)
    with pytest.raises(ValueError, match=r"horizon must be positive and finite, got -1.0."):
        fbm(0.7, 10, seed=1, horizon=-1)
    with pytest.raises(MemoryError, match=r"the Cholesky factor must fit in memory, got 8e\+03 GB"):
        fgn(0.7, 10**6, seed=1, method="cholesky")
    with pytest.raises(MemoryError, match="the circulant embedding must fit in memory"):
        make_generator("davies_harte", 0.7, 10**13)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak of the memory from /proc")
def test_memory_is_the_output_and_one_block():
    """One path of 2^20 steps, 8 MiB: the transform takes 32, its scale 16, roots and turns 8."""
    script = (
        "from fbmsde import fgn\n"
        "used = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
        "fgn(.3, 2**15, seed=1); before = used(); fgn(.3, 2**20, seed=1); print(used() - before)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert 8 * 1024 < int(result.stdout) < 96 * 1024


# ---- the benchmark


@pytest.mark.slow
def test_benchmark_times_every_generator_and_says_what_it_left_out(monkeypatch):
    def missing(*_):
        raise ImportError

    few = {name: entry for name, entry in generators.CONTESTANTS.items() if name.split(",")[0] in (*GENERATORS, "fbm")}
    monkeypatch.setattr(generators, "CONTESTANTS", few | {"nowhere": generators.Contestant(missing, 10**9)})
    monkeypatch.setattr(generators, "_TURN", 1e-4)
    result = generators.generator_table([(8, 4), (2**12, 2)], repeats=1)
    timed = {(row.generator, row.n_steps) for row in result.rows}
    assert {(name, 8) for name in GENERATORS} <= timed
    assert ("fbm", 8) in timed and ("cholesky", 2**12) not in timed
    assert all(0 < row.nanoseconds < np.inf for row in result.rows)
    assert set(result.left_out) == {
        "nowhere: not installed.",
        "cholesky: not timed above 2048 steps.",
        "hosking: not timed above 2048 steps.",
    }
    assert str(result).count("\n") == len(result.rows) + len(result.left_out)


def test_shares_add_up(monkeypatch):
    ticks = iter([0, 12e-6, 20e-6, 50e-6, 60e-6, 120e-6])  # the normals take 12 us, transformed 30, written 60
    monkeypatch.setattr(generators.time, "process_time", lambda: next(ticks))
    row = generators.davies_harte_shares([(300, 20)], repeats=1)[0]
    assert (row.noise, row.transforms, row.writing) == pytest.approx((2.0, 3.0, 5.0))
    assert str(row).endswith("noise 2.00 ns (20%)  transforms 3.00 ns (30%)  writing 5.00 ns (50%)")
