"""The study: rows, order of the wells, files, and that nothing computed is lost."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from matplotlib.figure import Figure

import fbmsde
from fbmsde import ArmaNoise, EpochNoise, FractionalNoise, Landscape, PopulationNoise, StableNoise, first_passage
from fbmsde.drivers.registry import named_noise
from fbmsde.dynamics.landscapes import LANDSCAPES
from fbmsde.simulation.passage_problem import PassageProblem
from fbmsde.studies.escape import report
from fbmsde.studies.escape.interrupted import InterruptedStudyError
from fbmsde.studies.escape.sources import fractional_noises, noises_by_name
from fbmsde.studies.escape.study import escape_study
from fbmsde.studies.escape.wells import wells_of

PAIR = {"sharp": 4.0, "flat": 1.0, "height": 0.5}
SMALL = {"n_paths": 300, "horizon": 20.0, "dt": 0.01, "n_jobs": 1, "continuous": 0}


@pytest.fixture(scope="module")
def study():
    return escape_study([0.3, 0.5], **SMALL)


@pytest.mark.slow
def test_rows_are_what_first_passage_gives(study):
    row = study.rows[1]
    rim = math.sqrt(2 * 2.0 / 1.0)
    options = {"dt": 0.01, "horizon": 20.0, "n_paths": 300, "seed": 0}
    passages = first_passage(fbmsde.quadratic(1.0), FractionalNoise(0.3), 0.0, (-rim, rim), **options)
    assert (row.hurst, row.well, row.exits) == (0.3, "flat", passages.n_left)
    assert row.mean.value == passages.mean().value
    assert row.rate.value == passages.exit_rate(after=2.0).value


NOISES = {"white": FractionalNoise(0.5), "jumps": StableNoise(1.5, 0.2), "epochs": EpochNoise(1200, 10, 0.2)}
FEW = {"n_paths": 60, "horizon": 10.0, "dt": 0.05, "n_jobs": 1}


@pytest.fixture(scope="module")
def named():
    return escape_study(noises=NOISES, **FEW)


def test_noises_have_rows_under_their_names(named):
    assert [(row.noise, row.hurst) for row in named.rows[::2]] == [("white", 0.5), ("jumps", None), ("epochs", None)]
    assert "H = " not in repr(named) and "white, jumps, epochs" in repr(named)
    for row in named.rows[1::2]:
        rim = math.sqrt(2 * 2.0 / 1.0)
        passages = first_passage(fbmsde.quadratic(1.0), NOISES[row.noise], 0.0, (-rim, rim), dt=0.05, horizon=10.0,
                                 n_paths=60, seed=0)  # fmt: skip
        assert (row.well, row.exits) == ("flat", passages.n_left)
    lines = named.table.splitlines()
    assert lines[0].split()[:2] == ["noise", "well"] and lines[2].startswith("white") and lines[4].startswith("jumps")


def test_white_noise_by_name_is_that_of_one_half(named):
    for row, same in zip(named.rows[:2], escape_study([0.5], **FEW).rows, strict=True):
        assert (row.mean, row.rate, row.predicted) == (same.mean, same.rate, same.predicted)


def test_stable_noise_is_compared_with_single_jumps(named):
    rate = float(fbmsde.theory.FORMULAS["stable_jump_rate"].evaluate(alpha=1.5, sigma=0.2, lower=-1.0, upper=1.0))
    assert named.rows[2].predicted == {"stable_jump_rate": rate}
    assert named.rows[2].reference == rate
    assert report._ratio(named.rows[2], "stable_jump_rate") == named.rows[2].rate.value / rate
    assert named.rows[4].predicted == {} and math.isnan(named.rows[4].reference)
    strong = escape_study(noises={"jumps": StableNoise(1.5)}, **SMALL | {"n_paths": 4})
    assert strong.rows[0].predicted == {}, "the formula is for weak noise"


def test_continuous_time_only_of_noise_that_jumps(named):
    assert named.settings.continuous == 6
    assert named.rows[0].continuous.value > 0
    assert all(math.isnan(row.continuous.value) and "continuous" not in row.note for row in named.rows[2:])
    several = {"axes": FractionalNoise((0.3, 0.7)), "exact": FractionalNoise(0.5, method="cholesky")}
    assert not any(source.jumps for source in noises_by_name(several).sources)


def test_files_of_named_noises_say_which_they_are(named, tmp_path):
    named.save(tmp_path)
    rows = list(csv.DictReader((tmp_path / "escape.csv").read_text().splitlines()))
    assert [(row["hurst"], row["noise"]) for row in rows[::2]] == [("0.5", "white"), ("", "jumps"), ("", "epochs")]
    settings = json.loads((tmp_path / "escape.json").read_text())["settings"]
    assert settings["noises"]["jumps"] == "StableNoise(alpha=1.5, sigma=0.2)"
    assert (settings["hurst"], settings["sigma"], settings["method"]) == ([], [], None)
    sources = fractional_noises([0.3, 0.5], [1.0, 2.5], "hosking").sources
    assert [named_noise(source.name) for source in sources] == [source.noise for source in sources]


def test_plot_of_named_noises_has_them_side_by_side(named):
    axes = named.plot().axes
    assert [ax.get_title() for ax in axes] == ["white", "jumps", "epochs", "Exit rate", "Sharp against flat"]
    assert [label.get_text() for label in axes[3].get_xticklabels()] == ["white", "jumps", "epochs"]
    assert axes[3].get_xlabel() == axes[4].get_xlabel() == "noise"
    assert "sharp well, predicted" in axes[3].get_legend_handles_labels()[1]


def test_noise_that_cannot_serve_is_refused_before_any_path_runs(monkeypatch):
    monkeypatch.setattr(PassageProblem, "ends", None)
    plane = PopulationNoise(np.arange(12.0).reshape(6, 2), 2)
    with pytest.raises(ValueError, match="must"):
        escape_study(noises={"white": FractionalNoise(0.5), "plane": plane}, **SMALL)


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


@pytest.mark.slow
def test_predictions_are_the_registry(study):
    sharp = study.rows[2]
    problem = {"hurst": 0.5, "curvature": 4.0, "sigma": 1.0, "barrier": 1.0, "dt": 0.01, "horizon": 20.0, "sides": 2}
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


@pytest.mark.slow
def test_plot_shows_each_hurst_value(study):
    figure = study.plot()
    assert isinstance(figure, Figure)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["H = 0.3", "H = 0.5", "Exit rate", "Sharp against flat"]


@pytest.mark.slow
def test_plot_of_one_well_has_no_comparison():
    figure = escape_study([0.5], **SMALL | {"n_paths": 40, "landscape": "rippled_well"}).plot()
    assert [ax.get_title() for ax in figure.axes] == ["H = 0.5", "Exit rate"]
    assert figure.axes[1].get_legend_handles_labels()[1] == ["only well, measured"]


@pytest.mark.slow
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


@pytest.mark.parametrize("name", LANDSCAPES)
def test_wells_of_every_landscape(name):
    for well in wells_of(name, PAIR, {}):
        landscape, x = well.landscape, np.asarray(well.x0)
        assert np.allclose(landscape.slope(x), 0.0, atol=1e-9)
        h = 1e-3 * (np.eye(landscape.dim) if landscape.dim > 1 else 1.0)
        bends = (landscape.energy(x + h) - 2.0 * landscape.energy(x) + landscape.energy(x - h)) / 1e-6
        assert well.curvature == pytest.approx(np.min(bends), rel=1e-3)
        if isinstance(well.domain, tuple):
            ends = [end for end in well.domain if math.isfinite(end)]
            assert well.domain[0] < well.x0 < well.domain[1] and ends
            assert name == "quadratic" or np.allclose(landscape.slope(ends), 0.0, atol=1e-9)
        else:
            assert well.domain(well.x0) < 0.0 == well.domain(landscape.saddles[0])
        assert (well.barrier is None) == (name != "quadratic"), "the formulas are those of the quadratic well"


def test_wells_are_named_by_their_curvature():
    def names(name, params):
        return [(well.name, well.curvature) for well in wells_of(name, PAIR, params)]

    assert names("double_well", {}) == [("sharp", 4.0), ("flat", 1.0)]
    assert names("double_well", {"sharp": 0.25, "flat": 9.0}) == [("sharp", 9.0), ("flat", 0.25)]
    assert names("double_well_2d", {"flat": 2.0}) == [("sharp", 4.0), ("flat", 2.0)]
    assert names("tilted_double_well", {"tilt": 0.0}) == [("well 1", 4.0), ("well 2", 4.0)]
    assert [name for name, _ in names("tilted_double_well", {})] == ["sharp", "flat"]
    assert [name for name, _ in names("rippled_well", {})] == ["only"]


@pytest.mark.parametrize(("across", "smallest"), [(20.0, 8.0), (3.0, 3.0)])
def test_the_curvature_of_a_valley_is_its_smallest(across, smallest, monkeypatch):
    valley = Landscape(lambda x, a: (x[0] ** 2 - 1.0) ** 2 + 0.5 * a * x[1] ** 2, None, (across,), 2, "valley",
                       ((-1.0, 0.0), (1.0, 0.0)), ((0.0, 0.0),))  # fmt: skip
    monkeypatch.setitem(LANDSCAPES, "valley", lambda: valley)
    assert [well.curvature for well in wells_of("valley", PAIR, {})] == pytest.approx([smallest] * 2)


def three_wells(spacing=1.0):
    """Minima at -spacing, 0 and spacing; the one in the middle is the flattest."""
    return Landscape(lambda x, s: x**2 * (x**2 - s**2) ** 2 / s**4, None, (spacing,), name="three_wells",
                     minima=(-spacing, 0.0, spacing), saddles=(-spacing / 3**0.5, spacing / 3**0.5))  # fmt: skip


@pytest.mark.slow
def test_a_landscape_that_is_registered_reaches_the_study(monkeypatch):
    monkeypatch.setitem(LANDSCAPES, "three_wells", three_wells)
    options = SMALL | {"n_paths": 40, "landscape": "three_wells", "landscape_params": {"spacing": 2.0}}
    study = escape_study([0.3, 0.5], **options)
    assert [row.well for row in study.rows[:3]] == ["well 1", "well 2", "well 3"]
    assert [row.curvature for row in study.rows[:3]] == pytest.approx([8.0, 8.0, 2.0])
    axes = study.plot().axes
    assert "well 3" in study.table and len(axes) == 3
    assert axes[2].get_legend_handles_labels()[1] == [f"well {i}, measured" for i in (1, 2, 3)]
    assert study.settings.landscape_params == {"spacing": 2.0}
    alone = escape_study([0.5], **options | {"start": "well 3"})
    domain = (-2.0 / 3**0.5, 2.0 / 3**0.5)
    passages = first_passage(three_wells(2.0), FractionalNoise(0.5), 0.0, domain, dt=0.01, horizon=20.0, n_paths=40,
                             seed=0)  # fmt: skip
    assert [row.exits for row in alone.rows] == [passages.n_left] == [study.rows[5].exits]
    assert [*alone.rows[0].predicted, *alone.rows[0].predicted_mean] == ["mean_exit_grid"]


@pytest.mark.slow
@pytest.mark.parametrize("name", LANDSCAPES)
def test_every_landscape_can_be_studied(name):
    study = escape_study([0.5], **SMALL | {"n_paths": 20, "landscape": name, "continuous": 20, "height": 0.5})
    assert all(row.exits > 0 for row in study.rows)


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


@pytest.mark.slow
def test_tables_fit_a_terminal(study):
    assert max(len(line) for line in study.table.splitlines()) <= 80
    assert study.table.count("exit rate [95 %]") == 1
    assert study.table.count("mean exit time [95 %]") == 1


def ended(monkeypatch, curvature, instead):
    """Let the blocks of one well end otherwise."""
    ends = PassageProblem.ends

    def of_one_well(problem, *args, **options):
        return instead() if problem.landscape.params == (curvature,) else ends(problem, *args, **options)

    monkeypatch.setattr(PassageProblem, "ends", of_one_well)


def interrupted():
    raise KeyboardInterrupt


def broken():
    raise fbmsde.PathError.at(7, 3, 0.01)


@pytest.mark.slow
def test_interruption_keeps_what_is_finished(monkeypatch, tmp_path):
    ended(monkeypatch, 1.0, interrupted)
    with pytest.raises(InterruptedStudyError, match="1 of 2 blocks are done") as interruption:
        escape_study([0.5], **SMALL)
    study = interruption.value.study
    assert [row.well for row in study.rows] == ["sharp"]
    assert "Interrupted: only the 1 rows above were finished." in study.table
    assert len(study.save(tmp_path)) == 3
    assert not json.loads((tmp_path / "escape.json").read_text())["complete"]


@pytest.mark.slow
def test_a_broken_path_is_a_note_and_the_rest_goes_on(monkeypatch):
    ended(monkeypatch, 4.0, broken)
    study = escape_study([0.5], **SMALL)
    assert "path 7 must stay finite" in study.rows[0].note
    assert study.rows[1].exits > 0
    assert isinstance(study.plot(), Figure)


@pytest.mark.slow
def test_paths_are_added_until_each_rate_is_known():
    asked = {"n_paths": 1000, "horizon": 20.0, "dt": 0.05, "continuous": 0, "until_relative_error": 0.05}
    study = escape_study([0.5], **asked)
    for row in study.rows:
        half = (row.rate.high - row.rate.low) / 2.0 / row.rate.value
        assert 0.035 < half <= 0.05, "as many paths as are needed, and few more"
        same = escape_study([0.5], **asked | {"n_paths": row.paths, "until_relative_error": None}, start=row.well)
        assert same.rows[0].rate == row.rate
    assert study.rows[0].paths != study.rows[1].paths
    assert study.settings.until_relative_error == 0.05


@pytest.mark.slow
def test_a_study_goes_on_in_its_store_and_refuses_another_one(monkeypatch, tmp_path):
    asked = SMALL | {"store": tmp_path / "kept"}
    with monkeypatch.context() as patch:
        ended(patch, 1.0, interrupted)
        with pytest.raises(InterruptedStudyError, match=r"1 of 2 blocks are safe in .*kept"):
            escape_study([0.5], **asked)
    with monkeypatch.context() as patch:
        ended(patch, 4.0, broken)  # the sharp well is not run again
        study = escape_study([0.5], **asked)
    assert study.table == escape_study([0.5], **SMALL).table
    with pytest.raises(ValueError, match=r"other parameters of 'H = 0\.5, sharp' .*horizon 20\.0 there, 30\.0 asked"):
        escape_study([0.5], **asked | {"horizon": 30.0})
    more = escape_study([0.5], **asked | {"n_paths": 450})
    assert more.table == escape_study([0.5], **SMALL | {"n_paths": 450}).table


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"hurst": []}, ValueError, "hurst must hold at least one value, got none"),
        ({"hurst": [0.5, 1.2]}, ValueError, r"hurst must lie in \(0, 1\), got 1\.2"),
        ({"hurst": [np.nan]}, ValueError, r"hurst must lie in \(0, 1\), got nan"),
        ({"hurst": [0.5, 0.50]}, ValueError, r"hurst must hold different values, got \[0\.5, 0\.5\]"),
        ({"method": "hosking", "continuous": 5}, ValueError, "continuous must be 0 or None with noise that cannot"),
        ({"hurst": None, "noises": NOISES, "continuous": 5}, ValueError, r"cannot jump .*, got 5 with jumps\."),
        ({"noises": NOISES}, ValueError, r"hurst must be None beside noises, got \[0\.5\]"),
        ({"hurst": None, "noises": NOISES, "sigma": 2.0}, ValueError, r"sigma must be None beside noises, got 2\.0"),
        ({"hurst": None, "noises": NOISES, "method": "hosking"}, ValueError, "method must be None beside noises"),
        ({"hurst": None, "noises": {}}, ValueError, "noises must hold at least one noise, got none"),
        ({"hurst": None, "noises": [0.5]}, TypeError, r"noises must be a Mapping, got \[0\.5\]"),
        ({"hurst": None, "noises": {"white": 0.5}}, TypeError, r"noises must be a Driver, got 0\.5"),
        ({"hurst": None, "noises": {1: ArmaNoise()}}, TypeError, r"noises must be a str, got 1"),
        ({"sharp": 1.0}, ValueError, r"sharp must exceed flat, got 1\.0 and 1\.0"),
        ({"height": -1.0}, ValueError, r"height must be positive and finite, got -1\.0"),
        ({"sigma": 0.0}, ValueError, r"sigma must be positive and finite, got 0\.0"),
        ({"dt": np.inf}, ValueError, r"dt must be positive and finite, got inf"),
        ({"seed": 1.5}, TypeError, r"seed must be a whole number, got 1\.5"),
        ({"landscape": "moon"}, ValueError, r"landscape must be one of quadratic, double_well, .*, got 'moon'"),
        ({"landscape_params": 3.0}, TypeError, r"landscape_params must be a Mapping, got 3.0"),
        ({"landscape_params": {"curvature": 2.0}}, ValueError, r"landscape_params must be empty for 'quadratic'"),
        ({"landscape": "double_well", "landscape_params": {"flat": -1.0}}, ValueError, "flat must be positive"),
        ({"landscape": "double_well", "landscape_params": {"k": 1.0}}, ValueError, r"which are sharp = 4\.0.*'k'"),
        ({"landscape": "rippled_well", "landscape_params": {"amplitude": 0.01}}, ValueError, "must have a saddle to"),
        ({"landscape": "rippled_well", "start": "flat"}, ValueError, "start must be one of both, only, got 'flat'"),
        ({"start": "left"}, ValueError, r"start must be one of both, sharp, flat, got 'left'"),
        ({"method": "wood"}, ValueError, r"method must be one of streaming, .*, got 'wood'"),
        ({"continuous": -1}, ValueError, r"continuous must be at least 0, got -1"),
        ({"until_relative_error": 1.5}, ValueError, r"relative_error must lie in \(0, 1\), got 1\.5"),
        ({"n_jobs": -1}, ValueError, r"n_jobs must be at least 1, got -1"),
    ],
)
def test_bad_input(change, error, message):
    with pytest.raises(error, match=message):
        escape_study(**{"hurst": [0.5]} | SMALL | change)
