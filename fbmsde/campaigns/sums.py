"""Sums over the blocks of a problem, of either kind, and what they tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, Self

import numpy as np

from ..results.campaign import Summary
from ..results.escape import UNKNOWN
from ..results.estimates import Estimate, NoEstimateError
from ..results.rare import RareEscape
from .problems import Block
from .replicas import ReplicaBlock
from .tally import Estimates, Tally, classes_of


class Sums(Protocol):
    """Sums over blocks; those of two blocks of a problem join to those of both."""

    def joined(self, other: Self) -> Self:
        """The sums over the blocks of both, of which those of the other one come later."""

    @property
    def begin(self) -> float:
        """The time from which exit rates are taken where none was given."""

    @property
    def doubts(self) -> tuple[str, ...]:
        """Reasons to doubt what these sums tell, which more blocks do not take away."""

    def summary(self, after: float) -> Summary:
        """What they tell of a problem without a name, with the exit rate from the exits later than `after`."""


@dataclass(frozen=True, eq=False)
class PathSums:
    """Sums over blocks of paths, the names of the sides, and the note of their error budget."""

    found: Estimates
    names: tuple[str, ...]
    coarse: str = ""

    def joined(self, other: PathSums) -> PathSums:
        """The sums over the paths of both."""
        return replace(self, found=replace(self.found, tally=self.found.tally.joined(other.found.tally)))

    @property
    def begin(self) -> float:
        """The end of the class of the last exit of the first quarter of them, 0 without an exit."""
        return self.found.quartile()

    @property
    def doubts(self) -> tuple[str, ...]:
        """Paths are what they are."""
        return ()

    def summary(self, after: float) -> Summary:
        """What the paths tell."""
        found, tally = self.found, self.found.tally
        mean, restricted = found.mean()
        return Summary(
            name="",
            asked=tally.n_paths,
            paths=tally.n_paths,
            exits=tally.n_exits,
            broken=tally.n_broken,
            dt=found.dt,
            horizon=found.horizon,
            mean=mean,
            restricted=restricted,
            rate=found.rate(after),
            after=after,
            probability=found.probability(),
            sides=found.sides(self.names),
            note=f"{_note(tally)} {self.coarse}".strip(),
            curve=found.curve(),
        )


def _note(tally: Tally) -> str:
    """What the reader must know."""
    if tally.n_broken == 0:
        return ""
    return f"{tally.n_broken} of {tally.n_paths} paths left the finite numbers; the mean and the sides leave them out."


@dataclass(frozen=True, eq=False)
class ReplicaSums:
    """The replicas of a rare problem themselves, since their intervals come from the spread of all.

    after : the time after which their exit rate is asked for, None where it was not given.
    """

    escape: RareEscape
    after: float | None = None

    def joined(self, other: ReplicaSums) -> ReplicaSums:
        """The replicas of both."""
        return replace(self, escape=RareEscape.concat([self.escape, other.escape]))

    @property
    def begin(self) -> float:
        """Half the horizon."""
        return self.escape.horizon / 2.0

    @property
    def doubts(self) -> tuple[str, ...]:
        """Reasons to think that the replicas have not seen what there is, or when paths leave."""
        return self.escape.doubts if self.after is None else self.escape.doubts_of_rate(self.after)

    def summary(self, after: float) -> Summary:
        """What the replicas tell; nothing but the reasons if there are doubts."""
        escape = self.escape
        probability, told = _known(escape.probability)
        sure = not told
        rate, why = (UNKNOWN, "") if told or after >= escape.horizon else _known(partial(escape.rate, after))
        return Summary(
            name="",
            asked=escape.n_replicas,
            paths=escape.n_replicas,
            exits=int(np.count_nonzero(escape.values)),
            broken=0,
            dt=escape.dt,
            horizon=escape.horizon,
            rate=rate,
            after=after,
            probability=probability,
            sides={name: _known(escape.by_side(name).probability)[0] if sure else UNKNOWN for name in escape.sides},
            note=told or why,
            unit="replica",
        )


def _known(ask: Callable[[], Estimate]) -> tuple[Estimate, str]:
    """An estimate and nothing; or that it is unknown, and why."""
    try:
        return ask(), ""
    except NoEstimateError as error:
        return UNKNOWN, str(error)


def sums_of(block: Block, after: float | None) -> Sums:
    """The sums over one block of a problem whose exit rate is taken from the exits later than `after`, if given."""
    if isinstance(block, ReplicaBlock):
        return ReplicaSums(block.escape, after)
    classes = classes_of(round(block.horizon / block.dt), block.dt, after)
    found = Estimates(Tally.of(block, classes), classes, block.dt, block.horizon)
    return PathSums(found, block.names, "" if block.budget is None else block.budget.note)
