"""The values that a function captures: globals, closed-over values, defaults and helper functions.

The compiler turns all of them into constants. Two functions are therefore taken as the same if their code and these
values, compared by content, are equal; a function becomes another one when a value has changed. To compile a function
with its present values, a `Recipe` holds frozen copies of them.
"""

from __future__ import annotations

import builtins
import dis
import enum
import functools
import hashlib
import inspect
import sys
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import takewhile
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numba import njit, types
from numba.core.errors import NumbaError
from numba.core.registry import cpu_target

OPTIONS: dict[str, Any] = {"error_model": "numpy", "forceinline": True}

_PACKAGE = __name__.partition(".")[0]
_LOADS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF")
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")
_STABLE = {*sys.stdlib_module_names, "numpy", "numba", "scipy"}  # packages whose names keep their values
_CONSTANTS = (types.Callable, types.DType, types.EnumClass, types.ExceptionClass)  # numba types that nobody changes
_CALLED = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS | inspect.CO_GENERATOR  # flags that change what a call does
_FROZEN: WeakKeyDictionary[Any, str | None] = WeakKeyDictionary()  # compiled from frozen values, with a hash of them

Chains = frozenset[tuple[str, ...]]


class CannotFollow(TypeError):
    """Raised for a function that refers to something whose changes cannot be seen."""


@dataclass(frozen=True)
class Recipe:
    """How to make a frozen copy of a captured value.

    key : two recipes with equal keys are for equal content.
    make : a function without arguments that returns the copy.
    """

    key: Hashable
    make: Callable[[], Any] = field(compare=False)

    @cached_property
    def content(self) -> str:
        """A hash of the key that is the same in every process; OfThisProcess where there is none."""
        return hash_of(self.key)


@lru_cache(maxsize=512)
def made(recipe: Recipe) -> Any:
    """The compiled function of a recipe. Equal recipes get the same one.

    >>> def steep(x):
    ...     return 2.0 * x
    >>> made(recipe_of(steep)) is made(recipe_of(steep))
    True
    """
    return frozen(recipe.make(), digest(recipe.key))


def frozen(function: Any, content: str | None = None) -> Any:
    """The function itself, which from now on counts as holding nothing that can change.

    `content` is a hash of what it was made from, None where none can be told. What it is known by already stays, as
    that of a function which is given back as it came, so that its name in files does not depend on what was run.

    >>> is_frozen(frozen(njit(lambda x: x)))
    True
    """
    _FROZEN.setdefault(function, content)
    return function


def packaged(function: Callable[..., Any]) -> Any:
    """A function of a module of this package, compiled and known by its name."""
    return frozen(njit(**OPTIONS)(function), f"{function.__module__}.{function.__qualname__}")


def content_of(function: Any) -> str | None:
    """The hash of all that a frozen function was made from, the same in every process; None where none can be told."""
    return _FROZEN.get(function)


def digest(*parts: Any) -> str | None:
    """A hash of keys of recipes and other plain values; None if one of them means something in this process only."""
    try:
        return hash_of(*parts)
    except OfThisProcess:
        return None


class OfThisProcess(ValueError):
    """A key names an object by its place in memory. `value` is that object."""

    def __init__(self, value: Any) -> None:
        super().__init__("value must be known by its content, got one that is known by its place in memory.")
        self.value = value.value if isinstance(value, _Same) else value


def hash_of(*parts: Any) -> str:
    """A hash of keys of recipes and other plain values; OfThisProcess if one of them has no meaning elsewhere.

    >>> hash_of(1, "a") == hash_of(1, "a"), hash_of(1, "a") == hash_of(1.0, "a")
    (True, False)
    """
    return hashlib.sha256(repr(_plain(parts)).encode()).hexdigest()


def _plain(part: Any) -> Any:
    """A key of a recipe as nested tuples of values whose text is the same in every process."""
    if isinstance(part, CodeType):
        return _plain_code(part)
    if isinstance(part, (tuple, list)):
        return tuple(map(_plain, part))
    if isinstance(part, frozenset):
        return ("set", *sorted(map(repr, map(_plain, part))))
    if isinstance(part, type):
        return part.__module__, part.__qualname__
    if isinstance(part, enum.Enum):
        return type(part).__qualname__, part.name, _plain(part.value)
    if isinstance(part, (bool, int, float, complex, str, bytes, np.generic)) or part is None or part is Ellipsis:
        return type(part).__name__, repr(part)
    if is_frozen(part) and content_of(part) is not None:
        return "frozen", content_of(part)
    raise OfThisProcess(part)


@lru_cache(maxsize=512)
def _plain_code(code: CodeType) -> tuple[Any, ...]:
    """The code of a function without its name and place."""
    used = code.co_code, code.co_consts, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return ("code", *map(_plain, used), code.co_flags & _CALLED, code.co_argcount)


def is_frozen(value: Any) -> bool:
    """True for a function that `frozen` has noted.

    >>> is_frozen(len)
    False
    """
    return callable(value) and isinstance(value, Hashable) and value in _FROZEN


