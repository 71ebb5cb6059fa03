"""The study of views: which minimum empties first under Brownian, fractional, stable and epoch noise."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...core import checks
from ...core.bars import bar
from ...core.files import write_figure, write_text
from ...drivers.base import Driver
from ...drivers.epoch import EpochNoise
from ...drivers.fractional import FractionalNoise
from ...drivers.stable import StableNoise
from ...results.views import Dependence, ViewRow, ViewsData, ViewsSettings
from . import report
from .cells import Bench, View, dependence, run_cell
from .matching import scaled_to, spread_quartile, step_quartile
from .wells import FACTORS, Family, Parabola, families

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILES = ("views.csv", "views.json", "views.png")
MATCHINGS = ("step", "spread")
VIEWS: dict[str, Driver] = {
    "Brownian": FractionalNoise(0.5),
    "fractional, H = 0.4": FractionalNoise(0.4),
    "fractional, H = 0.6": FractionalNoise(0.6),
    "epochs of 100 batches": EpochNoise(12_800, 128),
    "stable, alpha = 1.5": StableNoise(1.5),
}


@dataclass(frozen=True, repr=False)
class ViewsStudy(ViewsData):
    """The data of a study of views with its faces: text, figure, files.

    >>> from fbmsde import FractionalNoise, views_study
    >>> study = views_study({"Brownian": FractionalNoise(0.5)}, n_paths=200)
    >>> type(study).__name__, study.rows[0].well
    ('ViewsStudy', 'sharp')
    """

    @property
    def table(self) -> str:
        """The results as text: exits from both minima, which empties first, and what the mean exit time depends on."""
        return report.text(self)

    def plot(self) -> Figure:
        """A matplotlib Figure: survival in both minima, which empties first, and the exponents."""
        from ...plots.views import plot_views

        return plot_views(self)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write views.csv, views.json and views.png into an existing folder, each whole or not at all; the paths."""
        out = [Path(folder) / name for name in FILES]
        write_text(out[0], report.csv_text(self))
        write_text(out[1], json.dumps(self._record(), indent=1, allow_nan=True) + "\n")
        if self.rows:
            write_figure(out[2], self.plot, 150)
        return out if self.rows else out[:2]

    def _record(self) -> dict[str, object]:
        """Everything as plain numbers, lists and dictionaries, without the survival curves."""
        return {
            "settings": asdict(self.settings),
            "complete": self.complete,
            "rows": [_row_record(row) for row in self.rows],
            "dependences": [
                vars(d) | {"rows": [_row_record(row) for row in d.rows], "measured": d.measured._asdict()}
                for d in self.dependences
            ],
        }


def _row_record(row: ViewRow) -> dict[str, object]:
    """One row as the file keeps it."""
    return {name: value for name, value in vars(row).items() if name != "curve"} | {"mean": row.mean._asdict()}


class InterruptedViewsError(KeyboardInterrupt):
    """The study was interrupted; `study` holds what was finished."""

    def __init__(self, study: ViewsStudy) -> None:
        super().__init__(f"interrupted after {len(study.rows)} rows")
        self.study = study


