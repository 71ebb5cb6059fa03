"""What a study of exit rates against the height of the barrier asked and found, as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..core.show import Shown, Table, line, told
from .escape import UNKNOWN
from .estimates import Estimate, log_ratio

ORDERS = ("sharp", "flat", "flips", "undecided")


@dataclass(frozen=True, repr=False)
class RatesSettings(Shown):
    """Everything that a study was asked for, checked and with its defaults filled in.

    hurst : Hurst values of the noise.
    barriers : the barrier of the flat well in stationary standard deviations of its parabola, ascending. The noise of
        each Hurst value is as weak as each of them asks for; the wells stay as they are.
    sharp, flat, height : curvatures of the two minima and height of the barrier.
    landscape, landscape_params, start : name of the landscape, those of its parameters that were given by name, and
        which of its minima paths start in.
    n_paths : plain paths of each point.
    relative_error : half the width of the 95 % interval over the value, up to which rare escapes are added.
    seed : seed of all random numbers.
    """

    hurst: tuple[float, ...]
    barriers: tuple[float, ...]
    sharp: float
    flat: float
    height: float
    landscape: str
    landscape_params: Mapping[str, float]
    start: str
    n_paths: int
    relative_error: float
    seed: int


@dataclass(frozen=True, repr=False)
class RateRow(Shown):
    """The exit rate from one well behind one barrier under fractional noise of one H, in continuous time.

    hurst, sigma : of the noise.
    barrier : that of the flat well in stationary standard deviations, which tells the row from the others.
    well, curvature : the name and the curvature a of the minimum.
    own_barrier : the barrier of this well in stationary standard deviations of its parabola.
    age : the time a t at which the rate is taken.
    plain, exits : the rate from plain paths, and how many of them left at that time; unknown and 0 where none were run.
    rare, method : the rate from rare escapes and their method; unknown and empty where none were run.
    predicted : exit rates by formula.
    note : what keeps the paths from determining an estimate, which is then `UNKNOWN`.
    """

    hurst: float
    sigma: float
    barrier: float
    well: str
    curvature: float
    own_barrier: float
    age: float
    plain: Estimate
    exits: int
    rare: Estimate
    method: str
    predicted: Mapping[str, float]
    note: str

    @property
    def rate(self) -> Estimate:
        """The rate from rare escapes, or from plain paths where there is none."""
        return self.rare if self.rare.value > 0.0 else self.plain


@dataclass(frozen=True, repr=False)
class Crossing(Shown):
    """Where the order of the wells flips under noise of one H as the barrier grows.

    order : "sharp" or "flat" where this well empties first at every barrier of known rates, "flips" where the order
        changes once from sharp to flat, "undecided" where too little is known.
    barrier : the barrier of the flat well at which both empty at the same rate, UNKNOWN unless the order flips.
    predicted : this barrier by formula, infinite where a formula has none.
    known, unknown : the barriers of the flat well that were run, ascending: those at which both rates are known, and
        the others.
    """

    hurst: float
    order: str
    barrier: Estimate = UNKNOWN
    predicted: float = math.nan
    known: tuple[float, ...] = ()
    unknown: tuple[float, ...] = ()


@dataclass(frozen=True, repr=False)
class RatesData(Shown):
    """Everything that was asked (`settings`) and found; `complete` is False after an interruption."""

    settings: RatesSettings
    rows: tuple[RateRow, ...]
    crossings: tuple[Crossing, ...]
    complete: bool = True

    def __repr__(self) -> str:
        values = ", ".join(f"{h:g}" for h in self.settings.hurst)
        rows = f"{len(self.rows)} rows" + ", interrupted" * (not self.complete)
        return line(type(self).__name__, [rows, f"H = {values}"])

    def _facts(self) -> Mapping[str, object]:
        asked, state = self.settings, None if self.complete else "interrupted"
        return {"landscape": asked.landscape, "barriers (s.d.)": asked.barriers, "state": state}

    def _lines(self) -> Table:
        heads = ("H", "which well empties first", "equal rates at a barrier of [95 %]", "by formula")
        return heads, [(told(c.hurst), c.order, c.barrier.text(), told(c.predicted)) for c in self.crossings]

    def pairs(self) -> Iterator[tuple[RateRow, RateRow]]:
        """Yield the rows (sharp, flat) of each H and barrier at which both were run."""
        yield from pairs_of(self.rows)


def pairs_of(rows: tuple[RateRow, ...]) -> Iterator[tuple[RateRow, RateRow]]:
    """Yield the rows (sharp, flat) of each H and barrier at which both are there."""
    flat = {(row.hurst, row.barrier): row for row in rows if row.well == "flat"}
    for row in rows:
        if row.well == "sharp" and (row.hurst, row.barrier) in flat:
            yield row, flat[row.hurst, row.barrier]


def log_ratio_of(sharp: RateRow, flat: RateRow) -> Estimate:
    """The logarithm of the rate of the sharp well over that of the flat one; UNKNOWN where one of the two is."""
    found = log_ratio(sharp.rate, flat.rate)
    return found if math.isfinite(found.low) else UNKNOWN