def recipe_of(function: Any) -> Recipe:
    """The recipe of a function with its present values: a plain or an njit function, or a `functools.partial` of one.

    Raises CannotFollow if the function captures something whose changes cannot be seen.

    >>> def steep(x, a=2.0):
    ...     return a * x
    >>> before = recipe_of(steep)
    >>> steep.__defaults__ = (3.0,)
    >>> before == recipe_of(steep)
    False
    """
    if isinstance(function, functools.partial):
        return _partial(function)
    name = name_of(function)
    if name is not None and name.partition(".")[0] == _PACKAGE:
        return _own_recipe(function)
    return _function(function, OPTIONS, ())


@lru_cache(maxsize=256)
def _own_recipe(function: Any) -> Recipe:
    """The recipe of a function of a module of this package, which captures nothing that changes."""
    return _function(function, OPTIONS, ())


def _partial(bound: functools.partial[Any]) -> Recipe:
    """The recipe of a partial: bound keywords become defaults, bound positions come before the arguments of a call."""
    inner = _function(_with_defaults(bound), OPTIONS, ())
    if not bound.args:
        return inner
    first = _tuple(bound.args, "the bound arguments", ())

    def make() -> Any:
        function, values = made(inner), first.make()

        def call(*rest: float) -> Any:
            return function(*(values + rest))

        return njit(**OPTIONS)(call)

    return Recipe(("partial", inner.key, first.key), make)


def _with_defaults(bound: functools.partial[Any]) -> Any:
    """The function of a partial, with the bound keywords as its defaults."""
    function = getattr(bound.func, "py_func", bound.func)
    if not isinstance(function, FunctionType) or not bound.keywords:
        return function
    code, old = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    values = dict(zip(names[len(names) - len(old) :], old, strict=True)) | bound.keywords
    copy = FunctionType(code, function.__globals__, function.__name__, None, function.__closure__)
    copy.__defaults__ = tuple(values[name] for name in names if name in values)
    copy.__module__ = function.__module__
    return copy


def _function(function: Any, options: dict[str, Any], outer: tuple[Any, ...]) -> Recipe:
    """The recipe of a function with all that it captures; `outer` holds the functions that refer to it."""
    plain = getattr(function, "py_func", function)
    code, within = plain.__code__, (*outer, plain)
    names, free = _names(code), dict(zip(code.co_freevars, plain.__closure__ or (), strict=True))
    cells = {name: _cell(cell, name, names.get(name, frozenset({()})), within) for name, cell in free.items()}
    scope = {
        name: _follow(plain.__globals__[name], name, chains, within)
        for name, chains in sorted(names.items())
        if name not in free and name in plain.__globals__
    }
    defaults = _tuple(plain.__defaults__ or (), "a default", within)
    by_name = _tuple(tuple(sorted((plain.__kwdefaults__ or {}).items())), "a default", within)
    named = tuple((kind, *((n, r.key) for n, r in part.items())) for kind, part in (("in", cells), ("out", scope)))
    key = ("function", code, named, defaults.key, by_name.key, tuple(sorted((k, repr(v)) for k, v in options.items())))

    def make() -> Any:
        space: dict[str, Any] = {"__builtins__": builtins, "__name__": plain.__module__}
        closure = tuple(CellType() for _ in free)
        copy = FunctionType(code, space, plain.__name__, defaults.make() or None, closure)
        copy.__qualname__, copy.__module__ = plain.__qualname__, plain.__module__
        copy.__kwdefaults__ = dict(by_name.make()) or None
        compiled = njit(**options)(copy)
        space.update({name: compiled if part is _ITSELF else part.make() for name, part in scope.items()})
        for cell, part in zip(closure, cells.values(), strict=True):
            if part is not _EMPTY:
                cell.cell_contents = compiled if part is _ITSELF else part.make()
        return compiled

    return Recipe(key, make)


_ITSELF, _EMPTY = Recipe("itself", lambda: None), Recipe("empty", lambda: None)


@lru_cache(maxsize=512)
def _names(code: CodeType) -> dict[str, Chains]:
    """The outer names that the code and its inner functions load, each with the chains of attributes taken from it."""
    found: dict[str, set[tuple[str, ...]]] = {}
    steps = list(dis.get_instructions(code))
    for i, step in enumerate(steps):
        if step.opname in _LOADS:
            chain = tuple(s.argval for s in takewhile(lambda s: s.opname in _ATTRIBUTES, steps[i + 1 :]))
            found.setdefault(step.argval, set()).add(chain)
    for inside in code.co_consts:
        if isinstance(inside, CodeType):
            for name, chains in _names(inside).items():
                found.setdefault(name, set()).update(chains)
    return {name: frozenset(chains) for name, chains in found.items()}


def _cell(cell: CellType, name: str, chains: Chains, outer: tuple[Any, ...]) -> Recipe:
    """The recipe of the value in a closure's cell, which may still be empty."""
    try:
        return _follow(cell.cell_contents, name, chains, outer)
    except ValueError:
        return _EMPTY


