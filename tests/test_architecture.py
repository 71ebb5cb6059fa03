"""The shape of the package: a dozen rules, each of which holds for every file.

Imports count wherever they stand: at the top of a file, inside a function, or for types only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

import fbmsde

PACKAGE = Path(fbmsde.__file__).parent
FLOORS = (
    {"core"},
    {"laws", "dynamics", "results"},
    {"drivers", "hurst", "theory", "io"},
    {"simulation", "plots"},
    {"rare"},
    {"campaigns"},
    {"studies", "bench"},
    {"cli"},
)
FLOOR = {folder: number for number, folders in enumerate(FLOORS) for folder in folders}
TYPED = {"bench", "campaigns", "dynamics", "plots", "rare", "results", "studies"}
LONGEST_FUNCTION = 40  # lines of code
LONGEST_MODULE = 400  # lines
TABLES = {
    f"{subject}_formulas" for subject in ("fbm", "exit", "spread", "passage", "side", "chain", "inertia", "stable")
}  # one call per formula
PEERS = {"fbm", "stochastic", "stochastic_rs", "torchsde", "diffrax"}
Name = tuple[str, ...]


@dataclass(frozen=True)
class Import:
    """What one file imports from another file or folder of the package."""

    module: Name
    name: str

    @property
    def private(self) -> bool:
        """Whether the name or the module begins with an underscore, `__version__` and the like left out."""
        return any(part.startswith("_") and not part.startswith("__") for part in (*self.module[-1:], self.name))


@dataclass(frozen=True)
class Module:
    """One file of the package as a syntax tree."""

    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text())

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @property
    def name(self) -> Name:
        """The parts of the dotted name below the package; a folder's `__init__` has the name of the folder."""
        parts = self.path.relative_to(PACKAGE).with_suffix("").parts
        return parts[:-1] if self.path.stem == "__init__" else parts

    @property
    def folder(self) -> Name:
        """The folder that the file lies in."""
        return self.path.relative_to(PACKAGE).parts[:-1]

    @property
    def room(self) -> str:
        """The folder of the first level; empty for files of the package's own folder."""
        return self.folder[0] if self.folder else ""

    @cached_property
    def imports(self) -> list[Import]:
        return list(self._imports())

    def _imports(self) -> Iterator[Import]:
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom) and node.level:
                stem = tuple(node.module.split(".")) if node.module else ()
                base = self.folder[: len(self.folder) - node.level + 1] + stem
                for alias in node.names:
                    whole = (*base, alias.name)
                    yield Import(whole if whole in MODULES else base, alias.name)


FILES = [Module(path) for path in sorted(PACKAGE.rglob("*.py"))]
MODULES = {module.name: module for module in FILES}
each_file = pytest.mark.parametrize("module", FILES, ids=lambda module: str(module.path.relative_to(PACKAGE)))


def room_of(name: Name) -> str:
    """The folder of the first level that a module or folder of the package lies in."""
    return MODULES[name].room if name in MODULES else ""


def test_every_folder_has_a_floor():
    assert {module.room for module in FILES} - {""} == set(FLOOR)


@each_file
def test_imports_point_down(module):
    for found in module.imports:
        there = room_of(found.module)
        if module.room and there and there != module.room:
            assert FLOOR[there] < FLOOR[module.room], f"{found.name} of {'.'.join(found.module)}"


def test_files_do_not_import_in_circles():
    arrows = {module.name: {i.module for i in module.imports if i.module in MODULES} for module in FILES if module.name}
    left = {name: targets & set(arrows) - {name} for name, targets in arrows.items()}
    while free := {name for name, targets in left.items() if not targets}:
        left = {name: targets - free for name, targets in left.items() if name not in free}
    assert not left


@each_file
def test_the_package_names_itself_by_dots(module):
    """`from ..core import checks`: an import of `fbmsde.core` would escape the rules above."""
    for node in module.nodes:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert "fbmsde" not in {name.split(".")[0] for name in names}


@each_file
def test_no_private_name_is_imported_from_another_folder(module):
    for found in module.imports:
        there = MODULES[found.module].folder if found.module in MODULES else found.module
        assert there == module.folder or not found.private, f"{found.name} of {'.'.join(found.module)}"


