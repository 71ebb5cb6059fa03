"""`first_passage`: the times at which paths leave a domain, in one pass over lanes of paths."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _checks
from ._budget import Accuracy
from ._compile import compiled, outside, require_compiles, undefined
from ._errors import HorizonError, passages_of
from ._exit_kernel import CENSORED, Domain, exit_steps, never_undefined, outside_interval
from ._points import Point
from ._portable import Portable
from ._regions import interval_clearance, level_clearance, level_distance, shifted_level
from ._scan import Scan, no_scan, scan_line, visited
from ._threads import run_blocks
from .continuous import Plan, default_fine_steps, exits
from .extremes import barrier_shift
from .landscapes import Landscape
from .noise import Feed, FractionalNoise
from .solvers import SOLVERS
from .streaming import MAX_STEPS_CHOSEN, step_limit
from .survival import PassageTimes

MONITORING = ("grid", "shifted", "continuous")

_REACH_OF_FINEST = 2.0  # reach of a jump in smallest lengths of a landscape: the gradient at both ends shows it
_FIRST_TRIAL = 2**10  # steps of the first trial when the horizon is open


@dataclass(frozen=True)
class LevelSet(Portable):
    """The domain ``level(x, *params) < 0`` for a plain or njit function; in d dimensions x is a tuple of d floats.

    `finest`, for continuous time: the smallest length of the boundary's features, such as the radius of the smallest
    excluded disc. No jump reaches farther than that, at a cost that grows like its inverse square at H = 1/2. A level
    function tells the distance of the boundary to first order only: without `finest`, jumps pass over what is narrower
    than they are, and ``error_budget.missed_crossings`` tells how often. Raises ValueError unless positive and finite.

    >>> disc = LevelSet(lambda x, r: x[0] ** 2 + x[1] ** 2 - r**2, params=(1.5,))
    """

    level: Callable[..., float]
    params: tuple[float, ...] = ()
    finest: float | None = None
    _functions: ClassVar[tuple[str, ...]] = ("level",)


def first_passage(
    landscape: Landscape,
    noise: FractionalNoise,
    x0: ArrayLike,
    domain: _checks.Interval | LevelSet | Callable[..., float],
    *,
    dt: float | None = None,
    horizon: float,
    n_paths: int,
    seed: _checks.Seed,
    solver: str | None = None,
    monitoring: str = "grid",
    fine_steps: int | None = None,
    accuracy: Accuracy | None = None,
    until: float | None = None,
    n_jobs: int | None = None,
    progress: bool | Callable[[int], Any] = False,
) -> PassageTimes:
    """Times at which paths of ``dX = -gradient(X) dt + sigma dB_H`` started at `x0` leave `domain`, `PassageTimes`.

    Paths still inside at the horizon are censored there, never given a time. `monitoring` says what an exit is:

    * "grid": a path has left at the first multiple of `dt` at which it is not strictly inside. This is the passage of
      the chain itself (SGD is one), later than that of the continuous process by an amount that falls as ``dt^H``.
    * "shifted": the same with the boundary moved inwards by ``beta_H sigma dt^H`` (`barrier_shift`), which removes 90
      to 99 % of the difference at H <= 1/2.
    * "continuous": the passage of the equation itself, on an effective grid of `fine_steps` steps up to the horizon, at
      a cost that grows like its logarithm; streaming noise and the trapezoidal rule. ``passages.error_budget`` tells
      what is left of each approximation, and ``error_budget.halved()`` the options of a run to check it with. In one
      dimension the landscape is scanned beforehand wherever paths can be expected, and no jump passes over what was
      seen; `Landscape.finest` makes the scan finer. In several dimensions, and around the boundary of a level set, it
      is looked at around a jump's start and its predicted end only: features narrower than a jump must be declared as
      `Landscape.finest` and `LevelSet.finest`. One jump in sixteen is looked at on its way for what was missed: it
      shows in the budget, and drift that turns by more than half a standard deviation of a jump raises ValueError.

    Parameters
    ----------
    x0 : the start, a float or (dim,) floats, inside the domain.
    domain : ``(lower, upper)`` in one dimension, None, -inf or inf for an open side; or a `LevelSet`, or a function
        that is negative inside, of a float or a tuple of d floats.
    dt, horizon : step and end, in the time unit of the equation; the last step is the last multiple of dt not beyond
        the horizon, and the result's `horizon` is the end of that step. ``horizon=inf`` needs `until`. In continuous
        time dt is the longest jump, None for no such limit.
    until : run until this share of the paths has left, at most to the horizon; the result's `horizon` is the time that
        was reached. The steps are doubled from 2^10 on; the streaming model is fitted for its whole range, and a share
        not reached within it raises `HorizonError`.
    solver : a key of ``SOLVERS``, None for "euler"; continuous time has its own.
    fine_steps : continuous time only, up to 2^30; None: a power of two for which what is left of the overshoot moves
        probabilities by less than the standard error of 10^6 paths, at most 2^26.
    accuracy : continuous time only, how rarely a jump may hide an exit and how finely the drift is followed.
    n_jobs : threads, None for all cores. The result does not depend on it.
    progress : True shows a bar with the time left; a function is called with the number of paths newly finished.

    Raises
    ------
    ValueError for arguments outside their range; PathError when a path leaves the finite numbers or the level function
    returns nan: its `passages` hold what all paths gave, with the broken ones marked.

    >>> from fbmsde import FractionalNoise, quadratic
    >>> passages = first_passage(quadratic(1.0), FractionalNoise(0.3), 0.0, (-2.0, 2.0), dt=0.01, horizon=20.0,
    ...                          n_paths=1000, seed=1)
    >>> passages.times.shape, bool(passages.censored.any())
    ((1000,), True)
    """
    n_paths, start = _checks.count("n_paths", n_paths), as_point(landscape, x0)
    _checks.kind("noise", noise, FractionalNoise, "Write FractionalNoise(hurst, sigma).")
    region = _Region.of(landscape, start, domain)
    key, threads = _checks.as_seed(seed), _checks.workers(n_jobs)
    method = SOLVERS[_checks.choice("solver", "euler" if solver is None else solver, SOLVERS)]
    _checks.fits_memory("passage times", 26.0 * n_paths)
    if _checks.choice("monitoring", monitoring, MONITORING) == "continuous":
        _refuse_idle(solver, noise, accuracy)
        jumps = _Jumps(landscape, noise, region, start, n_paths, key, threads, progress, accuracy or Accuracy())
        return jumps.passages(_checks.positive("horizon", horizon), dt, fine_steps, until)
    if fine_steps is not None or accuracy is not None:
        raise ValueError(f"monitoring must be 'continuous' for fine_steps and accuracy, got {monitoring!r}.")
    step = _checks.positive("dt", dt)
    if monitoring == "shifted":
        region = region.moved_in(barrier_shift(noise.hurst) * noise.scale(step), noise)
    motion = (method, landscape.drift, landscape.params)
    run = _Run(motion, region.tests, start, (step, noise.scale(step)), n_paths, threads, progress)
    if until is None:
        end = _checks.positive("horizon", horizon)
        n_steps = _checks.whole_steps(step, end)
        return run.passages(noise.feed(n_steps, landscape.dim, key), n_steps, end)
    return _run_until(run, noise, landscape.dim, key, horizon, _checks.fraction("until", until))


def _refuse_idle(solver: str | None, noise: FractionalNoise, accuracy: Accuracy | None) -> None:
    """ValueError for options that do nothing in continuous time."""
    if solver is not None:
        raise ValueError(f"solver must be None in continuous time, got {solver!r}. Jumps move by the trapezoidal rule.")
    if accuracy is not None and None not in (accuracy.tolerance, noise.tolerance):
        raise ValueError(
            f"tolerance must be given once, got {noise.tolerance} of the noise and {accuracy.tolerance} of `accuracy`."
        )
    if noise.dtype != np.dtype(float):
        raise ValueError(f"dtype must be float64 in continuous time, got {noise.dtype}. It computes in no other.")


def as_point(landscape: Landscape, x0: ArrayLike) -> Point:
    """The start as a tuple of `landscape.dim` finite floats."""
    _checks.kind("landscape", landscape, Landscape, "Write Landscape(potential, gradient) for functions.")
    values = np.atleast_1d(_checks.reals("x0", x0))
    if values.shape != (landscape.dim,):
        raise ValueError(f"x0 must have {landscape.dim} coordinates, got shape {np.shape(x0)}.")
    return tuple(_checks.finite("x0", v) for v in values)


@dataclass(frozen=True)
class _Region:
    """A domain for the kernels: an interval, or a level function with its parameters."""

    start: Point
    interval: tuple[float, float] | None
    level_set: LevelSet | None

    @classmethod
    def of(cls, landscape: Landscape, start: Point, domain: Any) -> _Region:
        """The region, after a look at the start."""
        if isinstance(domain, LevelSet) or callable(domain):
            level_set = domain if isinstance(domain, LevelSet) else LevelSet(domain)
            return cls(start, None, _checked_level_set(landscape.dim, start, level_set))
        if landscape.dim != 1:
            raise ValueError(f"domain must be a level function in {landscape.dim} dimensions, got {domain!r}.")
        lower, upper = _checks.interval("domain", domain, " or a level function")
        if not lower < start[0] < upper:
            raise ValueError(f"x0 must lie inside the domain ({lower}, {upper}), got {start[0]}.")
        return cls(start, (lower, upper), None)

    @property
    def tests(self) -> Domain:
        """The compiled tests for the outside and for points without a level, with their parameters."""
        if self.interval is not None:
            return Domain(outside_interval, never_undefined, self.interval)
        assert self.level_set is not None
        level, dim = self.level_set.level, len(self.start)
        return Domain(outside(level, dim), undefined(level, dim), self.level_set.params)

    def clearance(self, noise: FractionalNoise) -> Any:
        """How far the moved boundary is from a jump, compiled; it takes the parameters of the moved region's test."""
        if self.interval is not None:
            return interval_clearance
        assert self.level_set is not None
        return level_clearance(self.level_set.level, len(self.start), noise.factor)

    @property
    def widest(self) -> float:
        """The longest reach of a jump that passes over no part of the boundary."""
        if self.level_set is None or self.level_set.finest is None:
            return math.inf
        return self.level_set.finest

    def distance(self, noise: FractionalNoise) -> float:
        """Distance of the start from the boundary, for level functions to first order and in units of the noise."""
        if self.interval is not None:
            return min(self.start[0] - self.interval[0], self.interval[1] - self.start[0])
        assert self.level_set is not None
        return level_distance(self.level_set.level, self.level_set.params, self.start, noise.correlation)

    def moved_in(self, shift: float, noise: FractionalNoise) -> _Region:
        """The region with its boundary moved inwards; ValueError when the start is no longer inside."""
        if self.interval is not None:
            lower, upper = self.interval[0] + shift, self.interval[1] - shift
            inside = lower < self.start[0] < upper
            region = _Region(self.start, (lower, upper), None)
        else:
            assert self.level_set is not None
            dim = len(self.start)
            level = shifted_level(self.level_set.level, dim, noise.correlation)
            moved = LevelSet(level, (shift, *self.level_set.params), self.level_set.finest)
            inside = moved.level(self.start if dim > 1 else self.start[0], *moved.params) < 0
            region = _Region(self.start, None, moved)
        if not inside:
            raise ValueError(
                f"x0 must lie farther from the boundary than its shift of beta_H sigma dt^H = {shift:.3g}, got "
                f"{self.start}. Take more steps up to the horizon."
            )
        return region


