"""Exits in continuous time: paths that jump many steps at once far from the boundary and creep near it.

The kernel, one path after the other: choose the longest jump of M = 2^m fine steps that leaves the path, at its
predicted place, more than `reach` standard deviations of the jump away from the boundary, and over which the gradient
changes little; draw the sum of the M increments and the state after them; move by the trapezoidal rule. What the finest
steps still miss is made good by a boundary moved inwards by ``beta_H sigma dt^H``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ._budget import (
    BINS,
    PER_UNIT,
    Accuracy,
    ErrorBudget,
    drift_error,
    missed_crossings,
    overshoot_left,
    required_reach,
)
from ._exit_kernel import BROKEN, CENSORED, LEFT, NO_LEVEL
from ._jumps import Jumps, jumps
from ._lanes import ROW_LANES, box_muller, next_words, seed_row
from ._points import Point, add, is_finite, replaced, scaled
from ._scan import Line, Scan, no_scan
from ._threads import run_blocks
from .extremes import barrier_shift
from .solvers import heun
from .streaming import StreamingNoise, default_tolerance

Array = NDArray[np.float64]

_BATCH = 2 * ROW_LANES  # normals that one step of all lanes gives
_BLOCKS = 8  # for each thread: they end at different times
_FEWEST, _MOST = 16, 26  # binary logarithms of the number of fine steps taken by default
_NEGLIGIBLE = 5e-4  # standard error of a probability from 10^6 paths
_STIFFEST = 0.5  # dt times the steepest second derivative, beyond which the scheme follows no drift
_LONGER = 4  # reaches beyond that of the longest jump, for predicted moves
_SAMPLED = 16  # one in so many jumps is looked at midway
_GOLDEN, _PLASTIC = 0.6180339887498949, 0.7548776662466927  # steps of sequences that fill the unit interval evenly
MAX_KL = 1e-5  # divergence per path of the noise model, unless the caller chooses


@njit(error_model="numpy", nogil=True)
def _refill(words: NDArray[np.uint64], normals: Array) -> None:
    """Fill `normals`, whole batches, with the path's next ones: a batch is all lanes' first ones, then their second."""
    for start in range(0, normals.size, _BATCH):
        for lane in range(ROW_LANES):
            first, second = next_words(words, lane)
            a, b = box_muller(first, second)
            normals[start + lane] = a
            normals[start + ROW_LANES + lane] = b


@njit(error_model="numpy", nogil=True)
def _begin(source: Any, path: int, words: NDArray[np.uint64], normals: Array, state: Array, levels: Array) -> None:
    """Stationary state and level of all components of a path, from its first normals."""
    key, start, level_sd, _ = source
    n_poles = start.shape[0]
    seed_row(key, path, 0, words)
    for j in range(state.shape[0]):
        _refill(words, normals)
        for row in range(n_poles):
            value = 0.0
            for k in range(row + 1):
                value += start[row, k] * normals[k]
            state[j, row] = value
        levels[j] = level_sd * normals[n_poles]


@njit(error_model="numpy", forceinline=True)
def _dot(row: Array, state: Array) -> float:
    """Inner product of vectors of a multiple of 8 numbers, in an order that vectorises."""
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
    """The lower-triangular `mixing` times the point; the point itself when it is empty."""
    result = point
    if mixing.size > 0:
        for j in range(len(point)):
            value = 0.0
            for k in range(j + 1):
                value += mixing[j, k] * point[k]
            result = replaced(result, j, value)
    return result


class Limits(NamedTuple):
    """What bounds a jump, and how it is checked.

    `reach` is the required distance of the boundary in standard deviations of a jump, `far` the same in units of x, a
    value for each level and in `far` for some more, of twice the reach each. `trust` is the share of it by which a
    predicted move away from the boundary counts, `drift_step` the largest product of duration and stiffness, `widest`
    the largest reach in units of x, and `spread` the half-width, in standard deviations, of the places at which a path
    may stand midway.
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
    """Steepest change of the gradient per unit of length from x to `reach` along each axis and to the predicted end."""
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
    """Stiffness within reach of a jump from a cell, by the scan; NaN where that does not tell.

    A predicted move of more than a quarter of the reach makes the reach longer.
    """
    k, beyond = m, abs(move) - 0.25 * limits.far[m]
    if beyond > 0.0:
        while k < limits.far.size and limits.far[k] < limits.far[m] + beyond:
            k += 1
    return stiffness[k, cell] if k < limits.far.size else np.nan


@njit(error_model="numpy", forceinline=True)
def _largest(move: Point) -> float:
    """Largest coordinate of a move."""
    largest = 0.0
    for j in range(len(move)):
        largest = max(largest, abs(move[j]))
    return largest


