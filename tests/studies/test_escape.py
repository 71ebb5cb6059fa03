"""The study: rows, order of the wells, files, and that nothing computed is lost."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from matplotlib.figure import Figure

import fbmsde
from fbmsde import FractionalNoise, first_passage
from fbmsde.studies.escape import report
from fbmsde.studies.escape.study import InterruptedStudyError, escape_study

SMALL = {"n_paths": 300, "horizon": 20.0, "dt": 0.01, "n_jobs": 1, "continuous": 0}


@pytest.fixture(scope="module")
def study():
    return escape_study([0.3, 0.5], **SMALL)


def test_rows_are_what_first_passage_gives(study):
    row = study.rows[1]
    rim = math.sqrt(2 * 2.0 / 1.0)
    options = {"dt": 0.01, "horizon": 20.0, "n_paths": 300, "seed": 0}
    passages = first_passage(fbmsde.quadratic(1.0), FractionalNoise(0.3), 0.0, (-rim, rim), **options)
    assert (row.hurst, row.well, row.exits) == (0.3, "flat", passages.n_left)
    assert row.mean.value == passages.mean().value
    assert row.rate.value == passages.exit_rate(after=2.0).value


@pytest.mark.slow
def test_continuous_time_is_a_tenth_of_the_paths_unless_chosen():
    rim = math.sqrt(2 * 2.0 / 1.0)
    for chosen, n_paths in ((None, 30), (40, 40)):
        row = escape_study([0.3], start="flat", **SMALL | {"continuous": chosen}).rows[0]
        passages = first_passage(fbmsde.quadratic(1.0), FractionalNoise(0.3), 0.0, (-rim, rim), horizon=20.0,
                                 n_paths=n_paths, seed=0, monitoring="continuous")  # fmt: skip
        assert row.continuous.value == passages.exit_rate(after=2.0).value
        assert report._ratio(row, "pickands") == row.continuous.value / row.predicted["pickands"]
        assert report._ratio(row, "pickands_grid") == row.rate.value / row.predicted["pickands_grid"]


def test_predictions_are_the_registry(study):
    sharp = study.rows[2]
    problem = {"hurst": 0.5, "curvature": 4.0, "sigma": 1.0, "barrier": 1.0, "dt": 0.01, "sides": 2}
    for name, value in (sharp.predicted | sharp.predicted_mean).items():
        assert value == pytest.approx(float(fbmsde.theory.FORMULAS[name].evaluate(**problem)))
    assert {"pickands_euler", "ou_eigenvalue_grid"} <= set(sharp.predicted)


@pytest.mark.slow
def test_study_repeats_and_ignores_threads(study):
    again = escape_study([0.3, 0.5], **SMALL | {"n_jobs": 2})
    assert again.table == study.table


@pytest.mark.slow
def test_files_hold_everything_needed_to_repeat(study, tmp_path):
    paths = study.save(tmp_path)
    assert [p.name for p in paths] == ["escape.csv", "escape.json", "escape.png"]
    assert paths[2].read_bytes()[:4] == b"\x89PNG"
    record = json.loads(paths[1].read_text())
    assert record["settings"]["n_paths"] == 300
    assert record["versions"]["fbmsde"] == fbmsde.__version__
    settings = record["settings"]
    assert escape_study(settings.pop("hurst"), **settings).table == study.table
    rows = list(csv.DictReader(paths[0].read_text().splitlines()))
    assert [float(r["exit_rate"]) for r in rows] == [r.rate.value for r in study.rows]
    assert float(rows[0]["pickands_euler_measured_over_predicted"]) == pytest.approx(
        study.rows[0].rate.value / study.rows[0].predicted["pickands_euler"]
    )


def test_plot_shows_each_hurst_value(study):
    figure = study.plot()
    assert isinstance(figure, Figure)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["H = 0.3", "H = 0.5", "Exit rate", "Sharp against flat"]


def test_order_needs_a_significant_difference(study):
    sharp, flat = study.rows[0], study.rows[1]
    assert report.order(sharp, flat) == "sharp"
    assert report.order(flat, sharp) == "flat"
    assert report.order(sharp, sharp) == "undecided"


@pytest.mark.slow
@pytest.mark.parametrize("landscape", ["double_well", "double_well_2d"])
def test_double_wells_start_in_either_minimum(landscape):
    options = SMALL | {"landscape": landscape, "height": 0.5}
    both = escape_study([0.5], **options)
    assert [row.well for row in both.rows] == ["sharp", "flat"]
    flat = escape_study([0.5], start="flat", **options)
    assert [(row.well, row.exits) for row in flat.rows] == [("flat", both.rows[1].exits)]
    assert ("mean_exit_grid" in flat.rows[0].predicted_mean) == (landscape == "double_well")


@pytest.mark.slow
def test_a_well_that_nobody_leaves_is_a_statement():
    study = escape_study([0.5], **SMALL | {"height": 60.0})
    assert "no path of 300 left before the horizon 20" in study.table
    assert math.isnan(study.rows[0].rate.value)
    assert isinstance(study.plot(), Figure)


def test_everything_left_at_the_first_step_is_a_statement():
    study = escape_study([0.5], **SMALL | {"sigma": 1e6, "continuous": 10})
    assert "every path left at the first step of 0.01" in study.table
    assert "continuous time: x0 must lie farther from the boundary than its shift" in study.table


def test_advice_is_one_that_a_study_can_follow():
    table = escape_study([0.5], **SMALL | {"sigma": 12.0}).table
    assert "Take a higher barrier" in table
    assert "`after`" not in table


def test_tables_fit_a_terminal(study):
    assert max(len(line) for line in study.table.splitlines()) <= 80
    assert study.table.count("exit rate [95 %]") == 1
    assert study.table.count("mean exit time [95 %]") == 1


def test_interruption_keeps_what_is_finished(monkeypatch, tmp_path):
    def first_then_interrupt(landscape, *args, **options):
        if landscape.params == (1.0,):
            raise KeyboardInterrupt
        return first_passage(landscape, *args, **options)

    monkeypatch.setattr("fbmsde.studies.escape.cells.first_passage", first_then_interrupt)
    with pytest.raises(InterruptedStudyError) as interruption:
        escape_study([0.5], **SMALL)
    study = interruption.value.study
    assert [row.well for row in study.rows] == ["sharp"]
    assert "Interrupted: only the 1 rows above were finished." in study.table
    assert len(study.save(tmp_path)) == 3
    assert not json.loads((tmp_path / "escape.json").read_text())["complete"]


def test_a_broken_path_is_a_note_and_the_rest_goes_on(monkeypatch):
    def broken_when_sharp(landscape, *args, **options):
        if landscape.params == (4.0,):
            raise fbmsde.PathError.at(7, 3, 0.01)
        return first_passage(landscape, *args, **options)

    monkeypatch.setattr("fbmsde.studies.escape.cells.first_passage", broken_when_sharp)
    study = escape_study([0.5], **SMALL)
    assert "path 7 must stay finite" in study.rows[0].note
    assert study.rows[1].exits > 0
    assert isinstance(study.plot(), Figure)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"hurst": []}, ValueError, "hurst must hold at least one value, got none"),
        ({"hurst": [0.5, 1.2]}, ValueError, r"hurst must lie in \(0, 1\), got 1\.2"),
        ({"hurst": [np.nan]}, ValueError, r"hurst must lie in \(0, 1\), got nan"),
        ({"hurst": [0.5, 0.50]}, ValueError, r"hurst must hold different values, got \[0\.5, 0\.5\]"),
        ({"method": "hosking", "continuous": 5}, ValueError, r"continuous must be 0 with noise other than 'streaming'"),
        ({"sharp": 1.0}, ValueError, r"sharp must exceed flat, got 1\.0 and 1\.0"),
        ({"height": -1.0}, ValueError, r"height must be positive and finite, got -1\.0"),
        ({"sigma": 0.0}, ValueError, r"sigma must be positive and finite, got 0\.0"),
        ({"dt": np.inf}, ValueError, r"dt must be positive and finite, got inf"),
        ({"seed": 1.5}, TypeError, r"seed must be a whole number, got 1\.5"),
        ({"landscape": "moon"}, ValueError, r"landscape must be one of quadratic, double_well, .*, got 'moon'"),
        ({"start": "left"}, ValueError, r"start must be one of both, sharp, flat, got 'left'"),
        ({"method": "wood"}, ValueError, r"method must be one of streaming, .*, got 'wood'"),
        ({"continuous": -1}, ValueError, r"continuous must be at least 0, got -1"),
        ({"n_jobs": -1}, ValueError, r"n_jobs must be at least 1, got -1"),
    ],
)
def test_bad_input(change, error, message):
    with pytest.raises(error, match=message):
        escape_study(**{"hurst": [0.5]} | SMALL | change)
