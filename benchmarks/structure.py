"""The structure of a package in numbers: floors, circles, arrows, the walk of a parameter, and what its signatures say.

    python benchmarks/structure.py [PACKAGE]        PACKAGE: the folder of a package; if not given, this one

Nothing of the package is imported or run: everything is read from the syntax trees of its files. All imports count,
those inside functions and those for types included; the `__init__` and `__main__` of the package itself do not, since
they import everything by their nature.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from walks import Walks

Name = tuple[str, ...]
Function = ast.FunctionDef | ast.AsyncFunctionDef
LONG = (25, 40)  # lines of code
FOLLOWED = ("noise", "dt")


@dataclass(frozen=True)
class Module:
    """One file of a package: its dotted name in parts, whether it is the face of a folder, and its syntax tree."""

    name: Name
    face: bool
    lines: list[str]
    tree: ast.Module

    @property
    def folder(self) -> str:
        """The folder of the first level that the module lives in; empty in the package's own folder."""
        return self.name[0] if self.face or len(self.name) > 1 else ""

    def imports(self, known: set[Name], package: str) -> Iterator[Name]:
        """Modules of the package that this one imports, wherever in the file."""
        home = self.name if self.face else self.name[:-1]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                wholes = [tuple(alias.name.split(".")) for alias in node.names]
                targets = [whole[1:] for whole in wholes if whole[0] == package]
            elif isinstance(node, ast.ImportFrom):
                stem = tuple(node.module.split(".")) if node.module else ()
                if node.level == 0 and stem[:1] != (package,):
                    continue
                base = home[: len(home) - node.level + 1] + stem if node.level else stem[1:]
                targets = [whole if (whole := (*base, alias.name)) in known else base for alias in node.names]
            else:
                continue
            yield from (target for target in targets if target in known and target != self.name)


def modules_of(package: Path) -> dict[Name, Module]:
    """All modules of a package but its own `__init__` and `__main__`."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        face = parts[-1] == "__init__"
        name = parts[:-1] if face else parts
        if name and name != ("__main__",):
            text = path.read_text()
            found[name] = Module(name, face, text.splitlines(), ast.parse(text))
    return found


def circles_of(arrows: dict[str, set[str]]) -> list[set[str]]:
    """The largest sets of nodes that all reach each other."""
    reached: dict[str, set[str]] = {}
    for start in arrows:
        seen: set[str] = set()
        new = {start}
        while new:
            new = {other for node in new for other in arrows.get(node, ())} - seen
            seen |= new
        reached[start] = seen
    circles = {frozenset(b for b in reached[a] if a in reached.get(b, ())) for a in arrows if a in reached[a]}
    return [set(circle) for circle in circles]


def longest_chain(arrows: dict[str, set[str]]) -> list[str]:
    """The longest chain of arrows that passes no node twice and takes no arrow inside a circle."""
    circle_of = {node: i for i, circle in enumerate(circles_of(arrows)) for node in circle}
    best: dict[str, list[str]] = {}

    def from_here(node: str) -> list[str]:
        if node not in best:
            free = [n for n in arrows.get(node, ()) if n not in circle_of or circle_of[n] != circle_of.get(node)]
            best[node] = [node, *max(map(from_here, sorted(free)), key=len, default=[])]
        return best[node]

    return max(map(from_here, sorted(arrows)), key=len, default=[])


def functions_of(module: Module) -> Iterator[tuple[Function, bool]]:
    """Functions and methods of a module, each with whether neither it nor its class has a name with an underscore."""
    for node in module.tree.body:
        if isinstance(node, Function):
            yield node, node.name[0] != "_"
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, Function):
                    yield method, node.name[0] != "_" and method.name[0] != "_"


def code_lines(function: Function, lines: list[str]) -> int:
    """Lines of a function's body without its docstring, blank lines and comments."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    last = function.end_lineno or function.lineno
    inside = lines[body[0].lineno - 1 : last] if body else []
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in inside)


def parameters_of(function: Function) -> list[ast.arg]:
    """All parameters of a function, starred ones included, but not `self` and `cls`."""
    a = function.args
    every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    return [arg for arg in every if arg.arg not in ("self", "cls")]


