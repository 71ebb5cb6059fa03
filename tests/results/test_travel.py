"""Results that travel: joined, written to files and read again, and as tables of pandas and xarray."""

from __future__ import annotations

import builtins
import json
import math
from dataclasses import fields

import numpy as np
import pytest

import fbmsde
from fbmsde import (
    Accuracy,
    Departures,
    ErrorBudget,
    FractionalNoise,
    Grid,
    MixedNoise,
    NoEstimateError,
    PassageProblem,
    PassageTimes,
    PathError,
    Paths,
    StableNoise,
    Stationary,
    first_passage,
    load,
    quadratic,
)
from fbmsde.results.archive import Archive

BUDGET = ErrorBudget(1e-4, 1e-3, 5e-4, 1e-6, 30.0, 0.3, 2**16, Accuracy())
ORIGIN = {"problem": {"seed": 1}, "digest": "a", "paths": [[5, 4]], "versions": {"fbmsde": "0"}}


def passages(dim=1, *, shift=0, budget=None, origin=None, n_unresolved=0, **changes):
    """Four paths: one left each side, one was inside to the end, one broke."""
    places = np.array([[-1.5, 0.1], [np.nan, np.nan], [2.5, 0.2], [np.nan, np.nan]])
    departures = Departures(np.array([1, 0, 2, 0]), ("lower", "upper"), places[:, 0] if dim == 1 else places)
    given = {
        "times": np.array([1.0, 3.0, 2.0, 0.5]) + 0.25 * shift * np.array([1, 0, 1, 1]),
        "censored": np.array([False, True, False, True]),
        "horizon": 3.0,
        "dt": 0.25,
        "error_budget": budget,
        "broken": np.array([False, False, False, True]),
        "unresolved": n_unresolved,
        "departures": departures,
        "provenance": origin,
    }
    return PassageTimes(**given | changes)


def assert_same(one, other):
    """All fields agree."""
    for field in fields(PassageTimes):
        if field.name == "departures" and one.departures is not None:
            assert one.departures.names == other.departures.names
            np.testing.assert_array_equal(one.departures.codes, other.departures.codes)
            np.testing.assert_array_equal(one.place, other.place)
            assert one.place.shape == other.place.shape
        else:
            a, b = getattr(one, field.name), getattr(other, field.name)
            assert np.array_equal(a, b) and type(a) is type(b), field.name


CASES = {
    "plain": passages(),
    "in two dimensions": passages(2, origin=ORIGIN, n_unresolved=2),
    "in continuous time": passages(budget=BUDGET),
    "without departures": passages(departures=None),
    "infinite budget": passages(budget=ErrorBudget.of_record(BUDGET.record() | {"resolution": math.inf})),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def test_a_file_brings_all_back(case, tmp_path):
    file = tmp_path / "ergebnis für später π.npz"
    case.save(file)
    assert_same(load(file), case)
    assert_same(load(str(file)), case)
    assert not [path for path in tmp_path.iterdir() if path != file]  # nothing is left beside it


def test_numpy_alone_reads_a_file(case, tmp_path):
    case.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["times"], case.times)
        assert json.loads(arrays["facts"].tobytes())["horizon"] == 3.0


def test_paths_come_back_from_a_file(tmp_path):
    values = np.arange(12.0).reshape(2, 3, 2)
    Paths(np.arange(3.0), values, 0.5, np.array([False, True])).save(tmp_path / "paths.npz")
    found = load(tmp_path / "paths.npz")
    assert isinstance(found, Paths) and found.dt == 0.5 and found.broken.tolist() == [False, True]
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.times, np.arange(3.0))


def test_files_are_not_replaced_unasked(tmp_path):
    file = tmp_path / "a.npz"
    CASES["plain"].save(file)
    before = file.read_bytes()
    with pytest.raises(FileExistsError, match=r"path must be new, got .*a\.npz, which exists\. Choose another, or say"):
        CASES["in continuous time"].save(file)
    assert file.read_bytes() == before
    CASES["in continuous time"].save(file, overwrite=True)
    assert load(file).error_budget == BUDGET


