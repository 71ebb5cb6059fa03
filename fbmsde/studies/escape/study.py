"""The main study: how long paths stay in a sharp and in a flat minimum, for each Hurst value, against theory."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ...core import checks
from ...core.files import write_figure, write_text
from ...drivers.fractional import METHODS, FractionalNoise
from ...dynamics import landscapes
from ...dynamics.landscapes import Landscape
from ...dynamics.solvers import SOLVERS
from ...laws.diffusions import mean_exit_time
from ...results.estimates import NoEstimateError, Rate
from ...results.passage_times import PassageTimes
from ...simulation.errors import PathError
from ...simulation.passage import first_passage
from ...theory import formula, registry
from . import report
from .rows import Row, StudyData

Array = NDArray[np.float64]

HURST_VALUES = (0.3, 0.4, 0.5, 0.6, 0.7)
STARTS = ("both", "sharp", "flat")
FILES = ("escape.csv", "escape.json", "escape.png")
_RELAXATIONS = 2.0  # the exit rate is taken from exits later than this many relaxation times 1 / curvature
_CURVE_POINTS = 400  # of a survival curve that are kept


@dataclass(frozen=True)
class Well:
    """A minimum to escape from: where paths start, what they must not leave, and its curvature.

    `barrier` is the distance to the rim of a quadratic well, None where no formula for it applies.
    """

    name: str
    landscape: Landscape
    x0: Any
    domain: Any
    curvature: float
    barrier: float | None = None


def _quadratic_wells(sharp: float, flat: float, height: float) -> list[Well]:
    """Two separate parabolas with rims of the same height on both sides."""
    wells = []
    for name, a in (("sharp", sharp), ("flat", flat)):
        rim = math.sqrt(2.0 * height / a)
        wells.append(Well(name, landscapes.quadratic(a), 0.0, (-rim, rim), a, rim))
    return wells


def _double_wells(sharp: float, flat: float, height: float) -> list[Well]:
    """The two sides of one double well, left at the saddle."""
    well = landscapes.double_well(sharp, flat, height)
    sides = (("sharp", -math.inf, 0.0, sharp), ("flat", 0.0, math.inf, flat))
    return [Well(n, well, x, (lo, hi), a) for (n, lo, hi, a), x in zip(sides, well.minima, strict=True)]


def _left_of_saddle(x: tuple[float, float]) -> float:
    return x[0]


def _right_of_saddle(x: tuple[float, float]) -> float:
    return -x[0]


def _double_wells_2d(sharp: float, flat: float, height: float) -> list[Well]:
    """The two sides of the double well in the plane, left across the line through the saddle."""
    well = landscapes.double_well_2d(sharp, flat, height)
    sides = (("sharp", _left_of_saddle, sharp), ("flat", _right_of_saddle, flat))
    return [Well(n, well, x, level, a) for (n, level, a), x in zip(sides, well.minima, strict=True)]


SCENES: dict[str, Callable[[float, float, float], list[Well]]] = {
    "quadratic": _quadratic_wells,
    "double_well": _double_wells,
    "double_well_2d": _double_wells_2d,
}


@dataclass(frozen=True, repr=False)
class EscapeStudy(StudyData):
    """The data of a study with its views: text, figure, files."""

    @property
    def table(self) -> str:
        """The results as text: what was measured, how it compares with theory, and which well empties first."""
        return report.text(self)

    def plot(self) -> Any:
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

    def _record(self) -> dict[str, Any]:
        rows = [{k: v for k, v in asdict(row).items() if k != "curve"} for row in self.rows]
        for record, row in zip(rows, self.rows, strict=True):
            record["survival"] = {"times": row.curve[0].tolist(), "probabilities": row.curve[1].tolist()}
        return {"settings": self.settings, "versions": _versions(), "complete": self.complete, "rows": rows}


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
    start: str = "both",
    method: str = "streaming",
    solver: str = "euler",
    continuous: int | None = None,
    n_jobs: int | None = None,
    progress: bool = False,
) -> EscapeStudy:
    """Escape from a sharp and a flat minimum of the same barrier height, for each H, as an `EscapeStudy`.

    Paths of ``dX = -f'(X) dt + sigma dB_H`` start at the minimum; what is measured is the chain of step `dt`, as SGD is
    one. Besides, the exit rate in continuous time is measured on `continuous` paths, 0 for none; None: a tenth of
    `n_paths` with streaming noise, else none. `sigma`: one strength of the noise, or one for each H (as SGD with a
    fixed step has). `landscape` is a key of ``SCENES``: "quadratic" (two parabolas, left through either rim) or a
    double well, left at its saddle. `start`: "sharp", "flat" or "both". The same seed serves every cell.
    Raises ValueError for arguments outside their range before anything is run, `InterruptedStudyError` on Ctrl-C.

    >>> study = escape_study([0.5], n_paths=500, horizon=20.0)
    >>> [(row.well, row.paths) for row in study.rows]
    [('sharp', 500), ('flat', 500)]
    """
    settings = _checked(locals())
    wells = [w for w in SCENES[landscape](sharp, flat, height) if start in ("both", w.name)]
    rows: list[Row] = []
    with tqdm(total=_total(settings, len(wells)), disable=not progress, unit="path") as bar:
        try:
            for h, s in zip(settings["hurst"], settings["sigma"], strict=True):
                for well in wells:
                    rows.append(_row(well, FractionalNoise(h, s, method), settings, n_jobs, bar))
        except KeyboardInterrupt:
            raise InterruptedStudyError(EscapeStudy(settings, tuple(rows), complete=False)) from None
    return EscapeStudy(settings, tuple(rows))


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """The settings as plain numbers and names; ValueError or TypeError for the first that is out of range."""
    values = np.atleast_1d(np.asarray(given["hurst"], dtype=object)).tolist()
    if not values:
        raise ValueError("hurst must hold at least one value, got none.")
    settings: dict[str, Any] = {"hurst": [checks.hurst_parameter(h) for h in values]}
    if len(set(settings["hurst"])) < len(values):
        raise ValueError(f"hurst must hold different values, got {settings['hurst']}.")
    strengths = np.broadcast_to(np.asarray(given["sigma"], dtype=object), len(values)).tolist()
    settings["sigma"] = [checks.positive("sigma", s) for s in strengths]
    for name in ("sharp", "flat", "height", "dt", "horizon"):
        settings[name] = checks.positive(name, given[name])
    if settings["sharp"] <= settings["flat"]:
        raise ValueError(f"sharp must exceed flat, got {settings['sharp']} and {settings['flat']}.")
    settings["n_paths"] = checks.count("n_paths", given["n_paths"])
    default = settings["n_paths"] // 10 if given["method"] == "streaming" else 0
    chosen = default if given["continuous"] is None else given["continuous"]
    settings["continuous"] = checks.count("continuous", chosen, 0)
    if settings["continuous"] and given["method"] != "streaming":
        raise ValueError(f"continuous must be 0 with noise other than 'streaming', got {settings['continuous']}.")
    settings["seed"] = checks.count("seed", given["seed"], 0, math.inf)
    choices = {"landscape": SCENES, "start": STARTS, "method": METHODS, "solver": SOLVERS}
    for name, known in choices.items():
        settings[name] = checks.choice(name, given[name], known)
    checks.workers(given["n_jobs"])
    return settings


def _row(well: Well, noise: FractionalNoise, settings: dict[str, Any], n_jobs: int | None, bar: Any) -> Row:
    """Run one cell of the study; a path that breaks becomes a note, the other cells go on."""
    options = {name: settings[name] for name in ("dt", "horizon", "n_paths", "seed", "solver")}
    bar.set_description(f"H = {noise.hurst:g}, {well.name}")
    try:
        plan = (well.landscape, noise, well.x0, well.domain)
        passages = first_passage(*plan, **options, n_jobs=n_jobs, progress=bar.update)
    except PathError as error:
        nothing = np.empty(0)
        nan = (math.nan, math.nan)
        cell = (noise.hurst, well.name, well.curvature, well.barrier, settings["n_paths"], 0)
        return Row(*cell, math.nan, nan, False, math.nan, nan, math.nan, nan, {}, {}, str(error), (nothing, nothing))
    return _measured(well, noise, settings, passages, _continuous_rate(well, noise, settings, n_jobs, bar))


def _total(settings: dict[str, Any], n_wells: int) -> int:
    """Paths of the whole study."""
    return n_wells * len(settings["hurst"]) * (settings["n_paths"] + settings["continuous"])


def _continuous_rate(
    well: Well, noise: FractionalNoise, settings: dict[str, Any], n_jobs: int | None, bar: Any
) -> tuple[Rate | None, str]:
    """The exit rate in continuous time, or a note why there is none; neither where it was not asked for."""
    if settings["continuous"] == 0:
        return None, ""
    options = {name: settings[name] for name in ("horizon", "seed")}
    plan = (well.landscape, noise, well.x0, well.domain)
    try:
        passages = first_passage(*plan, **options, n_paths=settings["continuous"], monitoring="continuous",
                                 n_jobs=n_jobs, progress=bar.update)  # fmt: skip
        return passages.exit_rate(after=_RELAXATIONS / well.curvature), ""
    except (ValueError, PathError) as error:
        return None, f"continuous time: {error}".replace("an earlier `after`", "a higher barrier")


def _measured(
    well: Well, noise: FractionalNoise, settings: dict[str, Any], passages: PassageTimes, other: tuple[Rate | None, str]
) -> Row:
    """Estimates from the passage times, and the predictions that apply."""
    notes = [passages.note] if passages.note else []
    nan = (math.nan, math.nan)
    mean, mean_interval, rate, rate_interval, restricted = math.nan, nan, math.nan, nan, False
    try:
        estimate = passages.mean()
        mean, mean_interval, restricted = estimate.value, estimate.confidence_interval(), estimate.restricted
        tail = passages.exit_rate(after=_RELAXATIONS / well.curvature)
        rate, rate_interval = tail.value, tail.confidence_interval()
    except NoEstimateError as error:
        notes.append(str(error).replace("an earlier `after`", "a higher barrier"))
    continuous, note = other
    notes += [note] if note else []
    rates, means = _predictions(well, noise, settings["dt"])
    return Row(
        noise.hurst, well.name, well.curvature, well.barrier, passages.n_paths, passages.n_left, mean, mean_interval,
        restricted, rate, rate_interval, continuous.value if continuous else math.nan,
        continuous.confidence_interval() if continuous else nan, rates, means, " ".join(notes), _curve(passages),
    )  # fmt: skip


def _curve(passages: PassageTimes) -> tuple[Array, Array]:
    """At most a few hundred points of the survival curve; from (0, 1) to the horizon."""
    if passages.n_left == 0:
        return np.array([0.0, passages.horizon]), np.ones(2)
    curve = passages.survival()
    grid = np.unique(np.linspace(0, curve.times.size - 1, _CURVE_POINTS).astype(int))
    return np.concatenate([[0.0], curve.times[grid]]), np.concatenate([[1.0], curve.probabilities[grid]])


def _predictions(well: Well, noise: FractionalNoise, dt: float) -> tuple[dict[str, float], dict[str, float]]:
    """Exit rates and mean exit times by every formula that applies to this well."""
    if well.barrier is not None:
        problem: dict[str, Any] = {"hurst": noise.hurst, "sigma": noise.sigma, "curvature": well.curvature,
                                   "barrier": well.barrier, "dt": dt, "sides": 2}  # fmt: skip
        rates, means = (
            {f.name: float(f.evaluate(**problem)) for f in registry.applicable(quantity, formula.EXIT, **problem)}
            for quantity in ("exit_rate", "mean_exit_time")
        )
        return rates, means
    if noise.hurst == 0.5 and well.landscape.dim == 1:
        lower, upper = well.domain
        shift = float(registry.FORMULAS["grid_shift"].evaluate(hurst=0.5, dt=dt, sigma=noise.sigma))
        domain = (lower - shift, upper + shift)
        return {}, {"mean_exit_grid": mean_exit_time(well.landscape, well.x0, domain, sigma=noise.sigma)}
    return {}, {}


def _versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    packages = {name: version(name) for name in ("fbmsde", "numpy", "numba", "scipy")}
    return {**packages, "python": platform.python_version(), "machine": platform.machine()}
