"""The rational model of the fGn spectrum: its algebra, its fit, its certificate, its recursion."""

import dataclasses
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_triangular, toeplitz

from fbmsde.drivers.base import correlation_factor
from fbmsde.drivers.rational import divergence, fit
from fbmsde.drivers.rational.model import RationalModel
from fbmsde.drivers.rational.normals import run_recursion
from fbmsde.drivers.rational.streaming import StreamingNoise, default_tolerance
from fbmsde.drivers.rational.targets import FractionalTarget
from fbmsde.laws.fgn import fgn_autocovariance, fgn_spectrum

HURSTS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.45, 0.55, 0.6, 0.7, 0.8, 0.9, 0.95)


def dense_kl(exact, model):
    """KL from A = L_G^-1 L_F: a sum of terms none of which is negative, so nothing cancels."""
    a = solve_triangular(np.linalg.cholesky(toeplitz(model)), np.linalg.cholesky(toeplitz(exact)), lower=True)
    d = np.diag(a)
    return 0.5 * (np.sum(np.tril(a, -1) ** 2) + np.sum((d - 1) * (d + 1) - 2 * np.log(d)))


def recursion_map(noise, n_steps):
    """The matrix from normals to increments, one unit vector a path."""
    size = len(noise.rho) + 1 + n_steps
    return run_recursion(np.eye(size), noise.rho, noise.c, noise.d, noise.level_sd, noise.start).T


# --- the algebra of a rational model ---------------------------------------------------------------------------------


@pytest.fixture(params=["decaying", "alternating", "white"])
def model(request):
    log_q = {"decaying": [-4.0, -2.0, -0.5], "alternating": [-3.0, 0.4, 1.0], "white": []}[request.param]
    return RationalModel(np.array(log_q), np.array([0.3, 0.2, -0.1])[: len(log_q)], -0.7, 0.2)


def expansion(model, n):
    """Weights of the moving average, from the recursion that defines poles and zeros."""
    ar = np.poly(model.poles) if model.poles.size else np.ones(1)
    psi = np.zeros(n)
    psi[: ar.size] = np.poly(model.zeros) if model.zeros.size else np.ones(1)
    for i in range(n):
        for j in range(1, min(i, ar.size - 1) + 1):
            psi[i] -= ar[j] * psi[i - j]
    return model.gain * psi


def test_autocovariance_is_that_of_the_moving_average(model):
    psi = expansion(model, 3000)
    naive = [psi[: psi.size - k] @ psi[k:] + model.level_variance for k in range(8)]
    np.testing.assert_allclose(model.autocovariance(np.arange(8)), naive, rtol=1e-11)


def test_residues_expand_the_transfer_function(model):
    k = np.arange(1, 9)
    parallel = np.sum(model.weights * model.poles ** (k[:, None] - 1), axis=1)
    np.testing.assert_allclose(parallel, expansion(model, 9)[1:], rtol=1e-11, atol=1e-15)


def test_spectrum_is_the_transform_of_the_autocovariance(model):
    k, freq = np.arange(3000), np.array([0.01, 0.3, 2.0, np.pi])
    gamma = model.autocovariance(k) - model.level_variance
    transform = gamma[0] + 2 * np.cos(np.outer(freq, k[1:])) @ gamma[1:]
    np.testing.assert_allclose(model.spectrum(freq), transform, rtol=1e-10)


@pytest.mark.parametrize("block", [1, 2, 5])
def test_block_sums(model, block):
    gamma = toeplitz(model.autocovariance(np.arange(4 * block)))
    naive = gamma.reshape(4, block, 4, block).sum(axis=(1, 3))
    np.testing.assert_allclose(model.block_autocovariance(block, 4), naive[0], rtol=1e-12)
    np.testing.assert_allclose(model.sum_variance(4 * block), gamma.sum(), rtol=1e-12)
    k, freq = np.arange(1, 1500), np.array([0.02, 1.0, 3.0])
    blocks = model.block_autocovariance(block, 1500) - model.level_variance * block**2
    transform = blocks[0] + 2 * np.cos(np.outer(freq, k)) @ blocks[1:]
    np.testing.assert_allclose(model.block_spectrum(block, freq), transform, rtol=1e-9)


