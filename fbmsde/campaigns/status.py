"""How far the campaign in a folder is, as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core.tables import aligned
from ..results.campaign import Summary
from .report import counted, interval, percent, quantity_name

_FEW = 5  # numbers of damaged blocks that are shown

Records = Mapping[str, Mapping[str, object]]  # small results by name


@dataclass(frozen=True)
class Stock:
    """What a store holds of one problem.

    summary : what its blocks tell.
    blocks, asked : the number of blocks that are there and whole, and that of those that were asked for.
    """

    summary: Summary
    blocks: int
    asked: int


def status_text(stocks: Sequence[Stock], busy: bool) -> str:
    """One line a problem, then whether a process is at work, and what is damaged; empty without problems."""
    if not stocks:
        return ""
    heads = {quantity_name(stock.summary.quantity).removeprefix("the ") for stock in stocks}
    estimate = f"{heads.pop() if len(heads) == 1 else 'estimate'} [95 %]"
    head = ("problem", "blocks", "paths", "exits", estimate, "half-width", "seconds a block")
    there, asked = (sum(getattr(stock, name) for stock in stocks) for name in ("blocks", "asked"))
    work = "a process is at work on them" if busy else "no process is at work on them"
    lines = [f"{there} of {asked} blocks are there; {work}.", *_complaints(stocks)]
    return aligned(head, [_line(stock) for stock in stocks], keys=1) + "\n\n" + "\n".join(lines)


def runs_text(records: Records) -> str:
    """One line for each small result, with its plain numbers and words; empty without any.

    >>> print(runs_text({"first": {"accuracy": 0.5, "noise": {}}}))
    run    accuracy
    -----  --------
    first  0.5
    """
    names = _columns(records)
    lines = [(run, *(_word(record.get(name, "-")) for name in names)) for run, record in records.items()]
    return aligned(("run", *names), lines, keys=1) if records else ""


def runs_csv(records: Records) -> str:
    """The same as comma-separated values."""
    names, lines = _columns(records), io.StringIO(newline="")
    rows = [[run, *(record.get(name, "") for name in names)] for run, record in records.items()]
    csv.writer(lines).writerows([["run", *names], *rows])
    return lines.getvalue()


def _columns(records: Records) -> list[str]:
    """The names of the plain values of all results."""
    values = (pair for record in records.values() for pair in record.items())
    return list(dict.fromkeys(name for name, value in values if not isinstance(value, (dict, list))))


def _word(value: object) -> str:
    """A plain value in a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _line(stock: Stock) -> tuple[str, ...]:
    """One problem."""
    found = stock.summary
    counts = (f"{stock.blocks}/{stock.asked}", counted(found), f"{found.exits}" if found.unit == "path" else "-")
    wanted = "" if found.target != found.target else f" of {percent(found.target)}"
    pace = f"{found.seconds / stock.blocks:.3g}" if stock.blocks else "-"
    return (found.name, *counts, interval(found.estimate), percent(found.relative_error) + wanted, pace)


def _complaints(stocks: Sequence[Stock]) -> list[str]:
    """What a reader must know."""
    return [f"{stock.summary.name}: {stock.summary.note}" for stock in stocks if stock.summary.note]


def damage(numbers: Sequence[int]) -> str:
    """The note on damaged blocks of these numbers, empty if there are none.

    >>> damage([3])
    '1 damaged block (3), made again by the next run.'
    """
    if not numbers:
        return ""
    shown = ", ".join(map(str, numbers[:_FEW])) + (", ..." if len(numbers) > _FEW else "")
    return f"{len(numbers)} damaged block{'s' if len(numbers) > 1 else ''} ({shown}), made again by the next run."
