"""The pool: an interrupt ends every long call, errors come through, progress adds up, results know no thread count."""

from __future__ import annotations

import _thread
import contextlib
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import fbmsde
from fbmsde import FractionalNoise, bridge_passage, estimate_hurst, fbm, fgn, first_passage, quadratic, simulate_paths
from fbmsde.core import bars, telling
from fbmsde.core.blocks import counters, run_blocks, short_ranges

WELL, NOISE, FAR = quadratic(), FractionalNoise(0.5), (-90.0, 90.0)
LONG = {  # a call by its size, a size that only compiles, and one that takes minutes on one core
    "simulate_paths": (
        lambda n: simulate_paths(WELL, NOISE, 0.0, dt=0.1, n_steps=n, n_paths=1, seed=1, save_every=10), 10, 10**9
    ),
    "first_passage": (
        lambda n: first_passage(WELL, NOISE, 0.0, FAR, dt=1e-4, horizon=n, n_paths=2, seed=1), 1, 10**5
    ),
    "continuous": (
        lambda n: first_passage(WELL, NOISE, 0.0, (-0.1, 9.0), horizon=10.0, n_paths=n, seed=1,
                                monitoring="continuous", fine_steps=2**20), 1, 10**7
    ),
    "one path in continuous time": (
        lambda n: first_passage(WELL, NOISE, 0.0, FAR, dt=1e-9 * n, horizon=1.0, n_paths=1, seed=1,
                                monitoring="continuous", fine_steps=2**30), 10**7, 1
    ),
    "bridge_passage": (
        lambda n: bridge_passage(WELL, 1.0, 0.0, FAR, dt=1e-4, horizon=n, n_paths=1, seed=1), 1, 10**6
    ),
    "fgn": (lambda n: fgn(0.7, 2**12, n, seed=1), 2, 150_000),
    "one path of hosking": (lambda n: fgn(0.7, n, method="hosking", seed=1), 9, 600_000),
    "fbm": (lambda n: fbm(0.7, 2**12, n, seed=1), 2, 150_000),
    "estimate_hurst": (
        lambda n: estimate_hurst(np.sin(np.arange(9e3) ** 2), kind="increments", n_surrogates=n).null, 99, 10**6
    ),
}  # fmt: skip
SHORT = ("fgn", "estimate_hurst")  # kernels that are found on disk
SCRIPT = """
import signal
from tests.core.test_threads import LONG
signal.signal(signal.SIGINT, signal.default_int_handler)
call, few, many = LONG["{}"]
call(few)
print("ready", flush=True)
call(many)
"""


