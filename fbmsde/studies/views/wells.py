"""The parabolas of the study: two of the same height, and rows of them in which one property varies."""

from __future__ import annotations

import math
from typing import NamedTuple

from ...dynamics.landscapes import Landscape, quadratic

FACTORS = (0.8, 0.95, 1.1, 1.25)  # by which the property that varies differs from the middle well


class Parabola(NamedTuple):
    """The well ``curvature x^2 / 2``, left at either rim, ``width`` away from the minimum."""

    name: str
    curvature: float
    width: float

    @property
    def height(self) -> float:
        """Height of the rims above the minimum."""
        return 0.5 * self.curvature * self.width**2

    @property
    def landscape(self) -> Landscape:
        """The landscape."""
        return quadratic(self.curvature)

    @classmethod
    def of_height(cls, name: str, curvature: float, height: float) -> Parabola:
        """The parabola of this curvature with rims of this height.

        >>> Parabola.of_height("flat", 1.0, 2.0).width
        2.0
        """
        return cls(name, curvature, math.sqrt(2.0 * height / curvature))


class Family(NamedTuple):
    """Wells of which one property varies and another is held."""

    varied: str
    held: str
    wells: tuple[Parabola, ...]


def families(middle: Parabola) -> tuple[Family, ...]:
    """Wells around the middle one: height varied at the same width and at the same curvature, width at the same height.

    >>> [(f.varied, f.held, len(f.wells)) for f in families(Parabola("middle", 2.0, 1.0))]
    [('height', 'width', 4), ('height', 'curvature', 4), ('width', 'height', 4)]
    """
    a, w = middle.curvature, middle.width
    at_width = tuple(Parabola(f"{c:g}", a * c, w) for c in FACTORS)
    at_curvature = tuple(Parabola(f"{c:g}", a, w * math.sqrt(c)) for c in FACTORS)
    at_height = tuple(Parabola(f"{c:g}", a / c**2, w * c) for c in FACTORS)
    return (
        Family("height", "width", at_width),
        Family("height", "curvature", at_curvature),
        Family("width", "height", at_height),
    )
