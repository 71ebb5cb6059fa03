"""What an object is made of: as plain data for people and files, and as a hash that is the same in every process."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from types import FunctionType
from typing import Any, TypeAlias

import numpy as np

from .. import __version__
from .captured import CannotFollow, OfThisProcess, _is_stable, content_of, hash_of, is_frozen, name_of, recipe_of
from .complaints import short

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"

_SHOWN = 16  # arrays of more numbers are told by their shape and a hash
_EXACT = 2**53  # whole numbers up to this are the same as floats
_ITEMS = (int, float, np.bool_, np.number)


def described(value: object, name: str = "") -> Plain:
    """What a value is made of, as plain data that JSON can hold.

    Numbers and texts stay themselves; inf and nan become texts. A dataclass becomes ``{"kind": its class, field: ...}``
    with the fields that its comparison looks at, a function ``{"function": its name, "content": a hash}`` of its code
    and of all that it captures. An array of more than 16 numbers becomes ``{"array": shape, "digest": a hash}``, a
    shorter one nested lists. A seed that is an int and its `SeedSequence` are the same. The class of a dataclass from
    outside this package is told by its name and the code of its methods, without what that code refers to.

    `name` is that of the argument in messages. ValueError, with the name of the part and what to do, for an object of
    which another process could not tell whether it is the same.

    >>> from fbmsde import FractionalNoise
    >>> described(FractionalNoise(0.3, 2.0))["hurst"]
    0.3
    >>> described({"x0": (1.0, float("inf"))})
    {'x0': [1.0, 'inf']}
    """
    if isinstance(value, Enum):
        return {"kind": type(value).__qualname__, "name": value.name}
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float, np.integer, np.floating, np.bool_)):
        return _number(value)
    for kind, describe in _KINDS:
        if isinstance(value, kind):
            return describe(value, name)
    if is_dataclass(value) and not isinstance(value, type):
        return _record(value, {f.name: getattr(value, f.name) for f in fields(value) if f.compare}, name)
    if callable(value):
        return _function(value, name)
    advice = "Make its class a frozen dataclass of numbers, texts, arrays, functions and other such records."
    raise _unknown(name, value, advice)


def content_digest(value: object, name: str = "") -> str:
    """A hash of all that a value is made of and of this package's version, equal in every process for equal content.

    It does not depend on names of functions, file names or line numbers, nor on whether a whole number was given as an
    int or as a float. It does depend on the version of Python, whose compiler makes the code of functions. Raises what
    `described` raises.

    >>> content_digest({"a": 1}) == content_digest({"a": 1.0}), content_digest({"a": 1}) == content_digest({"a": 2})
    (True, False)
    """
    text = json.dumps([__version__, _canonical(described(value, name))], allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Described:
    """A problem that tells what it is made of: a frozen dataclass whose parameters are the fields of its `__init__`."""

    def description(self) -> dict[str, Plain]:
        """Every parameter as nested plain data that JSON takes; of functions and long arrays it tells the content."""
        return {name: described(value, name) for name, value in self._parts().items()}

    def digest(self) -> str:
        """A text that two problems share only if all their parameters, functions and package versions are the same.

        It is the same in every process. Raises ValueError for a function whose content cannot be told.
        """
        return content_digest(self._parts())

    def __getstate__(self) -> dict[str, object]:
        return {each.name: getattr(self, each.name) for each in fields(self)}  # without what is compiled

    def _parts(self) -> dict[str, object]:
        """The parameters by name."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.init}


def _canonical(plain: Plain) -> Plain:
    """Plain data in which equal content is written in one way: whole floats as ints, functions without their names."""
    if isinstance(plain, dict):
        named = isinstance(plain.get("function"), str) and isinstance(plain.get("content"), str)
        return {key: _canonical(value) for key, value in plain.items() if not (named and key == "function")}
    if isinstance(plain, list):
        return [_canonical(value) for value in plain]
    if isinstance(plain, float) and plain.is_integer() and abs(plain) <= _EXACT and str(plain) != "-0.0":
        return int(plain)
    return plain


def _number(value: Any) -> Plain:
    """A number as an int or a float; inf and nan, which JSON does not know, as texts."""
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    return float(value) if math.isfinite(value) else str(float(value))


def _sequence(values: Any, name: str) -> Plain:
    """A list, a tuple or an array: all values, or the shape and a hash if they are many numbers."""
    array = _numbers(values)
    if array is not None and array.size > _SHOWN:
        content = hashlib.sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes()).hexdigest()
        return {"array": list(array.shape), "digest": content}
    if isinstance(values, np.ndarray):
        if values.dtype.hasobject or isinstance(values, np.ma.MaskedArray):
            raise _unknown(name, values, "Give an array of numbers.")
        values = values.tolist() if values.ndim else [values.item()]
    return [described(value, f"{name or 'value'}[{i}]") for i, value in enumerate(values)]


