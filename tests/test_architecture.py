"""The shape of the package: imports point down, names are pinned, every function is small enough to read."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import fbmsde

PACKAGE = Path(fbmsde.__file__).parent
FLOORS = [
    {"_checks", "_lanes", "_points", "_series_files", "_study", "_tables", "_threads"},
    {"_compile", "_fft", "_formula", "_networks", "_sources", "covariance", "diffusions", "extremes", "solvers"},
    {"_hurst_spectral", "_rational", "_regions", "fou", "generators", "landscapes"},
    {"_budget", "_exit_formulas", "_fbm_formulas", "_jumps", "_passage_formulas"},
    {"_hurst_scaling", "_rational_fit", "fbm_compat", "survival", "theory"},
    {"_certificate", "hurst"},
    {"gradient_noise", "streaming"},
    {"continuous", "noise"},
    {"bridge", "passage"},
    {"_report", "bench_passage", "bench", "plots", "simulate"},
    {"escape", "sgd_escape", "sgd_study"},
    {"cli"},
    {"__init__", "__main__"},
]


def modules() -> list[Path]:
    return sorted(PACKAGE.glob("*.py"))


def imported(path: Path) -> set[str]:
    """Modules of the package that a module imports, those for type checkers aside."""
    tree = ast.parse(path.read_text())
    guarded = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node not in guarded:
            names |= {node.module} if node.module else {alias.name for alias in node.names}
    return {name for name in names if (PACKAGE / f"{name}.py").exists()}


def floor(name: str) -> int:
    return next(i for i, names in enumerate(FLOORS) if name in names)


def test_every_module_has_a_floor():
    assert {path.stem for path in modules()} == set().union(*FLOORS)


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.stem)
def test_imports_point_down(path):
    above = {name for name in imported(path) if floor(name) >= floor(path.stem)}
    assert not above, f"{path.stem} imports from its own floor or above: {sorted(above)}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.stem)
def test_public_functions_are_documented(path):
    tree = ast.parse(path.read_text())
    bare = [
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_" and not ast.get_docstring(node)
    ]
    assert not bare


def test_public_names():
    assert len(set(fbmsde.__all__)) == len(fbmsde.__all__)
    for name in fbmsde.__all__:
        assert getattr(fbmsde, name) is not None
