"""The study of exit rates against the height of the barrier: a sharp and a flat minimum down to rare escapes."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...campaigns.campaign import Campaign, InterruptedCampaignError
from ...core import checks
from ...core.files import write_figure, write_text
from ...core.machine import machine, versions
from ...dynamics.landscapes import LANDSCAPES
from ...results.escape_rates import RatesData, RatesSettings, pairs_of
from ...results.passage_times import PassageTimes
from ...results.rare import RareEscape
from ...theory.sharp_or_flat import flip_height, scaled_barrier
from . import rates_report
from .crossing import crossing_of
from .interrupted import InterruptedStudyError
from .points import Point, parabola_rate, plain_rate, points_of, row_of
from .rare_rates import REPLICAS, precision, rare_problem, rare_rate
from .sources import fractional_noises
from .wells import PAIR, starting, wells_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATES_HURST = (0.3, 0.5, 0.7)
BARRIERS = (1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
RATES_FILES = ("escape_rates.csv", "escape_rates.json", "escape_rates.png")
PATHS, RELATIVE_ERROR = 10_000, 0.03
QUICK = ((1.5, 2.0, 4.0, 8.0), 2000, 0.1)  # barriers, paths and relative error of a study to try it
_LOWEST_HURST = 0.2  # below, Pickands' constant is not tabulated
_LOWEST, _HIGHEST = 1.0, 20.0  # barriers in standard deviations; rates far beyond have no floating-point number


@dataclass(frozen=True, repr=False)
class RatesStudy(RatesData):
    """The data of a study with its views: text, figure, files."""

    @property
    def table(self) -> str:
        """The results as text: rates and what formulas say, and where sharp and flat change places."""
        return rates_report.text(self)

    def plot(self) -> Figure:
        """A matplotlib Figure: rates against the barrier under each noise, the ratio of the wells, and theory."""
        from ...plots.escape_rates import plot_escape_rates

        return plot_escape_rates(self)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write `RATES_FILES` into an existing folder, each whole or not at all; the paths."""
        out = [Path(folder) / name for name in RATES_FILES]
        write_text(out[0], rates_report.csv_text(self))
        write_text(out[1], json.dumps(self._record(), indent=1, allow_nan=True) + "\n")
        if self.rows:
            write_figure(out[2], self.plot, 150)
        return out if self.rows else out[:2]

    def _record(self) -> dict[str, object]:
        """Everything as plain numbers, lists and dictionaries."""
        found = {"rows": [asdict(row) for row in self.rows], "crossings": [asdict(each) for each in self.crossings]}
        told = {"versions": dict(versions()), "machine": dict(machine())}
        return {"settings": asdict(self.settings), **told, "complete": self.complete, **found}


def escape_rates(
    hurst: Sequence[float] | None = None,
    *,
    barriers: float | Sequence[float] = BARRIERS,
    sharp: float = 4.0,
    flat: float = 1.0,
    height: float = 2.0,
    landscape: str = "quadratic",
    landscape_params: Mapping[str, float] | None = None,
    start: str = "both",
    n_paths: int = PATHS,
    relative_error: float = RELATIVE_ERROR,
    seed: int = 0,
    store: str | os.PathLike[str] | None = None,
    n_jobs: int | None = None,
    progress: bool = False,
) -> RatesStudy:
    """Exit rates from a sharp and a flat minimum in continuous time as the noise gets weaker, as a `RatesStudy`.

    Paths of ``dX = -f'(X) dt + sigma dB_H`` start at a minimum. The rate is that of the paths that are still inside,
    10 relaxation times 1 / curvature after the start, or 2 of them where few stay so long. It is measured on plain
    paths where some leave, and on rare escapes where few do; both where both can be had. Rare escapes of parabolas are
    exact paths that are conditioned, those of other wells come from the method that `rare_escape` tries first. Where
    its replicas are in doubt there is no rate, and the note of the row says why.

    hurst : Hurst values from 0.2 on, None for `RATES_HURST`.
    barriers : how high the barrier of the flat well is in stationary standard deviations of its parabola, one value or
        several. The wells stay as they are, and sigma is what each of these asks for.
    landscape, landscape_params, sharp, flat, height, start : as in `escape_study`.
    n_paths : plain paths of each point. They are run where at least ten of them would be beyond the rim at one time.
    relative_error : replicas of rare escapes are added until the 95 % interval of a rate has this half-width over its
        value, at most 400 of them.
    store : a folder that keeps finished blocks of plain paths and replicas of rare escapes, for which
        ``pip install "fbmsde[store]"`` is needed. The same study goes on there after an interruption or a kill.

    Raises ValueError for arguments outside their range, or other ones than those in the store, before anything is run,
    and `InterruptedStudyError` on Ctrl-C.

    >>> study = escape_rates([0.5], barriers=[4.0], relative_error=0.2, n_paths=1000)
    >>> [(row.well, row.method) for row in study.rows]
    [('sharp', 'conditioned'), ('flat', 'conditioned')]
    """
    settings = RatesSettings(
        hurst=_hursts(RATES_HURST if hurst is None else hurst),
        barriers=_barriers(barriers),
        sharp=checks.positive("sharp", sharp),
        flat=checks.positive("flat", flat),
        height=checks.positive("height", height),
        landscape=checks.choice("landscape", landscape, LANDSCAPES),
        landscape_params=dict(landscape_params or {}),
        start=start,
        n_paths=checks.count("n_paths", n_paths),
        relative_error=checks.fraction("relative_error", relative_error),
        seed=checks.count("seed", seed, 0, math.inf),
    )
    if settings.sharp <= settings.flat:
        raise ValueError(f"sharp must exceed flat, got {settings.sharp} and {settings.flat}.")
    pair = {"sharp": settings.sharp, "flat": settings.flat, "height": settings.height}
    wells = wells_of(settings.landscape, pair, settings.landscape_params)
    points = points_of(settings, wells, starting(wells, settings.start))
    workers = checks.workers(n_jobs)
    return _run(settings, _campaign(settings, points, store), points, n_jobs=workers, progress=progress)


