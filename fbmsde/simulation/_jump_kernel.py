"""The kernel of exits in continuous time: one path after the other, jump by jump."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..core.points import Point, add, is_finite, replaced, scaled
from ..core.random import ROW_LANES, box_muller, next_words, seed_row
from ..core.states import BROKEN, CENSORED, LEFT, NO_LEVEL
from ..core.types import Array, Key
from ..drivers.rational.jump_tables import Jumps
from ..dynamics.solvers import heun
from ._ends import Ends
from .budget import BINS, PER_UNIT
from .scan import Line
from .watch import INSIDE, UNDEFINED

_BATCH = 2 * ROW_LANES  # normals that one step of all lanes gives

STIFF, BENT, UNSEEN = 0, 1, 2  # places in `watched`
_LONGER = 4  # the number of reaches beyond that of the longest jump, for jumps with large predicted moves
_SAMPLED = 16  # one in so many jumps is looked at midway
_GOLDEN, _PLASTIC = 0.6180339887498949, 0.7548776662466927  # multiples of these fill the unit interval evenly


@njit(error_model="numpy", nogil=True)
def _refill(words: NDArray[np.uint64], normals: Array) -> None:
    """Fill `normals` with a path's next ones, in whole batches: the first ones of all lanes, then the second ones."""
    for start in range(0, normals.size, _BATCH):
        for lane in range(ROW_LANES):
            first, second = next_words(words, lane)
            a, b = box_muller(first, second)
            normals[start + lane] = a
            normals[start + ROW_LANES + lane] = b


@njit(error_model="numpy", nogil=True)
def _begin(source: Source, path: int, words: NDArray[np.uint64], normals: Array, state: Array, levels: Array) -> None:
    """Draw the stationary state and the level of all components of a path from its first normals."""
    start = source.start
    n_poles = start.shape[0]
    seed_row(source.key, path, 0, words)
    for j in range(state.shape[0]):
        _refill(words, normals)
        for row in range(n_poles):
            value = 0.0
            for k in range(row + 1):
                value += start[row, k] * normals[k]
            state[j, row] = value
        levels[j] = source.level_sd * normals[n_poles]


@njit(error_model="numpy", forceinline=True)
def _dot(row: Array, state: Array) -> float:
    """The inner product of two vectors of a multiple of 8 numbers, summed in an order that vectorises."""
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    for k in range(0, row.size, 8):
        s0 += row[k] * state[k]
        s1 += row[k + 1] * state[k + 1]
        s2 += row[k + 2] * state[k + 2]
        s3 += row[k + 3] * state[k + 3]
        s4 += row[k + 4] * state[k + 4]
        s5 += row[k + 5] * state[k + 5]
        s6 += row[k + 6] * state[k + 6]
        s7 += row[k + 7] * state[k + 7]
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))


@njit(error_model="numpy", forceinline=True)
def _correlated(point: Point, mixing: Array) -> Point:
    """The lower-triangular `mixing` times the point; the point itself if `mixing` is empty."""
    result = point
    if mixing.size > 0:
        for j in range(len(point)):
            value = 0.0
            for k in range(j + 1):
                value += mixing[j, k] * point[k]
            result = replaced(result, j, value)
    return result


class Source(NamedTuple):
    """What a path begins with: the key, the factor (K, K) of its states, the size of its level, and the mixing."""

    key: Key
    start: Array
    level_sd: float
    mixing: Array


class Limits(NamedTuple):
    """What bounds a jump, and how it is checked.

    reach : the distance that the boundary must have from a jump of each level, in standard deviations of the jump.
    far : the same in units of x, and for some more levels, each of twice the reach of the one before.
    trust : the share of the reach by which a predicted move away from the boundary counts.
    drift_step : the largest product of the duration of a jump and the stiffness.
    widest : the largest reach in units of x.
    spread : half the width, in standard deviations, of the range in which a path may stand midway through a jump.
    """

    reach: Array
    far: Array
    trust: float
    drift_step: float
    widest: float
    spread: float


@njit(error_model="numpy", forceinline=True)
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


@njit(error_model="numpy", forceinline=True)
def _scanned(stiffness: Array, limits: Limits, cell: int, m: int, move: float) -> float:
    """Stiffness within reach of a jump from a cell, from the scan; NaN where the scan does not tell.

    If the predicted move is longer than a quarter of the reach, a longer reach is taken.
    """
    k, beyond = m, abs(move) - 0.25 * limits.far[m]
    if beyond > 0.0:
        while k < limits.far.size and limits.far[k] < limits.far[m] + beyond:
            k += 1
    return stiffness[k, cell] if k < limits.far.size else np.nan


@njit(error_model="numpy", forceinline=True)
def _largest(move: Point) -> float:
    """The largest coordinate of a move, without its sign."""
    largest = 0.0
    for j in range(len(move)):
        largest = max(largest, abs(move[j]))
    return largest