@pytest.mark.parametrize("name", ["a", "a.csv", "a.npz.part", "npz"])
def test_files_need_their_suffix(name, tmp_path):
    with pytest.raises(ValueError, match=rf"path must end in \.npz, got .*{name}'\. Write '{name}\.npz'\."):
        CASES["plain"].save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="must be written whole, got: No such file or directory"):
        CASES["plain"].save(tmp_path / "missing" / "a.npz")
    with pytest.raises(ValueError, match="provenance must be data that JSON can hold, got a problem"):
        passages(origin={"a": object()}).save(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="provenance must be data that JSON can hold"):
        passages(origin={"a": math.nan}).save(tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


def refused(file):
    """The error of reading a file, which is one line and names the file."""
    with pytest.raises((ValueError, OSError)) as caught:
        load(file)
    text = str(caught.value)
    assert "\n" not in text and file.name in text, text
    return text


def test_damaged_files_are_refused(tmp_path):
    """Cut at any place, and one byte flipped at any place: refused in one line, or what was written is read."""
    file, other = tmp_path / "whole.npz", tmp_path / "ça.npz"
    CASES["in two dimensions"].save(file)
    raw = file.read_bytes()
    for cut in range(0, len(raw), 37):
        other.write_bytes(raw[:cut])
        refused(other)
    n_refused = 0
    for place in range(0, len(raw), 11):
        other.write_bytes(raw[:place] + bytes([raw[place] ^ 0x40]) + raw[place + 1 :])
        try:
            assert_same(load(other), CASES["in two dimensions"])  # a byte that carries nothing, such as a date
        except (ValueError, OSError) as error:
            assert "\n" not in str(error) and "whole.npz" not in str(error)
            n_refused += 1
    assert n_refused > 0.5 * len(raw) / 11


def test_an_array_is_checked_before_it_is_read(tmp_path):
    """The head of an array says how much memory it takes: a damaged one must not be believed."""
    file = tmp_path / "whole.npz"
    CASES["in two dimensions"].save(file)
    raw, shape = file.read_bytes(), f"({CASES['in two dimensions'].n_paths},)".encode()
    assert shape in raw
    file.write_bytes(raw.replace(shape, b"(" + b"9" * (len(shape) - 3) + b",)", 1))
    assert "times.npy in it is damaged" in refused(file)


def test_other_files_are_refused(tmp_path):
    assert "or the folder that a campaign has as `store`, got" in refused(tmp_path / "nothing.npz")
    other = tmp_path / "other.npz"
    np.savez(other, times=np.arange(3.0))
    assert "must hold what `save` has written" in refused(other)
    np.savez(other, facts=np.array([object()], dtype=object))
    assert "allow_pickle" in refused(other) or "Object arrays" in refused(other)
    np.save(tmp_path / "array.npy", np.arange(3.0))
    refused(tmp_path / "array.npy")
    (tmp_path / "text.npz").write_text("time\n1.0\n")
    refused(tmp_path / "text.npz")
    Archive("Recipes", {}, {}).write(tmp_path / "recipes.npz")
    assert "of the kind 'Recipes'" in refused(tmp_path / "recipes.npz")
    for facts, arrays in [
        ({"dt": 1.0}, {"times": np.ones(2)}),
        ({"dt": 1.0, "horizon": 0.5, "unresolved": 0, "provenance": None},
         {"times": np.ones(2), "censored": np.zeros(2, bool), "broken": np.zeros(2, bool)}),
        ({"dt": 1.0, "horizon": 2.0, "unresolved": 0, "provenance": None, "error_budget": {"drift": 1.0}},
         {"times": np.ones(2), "censored": np.zeros(2, bool), "broken": np.zeros(2, bool)}),
    ]:  # fmt: skip
        Archive("PassageTimes", arrays, facts).write(tmp_path / "wrong.npz", overwrite=True)
        refused(tmp_path / "wrong.npz")
    facts = np.frombuffer(json.dumps({"format": 99, "kind": "PassageTimes"}).encode(), np.uint8)
    np.savez(tmp_path / "later.npz", facts=facts)
    assert "of form 99. Update fbmsde" in refused(tmp_path / "later.npz")


def test_a_folder_that_is_no_campaign_is_refused_with_the_one_that_is(tmp_path):
    (tmp_path / "deep" / "results.zarr").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty").endswith("empty, in which no campaign is.")
    for wrong in (tmp_path, tmp_path / "deep" / "results.zarr"):
        assert refused(wrong).endswith(f"in which no campaign is. Write load({str(tmp_path / 'deep')!r}).")
    with pytest.raises(TypeError, match=r"path must be a file \(\.npz\) that .*, got 3\."):
        load(3)


def test_joined_results_are_one_path_after_the_other():
    one, other = passages(budget=BUDGET, n_unresolved=1), passages(shift=1, budget=BUDGET, n_unresolved=2)
    whole = PassageTimes.concat([one, other])
    assert whole.times.tolist() == [1.0, 3.0, 2.0, 0.5, 1.25, 3.0, 2.25, 0.75]
    assert whole.side.tolist() == 2 * ["lower", "", "upper", ""] and whole.n_broken == 2 and whole.n_left == 4
    assert whole.unresolved == 3 and whole.note.startswith("3 of 4 exits were made by steps that the equation does not")
    assert whole.error_budget == BUDGET
    assert PassageTimes.concat([passages(2), passages(2)]).place.shape == (8, 2)
    assert_same(PassageTimes.concat([one]), one)


def test_a_note_counts_over_all_parts():
    """A part whose share of unresolved exits is above 1 % is diluted by others, and a small share may become large."""
    n = 400
    many = PassageTimes(np.ones(n), np.zeros(n, bool), 2.0, 1.0)
    few = PassageTimes(np.ones(n), np.zeros(n, bool), 2.0, 1.0, unresolved=5)
    assert few.note and not PassageTimes.concat([few, many]).note
    assert PassageTimes.concat([few, many]).unresolved == 5


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (passages(dt=0.5), "same dt, horizon, sides"),
        (passages(horizon=4.0), "same dt, horizon, sides"),
        (passages(departures=None), "same dt, horizon, sides"),
        (passages(2), "same dt, horizon, sides"),
        (passages(budget=BUDGET), "kind of error budget, got .*ErrorBudget"),
        (passages(departures=Departures(np.array([1, 0, 2, 0]), ("a", "b"), np.zeros(4))), "'lower'.*'a'"),
    ],
)
def test_results_of_another_kind_are_not_joined(other, message):
    with pytest.raises(ValueError, match=rf"parts must have the .*{message}"):
        PassageTimes.concat([passages(), other])
    with pytest.raises(ValueError, match="parts must hold at least one result, got none"):
        PassageTimes.concat([])
    with pytest.raises(TypeError, match="parts must be"):
        PassageTimes.concat([passages(), 3.0])


