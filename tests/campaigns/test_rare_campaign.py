"""Campaigns of rare escapes: replicas are kept to the bit, made again where they are damaged, and added in rounds."""

from __future__ import annotations

import re
import warnings
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from fbmsde import Campaign, FractionalNoise, Grid, PassageProblem, Precision, RareEscape, RareProblem, load, quadratic
from fbmsde.campaigns.base import Plan
from fbmsde.campaigns.config import read_config
from fbmsde.campaigns.replicas import ReplicaBlock
from fbmsde.campaigns.sums import ReplicaSums
from fbmsde.campaigns.zarr_store import ZarrStore
from fbmsde.rare.methods import Conditioned, Splitting
from fbmsde.results.rare import Replica

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
WELL = {"horizon": 2.0, "seed": 7, "monitoring": Grid(0.05)}


def deep(**changes) -> RareProblem:
    given = {"method": Splitting(32), **WELL, **changes}
    return RareProblem(quadratic(), FractionalNoise(0.5), 0.0, (-1.8, 1.5), **given)


def conditioned() -> RareProblem:
    return RareProblem(quadratic(), FractionalNoise(0.3), 0.0, (None, 4.0), **WELL, method=Conditioned(256))


def shallow() -> PassageProblem:
    return PassageProblem(quadratic(), FractionalNoise(0.3), 0.0, (-1.0, 1.0), **WELL)


def same(a: RareEscape, b: RareEscape) -> bool:
    """Whether two results are the same to the bit."""
    plain = [[getattr(x, f.name) for f in fields(x) if f.name != "sides"] for x in (a, b)]
    bits = [[(side, f.name, np.asarray(getattr(r, f.name)).tobytes()) for side, rs in x.sides.items() for r in rs
             for f in fields(Replica)] for x in (a, b)]  # fmt: skip
    return plain[0] == plain[1] and bits[0] == bits[1]


@pytest.mark.slow
def test_a_mixed_campaign_gives_what_its_problems_give(tmp_path):
    """Catches replicas that depend on their block, and anything that a store loses or rounds."""
    problems = {"deep": deep(), "conditioned": conditioned(), "shallow": shallow()}
    found = Campaign(problems, n_paths={"deep": 3, "conditioned": 2, "shallow": 50}, store=tmp_path).run(n_jobs=2)
    stored = load(tmp_path)
    for name, n in (("deep", 3), ("conditioned", 2)):
        whole = problems[name].replicas(n)
        assert same(found[name], whole) and same(stored[name], whole)
    assert np.array_equal(stored["shallow"].times, shallow().passages(50).times)
    assert "3/3 replicas" in stored.status and "probability [95 %]" in stored.table
    assert [path.name for path in stored.save(tmp_path)] == ["report.csv", "report.png"]


@pytest.mark.slow
def test_a_damaged_replica_is_made_again_and_another_problem_refused(tmp_path):
    campaign = Campaign({"deep": deep()}, n_paths=3, store=tmp_path)
    before = campaign.run()["deep"]
    group = tmp_path / "results.zarr" / "deep"
    for column, file in (("times", "c.1.0.0"), ("probability", "c.2.0")):
        place = group / column / file
        content = place.read_bytes()
        place.write_bytes(content[:3] + bytes([content[3] ^ 16]) + content[4:])
    assert ZarrStore.reading(tmp_path).kept("deep").finished() == {0: 1}
    made = []
    assert same(campaign.run(progress=made.append)["deep"], before) and sum(made) == 2
    (group / "levels" / "c.0.0.0").unlink()
    assert load(tmp_path).stocks[0].summary.paths == 2
    with pytest.raises(ValueError, match=r"store must hold the same problem, .*method\.n_paths 32 there, 64 asked"):
        Campaign({"deep": deep(method=Splitting(64))}, n_paths=3, store=tmp_path).run()


