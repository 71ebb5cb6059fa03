"""The rational model of a streaming noise, run as a recursion on lanes of paths."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import overload
from numpy.typing import NDArray

from ..core.random import multiply_add, normal_pair, normal_pairs, seed_lane
from ..core.types import Array, Key
from .base import BLOCK, LANES, Lanes, component, lanes
from .branching import Branch, Copying, branch_of
from .rational.model import RationalModel
from .stationary import LinearStart

_UNROLLED = 4  # so many steps of the recursion are written out in one vector loop; the compiler unrolls no more


class _Data(NamedTuple):
    """The model and the lanes of a recursion; the real arrays are of one type, float64 or float32.

    There are d components, L lanes, and K poles, to which idle ones are added to make P a multiple of 4.

    words : the states of the random numbers, (d, 4, L).
    states, levels : the states (d, P, L) and the levels (d, L) of the model.
    pace, c : the poles, as rho in double precision and as 1 - rho in single, (P,), and their weights, (P,).
    gain, level_sd : the weight of the newest normal, and the standard deviation of the level.
    factor : the lower-triangular factor of the stationary covariance of the states, (K, K).
    mixing : the lower-triangular factor of the correlation of the components, (d, d), or an empty array.
    spread : the number of lanes in a row if lanes are components of one path, 0 if they are paths; see `component`.
    shocks, normals : room for the normals of a block, (BLOCK, L or fewer), and for those of a start, (K + 2,).
    """

    key: Key
    words: NDArray[np.uint64]
    states: NDArray[np.floating]
    levels: NDArray[np.floating]
    pace: NDArray[np.floating]
    c: NDArray[np.floating]
    gain: np.floating
    factor: Array
    level_sd: float
    mixing: NDArray[np.floating]
    spread: int
    shocks: NDArray[np.floating]
    normals: Array


def start_recursion(data: _Data, lane: int, path: int) -> None:
    """Draw the stationary state and the level of a path into its lane."""
    n_poles, normals = data.factor.shape[0], data.normals
    for j in range(data.states.shape[0]):
        words = data.words[j]
        seed_lane(data.key, path, component(data.spread, j, lane), words, lane)
        for k in range(0, n_poles + 1, 2):
            normals[k], normals[k + 1] = normal_pair(words, lane)
        for row in range(n_poles):
            value = 0.0
            for k in range(row + 1):
                value += data.factor[row, k] * normals[k]
            data.states[j, row, lane] = value
        data.levels[j, lane] = data.level_sd * normals[n_poles]


@njit(error_model="numpy", nogil=True)
def _correlate(noise: Array, mixing: NDArray) -> None:
    """Multiply the components by the lower-triangular `mixing` (d, d), the last row first, in place."""
    for row in range(noise.shape[0] - 1, -1, -1):
        for s in range(BLOCK):
            for i in range(noise.shape[2]):
                noise[row, s, i] *= mixing[row, row]
            for j in range(row):
                for i in range(noise.shape[2]):
                    noise[row, s, i] += mixing[row, j] * noise[j, s, i]


def _moved(x: np.floating, pace: np.floating, shock: np.floating) -> np.floating:
    """The next state of a pole, ``rho x + e``.

    In double precision the fastest form is exact enough (2e-10 of n^H after 2^24 steps); in single precision
    ``x + (e - (1 - rho) x)`` keeps the slowest poles apart from 1.
    """
    return x + (shock - pace * x) if isinstance(x, np.float32) else pace * x + shock


@overload(_moved, strict=False)
def _compiled_moved(x: Any, pace: Any, shock: Any) -> Any:
    if x == types.float32:
        return lambda x, pace, shock: x + (shock - pace * x)
    return lambda x, pace, shock: multiply_add(pace, x, shock)


@njit(error_model="numpy", nogil=True)
def _advance_poles(states: NDArray, shocks: NDArray, out: Array, pace: NDArray, c: NDArray) -> None:
    """Add the contribution of four poles to _UNROLLED steps of `out`, and carry their `states` (4, n_lanes) on."""
    r0, r1, r2, r3 = pace[0], pace[1], pace[2], pace[3]
    c0, c1, c2, c3 = c[0], c[1], c[2], c[3]
    for i in range(out.shape[1]):
        x0, x1, x2, x3 = states[0, i], states[1, i], states[2, i], states[3, i]
        for s in range(_UNROLLED):
            e = shocks[s, i]
            out[s, i] += multiply_add(c0, x0, c1 * x1) + multiply_add(c2, x2, c3 * x3)
            x0, x1, x2, x3 = _moved(x0, r0, e), _moved(x1, r1, e), _moved(x2, r2, e), _moved(x3, r3, e)
        states[0, i], states[1, i], states[2, i], states[3, i] = x0, x1, x2, x3


def draw_recursion(data: _Data, noise: Array) -> None:
    """Write the next unit-step increments of the rational model, ``y = d e + level + sum_k c_k x_k``, to `noise`."""
    shocks, pace, c, gain = data.shocks, data.pace, data.c, data.gain
    for j in range(data.states.shape[0]):
        for s in range(0, BLOCK, 2):
            normal_pairs(data.words[j], shocks[s], shocks[s + 1])
        out, states, levels = noise[j], data.states[j], data.levels[j]
        for s in range(BLOCK):
            for i in range(out.shape[1]):
                out[s, i] = gain * shocks[s, i] + levels[i]
        for k in range(0, pace.size, 4):
            for s in range(0, BLOCK, _UNROLLED):
                late = s + _UNROLLED
                _advance_poles(states[k : k + 4], shocks[s:late], out[s:late], pace[k : k + 4], c[k : k + 4])
    if data.mixing.size > 0:
        _correlate(noise, data.mixing)


def recursion_lanes(
    model: RationalModel, key: Key, dim: int, mixing: Array, scale: float, real: np.dtype, width: int,
    spread: bool = False,
) -> Lanes:  # fmt: skip
    """Empty lanes for the noise of a model. The recursion can start any path and goes as far as each path does.

    `width` is the number of lanes for which normals are drawn. If `spread` is True there are no more lanes than these,
    and each is a component of one path, in `dim` rows.
    """
    n_lanes = width if spread else LANES
    n_poles = len(model.q)
    padded = _padded(n_poles)
    pace, c = np.zeros(padded, real), np.zeros(padded, real)
    pace[:n_poles] = model.poles if real == np.float64 else model.decay
    c[:n_poles] = model.weights
    data = _Data(
        key=key,
        words=np.zeros((dim, 4, n_lanes), np.uint64),
        states=np.zeros((dim, padded, n_lanes), real),
        levels=np.zeros((dim, n_lanes), real),
        pace=pace,
        c=c,
        gain=real.type(model.gain),
        factor=np.ascontiguousarray(model.start),
        level_sd=model.level_sd,
        mixing=mixing.astype(real),
        spread=width if spread else 0,
        shocks=np.zeros((BLOCK, width), real),
        normals=np.zeros(n_poles + 2),
    )
    return lanes(start_recursion, draw_recursion, data, scale)


def save_recursion(data: _Data, lane: int, numbers: Array, words: NDArray[np.uint64]) -> None:
    """Write the states and levels of a lane into `numbers` and its random words into `words`."""
    n_components, n_states = data.states.shape[0], data.states.shape[1]
    for j in range(n_components):
        for k in range(n_states):
            numbers[j * (n_states + 1) + k] = data.states[j, k, lane]
        numbers[j * (n_states + 1) + n_states] = data.levels[j, lane]
        for k in range(4):
            words[4 * j + k] = data.words[j, k, lane]


def load_recursion(data: _Data, lane: int, numbers: Array, words: NDArray[np.uint64]) -> None:
    """Put what `save_recursion` wrote into a lane."""
    n_components, n_states = data.states.shape[0], data.states.shape[1]
    for j in range(n_components):
        for k in range(n_states):
            data.states[j, k, lane] = numbers[j * (n_states + 1) + k]
        data.levels[j, lane] = numbers[j * (n_states + 1) + n_states]
        for k in range(4):
            data.words[j, k, lane] = words[4 * j + k]


def reseed_recursion(data: _Data, lane: int, path: int, generation: int) -> None:
    """Give a lane the random words of a later generation of a path; those of its start are generation 0."""
    n_components = data.states.shape[0]
    for j in range(n_components):
        seed_lane(data.key, path, generation * n_components + j, data.words[j], lane)


def recursion_branch(lanes: Lanes, dim: int, n_poles: int) -> Branch:
    """What is needed to copy lanes that `recursion_lanes` made for a model of `n_poles` poles."""
    copying = Copying(save_recursion, load_recursion, reseed_recursion)
    return branch_of(lanes, copying, dim * (_padded(n_poles) + 1), 4 * dim)


def recursion_start(model: RationalModel, phi: float) -> LinearStart:
    """The start of a linear chain given the numbers of one component of a lane: the states, idle ones, and the level.

    The level is constant over the past as well, which moves the chain by ``level / (1 - phi)``.
    """
    n_poles, (weights, sd) = len(model.q), model.linear_start(phi)
    idle = np.zeros(_padded(n_poles) - n_poles)
    return LinearStart(np.concatenate([weights, idle, [1.0 / (1.0 - phi)]]), sd)


def _padded(n_poles: int) -> int:
    """The number of poles together with the idle ones."""
    return -(-n_poles // 4) * 4
