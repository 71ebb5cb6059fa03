"""Exit times of gradient descent in a parabola under models of its noise: white, fractional, epochs, and resampled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...core.types import Array
from ...drivers.epoch import EpochNoise
from ...drivers.finite_population import PopulationNoise
from ...drivers.fractional import FractionalNoise
from ...dynamics.chain import Chain
from ...dynamics.descent import sgd
from ...dynamics.landscapes import quadratic
from ...laws.epochs import epoch_variance
from ...laws.momentum import momentum_variance, white_momentum_variance
from ...results.estimates import Estimate
from ...results.passage_times import PassageTimes
from ...results.sgd_escape import Ends, ModelExits
from ...simulation.passage import first_passage

Noise = FractionalNoise | EpochNoise | PopulationNoise


class Run(NamedTuple):
    """How SGD is run: the way of sampling, the learning rate, and the momentum."""

    sampling: str
    rate: float
    momentum: float


@dataclass(frozen=True, eq=False)
class Models:
    """The noise of all models for batches that are sampled in one way, and the parabola in which they move.

    population : gradients of all samples along the direction, (n_samples,).
    hurst : the measured Hurst parameter, with its interval.
    """

    population: Array
    batch_size: int
    sampling: str
    hurst: Estimate
    curvature: float
    n_steps: int
    n_paths: int
    seed: int

    @property
    def fresh(self) -> bool:
        """Whether batches are drawn with replacement, so that there are no epochs."""
        return self.sampling == "with_replacement"

    @property
    def std(self) -> float:
        """Standard deviation of the noise of a batch: that of the population by the exact law of sampling."""
        share = epoch_variance(len(self.population), self.batch_size, replacement=self.fresh)
        return float(self.population.std()) * math.sqrt(share)

    def white_spread(self, run: Run) -> float:
        """Stationary standard deviation of the chain under white noise of batches drawn with replacement."""
        unit = float(self.population.std()) / math.sqrt(self.batch_size)
        return math.sqrt(white_momentum_variance(learning_rate=run.rate, momentum=run.momentum,
                                                 curvature=self.curvature, sigma=unit))  # fmt: skip

    def exits(self, run: Run, barriers: Sequence[float]) -> dict[str, ModelExits]:
        """Exit times under the noise of each model, by its name."""
        found, chain = {}, sgd(quadratic(self.curvature), run.rate, run.momentum)
        for name, noise in self._noises().items():
            variance = momentum_variance(noise.autocovariance, learning_rate=run.rate, momentum=run.momentum,
                                         curvature=self.curvature)  # fmt: skip
            ends: tuple[Ends, ...] = ()
            if name == "fGn":
                low, high = (self._passages(chain, self._fractional(h), barriers) for h in self.hurst[1:])
                ends = tuple(map(Ends, low, high))
            spread = math.sqrt(variance) / self.white_spread(run)
            found[name] = ModelExits(spread, self._passages(chain, noise, barriers), ends)
        return found

    def _noises(self) -> dict[str, Noise]:
        """The noise of each model, from the beginning of an epoch on."""
        found: dict[str, Noise] = {"white": self._fractional(0.5), "fGn": self._fractional(self.hurst.value)}
        if not self.fresh:
            found["epochs"] = EpochNoise(len(self.population), self.batch_size, self.std, phase=0)
        phase = None if self.fresh else 0
        found["population"] = PopulationNoise(self.population, self.batch_size, self.fresh, phase=phase)
        return found

    def _fractional(self, hurst: float) -> FractionalNoise:
        """Fractional noise with the nearest H for which there is a model."""
        return FractionalNoise(min(max(hurst, 0.02), 0.98), self.std)

    def _passages(self, chain: Chain, noise: Noise, barriers: Sequence[float]) -> tuple[PassageTimes, ...]:
        """Exit times of the chain, in steps, for each barrier."""
        return tuple(
            first_passage(chain, noise, 0.0, (-barrier, barrier), horizon=self.n_steps, n_paths=self.n_paths,
                          seed=self.seed, n_jobs=1)
            for barrier in barriers
        )  # fmt: skip
