"""What a study of the views of SGD asked and found, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from .escape import Curve
from .estimates import Estimate


@dataclass(frozen=True)
class ViewsSettings:
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


@dataclass(frozen=True)
class ViewRow:
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


@dataclass(frozen=True)
class Dependence:
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
class ViewsData:
    """Everything that was asked (`settings`) and found: `rows` for two wells, `dependences` for more of them.

    `complete` is False after an interruption.
    """

    settings: ViewsSettings
    rows: tuple[ViewRow, ...]
    dependences: tuple[Dependence, ...]
    complete: bool = True

    def __repr__(self) -> str:
        open_end = "" if self.complete else ", interrupted"
        return f"{type(self).__name__}({', '.join(self.settings.views)}; {len(self.rows)} rows{open_end})"

    def pair(self, view: str, matching: str) -> tuple[ViewRow, ViewRow] | None:
        """The rows of the sharp and of the flat well for one noise, None unless both were run."""
        found = {row.well: row for row in self.rows if (row.view, row.matching) == (view, matching)}
        return (found["sharp"], found["flat"]) if {"sharp", "flat"} <= found.keys() else None
