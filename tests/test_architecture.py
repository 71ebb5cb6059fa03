"""The shape of the package: folders import downwards, nothing private crosses a folder, functions are small."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import fbmsde
from fbmsde._former_paths import FORMER

PACKAGE = Path(fbmsde.__file__).parent
FLOORS = (
    {"core"},
    {"laws", "dynamics", "results"},
    {"drivers", "hurst", "theory", "io"},
    {"simulation"},
    {"studies", "bench"},
    {"plots"},
    {"cli"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
DRAWN_LATE = {("studies", "plots")}  # `study.plot()` imports its figure when it is asked for
LONGEST = 40  # lines of code in one function
TABLES = {"fbm_formulas", "exit_formulas", "passage_formulas"}  # one call per formula
FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> tuple[str, ...]:
    """A module as the parts of its path in the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


MODULES = {name_of(path): path for path in FILES}


def imports(path: Path) -> Iterator[tuple[tuple[str, ...], str, bool]]:
    """(module, name, whether at the top of the file) of all that a file imports from the package, for types too."""
    tree = ast.parse(path.read_text())
    own = name_of(path) if path.stem == "__init__" else name_of(path)[:-1]
    inner = {n for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = own[: len(own) - node.level + 1] + tuple((node.module or "").split(".") if node.module else ())
            for alias in node.names:
                whole = (*base, alias.name)
                yield whole if whole in MODULES else base, alias.name, node not in inner


def room(module: tuple[str, ...]) -> str:
    """The folder a module lives in, of the first level; empty for the package itself."""
    return module[0] if len(module) > 1 or (module and MODULES[module].stem == "__init__") else ""


def arrows() -> dict[tuple[str, str], int]:
    """Imports between folders, counted."""
    count: dict[tuple[str, str], int] = {}
    for path in FILES:
        for module, _, _ in imports(path):
            pair = room(name_of(path)), room(module)
            if pair[0] != pair[1] and all(pair):
                count[pair] = count.get(pair, 0) + 1
    return count


def ids(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_every_folder_has_a_floor():
    assert {room(module) for module in MODULES} - {""} == set(FLOOR)


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_imports_point_down(path):
    here = room(name_of(path))
    for module, name, at_top in imports(path):
        there = room(module)
        if here and there and here != there and not ((here, there) in DRAWN_LATE and not at_top):
            assert FLOOR[there] < FLOOR[here], f"{'.'.join(name_of(path))} imports {name} from {'.'.join(module)}"


def test_files_do_not_import_in_circles():
    above = {name_of(p): {m for m, _, top in imports(p) if top and m in MODULES and m} for p in FILES}
    done: set[tuple[str, ...]] = set()

    def visit(module: tuple[str, ...], trail: tuple[tuple[str, ...], ...]) -> None:
        assert module not in trail, f"circle: {trail} -> {module}"
        if module not in done:
            for other in above.get(module, ()):
                if other != module:
                    visit(other, (*trail, module))
            done.add(module)

    for module in above:
        visit(module, ())


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_nothing_private_crosses_a_folder(path):
    here = name_of(path)[:-1] if path.stem != "__init__" else name_of(path)
    for module, name, _ in imports(path):
        folder = module[:-1] if module in MODULES and MODULES[module].stem != "__init__" else module
        private = name[0] == "_" != name[1:2] or (module and module[-1][0] == "_")
        assert folder == here or not private, f"{name} of {'.'.join(module)}"


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_public_functions_are_documented(path):
    tree = ast.parse(path.read_text())
    bare = [
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_" and not ast.get_docstring(node)
    ]
    assert not bare
    assert ast.get_docstring(tree) or path.stem == "__main__"


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_functions_are_small_enough_to_read(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name not in TABLES:
            first = node.body[1:] if ast.get_docstring(node) else node.body
            size = node.end_lineno - first[0].lineno + 1 if first else 0
            assert size <= LONGEST, f"{node.name} has {size} lines"


def test_only_the_benchmark_imports_its_peers():
    peers = {"fbm", "stochastic_rs", "torchsde", "diffrax"}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not peers & {name.split(".")[0] for name in names}, path


def test_results_and_laws_do_not_need_the_compiler():
    for path in FILES:
        if name_of(path)[0:1] in (("laws",), ("results",), ("theory",)):
            assert "from numba" not in path.read_text(), path


def test_public_names():
    assert len(set(fbmsde.__all__)) == len(fbmsde.__all__)
    for name in fbmsde.__all__:
        assert getattr(fbmsde, name) is not None


FORMER_NAMES = {
    "bench": "generator_table davies_harte_shares",
    "bench_passage": "passage_table",
    "bridge": "bridge_passage",
    "continuous": "exits Plan",
    "covariance": "fgn_autocovariance fbm_covariance fgn_spectrum fou_variance euler_chain_variance",
    "diffusions": "mean_exit_time ou_exit_rate",
    "escape": "escape_study EscapeStudy",
    "extremes": "barrier_shift pickands_constant fbm_maximum_cdf",
    "fbm_compat": "FBM",
    "fou": "fractional_ornstein_uhlenbeck",
    "generators": "GENERATORS make_generator fgn fbm",
    "hurst": "ESTIMATORS estimate_hurst rolling_hurst HurstEstimate RollingHurst",
    "landscapes": "Landscape LANDSCAPES quadratic double_well",
    "noise": "FractionalNoise METHODS Feed",
    "passage": "first_passage PathError HorizonError LevelSet MONITORING",
    "plots": "plot_escape plot_rolling_hurst plot_sgd_group plot_sgd_escape",
    "simulate": "Paths simulate_paths",
    "solvers": "SOLVERS euler heun",
    "streaming": "StreamingNoise Certificate default_tolerance correlation_factor",
    "survival": "PassageTimes NoEstimateError Mean Rate Hazard SurvivalCurve",
    "theory": "FORMULAS Formula applicable formulas_table first_to_empty flip_height",
    "cli": "app main",
}


@pytest.mark.parametrize("module", FORMER_NAMES)
def test_former_paths_lead_to_the_same_names(module):
    found = importlib.import_module(f"fbmsde.{module}")
    for name in FORMER_NAMES[module].split():
        assert getattr(found, name) is not None
    assert getattr(fbmsde, module) is not None


def test_former_paths_know_what_they_do_not_have():
    assert set(FORMER) <= set(FORMER_NAMES) | {"gradient_noise", "sgd_escape", "sgd_study"}
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        importlib.import_module("fbmsde.passage").nothing  # noqa: B018
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("fbmsde.nowhere")
