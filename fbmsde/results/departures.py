"""`Departures`: through which side each path has left, and where it was then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core import checks
from ..core.show import Shown
from ..core.types import Array


@dataclass(frozen=True, eq=False, repr=False)
class Departures(Shown):
    """Where paths have left a domain. `PassageTimes.side` and `PassageTimes.place` read it.

    codes : 0 for a path that was not seen to leave, otherwise the number of its side, from 1 on, (n_paths,).
    names : the names of the sides 1, 2, ...: "lower" and "upper" for an interval, "level" for a level set, or the
        names that the domain gives to its level sets.
    places : the first point that was not inside, (n_paths,) in one dimension and (n_paths, dim) in more; nan for a
        path that was not seen to leave. On a grid it lies beyond the boundary.

    Raises ValueError unless every code is 0 or has a name, and there is one place for each code.

    >>> Departures(np.array([2, 0, 1]), ("lower", "upper"), np.array([1.1, np.nan, -1.2])).sides
    array(['upper', '', 'lower'], dtype='<U5')
    """

    codes: NDArray[np.uint8]
    names: tuple[str, ...]
    places: Array

    def __post_init__(self) -> None:
        codes, places = np.asarray(self.codes), checks.reals("places", self.places)
        if codes.ndim != 1 or codes.dtype.kind not in "iu":
            raise ValueError(f"codes must be whole numbers of one dimension, got shape {codes.shape} of {codes.dtype}.")
        if codes.size and not (codes.min() >= 0 and codes.max() <= len(self.names)):
            raise ValueError(
                f"codes must lie in 0 ... {len(self.names)}, the number of names, got {codes.min()} to {codes.max()}."
            )
        if places.ndim not in (1, 2) or len(places) != codes.size:
            raise ValueError(f"places must hold {codes.size} points, got shape {places.shape}.")
        for name, value in (("codes", codes.astype(np.uint8)), ("names", tuple(self.names)), ("places", places)):
            object.__setattr__(self, name, value)

    @classmethod
    def concat(cls, parts: Sequence[Departures]) -> Departures:
        """The departures of several runs with the same sides, path after path in their order."""
        places = np.concatenate([part.places for part in parts])
        return cls(np.concatenate([part.codes for part in parts]), parts[0].names, places)

    @property
    def sides(self) -> NDArray[np.str_]:
        """The name of each path's side, empty for paths that were not seen to leave, (n_paths,)."""
        return np.array(("", *self.names))[self.codes]
