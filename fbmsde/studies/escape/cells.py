"""One cell of the study: a well under one noise, run, measured and predicted."""

from __future__ import annotations

from typing import NamedTuple, TypedDict

import numpy as np
from tqdm import tqdm

from ...drivers.base import Driver
from ...drivers.stable import StableNoise
from ...laws.diffusions import mean_exit_time
from ...results.escape import UNKNOWN, Curve, EscapeRow, EscapeSettings
from ...results.estimates import Estimate, NoEstimateError
from ...results.passage_times import PassageTimes
from ...simulation.errors import PathError
from ...simulation.passage import first_passage
from ...theory import formula, registry
from .sources import Source, hurst_of
from .wells import Well

_RELAXATIONS = 2.0  # the exit rate is taken from exits later than this many relaxation times 1 / curvature
_CURVE_POINTS = 400  # of a survival curve that are kept


class Cell(NamedTuple):
    """One well under one noise, and what its run needs beside the settings."""

    well: Well
    source: Source
    n_jobs: int | None
    bar: tqdm

    def passages(self, settings: EscapeSettings) -> PassageTimes:
        """Passage times of the chain."""
        return first_passage(self.well.landscape, self.source.noise, self.well.x0, self.well.domain, dt=settings.dt,
                             horizon=settings.horizon, n_paths=settings.n_paths, seed=settings.seed,
                             solver=settings.solver, n_jobs=self.n_jobs, progress=self.bar.update)  # fmt: skip

    def continuous_passages(self, settings: EscapeSettings) -> PassageTimes:
        """Passage times in continuous time, of other paths."""
        return first_passage(self.well.landscape, self.source.noise, self.well.x0, self.well.domain,
                             horizon=settings.horizon, n_paths=settings.continuous, seed=settings.seed,
                             monitoring="continuous", n_jobs=self.n_jobs, progress=self.bar.update)  # fmt: skip


def run_cell(cell: Cell, settings: EscapeSettings) -> EscapeRow:
    """Run one cell of the study; a path that breaks becomes a note, the other cells go on."""
    cell.bar.set_description(f"{cell.source.name}, {cell.well.name}")
    try:
        passages = cell.passages(settings)
    except PathError as error:
        return EscapeRow(
            hurst=cell.source.hurst,
            noise=cell.source.name,
            well=cell.well.name,
            curvature=cell.well.curvature,
            barrier=cell.well.barrier,
            paths=settings.n_paths,
            exits=0,
            mean=UNKNOWN,
            restricted=False,
            rate=UNKNOWN,
            continuous=UNKNOWN,
            predicted={},
            predicted_mean={},
            note=str(error),
            curve=Curve(np.empty(0), np.empty(0)),
        )
    return _measured(cell, settings, passages)


def _measured(cell: Cell, settings: EscapeSettings, passages: PassageTimes) -> EscapeRow:
    """Estimates from the passage times, and the predictions that apply."""
    chain, free = _chain(cell.well, passages), _continuous(cell, settings)
    predicted = _predictions(cell.well, cell.source.noise, settings.dt)
    return EscapeRow(
        hurst=cell.source.hurst,
        noise=cell.source.name,
        well=cell.well.name,
        curvature=cell.well.curvature,
        barrier=cell.well.barrier,
        paths=passages.n_paths,
        exits=passages.n_left,
        mean=chain.mean,
        restricted=chain.restricted,
        rate=chain.rate,
        continuous=free.rate,
        predicted=predicted.rates,
        predicted_mean=predicted.means,
        note=" ".join(note for note in (passages.note, chain.note, free.note) if note),
        curve=_curve(passages),
    )


class _Estimates(NamedTuple):
    """What passage times tell, and a note where they tell less."""

    mean: Estimate = UNKNOWN
    restricted: bool = False
    rate: Estimate = UNKNOWN
    note: str = ""