@njit(error_model="numpy", forceinline=True)
def _predicted(like: Point, mean: Array, length: float, scale: float, state: Array, levels: Array) -> Point:
    """The contribution of the past to the noise of a jump, before the components are mixed."""
    point = like
    for j in range(len(like)):
        point = replaced(point, j, scale * (_dot(mean, state[j]) + levels[j] * length))
    return point


@njit(error_model="numpy", forceinline=True)
def _choose(
    gradient: Any, params: Any, clearance: Any, bounds: Any, tables: Jumps, line: Line, stiffness: Array,
    limits: Limits, clock: Any, x: Point, m: int, state: Array, levels: Array, mixing: Array,
) -> tuple[int, Point, float, float]:  # fmt: skip
    """The longest jump of at most 2^m steps within the limits, as its m, predicted noise, clearance and stiffness."""
    dt, scale = clock
    slope, still = gradient(x, *params), scaled(0.0, x)
    noise, room, stiff = still, 0.0, 0.0
    place = (x[0] - line.low) * line.per_length
    cell = int(place) if 0.0 <= place < stiffness.shape[1] else -1
    while True:
        length = np.float64(np.int64(1) << m)
        far = limits.far[m]
        early = (1.0 - limits.trust) * far  # the clearance at x is a necessary condition that is cheap to test
        if m == 0 or (far <= limits.widest and clearance(x, still, early, 0.0, *bounds) >= 1.0):
            noise = _predicted(x, tables.mean[m], length, scale, state, levels)
            move = add(_correlated(noise, mixing), -dt * length, slope)
            room = clearance(x, move, far, limits.trust, *bounds)
            stiff, widest = np.nan, limits.widest
            if cell >= 0:
                stiff = dt * length * _scanned(stiffness, limits, cell, m, move[0])
            if np.isnan(stiff):
                stiff = dt * length * _stiffness(gradient, params, x, slope, move, far)
                widest = min(widest, line.beyond)
            fits = stiff <= limits.drift_step and max(far, _largest(move)) <= widest
            if m == 0 or (room >= 1.0 and fits):
                break
        m -= 1
    return m, noise, room, stiff


@njit(error_model="numpy", forceinline=True)
def _jump(
    noise: Point, tables: Jumps, m: int, scale: float, normals: Array, position: int, state: Array
) -> tuple[Point, int]:
    """The noise of a jump, drawn about its prediction, and the place of the next unused normal.

    The states are carried on to the end of the jump.
    """
    pace, width = tables.decay[m], tables.rank[m]
    for j in range(len(noise)):
        x = state[j]
        noise = replaced(noise, j, noise[j] + scale * tables.deviation[m] * normals[position])
        for k in range(x.size):
            x[k] *= pace[k]
        for i in range(width):
            z, column = normals[position + i], tables.factor[m, i]
            for k in range(x.size):
                x[k] += column[k] * z
        position += width
    return noise, position


@njit(error_model="numpy", forceinline=True)
def _record(tally: NDArray, watched: Array, m: int, room: float, stiff: float, reach: float) -> None:
    """Count a jump by its level and its clearance in standard deviations, and keep the largest stiffness."""
    place = room * reach * PER_UNIT if m > 0 else 0.0
    tally[m, int(min(place, BINS - 1.0)) if place > 0.0 else 0] += 1
    watched[STIFF] = max(watched[STIFF], stiff)


@njit(error_model="numpy", forceinline=True)
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


@njit(error_model="numpy", forceinline=True)
def _hides_exit(test: Any, bounds: Any, x: Point, y: Point, width: float, path: int, sample: int) -> bool:
    """True if one of seven places on the way from x to y lies outside."""
    hidden = False
    for eighth in range(1, 8):
        hidden = hidden or test(0.0, _between(x, y, width, eighth, path, sample), *bounds) != INSIDE
    return hidden


@njit(error_model="numpy", forceinline=True)
def _bend(gradient: Any, params: Any, x: Point, y: Point, between: Point, width: float) -> float:
    """Difference of the gradient between two ends and midway, over the larger of their distance and `width`."""
    here, there, half = gradient(x, *params), gradient(y, *params), gradient(between, *params)
    most, far = 0.0, width
    for j in range(len(x)):
        most = max(most, abs(half[j] - 0.5 * (here[j] + there[j])))
        far = max(far, abs(y[j] - x[j]))
    return most / far


@njit(error_model="numpy", forceinline=True)
def _origin(like: Point, origins: Array, path: int) -> Point:
    """The point at which a path begins."""
    point = like
    for j in range(len(like)):
        point = replaced(point, j, origins[path if origins.shape[0] > 1 else 0, j])
    return point