@pytest.mark.slow
def test_stationary_start_factors_the_cauchy_matrix_in_extended_precision():
    """At 2^24 steps the covariance has a condition number beyond 1e20; each entry of the factor keeps its digits."""
    model = StreamingNoise(0.3, 2**24).model
    with mpmath.workdps(60):
        q = [mpmath.mpf(x) for x in model.q]
        rho = [(1 - x) / (1 + x) for x in q]
        exact = mpmath.cholesky(mpmath.matrix([[1 / (1 - a * b) for a in rho] for b in rho]))
        relative = [abs(model.start[i, j] / exact[i, j] - 1) for i in range(len(q)) for j in range(i + 1)]
    assert max(relative) < 1e-13
    assert np.all(np.triu(model.start, 1) == 0.0)


# --- the fit ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("hurst", HURSTS)
def test_thousand_steps_take_ten_poles(hurst):
    noise = StreamingNoise(hurst, 1024)
    assert noise.certificate.kl_method == "exact"
    assert 0.0 < noise.certificate.kl <= 1e-8
    assert noise.certificate.total_variation == pytest.approx(np.sqrt(noise.certificate.kl / 2))
    assert len(noise.poles) <= 10
    fewer, _ = fit.fit(FractionalTarget(hurst), 1024, len(noise.poles) - 1)
    assert divergence.exact_kl(fewer, FractionalTarget(hurst), 1024) > 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("n_steps", [2, 3, 5, 9, 10, 33, 300, 4096, 4097, 16384, 2**20, 2**24])
@pytest.mark.parametrize("hurst", [0.02, 0.25, 0.4999, 0.5001, 0.52, 0.75, 0.98])
def test_the_default_tolerance_is_met(hurst, n_steps):
    noise = StreamingNoise(hurst, n_steps)
    assert noise.certificate.kl <= noise.tolerance == default_tolerance(n_steps)
    assert noise.certificate.kl_method == ("exact" if n_steps <= 4096 else "estimate")
    assert len(noise.poles) <= 21


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.floats(0.02, 0.98), st.integers(2, 200))
def test_structure_of_every_model(hurst, n_steps):
    """Poles and zeros interlace in the order that H dictates, so all residues have one sign and none is huge."""
    noise = StreamingNoise(hurst, n_steps)
    assert noise.certificate.kl <= 1e-8
    pairs = (noise.zeros, noise.poles) if hurst < 0.5 else (noise.poles, noise.zeros)
    assert np.all(np.diff(np.column_stack(pairs).ravel()) < 0.0)
    assert np.all(np.abs(noise.poles) < 1.0)
    assert np.all(noise.c * (2 * hurst - 1) > 0.0)
    assert np.abs(noise.c).max(initial=0.0) < 1.0


@pytest.mark.parametrize("hurst", [0.1, 0.45, 0.7])
def test_jacobian_is_the_slope_of_the_residuals(hurst):
    target = fit.Objective(FractionalTarget(hurst), 200)
    x = target.first_guess(3) + np.array([0.1, -0.1, 0.2, 0.05, 0.1, -0.05, 0.02])
    step = 1e-6 * np.eye(7)
    slopes = np.column_stack([(target.residuals(x + h) - target.residuals(x - h)) / 2e-6 for h in step])
    np.testing.assert_allclose(target.jacobian(x), slopes, rtol=1e-5, atol=1e-6 * np.abs(slopes).max())