def anys(function: Function) -> int:
    """How often `Any` stands in the signature of a function."""
    annotations = [*(arg.annotation for arg in parameters_of(function)), function.returns]
    names = [name for node in annotations if node for name in ast.walk(node) if isinstance(name, ast.Name)]
    return sum(name.id == "Any" for name in names)


def loose(module: Module) -> Counter[str]:
    """How often a module says `dict[str, Any]` and calls `locals()`, and `Any` in its public signatures."""
    count: Counter[str] = Counter()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Subscript) and ast.unparse(node) == "dict[str, Any]":
            count["dict[str, Any]"] += 1
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "locals":
            count["locals()"] += 1
    count["public Any"] = sum(anys(function) for function, public in functions_of(module) if public)
    return count


def show_imports(modules: dict[Name, Module], package: str) -> None:
    """Print floors, circles and arrows of modules and of folders."""
    arrows = {".".join(n): {".".join(i) for i in m.imports(set(modules), package)} for n, m in modules.items()}
    folder_of = {".".join(name): module.folder for name, module in modules.items()}
    between: dict[str, set[str]] = {folder: set() for folder in folder_of.values()}
    for source, targets in arrows.items():
        between[folder_of[source]] |= {folder_of[target] for target in targets} - {folder_of[source]}
    for kind, graph in (("modules", arrows), ("folders", between)):
        chain, circles = longest_chain(graph), circles_of(graph)
        print(f"{kind}: {len(graph)}, arrows {sum(map(len, graph.values()))}, circles {len(circles)}, "
              f"floors {len(chain)}: {' > '.join(name or package for name in chain)}")  # fmt: skip
        for circle in circles:
            print(f"    circle: {', '.join(sorted(circle))}")


def show_functions(modules: dict[Name, Module]) -> None:
    """Print sizes of functions and numbers of parameters."""
    every = [(f, public, code_lines(f, m.lines)) for m in modules.values() for f, public in functions_of(m)]
    sizes = [size for _, _, size in every]
    over = ", ".join(f"over {limit} lines {sum(size > limit for size in sizes)}" for limit in LONG)
    print(f"functions: {len(sizes)}, mean {mean(sizes):.1f} lines, longest {max(sizes)}, {over}")
    counts = sorted(((len(parameters_of(f)), f.name) for f, public, _ in every if public), reverse=True)
    most, many = ", ".join(f"{name} {number}" for number, name in counts[:5]), sum(number > 9 for number, _ in counts)
    print(f"public functions: {len(counts)}, mean {mean(number for number, _ in counts):.2f} parameters, "
          f"over 9 parameters {many}, most {most}")  # fmt: skip


def show_types(modules: dict[Name, Module]) -> None:
    """Print how often each folder leaves types open."""
    heads = ("dict[str, Any]", "locals()", "public Any")
    folders: dict[str, Counter[str]] = {}
    for module in modules.values():
        folders.setdefault(module.folder or ".", Counter()).update(loose(module))
    folders["all"] = sum(folders.values(), Counter())
    print(f"{'folder':<12}" + "".join(f"{head:>16}" for head in heads))
    for folder, count in sorted(folders.items()):
        if count.total():
            print(f"{folder:<12}" + "".join(f"{count[head]:16d}" for head in heads))


def main() -> None:
    """Print everything about the package named on the command line."""
    package = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "fbmsde").resolve()
    modules = modules_of(package)
    show_imports(modules, package.name)
    show_functions(modules)
    show_types(modules)
    walks = Walks({name: module.tree for name, module in modules.items()}, package.name)
    for parameter in FOLLOWED:
        walk = walks.of(parameter)
        print(f"walk of {parameter}: {len(walk.longest)} of the {walk.places} functions and classes that it reaches: "
              f"{' > '.join(walk.longest)}")  # fmt: skip
        print(f"    as an argument by itself: {len(walk.bare)}: {' > '.join(walk.bare)}")


if __name__ == "__main__":
    main()
