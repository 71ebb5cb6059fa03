"""`first_passage`: the times at which paths leave a domain, in one pass over lanes of paths."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from . import _checks
from ._compile import compiled, outside, require_compiles
from ._points import Point, is_finite, load, load_step, scaled, store
from ._sources import BLOCK, LANES
from .landscapes import Landscape
from .noise import Feed, FractionalNoise
from .solvers import SOLVERS
from .streaming import MAX_STEPS
from .survival import PassageTimes

Interval = tuple[float, float]

_RUNNING, _LEFT, _CENSORED, _BROKEN = 0, 1, 2, 3
_POLL = 0.1  # seconds between two looks at the progress of the threads
_FIRST_TRIAL = 2**10  # steps of the first trial when the horizon is open


class PathError(ArithmeticError):
    """A path left the finite numbers; `path` is its number and `time` when it did."""

    def __init__(self, message: str, path: int, time: float) -> None:
        super().__init__(message)
        self.path, self.time = path, time

    @classmethod
    def at(cls, path: int, step: int, dt: float) -> PathError:
        """The error of a path that broke at a step, with the step size to try."""
        time = float(step * dt)
        rule = f"path {path} must stay finite, got inf or nan at time {time:g}."
        return cls(f"{rule} Check the gradient there, or try dt = {dt / 4:g}.", int(path), time)


class HorizonError(ArithmeticError):
    """Too few paths had left when the noise model's range ended; `passages` holds what was computed."""

    def __init__(self, message: str, passages: PassageTimes) -> None:
        super().__init__(message)
        self.passages = passages


@dataclass(frozen=True)
class LevelSet:
    """The domain ``level(x, *params) < 0`` for a plain or njit function; in d dimensions x is a tuple of d floats.

    >>> disc = LevelSet(lambda x, r: x[0] ** 2 + x[1] ** 2 - r**2, params=(1.5,))
    """

    level: Callable[..., float]
    params: tuple[float, ...] = ()


@njit(error_model="numpy", forceinline=True)
def _outside_interval(x: Point, lower: float, upper: float) -> bool:
    return not ((x[0] > lower) & (x[0] < upper))


@njit(error_model="numpy", forceinline=True)
def _walk(
    step: Any, gradient: Any, params: Any, outside: Any, bounds: Any,
    x0: Point, clock: Any, x: NDArray, noise: NDArray, masks: NDArray,
) -> int:  # fmt: skip
    """Advance all lanes BLOCK steps; bit s of a lane's mask: outside after step s, bit BLOCK + s: not finite."""
    dt, scale = clock
    events = 0
    for lane in range(x.shape[1]):
        point = load(x0, x, lane)
        mask = 0
        for s in range(BLOCK):
            point = step(gradient, params, point, scaled(scale, load_step(x0, noise, s, lane)), dt)
            mask |= (1 << s) if outside(point, *bounds) else 0
            mask |= 0 if is_finite(point) else (1 << (BLOCK + s))
        store(point, x, lane)
        masks[lane] = mask
        events |= mask
    return events


@njit(error_model="numpy", nogil=True)
def _verdict(mask: int, age: int, n_steps: int) -> tuple[int, int]:
    """State and step number of a lane that was `age` steps old before the block with this mask."""
    for s in range(min(BLOCK, n_steps - age)):
        if mask & (1 << s):
            return (_BROKEN if mask & (1 << (BLOCK + s)) else _LEFT), age + s + 1
    return (_CENSORED if age + BLOCK >= n_steps else _RUNNING), n_steps


@njit(error_model="numpy", nogil=True)
def _exit_steps(
    start: Any, draw: Any, source: Any, step: Any, gradient: Any, params: Any, outside: Any, bounds: Any,
    x0: Point, clock: Any, n_steps: int, queue: NDArray, steps: NDArray, states: NDArray, control: NDArray,
) -> None:  # fmt: skip
    """Exit step and state of the queued paths; control[0] asks to stop, control[1] counts finished paths."""
    x, noise = np.empty((len(x0), LANES)), np.zeros((len(x0), BLOCK, LANES))
    masks, born, paths = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64), np.full(LANES, -1)
    for lane in range(LANES):
        store(x0, x, lane)
        start(source, lane, queue[min(lane, queue.size - 1)])  # a lane without a path runs along unread
        if lane < queue.size:
            paths[lane] = queue[lane]
    upcoming, now, deadline = min(LANES, queue.size), 0, n_steps
    while control[1] < queue.size and control[0] == 0:
        draw(source, noise)
        events = _walk(step, gradient, params, outside, bounds, x0, clock, x, noise, masks)
        now += BLOCK
        if events == 0 and now < deadline:
            continue
        deadline = now + n_steps
        for lane in range(LANES):
            state, when = _verdict(masks[lane], now - BLOCK - born[lane], n_steps)
            if state != _RUNNING:
                store(x0, x, lane)
                born[lane] = now
                if paths[lane] >= 0:
                    steps[paths[lane]], states[paths[lane]] = when, state
                    control[1] += 1
                    paths[lane] = -1
                    if upcoming < queue.size:
                        paths[lane] = queue[upcoming]
                        start(source, lane, queue[upcoming])
                        upcoming += 1
            deadline = min(deadline, born[lane] + n_steps)


