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

    How far the boundary must be from a jump is known for fractional noise, so `hurst` and `sigma` belong to it.
    """

    @property
    def hurst(self) -> float:
        """The Hurst parameter."""

    @property
    def sigma(self) -> float:
        """The standard deviation of an increment over a step of 1."""

    @property
    def rows(self) -> tuple[tuple[float, ...], ...] | None:
        """Rows of the correlation matrix of the components, None for independent ones."""

    @property
    def factor(self) -> tuple[tuple[float, ...], ...] | None:
        """Rows of the lower-triangular factor of the correlation, None for independent components."""

    @property
    def largest_deviation(self) -> float:
        """An upper bound, in units of sigma, of the standard deviation of a unit-step increment in any direction."""

    def increment_scale(self, dt: float) -> float:
        """Standard deviation of an increment over a step of `dt`."""

    def jump_source(self, n_steps: int, longest: int, channels: int, tolerance: float | None) -> JumpSource:
        """The jumps of up to `longest` of `n_steps` steps; `tolerance` overrides the driver's own.

        ValueError where the driver cannot jump as it stands.
        """
