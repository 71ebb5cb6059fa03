"""The store in a folder: blocks whole or not at all, damage found, other problems refused, readers beside a writer."""

from __future__ import annotations

import errno
import json
import math
import os
import re
import sys
import warnings
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

import fbmsde
from fbmsde import Accuracy, ErrorBudget
from fbmsde.campaigns.base import Blocks, Plan, Reading, Shelf, Store
from fbmsde.campaigns.differences import differences
from fbmsde.campaigns.zarr_layout import folder_name
from fbmsde.campaigns.zarr_store import ZarrStore
from fbmsde.core.described import described
from fbmsde.core.files import claimed
from fbmsde.core.states import BROKEN, CENSORED, LEFT
from fbmsde.simulation.ended import Ended

BLOCK = 10
ARRAYS = ("times", "states", "sides", "places")


@dataclass(frozen=True)
class Posed:
    """As much of a problem as a store looks at."""

    parameters: dict = field(default_factory=lambda: {"horizon": 50.0, "noise": {"hurst": 0.3, "sigma": 1.0}})
    names: tuple[str, ...] = ("lower", "upper")
    n_positions: int = 1
    dt: float = 0.5
    reached: float = 50.0
    budget: bool = False

    def description(self):
        return self.parameters

    def digest(self):
        return json.dumps(self.parameters)

    def provenance(self):
        return {"versions": {"fbmsde": fbmsde.__version__}}

    def ends(self, n_paths, first):
        """Ends that depend on the number of each path alone."""
        rng = [np.random.default_rng(first + i) for i in range(n_paths)]
        states = np.array([r.choice([LEFT, LEFT, CENSORED, BROKEN]) for r in rng], np.uint8)
        sides = np.where(states == LEFT, [r.integers(1, 3) for r in rng], 0).astype(np.uint8)
        times = np.where(states == CENSORED, self.reached, [0.5 * r.integers(100) for r in rng])
        places = np.array([r.random(self.n_positions) for r in rng]).reshape(n_paths, self.n_positions)
        places[states != LEFT] = np.nan
        budget = ErrorBudget(1e-4, 1e-3, 5e-4, 1e-6, float(first), 0.3, 2**16, Accuracy()) if self.budget else None
        return Ended(times, states, sides, places, self.names, self.dt, self.reached, budget, first)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """No test cuts the power: nothing waits for the disk."""
    monkeypatch.setattr(os, "fsync", lambda number: None)


def plan(n_paths=35, name="deep", problem=None, block_paths=BLOCK):
    return Plan(name, problem or Posed(), n_paths, block_paths)


def run(folder, asked, numbers=None):
    """Make what is missing, as a campaign does, and return how many blocks were made."""
    with ZarrStore(folder) as store:
        store.begin({"n_paths": asked.n_paths})
        shelf = store.shelf(asked)
        there = shelf.finished()
        spans = {number: asked.span(number) for number in range(asked.n_blocks)}
        missing = [number for number, span in spans.items() if there.get(number, 0) < span.n_paths]
        for number in missing if numbers is None else numbers:
            shelf.put(number, asked.problem.ends(spans[number].n_paths, spans[number].first), 0.25)
        return len(missing)


def same(found, wanted):
    """Whether two blocks are equal to the bit."""
    return all(getattr(found, name).tobytes() == getattr(wanted, name).tobytes() for name in ARRAYS)


def holds(folder, asked):
    """Whether a folder holds just the blocks of a plan, equal to the bit."""
    shelf = ZarrStore.reading(folder).kept(asked.name)
    spans = [asked.span(number) for number in range(asked.n_blocks)]
    assert shelf.finished() == {number: span.n_paths for number, span in enumerate(spans)}
    return all(
        same(shelf.get(number), asked.problem.ends(span.n_paths, span.first)) for number, span in enumerate(spans)
    )


def group_of(folder, name="deep"):
    return folder / "results.zarr" / name


def test_it_is_a_store_as_campaigns_want_it(tmp_path):
    store = ZarrStore(tmp_path)
    assert isinstance(store, Store)
    run(tmp_path, plan())
    reader = ZarrStore.reading(tmp_path)
    assert isinstance(reader, Reading)
    assert isinstance(reader.kept("deep"), Blocks)
    with store:
        assert isinstance(store.shelf(plan()), Shelf)
    assert (reader.names, reader.asked, reader.damaged) == (("deep",), {"n_paths": 35}, ())


