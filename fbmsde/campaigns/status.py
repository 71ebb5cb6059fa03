"""How far the campaign in a folder is, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.tables import aligned
from ..results.campaign import Summary
from .report import percent, quantity_name, with_interval

_FEW = 10  # numbers of damaged blocks that are shown


@dataclass(frozen=True)
class Stock:
    """What a store holds of one problem.

    summary : what its blocks tell.
    blocks, asked : the number of blocks that are there and whole, and that of those that were asked for.
    damaged : the numbers of the blocks that are damaged.
    """

    summary: Summary
    blocks: int
    asked: int
    damaged: tuple[int, ...] = ()


def status_text(stocks: Sequence[Stock], busy: bool) -> str:
    """One line a problem, then whether a process is at work, and what is damaged."""
    heads = {quantity_name(stock.summary.quantity).removeprefix("the ") for stock in stocks}
    estimate = f"{heads.pop() if len(heads) == 1 else 'estimate'} [95 %]"
    head = ("problem", "blocks", "paths", "exits", estimate, "half-width", "seconds a block")
    parts = [aligned(head, [_line(stock) for stock in stocks], keys=1)] if stocks else []
    there, asked = (sum(getattr(stock, name) for stock in stocks) for name in ("blocks", "asked"))
    work = "a process is at work on it" if busy else "no process is at work on it"
    ends = [f"{there} of {asked} blocks are there; {work}."] if stocks else []
    return "\n\n".join([*parts, "\n".join([*ends, *_complaints(stocks)])])


def _line(stock: Stock) -> tuple[str, ...]:
    """One problem."""
    found = stock.summary
    counts = (f"{stock.blocks}/{stock.asked}", f"{found.paths}/{found.asked}", f"{found.exits}")
    wanted = "" if found.target != found.target else f" of {percent(found.target)}"
    pace = f"{found.seconds / stock.blocks:.3g}" if stock.blocks else "-"
    return (found.name, *counts, with_interval(found.estimate), percent(found.relative_error) + wanted, pace)


def _complaints(stocks: Sequence[Stock]) -> list[str]:
    """What a reader must know."""
    told = [f"{stock.summary.name}: {stock.summary.note}" for stock in stocks if stock.summary.note]
    for stock in stocks:
        if n := len(stock.damaged):
            shown = ", ".join(map(str, stock.damaged[:_FEW])) + (", ..." if n > _FEW else "")
            blocks = f"{n} damaged block{'s' if n > 1 else ''}"
            told.append(f"{stock.summary.name}: {blocks} ({shown}), made again when the campaign is run.")
    return told