def _checked_level_set(dim: int, start: Point, domain: LevelSet) -> LevelSet:
    """The level set, after a look at its function and the start."""
    params = _checks.numbers("params", domain.params)
    require_compiles("domain", domain.level, dim, len(params), vector=False)
    value = compiled(domain.level)(start if dim > 1 else start[0], *params)
    if not value < 0:
        raise ValueError(f"x0 must lie inside the domain, where the level is negative, got level {value} at {start}.")
    finest = None if domain.finest is None else _checks.positive("finest", domain.finest)
    return LevelSet(domain.level, params, finest)


@dataclass(frozen=True)
class _Jumps:
    """Everything a run in continuous time needs but the number of steps."""

    landscape: Landscape
    noise: FractionalNoise
    region: _Region
    start: Point
    n_paths: int
    key: Any
    threads: int
    progress: bool | Callable[[int], Any]
    accuracy: Accuracy

    def passages(self, horizon: float, longest: float | None, fine_steps: Any, until: Any) -> PassageTimes:
        """All paths up to the horizon."""
        if until is not None:
            raise ValueError(f"until must be None in continuous time, got {until}. Give a horizon.")
        if self.noise.method != "streaming":
            raise ValueError(f"method must be 'streaming' in continuous time, got {self.noise.method!r}.")
        scan = self._scan(horizon)
        n_steps = self._fine_steps(horizon, fine_steps, scan)
        dt = horizon / n_steps
        shift = barrier_shift(self.noise.hurst) * self.noise.scale(dt)
        region = self.region.moved_in(shift, self.noise)
        test, no_level, bounds = region.tests
        longest_steps = n_steps if longest is None else max(1, int(min(_checks.positive("dt", longest) / dt, n_steps)))
        motion = (self.landscape.drift, self.landscape.params)
        place = (test, no_level, self.region.clearance(self.noise), bounds)
        plan = Plan(motion, place, self.start, dt, n_steps, longest_steps, shift, scan, region.widest)
        left = exits(self.noise, plan, self.accuracy, self.key, self.n_paths, self.threads, self.progress)
        return passages_of(left.steps, left.states, dt, horizon, left.budget)

    def _scan(self, horizon: float) -> Scan:
        """What the landscape is like wherever paths can be expected; in several dimensions, what it is said to be."""
        finest, motion = self.landscape.finest, (self.landscape.drift, self.landscape.params)
        beyond = math.inf if finest is None else _REACH_OF_FINEST * finest
        if self.landscape.dim > 1:
            return no_scan(beyond)
        x0, sides = self.start[0], (-1, 1)
        ends = [side * math.inf for side in sides] if self.region.interval is None else self.region.interval
        open_sides = (math.isinf(ends[0]), math.isinf(ends[1]))
        low, high = (
            end if math.isfinite(end) else x0 + side * visited(*motion, x0, side, self.noise, horizon)
            for side, end in zip(sides, ends, strict=True)
        )
        return scan_line(motion, (low, high), open_sides, finest, beyond)

    def _fine_steps(self, horizon: float, fine_steps: Any, scan: Scan) -> int:
        """The number of fine steps: the caller's, or one that leaves little of the overshoot and follows the drift."""
        if fine_steps is None:
            follows = self.accuracy.drift_step / scan.steepest if scan.steepest > 0.0 else math.inf
            return default_fine_steps(self.noise, horizon, self.region.distance(self.noise), follows)
        n_steps = _checks.count("fine_steps", fine_steps)
        if n_steps > MAX_STEPS_CHOSEN:
            raise ValueError(f"fine_steps must be at most 2^30, got {n_steps}. No noise model reaches further.")
        return n_steps


