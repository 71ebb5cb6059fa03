"""The commands `run`, `status` and `report`: what they print, keep and refuse, and how they end."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
import time

import pytest
from typer.testing import CliRunner

from fbmsde.campaigns.campaign import Campaign
from fbmsde.campaigns.config import read_config
from fbmsde.campaigns.stored import StoredCampaign
from fbmsde.cli import app, main
from fbmsde.simulation.passage_problem import PassageProblem

CONFIG = """
paths = 250
block_paths = 100
seed = 3
store = "kept"
landscape.name = "quadratic"
noise = {name = "white", sigma = 1.0}
start.x0 = 0.0
domain = {lower = -1.0, upper = 1.0}
monitoring = {dt = 0.1, horizon = 4.0}
grid = {landscape.curvature = [1.0, 2.0]}
"""
NAMES = ["curvature=1", "curvature=2"]


def call(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "small.toml"
    file.write_text(CONFIG)
    return file


def times(folder):
    return {name: passages.times.tolist() for name, passages in StoredCampaign(folder).items()}


def test_run_keeps_paths_and_a_report_in_the_store_of_the_file(config, tmp_path):
    result = call("run", config, "--jobs", 1)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines[2:4]] == [[name, "250"] for name in NAMES]
    assert {"report.csv", "report.png", "results.zarr"} <= set(os.listdir(tmp_path / "kept"))
    alone = Campaign(read_config(config).problems(), n_paths=250).run()
    assert times(tmp_path / "kept") == {name: passages.times.tolist() for name, passages in alone.items()}
    rows = list(csv.DictReader((tmp_path / "kept" / "report.csv").read_text().splitlines()))
    assert [int(row["exits"]) for row in rows] == [passages.n_left for passages in alone.values()]


def test_more_paths_are_the_missing_blocks_and_other_parameters_are_refused(config, tmp_path):
    log = tmp_path / "log.jsonl"
    assert call("run", config).exit_code == 0
    first = times(tmp_path / "kept")
    result = call("run", config, "--paths", 400, "--log", log)
    assert result.exit_code == 0, result.output
    made = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted(event["number"] for event in made if event["event"] == "block") == [2, 2, 3, 3]
    for name, values in times(tmp_path / "kept").items():
        assert len(values) == 400 and values[:250] == first[name]
    config.write_text(CONFIG.replace("horizon = 4.0", "horizon = 5.0"))
    refused = call("run", config)
    assert refused.exit_code == 1
    assert "horizon 4.0 there, 5.0 asked" in refused.output and len(refused.output.strip().splitlines()) == 1


def test_options_go_before_the_file(config, tmp_path):
    result = call("run", config, "--store", tmp_path / "other", "--paths", 100, "--until-relative-error", 0.1,
                  "--quantity", "mean", "--out", tmp_path / "new")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "kept").exists()
    found = StoredCampaign(tmp_path / "other").summaries
    assert all(s.quantity == "mean" and s.relative_error <= 0.1 and s.paths > 100 for s in found)
    assert sorted(os.listdir(tmp_path / "new")) == ["report.csv", "report.png"]
    again = call("run", config, "--store", tmp_path / "other", "--out", tmp_path / "new")
    assert again.exit_code == 1 and "out must not hold earlier results" in again.output
    assert call("run", config, "--quantity", "median").exit_code == 1


def test_without_a_folder_nothing_is_kept_and_it_says_so(config, tmp_path):
    config.write_text(CONFIG.replace('store = "kept"', ""))
    result = call("run", config, "--processes", "--jobs", 1)
    assert result.exit_code == 0, result.output
    assert "nothing was kept: give --store DIR" in result.stderr
    assert os.listdir(tmp_path) == ["small.toml"]


def test_status_tells_of_damage_that_the_next_run_mends(config, tmp_path):
    assert call("run", config, "--paths", 300).exit_code == 0
    whole, place = times(tmp_path / "kept"), tmp_path / "kept" / "results.zarr" / "curvature=1"
    result = call("status", tmp_path / "kept")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[2].split()[:3] == ["curvature=1", "3/3", "300/300"]
    assert "6 of 6 blocks are there; no process is at work on them." in result.stdout
    for name, number in (("time", 0), ("state", 2)):
        file = place / name / f"c.{number}"
        file.write_bytes(file.read_bytes()[:-9])
    result = call("status", tmp_path / "kept")
    assert "curvature=1: 2 damaged blocks (0, 2), made again by the next run." in result.stdout
    assert result.stdout.splitlines()[2].split()[:3] == ["curvature=1", "1/3", "100/300"]
    assert call("run", config, "--paths", 300).exit_code == 0
    assert times(tmp_path / "kept") == whole
    assert "damaged" not in call("status", tmp_path / "kept").stdout


def test_report_makes_files_of_the_store_anew_and_replaces_no_others_silently(config, tmp_path):
    assert call("run", config).exit_code == 0
    new = ["--out", tmp_path / "new"]
    for arguments, status in (([], 0), (new, 0), (new, 1), ([*new, "--overwrite"], 0)):
        result = call("report", tmp_path / "kept", *arguments)
        assert result.exit_code == status, result.output
    assert sorted(os.listdir(tmp_path / "new")) == ["report.csv", "report.png"]
    assert "mean exit time [95 %]" in result.stdout


def test_status_and_report_work_while_the_campaign_runs(config, tmp_path, monkeypatch):
    ends, seen = PassageProblem.ends, []

    def watched(problem, n_paths, first=0, **options):
        if first == 200 and not seen:
            seen.extend(call(name, tmp_path / "kept") for name in ("status", "report"))
        return ends(problem, n_paths, first, **options)

    monkeypatch.setattr(PassageProblem, "ends", watched)
    assert call("run", config, "--jobs", 1).exit_code == 0
    status, report = seen
    assert status.exit_code == report.exit_code == 0, report.output
    assert "a process is at work on them" in status.stdout
    assert "200/250" in report.stdout


@pytest.mark.parametrize("command", ["status", "report"])
def test_a_folder_without_a_store_is_refused(command, tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        result = call(command, folder)
        assert result.exit_code == 1
        assert "error: store must be a folder" in result.output and len(result.output.strip().splitlines()) == 1
    assert os.listdir(tmp_path) == []


def test_a_problem_that_fails_does_not_stop_the_other_one(config, tmp_path, monkeypatch):
    ends = PassageProblem.ends

    def failing(problem, *args, **options):
        if problem.landscape.params == (1.0,):
            raise ValueError("the drift must turn less.")
        return ends(problem, *args, **options)

    monkeypatch.setattr(PassageProblem, "ends", failing)
    result = call("run", config)
    assert result.exit_code == 1
    assert "curvature=1: the drift must turn less." in result.stdout
    assert result.stdout.splitlines()[3].split()[:2] == ["curvature=2", "250"]


# A signal may come between the opening of a file and its `with` block: then Python closes the file and warns of it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_say_what_is_safe(config, tmp_path, monkeypatch, capsys, number, status):
    ends, sent = PassageProblem.ends, []

    def interrupted(problem, n_paths, first=0, **options):
        if first == 200 and not sent:
            sent.append(time.monotonic())
            os.kill(os.getpid(), number)
            while not options["stop"]() and time.monotonic() < sent[0] + 60.0:
                time.sleep(0.01)
        return ends(problem, n_paths, first, **options)

    with monkeypatch.context() as patch:
        patch.setattr(PassageProblem, "ends", interrupted)
        patch.setattr(sys, "argv", ["fbmsde", "run", str(config), "--jobs", "1"])
        with pytest.raises(SystemExit) as end:
            main()
    assert end.value.code == status
    assert time.monotonic() - sent[0] < 30.0
    told = capsys.readouterr()
    assert f"of 6 blocks are safe in {tmp_path / 'kept'}." in told.err and "Run the same again to go on." in told.err
    assert call("run", config).exit_code == 0
    assert [len(values) for values in times(tmp_path / "kept").values()] == [250, 250]
