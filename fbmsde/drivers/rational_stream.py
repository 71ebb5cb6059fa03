"""The feed of rational models: their recursion, run path by path as far as each path goes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..core import checks
from ..core.types import Key
from ._recursion import recursion_branch, recursion_lanes, recursion_start
from .base import LANES, Lanes
from .branching import Branch
from .mixture import Mixture
from .rational.model import RationalModel
from .stationary import LinearStart


@dataclass(frozen=True)
class ModelFeed:
    """The increments of rational models times `scale`, of `dim` components, for any number of steps.

    `model` is that of all components, or a tuple with the model of each; `mixture` makes the components of independent
    ones, None for those themselves; `dtype` is that of the states, float64 or float32.
    """

    model: RationalModel | tuple[RationalModel, ...]
    key: Key
    dim: int = 1
    dtype: np.dtype = field(default=np.dtype(float))
    mixture: Mixture | None = None
    scale: float = 1.0
    max_paths: None = None

    @property
    def models(self) -> tuple[RationalModel, ...]:
        """The model of each component, (dim,)."""
        return self.model if isinstance(self.model, tuple) else (self.model,) * self.dim

    @property
    def mixed(self) -> Mixture:
        """How the components are made of independent ones."""
        return self.mixture or Mixture.none(self.dim)

    def lanes(self, first: int, n_paths: int, width: int = LANES) -> Lanes:
        """Empty lanes, which serve any path; normals are drawn for the first `width` of them."""
        return recursion_lanes(self.models, self.key, self.mixed, self.scale, self.dtype, width)

    def coordinates(self, rows: int, width: int, paths: int = 1) -> Lanes | None:
        """Lanes of which each is a component of a path: see `Spreading`.

        None for components of several models, and for a matrix that mixes them.
        """
        models, mixed, n_lanes = self.models, self.mixed, width // paths
        if mixed.matrix.size or len(set(map(id, models))) > 1:
            return None
        each = np.empty((0, 0))
        if not mixed.is_none:
            padded = np.zeros(rows * n_lanes)
            padded[: self.dim] = mixed.weights
            each = np.tile(padded.reshape(rows, n_lanes), paths)
        alike = (models[0],) * rows, self.key, Mixture.none(rows)
        return recursion_lanes(*alike, self.scale, self.dtype, width, n_lanes, each)

    def branch(self, lanes: Lanes) -> Branch:
        """The functions that copy lanes of this feed: see `Branching`."""
        return recursion_branch(lanes, self.dim, max(len(model.q) for model in self.models))

    def linear_start(self, phi: float) -> LinearStart:
        """The start of a stationary linear chain, the same for each component: see `Stationary`.

        `mixed` is to be applied to the starts of the components as it is to the increments. ValueError for components
        of several models.
        """
        if len(set(map(id, self.models))) > 1:
            raise ValueError(f"noise must have one model for a stationary start, got {len(set(self.models))} of them.")
        return recursion_start(self.models[0], checks.stable("phi", phi))
