"""Plain-loop twins of the kernels: slow, obvious, and what the fast ones must equal."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np


def euler_step(gradient: Any, x: float, noise: float, dt: float) -> float:
    """The rectangle rule."""
    return x - dt * gradient(x) + noise


def heun_step(gradient: Any, x: float, noise: float, dt: float) -> float:
    """The trapezoidal rule with the Euler point in place of the unknown end."""
    end = euler_step(gradient, x, noise, dt)
    return x - dt * (gradient(x) + gradient(end)) / 2 + noise


def rk4_step(gradient: Any, x: float, noise: float, dt: float) -> float:
    """Runge and Kutta's method of order four for the velocity that the noise of a step has on average."""

    def velocity(y: float) -> float:
        return noise / dt - gradient(y)

    a = velocity(x)
    b = velocity(x + dt / 2 * a)
    c = velocity(x + dt / 2 * b)
    return x + dt * (a + 2 * b + 2 * c + velocity(x + dt * c)) / 6


STEPS = {"euler": euler_step, "heun": heun_step, "rk4": rk4_step}


def step(solver: str, landscape: Any, x: float, noise: float, dt: float) -> float:
    """One step of a solver in one dimension; a solver without a twin here has no test, which is an error."""
    return STEPS[solver](lambda y: landscape.gradient(y, *landscape.params), x, noise, dt)


def first_passage(landscape: Any, increments: np.ndarray, x0: float, domain: Any, dt: float, solver: str) -> Any:
    """Times, censoring and places of the paths driven by `increments` (n_paths, n_steps)."""
    n_paths, n_steps = increments.shape
    times, censored = np.full(n_paths, n_steps * dt), np.ones(n_paths, dtype=bool)
    places = np.full(n_paths, np.nan)
    for path in range(n_paths):
        x = x0
        for i in range(n_steps):
            x = step(solver, landscape, x, increments[path, i], dt)
            if not domain[0] < x < domain[1]:
                times[path], censored[path], places[path] = (i + 1) * dt, False, x
                break
    return times, censored, places


WORD = 2**64 - 1


def mix(z: int) -> int:
    """The finaliser of SplitMix64."""
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
    return z ^ z >> 31


def lane_state(key: Any, path: int, lane: int) -> list[int]:
    """The four words a lane begins with."""
    words, index = [int(word) for word in key], path << 24 | lane
    return [mix(mix(index ^ words[j]) ^ words[(j + 1) % 4]) for j in range(4)]


def next_word(state: list[int]) -> int:
    """xoshiro256+."""
    word, shifted = state[0] + state[3] & WORD, state[1] << 17 & WORD
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = (state[3] << 45 | state[3] >> 19) & WORD
    return word


def box_muller(first: int, second: int) -> tuple[float, float]:
    """Two normals: the upper 53 bits of each word for radius and angle, bits 8 to 10 of the second for the octant."""
    radius = math.sqrt(-2 * math.log(((first >> 11) + 0.5) / 2**53))
    signed = second if second < 2**63 else second - 2**64
    angle = ((signed >> 11) + 0.5) / 2**52 * math.pi / 4
    a, b = math.cos(angle), math.sin(angle)
    if second & 512:
        a, b = b, a
    return radius * (-a if second & 1024 else a), radius * (-b if second & 256 else b)


