"""Gaussian processes that relax: their laws against exact ones."""

from __future__ import annotations

import numpy as np
import pytest

from fbmsde import FractionalNoise, GaussianNoise, double_well, double_well_2d, quadratic
from fbmsde.core import checks
from fbmsde.laws.epochs import epoch_autocorrelation
from fbmsde.laws.fou import fou_variance
from fbmsde.laws.linear_chains import chain_second_moment
from fbmsde.rare.linear_process import chain_process, embedded, fou_process
from tests.conftest import threshold


@pytest.mark.parametrize("hurst", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_variances_of_the_process_are_those_of_the_law(hurst):
    process = fou_process(hurst, 40, dt=0.1, curvature=2.0, sigma=0.7)
    times = 0.1 * np.arange(41)
    np.testing.assert_allclose(process.variances, fou_variance(hurst, times, 2.0, 0.7), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("solver", ["euler", "heun", "rk4"])
def test_variances_of_a_chain_are_those_of_its_recursion(solver):
    noise = FractionalNoise(0.3, 0.8)
    process = chain_process(quadratic(2.0), noise, 50, dt=0.1, solver=solver)
    factor = {"euler": 0.8, "heun": 0.82, "rk4": 1 - 0.2 + 0.2**2 / 2 - 0.2**3 / 6 + 0.2**4 / 24}[solver]
    gain = {"euler": 1.0, "heun": 0.9, "rk4": 1 - 0.1 + 0.2**2 / 6 - 0.2**3 / 24}[solver]
    moments = chain_second_moment(np.arange(51), 0.0, factor, lambda k: gain**2 * noise.autocovariance(k, 0.1))
    np.testing.assert_allclose(process.variances, moments, rtol=1e-10, atol=1e-15)


def test_the_noise_of_epochs_drives_a_chain():
    noise = GaussianNoise(lambda k: epoch_autocorrelation(k, 1437, 128), method="circulant")
    process = chain_process(quadratic(1.0), noise, 60, dt=0.1)
    moments = chain_second_moment(np.arange(61), 0.0, 0.9, lambda k: epoch_autocorrelation(k, 1437, 128))
    np.testing.assert_allclose(process.variances, moments, rtol=1e-10, atol=1e-15)
    assert np.isnan(process.shift)


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.2, 0.8])
def test_paths_have_the_mean_and_the_covariance_that_they_claim(hurst):
    """Means off by 0.05 standard deviations and covariances off by 0.05 variances would be seen."""
    process, n = fou_process(hurst, 6, dt=0.3, x0=1.5), 20000
    rows = np.empty((n, 7))
    process.fill(checks.as_seed(1), 0, rows)
    x = process.from_start(rows)
    np.testing.assert_allclose(x[:, 0], 1.5, rtol=1e-14)
    deviations = x[:, 1:] - 1.5 * process.memory[1:]
    sd = np.sqrt(process.variances[1:])
    assert np.abs(deviations.mean(axis=0) / sd).max() * np.sqrt(n) < threshold(12)
    r, p, lags = process.autocovariance, process.memory, np.abs(np.subtract.outer(np.arange(7), np.arange(7)))
    exact = (r[lags] - np.outer(p, r) - np.outer(r, p) + np.outer(p, p) * r[0])[1:, 1:]
    products = np.einsum("ni,nj->nij", deviations, deviations)
    z = (products.mean(axis=0) - exact) / products.std(axis=0) * np.sqrt(n)
    assert np.abs(z).max() < threshold(72)


def test_what_cannot_be_a_linear_process_is_refused():
    noise = FractionalNoise(0.3)
    with pytest.raises(ValueError, match="landscape must be a quadratic well"):
        chain_process(double_well(), noise, 10, dt=0.1)
    with pytest.raises(ValueError, match="landscape must have one dimension, got 2"):
        chain_process(double_well_2d(), noise, 10, dt=0.1)
    with pytest.raises(ValueError, match="dt must be so short that a step moves towards the minimum"):
        chain_process(quadratic(4.0), noise, 10, dt=0.6)
    with pytest.raises(ValueError, match="dt \\* n_steps must allow a circulant embedding"):
        embedded(lambda n: 1.0 * (np.arange(n) < 2), 4)
    with pytest.raises(ValueError, match="dt must be positive"):
        fou_process(0.3, 10, dt=0.0)
    with pytest.raises(ValueError, match="sigma must lie in"):
        fou_process(0.3, 10, dt=0.1, sigma=1e-200)
