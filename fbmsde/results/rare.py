"""Probabilities and rates of rare escapes, with intervals from independent replicas and reasons to doubt them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy

from ..core import checks
from ..core.pictures import picture
from ..core.show import Shown, Table, line
from ..core.types import Array
from .estimates import Estimate, NoEstimateError
from .replicas import LARGEST_SPREAD, Replica, _disagreement, _doubts, _spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NEGLIGIBLE = 1e-3  # share of a side in the whole


@dataclass(frozen=True, eq=False, repr=False)
class RareEscape(Shown):
    """The result of a rare-event method: independent replicas, from whose spread all intervals come.

    method : the name of the method.
    sides : by the name of each side of the domain, the replicas of the probability to leave by it; the same number of
        them for each side.
    horizon : the end of the time in which paths may leave, a multiple of `dt`. Time counts from the start.
    shift : the length by which the boundary was moved inwards for continuous time, 0 on a grid.
    path_steps : the number of steps that all paths of all replicas made together, which is the cost.
    why : why this method was taken, a sentence.
    note : what else there is to know, in sentences; empty if there is nothing.
    halved : the probability with half the step over the one with the whole step, with its interval, where that was
        asked for and neither is in doubt.

    >>> from fbmsde import FractionalNoise, quadratic, rare_escape
    >>> rare = rare_escape(quadratic(), FractionalNoise(0.5), 0.0, (None, 4.0), horizon=8.0, seed=1, dt=0.01)
    >>> list(rare.sides), 1e-8 < rare.rate().value < 1e-6
    (['upper'], True)
    """

    method: str
    sides: Mapping[str, tuple[Replica, ...]]
    horizon: float
    dt: float
    shift: float
    path_steps: int
    why: str = ""
    note: str = ""
    halved: Estimate | None = None

    @classmethod
    def concat(cls, parts: Iterable[RareEscape]) -> RareEscape:
        """The replicas of several parts of one run, in their order. `why` and `halved` are those of the first part.

        The parts must hold replicas with different numbers or seeds of one problem; those that were made twice look
        independent. Raises ValueError for a part that is given twice, and unless all have the same method, sides,
        horizon, step and shift.
        """
        found = list(parts)
        if not found:
            raise ValueError("parts must hold at least one result, got none.")
        one = found[0]
        for other in found[1:]:
            for name in ("method", "horizon", "dt", "shift"):
                if getattr(other, name) != getattr(one, name):
                    raise ValueError(
                        f"{name} must be the same in all parts, got {getattr(one, name)!r} and "
                        f"{getattr(other, name)!r}. Join replicas of one problem."
                    )
            if list(other.sides) != list(one.sides):
                raise ValueError(f"sides must be the same in all parts, got {[*one.sides]} and {[*other.sides]}.")
        sides = {name: tuple(replica for part in found for replica in part.sides[name]) for name in one.sides}
        if any(len(set(map(id, replicas))) < len(replicas) for replicas in sides.values()):
            raise ValueError("parts must hold each replica once, got some twice. Run others, with another `first`.")
        notes = " ".join(dict.fromkeys(part.note for part in found if part.note))
        return replace(one, sides=sides, path_steps=sum(part.path_steps for part in found), note=notes)

    def __repr__(self) -> str:
        return line("RareEscape", [f"{self.n_replicas} replicas by {self.method}", *self._found()])

    def plot(self, ax: Axes | None = None, *, label: str | None = None) -> Axes:
        """Draw the probability to have left by each time with its 95 % band on `ax`; the Axes come back.

        >>> runs = tuple(Replica(p, np.array([0.5, 1.0]), np.ones(2), np.ones(1), np.ones(1), np.empty(0), 9, 0.1)
        ...              for p in (1e-6, 2e-6))
        >>> RareEscape("splitting", {"upper": runs}, 1.0, 0.1, 0.0, 1000).plot().get_ylabel()
        'probability to have left'
        """
        return picture("plot_rare_escape")(self, ax, label=label)

    def _facts(self) -> Mapping[str, object]:
        facts = {"method": f"{self.method}. {self.why}".rstrip(), "replicas": self.n_replicas}
        return facts | {"path-steps": float(self.path_steps), "doubts": " ".join(self.doubts), "note": self.note}

    def _lines(self) -> Table:
        found = (entry.rsplit(": ", 1) for entry in self._found())
        return ("what", "estimate [95 %]"), [(what, value) for what, value in found]

    def _found(self) -> list[str]:
        """The probability and the rate in words."""
        probability = self._told(self.probability, f"at most about {self.at_most:.2g}, by the highest levels passed")
        rate = self._told(self.rate, "none, no path left")
        return [f"probability up to time {self.horizon:g}: {probability}",
                f"rate after time {self.horizon / 2.0:g}: {rate}"]  # fmt: skip

    def __str__(self) -> str:
        """The method, the estimates, the cost and the doubts in a few lines."""
        found = self._found()
        doubts = self.doubts_of_rate() if ": in doubt" in found[1] else self.doubts
        seen = f"boundary moved inwards by {self.shift:.3g}" if self.shift else "exits seen at the steps"
        sides = ", ".join(f"{name} {_side_told(runs)}" for name, runs in self.sides.items())
        lines = [
            f"RareEscape by {self.method}. {self.why}".rstrip(),
            *found,
            f"by side: {sides}" if len(self.sides) > 1 else "",
            f"half the step: {self.halved.text(3)} times the probability" if self.halved else "",
            f"{self.n_replicas} replicas, {self.path_steps:.3g} path-steps of {self.dt:g}, {seen}",
            *(f"doubt: {sentence}" for sentence in doubts),
            self.note,
        ]
        return "\n".join(line for line in lines if line)

    def _told(self, ask: Callable[..., Estimate], lost: str) -> str:
        """An estimate as a text; without it `lost` if no path left, or what it is despite the doubts."""
        try:
            return ask().text(3)
        except NoEstimateError:
            if not self.values.any():
                return lost
        try:
            return f"in doubt, about {ask(despite_doubts=True).text(3)}"
        except NoEstimateError:
            return "none, nobody is left inside or leaves after it"

    def by_side(self, name: str) -> RareEscape:
        """The escape by one side alone, at the cost of all.

        Paths that left by another side count as inside in its `rate`, which is too low where they are not rare.
        """
        chosen = checks.choice("name", name, self.sides)
        return replace(self, sides={chosen: self.sides[chosen]})

    @property
    def n_replicas(self) -> int:
        """The number of replicas of each side."""
        return min(map(len, self.sides.values()))

    @cached_property
    def values(self) -> Array:
        """The probability that each replica estimates for all sides together, (n_replicas,)."""
        return self._values(0.0, self.horizon)

    @property
    def spread(self) -> float:
        """The relative standard deviation of one replica's probability; NaN if none arrived, or for one replica."""
        return _spread(self.values)

    @property
    def relative_error(self) -> float:
        """The relative standard error of the probability."""
        return self.spread / math.sqrt(self.n_replicas)

    def relative_error_of_rate(self, after: float | None = None) -> float:
        """The relative standard error of :meth:`rate` to first order, in which replicas that see more exits than others
        before the time count too; NaN where there is no rate, and for one replica."""
        time = self._after(after)
        early, late = self._values(0.0, time), self._values(time, self.horizon)
        inside = 1.0 - float(early.mean())
        if not 0.0 < late.mean() < inside or late.size < 2:
            return math.nan
        chance = float(late.mean()) / inside
        slope = chance / ((1.0 - chance) * -math.log1p(-chance))
        return slope * float((late / late.mean() + early / inside).std(ddof=1)) / math.sqrt(late.size)

    def probability(self, level: float = 0.95, *, by: float | None = None, despite_doubts: bool = False) -> Estimate:
        """The probability to leave up to the time `by`, None for the horizon, with an interval.

        The value is the mean over replicas. The interval is that of a log-normal mean with Student's quantiles; both
        are cut off at 1. At the time 0 all paths are inside. Raises NoEstimateError if no replica arrived and, unless
        `despite_doubts`, if there are `doubts`.
        """
        time = self.horizon if by is None else self._time("by", by)
        if time == 0.0:
            checks.fraction("level", level)
            return Estimate(0.0, 0.0, 0.0)
        found = self._estimate(0.0, time, level, despite_doubts)
        return Estimate(min(found.value, 1.0), min(found.low, 1.0), min(found.high, 1.0))

    def rate(self, after: float | None = None, level: float = 0.95, *, despite_doubts: bool = False) -> Estimate:
        """The mean rate of exits between `after` and the horizon of the paths that are still inside, with an interval.

        It is ``log((1 - P(after)) / (1 - P(horizon))) / (horizon - after)`` with the probabilities P to have left;
        where these are small it is their difference over the time. By `after`, None for half the horizon, the start
        should be forgotten. Raises NoEstimateError as :meth:`probability` does and where no path is left inside or none
        of those inside leaves, and ValueError unless `after` lies in [0, horizon).
        """
        time = self._after(after)
        found = self._estimate(time, self.horizon, level, despite_doubts)
        inside = 1.0 - float(self._values(0.0, time).mean())
        if not 0.0 < found.value < inside:
            raise NoEstimateError(
                f"after must leave paths inside that go on to leave, got {time:g}: {max(inside, 0.0):.2g} of all were "
                f"inside then, and {found.value:.2g} left from there on. Count exits of plain paths with first_passage."
            )
        value = -math.log1p(-found.value / inside) / (self.horizon - time)
        return self._around(value, self.relative_error_of_rate(time), level)

    def ratio_to(self, other: RareEscape, level: float = 0.95) -> Estimate:
        """This probability over that of an independent result, with a log-normal interval; NaN where none arrived.

        Student's quantile is that of the fewer replicas, which is on the safe side.
        """
        fewest = min(self.n_replicas, other.n_replicas) - 1
        quantile = float(scipy.stats.t.isf((1.0 - checks.fraction("level", level)) / 2.0, max(fewest, 1)))
        values = [float(rare.values.mean()) for rare in (self, other)]
        if not all(values):
            return Estimate(math.nan, math.nan, math.nan)
        errors = [math.log1p(rare.relative_error**2) for rare in (self, other)]
        ratio, reach = values[0] / values[1], quantile * math.sqrt(sum(errors))
        return Estimate(ratio, ratio * math.exp(-reach), ratio * math.exp(reach))

    @property
    def doubts(self) -> tuple[str, ...]:
        """Reasons to think that the replicas have not seen what there is, a sentence each; empty if there are none.

        They cannot see what no replica has seen: an escape by a way that every replica has missed. A side that
        contributes less than a thousandth in every replica is not looked at.
        """
        total = self.values.mean()
        found = []
        for name, replicas in self.sides.items():
            if max(replica.at_most for replica in replicas) >= _NEGLIGIBLE * total:
                found += [f"{sentence} ({name})" for sentence in _doubts(replicas)]
        return tuple(found)

    def doubts_of_rate(self, after: float | None = None) -> tuple[str, ...]:
        """The `doubts`, and reasons to think that the replicas have not seen when paths leave after a time."""
        return self._doubts_between(self._after(after), self.horizon)

    def _doubts_between(self, first: float, last: float) -> tuple[str, ...]:
        """The doubts about the probability to leave in (first, last]."""
        values = self._values(first, last)
        if self.n_replicas < 2 or np.array_equal(values, self.values):
            return self.doubts
        found = list(_disagreement(values, f"saw no exit between the times {first:g} and {last:g}"))
        spread = _spread(values)
        if spread > LARGEST_SPREAD:
            found.append(f"The replicas differ by {spread:.0%} of their mean between the times {first:g} and {last:g}.")
        return (*self.doubts, *found)

    def _values(self, first: float, last: float) -> Array:
        """The probability of each replica to leave in (first, last], (n_replicas,)."""
        parts = [[r.probability * r.share(first, last) for r in replicas] for replicas in self.sides.values()]
        total: Array = np.sum(parts, axis=0)
        return total

    @property
    def at_most(self) -> float:
        """What bounds the probability if no replica arrived: that of the highest levels which were passed."""
        return sum(float(np.mean([replica.at_most for replica in replicas])) for replicas in self.sides.values())

    def _after(self, after: float | None) -> float:
        """The time from which a rate counts."""
        time = self.horizon / 2.0 if after is None else self._time("after", after)
        if time >= self.horizon:
            raise ValueError(f"after must be below the horizon {self.horizon:g}, got {time:g}.")
        return time

    def _time(self, name: str, value: float) -> float:
        """A time up to the horizon."""
        time = checks.number(name, value)
        if not 0.0 <= time <= self.horizon:
            raise ValueError(f"{name} must lie in [0, {self.horizon:g}], got {time:g}.")
        return time

    def _estimate(self, first: float, last: float, level: float, despite_doubts: bool) -> Estimate:
        """The mean probability to leave in (first, last], with its interval."""
        values, n = self._values(first, last), self.n_replicas
        if not self.values.any():
            raise NoEstimateError(
                f"no replica of {n} reached the boundary: the probability to leave up to time {self.horizon:g} is at "
                f"most about {self.at_most:.2g}, that of the highest levels which were passed. Give more paths a "
                "replica."
            )
        doubts = self._doubts_between(first, last)
        if doubts and not despite_doubts:
            raise NoEstimateError(
                f"the replicas disagree or are degenerate: {' '.join(doubts)} Take more paths a replica or "
                "another method, or ask with despite_doubts=True."
            )
        return self._around(float(values.mean()), _spread(values) / math.sqrt(n), level)

    def _around(self, value: float, error: float, level: float) -> Estimate:
        """A value and its interval, log-normal with Student's quantiles; without limits for one replica or a 0."""
        quantile = float(scipy.stats.t.isf((1.0 - checks.fraction("level", level)) / 2.0, max(self.n_replicas - 1, 1)))
        reach = quantile * math.sqrt(math.log1p(error**2))
        return Estimate(value, value * math.exp(-reach), value * math.exp(reach))


def _side_told(replicas: tuple[Replica, ...]) -> str:
    """The mean over the replicas of one side, or its bound if none arrived, as a text."""
    mean = float(np.mean([replica.probability for replica in replicas]))
    return f"{mean:.3g}" if mean > 0.0 else f"at most {np.mean([replica.at_most for replica in replicas]):.2g}"