@pytest.mark.parametrize("hurst", [0.05, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("n_steps", [60, 400])
def test_objective_predicts_the_exact_divergence(hurst, n_steps):
    model, kl = fit.fit(FractionalTarget(hurst), n_steps, 5)
    assert divergence.exact_kl(model, FractionalTarget(hurst), n_steps) == pytest.approx(kl, rel=0.06)


def test_white_noise_needs_no_pole():
    noise = StreamingNoise(0.5, 2**40)
    assert (len(noise.poles), noise.d, noise.level_sd, noise.certificate.kl) == (0, 1.0, 0.0, 0.0)
    np.testing.assert_array_equal(recursion_map(noise, 3), np.eye(4)[1:])


def test_few_poles_near_one_half():
    counts = [len(StreamingNoise(0.5 + eps, 500).poles) for eps in (1e-9, 1e-6, 1e-4, 1e-3, 1e-2)]
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-1] <= 7


@pytest.mark.slow
def test_horizon_beyond_the_default_range():
    noise = StreamingNoise(0.3, 2**30, 5e-3)
    assert noise.certificate.kl <= 5e-3
    assert len(noise.poles) <= 22


def test_a_looser_tolerance_takes_fewer_poles():
    counts = [len(StreamingNoise(0.7, 300, tol).poles) for tol in (1e-2, 1e-4, 1e-6, 1e-9)]
    assert counts == sorted(set(counts))


# --- the certificate -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hurst", [0.02, 0.3, 0.7, 0.98])
def test_divergence_against_forty_digits(hurst):
    exact = fgn_autocovariance(hurst, np.arange(12))
    model = fit.fit(FractionalTarget(hurst), 12, 2)[0].autocovariance(np.arange(12))
    with mpmath.workdps(40):
        f, g = (mpmath.matrix(toeplitz(x).tolist()) for x in (exact, model))
        kl = (mpmath.fsum((g**-1 * f)[i, i] for i in range(12)) - 12 + mpmath.log(mpmath.det(g) / mpmath.det(f))) / 2
    assert divergence.gaussian_kl(exact, model) == pytest.approx(float(kl), abs=2e-13)
    assert dense_kl(exact, model) == pytest.approx(float(kl), rel=1e-9)


@pytest.mark.parametrize("hurst", HURSTS)
def test_divergence_against_dense_matrices(hurst):
    exact = fgn_autocovariance(hurst, np.arange(400))
    model = fit.fit(FractionalTarget(hurst), 400, 7)[0].autocovariance(np.arange(400))
    assert divergence.gaussian_kl(exact, model) == pytest.approx(dense_kl(exact, model), abs=2e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("hurst", "within"), [(0.02, 0.04), (0.1, 0.01), (0.4, 0.01), (0.6, 0.01), (0.98, 0.01)])
def test_estimate_against_exact_divergence(hurst, within):
    """With 8200 steps in blocks of two the exact value is at hand."""
    model, _ = fit.fit(FractionalTarget(hurst), 8200, 9)
    exact = divergence.exact_kl(model, FractionalTarget(hurst), 8200)
    assert exact > 1e-9
    assert divergence.estimated_kl(model, FractionalTarget(hurst), 8200) == pytest.approx(exact, rel=within)


@pytest.mark.parametrize("hurst", [0.1, 0.8])
def test_worst_errors_are_what_they_say(hurst):
    noise = StreamingNoise(hurst, 100)
    exact, own = (toeplitz(g(np.arange(100))) for g in (lambda k: fgn_autocovariance(hurst, k), noise.autocovariance))
    assert noise.certificate.autocovariance_error == pytest.approx(np.abs(exact - own).max(), rel=1e-6)
    ratios = [own[:t, :t].sum() / t ** (2 * hurst) - 1 for t in range(1, 101)]
    assert noise.certificate.variance_error == pytest.approx(np.abs(ratios).max(), rel=1e-6)


def test_a_model_of_four_poles_is_exposed():
    model, _ = fit.fit(FractionalTarget(0.3), 1000, 4)
    assert divergence.exact_kl(model, FractionalTarget(0.3), 1000) > 1e-3


def test_spectrum_is_close_where_it_matters():
    freq = np.geomspace(0.05, np.pi, 100)
    assert np.abs(StreamingNoise(0.7, 1000).spectrum(freq) / fgn_spectrum(0.7, freq) - 1).max() < 1e-4


# --- the recursion ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hurst", [0.02, 0.3, 0.501, 0.7, 0.98])
def test_recursion_has_the_covariance_of_the_model(hurst):
    """Exact: the image of unit vectors gives the whole matrix, level and stationary start included."""
    noise = StreamingNoise(hurst, 200)
    image = recursion_map(noise, 60)
    np.testing.assert_allclose(image @ image.T, toeplitz(noise.autocovariance(np.arange(60))), atol=1e-13)


def test_recursion_in_single_precision():
    noise = StreamingNoise(0.7, 1000)
    normals = np.random.default_rng(0).standard_normal((2, len(noise.rho) + 1 + 1000))
    double = run_recursion(normals, noise.rho, noise.c, noise.d, noise.level_sd, noise.start)
    parts = (noise.rho, noise.c, noise.start)
    rho, c, start = (x.astype(np.float32) for x in parts)
    single = run_recursion(normals.astype(np.float32), rho, c, np.float32(noise.d), np.float32(noise.level_sd), start)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, atol=1e-5)


