"""The study of views: matched strengths, predictions, and what its tables and files say."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats

from fbmsde import EpochNoise, FractionalNoise, MixedNoise, StableNoise, quadratic, simulate_paths
from fbmsde.drivers.sample import sample
from fbmsde.studies.views import cells, study, views_study
from fbmsde.studies.views.matching import scaled_to, spread_quartile, stable_quartile, step_quartile
from fbmsde.studies.views.wells import Parabola, families

from ..conftest import threshold

NOISES = {"stable": StableNoise(1.5), "epochs": EpochNoise(640, 64), "H = 0.3": FractionalNoise(0.3)}


@pytest.mark.parametrize("alpha", [0.8, 1.0, 1.5, 2.0])
def test_stable_quartile_is_that_of_scipy(alpha):
    assert stable_quartile(alpha) == pytest.approx(stats.levy_stable(alpha, 0.0).ppf(0.75), rel=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_quartiles_are_those_of_simulated_chains(noise):
    """A quarter of the steps and of the stationary states lie above the quartile; 8 % of its size are seen."""
    dt, a, n = 0.1, 1.0, 10_000
    steps = sample(noise, 1, n, dt=dt, seed=1)[:, 0]
    ends = simulate_paths(quadratic(a), noise, 0.0, dt=dt, n_steps=150, n_paths=n, seed=2, save_every=150).values[:, -1]
    for values, quartile in ((steps, step_quartile(noise, dt)), (ends, spread_quartile(noise, a, dt))):
        z = (np.mean(values > quartile) - 0.25) / math.sqrt(0.25 * 0.75 / n)
        assert abs(z) < threshold(2 * len(NOISES))


def test_strength_is_linear():
    for noise in NOISES.values():
        assert step_quartile(scaled_to(noise, 3.0), 0.1) == pytest.approx(3.0 * step_quartile(noise, 0.1))
        assert spread_quartile(scaled_to(noise, 3.0), 1.0, 0.1) == pytest.approx(3.0 * spread_quartile(noise, 1.0, 0.1))


def test_families_hold_what_they_say():
    for family in families(Parabola("middle", 2.0, 1.5)):
        held = [getattr(well, family.held) for well in family.wells]
        assert held == pytest.approx([held[0]] * len(held))
        assert len({getattr(well, family.varied) for well in family.wells}) == 4


def test_epochs_that_never_end_are_predicted_as_brownian_noise():
    well, dt = Parabola("w", 1.0, 2.0), 0.05
    name, mean = cells.predicted_mean(EpochNoise(64_000_000, 64, math.sqrt(dt)), well, dt)
    assert (name, mean) == (name, pytest.approx(cells.predicted_mean(FractionalNoise(0.5), well, dt)[1], rel=1e-3))


@pytest.fixture(scope="module")
def small():
    noises = {"Brownian": FractionalNoise(0.5), "stable": StableNoise(1.5)}
    return views_study(noises, n_paths=400, horizon=4000.0, dt=0.05, height=1.5)


@pytest.mark.slow
def test_brownian_times_follow_height_and_stable_ones_width(small):
    """The stable exponents are 0 in the height and alpha in the width, where Brownian noise has neither."""
    found = {(d.view, d.varied): d for d in small.dependences if d.held != "curvature"}
    height, width = found["Brownian", "height"], found["stable", "width"]
    for exact in (height, found["Brownian", "width"]):
        half = exact.measured.high - exact.measured.value
        assert abs(exact.measured.value - exact.predicted) < 2.5 * half  # 4.9 standard errors
    assert found["stable", "height"].measured.high < height.measured.low
    assert width.measured.low > 0.5 and found["stable", "height"].predicted == 0.0 and width.predicted == 1.5


@pytest.mark.slow
def test_brownian_mean_is_the_predicted_one(small):
    for row in small.rows:
        if row.view == "Brownian":
            half = (row.mean.high - row.mean.low) / 2.0
            assert row.formula == "ou_mean_exit_grid" and abs(row.mean.value - row.predicted) < 2.5 * half


@pytest.mark.slow
def test_files_hold_the_study(small, tmp_path):
    table, record, picture = small.save(tmp_path)
    assert len(table.read_text().splitlines()) == 1 + len(small.rows) + sum(len(d.rows) for d in small.dependences)
    assert len(json.loads(record.read_text())["rows"]) == len(small.rows)
    assert picture.stat().st_size > 10_000
    assert "empties first" in small.table and max(map(len, small.table.splitlines())) <= 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"views": {}}, "views must hold at least one noise, got none"),
        ({"views": [1]}, "views must be"),
        ({"sharp": 1.0}, "sharp must exceed flat, got 1.0 and 1.0"),
        ({"dt": 0.6}, "dt must be below 0.5 for chains that are stable, got 0.6"),
        ({"n_paths": 0}, "n_paths must be"),
        ({"views": {"two": MixedNoise(FractionalNoise(0.5), FractionalNoise(0.3))}}, "noise must have one strength"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        views_study(**options)


@pytest.mark.slow
def test_interruption_keeps_what_is_finished(monkeypatch):
    calls = []

    def stop(*args):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(1)
        return real(*args)

    real = study.run_cell
    monkeypatch.setattr(study, "run_cell", stop)
    with pytest.raises(study.InterruptedViewsError) as caught:
        views_study({"Brownian": FractionalNoise(0.5)}, n_paths=100, height=0.5, dt=0.05)
    assert len(caught.value.study.rows) == 2 and "Interrupted" in caught.value.study.table
