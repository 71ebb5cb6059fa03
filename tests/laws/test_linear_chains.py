"""Second moments of linear chains against matrices, polylogarithms, integrals over frequencies and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from fbmsde.laws import epochs, fou, linear_chains, momentum
from fbmsde.laws.fgn import fgn_autocovariance, fgn_spectrum
from fbmsde.laws.linear_chains import white_autocovariance
from tests.conftest import threshold
from tests.gaussian_paths import stationary_paths

HURSTS = (0.1, 0.3, 0.5, 0.7, 0.95)
OPTIMIZERS = [dict(momentum=b, nesterov=n) for b in (0.0, 0.3, 0.9) for n in (False, True)]


def fractional(hurst):
    """The autocovariance of unit fractional noise as a function of lags."""
    return lambda lags: fgn_autocovariance(hurst, lags)


def digits(lags):
    """The autocorrelation of the epochs of 1437 samples in batches of 128."""
    return epochs.epoch_autocorrelation(lags, 1437, 128)


def by_matrix(psi, autocovariance):
    """``psi' R psi`` with the whole covariance matrix."""
    return psi @ linalg.toeplitz(autocovariance(np.arange(psi.size))) @ psi


# ---------------------------------------------------------------------------------------------------------------------
# Chains


@pytest.mark.parametrize("hurst", HURSTS)
@pytest.mark.parametrize("drift", [1e-3, 0.1, 0.9])
def test_chain_variance_of_fractional_noise_is_a_polylogarithm(hurst, drift):
    """The sum over lags and the integral over frequencies against the Euler chain's closed form."""
    exact = fou.euler_chain_variance(hurst, 1.0, drift)
    assert linear_chains.chain_variance(1.0 - drift, fractional(hurst)) == pytest.approx(exact, rel=1e-10)
    by_spectrum = linear_chains.spectral_variance(
        lambda f: 1.0 / (1.0 - (1.0 - drift) * np.exp(-1j * f)), lambda f: fgn_spectrum(hurst, f)
    )
    assert by_spectrum == pytest.approx(exact, rel=1e-11)


@pytest.mark.parametrize("phi", [-0.9, -0.2, 0.0, 0.5, 0.99])
def test_differences_of_white_noise_leave_less_variance(phi):
    """Differences, scaled to variance 1, have correlation -1/2: ``1/(1 + phi)`` in place of ``1/(1 - phi^2)``."""
    anti = lambda k: np.where(k == 0, 1.0, np.where(np.abs(k) == 1, -0.5, 0.0))  # noqa: E731
    assert linear_chains.chain_variance(phi, anti) == pytest.approx(1.0 / (1.0 + phi), rel=1e-13)
    assert linear_chains.chain_variance(phi, white_autocovariance) == pytest.approx(1.0 / (1.0 - phi**2), rel=1e-13)
    spectral = linear_chains.spectral_variance(
        lambda f: 1.0 / (1.0 - phi * np.exp(-1j * f)), lambda f: 2.0 * np.sin(f / 2.0) ** 2
    )
    assert spectral == pytest.approx(1.0 / (1.0 + phi), rel=1e-12)


@pytest.mark.parametrize("noise", [fractional(0.3), fractional(0.8), digits], ids=["0.3", "0.8", "epochs"])
@pytest.mark.parametrize("phi", [-0.7, 0.0, 0.8, 1.0])
def test_second_moments_after_a_start_against_the_matrix(noise, phi):
    """Steps 0 to 30, by the recursion, by convolution and by the covariance matrix."""
    steps = np.arange(31)
    psi = phi ** np.arange(30.0)
    exact = np.array([by_matrix(psi[:k], noise) if k else 0.0 for k in steps])
    assert linear_chains.linear_chain_variances(psi, noise) == pytest.approx(exact, abs=1e-12)
    assert linear_chains.linear_chain_variance(psi, noise) == pytest.approx(exact[-1], rel=1e-12)
    found = linear_chains.chain_second_moment(steps[::-1].reshape(1, -1), 1.7, phi, noise)
    assert found[0, ::-1] == pytest.approx(exact + 1.7**2 * phi ** (2.0 * steps), abs=1e-12)


def test_late_second_moment_is_the_stationary_variance():
    """After 400 steps at phi = 0.9, where ``phi^400`` is 5e-19 and the memory of H = 0.3 has faded to 1e-20."""
    late = linear_chains.chain_second_moment(400, 5.0, 0.9, fractional(0.3))
    assert late == pytest.approx(linear_chains.chain_variance(0.9, fractional(0.3)), rel=1e-12)


