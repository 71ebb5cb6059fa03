"""Campaigns give the same bits whoever runs their blocks, in whatever order, and however often they are stopped."""

from __future__ import annotations

import io
import itertools
import json
import math
import random
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import replace

import numpy as np
import pytest

from fbmsde import FractionalNoise, Grid, quadratic
from fbmsde.campaigns.base import MemoryStore, Plan
from fbmsde.campaigns.campaign import Campaign, InterruptedCampaignError, loaded
from fbmsde.campaigns.progress import Progress
from fbmsde.campaigns.rounds import Precision
from fbmsde.campaigns.stored import StoredCampaign
from fbmsde.campaigns.teams import Foreign
from fbmsde.campaigns.zarr_store import ZarrStore
from fbmsde.simulation.passage_problem import PassageProblem

SMALL = {"horizon": 5.0, "seed": 3, "monitoring": Grid(0.05)}


def problem(hurst: float = 0.5, x0: object = 0.0, **changes: object) -> PassageProblem:
    return PassageProblem(quadratic(1.0), FractionalNoise(hurst), x0, (-1.0, 1.0), **{**SMALL, **changes})


class Inline(Executor):
    """Runs at once, in this thread."""

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class Shuffled(Executor):
    """Runs what it has been given in a random order, in a thread."""

    def __init__(self) -> None:
        self._jobs: list[tuple[Future, object]] = []
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        order = random.Random(5)
        while True:
            time.sleep(0.02)
            jobs, self._jobs = self._jobs, []
            order.shuffle(jobs)
            for future, job in jobs:
                future.set_result(job())

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        self._jobs.append((future, lambda: fn(*args, **kwargs)))
        return future


class Failing(Inline):
    """Fails at the first two attempts at every third block."""

    def __init__(self, error: Exception, times: int = 2) -> None:
        self.error, self.times, self.failed = error, times, {}

    def submit(self, fn, /, *args, **kwargs):
        first = args[1]
        self.failed[first] = self.failed.get(first, 0) + 1
        if first % 300 == 0 and self.failed[first] <= self.times:
            future: Future = Future()
            future.set_exception(self.error)
            return future
        return super().submit(fn, *args, **kwargs)


def same(a, b) -> None:
    np.testing.assert_array_equal(a.times, b.times)
    np.testing.assert_array_equal(a.side, b.side)
    np.testing.assert_array_equal(a.place, b.place)
    np.testing.assert_array_equal(a.censored, b.censored)


EXECUTORS = {"threads": None, "inline": Inline(), "shuffled": Shuffled(), "failing": Failing(OSError("gone"))}


@pytest.mark.parametrize("executor", EXECUTORS.values(), ids=EXECUTORS.keys())
def test_any_executor_gives_the_run_in_one_piece(executor):
    problems = {"rough": problem(0.3), "smooth": problem(0.7)}
    results = Campaign(problems, n_paths=350, block_paths=100).run(executor)
    for name, asked in problems.items():
        same(results[name], asked.passages(350))
    assert [summary.paths for summary in results.summaries] == [350, 350]


def test_a_block_that_always_fails_ends_the_campaign_after_three_attempts():
    executor = Failing(OSError("gone"), times=9)
    with pytest.raises(OSError, match="gone"):
        Campaign({"a": problem()}, n_paths=1000, block_paths=100).run(executor)
    assert executor.failed[0] == 3


def test_what_would_be_raised_again_is_raised_at_once():
    executor = Failing(ValueError("wrong"), times=9)
    with pytest.raises(ValueError, match="wrong"):
        Campaign({"a": problem()}, n_paths=1000, block_paths=100).run(executor)
    assert executor.failed[0] == 1


def test_a_broken_executor_of_others_is_not_ours_to_mend():
    with pytest.raises(BrokenExecutor):
        Campaign({"a": problem()}, n_paths=1000, block_paths=100).run(Failing(BrokenExecutor("broken")))


class Mortal(Foreign):
    """Its workers die once, after it was given two blocks and before it is given the third."""

    def __init__(self) -> None:
        super().__init__(Inline(), 3)
        self.sent: list[int] = []

    def submit(self, plan, span, report):
        self.sent.append(span.first)
        if len(self.sent) == 3:
            raise BrokenExecutor("broken")
        return super().submit(plan, span, report)

    def renew(self):
        return True


