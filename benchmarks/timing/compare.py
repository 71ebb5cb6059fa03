"""Two runs of the suite beside each other, by their costs in multiples of the calibration kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .records import Results, RowFound

# By how much the same code may differ between two runs beyond the spreads of their turns. Measured by two pairs of
# runs on a machine that had six times as much to do as cores: 90 % of the rows differed by less than 9 and 17 %, and 2
# of 104 by more than this and twice both spreads.
FLOOR = 0.15


class Change(NamedTuple):
    """A row in two runs: cost now over cost then, and by how much the two may differ without meaning anything."""

    row: RowFound
    ratio: float
    noise: float

    @property
    def slower(self) -> bool:
        """Whether it has become slower beyond the noise."""
        return self.ratio > 1.0 + self.noise

    @property
    def faster(self) -> bool:
        """Whether it has become faster beyond the noise."""
        return self.ratio < 1.0 / (1.0 + self.noise)

    @property
    def verdict(self) -> str:
        """The change in words."""
        if self.slower:
            return f"SLOWER, {self.ratio:.2f} times the time"
        return f"faster, {1.0 / self.ratio:.2f} times" if self.faster else f"same ({self.ratio:.2f})"


def changes(now: Results, then: Results) -> Iterator[Change]:
    """The rows that both runs have measured."""
    before = {row.key: row.calibrated for row in then.rows}
    for row in now.rows:
        old = before.get(row.key)
        if row.calibrated is not None and old is not None:
            noise = FLOOR + 2.0 * (row.calibrated.spread + old.spread)
            yield Change(row, row.calibrated.median / old.median, noise)


def regressions(now: Results, then: Results) -> list[Change]:
    """The rows that have become slower beyond the noise."""
    return [change for change in changes(now, then) if change.slower]
