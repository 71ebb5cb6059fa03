"""Campaigns in TOML: what a file means, how faults in it are told, and that nothing else comes of any file."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fbmsde
from fbmsde import (
    Continuous,
    FractionalNoise,
    Grid,
    MixedNoise,
    PassageProblem,
    Shifted,
    StableNoise,
    Stationary,
    ball,
    langevin,
    quadratic,
    sgd,
)
from fbmsde.campaigns.config import Config, read_config
from fbmsde.campaigns.rounds import Precision

GOOD = {
    "paths": 10,
    "landscape": {"name": "quadratic"},
    "noise": {"name": "fractional", "hurst": 0.3},
    "start": {"x0": 0.0},
    "domain": {"lower": -2.0, "upper": 2.0},
    "monitoring": {"dt": 0.1, "horizon": 10.0},
}


def toml(value: object) -> str:
    """A value as TOML writes it; tables on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    return json.dumps(value, ensure_ascii=False)


def written(folder: Path, tables: dict[str, object]) -> Path:
    """A file of these tables."""
    file = folder / "deep.toml"
    file.write_text("".join(f"{json.dumps(k, ensure_ascii=False)} = {toml(v)}\n" for k, v in tables.items()), "utf-8")
    return file


def read(folder: Path, **changes: object) -> Config:
    """The configuration with some of its tables changed; None takes a table away."""
    return read_config(written(folder, {k: v for k, v in {**GOOD, **changes}.items() if v is not None}))


def only(folder: Path, **changes: object) -> PassageProblem:
    """The one problem of such a configuration."""
    (problem,) = read(folder, **changes).problems().values()
    return problem


def same(found: PassageProblem, landscape: object, noise: object, x0: object, domain: object, monitoring: object,
         horizon: float = 10.0) -> bool:  # fmt: skip
    """Whether a problem is the one that a script would make."""
    made = PassageProblem(landscape, noise, x0, domain, horizon=horizon, seed=0, monitoring=monitoring)
    return found.digest() == made.digest()


def test_file_says_what_a_script_says(tmp_path):
    well, noise, ends, grid = quadratic(1.0), FractionalNoise(0.3), (-2.0, 2.0), Grid(0.1)
    assert same(only(tmp_path), well, noise, (0.0,), ends, grid)
    assert same(only(tmp_path, domain={"height": 2.0}), well, noise, (0.0,), ends, grid)
    assert same(only(tmp_path, domain={"upper": 1}), well, noise, (0.0,), (-math.inf, 1.0), grid)
    assert same(only(tmp_path, start={"x0": "stationary"}), well, noise, Stationary(), ends, grid)
    assert same(only(tmp_path, start={"burn_in": 4}), well, noise, Stationary(4.0), ends, grid)
    assert same(only(tmp_path, start={"burn_in": 4, "x0": 1}), well, noise, Stationary(4.0, 1.0), ends, grid)
    shifted = {"name": "shifted", "dt": 0.1, "solver": "heun", "horizon": 10}
    assert same(only(tmp_path, monitoring=shifted), well, noise, (0.0,), ends, Shifted(0.1, "heun"))
    parts = [{"name": "fractional", "hurst": 0.3}, {"name": "stable", "alpha": 1.5, "sigma": 0.2}]
    assert same(only(tmp_path, noise=parts), well, MixedNoise(noise, StableNoise(1.5, 0.2)), (0.0,), ends, grid)
    assert same(only(tmp_path, noise=parts[:1]), well, noise, (0.0,), ends, grid)


def test_equations_have_names_and_options(tmp_path):
    noise, ends = FractionalNoise(0.3), (-2.0, 2.0)
    inert = only(tmp_path, equation={"name": "langevin", "friction": 2, "mass": 0.5})
    assert same(inert, langevin(quadratic(), 2.0, 0.5), noise, (0.0,), ends, Grid(0.1))
    chain = only(tmp_path, equation={"name": "sgd", "learning_rate": 0.1, "momentum": 0.9}, monitoring={"horizon": 10})
    assert same(chain, sgd(quadratic(), 0.1, 0.9), noise, (0.0,), ends, Grid(1.0))


@pytest.mark.slow
def test_continuous_time_has_its_options(tmp_path):
    watched = {"name": "continuous", "fine_steps": 65536, "accuracy": {"miss": 1e-6}, "horizon": 10}
    monitoring = Continuous(65536, accuracy=fbmsde.Accuracy(1e-6))
    assert same(only(tmp_path, monitoring=watched), quadratic(), FractionalNoise(0.3), (0.0,), (-2.0, 2.0), monitoring)


