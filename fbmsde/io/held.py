"""Columns of series that are held in memory: by pandas, by xarray, or by what can be turned into pandas."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from .columns import is_time_name
from .text_table import Column


@runtime_checkable
class Held(Protocol):
    """A Series or a DataFrame of pandas."""

    def to_numpy(self) -> Any:
        """The values as an array."""

    @property
    def index(self) -> Any:
        """The labels of the rows."""


@runtime_checkable
class Convertible(Protocol):
    """What pandas can hold: a DataArray or a Dataset of xarray, a table of pyarrow, a frame of polars."""

    def to_pandas(self) -> Any:
        """The same as a Series or a DataFrame."""


def held_columns(source: Held | Convertible) -> tuple[list[Column], Column | None]:
    """The columns of the source, and its index where that is none that merely counts the rows.

    The series of a DataArray of two dimensions run along the one that is a time by its name or its dates, else along
    the first. Raises ValueError for what fits into no table, such as an array of three dimensions.

    >>> import pandas
    >>> columns, index = held_columns(pandas.DataFrame({"a": [1, None], "b": ["x", "y"]}))
    >>> [column.name for column in columns], columns[0].values, columns[1].cells, index
    (['a', 'b'], array([ 1., nan]), ('x', 'y'), None)
    """
    held: Any = _as_pandas(source) if isinstance(source, Convertible) else source
    one = getattr(held, "ndim", 0) == 1
    frame: Any = held.to_frame(name="1" if held.name is None else held.name) if one else held
    columns = [_column(str(name), frame.iloc[:, j]) for j, name in enumerate(frame.columns)]
    counts = type(frame.index).__name__ == "RangeIndex"
    index = None if counts else _column("" if frame.index.name is None else str(frame.index.name), frame.index)
    return columns, index


def _as_pandas(source: Convertible) -> Any:
    """The source as pandas, with a time as rows."""
    dims = getattr(source, "dims", ())
    if hasattr(source, "transpose") and len(dims) == 2 and hasattr(source, "dtype"):
        later = [is_time_name(str(dim)) or source[dim].dtype.kind == "M" for dim in dims]  # type: ignore[index]
        source = source if later[0] or not later[1] else source.transpose()
    try:
        return source.to_pandas()
    except (TypeError, ValueError) as error:
        raise ValueError(f"source must fit into a table, got {type(source).__name__} ({error}).") from None


def _column(name: str, held: Any) -> Column:
    """A column or an index of pandas with NaN for missing values, or with its words if it holds no numbers."""
    if held.dtype == object or held.dtype.kind in "iuf":
        try:
            values = np.asarray(held.astype("float64"), dtype=float)
        except (TypeError, ValueError):
            pass
        else:
            faults = tuple(("missing", int(row) + 1) for row in np.flatnonzero(np.isnan(values)))
            return Column(name, values, (), faults)
    return Column(name, np.empty(0), tuple(map(str, held)))
