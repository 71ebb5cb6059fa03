"""What a run of the suite has found, as frozen records that are written to JSON and read from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

FORMAT = 1  # of the files; a file of another format is refused


@dataclass(frozen=True)
class Cost:
    """Median, smallest and largest of some turns; `spread` is half their interquartile range over the median."""

    median: float
    low: float
    high: float
    spread: float

    @classmethod
    def of(cls, turns: Sequence[float]) -> Cost:
        """The summary of some turns."""
        quartiles = np.quantile(turns, (0.25, 0.75))
        middle = median(turns)
        return cls(middle, min(turns), max(turns), float(quartiles[1] - quartiles[0]) / 2.0 / middle)


@dataclass(frozen=True)
class PeerFound:
    """A peer of a row. `ratio` is its cost over ours in the same turns; `note` says why there is none, or what is wrong
    with its numbers."""

    package: str
    version: str
    call: str
    cost: Cost | None
    ratio: float | None
    note: str


@dataclass(frozen=True)
class RowFound:
    """A row: what we call, its cost in `unit`, and the same as multiples of the calibration kernel in the same turns.

    Without a cost, `note` says why.
    """

    part: str
    name: str
    shape: str
    unit: str
    call: str
    cost: Cost | None
    calibrated: Cost | None
    peers: tuple[PeerFound, ...]
    note: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What the row is found by in another run."""
        return self.part, self.name, self.shape


@dataclass(frozen=True)
class CurveFound:
    """How cost grows along an axis: CPU seconds (for threads, seconds of the clock) and megabytes at each place.

    `exponent` is the slope of log seconds against log place over the upper half of the places, `memory_exponent` that
    of the megabytes; None where there is no such number. `stored` is a curve whose numbers were not measured here.
    """

    axis: str
    name: str
    call: str
    places: tuple[float, ...]
    seconds: tuple[float, ...]
    megabytes: tuple[float, ...]
    exponent: float | None
    memory_exponent: float | None
    peer: bool
    note: str


@dataclass(frozen=True)
class Results:
    """A whole run: what was measured, of which version, where, and how."""

    version: str
    commit: str
    date: str
    quick: bool
    turns: int
    machine: dict[str, str]
    versions: dict[str, str]
    calibration: Cost
    rows: tuple[RowFound, ...]
    curves: tuple[CurveFound, ...]

    def save(self, path: Path) -> None:
        """Write the file."""
        path.write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n")


def load(path: Path) -> Results:
    """The run that a file holds."""
    found = json.loads(path.read_text())
    if found.pop("format", None) != FORMAT:
        raise ValueError(f"{path} must be a file of format {FORMAT} of the suite.")
    found["calibration"] = Cost(**found["calibration"])
    found["rows"] = tuple(_row(row) for row in found["rows"])
    found["curves"] = tuple(_curve(curve) for curve in found["curves"])
    return Results(**found)


def _cost(found: dict[str, float] | None) -> Cost | None:
    return None if found is None else Cost(**found)


def _row(found: dict[str, Any]) -> RowFound:
    peers = tuple(PeerFound(**{**peer, "cost": _cost(peer["cost"])}) for peer in found["peers"])
    costs = {name: _cost(found[name]) for name in ("cost", "calibrated")}
    return RowFound(**{**found, **costs, "peers": peers})


def _curve(found: dict[str, Any]) -> CurveFound:
    return CurveFound(**{name: tuple(value) if isinstance(value, list) else value for name, value in found.items()})
