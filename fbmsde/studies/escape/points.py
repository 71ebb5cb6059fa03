"""One point of the study of exit rates: a well behind a barrier under fractional noise of one H."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import scipy

from ...core import checks
from ...drivers.fractional import FractionalNoise
from ...laws.diffusions import mean_exit_time
from ...laws.fou import fou_stationary_variance
from ...results.escape import UNKNOWN
from ...results.escape_rates import RateRow, RatesSettings
from ...results.estimates import Estimate, NoEstimateError
from ...results.passage_times import PassageTimes
from ...results.rare import RareEscape
from ...simulation.errors import PathError
from ...simulation.monitoring import Continuous
from ...simulation.passage_problem import PassageProblem
from ...simulation.starts import substream
from ...theory import registry
from ...theory.parabola import parabola_rates
from ...theory.sharp_or_flat import scaled_barrier
from .cells import advice
from .wells import Well

FEWEST_BEYOND = 10.0  # so many of the plain paths would be beyond the rim at one time, or none are run
FEWEST_EXITS = 10  # fewer plain paths make no rate: its interval would be wider than the value
RARE_FROM = 2.5  # the barrier in standard deviations from which rare escapes are run as well
MOST_STEPS = 2**20  # of a path of a rare escape
_FEWEST_LEFT = 0.05  # share of the paths that must still be inside when the rate is taken
_COARSENESS = 0.75  # k dt^H / sqrt(Gamma(2H+1)) of the steps of rare escapes: the shift is good to 1 % of the rate
_LONGEST = 0.03  # step of rare escapes over the relaxation time


class Window(NamedTuple):
    """The times a t between which the rate is taken; `age` is their middle."""

    age: float
    begin: float
    end: float


WINDOWS = (Window(10.0, 8.0, 12.0), Window(2.0, 1.5, 2.5))  # the first one that paths live long enough for


class Point(NamedTuple):
    """A well behind a barrier under fractional noise: problems of a campaign for plain paths and for rare escapes.

    barrier : that of the flat well in stationary standard deviations. own_barrier : that of this well.
    """

    hurst: float
    sigma: float
    barrier: float
    well: Well
    own_barrier: float

    @property
    def name(self) -> str:
        """The name of the rare escape in the campaign."""
        return f"H = {self.hurst!r}, k = {self.barrier!r}, {self.well.name}"

    @property
    def plain_name(self) -> str:
        """The name of the plain paths in the campaign."""
        return f"{self.name}, plain paths"

    @property
    def window(self) -> Window | None:
        """When the rate is taken, None if hardly any path lives that long; guessed by Pickands' rate of a parabola."""
        rate = parabola_rate(self.hurst, self.own_barrier)
        lasting = (window for window in WINDOWS if math.exp(-rate * window.begin) >= _FEWEST_LEFT)
        return next(lasting, None)

    def n_steps(self, window: Window) -> int:
        """The number of steps of a rare escape, of which the window begins and ends at one."""
        strength = math.sqrt(math.gamma(2.0 * self.hurst + 1.0)) / self.own_barrier
        step = min((_COARSENESS * strength) ** (1.0 / self.hurst), _LONGEST)
        return math.ceil(0.5 / step) * round(window.end / 0.5)

    def sees_exits(self, n_paths: int) -> bool:
        """Whether so many plain paths are enough."""
        return self.window is not None and n_paths * 2.0 * float(scipy.stats.norm.sf(self.own_barrier)) >= FEWEST_BEYOND

    def rare_window(self, settings: RatesSettings) -> Window | None:
        """When rare escapes are seen; None where plain paths alone are better, or paths have too many steps."""
        window = self.window
        enough = self.own_barrier < RARE_FROM and self.sees_exits(settings.n_paths)
        return None if window is None or enough or self.n_steps(window) > MOST_STEPS else window

    def plain(self, settings: RatesSettings) -> dict[str, PassageProblem]:
        """The problem of plain paths under its name, none where they see too few exits."""
        window, well = self.window, self.well
        if window is None or not self.sees_exits(settings.n_paths):
            return {}
        noise, key = FractionalNoise(self.hurst, self.sigma), checks.as_seed(settings.seed)
        problem = PassageProblem(well.landscape, noise, well.x0, well.domain, horizon=window.end / well.curvature,
                                 seed=substream(key, self.plain_name), monitoring=Continuous())  # fmt: skip
        return {self.plain_name: problem}