def test_workers_that_die_between_two_blocks_are_replaced_and_finished_blocks_kept(monkeypatch):
    team = Mortal()
    monkeypatch.setattr("fbmsde.campaigns.campaign.team_of", lambda *given: team)
    results = Campaign({"a": problem()}, n_paths=500, block_paths=100).run()
    same(results["a"], problem().passages(500))
    assert sorted(team.sent) == [0, 100, 200, 200, 300, 400]


def test_a_problem_that_cannot_travel_does_not_stop_the_others():
    lock = threading.Lock()

    def draw(rng, n):
        with lock:
            return rng.uniform(-0.5, 0.5, n)

    problems = {"stuck": problem(x0=draw), "a": problem()}
    results = Campaign(problems, n_paths=200, block_paths=100).run(Inline())
    assert list(results.failures) == ["stuck"]
    assert results["a"].n_paths == 200


def test_a_store_in_memory_refuses_another_problem_under_a_name():
    store = MemoryStore()
    Campaign({"a": problem()}, n_paths=100, store=store).run()
    Campaign({"a": problem()}, n_paths=100, store=store).run()
    with pytest.raises(ValueError, match="same problem, got another under 'a'"):
        Campaign({"a": problem(0.7)}, n_paths=100, store=store).run()


def test_a_campaign_that_is_refused_leaves_what_was_asked_before(tmp_path):
    Campaign({"a": problem()}, n_paths=100, store=tmp_path).run()
    with pytest.raises(ValueError, match="other parameters"):
        Campaign({"a": problem(0.7)}, n_paths=300, store=tmp_path, until=Precision(0.1)).run()
    assert ZarrStore.reading(tmp_path).asked["problems"] == {"a": 100}


def test_more_paths_later_run_the_missing_blocks_alone():
    store, counted = MemoryStore(), []
    for n_paths in (125, 125, 365):
        counted.append(0)

        def count(newly: int) -> None:
            counted[-1] += newly

        results = Campaign({"a": problem()}, n_paths=n_paths, block_paths=50, store=store).run(progress=count)
        same(results["a"], problem().passages(n_paths))
    assert counted == [125, 0, 265]  # the short block is made again with all its paths


def test_a_short_block_that_is_to_grow_is_the_last_one_that_can_be_read():
    asked, store = problem(), MemoryStore()
    Campaign({"a": asked}, n_paths=150, block_paths=100, store=store).run()
    shelf = store.shelf(Plan("a", asked, 300, 100))
    shelf.put(2, asked.ends(100, 200), 1.0)
    same(loaded(shelf, 300, {}), asked.passages(150))


def test_a_store_keeps_the_size_of_blocks_that_it_began_with():
    store, counted = MemoryStore(), []
    Campaign({"a": problem()}, n_paths=250, block_paths=100, store=store).run()
    results = Campaign({"a": problem()}, n_paths=430, store=store).run(progress=counted.append)
    same(results["a"], problem().passages(430))
    assert sum(counted) == 230


def test_fewer_paths_than_there_are_give_the_first_ones():
    store = MemoryStore()
    Campaign({"a": problem()}, n_paths=500, block_paths=100, store=store).run()
    results = Campaign({"a": problem()}, n_paths=130, block_paths=100, store=store).run()
    same(results["a"], problem().passages(130))
    assert results.summaries[0].paths == 130


@pytest.mark.slow
def test_rounds_stop_at_the_same_place_for_every_executor():
    until = Precision(0.05, "exit_rate")
    found = []
    for executor in (None, Shuffled(), Inline()):
        campaign = Campaign({"a": problem(), "b": problem(0.3)}, n_paths=150, block_paths=100, until=until)
        found.append(campaign.run(executor))
    sizes = [[summary.paths for summary in results.summaries] for results in found]
    assert sizes[0] == sizes[1] == sizes[2]
    summary = found[0].summaries[0]
    assert summary.precise and summary.paths > 150 and summary.relative_error <= 0.05
    same(found[0]["a"], problem().passages(summary.paths))
    rate = found[0]["a"].exit_rate(after=summary.after)
    assert summary.rate.value == pytest.approx(rate.value, rel=1e-9)


def test_the_rate_begins_at_the_quartile_of_the_first_round():
    """Were it that of all paths, exits would be left out or taken in because of what later rounds bring."""
    first = Campaign({"a": problem()}, n_paths=100, block_paths=20).run().summaries[0]
    grown = Campaign({"a": problem()}, n_paths=100, block_paths=20, until=Precision(0.08)).run().summaries[0]
    whole = Campaign({"a": problem()}, n_paths=grown.paths, block_paths=20).run().summaries[0]
    assert grown.after == first.after != whole.after


