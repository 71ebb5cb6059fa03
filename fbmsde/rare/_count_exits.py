"""The kernel that bends paths out of a domain and counts their steps near its ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..core.cache import kernel
from ..core.types import AnyArray, Array

_PIECE = 512  # steps that are counted at once before the first one outside is looked for


class Bent(NamedTuple):
    """Where paths are bent: the steps, the values there, and the sides on which these lie, (n_paths, n_draws) each."""

    steps: NDArray[np.int64]
    values: Array
    sides: Array


class Path(NamedTuple):
    """The law of a path ``memory (x0 - y_0) + y`` of n steps.

    r : the autocovariance of the stationary path y, (n + 1,).
    memory : what is left of the start at each step, (n + 1,).
    """

    r: Array
    memory: Array
    x0: float


class Ends(NamedTuple):
    """The ends of the domain, and those between which a path is not near them."""

    lower: float
    upper: float
    near_lower: float
    near_upper: float


class Counts(NamedTuple):
    """What is found: of each draw the near steps, the first step outside and its side; of each path if it is left."""

    near: NDArray[np.int64]
    steps: NDArray[np.int64]
    sides: NDArray[np.int8]
    left: NDArray[np.bool_]

    def of(self, some: slice) -> Counts:
        """The same arrays for a range of paths."""
        return Counts(self.near[some], self.steps[some], self.sides[some], self.left[some])


class Bend(NamedTuple):
    """How one path ``x_k = y_k + pull (r[|k - step|] - own r[k]) + fading memory[k]`` is bent at a step."""

    step: int
    pull: float
    own: float
    fading: float


class Seen(NamedTuple):
    """How many steps of a range are near or outside, and the first step outside with its side; 0 and 0 if none is."""

    near: int
    step: int
    side: int


@njit(error_model="numpy", forceinline=True)
def _bent_to(y: AnyArray, law: Path, step: int, value: float) -> Bend:
    """The bend that takes a stationary path `y` to the path from x0 with this value at this step."""
    own = law.memory[step]
    variance = law.r[0] * (1.0 + own * own) - 2.0 * own * law.r[step]
    pull = (value - y[step] - own * (law.x0 - y[0])) / variance
    return Bend(step, pull, own, law.x0 - y[0] + pull * (own * law.r[0] - law.r[step]))


@njit(error_model="numpy", forceinline=True)
def _first_outside(y: AnyArray, law: Path, bend: Bend, ends: Ends, begin: int, end: int) -> tuple[int, int]:
    """The first of the steps ``begin ... end - 1`` outside, and its side; 0 and 0 if there is none."""
    for k in range(begin, end):
        x = y[k] + bend.pull * (law.r[abs(k - bend.step)] - bend.own * law.r[k]) + bend.fading * law.memory[k]
        if x <= ends.lower or x >= ends.upper:
            return k, (1 if x >= ends.upper else -1)
    return 0, 0


@njit(error_model="numpy", nogil=True)
def _look(y: AnyArray, law: Path, bend: Bend, ends: Ends, begin: int, end: int) -> Seen:
    """What is seen at the steps ``begin ... end - 1``, which all lie on one side of the step of the bend."""
    total, first, side = 0, 0, 0
    for start in range(begin, end, _PIECE):
        stop = min(start + _PIECE, end)
        if start < bend.step:
            distant = law.r[bend.step - stop + 1 : bend.step - start + 1][::-1]
        else:
            distant = law.r[start - bend.step : stop - bend.step]
        some, own, memory = y[start:stop], law.r[start:stop], law.memory[start:stop]
        near = 0
        for k in range(stop - start):
            x = some[k] + bend.pull * (distant[k] - bend.own * own[k]) + bend.fading * memory[k]
            near += (x <= ends.near_lower) | (x >= ends.near_upper)
        total += near
        if near > 0 and first == 0:
            first, side = _first_outside(y, law, bend, ends, start, stop)
    return Seen(total, first, side)


@kernel
def count_exits(rows: AnyArray, law: Path, ends: Ends, window: int, bent: Bent, found: Counts) -> None:
    """Bend each of the stationary paths `rows` (n_paths, n + 1) in all ways and write what is found of it.

    `window` is the first step of the window.
    """
    for i in range(rows.shape[0]):
        y = rows[i]
        as_it_is = Bend(y.size - 1, 0.0, 0.0, law.x0 - y[0])
        found.left[i] = _look(y, law, as_it_is, ends, 1, window).step == 0
        for j in range(bent.steps.shape[1]):
            step, value = bent.steps[i, j], bent.values[i, j]
            bend = _bent_to(y, law, step, value)
            before = _look(y, law, bend, ends, 1, window)
            until = _look(y, law, bend, ends, window, step)
            after = _look(y, law, bend, ends, step + 1, y.size)
            found.near[i, j] = 1 + until.near + after.near
            found.steps[i, j], found.sides[i, j] = after.step, after.side
            if value <= ends.lower or value >= ends.upper:
                found.steps[i, j], found.sides[i, j] = step, np.int8(bent.sides[i, j])
            if until.step > 0:
                found.steps[i, j], found.sides[i, j] = until.step, until.side
            if before.step > 0:
                found.steps[i, j], found.sides[i, j] = before.step, before.side