def test_starts_and_walls_follow_the_landscape(tmp_path):
    """A file that wrote numbers would leave the well behind as soon as the grid moves it."""
    grid = {"landscape.tilt": [0.0, 0.3], "start.minimum": [1, 2]}
    well = {"name": "tilted_double_well"}
    config = read(tmp_path, landscape=well, start={}, domain={"lower": -9, "upper": 9}, grid=grid)
    for name, problem in config.problems().items():
        number = int(name[-1]) - 1
        assert problem.x0 == (problem.landscape.minima[number],)
    left = only(tmp_path, landscape=well, start={"minimum": 1}, domain={"upper": "saddle"})
    assert left.domain == (-math.inf, left.landscape.saddles[0])
    right = only(tmp_path, landscape=well, start={"minimum": 2}, domain={"lower": "saddle"})
    assert right.domain == (right.landscape.saddles[0], math.inf)
    with pytest.raises(ValueError, match="lower must be a number: no saddle is known below the start"):
        read(tmp_path, landscape=well, start={"minimum": 1}, domain={"lower": "saddle"})


@pytest.mark.slow
def test_domains_of_many_dimensions(tmp_path):
    wide = {"landscape": {"name": "rosenbrock", "dim": 17}, "start": {"minimum": 1}}
    inside = only(tmp_path, **wide, domain={"radius": 0.5, "center": [1.0] * 17})
    assert same(inside, fbmsde.rosenbrock(17), FractionalNoise(0.3), (1.0,) * 17, ball(0.5, [1.0] * 17), Grid(0.1))
    across = only(tmp_path, landscape={"name": "double_well_2d"}, start={"minimum": 2}, domain={"lower": "saddle"})
    slab = only(tmp_path, **wide, domain={"axis": 3, "lower": 0.5, "upper": 1.5})
    assert (across.names, slab.names) == (("lower",), ("lower", "upper"))
    place = np.zeros(17)
    place[3] = 2.0
    levels = {name: each.level(place, *each.params) for name, each in slab.domain.items()}
    assert levels == {"lower": -1.5, "upper": 0.5}


def test_grid_is_a_product_with_names(tmp_path):
    grid = {"noise.hurst": "0.3:0.7:0.2", "landscape": {"curvature": [1, 4.0]}}
    problems = read(tmp_path, noise={"name": "fractional"}, grid=grid).problems()
    assert list(problems) == [f"hurst={h},curvature={a}" for h in ("0.3", "0.5", "0.7") for a in ("1", "4")]
    assert same(problems["hurst=0.7,curvature=4"], quadratic(4.0), FractionalNoise(0.7), (0.0,), (-2.0, 2.0), Grid(0.1))


def test_grid_takes_whole_tables_and_tables_by_number(tmp_path):
    noises = [{"name": "white"}, {"name": "stable", "alpha": 1.5}, [{"name": "white"}, {"name": "white", "sigma": 2}]]
    config = read(tmp_path, noise=None, grid={"noise": noises, "seed": [1, 2]})
    assert list(config.problems())[::2] == [f"noise={n},seed=1" for n in ("white", "stable alpha=1.5",
                                                                          "white white sigma=2")]  # fmt: skip
    parts = [{"name": "white"}, {"name": "white"}]
    names = list(read(tmp_path, noise=parts, grid={"noise.1.sigma": [1.0], "noise.2.sigma": [2.0]}).problems())
    assert names == ["noise.1.sigma=1,noise.2.sigma=2"]


def test_rest_of_the_file(tmp_path):
    until = {"relative_error": 0.05, "quantity": "split:upper", "most_paths": 100}
    config = read(tmp_path, seed=7, store="results", block_paths=5, until=until)
    assert (config.n_paths, config.block_paths, config.seed) == (10, 5, 7)
    assert config.store == tmp_path / "results"
    assert config.until == Precision(0.05, "split:upper", 100)
    assert list(config.problems()) == ["quadratic"]
    plain = read(tmp_path, store=str(tmp_path / "else"))
    assert (plain.block_paths, plain.seed, plain.store, plain.until) == (None, 0, tmp_path / "else", None)