def run_of(paths, **changes):
    return passages(origin=ORIGIN | {"paths": paths} | changes)


def test_provenance_is_joined():
    joined = PassageTimes.concat([run_of([[0, 4]]), run_of([[4, 4]]), run_of([[20, 4]])]).provenance
    assert joined == ORIGIN | {"paths": [[0, 8], [20, 4]]}
    assert PassageTimes.concat([run_of([[0, 4]]), passages()]).provenance is None
    mixed = PassageTimes.concat([run_of([[0, 4]]), run_of([[4, 4]], versions={"fbmsde": "1"})]).provenance
    assert [part["paths"] for part in mixed["parts"]] == [[[0, 4]], [[4, 4]]]
    again = PassageTimes.concat([passages(origin=mixed), run_of([[8, 4]])]).provenance
    assert [part["paths"] for part in again["parts"]] == [[[0, 4], [8, 4]], [[4, 4]]]


def test_a_path_is_not_counted_twice():
    with pytest.raises(ValueError, match=r"parts must hold different paths, got path 2 of one problem and seed twice"):
        PassageTimes.concat([run_of([[0, 4]]), run_of([[2, 4]], versions={"fbmsde": "1"})])
    PassageTimes.concat([run_of([[0, 4]]), run_of([[2, 4]], digest="b")])
    PassageTimes.concat([run_of([[0, 4]], digest=None), run_of([[2, 4]], digest=None)])  # not known to be the same


