"""What a study of escapes asked and found, as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..core.show import Shown, Table, line, told
from ..core.types import Array
from .estimates import Estimate

UNKNOWN = Estimate(math.nan, math.nan, math.nan)

# The formulas for the exit rate of the chain that figures draw: the first one is for fractional, the second one for
# stable noise.
REFERENCES = ("pickands_euler", "stable_jump_rate")


class Curve(NamedTuple):
    """A survival curve: the share of paths that are still inside just after each time."""

    times: Array
    probabilities: Array


@dataclass(frozen=True, repr=False)
class EscapeSettings(Shown):
    """Everything that a study was asked for, checked and with its defaults filled in.

    hurst, sigma : Hurst values, and the strength of the noise for each of them; empty where noises have names.
    noises : the drivers by name, each as the text of its dataclass, or None where the noises are told by Hurst values.
    sharp, flat, height : curvatures of the two minima and height of the barrier.
    dt, horizon, solver : step and end of the chains, and the scheme that makes a step.
    n_paths, continuous : paths per Hurst value and well, of the chain and in continuous time.
    until_relative_error : half the width of the interval of each exit rate of the chain over its value, up to which
    paths were added to `n_paths`; None where none were.
    seed, method : seed of all random numbers, and how fractional noise of each Hurst value is generated, None where
    noises have names.
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
    method: str | None
    solver: str
    noises: Mapping[str, str] | None = None
    until_relative_error: float | None = None


@dataclass(frozen=True, repr=False)
class EscapeRow(Shown):
    """What was measured in one well under one noise, and what each applicable formula predicts for it.

    hurst : the Hurst parameter of fractional noise, None for any other noise.
    noise : the name of the noise; where it is told by its Hurst value, the text that `--noise` takes for it.
    well, curvature : the name and the curvature of the minimum.
    barrier : distance from the minimum to the rim of a quadratic well, None where no formula for it applies.
    paths, exits : how many paths were run, and how many of them left before the horizon.
    mean : mean exit time, `restricted` to the horizon when some path did not leave before it.
    rate : exit rate of the chain. continuous : exit rate in continuous time, of other paths.
    predicted, predicted_mean : exit rates and mean exit times, by formula.
    note : what keeps the paths from determining an estimate, which is then `UNKNOWN`.
    curve : survival of the chain.
    """

    hurst: float | None
    noise: str
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

    @property
    def reference(self) -> float:
        """The exit rate of the chain by the formula of `REFERENCES` that holds here, NaN where none does."""
        return next((self.predicted[name] for name in REFERENCES if name in self.predicted), math.nan)


@dataclass(frozen=True, repr=False)
class EscapeData(Shown):
    """Everything that was asked (`settings`) and found (`rows`); `complete` is False after an interruption."""

    settings: EscapeSettings
    rows: tuple[EscapeRow, ...]
    complete: bool = True

    def __repr__(self) -> str:
        values = "H = " + ", ".join(f"{h:g}" for h in self.settings.hurst)
        noises = values if self.settings.noises is None else ", ".join(self.settings.noises)
        counts = f"{len(self.rows)} rows, {self.settings.n_paths} paths" + ("" if self.complete else ", interrupted")
        return line(type(self).__name__, [counts, noises])

    def _facts(self) -> Mapping[str, object]:
        asked, state = self.settings, None if self.complete else "interrupted"
        return {"landscape": asked.landscape, "paths in each well": asked.n_paths, "step": asked.dt,
                "horizon": asked.horizon, "state": state}  # fmt: skip

    def _lines(self) -> Table:
        heads = ("noise", "well", "paths", "left", "mean exit time [95 %]", "exit rate [95 %]", "exit rate, theory")
        return heads, [
            (self.title(row), row.well, str(row.paths), str(row.exits),
             f"{row.mean.text()}{' up to the horizon' * row.restricted}", row.rate.text(), told(row.reference))
            for row in self.rows
        ]  # fmt: skip

    def pairs(self) -> Iterator[tuple[EscapeRow, EscapeRow]]:
        """Yield the rows (sharp, flat) of each noise under which both were run."""
        for row in self.rows:
            for other in self.rows:
                if row.well == "sharp" and other.well == "flat" and row.noise == other.noise:
                    yield row, other

    def key(self, row: EscapeRow) -> str:
        """What tells the noise of a row from the others: its Hurst value, or its name where noises have names."""
        return f"{row.hurst:g}" if self.settings.noises is None else row.noise

    def title(self, row: EscapeRow) -> str:
        """The same with what it is: "H = 0.3", or the name alone."""
        return f"H = {row.hurst:g}" if self.settings.noises is None else row.noise
