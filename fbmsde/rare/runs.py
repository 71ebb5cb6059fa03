"""What rare-event methods have in common: replicas, each of which is a run to each side of the domain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Protocol, TypeAlias, runtime_checkable

from ..results.rare import Replica
from ..simulation.problem import Crowd
from .posed import Escape

_NEGLIGIBLE = 1e-6  # of what leaves by another side; a run to a side by which less leaves gives up

Runs: TypeAlias = tuple[dict[str, tuple[Replica, ...]], int]


@runtime_checkable
class Method(Protocol):
    """A rare-event method: a frozen dataclass of its settings."""

    name: ClassVar[str]

    def require(self, escape: Escape) -> None:
        """Raise ValueError, which says what to do instead, for an escape that the method cannot follow."""

    def run(self, escape: Escape, crowd: Crowd) -> Runs:
        """The replicas of a crowd by side, and the number of steps that all their paths made.

        Replica i is a pure function of the escape and i. A replica is to `crowd` what a path is elsewhere.
        """


def runs_of(escape: Escape, replica: int) -> list[tuple[str, int]]:
    """The sides of a replica, and the numbers of its runs among those of all replicas."""
    return [(side, replica * len(escape.names) + j) for j, side in enumerate(escape.names)]


def nearest_first(escape: Escape) -> list[str]:
    """The sides in the order in which a replica climbs to them, by the score of the start; all loops are compiled."""
    return sorted(escape.names, key=lambda side: -escape.ascents[side].floor)


def least_beside(others: Iterable[Replica], least: float) -> float:
    """The probability below which a run gives up, given the runs of the same replica to other sides."""
    return max([least, *(_NEGLIGIBLE * other.probability for other in others)])
