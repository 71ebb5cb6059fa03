"""One cell of the study: a well under a noise, run, measured and predicted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from tqdm.auto import tqdm

from ...drivers.base import Driver
from ...drivers.fractional import FractionalNoise
from ...drivers.stable import StableNoise
from ...laws.stable import stable_exit_rate
from ...results.escape import UNKNOWN, Curve
from ...results.estimates import Estimate, NoEstimateError
from ...results.passage_times import PassageTimes
from ...results.views import Dependence, ViewRow, ViewsSettings
from ...simulation.monitoring import Grid
from ...simulation.passage import first_passage
from ...theory.registry import FORMULAS
from .matching import chain_moments
from .wells import Family, Parabola

_CURVE_POINTS = 300  # of a survival curve that are kept
_NORMAL_95 = 1.959963984540054


class View(NamedTuple):
    """A noise under its name, matched to the Brownian one in its "step" or its "spread"."""

    name: str
    matching: str
    noise: Driver


class Bench(NamedTuple):
    """What every cell needs beside its well and its noise."""

    settings: ViewsSettings
    n_jobs: int | None
    bar: tqdm


def run_cell(view: View, well: Parabola, bench: Bench) -> ViewRow:
    """Run the paths of one well under one noise, and compare with the formula for it."""
    settings = bench.settings
    bench.bar.set_description(f"{view.name}, {well.name}")
    passages = first_passage(
        well.landscape, view.noise, 0.0, (-well.width, well.width), monitoring=Grid(settings.dt),
        horizon=settings.horizon, n_paths=settings.n_paths, seed=settings.seed, n_jobs=bench.n_jobs,
        progress=bench.bar.update,
    )  # fmt: skip
    mean, restricted = _mean(passages)
    formula, predicted = predicted_mean(view.noise, well, settings.dt)
    return ViewRow(
        view=view.name,
        matching=view.matching,
        well=well.name,
        curvature=well.curvature,
        width=well.width,
        height=well.height,
        sigma=float(view.noise.sigma),  # type: ignore[attr-defined]  # it was scaled by its sigma
        exits=passages.n_left,
        mean=mean,
        restricted=restricted,
        predicted=predicted,
        formula=formula,
        curve=_curve(passages),
    )


def _mean(passages: PassageTimes) -> tuple[Estimate, bool]:
    """The mean exit time with its interval, and whether it is restricted to the horizon."""
    try:
        mean = passages.mean()
    except NoEstimateError:
        return UNKNOWN, True
    return Estimate(mean.value, *mean.confidence_interval()), mean.restricted


def _curve(passages: PassageTimes) -> Curve:
    """At most a few hundred points of the survival curve, from (0, 1) on."""
    if passages.n_left == 0:
        return Curve(np.array([0.0, passages.horizon]), np.ones(2))
    curve = passages.survival()
    grid = np.unique(np.linspace(0, curve.times.size - 1, _CURVE_POINTS).astype(int))
    return Curve(np.concatenate([[0.0], curve.times[grid]]), np.concatenate([[1.0], curve.probabilities[grid]]))


def predicted_mean(noise: Driver, well: Parabola, dt: float) -> tuple[str, float]:
    """The name of the formula for the mean exit time through both rims, and its value; "" and NaN where none holds.

    Fractional noise has the rate of Pickands' formula for the chain, at H = 1/2 the exact mean. Stable noise has the
    rate of single jumps, the limit of weak noise, however strong the noise is: what comes out of it is the contrast to
    the other noises. Any other Gaussian noise stands for the chain with white noise that is spread as widely and has
    the same correlation of successive states: what Pickands' formula says of high levels depends on these two alone.
    """
    if isinstance(noise, StableNoise) and noise.alpha < 2.0:
        rate = stable_exit_rate(noise.alpha, (-well.width, well.width), sigma=noise.sigma)
        return "stable_jump_rate", 1.0 / rate
    problem = {"barrier": well.width, "dt": dt, "sides": 2.0}
    if isinstance(noise, FractionalNoise):
        problem |= {"hurst": noise.common_hurst, "sigma": noise.increment_scale(1.0), "curvature": well.curvature}
    else:
        variance, memory = chain_moments(noise, well.curvature, dt)
        sigma = math.sqrt(variance * (1.0 - memory**2) / dt)
        problem |= {"hurst": 0.5, "sigma": sigma, "curvature": (1.0 - memory) / dt}
    return _evaluated("ou_mean_exit_grid" if problem["hurst"] == 0.5 else "pickands_euler", problem)


def _evaluated(name: str, problem: Mapping[str, float]) -> tuple[str, float]:
    """The mean exit time by a formula, one over a rate; "" and NaN outside of its range."""
    formula = FORMULAS[name]
    if formula.valid(**problem):
        return "", math.nan
    value = float(formula.evaluate(extrapolate=False, **problem))
    return name, 1.0 / value if formula.quantity == "exit_rate" else value


def dependence(view: View, family: Family, bench: Bench) -> Dependence:
    """Run the wells of a family and fit the exponent with which the mean exit time depends on what varies."""
    rows = tuple(run_cell(view, well, bench) for well in family.wells)
    varied = [getattr(row, family.varied) for row in rows]
    return Dependence(view.name, family.varied, family.held, rows, _exponent(varied, rows), _predicted(varied, rows))


def _exponent(varied: Sequence[float], rows: Sequence[ViewRow]) -> Estimate:
    """The slope of log mean against log x by least squares with the intervals' weights; unknown for censored means."""
    if any(row.restricted for row in rows):
        return UNKNOWN
    x, y = np.log(varied), np.log([row.mean.value for row in rows])
    errors = np.log([row.mean.high / row.mean.low for row in rows]) / (2.0 * _NORMAL_95)
    weights = errors**-2
    centred = x - np.average(x, weights=weights)
    slope = float(np.sum(weights * centred * y) / np.sum(weights * centred**2))
    half = _NORMAL_95 / math.sqrt(float(np.sum(weights * centred**2)))
    return Estimate(slope, slope - half, slope + half)


def _predicted(varied: Sequence[float], rows: Sequence[ViewRow]) -> float:
    """The same slope of the predicted means, NaN where one of them is unknown."""
    slope = np.polyfit(np.log(varied), np.log([row.predicted for row in rows]), 1)[0]
    return float(np.round(slope, 9)) + 0.0
