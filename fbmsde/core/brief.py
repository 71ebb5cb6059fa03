"""Problems, equations and noises as one line: `repr` tells what matters of records that hold functions and arrays."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from numbers import Number
from typing import Any, TypeVar

import numpy as np

LONGEST = 120  # characters
_WHOLE, _SHORT, _NAMED, _NAME = range(4)  # how much is told of the parts
_FEW = {_WHOLE: 32}  # numbers that are told one by one
_FEWER = 8

Kind = TypeVar("Kind", bound=type)


def brief(kind: Kind) -> Kind:
    """Decorator of a dataclass whose `repr` is then one line of at most 120 characters.

    What fits is told as dataclasses tell it. What does not is told without fields at their defaults, with the names of
    functions, and if need be with the names of landscapes and equations. Long arrays are told by their shape.

    >>> from dataclasses import dataclass
    >>> @brief
    ... @dataclass(frozen=True)
    ... class Weights:
    ...     values: np.ndarray
    ...     sigma: float = 1.0
    >>> Weights(np.ones(2)), Weights(np.ones((50, 4)), 2.0)
    (Weights(values=array([1., 1.]), sigma=1.0), Weights(values=<array (50, 4)>, sigma=2.0))
    """
    kind.__repr__ = _line  # type: ignore[method-assign, assignment]  # of a class that was just made
    return kind


def _line(record: Any) -> str:
    """The longest text of a record that fits."""
    text = ""
    for level in (_WHOLE, _SHORT, _NAMED, _NAME):
        text = _record(record, level)
        if len(text) <= LONGEST:
            return text
    return text[: LONGEST - 5].rstrip(" ,") + " ...)"


def _record(record: Any, level: int) -> str:
    """The class of a dataclass and its fields."""
    told: list[str] = []
    by_place = level > _WHOLE
    for field in fields(record):
        value = getattr(record, field.name)
        if not field.repr:
            continue
        if level > _WHOLE and _is_idle(record, field, value):
            by_place = False
            continue
        by_place = by_place and not field.kw_only
        told.append(_value(value, level) if by_place else f"{field.name}={_value(value, level)}")
    return f"{type(record).__qualname__}({', '.join(told)})"


def _is_idle(record: Any, field: Field[Any], value: object) -> bool:
    """Whether a field has its default, follows from the others, or is a function of a record that has a name."""
    default = field.default if field.default_factory is MISSING else field.default_factory()
    alike = isinstance(value, np.dtype) or (type(value) is type(default) and not isinstance(value, np.ndarray))
    hidden = not field.compare or (callable(value) and not is_dataclass(value) and _is_named(record))
    return hidden or value is default or (alike and value == default)


def _is_named(record: Any) -> bool:
    """Whether a record is a landscape, an equation or the like that was given a name."""
    return any(field.name == "name" and field.default != record.name for field in fields(record))


def _value(value: Any, level: int) -> str:
    """One value."""
    few = _FEW.get(level, _FEWER)
    if isinstance(value, np.ndarray):
        return f"<array {value.shape}>" if value.size > few else " ".join(repr(value).split())
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        return _sequence(value, level, few)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {_value(each, level)}' for key, each in value.items())}}}"
    if _shows_its_fields(value):
        return _part(value, level)
    if level > _WHOLE and callable(value):
        return _function(value)
    return " ".join(repr(value).split())


def _shows_its_fields(value: Any) -> bool:
    """Whether a value is a dataclass without a `repr` of its own."""
    made = getattr(type(value), "__dataclass_params__", None)
    return made is not None and bool(made.repr)


def _part(record: Any, level: int) -> str:
    """A record within another one."""
    if level < _NAMED or not _is_named(record):
        return _record(record, level)
    return f"<{record.name} {_value(record.params, level)}>" if level == _NAMED else f"<{record.name}>"


def _sequence(values: Any, level: int, few: int) -> str:
    """A tuple or a list: how many numbers it holds if they are many, the first entries of other ones."""
    if len(values) > few and all(isinstance(value, Number) for value in values):
        return f"<{len(values)} numbers>"
    told = [_value(value, level) for value in values[:few]] + [f"... ({len(values)})"] * (len(values) > few)
    left, right = "[]" if isinstance(values, list) else "()"
    return f"{left}{', '.join(told)}{',' * (left == '(' and len(values) == 1)}{right}"


def _function(function: Any) -> str:
    """The name of a function."""
    plain = getattr(function, "py_func", function)
    while isinstance(plain, functools.partial):
        plain = plain.func
    return str(getattr(plain, "__qualname__", type(plain).__qualname__)).rsplit(".", 1)[-1]
