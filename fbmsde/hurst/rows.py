"""Arrays of floats from the objects that people keep series in: lists, arrays, masked arrays and data frames."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray


def series_rows(x: Any) -> NDArray[np.float64]:
    """The series in `x` as floats, (n,) for one and (n_series, n) for several: NaN where a value is masked or missing.

    An array holds one series per row, a data frame (anything with ``columns`` and ``to_numpy``) one per column.
    Raises TypeError for values that are not real numbers, ValueError for no values and for more than two dimensions.

    >>> series_rows(np.ma.array([1, 2, 3], mask=[False, True, False]))
    array([ 1., nan,  3.])
    """
    values = np.asanyarray(x.to_numpy() if hasattr(x, "to_numpy") else x)
    if values.dtype == object:
        values = _numbers(values)
    if values.dtype.kind not in "fiu":
        raise TypeError(f"x must hold real numbers, got dtype {values.dtype}.")
    if values.ndim not in (1, 2) or values.size == 0:
        raise ValueError(f"x must have shape (n,) or (n_series, n), got {values.shape}.")
    floats = values.astype(float, copy=False)
    unmasked = floats.filled(np.nan) if isinstance(floats, np.ma.MaskedArray) else np.asarray(floats)
    return np.ascontiguousarray(unmasked.T) if hasattr(x, "columns") else unmasked


def _numbers(values: NDArray[Any]) -> NDArray[Any]:
    """Floats for an array of objects that are numbers, None or pandas.NA; any other array of objects unchanged."""
    missing = [value is None or type(value).__name__ == "NAType" for value in values.flat]  # pandas.NA, not imported
    known = [value for value, absent in zip(values.flat, missing, strict=True) if not absent]
    if not all(isinstance(value, numbers.Real) and not isinstance(value, bool) for value in known):
        return values
    floats = np.full(values.size, np.nan)
    floats[~np.array(missing, dtype=bool)] = known
    return floats.reshape(values.shape)
