"""The study of convergence: chains against their exact losses, and what its tables and files say."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from fbmsde import EpochNoise, FractionalNoise, StableNoise
from fbmsde.studies.converge import converge_study, exact
from fbmsde.studies.converge import study as module
from fbmsde.studies.converge.exact import Case

from ..conftest import threshold

NOISES = {"Brownian": FractionalNoise(0.5), "epochs": EpochNoise(256, 64), "stable": StableNoise(1.5)}


@pytest.fixture(scope="module")
def small():
    return converge_study(NOISES, n_steps=320, n_paths=400)


@pytest.mark.slow
def test_losses_are_the_exact_ones(small):
    """Every point of every curve with an exact value; a loss that is 25 % off is seen at 400 paths."""
    z = []
    for curve in small.curves:
        if curve.exact.size:
            known = curve.error > 0
            z.append((curve.loss - curve.exact)[known] / curve.error[known])
    for found in small.dependences:
        z.append((found.measured - found.exact) / found.error)
    for row in small.schedules:
        if not math.isnan(row.exact):
            z.append(np.array([(row.measured.value - row.exact) / ((row.measured.high - row.measured.low) / 3.92)]))
    together = np.concatenate(z)
    # Squares of normal numbers have skewed means: over 400 paths the lower tail is longer by half.
    assert np.abs(together).max() < 1.5 * threshold(together.size)


def test_exact_loss_of_a_constant_schedule_is_that_of_the_curve():
    noise, case = FractionalNoise(0.7), Case(2.0, 0.1)
    rates = np.full(50, 0.1)
    assert exact.scheduled_loss(noise, 2.0, rates, 3.0) == pytest.approx(
        float(exact.loss_curve(noise, case, np.array([50]), 3.0)[0]), rel=1e-9
    )


def test_small_rates_show_the_memory():
    """The plateau falls like the rate to the power 2 - 2H, and to the square for epochs that sum to zero."""
    for noise, power in ((FractionalNoise(0.3), 1.4), (FractionalNoise(0.7), 0.6), (EpochNoise(256, 64), 2.0)):
        small, large = (exact.plateau(noise, Case(1.0, rate)) for rate in (1e-4, 2e-4))
        assert math.log2(large / small) == pytest.approx(power, abs=0.02)


@pytest.mark.slow
def test_stable_noise_has_a_median_and_no_exact_mean(small):
    curves = [curve for curve in small.curves if curve.noise == "stable"]
    assert {curve.statistic for curve in curves} == {"median"} and all(curve.exact.size == 0 for curve in curves)
    assert not [found for found in small.dependences if found.noise == "stable"]


@pytest.mark.slow
def test_files_hold_the_study(small, tmp_path):
    table, record, picture = small.save(tmp_path)
    assert table.read_text().count("\n") > 1000
    assert len(json.loads(record.read_text())["curves"]) == len(small.curves) == 9
    assert picture.stat().st_size > 10_000
    for words in ("learning rate 0.1", "Exponent p", "Double well", "cosine"):
        assert words in small.table


def test_schedules_begin_at_the_rate_and_stay_positive():
    for rates in module.schedules(0.2, 64).values():
        assert rates.shape == (64,) and rates[0] == pytest.approx(0.2) and rates.min() > 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noises": {}}, "noises must hold at least one noise"),
        ({"learning_rate": 2.5}, "learning_rate must be below 2 at momentum 0, got 2.5. The chain is unstable."),
        ({"momentum": 1.0}, "momentum must lie in"),
        ({"n_steps": 3}, "n_steps must be"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        converge_study(**options)
