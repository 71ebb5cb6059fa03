"""How finely exits in continuous time are computed."""

from __future__ import annotations

from dataclasses import dataclass

from ..core import checks


@dataclass(frozen=True)
class Accuracy:
    """How finely the exits in continuous time are computed.

    `miss`: probability that a jump hides an excursion beyond the boundary, which sets how far from it a jump may be
    made. `drift_step`: a jump lasts at most this share of 1 / |second derivative of the potential| (of the steepest
    change of the gradient within its reach). `tolerance`: KL divergence per path of the noise model, None for the
    streaming model's default, at most 1e-5.

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
