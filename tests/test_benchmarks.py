"""The suite of benchmarks: what it makes of times that are known, and one part of it in small."""

from __future__ import annotations

import ctypes
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


class Clock:
    """CPU time that passes only when a run says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def run(self, seconds):
        """Work whose pieces take so long and are ten numbers each."""

        def work(pieces):
            self.now += pieces * seconds
            return 10.0 * pieces

        return work


@pytest.fixture
def timing(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from timing import compare, curves, growth, measure, records

    return {"compare": compare, "curves": curves, "growth": growth, "measure": measure, "records": records}


@pytest.fixture
def row(timing, monkeypatch):
    """A row of known times: ours 1 ms a number, a calibration kernel of 2 ms, peers of 3 ms and of none."""
    measure, clock = timing["measure"], Clock()
    monkeypatch.setattr(measure.time, "process_time", clock)
    monkeypatch.setattr(measure, "calibrate", lambda: 2e6)

    def missing():
        raise ModuleNotFoundError("No module named 'nowhere'")

    def broken():
        raise ValueError("does not know H\nmore")

    peers = (
        measure.Peer("numpy", "good()", lambda: clock.run(0.03)),
        measure.Peer("nowhere", "missing()", missing),
        measure.Peer("scipy", "broken()", broken, "known to be wrong"),
    )
    stored = (measure.Stored("their program", "main", 5.0, "measured elsewhere"),)
    return measure.Row("work", "4 x 10", "ms a number", 1e3, "ours()", lambda: clock.run(0.01), 4, peers, stored)


@pytest.fixture
def results(timing, row):
    measure, records = timing["measure"], timing["records"]
    found = measure.measured("part", row, measure.Settings(turns=3))
    curve = timing["curves"].Curve("ours", "ours(n)", (1, 2, 4, 8), lambda n: (row.make(), n))
    grown = timing["curves"].traced("n", curve, False, 3)
    one = records.Cost.of([2.0, 2.0])
    return records.Results("1.0", "abc", "today", False, 3, {"cores": "2"}, {"numpy": "2"}, one, (found,), (grown,))


def test_row_has_our_cost_and_those_of_peers(results):
    (row,) = results.rows
    assert row.cost.median == pytest.approx(1.0)
    assert row.calibrated.median == pytest.approx(0.5)
    good, missing, broken, stored = row.peers
    assert (good.package, good.version, good.ratio) == ("numpy", np.__version__, pytest.approx(3.0))
    assert good.cost.median == pytest.approx(3.0)
    assert (missing.cost, missing.note, missing.version) == (None, "not installed", "")
    assert broken.note == "fails: ValueError: does not know H; known to be wrong"
    assert (stored.ratio, stored.note) == (pytest.approx(5.0), "measured elsewhere")


def test_what_a_version_lacks_is_told(timing, row):
    measure = timing["measure"]

    def lacking():
        raise AttributeError("no such name")

    found = measure.measured("part", row._replace(make=lacking), measure.Settings())
    assert (found.cost, found.note) == (None, "not in this version: no such name")


def test_results_come_back_from_their_file(timing, results, tmp_path):
    path = tmp_path / "results.json"
    results.save(path)
    assert timing["records"].load(path) == results
    path.write_text(json.dumps({"format": 0}))
    with pytest.raises(ValueError, match="must be a file of format 1"):
        timing["records"].load(path)


@pytest.mark.parametrize(
    ("factor", "verdict", "status"),
    [(1.1, "same (1.10)", 0), (1.3, "SLOWER, 1.30 times the time", 1), (0.5, "faster, 2.00 times", 0)],
)
def test_regressions_end_a_strict_comparison(timing, results, tmp_path, monkeypatch, capsys, factor, verdict, status):
    """A row that has become slower by more than 15 %, at no spread, is shown and gives status 1 on request."""
    import suite

    (row,) = results.rows
    cost = row.calibrated
    slower = replace(row, calibrated=replace(cost, median=factor * cost.median))
    then, now = tmp_path / "then.json", tmp_path / "now.json"
    results.save(then)
    replace(results, rows=(slower,), curves=()).save(now)
    arguments = ["--tables", str(now), "--against", str(then), "--out", str(now)]
    assert suite.main([*arguments, "--strict"]) == status
    assert suite.main(arguments) == 0
    assert ("SLOWER" in capsys.readouterr().out) == (status == 1)
    page = (tmp_path / "now.md").read_text()
    assert f"| {verdict} |" in page
    assert "nowhere `missing()`: not installed" in page
    assert "numpy" in page and "(3 times)" in page
    assert "* scipy, `broken()`: fails: ValueError: does not know H; known to be wrong." in page


def test_growth_has_a_figure_and_a_line_for_each_curve(results, tmp_path):
    import suite

    path = tmp_path / "results.json"
    results.save(path)
    assert suite.main(["--tables", str(path), "--against", str(tmp_path / "none"), "--out", str(path)]) == 0
    assert (tmp_path / "growth_n.png").stat().st_size > 10_000
    page = path.with_suffix(".md").read_text()
    assert "![Length of a path](growth_n.png)" in page
    assert "| ours | `ours(n)` | 1 ... 8 | 0.001 ... 0.001 | 0.00 |" in page


def test_noise_of_the_turns_widens_what_is_the_same(timing, results):
    compare, records = timing["compare"], timing["records"]
    (row,) = results.rows
    spread = replace(row.calibrated, spread=0.1)
    noisy = replace(results, rows=(replace(row, calibrated=spread),))
    (change,) = compare.changes(noisy, noisy)
    assert change.noise == pytest.approx(0.15 + 4 * 0.1)
    assert records.Cost.of([1.0, 2.0, 3.0, 4.0, 5.0]) == records.Cost(3.0, 1.0, 5.0, pytest.approx(1 / 3))


def test_exponent_is_that_of_the_end_that_counts(timing):
    exponent, places = timing["curves"].exponent, np.geomspace(1.0, 64.0, 7)
    values = np.where(places < 8.0, places**-1.0, 0.125 * (places / 8.0) ** 1.5)
    assert exponent(places, values, False) == 1.5
    assert exponent(places, values, True) == -1.0
    assert exponent(places[:1], values[:1], False) is None


def test_curve_ends_where_it_fails_and_says_why(timing):
    curves = timing["curves"]

    def make(place):
        if place > 2:
            raise ValueError("too many")
        return (lambda pieces: float(np.sum(np.ones(1000)) > 0.0)), 1

    found = curves.traced("n", curves.Curve("ours", "ours(n)", (1, 2, 3, 4), make), False, 1)
    assert (found.places, found.note) == ((1.0, 2.0), "at 3: ValueError: too many")


def test_threads_have_the_least_time_of_the_clock(timing, monkeypatch):
    """Turns that other programs made longer, here all but the third, do not count."""
    curves, clock, turns = timing["curves"], Clock(), iter([0.5, 0.9] * 3 + [0.5, 0.25] + [2.0] * 4)
    monkeypatch.setattr(curves.time, "perf_counter", clock)
    monkeypatch.setattr(curves, "_megabytes", lambda run, pieces: 1.0)

    def make(place):
        return (lambda pieces: clock.run(next(turns))(1)), 1

    found = curves.traced("threads", curves.Curve("ours", "ours(n)", (1, 2), make, clock=True), False, 1)
    assert found.seconds == pytest.approx((0.05, 0.025)) and found.exponent == -1.0


def test_parts_of_growth_can_be_asked_for_by_name(timing):
    import suite

    assert tuple(timing["growth"].AXES) == suite.AXES


def test_memory_of_a_call_is_seen_again_when_it_was_freed_before(timing):
    """16 MB are few enough for the process to keep them for its other threads when they are freed there."""

    def run(pieces):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: float(np.ones(pieces).sum())).result()

    found = [timing["curves"]._megabytes(run, 2 * 2**20) for _ in range(4)]
    assert min(found) > 15.0 and max(found) < 20.0


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell the largest memory since a moment")
def test_memory_is_seen_that_python_is_not_asked_for(timing):
    """As that of peers in other languages: here `malloc` by itself."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

    def run(pieces):
        place = libc.malloc(ctypes.c_size_t(pieces))
        ctypes.memset(place, 1, pieces)
        libc.free(place)
        return 1.0

    found = [timing["curves"]._megabytes(run, 16 * 2**20) for _ in range(4)]
    assert min(found) > 15.0 and max(found) < 20.0


@pytest.mark.slow
def test_one_part_in_small(timing, tmp_path):
    import suite

    out = tmp_path / "new" / "results.json"
    assert suite.main(["--quick", "--only", "one_path", "--out", str(out), "--against", str(tmp_path / "none")]) == 0
    found = timing["records"].load(out)
    assert [row.part for row in found.rows] == ["one_path"] * 12
    assert all(row.cost and not row.note for row in found.rows)
    fbm = [peer for row in found.rows for peer in row.peers if peer.package == "fbm"]
    assert len(fbm) == 6 and all(0.0 < peer.ratio < np.inf for peer in fbm)
    assert found.versions["numpy"] == np.__version__
    assert out.with_suffix(".md").read_text().count("\n| motion |") == 3
