"""The command line: what it prints and writes, and how it fails."""

from __future__ import annotations

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
from fbmsde.cli import app

QUICK = ["escape", "--hurst", "0.5", "--paths", "200", "--horizon", "10", "--dt", "0.01", "--continuous", "0"]


def call(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def written_in(folder):
    """Names of what a user sees in a folder, hidden files aside, and nothing half written among the hidden ones."""
    names = sorted(path.name for path in folder.iterdir())
    assert not [name for name in names if name.endswith(".part")]
    return [name for name in names if name[0] != "."]


def test_escape_prints_and_writes(tmp_path):
    result = call(*QUICK, "--out", tmp_path / "new")
    assert result.exit_code == 0, result.output
    assert "mean exit time [95 %]" in result.output
    assert "empties first" in result.output
    assert written_in(tmp_path / "new") == ["escape.csv", "escape.json", "escape.png"]


def test_earlier_study_is_not_overwritten_silently(tmp_path):
    (tmp_path / "escape.csv").write_text("precious")
    result = call(*QUICK, "--out", tmp_path)
    assert result.exit_code == 1
    assert "error: out must not hold earlier results, got" in result.output
    assert (tmp_path / "escape.csv").read_text() == "precious"
    assert call(*QUICK, "--out", tmp_path, "--overwrite").exit_code == 0
    assert (tmp_path / "escape.csv").read_text() != "precious"


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
        (["escape", "--hurst", "a,b"], "error: hurst must be numbers separated by commas, or a range as 0.3:0.7:0.1, got 'a'."),
        (["escape", "--sigma", "-1"], "error: sigma must be positive and finite, got -1.0."),
        (["escape", "--paths", "0"], "error: n_paths must be at least 1, got 0."),
        (["escape", "--landscape", "moon"], "error: landscape must be one of quadratic"),
        (["escape", "--from-sgd", "0", "1"], "error: learning_rate must be positive and finite, got 0.0."),
        (["generate", "x.txt"], "error: out must end in .npy or .csv, got x.txt."),
        (["generate", "x.npy", "--steps", "0"], "error: n_steps must be at least 1, got 0."),
        (["generate", "x.npy", "--paths", "10000000000"], "error: fGn must fit in memory, got 8e+04 GB"),
        (["generate", "x.npy", "--method", "wood"], "error: method must be one of davies_harte, cholesky, hosking"),
        (["generate", "x.npy", "--kind", "fou"], "error: kind must be one of fgn, fbm, got 'fou'."),
        (["generate", "x.npy", "--horizon", "2"], "error: --horizon must not be given with --kind fgn"),
        (["escape", "--from-sgd", "0.1", "1", "--dt", "1"], "error: --dt must not be given with --from-sgd"),
        (["escape", "--from-sgd", "0.1", "1", "--sigma", "1"], "error: --sigma must not be given with --from-sgd"),
        (["escape", "--hurst", "0.3:0.7"], "error: hurst must be numbers separated by commas, or a range"),
        (["escape", "--hurst", "0.3:0.7:0"], "error: hurst must be a range from first to last by a step that leads"),
        (["escape", "--hurst", "0.7:0.3:0.1"], "error: hurst must be a range from first to last by a step that leads"),
        (["escape", "--method", "hosking", "--continuous", "9"], "error: continuous must be 0 with noise other than"),
        (["sgd", "--samples", "9"], "error: --samples must not be given with --data digits, which has its own size"),
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


def test_hurst_of_a_generated_file(tmp_path):
    file = tmp_path / "noise.csv"
    call("generate", file, "--hurst", 0.3, "--steps", 4000, "--paths", 2)
    result = call("hurst", file, "--kind", "increments")
    assert result.exit_code == 0, result.output
    assert f"read {file}: 4000 values of 2 series, '1', '2'" in result.output
    assert "p(no memory)  p(fGn)" in result.output
    values = [float(line.split()[1]) for line in result.output.splitlines()[2:]]
    assert values == pytest.approx([0.3, 0.3], abs=0.06)


def test_theory_prints_the_registry():
    assert all(f"`{name}`" in call("theory").output for name in fbmsde.theory.FORMULAS)


def test_version():
    assert call("--version").output.strip() == f"fbmsde {fbmsde.__version__}"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_interrupt_keeps_finished_rows(tmp_path):
    """A real Ctrl-C during the second of two wells, an endless one."""
    command = [sys.executable, "-m", "fbmsde", "escape", "--hurst", "0.5", "--paths", "400000", "--height", "0.4",
               "--flat", "1e-6", "--horizon", "8e4", "--out", str(tmp_path)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(20)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted: only the" in output
    assert (tmp_path / "escape.json").exists()
