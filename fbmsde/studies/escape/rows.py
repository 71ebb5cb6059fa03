"""What a study asked and found, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...core.types import Array


@dataclass(frozen=True)
class Row:
    """What was measured in one well at one H, and what each applicable formula predicts for it.

    `mean`, `rate` and their intervals are NaN where the paths do not determine them; `note` then says what can be said.
    `continuous` is the exit rate in continuous time, of other paths, NaN where it was not asked for. `predicted` holds
    exit rates by formula, `predicted_mean` mean exit times. `curve`: times and survival.
    """

    hurst: float
    well: str
    curvature: float
    barrier: float | None
    paths: int
    exits: int
    mean: float
    mean_interval: tuple[float, float]
    restricted: bool
    rate: float
    rate_interval: tuple[float, float]
    continuous: float
    continuous_interval: tuple[float, float]
    predicted: dict[str, float]
    predicted_mean: dict[str, float]
    note: str
    curve: tuple[Array, Array] = field(repr=False, compare=False)


@dataclass(frozen=True, repr=False)
class StudyData:
    """Everything that was asked (`settings`) and found (`rows`); `complete` is False after an interruption."""

    settings: dict[str, Any]
    rows: tuple[Row, ...]
    complete: bool = True

    def __repr__(self) -> str:
        values = ", ".join(f"{h:g}" for h in self.settings["hurst"])
        open_end = "" if self.complete else ", interrupted"
        return f"{type(self).__name__}({len(self.rows)} rows, H = {values}, {self.settings['n_paths']} paths{open_end})"

    def pairs(self) -> Iterator[tuple[Row, Row]]:
        """(sharp, flat) of each H for which both were run."""
        for row in self.rows:
            for other in self.rows:
                if row.well == "sharp" and other.well == "flat" and row.hurst == other.hurst:
                    yield row, other
