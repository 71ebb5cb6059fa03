"""Array types that all folders share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

AnyArray = NDArray[Any]
Key = NDArray[np.uint64]
