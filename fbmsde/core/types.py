"""Types that all folders share: those of arrays, and of series that know how they are spaced in time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

AnyArray = NDArray[Any]
Floats = NDArray[np.float64] | NDArray[np.float32]  # of the type that was asked for
Key = NDArray[np.uint64]
SeriesKind = Literal["increments", "path"]  # of a series: the noise, or the process whose differences are the noise


class Spaced(ABC):
    """Series that know where they are not equally spaced in time."""

    @property
    @abstractmethod
    def spacing(self) -> tuple[str, ...]:
        """A sentence for each time that is not equally spaced."""
