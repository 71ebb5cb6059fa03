"""Domains as users write them: intervals whose ends may move, level sets, and several named level sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..core import checks
from ..core.brief import brief
from ..core.portable import Portable

REACH_OF_FINEST = 2.0  # jumps reach at most so many smallest lengths, so that their ends show a feature


@brief
@dataclass(frozen=True)
class LevelSet(Portable):
    """The domain ``level(x, *params) < 0`` of a plain or njit function.

    In d dimensions x is a tuple of d floats, or an array where those of the landscape are arrays.

    `finest` is the smallest length of the boundary's features, such as the radius of the smallest excluded disc, and
    matters in continuous time. No jump reaches farther than that, at a cost that grows like its inverse square at
    H = 1/2. A level function tells the distance of the boundary to first order only. Without `finest`, jumps therefore
    pass over features that are narrower than they are, and ``error_budget.missed_crossings`` tells how often.

    `steepness` is the length of the level's gradient where that is the same everywhere, as it is 1 for a distance. A
    boundary of points that are arrays can be moved inwards (`Shifted`) only if it is known.

    >>> disc = LevelSet(lambda x, r: x[0] ** 2 + x[1] ** 2 - r**2, params=(1.5,))
    """

    level: Callable[..., float]
    params: tuple[float, ...] = ()
    finest: float | None = None
    steepness: float | None = None
    _functions: ClassVar[tuple[str, ...]] = ("level",)


Level = LevelSet | Callable[..., float]
Wall = float | None | Callable[[float], float]
Domain = checks.Interval | tuple[Wall, Wall] | Level | Mapping[str, Level]