def test_files_are_looked_for_beside_the_configuration(tmp_path, monkeypatch):
    np.save(tmp_path / "samples.npy", np.arange(5.0))
    monkeypatch.chdir("/")
    noise = only(tmp_path, noise={"name": "population", "samples": "samples.npy", "batch_size": 2}).noise
    assert np.array_equal(np.ravel(noise.samples), np.arange(5.0))


FAULTS = {
    "paths must be given above all tables, got none.": {"paths": None},
    "paths must be a whole number, got '10'.": {"paths": "10"},
    "got 'hurst'. It belongs into [noise].": {"hurst": 0.3},
    "[rare] keys of splitting must be among name, n_paths, killed, least, got 'n_chains'. It is a key of subset.": {
        "rare": {"name": "splitting", "n_chains": 256}, "paths": None, "replicas": 3,
    },
    "got 'path'. Did you mean 'paths'?": {"path": 3},
    "[monitoring] keys of grid must be among name, horizon, dt, solver, got 'paths'. It belongs to the top of": {
        "monitoring": {"dt": 0.1, "horizon": 10, "paths": 10}
    },
    "got 'until'. A campaign ends by a table [until]": {"monitoring": {"dt": 0.1, "horizon": 10, "until": 0.5}},
    "[noise] keys of fractional must be among name, hurst, sigma, method, tolerance, correlation, dtype, got 'hurts'. "
    "Did you mean 'hurst'?": {"noise": {"name": "fractional", "hurts": 0.3}},
    "[noise] hurst must lie in (0, 1), got 1.5.": {"noise": {"name": "fractional", "hurst": 1.5}},
    "[noise] hurst must lie in (0, 1), got nan.": {"noise": {"name": "fractional", "hurst": math.nan}},
    "[noise] hurst must be given for fractional.": {"noise": {"name": "fractional"}},
    "[noise] must be one table or several, got none.": {"noise": []},
    "[noise] must be a table, got 'white'. Write it in brackets": {"noise": "white"},
    "[[noise]] number 2: sigma must be positive and finite, got -1.0.": {
        "noise": [{"name": "white"}, {"name": "white", "sigma": -1}]
    },
    "got 'quadratc'. Did you mean 'quadratic'? For one of your own write a script": {"landscape": {"name": "quadratc"}},
    "[equation] keys of overdamped must be among name, got 'kind'. Did you mean 'name'?": {"equation": {"kind": "sgd"}},
    "[start] x0 must have 1 coordinates for quadratic, got 2.": {"start": {"x0": [0, 1]}},
    "[start] minimum must not be given with x0": {"start": {"x0": 0, "minimum": 1}},
    "[start] minimum must be at most 1": {"start": {"minimum": 2}},
    "x0 must lie inside the domain (-2.0, 2.0), got 3.0.": {"start": {"x0": 3}},
    "[domain] keys must be lower or upper, or height, or radius, got lower, height.": {
        "domain": {"lower": 0, "height": 1}
    },
    "[domain] lower or upper must be finite": {"domain": {"lower": -math.inf}},
    "[domain] height must be left out for double_well": {
        "landscape": {"name": "double_well"},
        "domain": {"height": 1},
    },
    "[monitoring] horizon must be given": {"monitoring": {"dt": 0.1}},
    "[monitoring] dt must be given for grid.": {"monitoring": {"horizon": 1}},
    "horizon must be at least dt = 0.1, got 0.01.": {"monitoring": {"dt": 0.1, "horizon": 0.01}},
    "[monitoring] noise must be a FractionalNoise, got StableNoise": {
        "noise": {"name": "stable", "alpha": 1.5},
        "monitoring": {"name": "shifted", "dt": 0.1, "horizon": 1},
    },
    "[monitoring] accuracy: keys of accuracy must be among name, miss, drift_step, tolerance, got 'mis'.": {
        "monitoring": {"name": "continuous", "horizon": 1, "accuracy": {"mis": 1}}
    },
    "[grid] noise.hurst must stand in one place, got it in its table too.": {"grid": {"noise.hurst": [0.3]}},
    "at sigma=-1: [noise] sigma must be positive and finite, got -1.0.": {"grid": {"noise.sigma": [1, -1]}},
    "[grid] noise.sigma must have different values, got 1 more than once.": {"grid": {"noise.sigma": [1, 1.0]}},
    "[grid] noise.sigma must have at least one value, got none.": {"grid": {"noise.sigma": []}},
    '[grid] noise.sigma must be a list of values, or a range as "0.3:0.7:0.1", got 2.': {"grid": {"noise.sigma": 2}},
    "[grid] noise.sigma must be a range from first to last": {"grid": {"noise.sigma": "1:2:1e-6"}},
    "[grid] the product of all lists must have at most 10000 points, got 1000000.": {
        "grid": {f"noise.{key}": [*range(1, 101)] for key in ("sigma", "tolerance", "method")}
    },
    "got 'sigma'. It belongs into [noise].": {"grid": {"sigma": [1, 2]}},
    "got 'nois.sigma'. Did you mean 'noise'?": {"grid": {"nois.sigma": [1, 2]}},
    "[grid] noise.3.sigma must say which of the 1 tables it means": {
        "noise": [{"name": "white"}],
        "grid": {"noise.3.sigma": [1]},
    },
    "[grid] noise.name.x must be a key of a table, got 'fractional' in place": {"grid": {"noise.name.x": [1]}},
    "[grid] names of points must have at most 200 bytes": {"grid": {"noise.method": ["x" * 300]}},
    "[until] relative_error must be given beside most_paths": {"until": {"most_paths": 100}},
    "[until] relative_error must be at least 1e-09, got 1e-300.": {"until": {"relative_error": 1e-300}},
    "[until] relative_error must lie in (0, 1), got nan.": {"until": {"relative_error": math.nan}},
    "[until] quantity must name one of the sides lower, upper, got 'split:uper'": {"until": {"quantity": "split:uper"}},
    "[until] keys must be among relative_error, quantity, most_paths, after, got 'most'. Did you mean": {
        "until": {"most": 3}
    },
    "store must be the name of a folder in quotes, got ''.": {"store": ""},
    "seed must be at least 0, got -1.": {"seed": -1},
    "seed must have whole numbers of at most 64 bits, got a larger one.": {"seed": 10**100},
    "store.a must have whole numbers of at most 64 bits": {"store": {"a": [2**63]}},
}