@cache
def private_names(module: Module) -> set[str]:
    """Private names that a file gives to functions, classes, variables and attributes."""
    named = {n.name for n in module.nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    named |= {n.id for n in module.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    named |= {n.attr for n in module.nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    return {name for name in named if name.startswith("_") and not name.endswith("__")}


@each_file
def test_no_private_attribute_of_another_folder_is_read(module):
    own = set().union(*(private_names(other) for other in FILES if other.folder == module.folder))
    others = set().union(*(private_names(other) for other in FILES if other.folder != module.folder))
    read = {n.attr for n in module.nodes if isinstance(n, ast.Attribute)}
    assert not read & (others - own)


@each_file
def test_public_functions_are_documented(module):
    named = [node for node in module.tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    told = [node for node in named if "overload" not in map(ast.unparse, node.decorator_list)]
    assert not [node.name for node in told if node.name[0] != "_" and not ast.get_docstring(node)]
    assert ast.get_docstring(module.tree) or module.path.stem == "__main__"


@each_file
def test_functions_are_small_enough_to_read(module):
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef) and node.name not in TABLES:
            first = node.body[1:] if ast.get_docstring(node) else node.body
            size = node.end_lineno - first[0].lineno + 1 if first else 0
            assert size <= LONGEST_FUNCTION, f"{node.name} has {size} lines"


@each_file
def test_modules_are_small_enough_to_read(module):
    assert len(module.path.read_text().splitlines()) <= LONGEST_MODULE


def faces(module: Module) -> Iterator[ast.FunctionDef]:
    """Functions and methods that users may call."""
    if not module.path.stem.startswith("_"):
        classes = [node for node in module.tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"]
        for node in (*module.tree.body, *(method for owner in classes for method in owner.body)):
            if isinstance(node, ast.FunctionDef) and node.name[0] != "_":
                yield node


@each_file
def test_faces_say_their_types(module):
    """`Any` in a signature tells neither readers nor tools what to give."""
    for node in faces(module) if module.room in TYPED else ():
        given = [arg.annotation for arg in ast.walk(node.args) if isinstance(arg, ast.arg) and arg.annotation]
        names = {name.id for part in (*given, node.returns) for name in ast.walk(part) if isinstance(name, ast.Name)}
        assert "Any" not in names, node.name


def called(module: Module, name: str) -> list[ast.Call]:
    """The calls of a function in a file."""
    calls = [node for node in module.nodes if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func).split(".")[-1].lstrip("_") == name]


@each_file
def test_names_that_are_looked_up_late_hide_no_import(module):
    """A file may import another one by its name in a text only where this is what it is for.

    Of results the pictures are found so: `picture("plot_survival")` is the one way up, and each name is one of `plots`.
    """
    late = {"_former_paths.py", "core/extras.py", "core/pictures.py", "cli/program.py", "plots/style.py"}
    path = module.path.relative_to(PACKAGE)
    if module.room != "bench" and path.name != "__init__.py" and str(path) not in late:
        assert not called(module, "import_module")
    for call in called(module, "picture") if module.room != "core" else ():
        assert ast.literal_eval(call.args[0]) in fbmsde.plots.__all__


@each_file
def test_arguments_have_names(module):
    """`settings = check(locals())` hides arguments from readers and from tools."""
    assert not [node for node in module.nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "locals"]


@each_file
def test_peers_are_imported_only_when_they_are_timed(module):
    for node in module.nodes:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert not PEERS & {name.split(".")[0] for name in names}


@each_file
def test_laws_results_and_theory_do_not_need_the_compiler(module):
    if module.room in ("laws", "results", "theory"):
        roots = {node.module.split(".")[0] for node in module.nodes if isinstance(node, ast.ImportFrom) and node.module}
        roots |= {a.name.split(".")[0] for node in module.nodes if isinstance(node, ast.Import) for a in node.names}
        assert "numba" not in roots


def test_public_names():
    for name in fbmsde.__all__:
        assert getattr(fbmsde, name) is not None
