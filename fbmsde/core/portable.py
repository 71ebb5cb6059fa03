"""Pickling of objects that hold users' functions: lambdas and closures travel with the values that they capture."""

from __future__ import annotations

import sys
from typing import Any, ClassVar, Self

from numba import njit

from .cache import fingerprint
from .captured import OPTIONS, content_of, frozen, is_frozen, made, recipe_of


class Portable:
    """Base of frozen dataclasses that are pickled together with the functions in their fields named in `_functions`.

    Machine code is not pickled; the functions are compiled again where the object is unpickled. `copy` and `deepcopy`
    return the object itself.
    """

    _functions: ClassVar[tuple[str, ...]] = ()

    def __getstate__(self) -> dict[str, Any]:
        return {k: _packed(v) if k in self._functions else v for k, v in self.__dict__.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        import cloudpickle

        self.__dict__.update({k: cloudpickle.loads(v) if k in self._functions else v for k, v in state.items()})

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def _packed(function: Any) -> bytes:
    """A pickle of a function: of its name if this package defines it, else of its code with the values it captures."""
    import cloudpickle

    if function is None or _is_ours(function):
        return cloudpickle.dumps(function if function is None else _Named(function.__module__, function.__name__))
    compiled = function if is_frozen(function) else made(recipe_of(function))
    plain = getattr(compiled, "py_func", compiled)
    known = is_frozen(function) and content_of(function) is not None
    return cloudpickle.dumps(_Frozen(plain, content_of(function), fingerprint()) if known else plain)


def _is_ours(function: Any) -> bool:
    module = getattr(function, "__module__", None) or ""
    found = getattr(sys.modules.get(module), getattr(function, "__name__", ""), None)
    return module.startswith(__package__.partition(".")[0] + ".") and found is function


class _Named:
    """An object that is unpickled as the attribute of that name of a module of this package."""

    def __init__(self, module: str, name: str) -> None:
        self.place = module, name

    def __reduce__(self) -> tuple[Any, ...]:
        return _by_name, self.place


class _Frozen:
    """A function that is unpickled as one of known content, so that its kept machine code is found again.

    `content` means the same only where all sources of the package are those of `version`; elsewhere it is forgotten.
    """

    def __init__(self, plain: Any, content: str | None, version: str | None) -> None:
        self.parts = plain, content, version

    def __reduce__(self) -> tuple[Any, ...]:
        return _frozen_again, self.parts


def _frozen_again(plain: Any, content: str | None, version: str | None) -> Any:
    return frozen(njit(**OPTIONS)(plain), content) if version is not None and version == fingerprint() else plain


def _by_name(module: str, name: str) -> Any:
    __import__(module)
    return getattr(sys.modules[module], name)