def ended():
    """No thread is left after a while that is far shorter than the calls."""
    deadline = time.monotonic() + 10.0
    while (left := [t for t in threading.enumerate() if t.name.startswith("fbmsde")]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not left


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_interrupt_ends_a_long_call(name, interruptible):
    """The kernels hold no interpreter's lock and return only when they look at the flag or have done it all."""
    call, few, many = LONG[name]
    call(few)
    timer, began = threading.Timer(0.5, _thread.interrupt_main), time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        call(many)
    timer.join()
    assert time.monotonic() - began < 20.0
    assert ended()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent")
@pytest.mark.parametrize("name", SHORT)
def test_interrupt_ends_the_process(name):
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(name)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline().strip() == "ready"
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        try:
            errors = process.communicate(timeout=120)[1]
        finally:
            process.kill()
    assert errors.rstrip().endswith("KeyboardInterrupt")


def test_error_of_a_block_ends_the_others():
    control, begun = counters(50), []

    def work(i):
        begun.append(i)
        if i == 3:
            raise ArithmeticError("block 3")
        while i > 3:
            time.sleep(0.001)

    with pytest.raises(ArithmeticError, match="block 3"):
        run_blocks(work, 3, control, 50, False)
    assert len(begun) < 50
    assert control[:, 0].all()


def test_interrupt_of_the_caller_leaves_no_thread(monkeypatch):
    def interrupt(finished):
        raise KeyboardInterrupt

    control = counters(4)

    def work(i):
        control[i, 1] = 1
        while i > 0:
            time.sleep(0.001)

    with pytest.raises(KeyboardInterrupt):
        run_blocks(work, 2, control, 4, interrupt)
    assert ended()


def test_progress_adds_up():
    told, control = [], counters(7)

    def work(i):
        control[i, 1] = i

    run_blocks(work, 2, control, 21, told.append)
    assert sum(told) == 21
    assert all(n > 0 for n in told)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("n_blocks", [1, 3])
@pytest.mark.parametrize("numbers", [2**10, 2**40])
def test_the_caller_does_short_work_that_one_thread_would_do(threads, n_blocks, numbers):
    told, seen, control = [], set(), counters(n_blocks)

    def work(i):
        seen.add(threading.current_thread())
        control[i, 1] = i + 1

    run_blocks(work, threads, control, 6, told.append, numbers=numbers)
    assert sum(told) == n_blocks * (n_blocks + 1) // 2
    assert (seen == {threading.current_thread()}) == (numbers < 2**20 and 1 in (threads, n_blocks))
    with pytest.raises(ZeroDivisionError):
        run_blocks(lambda i: 1 // i, threads, counters(n_blocks), 6, False, numbers=numbers)


def test_counters_of_two_blocks_share_no_line_of_the_cache():
    rows = counters(3)
    assert rows.strides[0] >= 128
    assert all(row.flags.c_contiguous for row in rows)


@pytest.mark.parametrize("n_items", [1, 7, 100])
@pytest.mark.parametrize("numbers", [1, 2**20, 2**30])
def test_short_ranges_cover_all_items(n_items, numbers):
    assert [i for first, last in short_ranges(n_items, numbers) for i in range(first, last)] == list(range(n_items))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["davies_harte", "cholesky", "hosking"])
@pytest.mark.parametrize("dim", [None, 2])
def test_noise_does_not_depend_on_threads(method, dim, monkeypatch):
    monkeypatch.setattr("fbmsde.drivers.exact.generators._PIECE_NUMBERS", 64)
    options = {"method": method, "seed": 4, "dim": dim}
    one = fgn(0.7, 9, 300, n_jobs=1, **options)
    for n_jobs in (2, 3, None):
        assert np.array_equal(fgn(0.7, 9, 300, n_jobs=n_jobs, **options), one)
    told = []
    monkeypatch.setattr("fbmsde.drivers.exact.generators._PIECE_NUMBERS", 2**30)
    assert np.array_equal(fgn(0.7, 9, 300, progress=told.append, **options), one)
    assert sum(told) == 300


@pytest.mark.slow
def test_paths_do_not_depend_on_threads(monkeypatch):
    one = fbm(0.3, 9, 300, seed=4)
    monkeypatch.setattr("fbmsde.drivers.exact.generators._PIECE_NUMBERS", 64)
    assert all(np.array_equal(fbm(0.3, 9, 300, seed=4, n_jobs=n), one) for n in (1, 2, 3))
    assert np.allclose(np.diff(one) * 9**0.3, fgn(0.3, 9, 300, seed=4))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["cholesky", "hosking"])
def test_kernels_may_be_interrupted_between_any_two_rows(method, monkeypatch):
    whole = fgn(0.7, 50, 3, method=method, seed=2)
    monkeypatch.setattr("fbmsde.core.blocks._AT_ONCE", 1)
    fbmsde.generators.make_generator.cache_clear()
    assert np.array_equal(fgn(0.7, 50, 3, method=method, seed=2), whole)


@pytest.mark.slow
def test_second_transform_may_be_interrupted_between_blocks(monkeypatch):
    whole = fgn(0.7, 3000, 3, seed=2)
    monkeypatch.setattr("fbmsde.core.blocks._AT_ONCE", 1)
    assert np.array_equal(fgn(0.7, 3000, 3, seed=2), whole)