@pytest.mark.parametrize("n_positions", [0, 1, 3])
@pytest.mark.parametrize("budget", [False, True])
def test_blocks_come_back_to_the_bit(tmp_path, n_positions, budget):
    asked = plan(problem=Posed(n_positions=n_positions, budget=budget))
    assert run(tmp_path, asked) == 4
    assert holds(tmp_path, asked)
    shelf = ZarrStore.reading(tmp_path).kept("deep")
    assert shelf.get(2).budget == asked.problem.ends(BLOCK, 2 * BLOCK).budget
    assert shelf.seconds() == dict.fromkeys(range(4), 0.25)
    assert (shelf.n_paths, shelf.block_paths, shelf.get(3).first) == (35, BLOCK, 30)
    assert shelf.finished(check=False) == shelf.finished()
    assert run(tmp_path, asked) == 0


def test_only_missing_blocks_are_made_when_there_are_to_be_more_paths(tmp_path):
    run(tmp_path, plan(35))
    assert run(tmp_path, plan(35)) == 0
    assert run(tmp_path, plan(62)) == 4  # the short block 3, and 4 to 6
    assert holds(tmp_path, plan(62))
    assert run(tmp_path, plan(20)) == 0
    assert holds(tmp_path, plan(62))
    assert ZarrStore.reading(tmp_path).kept("deep").n_paths == 62


def test_the_root_tells_of_all_problems_at_the_end_of_a_session(tmp_path):
    with ZarrStore(tmp_path) as store:
        store.begin({})
        for name in ("a", "b"):
            store.shelf(plan(name=name)).put(0, Posed().ends(BLOCK, 0), 1.0)
    root = json.loads((tmp_path / "results.zarr" / "zarr.json").read_text())
    assert {"a/time", "b/time"} <= set(root["consolidated_metadata"]["metadata"])


