"""Noises that are linear maps of independent standard normals, as conditioning and instantons need."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..core.types import Array
from .base import Driver


@runtime_checkable
class FromNormals(Protocol):
    """A noise whose unit-step increments are a linear map L of independent standard normals."""

    def n_normals(self, n_steps: int) -> int:
        """The number of normals from which `n_steps` increments are made."""

    def increments(self, normals: Array) -> Array:
        """``L normals`` for each row: increments (n_paths, n_steps) of normals (n_paths, n_normals)."""

    def pull_back(self, weights: Array) -> Array:
        """``L' weights`` for each row, the gradient of ``weights . increments`` with respect to the normals.

        `weights` is (n_paths, n_steps), the result (n_paths, n_normals).
        """


@runtime_checkable
class JointlyNormal(Protocol):
    """A driver that tells whether the increments of a path are jointly normal with mean 0.

    Two independent paths x and y of such a noise then give a third one, ``rho x + sqrt(1 - rho^2) y``, of the same law.
    """

    @property
    def jointly_normal(self) -> bool:
        """Whether they are, for the parameters that the driver has."""


def is_jointly_normal(driver: Driver) -> bool:
    """Whether the increments of a path are jointly normal with mean 0; False for a driver that does not tell.

    >>> from fbmsde import FractionalNoise, StableNoise
    >>> is_jointly_normal(FractionalNoise(0.3)), is_jointly_normal(StableNoise(1.5))
    (True, False)
    """
    return isinstance(driver, JointlyNormal) and driver.jointly_normal
