"""Which columns of a table are series: those that are asked for, or all but words, dates, an index and a time."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..core.types import Array
from .text_table import Column, is_day

_TIME_NAME = re.compile(
    r"(t|time|times|timestamp|date|dates|datetime|day|days|month|months|year|years|hour|hours|minute|minutes|second|"
    r"seconds|index|idx|step|steps|row|zeit|datum|jahr|unnamed: 0|__index_level_0__|)(\s*[\[(].*[\])])?",
    re.IGNORECASE,
)
_SHORTEST_TIME = 8  # a column with fewer values than this is never recognised as a time by its values
UNEVEN = "taken as equally spaced all the same"  # in every note on a time that is not equally spaced
_STRAIGHT = 0.02  # how far, in steps, rounding may move a time away from a straight line


def label(name: str) -> str:
    """The words with which a note names a column.

    >>> label("price")
    "column 'price'"
    """
    return f"column {name!r}" if name else "the column without a name"


def is_time_name(name: str) -> bool:
    """True for the name of a time or an index, such as "time", "date (UTC)" or nothing at all.

    >>> is_time_name("Time [s]"), is_time_name("price")
    (True, False)
    """
    return _TIME_NAME.fullmatch(name.strip()) is not None


def uneven_index(index: Column) -> str:
    """A sentence if the index of a table is not equally spaced, else an empty text.

    >>> uneven_index(Column("time", np.array([0.0, 1.0, 5.0]))).partition(",")[0]
    "the index 'time' is not equally spaced"
    """
    steps = np.diff(index.values)
    rising = steps.size > 0 and bool((steps > 0).all()) and not is_day(index.values)
    told = _uneven_dates(index.cells) if index.cells else _uneven(steps) if rising else ""
    return f"the index {index.name!r} is not equally spaced{told}" if told else ""


def as_wanted(column: str | int | Sequence[str | int]) -> tuple[str, ...]:
    """The names and numbers of columns as texts; TypeError for anything else.

    >>> as_wanted("price"), as_wanted([2, "price"])
    (('price',), ('2', 'price'))
    """
    each = [column] if isinstance(column, str) or not isinstance(column, Iterable) else list(column)
    for one in each:
        if not isinstance(one, (str, int)) or isinstance(one, bool):
            raise TypeError(f"column must be a name, a number from 1 or several of them, got {one!r}.")
    return tuple(map(str, each))


def chosen_columns(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Places of the columns that are wanted by name or, if no name fits, by number from 1; all if none is wanted.

    Raises ValueError for a text that is neither a name nor a number, and for a name that two columns have.

    >>> chosen_columns(["price", "volume", "rate"], ["rate", "1:2"])
    [2, 0, 1]
    """
    places = []
    for want in _separate(names, wanted):
        same = [i for i, name in enumerate(names) if name == want]
        if not same and want.isdecimal() and 1 <= int(want) <= len(names):
            same = [int(want) - 1]
        if len(same) != 1:
            known = ", ".join(repr(name) for name in names[:20]) + ", ..." * (len(names) > 20)
            raise ValueError(f"column must be one of {known} or a number from 1 to {len(names)}, got {want!r}.")
        places += same
    return list(dict.fromkeys(places)) if wanted else list(range(len(names)))


def _separate(names: Sequence[str], wanted: Sequence[str]) -> Iterator[str]:
    """The wanted columns one by one: names unchanged, other texts cut at commas, and ranges such as 2:5 as numbers."""
    for want in wanted:
        for part in [want] if want in names else want.split(","):
            ends = re.fullmatch(r"(\d{1,6}):(\d{1,6})", part)
            if ends is None or part in names:
                yield part if part in names else part.strip()
            else:
                yield from map(str, range(int(ends[1]), int(ends[2]) + 1))


def columns_left_out(found: Sequence[Column]) -> dict[int, str]:
    """The places of the columns that are no series, each with the reason: words, no values, an index or a time.

    >>> columns_left_out([Column("step", np.arange(9.0)), Column("x", np.ones(9))])
    {0: 'an index or a time by its name'}
    """
    reasons: dict[int, str] = {}
    for i, column in enumerate(found):
        if not any(column.cells) and np.isnan(column.values).all():
            reasons[i] = "it is empty"
        elif column.cells:
            reasons[i] = f"it holds no numbers but {column.cells[0]!r}" + _uneven_dates(column.cells)
    rest = [i for i in range(len(found)) if i not in reasons]
    times = {i: reason for i in rest if (reason := _time_by_name(found[i]))}
    if len(times) < len(rest):
        reasons |= times
        rest = [i for i in rest if i not in times]
    if not times and len(rest) > 1:
        reasons |= _time_by_value(found, rest)
    return reasons


def _time_by_name(column: Column) -> str:
    """The reason why a column is an index or a time by its name, empty if it is none."""
    values = column.values
    if not is_time_name(column.name) or np.isnan(values).any():
        return ""
    steps = np.diff(values)
    calendar = column.name.strip().lower() in ("", "day", "month", "year", "hour", "minute", "second")
    if not calendar and not (steps >= 0).all():
        return ""
    return "an index or a time by its name" + (_uneven(steps) if (steps > 0).all() and not is_day(values) else "")


def _time_by_value(found: Sequence[Column], rest: Sequence[int]) -> dict[int, str]:
    """The column that is a time by its values, with the reason; empty if there is none.

    It is the first one that changes in equal steps, or else the first column of all if no other one rises throughout.
    """
    steps = {i: np.diff(found[i].values) for i in rest}
    if found[rest[0]].values.size < _SHORTEST_TIME:
        return {}
    for i in rest:
        values = found[i].values
        step = (values[-1] - values[0]) / (values.size - 1)
        line = values[0] + step * np.arange(values.size)
        if step != 0 and np.abs(values - line).max() <= _STRAIGHT * abs(step):
            return {i: "an index or a time: it changes in equal steps"}
    rising = [i for i in rest if (steps[i] > 0).all()]
    if rising == [rest[0]]:
        uneven = "" if is_day(found[rest[0]].values) else _uneven(steps[rest[0]])
        return {rest[0]: "a time: it alone rises in every line" + uneven}
    return {}


def _uneven(steps: Array) -> str:
    """A warning if the steps of a time differ by more than the months of a year do, else an empty text."""
    if not steps.size or steps.max() <= 1.15 * steps.min():
        return ""
    return (f", in steps from {steps.min():.6g} to {steps.max():.6g}; "
            f"the values are {UNEVEN}")  # fmt: skip


def _uneven_dates(cells: Sequence[str]) -> str:
    """The warning of `_uneven` for dates written as 2024-01-31, with or without a time; empty for other words."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            times = np.array(cells, dtype="datetime64")
    except ValueError:
        return ""
    steps, unit = np.diff(times.astype(np.int64)), np.datetime_data(times.dtype)[0]
    if not (steps > 0).all():
        return ""
    warning = _uneven(steps.astype(float))
    return warning.replace("; the", f" ({unit}); the")
