"""The main study: how long paths stay in a sharp and in a flat minimum, under each noise, against theory."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...campaigns.campaign import Campaign, InterruptedCampaignError
from ...campaigns.rounds import Precision
from ...core import checks
from ...core.files import write_figure, write_text
from ...core.machine import versions
from ...drivers.base import Driver
from ...drivers.sample import NoiseMethod
from ...dynamics.landscapes import LANDSCAPES
from ...dynamics.solvers import SOLVERS, SolverName
from ...results.escape import Curve, EscapeData, EscapeRow, EscapeSettings
from ...results.estimates import Estimate
from ...simulation.passage_problem import PassageProblem
from . import report
from .cells import Cell, row_of
from .interrupted import InterruptedStudyError
from .sources import Noises, fractional_noises, noises_by_name
from .wells import Well, starting, wells_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STARTS = ("both", "sharp", "flat")  # for two wells of different curvature
HURST_VALUES = (0.3, 0.4, 0.5, 0.6, 0.7)
PATHS = 20_000  # per noise and well
FILES = ("escape.csv", "escape.json", "escape.png")


@dataclass(frozen=True, repr=False)
class EscapeStudy(EscapeData):
    """The data of a study with its views: text, figure, files.

    >>> from fbmsde import escape_study
    >>> study = escape_study([0.5], n_paths=200, horizon=20.0, continuous=0)
    >>> type(study).__name__, [row.well for row in study.rows]
    ('EscapeStudy', ['sharp', 'flat'])
    """

    @property
    def table(self) -> str:
        """The results as text: what was measured, how it compares with theory, and which well empties first."""
        return report.text(self)

    def plot(self) -> Figure:
        """A matplotlib Figure: survival curves, rates under each noise, and where sharp and flat change places."""
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


def escape_study(
    hurst: Sequence[float] | None = None,
    *,
    noises: Mapping[str, Driver] | None = None,
    sharp: float = 4.0,
    flat: float = 1.0,
    height: float = 2.0,
    sigma: float | Sequence[float] | None = None,
    dt: float = 0.005,
    horizon: float = 100.0,
    n_paths: int = PATHS,
    seed: int = 0,
    landscape: str = "quadratic",
    landscape_params: Mapping[str, float] | None = None,
    start: str = "both",
    method: NoiseMethod | None = None,
    solver: SolverName = "euler",
    continuous: int | None = None,
    until_relative_error: float | None = None,
    store: str | os.PathLike[str] | None = None,
    n_jobs: int | None = None,
    progress: bool = False,
) -> EscapeStudy:
    """Escape from a sharp and a flat minimum under each noise, measured and predicted, as an `EscapeStudy`.

    Paths of ``dX = -f'(X) dt + sigma dB_H``, or with another noise, start at a minimum. What is measured is the chain
    of step `dt`, as SGD is one. Besides, the exit rate in continuous time is measured on `continuous` other paths, 0
    for none; None takes a tenth of `n_paths` under every noise that can jump, as streaming fractional noise can. The
    same seed serves every cell.

    hurst : the Hurst values of fractional noise, None for `HURST_VALUES`.
    noises : drivers by name, in place of Hurst values. Rows are then told by these names. Predictions are those for
        fractional noise of one Hurst parameter and for stable noise of index below 2.
    sigma, method : one strength of the fractional noise, or one for each H (as SGD with a fixed step has), 1 for None;
        and how it is made, "streaming" for None. Both must be None beside `noises`, as must `hurst`.
    landscape : a key of ``LANDSCAPES``. "quadratic", the default, stands for two parabolas of curvatures `sharp` and
        `flat`, left through either rim at `height`: the formulas for exit rates under fractional noise apply to them
        alone. Of every other landscape, each minimum is a well, left in one dimension at the saddles next to it, and in
        several dimensions across the plane through the nearest saddle. In one dimension and at H = 1/2 the exact mean
        exit time is given.
    landscape_params : parameters of the landscape by name. Those called sharp, flat and height have the values of the
        arguments unless they stand here.
    start : "both" for every minimum, or the name of one: "sharp" or "flat", by curvature, where there are two.
    until_relative_error : add paths to the chain in each well under each noise until the 95 % interval of its exit rate
        has this half-width over its value, at most a hundred times `n_paths`. See `Precision`.
    store : a folder that keeps finished blocks of paths, for which ``pip install "fbmsde[store]"`` is needed. The same
        study goes on there after an interruption or a kill, and with more paths it runs the missing ones alone.

    Raises ValueError for arguments outside their range, or other ones than those in the store, before anything is run,
    and `InterruptedStudyError` on Ctrl-C.

    >>> study = escape_study([0.5], n_paths=500, horizon=20.0)
    >>> [(row.well, row.paths) for row in study.rows]
    [('sharp', 500), ('flat', 500)]
    >>> from fbmsde import StableNoise
    >>> jumps = escape_study(noises={"jumps": StableNoise(1.5, 0.2)}, n_paths=200, horizon=20.0)
    >>> [(row.noise, row.well, list(row.predicted)) for row in jumps.rows]
    [('jumps', 'sharp', ['stable_jump_rate']), ('jumps', 'flat', ['stable_jump_rate'])]
    """
    asked = _fractional(hurst, sigma, method) if noises is None else _named(noises, hurst, sigma, method)
    settings = EscapeSettings(
        hurst=asked.hurst,
        sigma=asked.sigma,
        sharp=checks.positive("sharp", sharp),
        flat=checks.positive("flat", flat),
        height=checks.positive("height", height),
        dt=checks.positive("dt", dt),
        horizon=checks.positive("horizon", horizon),
        n_paths=checks.count("n_paths", n_paths),
        continuous=_continuous_paths(continuous, n_paths, asked),
        seed=checks.count("seed", seed, 0, math.inf),
        landscape=checks.choice("landscape", landscape, LANDSCAPES),
        landscape_params=_parameters(landscape_params),
        start=start,
        method=asked.method,
        solver=checks.choice("solver", solver, SOLVERS),
        noises=asked.names,
        until_relative_error=Precision(until_relative_error).relative_error,
    )
    if settings.sharp <= settings.flat:
        raise ValueError(f"sharp must exceed flat, got {settings.sharp} and {settings.flat}.")
    checks.workers(n_jobs)
    wells = _chosen_wells(settings)
    if noises is not None:
        _require_paths(settings, asked, wells[0].landscape.dim)
    cells = [Cell(asked.title(source), well, source) for source in asked.sources for well in wells]
    return _run(settings, _campaign(settings, cells, store), cells, n_jobs=n_jobs, progress=progress)


def _fractional(
    hurst: Sequence[float] | None, sigma: float | Sequence[float] | None, method: NoiseMethod | None
) -> Noises:
    """Fractional noise of each Hurst value, with the defaults of the study."""
    values, strength = HURST_VALUES if hurst is None else hurst, 1.0 if sigma is None else sigma
    return fractional_noises(values, strength, "streaming" if method is None else method)


def _named(
    noises: Mapping[str, Driver],
    hurst: Sequence[float] | None,
    sigma: float | Sequence[float] | None,
    method: NoiseMethod | None,
) -> Noises:
    """The noises under their names; ValueError if something is given that belongs to Hurst values."""
    for name, value in {"hurst": hurst, "sigma": sigma, "method": method}.items():
        if value is not None:
            raise ValueError(f"{name} must be None beside noises, got {value!r}. Each noise has its own.")
    return noises_by_name(noises)


def _require_paths(settings: EscapeSettings, noises: Noises, dim: int) -> None:
    """Raise what a noise raises that cannot serve these wells so long, before another one has run for nothing."""
    n_steps = checks.whole_steps(settings.dt, settings.horizon)
    for source in noises.sources:
        source.noise.feed(n_steps, settings.dt, dim, checks.as_seed(settings.seed))


def _chosen_wells(settings: EscapeSettings) -> list[Well]:
    """The wells that paths start in; ValueError unless the landscape has them."""
    pair = {"sharp": settings.sharp, "flat": settings.flat, "height": settings.height}
    return starting(wells_of(settings.landscape, pair, settings.landscape_params), settings.start)


def _parameters(given: Mapping[str, float] | None) -> dict[str, float]:
    """The parameters of a landscape, none for None; the landscape checks them."""
    if given is None:
        return {}
    checks.kind("landscape_params", given, Mapping, "Write {'height': 2.0}.")
    return dict(given)


def _continuous_paths(given: int | None, n_paths: int, noises: Noises) -> int:
    """The number of paths in continuous time, by default a tenth of the others where a noise can jump."""
    unable = [source.name for source in noises.sources if not source.jumps]
    default = n_paths // 10 if len(unable) < len(noises.sources) else 0
    chosen = checks.count("continuous", default if given is None else given, 0)
    if given and unable:
        raise ValueError(f"continuous must be 0 or None with noise that cannot jump many steps at once, got {given} "
                         f"with {unable[0]}. None takes paths of every noise that can.")  # fmt: skip
    return chosen


def _campaign(settings: EscapeSettings, cells: Sequence[Cell], store: str | os.PathLike[str] | None) -> Campaign:
    """The problems of all cells; ValueError if the chain of one cannot be run."""
    problems: dict[str, PassageProblem] = {}
    counts: dict[str, int] = {}
    until: dict[str, Precision] = {}
    for cell in cells:
        own = cell.problems(settings)
        problems |= own
        counts |= {name: cell.counts(settings)[name] for name in own}
        until |= cell.until(settings)
    return Campaign(problems, n_paths=counts, store=store, until=until)


def _run(
    settings: EscapeSettings, campaign: Campaign, cells: Sequence[Cell], *, n_jobs: int | None, progress: bool
) -> EscapeStudy:
    """Run the campaign and measure every cell; an interruption carries the rows of the cells that are finished."""
    try:
        found = campaign.run(n_jobs=n_jobs, progress=progress)
    except InterruptedCampaignError as interruption:
        found = interruption.results
        left = {summary.name for summary in found.summaries if summary.paths < summary.asked or not summary.precise}
        done = [cell for cell in cells if left.isdisjoint((cell.name, cell.free_name))]
        study = EscapeStudy(settings, tuple(row_of(cell, settings, found) for cell in done), complete=False)
        raise InterruptedStudyError(str(interruption), study) from None
    return EscapeStudy(settings, tuple(row_of(cell, settings, found) for cell in cells))


def _versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    return {**versions(), "machine": platform.machine()}
