"""A study as text and as a file of comma-separated values."""

from __future__ import annotations

import csv
import io
import math

from ...core.tables import aligned
from ...results.escape import REFERENCES, EscapeData, EscapeRow
from ...results.estimates import Estimate, log_ratio
from ...theory.registry import FORMULAS
from .cells import RELAXATIONS

_MEASURED = ("well", "curvature", "paths", "exits", "mean exit time [95 %]", "exit rate [95 %]")
_CONTINUOUS = "continuous time [95 %]"


def text(study: EscapeData) -> str:
    """All tables of the study, one below the other."""
    tables = (_measured(study), _ratios(study), _order(study), _notes(study))
    return "\n\n".join(table for table in tables if table)


def order(sharp: EscapeRow, flat: EscapeRow) -> str:
    """Which well empties first by the measured rates: "sharp", "flat", or "undecided" within 95 %."""
    ratio = log_ratio(sharp.rate, flat.rate)
    if not ratio.low * ratio.high > 0.0:
        return "undecided"
    return "sharp" if ratio.value > 0.0 else "flat"


def csv_text(study: EscapeData) -> str:
    """One line per noise and well: everything measured, and each prediction with its ratio."""
    names = list(dict.fromkeys(n for row in study.rows for n in (*row.predicted, *row.predicted_mean)))
    fixed = ["hurst", "noise", "well", "curvature", "barrier", "paths", "exits", "mean_exit_time", "mean_low",
             "mean_high", "mean_is_restricted", "exit_rate", "rate_low", "rate_high",
             "continuous_rate", "continuous_low", "continuous_high"]  # fmt: skip
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow([*fixed, *(f"{n}{part}" for n in names for part in ("", "_measured_over_predicted")), "note"])
    for row in study.rows:
        values = [row.hurst, row.noise, row.well, row.curvature, row.barrier, row.paths, row.exits, *row.mean,
                  row.restricted, *row.rate, *row.continuous]  # fmt: skip
        for name in names:
            values += [{**row.predicted, **row.predicted_mean}.get(name), _ratio(row, name)]
        writer.writerow([*values, row.note])
    return lines.getvalue()


def _ratio(row: EscapeRow, name: str) -> float | None:
    """Measured over predicted, on the grid or in continuous time as the formula is; None where one is missing."""
    if name in row.predicted:
        as_chain = "dt" in FORMULAS[name].arguments or math.isnan(row.continuous.value)
        rate = (row.rate if as_chain else row.continuous).value
        return rate / row.predicted[name] if math.isfinite(rate) else None
    on_grid = name not in FORMULAS or "dt" in FORMULAS[name].arguments
    if name in row.predicted_mean and on_grid and not row.restricted and math.isfinite(row.mean.value):
        return row.mean.value / row.predicted_mean[name]
    return None


def _measured(study: EscapeData) -> str:
    """What the paths say."""
    lines = []
    for row in study.rows:
        cut = f" up to {study.settings.horizon:g}" if row.restricted else ""
        counts = (f"{row.curvature:g}", f"{row.paths}", f"{row.exits}")
        exact = (row.continuous.text(),) if study.settings.continuous else ()
        estimates = (row.mean.text() + cut, row.rate.text(), *exact)
        lines.append((study.key(row), row.well, *counts, *estimates))
    heads = (_key_head(study), *_MEASURED, *((_CONTINUOUS,) if study.settings.continuous else ()))
    told = f"exit rates count the exits later than {RELAXATIONS:g} / curvature after the start"
    return f"{aligned(heads, lines)}\n{told}" if lines else ""


def _key_head(study: EscapeData) -> str:
    """The head of the column that tells the noise."""
    return "H" if study.settings.noises is None else "noise"


def _ratios(study: EscapeData) -> str:
    """Measured over predicted, by formula."""
    told = ((n, row) for row in study.rows for n in (*row.predicted, *row.predicted_mean))
    names = list(dict.fromkeys(name for name, row in told if _ratio(row, name) is not None))
    if not names:
        return ""
    lines = []
    for row in study.rows:
        ratios = [_ratio(row, name) for name in names]
        lines.append((study.key(row), row.well, *("-" if r is None else f"{r:.2f}" for r in ratios)))
    refuted = [name for name in names if name in FORMULAS and FORMULAS[name].status == "refuted"]
    heads = [name + (" *" if name in refuted else "") for name in names]
    told_apart = "\nformulas for continuous time are compared with the rate in continuous time"
    grid = told_apart if study.settings.continuous else ""
    footnote = "\n* refuted for H other than 1/2, kept because the literature uses it" if refuted else ""
    dash = "\n-: the formula does not hold there, or the paths do not tell the value" if "-" in sum(lines, ()) else ""
    return "measured / predicted\n" + aligned((_key_head(study), "well", *heads), lines) + dash + grid + footnote


def _order(study: EscapeData) -> str:
    """Which well empties first."""
    lines = []
    for sharp, flat in study.pairs():
        predicted = sharp.reference / flat.reference
        theory = f"{predicted:.2f}" if math.isfinite(predicted) else "-"
        ratios = (_ratio_of(sharp.rate, flat.rate), theory, _ratio_of(sharp.continuous, flat.continuous))
        lines.append((study.key(sharp), *ratios, order(sharp, flat)))
    by = f"by {REFERENCES[0]}" if study.settings.noises is None else "predicted"
    head = (_key_head(study), "rate sharp / flat", by, "in continuous time", "empties first")
    return aligned(head, lines, keys=1) if lines else ""


def _ratio_of(sharp: Estimate, flat: Estimate) -> str:
    """One rate over the other, or a dash where one of them is unknown or zero."""
    return f"{sharp.value / flat.value:.2f}" if sharp.value > 0 and flat.value > 0 else "-"


def _notes(study: EscapeData) -> str:
    """What could not be estimated, and whether the study is whole."""
    notes = [f"{study.title(row)}, {row.well}: {row.note}" for row in study.rows if row.note]
    if not study.complete:
        notes.append(f"Interrupted: only the {len(study.rows)} rows above were finished.")
    return "\n".join(notes)
