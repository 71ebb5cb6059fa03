"""The wells that a study compares: where paths start, and what they must not leave."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...core import checks
from ...core.points import Point
from ...dynamics.landscapes import Landscape, named_landscape, parameters, quadratic

Domain = tuple[float, float] | Callable[[Point], float]

PAIR = "quadratic"  # the one landscape without a way out, of which a study takes two

_CLOSE = 1e-3  # steps of the differences that give a curvature, in distances to the saddle
_DIGITS = 9  # of a curvature by differences that can be trusted
_STENCIL = ((-2, 1.0), (-1, -8.0), (1, 8.0), (2, -1.0))  # 12 h f'(x) = sum w f(x + k h) + O(h^5)


@dataclass(frozen=True)
class Well:
    """A minimum to escape from: where paths start, what they must not leave, and its curvature.

    `curvature` is the smallest one in several dimensions. `barrier` is the distance to the rim of a quadratic well,
    None where no formula for it applies.
    """

    name: str
    landscape: Landscape
    x0: float | Point
    domain: Domain
    curvature: float
    barrier: float | None = None


def wells_of(name: str, pair: Mapping[str, float], params: Mapping[str, float]) -> list[Well]:
    """Return the wells of the landscape called `name`, the sharper one of two first.

    `pair` has the curvatures `sharp` and `flat` and the `height` of the barrier, for the landscapes that have
    parameters of these names; `params` has any other parameters, and goes first. ValueError for a parameter that the
    landscape does not have, and for a landscape that has no saddle to leave a minimum by.

    >>> [(well.name, well.domain) for well in wells_of("double_well", {}, {"sharp": 9.0})]
    [('sharp', (-inf, 0.0)), ('flat', (0.0, inf))]
    """
    if name == PAIR:
        if params:
            raise ValueError(f"landscape_params must be empty for {name!r}, got {dict(params)}. "
                             "Its two wells are told by sharp, flat and height.")  # fmt: skip
        return _parabolas(**pair)
    known = parameters(name)
    landscape = named_landscape(name, {k: v for k, v in pair.items() if k in known} | dict(params))
    if not landscape.saddles:
        raise ValueError(f"landscape must have a saddle to leave a minimum by, got {name} with {dict(params)}, "
                         "which has none. Take other landscape_params.")  # fmt: skip
    wells = [_well(landscape, np.atleast_1d(x)) for x in landscape.minima]
    wells.sort(key=lambda well: -well.curvature)
    return [_named(well, label) for well, label in zip(wells, _labels(wells), strict=True)]


def starting(wells: list[Well], start: str) -> list[Well]:
    """The wells that paths start in, all of them for "both"; ValueError unless there is one of this name."""
    chosen = checks.choice("start", start, ("both", *(well.name for well in wells)))
    return [well for well in wells if chosen in ("both", well.name)]


def _parabolas(sharp: float, flat: float, height: float) -> list[Well]:
    """Two separate parabolas with rims of the same height on both sides."""
    wells = []
    for name, a in (("sharp", sharp), ("flat", flat)):
        rim = math.sqrt(2.0 * height / a)
        wells.append(Well(name, quadratic(a), 0.0, (-rim, rim), a, rim))
    return wells


def _labels(wells: list[Well]) -> list[str]:
    """Names: sharp and flat for two wells of different curvature, numbers for more or equal ones."""
    if len(wells) == 2 and wells[0].curvature > wells[1].curvature:
        return ["sharp", "flat"]
    if len(wells) == 1:
        return ["only"]
    return [f"well {i + 1}" for i in range(len(wells))]


def _named(well: Well, name: str) -> Well:
    """The well under another name."""
    return Well(name, well.landscape, well.x0, well.domain, well.curvature, well.barrier)


def _well(landscape: Landscape, x: np.ndarray) -> Well:
    """The well around a minimum, left at the nearest saddles: through either in a line, beyond a plane elsewhere."""
    saddles = np.array(landscape.saddles, dtype=float).reshape(len(landscape.saddles), landscape.dim)
    nearest = saddles[np.argmin(np.linalg.norm(saddles - x, axis=1))]
    curvature = _curvature(landscape, x, _CLOSE * float(np.linalg.norm(nearest - x)))
    if landscape.dim == 1:
        below, above = saddles[saddles < x[0]], saddles[saddles > x[0]]
        domain = (float(below.max(initial=-math.inf)), float(above.min(initial=math.inf)))
        return Well("", landscape, float(x[0]), domain, curvature)
    way = (nearest - x) / np.linalg.norm(nearest - x)
    level = partial(_beyond, saddle=tuple(nearest.tolist()), way=tuple(way.tolist()))
    return Well("", landscape, tuple(x.tolist()), level, curvature)


def _beyond(x: Point, saddle: Point, way: Point) -> float:
    """How far a point lies beyond the plane through the saddle that is perpendicular to the way there."""
    total = 0.0
    for j in range(len(saddle)):
        total += (x[j] - saddle[j]) * way[j]
    return total


def _curvature(landscape: Landscape, x: np.ndarray, step: float) -> float:
    """The smallest second derivative at a minimum, by differences of the gradient."""
    hessian = np.zeros((x.size, x.size))
    for j, axis in enumerate(np.eye(x.size)):
        for k, weight in _STENCIL:
            at = x + k * step * axis
            hessian[j] += weight * np.atleast_1d(landscape.slope(at if landscape.dim > 1 else at[0])) / (12.0 * step)
    smallest = float(np.linalg.eigvalsh((hessian + hessian.T) / 2.0)[0])
    return float(f"{smallest:.{_DIGITS}g}")