def test_no_unfinished_file_stays(tmp_path, monkeypatch):
    """What a kill has left goes when the store is opened, and what a full disk cuts short goes at once."""
    (tmp_path / ".parts").mkdir()
    (tmp_path / ".parts" / "half").write_bytes(b"left by a kill")
    with ZarrStore(tmp_path) as store:
        assert not list(tmp_path.glob(".parts/*"))
        shelf = store.shelf(plan())
        monkeypatch.setattr(os, "replace", lambda *places: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        with pytest.raises(OSError, match="0 blocks are safe"):
            shelf.put(0, Posed().ends(BLOCK, 0), 1.0)
        assert not list(tmp_path.glob(".parts/*"))
        monkeypatch.undo()


def test_a_store_tells_how_many_paths_its_blocks_have(tmp_path):
    run(tmp_path, plan())
    with ZarrStore(tmp_path) as store:
        assert (store.block_paths("deep"), store.block_paths("flat")) == (BLOCK, None)
        with pytest.raises(ValueError, match=r"block_paths must be 10 as in .*, got 7"):
            store.shelf(plan(block_paths=7))


@pytest.mark.parametrize("n_positions", [1, 2])
def test_xarray_opens_it_without_a_warning(tmp_path, n_positions):
    xarray = pytest.importorskip("xarray")
    asked = plan(problem=Posed(n_positions=n_positions, budget=True), name="hurst=0.3, σ=1")
    run(tmp_path, asked)
    run(tmp_path, plan(name="a/b"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = xarray.open_datatree(tmp_path / "results.zarr", engine="zarr")
        found = tree["hurst=0.3, σ=1"].load()
    whole = asked.problem.ends(35, 0)
    assert np.array_equal(found["time"], whole.times)
    assert np.array_equal(found["state"], whole.states)
    assert np.array_equal(found["side"], whole.sides)
    assert np.array_equal(found["place"].values.reshape(35, n_positions), whole.places, equal_nan=True)
    assert found["time"].dims == ("path",)
    assert found["place"].dims == ("path", "coordinate")[:n_positions]
    assert found["budget"].dims == ("block", "contribution")
    assert found["budget"].attrs["contributions"][0] == "missed_crossings"
    assert found["seconds"].values.tolist() == [0.25] * 4
    assert found["time"].attrs["units"] == "unit of time of the equation"
    states = found["state"].attrs
    meanings = dict(zip(states["flag_values"], states["flag_meanings"].split(), strict=True))
    assert (meanings[LEFT], meanings[CENSORED], meanings[BROKEN]) == ("left", "censored", "broken")
    assert found["side"].attrs["flag_meanings"] == "none lower upper"
    assert found.attrs["problem"]["noise"]["hurst"] == 0.3
    assert found.attrs["provenance"]["versions"]["fbmsde"] == fbmsde.__version__
    assert tree["a%2Fb"].attrs["name"] == "a/b"
    assert tree.attrs["asked"] == {"n_paths": 35}


def test_zarr_opens_it_group_by_group_without_a_warning(tmp_path):
    zarr = pytest.importorskip("zarr")
    run(tmp_path, plan())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        group = zarr.open_group(tmp_path / "results.zarr", mode="r", use_consolidated=False)["deep"]
        assert np.array_equal(group["time"][:], plan().problem.ends(35, 0).times)
        assert sorted(name for name, _ in group.members()) == ["place", "seconds", "side", "state", "time"]


@pytest.mark.parametrize("column", ["time", "state", "side", "place", "seconds", "budget"])
@pytest.mark.parametrize("damage", ["truncated", "emptied", "flipped", "missing"])
def test_a_damaged_block_is_found_and_only_that_one_is_made_again(tmp_path, column, damage):
    asked = plan(problem=Posed(budget=True))
    run(tmp_path, asked)
    file = group_of(tmp_path) / column / ("c.1.0" if column == "budget" else "c.1")
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        flipped = content[:3] + bytes([content[3] ^ 16]) + content[4:]
        file.write_bytes({"truncated": content[:-1], "emptied": b"", "flipped": flipped}[damage])
    shelf = ZarrStore.reading(tmp_path).kept("deep")
    assert shelf.finished() == {0: 10, 2: 10, 3: 5}
    with pytest.raises(OSError, match=rf"block 1 of 'deep' must be whole, got .* for its `{column}` in .*\. Run"):
        shelf.get(1)
    assert run(tmp_path, asked) == 1
    assert holds(tmp_path, asked)


def test_times_of_fewer_paths_than_states_are_damage(tmp_path):
    run(tmp_path, plan(35))
    short = (group_of(tmp_path) / "time" / "c.3").read_bytes()
    run(tmp_path, plan(40))
    (group_of(tmp_path) / "time" / "c.3").write_bytes(short)
    assert 3 not in ZarrStore.reading(tmp_path).kept("deep").finished()
    assert run(tmp_path, plan(40)) == 1
    assert holds(tmp_path, plan(40))


DOCUMENTS = ["zarr.json", "deep/zarr.json", "deep/time/zarr.json", "deep/state/zarr.json"]


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("damage", ["truncated", "emptied", "missing", "flipped"])
def test_damaged_metadata_is_written_again(tmp_path, document, damage):
    run(tmp_path, plan())
    file = tmp_path / "results.zarr" / document
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        at = content.index(b'"horizon"') + 12 if b'"horizon"' in content else 20
        flipped = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        file.write_bytes({"truncated": content[:-9], "emptied": b"", "flipped": flipped}[damage])
    if (document, damage) != ("zarr.json", "flipped"):  # what flips there may be no part of a checksum
        assert holds(tmp_path, plan())
    assert run(tmp_path, plan()) == 0
    assert holds(tmp_path, plan())
    assert file.read_bytes() == content


def test_metadata_lost_in_both_places_is_told(tmp_path):
    run(tmp_path, plan())
    for document in DOCUMENTS[:2]:
        (tmp_path / "results.zarr" / document).write_text("{")
    assert ZarrStore.reading(tmp_path).damaged == ("deep",)
    with pytest.raises(ValueError, match=r"store must tell which problem its results belong to, got damaged metadata"):
        run(tmp_path, plan())
    assert run(tmp_path, plan(name="other")) == 4  # other problems go on
    assert len(list(group_of(tmp_path).glob("state/c.*"))) == 4


def test_metadata_lost_before_any_block_costs_nothing(tmp_path):
    run(tmp_path, plan(), numbers=[])
    for document in DOCUMENTS[:2]:
        (tmp_path / "results.zarr" / document).write_text("{")
    assert run(tmp_path, plan()) == 4
    assert holds(tmp_path, plan())


def test_another_problem_is_refused_with_the_differences(tmp_path):
    run(tmp_path, plan())
    other = Posed({"horizon": 100.0, "noise": {"hurst": 0.5, "sigma": 1.0}})
    differences = r"horizon 50\.0 there, 100\.0 asked; noise\.hurst 0\.3 there, 0\.5 asked\. Choose"
    with pytest.raises(ValueError, match=rf"store must hold the same problem, got other .* in .*: {differences}"):
        run(tmp_path, plan(problem=other))
    many = Posed({str(i): "x" * 500 for i in range(30)})
    with pytest.raises(ValueError, match="25 more") as caught:
        run(tmp_path, plan(problem=many))
    assert len(str(caught.value)) < 1200
    assert holds(tmp_path, plan())


def slope_of(factor):
    def slope(t, x):
        return -factor * x

    return slope


@dataclass(frozen=True)
class Foreign:
    """A driver of somebody else, as far as a description goes."""

    weights: np.ndarray


@pytest.mark.parametrize(
    ("there", "asked", "words"),
    [
        ({"drift": slope_of(1.0)}, {"drift": slope_of(2.0)}, "code of the function `slope_of.<locals>.slope` (drift)"),
        ({"drift": slope_of(1.0)}, {"drift": math.sin}, "drift the function `slope_of.<locals>.slope` there, the func"),
        ({"parts": [Foreign(np.zeros(20))]}, {"parts": [Foreign(np.ones(20))]}, "the values of parts[0].weights, an"),
        ({"x0": np.zeros(20)}, {"x0": np.zeros(30)}, "x0 an array of shape (20,) there, an array of shape (30,) asked"),
        ({"kind": "A", "code": "1"}, {"kind": "A", "code": "2"}, "the code of the class `A` (noise) has changed"),
    ],
)
def test_what_is_kept_as_a_hash_is_told_in_words(tmp_path, there, asked, words):
    run(tmp_path, plan(problem=Posed(described({"noise": there}))))
    with pytest.raises(ValueError, match=r"Choose another folder\.$") as caught:
        run(tmp_path, plan(problem=Posed(described({"noise": asked}))))
    assert words in str(caught.value).replace("noise.", "")
    assert not re.search("[0-9a-f]{16}", str(caught.value).replace(str(tmp_path), ""))


def test_a_function_of_another_name_alone_is_no_difference():
    before, after = ({"drift": {"function": name, "content": "1b"}} for name in ("slope", "incline"))
    assert differences(before, after) == ""


def test_another_version_is_refused(tmp_path, monkeypatch):
    run(tmp_path, plan())
    monkeypatch.setattr("fbmsde.campaigns.zarr_store.__version__", "99.0")
    with pytest.raises(ValueError, match=r"results of this version of fbmsde, 99\.0, got .* in .*\. Choose another"):
        run(tmp_path, plan())


def test_a_folder_of_something_else_is_refused(tmp_path):
    root = tmp_path / "results.zarr"
    root.mkdir()
    (root / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group", "attributes": {}}')
    with pytest.raises(ValueError, match=r"store must be a folder of campaigns of this version, got .*something else"):
        run(tmp_path, plan())
    with pytest.raises(ValueError, match="something else"):
        ZarrStore.reading(tmp_path)


def test_two_processes_do_not_write_at_once_but_others_read(tmp_path):
    run(tmp_path, plan())
    assert not ZarrStore.reading(tmp_path).busy
    with claimed(tmp_path):
        with pytest.raises(ValueError, match=r"store must be a folder of its own, got .* another study is running"):
            run(tmp_path, plan())
        assert ZarrStore.reading(tmp_path).busy
        assert holds(tmp_path, plan())
    assert run(tmp_path, plan()) == 0


def test_outside_of_with_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"store must be in use, got .* outside of `with`"):
        ZarrStore(tmp_path).shelf(plan())
    with ZarrStore(tmp_path) as store:
        shelf = store.shelf(plan())
    with pytest.raises(OSError, match="0 blocks are safe"):
        shelf.put(0, Posed().ends(BLOCK, 0), 1.0)


def test_a_block_of_another_problem_is_refused(tmp_path):
    with ZarrStore(tmp_path) as store:
        shelf = store.shelf(plan())
        block = Posed().ends(BLOCK, 0)
        for wrong in (replace(block, first=BLOCK), replace(block, horizon=9.0), Posed().ends(BLOCK + 1, 0)):
            with pytest.raises(ValueError, match=r"block must be number 0 of 'deep'"):
                shelf.put(0, wrong, 1.0)
        assert shelf.finished() == {}


def fails_at(monkeypatch, k, error, name="replace"):
    """Let the k-th call of a function of `os` raise; what counts the calls comes back."""
    calls, real = [0], getattr(os, name)

    def failing(*args, **options):
        calls[0] += 1
        if calls[0] == k:
            raise error
        return real(*args, **options)

    monkeypatch.setattr(os, name, failing)
    return calls


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("before", [None, 15])
def test_killed_between_any_two_moves_of_files_it_goes_on_to_the_same_bits(tmp_path, monkeypatch, before):
    """Each block is whole or absent after a stop at the k-th file, and leftovers of it are gone afterwards."""
    asked, k = plan(35, problem=Posed(n_positions=2, budget=True)), 0
    ended = False
    while not ended:
        k += 1
        folder = tmp_path / str(k)
        if before is not None:
            run(folder, replace(asked, n_paths=before))
        with monkeypatch.context() as patch:
            fails_at(patch, k, Killed())
            patch.setattr("fbmsde.campaigns.zarr_files.StoreFiles.remove_parts", lambda self: None)
            try:
                run(folder, asked)
                ended = True
            except Killed:
                (folder / ".parts").mkdir(exist_ok=True)
                (folder / ".parts" / "half").write_bytes(b"left by a kill")
        if (folder / "results.zarr" / "deep").exists():
            shelf = ZarrStore.reading(folder).kept("deep")
            for number, n_paths in shelf.finished().items():
                assert n_paths in (5, 10)
                assert same(shelf.get(number), asked.problem.ends(n_paths, number * BLOCK))
        run(folder, asked)
        assert holds(folder, asked)
        assert not (folder / ".parts").exists()
    assert k > 25


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_full_disk_at_any_moment_tells_what_is_safe(tmp_path, monkeypatch, code):
    asked, k, told = plan(), 0, set()
    while True:
        k += 1
        folder = tmp_path / str(k)
        with monkeypatch.context() as patch:
            fails_at(patch, k, OSError(code, os.strerror(code)))
            try:
                run(folder, asked)
                break
            except OSError as error:
                told.add(str(error).split("): ")[1])
                assert str(error).startswith(f"store must be a folder that can be written, got {folder} (")
                assert os.strerror(code) in str(error)
        assert not list(folder.glob(".parts/*"))
        run(folder, asked)
        assert holds(folder, asked)
    safe = ("0 blocks are", "1 block is", "2 blocks are", "3 blocks are")
    assert told == {f"{kept} safe. Run again to go on." for kept in safe}


def test_a_file_in_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError, match=r"store must be a folder that can be written, got .* \("):
            run(folder, plan())
        with pytest.raises(ValueError, match="store must be a folder"):
            ZarrStore.reading(folder)
    with pytest.raises(ValueError, match=r"store must be a folder with results of a campaign, got .*missing"):
        ZarrStore.reading(tmp_path / "missing")
    with pytest.raises(ValueError, match=r"name must be one of deep, got 'flat'"):
        run(tmp_path, plan())
        ZarrStore.reading(tmp_path).kept("flat")


def test_without_the_extra_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "google_crc32c", None)
    for make in (ZarrStore, ZarrStore.reading):
        with pytest.raises(ImportError, match=r'pip install "fbmsde\[store\]"'):
            make(tmp_path)


def test_records_are_kept_with_their_settings(tmp_path):
    settings, record = {"seed": 1, "widths": (4, 8)}, {"accuracy": 0.9, "alpha": float("inf")}
    with ZarrStore(tmp_path) as store:
        assert store.record("small", settings) is None
        store.keep("small", settings, record)
    with ZarrStore(tmp_path) as store:
        assert store.record("small", settings) == record
        with pytest.raises(ValueError, match=r"same settings, got others of 'small' in .*: seed 1 there, 2 asked"):
            store.record("small", {**settings, "seed": 2})
    assert ZarrStore.reading(tmp_path).records() == {"small": record}
    (tmp_path / "results.zarr" / "runs" / "small" / "zarr.json").write_text("{")
    with ZarrStore(tmp_path) as store:
        assert store.record("small", settings) == record  # from the copy in the root
    xarray = pytest.importorskip("xarray")
    tree = xarray.open_datatree(tmp_path / "results.zarr", engine="zarr")
    assert tree["runs/small"].attrs["record"] == record


@pytest.mark.parametrize(
    "name", ["..", ".", "runs", "zarr.json", "__x", "a/b", "c:\\d", "x" * 400, "σ" * 400, "t\n", "%", "end."]
)
def test_any_name_of_a_problem_is_a_folder_of_its_own(tmp_path, name):
    run(tmp_path, plan())
    with ZarrStore(tmp_path) as store:
        store.keep(name, {}, {"value": 1})  # records have a folder of their own
    run(tmp_path, plan(name=name))
    assert ZarrStore.reading(tmp_path).names == ("deep", name)
    assert ZarrStore.reading(tmp_path).records() == {name: {"value": 1}}
    assert holds(tmp_path, plan(name=name))
    assert {path.name for path in tmp_path.iterdir()} <= {"results.zarr", ".fbmsde.lock"}
    assert not (tmp_path / "results.zarr" / "runs" / "state").exists()
    assert len(folder_name(name).encode()) < 200
