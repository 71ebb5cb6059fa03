"""The main study: how long paths stay in a sharp and in a flat minimum, for each Hurst value, against theory."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ...core import checks
from ...core.files import write_figure, write_text
from ...drivers.fractional import METHODS, FractionalNoise
from ...dynamics.landscapes import LANDSCAPES
from ...dynamics.solvers import SOLVERS
from ...results.escape import Curve, EscapeData, EscapeRow, EscapeSettings
from ...results.estimates import Estimate
from . import report
from .cells import Cell, run_cell
from .wells import Well, wells_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STARTS = ("both", "sharp", "flat")  # for two wells of different curvature
HURST_VALUES = (0.3, 0.4, 0.5, 0.6, 0.7)
FILES = ("escape.csv", "escape.json", "escape.png")


@dataclass(frozen=True, repr=False)
class EscapeStudy(EscapeData):
    """The data of a study with its views: text, figure, files."""

    @property
    def table(self) -> str:
        """The results as text: what was measured, how it compares with theory, and which well empties first."""
        return report.text(self)

    def plot(self) -> Figure:
        """A matplotlib Figure: survival curves, rates against H, and where sharp and flat change places."""
        from ...plots.escape import plot_escape

        return plot_escape(self)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write escape.csv, escape.json and escape.png into an existing folder, each whole or not at all; the paths."""
        out = [Path(folder) / name for name in FILES]
        write_text(out[0], report.csv_text(self))
        write_text(out[1], json.dumps(self._record(), indent=1, allow_nan=True) + "\n")
        if self.rows:
            write_figure(out[2], self.plot, 150)
        return out if self.rows else out[:2]

    def _record(self) -> dict[str, object]:
        """Everything as plain numbers, lists and dictionaries."""
        rows = [_row_record(row) for row in self.rows]
        return {"settings": asdict(self.settings), "versions": _versions(), "complete": self.complete, "rows": rows}


def _row_record(row: EscapeRow) -> dict[str, object]:
    """One row as the file keeps it: an estimate as its value, and its interval under a key of its own."""
    record: dict[str, object] = {}
    for name, value in vars(row).items():
        if isinstance(value, Estimate):
            record |= {name: value.value, f"{name}_interval": [value.low, value.high]}
        elif isinstance(value, Curve):
            record["survival"] = {"times": value.times.tolist(), "probabilities": value.probabilities.tolist()}
        else:
            record[name] = value
    return record


class InterruptedStudyError(KeyboardInterrupt):
    """The study was interrupted; `study` holds the rows that were finished."""

    def __init__(self, study: EscapeStudy) -> None:
        super().__init__(f"interrupted after {len(study.rows)} rows")
        self.study = study


def escape_study(
    hurst: Sequence[float] = HURST_VALUES,
    *,
    sharp: float = 4.0,
    flat: float = 1.0,
    height: float = 2.0,
    sigma: float | Sequence[float] = 1.0,
    dt: float = 0.005,
    horizon: float = 100.0,
    n_paths: int = 20_000,
    seed: int = 0,
    landscape: str = "quadratic",
    landscape_params: Mapping[str, float] | None = None,
    start: str = "both",
    method: str = "streaming",
    solver: str = "euler",
    continuous: int | None = None,
    n_jobs: int | None = None,
    progress: bool = False,
) -> EscapeStudy:
    """Escape from a sharp and a flat minimum for each Hurst value, measured and predicted, as an `EscapeStudy`.

    Paths of ``dX = -f'(X) dt + sigma dB_H`` start at a minimum. What is measured is the chain of step `dt`, as SGD is
    one. Besides, the exit rate in continuous time is measured on `continuous` other paths, 0 for none; None takes a
    tenth of `n_paths` with streaming noise, else none. `sigma` is one strength of the noise, or one for each H (as SGD
    with a fixed step has). The same seed serves every cell.

    landscape : a key of ``LANDSCAPES``. "quadratic", the default, stands for two parabolas of curvatures `sharp` and
        `flat`, left through either rim at `height`: the formulas for exit rates apply to them alone. Of every other
        landscape, each minimum is a well, left in one dimension at the saddles next to it, and in several dimensions
        across the plane through the nearest saddle. In one dimension and at H = 1/2 the exact mean exit time is given.
    landscape_params : parameters of the landscape by name. Those called sharp, flat and height have the values of the
        arguments unless they stand here.
    start : "both" for every minimum, or the name of one: "sharp" or "flat", by curvature, where there are two.

    Raises ValueError for arguments outside their range before anything is run, `InterruptedStudyError` on Ctrl-C.

    >>> study = escape_study([0.5], n_paths=500, horizon=20.0)
    >>> [(row.well, row.paths) for row in study.rows]
    [('sharp', 500), ('flat', 500)]
    """
    settings = EscapeSettings(
        hurst=(values := _hurst_values(hurst)),
        sigma=_strengths(sigma, len(values)),
        sharp=checks.positive("sharp", sharp),
        flat=checks.positive("flat", flat),
        height=checks.positive("height", height),
        dt=checks.positive("dt", dt),
        horizon=checks.positive("horizon", horizon),
        n_paths=checks.count("n_paths", n_paths),
        continuous=_continuous_paths(continuous, n_paths, checks.choice("method", method, METHODS)),
        seed=checks.count("seed", seed, 0, math.inf),
        landscape=checks.choice("landscape", landscape, LANDSCAPES),
        landscape_params=_parameters(landscape_params),
        start=start,
        method=method,
        solver=checks.choice("solver", solver, SOLVERS),
    )
    if settings.sharp <= settings.flat:
        raise ValueError(f"sharp must exceed flat, got {settings.sharp} and {settings.flat}.")
    checks.workers(n_jobs)
    return _run(settings, _chosen_wells(settings), n_jobs, progress)


