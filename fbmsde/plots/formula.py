"""Figure of a formula against one of its arguments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from ..theory.formula import Formula
from .style import _finish, _new_axes

_LONG = 30.0  # largest over smallest value from which their axis is logarithmic


def plot_formula(
    formula: Formula, arguments: Mapping[str, ArrayLike], ax: Axes | None = None, *, label: str | None = None
) -> Axes:
    """Draw a formula against the one argument that is an array, with gaps where it does not hold; the Axes come back.

    Raises ValueError unless just one argument is an array, and where the formula holds nowhere.
    """
    arrays = [name for name, value in arguments.items() if np.ndim(value) == 1]
    if len(arrays) != 1:
        raise ValueError(f"arguments must have one array, got {', '.join(arrays) or 'none'}. Write hurst=[0.3, 0.5].")
    name, places = arrays[0], np.asarray(arguments[arrays[0]], dtype=float)
    cases = [{**arguments, name: place} for place in places]
    values = np.array([np.nan if formula.valid(**case) else float(formula.evaluate(**case)) for case in cases])
    if np.isnan(values).all():
        reason = formula.valid(**cases[0])
        raise ValueError(f"{name} must hold a value that {formula.name} holds for, got none: {reason}")
    ax = ax or _new_axes()
    ax.plot(places, values, marker="o" if places.size < 15 else None, ms=4, label=label or formula.title)
    known = values[np.isfinite(values)]
    if known.min() > 0.0 and known.max() > _LONG * known.min():
        ax.set_yscale("log")
    ax.set(xlabel=name.replace("_", " "), ylabel=formula.quantity.replace("_", " "))
    return _finish(ax)
