"""Kept machine code is found again, is never outdated, and is a help only: without a place for it all works."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

import fbmsde
from fbmsde.core import cache
from fbmsde.core.cache import kept
from fbmsde.drivers.rational import certified
from fbmsde.drivers.rational.targets import FractionalTarget

PACKAGE = Path(fbmsde.__file__).parent
needs_compiler = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
COMPILED = """
import sys
from numba.core import event
listener = event.RecordingListener()
event.register("numba:compile", listener)
{}
print(sum(e.is_start for _, e in listener.buffer), file=sys.stderr)
"""
HELPER = """
from numba import njit

@njit
def weight(x):
    return 3.0 * x
"""
KERNEL = """
from .cache import kernel
from .helper import weight

@kernel
def total(values):
    total = 0.0
    for i in range(values.size + 1):
        total += weight(values[i]) if i < 2 else 0.0
    return total
"""
TOTAL = """
import numpy as np
from fbmsde.core.of_test import total
print(total(np.ones(2)))
"""
EVERYTHING = """
import fbmsde, fbmsde.plots, fbmsde.cli
print(fbmsde.fgn(0.5, 3, 1, seed=1).tolist())
"""


@pytest.fixture
def copied(tmp_path):
    """The environment of a process that finds a copy of the package with a kernel and its helper in another file."""
    shutil.copytree(PACKAGE, tmp_path / "fbmsde", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "fbmsde" / "core" / "helper.py").write_text(HELPER)
    (tmp_path / "fbmsde" / "core" / "of_test.py").write_text(KERNEL)
    return os.environ | {
        "PYTHONPATH": str(tmp_path), "FBMSDE_CACHE_DIR": str(tmp_path / "kept"), "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip


@pytest.fixture
def sealed(copied, tmp_path):
    """The same with a home in which nobody, root included, can write."""
    (tmp_path / "fbmsde" / "__pycache__").touch()
    (tmp_path / "home").touch()
    hidden = ("NUMBA_CACHE_DIR", "FBMSDE_CACHE_DIR", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    return {name: value for name, value in copied.items() if name not in hidden} | {"HOME": str(tmp_path / "home")}


def run(arguments, environment, folder):
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )


def result(script, environment, folder):
    """What a script prints, and how many functions it compiled."""
    done = run(["-c", COMPILED.format(script)], environment, folder)
    assert done.returncode == 0, done.stderr
    return done.stdout, int(done.stderr)


def edit(path, old, new):
    """The same size in the same second: what an edit may look like to who trusts in times and sizes."""
    path.write_text(path.read_text().replace(old, new))


@needs_compiler
def test_an_edit_of_a_helper_is_seen_and_so_is_undoing_it(copied, tmp_path):
    helper = tmp_path / "fbmsde" / "core" / "helper.py"
    assert result(TOTAL, copied, tmp_path) == ("6.0\n", 2)
    assert result(TOTAL, copied, tmp_path) == ("6.0\n", 0)
    edit(helper, "3.0", "5.0")
    assert result(TOTAL, copied, tmp_path) == ("10.0\n", 2)
    edit(helper, "5.0", "3.0")
    assert result(TOTAL, copied, tmp_path) == ("6.0\n", 0)
    assert len(list((tmp_path / "kept").glob("*/*.code"))) == 2


@needs_compiler
def test_code_is_not_kept_when_a_source_has_changed_since_it_was_loaded(copied, tmp_path):
    """It would be kept as that of the new sources."""
    script = "import pathlib, time, fbmsde.core.of_test as of_test\ntime.sleep(0.05)\n"
    script += "path = pathlib.Path(of_test.__file__).with_name('helper.py')\n"
    script += "path.write_text(path.read_text().replace('3.0', '5.0'))\n"
    assert result(script + TOTAL, copied, tmp_path) == ("6.0\n", 2)
    assert not (tmp_path / "kept").exists()
    assert result(TOTAL, copied, tmp_path) == ("10.0\n", 2)


@needs_compiler
def test_flags_of_the_compiler_are_told_apart(copied, tmp_path):
    """The kernel reads beyond the end of its argument."""
    beyond = TOTAL.replace("np.ones(2)", "np.ones(1)")
    result(beyond, copied, tmp_path)
    done = run(["-c", beyond], copied | {"NUMBA_BOUNDSCHECK": "1"}, tmp_path)
    assert "IndexError" in done.stderr
    assert result(TOTAL, copied | {"NUMBA_DISABLE_JIT": "1"}, tmp_path) == ("6.0\n", 0)
    assert result(beyond, copied, tmp_path)[1] == 0


FACTORY = """
import os
from numba import njit
from fbmsde.core.cache import kept
from fbmsde.drivers.rational import streaming

