"""The recursion of an autoregressive moving average on lanes of paths, and as a linear map of normals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..core.cache import kernel
from ..core.random import multiply_add, normal_pair, normal_pairs, seed_lane
from ..core.types import Array, Key
from .base import BLOCK, LANES, Lanes, component, lanes


class System(NamedTuple):
    """The recursion ``y = gain e + s_0,  s_i <- back_i y + ahead_i e + s_(i+1)`` of m states, with ``s_m = 0``.

    The e are independent standard normals, and y has variance 1.

    back, ahead, gain : the coefficients of the increment and of the normal, (m,), and the weight of the newest normal.
    covariance : the stationary covariance of the states, (m, m).
    factor : a lower-triangular matrix L (m, m) with ``L L' = covariance``, which may be singular.
    """

    back: Array
    ahead: Array
    gain: float
    covariance: Array
    factor: Array


class _Data(NamedTuple):
    """The recursion of d components in L lanes; `states` has a last row of zeros, (d, m + 1, L), for its last state.

    words : the states of the random numbers, (d, 4, L).
    spread : the number of lanes in a row that belong to one path, 0 where a lane is a path; see `component`.
    shocks, normals : room for the normals of a block, (BLOCK, L), and for those of a start, (m + 1,).
    """

    key: Key
    words: NDArray[np.uint64]
    states: Array
    back: Array
    ahead: Array
    gain: float
    factor: Array
    spread: int
    shocks: Array
    normals: Array


def start_arma(data: _Data, lane: int, path: int) -> None:
    """Draw the stationary state of a path into its lane."""
    n_states, normals = data.back.size, data.normals
    for j in range(data.states.shape[0]):
        words = data.words[j]
        seed_lane(data.key, path, component(data.spread, j, lane), words, lane)
        for k in range(0, n_states, 2):
            normals[k], normals[k + 1] = normal_pair(words, lane)
        for row in range(n_states):
            value = 0.0
            for k in range(row + 1):
                value += data.factor[row, k] * normals[k]
            data.states[j, row, lane] = value


@njit(error_model="numpy", nogil=True)
def _advance(states: Array, shocks: Array, out: Array, gain: float) -> None:
    """Write one step of all lanes to `out`."""
    for i in range(out.size):
        out[i] = multiply_add(gain, shocks[i], states[i])


@njit(error_model="numpy", nogil=True)
def _carry(state: Array, following: Array, shocks: Array, out: Array, back: float, ahead: float) -> None:
    """Carry one state of all lanes on."""
    for i in range(out.size):
        state[i] = multiply_add(back, out[i], multiply_add(ahead, shocks[i], following[i]))


def draw_arma(data: _Data, noise: Array) -> None:
    """Write the next increments of unit variance to `noise`."""
    shocks, back, ahead = data.shocks, data.back, data.ahead
    for j in range(data.states.shape[0]):
        for s in range(0, BLOCK, 2):
            normal_pairs(data.words[j], shocks[s], shocks[s + 1])
        out, states = noise[j], data.states[j]
        for s in range(BLOCK):
            _advance(states[0], shocks[s], out[s], data.gain)
            for k in range(back.size):
                _carry(states[k], states[k + 1], shocks[s], out[s], back[k], ahead[k])


def arma_lanes(system: System, key: Key, rows: int, width: int, *, spread: int, scale: float) -> Lanes:
    """Empty lanes of a recursion, times `scale`. If `spread` is not 0 each is a component of a path, in `rows` rows.

    The recursion can start any path and goes as far as each path does. Normals are drawn for `width` lanes.
    """
    n_lanes, n_states = width if spread else LANES, system.back.size
    data = _Data(
        key=key,
        words=np.zeros((rows, 4, n_lanes), np.uint64),
        states=np.zeros((rows, n_states + 1, n_lanes)),
        back=system.back,
        ahead=system.ahead,
        gain=system.gain,
        factor=system.factor,
        spread=spread,
        shocks=np.zeros((BLOCK, width)),
        normals=np.zeros(n_states + 1),
    )
    return lanes(start_arma, draw_arma, data, scale)


def save_arma(data: _Data, lane: int, numbers: Array, words: NDArray[np.uint64]) -> None:
    """Write the states of a lane into `numbers` and its random words into `words`."""
    n_states = data.back.size
    for j in range(data.states.shape[0]):
        for k in range(n_states):
            numbers[j * n_states + k] = data.states[j, k, lane]
        for k in range(4):
            words[4 * j + k] = data.words[j, k, lane]


def load_arma(data: _Data, lane: int, numbers: Array, words: NDArray[np.uint64]) -> None:
    """Put what `save_arma` wrote into a lane."""
    n_states = data.back.size
    for j in range(data.states.shape[0]):
        for k in range(n_states):
            data.states[j, k, lane] = numbers[j * n_states + k]
        for k in range(4):
            data.words[j, k, lane] = words[4 * j + k]


def reseed_arma(data: _Data, lane: int, path: int, generation: int) -> None:
    """Give a lane the random words of a later generation of a path; those of its start are generation 0."""
    n_components = data.states.shape[0]
    for j in range(n_components):
        seed_lane(data.key, path, generation * n_components + j, data.words[j], lane)


@kernel
def run_arma(normals: Array, back: Array, ahead: Array, gain: float, factor: Array) -> Array:
    """Increments (n_paths, n) from normals (n_paths, m + n): m for the start and one for each step."""
    n_states = back.size
    n_paths, n_steps = normals.shape[0], normals.shape[1] - n_states
    out, state = np.empty((n_paths, n_steps)), np.zeros(n_states + 1)
    for path in range(n_paths):
        for k in range(n_states):
            state[k] = 0.0
            for j in range(k + 1):
                state[k] += factor[k, j] * normals[path, j]
        for i in range(n_steps):
            newest = normals[path, n_states + i]
            value = gain * newest + state[0]
            for k in range(n_states):
                state[k] = back[k] * value + ahead[k] * newest + state[k + 1]
            out[path, i] = value
    return out


@kernel
def pull_back_arma(weights: Array, back: Array, ahead: Array, gain: float, factor: Array) -> Array:
    """The transpose of `run_arma`: weights (n_paths, n) of the increments become weights (n_paths, m + n).

    It runs the recursion backwards; ``later[k]`` is the weight of state k after the step in hand.
    """
    n_states, n_steps = back.size, weights.shape[1]
    out, later = np.zeros((weights.shape[0], n_states + n_steps)), np.empty(n_states)
    for path in range(weights.shape[0]):
        later[:] = 0.0
        for i in range(n_steps - 1, -1, -1):
            value, newest = weights[path, i], 0.0
            for k in range(n_states):
                value += later[k] * back[k]
                newest += later[k] * ahead[k]
            out[path, n_states + i] = newest + gain * value
            for k in range(n_states - 1, 0, -1):
                later[k] = later[k - 1]
            later[0] = value
        for j in range(n_states):
            for k in range(j, n_states):
                out[path, j] += factor[k, j] * later[k]
    return out
