"""The cache of compiled kernels is a help: without a place for it, with damaged files or a full disk all works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

import fbmsde
from fbmsde.core import cached
from fbmsde.core.cached import cached_kernel

PACKAGE = Path(fbmsde.__file__).parent
NO_COMPILER = bool(numba.config.DISABLE_JIT)
SCRIPT = """
import fbmsde, fbmsde.plots, fbmsde.cli
print(fbmsde.fgn(0.5, 3, 1, seed=1).tolist())
"""


@pytest.fixture
def sealed(tmp_path):
    """A copy of the package and a home in which nobody, root included, can write the caches."""
    shutil.copytree(PACKAGE, tmp_path / "fbmsde", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "fbmsde" / "__pycache__").touch()
    (tmp_path / "home").touch()
    hidden = ("NUMBA_CACHE_DIR", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return environment | {"HOME": str(tmp_path / "home"), "PYTHONPATH": str(tmp_path)}


def run(arguments, environment, folder):
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_package_works_where_nothing_can_be_written(sealed, tmp_path):
    expected = fbmsde.fgn(0.5, 3, 1, seed=1).tolist()
    done = run(["-c", SCRIPT], sealed, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(expected)
    assert str(tmp_path / "fbmsde") in run(["-c", "import fbmsde; print(fbmsde.__file__)"], sealed, tmp_path).stdout


@pytest.mark.slow
def test_command_says_nothing_of_missing_caches(sealed, tmp_path):
    done = run(["-m", "fbmsde", "--version"], sealed, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def twice(x):
    return 2.0 * x


def in_folder(monkeypatch, folder):
    """A fresh kernel whose cache lies in the folder."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(folder))
    return cached_kernel(twice)


needs_compiler = pytest.mark.skipif(NO_COMPILER, reason="nothing is compiled")


@needs_compiler
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", ["cut", "garbled", "empty", "folder"])
def test_damaged_files_are_replaced(suffix, damage, tmp_path, monkeypatch):
    assert in_folder(monkeypatch, tmp_path)(1.5) == 3.0
    (path,) = tmp_path.rglob(f"*{suffix}")
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    else:
        path.write_bytes({"cut": content[:-20], "garbled": b"\x80\x05garbled", "empty": b""}[damage])
    assert in_folder(monkeypatch, tmp_path)(1.5) == 3.0
    if damage != "folder":
        kernel = in_folder(monkeypatch, tmp_path)
        assert kernel(1.5) == 3.0
        assert sum(kernel.stats.cache_hits.values()) == 1, "the damaged file must have been replaced"


@needs_compiler
def test_kernel_is_found_again_on_disk(tmp_path, monkeypatch):
    hits = []
    for _ in range(2):
        kernel = in_folder(monkeypatch, tmp_path)
        kernel(1.5)
        hits.append(sum(kernel.stats.cache_hits.values()))
    assert hits == [0, 1]


@needs_compiler
def test_full_disk_is_no_error(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    kernel = in_folder(monkeypatch, tmp_path)
    monkeypatch.setattr(kernel._cache._cache_file, "_save_data", full)
    assert kernel(np.ones(2)).tolist() == [2.0, 2.0]


def test_only_this_module_asks_for_caching():
    """numba's own option raises where it finds no place for the files."""
    asking = [path.stem for path in PACKAGE.glob("*.py") if "cache=True" in path.read_text()]
    assert not asking
    assert "FunctionCache" in Path(cached.__file__).read_text()
