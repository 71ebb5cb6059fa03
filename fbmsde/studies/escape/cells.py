"""One cell of the study: a well under one noise, as problems of a campaign, measured and predicted."""

from __future__ import annotations

import math
from typing import NamedTuple, TypedDict

import numpy as np

from ...campaigns.campaign import CampaignResults
from ...campaigns.rounds import Precision
from ...core import checks
from ...drivers.base import Driver
from ...drivers.stable import StableNoise
from ...dynamics.solvers import SOLVERS
from ...laws.diffusions import mean_exit_time
from ...results.escape import UNKNOWN, Curve, EscapeRow, EscapeSettings
from ...results.estimates import Estimate, NoEstimateError
from ...results.passage_times import PassageTimes
from ...simulation.errors import PathError
from ...simulation.monitoring import Continuous, Grid, Monitoring
from ...simulation.passage_problem import PassageProblem
from ...theory import formula, registry
from .sources import Source, hurst_of
from .wells import Well

RELAXATIONS = 2.0  # the exit rate is taken from exits later than this many relaxation times 1 / curvature
_CURVE_POINTS = 400  # of a survival curve that are kept


class Cell(NamedTuple):
    """One well under one noise: two problems of a campaign, of which the second one may have no paths.

    `title` tells the noise from the others.
    """

    title: str
    well: Well
    source: Source

    @property
    def name(self) -> str:
        """The name of the chain in the campaign."""
        return f"{self.title}, {self.well.name}"

    @property
    def free_name(self) -> str:
        """The name of the problem in continuous time."""
        return f"{self.name}, continuous time"

    def problems(self, settings: EscapeSettings) -> dict[str, PassageProblem]:
        """The problems by name: the chain, and the same well in continuous time, if that can be run."""
        solver = checks.choice("solver", settings.solver, SOLVERS)
        found = {self.name: self._problem(settings, Grid(settings.dt, solver))}
        if self.source.continuous_paths(settings.continuous) and not self.refusal(settings):
            found[self.free_name] = self._problem(settings, Continuous())
        return found

    def counts(self, settings: EscapeSettings) -> dict[str, int]:
        """The number of paths of each problem by name."""
        return {self.name: settings.n_paths, self.free_name: settings.continuous}

    def refusal(self, settings: EscapeSettings) -> str:
        """Why continuous time cannot be run, empty if it can."""
        try:
            checks.positive("horizon", self._problem(settings, Continuous()).reached)
        except ValueError as error:
            return str(error)
        return ""

    def _problem(self, settings: EscapeSettings, monitoring: Monitoring) -> PassageProblem:
        well = self.well
        return PassageProblem(well.landscape, self.source.noise, well.x0, well.domain, horizon=settings.horizon,
                              seed=settings.seed, monitoring=monitoring)  # fmt: skip

    def until(self, settings: EscapeSettings) -> dict[str, Precision]:
        """How narrow the interval of the exit rate of the chain is to be, and from which time on it is taken."""
        return {self.name: Precision(settings.until_relative_error, after=RELAXATIONS / self.well.curvature)}


def row_of(cell: Cell, settings: EscapeSettings, found: CampaignResults) -> EscapeRow:
    """What a campaign has found in a cell of the study; a path that broke becomes a note."""
    try:
        passages = found[cell.name]
    except PathError as error:
        return EscapeRow(
            hurst=cell.source.hurst,
            noise=cell.source.name,
            well=cell.well.name,
            curvature=cell.well.curvature,
            barrier=cell.well.barrier,
            paths=settings.n_paths if error.passages is None else error.passages.n_paths,
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
    assert isinstance(passages, PassageTimes)  # no problem of the study is a rare one
    return _measured(cell, settings, found, passages)


def _measured(cell: Cell, settings: EscapeSettings, found: CampaignResults, passages: PassageTimes) -> EscapeRow:
    """Estimates from the passage times, and the predictions that apply."""
    chain, free = _chain(cell.well, passages), _continuous(cell, settings, found)
    predicted = _predictions(cell.well, cell.source.noise, settings)
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
        note=" ".join(note for note in (passages.note, chain.note, _width(chain.rate, settings), free.note) if note),
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
        return _Estimates(mean, restricted, note=advice(error))


def _continuous(cell: Cell, settings: EscapeSettings, found: CampaignResults) -> _Estimates:
    """The exit rate in continuous time, or a note why there is none; neither where no path was to run there."""
    if cell.free_name not in found:
        refused = cell.source.continuous_paths(settings.continuous) and cell.refusal(settings)
        return _Estimates(note=f"continuous time: {refused}" if refused else "")
    try:
        passages = found[cell.free_name]
        assert isinstance(passages, PassageTimes)
        return _Estimates(rate=_late_rate(cell.well, passages))
    except (ValueError, PathError) as error:
        return _Estimates(note=f"continuous time: {advice(error)}")


def _late_rate(well: Well, passages: PassageTimes) -> Estimate:
    """The exit rate after the memory of the start has gone."""
    rate = passages.exit_rate(after=RELAXATIONS / well.curvature)
    return Estimate(rate.value, *rate.confidence_interval())


def _width(rate: Estimate, settings: EscapeSettings) -> str:
    """A note if the interval of the exit rate stayed wider than was asked for, else empty."""
    wanted = settings.until_relative_error
    found = (rate.high - rate.low) / 2.0 / rate.value if rate.value > 0.0 else math.nan
    if wanted is None or not found > wanted:
        return ""
    return f"the half-width of the exit rate is {found:.2g} of it, {wanted:g} was asked for."


def advice(error: Exception) -> str:
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
    horizon: float


class _Predictions(NamedTuple):
    """Exit rates and mean exit times, by formula."""

    rates: dict[str, float]
    means: dict[str, float]


def _predictions(well: Well, noise: Driver, settings: EscapeSettings) -> _Predictions:
    """Predict the exit rate and the mean exit time of the chain by every formula that applies to well and noise."""
    if isinstance(noise, StableNoise):
        return _Predictions(_jump_rates(well, noise), {})
    hurst = hurst_of(noise)
    if hurst is None:
        return _Predictions({}, {})
    sigma = noise.increment_scale(1.0)
    if well.barrier is not None:
        problem = _Problem(hurst=hurst, sigma=sigma, curvature=well.curvature, barrier=well.barrier,
                           dt=settings.dt, sides=2, horizon=settings.horizon)  # fmt: skip
        rates, means = (
            {f.name: float(f.evaluate(**problem)) for f in registry.applicable(quantity, formula.EXIT, **problem)}
            for quantity in ("exit_rate", "mean_exit_time")
        )
        return _Predictions(rates, means)
    if hurst == 0.5 and isinstance(well.domain, tuple) and isinstance(well.x0, float):
        lower, upper = well.domain
        shift = float(registry.FORMULAS["grid_shift"].evaluate(hurst=0.5, dt=settings.dt, sigma=sigma))
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