def first_passage(
    landscape: Landscape,
    noise: FractionalNoise,
    x0: ArrayLike,
    domain: Interval | LevelSet | Callable[..., float],
    *,
    dt: float,
    horizon: float,
    n_paths: int,
    seed: _checks.Seed,
    solver: str = "euler",
    until: float | None = None,
    n_jobs: int | None = None,
    progress: bool | Callable[[int], Any] = False,
) -> PassageTimes:
    """Times at which paths of ``dX = -gradient(X) dt + sigma dB_H`` started at `x0` leave `domain`, `PassageTimes`.

    A path has left at the first multiple of `dt` at which it is not strictly inside: this is the passage of the chain
    itself (SGD is one), later than that of the continuous process by an amount that falls as ``dt^H``. Paths still
    inside at the horizon are censored there, never given a time.

    Parameters
    ----------
    x0 : the start, a float or (dim,) floats, inside the domain.
    domain : ``(lower, upper)`` in one dimension, -inf or inf for an open side; or a `LevelSet`, or a function that is
        negative inside, of a float or a tuple of d floats.
    dt, horizon : step and end, in the time unit of the equation; the last step is the last multiple of dt not beyond
        the horizon. ``horizon=inf`` needs `until`.
    until : run until this share of the paths has left, at most to the horizon. The steps are doubled from 2^10 on; the
        streaming model is fitted for its whole range, and a share not reached within it raises `HorizonError`.
    solver : a key of ``SOLVERS``.
    n_jobs : threads, None for all cores. The result does not depend on it.
    progress : True shows a bar with the time left; a function is called with the number of paths newly finished.

    Raises
    ------
    ValueError for arguments outside their range; PathError when a path leaves the finite numbers.

    >>> from fbmsde import FractionalNoise, quadratic
    >>> passages = first_passage(quadratic(1.0), FractionalNoise(0.3), 0.0, (-2.0, 2.0), dt=0.01, horizon=20.0,
    ...                          n_paths=1000, seed=1)
    >>> passages.times.shape, bool(passages.censored.any())
    ((1000,), True)
    """
    n_paths, step = _checks.count("n_paths", n_paths), _checks.positive("dt", dt)
    start = as_point(landscape, x0)
    region = _region(landscape, start, domain)
    key, threads = _checks.as_seed(seed), _checks.workers(n_jobs)
    method = SOLVERS[_checks.choice("solver", solver, SOLVERS)]
    _checks.fits_memory("passage times", 26.0 * n_paths)
    motion = (method, landscape.drift, landscape.params)
    run = _Run(motion, region, start, (step, noise.scale(step)), n_paths, threads, progress)
    if until is None:
        end = _checks.positive("horizon", horizon)
        return run.passages(noise.feed(_whole_steps(step, end), landscape.dim, key), _whole_steps(step, end), end)
    return _run_until(run, noise, landscape.dim, key, horizon, _checks.fraction("until", until))


def as_point(landscape: Landscape, x0: ArrayLike) -> Point:
    """The start as a tuple of `landscape.dim` finite floats."""
    values = np.atleast_1d(np.asarray(x0, dtype=float))
    if values.shape != (landscape.dim,):
        raise ValueError(f"x0 must have {landscape.dim} coordinates, got shape {np.shape(x0)}.")
    return tuple(_checks.finite("x0", v) for v in values)


def _whole_steps(dt: float, horizon: float) -> int:
    """The number of steps up to the horizon; one that misses it by rounding counts."""
    n_steps = math.floor(horizon / dt * (1.0 + 1e-12) + 1e-9)
    if n_steps < 1:
        raise ValueError(f"horizon must be at least dt = {dt}, got {horizon}.")
    if n_steps >= 2**62:
        raise ValueError(f"horizon / dt must be below 2^62, got {horizon / dt:.3g}.")
    return n_steps


def _region(landscape: Landscape, start: Point, domain: Any) -> tuple[Any, tuple[float, ...]]:
    """The compiled test for the outside and its parameters, after a look at the start."""
    if isinstance(domain, LevelSet) or callable(domain):
        level_set = domain if isinstance(domain, LevelSet) else LevelSet(domain)
        return _level_region(landscape, start, level_set)
    if landscape.dim != 1:
        raise ValueError(f"domain must be a level function in {landscape.dim} dimensions, got {domain!r}.")
    try:
        lower, upper = (_checks.number("domain", bound) for bound in domain)
    except (TypeError, ValueError):
        raise TypeError(f"domain must be (lower, upper) or a level function, got {domain!r}.") from None
    if not lower < upper:
        raise ValueError(f"domain must have lower < upper, got ({lower}, {upper}).")
    if not lower < start[0] < upper:
        raise ValueError(f"x0 must lie inside the domain ({lower}, {upper}), got {start[0]}.")
    return _outside_interval, (lower, upper)