@njit(error_model="numpy", nogil=True)
def _note_end(ends: Ends, path: int, now: int, outcome: int, rim: int, x: Point) -> None:
    """Note the step and the state in which a path ended and, if it has left, the rim and the point."""
    ends.steps[path], ends.states[path] = now, outcome
    if outcome == LEFT:
        ends.sides[path] = rim
        for j in range(len(x)):
            ends.places[path, j] = x[j]


@njit(error_model="numpy", forceinline=True)
def _longest(m: int, n_left: int) -> int:
    """The largest number up to m for which 2^m steps are not more than those that are left."""
    while np.int64(1) << m > n_left:
        m -= 1
    return m


@njit(error_model="numpy", forceinline=True)
def _jump_exits(
    gradient: Any, test: Any, clearance: Any, source: Source, tables: Jumps, params: Any, bounds: Any, line: Line,
    stiffness: Array, limits: Limits, like: Point, origins: Array, clock: Any, n_steps: int, queue: NDArray,
    ends: Ends, control: NDArray, tally: NDArray, watched: Array,
) -> None:  # fmt: skip
    """The ends of the queued paths, counted from ``ends.first``; control[0] asks to stop, [1] counts finished paths.

    `tally` counts jumps by level and clearance, those of one step in [0, 0]; in [0, 1] exits found after several steps,
    and in [0, 2] those of one in `_SAMPLED` jumps that may have been outside on the way. `watched` keeps at STIFF
    the largest duration times stiffness of a jump, at BENT the same from the places midway, and at UNSEEN 1 when a path
    went where nothing was scanned.
    """
    mixing, dim, top = source.mixing, len(like), tables.decay.shape[0] - 1
    dt, scale = clock
    most = max(source.start.shape[0] + 1, dim * tables.rank.max())  # normals that a start or a jump takes
    words, normals = np.empty((4, ROW_LANES), np.uint64), np.empty(-(-most // _BATCH) * _BATCH)
    state, levels = np.zeros((dim, tables.decay.shape[1])), np.zeros(dim)
    for path in queue:
        if control[0] != 0:
            break
        number = ends.first + path
        _begin(source, number, words, normals, state, levels)
        x, now, m, position = _origin(like, origins, path), np.int64(0), top, normals.size
        outcome, jump, rim = CENSORED, 0, INSIDE
        while now < n_steps and outcome == CENSORED and control[0] == 0:
            m = _longest(min(m + 1, top), n_steps - now)
            m, noise, room, stiff = _choose(
                gradient, params, clearance, bounds, tables, line, stiffness, limits, clock, x, m, state, levels, mixing
            )
            if position + dim * tables.rank[m] > normals.size:
                _refill(words, normals)
                position = 0
            noise, position = _jump(noise, tables, m, scale, normals, position, state)
            before, lasts = x, dt * np.float64(np.int64(1) << m)
            x = heun(gradient, params, x, _correlated(noise, mixing), lasts)
            now, jump = now + (np.int64(1) << m), jump + 1
            _record(tally, watched, m, room, stiff, limits.reach[m])
            rim = test(0.0, x, *bounds)
            if rim != INSIDE:
                outcome = (NO_LEVEL if rim == UNDEFINED else LEFT) if is_finite(x) else BROKEN
                tally[0, 1] += m > 0
            elif m > 0 and (jump + number) % _SAMPLED == 0:
                width = limits.spread * scale * tables.deviation[m]
                if _hides_exit(test, bounds, before, x, width, number, jump // _SAMPLED):
                    tally[0, 2] += 1
                else:
                    known = 0.0 <= (x[0] - line.low) * line.per_length < stiffness.shape[1]
                    watched[UNSEEN] = max(watched[UNSEEN], 0.0 if known else 1.0)
                    between = _between(before, x, width, 4, number, jump // _SAMPLED)
                    watched[BENT] = max(watched[BENT], lasts * _bend(gradient, params, before, x, between, width))
        _note_end(ends, path, now, outcome, rim, x)
        control[1] += 1


def jump_kernel(gradient: Any, test: Any, clearance: Any) -> Any:
    """The kernel of a landscape and a watch, a function of all that `_jump_exits` takes besides the three functions."""

    def kernel(
        source: Source, tables: Jumps, params: Any, bounds: Any, line: Line, stiffness: Array, limits: Limits,
        like: Point, origins: Array, clock: Any, n_steps: int, queue: NDArray, ends: Ends, control: NDArray,
        tally: NDArray, watched: Array,
    ) -> None:  # fmt: skip
        _jump_exits(
            gradient, test, clearance, source, tables, params, bounds, line, stiffness, limits, like, origins, clock,
            n_steps, queue, ends, control, tally, watched,
        )  # fmt: skip

    return kernel