@pytest.mark.parametrize(("message", "changes"), FAULTS.items(), ids=range(len(FAULTS)))
def test_faults_are_told_with_their_place(message, changes, tmp_path):
    with pytest.raises((ValueError, TypeError)) as told:
        read(tmp_path, **changes)
    assert message in str(told.value) and str(told.value).startswith("deep.toml: ")
    assert "\n" not in str(told.value)


BYTES = {
    "Cannot overwrite a value": b"paths = 1\npaths = 2\n",
    "Expected '=' after a key in a key/value pair": b"paths\n",
    "the file must be text in UTF-8, got a byte that is none at 1.": b"x\xff",
    "the file must not nest deeper than 20 levels, got more.": b"a = " + b"[" * 9000 + b"]" * 9000,
    "a must not nest deeper than 20 levels, got more.": b"a = " + b"[" * 30 + b"]" * 30,
    "the file must have at most 1000000 bytes, got more.": b"#" * 1_000_001,
    "paths must be a text, a truth or a number, got 1979-05-27.": b"paths = 1979-05-27",
    "Exceeds the limit": b"paths = " + b"9" * 5000,
    "paths must be given above all tables": b"",
}


@pytest.mark.parametrize(("message", "data"), BYTES.items(), ids=range(len(BYTES)))
def test_what_is_no_toml_is_told(message, data, tmp_path):
    (tmp_path / "deep.toml").write_bytes(data)
    with pytest.raises(ValueError, match=r"^deep.toml: [^\n]*$") as told:
        read_config(tmp_path / "deep.toml")
    assert message in str(told.value)


def test_mark_at_the_beginning_of_a_file_is_no_fault(tmp_path):
    file = written(tmp_path, GOOD)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert list(read_config(file).problems()) == ["quadratic"]


def test_file_that_cannot_be_read_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_config(tmp_path / "nowhere.toml")
    with pytest.raises(OSError, match="directory"):
        read_config(tmp_path)


