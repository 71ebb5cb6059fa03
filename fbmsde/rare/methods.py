"""The rare-event methods by name, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from ..core import checks
from .bending import Conditioned
from .conditioned import CoarseStepError
from .posed import Escape
from .runs import Method
from .splitting import Splitting
from .subset import SubsetSimulation

# In the order in which they are tried, with what speaks for each.
Named = Literal["conditioned", "subset", "splitting"]
MethodName = Literal["auto", Named]
_NAMES: tuple[MethodName, ...] = get_args(MethodName)
METHODS: dict[Named, tuple[Callable[[], Method], str]] = {
    "conditioned": (
        Conditioned,
        "Paths in a quadratic well under Gaussian noise can be conditioned exactly: independent paths without bias.",
    ),
    "subset": (
        SubsetSimulation,
        "Subset simulation moves paths of any jointly normal noise, at less cost than splitting behind high barriers.",
    ),
    "splitting": (
        Splitting,
        "Splitting copies lanes of any streaming noise, without bias.",
    ),
}


def methods_for(escape: Escape) -> list[tuple[Method, str]]:
    """The methods that can follow an escape, best first, and why each, with what speaks against the one before it.

    Raises ValueError if there are none, and for a step that is too long for a moved boundary.
    """
    found, refused = [], []
    for name, (make, why) in METHODS.items():
        method = make()
        try:
            method.require(escape)
        except CoarseStepError:
            raise
        except ValueError as error:
            refused.append((name, str(error)))
        else:
            against = [f"Not {other}: {reason.partition(' Take ')[0]}" for other, reason in refused[-1:]]
            found.append((method, " ".join([why, *against])))
    if not found:
        raise ValueError(refused[-1][1])
    return found


def method_of(method: Method | MethodName, escape: Escape) -> tuple[Method, str]:
    """The method that was asked for, or the best one for "auto", and why it is taken."""
    if not isinstance(method, str):
        advice = f"Write one of auto, {', '.join(METHODS)}, or Splitting(n_paths)."
        chosen = checks.kind("method", method, Method, advice)
    else:
        name = checks.choice("method", method, _NAMES)
        if name == "auto":
            return methods_for(escape)[0]
        chosen = METHODS[name][0]()
    chosen.require(escape)
    return chosen, "It was asked for."
