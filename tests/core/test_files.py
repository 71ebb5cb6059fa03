"""Files are written whole or not at all, and a folder serves one study at a time."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from fbmsde import Campaign
from fbmsde.cli import app
from fbmsde.core import files
from fbmsde.core.files import claimed, replacing, write_figure, write_text
from fbmsde.studies.escape import study

SMALL = ["--hurst", "0.5", "--paths", "50", "--horizon", "2", "--dt", "0.1", "--continuous", "0", "--jobs", "1"]


def call(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def full_disk(monkeypatch):
    """A disk that is full as soon as a file has to be on it."""

    def no_space(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", no_space)


@pytest.mark.parametrize("name", ["noise.npy", "noise.csv"])
def test_generate_on_a_full_disk_keeps_what_was_there(tmp_path, full_disk, name):
    result = call("generate", tmp_path / name)
    assert result.exit_code == 1
    assert "must be written whole, got: No space left on device. What was there before is as it was." in result.output
    assert list(tmp_path.iterdir()) == []
    (tmp_path / name).write_text("precious")
    assert call("generate", tmp_path / name, "--overwrite").exit_code == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_study_on_a_full_disk_keeps_the_old_tables_and_shows_the_new(tmp_path, full_disk):
    for name in study.FILES:
        (tmp_path / name).write_text("precious")
    result = call("escape", *SMALL, "--out", tmp_path, "--overwrite")
    assert result.exit_code == 1
    assert "mean exit time [95 %]" in result.output
    assert "escape.csv must be written whole" in result.output
    assert {path.name for path in tmp_path.iterdir()} == {*study.FILES, files.LOCK}
    assert (tmp_path / "escape.json").read_text() == "precious"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_file_that_outgrows_the_real_limit(tmp_path):
    """The file system itself refuses after 64 kB."""
    file = tmp_path / "noise.npy"
    file.write_text("precious")
    command = [sys.executable, "-m", "fbmsde", "generate", str(file), "--steps", "1e5", "--overwrite"]
    run = subprocess.run(["bash", "-c", 'ulimit -f 64; exec "$@"', "-", *command], capture_output=True, text=True)
    assert run.returncode == 1, run.stderr
    assert "must be written whole" in run.stderr
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_a_file_made_meanwhile_is_not_replaced(tmp_path):
    file = tmp_path / "noise.npy"
    with pytest.raises(FileExistsError, match="out must not hold earlier results"), replacing(file, overwrite=False):
        file.write_text("of another")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["of another"]


def test_links_and_rights_stay(tmp_path):
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_text(link, "new")
    assert link.is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("new", 0o640)


def test_picture_that_cannot_be_drawn_does_not_leave_an_old_one(tmp_path):
    file = tmp_path / "escape.png"
    write_figure(file, Figure, 50)
    assert file.read_bytes()[:4] == b"\x89PNG"

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_figure(file, interrupted, 50)
    assert list(tmp_path.iterdir()) == []


def test_second_study_in_a_folder_is_refused(tmp_path, monkeypatch):
    second, run = [], Campaign.run

    def with_a_rival(*args, **options):
        if not second:
            second.append(call("escape", *SMALL, "--out", tmp_path, "--overwrite"))
        return run(*args, **options)

    monkeypatch.setattr(Campaign, "run", with_a_rival)
    first = call("escape", *SMALL, "--out", tmp_path)
    assert first.exit_code == 0, first.output
    assert second[0].exit_code == 1
    assert "error: out must be a folder of its own, got" in second[0].output


def test_a_dead_process_holds_no_folder(tmp_path):
    lock = f"import filelock, os; filelock.FileLock({str(tmp_path / files.LOCK)!r}).acquire(); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", lock]).returncode == 9
    with claimed(tmp_path), pytest.raises(ValueError, match="where another study is running"), claimed(tmp_path):
        pass
    with claimed(tmp_path):
        pass


def test_numpy_writes_through(tmp_path):
    with replacing(tmp_path / "noise.npy") as file:
        np.save(file, np.arange(3))
    assert np.load(tmp_path / "noise.npy").tolist() == [0, 1, 2]
