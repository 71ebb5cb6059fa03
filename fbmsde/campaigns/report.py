"""What a campaign has found as text, as a file of comma-separated values, and as a figure."""

from __future__ import annotations

import csv
import io
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.files import write_figure, write_text
from ..core.show import Shown, Table
from ..core.tables import aligned
from ..results.campaign import Summary
from ..results.escape import UNKNOWN
from ..results.estimates import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILES = ("report.csv", "report.png")
_OF_PATHS = ("exits", "mean exit time [95 %]")  # which replicas of rare problems do not have
_FIXED = ("problem", "asked", "paths", "exits", "broken", "dt", "horizon", "mean", "mean_low", "mean_high",
          "mean_is_restricted", "exit_rate", "rate_low", "rate_high", "rate_after",
          "probability", "probability_low", "probability_high")  # fmt: skip
_CHOSEN = ("unit", "quantity", "relative_error", "target", "seconds", "note")


class Reported(Shown, ABC):
    """What everything with summaries of problems has: a table, a figure and files."""

    @property
    @abstractmethod
    def summaries(self) -> list[Summary]:
        """What the blocks tell of each problem."""

    @property
    def table(self) -> str:
        """The results as text: what was measured of each problem, and what a reader must know about it."""
        return text(self.summaries)

    def plot(self) -> Figure:
        """A matplotlib Figure: survival in each problem, and the chosen quantity of each with its interval."""
        from ..plots.campaign import plot_campaign

        return plot_campaign(self.summaries)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write report.csv and report.png into an existing folder, each whole or not at all; their paths."""
        out = [Path(folder) / name for name in FILES]
        write_text(out[0], csv_text(self.summaries))
        write_figure(out[1], self.plot, 150)
        return out


    def _facts(self) -> Mapping[str, object]:
        summaries = self.summaries
        kinds = [s.unit for s in summaries]
        paths = sum(s.paths for s in summaries if s.unit == "path")
        replicas = sum(s.paths for s in summaries if s.unit == "replica")
        return {"problems": len(summaries), "paths": paths if "path" in kinds else None,
                "replicas": replicas if "replica" in kinds else None, "notes": " ".join(notes(summaries))}  # fmt: skip

    def _lines(self) -> Table:
        return _rows(self.summaries)


def text(summaries: Sequence[Summary]) -> str:
    """One line a problem, then notes; each exit rate counts the exits later than `after`.

    The shares of the sides stand there where one of them is the chosen quantity. The probability to leave by the
    horizon stands there where it is the chosen quantity, and for rare problems.

    >>> print(text([Summary("deep", 10, 10, 5, 0, 0.1, 4.0, rate=Estimate(0.5, 0.4, 0.6), after=2.0)]))
    problem  paths  exits  mean exit time [95 %]  exit rate [95 %]  after
    -------  -----  -----  ---------------------  ----------------  -----
    deep     10     5      -                      0.5 [0.4, 0.6]    2
    """
    head, lines = _rows(summaries)
    return "\n\n".join(part for part in (aligned(head, lines, keys=1), "\n".join(notes(summaries))) if part)


def _rows(summaries: Sequence[Summary]) -> Table:
    """The heads of the table, and one line a problem."""
    sides = list(dict.fromkeys(name for summary in summaries for name in summary.sides))
    shown = sides if any(summary.quantity.startswith("split") for summary in summaries) else []
    rare = [summary.unit == "replica" for summary in summaries]
    by = any(rare) or any(summary.quantity == "probability" for summary in summaries)
    plain = not rare or not all(rare)
    lines = []
    for summary in summaries:
        shares = (interval(summary.sides.get(name, UNKNOWN)) for name in shown)
        paths, own = counted(summary, always=False), _of_paths(summary) if plain else ()
        left = [interval(summary.probability)] if by else []
        after = "-" if math.isnan(summary.after) else f"{summary.after:.3g}"
        lines.append((summary.name, paths, *own, interval(summary.rate), after, *left, *shares))
    sides_head = (f"through {name.replace('_', ' ')} [95 %]" for name in shown)
    measured = (*_OF_PATHS * plain, "exit rate [95 %]", "after", *["probability [95 %]"] * by)
    head = ("problem", "paths", *measured, *sides_head)
    return head, lines


def _of_paths(summary: Summary) -> tuple[str, str]:
    """How many paths left and after what mean time; dashes for replicas, which are no paths."""
    if summary.unit == "replica":
        return "-", "-"
    cut = f" up to {summary.horizon:g}" if summary.restricted and math.isfinite(summary.mean.value) else ""
    return f"{summary.exits}", summary.mean.text() + cut


def interval(estimate: Estimate) -> str:
    """An estimate with its interval; a dash where it has none, as one replica alone.

    >>> interval(Estimate(0.5, 0.4, 0.6)), interval(Estimate(0.5, math.nan, math.nan))
    ('0.5 [0.4, 0.6]', '-')
    """
    return "-" if math.isnan(estimate.low) else estimate.text()


def counted(summary: Summary, always: bool = True) -> str:
    """The number of paths that are there, and unless all are, or `always`, of those asked for; replicas are named.

    >>> counted(Summary("deep", 10, 9, 5, 0, 0.1, 4.0, unit="replica"))
    '9/10 replicas'
    """
    number = f"{summary.paths}/{summary.asked}" if always or summary.paths < summary.asked else f"{summary.paths}"
    return number if summary.unit == "path" else f"{number} {summary.unit}s"


def notes(summaries: Sequence[Summary]) -> list[str]:
    """What a reader must know about some problems, a line each."""
    return [f"{summary.name}: {told}" for summary in summaries for told in _notes(summary)]


def _notes(summary: Summary) -> list[str]:
    """What a reader must know about one problem."""
    told = [summary.note] if summary.note else []
    if summary.paths >= summary.asked and not summary.precise:
        name, target = quantity_name(summary.quantity), percent(summary.target)
        if math.isnan(summary.relative_error):
            told.append(f"the {summary.unit}s do not tell {name}, for which a half-width of {target} was asked.")
        else:
            told.append(f"the half-width of {name} is {percent(summary.relative_error)}, {target} was asked for.")
    return told


def quantity_name(quantity: str) -> str:
    """A quantity in words.

    >>> quantity_name("exit_rate"), quantity_name("split:upper")
    ('the exit rate', 'the share through upper')
    """
    kind, _, side = quantity.partition(":")
    known = {"mean": "the mean exit time", "probability": "the probability to leave"}
    return f"the share through {side}" if side else known.get(kind, "the exit rate")


def percent(share: float) -> str:
    """A share in per cent with two digits that count, a dash for NaN.

    >>> percent(0.0123), percent(1.5), percent(float("nan"))
    ('1.2 %', '150 %', '-')
    """
    if math.isnan(share):
        return "-"
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.0f} %"


def csv_text(summaries: Sequence[Summary]) -> str:
    """One line a problem: everything that was asked and measured."""
    sides = list(dict.fromkeys(name for summary in summaries for name in summary.sides))
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    ends = (f"share_{name}{end}" for name in sides for end in ("", "_low", "_high"))
    writer.writerow([*_FIXED, *ends, *_CHOSEN])
    for s in summaries:
        shares = [value for name in sides for value in s.sides.get(name, UNKNOWN)]
        writer.writerow([s.name, s.asked, s.paths, s.exits, s.broken, s.dt, s.horizon, *s.mean, s.restricted, *s.rate,
                         s.after, *s.probability, *shares, s.unit, s.quantity, s.relative_error, s.target, s.seconds,
                         s.note])  # fmt: skip
    return lines.getvalue()
