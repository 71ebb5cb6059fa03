"""What a campaign has found so far of each of its problems, as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..core.show import Shown, line, told
from .escape import UNKNOWN, Curve
from .estimates import Estimate


@dataclass(frozen=True, repr=False)
class Summary(Shown):
    """What the finished blocks of one problem tell.

    name : the name of the problem.
    asked, paths : the number of paths that were asked for, and that of the paths that are there.
    unit : what is counted as a path: "path", or "replica" of a rare problem, which exits if a path of it arrived.
    exits, broken : how many of these left before the horizon, and how many left the finite numbers.
    dt, horizon : the step of the grid of times, and the end.
    mean : mean exit time, `restricted` to the horizon where some path did not leave before it.
    rate : exit rate from the exits later than `after`, which is that of ``results[name].exit_rate(after=after)``. The
        `exit_rate` without `after` begins at another time.
    probability : the probability to leave by the horizon.
    sides : the probability to leave through each side by the horizon, by name.
    quantity, estimate : the quantity that decides how many paths are run, and its estimate.
    target : the relative half-width of its interval that was asked for, NaN where none was.
    seconds : the time that the blocks took, summed over blocks.
    note : what a reader must know about these numbers, empty if there is nothing.
    curve : survival at some hundred times.

    Intervals have the level 95 %. `UNKNOWN` stands for what the paths do not determine.
    """

    name: str
    asked: int
    paths: int
    exits: int
    broken: int
    dt: float
    horizon: float
    mean: Estimate = UNKNOWN
    restricted: bool = False
    rate: Estimate = UNKNOWN
    after: float = math.nan
    sides: Mapping[str, Estimate] = field(default_factory=dict)
    quantity: str = "exit_rate"
    estimate: Estimate = UNKNOWN
    target: float = math.nan
    seconds: float = 0.0
    note: str = ""
    curve: Curve | None = field(default=None, repr=False, compare=False)
    unit: str = "path"
    probability: Estimate = UNKNOWN

    def brief(self) -> str:
        """The name, how many paths left, and the exit rate with the time that it counts from, or the probability.

        >>> Summary("deep", 10, 10, 5, 0, 0.1, 4.0, rate=Estimate(0.5, 0.4, 0.6), after=2.0).brief()
        'deep: 5 of 10 paths left, exit rate 0.5 [0.4, 0.6] after 2'
        """
        left = f"{self.exits} of {self.paths} {self.unit}s {'left' if self.unit == 'path' else 'arrived'}"
        rate = told(self.rate)
        rates = [] if rate == "-" else [f"exit rate {rate} after {told(self.after)}"]
        shares = [f"probability {told(self.probability)}"] if self.unit == "replica" else []
        asked = [f"{self.asked} asked for"] if self.paths < self.asked else []
        return f"{self.name}: {', '.join([left, *asked, *shares, *rates])}"

    def __repr__(self) -> str:
        return line("Summary", [self.brief(), *["with a note"] * bool(self.note)])

    @property
    def relative_error(self) -> float:
        """Half the width of the interval of `estimate` over its value, NaN where it is unknown.

        >>> Summary("a", 10, 10, 5, 0, 0.1, 1.0, estimate=Estimate(2.0, 1.5, 2.5)).relative_error
        0.25
        """
        value, low, high = self.estimate
        return (high - low) / 2.0 / value if value > 0.0 else math.nan

    @property
    def precise(self) -> bool:
        """Whether the interval is as narrow as was asked for; True where nothing was asked."""
        return math.isnan(self.target) or self.relative_error <= self.target