@njit(error_model="numpy", forceinline=True)
def _predicted(like: Point, mean: Array, length: float, scale: float, state: Array, levels: Array) -> Point:
    """What the past contributes to the noise of a jump, before the components are mixed."""
    point = like
    for j in range(len(like)):
        point = replaced(point, j, scale * (_dot(mean, state[j]) + levels[j] * length))
    return point


@njit(error_model="numpy", forceinline=True)
def _choose(
    gradient: Any, params: Any, clearance: Any, bounds: Any, tables: Any, line: Line, stiffness: Array,
    limits: Limits, clock: Any, x: Point, m: int, state: Array, levels: Array, mixing: Array,
) -> tuple[int, Point, float, float]:  # fmt: skip
    """The longest jump, of at most 2^m steps, within the limits: its m, predicted noise, clearance and stiffness."""
    dt, scale = clock
    slope, still = gradient(x, *params), scaled(0.0, x)
    noise, room, stiff = still, 0.0, 0.0
    place = (x[0] - line.low) * line.per_length
    cell = int(place) if 0.0 <= place < stiffness.shape[1] else -1
    while True:
        length = np.float64(np.int64(1) << m)
        far = limits.far[m]
        early = (1.0 - limits.trust) * far  # necessary, and cheap
        if m == 0 or (far <= limits.widest and clearance(x, still, early, 0.0, *bounds) >= 1.0):
            noise = _predicted(x, tables[1][m], length, scale, state, levels)
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
    noise: Point, tables: Any, m: int, scale: float, normals: Array, position: int, state: Array
) -> tuple[Point, int]:
    """The noise of a jump about its prediction, with the states carried on, and the next unused normal."""
    decay, _, deviation, factor, rank = tables
    pace, width = decay[m], rank[m]
    for j in range(len(noise)):
        x = state[j]
        noise = replaced(noise, j, noise[j] + scale * deviation[m] * normals[position])
        for k in range(x.size):
            x[k] *= pace[k]
        for i in range(width):
            z, column = normals[position + i], factor[m, i]
            for k in range(x.size):
                x[k] += column[k] * z
        position += width
    return noise, position


@njit(error_model="numpy", forceinline=True)
def _record(tally: NDArray, stiffest: Array, m: int, room: float, stiff: float, reach: float) -> None:
    """Count a jump by its level and its clearance in standard deviations; keep the largest stiffness."""
    place = room * reach * PER_UNIT if m > 0 else 0.0
    tally[m, int(min(place, BINS - 1.0)) if place > 0.0 else 0] += 1
    stiffest[0] = max(stiffest[0], stiff)


@njit(error_model="numpy", forceinline=True)
def _between(x: Point, y: Point, width: float, eighth: int, path: int, sample: int) -> Point:
    """A place at which a path may stand some eighths of the way from x to y, midway up to `width` off their mean.

    An even sequence of such places, and not the path's random numbers, so that looking changes no path.
    """
    place, share = x, eighth / 8.0
    off = width * np.sqrt(4.0 * share * (1.0 - share))
    for j in range(len(x)):
        u = _GOLDEN * ((8 * sample + eighth) * (j + 1)) + _PLASTIC * path
        place = replaced(place, j, x[j] + share * (y[j] - x[j]) + off * (2.0 * (u - np.floor(u)) - 1.0))
    return place


@njit(error_model="numpy", forceinline=True)
def _hides_exit(outside: Any, bounds: Any, x: Point, y: Point, width: float, path: int, sample: int) -> bool:
    """Does one of seven places on the way from x to y lie outside?"""
    hidden = False
    for eighth in range(1, 8):
        hidden = hidden or outside(_between(x, y, width, eighth, path, sample), *bounds)
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


