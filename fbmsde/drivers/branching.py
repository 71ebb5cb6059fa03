"""Drivers whose lanes can be copied: a path may branch into several that share its past, as splitting needs."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, Protocol, runtime_checkable

from numba import types

from ..core.compile import lasting_name, locked
from .base import Lanes


class Branch(NamedTuple):
    """What branching needs of a driver besides its lanes.

    ``save(data, lane, numbers, words)`` writes all that a lane remembers into `numbers` (n_numbers,) of float64 and
    `words` (n_words,) of uint64. ``load(data, lane, numbers, words)`` puts it into a lane, which then draws the same
    increments. ``reseed(data, lane, path, generation)`` leaves the past of a lane as it is and gives it the random
    words of another future, a function of the key, the path and the generation, which is at least 1.
    """

    save: Callable[..., None]
    load: Callable[..., None]
    reseed: Callable[..., None]
    n_numbers: int
    n_words: int


@runtime_checkable
class Branching(Protocol):
    """A feed whose noise is Markov in a finite state, so that a lane can be copied and sent into another future."""

    def branch(self, lanes: Lanes) -> Branch:
        """The functions that copy lanes of this feed."""


class Copying(NamedTuple):
    """The three functions of a `Branch`, as plain functions of a module or compiled for one type of data."""

    save: Callable[..., None]
    load: Callable[..., None]
    reseed: Callable[..., None]


def branch_of(lanes: Lanes, copying: Copying, n_numbers: int, n_words: int) -> Branch:
    """The branch of a driver's lanes; its functions are compiled once for every type of data."""
    return Branch(*_compiled(copying, lanes.kind), n_numbers, n_words)


@lru_cache(maxsize=64)
def _compiled(copying: Copying, data: types.Type) -> Copying:
    """The functions of a branch, compiled for one type of data."""
    copied = types.void(data, types.int64, types.Array(types.float64, 1, "C"), types.Array(types.uint64, 1, "C"))
    return Copying(
        locked(copying.save, copied, lasting_name(copying.save)),
        locked(copying.load, copied, lasting_name(copying.load)),
        locked(copying.reseed, types.void(data, *[types.int64] * 3), lasting_name(copying.reseed)),
    )