def points_of(settings: RatesSettings, wells: list[Well], chosen: list[Well]) -> list[Point]:
    """The points of a study in `chosen` of the wells of a landscape, of which the last one is the flattest."""
    found = []
    for hurst in settings.hurst:
        units = [_barrier(hurst, well) for well in (*chosen, wells[-1])]
        for k in settings.barriers:
            found += [Point(hurst, units[-1] / k, k, well, k * unit / units[-1])
                      for well, unit in zip(chosen, units, strict=False)]  # fmt: skip
    return found


def _barrier(hurst: float, well: Well) -> float:
    """The barrier of a well in stationary standard deviations of its parabola under noise of strength 1."""
    return float(scaled_barrier(hurst, _height(well), well.curvature))


def _height(well: Well) -> float:
    """The height of the lowest way out of a well over its minimum."""
    finite = [end for end in well.domain if math.isfinite(end)] if isinstance(well.domain, tuple) else ()
    return float(np.min(well.landscape.energy(finite or well.landscape.saddles)) - well.landscape.energy(well.x0))


class Rate(NamedTuple):
    """A rate, how it was found, how many paths left for it, and a note where it is not known."""

    value: Estimate = UNKNOWN
    method: str = ""
    exits: int = 0
    note: str = ""


def row_of(point: Point, settings: RatesSettings, plain: Rate, rare: Rate) -> RateRow:
    """What was found at a point of the study, and what formulas say."""
    window = point.window
    notes = [_absence(point), plain.note, rare.note, _width(rare.value, settings)]
    return RateRow(
        hurst=point.hurst,
        sigma=point.sigma,
        barrier=point.barrier,
        well=point.well.name,
        curvature=point.well.curvature,
        own_barrier=point.own_barrier,
        age=math.nan if window is None else window.age,
        plain=plain.value,
        exits=plain.exits,
        rare=rare.value,
        method=rare.method,
        predicted=predicted(point),
        note=" ".join(note for note in notes if note),
    )


def plain_rate(point: Point, found: Mapping[str, PassageTimes | RareEscape]) -> Rate:
    """The rate from plain paths."""
    window = point.window
    if window is None or point.plain_name not in found:
        return Rate()
    after = window.begin / point.well.curvature
    try:
        passages = found[point.plain_name]
        assert isinstance(passages, PassageTimes)
        exits = int(np.count_nonzero(~passages.censored & (passages.times > after)))
        rate = passages.exit_rate(after=after)
        if exits < FEWEST_EXITS:
            raise NoEstimateError(_few(exits, passages.n_paths, after))
    except (ValueError, PathError) as error:
        return Rate(note=f"plain paths: {advice(error)}")
    return Rate(Estimate(rate.value, *rate.confidence_interval()), "plain paths", exits)


def _few(exits: int, n_paths: int, after: float) -> str:
    """Why so few exits make no rate."""
    left = f"{exits} of {n_paths} paths left after {after:.3g}"
    return f"{left}, and a rate needs {FEWEST_EXITS} exits. Take more paths or a higher barrier."


def _absence(point: Point) -> str:
    """Why a point has no rate of rare escapes where one would be of use, else empty."""
    if point.window is None:
        return f"hardly a path stays for {WINDOWS[-1].begin:g} relaxation times."
    steps = point.n_steps(point.window)
    return f"rare escapes would need {steps:.2g} steps a path." if steps > MOST_STEPS else ""


def _width(rate: Estimate, settings: RatesSettings) -> str:
    """A note if the interval of a rate stayed wider than was asked for, else empty."""
    reach = (rate.high - rate.low) / 2.0 / rate.value if rate.value > 0.0 else math.nan
    if not reach > settings.relative_error:
        return ""
    return f"the half-width of the exit rate is {reach:.3g} of it, {settings.relative_error:g} was asked for."


def predicted(point: Point) -> dict[str, float]:
    """Exit rates in continuous time, by every formula that applies to the well and the noise."""
    well = point.well
    if well.barrier is not None:
        age = math.nan if point.window is None else point.window.age
        return parabola_rates(point.hurst, point.own_barrier, well.curvature, age)
    if point.hurst == 0.5 and isinstance(well.domain, tuple) and isinstance(well.x0, float):
        return {"mean_exit_time": 1.0 / mean_exit_time(well.landscape, well.x0, well.domain, sigma=point.sigma)}
    return {}


def parabola_rate(hurst: float, own_barrier: float) -> float:
    """Pickands' rate over the curvature of leaving a parabola through either rim."""
    problem = {"hurst": hurst, "barrier": own_barrier, "sigma": fou_stationary_variance(hurst) ** -0.5, "sides": 2}
    return float(registry.FORMULAS["pickands"].evaluate(extrapolate=True, **problem))
