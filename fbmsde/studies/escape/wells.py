"""The wells that a study compares: where paths start, and what they must not leave."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...dynamics import landscapes
from ...dynamics.landscapes import Landscape

STARTS = ("both", "sharp", "flat")


@dataclass(frozen=True)
class Well:
    """A minimum to escape from: where paths start, what they must not leave, and its curvature.

    `barrier` is the distance to the rim of a quadratic well, None where no formula for it applies.
    """

    name: str
    landscape: Landscape
    x0: Any
    domain: Any
    curvature: float
    barrier: float | None = None


def _quadratic_wells(sharp: float, flat: float, height: float) -> list[Well]:
    """Two separate parabolas with rims of the same height on both sides."""
    wells = []
    for name, a in (("sharp", sharp), ("flat", flat)):
        rim = math.sqrt(2.0 * height / a)
        wells.append(Well(name, landscapes.quadratic(a), 0.0, (-rim, rim), a, rim))
    return wells


def _double_wells(sharp: float, flat: float, height: float) -> list[Well]:
    """The two sides of one double well, left at the saddle."""
    well = landscapes.double_well(sharp, flat, height)
    sides = (("sharp", -math.inf, 0.0, sharp), ("flat", 0.0, math.inf, flat))
    return [Well(n, well, x, (lo, hi), a) for (n, lo, hi, a), x in zip(sides, well.minima, strict=True)]


def _left_of_saddle(x: tuple[float, float]) -> float:
    return x[0]


def _right_of_saddle(x: tuple[float, float]) -> float:
    return -x[0]


def _double_wells_2d(sharp: float, flat: float, height: float) -> list[Well]:
    """The two sides of the double well in the plane, left across the line through the saddle."""
    well = landscapes.double_well_2d(sharp, flat, height)
    sides = (("sharp", _left_of_saddle, sharp), ("flat", _right_of_saddle, flat))
    return [Well(n, well, x, level, a) for (n, level, a), x in zip(sides, well.minima, strict=True)]


SCENES: dict[str, Callable[[float, float, float], list[Well]]] = {
    "quadratic": _quadratic_wells,
    "double_well": _double_wells,
    "double_well_2d": _double_wells_2d,
}
