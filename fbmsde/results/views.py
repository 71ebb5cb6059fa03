"""What a study of the views of SGD asked and found, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..core.show import Shown, Table, line, told
from .escape import Curve
from .estimates import Estimate


@dataclass(frozen=True, repr=False)
class ViewsSettings(Shown):
    """Everything that a study of views was asked for.

    views : the names of the noises, in the order of the tables.
    sharp, flat, height : curvatures of the two minima and height of both barriers.
    sigma, dt : the strength of the Brownian noise to which the others are matched, and the step of all chains.
    horizon, n_paths, seed : end of the chains, paths per well, and the seed of all random numbers.
    """

    views: tuple[str, ...]
    sharp: float
    flat: float
    height: float
    sigma: float
    dt: float
    horizon: float
    n_paths: int
    seed: int


@dataclass(frozen=True, repr=False)
class ViewRow(Shown):
    """Escape from one well under one noise.

    view, matching : the noise, and whether its quartile of one "step" or of the stationary "spread" is that of the
        Brownian noise.
    well, curvature, width, height : the parabola, its rims at a distance of `width`, and their height.
    sigma : the strength of the noise that the matching gives.
    exits : how many paths left before the horizon.
    mean : mean exit time, `restricted` to the horizon when some path did not leave before it.
    predicted, formula : the mean exit time by the formula of that name, NaN and "" where none applies.
    curve : survival.
    """

    view: str
    matching: str
    well: str
    curvature: float
    width: float
    height: float
    sigma: float
    exits: int
    mean: Estimate
    restricted: bool
    predicted: float
    formula: str
    curve: Curve = field(repr=False, compare=False)


@dataclass(frozen=True, repr=False)
class Dependence(Shown):
    """How the mean exit time under one noise depends on one property of the well while another is held.

    view : the noise, of the same strength for all wells.
    varied, held : "height", "width" or "curvature".
    rows : the wells.
    measured, predicted : the exponent p of ``mean exit time ~ varied^p``, by least squares in logarithms.
    """

    view: str
    varied: str
    held: str
    rows: tuple[ViewRow, ...]
    measured: Estimate
    predicted: float


@dataclass(frozen=True, repr=False)
class ViewsData(Shown):
    """Everything that was asked (`settings`) and found: `rows` for two wells, `dependences` for more of them.

    `complete` is False after an interruption.
    """

    settings: ViewsSettings
    rows: tuple[ViewRow, ...]
    dependences: tuple[Dependence, ...]
    complete: bool = True

    def __repr__(self) -> str:
        rows = f"{len(self.rows)} rows" + ", interrupted" * (not self.complete)
        return line(type(self).__name__, [rows, "; ".join(self.settings.views)])

    def _facts(self) -> Mapping[str, object]:
        asked, state = self.settings, None if self.complete else "interrupted"
        return {"paths in each well": asked.n_paths, "horizon": asked.horizon, "state": state}

    def _lines(self) -> Table:
        heads = ("noise", "same", "well", "left", "mean exit time [95 %]", "predicted")
        return heads, [
            (row.view, row.matching, row.well, str(row.exits), row.mean.text() + " up to the horizon" * row.restricted,
             told(row.predicted))
            for row in self.rows
        ]  # fmt: skip

    def pair(self, view: str, matching: str) -> tuple[ViewRow, ViewRow] | None:
        """The rows of the sharp and of the flat well for one noise, None unless both were run."""
        found = {row.well: row for row in self.rows if (row.view, row.matching) == (view, matching)}
        return (found["sharp"], found["flat"]) if {"sharp", "flat"} <= found.keys() else None