def test_a_round_is_as_large_as_the_square_of_what_is_missing(tmp_path):
    """Half-widths fall as one over the root of the number of paths; a round adds a tenth at least, at most as many."""
    log, target = tmp_path / "log", 0.05
    Campaign({"a": problem()}, n_paths=400, block_paths=20, until=Precision(target, "mean")).run("threads", log=log)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    rounds = [(event["paths"], event["relative_error"]) for event in events if event["event"] == "round"]
    assert len(rounds) > 2
    for (before, error), (after, _) in itertools.pairwise(rounds):
        assert after == 20 * max(math.ceil(min((error / target) ** 2, 2.0) * before / 20), -(-11 * before // 200))


def test_rounds_resumed_are_those_of_one_go():
    until = Precision(0.05, "mean", after=0.5)
    once = Campaign({"a": problem()}, n_paths=150, block_paths=100, until=until).run().summaries
    store = MemoryStore()
    Campaign({"a": problem()}, n_paths=150, block_paths=100, store=store).run()
    again = Campaign({"a": problem()}, n_paths=150, block_paths=100, store=store, until=until).run().summaries
    assert replace(once[0], seconds=0.0) == replace(again[0], seconds=0.0)


@pytest.mark.slow
def test_a_store_tells_what_the_run_told(tmp_path):
    until, asked = Precision(0.05), problem(0.3, monitoring=Grid(0.01), horizon=20.0)
    told = Campaign({"a": asked}, n_paths=210, block_paths=200, store=tmp_path, until=until).run().summaries[0]
    read = StoredCampaign(tmp_path).summaries[0]
    assert told.paths > 400
    assert (read.after, read.rate, read.mean) == (told.after, told.rate, told.mean)


def test_a_target_out_of_reach_is_told():
    until = Precision(0.001, "split:upper", most_paths=700)
    (summary,) = Campaign({"a": problem()}, n_paths=200, block_paths=100, until=until).run().summaries
    assert summary.paths == 700 and not summary.precise and summary.relative_error > 0.001


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_paths_of_further_rounds_that_were_there_count_as_done_and_not_for_the_speed():
    screen = Screen()
    bar = Progress(True, 100, 100, screen)
    bar.grow(900, 700)
    bar.add(50)
    assert (bar.total, bar.done, bar._there) == (1000, 850, 800)
    assert (bar._bar.total, bar._bar.n, bar._bar.initial) == (1000, 850, 800)
    bar.close()


def test_a_campaign_that_is_done_tells_of_no_new_paths():
    campaign = Campaign({"a": problem(0.3)}, n_paths=150, block_paths=100, until=Precision(0.1))
    assert campaign.run().summaries[0].paths > 150
    newly: list[int] = []
    campaign.run(progress=newly.append)
    assert newly == []


def test_rounds_end_where_an_array_of_starts_ends():
    results = Campaign({"a": problem(x0=np.zeros(250))}, n_paths=100, until=Precision(0.001)).run()
    assert (results.failures, results.summaries[0].paths) == ({}, 250)


def test_the_rate_is_taken_from_the_step_that_holds_its_begin():
    results = Campaign({"a": problem(0.3)}, n_paths=500, until=Precision(after=1.023)).run()
    assert results.summaries[0].rate.value == pytest.approx(results["a"].exit_rate(after=1.023).value, rel=1e-12)


def test_an_interrupt_says_what_is_safe():
    def interrupt(newly: int) -> None:
        raise KeyboardInterrupt

    endless = PassageProblem(quadratic(1.0), FractionalNoise(0.5), 0.0, (-50.0, 50.0), **{**SMALL, "horizon": 1e6})
    begin = time.monotonic()
    with pytest.raises(InterruptedCampaignError, match=r"0 of 1[0-9] blocks") as caught:
        campaign = Campaign({"a": problem(), "b": endless}, n_paths=600, block_paths=100)
        campaign.run(progress=interrupt)
    assert time.monotonic() - begin < 60.0  # most of it compiles; the endless paths take many minutes
    assert len(caught.value.results) == 2


def test_events_are_logged_as_lines_of_json(tmp_path):
    log = tmp_path / "π.jsonl"
    Campaign({"a": problem()}, n_paths=300, block_paths=100).run(log=log)
    Campaign({"still": problem(horizon=0.05)}, n_paths=1).run(log=tmp_path / "none left")
    assert "NaN" not in (tmp_path / "none left").read_text()  # which JSON does not know
    events = [json.loads(line) for line in log.read_text().splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[0] == "begin" and kinds[-1] == "end" and kinds.count("block") == 3
    assert sorted(event["number"] for event in events if event["event"] == "block") == [0, 1, 2]
    assert events[0]["executor"] == "threads"


def test_each_round_is_logged_once_with_what_it_told(tmp_path):
    log, store = tmp_path / "log.jsonl", MemoryStore()
    Campaign({"a": problem()}, n_paths=400, block_paths=100, store=store).run()
    until = Precision(0.001, most_paths=400)
    Campaign({"a": problem()}, n_paths=100, block_paths=100, store=store, until=until).run(log=log)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    rounds = [event for event in events if event["event"] == "round"]
    assert [event["paths"] for event in rounds] == [100, 200, 400]  # all of them are there from the first moment on
    errors = [event["relative_error"] for event in rounds]
    assert errors == sorted(errors, reverse=True)


def test_what_is_not_known_is_null_in_the_log(tmp_path):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    log = tmp_path / "log.jsonl"
    deep = PassageProblem(quadratic(1.0), FractionalNoise(0.5), 0.0, (-50.0, 50.0), **SMALL)
    Campaign({"a": deep}, n_paths=100, block_paths=100, until=Precision(0.1, most_paths=100)).run(log=log)
    events = [json.loads(line, parse_constant=refuse) for line in log.read_text().splitlines()]
    assert [event["relative_error"] for event in events if event["event"] == "round"] == [None]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problems": {}}, "problems must hold at least one"),
        ({"problems": {"a": 1}}, "problems must be"),
        ({"problems": {"": problem()}}, "problems must have names that can be written"),
        ({"problems": {"\udc80": problem()}}, "problems must have names that can be written"),
        ({"n_paths": 0}, "n_paths must"),
        ({"n_paths": {"b": 5}}, "n_paths must have the names"),
        ({"block_paths": 0}, "block_paths must"),
        ({"until": 0.1}, "until must be"),
        ({"store": 5}, "store must be"),
        ({"problems": {"a": problem(monitoring=Grid(0.05, until=0.5))}}, "until must be None"),
        ({"problems": {"a": problem(x0=np.zeros(5))}}, "at most the 5 starts"),
    ],
)
def test_bad_campaigns_are_refused(changes, message):
    given = {"problems": {"a": problem()}, "n_paths": 10} | changes
    with pytest.raises((ValueError, TypeError), match=message):
        Campaign(given.pop("problems"), **given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((0.0,), "relative_error must"),
        ((float("nan"),), "relative_error must"),
        ((0.1, "median"), "quantity must be one of"),
        ((0.1, "split"), "quantity must be one of"),
        ((0.1, "mean:upper"), "quantity must be one of"),
        ((0.1, "mean", 0), "most_paths must"),
        ((0.1, "mean", 9, -1.0), "after must"),
    ],
)
def test_bad_precisions_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Precision(*given)