def _hursts(given: Sequence[float]) -> tuple[float, ...]:
    """Hurst values for which Pickands' constant is known."""
    values = fractional_noises(given, 1.0, "streaming").hurst
    if min(values) < _LOWEST_HURST:
        raise ValueError(f"hurst must be at least {_LOWEST_HURST} for rates behind high barriers, got {min(values)}.")
    return values


def _barriers(given: float | Sequence[float]) -> tuple[float, ...]:
    """Different barriers, ascending."""
    each = np.atleast_1d(np.asarray(given, dtype=object)).tolist()
    values = sorted({checks.finite("barriers", value) for value in each})
    if not values:
        raise ValueError("barriers must hold at least one value, got none.")
    if values[0] < _LOWEST or values[-1] > _HIGHEST:
        raise ValueError(f"barriers must lie in [{_LOWEST:g}, {_HIGHEST:g}], in standard deviations, got {values}.")
    return tuple(values)


def _campaign(
    settings: RatesSettings, points: Sequence[Point], store: str | os.PathLike[str] | None
) -> Campaign | None:
    """Plain paths and rare escapes of all points, None if there are none."""
    plain = {name: problem for point in points for name, problem in point.plain(settings).items()}
    rare = {name: problem for point in points for name, problem in rare_problem(point, settings).items()}
    if not plain and not rare:
        return None
    counts = {**dict.fromkeys(plain, settings.n_paths), **dict.fromkeys(rare, REPLICAS)}
    until = {point.name: precision(point, settings) for point in points if point.name in rare}
    return Campaign({**plain, **rare}, n_paths=counts, store=store, until=until)


def _run(
    settings: RatesSettings, campaign: Campaign | None, points: Sequence[Point], *, n_jobs: int, progress: bool
) -> RatesStudy:
    """Run the campaign and measure every point; an interruption carries the rows of those that are finished."""
    if campaign is None:
        return _study(settings, points, {})
    try:
        found = campaign.run(n_jobs=n_jobs, progress=progress)
    except InterruptedCampaignError as interruption:
        found = interruption.results
        left = {summary.name for summary in found.summaries if summary.paths < summary.asked or not summary.precise}
        done = [point for point in points if left.isdisjoint((point.name, point.plain_name))]
        raise InterruptedStudyError(str(interruption), _study(settings, done, found, complete=False)) from None
    return _study(settings, points, found)


def _study(
    settings: RatesSettings,
    points: Sequence[Point],
    found: Mapping[str, PassageTimes | RareEscape],
    *,
    complete: bool = True,
) -> RatesStudy:
    """The rows of these points, and where the wells change places."""
    rows = tuple(row_of(point, settings, plain_rate(point, found), rare_rate(point, found)) for point in points)
    crossings = []
    for hurst in dict.fromkeys(point.hurst for point in points):
        own = {point.well.name: point for point in points if point.hurst == hurst}
        both = tuple(row for row in rows if row.hurst == hurst)
        if any(pairs_of(both)) and (complete or any(row.rate.value > 0.0 for row in both)):
            shape = partial(_log_ratio, own["sharp"], own["flat"])
            crossings.append(crossing_of(hurst, both, shape, _predicted(settings, hurst)))
    return RatesStudy(settings, rows, tuple(crossings), complete)


def _log_ratio(sharp: Point, flat: Point, barrier: float) -> float:
    """The logarithm of the rate of the sharp well over that of the flat one, of parabolas by Pickands' formula."""
    log_sharp, log_flat = (
        math.log(well.well.curvature * parabola_rate(well.hurst, well.own_barrier * barrier / well.barrier))
        for well in (sharp, flat)
    )
    return log_sharp - log_flat


def _predicted(settings: RatesSettings, hurst: float) -> float:
    """The barrier of the flat well beyond which it empties first by Pickands' formula, NaN where it does not apply."""
    if settings.landscape != PAIR:
        return math.nan
    height = flip_height(hurst, sharp=settings.sharp, flat=settings.flat)
    return float(scaled_barrier(hurst, height, settings.flat)) if math.isfinite(height) else math.inf
