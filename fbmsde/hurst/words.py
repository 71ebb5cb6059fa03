"""Short texts of what an estimate holds: p-values, and the range of several values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

_SMALLEST = 1e-16  # p-values below this are told as smaller: their digits say nothing


def p_text(p: float, floor: float = 0.0) -> str:
    """A p-value in two digits, as a bound where it is the smallest one that a test with this `floor` can give.

    >>> p_text(0.0123), p_text(0.0), p_text(0.01, floor=0.01), p_text(float("nan"))
    ('0.012', '< 1e-16', '<= 0.01', 'nan')
    """
    if p < _SMALLEST:
        return f"< {_SMALLEST:.0e}"
    return f"<= {floor:.2g}" if p <= floor else f"{p:.2g}"


def spread(name: str, values: ArrayLike) -> str:
    """The text "name value" for one value, "name from low to high" for several.

    >>> spread("H", 0.5), spread("H", [0.25, np.nan, 0.75])
    ('H 0.5', 'H from 0.25 to 0.75')
    """
    known = np.ravel(values)[np.isfinite(np.ravel(values))]
    if known.size == 0:
        return f"{name} nan"
    if known.min() == known.max():
        return f"{name} {known[0]:.4g}"
    return f"{name} from {known.min():.4g} to {known.max():.4g}"