def _level_region(landscape: Landscape, start: Point, domain: LevelSet) -> tuple[Any, tuple[float, ...]]:
    """The test ``not level(x) < 0``."""
    params = tuple(_checks.finite("params", p) for p in domain.params)
    require_compiles("domain", domain.level, landscape.dim, len(params), vector=False)
    level = compiled(domain.level)
    value = level(start if landscape.dim > 1 else start[0], *params)
    if not value < 0:
        raise ValueError(f"x0 must lie inside the domain, where the level is negative, got level {value} at {start}.")
    return outside(domain.level, landscape.dim), params


@dataclass(frozen=True)
class _Run:
    """Everything a run needs but the noise and the number of steps."""

    motion: Any
    region: Any
    start: Point
    clock: tuple[float, float]
    n_paths: int
    threads: int
    progress: bool | Callable[[int], Any]

    def passages(self, feed: Feed, n_steps: int, horizon: float) -> PassageTimes:
        """All paths up to the horizon."""
        out = np.zeros(self.n_paths, np.int64), np.zeros(self.n_paths, np.uint8)
        self.fill(feed, n_steps, np.arange(self.n_paths), out)
        return self.result(out, n_steps, horizon)

    def fill(self, feed: Feed, n_steps: int, queue: NDArray[np.int64], out: Any) -> None:
        """Exit steps and states of the queued path numbers, in blocks over the threads."""
        size = feed.max_paths or max(1, -(-queue.size // self.threads))
        blocks = [queue[i : i + size] for i in range(0, queue.size, size)]
        control = np.zeros((len(blocks), 2), np.int64)

        def work(index: int) -> None:
            block = blocks[index]
            if control[index, 0] == 0:
                kit = feed.kit(int(block[0]), int(block[-1] - block[0]) + 1)
                plan = (*kit, *self.motion, *self.region, self.start, self.clock, n_steps)
                _exit_steps(*plan, block, *out, control[index])

        with ThreadPoolExecutor(self.threads) as pool:
            _watch([pool.submit(work, i) for i in range(len(blocks))], control, queue.size, self.progress)

    def result(self, out: Any, n_steps: int, horizon: float) -> PassageTimes:
        """Steps as times; PathError for the first path that left the finite numbers."""
        steps, states = out
        dt = self.clock[0]
        if np.any(states == _BROKEN):
            path = int(np.argmax(states == _BROKEN))
            raise PathError.at(path, int(steps[path]), dt)
        censored = states == _CENSORED
        return PassageTimes(np.where(censored, horizon, steps * dt), censored, horizon, dt)


def _run_until(run: _Run, noise: FractionalNoise, dim: int, key: Any, horizon: float, share: float) -> PassageTimes:
    """Double the number of steps, for the paths that have not left, until the share is reached."""
    dt, end = run.clock[0], _checks.number("horizon", horizon)
    if not end > 0:
        raise ValueError(f"horizon must be positive, got {end}.")
    if noise.method != "streaming":
        raise ValueError(f"method must be 'streaming' for `until`, got {noise.method!r}: whole paths have a fixed end.")
    limit = min(MAX_STEPS, _whole_steps(dt, end)) if math.isfinite(end) else MAX_STEPS
    feed, n_steps = noise.feed(limit, dim, key), min(_FIRST_TRIAL, limit)
    out = np.zeros(run.n_paths, np.int64), np.zeros(run.n_paths, np.uint8)
    queue = np.arange(run.n_paths)
    while True:
        run.fill(feed, n_steps, queue, out)
        queue = np.flatnonzero(out[1] == _CENSORED)
        left = 1.0 - queue.size / run.n_paths
        if left >= share or n_steps == limit:
            break
        n_steps = min(2 * n_steps, limit)
    last = end if n_steps == limit and math.isfinite(end) else n_steps * dt
    passages = run.result(out, n_steps, last)
    if left < share and n_steps == MAX_STEPS:
        raise HorizonError(
            f"until must be reached within the noise model's {MAX_STEPS} steps, got {left:.6g} of the paths by then. "
            "Take a larger dt or a finite horizon.",
            passages,
        )
    return passages


def _watch(futures: list[Future[None]], control: NDArray[np.int64], total: int, progress: Any) -> None:
    """Wait for the threads, telling how many paths are done; an interrupt stops them at their next event."""
    with tqdm(total=total, disable=progress is not True, unit="path", leave=False) as bar:
        report = progress if callable(progress) else bar.update
        told, pending = 0, set(futures)
        try:
            while pending:
                done, pending = wait(pending, timeout=_POLL, return_when=FIRST_EXCEPTION)
                finished = int(control[:, 1].sum())
                report(finished - told)
                told = finished
                for future in done:
                    future.result()
        except BaseException:
            control[:, 0] = 1
            raise
