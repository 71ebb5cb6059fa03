"""The walk of a parameter through a package: the longest chain of functions and classes that hand it on.

A walk starts at every function with a parameter of the name that is followed, and at every class with a field of that
name. It goes on wherever the value itself, under whatever name, or an object that was given it as an attribute, is an
argument of a call whose target can be told from the text: by its name, by the class of its object (from an annotation
or from the call that made it), else by every method of that name in the package. What goes through dictionaries,
arithmetic or functions that are stored in variables is not seen.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

Name = tuple[str, ...]
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Step(NamedTuple):
    """A place on a walk: a function or a class, which of its names holds the value, and in which attribute.

    `attribute` is empty where the name is the value itself; `name` is empty in a class.
    """

    place: str
    name: str
    attribute: str


class Walk(NamedTuple):
    """The longest chain of functions and classes that hand a parameter on, and the number of all that it reaches.

    `bare` is the longest part of a chain on which it is an argument by itself and not inside of an object.
    """

    longest: list[str]
    bare: list[str]
    places: int


@dataclass
class Class:
    """A class: its fields in order, its methods, and the names of its bases."""

    name: str
    fields: list[str]
    methods: dict[str, Routine]
    bases: list[str]


@dataclass
class Routine:
    """A function or a method, where its names are looked up, and the class it belongs to."""

    name: str
    node: Function
    scope: dict[str, Routine | Class | Name]
    owner: Class | None = None

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters that can be given by position, the object of a method left out."""
        names = [arg.arg for arg in (*self.node.args.posonlyargs, *self.node.args.args)]
        return names[1:] if self.owner and names[:1] in (["self"], ["cls"]) else names

    @property
    def arguments(self) -> list[ast.arg]:
        """All parameters."""
        return [*self.node.args.posonlyargs, *self.node.args.args, *self.node.args.kwonlyargs]


@dataclass
class Held:
    """What the names of one function hold: the value (attribute empty) or an object with it, classes, and tuples."""

    values: dict[str, set[str]]
    classes: dict[str, Class]
    tuples: dict[str, list[ast.expr]] = field(default_factory=dict)