@pytest.mark.slow
def test_rounds_of_replicas_reach_the_precision_and_go_on_where_they_stopped(tmp_path):
    """Resumed rounds are those of one go: the first three replicas do not fix what the rest of the rounds are."""
    until = Precision(0.2, "exit_rate", after=1.0)
    whole = Campaign({"c": conditioned()}, n_paths=2, until=until).run()
    Campaign({"c": conditioned()}, n_paths=3, store=tmp_path).run()
    resumed = Campaign({"c": conditioned()}, n_paths=2, until=until, store=tmp_path).run()
    assert same(whole["c"], resumed["c"]) and whole["c"].n_replicas > 2
    (summary,) = resumed.summaries
    assert summary.precise and summary.relative_error <= 0.2 and summary.unit == "replica"
    assert summary.estimate == whole["c"].rate(1.0)
    assert load(tmp_path).summaries == [replace(summary, seconds=load(tmp_path).summaries[0].seconds)]


def replica(probability: float, n: int = 2, ancestors: int = 9) -> Replica:
    times, empty = np.linspace(0.5, 1.9, n), np.empty(0)
    return Replica(probability, times, np.ones(n), np.array([-1.0, 0.0]), np.array([0.1, 0.3]), empty, ancestors, 0.2)


def escape(*replicas: Replica) -> RareEscape:
    return RareEscape("splitting", {"upper": replicas, "lower": replicas}, 2.0, 0.05, 0.0, 10, "It was asked for.")


def test_any_replica_comes_back_to_the_bit(tmp_path):
    """Series longer than a file holds, of different lengths on each side, empty, and numbers that text would round."""
    problem = deep()
    found = [replica(1.0 / 3.0, 1), replica(0.0, 0), replica(1e-300, 3000), replica(2.0 / 3.0, 1024)]
    blocks = []
    with ZarrStore(tmp_path) as store:
        shelf = store.shelf(Plan("deep", problem, 4, 1))
        for number, one in enumerate(found):
            sides = {"lower": (one,), "upper": (replica(0.1, 5 + number),)}
            blocks.append(replace(escape(), sides=sides, horizon=problem.reached, dt=problem.dt))
            shelf.put(number, ReplicaBlock(blocks[-1], number), 0.5)
        with pytest.raises(ValueError, match="block must be number 0 of 'deep'"):
            shelf.put(0, ReplicaBlock(blocks[1], 1), 0.5)
        with pytest.raises(ValueError, match="block must be number 0 of 'deep'"):
            shelf.put(0, shallow().ends(1), 0.5)
    kept = ZarrStore.reading(tmp_path).kept("deep")
    assert kept.finished() == {0: 1, 1: 1, 2: 1, 3: 1}
    assert all(same(kept.get(number).escape, block) for number, block in enumerate(blocks))
    (tmp_path / "results.zarr" / "deep" / "times" / "c.2.0.2").unlink()
    assert kept.finished() == {0: 1, 1: 1, 3: 1}


