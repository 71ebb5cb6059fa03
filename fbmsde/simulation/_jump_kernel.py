"""The kernel of exits in continuous time: one path after the other, jump by jump.

A jump is drawn before it is made. If its end is too near to the boundary, it is split into two halves, whose normals
are drawn given its own, and so are halves, until each is safe or a single step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..core.points import Point, add, is_finite, replaced, scaled
from ..core.states import BROKEN, CENSORED, LEFT, NO_LEVEL
from ..core.types import Array
from ..dynamics.solvers import heun
from ._ends import Ends
from ._jump_state import (
    BARE,
    INLINED,
    Room,
    Source,
    Tables,
    begin,
    carry,
    correlated,
    draw,
    drawn,
    predicted,
    room_of,
    split,
)
from .budget import BINS, PER_UNIT
from .scan import Line
from .watch import INSIDE, UNDEFINED

STIFF, BENT, UNSEEN = 0, 1, 2  # places in `watched`
_LONGER = 4  # the number of reaches beyond that of the longest jump, for jumps with large predicted moves
_SAMPLED = 16  # one in so many jumps is looked at midway
_GOLDEN, _PLASTIC = 0.6180339887498949, 0.7548776662466927  # multiples of these fill the unit interval evenly


class Limits(NamedTuple):
    """What bounds a jump, and how it is checked.

    A jump is either chosen where a path stands, which is row 0 of some arrays, or it is one half of a longer jump that
    was not good enough, which is row 1.

    clear : the distance that the boundary must have from a jump of each level, in standard deviations of the jump.
    before, after : the same in units of x, from the expected end and from the end that is drawn.
    far : the largest distance that a jump can be expected to go, and that for some more levels, each twice the one
        before.
    trust : the share of the distance by which a predicted move away from the boundary counts.
    drift_step : the largest product of the duration of a jump and the stiffness.
    widest : the largest `far` of a jump.
    spread : half the width, in standard deviations, of the range in which a path may stand midway through a jump.
    """

    clear: Array
    before: Array
    after: Array
    far: Array
    trust: float
    drift_step: float
    widest: float
    spread: float


@njit(**INLINED)
def _stiffness(
    gradient: Any, params: Any, x: Point, slope: Point, move: Point, reach: float
) -> float:  # fmt: skip
    """Steepest change of the gradient per unit of length, from x to `reach` along each axis and to the expected end."""
    most = 0.0
    for j in range(len(x)):
        up = gradient(replaced(x, j, x[j] + reach), *params)
        down = gradient(replaced(x, j, x[j] - reach), *params)
        for i in range(len(x)):
            most = max(most, abs(up[i] - slope[i]), abs(slope[i] - down[i]))
    most /= reach
    if len(x) > 1:
        ahead, far = gradient(add(x, 1.0, move), *params), max(reach, _largest(move))
        for j in range(len(x)):
            most = max(most, abs(ahead[j] - slope[j]) / far)
    return most


@njit(**INLINED)
def _scanned(stiffness: Array, limits: Limits, cell: int, m: int, move: float) -> float:
    """Stiffness within reach of a jump from a cell, from the scan; NaN where the scan does not tell.

    If the predicted move is longer than a quarter of the reach, a longer reach is taken.
    """
    k, beyond = m, abs(move) - 0.25 * limits.far[m]
    if beyond > 0.0:
        while k < limits.far.size and limits.far[k] < limits.far[m] + beyond:
            k += 1
    return stiffness[k, cell] if k < limits.far.size else np.nan


@njit(**INLINED)
def _largest(move: Point) -> float:
    """The largest coordinate of a move, without its sign."""
    largest = 0.0
    for j in range(len(move)):
        largest = max(largest, abs(move[j]))
    return largest


@njit(**INLINED)
def _fitting(
    gradient: Any, params: Any, clearance: Any, bounds: Any, tables: Tables, line: Line, stiffness: Array,
    limits: Limits, clock: Any, x: Point, m: int, half: int, room: Room, mixing: Array,
) -> tuple[bool, Point, float, float]:  # fmt: skip
    """Whether a jump of 2^m steps is within the limits, its predicted noise, clearance and stiffness."""
    dt, scale = clock
    length = np.float64(np.int64(1) << m)
    far, slope = limits.far[m], gradient(x, *params)
    noise = predicted(x, tables, m, length, scale, room)
    move = add(correlated(noise, mixing), -dt * length, slope)
    clear = clearance(x, move, limits.before[half, m], limits.trust, *bounds)
    place = (x[0] - line.low) * line.per_length
    stiff, widest = np.nan, limits.widest
    if 0.0 <= place < stiffness.shape[1]:
        stiff = dt * length * _scanned(stiffness, limits, int(place), m, move[0])
    if np.isnan(stiff):
        stiff = dt * length * _stiffness(gradient, params, x, slope, move, far)
        widest = min(widest, line.beyond)
    fits = clear >= 1.0 and stiff <= limits.drift_step and max(far, _largest(move)) <= widest
    return m == 0 or fits, noise, clear, stiff


@njit(**INLINED)
def _choose(
    gradient: Any, params: Any, clearance: Any, bounds: Any, tables: Tables, line: Line, stiffness: Array,
    limits: Limits, clock: Any, x: Point, m: int, room: Room, mixing: Array,
) -> tuple[int, Point, float, float]:  # fmt: skip
    """The longest jump of at most 2^m steps within the limits, as its m, predicted noise, clearance and stiffness."""
    still = scaled(0.0, x)
    fits, noise, clear, stiff = False, still, 0.0, 0.0
    while not fits:
        early = (1.0 - limits.trust) * limits.before[0, m]  # at x, a necessary condition that is cheap to test
        if m == 0 or (limits.far[m] <= limits.widest and clearance(x, still, early, 0.0, *bounds) >= 1.0):
            fits, noise, clear, stiff = _fitting(
                gradient, params, clearance, bounds, tables, line, stiffness, limits, clock, x, m, 0, room, mixing
            )
        if not fits:
            m -= 1
    return m, noise, clear, stiff


@njit(**INLINED)
def _record(tally: NDArray, watched: Array, m: int, clear: float, stiff: float) -> None:
    """Count a jump by its level and its clearance in standard deviations, and keep the largest stiffness."""
    place = clear * PER_UNIT if m > 0 else 0.0
    tally[m, int(min(place, BINS - 1.0)) if place > 0.0 else 0] += 1
    watched[STIFF] = max(watched[STIFF], stiff)


@njit(**INLINED)
def _between(x: Point, y: Point, width: float, eighth: int, path: int, sample: int) -> Point:
    """A place at which a path may stand some eighths of the way from x to y; midway it is up to `width` off their mean.

    Such places come from an even sequence and not from the random numbers of the path, so that looking at them changes
    no path.
    """
    place, share = x, eighth / 8.0
    off = width * np.sqrt(4.0 * share * (1.0 - share))
    for j in range(len(x)):
        u = _GOLDEN * ((8 * sample + eighth) * (j + 1)) + _PLASTIC * path
        place = replaced(place, j, x[j] + share * (y[j] - x[j]) + off * (2.0 * (u - np.floor(u)) - 1.0))
    return place


@njit(**INLINED)
def _hides_exit(test: Any, bounds: Any, x: Point, y: Point, width: float, path: int, sample: int) -> bool:
    """True if one of seven places on the way from x to y lies outside."""
    hidden = False
    for eighth in range(1, 8):
        hidden = hidden or test(0.0, _between(x, y, width, eighth, path, sample), *bounds) != INSIDE
    return hidden


@njit(**INLINED)
def _bend(gradient: Any, params: Any, x: Point, y: Point, between: Point, width: float) -> float:
    """Difference of the gradient between two ends and midway, over the larger of their distance and `width`."""
    here, there, half = gradient(x, *params), gradient(y, *params), gradient(between, *params)
    most, far = 0.0, width
    for j in range(len(x)):
        most = max(most, abs(half[j] - 0.5 * (here[j] + there[j])))
        far = max(far, abs(y[j] - x[j]))
    return most / far


@njit(**INLINED)
def _origin(like: Point, origins: Array, path: int) -> Point:
    """The point at which a path begins."""
    point = like
    for j in range(len(like)):
        point = replaced(point, j, origins[path if origins.shape[0] > 1 else 0, j])
    return point


@njit(**BARE)
def _note_end(ends: Ends, path: int, now: int, outcome: int, rim: int, x: Point) -> None:
    """Note the step and the state in which a path ended and, if it has left, the rim and the point."""
    ends.steps[path], ends.states[path] = now, outcome
    if outcome == LEFT:
        ends.sides[path] = rim
        for j in range(len(x)):
            ends.places[path, j] = x[j]


@njit(**INLINED)
def _longest(m: int, n_left: int) -> int:
    """The largest number up to m for which 2^m steps are not more than those that are left."""
    while np.int64(1) << m > n_left:
        m -= 1
    return m


@njit(**INLINED)
def _next_half(pending: int, m: int) -> tuple[int, int, int]:
    """The next jump: 1 for the shortest second half that is pending, 0 if none is, its level, and what then pends.

    `pending` has a bit for each level, and m is the level of the jump that was made.
    """
    if pending == 0:
        return 0, m, pending
    while (pending >> m) & 1 == 0:
        m += 1
    return 1, m, pending ^ (1 << m)


@njit(**INLINED)
def _is_safe(
    clearance: Any, bounds: Any, limits: Limits, y: Point, m: int, half: int, inside: bool, clear: float
) -> tuple[bool, float]:  # fmt: skip
    """Whether a jump of several steps can be made to y, if that is `inside`, and the clearance that counts for it."""
    if m == 0:
        return True, clear
    left = clearance(y, scaled(0.0, y), limits.after[half, m], 0.0, *bounds)
    return inside and left >= 1.0, min(clear, left) if half == 1 else clear


@njit(**INLINED)
def _outcome(rim: int, y: Point) -> int:
    """The state of a path at y, from what the watch tells."""
    if rim == INSIDE:
        return CENSORED
    return (NO_LEVEL if rim == UNDEFINED else LEFT) if is_finite(y) else BROKEN


@njit(**INLINED)
def _look_midway(
    gradient: Any, test: Any, params: Any, bounds: Any, line: Line, stiffness: Array, width: float, lasts: float,
    x: Point, y: Point, path: int, jump: int, tally: NDArray, watched: Array,
) -> None:  # fmt: skip
    """In one of `_SAMPLED` jumps, look at places at which a path may stand on the way from x to y."""
    sample = jump // _SAMPLED
    if (jump + path) % _SAMPLED != 0:
        return
    if _hides_exit(test, bounds, x, y, width, path, sample):
        tally[0, 0, 1] += 1
    else:
        known = 0.0 <= (y[0] - line.low) * line.per_length < stiffness.shape[1]
        watched[UNSEEN] = max(watched[UNSEEN], 0.0 if known else 1.0)
        between = _between(x, y, width, 4, path, sample)
        watched[BENT] = max(watched[BENT], lasts * _bend(gradient, params, x, y, between, width))


@njit(**INLINED)
def _proposed(
    gradient: Any, params: Any, clearance: Any, bounds: Any, tables: Tables, line: Line, stiffness: Array,
    limits: Limits, clock: Any, x: Point, m: int, half: int, room: Room, mixing: Array, position: int,
) -> tuple[bool, int, Point, float, float, int]:  # fmt: skip
    """A half, or a jump that is chosen: whether it fits, its m, predicted noise, clearance and stiffness.

    The normals of a chosen jump are drawn; the place of the next unused one comes last.
    """
    fits = True
    if half == 0:
        m, noise, clear, stiff = _choose(
            gradient, params, clearance, bounds, tables, line, stiffness, limits, clock, x, m, room, mixing
        )
        position = draw(room, tables, m, position)
    else:
        fits, noise, clear, stiff = _fitting(
            gradient, params, clearance, bounds, tables, line, stiffness, limits, clock, x, m, 1, room, mixing
        )
    return fits, m, noise, clear, stiff, position


@njit(**INLINED)
def _jump_exits(
    gradient: Any, test: Any, clearance: Any, source: Source, tables: Tables, params: Any, bounds: Any, line: Line,
    stiffness: Array, limits: Limits, like: Point, origins: Array, clock: Any, n_steps: int, queue: NDArray,
    ends: Ends, control: NDArray, tally: NDArray, watched: Array, room: Room,
) -> None:  # fmt: skip
    """The ends of the queued paths, counted from ``ends.first``; control[0] asks to stop, [1] counts finished paths.

    `tally` counts jumps by level and clearance, (2, n_levels, BINS), chosen ones and halves, those of one step in
    [:, 0, 0]; in [0, 0, 1] those of one in `_SAMPLED` jumps that may have been outside on the way. `watched` keeps at
    STIFF the largest duration times stiffness of a jump, at BENT the same from the places midway, and at UNSEEN 1 when
    a path went where nothing was scanned.
    """
    mixing, top, across = source.mixing, tables.rank.size - 1, len(like) * tables.n_pair
    dt, scale = clock
    for path in queue:
        if control[0] != 0:
            break
        number = ends.first + path
        begin(source, number, room)
        x, now, m, position = _origin(like, origins, path), np.int64(0), top, room.normals.size
        outcome, rim, jump, half, offset, pending = CENSORED, INSIDE, 0, 0, 0, np.int64(0)
        while now < n_steps and outcome == CENSORED and control[0] == 0:
            m = m if half == 1 else _longest(min(m + 1, top), n_steps - now)
            fits, m, noise, clear, stiff, position = _proposed(
                gradient, params, clearance, bounds, tables, line, stiffness, limits, clock, x, m, half, room, mixing,
                position,
            )  # fmt: skip
            lasts, deviation = dt * np.float64(np.int64(1) << m), scale * tables.deviation[m]
            noise = drawn(noise, room, deviation, m * across + offset, tables.n_pair)
            y = heun(gradient, params, x, correlated(noise, mixing), lasts)
            rim = test(0.0, y, *bounds)
            safe, clear = _is_safe(clearance, bounds, limits, y, m, half, fits and rim == INSIDE, clear)
            if safe:
                carry(room, tables, m, offset)
                now, jump, outcome = now + (np.int64(1) << m), jump + 1, _outcome(rim, y)
                _record(tally[half], watched, m, clear * limits.clear[half, m], stiff)
                if m > 0:
                    _look_midway(gradient, test, params, bounds, line, stiffness, limits.spread * deviation, lasts,
                                 x, y, number, jump, tally, watched)  # fmt: skip
                x = y
                half, m, pending = _next_half(pending, m)
                offset = half * tables.rank[m]
            else:
                position = split(room, tables, m, offset, position)
                m, half, offset = m - 1, 1, 0
                pending |= np.int64(1) << m
        _note_end(ends, path, now, outcome, rim, x)
        control[1] += 1


def jump_kernel(gradient: Any, test: Any, clearance: Any) -> Any:
    """The kernel of a landscape and a watch, a function of all that `_jump_exits` takes besides the three functions."""

    def kernel(
        source: Source, tables: Tables, params: Any, bounds: Any, line: Line, stiffness: Array, limits: Limits,
        like: Point, origins: Array, clock: Any, n_steps: int, queue: NDArray, ends: Ends, control: NDArray,
        tally: NDArray, watched: Array,
    ) -> None:  # fmt: skip
        _jump_exits(
            gradient, test, clearance, source, tables, params, bounds, line, stiffness, limits, like, origins, clock,
            n_steps, queue, ends, control, tally, watched, room_of(source, tables, len(like)),
        )  # fmt: skip

    return kernel
