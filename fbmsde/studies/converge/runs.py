"""Chains of gradient descent, run and measured."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core import checks
from ...core.types import Array
from ...drivers.base import Driver
from ...drivers.fractional import FractionalNoise
from ...drivers.stable import StableNoise
from ...dynamics.chain import Chain
from ...dynamics.descent import sgd
from ...dynamics.landscapes import Landscape, quadratic
from ...results.converge import ConvergeSettings, Dependence, LossCurve, ScheduleRow
from ...results.escape import UNKNOWN
from ...results.estimates import Estimate
from ...simulation.paths import simulate_paths
from .exact import Case, average_variances, loss_curve, plateau, scheduled_loss

_NORMAL_95 = 1.959963984540054
_TRANSIENT = 12.0  # relaxation times after which the memory of the start is below e^-12
_SMALL_RATE = 0.1  # learning rates below this, over the curvature, show the exponent of the plateau
_LONG_AVERAGE = 10.0  # averages over more relaxation times than this show the exponent of the average
_CURVE_STEPS = 160  # numbers of steps at which a loss curve is kept


class Noise(NamedTuple):
    """A noise of the gradient under its name."""

    name: str
    driver: Driver

    @property
    def heavy(self) -> bool:
        """Whether the noise has no variance, so that losses have no mean."""
        return isinstance(self.driver, StableNoise) and self.driver.alpha < 2.0


class Bench(NamedTuple):
    """What every run needs: the settings, the number of threads, and what is told of finished paths."""

    settings: ConvergeSettings
    n_jobs: int | None
    done: Callable[[int], object]

    def positions(self, noise: Noise, chain: Chain, x0: float, n_steps: int, every: int = 1) -> Array:
        """Positions of all chains after every `every`-th step, the start included, (n_paths, n_saved + 1)."""
        settings = self.settings
        paths = simulate_paths(chain, noise.driver, np.full(1, x0), n_steps=n_steps,
                               n_paths=settings.n_paths, seed=settings.seed, save_every=every, n_jobs=self.n_jobs,
                               progress=self.done)  # fmt: skip
        return paths.values if paths.values.ndim == 2 else paths.values[:, :, 0]

    def convex(self, noise: Noise, momentum: float) -> LossCurve:
        """The loss in the parabola from `x0` on."""
        s = self.settings
        case, every = Case(s.curvature, s.learning_rate, momentum), self._every()
        chain = sgd(quadratic(s.curvature), s.learning_rate, momentum)
        losses = 0.5 * s.curvature * self.positions(noise, chain, s.x0, s.n_steps, every) ** 2
        exact = loss_curve(noise.driver, case, self._steps(every), s.x0)
        return self._curve(noise, "parabola", momentum, losses, exact, plateau(noise.driver, case))

    def double_well(self, noise: Noise, landscape: Landscape) -> LossCurve:
        """The loss above that of the lowest minimum from the sharp minimum on, and how many end in the flat one."""
        s, every = self.settings, self._every()
        sharp, saddle = float(landscape.minima[0]), float(landscape.saddles[0])  # type: ignore[arg-type]  # one dimension
        values = self.positions(noise, sgd(landscape, s.learning_rate), sharp, s.n_steps, every)
        losses = np.asarray(landscape.energy(values)) - float(np.min(landscape.energy(np.array(landscape.minima))))
        late = values[:, -(values.shape[1] // 4) :] > saddle
        curve = self._curve(noise, landscape.name, 0.0, losses, np.empty(0), math.nan)
        return dataclasses.replace(curve, flat_share=_mean_with_interval(late.mean(axis=1)))

    def _curve(
        self, noise: Noise, landscape: str, momentum: float, losses: Array, exact: Array, exact_plateau: float
    ) -> LossCurve:
        """A loss curve from the losses (n_paths, n_saved + 1); the plateau is the second half."""
        late = losses[:, losses.shape[1] // 2 :]
        if noise.heavy:
            loss, error = _median_with_error(losses)
            level = _median_with_interval(late[:, -1])
        else:
            loss, error = losses.mean(axis=0), losses.std(axis=0, ddof=1) / math.sqrt(len(losses))
            level = _mean_with_interval(late.mean(axis=1))
        return LossCurve(
            noise=noise.name,
            landscape=landscape,
            momentum=momentum,
            statistic="median" if noise.heavy else "mean",
            steps=self._steps(self._every()),
            loss=loss,
            error=error,
            exact=exact,
            plateau=level,
            exact_plateau=exact_plateau,
            flat_share=UNKNOWN,
        )

    def _every(self) -> int:
        """The distance of the steps at which a loss curve is kept."""
        return max(1, self.settings.n_steps // _CURVE_STEPS)

    def _steps(self, every: int) -> Array:
        """The numbers of the steps at which a loss curve is kept."""
        return np.arange(self.settings.n_steps // every + 1, dtype=np.float64) * every

    def plateaus(self, noise: Noise, rates: Array, momentum: float) -> Dependence:
        """The mean loss of the stationary chain against the learning rate."""
        a = self.settings.curvature
        found = [self._plateau(noise, Case(a, float(rate), momentum)) for rate in rates]
        measured, error = np.array([f[0] for f in found]), np.array([f[1] for f in found])
        exact = np.array([plateau(noise.driver, Case(a, float(rate), momentum)) for rate in rates])
        small = rates * a <= _SMALL_RATE
        name = "plateau against learning rate"
        return _dependence(
            noise, name, momentum, (rates, measured, error, exact), small, _plateau_exponent(noise.driver)
        )

    def _plateau(self, noise: Noise, case: Case) -> tuple[float, float]:
        """The mean loss over as many steps as the transient took before, with its standard error."""
        rest = (1.0 - case.momentum) / (case.learning_rate * case.curvature) + 1.0 / (1.0 - case.momentum)
        steps = math.ceil(_TRANSIENT * rest)
        chain = sgd(quadratic(case.curvature), case.learning_rate, case.momentum)
        values = self.positions(noise, chain, 0.0, 2 * steps, max(1, math.ceil(rest / 4.0)))
        means = 0.5 * case.curvature * (values[:, values.shape[1] // 2 :] ** 2).mean(axis=1)
        return float(means.mean()), float(means.std(ddof=1) / math.sqrt(means.size))

    def averages(self, noise: Noise, n_steps: Array) -> Dependence:
        """The variance of the average of the stationary chain against the number of steps of the average."""
        s = self.settings
        case = Case(s.curvature, s.learning_rate)
        burn = math.ceil(_TRANSIENT / (case.learning_rate * case.curvature))
        chain = sgd(quadratic(s.curvature), s.learning_rate)
        checks.fits_memory("the chains of time averages", 8.0 * s.n_paths * (burn + float(n_steps.max())))
        values = self.positions(noise, chain, 0.0, burn + int(n_steps.max()))[:, burn + 1 :]
        sums = np.cumsum(values, axis=1)
        variances = np.array([float(np.mean((sums[:, int(n) - 1] / n) ** 2)) for n in n_steps])
        error = variances * math.sqrt(2.0 / len(values))
        exact = average_variances(noise.driver, case, n_steps)
        late = n_steps * case.learning_rate * case.curvature >= _LONG_AVERAGE
        name = "variance of the time average against time"
        return _dependence(noise, name, 0.0, (n_steps, variances, error, exact), late, _average_exponent(noise.driver))

    def scheduled(self, noise: Noise, name: str, rates: Array) -> ScheduleRow:
        """The mean loss after the last step of a schedule."""
        s = self.settings
        chain = sgd(quadratic(s.curvature), rates)
        ends = self.positions(noise, chain, s.x0, rates.size, rates.size)[:, -1]
        losses = 0.5 * s.curvature * ends**2
        measured = _median_with_interval(losses) if noise.heavy else _mean_with_interval(losses)
        return ScheduleRow(noise.name, name, measured, scheduled_loss(noise.driver, s.curvature, rates, s.x0))


def _plateau_exponent(driver: Driver) -> float:
    """The exponent of the plateau at small rates: ``2 - 2H`` for fractional noise."""
    return 2.0 - 2.0 * driver.common_hurst if isinstance(driver, FractionalNoise) else math.nan


def _average_exponent(driver: Driver) -> float:
    """The exponent of the variance of long averages: ``2H - 2`` for fractional noise."""
    return 2.0 * driver.common_hurst - 2.0 if isinstance(driver, FractionalNoise) else math.nan


def _dependence(
    noise: Noise,
    name: str,
    momentum: float,
    columns: tuple[Array, Array, Array, Array],
    used: NDArray[np.bool_],
    predicted: float,
) -> Dependence:
    """A dependence from its x, measured, error and exact columns, with the exponent over the x that are `used`.

    The exponent is unknown where fewer than two of them are.
    """
    x, measured, error, exact = columns
    enough = np.count_nonzero(used) > 1
    exponent = _exponent(x[used], measured[used], error[used]) if enough else UNKNOWN
    ends = (float(x[used][0]), float(x[used][-1])) if enough else (math.nan, math.nan)
    return Dependence(noise.name, name, momentum, x, measured, error, exact, exponent, ends, predicted)


def _exponent(x: Array, y: Array, error: Array) -> Estimate:
    """The slope of log y against log x by weighted least squares, with its 95 % interval."""
    log_x, weights = np.log(x), (y / error) ** 2
    centred = log_x - np.average(log_x, weights=weights)
    size = float(np.sum(weights * centred**2))
    slope, half = float(np.sum(weights * centred * np.log(y))) / size, _NORMAL_95 / math.sqrt(size)
    return Estimate(slope, slope - half, slope + half)


def _mean_with_interval(values: Array) -> Estimate:
    """The mean of independent values (n,) with its normal 95 % interval."""
    mean, half = float(values.mean()), _NORMAL_95 * float(values.std(ddof=1)) / math.sqrt(values.size)
    return Estimate(mean, mean - half, mean + half)


def _median_with_interval(values: Array) -> Estimate:
    """The median of independent values (n,) with the 95 % interval of the order statistics."""
    half = _NORMAL_95 / (2.0 * math.sqrt(values.size))
    low, middle, high = np.quantile(values, [max(0.0, 0.5 - half), 0.5, min(1.0, 0.5 + half)])
    return Estimate(float(middle), float(low), float(high))


def _median_with_error(losses: Array) -> tuple[Array, Array]:
    """Medians over the rows and their standard errors by order statistics, each (n_columns,)."""
    half = 1.0 / (2.0 * math.sqrt(len(losses)))
    low, middle, high = np.quantile(losses, [0.5 - half, 0.5, 0.5 + half], axis=0)
    return middle, (high - low) / 2.0
