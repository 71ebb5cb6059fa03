"""The problems that campaigns take, and the blocks that are made of them."""

from __future__ import annotations

import math
from typing import TypeAlias, Unpack

from ..rare.problem import RareProblem
from ..simulation.ended import Ended
from ..simulation.passage_problem import PassageProblem
from ..simulation.problem import RunOptions
from .replicas import ReplicaBlock

Problem: TypeAlias = PassageProblem | RareProblem
Block: TypeAlias = Ended | ReplicaBlock

_SMALLEST, _LARGEST = 1000, 100_000  # paths of a block whose size is not given
_BLOCKS = 100  # of the first round then


def unit_of(problem: Problem) -> str:
    """What is counted of a problem: "path" or "replica"."""
    return "replica" if isinstance(problem, RareProblem) else "path"


def most_of(problem: Problem) -> float:
    """The number of paths or replicas that there can be."""
    starts = None if isinstance(problem, RareProblem) else problem.n_starts
    return math.inf if starts is None else starts


def fewest_of(problem: Problem) -> int:
    """The fewest paths or replicas that can be asked for: intervals come from the spread of replicas."""
    return 2 if isinstance(problem, RareProblem) else 1


def size_of(problem: Problem, n_paths: int, block_paths: int | None) -> int:
    """The size of the blocks of so many paths, or of replicas, each of which is a block."""
    if isinstance(problem, RareProblem):
        return 1
    return block_paths or min(max(-(-n_paths // _BLOCKS), _SMALLEST), _LARGEST)


def block_of(problem: Problem, n_paths: int, first: int, **options: Unpack[RunOptions]) -> Block:
    """Run the paths first ... first + n_paths - 1, or the one replica `first`."""
    if isinstance(problem, RareProblem):
        return ReplicaBlock(problem.replicas(n_paths, first, **options), first)
    return problem.ends(n_paths, first, **options)
