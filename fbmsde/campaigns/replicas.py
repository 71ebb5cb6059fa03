"""`ReplicaBlock`: a replica of a rare escape as a block of a campaign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ..core import checks
from ..results.rare import RareEscape


@dataclass(frozen=True, eq=False)
class ReplicaBlock:
    """One replica of a rare problem: what a block of paths is of another problem.

    escape : the result of this replica alone.
    first : its number.
    """

    escape: RareEscape
    first: int

    @property
    def n_paths(self) -> int:
        """The number of replicas, which stand for paths: 1."""
        return 1

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sides."""
        return tuple(self.escape.sides)

    @property
    def dt(self) -> float:
        """The step of the grid of exit times."""
        return self.escape.dt

    @property
    def horizon(self) -> float:
        """The end of the last step."""
        return self.escape.horizon

    def head(self, n_paths: int) -> Self:
        """The first replicas of the block, which has one."""
        checks.count("n_paths", n_paths)
        return self


def joined_replicas(blocks: Sequence[ReplicaBlock]) -> RareEscape:
    """The result of several replicas in the order in which they are given."""
    return RareEscape.concat([block.escape for block in blocks])