@pytest.mark.parametrize("noise", [fractional(0.3), fractional(0.8), digits], ids=["0.3", "0.8", "epochs"])
@pytest.mark.parametrize("phi", [-0.6, 0.0, 0.8])
def test_autocovariance_of_the_chain_and_variance_of_its_average(noise, phi):
    """Against 300 weights and the whole matrix."""
    psi = phi ** np.arange(300.0)
    matrix = linalg.toeplitz(noise(np.arange(320)))
    exact = [psi @ matrix[:300, lag : lag + 300] @ psi for lag in range(12)]
    exact_reversed = [psi @ matrix[lag : lag + 300, :300] @ psi for lag in range(12)]
    assert exact == pytest.approx(exact_reversed, rel=1e-12)
    found = linear_chains.chain_autocovariance(12, phi, noise)
    assert found == pytest.approx(exact, rel=1e-9, abs=1e-12)
    averages = [np.mean(linalg.toeplitz(exact[:n])) for n in (1, 3, 12)]
    assert linear_chains.chain_mean_variance([1, 3, 12], phi, noise) == pytest.approx(averages, rel=1e-9)
    assert linear_chains.chain_autocovariance(1, phi, noise) == pytest.approx(exact[:1], rel=1e-9)


@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.8])
def test_average_of_the_chain_forgets_the_start_but_not_the_noise(hurst):
    """``n^(2H-2)/(1 - phi)^2``, approached like ``n^(-2H)`` or faster: 3 % at n = 2^14 for H = 0.3."""
    n = 2**14
    found = linear_chains.chain_mean_variance(n, 0.8, fractional(hurst))
    assert found / (n ** (2 * hurst - 2) / 0.04) == pytest.approx(1.0, abs=0.03)


def test_chains_refuse():
    """Every message."""
    chain, noise = linear_chains.chain_variance, fractional(0.3)
    for phi in (1.0, -1.0, 1.5):
        with pytest.raises(ValueError, match=r"phi must lie in \(-1, 1\), got .* no stationary state"):
            chain(phi, noise)
    with pytest.raises(ValueError, match=r"phi must lie in \[-1, 1\], got 1\.1"):
        linear_chains.chain_second_moment(3, 0.0, 1.1, noise)
    with pytest.raises(ValueError, match=r"within 2\^24 steps, got about .* larger step"):
        chain(1.0 - 1e-7, noise)
    with pytest.raises(ValueError, match="one value for each lag, got shape "):
        chain(0.5, lambda k: 1.0)
    with pytest.raises(ValueError, match="autocovariance must be finite, got nan"):
        chain(0.5, lambda k: np.where(k == 3, np.nan, 0.1**k))
    with pytest.raises(ValueError, match="largest at lag 0, got 2 at lag 1"):
        chain(0.5, lambda k: np.where(k == 1, 2.0, 1.0))
    with pytest.raises(ValueError, match="positive definite, got one that gives a variance of -"):
        chain(0.5, lambda k: np.where(k == 0, 1.0, np.where(k == 1, -1.0, np.where(k == 2, -1.0, 0.0))))
    with pytest.raises(ValueError, match="steps must be at least 0, got -1"):
        linear_chains.chain_second_moment([0, -1], 0.0, 0.5, noise)
    with pytest.raises(TypeError, match="steps must be whole numbers"):
        linear_chains.chain_second_moment(0.5, 0.0, 0.5, noise)
    with pytest.raises(ValueError, match="n_steps must be at least 1, got 0"):
        linear_chains.chain_mean_variance(0, 0.5, noise)
    with pytest.raises(ValueError, match="psi must be a row of finite weights"):
        linear_chains.linear_chain_variance([1.0, math.inf], noise)
    with pytest.raises(ValueError, match=r"integrable at frequency 0, got one that rises there like l\^-1\.2"):
        linear_chains.spectral_variance(lambda f: 1.0 + 0.0 * f, lambda f: f**-1.2)
    with pytest.raises(ValueError, match="spectrum must be finite and at least 0, got -"):
        linear_chains.spectral_variance(lambda f: 1.0 + 0.0 * f, lambda f: 1.0 - f)
    with pytest.raises(ValueError, match=r"chain must be stable, got one whose deviations grow by 1\.2 a step"):
        linear_chains.memory_of(1.2)


# ---------------------------------------------------------------------------------------------------------------------
# Epochs


@pytest.mark.parametrize(("drift", "ratio"), [(0.1, 0.555), (0.8, 0.934)])
def test_spread_under_epoch_noise(drift, ratio):
    """Standard deviation over that of batches with replacement, N = 1437, B = 128."""
    phi = 1.0 - drift
    less = epochs.epoch_variance(1437, 128) / epochs.epoch_variance(1437, 128, replacement=True)
    found = math.sqrt(less * linear_chains.chain_variance(phi, digits) * (1.0 - phi**2))
    assert found == pytest.approx(ratio, abs=5e-4)


