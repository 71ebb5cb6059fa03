"""Exits in continuous time: far from the boundary paths jump over many fine steps at once; near it, jumps are split."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core import checks
from ..core.blocks import counters, run_blocks
from ..core.compile import baked
from ..core.points import Point
from ..core.states import BROKEN, CENSORED
from ..core.types import Array, Key
from ..drivers.jumping import Jumping, JumpSource
from ..drivers.rational.jump_tables import Jumps
from ..drivers.rational.streaming import MAX_STEPS_CHOSEN, StreamingNoise
from ..dynamics.landscapes import Landscape
from ..laws.extremes import barrier_shift
from ..results.accuracy import Accuracy
from ..results.error_budget import ErrorBudget
from ._ends import Ends
from ._jump_kernel import _LONGER, _SAMPLED, BENT, STIFF, UNSEEN, Limits, jump_kernel
from ._jump_state import Source, tables_of
from .budget import BINS, SafeDistances, drift_error, missed_crossings, overshoot_left
from .domains import REACH_OF_FINEST
from .problem import Crowd, Problem
from .regions import Moving, Standing, require_room
from .scan import Scan, no_scan, scan_line, visited
from .starts import points_known
from .watch import Watch

_BLOCKS = 8  # blocks for each of several threads, because some end before others
_FEWEST, _MOST = 16, 26  # binary logarithms of the smallest and the largest default number of fine steps
_LOOKED_AT = 1024  # starts whose distance from the boundary is computed
_NEGLIGIBLE = 5e-4  # the standard error of a probability from 10^6 paths
_STIFFEST = 0.5  # above this value of dt times the steepest second derivative, the scheme does not follow the drift

MOST_FINE_STEPS = MAX_STEPS_CHOSEN


@dataclass(frozen=True, eq=False)
class Jumper:
    """The noise of a run on `n_steps` fine steps with its jumps; `run` gives the kernel.

    A block of paths holds one path at a time, so that memory does not depend on the number of steps.
    """

    source: JumpSource
    key: Key
    accuracy: Accuracy

    @property
    def model(self) -> StreamingNoise:
        """The model of the noise."""
        return self.source.model

    @property
    def tables(self) -> Jumps:
        """The jumps by level."""
        return self.source.tables

    @classmethod
    def of(cls, noise: Jumping, n_steps: int, longest: int, dim: int, key: Key, accuracy: Accuracy) -> Jumper:
        """The jumps, up to `longest` steps, of a noise; ValueError when it has none."""
        return cls(noise.jump_source(n_steps, longest, dim, accuracy.tolerance), key, accuracy)

    @property
    def tally_shape(self) -> tuple[int, int, int]:
        """Shape of the counters of one block: chosen jumps and halves, levels, and classes of clearance."""
        return 2, len(self.tables.rank), BINS

    @property
    def safe(self) -> SafeDistances:
        """How far the boundary must be from jumps."""
        return SafeDistances.of(float(self.model.hurst), len(self.tables.rank), self.accuracy.miss)

    def limits(self, scale: float, widest: float) -> Limits:
        """What bounds the jumps of noise whose increments over a fine step have the standard deviation `scale`."""
        safe, unit, hurst = self.safe, scale * self.tables.deviation, float(self.model.hurst)
        spread = math.sqrt(3.0 * (2.0 ** (-2.0 * hurst) - 0.25))  # the variance of fBm midway, both ends known
        far = np.array(safe.reach) * unit
        far = np.concatenate([far, far[-1] * 2.0 ** np.arange(1, _LONGER + 1)])
        clear, after = np.array([safe.before, safe.between]), np.array([safe.after, safe.between])
        return Limits(clear, clear * unit, after * unit, far, hurst, self.accuracy.drift_step, widest, spread)

    def run(self, plan: Plan, clock: tuple[float, float]) -> Callable[..., None]:
        """The kernel as a function of the path numbers and arrays that it lists last."""
        start, limits = np.ascontiguousarray(self.model.start), self.limits(clock[1], plan.widest)
        source = Source(self.key, start, self.model.level_sd, self.source.mixing)
        (gradient, params), like = plan.motion, (0.0,) * plan.origins.shape[1]
        scan, tables = (plan.scan.line, plan.scan.stiffness(limits.far)), tables_of(self.tables)
        given = (source, tables, params, plan.watch.bounds, *scan, limits, like, plan.origins, clock, plan.n_steps)
        functions = gradient, plan.watch.test, plan.clearance
        return lambda *arrays: baked(jump_kernel, functions, (*given, *arrays))(*given, *arrays)


Motion = tuple[Callable[..., Point], tuple[float, ...]]


class Plan(NamedTuple):
    """The plan of a run in continuous time.

    motion : the compiled gradient and its parameters.
    watch, clearance : the test of the moved region, and the compiled distance of its boundary.
    origins : the points at which paths begin, (n_paths, dim) or (1, dim).
    dt, n_steps, longest : the fine step, the number of such steps, and that in the longest jump.
    shift : the distance by which the boundary was moved inwards.
    scan : what is known of the landscape beforehand.
    widest : the largest reach of a jump for the boundary's sake.
    wanted_steps : the number of fine steps that the default asks for, 0 for a number that was given.
    """

    motion: Motion
    watch: Watch
    clearance: Callable[..., float]
    origins: Array
    dt: float
    n_steps: int
    longest: int
    shift: float
    scan: Scan = no_scan()
    widest: float = math.inf
    wanted_steps: float = 0.0


@dataclass(frozen=True, eq=False)
class Exits:
    """The ends of paths that the kernel wrote, and the error budget."""

    ends: Ends
    budget: ErrorBudget

    @property
    def censored(self) -> NDArray[np.bool_]:
        """True for the paths that were still inside at the end, (n_paths,)."""
        return self.ends.states == CENSORED


def exits(
    noise: Jumping, plan: Plan, accuracy: Accuracy, key: Key, crowd: Crowd
) -> Exits:  # fmt: skip
    """The exits of a crowd of paths, in blocks over threads; ValueError if a fine step is too long for the drift."""
    jumper = Jumper.of(noise, plan.n_steps, plan.longest, plan.origins.shape[1], key, accuracy)
    n_paths = crowd.n_paths
    blocks = np.array_split(np.arange(n_paths), min(n_paths, _BLOCKS * crowd.threads) if crowd.threads > 1 else 1)
    ends = Ends.open(n_paths, plan.origins.shape[1], crowd.first)
    control, seen = counters(len(blocks)), np.zeros((len(blocks), 16))[:, :3]
    tally = np.zeros((len(blocks), *jumper.tally_shape), np.int64)
    clock = (plan.dt, noise.increment_scale(plan.dt))
    run = jumper.run(plan, clock)

    def work(i: int) -> None:
        if control[i, 0] == 0:
            arrays = (blocks[i], ends, control[i], tally[i], seen[i])
            run(*arrays)

    numbers = float(n_paths) * plan.n_steps
    run_blocks(work, crowd.threads, control, n_paths, crowd.progress, stop=crowd.stop, numbers=numbers)
    watched = seen.max(axis=0)
    if not np.any(ends.states == BROKEN):
        _require_followed(plan, float(watched[STIFF]), float(watched[BENT]))
    return Exits(ends, _budget(noise, jumper, plan, tally.sum(axis=0), watched, n_paths))


def _require_followed(plan: Plan, stiff: float, bent: float) -> None:
    """Raise ValueError if fine steps were too long for the drift, or if jumps passed over a change of it."""
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
    noise: Jumping, jumper: Jumper, plan: Plan, counts: NDArray[np.int64], watched: Array, n_paths: int
) -> ErrorBudget:
    """The error budget of a finished run, from the counts that its jumps have kept."""
    hidden, hurst = counts[0, 0, 1], float(noise.common_hurst)
    counts[0, 0, 1] = 0
    return ErrorBudget(
        missed_crossings=(missed_crossings(jumper.safe, counts) + _SAMPLED * float(hidden)) / n_paths,
        overshoot=overshoot_left(hurst) * plan.shift * noise.largest_deviation,
        drift=drift_error(hurst, float(max(watched[STIFF], watched[BENT]))),
        noise_kl=jumper.model.certificate.kl,
        jumps_per_path=float(counts.sum()) / n_paths,
        hurst=hurst,
        fine_steps=plan.n_steps,
        accuracy=jumper.accuracy,
        resolution=math.inf if watched[UNSEEN] > 0.0 else plan.scan.spacing,
        step=plan.dt,
        wanted_steps=plan.wanted_steps,
    )


def wanted_fine_steps(noise: Jumping, horizon: float, distance: float, longest: float) -> float:
    """The smallest number of fine steps with which exits are what they are in continuous time, nearly.

    The boundary then is misplaced by at most `_NEGLIGIBLE` times the smaller of its distance and ``sigma horizon^H``,
    and a step is no longer than `longest`, so that it follows the drift.
    """
    length = min(distance, noise.increment_scale(horizon))
    left = overshoot_left(noise.common_hurst) * barrier_shift(noise.common_hurst) * noise.increment_scale(1.0)
    step = min(longest, (_NEGLIGIBLE * length / left) ** (1.0 / noise.common_hurst))
    return horizon / step if step > 0.0 else math.inf


def default_fine_steps(wanted: float) -> int:
    """The default number of fine steps, the power of two between 2^16 and 2^26 that is not below what is wanted.

    >>> default_fine_steps(1.0) == 2**16, default_fine_steps(1e6) == 2**20, default_fine_steps(math.inf) == 2**26
    (True, True, True)
    """
    return 2 ** math.ceil(min(max(math.log2(wanted), _FEWEST), _MOST))


def jump_plan(
    problem: Problem, noise: Jumping, fine_steps: int | None, longest: float | None, accuracy: Accuracy
) -> Plan:
    """The plan of a run in continuous time; ValueError for problems and options that it cannot handle.

    Steps and scan rest on the typical points of the start, so that they are those of every range of paths.
    """
    landscape = problem.equation.gradient_system()
    horizon, standing = checks.positive("horizon", problem.horizon), problem.region
    points = points_known(problem.start, "in continuous time")
    if isinstance(standing, Moving):
        raise ValueError("domain must stand still in continuous time, got walls that move. Take monitoring='grid'.")
    noise.jump_source(2, 1, landscape.dim, accuracy.tolerance)  # refuses what no number of steps can make good
    scan = _scan(points.typical, standing.ends, noise, landscape, horizon)
    wanted = 0.0 if fine_steps else _wanted(standing, points.typical, noise, horizon, _followed(scan, accuracy))
    n_steps = fine_steps or default_fine_steps(wanted)
    dt = horizon / n_steps
    shift = barrier_shift(noise.common_hurst) * noise.increment_scale(dt)
    region = standing.moved_in(shift, noise)
    require_room(region, shift, points.rows, lambda: f"Take more fine_steps than {n_steps}.", problem.first)
    longest_steps = n_steps if longest is None else max(1, int(min(longest / dt, n_steps)))
    place = region.watch, standing.clearance(noise), points.rows
    return Plan(_motion(landscape), *place, dt, n_steps, longest_steps, shift, scan, region.widest, wanted)


def _motion(landscape: Landscape) -> Motion:
    """The gradient of a landscape and its parameters, as the jumps take them."""
    return landscape.point_gradient, landscape.params


def _scan(
    rows: Array, ends: tuple[float, float], noise: Jumping, landscape: Landscape, horizon: float
) -> Scan:  # fmt: skip
    """The scan of the landscape wherever paths can be expected; in several dimensions, what `finest` declares."""
    finest = landscape.finest
    beyond = math.inf if finest is None else REACH_OF_FINEST * finest
    if landscape.dim > 1:
        return no_scan(beyond)
    motion, sides, starts = _motion(landscape), (-1, 1), (float(rows.min()), float(rows.max()))
    open_sides = (math.isinf(ends[0]), math.isinf(ends[1]))
    low, high = (
        end if math.isfinite(end) else x0 + side * visited(*motion, x0, side, noise, horizon)
        for side, end, x0 in zip(sides, ends, starts, strict=True)
    )
    return scan_line(motion, (low, high), open_sides, finest, beyond)


def _followed(scan: Scan, accuracy: Accuracy) -> float:
    """The longest step that follows the drift wherever it was scanned."""
    return accuracy.drift_step / scan.steepest if scan.steepest > 0.0 else math.inf


def _wanted(region: Standing, rows: Array, noise: Jumping, horizon: float, longest: float) -> float:
    """The number of fine steps that is wanted, for the median distance of the starts (n, dim) from the boundary.

    Of many starts it is that of about `_LOOKED_AT` of them.
    """
    some = rows[:: max(1, len(rows) // _LOOKED_AT)]
    distances = [region.distance(tuple(row), noise) for row in some.tolist()]
    return wanted_fine_steps(noise, horizon, float(np.median(distances)), longest)