@njit(error_model="numpy", nogil=True)
def _jump_exits(
    source: Any, tables: Any, gradient: Any, params: Any, outside: Any, undefined: Any,
    clearance: Any, bounds: Any, line: Line,
    stiffness: Array, limits: Limits, x0: Point, clock: Any, n_steps: int, queue: NDArray, steps: NDArray,
    states: NDArray, control: NDArray, tally: NDArray, stiffest: Array,
) -> None:  # fmt: skip
    """Exit step and state of the queued paths; control[0] asks to stop, control[1] counts finished paths.

    `tally` counts jumps by level and clearance, those of one step in [0, 0]; in [0, 1] exits found after several steps,
    and in [0, 2] those of one in `_SAMPLED` jumps that may have been outside on the way. `stiffest` keeps the largest
    duration times stiffness of a jump, the same from the places midway, and 1 when a path went where nothing was
    scanned.
    """
    mixing, dim, top = source[3], len(x0), tables[0].shape[0] - 1
    most = max(source[1].shape[0] + 1, dim * tables[4].max())  # normals that a start or a jump takes
    words, normals = np.empty((4, ROW_LANES), np.uint64), np.empty(-(-most // _BATCH) * _BATCH)
    state, levels = np.zeros((dim, tables[0].shape[1])), np.zeros(dim)
    for path in queue:
        if control[0] != 0:
            break
        _begin(source, path, words, normals, state, levels)
        x, now, m, position, outcome, jump = x0, np.int64(0), top, normals.size, CENSORED, 0
        while now < n_steps and outcome == CENSORED and control[0] == 0:
            m = min(m + 1, top)
            while np.int64(1) << m > n_steps - now:
                m -= 1
            m, noise, room, stiff = _choose(
                gradient, params, clearance, bounds, tables, line, stiffness, limits, clock, x, m, state, levels, mixing
            )
            if position + dim * tables[4][m] > normals.size:
                _refill(words, normals)
                position = 0
            noise, position = _jump(noise, tables, m, clock[1], normals, position, state)
            before, lasts = x, clock[0] * np.float64(np.int64(1) << m)
            x = heun(gradient, params, x, _correlated(noise, mixing), lasts)
            now += np.int64(1) << m
            _record(tally, stiffest, m, room, stiff, limits.reach[m])
            jump += 1
            if outside(x, *bounds):
                outcome = (NO_LEVEL if undefined(x, *bounds) else LEFT) if is_finite(x) else BROKEN
                tally[0, 1] += m > 0
            elif m > 0 and (jump + path) % _SAMPLED == 0:
                width = limits.spread * clock[1] * tables[2][m]
                if _hides_exit(outside, bounds, before, x, width, path, jump // _SAMPLED):
                    tally[0, 2] += 1
                else:
                    known = 0.0 <= (x[0] - line.low) * line.per_length < stiffness.shape[1]
                    stiffest[2] = max(stiffest[2], 0.0 if known else 1.0)
                    between = _between(before, x, width, 4, path, jump // _SAMPLED)
                    stiffest[1] = max(stiffest[1], lasts * _bend(gradient, params, before, x, between, width))
        steps[path], states[path] = now, outcome
        control[1] += 1


@dataclass(frozen=True, eq=False)
class Jumper:
    """The noise of a run on `n_steps` fine steps and its jumps; `run` gives the kernel.

    A block holds no more than one path at a time: memory does not depend on the number of steps.
    """

    model: StreamingNoise
    tables: Jumps
    key: NDArray[np.uint64]
    mixing: Array
    accuracy: Accuracy

    @classmethod
    def of(cls, noise: Any, n_steps: int, longest: int, dim: int, key: Any, accuracy: Accuracy) -> Jumper:
        """The jumps, up to `longest` steps, of a `FractionalNoise`; ValueError when there is no model of it."""
        tolerance = accuracy.tolerance if accuracy.tolerance is not None else noise.tolerance
        if tolerance is None:
            tolerance = min(default_tolerance(n_steps), MAX_KL)
        model = StreamingNoise(noise.hurst, max(2, n_steps), tolerance)
        tables = jumps(model._fitted.model, max(1, min(n_steps, longest).bit_length()))
        return cls(model, tables, key, noise._mixing(dim), accuracy)

    @property
    def tally_shape(self) -> tuple[int, int]:
        """Counters of one block: levels and classes of clearance."""
        return len(self.tables.rank), BINS

    def run(self, plan: Plan, clock: Any) -> Callable[..., None]:
        """The kernel as a function of the path numbers and arrays that it lists last."""
        source = (self.key, np.ascontiguousarray(self.model.start), self.model.level_sd, self.mixing)
        t = self.tables
        tables = (t.decay, t.mean, t.deviation, t.factor, t.rank)
        hurst = float(self.model.hurst)
        reach = np.array(required_reach(hurst, len(t.rank), self.accuracy.miss))
        spread = math.sqrt(3.0 * (2.0 ** (-2.0 * hurst) - 0.25))  # the variance of fBm midway, both ends known
        far = reach * clock[1] * t.deviation
        far = np.concatenate([far, far[-1] * 2.0 ** np.arange(1, _LONGER + 1)])
        limits = Limits(reach, far, hurst, self.accuracy.drift_step, plan.widest, spread)
        scan = plan.scan.line, plan.scan.stiffness(far)
        given = (source, tables, *plan.motion, *plan.region, *scan, limits, plan.start, clock, plan.n_steps)
        return lambda *arrays: _jump_exits(*given, *arrays)


class Plan(NamedTuple):
    """A run: motion (gradient, params), region (outside, undefined, clearance, bounds), start, fine step, their number.

    `scan` is what was seen of the landscape beforehand, `widest` the largest reach of a jump for the boundary's sake.
    """

    motion: Any
    region: Any
    start: Point
    dt: float
    n_steps: int
    longest: int
    shift: float
    scan: Scan = no_scan()
    widest: float = math.inf


@dataclass(frozen=True, eq=False)
class Exits:
    """Exit steps (n_paths,), states (n_paths,) of the exit kernel, and the error budget."""

    steps: NDArray[np.int64]
    states: NDArray[np.uint8]
    budget: ErrorBudget

    @property
    def censored(self) -> NDArray[np.bool_]:
        """Who was still inside at the end (n_paths,)."""
        return self.states == CENSORED


def exits(
    noise: Any, plan: Plan, accuracy: Accuracy, key: NDArray[np.uint64], n_paths: int, threads: int, progress: Any
) -> Exits:
    """The exits of all paths, in blocks over the threads; ValueError when a fine step is too long for the drift."""
    jumper = Jumper.of(noise, plan.n_steps, plan.longest, len(plan.start), key, accuracy)
    blocks = np.array_split(np.arange(n_paths), min(n_paths, _BLOCKS * threads))
    steps, states = np.zeros(n_paths, np.int64), np.zeros(n_paths, np.uint8)
    control, stiffest = np.zeros((len(blocks), 2), np.int64), np.zeros((len(blocks), 3))
    tally = np.zeros((len(blocks), *jumper.tally_shape), np.int64)
    clock = (plan.dt, noise.scale(plan.dt))
    run = jumper.run(plan, clock)

    def work(i: int) -> None:
        if control[i, 0] == 0:
            arrays = (blocks[i], steps, states, control[i], tally[i], stiffest[i])
            run(*arrays)

    run_blocks(work, threads, control, n_paths, progress)
    watched = stiffest.max(axis=0)
    if not np.any(states == BROKEN):
        _require_followed(plan, *watched[:2].tolist())
    return Exits(steps, states, _budget(noise, jumper, plan, tally.sum(axis=0), watched, n_paths))


def _require_followed(plan: Plan, stiff: float, bent: float) -> None:
    """ValueError when fine steps were too long for the drift, or when jumps passed over what changes it."""
    if stiff > _STIFFEST:
        raise ValueError(
            f"fine_steps must be so many that dt |second derivative| stays below {_STIFFEST}, got {stiff:.3g} with "
            f"{plan.n_steps} of them. Take more, or a domain that keeps paths from where the landscape is steep."
        )
    if bent > _STIFFEST:
        raise ValueError(
            f"landscape must not change within a jump by what its ends do not show, got a drift that turns by "
            f"{bent:.3g} times the spread of a jump midway. Declare the smallest length over which it changes with "
            "Landscape(..., finest=length), or limit the duration of jumps with dt."
        )


def _budget(
    noise: Any, jumper: Jumper, plan: Plan, counts: NDArray[np.int64], watched: Array, n_paths: int
) -> ErrorBudget:
    """The budget of a finished run from what its jumps have counted."""
    late, hidden, hurst = counts[0, 1], counts[0, 2], float(noise.hurst)
    counts[0, 1:3] = 0
    return ErrorBudget(
        missed_crossings=(missed_crossings(hurst, counts) + _SAMPLED * float(hidden)) / n_paths,
        overshoot=overshoot_left(hurst) * plan.shift * noise.largest_deviation,
        drift=drift_error(hurst, float(watched[:2].max())),
        noise_kl=jumper.model.certificate.kl,
        late_exits=float(late) / n_paths,
        jumps_per_path=float(counts.sum()) / n_paths,
        hurst=hurst,
        fine_steps=plan.n_steps,
        accuracy=jumper.accuracy,
        resolution=math.inf if watched[2] > 0.0 else plan.scan.spacing,
    )


def default_fine_steps(noise: Any, horizon: float, distance: float, longest: float) -> int:
    """A power of two for which what is left of the overshoot is `_NEGLIGIBLE` of the length in play.

    That length is the smaller of the distance to the boundary and ``sigma horizon^H``. A step is no longer than
    `longest`, for the drift's sake.
    """
    length = min(distance, noise.scale(horizon))
    left = overshoot_left(noise.hurst) * barrier_shift(noise.hurst) * noise.sigma
    step = min(longest, (_NEGLIGIBLE * length / left) ** (1.0 / noise.hurst))
    return 2 ** max(_FEWEST, min(_MOST, math.ceil(math.log2(horizon) - math.log2(step)))) if step > 0 else 2**_MOST