def test_data_frames_hold_a_row_for_each_path():
    frame = passages(2, origin=ORIGIN).to_dataframe()
    assert list(frame.columns) == ["path", "time", "censored", "broken", "side", "place_0", "place_1"]
    assert frame.path.tolist() == [5, 6, 7, 8] and frame.time.tolist() == [1.0, 3.0, 2.0, 0.5]
    assert frame.side.astype(object).where(frame.side.notna(), "").tolist() == ["lower", "", "upper", ""]
    assert frame.groupby("side", observed=False).time.mean().to_dict() == {"lower": 1.0, "upper": 2.0}
    assert frame.place_0.isna().tolist() == [False, True, False, True]
    assert frame.attrs["units"]["time"] == "unit of time of the equation"
    assert frame.attrs["provenance"] == ORIGIN and frame.attrs["horizon"] == 3.0
    assert "later than its time" in frame.attrs["meaning"]["censored"]
    assert list(passages().to_dataframe().columns)[-1] == "place"
    assert list(passages(departures=None).to_dataframe().columns) == ["path", "time", "censored", "broken"]
    json.dumps(frame.attrs, allow_nan=False)


def test_data_sets_explain_themselves(tmp_path):
    import xarray

    for dim in (1, 2):
        found = passages(dim, origin=ORIGIN, n_unresolved=2).to_xarray()
        assert found.sizes == {"path": 4} | ({"coordinate": 2} if dim == 2 else {})
        assert found.path.values.tolist() == [5, 6, 7, 8]
        assert found.time.attrs["units"] == "unit of time of the equation"
        assert "later than its time" in found.censored.attrs["long_name"]
        assert found.side.values.tolist() == ["lower", "", "upper", ""]
        assert float(found.time.where(found.side == "upper").mean()) == 2.0
        assert json.loads(found.attrs["provenance"]) == ORIGIN and found.attrs["note"]
        found.to_netcdf(tmp_path / f"{dim}.nc", engine="scipy")
        with xarray.open_dataset(tmp_path / f"{dim}.nc", engine="scipy") as again:
            assert found.identical(again.load())
    bare = passages(departures=None).to_xarray()
    assert set(bare.data_vars) == {"time", "censored", "broken"} and set(bare.attrs) == {"dt", "horizon"}


