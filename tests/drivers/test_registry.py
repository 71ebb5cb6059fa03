"""Drivers by name: every name builds a driver, and what is unknown is refused with what there is."""

from __future__ import annotations

import numpy as np
import pytest

from fbmsde import (
    ArmaNoise,
    EpochNoise,
    FractionalNoise,
    MixedNoise,
    OrnsteinUhlenbeckNoise,
    PopulationNoise,
    StableNoise,
    arfima,
    tempered_fgn,
)
from fbmsde.drivers.base import Driver
from fbmsde.drivers.registry import NOISES, named_noise

TEXTS = {
    "fractional": ("fractional:hurst=0.3,sigma=2", FractionalNoise(0.3, 2.0)),
    "white": ("white", FractionalNoise(0.5)),
    "epoch": ("epoch:n_samples=100, batch_size=10, phase=none", EpochNoise(100, 10)),
    "population": ("population:samples=SAMPLES,batch_size=2,replacement=true", PopulationNoise([1.0, 2.0], 2, True)),
    "stable": ("stable:alpha=1.5", StableNoise(1.5)),
    "ornstein_uhlenbeck": ("ornstein_uhlenbeck:correlation_time=0.5", OrnsteinUhlenbeckNoise(0.5)),
    "arfima": ("arfima:d=0.3,sigma=2", arfima(0.3, sigma=2.0)),
    "tempered_fgn": ("tempered_fgn:hurst=0.7,tempering=0.05", tempered_fgn(0.7, 0.05)),
    "arma": ("arma:ar=0.5;-0.2,ma=0.1;", ArmaNoise((0.5, -0.2), (0.1,))),
}


@pytest.fixture
def samples(tmp_path):
    np.save(tmp_path / "samples.npy", [1.0, 2.0])
    return str(tmp_path / "samples.npy")


@pytest.mark.parametrize("name", TEXTS)
def test_names(name, samples):
    text, driver = TEXTS[name]
    assert named_noise(text.replace("SAMPLES", samples)) == driver


@pytest.mark.parametrize("name", NOISES)
def test_every_name_tells_what_it_needs(name):
    try:
        assert isinstance(named_noise(name), Driver)
    except ValueError as error:
        assert f"noise {name} must have " in str(error)


def test_sums():
    found = named_noise("fractional:hurst=0.3,sigma=1e+1 + stable:alpha=1.5")
    assert found == MixedNoise(FractionalNoise(0.3, 10.0), StableNoise(1.5))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pink", r"noise must be one of fractional, white, epoch, population, stable, arma, .*, got 'pink'"),
        ("epoch:n_samples=100", "noise epoch must have batch_size, got 'epoch:n_samples=100'"),
        ("epoch:n=100", "noise epoch must have each of the parameters n_samples, batch_size, .* got 'n=100'"),
        ("stable:alpha=1,alpha=2", "at most once, got 'alpha=2'"),
        ("stable:1.5", "at most once, got '1.5'. Write NAME:key=value"),
        ("stable:alpha=3", r"alpha must lie in \(0, 2\], got 3"),
        ("arma:ar=0.5;x", "numbers between semicolons, got 'x'"),
        ("population:samples=a.csv,batch_size=2", r"samples must name a file that ends in \.npy, got 'a\.csv'"),
        ("white+", r"noise must be one of .* got 'white\+'"),
    ],
)
def test_bad_input(text, message):
    with pytest.raises(ValueError, match=message):
        named_noise(text)


def test_text_is_a_text():
    with pytest.raises(TypeError, match=r"noise must be a str, got 3\. Write NAME:key=value"):
        named_noise(3)


def test_anti_pgd_is_the_difference_of_white_noise():
    np.testing.assert_allclose(named_noise("anti_pgd:sigma=2").autocovariance([0, 1, 2]), [4.0, -2.0, 0.0], atol=1e-12)