def _chain(well: Well, passages: PassageTimes) -> _Estimates:
    """The mean exit time and the exit rate of the chain, as far as the paths determine them."""
    mean, restricted = UNKNOWN, False
    try:
        found = passages.mean()
        mean, restricted = Estimate(found.value, *found.confidence_interval()), found.restricted
        return _Estimates(mean, restricted, _late_rate(well, passages))
    except NoEstimateError as error:
        return _Estimates(mean, restricted, note=_advice(error))


def _continuous(cell: Cell, settings: EscapeSettings) -> _Estimates:
    """The exit rate in continuous time, or a note why there is none; neither where no path is to run there."""
    if cell.source.continuous_paths(settings.continuous) == 0:
        return _Estimates()
    try:
        return _Estimates(rate=_late_rate(cell.well, cell.continuous_passages(settings)))
    except (ValueError, PathError) as error:
        return _Estimates(note=f"continuous time: {_advice(error)}")


def _late_rate(well: Well, passages: PassageTimes) -> Estimate:
    """The exit rate after the memory of the start has gone."""
    rate = passages.exit_rate(after=_RELAXATIONS / well.curvature)
    return Estimate(rate.value, *rate.confidence_interval())


def _advice(error: Exception) -> str:
    """The message, with what a study can do in place of what a caller of `exit_rate` can."""
    return str(error).replace("an earlier `after`", "a higher barrier")


def _curve(passages: PassageTimes) -> Curve:
    """At most a few hundred points of the survival curve; from (0, 1) to the horizon."""
    if passages.n_left == 0:
        return Curve(np.array([0.0, passages.horizon]), np.ones(2))
    curve = passages.survival()
    grid = np.unique(np.linspace(0, curve.times.size - 1, _CURVE_POINTS).astype(int))
    return Curve(np.concatenate([[0.0], curve.times[grid]]), np.concatenate([[1.0], curve.probabilities[grid]]))


class _Problem(TypedDict):
    """What the formulas for the exit from a quadratic well ask for."""

    hurst: float
    sigma: float
    curvature: float
    barrier: float
    dt: float
    sides: int


class _Predictions(NamedTuple):
    """Exit rates and mean exit times, by formula."""

    rates: dict[str, float]
    means: dict[str, float]


def _predictions(well: Well, noise: Driver, dt: float) -> _Predictions:
    """Predict the exit rate and the mean exit time of the chain by every formula that applies to well and noise."""
    if isinstance(noise, StableNoise):
        return _Predictions(_jump_rates(well, noise), {})
    hurst = hurst_of(noise)
    if hurst is None:
        return _Predictions({}, {})
    sigma = noise.increment_scale(1.0)
    if well.barrier is not None:
        problem = _Problem(hurst=hurst, sigma=sigma, curvature=well.curvature, barrier=well.barrier,
                           dt=dt, sides=2)  # fmt: skip
        rates, means = (
            {f.name: float(f.evaluate(**problem)) for f in registry.applicable(quantity, formula.EXIT, **problem)}
            for quantity in ("exit_rate", "mean_exit_time")
        )
        return _Predictions(rates, means)
    if hurst == 0.5 and isinstance(well.domain, tuple) and isinstance(well.x0, float):
        lower, upper = well.domain
        shift = float(registry.FORMULAS["grid_shift"].evaluate(hurst=0.5, dt=dt, sigma=sigma))
        domain = (lower - shift, upper + shift)
        return _Predictions({}, {"mean_exit_grid": mean_exit_time(well.landscape, well.x0, domain, sigma=sigma)})
    return _Predictions({}, {})


def _jump_rates(well: Well, noise: StableNoise) -> dict[str, float]:
    """Exit rates by jumps from a well with two ends, by every formula that applies, seen from its minimum."""
    if not (isinstance(well.domain, tuple) and isinstance(well.x0, float)):
        return {}
    problem = {"alpha": noise.alpha, "sigma": noise.sigma, "curvature": well.curvature,
               "lower": well.domain[0] - well.x0, "upper": well.domain[1] - well.x0}  # fmt: skip
    found = registry.applicable("exit_rate", formula.STABLE, **problem)
    return {f.name: float(f.evaluate(extrapolate=False, **problem)) for f in found}