@pytest.mark.slow
def test_spread_under_batches_of_a_shuffled_population():
    """400 chains over 50 epochs of 1437 skewed numbers in batches of 128, drifts 0.1 and 0.8, all places of an epoch.

    Catches a standard deviation that is 3 % off; without memory the first would be 0.954 in place of 0.555.
    """
    rng, drifts, chains = np.random.default_rng(12), np.array([[0.1], [0.8]]), 400
    samples = rng.standard_exponential(1437)
    samples = (samples - samples.mean()) / samples.std()
    x, squares, steps = np.zeros((2, chains)), np.zeros((2, chains)), 0
    for epoch in range(60):
        shuffled = rng.permuted(np.broadcast_to(samples, (chains, 1437)), axis=1)
        for noise in shuffled[:, : 11 * 128].reshape(chains, 11, 128).mean(axis=2).T:
            x = (1.0 - drifts) * x + noise
            squares, steps = (squares + x * x, steps + 1) if epoch >= 10 else (squares, steps)
    fresh = epochs.epoch_variance(1437, 128, replacement=True) / (1.0 - (1.0 - drifts) ** 2)
    ratio = squares / steps / fresh
    less = (1437 - 128) / 1436
    exact = np.array([less * linear_chains.chain_variance(1.0 - d, digits) * (1 - (1 - d) ** 2) for d in (0.1, 0.8)])
    z = (ratio.mean(axis=1) - exact) / (ratio.std(axis=1) / math.sqrt(chains))
    assert np.abs(z).max() < threshold(2)


@pytest.mark.parametrize(("n", "b"), [(12, 3), (13, 3), (7, 2), (5, 4)])
def test_epoch_moments_by_counting(n, b):
    """Indicators of the samples in batches: variance and covariance from the counts of pairs, exact."""
    x = np.random.default_rng(3).standard_normal(n)
    x = (x - x.mean()) / x.std()
    same = -1.0 / (n - 1)  # E x_i x_j of two different samples drawn without replacement
    variance = (1.0 + (b - 1) * same) / b
    assert epochs.epoch_variance(n, b) == pytest.approx(variance, rel=1e-13)
    assert epochs.epoch_correlation(n, b) == pytest.approx(same / variance, rel=1e-12)
    assert epochs.epoch_variance(n, b, replacement=True) == 1.0 / b


def test_epoch_autocorrelation_by_enumerating_places():
    """The average over the M places in the epoch, lags on both sides; whole epochs sum to 0 if B divides N."""
    lags, m = np.arange(-6, 7), 4
    c = epochs.epoch_correlation(120, 30)
    by_place = [np.mean([1.0 if k == 0 else c * (0 <= p + k < m) for p in range(m)]) for k in lags]
    assert epochs.epoch_autocorrelation(lags, 120, 30) == pytest.approx(by_place, abs=1e-15)
    assert 1.0 + 3.0 * c == pytest.approx(0.0, abs=1e-15)


def test_epochs_refuse():
    with pytest.raises(ValueError, match=r"batch_size must be below n_samples = 10, got 10\. A batch of all"):
        epochs.epoch_correlation(10, 10)
    with pytest.raises(ValueError, match="n_samples must be at least 2, got 1"):
        epochs.epoch_autocorrelation([0], 1, 1)
    with pytest.raises(TypeError, match=r"batch_size must be a whole number, got 2\.5"):
        epochs.epoch_variance(10, 2.5)


# ---------------------------------------------------------------------------------------------------------------------
# Momentum


def by_states(learning_rate, curvature, momentum, nesterov):
    """Matrix and noise vector of the state (x, v) as PyTorch steps it."""
    y = learning_rate * curvature
    push = 1.0 + momentum if nesterov else 1.0
    pull = momentum**2 if nesterov else momentum
    return np.array([[1.0 - y * push, pull], [-y, momentum]]), -learning_rate * np.array([push, 1.0])


@pytest.mark.parametrize(
    ("noise", "variance", "digits_given"),
    [(white_autocovariance, 0.263889, 6), (fractional(0.3), 0.14145, 5), (fractional(0.7), 0.39431, 5)]
    + [(digits, 0.24432, 5)],
    ids=["white", "0.3", "0.7", "epochs"],
)
def test_heavy_ball_numbers(noise, variance, digits_given):
    """eta = 0.1, h = 2, beta = 0.9."""
    found = momentum.momentum_variance(noise, learning_rate=0.1, momentum=0.9, curvature=2.0)
    assert found == pytest.approx(variance, abs=0.5 * 10.0**-digits_given)


