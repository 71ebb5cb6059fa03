"""Whether objects conform to a protocol, found quickly for objects of a class that was seen before."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import is_dataclass
from functools import lru_cache
from typing import TypeGuard, TypeVar, cast
from weakref import WeakSet

Kind = TypeVar("Kind")


def conforms(value: object, wanted: type[Kind]) -> TypeGuard[Kind]:
    """Whether a value is an object of a class or protocol.

    Of a protocol with many members this takes long to see. All objects of a dataclass have the same members, so that it
    is looked at for one of them.

    >>> conforms(1.0, float), conforms(1.0, int)
    (True, False)
    """
    known = _conforming(cast(Hashable, wanted))
    if type(value) in known:
        return True
    found = isinstance(value, wanted)
    if found and is_dataclass(value):
        known.add(type(value))
    return found


@lru_cache(maxsize=64)
def _conforming(wanted: Hashable) -> WeakSet[type]:
    """The dataclasses whose objects are known to conform."""
    return WeakSet()