def weighted(weight):
    @njit
    def summed(x):
        total = 0.0
        for i in range(int(x)):
            total += weight * i
        return total

    inner = njit(lambda x: x * weight + summed(x))
    return kept(njit(error_model="numpy")(lambda x: weight * x + inner(x)), f"weighted-{weight}")

def both():
    print(weighted(1.0)(3.0), weighted(2.0)(3.0))
"""


@needs_compiler
def test_closures_of_two_processes_are_not_mixed_up(copied, tmp_path):
    """With functions numbered from 1 in each process, numba calls their helpers the same, and takes the first's."""
    for weight in (1.0, 2.0):
        result(f"{FACTORY}\nweighted({weight})(3.0)", copied, tmp_path)
    assert result(f"{FACTORY}\nboth()", copied, tmp_path) == ("9.0 18.0\n", 0)


@needs_compiler
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_closures_of_forked_processes_are_not_mixed_up(copied, tmp_path):
    fork = "for weight in (1.0, 2.0):\n    if not os.fork():\n        weighted(weight)(3.0)\n        os._exit(0)\n"
    result(f"{FACTORY}\n{fork}    os.wait()", copied, tmp_path)
    assert result(f"{FACTORY}\nboth()", copied, tmp_path) == ("9.0 18.0\n", 0)


EXITS = """
import fbmsde
well = fbmsde.Landscape(lambda x, a: a * x**4 / 4, lambda x, a: a * x**3, params=(2.0,))
for landscape in (fbmsde.quadratic(2.0), well):
    run = dict(domain=(-1.0, 1.0), dt=0.01, horizon=5.0, n_paths=50, seed=1)
    print(fbmsde.first_passage(landscape, fbmsde.FractionalNoise(0.7), 0.0, **run).times.sum())
places = [e.data["dispatcher"].py_func.__module__ for _, e in listener.buffer if e.is_start]
print(sum(place.startswith(("fbmsde.simulation", "fbmsde.drivers")) for place in places))
"""


@needs_compiler
@pytest.mark.slow
def test_second_process_compiles_neither_loops_nor_noise(copied, tmp_path):
    """What is left to compile are the functions of the landscapes, which are looked at for mistakes."""
    *first, compiled = result(EXITS, copied, tmp_path)[0].split()
    assert int(compiled) > 0
    assert result(EXITS, copied, tmp_path)[0].split() == [*first, "0"]


