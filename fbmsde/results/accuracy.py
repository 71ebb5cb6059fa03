"""How finely exits in continuous time are computed."""

from __future__ import annotations

from dataclasses import dataclass

from ..core import checks


@dataclass(frozen=True)
class Accuracy:
    """How finely the exits in continuous time are computed.

    miss : the probability, at most, that a jump hides an excursion beyond the boundary. It sets how far from the
        boundary a jump may be made.
    drift_step : the longest duration of a jump, as a share of 1 / |second derivative of the potential|, which is taken
        as the steepest change of the gradient within reach of the jump.
    tolerance : the largest KL divergence per path of the noise model. None stands for the default of the streaming
        model, but at most 1e-5.

    >>> Accuracy(miss=1e-8).drift_step
    0.02
    """

    miss: float = 5e-7
    drift_step: float = 0.02
    tolerance: float | None = None

    def __post_init__(self) -> None:
        if not 1e-14 <= checks.positive("miss", self.miss) <= 0.25:
            raise ValueError(f"miss must lie in [1e-14, 0.25], got {self.miss}.")
        if not checks.positive("drift_step", self.drift_step) <= 0.5:
            raise ValueError(f"drift_step must be at most 0.5, got {self.drift_step}.")
        if self.tolerance is not None:
            checks.positive("tolerance", self.tolerance)