def lane_pairs(key: Any, path: int, component: int, count: int) -> list[tuple[float, float]]:
    """The first `count` pairs of normals of a row: 64 lanes in turn."""
    states = [lane_state(key, path, 64 * component + lane) for lane in range(64)]
    pairs = []
    for _ in range(-(-count // 64)):
        for state in states:
            first = next_word(state)
            pairs.append(box_muller(first, next_word(state)))
    return pairs[:count]


def normals(key: Any, path: int, component: int, n: int) -> list[float]:
    """A row of n normals: of each 64 pairs first the 64 first members, then the 64 second ones."""
    row: list[float] = []
    pairs = lane_pairs(key, path, component, 64 * -(-n // 128))
    for start in range(0, len(pairs), 64):
        chunk = pairs[start : start + 64]
        row += [a for a, _ in chunk] + [b for _, b in chunk]
    return row[:n]


def streaming(model: Any, key: Any, path: int, component: int, n: int) -> np.ndarray:
    """n increments of a `StreamingNoise`: normals for the states and the level, then one a step, all of one lane."""
    words, drawn = lane_state(key, path, component), []
    states = len(model.rho)
    while len(drawn) < states + 2 + n:
        first = next_word(words)
        drawn += box_muller(first, next_word(words))
    x = [sum(model.start[k, j] * drawn[j] for j in range(k + 1)) for k in range(states)]
    level = model.level_sd * drawn[states]
    shocks = drawn[(states + 2) // 2 * 2 :]  # the start draws pairs, and one of the last pair may be left over
    out = []
    for e in shocks[:n]:
        out.append(level + model.d * e + sum(c * value for c, value in zip(model.c, x, strict=True)))
        x = [rho * value + e for rho, value in zip(model.rho, x, strict=True)]
    return np.array(out)


def arma(model: Any, key: Any, path: int, component: int, n: int) -> np.ndarray:
    """n increments of an `ArmaNoise`: normals for the states of the start, then one a step, all of one lane."""
    words, drawn = lane_state(key, path, component), []
    m, system = max(1, len(model.ar), len(model.ma)), model._system
    while len(drawn) < m + 1 + n:
        first = next_word(words)
        drawn += box_muller(first, next_word(words))
    state = [sum(system.factor[k, j] * drawn[j] for j in range(k + 1)) for k in range(m)]
    shocks = drawn[(m + 1) // 2 * 2 :]  # the start draws pairs, and one of the last pair may be left over
    out = []
    for e in shocks[:n]:
        y, later = system.gain * e + state[0], [*state[1:], 0.0]
        state = [back * y + ahead * e + s for back, ahead, s in zip(system.back, system.ahead, later, strict=True)]
        out.append(model.sigma * y)
    return np.array(out)


def autocovariance(hurst: float, lag: int) -> float:
    """fGn by its definition, fine for small lags."""
    return (abs(lag + 1) ** (2 * hurst) - 2 * abs(lag) ** (2 * hurst) + abs(lag - 1) ** (2 * hurst)) / 2


def davies_harte(hurst: float, n_steps: int, pairs: Any, order: Any) -> np.ndarray:
    """Two paths (2, n_steps) by the sums that define the transforms; pair i belongs to frequency ``order[i]``."""
    length = len(pairs)
    root = [cmath.exp(-2j * math.pi * k / length) for k in range(length)]
    circulant = [autocovariance(hurst, min(j, length - j)) for j in range(length)]
    spectrum = [0j] * length
    for position, (a, b) in enumerate(pairs):
        k = order[position]
        eigenvalue = sum(circulant[j] * root[j * k % length].real for j in range(length))
        spectrum[k] = math.sqrt(eigenvalue / length) * complex(a, b)
    x = [sum(spectrum[k] * root[j * k % length] for k in range(length)) for j in range(n_steps)]
    return np.array([[value.real for value in x], [value.imag for value in x]])


def cholesky(hurst: float, noise: Any) -> np.ndarray:
    """A path by the Cholesky-Banachiewicz factor of the covariance matrix."""
    n = len(noise)
    factor = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            rest = autocovariance(hurst, i - j) - sum(factor[i][k] * factor[j][k] for k in range(j))
            factor[i][j] = math.sqrt(rest) if i == j else rest / factor[j][j]
    return np.array([sum(factor[i][j] * noise[j] for j in range(i + 1)) for i in range(n)])


def hosking(hurst: float, noise: Any) -> np.ndarray:
    """A path by conditioning each step on those before it, the weights from a linear system solved anew."""
    n = len(noise)
    covariance = np.array([[autocovariance(hurst, i - j) for j in range(n)] for i in range(n)])
    x = [noise[0]]
    for k in range(1, n):
        weights = np.linalg.solve(covariance[:k, :k], covariance[:k, k])
        variance = 1.0 - weights @ covariance[:k, k]
        x.append(sum(w * past for w, past in zip(weights, x, strict=True)) + math.sqrt(variance) * noise[k])
    return np.array(x)


def epoch_noise(n_samples: int, batch_size: int, phase: int | None, key: Any, path: int, shape: Any) -> np.ndarray:
    """Batches (n_components, n_steps) of shuffled epochs: the normal law of each, given the sum of those before it."""
    n_batches, c = n_samples // batch_size, -1.0 / (n_samples / batch_size - 1.0)
    out, place = np.empty(shape), phase
    if place is None:
        place = int((next_word(lane_state(key, path, 2**24 - 1)) >> 11) / 2**53 * n_batches)
    for j in range(shape[0]):
        words = lane_state(key, path, j)
        drawn: list[float] = []
        while len(drawn) < shape[1] + 2:
            first = next_word(words)
            drawn += box_muller(first, next_word(words))
        k, before = place, math.sqrt(place * (1 + (place - 1) * c)) * drawn[0]
        for i in range(shape[1]):
            if k == n_batches:
                k, before = 0, 0.0
            known = c / (1 + (k - 1) * c) if k > 0 else 0.0
            out[j, i] = known * before + math.sqrt(max(0.0, 1 - k * c * known)) * drawn[i + 2]
            k, before = k + 1, before + out[j, i]
    return out


def stable_noise(alpha: float, key: Any, path: int, component: int, n_steps: int) -> list[float]:
    """Chambers-Mallows-Stuck variates: W from the upper 52 bits of a word, the angle from those of the next one."""
    words, out = lane_state(key, path, component), []
    for _ in range(n_steps):
        waiting = -math.log(((next_word(words) >> 12) + 0.5) / 2**52)
        second = next_word(words)
        angle = (1.0 - ((second >> 12) + 0.5) / 2**52) * math.pi / 2 * (-1 if second & 512 else 1)
        ratio = math.cos((1 - alpha) * angle) / waiting
        out.append(math.sin(alpha * angle) / math.cos(angle) ** (1 / alpha) * ratio ** ((1 - alpha) / alpha))
    return out


def batches(
    n_samples: int, batch_size: int, replacement: bool, phase: int | None, key: Any, path: int, n_steps: int
) -> list[list[int]]:
    """The samples in each batch; a batch uses up pairs of random words, of which the last may be left over."""
    words, n_batches, out = lane_state(key, path, 0), n_samples // batch_size, []
    order, k = list(range(n_samples)), phase
    if k is None:
        k = int((next_word(lane_state(key, path, 2**24 - 1)) >> 11) / 2**53 * n_batches)
    before = k * batch_size
    below = iter(lambda: (next_word(words) >> 11) / 2**53, None)
    draw = [next(below) for _ in range(before + before % 2)] if not replacement else []
    for i in range(before if not replacement else 0):
        j = i + int(draw[i] * (n_samples - i))
        order[i], order[j] = order[j], order[i]
    for _ in range(n_steps):
        draw, k = [next(below) for _ in range(batch_size + batch_size % 2)], k % n_batches
        if replacement:
            out.append([int(u * n_samples) for u in draw[:batch_size]])
            continue
        for i in range(k * batch_size, (k + 1) * batch_size):
            j = i + int(draw[i - k * batch_size] * (n_samples - i))
            order[i], order[j] = order[j], order[i]
        out.append(order[k * batch_size : (k + 1) * batch_size])
        k += 1
    return out


def descent(
    landscape: Any, x: float, kicks: Any, rates: Any, momentum: float, nesterov: bool, decay: float
) -> list[float]:
    """The positions of gradient descent with noise in its gradient, in one dimension."""
    v, found = 0.0, [x]
    for kick, rate in zip(kicks, rates, strict=True):
        g = landscape.gradient(x, *landscape.params) + decay * x + kick
        v = momentum * v - rate * g
        x = x + momentum * v - rate * g if nesterov else x + v
        found.append(x)
    return found


def visits(path: np.ndarray, cores: np.ndarray) -> list[tuple[int, int]]:
    """Step and core of each entry of a path (n_steps + 1, d) into another core than its last; `cores` (m, d + 1)."""
    entries: list[tuple[int, int]] = []
    for step, point in enumerate(path):
        for number, (*centre, radius) in enumerate(cores):
            if math.dist(point, centre) <= radius and (not entries or entries[-1][1] != number):
                entries.append((step, number))
    return entries


def bent_path(path: np.ndarray, covariance: np.ndarray, step: int, value: float) -> np.ndarray:
    """A Gaussian path of mean 0, (n + 1,), moved so that it has this value at this step, as its law given that is."""
    return path + covariance[:, step] / covariance[step, step] * (value - path[step])


def exits_of(path: np.ndarray, ends: Any, near_ends: Any, window: int) -> tuple[int, int, int]:
    """The steps of the window not between the near ends, and the first step of the path not inside with its side."""
    near = sum(not near_ends[0] < x < near_ends[1] for x in path[window:])
    for k in range(1, path.size):
        if path[k] >= ends[1] or path[k] <= ends[0]:
            return near, k, 1 if path[k] >= ends[1] else -1
    return near, 0, 0


def climb(landscape: Any, increments: np.ndarray, x0: float, upper: float, dt: float) -> tuple[float, int]:
    """The highest score ``x - upper`` of a path up to its arrival, and the step of arrival, -1 for none."""
    x, top = x0, x0 - upper
    for i, increment in enumerate(increments):
        x = step("euler", landscape, x, increment, dt)
        top = max(top, x - upper)
        if x >= upper:
            return top, i + 1
    return top, -1


def branch_age(scores: np.ndarray, level: float, block: int) -> int:
    """The number of steps behind a path at the end of the block in which its score (n_steps,) first exceeds a level."""
    return (int(np.argmax(scores > level)) // block + 1) * block
