"""The rational models of streaming noise, run as a recursion on lanes of paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import overload
from numpy.typing import NDArray

from ..core.random import multiply_add, normal_pair, normal_pairs, seed_lane
from ..core.types import Array, Key
from .base import BLOCK, LANES, Lanes, component, lanes
from .branching import Branch, Copying, branch_of
from .mixture import Mixture, multiply
from .rational.model import RationalModel
from .stationary import LinearStart

_ALIKE = np.empty((0, 0))  # lanes that need no weights of their own
_UNROLLED = 4  # so many steps of the recursion are written out in one vector loop; the compiler unrolls no more


class _Data(NamedTuple):
    """The models and the lanes of a recursion; the real arrays are of one type, float64 or float32.

    There are d components, L lanes, M different models of at most K poles, and P, the next multiple of 4 from K on.

    words : the states of the random numbers, (d, 4, L).
    states, levels : the states (d, P LANES), in rows of LANES, and the levels (d, L) of the models.
    which, weights : the number of the model of each component, (d,), and what its increments are multiplied by, (d,).
    each : what the increments of each lane are multiplied by, (d, L), where lanes are components; otherwise empty.
    n_poles : the number of poles of each model, (M,).
    pace, c : the poles, as rho in double precision and as 1 - rho in single, (M, P), and their weights, (M, P). Idle
        ones fill the rows up.
    gain, level_sd : the weight of the newest normal, and the standard deviation of the level, (M,) each.
    factor : the lower-triangular factors of the stationary covariances of the states, (M, K, K).
    mixing : the matrix (d, d) by which the components are multiplied, or an empty array.
    spread : the number of lanes in a row that belong to one path, 0 where a lane is a path; see `component`.
    shocks, sums : room for the normals of a block and for what the poles add to it, in rows of LANES, (BLOCK LANES,).
    normals, scaled : room for the normals of a start, (K + 2,), and for the weights of the poles of a component, (P,).
    drawn : room for the components before they are mixed, (d, BLOCK, L or fewer), if they are.
    """

    key: Key
    words: NDArray[np.uint64]
    states: NDArray[np.floating]
    levels: NDArray[np.floating]
    which: NDArray[np.int64]
    weights: NDArray[np.floating]
    each: NDArray[np.floating]
    n_poles: NDArray[np.int64]
    pace: NDArray[np.floating]
    c: NDArray[np.floating]
    gain: NDArray[np.floating]
    factor: Array
    level_sd: Array
    mixing: NDArray[np.floating]
    spread: int
    shocks: NDArray[np.floating]
    sums: Array
    normals: Array
    scaled: NDArray[np.floating]
    drawn: Array


def start_recursion(data: _Data, lane: int, path: int) -> None:
    """Draw the stationary state and the level of a path into its lane."""
    normals = data.normals
    for j in range(data.states.shape[0]):
        words, factor, n_poles = data.words[j], data.factor[data.which[j]], data.n_poles[data.which[j]]
        seed_lane(data.key, path, component(data.spread, j, lane), words, lane)
        for k in range(0, n_poles + 1, 2):
            normals[k], normals[k + 1] = normal_pair(words, lane)
        for row in range(n_poles):
            value = 0.0
            for k in range(row + 1):
                value += factor[row, k] * normals[k]
            data.states[j, row * LANES + lane] = value
        data.levels[j, lane] = data.level_sd[data.which[j]] * normals[n_poles]


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


@njit(error_model="numpy", forceinline=True)
def _at(row: int, lane: int) -> np.uint64:
    """Where a lane lies in rows of LANES. That rows are so far apart, and fewer lanes in use, proves to the compiler
    that they do not overlap; unsigned, an index needs no check of its sign."""
    return np.uint64(row * LANES + lane)


@njit(error_model="numpy", nogil=True)
def _advance_poles(
    states: NDArray, shocks: NDArray, sums: Array, pace: NDArray, c: NDArray, k: int, step: int, width: int
) -> None:  # fmt: skip
    """Add the contribution of four poles from `k` on to _UNROLLED steps of `sums`, and carry their states on."""
    r0, r1, r2, r3 = pace[k], pace[k + 1], pace[k + 2], pace[k + 3]
    c0, c1, c2, c3 = c[k], c[k + 1], c[k + 2], c[k + 3]
    for i in range(min(width, LANES)):
        x0, x1, x2, x3 = states[_at(k, i)], states[_at(k + 1, i)], states[_at(k + 2, i)], states[_at(k + 3, i)]
        for s in range(_UNROLLED):
            e = shocks[_at(step + s, i)]
            sums[_at(step + s, i)] += multiply_add(c0, x0, multiply_add(c1, x1, multiply_add(c2, x2, c3 * x3)))
            x0, x1, x2, x3 = _moved(x0, r0, e), _moved(x1, r1, e), _moved(x2, r2, e), _moved(x3, r3, e)
        states[_at(k, i)], states[_at(k + 1, i)], states[_at(k + 2, i)], states[_at(k + 3, i)] = x0, x1, x2, x3


@njit(error_model="numpy", nogil=True)
def _write(out: Array, shocks: NDArray, sums: Array, levels: NDArray, gain: Any, weight: Any) -> None:
    """Write a block of increments (BLOCK, n_lanes): what the poles add, the newest normals, and the level."""
    for s in range(BLOCK):
        for i in range(out.shape[1]):
            out[s, i] = sums[_at(s, i)] + multiply_add(gain, shocks[_at(s, i)], weight * levels[i])


@njit(error_model="numpy", nogil=True)
def _weigh(noise: Array, each: NDArray) -> None:
    """Multiply the increments (d, BLOCK, n_lanes) of each lane by its weight (d, n_lanes), in place."""
    for j in range(noise.shape[0]):
        for s in range(BLOCK):
            for i in range(noise.shape[2]):
                noise[j, s, i] *= each[j, i]


def draw_recursion(data: _Data, noise: Array) -> None:
    """Write the next increments of the rational models, ``weight (d e + level + sum_k c_k x_k)``, to `noise`."""
    shocks, sums, scaled, width = data.shocks, data.sums, data.scaled, noise.shape[2]
    for j in range(data.states.shape[0]):
        for row in range(0, BLOCK * LANES, 2 * LANES):
            normal_pairs(data.words[j], shocks[row : row + width], shocks[row + LANES : row + LANES + width])
        m, weight, states = data.which[j], data.weights[j], data.states[j]
        for k in range(scaled.size):
            scaled[k] = weight * data.c[m, k]
        sums[:] = 0.0
        for k in range(0, data.n_poles[m], 4):
            for s in range(0, BLOCK, _UNROLLED):
                _advance_poles(states, shocks, sums, data.pace[m], scaled, k, s, width)
        _write(noise[j], shocks, sums, data.levels[j], weight * data.gain[m], weight)
    if data.each.size > 0:
        _weigh(noise, data.each)
    if data.mixing.size > 0:
        data.drawn[:] = noise
        multiply(data.mixing, data.drawn, noise)


def recursion_lanes(
    models: Sequence[RationalModel], key: Key, mixture: Mixture, scale: float, real: np.dtype, width: int,
    spread: int = 0, each: Array = _ALIKE,
) -> Lanes:  # fmt: skip
    """Empty lanes for the noise of one model for each component, (d,) of them, which may be the same one.

    The recursion can start any path and goes as far as each path does. `width` is the number of lanes for which normals
    are drawn. If `spread` is not 0 there are no more lanes than these, and each is a component of a path, in as many
    rows as there are models; see `component`. `each` (rows, width) then weights the lanes.
    """
    n_lanes = width if spread else LANES
    dim, kinds = len(models), list({id(model): model for model in models}.values())
    places, most = {id(model): m for m, model in enumerate(kinds)}, max(len(model.q) for model in kinds)
    padded = _padded(most)
    pace, c = np.zeros((len(kinds), padded), real), np.zeros((len(kinds), padded), real)
    factor = np.zeros((len(kinds), most, most))
    for m, model in enumerate(kinds):
        n_poles = len(model.q)
        pace[m, :n_poles] = model.poles if real == np.float64 else model.decay
        c[m, :n_poles] = model.weights
        factor[m, :n_poles, :n_poles] = model.start
    data = _Data(
        key=key,
        words=np.zeros((dim, 4, n_lanes), np.uint64),
        states=np.zeros((dim, padded * LANES), real),
        levels=np.zeros((dim, n_lanes), real),
        which=np.array([places[id(model)] for model in models]),
        weights=mixture.weights.astype(real),
        each=each.astype(real),
        n_poles=np.array([len(model.q) for model in kinds]),
        pace=pace,
        c=c,
        gain=np.array([model.gain for model in kinds], real),
        factor=factor,
        level_sd=np.array([model.level_sd for model in kinds]),
        mixing=mixture.matrix.astype(real),
        spread=spread,
        shocks=np.zeros(BLOCK * LANES, real),
        sums=np.zeros(BLOCK * LANES),
        normals=np.zeros(most + 2),
        scaled=np.zeros(padded, real),
        drawn=np.zeros((len(mixture.matrix), BLOCK, width)),
    )
    return lanes(start_recursion, draw_recursion, data, scale)


def save_recursion(data: _Data, lane: int, numbers: Array, words: NDArray[np.uint64]) -> None:
    """Write the states and levels of a lane into `numbers` and its random words into `words`."""
    n_components, n_states = data.states.shape[0], data.states.shape[1] // LANES
    for j in range(n_components):
        for k in range(n_states):
            numbers[j * (n_states + 1) + k] = data.states[j, k * LANES + lane]
        numbers[j * (n_states + 1) + n_states] = data.levels[j, lane]
        for k in range(4):
            words[4 * j + k] = data.words[j, k, lane]


def load_recursion(data: _Data, lane: int, numbers: Array, words: NDArray[np.uint64]) -> None:
    """Put what `save_recursion` wrote into a lane."""
    n_components, n_states = data.states.shape[0], data.states.shape[1] // LANES
    for j in range(n_components):
        for k in range(n_states):
            data.states[j, k * LANES + lane] = numbers[j * (n_states + 1) + k]
        data.levels[j, lane] = numbers[j * (n_states + 1) + n_states]
        for k in range(4):
            data.words[j, k, lane] = words[4 * j + k]


def reseed_recursion(data: _Data, lane: int, path: int, generation: int) -> None:
    """Give a lane the random words of a later generation of a path; those of its start are generation 0."""
    n_components = data.states.shape[0]
    for j in range(n_components):
        seed_lane(data.key, path, generation * n_components + j, data.words[j], lane)


def recursion_branch(lanes: Lanes, dim: int, n_poles: int) -> Branch:
    """What is needed to copy lanes that `recursion_lanes` made for models of at most `n_poles` poles."""
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
