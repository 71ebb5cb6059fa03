"""What a campaign says of itself: tables that fit a terminal, files, and notes on what is missing."""

from __future__ import annotations

import csv
import math
from dataclasses import replace

import numpy as np
import pytest

from fbmsde.campaigns import report, status
from fbmsde.campaigns.report import Reported
from fbmsde.campaigns.status import Stock
from fbmsde.results.campaign import Summary
from fbmsde.results.escape import UNKNOWN, Curve
from fbmsde.results.estimates import Estimate

RATE, MEAN, LOWER, UPPER = (
    Estimate(0.5, 0.45, 0.55), Estimate(2.0, 1.9, 2.1), Estimate(0.75, 0.7, 0.8), Estimate(0.25, 0.2, 0.3)
)  # fmt: skip
CURVE = Curve(np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.5, 0.25]))
WHOLE = Summary("hurst=0.3,curvature=4", 1000, 1000, 900, 0, 0.1, 4.0, MEAN, True, RATE, 0.5,
                {"lower": LOWER, "upper": UPPER}, estimate=RATE, seconds=3.0, curve=CURVE)  # fmt: skip


class Found(Reported):
    """Summaries and nothing else."""

    @property
    def summaries(self):
        return [WHOLE, replace(WHOLE, name="hurst=0.5,curvature=4", paths=400, note="something is odd.")]


def test_table_has_a_line_for_each_problem_and_says_what_is_missing():
    lines = report.text(Found().summaries).splitlines()
    cells = [part.strip() for part in lines[2].split("  ") if part.strip()]
    assert cells == ["hurst=0.3,curvature=4", "1000", "900", "2 [1.9, 2.1] up to 4", "0.5 [0.45, 0.55]"]
    assert "through" not in lines[0]
    assert lines[3].split()[:3] == ["hurst=0.5,curvature=4", "400/1000", "900"]
    assert lines[-1] == "hurst=0.5,curvature=4: something is odd."
    assert max(map(len, lines)) <= 80


def test_replicas_have_no_exits_and_no_mean_exit_time():
    rare = replace(WHOLE, name="deep", asked=20, paths=10, exits=10, mean=UNKNOWN, probability=LOWER, unit="replica")
    head, _, line = report.text([rare]).splitlines()
    assert "exits" not in head and "mean exit time" not in head
    assert line.split()[:4] == ["deep", "10/20", "replicas", "0.5"]
    mixed = next(line for line in report.text([WHOLE, rare]).splitlines() if line.startswith("deep"))
    assert mixed.split()[3:5] == ["-", "-"]
    alone = report.text([replace(rare, paths=1, probability=Estimate(0.75, math.nan, math.nan))])
    assert "nan" not in alone
    assert status.status_text([Stock(rare, 10, 20)], False).splitlines()[2].split()[4] == "-"


def test_shares_of_the_sides_stand_there_where_they_are_asked_for():
    table = report.text([replace(WHOLE, quantity="split:upper", estimate=UPPER)])
    assert "through lower [95 %]" in table and "0.25 [0.2, 0.3]" in table


def test_paths_that_all_stayed_are_told_as_such():
    stayed = replace(WHOLE, exits=0, mean=UNKNOWN, rate=UNKNOWN, estimate=UNKNOWN, target=0.1)
    assert report.notes([stayed]) == [
        "hurst=0.3,curvature=4: the paths do not tell the exit rate, for which a half-width of 10 % was asked."
    ]
    assert "up to" not in report.text([stayed])


@pytest.mark.parametrize(
    ("quantity", "target", "told"),
    [
        ("exit_rate", 0.05, "the half-width of the exit rate is 10 %, 5 % was asked for."),
        ("mean", 0.012, "the half-width of the mean exit time is 10 %, 1.2 % was asked for."),
        ("split:upper", 0.05, "the half-width of the share through upper is 10 %, 5 % was asked for."),
        ("exit_rate", 0.2, None),
    ],
)
def test_an_interval_that_stayed_too_wide_is_told(quantity, target, told):
    notes = report.notes([replace(WHOLE, quantity=quantity, target=target)])
    assert notes == ([f"{WHOLE.name}: {told}"] if told else [])


def test_files_hold_every_number(tmp_path):
    files = Found().save(tmp_path)
    assert [file.name for file in files] == list(report.FILES)
    assert files[1].read_bytes()[:4] == b"\x89PNG"
    rows = list(csv.DictReader(files[0].read_text().splitlines()))
    assert [row["problem"] for row in rows] == [summary.name for summary in Found().summaries]
    first = {name: float(rows[0][name]) for name in rows[0] if name not in ("problem", "unit", "quantity", "note")
             and rows[0][name] not in ("True", "False")}  # fmt: skip
    assert first["exit_rate"] == 0.5 and first["mean_high"] == 2.1 and first["share_upper_low"] == 0.2
    assert (rows[0]["mean_is_restricted"], rows[1]["paths"], rows[1]["note"]) == ("True", "400", "something is odd.")
    assert math.isnan(first["target"]) and first["relative_error"] == pytest.approx(0.1)


def test_status_tells_progress_precision_pace_and_damage():
    stocks = [
        Stock(replace(WHOLE, target=0.05), 6, 10),
        Stock(replace(WHOLE, name="other", note=status.damage(range(12))), 0, 10),
    ]
    told = status.status_text(stocks, busy=True)
    assert max(map(len, told.splitlines())) <= 80
    assert "6/10" in told and "1000/1000" in told and "10 % of 5 %" in told and "0.5 [0.45, 0.55]" in told
    assert "6 of 20 blocks are there; a process is at work on them." in told
    assert "other: 12 damaged blocks (0, 1, 2, 3, 4, ...), made again by the next run." in told
    assert [line.split()[-1] for line in told.splitlines() if line.startswith(("hurst", "other "))][2:] == ["0.5", "-"]
    assert "no process is at work on them" in status.status_text(stocks, busy=False)


def test_runs_of_a_study_have_a_line_each():
    records = {"batch size, 8": {"accuracy": 0.51234, "converged": True, "noise": {"deep": 1}}, "b": {"accuracy": 1.0}}
    lines = status.runs_text(records).splitlines()
    assert lines[0].split() == ["run", "accuracy", "converged"]
    assert [line.split()[-2:] for line in lines[2:]] == [["0.5123", "yes"], ["1", "-"]]
    assert list(csv.reader(status.runs_csv(records).splitlines()))[2] == ["b", "1.0", ""]
    assert status.runs_text({}) == ""
