"""Passage times as tables of pandas and xarray, with units and what censoring means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..core.extras import optional
from ..core.types import AnyArray
from .departures import Departures

if TYPE_CHECKING:  # extras
    import pandas
    import xarray

UNITS = {"time": "unit of time of the equation", "place": "unit of the state of the equation"}
_MEANINGS = {
    "path": "number of the path in its run",
    "time": "time of exit; of a censored path the last time at which it was seen inside",
    "censored": "the path was not seen to leave: its exit is later than its time",
    "broken": "the censored path left the finite numbers, so that nothing is known behind its time",
    "side": "side through which the path left, empty if it was not seen to leave",
    "place": "first point of the path that was not inside, nan if it was not seen to leave",
}

Columns = Mapping[str, AnyArray]
Attributes = Mapping[str, object]


def frame_of(columns: Columns, departures: Departures | None, attributes: Attributes) -> pandas.DataFrame:
    """The columns and the departures as a table, a row for each path."""
    pandas = optional("pandas", "store")
    table = dict(columns)
    if departures is not None:
        codes = departures.codes.astype(np.int64) - 1
        table["side"] = pandas.Categorical.from_codes(codes, categories=list(departures.names))
        rows = departures.places
        table |= {"place": rows} if rows.ndim == 1 else {f"place_{j}": rows[:, j] for j in range(rows.shape[1])}
    frame = pandas.DataFrame(table)
    frame.attrs = {"units": dict(UNITS), "meaning": dict(_MEANINGS), **attributes}
    return frame


def set_of(columns: Columns, departures: Departures | None, attributes: Attributes) -> xarray.Dataset:
    """The columns and the departures as a data set with the dimension "path"."""
    xarray = optional("xarray", "store")
    variables: dict[str, tuple[object, AnyArray]] = {name: ("path", column) for name, column in columns.items()}
    numbers = {"path": variables.pop("path")}
    if departures is not None:
        variables["side"] = ("path", np.array(("", *departures.names), dtype=object)[departures.codes])
        variables["place"] = (("path", "coordinate")[: departures.places.ndim], departures.places)
    told = {name: value for name, value in attributes.items() if value not in (None, "")}
    if "provenance" in told:
        told["provenance"] = json.dumps(told["provenance"])
    found = xarray.Dataset(variables, numbers, told)
    for name, variable in found.variables.items():
        variable.attrs["long_name"] = _MEANINGS[name]
        if name in UNITS:
            variable.attrs["units"] = UNITS[name]
    return found
