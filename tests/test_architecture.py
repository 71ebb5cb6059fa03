"""The shape of the package: imports point down, names are pinned, every function is small enough to read."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import fbmsde

PACKAGE = Path(fbmsde.__file__).parent
FLOORS = [
    {"_cached", "_captured", "_cli_options", "_complaints", "_files", "_text_table"},
    {"_checks", "_lanes", "_linear", "_points", "_portable", "_series", "_study", "_tables", "_threads"},
    {"_compile", "_fft", "_formula", "_networks", "_series_files", "_sources", "covariance", "diffusions", "extremes"}
    | {"solvers"},
    {"_exit_kernel", "_hurst_ordinates", "_rational", "_regions", "_scan", "fou", "generators", "landscapes"},
    {"_budget", "_exit_formulas", "_fbm_formulas", "_hurst_spectral", "_jumps", "_passage_formulas"},
    {"_hurst_notes", "_hurst_residuals", "_hurst_scaling", "_rational_fit", "fbm_compat", "survival", "theory"},
    {"_certificate", "_errors", "_hurst_gaps"},
    {"hurst"},
    {"gradient_noise", "streaming"},
    {"continuous", "noise"},
    {"bridge", "passage"},
    {"_report", "bench_passage", "bench", "plots", "simulate"},
    {"escape", "sgd_escape", "sgd_study"},
    {"cli"},
    {"__init__", "__main__"},
]
LONGEST = 40  # lines of code in one function
TABLES = {"fbm_formulas", "exit_formulas", "passage_formulas"}


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


def code_lines(node: ast.FunctionDef, lines: list[str]) -> int:
    """Lines of a function's body that are neither docstring, comment nor blank."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    inside = lines[body[0].lineno - 1 : node.end_lineno] if body else []
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in inside)


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.stem)
def test_functions_are_small_enough_to_read(path):
    """The three lists of formulas are tables, not functions to follow."""
    text = path.read_text()
    long = {
        node.name: size
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
        and node.name not in TABLES
        and (size := code_lines(node, text.splitlines())) > LONGEST
    }
    assert not long


def test_public_names():
    assert len(set(fbmsde.__all__)) == len(fbmsde.__all__)
    for name in fbmsde.__all__:
        assert getattr(fbmsde, name) is not None
