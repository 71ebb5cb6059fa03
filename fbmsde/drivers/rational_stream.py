"""The feed of a rational model: its recursion, run path by path as far as each path goes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..core.types import Array, Key
from ._recursion import Model, recursion_branch, recursion_lanes
from .base import LANES, Lanes
from .branching import Branch


def _independent() -> Array:
    """The mixing of components that are independent of each other."""
    return np.empty((0, 0))


@dataclass(frozen=True)
class ModelFeed:
    """The increments of a rational model times `scale`, of `dim` components, for any number of steps.

    `mixing` (dim, dim) is the lower-triangular factor of the correlation of the components, empty for independent ones;
    `dtype` is that of the states, float64 or float32.
    """

    model: Model
    key: Key
    dim: int = 1
    dtype: np.dtype = field(default=np.dtype(float))
    mixing: Array = field(default_factory=_independent)
    scale: float = 1.0
    max_paths: None = None

    def lanes(self, first: int, n_paths: int, width: int = LANES) -> Lanes:
        """Empty lanes, which serve any path; normals are drawn for the first `width` of them."""
        return recursion_lanes(self.model, self.key, self.dim, self.mixing, self.scale, self.dtype, width)

    def coordinates(self, rows: int, width: int) -> Lanes | None:
        """Lanes of which each is a component of one path: see `Spreading`. None if the components are correlated."""
        if self.mixing.size:
            return None
        return recursion_lanes(self.model, self.key, rows, self.mixing, self.scale, self.dtype, width, spread=True)

    def branch(self, lanes: Lanes) -> Branch:
        """The functions that copy lanes of this feed: see `Branching`."""
        return recursion_branch(lanes, self.dim, len(self.model.rho))
