"""Drivers whose increments come from fitted models, and can tell how far these are from the exact law."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from .rational.certified import Certificate


@runtime_checkable
class Certified(Protocol):
    """A driver that may be made of rational models."""

    def certificates(self, n_steps: int) -> tuple[Certificate, ...]:
        """The certificates of its models for paths of `n_steps` steps; none where it is exact."""
