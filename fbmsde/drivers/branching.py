"""Drivers whose lanes can be copied: a path may branch into several that share its past, as splitting needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

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