def _follow(value: Any, name: str, chains: Chains, outer: tuple[Any, ...]) -> Recipe:
    """The recipe of one captured value; `name` is for messages, `chains` holds the attributes that are taken of it."""
    if isinstance(value, ModuleType):
        return _module(value, name, chains, outer)
    if isinstance(value, tuple):
        return _tuple(value, name, outer)
    if isinstance(value, np.ndarray) and not isinstance(value, np.ma.MaskedArray):
        return _array(value, name)
    if isinstance(value, (bool, int, float, complex, str, bytes, np.generic, enum.Enum)) or value is None:
        return Recipe((type(value), _exact(value)), lambda: value)
    return _callable(value, name, outer)


def _exact(value: Any) -> Hashable:
    """The bits of a number, for which NaN equals itself and 0.0 differs from -0.0; other values unchanged."""
    if isinstance(value, (float, complex, np.generic)):
        return np.asarray(value).tobytes()
    return value


def _tuple(values: tuple[Any, ...], name: str, outer: tuple[Any, ...]) -> Recipe:
    """The recipe of a tuple, made of the recipes of its items. A named tuple keeps its class."""
    parts = [_follow(value, name, frozenset({()}), outer) for value in values]
    build: Any = getattr(type(values), "_make", tuple)
    return Recipe((type(values), *(part.key for part in parts)), lambda: build(part.make() for part in parts))


def _array(value: np.ndarray, name: str) -> Recipe:
    """The recipe of an array, which is compared by content and layout."""
    if value.dtype.hasobject:
        raise CannotFollow(f"{name}, an array of objects")
    digest = hashlib.blake2b(value.tobytes(), digest_size=32).digest()
    layout = value.flags.c_contiguous, value.flags.f_contiguous
    return Recipe(("array", str(value.dtype.descr), value.shape, layout, digest), lambda: np.array(value, order="K"))


def _module(module: ModuleType, name: str, chains: Chains, outer: tuple[Any, ...]) -> Recipe:
    """The recipe of a module: a stand-in with the attributes that are used; a module that is stable stays itself."""
    if _is_stable(module.__name__):
        return Recipe(("module", module.__name__), lambda: module)
    if () in chains:
        raise CannotFollow(f"{name}, a module whose attributes are not taken at once")
    parts = {}
    for attribute in sorted({chain[0] for chain in chains}):
        if hasattr(module, attribute):
            rest = frozenset(chain[1:] for chain in chains if chain[0] == attribute)
            parts[attribute] = _follow(getattr(module, attribute), f"{name}.{attribute}", rest, outer)

    def make() -> ModuleType:
        stand_in = ModuleType(f"{module.__name__} (frozen)")  # under its own name pickle would store the module
        stand_in.__dict__.update({attribute: part.make() for attribute, part in parts.items()})
        return stand_in

    return Recipe(("module", module.__name__, *((a, part.key) for a, part in parts.items())), make)


def _callable(value: Any, name: str, outer: tuple[Any, ...]) -> Recipe:
    """The recipe of a helper function, which is compiled anew with its own values, or of another object.

    An object that numba knows as a constant is taken as it is. One that numba does not know at all is taken too: the
    compiler then gives the reason why it cannot be used.
    """
    plain = getattr(value, "py_func", value)
    if isinstance(plain, FunctionType) and not is_frozen(value) and not _is_stable(plain.__module__ or ""):
        if outer and plain is outer[-1]:
            return _ITSELF
        if plain in outer:
            raise CannotFollow(f"{name}, a function that calls itself by way of another one")
        if plain is not value or _numba_type(value) is None:
            options = {k: v for k, v in getattr(value, "targetoptions", OPTIONS).items() if k != "nopython"}
            helper = _function(value, options, outer)
            return Recipe(helper.key, lambda: made(helper))
    kind = None if is_frozen(value) else _numba_type(value)
    if kind is not None and (isinstance(kind, types.ClassType) or not isinstance(kind, _CONSTANTS)):
        raise CannotFollow(f"{name}, a {type(value).__name__}")
    return Recipe(("same", _known_as(value) or _Same(value)), lambda: value)


class _Same:
    """Equal for the same object only, which it keeps alive."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def _known_as(value: Any) -> str | None:
    """What every process calls the value: a name in a stable package, or the content it was made from."""
    if is_frozen(value):
        return content_of(value)
    return name_of(value) if _is_stable(getattr(value, "__module__", None) or "") else None


def name_of(value: Any) -> str | None:
    """The module and name under which a value can be imported, None if it cannot be."""
    plain = getattr(value, "py_func", value)
    module, name = getattr(plain, "__module__", None) or "", getattr(plain, "__qualname__", "")
    found = getattr(sys.modules.get(module), name, None)
    return f"{module}.{name}" if found is not None and found is value else None


def _is_stable(module: str) -> bool:
    return module.partition(".")[0] in _STABLE


def _numba_type(value: Any) -> Any:
    """The numba type of a captured object, None if numba does not know it."""
    context = cpu_target.typing_context
    context.refresh()
    try:
        return context.resolve_value_type(value)
    except (NumbaError, ValueError, TypeError, AttributeError):
        return None
