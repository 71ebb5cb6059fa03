"""The build stops unless the API reference has each public name, and each type that these take or return, once."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

import fbmsde
from fbmsde import plots, theory

_FACE = {"api/index.rst": fbmsde, "api/plots.rst": plots, "api/theory.rst": theory}
_RECORDS = "api/records.rst"
_WORD = re.compile(r"\b[A-Z]\w+")
_INNER = {  # what floors of the package hand to one another through methods of public classes
    "campaigns.rounds.Track",
    "drivers.axes.Axes",
    "drivers.jumping.JumpSource",
    "drivers.rational.model.RationalModel",
    "drivers.rational.noise.FittedNoise",
    "rare.posed.Escape",
    "results.archive.Archive",
    "simulation.errors.Kept",
    "simulation.problem.Crowd",
    "simulation.problem.Problem",
    "simulation.regions.Below",
    "simulation.regions.Between",
    "simulation.regions.Moving",
}


def _listed(page: Path) -> list[str]:
    """The names in the summaries of the page."""
    names: list[str] = []
    inside = False
    for line in page.read_text().splitlines():
        if line and not line.startswith(" "):
            inside = line.startswith(".. autosummary::")
        elif inside and line and not line.strip().startswith(":"):
            names.append(line.strip().removeprefix("~"))
    return names


def _name(kind: type) -> str:
    """The dotted name of a class below the package."""
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("fbmsde.")


def _is_told(kind: type) -> bool:
    """Whether a class of this package is for users."""
    private = any(part.startswith("_") for part in f"{kind.__module__}.{kind.__qualname__}".split("."))
    return kind.__module__.startswith("fbmsde.") and not private and _name(kind) not in _INNER


def _classes(annotation: Any, module: ModuleType) -> Iterator[type]:
    """The classes in an annotation of a module, those in what its names stand for too."""
    if isinstance(annotation, str):
        named = (getattr(module, word, None) for word in _WORD.findall(annotation))
        parts = [each for each in named if not isinstance(each, str)]
    else:
        parts = [each for each in get_args(annotation) if not isinstance(each, str)]
    if inspect.isclass(annotation) and not parts:
        yield annotation
    for part in parts:
        yield from _classes(part, module)


def _of_function(function: Any) -> Iterator[type]:
    """The classes that a function takes or returns."""
    plain = inspect.unwrap(function)
    for annotation in getattr(plain, "__annotations__", {}).values():
        yield from _classes(annotation, sys.modules[plain.__module__])


def _of_class(kind: type, methods: bool) -> Iterator[type]:
    """The classes of the fields and properties of a class, and those that its methods take and return."""
    for base in (base for base in kind.__mro__ if base.__module__.startswith("fbmsde.")):
        for name, annotation in vars(base).get("__annotations__", {}).items():
            yield from () if name.startswith("_") else _classes(annotation, sys.modules[base.__module__])
        for name, member in vars(base).items():
            getter = getattr(member, "fget", None) or (isinstance(member, functools.cached_property) and member.func)
            plain = getattr(member, "__func__", member)
            if getter and not name.startswith("_"):
                yield from _of_function(getter)
            elif methods and inspect.isfunction(plain) and (name == "__init__" or not name.startswith("_")):
                yield from _of_function(plain)


def reached() -> set[str]:
    """The names of the classes that the public face takes or returns and that are no part of it.

    Of public classes the methods count too, of the classes that are found from there the fields and properties.
    """
    face = [getattr(module, name) for module in _FACE.values() for name in module.__all__]
    seen = {each for each in face if inspect.isclass(each)}
    found: set[type] = set()
    left = [(each, True) for each in face if callable(each)]
    while left:
        each, is_public = left.pop()
        inner = _of_class(each, is_public) if inspect.isclass(each) else _of_function(each)
        new = {kind for kind in inner if _is_told(kind)} - seen
        seen, found = seen | new, found | new
        left += [(kind, False) for kind in new]
    return {_name(kind) for kind in found}


def _check(app: Sphinx) -> None:
    wanted = {page: set(module.__all__) for page, module in _FACE.items()} | {_RECORDS: reached()}
    for page, names in wanted.items():
        listed = _listed(Path(app.srcdir, page))
        wrong = sorted(set(listed) ^ names) + sorted({name for name in listed if listed.count(name) > 1})
        if wrong:
            raise ExtensionError(f"{page} must list each public name once, got it wrong for {', '.join(wrong)}.")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", _check)
    return {"parallel_read_safe": True}
