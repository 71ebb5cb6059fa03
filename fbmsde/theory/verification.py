"""`Verification`: what came out when the stated error of a formula was derived again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..core.show import Shown
from ..core.types import Array

Evaluate = Callable[..., Array]
SIGMAS = 4.0  # standard errors of a simulation that a comparison may be off: 6e-5 of all are off by more


@dataclass(frozen=True, repr=False)
class Verification(Shown):
    """What a formula was compared with, how far off it was, and how far off it says that it is.

    compared : what was compared with what, and where. Of several comparisons it is the one that fits least.
    deviation : the measured deviation of the formula, or of the error that it states.
    stated : the deviation that the formula states.
    uncertainty : how far off the comparison itself may be: the error of a quadrature, the rounding of a stated number,
        or four standard errors of a simulation.
    formula : the name of the formula.

    >>> Verification("the formula with a simulation", deviation=0.02, stated=0.01, uncertainty=0.005).passed
    False
    """

    compared: str
    deviation: float
    stated: float
    uncertainty: float
    formula: str = ""

    def _facts(self) -> Mapping[str, object]:
        return {"formula": self.formula, "outcome": "passed" if self.passed else "failed", "deviation": self.deviation,
                "stated": self.stated, "uncertainty": self.uncertainty, "compared": self.compared}  # fmt: skip

    @property
    def passed(self) -> bool:
        """Whether the deviation is at most the stated one, up to the uncertainty of the comparison."""
        return self.deviation <= self.stated + self.uncertainty

    @property
    def share(self) -> float:
        """The deviation as a share of the largest that passes."""
        return self.deviation / (self.stated + self.uncertainty)


Check = Callable[[Evaluate], Verification]


def relative(compared: str, found: ArrayLike, true: ArrayLike, stated: float, uncertainty: float) -> Verification:
    """The largest relative deviation of the values found from the true ones.

    >>> relative("", [1.0, 2.02], [1.0, 2.0], stated=0.0, uncertainty=0.05).passed
    True
    """
    deviation = float(np.max(np.abs(np.asarray(found) / np.asarray(true) - 1.0)))
    return Verification(compared, deviation, stated, uncertainty)


def absolute(compared: str, found: ArrayLike, true: ArrayLike, stated: float, uncertainty: float) -> Verification:
    """The largest deviation of the values found from the true ones.

    >>> absolute("", 0.5, 0.4, stated=0.0, uncertainty=0.05).passed
    False
    """
    deviation = float(np.max(np.abs(np.asarray(found) - np.asarray(true))))
    return Verification(compared, deviation, stated, uncertainty)


def restated(what: str, found: float, said: float, rounding: float, uncertainty: float = 0.0) -> Verification:
    """How far a number that was found again is from the one that the formula says, which is rounded.

    >>> restated("simulated / predicted", 1.08, said=1.1, rounding=0.05).compared
    'simulated / predicted: found 1.08, stated 1.1'
    """
    text = f"{what}: found {found:.3g}, stated {said:g}"
    return Verification(text, abs(found - said), 0.0, rounding + uncertainty)


def worst(*found: Verification) -> Verification:
    """The comparison that fits least.

    >>> worst(restated("a", 1.0, 1.1, 0.2), restated("b", 1.0, 1.1, 0.05)).compared[0]
    'b'
    """
    return max(found, key=lambda verification: verification.share)
