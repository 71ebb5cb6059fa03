"""Tables of numbers in text: finding the mark between columns, the decimal mark and the header, and reading them."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ..core.types import Array

Cells = list[str]

BLANKS = ""  # the separator that stands for any run of blanks and tabs
_STRONG = "\t;|"  # marks that hardly ever stand inside a number
_MISSING = {"", "na", "n/a", "#n/a", "nan", "null", "none", "missing", "-", "--", ".", "?"}
_SAMPLE = 1000  # the layout is found from so many lines
_CHUNK = 2**16  # so many lines are turned into numbers at once
_NO_BREAK = re.compile("(?<=\\d)[\u00a0\u202f](?=\\d{3})")  # blanks between thousands
_UNNATURAL = re.compile(r"[+-]?0\d.*|-0")  # nobody writes a whole number so; it is what follows a decimal comma
_DAY = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True)
class Dialect:
    """A way to write numbers in columns: the mark between columns and the decimal mark.

    >>> list(Dialect(";", ",").split(["1,5; 2"])), Dialect(";", ",").number("1.234,5")
    ([['1,5', '2']], 1234.5)
    """

    separator: str
    decimal: str

    def split(self, lines: Iterable[str]) -> Iterator[Cells]:
        """The cells of each line, without blanks around them."""
        if self.separator == BLANKS:
            rows = ([cell.strip('"') for cell in line.split()] if '"' in line else line.split() for line in lines)
            return (row or [""] for row in rows)
        quoted = csv.reader(lines, delimiter=self.separator, skipinitialspace=True)
        return ([cell.strip() for cell in row] or [""] for row in quoted)

    def number(self, cell: str) -> float | None:
        """The number in a cell, NaN if the cell is empty or a word such as NA, None if it holds anything else."""
        if self.decimal == "." and "_" not in cell:
            try:
                return float(cell)
            except ValueError:
                pass
        if cell.lower() in _MISSING:
            return float("nan")
        grouping = ("," if self.decimal == "." else ".") + "'"
        grouping += " " if self.separator and self.separator in _STRONG else ""
        pattern = (
            rf"[+-]?(?:[1-9]\d{{0,2}}(?:[{grouping}]\d{{3}})+|\d+)(?:{re.escape(self.decimal)}\d*)?(?:[eEdD][+-]?\d+)?"
        )
        if re.fullmatch(pattern, cell) is None:
            return None
        plain = re.sub(f"[{grouping}]", "", cell).replace(self.decimal, ".")
        return float(re.sub("[dD]", "e", plain))


@dataclass(frozen=True)
class Layout:
    """What the first lines of a table tell about it.

    dialect : its marks. width : the number of columns.
    n_header, names : the number of header lines, and the names of the columns.
    numeric : True for each column that holds numbers.
    sample : the numbers in the first lines, (n_numeric_columns, n_lines).
    words : the number of cells without a number in columns of numbers.
    oddities : the number of signs that the dialect is not that of the file.
    """

    dialect: Dialect
    width: int
    n_header: int
    names: tuple[str, ...]
    numeric: tuple[bool, ...]
    sample: Array
    words: int
    oddities: int

    @property
    def rank(self) -> tuple[int, bool]:
        """The order of layouts, smaller is better: by cells without a number, then by marks rarely found in numbers."""
        return self.words, not (self.width > 1 and self.dialect.separator in tuple(_STRONG))


@dataclass(frozen=True)
class Column:
    """A column of a table.

    values : its numbers, with NaN for a cell that holds none; empty if the column holds words.
    cells : its texts if the column holds words, else empty.
    faults : each cell without a number, with its line counted from 1.
    """

    name: str
    values: Array
    cells: tuple[str, ...] = ()
    faults: tuple[tuple[str, int], ...] = ()


class Lines:
    """The lines of a text that are no comments, with their `places` in the file, counted from 0.

    Empty lines at the top and at the end are left out.
    """

    def __init__(self, text: str, skip: int) -> None:
        lines = re.split(r"\r*\n|\r", _NO_BREAK.sub("'", text.replace("\u2212", "-")))
        kept = [i for i in range(skip, len(lines)) if not lines[i].lstrip().startswith(("#", "%"))]
        filled = [i for i in kept if lines[i].strip()]
        first, last = (filled[0], filled[-1]) if filled else (0, -1)
        self.places = [i for i in kept if first <= i <= last]
        self.lines = [lines[i] for i in self.places]
        self.n_comments = len(lines) - skip - len(kept)

    @property
    def n_blank(self) -> int:
        """The number of empty lines between others."""
        return sum(not line.strip() for line in self.lines)


def find_layout(lines: Lines, decimal: str | None, kind: str | None) -> Layout:
    """The layout under which the lines are a table; ValueError if there is none or if two are equally likely.

    `decimal` and `kind` are the options of `read_series`.

    >>> find_layout(Lines("a;b\\n1,5;2\\n2,5;3\\n", 0), None, None).dialect
    Dialect(separator=';', decimal=',')
    """
    sample = [line for line in islice(lines.lines, _SAMPLE) if line.strip()]
    separators = [mark for mark in (*_STRONG, ",") if any(mark in line for line in sample)]
    found: list[Layout] = []
    reasons = [] if sample else ["file must hold numbers, got none."]
    for separator in (*separators, BLANKS) if sample else ():
        for mark in decimal or ".,":
            try:
                found.append(_layout(Dialect(separator, mark), sample, kind))
            except ValueError as reason:
                reasons.append(str(reason))
    if not found:
        raise ValueError(reasons[0])
    best = min(layout.rank for layout in found)
    found = [layout for layout in found if layout.rank == best]
    least = min(layout.oddities for layout in found)
    found = [layout for layout in found if layout.oddities == least]
    for other in found[1:]:
        if not np.array_equal(other.sample, found[0].sample, equal_nan=True):
            _refuse_both(found[0], other, sample)
    return found[0]


def _refuse_both(one: Layout, other: Layout, sample: Sequence[str]) -> None:
    """Raise ValueError for two layouts that read different numbers from the lines and are equally likely."""
    line = sample[-1].strip()
    readings = " or ".join(
        " and ".join(f"{value:g}" for value in layout.sample[:, -1].tolist()) for layout in (one, other)
    )
    raise ValueError(f"file must be readable in one way only, got {line!r}, which may be {readings}. "
                     "Say which mark is decimal by decimal='.' or decimal=',', or part columns by ';'.")  # fmt: skip


def _layout(dialect: Dialect, sample: Sequence[str], kind: str | None) -> Layout:
    """The layout of the lines in this dialect; ValueError if they are no table in it."""
    try:
        rows = list(dialect.split(sample))
    except csv.Error as error:
        raise ValueError(f"file must be a table, got one that is broken ({error}).") from None
    if dialect.separator == dialect.decimal and not _decimals_inside(rows, dialect):
        raise ValueError(f"decimal must differ from the mark between columns, got {dialect.decimal!r} for "
                         f"{sample[-1].strip()[:40]!r}. Separate columns by ';' or put numbers in quotes.")  # fmt: skip
    rows, width = _rectangle(rows)
    halves = [[row for row in part if len(row) == width] for part in (rows[len(rows) // 2 :], rows)]
    numeric = tuple(any(_mostly_numbers([row[j] for row in half], dialect) for half in halves) for j in range(width))
    if not any(numeric):
        raise ValueError("file must hold numbers, got none.")
    n_header = _header_lines(rows, numeric, dialect)
    n_header = n_header or int(_numbered_header(rows, dialect, kind))
    header, body = rows[:n_header], rows[n_header:]
    for row in body:
        if len(row) != width:
            raise ValueError(f"file must have as many cells in every line, got {width} and {len(row)} "
                             f"({','.join(row)[:40]!r}). Leave out lines before the table by skip=1.")  # fmt: skip
    parsed = [[dialect.number(row[j]) for row in body] for j in range(width)]
    words = sum(value is None for column in parsed for value in column)
    if width == 1 and words and "," in "".join(row[0] for row in body if dialect.number(row[0]) is None):
        raise ValueError("file must hold numbers, got several in a line.")
    if not body or (len(body) == 1 and words):
        raise ValueError("file must hold numbers, got none.")
    sample_values = np.array([[np.nan if v is None else v for v in parsed[j]] for j in range(width) if numeric[j]])
    names, fits = _names(header, width)
    oddities = (not fits) + _oddities(dialect, [cell for row in body for cell in row], header)
    return Layout(dialect, width, n_header, names, numeric, sample_values, words, oddities)


def _decimals_inside(rows: Sequence[Cells], dialect: Dialect) -> bool:
    """True if the decimal mark stands inside of numbers, which quotes hold together where it separates columns too."""
    return any(dialect.decimal in cell and dialect.number(cell) is not None for row in rows for cell in row)


def _rectangle(rows: list[Cells]) -> tuple[list[Cells], int]:
    """The rows without the empty cells that trailing separators leave, and their usual width."""
    width = Counter(map(len, rows)).most_common(1)[0][0]
    usual = [rows[0][:width] + [""] * (width - len(rows[0])), *(r for r in rows[len(rows) // 2 :] if len(r) == width)]
    while width > 1 and all(row[width - 1] == "" for row in usual):
        width -= 1
    return [row[:width] if len(row) > width and not any(row[width:]) else row for row in rows], width


def _mostly_numbers(cells: Sequence[str], dialect: Dialect) -> bool:
    """True if at least half of the cells that are not missing hold numbers."""
    values = [dialect.number(cell) for cell in cells if cell.lower() not in _MISSING]
    return len(values) > 0 and sum(value is not None for value in values) * 2 >= len(values)


def _header_lines(rows: Sequence[Cells], numeric: Sequence[bool], dialect: Dialect) -> int:
    """Number of leading lines that have a word in a column of numbers, or another width and a word in any place."""
    for place, row in enumerate(rows):
        told = zip(row, numeric, strict=True) if len(row) == len(numeric) else ((cell, True) for cell in row)
        if not any(is_number and dialect.number(cell) is None for cell, is_number in told):
            return place
    return len(rows)


def _numbered_header(rows: Sequence[Cells], dialect: Dialect, kind: str | None) -> bool:
    """True if the first line numbers the columns, as data frames without names are written."""
    labels = [cell.strip() for cell in rows[0]]
    n_index = int(len(labels) > 1 and labels[0] == "")
    labels, body = labels[n_index:], [row[n_index:] for row in rows[1:] if len(row) == len(rows[0])]
    if len(body) < 2 or not all(re.fullmatch(r"\d{1,6}", label) for label in labels):
        return False
    first = int(labels[0])
    if [int(label) for label in labels] != list(range(first, first + len(labels))):
        return False
    whole = any(all(re.fullmatch(r"[+-]?\d*", row[j]) for row in body) for j in range(len(labels)))
    if len(labels) > 1 or n_index:
        return (first == 0 and len(labels) > 2) or (first == 0 and n_index == 1) or not whole
    return first == 0 and not whole and not _begins_at_zero(body, dialect, kind)


def _begins_at_zero(body: Sequence[Cells], dialect: Dialect, kind: str | None) -> bool:
    """True if a lone 0 above one column may be the first value of a path, because the next step is like the others."""
    if kind == "increments":
        return False
    values = np.array([value for row in body if (value := dialect.number(row[0])) is not None])
    steps = np.abs(np.diff(values[np.isfinite(values)]))
    return steps.size > 0 and abs(values[0]) <= 8.0 * float(np.median(steps))


def _names(header: Sequence[Cells], width: int) -> tuple[tuple[str, ...], bool]:
    """Names of the columns from the first header line that fits, else their numbers; and False if none of them fits."""
    for row in header:
        if len(row) == width:
            return tuple(row), True
    if len(header) == 1 and len(header[0]) == width - 1:  # as R writes a table with row names
        return ("", *header[0]), True
    return tuple(f"{j + 1}" for j in range(width)), not header


def _oddities(dialect: Dialect, cells: Sequence[str], header: Sequence[Cells]) -> int:
    """Number of signs that the dialect is not that of the file. They decide between layouts of equal rank."""
    inside = dialect.separator != "," and any("," in cell for row in header for cell in row)
    commas, points = any("," in cell for cell in cells), any("." in cell for cell in cells)
    if dialect.decimal == ",":
        return inside + (not commas)
    german = dialect.separator == ";" and commas and not points
    return german + (dialect.separator == "," and any(_UNNATURAL.fullmatch(cell) is not None for cell in cells))


def read_columns(lines: Lines, layout: Layout) -> list[Column]:
    """All columns of the table, in order. An empty line in a table of one column is a missing value.

    Raises ValueError that names the first line whose width differs from that of the table.

    >>> lines = Lines("a\\n1\\n\\n3\\n", 0)
    >>> read_columns(lines, find_layout(lines, None, None))[0].values
    array([ 1., nan,  3.])
    """
    filled = [i for i, line in enumerate(lines.lines) if line.strip()][layout.n_header :]
    keep = range(filled[0], len(lines.lines)) if layout.width == 1 else filled
    parts: list[list[Array]] = [[] for _ in layout.names]
    cells: list[list[str]] = [[] for _ in layout.names]
    faults: list[list[tuple[str, int]]] = [[] for _ in layout.names]
    for first in range(0, len(keep), _CHUNK):
        chosen = keep[first : first + _CHUNK]
        places = [lines.places[i] + 1 for i in chosen]
        rows = _checked_rows(layout, [lines.lines[i] for i in chosen], places)
        for j, is_number in enumerate(layout.numeric):
            column = [row[j] for row in rows]
            if is_number:
                values = np.array([layout.dialect.number(cell) for cell in column], dtype=float)  # None becomes NaN
                parts[j].append(values)
                faults[j] += [(column[i], places[i]) for i in np.flatnonzero(np.isnan(values))]
            else:
                cells[j] += column
    values_of = (np.concatenate(part) if part else np.empty(0) for part in parts)
    return [
        Column(name, values, tuple(column), tuple(fault))
        for name, values, column, fault in zip(layout.names, values_of, cells, faults, strict=True)
    ]


def _checked_rows(layout: Layout, lines: Sequence[str], places: Sequence[int]) -> list[Cells]:
    """The cells of the lines; ValueError that names the first line whose width differs from that of the table."""
    try:
        rows = list(layout.dialect.split(lines))
    except csv.Error as error:
        raise ValueError(f"file must be a table, got one that is broken ({error}).") from None
    if len(rows) != len(places):
        raise ValueError("file must have one line of text for each line of the table, got cells with line breaks.")
    for row, place in zip(rows, places, strict=True):
        if len(row) < layout.width or any(row[layout.width :]):
            raise ValueError(f"file must have as many cells in every line, got {layout.width} and, in line {place}, "
                             f"{len(row)}. Mark what is missing by nan.")  # fmt: skip
    return rows


def is_day(values: Array) -> bool:
    """True if the values are days written as whole numbers, such as 20240131.

    >>> is_day(np.array([20240131.0, 20240201.0])), is_day(np.array([3.0]))
    (True, False)
    """
    return all(_DAY.fullmatch(f"{value:.0f}") is not None for value in values[:_SAMPLE].tolist())