@pytest.mark.slow
def test_simulated_paths_and_their_progress_do_not_depend_on_threads():
    told = []
    options = {"dt": 0.1, "n_steps": 5, "n_paths": 300, "seed": 3}
    one = simulate_paths(quadratic(), FractionalNoise(0.5), 1.0, n_jobs=1, progress=told.append, **options).values
    assert sum(told) == 300
    for n_jobs in (2, 3):
        got = simulate_paths(quadratic(), FractionalNoise(0.5), 1.0, n_jobs=n_jobs, **options).values
        assert np.array_equal(got, one)


@pytest.mark.slow
def test_broken_path_does_not_depend_on_threads():
    steep = fbmsde.Landscape(lambda x: x**4, lambda x: 4e3 * x**3)
    found = set()
    for n_jobs in (1, 2, 3):
        with pytest.raises(fbmsde.PathError) as error:
            simulate_paths(steep, FractionalNoise(0.5, sigma=0.05), 0.0, dt=0.1, n_steps=200, n_paths=1000, seed=0,
                           n_jobs=n_jobs)  # fmt: skip
        found.add((error.value.path, error.value.time))
    assert len(found) == 1


@pytest.mark.slow
def test_estimates_do_not_depend_on_threads():
    x = fgn(0.6, 300, 8, seed=1)
    one, two = (estimate_hurst(x, kind="increments", method="dfa", n_jobs=n) for n in (1, 3))
    assert np.array_equal(one.hurst, two.hurst)
    assert np.array_equal(one.null, two.null)


def test_there_is_one_pool_and_one_team():
    """Kernels run on the threads of `core.blocks`; blocks of campaigns are handed to executors in one folder.

    `core.telling` has a thread that waits and looks whether the others compile.
    """
    texts = {path.stem: path.read_text() for path in Path(fbmsde.__file__).parent.rglob("*.py")}
    using = {name for name, text in texts.items() if re.search(r"^(import|from) (threading|concurrent)", text, re.M)}
    assert using == {"blocks", "campaign", "options", "progress", "runner", "teams", "telling"}


def test_bars_are_whole_lines_where_nobody_watches(monkeypatch, capsys):
    """Nothing in a file may clear a line or move the cursor; short runs say nothing."""
    for _ in bars.bar(range(3), desc="short"):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(bars, "EVERY", 1e-9)
    with bars.bar(total=2, unit="path") as outer, bars.bar(total=1, leave=False) as inner:
        outer.update()
        inner.update()
        outer.update()
    told = capsys.readouterr().err
    assert not re.search(r"[\r\x1b]|\n\n", told) and told.endswith("\n")
    assert [line[: line.index("%")].strip() for line in told.splitlines()] == ["50", "100", "100", "100"]


def test_long_compilation_is_told_and_short_one_is_not(monkeypatch, capsys):
    """A thread counts as compiling while a function of the compiler's modules is on its stack."""
    compiler = {"__name__": "numba.core.compiler", "sleep": time.sleep}
    exec("def work(seconds):\n    sleep(seconds)", compiler)
    with telling.compilation_told():
        compiler["work"](0.5)
    assert capsys.readouterr().err == ""
    with telling.compilation_told(patience=0.1):
        compiler["work"](0.7)
        time.sleep(0.5)
        compiler["work"](0.7)
    assert capsys.readouterr().err == "compiling (kept for the next time)\n"  # once, where nobody watches
    monkeypatch.setattr(telling, "is_watched", lambda stream: True)
    monkeypatch.setattr(bars, "is_watched", lambda stream: True)
    with telling.compilation_told(patience=0.1):
        compiler["work"](0.7)
    assert capsys.readouterr().err.count("\rcompiling") == 1
    told = []
    monkeypatch.setattr(telling, "compilation_told", lambda: told.append(1) or contextlib.nullcontext())
    for progress in (False, True, told.append):
        telling.says_when_compiling(lambda *, progress: None)(progress=progress)
    assert told == [1]
