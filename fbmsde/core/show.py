"""How results show themselves: one line as text, and a small table where a notebook shows them."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

LONGEST_LINE = 150  # characters of a `repr`
_FEW = 4  # entries of a sequence that are told one by one
_LEFT = "text-align:left"
_STYLE = f"{_LEFT};white-space:normal;max-width:45em"

Table = tuple[Sequence[str], Iterable[Sequence[str]]]  # heads, and lines of as many cells


class Shown:
    """A result that shows itself: `repr` is one line, and notebooks show a table of the same facts.

    What there is to tell stands in `_facts`, by default the fields of a dataclass, and in `_lines`, by default nothing:
    a table with a line for each part of the result.
    """

    __slots__ = ()

    def _facts(self) -> Mapping[str, object]:
        """What there is to tell, by name; None is not told."""
        return {field.name: getattr(self, field.name) for field in _told(self)}

    def _lines(self) -> Table | None:
        """A table of the parts of the result: its heads and its lines."""
        return None

    def __repr__(self) -> str:
        facts = [f"{name} {told(value)}" for name, value in self._facts().items() if value is not None]
        return line(type(self).__name__, facts)

    def _repr_html_(self) -> str:
        return html_of(type(self).__name__, self._facts(), self._lines())


def _told(result: object) -> list[dataclasses.Field[object]]:
    """The fields of a dataclass that belong into its `repr`; none of another object."""
    return [field for field in dataclasses.fields(result) if field.repr] if dataclasses.is_dataclass(result) else []


def line(name: str, facts: Sequence[str]) -> str:
    """The facts behind a name in one line; what would make it too long is left out.

    >>> line("Rate", ["value 0.2", "events 20"])
    'Rate(value 0.2, events 20)'
    """
    whole = f"{name}({', '.join(' '.join(fact.split()) for fact in facts)})"
    return whole if len(whole) <= LONGEST_LINE else whole[: LONGEST_LINE - 5].rstrip(" ,") + " ...)"


def told(value: object) -> str:
    """A value as a short text: four digits of a number, size and range of an array, the first entries of a list.

    >>> told(0.123456), told(np.array([1.0, 3.0])), told({"a": 1.0}), told(range(9))
    ('0.1235', '2 values from 1 to 3', 'a: 1', '0, 1, 2, 3, ... (9)')
    """
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    if isinstance(value, np.ndarray):
        return _told_array(value)
    text = getattr(value, "text", None)
    if callable(text):
        return str(text())
    if isinstance(value, Mapping):
        return _first([f"{name}: {told(entry)}" for name, entry in value.items()])
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and not hasattr(value, "_fields"):
        return _first([told(entry) for entry in value])
    return value if isinstance(value, str) else repr(value)


def _told_array(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    """How many values an array has, by its axes, and the range of what is finite in it."""
    number = f"{' x '.join(map(str, values.shape)) or 1} value{'s' * (values.shape not in ((), (1,)))}"
    if values.dtype.kind not in "iuf":
        return number
    finite = values[np.isfinite(values)]
    return f"{number} from {finite.min():.4g} to {finite.max():.4g}" if finite.size else number


def _first(entries: Sequence[str]) -> str:
    """The first of some entries, and how many there are if there are more."""
    more = [f"... ({len(entries)})"] if len(entries) > _FEW else []
    return ", ".join([*entries[:_FEW], *more]) or "none"


def html_of(name: str, facts: Mapping[str, object], lines: Table | None = None) -> str:
    """A table of facts, and below it one of the parts, that needs nothing from outside and has the reader's colours.

    >>> html_of("Rate", {"value": 0.2})[:14], "<td" in html_of("Rate", {"value": 0.2})
    ('<div><table><c', True)
    """
    rows = [
        f'<tr><th scope="row" style="{_LEFT}">{html.escape(key)}</th>'
        f'<td style="{_STYLE}">{html.escape(told(value))}</td></tr>'
        for key, value in facts.items()
        if value is not None and not (isinstance(value, str) and value == "")
    ]  # fmt: skip
    caption = f'<caption style="{_LEFT}"><b>{html.escape(name)}</b></caption>'
    return f"<div><table>{caption}{''.join(rows)}</table>{_html_lines(lines) if lines else ''}</div>"


def _html_lines(table: Table) -> str:
    """A table with heads."""
    heads, lines = table
    top = "".join(f'<th scope="col" style="{_LEFT}">{html.escape(head)}</th>' for head in heads)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_STYLE}">{html.escape(cell)}</td>' for cell in cells) + "</tr>"
        for cells in lines
    )  # fmt: skip
    return f"<table><tr>{top}</tr>{body}</table>"