def test_a_rate_that_begins_after_the_end_is_refused_before_anything_runs():
    with pytest.raises(ValueError, match="after must be less than the horizon 5, got 5"):
        Campaign({"a": problem()}, n_paths=10, until=Precision(0.1, after=5.0)).run()


def test_results_are_a_mapping():
    results = Campaign({"a": problem()}, n_paths=10).run()
    assert results.get("b") is None and "b" not in results and list(results) == ["a"]
    with pytest.raises(KeyError, match="name must be one of a, got 'b'"):
        results["b"]


def test_a_side_that_there_is_none_of_is_refused_before_anything_runs():
    with pytest.raises(ValueError, match="one of the sides lower, upper, got 'split:left'"):
        Campaign({"a": problem()}, n_paths=10, until=Precision(0.1, "split:left")).run()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"executor": "gpu"}, "executor must be one of"),
        ({"executor": 5}, "executor must be 'threads'"),
        ({"executor": Inline(), "n_jobs": 2}, "n_jobs must be None beside an executor"),
        ({"in_flight": 0}, "in_flight must"),
        ({"log": "/nowhere/log"}, "log must be a file"),
    ],
)
def test_bad_ways_to_run_are_refused(options, message):
    with pytest.raises((ValueError, TypeError, OSError), match=message):
        Campaign({"a": problem()}, n_paths=10).run(**options)
