"""The results of the study of escapes of SGD from a minimum beside those of a model, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import scipy

from ..core.types import Array
from .estimates import Estimate
from .passage_times import PassageTimes

BARRIERS = (1.5, 2.0, 2.5)  # in stationary standard deviations of the memoryless model


@dataclass(frozen=True)
class Basin:
    """A minimum of a network's loss along its sharpest direction.

    eigenvalue : the largest eigenvalue of the Hessian at the minimum, weight decay included.
    curvature : that of the parabola fitted to `losses` at `offsets` from the minimum.
    gradient_norm : the norm of the gradient that is left at the minimum.
    offsets, losses : places along the direction, and the loss there.
    misfit : the largest distance between loss and parabola, relative to the rise of the loss over the fitted range.
    """

    eigenvalue: float
    curvature: float
    gradient_norm: float
    offsets: Array = field(repr=False)
    losses: Array = field(repr=False)
    misfit: float


class Ends(NamedTuple):
    """Exit times of the model with H at the lower and at the upper end of its interval."""

    low: PassageTimes
    high: PassageTimes


@dataclass(frozen=True)
class EscapeCase:
    """One way of sampling at one learning rate: the measured noise, and exit times of SGD and of the model.

    sampling : the way in which batches are drawn.
    learning_rate, drift : the learning rate, and its product with the curvature.
    noise_std, hurst : standard deviation and Hurst parameter of the measured noise.
    spread : standard deviation of SGD along the direction over that of the memoryless model.
    barriers : the distances from the minimum that the passage times are for.
    sgd, model, memoryless : one `PassageTimes` for each barrier: of SGD, of the model, and of the model with H = 1/2
        and the same standard deviation.
    model_ends : those of the model with H at both ends of the interval of `hurst`, for each barrier.
    """

    sampling: str
    learning_rate: float
    drift: float
    noise_std: float
    hurst: Estimate
    spread: float
    barriers: tuple[float, ...]
    sgd: tuple[PassageTimes, ...] = field(repr=False)
    model: tuple[PassageTimes, ...] = field(repr=False)
    model_ends: tuple[Ends, ...] = field(repr=False)
    memoryless: tuple[PassageTimes, ...] = field(repr=False)

    def ratio(self, place: int, *, memoryless: bool = False, level: float = 0.95) -> Estimate:
        """Mean exit time up to the horizon of SGD over that of the model, at barrier number `place`.

        The interval accounts for the error of the measured H. With `memoryless` the model is that with H = 1/2.
        """
        times = self.sgd[place].times
        models = (self.memoryless[place],) if memoryless else (self.model[place], *self.model_ends[place])
        ratios = [float(times.mean() / passages.times.mean()) for passages in models]
        error = float(times.std(ddof=1) / math.sqrt(times.size) / times.mean())
        width = float(scipy.stats.norm.isf((1.0 - level) / 2.0)) * error
        return Estimate(ratios[0], min(ratios) * math.exp(-width), max(ratios) * math.exp(width))

    @property
    def levels(self) -> tuple[float, ...]:
        """The barriers in stationary standard deviations of the memoryless model."""
        return BARRIERS

    @property
    def verdict(self) -> str:
        """A sentence on whether the exit times of SGD agree with the model, with the ratio that differs most from 1."""
        count = len(self.barriers)
        ratios = [self.ratio(place, level=1.0 - 0.05 / count) for place in range(count)]
        value, low, high = max(ratios, key=lambda ratio: abs(math.log(ratio.value)))
        if all(ratio.low <= 1.0 <= ratio.high for ratio in ratios):
            return f"model agrees: ratio {value:.2f} [{low:.2f}, {high:.2f}]"
        return f"MODEL FAILS: SGD stays {value:.2f} [{low:.2f}, {high:.2f}] times as long"


@dataclass(frozen=True)
class EscapeComparison:
    """The basin from which SGD escaped, and all cases."""

    basin: Basin
    cases: tuple[EscapeCase, ...]
