"""The feed of a rational model: its recursion, run path by path as far as each path goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.types import Array, Key
from ._recursion import recursion_kit
from .base import LANES


def _independent() -> Array:
    """The mixing of components that are independent of each other."""
    return np.empty((0, 0))


@dataclass(frozen=True)
class ModelFeed:
    """Unit-step increments of a rational model, of `dim` components, for any number of steps."""

    model: Any
    key: Key
    dim: int = 1
    dtype: Any = field(default=np.dtype(float))
    mixing: NDArray[np.float64] = field(default_factory=_independent)
    max_paths: None = None

    def kit(self, first: int, n_paths: int) -> tuple[Any, Any, tuple[Any, ...]]:
        """Empty lanes, of which so many are used that no normals are drawn for lanes that stay empty."""
        start, draw, data = recursion_kit(self.model, self.key, self.dim, self.mixing, self.dtype)
        *others, shocks, normals = data
        return start, draw, (*others, np.ascontiguousarray(shocks[:, : min(n_paths, LANES)]), normals)