def _chosen_wells(settings: EscapeSettings) -> list[Well]:
    """The wells that paths start in; ValueError unless the landscape has them."""
    pair = {"sharp": settings.sharp, "flat": settings.flat, "height": settings.height}
    wells = wells_of(settings.landscape, pair, settings.landscape_params)
    start = checks.choice("start", settings.start, ("both", *(well.name for well in wells)))
    return [well for well in wells if start in ("both", well.name)]


def _hurst_values(given: Sequence[float]) -> tuple[float, ...]:
    """The Hurst values as floats; ValueError for none, for one out of range and for equal ones."""
    values = np.atleast_1d(np.asarray(given, dtype=object)).tolist()
    if not values:
        raise ValueError("hurst must hold at least one value, got none.")
    checked = [checks.hurst_parameter(h) for h in values]
    if len(set(checked)) < len(checked):
        raise ValueError(f"hurst must hold different values, got {checked}.")
    return tuple(checked)


def _strengths(sigma: float | Sequence[float], count: int) -> tuple[float, ...]:
    """The strength of the noise for each of so many Hurst values."""
    strengths = np.broadcast_to(np.asarray(sigma, dtype=object), count).tolist()
    return tuple(checks.positive("sigma", s) for s in strengths)


def _parameters(given: Mapping[str, float] | None) -> dict[str, float]:
    """The parameters of a landscape, none for None; the landscape checks them."""
    if given is None:
        return {}
    checks.kind("landscape_params", given, Mapping, "Write {'height': 2.0}.")
    return dict(given)


def _continuous_paths(given: int | None, n_paths: int, method: str) -> int:
    """The number of paths in continuous time, by default a tenth of the others where the noise allows it."""
    default = n_paths // 10 if method == "streaming" else 0
    chosen = checks.count("continuous", default if given is None else given, 0)
    if chosen and method != "streaming":
        raise ValueError(f"continuous must be 0 with noise other than 'streaming', got {chosen}.")
    return chosen


def _run(settings: EscapeSettings, wells: list[Well], n_jobs: int | None, progress: bool) -> EscapeStudy:
    """Run every cell; an interruption carries the rows that are finished."""
    total = len(wells) * len(settings.hurst) * (settings.n_paths + settings.continuous)
    rows: list[EscapeRow] = []
    with tqdm(total=total, disable=not progress, unit="path") as bar:
        try:
            for h, s in zip(settings.hurst, settings.sigma, strict=True):
                for well in wells:
                    rows.append(run_cell(Cell(well, FractionalNoise(h, s, settings.method), n_jobs, bar), settings))
        except KeyboardInterrupt:
            raise InterruptedStudyError(EscapeStudy(settings, tuple(rows), complete=False)) from None
    return EscapeStudy(settings, tuple(rows))


def _versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    packages = {name: version(name) for name in ("fbmsde", "numpy", "numba", "scipy")}
    return {**packages, "python": platform.python_version(), "machine": platform.machine()}
