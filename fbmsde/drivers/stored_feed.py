"""The feed of exact generators, which make whole paths: a block of them is held in memory at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.types import Key
from ._stored import stored_lanes
from .base import LANES, Lanes
from .exact.generators import Generator
from .mixture import Mixture

_STORED_NUMBERS = 2**22  # so many increments are held at once: 32 MiB


@dataclass(frozen=True)
class StoredFeed:
    """Whole paths of an exact generator for each component, a block of them in memory at a time."""

    generators: tuple[Generator, ...]
    n_steps: int
    key: Key
    mixture: Mixture
    scale: float
    dtype: np.dtype

    @property
    def max_paths(self) -> int:
        """Paths that one set of lanes may serve."""
        return max(2, min(8 * LANES, _STORED_NUMBERS // (self.n_steps * len(self.generators))) // 2 * 2)

    def lanes(self, first: int, n_paths: int, width: int = LANES) -> Lanes:
        """Lanes that read the increments of a range of paths, which are generated here."""
        increments = np.empty((len(self.generators), n_paths, self.n_steps), self.dtype)
        for j, generator in enumerate(self.generators):
            generator.fill(self.key, first, j, increments[j])
        return stored_lanes(self.mixture.applied(increments), first, self.scale)
