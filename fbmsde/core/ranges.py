"""Numbers as they are written by hand: lists separated by commas, and ranges."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

_MOST_VALUES = 1000


def numbers(name: str, texts: Sequence[str]) -> list[float]:
    """Different numbers in the order in which they are given: separated by commas, or ranges first:last:step.

    >>> numbers("hurst", ["0.3:0.5:0.1", "0.7,0.3"])
    [0.3, 0.4, 0.5, 0.7]
    """
    parts = [part for text in texts for part in text.replace(",", " ").split()]
    return [float(value) for value in dict.fromkeys(v for part in parts for v in _numbers_of(name, part))]


def _numbers_of(name: str, part: str) -> list[Decimal]:
    """The numbers of one part of a list, one number or a range with its end."""
    try:
        ends = [Decimal(text) for text in part.split(":")]
    except InvalidOperation:
        ends = []
    if len(ends) == 1 and not ends[0].is_snan():
        return [ends[0].normalize()]
    if len(ends) != 3 or not all(end.is_finite() and abs(end.adjusted()) < 300 for end in ends):
        raise ValueError(f"{name} must be numbers separated by commas, or a range as 0.3:0.7:0.1, got {part!r}.")
    first, last, step = ends
    steps = (last - first) / step if step else Decimal(-1)
    if not 0 <= steps < _MOST_VALUES:
        raise ValueError(f"{name} must be a range from first to last by a step that leads there in less than "
                         f"{_MOST_VALUES} steps, got {part!r}.")  # fmt: skip
    return [(first + step * i).normalize() for i in range(int(steps) + 1)]
