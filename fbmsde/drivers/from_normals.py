"""Noises that are linear maps of independent standard normals, as conditioning and instantons need."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..core.types import Array


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
