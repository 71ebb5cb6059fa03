"""The double well of the study: two parabolas that meet in a kink, so that no chain of a small rate can explode."""

from __future__ import annotations

import math

from numba import njit

from ...dynamics.landscapes import Landscape


@njit
def _potential(x: float, sharp: float, flat: float, left: float, right: float) -> float:
    return 0.5 * sharp * (x - left) * (x - left) if x < 0.0 else 0.5 * flat * (x - right) * (x - right)


@njit
def _gradient(x: float, sharp: float, flat: float, left: float, right: float) -> float:
    return sharp * (x - left) if x < 0.0 else flat * (x - right)


def joined_parabolas(sharp: float, flat: float, height: float) -> Landscape:
    """A sharp parabola on the left and a flat one on the right, which meet at 0, `height` above both minima.

    A quartic double well would not do: where its slope is steep enough, one large jump makes the chain explode.

    >>> well = joined_parabolas(4.0, 1.0, 0.5)
    >>> well.minima, float(well.energy(0.0))
    ((-0.5, 1.0), 0.5)
    """
    left, right = -math.sqrt(2.0 * height / sharp), math.sqrt(2.0 * height / flat)
    params = (sharp, flat, left, right)
    return Landscape(_potential, _gradient, params, name="double_well", minima=(left, right), saddles=(0.0,))
