"""Any stationary Gaussian noise: certificates, refusals that say where, exact paths, and named noises."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from scipy import integrate, signal
from scipy.linalg import toeplitz

from fbmsde import ArmaNoise, GaussianNoise, OrnsteinUhlenbeckNoise, arfima, tempered_fgn
from fbmsde.core import checks
from fbmsde.drivers.branching import Branching
from fbmsde.drivers.exact.long_fft import Split
from fbmsde.drivers.gaussian_law import summed_spectrum
from fbmsde.drivers.rational.divergence import gaussian_kl
from fbmsde.drivers.spectra import spectral_autocovariance
from fbmsde.drivers.stationary import Stationary
from fbmsde.laws.fgn import fgn_autocovariance, fgn_spectrum
from fbmsde.laws.linear_chains import chain_variance

from ..conftest import threshold


def slow_decay(lags):
    """An autocovariance that falls like a power."""
    return 1.0 / (1.0 + 0.1 * np.asarray(lags)) ** 2


def line(frequencies):
    """White noise with a spectral line at frequency 1."""
    return 1.0 + 0.01 / ((frequencies - 1.0) ** 2 + 1e-3)


def difference(lags):
    """The autocovariance of the difference of white noise, whose spectrum is 0 at frequency 0."""
    return np.where(lags == 0, 1.0, np.where(lags == 1, -0.5, 0.0))


@pytest.mark.slow
@pytest.mark.parametrize("n_steps", [300, 4096, 2**16])
def test_power_law_is_certified(n_steps):
    """Up to 4096 steps the divergence is computed here once more, from the matrices."""
    noise = GaussianNoise(slow_decay, sigma=2.0)
    model = noise.model(n_steps)
    lags = np.arange(n_steps)
    assert model.certificate.kl <= 1e-8 * max(1.0, n_steps / 2**14) and len(model.poles) <= 14
    if n_steps <= 4096:
        assert noise.model(n_steps).certificate.kl == pytest.approx(
            gaussian_kl(slow_decay(lags), model.autocovariance(lags)), abs=2e-11
        )
    np.testing.assert_allclose(noise.autocovariance(lags[:300]), 4.0 * slow_decay(lags[:300]), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.3, 0.8])
@pytest.mark.parametrize("given", ["autocovariance", "spectrum"])
def test_fractional_noise_is_found_again(hurst, given):
    """The model has as few poles as that made for fractional noise, or one more."""
    if given == "spectrum":
        noise = GaussianNoise(spectrum=lambda f: fgn_spectrum(hurst, f))
    else:
        noise = GaussianNoise(lambda k: fgn_autocovariance(hurst, k))
    model = noise.model(1000)
    assert model.certificate.kl <= 1e-8 and len(model.poles) <= 10
    np.testing.assert_allclose(model.autocovariance(range(50)), fgn_autocovariance(hurst, range(50)), atol=1e-5)


@pytest.mark.slow
def test_a_zero_at_frequency_0_is_within_reach():
    model = GaussianNoise(difference).model(1000)
    assert len(model.poles) == 1 and model.certificate.kl < 1e-10
    assert model.zeros[0] == pytest.approx(1.0, abs=1e-6) and model.poles[0] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("noise", "where"),
    [(GaussianNoise(spectrum=line), 1.0), (GaussianNoise(ArmaNoise(ar=(1.0, -0.5)).autocovariance), 0.89)],
)
def test_lines_and_resonances_are_refused_with_their_frequency(noise, where):
    with pytest.raises(ValueError, match=r"within reach of real poles and zeros, got a Kullback-Leibler") as caught:
        noise.model(500)
    told = float(str(caught.value).split("worst at frequency ")[1].split(". ")[0])
    assert told == pytest.approx(where, abs=0.1) and "method='circulant'" in str(caught.value)


@pytest.mark.parametrize("n_steps", [1, 2, 60, 1000])
def test_circulant_paths_have_the_law_exactly(n_steps):
    """The eigenvalues of the embedding, transformed back, are the autocovariance of the path."""
    noise = GaussianNoise(spectrum=line, method="circulant")
    feed = noise.feed(n_steps, 1.0, 1, checks.as_seed(1))
    generator = feed.generators[0]
    cut = Split(generator.scale.size)
    eigenvalues = np.empty(cut.length)
    order = cut.input_order(np.arange(cut.length // 2 + 1.0)).astype(int)
    eigenvalues[order] = generator.scale**2 * cut.length
    values = np.concatenate([eigenvalues[: cut.length // 2 + 1], eigenvalues[1 : cut.length // 2][::-1]])
    r = np.fft.fft(values).real[:n_steps] / cut.length
    exact = noise.autocovariance(np.arange(n_steps))
    np.testing.assert_allclose(r, exact / exact[0], atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["streaming", "circulant"])
def test_covariance_of_drawn_increments(method):
    """At z = 5 an error of .04 in a correlation of the first six increments is seen: 20 000 paths."""
    n, noise = 20_000, GaussianNoise(slow_decay, sigma=0.5, method=method)
    drawn, wanted = noise.sample(6, n, seed=9), 0.25 * toeplitz(slow_decay(np.arange(6)))
    errors = np.sqrt((wanted[0, 0] ** 2 + wanted**2) / n)
    assert np.abs((drawn.T @ drawn / n - wanted) / errors).max() < threshold(42)


def test_an_array_is_known_up_to_its_end():
    noise = GaussianNoise([2.0, -1.0, 0.0, 0.0], method="circulant")
    assert noise.sample(4, 3, seed=1).shape == (3, 4) and noise.increment_scale(0.1) == pytest.approx(math.sqrt(2.0))
    with pytest.raises(ValueError, match="n_steps must be at most 4, the number of lags of the autocovariance, got 5"):
        noise.sample(5, seed=1)
    assert pickle.loads(pickle.dumps(noise)) == noise and hash(noise) == hash(pickle.loads(pickle.dumps(noise)))


@pytest.mark.slow
def test_streams_branch_and_start_linear_chains():
    feed = GaussianNoise(lambda k: 0.5**k, sigma=3.0).feed(500, 1.0, 1, checks.as_seed(1))
    assert isinstance(feed, Branching) and isinstance(feed, Stationary)
    weights, sd = feed.linear_start(0.8)
    variance = feed.model.state_covariance[0, 0] * weights[0] ** 2 + sd**2
    assert variance == pytest.approx(chain_variance(0.8, lambda k: 0.5**k), rel=1e-9)


@pytest.mark.slow
def test_what_a_function_returns_tells_its_fit_from_others():
    """Two functions of one name and code that capture other numbers; equal values are equal."""
    first, second, third = (GaussianNoise(lambda k, a=a: a**k)._law.target(100) for a in (0.5, 0.6, 0.5))
    assert first != second and first == third and hash(first) == hash(third)
    assert repr(first) == f"GivenTarget(digest='{first.digest}')"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"autocovariance": [1.0, 0.9, 0.0, 0.0]}, r"must be positive definite, got prediction variance .* frequency"),
        ({"autocovariance": lambda k: np.where(k == 0, 1.0, np.where(k == 1, 0.7, 0.0)), "method": "circulant"},
         r"non-negative circulant embedding .*, got eigenvalue -0.4 at frequency 3.14"),
        ({"spectrum": np.cos}, r"spectrum must be finite and at least 0, got -.* at frequency"),
        ({"spectrum": lambda f: np.where(f < 1.0, 1.0, 0.0)}, r"spectrum must be smooth on the scale"),
        ({"autocovariance": lambda k: 0.5**k, "spectrum": line}, r"spectrum must belong to the autocovariance"),
        ({"autocovariance": [[1.0]]}, r"autocovariance must be a function or have shape"),
        ({"autocovariance": [1.0, np.nan]}, r"autocovariance must be finite"),
        ({"autocovariance": [-1.0]}, r"autocovariance must be positive at lag 0, got -1"),
        ({"autocovariance": [1.0], "method": "exact"}, r"method must be one of streaming, circulant"),
        ({"autocovariance": [1.0], "method": "circulant", "tolerance": 1e-3}, r"tolerance must be None for 'circ"),
        ({"autocovariance": [1.0], "tolerance": 1e-12}, r"tolerance must be at least 1e-10"),
        ({"autocovariance": [1.0], "sigma": -1.0}, r"sigma must be positive"),
    ],
)  # fmt: skip
def test_bad_input(given, message):
    with pytest.raises(ValueError, match=message):
        GaussianNoise(**given).sample(4, seed=1)


@pytest.mark.slow
def test_a_function_that_is_not_positive_definite_is_refused_with_its_frequency():
    noise = GaussianNoise(lambda k: np.where(k == 0, 1.0, np.where(k == 1, 0.7, 0.0)))
    with pytest.raises(ValueError, match=r"must be positive definite, got a spectrum of -0.4 at frequency 3.1"):
        noise.sample(4, seed=1)


@pytest.mark.parametrize(("given", "message"), [({}, "got neither"), ({"spectrum": 1.0}, "must be a function")])
def test_input_of_the_wrong_kind(given, message):
    with pytest.raises(TypeError, match=message):
        GaussianNoise(**given)


@pytest.mark.slow
@pytest.mark.parametrize("hurst", [0.1, 0.7, 0.95])
def test_integration_and_summation_are_each_others_inverse(hurst):
    r = spectral_autocovariance(lambda f: fgn_spectrum(hurst, f), 1000)
    np.testing.assert_allclose(r, fgn_autocovariance(hurst, np.arange(1000)), atol=1e-12)
    freq = np.geomspace(1e-4, np.pi, 30)
    np.testing.assert_allclose(summed_spectrum(lambda k: fgn_autocovariance(hurst, k), freq), fgn_spectrum(hurst, freq),
                               rtol=1e-9)  # fmt: skip


# --- named noises ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [1e-3, 0.3, 2.0, 50.0])
def test_coloured_noise_is_the_integral_of_its_process(dt):
    """``sigma^2 (dt - tau (1 - e^-h))`` and ``sigma^2 tau (1 - e^-h)^2 e^(-(k-1) h) / 2``, with h = dt/tau."""
    noise, tau, sigma = OrnsteinUhlenbeckNoise(0.5, 0.7), 0.5, 0.7
    h, k = dt / tau, np.arange(1, 5)
    later = sigma**2 * tau / 2.0 * np.expm1(-h) ** 2 * np.exp(-(k - 1) * h)
    own = 2.0 * integrate.quad(lambda t: (dt - t) * sigma**2 / (2.0 * tau) * math.exp(-t / tau), 0.0, dt)[0]
    np.testing.assert_allclose(noise.autocovariance([0, *k], dt), [own, *later], rtol=1e-8, atol=1e-25)
    assert noise.increment_scale(dt) == pytest.approx(math.sqrt(own), rel=1e-9)


def test_coloured_noise_of_no_memory_is_white():
    noise = OrnsteinUhlenbeckNoise(1e-7, 2.0)
    np.testing.assert_allclose(noise.autocovariance([0, 1, 2], 0.25), [1.0, 0.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("d", [-0.4, 0.0, 0.3])
def test_fractional_integration_by_its_recursion(d):
    """``r_k = r_(k-1) (k - 1 + d) / (k - d)`` (Hosking 1981), and the transform of its spectrum."""
    noise, r = arfima(d, sigma=2.0), [4.0]
    for k in range(1, 200):
        r.append(r[-1] * (k - 1 + d) / (k - d))
    np.testing.assert_allclose(noise.autocovariance(range(200)), r, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(4.0 * spectral_autocovariance(noise.spectrum, 200), r, atol=1e-11)


def test_fractional_integration_of_a_moving_average():
    """The autocovariance is that of plain integration, filtered by the square of the moving average."""
    plain, noise = arfima(0.3), arfima(0.3, ma=(0.5,), sigma=3.0)
    r = 1.25 * plain.autocovariance(range(9)) + 0.5 * (
        plain.autocovariance(range(1, 10)) + plain.autocovariance(range(-1, 8))
    )
    np.testing.assert_allclose(noise.autocovariance(range(9)), 9.0 * r / r[0], atol=1e-8)


@pytest.mark.parametrize(("hurst", "tempering"), [(0.3, 0.05), (0.7, 0.5)])
def test_tempered_noise_by_its_spectral_integral(hurst, tempering):
    """``int (1 - cos w t) (tempering^2 + w^2)^(-H-1/2) dw`` is the variance of the motion, up to a factor."""

    def variance(t):
        smooth = integrate.quad(lambda w: (tempering**2 + w**2) ** (-hurst - 0.5), 0.0, np.inf)[0]
        wave = integrate.quad(lambda w: (tempering**2 + w**2) ** (-hurst - 0.5), 0.0, np.inf, weight="cos", wvar=t)[0]
        return smooth - wave

    v = np.array([0.0, *(variance(float(t)) for t in range(1, 6))])
    wanted = [1.0, *((v[k + 1] + v[k - 1] - 2.0 * v[k]) / (2.0 * v[1]) for k in range(1, 5))]
    found = tempered_fgn(hurst, tempering).autocovariance(range(5))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.slow
def test_tempered_noise_is_streamed_where_real_poles_reach_it():
    assert tempered_fgn(0.3, 0.01, method="streaming").model(500).certificate.kl <= 1e-8


@pytest.mark.slow
def test_spread_of_a_chain_under_fractional_integration():
    """Stationary variance of ``x' = .9 x + xi`` at d = .3, by 8000 paths of 300 steps: an error of 8 % is seen."""
    noise = arfima(0.3)
    x = signal.lfilter([1.0], [1.0, -0.9], noise.sample(300, 8000, seed=4), axis=1)[:, -1]
    z = ((x**2).mean() / chain_variance(0.9, noise.autocovariance) - 1.0) * np.sqrt(x.size / 2.0)
    assert abs(z) < threshold(1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: arfima(0.5), r"d must lie in \[-0.49, 0.49\], got 0.5"),
        (lambda: arfima(0.2, ar=(1.1,)), "ar must have all roots"),
        (lambda: tempered_fgn(1.0, 0.1), "hurst must lie in"),
        (lambda: tempered_fgn(0.5, 1e-4), r"tempering must lie in \[0.001, 50.0\]"),
        (lambda: OrnsteinUhlenbeckNoise(0.0), "correlation_time must be positive"),
    ],
)
def test_bad_input_of_named_noises(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_presets_take_the_ways_out_that_a_refused_fit_advises():
    """ARFIMA of d = 0.2 and a real root of 0.9 is not met by the fit; exact paths have its covariance at six lags."""
    with pytest.raises(ValueError, match="Take method='circulant', a larger tolerance"):
        arfima(0.2, (0.9,)).sample(64, seed=1)
    exact = arfima(0.2, (0.9,), method="circulant")
    n, lags = 20_000, np.arange(6)
    rows = exact.sample(64, n, seed=1)
    products = rows[:, :1] * rows[:, lags]
    z = (products.mean(axis=0) - exact.autocovariance(lags)) / (products.std(axis=0) / np.sqrt(n))
    assert np.abs(z).max() < threshold(6)
    for noise in (arfima(0.3, tolerance=1e-4), tempered_fgn(0.3, 0.1, 1.0, "streaming", 1e-4)):
        assert noise.tolerance == 1e-4