@pytest.mark.slow
def test_package_works_where_nothing_can_be_written(sealed, tmp_path):
    expected = fbmsde.fgn(0.5, 3, 1, seed=1).tolist()
    done = run(["-c", EVERYTHING], sealed, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(expected)
    assert str(tmp_path / "fbmsde") in run(["-c", "import fbmsde; print(fbmsde.__file__)"], sealed, tmp_path).stdout


@pytest.mark.slow
def test_command_says_nothing_of_missing_caches(sealed, tmp_path):
    done = run(["-m", "fbmsde", "--version"], sealed, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def twice(x):
    return 2.0 * x


def thrice(x):
    return 3.0 * x


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder for the code of fresh functions; the sources count as they are, whoever edits them."""
    monkeypatch.setenv("FBMSDE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(cache, "LOADED_NS", sys.maxsize)
    return tmp_path


def fresh(function=twice):
    """A function that was never compiled in this process."""
    return kept(numba.njit(function), "twice")


def hits(dispatcher):
    return sum(dispatcher.stats.cache_hits.values())


def signed(content):
    return hashlib.sha256(content).digest() + content


DAMAGES = {
    "cut": lambda content: content[:-20],
    "garbled": lambda content: b"garbled" * 9,
    "empty": lambda content: b"",
    "flipped": lambda content: content[:99] + bytes([content[99] ^ 1]) + content[100:],
    "no pickle": lambda content: signed(b"\x80\x05garbled"),
    "other pickle": lambda content: signed(pickle.dumps(("a", 1))),
}


@needs_compiler
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_replaced(damage, place):
    assert fresh()(1.5) == 3.0
    (path,) = place.glob("*/*.code")
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    second, third = fresh(), fresh()
    assert (second(1.5), third(1.5)) == (3.0, 3.0)
    assert (hits(second), hits(third)) == (0, 1), "the damaged file must have been replaced"


@needs_compiler
def test_folder_at_the_place_of_a_file_is_no_error(place):
    assert fresh()(1.5) == 3.0
    (path,) = place.glob("*/*.code")
    path.unlink()
    path.mkdir()
    assert fresh()(1.5) == 3.0
    assert [path] == list(path.parent.iterdir()), "nothing must be left beside it"


@needs_compiler
def test_function_is_found_again_by_its_name_and_signature(place):
    assert [(f(1.5), hits(f)) for f in (fresh(), fresh(), fresh(thrice))] == [(3.0, 0), (3.0, 1), (3.0, 1)]
    assert (fresh()(2), fresh()(np.ones(2)).tolist()) == (4.0, [2.0, 2.0])
    assert len(list(place.glob("*/*"))) == 3


@needs_compiler
@pytest.mark.parametrize("names", [("a/b", "a_b"), ("long" * 99 + "1", "long" * 99 + "2")], ids=["odd", "long"])
def test_names_are_told_apart(names, place):
    functions = zip(names, (twice, thrice), strict=True)
    assert [kept(numba.njit(function), name)(1.5) for name, function in functions] == [3.0, 4.5]


@needs_compiler
def test_use_of_a_version_is_noted(place):
    fresh()(1.5)
    (path,) = cache.versions()
    os.utime(path, (1, 1))
    assert fresh()(1.5) == 3.0
    assert path.stat().st_mtime > 1


@needs_compiler
def test_file_of_another_signature_is_not_taken(place):
    fresh()(2.5)
    (floats,) = place.glob("*/*.code")
    fresh(thrice)(2)
    (whole,) = set(place.glob("*/*.code")) - {floats}
    shutil.copy(whole, floats)
    assert fresh()(2.5) == 5.0


@needs_compiler
def test_function_that_takes_functions_is_not_kept(place):
    """Their types are addresses, which belong to another function in another process."""
    apply = kept(numba.njit(lambda function, x: function(x)), "apply")
    assert (apply(numba.njit(twice), 1.5), apply(numba.njit(thrice), 1.5)) == (3.0, 4.5)
    assert not list(place.glob("*/apply*"))


@needs_compiler
def test_full_disk_is_no_error(place, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.os, "replace", full)
    assert fresh()(1.5) == 3.0
    assert not list(place.glob("*/*")), "nothing half-written must stay"


@needs_compiler
def test_folder_that_cannot_be_made_is_no_error(place, monkeypatch):
    (place / "file").touch()
    monkeypatch.setenv("FBMSDE_CACHE_DIR", str(place / "file" / "below"))
    assert fresh()(1.5) == 3.0
    assert (cache.versions(), cache.kernels(), cache.size(), cache.clear()) == ([], [], 0, 0)


def version(folder, digit, used):
    """A version's folder with a file of ten bytes, used so many seconds after the beginning."""
    path = folder / (digit * 32)
    path.mkdir()
    (path / "f.code").write_bytes(b"0123456789")
    os.utime(path, (used, used))
    return path


def test_only_own_folders_are_cleared(place):
    version(place, "a", 1)
    (place / "thesis").mkdir()
    (place / "thesis" / "chapter.code").touch()
    assert (cache.size(), cache.clear(), cache.size()) == (10, 10, 0)
    assert [path.name for path in place.iterdir()] == ["thesis"]


@needs_compiler
def test_versions_used_longest_ago_make_room(place, monkeypatch):
    monkeypatch.setattr(cache, "_stamp", lambda path: os.stat(path).st_mtime_ns)
    old = [version(place, digit, used) for used, digit in enumerate("0123456789ab")]
    fresh()(1.5)
    assert set(cache.versions()[1:]) == set(old[3:])
    assert len(cache.versions()) == 10


@needs_compiler
def test_kernels_used_longest_ago_make_room(place, monkeypatch):
    monkeypatch.setattr(cache, "_MOST_FILES", 2)
    monkeypatch.setattr(cache, "_stamp", lambda path: os.stat(path).st_mtime_ns)
    for name, used in [("older", 1), ("old", 2)]:
        kept(numba.njit(twice), name)(1.5)
        (path,) = place.glob(f"*/{name}-*")
        os.utime(path, (used, used))
    assert kept(numba.njit(twice), "older")(1.5) == 3.0, "a use, after which the other one has to go"
    kept(numba.njit(twice), "new")(1.5)
    assert sorted(path.name.partition("-")[0] for path in cache.kernels()) == ["new", "older"]


def test_results_are_kept_by_their_arguments(place, monkeypatch):
    """A second process is played by a second wrapping of the function, which shares no memory with the first."""
    calls = []

    def power(base, exponents):
        calls.append(base)
        return {"values": np.array([base**e for e in exponents])}

    monkeypatch.setattr(power, "__qualname__", "power")
    first, second = cache.remembered(power), cache.remembered(power)
    assert first(2.0, (1, 2))["values"].tolist() == [2.0, 4.0]
    assert second(2.0, (1, 2))["values"].tolist() == [2.0, 4.0]
    assert second(2.0, (1, 2)) is second(2.0, (1, 2))
    assert calls == [2.0]
    assert second(np.nextafter(2.0, 3.0), (1, 2))["values"][0] > 2.0
    assert second(2.0, (1, 3))["values"].tolist() == [2.0, 8.0]
    assert len(calls) == 3 == len(cache.results())
    assert cache.size() == sum(path.stat().st_size for path in cache.results()) > 0


@pytest.mark.parametrize("damage", [b"", b"short", bytes(200)])
def test_damaged_results_are_computed_anew(place, damage):
    def square(x):
        return x * x

    assert cache.remembered(square)(3.0) == 9.0
    (path,) = cache.results()
    path.write_bytes(damage)
    assert cache.remembered(square)(3.0) == 9.0
    assert path.read_bytes() != damage


def test_results_without_a_place_are_computed(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FBMSDE_CACHE_DIR", str(tmp_path / "file" / "below"))
    assert cache.remembered(lambda x: x + 1.0)(1.0) == 2.0


def test_a_kept_fit_is_the_fit_to_the_bit(place):
    args = FractionalTarget(0.3), 100, 1e-7, 40
    compute = certified.fitted.__wrapped__
    kept_first, again = cache.remembered(compute)(*args), cache.remembered(compute)(*args)
    fresh = compute(*args)
    assert len(cache.results()) == 1 and again is not kept_first
    assert again.certificate == fresh.certificate
    assert np.array_equal(again.model.log_q, fresh.model.log_q) and np.array_equal(again.model.start, fresh.model.start)


def test_place_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("FBMSDE_CACHE_DIR", str(tmp_path / "own"))
    assert cache.folder() == tmp_path / "own"
    monkeypatch.delenv("FBMSDE_CACHE_DIR")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "numba"))
    assert cache.folder() == tmp_path / "numba" / "fbmsde"
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tmp_path in cache.folder().parents


def test_kernel_wants_a_function_of_the_package():
    with pytest.raises(ValueError, match=r"function must stand in a module of fbmsde, got tests.*twice"):
        cache.kernel(twice)


def test_only_this_module_asks_for_caching():
    """numba's own option raises where it finds no place for the files."""
    assert not [path.stem for path in PACKAGE.rglob("*.py") if "cache=True" in path.read_text()]
