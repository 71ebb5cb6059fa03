"""Where the exit rates of the sharp and the flat well cross as the barrier grows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import scipy

from ...core.types import Array
from ...results.escape import UNKNOWN
from ...results.escape_rates import Crossing, RateRow, log_ratio_of, pairs_of
from ...results.estimates import Estimate

_STEP = 1e-4  # of the difference that gives a slope, over the distance of barriers

Shape = Callable[[float], float]  # of the logarithm of the ratio of the rates, as a function of the barrier


class Known(NamedTuple):
    """The logarithm of the rate of the sharp well over that of the flat one at a barrier."""

    barrier: float
    ratio: Estimate


def crossing_of(hurst: float, rows: tuple[RateRow, ...], shape: Shape, predicted: float) -> Crossing:
    """The crossing under noise of one H from its rows; `shape` is where a formula has the logarithm of the ratio."""
    found = [Known(sharp.barrier, log_ratio_of(sharp, flat)) for sharp, flat in pairs_of(rows)]
    known = sorted(each for each in found if math.isfinite(each.ratio.value))
    order, barriers = order_of(known), tuple(each.barrier for each in known)
    barrier = root(known, shape) if order == "flips" else UNKNOWN
    unknown = tuple(sorted({each.barrier for each in found} - set(barriers)))
    return Crossing(hurst, order, barrier, predicted, barriers, unknown)


def order_of(known: Sequence[Known]) -> str:
    """One of `ORDERS` for ratios at ascending barriers; a flip may lie where a ratio cannot be told from 1.

    >>> up, down = Estimate(1.0, 0.5, 1.5), Estimate(-1.0, -1.5, -0.5)
    >>> order_of([Known(2.0, up), Known(3.0, down)]), order_of([Known(2.0, up), Known(3.0, up)])
    ('flips', 'sharp')
    """
    signs = [math.copysign(1.0, each.ratio.value) for each in known]
    clear = [sign for sign, each in zip(signs, known, strict=True) if each.ratio.low * each.ratio.high > 0.0]
    changes = [(a, b) for a, b in pairwise(signs) if a != b]
    if changes == [(1.0, -1.0)] and clear:
        return "flips"
    if changes or not clear or len(clear) < len(signs):
        return "undecided"
    return "sharp" if clear[0] > 0.0 else "flat"


def root(known: Sequence[Known], shape: Shape) -> Estimate:
    """The barrier at which the ratio is 1, with a 95 % interval.

    What the logarithm of the ratio has beyond `shape` is interpolated by the polynomial through the two barriers before
    the change of sign and the two behind it, or as many of these as there are. The half-width is that of the
    interpolated ratio over the slope.

    >>> ends = [Known(2.0, Estimate(2.0, 1.9, 2.1)), Known(3.0, Estimate(-2.0, -2.1, -1.9))]
    >>> root(ends, lambda k: 0.0).text(3)
    '2.5 [2.48, 2.52]'
    """
    behind = next(i for i, each in enumerate(known) if i and each.ratio.value < 0.0 < known[i - 1].ratio.value)
    near = known[max(behind - 2, 0) : behind + 2]
    places = [each.barrier for each in near]
    beyond = np.array([each.ratio.value - shape(each.barrier) for each in near])
    reach = np.array([(each.ratio.high - each.ratio.low) / 2.0 for each in near])

    def value(k: float) -> float:
        return shape(k) + float(_weights(places, k) @ beyond)

    left, right = known[behind - 1].barrier, known[behind].barrier
    k = float(scipy.optimize.brentq(value, left, right, xtol=1e-9))
    step = _STEP * (right - left)
    slope = (value(k + step) - value(k - step)) / (2.0 * step)
    width = float(np.linalg.norm(_weights(places, k) * reach)) / abs(slope)
    return Estimate(k, k - width, k + width)


def _weights(places: Sequence[float], k: float) -> Array:
    """The weights of values at these places in the polynomial through them, at k (Lagrange)."""
    return np.array([math.prod((k - other) / (x - other) for other in places if other != x) for x in places])