class Walks:
    """All walks in a package, given as syntax trees by module."""

    def __init__(self, trees: dict[Name, ast.Module], package: str) -> None:
        self.scopes: dict[Name, dict[str, Routine | Class | Name]] = {name: {} for name in trees}
        self.routines: list[Routine] = []
        self.classes: list[Class] = []
        for name, tree in trees.items():
            self._define(name, tree)
        for name, tree in trees.items():
            face = any(other[: len(name)] == name and other != name for other in trees)
            self._import(name, tree, face, package)
        self.by_method: dict[str, list[Routine]] = {}
        for owner in self.classes:
            for method, routine in owner.methods.items():
                self.by_method.setdefault(method, []).append(routine)

    def _define(self, module: Name, tree: ast.Module) -> None:
        """Enter the functions and classes of a module."""
        scope = self.scopes[module]
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                fields = [
                    n.target.id for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
                ]
                bases = [ast.unparse(base).split("[")[0] for base in node.bases]
                owner = Class(".".join((*module, node.name)), fields, {}, bases)
                methods = [n for n in node.body if isinstance(n, Function)]
                owner.methods = {n.name: Routine(f"{owner.name}.{n.name}", n, scope, owner) for n in methods}
                self.routines += owner.methods.values()
                self.classes.append(owner)
                scope[node.name] = owner
        inside = {n for c in ast.walk(tree) if isinstance(c, ast.ClassDef) for n in c.body}
        for node in ast.walk(tree):
            if isinstance(node, Function) and node not in inside:
                routine = Routine(".".join((*module, node.name)), node, scope)
                scope.setdefault(node.name, routine)
                self.routines.append(routine)

    def _import(self, module: Name, tree: ast.Module, face: bool, package: str) -> None:
        """Enter what a module imports from the package."""
        home = module if face else module[:-1]
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom):
                continue
            stem = tuple(node.module.split(".")) if node.module else ()
            base = home[: len(home) - node.level + 1] + stem if node.level else stem[1:]
            if node.level or stem[:1] == (package,):
                for alias in node.names:
                    whole = (*base, alias.name)
                    target = whole if whole in self.scopes else self._exported(base, alias.name)
                    if target is not None:
                        self.scopes[module].setdefault(alias.asname or alias.name, target)

    def _exported(self, module: Name, name: str) -> Routine | Class | Name | None:
        """What a module has under a name."""
        return self.scopes.get(module, {}).get(name)

    def of(self, parameter: str) -> Walk:
        """The longest chain through which the parameter is handed on, and how many functions and classes it reaches."""
        holders: dict[str, set[str]] = {c.name: {parameter} for c in self.classes if parameter in c.fields}
        edges: dict[Step, set[Step]] = {}
        before = -1
        while before != (before := sum(map(len, edges.values()))):
            for routine in self.routines:
                self._follow(routine, parameter, holders, edges)
        places = {step.place for start, steps in edges.items() for step in (start, *steps)}
        bare = {start: {step for step in steps if step.name} for start, steps in edges.items() if start.name}
        by_itself = {
            start: {s for s in steps if not s.attribute} for start, steps in bare.items() if not start.attribute
        }
        return Walk(_longest(edges), _longest(by_itself), len(places))

    def _follow(
        self, routine: Routine, parameter: str, holders: dict[str, set[str]], edges: dict[Step, set[Step]]
    ) -> None:
        """Add the steps out of one routine, and the objects that it gives the value to."""
        for start in self._starts(routine, parameter, holders, edges):
            held = Held({start.name: {start.attribute}}, self._annotated(routine))
            if start.attribute:
                edges.setdefault(Step(held.classes[start.name].name, "", start.attribute), set()).add(start)
            for node in ast.walk(routine.node):
                if isinstance(node, ast.Assign) and len(node.targets) == 1:
                    self._assign(node, routine, held)
                elif isinstance(node, ast.Call):
                    for step in self._handed(node, routine, held):
                        edges.setdefault(start, set()).add(step)
                        if not step.name:
                            holders.setdefault(step.place, set()).add(step.attribute)

    def _starts(
        self, routine: Routine, parameter: str, holders: dict[str, set[str]], edges: dict[Step, set[Step]]
    ) -> Iterator[Step]:
        """What a routine may hold when it is entered: the parameter itself, what reached it, and objects with it."""
        classes = self._annotated(routine)
        reached = {step for steps in edges.values() for step in steps if step.place == routine.name}
        reached |= {Step(routine.name, arg.arg, "") for arg in routine.arguments if arg.arg == parameter}
        for name, owner in classes.items():
            reached |= {Step(routine.name, name, attribute) for attribute in holders.get(owner.name, ())}
        yield from (step for step in sorted(reached) if not step.attribute or step.name in classes)

    def _annotated(self, routine: Routine) -> dict[str, Class]:
        """Classes of the parameters, by their annotations; `self` is of the class of the method."""
        found = {"self": routine.owner} if routine.owner else {}
        for arg in routine.arguments:
            if isinstance(owner := self._class_of(arg.annotation, routine), Class):
                found[arg.arg] = owner
        return found

    def _class_of(self, annotation: ast.expr | None, routine: Routine) -> Class | None:
        """The class that an annotation names, None if it names none of the package."""
        if annotation is None:
            return None
        names = ast.unparse(annotation).strip("'\"").replace(" | None", "")
        target = routine.scope.get(names)
        return target if isinstance(target, Class) else None

    def _assign(self, node: ast.Assign, routine: Routine, held: Held) -> None:
        """Note what a name holds after an assignment."""
        (target,) = node.targets
        if not isinstance(target, ast.Name):
            return
        if isinstance(node.value, ast.Tuple):
            held.tuples[target.id] = node.value.elts
        if attributes := self._attributes(node.value, routine, held):
            held.values.setdefault(target.id, set()).update(attributes)
        if owner := self._class_made(node.value, routine):
            held.classes[target.id] = owner

    def _class_made(self, value: ast.expr, routine: Routine) -> Class | None:
        """The class of what a call returns."""
        if not isinstance(value, ast.Call):
            return None
        for target in self._targets(value.func, routine, Held({}, self._annotated(routine))):
            if isinstance(target, Class):
                return target
            if owner := self._class_of(target.node.returns, target):
                return owner
        return None

    def _attributes(self, value: ast.expr, routine: Routine, held: Held) -> set[str]:
        """Where in an expression the value is: {""} if it is the expression, the names of attributes that hold it."""
        if isinstance(value, ast.Name):
            return held.values.get(value.id, set())
        if isinstance(value, ast.Attribute):
            return {""} if value.attr in self._attributes(value.value, routine, held) else set()
        if isinstance(value, ast.IfExp):
            return self._attributes(value.body, routine, held) | self._attributes(value.orelse, routine, held)
        if isinstance(value, ast.Call):
            return {step.attribute for step in self._handed(value, routine, held) if not step.name}
        return set()

    def _handed(self, call: ast.Call, routine: Routine, held: Held) -> Iterator[Step]:
        """Steps from a call: its targets that get the value, or an object with it, as an argument."""
        func, args = call.func, call.args
        if ast.unparse(func) in ("partial", "functools.partial") and args:
            func, args = args[0], args[1:]
        if isinstance(func, ast.Attribute):
            for attribute in self._attributes(func.value, routine, held) - {""}:
                for target in self._targets(func, routine, held):
                    if isinstance(target, Routine):
                        yield Step(target.name, "self", attribute)
        flat = [e for a in args for e in self._spread(a, held)]
        given: list[tuple[int | str, ast.expr]] = [
            *enumerate(flat),
            *((word.arg, word.value) for word in call.keywords if word.arg),
        ]
        for place, value in given:
            attributes = self._attributes(value, routine, held)
            for target in self._targets(func, routine, held) if attributes else ():
                yield from self._received(target, place, attributes)

    def _spread(self, argument: ast.expr, held: Held) -> list[ast.expr]:
        """The arguments that one argument stands for, more than one if it is starred."""
        if isinstance(argument, ast.Starred) and isinstance(argument.value, ast.Name):
            return held.tuples.get(argument.value.id, [argument])
        return [argument]

    def _received(self, target: Routine | Class, place: int | str, attributes: set[str]) -> Iterator[Step]:
        """Under which name a target gets an argument."""
        names = target.fields if isinstance(target, Class) else target.parameters
        if isinstance(target, Class) and "__init__" in target.methods:
            names = target.methods["__init__"].parameters
            known = [arg.arg for arg in target.methods["__init__"].arguments]
        else:
            known = names if isinstance(target, Class) else [arg.arg for arg in target.arguments]
        name = names[place] if isinstance(place, int) and place < len(names) else place
        if name in known:
            if isinstance(target, Routine):
                yield from (Step(target.name, str(name), attribute) for attribute in attributes)
            elif "" in attributes:
                yield Step(target.name, "", str(name))

    def _targets(self, func: ast.expr, routine: Routine, held: Held) -> list[Routine | Class]:
        """What a call may call."""
        if isinstance(func, ast.Name):
            target = routine.scope.get(func.id)
            return [] if target is None or isinstance(target, tuple) else [target]
        if not isinstance(func, ast.Attribute):
            return []
        if isinstance(func.value, ast.Name):
            module = routine.scope.get(func.value.id)
            if isinstance(module, tuple):
                target = self._exported(module, func.attr)
                return [] if target is None or isinstance(target, tuple) else [target]
            if isinstance(module, Class) and func.attr in module.methods:
                return [module.methods[func.attr]]
            owner = held.classes.get(func.value.id)
            if owner is not None and "Protocol" not in owner.bases and func.attr in owner.methods:
                return [owner.methods[func.attr]]
        return list(self.by_method.get(func.attr, ()))


def _longest(edges: dict[Step, set[Step]]) -> list[str]:
    """The longest chain that passes no function or class twice, by its names."""
    best: list[str] = []

    def go(step: Step, trail: list[str]) -> None:
        nonlocal best
        if len(trail) > len(best):
            best = list(trail)
        for other in sorted(edges.get(step, ())):
            if other.place not in trail:
                go(other, [*trail, other.place])

    for start in sorted(edges):
        go(start, [start.place])
    return best