def test_xarray_opens_replicas_without_a_warning(tmp_path):
    xarray = pytest.importorskip("xarray")
    test_any_replica_comes_back_to_the_bit(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        group = xarray.open_datatree(tmp_path / "results.zarr", engine="zarr")["deep"]
        assert group["times"].dims == ("replica", "side", "value") and group["times"].shape == (4, 2, 3000)
        assert np.array_equal(group["probability"][:, 0], [1.0 / 3.0, 0.0, 1e-300, 2.0 / 3.0])
        assert np.array_equal(group["times"][2, 0, :2048], np.linspace(0.5, 1.9, 3000)[:2048])


def test_doubts_are_told_in_place_of_numbers():
    good, bad = escape(*[replica(0.1)] * 3), escape(*[replica(0.1, ancestors=1)] * 3)
    told = ReplicaSums(good).summary(1.0)
    assert told.note == "" and told.probability.value == pytest.approx(0.2) and told.rate == good.rate(1.0)
    doubtful = ReplicaSums(bad).summary(1.0)
    assert "descend from 1.0 first paths" in doubtful.note and not np.isfinite(doubtful.probability.value)
    assert not np.isfinite(doubtful.rate.value) and ReplicaSums(bad).doubts
    assert not ReplicaSums(good).doubts and "saw no exit" in ReplicaSums(good, after=1.95).doubts[0]


TOML = """
{top}
seed = 7
landscape.name = "quadratic"
noise = {{name = "fractional", hurst = 0.3}}
start.x0 = {x0}
domain.upper = 4.0
monitoring = {{{monitoring}, horizon = 2.0}}
{rare}
"""


def written(folder, *, top="replicas = 2", x0="0.0", monitoring="dt = 0.05", rare='rare.name = "conditioned"'):
    file = folder / "rare.toml"
    file.write_text(TOML.format(top=top, x0=x0, monitoring=monitoring, rare=rare))
    return read_config(file)


def test_a_file_poses_the_same_rare_problem(tmp_path):
    config = written(tmp_path, rare='rare = {name = "splitting", n_paths = 32}')
    (problem,) = config.problems().values()
    assert isinstance(problem, RareProblem) and config.n_paths == 2 and problem.method == Splitting(32)
    grid = written(tmp_path, rare='grid = {rare.name = ["auto", "subset"], landscape.curvature = [1.0, 2.0]}')
    names = [problem.method.name for problem in grid.problems().values()]
    assert len(names) == 4 and len(set(names)) == 2


@pytest.mark.slow
def test_comments_of_the_example_make_it_rare(tmp_path):
    text = (Path(__file__).parents[2] / "examples" / "campaign.toml").read_text()
    text = text.replace("# [rare]", "[rare]").replace("# name", "name")
    (tmp_path / "rare.toml").write_text(re.sub("^paths = .*(replicas = .*)$", r"\1", text, flags=re.MULTILINE))
    config = read_config(tmp_path / "rare.toml")
    assert config.n_paths == 20 and {type(problem) for problem in config.points.values()} == {RareProblem}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"top": "paths = 9"}, r"paths must be left out with \[rare\]. Give replicas."),
        ({"top": "replicas = 2\nblock_paths = 9"}, r"block_paths must be left out with \[rare\]"),
        ({"rare": ""}, r"replicas must be left out without \[rare\]. Give paths."),
        ({"top": "replicas = 1"}, "replicas must be at least 2, got 1"),
        ({"rare": 'rare.name = "spliting"'}, r"\[rare\] name must be one of .*Did you mean 'splitting'"),
        ({"rare": 'rare = {name = "conditioned", p0 = 0.2}'}, r"\[rare\] keys of conditioned must be among"),
        ({"x0": '"stationary"'}, r"\[rare\] x0 must be one point"),
        ({"monitoring": 'name = "continuous"'}, r"\[rare\] monitoring must be a Grid"),
        ({"rare": 'rare = {}\nuntil = {relative_error = 0.1, quantity = "mean"}'}, "for a rare problem, got 'mean'"),
    ],
)
def test_bad_files_are_refused(tmp_path, changes, message):
    with pytest.raises((ValueError, TypeError), match=message):
        written(tmp_path, **changes)


def test_one_replica_alone_is_refused():
    """It would have no interval."""
    with pytest.raises(ValueError, match=r"n_paths\['deep'\] must be at least 2, got 1"):
        Campaign({"deep": deep()}, n_paths=1)


def test_a_replica_is_a_block():
    with pytest.raises(ValueError, match="block_paths must be left out where a block is a replica, got 2"):
        Campaign({"deep": deep()}, n_paths=3, block_paths=2)


def test_a_rate_that_is_not_known_ends_no_campaign():
    """All replicas leave in the first half: the probability is told, and of the rate why there is none."""
    early = Replica(0.9, np.array([0.5]), np.ones(1), np.zeros(1), np.array([0.9]), np.empty(0), 9, 0.01)
    later = replace(early, probability=0.91)
    summary = ReplicaSums(RareEscape("splitting", {"upper": (early, later)}, 4.0, 0.5, 0.0, 9)).summary(2.0)
    assert summary.probability.value == pytest.approx(0.905)
    assert np.isnan(summary.rate.value)
    assert "between the times 2 and 4" in summary.note
