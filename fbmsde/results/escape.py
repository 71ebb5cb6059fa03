"""What a study of escapes asked and found, as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..core.types import Array
from .estimates import Estimate

UNKNOWN = Estimate(math.nan, math.nan, math.nan)


class Curve(NamedTuple):
    """A survival curve: the share of paths that are still inside just after each time."""

    times: Array
    probabilities: Array


@dataclass(frozen=True)
class EscapeSettings:
    """Everything that a study was asked for, checked and with its defaults filled in.

    hurst, sigma : Hurst values, and the strength of the noise for each of them.
    sharp, flat, height : curvatures of the two minima and height of the barrier.
    dt, horizon, solver : step and end of the chains, and the scheme that makes a step.
    n_paths, continuous : paths per Hurst value and well, of the chain and in continuous time.
    seed, method : seed of all random numbers, and how the noise is generated.
    landscape, landscape_params, start : name of the landscape, those of its parameters that were given by name, and
    which of its minima paths start in.
    """

    hurst: tuple[float, ...]
    sigma: tuple[float, ...]
    sharp: float
    flat: float
    height: float
    dt: float
    horizon: float
    n_paths: int
    continuous: int
    seed: int
    landscape: str
    landscape_params: Mapping[str, float]
    start: str
    method: str
    solver: str


@dataclass(frozen=True)
class EscapeRow:
    """What was measured in one well at one Hurst value, and what each applicable formula predicts for it.

    hurst, well, curvature : the case. `well` is the name of the minimum.
    barrier : distance from the minimum to the rim of a quadratic well, None where no formula for it applies.
    paths, exits : how many paths were run, and how many of them left before the horizon.
    mean : mean exit time, `restricted` to the horizon when some path did not leave before it.
    rate : exit rate of the chain. continuous : exit rate in continuous time, of other paths.
    predicted, predicted_mean : exit rates and mean exit times, by formula.
    note : what keeps the paths from determining an estimate, which is then `UNKNOWN`.
    curve : survival of the chain.
    """

    hurst: float
    well: str
    curvature: float
    barrier: float | None
    paths: int
    exits: int
    mean: Estimate
    restricted: bool
    rate: Estimate
    continuous: Estimate
    predicted: Mapping[str, float]
    predicted_mean: Mapping[str, float]
    note: str
    curve: Curve = field(repr=False, compare=False)


@dataclass(frozen=True, repr=False)
class EscapeData:
    """Everything that was asked (`settings`) and found (`rows`); `complete` is False after an interruption."""

    settings: EscapeSettings
    rows: tuple[EscapeRow, ...]
    complete: bool = True

    def __repr__(self) -> str:
        values = ", ".join(f"{h:g}" for h in self.settings.hurst)
        open_end = "" if self.complete else ", interrupted"
        return f"{type(self).__name__}({len(self.rows)} rows, H = {values}, {self.settings.n_paths} paths{open_end})"

    def pairs(self) -> Iterator[tuple[EscapeRow, EscapeRow]]:
        """Yield the rows (sharp, flat) of each Hurst value for which both were run."""
        for row in self.rows:
            for other in self.rows:
                if row.well == "sharp" and other.well == "flat" and row.hurst == other.hurst:
                    yield row, other
