"""Arrays of floats from the objects that people keep series in: lists, arrays, masked arrays and data frames."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray


def series_rows(x: Any) -> NDArray[np.float64]:
    """The series in `x` as floats, (n,) for one and (n_series, n) for several: NaN where a value is masked or missing.

    An array holds one series per row, a data frame (anything with ``columns`` and ``to_numpy``) one per column. What
    holds series of its own, such as the result of `read_series`, hands them out as an array. Raises TypeError for
    values that are not real numbers, ValueError for no values and for more than two dimensions.

    >>> series_rows(np.ma.array([1, 2, 3], mask=[False, True, False]))
    array([ 1., nan,  3.])
    """
    values = np.asanyarray(x.to_numpy() if hasattr(x, "to_numpy") else x)
    if values.dtype == object:
        values = _numbers(values)
    if values.dtype.kind not in "fiu":
        raise TypeError(f"x must hold real numbers, got {_foreign(x, values)}")
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


def _foreign(x: Any, values: NDArray[Any]) -> str:
    """The words for values that are no numbers: the column of a data frame, the file or the object that holds them."""
    if values.ndim == 0:
        advice = "Read a file by read_series" if values.dtype.kind in "US" else "Pass its series as an array"
        return f"{x!r:.60}. {advice}."
    if not hasattr(x, "columns") or values.ndim != 2:
        return f"dtype {values.dtype}."
    for name, cells in zip(x.columns, values.T, strict=True):
        if _numbers(cells).dtype.kind not in "fiu":
            return f"{str(cells[0])[:40]!r} in column {name!r}. Leave it out, or pass read_series(x), which does."
    return f"columns of dtype {values.dtype}."