def views_study(
    views: Mapping[str, Driver] | None = None,
    *,
    sharp: float = 4.0,
    flat: float = 1.0,
    height: float = 2.0,
    sigma: float = 1.0,
    dt: float = 0.02,
    horizon: float = 100_000.0,
    n_paths: int = 2000,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: bool = False,
) -> ViewsStudy:
    """Escape from a sharp and a flat minimum under several noises of the same strength, as a `ViewsStudy`.

    SGD is seen as driven by Brownian noise, by stable noise, by fractional noise or by that of its own epochs. Here
    the chain ``x' = x - a x dt + increment`` starts at the minimum of two parabolas of curvatures a = `sharp` and
    `flat` and leaves at either rim, at the same `height`. The strength of each noise is set in two ways: the quartile
    of one increment is that of Brownian noise of strength `sigma`, or the quartile of the stationary law of the chain
    is, in a well whose curvature is the geometric mean of both. For noises of the same step, wells of other heights,
    widths and curvatures follow, to see what the mean exit time depends on.

    views : noises by name, each with a strength `sigma` and either an autocovariance or a stable law; None for
        `VIEWS`. The strengths that they come with do not matter.

    Raises ValueError for arguments outside their range, TypeError for a noise that cannot be matched, and
    `InterruptedViewsError` on Ctrl-C.

    >>> from fbmsde import FractionalNoise
    >>> study = views_study({"Brownian": FractionalNoise(0.5)}, n_paths=200)
    >>> [(row.matching, row.well, row.exits) for row in study.rows][:2]
    [('step', 'sharp', 200), ('step', 'flat', 200)]
    """
    chosen = dict(VIEWS if views is None else checks.kind("views", views, Mapping, "Write {'name': noise}."))
    if not chosen:
        raise ValueError("views must hold at least one noise, got none.")
    settings = ViewsSettings(
        views=tuple(chosen),
        sharp=checks.positive("sharp", sharp),
        flat=checks.positive("flat", flat),
        height=checks.squarable("height", height),
        sigma=checks.positive("sigma", sigma),
        dt=checks.positive("dt", dt),
        horizon=checks.positive("horizon", horizon),
        n_paths=checks.count("n_paths", n_paths),
        seed=checks.count("seed", seed, 0, math.inf),
    )
    if settings.sharp <= settings.flat:
        raise ValueError(f"sharp must exceed flat, got {settings.sharp} and {settings.flat}.")
    steepest = max(settings.sharp, math.sqrt(settings.sharp * settings.flat) / min(FACTORS) ** 2)
    if not settings.dt * steepest < 2.0:
        raise ValueError(f"dt must be below {2.0 / steepest:.6g} for chains that are stable, got {settings.dt}.")
    checks.workers(n_jobs)
    return _run(settings, _matched(chosen, settings), n_jobs, progress)


def _matched(noises: Mapping[str, Driver], settings: ViewsSettings) -> list[View]:
    """Every noise twice: with the step and with the spread of the Brownian one."""
    brownian, middle = FractionalNoise(0.5, settings.sigma), math.sqrt(settings.sharp * settings.flat)
    matched = []
    for matching in MATCHINGS:
        for name, noise in noises.items():
            if matching == "step":
                factor = step_quartile(brownian, settings.dt) / step_quartile(noise, settings.dt)
            else:
                factor = spread_quartile(brownian, middle, settings.dt) / spread_quartile(noise, middle, settings.dt)
            matched.append(View(name, matching, scaled_to(noise, factor)))
    return matched


def _run(settings: ViewsSettings, views: list[View], n_jobs: int | None, progress: bool) -> ViewsStudy:
    """Run every cell; an interruption carries what is finished."""
    pair = [
        Parabola.of_height(name, a, settings.height) for name, a in (("sharp", settings.sharp), ("flat", settings.flat))
    ]
    middle = Parabola.of_height("middle", math.sqrt(settings.sharp * settings.flat), settings.height)
    rows: list[ViewRow] = []
    found: list[Dependence] = []
    tasks = list(_dependence_tasks(views, middle))
    cells = len(views) * len(pair) + len(tasks) * len(FACTORS)
    with bar(total=cells * settings.n_paths, disable=not progress, unit="path") as shown:
        bench = Bench(settings, n_jobs, shown)
        try:
            for view in views:
                rows += [run_cell(view, well, bench) for well in pair]
            for view, family in tasks:
                found.append(dependence(view, family, bench))
        except KeyboardInterrupt:
            raise InterruptedViewsError(ViewsStudy(settings, tuple(rows), tuple(found), complete=False)) from None
    return ViewsStudy(settings, tuple(rows), tuple(found))


def _dependence_tasks(views: list[View], middle: Parabola) -> Iterator[tuple[View, Family]]:
    """Every family of wells under every noise of the same step."""
    for view in views:
        if view.matching == "step":
            for family in families(middle):
                yield view, family