@pytest.mark.parametrize(("method", "package"), [("to_dataframe", "pandas"), ("to_xarray", "xarray")])
def test_a_missing_extra_is_named(method, package, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(ImportError, match=rf'{package}.*pip install "fbmsde\[store\]"'):
        getattr(passages(), method)()


def test_counts_of_unresolved_exits_are_checked():
    with pytest.raises(ValueError, match="unresolved must count exits, of which there are 2, got 3"):
        passages(n_unresolved=3)
    with pytest.raises(ValueError, match="unresolved must be at least 0"):
        passages(n_unresolved=-1)
    with pytest.raises(NoEstimateError):
        _ = passages(departures=None).side


RUN = {"horizon": 5.0, "seed": 7, "monitoring": Grid(0.05)}


def test_first_passage_tells_where_its_times_come_from():
    got = first_passage(quadratic(2.0), FractionalNoise(0.3), 0.0, (-1.0, 1.0), n_paths=20, first_path=10, **RUN)
    origin = got.provenance
    problem = PassageProblem(quadratic(2.0), FractionalNoise(0.3), 0.0, (-1.0, 1.0), **RUN)
    assert origin["problem"] == problem.description() and origin["digest"] == problem.digest()
    assert origin["problem"]["landscape"]["params"] == [2.0] and origin["problem"]["seed"] == 7
    assert origin["paths"] == [[10, 20]] and got.to_dataframe().path.tolist() == list(range(10, 30))
    assert origin["versions"]["fbmsde"] == fbmsde.__version__ and set(origin["machine"]) == {"system", "processor"}
    assert [c["kl"] for c in origin["certificates"]] == [FractionalNoise(0.3).certificates(100)[0].kl]
    json.dumps(origin, allow_nan=False)


def test_ranges_join_to_the_whole_run():
    problem = PassageProblem(quadratic(2.0), FractionalNoise(0.3), 0.0, (-1.0, 1.0), **RUN)
    parts = [problem.passages(7), problem.passages(13, first=7)]
    assert_same(PassageTimes.concat(parts), problem.passages(20))
    with pytest.raises(ValueError, match="got path 7 of one problem and seed twice"):
        PassageTimes.concat([*parts, problem.passages(1, first=7)])


def test_certificates_are_those_of_the_steps_that_are_taken():
    """The tolerance grows with the number of steps, so that a certificate of other steps is seen."""
    told = []
    for noise, x0 in [
        (FractionalNoise(0.3), 0.0),
        (FractionalNoise(0.3), Stationary(2.0)),
        (MixedNoise(FractionalNoise(0.3), FractionalNoise(0.7), StableNoise(1.5)), 0.0),
        (FractionalNoise(0.3, method="davies_harte"), 0.0),
        (FractionalNoise(0.5), "stationary"),
    ]:
        problem = PassageProblem(quadratic(2.0), noise, x0, (-1.0, 1.0), **RUN)
        told.append([c["kl"] for c in problem.provenance()["certificates"]])
    hundred, rough = FractionalNoise(0.3).certificates(100)[0].kl, FractionalNoise(0.7).certificates(100)[0].kl
    assert told == [[hundred], [FractionalNoise(0.3).certificates(140)[0].kl], [hundred, rough], [], []]


def test_a_problem_that_cannot_be_told_is_run_all_the_same():
    model = builtins.object()

    def draw(rng, n, held=model):
        return np.zeros(n)

    got = first_passage(quadratic(2.0), FractionalNoise(0.5), draw, (-1.0, 1.0), n_paths=3, **RUN)
    assert got.provenance["problem"] is None and got.provenance["digest"] is None
    assert got.provenance["untold"].startswith("x0 must be made of what can be told")


def test_broken_paths_know_where_they_come_from():
    steep = fbmsde.Landscape(lambda x: -(x**4), lambda x: -4.0 * x**3)
    run = RUN | {"horizon": 20.0, "monitoring": Grid(1.0)}
    with pytest.raises(PathError) as caught:
        first_passage(steep, FractionalNoise(0.5), 3.0, (None, None), n_paths=3, **run)
    assert caught.value.passages.n_broken == 3 and caught.value.passages.provenance["paths"] == [[0, 3]]


def test_campaigns_tell_where_their_times_come_from(tmp_path):
    """From memory, and from a folder, also by `load`; what was saved from there can be joined with a later run."""
    problem = PassageProblem(quadratic(2.0), FractionalNoise(0.3), 0.0, (-1.0, 1.0), **RUN)
    for store in (None, tmp_path / "store"):
        results = fbmsde.Campaign({"well": problem}, n_paths=20, block_paths=8, store=store).run(n_jobs=1)
        assert_same(results["well"], problem.passages(20))
    found = load(tmp_path / "store")["well"]
    assert_same(found, problem.passages(20))
    found.save(tmp_path / "well.npz")
    joined = PassageTimes.concat([load(tmp_path / "well.npz"), problem.passages(10, first=20)])
    assert_same(joined, problem.passages(30))
