"""The study of exit rates as text and as a file of comma-separated values."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from ...core.tables import aligned
from ...results.escape_rates import ORDERS, Crossing, RateRow, RatesData, log_ratio_of
from ...results.estimates import Estimate
from .points import WINDOWS

_HEAD = ("H", "k", "well", "plain paths", "rare escapes")
_HEADS = {"exact,_table": ("ou_eigenvalue", "mean_exit_time", "fou_exit_hazard"), "Pickands": ("pickands",),
          "Kramers *": ("kramers_brownian_prefactor",)}  # fmt: skip
_FOOTNOTES = {"Kramers *": "* refuted for H other than 1/2, kept because the literature uses it"}
_FIXED = ("hurst", "sigma", "barrier", "well", "curvature", "own_barrier", "age", "exits", "plain_rate", "plain_low",
          "plain_high", "rare_rate", "rare_low", "rare_high", "method")  # fmt: skip


def text(study: RatesData) -> str:
    """All tables of the study, one below the other, and what they say."""
    parts = (_rates(study), _order(study), _crossings(study), verdict(study.crossings), _notes(study))
    return "\n\n".join(part for part in parts if part)


def csv_text(study: RatesData) -> str:
    """One line per H, barrier and well: everything measured, and each prediction."""
    names = list(dict.fromkeys(name for row in study.rows for name in row.predicted))
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow([*_FIXED, *names, "note"])
    for row in study.rows:
        values = [row.hurst, row.sigma, row.barrier, row.well, row.curvature, row.own_barrier, row.age, row.exits,
                  *row.plain, *row.rare, row.method]  # fmt: skip
        writer.writerow([*values, *(row.predicted.get(name) for name in names), row.note])
    return lines.getvalue()


def short(estimate: Estimate) -> str:
    """A value with the half-width of its interval over it, or a dash.

    >>> short(Estimate(2e-9, 1.9e-9, 2.1e-9))
    '2e-09 ± 5 %'
    >>> short(Estimate(2.0, 1.0, 8.0))
    '2 ± 175 %'
    """
    if not math.isfinite(estimate.value):
        return "-"
    half = 50.0 * (estimate.high - estimate.low) / estimate.value
    return f"{estimate.value:.3g} ± {half:.0f} %" if half >= 10.0 else f"{estimate.value:.3g} ± {half:.2g} %"


def _rates(study: RatesData) -> str:
    """What was measured, and over what is predicted."""
    heads = [head for head, names in _HEADS.items() if any(_first(row, names) > 0.0 for row in study.rows)]
    lines = []
    for row in study.rows:
        over = (row.rate.value / _first(row, _HEADS[head]) for head in heads)
        ratios = ("-" if math.isnan(ratio) else f"{ratio:.3g}" for ratio in over)
        lines.append((f"{row.hurst:g}", f"{row.barrier:g}", row.well, short(row.plain), short(row.rare), *ratios))
    if not lines:
        return ""
    footnotes = [text for head, text in _FOOTNOTES.items() if head in heads]
    title = "exit rates in continuous time with half-widths of 95 %, and over formulas"
    told = "k: barrier of the flat well in stationary standard deviations"
    return "\n".join((title, aligned((*_HEAD, *(f"over_{head}" for head in heads)), lines, keys=3), told, *footnotes))


def _first(row: RateRow, names: Sequence[str]) -> float:
    """The first of these predictions that there is for a row, NaN if there is none."""
    return next((row.predicted[name] for name in names if name in row.predicted), math.nan)


def _order(study: RatesData) -> str:
    """Which well empties first at each barrier, and the noise and the barrier of the sharp well that belong to it."""
    lines, by = [], any(math.isfinite(c.predicted) for c in study.crossings)
    for sharp, flat in study.pairs():
        log = log_ratio_of(sharp, flat)
        first = "undecided" if not log.low * log.high > 0.0 else "sharp" if log.value > 0.0 else "flat"
        ratio = _first(sharp, ("pickands",)) / _first(flat, ("pickands",))
        predicted = (f"{ratio:.3g}" if ratio > 0.0 else "-",) if by else ()
        measured = Estimate(*(math.exp(part) for part in log)).text(3)
        noise_and_wells = (f"{sharp.hurst:g}", f"{sharp.barrier:g}", f"{sharp.sigma:.3g}", f"{sharp.own_barrier:.3g}")
        lines.append((*noise_and_wells, measured, *predicted, first))
    formula = ("by_pickands",) if by else ()
    head = ("H", "k", "sigma", "sharp_k", "rate sharp / flat [95 %]", *formula, "empties_first")
    told = "sigma: strength of the noise; sharp k: barrier of the sharp well in its own standard deviations"
    return f"{aligned(head, lines)}\n{told}" if lines else ""


def _crossings(study: RatesData) -> str:
    """Where the order flips."""
    lines, by = [], any(math.isfinite(c.predicted) for c in study.crossings)
    for crossing in study.crossings:
        first = "sharp, then flat" if crossing.order == "flips" else crossing.order
        predicted = (f"{crossing.predicted:.3g}" if math.isfinite(crossing.predicted) else "-",) if by else ()
        lines.append((f"{crossing.hurst:g}", first, crossing.barrier.text(4), *predicted))
    head = ("H", "empties first", "equal rates at k [95 %]", *(("by pickands",) if by else ()))
    return aligned(head, lines, keys=1) if lines else ""


def verdict(crossings: tuple[Crossing, ...]) -> str:
    """What the crossings say of the barriers that were run, a sentence for each kind of order.

    >>> flips = Crossing(0.7, "flips", Estimate(2.1, 2.0, 2.2), known=(1.5, 4.0), unknown=(8.0,))
    >>> print(verdict((Crossing(0.3, "sharp", known=(1.5, 4.0, 8.0)), flips, Crossing(0.9, "undecided"))))
    H = 0.3: the sharp well empties first behind every barrier from k = 1.5 to 8 that was run.
    H = 0.7: the flat well empties first from k = 2.1 [2, 2.2] on, up to k = 4; unknown at k = 8.
    H = 0.9: undecided. Take more --paths, a smaller --until-relative-error or higher --barriers.
    """
    told: dict[str, list[str]] = {}
    for crossing in sorted(crossings, key=lambda each: ORDERS.index(each.order)):
        told.setdefault(_said(crossing), []).append(f"{crossing.hurst:g}")
    return "\n".join(f"H = {', '.join(hursts)}: {said}" for said, hursts in told.items())


def _said(crossing: Crossing) -> str:
    """What a crossing says: that it is undecided, or which well empties first behind which of the barriers."""
    if crossing.order == "undecided":
        return "undecided. Take more --paths, a smaller --until-relative-error or higher --barriers."
    low, high = (f"{end(crossing.known):g}" for end in (min, max))
    alone = low == high
    if crossing.order == "flips":
        first = f"the flat well empties first from k = {crossing.barrier.text(3)} on, up to k = {high}"
    else:
        where = f"at k = {low}" if alone else f"behind every barrier from k = {low} to {high}"
        first = f"the {crossing.order} well empties first {where}"
    if crossing.unknown:
        return f"{first}; unknown at k = {', '.join(f'{k:g}' for k in crossing.unknown)}."
    return f"{first}{', the only barrier run' if alone else ' that was run'}."


def _notes(study: RatesData) -> str:
    """What could not be estimated, and whether the study is whole."""
    notes = [f"H = {row.hurst:g}, k = {row.barrier:g}, {row.well}: {row.note}" for row in study.rows if row.note]
    early = {(row.hurst, row.well): row.barrier for row in study.rows if row.age < WINDOWS[0].age}
    if early:
        told = "; ".join(f"H = {hurst:g}, {well}: k up to {k:g}" for (hurst, well), k in early.items())
        notes.append(f"Rates are those {WINDOWS[0].age:g} relaxation times after the start, and {WINDOWS[-1].age:g} of "
                     f"them where few paths stay longer: {told}.")  # fmt: skip
    if not study.complete:
        notes.append(f"Interrupted: only the {len(study.rows)} rows above were finished.")
    return "\n".join(notes)
