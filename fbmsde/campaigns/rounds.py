"""One problem of a campaign while it runs: its blocks, the sums over them, and whether one more round is needed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..core import checks
from ..results.campaign import Summary
from ..results.escape import UNKNOWN
from .base import Plan, Shelf, Store
from .problems import Block, Problem, most_of, unit_of
from .sums import Sums, sums_of

QUANTITIES = ("exit_rate", "mean", "probability", "split:SIDE")
_AT_MOST = 100  # times the paths of the first round, unless `most_paths` says otherwise
_FINEST = 1e-9  # no number of paths that can be counted gives a smaller relative error
_GROWTH = 2.0  # a round makes at most so many times the paths that there were
_FEWEST = 10  # and at least one block more for so many, rounded up: each round is looked at as a whole


@dataclass(frozen=True)
class Precision:
    """When there are paths enough: the half-width of a 95 % interval over the value.

    relative_error : the half-width that is asked for, None for the paths of the first round alone.
    quantity : "exit_rate"; "mean" of the exit time; "probability" to leave by the horizon; or "split:SIDE", that to
        leave by then through the side of this name, such as "split:upper". A rare problem has no "mean".
    most_paths : no more paths than these for a problem, or replicas for a rare one; None for a hundred times the
        first round. There are never more than an array of starts has rows.
    after : the exit rate is taken from the exits later than this time; None for the lower quartile of the exit times of
        the first round, and for half the horizon of a rare problem.

    Rounds of whole blocks are added until the interval is narrow enough. It is looked at after whole rounds alone, in
    the order of the paths, so that the result does not depend on who ran them and when. Stopping where it is narrow
    favours samples that make it so. Where few paths leave, the number of exits n is what decides, and rates and shares
    come out larger by a share of about 1 / n, a quarter of the square of `relative_error`. Measured by
    ``benchmarks/campaigns.py --part stopping``: 0.3 % at 0.1 and 0.1 % at 0.05, none for the mean of exponential times,
    and 94 to 96 % of the 95 % intervals hold the truth. No round follows one after which there are doubts about the
    replicas of a rare problem (`RareEscape.doubts`): it needs more paths a replica.

    >>> Precision(0.01).quantity
    'exit_rate'
    """

    relative_error: float | None = None
    quantity: str = "exit_rate"
    most_paths: int | None = None
    after: float | None = None

    def __post_init__(self) -> None:
        if self.relative_error is not None:
            object.__setattr__(self, "relative_error", checks.fraction("relative_error", self.relative_error))
            if self.relative_error < _FINEST:
                raise ValueError(f"relative_error must be at least {_FINEST}, got {self.relative_error}.")
        if self.most_paths is not None:
            object.__setattr__(self, "most_paths", checks.count("most_paths", self.most_paths))
        if self.after is not None:
            object.__setattr__(self, "after", checks.finite("after", self.after))
            if self.after < 0.0:
                raise ValueError(f"after must be at least 0, got {self.after}.")
        checks.kind("quantity", self.quantity, str, "Write 'exit_rate'.")
        kind, _, side = self.quantity.partition(":")
        if kind not in ("exit_rate", "mean", "probability", "split") or (kind == "split") != bool(side):
            raise ValueError(f"quantity must be one of {', '.join(QUANTITIES)}, got {self.quantity!r}.")

    def require_fit(self, problem: Problem) -> None:
        """ValueError for a quantity that the problem does not have, and for a rate that can never be known."""
        names, horizon = problem.names, problem.reached
        if self.quantity == "mean" and unit_of(problem) == "replica":
            raise ValueError("quantity must be exit_rate, probability or split:SIDE for a rare problem, got 'mean'.")
        asked = self.relative_error is not None and self.quantity == "exit_rate"
        if asked and self.after is not None and self.after >= horizon:
            raise ValueError(f"after must be less than the horizon {horizon:g}, got {self.after}.")
        kind, _, side = self.quantity.partition(":")
        if kind == "split" and side not in names:
            raise ValueError(f"quantity must name one of the sides {', '.join(names)}, got {self.quantity!r}.")


class Count:
    """The sums over blocks of one problem, which may come in any order and are joined in that of the paths."""

    def __init__(self, after: float | None, unit: str) -> None:
        self.after, self.n_blocks, self.unit = after, 0, unit
        self._given = after
        self._early: dict[int, Sums] = {}
        self._total: Sums | None = None
        self._before: Sums | None = None

    def add(self, number: int, block: Block) -> None:
        """Count a block."""
        self._early[number] = sums_of(block, self._given)
        while self.n_blocks in self._early:
            self._before, part = self._total, self._early.pop(self.n_blocks)
            self._total = part if self._total is None else self._total.joined(part)
            self.n_blocks += 1

    def forget_last(self) -> None:
        """Take the last block out again, because it is to have more paths."""
        self._total, self.n_blocks = self._before, self.n_blocks - 1

    @property
    def doubtful(self) -> bool:
        """Whether there are doubts which more blocks do not take away."""
        return self._total is not None and bool(self._total.doubts)

    def settle(self) -> None:
        """Fix the time from which the exit rate is taken, if it was not given."""
        if self.after is None and self._total is not None:
            self.after = self._total.begin

    def settle_with(self, more: Block) -> None:
        """The same with these paths beside those of the blocks."""
        if self.after is None:
            self.add(self.n_blocks, more)
            self.settle()
            self.forget_last()

    def summary(self, name: str, asked: int, precision: Precision, seconds: float) -> Summary:
        """What the blocks tell of the problem of this name."""
        found = self._total
        if found is None:
            return Summary(name, asked, 0, 0, 0, math.nan, math.nan, quantity=precision.quantity, unit=self.unit)
        told = found.summary(found.begin if self.after is None else self.after)
        kind, _, side = precision.quantity.partition(":")
        chosen = {"exit_rate": told.rate, "mean": told.mean, "probability": told.probability}
        return replace(
            told,
            name=name,
            asked=asked,
            quantity=precision.quantity,
            estimate=chosen.get(kind) or told.sides.get(side, UNKNOWN),
            target=math.nan if precision.relative_error is None else precision.relative_error,
            seconds=seconds,
        )


class Track:
    """One problem while its blocks are made, round after round."""

    def __init__(self, plan: Plan, store: Store, precision: Precision) -> None:
        self.plan, self.precision = plan, precision
        precision.require_fit(plan.problem)
        most = precision.most_paths or _AT_MOST * plan.n_paths
        self._store, self._most = store, int(min(most, most_of(plan.problem)))
        self.shelf: Shelf = store.shelf(plan)
        self._there = self.shelf.finished()
        self.count = Count(precision.after, unit_of(plan.problem))
        self.failure: Exception | None = None  # why the problem cannot be run
        self._count_kept()

    def _count_kept(self) -> None:
        """Count the blocks that are there and were not counted yet."""
        for number in range(self.count.n_blocks, self.plan.n_blocks):
            n_paths = self.plan.span(number).n_paths
            if self._there.get(number, 0) >= n_paths:
                self.count.add(number, self.shelf.get(number).head(n_paths))

    def missing(self) -> list[int]:
        """The blocks of this round that are still to be made, in order."""
        return [b for b in range(self.plan.n_blocks) if self._there.get(b, 0) < self.plan.span(b).n_paths]

    @property
    def paths_asked(self) -> int:
        """The number of paths of this round."""
        return self.plan.n_paths

    @property
    def paths_there(self) -> int:
        """The number of paths of this round that are there."""
        return self.plan.n_paths - sum(self.plan.span(b).n_paths for b in self.missing())

    def put(self, number: int, block: Block, seconds: float) -> None:
        """Keep and count a block."""
        self.shelf.put(number, block, seconds)
        self._there[number] = block.n_paths
        self.count.add(number, block)

    @property
    def complete(self) -> bool:
        """Whether all blocks of the round are there."""
        return self.count.n_blocks == self.plan.n_blocks

    def advance(self) -> bool:
        """After a whole round, begin another one if it is needed; False if the problem is done."""
        self.count.settle()
        found, target = self.summary(), self.precision.relative_error
        if target is None or found.precise or self.count.doubtful or self.plan.n_paths >= self._most:
            return False
        error = found.relative_error
        factor = _GROWTH if math.isnan(error) else min((error / target) ** 2, _GROWTH)
        blocks = max(math.ceil(factor * self.plan.n_blocks), self.plan.n_blocks + -(-self.plan.n_blocks // _FEWEST))
        if self.plan.span(self.plan.n_blocks - 1).n_paths < self.plan.block_paths:
            self.count.forget_last()
        self.plan = replace(self.plan, n_paths=min(blocks * self.plan.block_paths, self._most))
        self.shelf = self._store.shelf(self.plan)
        self._count_kept()
        return True

    def summary(self) -> Summary:
        """What the blocks tell so far."""
        seconds = sum(self.shelf.seconds().values())
        found = self.count.summary(self.plan.name, self.plan.n_paths, self.precision, seconds)
        return found if self.failure is None else replace(found, note=str(self.failure))