@dataclass(frozen=True)
class _Run:
    """Everything a run needs but the noise and the number of steps."""

    motion: Any
    domain: Domain
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
                plan = (*kit, *self.motion, *self.domain, self.start, self.clock, n_steps)
                exit_steps(*plan, block, *out, control[index])

        run_blocks(work, self.threads, control, queue.size, self.progress)

    def result(self, out: Any, n_steps: int, horizon: float) -> PassageTimes:
        """Steps as times; PathError for the first path that left the finite numbers."""
        steps, states = out
        dt = self.clock[0]
        return passages_of(steps, states, dt, _checks.reached(dt, n_steps, horizon))


def _run_until(run: _Run, noise: FractionalNoise, dim: int, key: Any, horizon: float, share: float) -> PassageTimes:
    """Double the number of steps, for the paths that have not left, until the share is reached."""
    dt, end = run.clock[0], _checks.number("horizon", horizon)
    if not end > 0:
        raise ValueError(f"horizon must be positive, got {end}.")
    if noise.method != "streaming":
        raise ValueError(f"method must be 'streaming' for `until`, got {noise.method!r}: whole paths have a fixed end.")
    asked = _checks.whole_steps(dt, end) if math.isfinite(end) else MAX_STEPS_CHOSEN + 1
    limit = min(step_limit(noise.hurst, noise.tolerance), asked if math.isfinite(end) else MAX_STEPS_CHOSEN)
    feed, n_steps = noise.feed(limit, dim, key), min(_FIRST_TRIAL, limit)
    out = np.zeros(run.n_paths, np.int64), np.zeros(run.n_paths, np.uint8)
    queue = np.arange(run.n_paths)
    while True:
        run.fill(feed, n_steps, queue, out)
        queue = np.flatnonzero(out[1] == CENSORED)
        left = 1.0 - queue.size / run.n_paths
        if left >= share or n_steps == limit:
            break
        n_steps = min(2 * n_steps, limit)
    passages = run.result(out, n_steps, end)
    if left < share and limit < asked:
        raise HorizonError(
            f"until must be reached within the noise model's {n_steps} steps, got {left:.6g} of the paths by then. "
            "Take a larger dt or a finite horizon.",
            passages,
        )
    return passages
