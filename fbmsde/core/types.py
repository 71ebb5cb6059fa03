"""Array types that all folders share."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

AnyArray = NDArray[Any]
Floats = NDArray[np.float64] | NDArray[np.float32]  # of the type that was asked for
Key = NDArray[np.uint64]
SeriesKind = Literal["increments", "path"]  # of a series: the noise, or the process whose differences are the noise
