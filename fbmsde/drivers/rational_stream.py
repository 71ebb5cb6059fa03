"""The feed of a rational model: its recursion, run path by path as far as each path goes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..core import checks
from ..core.types import Array, Key
from ._recursion import recursion_branch, recursion_lanes, recursion_start
from .base import LANES, Lanes
from .branching import Branch
from .rational.model import RationalModel
from .stationary import LinearStart


def _independent() -> Array:
    """The mixing of components that are independent of each other."""
    return np.empty((0, 0))


@dataclass(frozen=True)
class ModelFeed:
    """The increments of a rational model times `scale`, of `dim` components, for any number of steps.

    `mixing` (dim, dim) is the lower-triangular factor of the correlation of the components, empty for independent ones;
    `dtype` is that of the states, float64 or float32.
    """

    model: RationalModel
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
        return recursion_branch(lanes, self.dim, len(self.model.q))

    def linear_start(self, phi: float) -> LinearStart:
        """The start of a stationary linear chain: see `Stationary`; correlated components have correlated starts.

        With them, `mixing` is to be applied to the starts as it is to the increments.
        """
        return recursion_start(self.model, checks.stable("phi", phi))
