"""A study of convergence as text and as a file of comma-separated values."""

from __future__ import annotations

import csv
import io
import math

import numpy as np

from ...core.tables import aligned
from ...results.converge import ConvergeData, Dependence


def text(study: ConvergeData) -> str:
    """All tables of the study, one below the other."""
    tables = [_plateaus(study), _exponents(study), _schedules(study), _wells(study)]
    if not study.complete:
        tables.append("Interrupted: only what stands above was finished.")
    return "\n\n".join(table for table in tables if table)


def csv_text(study: ConvergeData) -> str:
    """One line per point of every curve: what it is, where, measured, standard error, exact."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow(["part", "noise", "momentum", "x", "measured", "standard_error", "exact"])
    for curve in study.curves:
        exact = curve.exact if curve.exact.size else [math.nan] * curve.loss.size
        part = f"{curve.statistic} loss in the {curve.landscape} against step"
        for row in zip(curve.steps, curve.loss, curve.error, exact, strict=True):
            writer.writerow([part, curve.noise, curve.momentum, *row])
    for found in study.dependences:
        for row in zip(found.x, found.measured, found.error, found.exact, strict=True):
            writer.writerow([found.name, found.noise, found.momentum, *row])
    for schedule in study.schedules:
        measured = schedule.measured
        error = (measured.high - measured.low) / 3.92
        part = f"loss at the end of the schedule: {schedule.schedule}"
        writer.writerow([part, schedule.noise, 0.0, math.nan, measured.value, error, schedule.exact])
    return lines.getvalue()


def _plateaus(study: ConvergeData) -> str:
    """The loss after the transient, measured and exact."""
    lines = []
    for curve in study.curves:
        if curve.landscape == "parabola":
            ratio = curve.plateau.value / curve.exact_plateau
            cells = (f"{curve.momentum:g}", curve.statistic, curve.plateau.text(3), _plain(curve.exact_plateau))
            lines.append((curve.noise, *cells, _plain(ratio)))
    head = ("noise", "momentum", "loss", "after the transient [95 %]", "exact", "measured / exact")
    s = study.settings
    title = f"Loss in the parabola of curvature {s.curvature:g}, learning rate {s.learning_rate:g}"
    return f"{title}\n" + aligned(head, lines, keys=2) if lines else ""


def _exponents(study: ConvergeData) -> str:
    """How plateaus depend on the learning rate and averages on time, a table for each."""
    tables = []
    for name in dict.fromkeys(d.name for d in study.dependences):
        lines = [
            (d.noise, f"{d.momentum:g}", d.exponent.text(3), _plain(_exact_exponent(d)), _plain(d.predicted),
             f"{_largest_z(d):.1f}")
            for d in study.dependences if d.name == name
        ]  # fmt: skip
        head = ("noise", "momentum", "p [95 %]", "exact p", "limit", "max |z|")
        tables.append(f"Exponent p: {name}^p\n" + aligned(head, lines, keys=2))
    return "\n\n".join(tables)


def _exact_exponent(found: Dependence) -> float:
    """The exponent of the exact values over the x that were used, NaN where the measured one is unknown."""
    if math.isnan(found.exponent.value):
        return math.nan
    used = (found.x >= found.fitted[0]) & (found.x <= found.fitted[1])
    return float(np.polyfit(np.log(found.x[used]), np.log(found.exact[used]), 1)[0])


def _largest_z(found: Dependence) -> float:
    """The largest deviation of measured from exact values, in standard errors."""
    return float(max(abs(found.measured - found.exact) / found.error))


def _schedules(study: ConvergeData) -> str:
    """The loss at the end of every schedule."""
    names = list(dict.fromkeys(row.schedule for row in study.schedules))
    lines = []
    for noise in dict.fromkeys(row.noise for row in study.schedules):
        found = {row.schedule: row for row in study.schedules if row.noise == noise}
        cells = [
            f"{row.measured.value:.3g} ({row.measured.value / row.exact:.2f})" if row.exact > 0 else
            f"{row.measured.value:.3g}"
            for row in (found[name] for name in names if name in found)
        ]  # fmt: skip
        lines.append((noise, *cells, *["-"] * (len(names) - len(cells))))
    title = f"Loss after {study.settings.n_steps} steps of a schedule (measured / exact)"
    return f"{title}\n" + aligned(("noise", *names), lines, keys=1) if lines else ""


def _wells(study: ConvergeData) -> str:
    """The loss in the double well and the share of steps in its flat minimum."""
    lines = [
        (curve.noise, curve.statistic, curve.plateau.text(3), curve.flat_share.text(3))
        for curve in study.curves
        if curve.landscape != "parabola"
    ]
    head = ("noise", "loss", "after the transient [95 %]", "share of late steps in the flat well [95 %]")
    return "Double well, from the sharp minimum\n" + aligned(head, lines, keys=1) if lines else ""


def _plain(value: float) -> str:
    """A number, or a dash where it is unknown."""
    return "-" if math.isnan(value) else f"{value:.3g}"
