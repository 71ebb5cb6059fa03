"""A study of views as text and as a file of comma-separated values."""

from __future__ import annotations

import csv
import io
import math

from ...core.tables import aligned
from ...results.estimates import Estimate, log_ratio
from ...results.views import Dependence, ViewRow, ViewsData

_TITLES = {
    "step": "Noises with the quartile of one Brownian step",
    "spread": "Noises that spread the chain as widely as the Brownian one",
}

_COLUMNS = (
    *("view", "matching", "part", "well", "curvature", "width", "height", "sigma", "exits"),
    *("mean_exit_time", "mean_low", "mean_high", "mean_is_restricted", "predicted", "formula"),
)


def text(study: ViewsData) -> str:
    """All tables of the study, one below the other."""
    tables = [_pairs(study, matching) for matching in _TITLES] + [_dependences(study)]
    if not study.complete:
        tables.append("Interrupted: only what stands above was finished.")
    return "\n\n".join(table for table in tables if table)


def csv_text(study: ViewsData) -> str:
    """One line per run, those of the dependences included."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow(_COLUMNS)
    parts = [("pair", study.rows), *((f"{d.varied} at fixed {d.held}", d.rows) for d in study.dependences)]
    for part, rows in parts:
        for row in rows:
            writer.writerow([row.view, row.matching, part, row.well, row.curvature, row.width, row.height, row.sigma,
                             row.exits, *row.mean, row.restricted, row.predicted, row.formula])  # fmt: skip
    return lines.getvalue()


def ratio(sharp: ViewRow, flat: ViewRow) -> Estimate:
    """Mean exit time of the flat well over that of the sharp one; unknown unless both means are whole."""
    if sharp.restricted or flat.restricted:
        return Estimate(math.nan, math.nan, math.nan)
    return Estimate(*(math.exp(part) for part in log_ratio(flat.mean, sharp.mean)))


def first(sharp: ViewRow, flat: ViewRow) -> str:
    """Which well empties first: "sharp", "flat", or "undecided" within 95 %."""
    if sharp.restricted != flat.restricted:
        return "flat" if sharp.restricted else "sharp"
    found = ratio(sharp, flat)
    if not (found.low > 1.0 or found.high < 1.0):
        return "undecided"
    return "sharp" if found.low > 1.0 else "flat"


def _pairs(study: ViewsData, matching: str) -> str:
    """Exits from both minima under every noise of one matching."""
    lines = []
    for view in study.settings.views:
        pair = study.pair(view, matching)
        if pair is not None:
            means = [_mean(row) for row in pair]
            predicted = pair[1].predicted / pair[0].predicted
            lines.append((view, f"{pair[0].sigma:.3g}", *means, ratio(*pair).text(3), _plain(predicted), first(*pair)))
    head = ("noise", "sigma", "mean exit time, sharp [95 %]", "flat [95 %]", "flat / sharp [95 %]", "predicted",
            "empties first")  # fmt: skip
    return f"{_TITLES[matching]}\n" + aligned(head, lines, keys=1) if lines else ""


def _dependences(study: ViewsData) -> str:
    """The exponents with which the mean exit time depends on height and width."""
    if not study.dependences:
        return ""
    kinds = list(dict.fromkeys((d.varied, d.held) for d in study.dependences))
    lines = []
    for view in dict.fromkeys(d.view for d in study.dependences):
        found = {(d.varied, d.held): d for d in study.dependences if d.view == view}
        cells = [cell for kind in kinds for cell in _cells(found.get(kind))]
        lines.append((view, *cells))
    heads = [head for varied, held in kinds for head in (f"{varied} at fixed {held} [95 %]", "predicted")]
    title = "Exponent p of the mean exit time ~ property^p, for noises with the quartile of one Brownian step"
    return f"{title}\n" + aligned(("noise", *heads), lines, keys=1)


def _cells(found: Dependence | None) -> tuple[str, str]:
    """The measured and the predicted exponent."""
    return ("-", "-") if found is None else (found.measured.text(3), _plain(found.predicted))


def _mean(row: ViewRow) -> str:
    """A mean exit time with its interval, marked where it is cut off at the horizon."""
    return f"> {row.mean.value:.3g}" if row.restricted and row.exits else row.mean.text(3) if row.exits else "no exits"


def _plain(value: float) -> str:
    """A number, or a dash where it is unknown."""
    return "-" if math.isnan(value) else f"{value:.3g}"