# --- objects, arguments, correlation ---------------------------------------------------------------------------------


def test_value_object():
    noise = StreamingNoise(np.float64(0.3), np.int64(50))
    assert noise == StreamingNoise(0.3, 50) and hash(noise) == hash(StreamingNoise(0.3, 50))
    assert noise._fitted is StreamingNoise(0.3, 50, 1e-8)._fitted
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(noise)).c, noise.c)
    np.testing.assert_allclose(noise.decay, 1 - noise.rho, rtol=1e-13)
    with pytest.raises(dataclasses.FrozenInstanceError):
        noise.hurst = 0.4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.01, 100), r"hurst must lie in \[0.02, 0.98\] for streaming noise, got 0.01. Take method='davies_harte'"),
        ((0.99, 100), "hurst must lie in .* got 0.99"),
        ((1.0, 100), "hurst must lie in"),
        ((0.3, 1), "n_steps must lie in .* got 1. Take method='davies_harte'"),
        ((0.3, 2**24 + 1), "n_steps must lie in .* or give a tolerance"),
        ((0.3, 2**30 + 1, 1e-2), "n_steps must lie in .* got 1073741825. Take method='davies_harte'"),
        ((0.3, 100, 0.0), "tolerance must be positive and finite, got 0.0"),
        ((0.3, 100, -1.0), "tolerance must be positive"),
        ((0.3, 100, 1e-12), "tolerance must be at least 1e-10, got 1e-12. Take method='davies_harte'"),
    ],
)
def test_what_lies_outside_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        StreamingNoise(*arguments)


def test_a_fit_that_misses_says_what_it_reached(monkeypatch):
    monkeypatch.setattr("fbmsde.drivers.rational.streaming.MAX_POLES", 3)
    with pytest.raises(ValueError, match=r"got 1.23e-08: 3 poles and fewer reach .* 0.0002.*davies_harte"):
        StreamingNoise(0.3, 77, 1.23e-8)


def test_correlation_factor_reproduces_the_matrix():
    mix = np.random.default_rng(1).standard_normal((4, 3))
    mix /= np.linalg.norm(mix, axis=1)[:, None]
    singular = mix @ mix.T
    for matrix in (np.eye(3), [[1.0, -0.9], [-0.9, 1.0]], np.ones((2, 2)), singular):
        factor = correlation_factor(matrix)
        np.testing.assert_allclose(factor @ factor.T, matrix, atol=1e-14)
        np.testing.assert_array_equal(np.triu(factor, 1), 0.0)
    np.testing.assert_array_equal(correlation_factor(np.eye(3)), np.eye(3))


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1.0, 2.0], [2.0, 1.0]], "correlation must be positive semi-definite, got smallest eigenvalue -1"),
        ([[1.0, 0.5], [0.4, 1.0]], "correlation must be symmetric, got entries that differ by 0.1"),
        ([[2.0, 0.5], [0.5, 1.0]], "correlation must have a unit diagonal"),
        ([[1.0, np.nan], [np.nan, 1.0]], "correlation must be finite"),
        ([1.0, 0.5], "correlation must be a square matrix, got shape"),
        ([[1.0, 0.5]], "correlation must be a square matrix, got shape"),
    ],
)
def test_what_is_no_correlation_matrix_is_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        correlation_factor(matrix)
