"""Numbers from text: which mark separates columns, which one is the decimal mark, and which lines are a header."""

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
_SAMPLE = 1000  # lines from which the layout is told
_CHUNK = 2**16  # lines that are turned into numbers at once
_NO_BREAK = re.compile("(?<=\\d)[\u00a0\u202f](?=\\d{3})")  # blanks between thousands
_UNNATURAL = re.compile(r"[+-]?0\d.*|-0")  # a whole number that nobody writes so: what follows a decimal comma
_DAY = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True)
class Dialect:
    """A way to write numbers in columns: the mark between columns and the decimal mark."""

    separator: str
    decimal: str

    def split(self, lines: Iterable[str]) -> Iterator[Cells]:
        """The cells of each line without blanks around them."""
        if self.separator == BLANKS:
            rows = ([cell.strip('"') for cell in line.split()] if '"' in line else line.split() for line in lines)
            return (row or [""] for row in rows)
        quoted = csv.reader(lines, delimiter=self.separator, skipinitialspace=True)
        return ([cell.strip() for cell in row] or [""] for row in quoted)

    def number(self, cell: str) -> float | None:
        """The number in a cell, NaN where the cell says that there is none, None where it holds something else."""
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
    """What the first lines tell of a table: its dialect, width, header, and which columns hold numbers."""

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
        """Less is better: cells that hold no number, and a separator that may also stand inside a number."""
        return self.words, not (self.width > 1 and self.dialect.separator in tuple(_STRONG))


@dataclass(frozen=True)
class Column:
    """A column of a table: `values` with NaN for what is no number, or, if it holds words, its `cells`.

    `faults` are the cells without a number with their lines, counted from 1.
    """

    name: str
    values: Array
    cells: tuple[str, ...] = ()
    faults: tuple[tuple[str, int], ...] = ()


class Lines:
    """The lines of a text that may hold data, with their places in the file."""

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
        """Empty lines between others."""
        return sum(not line.strip() for line in self.lines)


def find_layout(lines: Lines, decimal: str | None, kind: str | None) -> Layout:
    """The one layout under which the lines are a table; ValueError where there is none or more than one."""
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
    """Two readings of the same lines, and neither is more likely."""
    line = sample[-1].strip()
    readings = " or ".join(
        " and ".join(f"{value:g}" for value in layout.sample[:, -1].tolist()) for layout in (one, other)
    )
    raise ValueError(f"file must be readable in one way only, got {line!r}, which may be {readings}. "
                     "Say which mark is decimal (--decimal), or separate columns by ';'.")  # fmt: skip


def _layout(dialect: Dialect, sample: Sequence[str], kind: str | None) -> Layout:
    """The layout of the lines in this dialect; ValueError where they are no table in it."""
    try:
        rows = list(dialect.split(sample))
    except csv.Error as error:
        raise ValueError(f"file must be a table, got one that is broken ({error}).") from None
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
                             f"({','.join(row)[:40]!r}). Leave out lines before the table with --skip.")  # fmt: skip
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


def _rectangle(rows: list[Cells]) -> tuple[list[Cells], int]:
    """Rows without the empty cells behind trailing separators, and the usual width."""
    width = Counter(map(len, rows)).most_common(1)[0][0]
    usual = [rows[0][:width] + [""] * (width - len(rows[0])), *(r for r in rows[len(rows) // 2 :] if len(r) == width)]
    while width > 1 and all(row[width - 1] == "" for row in usual):
        width -= 1
    return [row[:width] if len(row) > width and not any(row[width:]) else row for row in rows], width


def _mostly_numbers(cells: Sequence[str], dialect: Dialect) -> bool:
    """Whether at least half of the cells that say something are numbers."""
    values = [dialect.number(cell) for cell in cells if cell.lower() not in _MISSING]
    return len(values) > 0 and sum(value is not None for value in values) * 2 >= len(values)


def _header_lines(rows: Sequence[Cells], numeric: Sequence[bool], dialect: Dialect) -> int:
    """Leading lines with a word in a column of numbers, or of another width with a word in them."""
    for place, row in enumerate(rows):
        told = zip(row, numeric, strict=True) if len(row) == len(numeric) else ((cell, True) for cell in row)
        if not any(is_number and dialect.number(cell) is None for cell, is_number in told):
            return place
    return len(rows)


def _numbered_header(rows: Sequence[Cells], dialect: Dialect, kind: str | None) -> bool:
    """Whether the first line numbers the columns, as data frames without names are written."""
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
    """Whether a lone 0 above one column is the first value of a path: the next step is like the others."""
    if kind == "increments":
        return False
    values = np.array([value for row in body if (value := dialect.number(row[0])) is not None])
    steps = np.abs(np.diff(values[np.isfinite(values)]))
    return steps.size > 0 and abs(values[0]) <= 8.0 * float(np.median(steps))


def _names(header: Sequence[Cells], width: int) -> tuple[tuple[str, ...], bool]:
    """Names of the columns from the first header line that fits, and whether one does; else their numbers."""
    for row in header:
        if len(row) == width:
            return tuple(row), True
    if len(header) == 1 and len(header[0]) == width - 1:  # as R writes a table with row names
        return ("", *header[0]), True
    return tuple(f"{j + 1}" for j in range(width)), not header


def _oddities(dialect: Dialect, cells: Sequence[str], header: Sequence[Cells]) -> int:
    """How many signs there are that the dialect is not the one of the file; they decide between equals."""
    inside = dialect.separator != "," and any("," in cell for row in header for cell in row)
    commas, points = any("," in cell for cell in cells), any("." in cell for cell in cells)
    if dialect.decimal == ",":
        return inside + (not commas)
    german = dialect.separator == ";" and commas and not points
    return german + (dialect.separator == "," and any(_UNNATURAL.fullmatch(cell) is not None for cell in cells))


def read_columns(lines: Lines, layout: Layout) -> list[Column]:
    """All columns of the table, in order; an empty line in a table of one column is a missing value."""
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
    """The cells of the lines; ValueError that names the first line of another width than the table."""
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
    """Whether the values are days written as whole numbers, as 20240131."""
    return all(_DAY.fullmatch(f"{value:.0f}") is not None for value in values[:_SAMPLE].tolist())
