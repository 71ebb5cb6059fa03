"""How the paths of a run have ended: the arrays that kernels write, one entry for each path."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import typeof
from numpy.typing import NDArray

from ..core.types import Array


class Ends(NamedTuple):
    """The ends of paths.

    steps : the number of the step at which each path ended, (n_paths,).
    states : how it ended, a code of `core.states`, (n_paths,).
    sides : for paths that left, the number of the rim that they passed, from 1 on; otherwise 0, (n_paths,).
    places : for paths that left, the first point that was not inside; otherwise nan, (n_paths, n_coordinates). With no
        coordinates no place is kept.
    first : the number of the path whose end the first entry is. Kernels count paths by their entry and seed them by
        their number.
    """

    steps: NDArray[np.int64]
    states: NDArray[np.uint8]
    sides: NDArray[np.uint8]
    places: Array
    first: int

    @classmethod
    def open(cls, n_paths: int, n_coordinates: int, first: int = 0) -> Ends:
        """The ends of paths that have not been followed yet."""
        codes = np.zeros(n_paths, np.uint8), np.zeros(n_paths, np.uint8)
        return cls(np.zeros(n_paths, np.int64), *codes, np.full((n_paths, n_coordinates), np.nan), first)


ENDS = typeof(Ends.open(1, 1))