def _numbers(values: Any) -> np.ndarray | None:
    """The values as an array of real numbers, of floats where these are exact; None if they are something else."""
    if not isinstance(values, np.ndarray) and not all(isinstance(v, (*_ITEMS, list, tuple)) for v in values):
        return None
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        return None
    if array.dtype.kind not in "iufb" or isinstance(array, np.ma.MaskedArray):
        return None
    exact = array.dtype.kind == "f" or (array.dtype.kind in "iu" and (not array.size or np.abs(array).max() <= _EXACT))
    return np.ascontiguousarray(array, dtype="<f8" if exact else array.dtype.newbyteorder("<"))


def _named_tuple(value: Any, name: str) -> Plain:
    """A tuple: a named one as a record, another one as a sequence."""
    if hasattr(value, "_fields"):
        return _record(value, dict(zip(value._fields, value, strict=True)), name)
    return _sequence(value, name)


def _mapping(value: Mapping[Any, object], name: str) -> Plain:
    """A mapping, in its order, which may have a meaning."""
    for key in value:
        if not isinstance(key, str):
            raise _unknown(name, key, "Let its keys be texts.")
    return {key: described(each, f"{name}[{key!r}]" if name else key) for key, each in value.items()}


def _record(value: object, parts: Mapping[str, object], name: str) -> Plain:
    """The class of a record and its fields."""
    kind: dict[str, Plain] = {"kind": type(value).__qualname__}
    foreign = _foreign_code(type(value))
    if foreign:
        kind["code"] = hash_of(*foreign)
    return kind | {key: described(each, f"{name}.{key}" if name else key) for key, each in parts.items()}


def _foreign_code(kind: type) -> list[object]:
    """The code of the methods of a class that is neither of this package nor of one whose version keeps its content."""
    found: list[object] = []
    ours = __package__.partition(".")[0]
    for base in kind.__mro__:
        if not _is_stable(base.__module__) and base.__module__.partition(".")[0] not in (ours, "builtins"):
            for label, member in sorted(vars(base).items()):
                inner = getattr(member, "fget", None) or getattr(member, "__func__", None) or member
                if isinstance(inner, FunctionType) and inner.__code__.co_filename != "<string>":
                    found.append((label, inner.__code__))
    return found


def _seed(value: np.random.SeedSequence, name: str) -> Plain:
    """A seed sequence; one that an int stands for as that int."""
    entropy = value.entropy if isinstance(value.entropy, int) else described(value.entropy, f"{name}.entropy")
    if isinstance(entropy, int) and not value.spawn_key and value.pool_size == 4:
        return entropy
    branch: list[Plain] = [int(number) for number in value.spawn_key]
    return {"kind": "SeedSequence", "entropy": entropy, "spawn_key": branch, "pool_size": value.pool_size}


def _partial(value: functools.partial[Any], name: str) -> Plain:
    """A function with some of its arguments."""
    inner = _function(value.func, name)
    bound = {key: value.keywords[key] for key in sorted(value.keywords)}
    return {"kind": "partial", "of": inner, "args": described(value.args, name), "keywords": described(bound, name)}


def _function(value: Callable[..., object], name: str) -> Plain:
    """A function by its name and a hash of its code and of what it captures."""
    plain = getattr(value, "py_func", value)
    known = content_of(value) if is_frozen(value) else None
    if known is None and not isinstance(plain, FunctionType):
        known = name_of(value) if _is_stable(getattr(value, "__module__", None) or "") else None
        if known is None:
            raise _unknown(name, value, "Write a function outside of any class: def f(...).")
    label = getattr(plain, "__qualname__", known)
    return {"function": label, "content": known or _content(value, name)}


def _content(function: Callable[..., object], name: str) -> str:
    """The hash of a function that is not frozen."""
    advice = "Let it use numbers, strings, tuples, arrays and functions only, or pass its numbers as parameters."
    try:
        return recipe_of(function).content
    except CannotFollow as error:
        raise _unknown(name, function, advice, f", which uses {error}") from None
    except OfThisProcess as error:
        raise _unknown(name, function, advice, f", which uses {short(error.value)}") from None


def _dtype(value: Any, name: str) -> Plain:
    """The name of a type of numbers, or of another class."""
    if isinstance(value, np.dtype) or issubclass(value, (bool, int, float, complex, np.generic)):
        return np.dtype(value).name
    return f"{value.__module__}.{value.__qualname__}"


def _generator(value: object, name: str) -> Plain:
    """ValueError: a generator changes as it is used."""
    raise _unknown(name, value, "Give the seed as an int or a SeedSequence.")


def _unknown(name: str, value: object, advice: str, why: str = "") -> ValueError:
    """The error about a part whose content cannot be told."""
    rule = "must be made of what can be told from other objects in another process"
    return ValueError(f"{name or 'value'} {rule}, got {short(value)}{why}. {advice}")


_KINDS: tuple[tuple[type | tuple[type, ...], Callable[[Any, str], Plain]], ...] = (
    (tuple, _named_tuple),
    ((list, np.ndarray), _sequence),
    (Mapping, _mapping),
    (functools.partial, _partial),
    ((np.dtype, type), _dtype),
    (np.random.SeedSequence, _seed),
    (np.random.Generator, _generator),
)
