"""Drivers that can give the sum of many increments at once, which exits in continuous time need."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

from ..core.types import Array
from .rational.jump_tables import Jumps
from .rational.streaming import StreamingNoise


class JumpSource(NamedTuple):
    """A model of the noise and its sums over 2^m steps given the state, by level m up to the longest jump."""

    model: StreamingNoise
    tables: Jumps
    mixing: Array


@runtime_checkable
class Jumping(Protocol):
    """A driver that can give the sum of many increments at once. Continuous time needs one.

    How far the boundary must be from a jump is known for fractional noise, so a Hurst parameter belongs to it.
    """

    @property
    def common_hurst(self) -> float:
        """The Hurst parameter of all components; ValueError if they differ."""

    @property
    def rows(self) -> tuple[tuple[float, ...], ...] | None:
        """Rows of the covariance of the components, in units of `increment_scale`; None for equal, independent ones."""

    @property
    def factor(self) -> tuple[tuple[float, ...], ...] | None:
        """Rows of a lower-triangular root of the covariance; None for independent components of equal strength."""

    @property
    def largest_deviation(self) -> float:
        """An upper bound of the standard deviation of an increment in any direction, in units of `increment_scale`."""

    def increment_scale(self, dt: float) -> float:
        """Standard deviation of an increment over a step of `dt`, the largest of those of the components."""

    def jump_source(self, n_steps: int, longest: int, channels: int, tolerance: float | None) -> JumpSource:
        """The jumps of up to `longest` of `n_steps` steps; `tolerance` overrides the driver's own.

        ValueError where the driver cannot jump as it stands.
        """
