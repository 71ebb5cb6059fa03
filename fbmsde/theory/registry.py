"""The registry of formulas, `FORMULAS`, and the search in it for those that apply to a problem."""

from __future__ import annotations

from typing import Any

from ..core import checks
from .chains import chain_formulas
from .exit import exit_formulas
from .formula import Formula, refuse_unknown
from .free_fbm import fbm_formulas
from .inertia import inertia_formulas
from .sides import side_formulas
from .spread import spread_formulas
from .stable_exit import stable_formulas
from .to_minimum import passage_formulas

_SUBJECTS = (
    spread_formulas,
    exit_formulas,
    passage_formulas,
    fbm_formulas,
    side_formulas,
    chain_formulas,
    inertia_formulas,
    stable_formulas,
)

FORMULAS: dict[str, Formula] = {formula.name: formula for formulas in _SUBJECTS for formula in formulas()}


def applicable(quantity: str, subject: str, **problem: Any) -> list[Formula]:
    """The formulas that give `quantity` for `subject` and are valid for `problem`, in the order of the registry.

    A formula that needs an argument which `problem` does not hold is left out. `problem` holds names of `ARGUMENTS`.
    Raises ValueError for a quantity or a subject that no formula has, and TypeError for an unknown argument.

    >>> from fbmsde.theory import EXIT
    >>> [f.name for f in applicable("mean_exit_time", EXIT, hurst=0.5, barrier=1.0)]
    ['ou_mean_exit']
    """
    checks.choice("quantity", quantity, dict.fromkeys(f.quantity for f in FORMULAS.values()))
    checks.choice("subject", subject, dict.fromkeys(f.subject for f in FORMULAS.values()))
    refuse_unknown(problem)
    relevant = (f for f in FORMULAS.values() if f.quantity == quantity and f.subject == subject)
    return [f for f in relevant if not f.valid(**problem)]


def formulas_table() -> str:
    """The registry as the text of a Markdown table: formula, quantity, status, range of validity, measured error.

    >>> print(formulas_table().splitlines()[0])
    | formula | what it gives | status | where it holds | measured |
    """
    rows = ["| formula | what it gives | status | where it holds | measured |", "|---|---|---|---|---|"]
    for f in FORMULAS.values():
        status = f"{f.status}; H = 1/2: {f.brownian_status}" if f.brownian_status else f.status
        what = f"{f.title}: {f.quantity.replace('_', ' ')}, {f.subject}"
        cells = (f"`{f.name}`", what, status, f.validity, f.measured)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)