def judged(file: Path) -> Config | None:
    """The configuration of a file, or None if it is refused as it should be: on one line that begins with its name."""
    try:
        config = read_config(file)
    except (ValueError, TypeError, MemoryError) as error:
        assert str(error).startswith("deep.toml: ") and len(str(error)) < 1100
        assert str(error).isprintable()
        return None
    assert config.points and all(isinstance(problem, PassageProblem) for problem in config.points.values())
    return config


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f"), max_size=8)
HOSTILE = st.sampled_from(
    [math.nan, math.inf, -math.inf, 0, -1, 1, 2, 0.0, 1e-320, 1e300, 2**62, -(2**63), 10**30, True, "", "0", "1:2:0.5",
     "nan", "saddle", "stationary", "white", "é\u202e", "a/b", "a\nb", "\x1b[31m", [], {}, [[]], [0.5], [1, 2], ["x"],
     {"name": "white"}, [{"name": "white"}], {"x": 1}]
)  # fmt: skip
WORDS = """paths block_paths seed store landscape equation noise start domain monitoring until grid name curvature hurst
sigma x0 burn_in minimum lower upper axis height radius center dt horizon solver relative_error quantity most_paths
noise.sigma landscape.curvature noise.1.sigma kind"""
KEYS = st.sampled_from(WORDS.split())
VALUES = st.recursive(
    st.one_of(HOSTILE, TEXTS, st.booleans(), st.integers(), st.floats(width=32)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(KEYS, TEXTS), inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(tables=st.dictionaries(st.one_of(KEYS, TEXTS), VALUES, max_size=8))
def test_any_tables_are_read_or_refused(tables, tmp_path_factory):
    judged(written(tmp_path_factory.getbasetemp(), tables))


@settings(deadline=None, max_examples=100)
@given(data=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_bytes_are_refused(data, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "deep.toml"
    file.write_bytes(data)
    assert judged(file) is None


WHOLE = {
    **GOOD,
    "block_paths": 5,
    "seed": 1,
    "store": "results",
    "equation": {"name": "langevin", "friction": 1.0},
    "noise": [{"name": "fractional"}, {"name": "white", "sigma": 0.5}],
    "until": {"relative_error": 0.1, "quantity": "mean", "most_paths": 100},
    "grid": {"noise.1.hurst": [0.3, 0.5], "landscape.curvature": "1:2:1"},
}


def places(node: object, above: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The ways to all tables, lists and values within."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for key, each in inner for place in [(*above, key), *places(each, (*above, key))]]


def changed(node: object, place: tuple[object, ...], change: str, by: object) -> object:
    """A copy with the value at a place taken away, replaced, or put under another key."""
    key, rest = place[0], place[1:]
    copy = dict(node) if isinstance(node, dict) else list(node)
    if rest:
        copy[key] = changed(copy[key], rest, change, by)
    elif change == "delete":
        del copy[key]
    elif change == "rename" and isinstance(copy, dict):
        copy[str(by)] = copy.pop(key)
    else:
        copy[key] = by
    return copy


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_mutations_of_a_whole_file_are_read_or_refused(data, tmp_path_factory):
    """Deleted, renamed and replaced values at every place; what is read must be a campaign of as many problems."""
    tables: object = WHOLE
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(places(tables)))
        change = data.draw(st.sampled_from(["delete", "rename", "replace"]))
        by = data.draw(st.one_of(KEYS, TEXTS)) if change == "rename" else data.draw(VALUES)
        tables = changed(tables, place, change, by)
    config = judged(written(tmp_path_factory.getbasetemp(), tables))
    if config is not None:
        assert config.n_paths >= 1 and all(name and "/" not in name for name in config.problems())


@settings(deadline=None, max_examples=40)
@given(
    hurst=st.lists(st.floats(0.05, 0.95), min_size=1, max_size=3, unique=True),
    curvature=st.lists(st.floats(0.1, 10.0), min_size=1, max_size=2, unique=True),
    half=st.floats(0.1, 10.0),
    seed=st.integers(0, 2**63 - 1),
)
def test_problems_of_a_grid_are_those_of_a_script(hurst, curvature, half, seed, tmp_path_factory):
    grid = {"noise.hurst": hurst, "landscape.curvature": curvature}
    changes = {"noise": {"name": "fractional"}, "domain": {"lower": -half, "upper": half}, "seed": seed, "grid": grid}
    found = list(read(tmp_path_factory.getbasetemp(), **changes).problems().values())
    wanted = [
        PassageProblem(quadratic(a), FractionalNoise(h), (0.0,), (-half, half), horizon=10.0, seed=seed,
                       monitoring=Grid(0.1))
        for h in hurst for a in curvature
    ]  # fmt: skip
    assert [problem.digest() for problem in found] == [problem.digest() for problem in wanted]
