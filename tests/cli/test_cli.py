"""The command line: what it prints and writes, and how it fails."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from typer.testing import CliRunner

import fbmsde
from fbmsde import EpochNoise, FractionalNoise, MixedNoise, PopulationNoise
from fbmsde.cli import app, main
from fbmsde.core.blocks import Stopped
from fbmsde.simulation.passage_problem import PassageProblem
from fbmsde.studies.escape.rates import QUICK as RATES_QUICK
from fbmsde.studies.escape.rates import RATES_HURST, escape_rates

QUICK = ["escape", "--hurst", "0.5", "--paths", "200", "--horizon", "10", "--dt", "0.01", "--continuous", "0"]

TINY = ["escape", "--hurst", "0.5", "--paths", "30", "--horizon", "2", "--dt", "0.1", "--continuous", "0"]


def call(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def written_in(folder):
    """Names of what a user sees in a folder, hidden files aside, and nothing half written among the hidden ones."""
    names = sorted(path.name for path in folder.iterdir())
    assert not [name for name in names if name.endswith(".part")]
    return [name for name in names if name[0] != "."]


@pytest.mark.slow
def test_escape_prints_and_writes(tmp_path):
    result = call(*QUICK, "--out", tmp_path / "new")
    assert result.exit_code == 0, result.output
    assert "mean exit time [95 %]" in result.output
    assert "empties first" in result.output
    assert written_in(tmp_path / "new") == ["escape.csv", "escape.json", "escape.png"]


@pytest.mark.slow
def test_earlier_study_is_not_overwritten_silently(tmp_path):
    (tmp_path / "escape.csv").write_text("precious")
    result = call(*QUICK, "--out", tmp_path)
    assert result.exit_code == 1
    assert "error: out must not hold earlier results, got" in result.output
    assert (tmp_path / "escape.csv").read_text() == "precious"
    assert call(*QUICK, "--out", tmp_path, "--overwrite").exit_code == 0
    assert (tmp_path / "escape.csv").read_text() != "precious"


def test_help_tells_the_defaults_of_rare_escapes():
    told = " ".join(call("escape", "--help").output.replace("│", " ").split())
    usual = {name: each.default for name, each in inspect.signature(escape_rates).parameters.items()}
    assert f"with --rare {','.join(map(str, RATES_HURST))})" in told
    assert f"with --rare {usual['n_paths']}, and {RATES_QUICK[1]} with --quick" in told
    assert f"none; with --rare {usual['relative_error']}, and {RATES_QUICK[2]} with --quick" in told


@pytest.mark.slow
def test_rare_escapes_are_printed_and_written(tmp_path):
    few = ["--hurst", "0.5", "--barriers", "2.5", "--paths", "1e3", "--until-relative-error", "0.5"]
    command = ["escape", "--rare", *few, "--store", tmp_path, "--out", tmp_path]
    result = call(*command)
    assert result.exit_code == 0, result.output
    assert "equal rates at k [95 %]" in result.output
    assert written_in(tmp_path) == ["escape_rates.csv", "escape_rates.json", "escape_rates.png", "results.zarr"]
    assert "out must not hold earlier results" in call(*command).output


def test_escape_goes_on_in_its_store(tmp_path, monkeypatch):
    """After an interruption the same command ends the study: nothing has to be replaced, and nothing runs twice."""
    command = [*TINY, "--store", tmp_path / "kept", "--out", tmp_path / "out", "--jobs", 1]
    ends, run = PassageProblem.ends, []

    def second_interrupted(problem, *args, **options):
        run.append(problem.landscape.params)
        if problem.landscape.params == (1.0,):
            raise KeyboardInterrupt
        return ends(problem, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(PassageProblem, "ends", second_interrupted)
        result = call(*command)
    assert result.exit_code == 130
    assert f"1 of 2 blocks are safe in {tmp_path / 'kept'}. Run the same again to go on." in result.stderr
    assert "Interrupted: only the 1 rows above were finished." in result.stdout
    assert written_in(tmp_path / "out") == []
    monkeypatch.setattr(PassageProblem, "ends", lambda p, *a, **o: run.append(p.landscape.params) or ends(p, *a, **o))
    result = call(*command)
    assert result.exit_code == 0, result.output
    assert run.count((4.0,)) == 1
    assert written_in(tmp_path / "out") == ["escape.csv", "escape.json", "escape.png"]
    again = call(*command)
    assert again.exit_code == 1 and "out must not hold earlier results" in again.output
    assert f"Add --overwrite to write them anew, for which nothing that {tmp_path / 'kept'} keeps is" in again.output
    before = len(run)
    assert call(*command, "--overwrite").exit_code == 0
    assert len(run) == before
    other = call(*command, "--sharp", 5, "--overwrite")
    assert other.exit_code == 1
    assert "landscape.params" in other.output and "asked" in other.output and "\n" not in other.output.strip()


def test_escape_may_write_into_its_store(tmp_path):
    command = [*TINY, "--store", tmp_path, "--out", tmp_path]
    assert call(*command).exit_code == 0
    assert written_in(tmp_path) == ["escape.csv", "escape.json", "escape.png", "results.zarr"]
    again = call(*command)
    assert again.exit_code == 1 and "out must not hold earlier results" in again.output
    assert call(*command, "--overwrite").exit_code == 0


def test_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    result = call("escape", "--paths", "1e9", "--out", tmp_path / "file" / "below")
    assert result.exit_code == 1
    assert "error: out must be a folder that can be written, got" in result.output


def test_sgd_sets_step_and_strength(tmp_path):
    sgd = ["--hurst", "0.3,0.7", "--from-sgd", 0.01, 20.0, "--paths", 50, "--horizon", 1, "--continuous", 0]
    result = call("escape", *sgd, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    settings = json.loads((tmp_path / "escape.json").read_text())["settings"]
    assert settings["dt"] == 0.01
    assert settings["sigma"] == pytest.approx([0.01**0.7 * 20.0, 0.01**0.3 * 20.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["escape", "--hurst", "1.5"], "error: hurst must lie in (0, 1), got 1.5."),
        (["escape", "--hurst", "a,b"], "error: hurst must be numbers separated by commas, or a range as 0.3:0.7:0.1,"),
        (["escape", "--sigma", "-1"], "error: sigma must be positive and finite, got -1.0."),
        (["escape", "--paths", "0"], "error: n_paths must be at least 1, got 0."),
        (["escape", "--landscape", "moon"], "error: landscape must be one of quadratic"),
        (["escape", "--from-sgd", "0", "1"], "error: learning_rate must be positive and finite, got 0.0."),
        (["escape", "--landscape-params", "sharp"], "error: landscape_params must be name=number, separated by commas"),
        (["escape", "--landscape-params", "a=1,a=2"], "error: landscape_params must give each parameter once, got a"),
        (["escape", "--landscape", "double_well", "--landscape-params", "k=1"], "error: landscape_params must be para"),
        (
            ["escape", "--landscape", "double_well", "--flat", "2", "--landscape-params", "flat=1"],
            "error: --flat must not be given with --landscape-params flat, which sets it too, got 2.0.",
        ),
        (
            ["escape", "--landscape", "rippled_well", "--height", "2"],
            "error: --height must not be given with --landscape rippled_well, which has no such parameter, got 2.0.",
        ),
        (["generate", "x.txt"], "error: out must end in .npy or .csv, got x.txt."),
        (["generate", "x.npy", "--steps", "0"], "error: n_steps must be at least 1, got 0."),
        (["generate", "x.npy", "--paths", "10000000000"], "error: fGn must fit in memory, got 8e+04 GB"),
        (["generate", "x.npy", "--method", "wood"], "error: method must be one of streaming, davies_harte, cholesky"),
        (["generate", "x.npy", "--kind", "fou"], "error: kind must be one of fgn, fbm, got 'fou'."),
        (["generate", "x.npy", "--horizon", "2"], "error: --horizon must not be given with --kind fgn"),
        (["generate", "x.npy", "--noise", "white", "--hurst", "0.5"], "error: --hurst must not be given with --noise"),
        (["generate", "x.npy", "--noise", "white", "--kind", "fgn"], "error: --kind must not be given with --noise"),
        (["generate", "x.npy", "--noise", "pink"], "error: noise must be one of fractional, white, epoch"),
        (["generate", "x.npy", "--noise", "epoch:n_samples=9"], "error: noise epoch must have batch_size"),
        (["escape", "--from-sgd", "0.1", "1", "--dt", "1"], "error: --dt must not be given with --from-sgd"),
        (["escape", "--from-sgd", "0.1", "1", "--sigma", "1"], "error: --sigma must not be given with --from-sgd"),
        (["escape", "--hurst", "0.3:0.7"], "error: hurst must be numbers separated by commas, or a range"),
        (["escape", "--hurst", "0.3:0.7:0"], "error: hurst must be a range from first to last by a step that leads"),
        (["escape", "--hurst", "0.7:0.3:0.1"], "error: hurst must be a range from first to last by a step that leads"),
        (["escape", "--method", "hosking", "--continuous", "9"], "error: continuous must be 0 or None with noise that"),
        (["escape", "--noise", "stable:alpha=1.5", "--continuous", "9"], "error: continuous must be 0 or None with"),
        (["escape", "--noise", "white", "--hurst", "0.5"], "error: --hurst must not be given with --noise"),
        (["escape", "--noise", "white", "--sigma", "1"], "error: --sigma must not be given with --noise"),
        (["escape", "--noise", "white", "--method", "hosking"], "error: --method must not be given with --noise"),
        (["escape", "--noise", "white", "--from-sgd", "1", "2"], "error: --from-sgd must not be given with --noise"),
        (["escape", "--rare", "--dt", "0.1"], "error: --dt must not be given with --rare, which chooses noise"),
        (["escape", "--rare", "--horizon", "9"], "error: --horizon must not be given with --rare"),
        (["escape", "--rare", "--noise", "white"], "error: --noise must not be given with --rare"),
        (["escape", "--rare", "--sigma", "1"], "error: --sigma must not be given with --rare"),
        (["escape", "--rare", "--method", "hosking"], "error: --method must not be given with --rare"),
        (["escape", "--rare", "--solver", "heun"], "error: --solver must not be given with --rare"),
        (["escape", "--rare", "--continuous", "0"], "error: --continuous must not be given with --rare"),
        (["escape", "--rare", "--from-sgd", "1", "2"], "error: --from-sgd must not be given with --rare"),
        (["escape", "--rare", "--barriers", "0.5"], "error: barriers must lie in [1, 20], in standard deviations"),
        (["escape", "--rare", "--until-relative-error", "0"], "error: --until-relative-error must lie in (0, 1)"),
        (["escape", "--until-relative-error", "2"], "error: --until-relative-error must lie in (0, 1), got 2.0"),
        (["escape", "--barriers", "3"], "error: --barriers must be given with --rare alone"),
        (["escape", "--quick"], "error: --quick must be given with --rare alone"),
        (["escape", "--noise", "pink"], "error: noise must be one of fractional, white, epoch"),
        (["sgd", "--samples", "9"], "error: --samples must not be given with --data digits, which has its own size"),
        (["hurst", "x.csv", "--kind", "path", "--null", "block"], "error: null must be one of shuffle, sign_flip"),
        (["hurst", "nowhere.npy", "--kind", "path"], "error: nowhere.npy: No such file or directory"),
    ],
)
def test_bad_input_is_one_line_and_a_non_zero_exit(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call(*arguments)
    assert result.exit_code == 1
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_generate_writes_what_the_library_gives(tmp_path):
    noise, paths = tmp_path / "noise.npy", tmp_path / "paths.csv"
    assert call("generate", noise, "--hurst", 0.3, "--steps", 20, "--paths", 3, "--seed", 5).exit_code == 0
    assert np.array_equal(np.load(noise), fbmsde.fgn(0.3, 20, 3, seed=5))
    assert call("generate", paths, "--kind", "fbm", "--horizon", 2, "--steps", 20, "--paths", 3).exit_code == 0
    assert np.array_equal(np.loadtxt(paths, delimiter=",").T, fbmsde.fbm(0.7, 20, 3, horizon=2.0, seed=0))
    again = call("generate", noise)
    assert again.exit_code == 1
    assert "out must not hold earlier results" in again.output


def test_generate_takes_every_noise_by_name(tmp_path):
    file, table = tmp_path / "x.npy", tmp_path / "x.csv"
    text = "epoch:n_samples=50,batch_size=10,sigma=2+white:sigma=0.5"
    result = call("generate", file, "--noise", text, "--steps", 20, "--paths", 3, "--seed", 5)
    assert result.exit_code == 0 and f"increments of {text}, 3 x 20" in result.stdout
    noise = MixedNoise(EpochNoise(50, 10, 2.0), FractionalNoise(0.5, 0.5))
    assert np.array_equal(np.load(file), noise.sample(20, 3, seed=5))
    samples = np.array([[1.0, 2.0], [3.0, 1.0], [0.0, 0.5], [2.0, 2.0]])
    np.save(tmp_path / "samples.npy", samples)
    text = f"population:samples={tmp_path / 'samples.npy'},batch_size=2"
    assert call("generate", table, "--noise", text, "--steps", 20, "--paths", 3).exit_code == 0
    columns = PopulationNoise(samples, 2).sample(20, 3, seed=0).transpose(1, 0, 2).reshape(20, 6)
    assert np.array_equal(np.loadtxt(table, delimiter=","), columns)


def test_generate_takes_the_noise_of_the_simulations(tmp_path):
    file = tmp_path / "noise.npy"
    assert call("generate", file, "--method", "streaming", "--steps", 20, "--paths", 3, "--seed", 5).exit_code == 0
    assert np.array_equal(np.load(file), fbmsde.StreamingNoise(0.7, 20).sample(3, seed=5))


def test_escape_takes_every_landscape_with_its_parameters(tmp_path, monkeypatch):
    asked = []
    real = fbmsde.escape_study
    monkeypatch.setattr("fbmsde.cli.escape.escape_study", lambda *a, **o: asked.append((a, o)) or real(*a, **o))
    landscape = ("--landscape", "tilted_double_well", "--landscape-params", "height=0.5, tilt=0.1")
    small = ("--hurst", 0.5, "--paths", 50, "--horizon", 5, "--continuous", 0, "--start", "flat", "--out", tmp_path)
    result = call("escape", *landscape, *small)
    assert result.exit_code == 0, result.output
    assert asked[0][1]["landscape_params"] == {"height": 0.5, "tilt": 0.1}
    record = json.loads((tmp_path / "escape.json").read_text())
    assert record["settings"]["landscape"] == "tilted_double_well"
    assert record["rows"][0]["curvature"] == pytest.approx(3.69199)


def test_escape_takes_noises_by_name(tmp_path):
    specs = ["white:sigma=0.8", "stable:alpha=1.5,sigma=0.2", "epoch:n_samples=50,batch_size=10"]
    noises = [word for spec in specs for word in ("--noise", spec)]
    result = call("escape", *noises, "--paths", 30, "--horizon", 2, "--dt", 0.1, "--continuous", 0, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert all(spec in result.output for spec in specs)
    record = json.loads((tmp_path / "escape.json").read_text())
    assert [row["noise"] for row in record["rows"][::2]] == specs
    assert list(record["settings"]["noises"].values())[1] == "StableNoise(alpha=1.5, sigma=0.2)"
    assert written_in(tmp_path) == ["escape.csv", "escape.json", "escape.png"]


def test_hurst_of_a_generated_file(tmp_path):
    file = tmp_path / "noise.csv"
    call("generate", file, "--hurst", 0.3, "--steps", 4000, "--paths", 2)
    result = call("hurst", file, "--kind", "increments")
    assert result.exit_code == 0, result.output
    assert f"read {file}: 4000 values of 2 series, '1', '2'" in result.output
    assert "p(no memory)  p(fGn)" in result.output
    values = [float(line.split()[1]) for line in result.output.splitlines()[2:4]]
    assert values == pytest.approx([0.3, 0.3], abs=0.06)
    assert "p(no memory): by shuffling, that the order of the increments does not matter" in result.output


def test_hurst_says_what_its_interval_allows_for_and_which_copies_it_made(tmp_path):
    """White noise whose size falls tenfold: the interval is robust, and shuffling is named for what it tests."""
    noise = np.random.default_rng(0).standard_normal(1000) * np.geomspace(10.0, 1.0, 1000)
    np.savetxt(tmp_path / "falls.csv", noise, header="falls", comments="")
    printed = {null: call("hurst", tmp_path / "falls.csv", "--kind", "increments", "--null", null).output
               for null in ("shuffle", "sign_flip", "none")}  # fmt: skip
    assert all("allow for sizes that come in clusters or drift: falls" in text for text in printed.values())
    assert "take --null sign_flip" in printed["shuffle"]
    assert "p(no memory): by flipping signs, that the signs of the increments are independent" in printed["sign_flip"]
    assert "p(no memory):" not in printed["none"] and "  nan  " in printed["none"]
    plain = call("hurst", tmp_path / "falls.csv", "--kind", "increments", "--interval", "fgn", "--null", "none")
    assert "allow for" not in plain.output


def test_hurst_prints_what_is_odd_about_a_series(tmp_path):
    """A walk beside its steps, both taken for increments: the walk alone has a note."""
    steps = fbmsde.fgn(0.5, 2000, seed=1)[0]
    np.savetxt(tmp_path / "both.csv", np.column_stack([np.cumsum(steps), steps]), delimiter=",", header="walk,steps",
               comments="")  # fmt: skip
    result = call("hurst", tmp_path / "both.csv", "--kind", "increments")
    assert result.exit_code == 0, result.output
    assert "\nwalk: An H at or above 1 is what a path gives, not its increments: if x is one, pass" in result.output
    assert "\nsteps: " not in result.output


def test_theory_prints_the_registry():
    output = call("theory").output
    assert all(f"`{name}`" in output for name in fbmsde.theory.FORMULAS)


def test_version():
    assert call("--version").output.strip() == f"fbmsde {fbmsde.__version__}"


@pytest.mark.parametrize(
    ("lists", "values"),
    [
        (["0.3,0.5"], [0.3, 0.5]),
        (["0.5", "0.3"], [0.5, 0.3]),
        (["0.3:0.6:0.1"], [0.3, 0.4, 0.5, 0.6]),
        (["0.3,0.30"], [0.3]),
        (["0.5,0.3", "0.3:0.5:0.1"], [0.5, 0.3, 0.4]),
        (["0.5:0.6:0.04 0.7"], [0.5, 0.54, 0.58, 0.7]),
    ],
)
def test_lists_of_hurst_values(tmp_path, monkeypatch, lists, values):
    asked = []

    def noted(hurst, **_options):
        asked.extend(hurst)
        raise ValueError("enough")

    monkeypatch.setattr("fbmsde.cli.escape.escape_study", noted)
    call("escape", *(word for part in lists for word in ("--hurst", part)), "--out", tmp_path)
    assert asked == values


@pytest.mark.parametrize(("text", "exit_code"), [("2e1", 0), ("20.0", 0), ("2_0", 0), ("2.5", 2), ("inf", 2), ("x", 2)])
def test_counts_may_be_written_as_floats(tmp_path, text, exit_code):
    result = call("generate", tmp_path / "x.npy", "--steps", text)
    assert result.exit_code == exit_code, result.output
    if exit_code == 0:
        assert np.load(tmp_path / "x.npy").shape == (1, 20)


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate", "x.npy", "--seed", "1", "--seed", "2"],
        ["escape", "--horizon", "1", "--horizon", "2"],
        ["escape", "--from-sgd", "1", "2", "--from-sgd", "1", "3"],
        ["bench", "--hurst", "0.3", "--hurst", "0.5"],
        ["hurst", "x.csv", "--kind", "path", "--kind", "increments"],
        ["sgd", "--data", "digits", "--data", "synthetic"],
    ],
)
def test_single_option_given_twice_is_wrong_usage(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call(*arguments)
    assert result.exit_code == 2
    assert "must be given once" in result.output


def test_every_command_explains_itself():
    assert "130 interrupted by Ctrl-C, 143 by SIGTERM" in call("-h").output
    assert "--install-completion" in call("-h").output
    for command in ("escape", "generate", "bench", "hurst", "sgd", "theory"):
        assert call(command, "-h").exit_code == 0


def test_hurst_says_what_it_took_and_left_out(tmp_path):
    noise = fbmsde.fgn(0.3, 500, 2, seed=3)
    noise[1, 7] = np.nan
    lines = [",walk,broken", *(f"{i},{a:.6f},{'' if np.isnan(b) else b}" for i, (a, b) in enumerate(noise.T))]
    (tmp_path / "frame.csv").write_text("\n".join(lines))
    result = call("hurst", tmp_path / "frame.csv", "--kind", "increments")
    assert result.exit_code == 1
    assert "500 values of 2 series, 'walk', 'broken', 1 missing; by their spectrum: increments" in result.output
    assert "the column without a name was left out: an index or a time by its name" in result.output
    assert "column 'broken' lacks 1 of 500 values, the first in line 9 (empty)" in result.output
    assert "broken  left out: constant, or with gaps (quadratic_variations takes them)" in result.output
    gaps = call("hurst", tmp_path / "frame.csv", "--kind", "increments", "--method", "quadratic_variations")
    assert gaps.exit_code == 0, gaps.output
    assert "broken  0." in gaps.output
    whole = call("hurst", tmp_path / "frame.csv", "--kind", "increments", "--column", "walk")
    assert whole.exit_code == 0
    assert "\nwalk    0." in whole.output


def test_hurst_reads_standard_input():
    text = "\n".join(f"{v:.5f}".replace(".", ",") for v in fbmsde.fgn(0.3, 300, seed=1)[0])
    result = CliRunner().invoke(app, ["hurst", "-", "--kind", "increments"], input=text)
    assert result.exit_code == 0, result.output
    assert "read -: 300 values of 1 series" in result.output


def test_hurst_warns_of_the_wrong_kind(tmp_path):
    np.save(tmp_path / "walk.npy", fbmsde.fbm(0.7, 1000, seed=1))
    result = call("hurst", tmp_path / "walk.npy", "--kind", "increments")
    assert "H at or above 1 is what a path gives, not its increments: if x is one, pass --kind path (H" in result.output
    assert result.output.count("kind path") == 1 and "looks like" not in result.output
    noise = fbmsde.fgn(0.65, 4000, seed=37)
    np.save(tmp_path / "noise.npy", np.vstack([noise, np.cumsum(noise, axis=1)]))
    result = call("hurst", tmp_path / "noise.npy", "--kind", "path")
    assert "by their spectrum: '1' increments, '2' path\n" in result.output
    assert "\n1: x looks like increments, not like a path: at low frequencies its spectrum is about" in result.output
    assert result.output.count("looks like") == 1 and "Is it --kind increments?" in result.output
    assert "looks like" not in call("hurst", tmp_path / "walk.npy", "--kind", "path").output


def test_a_missing_option_or_argument_is_told_with_what_it_is(tmp_path):
    result = call("hurst", tmp_path / "walk.npy")
    assert result.exit_code == 2
    told = " ".join(result.output.replace("│", " ").split())
    assert "Missing option '--kind': What the file holds. One of increments, path." in told
    assert "Missing argument 'DIR': Folder of the store." in " ".join(call("report").output.split())


def test_hurst_speaks_of_options_in_errors(tmp_path):
    (tmp_path / "pairs.csv").write_text("3,14\n2,71\n")
    result = call("hurst", tmp_path / "pairs.csv", "--kind", "path")
    assert "by --decimal . or --decimal ,, or part" in result.output


def test_interruption_before_the_first_row_leaves_the_folder_free(tmp_path, monkeypatch):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(PassageProblem, "ends", interrupted)
        result = call(*TINY, "--out", tmp_path)
    assert result.exit_code == 130
    assert "interrupted: 0 of 2 blocks are done" in result.output
    assert written_in(tmp_path) == []
    assert call(*TINY, "--out", tmp_path).exit_code == 0


def test_interruption_while_drawing_keeps_the_numbers_and_says_so(tmp_path, monkeypatch):
    def interrupted(_study):
        raise KeyboardInterrupt

    monkeypatch.setattr("fbmsde.plots.escape.plot_escape", interrupted)
    (tmp_path / "escape.png").write_text("of an older study")
    result = call(*TINY, "--out", tmp_path, "--overwrite")
    assert result.exit_code == 130
    assert "mean exit time [95 %]" in result.output
    assert "interrupted while the files were written: escape.png missing in" in result.output
    assert written_in(tmp_path) == ["escape.csv", "escape.json"]


def test_results_are_saved_before_they_are_shown(tmp_path, monkeypatch):
    def closed(*_args, **_options):
        raise BrokenPipeError

    monkeypatch.setattr("typer.echo", closed)
    call(*TINY, "--out", tmp_path)
    assert written_in(tmp_path) == ["escape.csv", "escape.json", "escape.png"]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_sigterm_saves_what_ctrl_c_saves(tmp_path, monkeypatch):
    ends = PassageProblem.ends

    def first_then_terminated(problem, *args, **options):
        if problem.landscape.params == (1.0,):
            os.kill(os.getpid(), signal.SIGTERM)
            while not options["stop"]():
                time.sleep(0.01)
            raise Stopped("in mid-run")
        return ends(problem, *args, **options)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(PassageProblem, "ends", first_then_terminated)
    monkeypatch.setattr(sys, "argv", ["fbmsde", *TINY, "--jobs", "1", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 143
    assert signal.getsignal(signal.SIGTERM) == before
    record = json.loads((tmp_path / "escape.json").read_text())
    assert ([row["well"] for row in record["rows"]], record["complete"]) == (["sharp"], False)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_closed_pipe_is_no_error():
    command = [sys.executable, "-m", "fbmsde", "theory"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode in (0, -signal.SIGPIPE)


TOLD = """
import signal
from fbmsde.campaigns.progress import Log
from fbmsde.cli import main

write = Log.write

def told(log, event, **fields):
    write(log, event, **fields)
    if event == "block":
        print("kept", flush=True)

Log.write = told
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_interrupt_keeps_finished_rows(tmp_path):
    """A real Ctrl-C during the second of two wells, an endless one; it is sent once the paths of the first are kept."""
    command = [sys.executable, "-c", TOLD, "escape", "--hurst", "0.5", "--paths", "1000", "--height", "0.4",
               "--flat", "1e-6", "--horizon", "1e6", "--continuous", "0", "--jobs", "1",
               "--out", str(tmp_path)]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "kept\n"
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Interrupted: only the" in output
    record = json.loads((tmp_path / "escape.json").read_text())
    assert ([row["well"] for row in record["rows"]], record["complete"]) == (["sharp"], False)


@pytest.mark.parametrize("command", ["escape", "generate", ""])
def test_help_shows_no_value_of_a_flag_and_whole_examples(command, monkeypatch):
    """A user types `--overwrite true` if a kind of value is shown, and cannot read an example that is cut."""
    monkeypatch.setenv("COLUMNS", "80")
    shown = call(*command.split(), "--help").output
    assert "bool" not in shown and "=…" not in shown and "_…" not in shown
