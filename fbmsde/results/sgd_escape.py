"""The results of the study of escapes of SGD from a minimum beside those of models of its noise, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import scipy

from ..core.show import Shown
from ..core.types import Array
from .estimates import Estimate
from .passage_times import PassageTimes

BARRIERS = (1.5, 2.0, 2.5)  # in stationary standard deviations of the memoryless model


@dataclass(frozen=True, repr=False)
class Basin(Shown):
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
    """Exit times of a model with H at the lower and at the upper end of its interval."""

    low: PassageTimes
    high: PassageTimes


@dataclass(frozen=True, repr=False)
class ModelExits(Shown):
    """Exit times of gradient descent in the parabola under the noise of one model.

    spread : standard deviation of the stationary chain over that of white noise of fresh batches.
    passages : one `PassageTimes` for each barrier.
    ends : those with H at both ends of its interval, for each barrier; empty for a model without H.
    """

    spread: float
    passages: tuple[PassageTimes, ...] = field(repr=False)
    ends: tuple[Ends, ...] = field(default=(), repr=False)


@dataclass(frozen=True, repr=False)
class EscapeCase(Shown):
    """One way of sampling at one learning rate and momentum: the measured noise, and exits of SGD and of the models.

    sampling : the way in which batches are drawn.
    momentum, learning_rate : of SGD.
    drift : learning rate times curvature, over 1 - momentum.
    noise_std, hurst : standard deviation and Hurst parameter of the measured noise.
    spread : standard deviation of SGD along the direction over that of the stationary chain under white noise of fresh
        batches.
    barriers : the distances from the minimum that the passage times are for.
    sgd : the `PassageTimes` of SGD for each barrier, in steps.
    models : the exits of each model by its name: "white", "fGn", "epochs" and "population".
    """

    sampling: str
    momentum: float
    learning_rate: float
    drift: float
    noise_std: float
    hurst: Estimate
    spread: float
    barriers: tuple[float, ...]
    sgd: tuple[PassageTimes, ...] = field(repr=False)
    models: dict[str, ModelExits] = field(repr=False)

    def ratio(self, place: int, model: str, *, level: float = 0.95) -> Estimate:
        """Mean exit time up to the horizon of SGD over that of a model, at barrier number `place`.

        The interval accounts for the errors of both means, and for that of the measured H if the model has one. The
        spread of the times of SGD is taken to be at least that of the model, since a few copies that have not left show
        none.
        """
        sgd, exits = self.sgd[place].times, self.models[model]
        ends = exits.ends[place] if exits.ends else ()
        times = [passages.times for passages in (exits.passages[place], *ends)]
        ratios = [float(sgd.mean() / of_model.mean()) for of_model in times]
        spread = max(_relative_spread(sgd), _relative_spread(times[0]))
        error = spread * math.sqrt(1.0 / sgd.size + 1.0 / times[0].size)
        width = float(scipy.stats.norm.isf((1.0 - level) / 2.0)) * error
        return Estimate(ratios[0], min(ratios) * math.exp(-width), max(ratios) * math.exp(width))

    @property
    def levels(self) -> tuple[float, ...]:
        """The barriers in stationary standard deviations of the chain under white noise of fresh batches."""
        return BARRIERS

    def worst(self, model: str) -> Estimate:
        """The ratio whose interval is farthest from 1; together such intervals hold for all barriers with 95 %."""
        ratios = self._ratios(model)
        return max(ratios, key=lambda ratio: max(math.log(ratio.low), -math.log(ratio.high)))

    def agrees(self, model: str) -> bool:
        """Whether the intervals of the ratios at all barriers, which hold together with 95 %, contain 1."""
        return all(ratio.low <= 1.0 <= ratio.high for ratio in self._ratios(model))

    def _ratios(self, model: str) -> list[Estimate]:
        """The ratios at all barriers with intervals that hold together."""
        count = len(self.barriers)
        return [self.ratio(place, model, level=1.0 - 0.05 / count) for place in range(count)]


def _relative_spread(times: Array) -> float:
    """Standard deviation of the times over their mean."""
    return float(times.std(ddof=1) / times.mean())


@dataclass(frozen=True, repr=False)
class EscapeComparison(Shown):
    """The basin from which SGD escaped, and all cases."""

    basin: Basin
    cases: tuple[EscapeCase, ...]
