"""What campaigns are made of: problems that are cut into blocks, and stores that keep finished blocks.

What is said of paths holds for the replicas of a rare problem too, each of which is a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self, runtime_checkable

from .problems import Block, Problem


class Span(NamedTuple):
    """The paths ``first ... first + n_paths - 1``."""

    first: int
    n_paths: int


@dataclass(frozen=True, eq=False)
class Plan:
    """One problem of a campaign under its name, and how its paths are cut into blocks; the last one may be short.

    A block is a function of the problem and its span alone, so that it can be run anywhere, in any order, and twice.
    """

    name: str
    problem: Problem
    n_paths: int
    block_paths: int

    @property
    def n_blocks(self) -> int:
        """The number of blocks."""
        return -(-self.n_paths // self.block_paths)

    def span(self, number: int) -> Span:
        """The paths of a block, whose number counts from 0."""
        first = number * self.block_paths
        return Span(first, min(self.block_paths, self.n_paths - first))


@runtime_checkable
class Blocks(Protocol):
    """The blocks of one problem that can be read."""

    @property
    def n_paths(self) -> int:
        """The number of paths that there is room for: the largest number that was asked for."""

    @property
    def block_paths(self) -> int:
        """The number of paths of a block."""

    def finished(self, check: bool = True) -> dict[int, int]:
        """The number of paths of each block that is wholly there, by the number of the block.

        With `check` everything is read, and a damaged block is left out; otherwise only what is there is looked at.
        """

    def seconds(self) -> dict[int, float]:
        """The time that each block took, in seconds, by the number of the block; damaged ones are left out."""

    def get(self, number: int) -> Block:
        """A block that is there; OSError if it is damaged."""


@runtime_checkable
class Shelf(Blocks, Protocol):
    """The blocks of one problem, of which more are kept."""

    def put(self, number: int, block: Block, seconds: float) -> None:
        """Keep a block that took so many seconds, whole or not at all; OSError if that fails."""


Asked = Mapping[str, object]  # what a campaign was asked for, as plain JSON data


@runtime_checkable
class Store(Protocol):
    """Where the blocks of a campaign are kept. In a `with` block it belongs to this process alone."""

    def __enter__(self) -> Self:
        """Claim the store; ValueError if another process has it."""

    def __exit__(self, kind: object, *error: object) -> None:
        """Give it back."""

    def begin(self, asked: Asked) -> None:
        """Note what the campaign asks for now."""

    def block_paths(self, name: str) -> int | None:
        """The number of paths in a block of a problem that the store knows, None of one that it does not know."""

    def shelf(self, plan: Plan) -> Shelf:
        """The shelf of a problem, made or opened, with room for all its paths.

        Raises ValueError with the differences if the store keeps another problem under this name.
        """


@runtime_checkable
class Reading(Protocol):
    """A store that is read, perhaps while another process writes it."""

    @property
    def asked(self) -> Asked:
        """What the campaign was asked for last."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the problems, in the order in which they were asked for."""

    def kept(self, name: str) -> Blocks:
        """The blocks of one problem."""


class MemoryStore:
    """A store that lasts as long as the process.

    >>> MemoryStore().block_paths("unknown") is None
    True
    """

    def __init__(self) -> None:
        self._shelves: dict[str, _MemoryShelf] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        pass

    def begin(self, asked: Asked) -> None:
        """Nothing is noted."""

    def block_paths(self, name: str) -> int | None:
        """The number of paths in a block of a problem, None of one that is not known."""
        return self._shelves[name].block_paths if name in self._shelves else None

    def shelf(self, plan: Plan) -> Shelf:
        """The shelf of a problem; ValueError if another one has this name."""
        found = self._shelves.setdefault(plan.name, _MemoryShelf(plan))
        if plan.problem is not found.problem and plan.problem.digest() != found.problem.digest():
            raise ValueError(f"store must hold the same problem, got another under {plan.name!r}. Take a new store.")
        found.n_paths = max(found.n_paths, plan.n_paths)
        return found


class _MemoryShelf:
    """Blocks in a dictionary."""

    def __init__(self, plan: Plan) -> None:
        self.problem, self.n_paths, self.block_paths = plan.problem, plan.n_paths, plan.block_paths
        self._blocks: dict[int, Block] = {}
        self._seconds: dict[int, float] = {}

    def finished(self, check: bool = True) -> dict[int, int]:
        """The number of paths of each block."""
        return {number: block.n_paths for number, block in self._blocks.items()}

    def seconds(self) -> dict[int, float]:
        """The time that each block took."""
        return dict(self._seconds)

    def get(self, number: int) -> Block:
        """A block."""
        return self._blocks[number]

    def put(self, number: int, block: Block, seconds: float) -> None:
        """Keep a block."""
        self._blocks[number], self._seconds[number] = block, seconds