def test_heavy_ball_under_white_noise_in_closed_form():
    """``eta s^2 (1+beta) / ((1-beta) h (2 (1+beta) - eta h))``."""
    eta, h, beta, s = 0.3, 1.7, 0.6, 0.4
    exact = eta * s**2 * (1 + beta) / ((1 - beta) * h * (2 * (1 + beta) - eta * h))
    found = momentum.white_momentum_variance(learning_rate=eta, momentum=beta, curvature=h, sigma=s)
    assert found == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("y", [0.01, 0.7, 1.3])
def test_momentum_under_white_noise_solves_the_lyapunov_equation(optimizer, y):
    """The stationary variance, and the second moments of the first steps from rest."""
    setting = dict(learning_rate=0.1, curvature=y / 0.1, **optimizer)
    matrix, push = by_states(**setting)
    covariance = linalg.solve_discrete_lyapunov(matrix, np.outer(push, push))
    assert momentum.white_momentum_variance(**setting) == pytest.approx(covariance[0, 0], rel=1e-11)
    assert momentum.momentum_variance(white_autocovariance, **setting) == pytest.approx(covariance[0, 0], rel=1e-11)
    state, spread, moments = np.array([1.5, 0.0]), np.zeros((2, 2)), []
    for _ in range(8):
        moments.append(state[0] ** 2 + spread[0, 0])
        state, spread = matrix @ state, matrix @ spread @ matrix.T + np.outer(push, push)
    found = momentum.momentum_second_moment(np.arange(8), 1.5, white_autocovariance, **setting)
    assert found == pytest.approx(moments, rel=1e-11)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_momentum_under_memory_by_weights(optimizer):
    """The sum over lags, the weights, and the late second moment, for fractional and for epoch noise."""
    setting = dict(learning_rate=0.1, curvature=2.0, **optimizer)
    psi = momentum.momentum_weights(600, **setting)
    for noise in (fractional(0.3), fractional(0.8), digits):
        exact = by_matrix(psi, noise)
        assert momentum.momentum_variance(noise, **setting) == pytest.approx(exact, rel=1e-9)
        assert momentum.momentum_second_moment(600, 3.0, noise, **setting) == pytest.approx(exact, rel=1e-9)
    if optimizer["momentum"] == 0.0:
        chain = linear_chains.chain_variance(0.8, lambda k: 0.01 * fgn_autocovariance(0.3, k))
        assert momentum.momentum_variance(fractional(0.3), **setting) == pytest.approx(chain, rel=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(beta=st.one_of(st.just(0.0), st.floats(1e-300, 0.99)), nesterov=st.booleans(), share=st.floats(0.01, 3.0))
def test_momentum_bound_is_where_a_root_leaves_the_unit_circle(beta, nesterov, share):
    """The largest eigenvalue of the state's matrix lies inside just for rates below the bound."""
    y = share * momentum.momentum_bound(beta, nesterov)
    matrix, _ = by_states(1.0, y, beta, nesterov)
    modulus = np.abs(np.linalg.eigvals(matrix)).max()
    assert (modulus < 1.0) == (share < 1.0) or abs(share - 1.0) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OPTIMIZERS[2:], ids=str)
def test_momentum_against_simulation(optimizer):
    """Second moments of 20 000 chains under fractional noise, H = 0.7, at 3 steps; catches 8 % of a variance."""
    n_paths, steps = 20_000, np.array([1, 5, 40])
    setting = dict(learning_rate=0.2, curvature=1.5, **optimizer)
    noise = stationary_paths(fgn_autocovariance(0.7, np.arange(41)), n_paths, seed=11)
    matrix, push = by_states(**setting)
    state, found = np.zeros((2, n_paths)), []
    for k in range(40):
        state = matrix @ state + push[:, None] * noise[:, k]
        if k + 1 in steps:
            found.append(np.mean(state[0] ** 2))
    exact = momentum.momentum_second_moment(steps, 0.0, fractional(0.7), **setting)
    z = (np.array(found) / exact - 1.0) / math.sqrt(2.0 / n_paths)
    assert np.abs(z).max() < threshold(3 * len(OPTIMIZERS))


def test_momentum_refuses():
    with pytest.raises(ValueError, match=r"learning_rate \* curvature must be below 3\.8, got 4\. The chain is unst"):
        momentum.white_momentum_variance(learning_rate=1.0, momentum=0.9, curvature=4.0)
    with pytest.raises(ValueError, match=r"learning_rate \* curvature must be below 1.35714, got 1.5"):
        momentum.momentum_variance(white_autocovariance, learning_rate=1.5, momentum=0.9, nesterov=True)
    for beta in (-0.1, 1.0):
        with pytest.raises(ValueError, match=r"momentum must lie in \[0, 1\), got"):
            momentum.momentum_bound(beta)
    with pytest.raises(ValueError, match=r"learning_rate must be positive and finite, got 0\.0"):
        momentum.momentum_weights(3, learning_rate=0.0)
