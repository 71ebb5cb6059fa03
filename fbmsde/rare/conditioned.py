"""Rare exits of Gaussian processes from exactly conditioned paths: `conditioned_exits`.

The sampler is that of Adler, Blanchet & Liu (2012). A step tau of the window is drawn with a probability in proportion
to that of being near or beyond the end of the domain there, then X_tau from its law there, and then the whole path
given X_tau: with a path X' that knows nothing of it, ``X_k = X'_k + Cov(X_k, X_tau) / Var(X_tau) (X_tau - X'_tau)``.
Under this law a path with N such steps in the window is N / S times as likely as under its own, where S is the sum of
all those probabilities. So ``S / N`` if the first exit falls into the window, and 0 otherwise, is an unbiased estimate
of the probability that it does. It is bounded by S, whatever the level.

The authors count the steps beyond the end itself. Then the relative variance grows as the steps get shorter, because
some paths go beyond for few steps only. Counting from one mean overshoot before the end costs two draws of three that
do not exit, and removes that growth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from ..core import checks, seeds
from ..core.blocks import counters, run_blocks
from ..core.random import fill_normals
from ..core.types import AnyArray, Array, Key
from ..laws.extremes import barrier_shift
from ..results.estimates import NoEstimateError
from ..results.rare_estimate import RareEstimate
from ..simulation.problem import Crowd
from ._count_exits import Bent, Counts, Ends, Path, count_exits
from .linear_process import LinearProcess

COARSEST = 1.5  # a shift at this coarseness leaves an error of 5 % of the rate at H = 0.3 to 0.5
_SHORTER = "Take a shorter dt, or monitoring='grid' for the exits that the steps see."
_NUMBERS = 2**18  # so many numbers of paths are held at once by a thread


class CoarseStepError(ValueError):
    """A step is so long that moving the boundary does not make up for it, whatever the method."""


class Band(NamedTuple):
    """The ends of a domain and the window of steps ``first ... n`` of a process, prepared for drawing.

    sides : -1.0 for the lower end, 1.0 for the upper one, of those that are finite, (n_sides,).
    log_tails : the logarithms of the probabilities to be near or beyond them at each step, (n_sides, n_window).
    cumulated : the running sum of these probabilities over the largest of them, side after side, flat.
    """

    ends: Ends
    first: int
    sides: Array
    log_tails: Array
    cumulated: Array

    @property
    def log_bound(self) -> float:
        """The logarithm of S, the sum of all these probabilities."""
        return float(np.log(self.cumulated[-1]) + self.log_tails.max())

    def log_bound_of(self, side: float) -> float:
        """The logarithm of the part of one side in S; -inf for an open one."""
        rows = self.log_tails[self.sides == side]
        return float(scipy.special.logsumexp(rows)) if rows.size else -math.inf

    @classmethod
    def of(cls, process: LinearProcess, domain: tuple[float, float], first: int, slack: float) -> Band:
        """The band of a domain and a window.

        A path is near an end b within `slack` times ``v / |b - m|`` of it, with the variance v and the mean m of X_n,
        which is the mean overshoot of a high level; at most half of the way from x0 to b.

        >>> from .linear_process import fou_process
        >>> band = Band.of(fou_process(0.5, 1, dt=1.0), (-np.inf, 3.0), 1, 0.0)
        >>> f"{math.exp(band.log_bound):.3e}"  # Psi(3 / sqrt((1 - exp(-2)) / 2))
        '2.526e-06'
        """
        lower, upper = domain
        ends = Ends(lower, upper, lower + _near(process, lower, slack), upper - _near(process, upper, slack))
        nearest = [(side, end) for side, end in ((-1.0, ends.near_lower), (1.0, ends.near_upper)) if math.isfinite(end)]
        sd, mean = np.sqrt(process.variances[first:]), process.x0 * process.memory[first:]
        log_tails = np.stack([scipy.special.log_ndtr(side * (mean - end) / sd) for side, end in nearest])
        cumulated = np.cumsum(np.exp(log_tails - log_tails.max()))
        return cls(ends, first, np.array([side for side, _ in nearest]), log_tails, cumulated)


def _near(process: LinearProcess, end: float, slack: float) -> float:
    """The distance from an end within which a path is near it; 0 for an open end."""
    if not math.isfinite(end) or slack == 0.0:
        return 0.0
    overshoot = process.variances[-1] / max(abs(end - process.x0 * process.memory[-1]), 1e-300)
    return min(slack * float(overshoot), abs(end - process.x0) / 2.0)


def bent_paths(process: LinearProcess, band: Band, normals: Array) -> Bent:
    """At which steps paths are bent out of the domain, and to which values, from normals (n_paths, n_draws, 2)."""
    chance = scipy.special.ndtr(normals[..., 0]) * band.cumulated[-1]
    place = np.minimum(np.searchsorted(band.cumulated, chance, side="right"), band.cumulated.size - 1)
    which, offset = np.divmod(place, band.log_tails.shape[1])
    steps, sides = offset + band.first, band.sides[which]
    sd, mean = np.sqrt(process.variances[steps]), process.x0 * process.memory[steps]
    log_tail = band.log_tails[which, offset] + scipy.special.log_ndtr(normals[..., 1])
    return Bent(steps, mean - sides * sd * scipy.special.ndtri_exp(log_tail), sides)


@dataclass(frozen=True, eq=False)
class ConditionedExits:
    """First exits of conditioned paths, `n_draws` for each of `n_paths` independent paths, each with its weight.

    counts : the number of steps of the window near or beyond an end, (n_paths, n_draws).
    steps : the first step of the path that is not inside, 0 if there is none, (n_paths, n_draws).
    sides : -1 for a first exit through the lower end, 1 for the upper one, 0 for none, (n_paths, n_draws).
    left : whether the path that is not bent is inside up to the window, (n_paths,).
    log_bound : the logarithm of S, the bound of the estimate.
    first, n_steps : the first and the last step of the window.
    dt : the length of a step.
    """

    counts: NDArray[np.int64]
    steps: NDArray[np.int64]
    sides: NDArray[np.int8]
    left: NDArray[np.bool_]
    log_bound: float
    first: int
    n_steps: int
    dt: float

    @property
    def weights(self) -> Array:
        """The weights in units of S: 1/N, or 0 for paths whose first exit is not in the window, (n_paths, n_draws)."""
        return np.where(self.steps >= self.first, 1.0 / self.counts, 0.0)

    def part(self, paths: slice) -> ConditionedExits:
        """The exits of some of the paths, which are not copied."""
        arrays = {name: getattr(self, name)[paths] for name in ("counts", "steps", "sides", "left")}
        return replace(self, **arrays)

    def probability(self, side: str | None = None) -> RareEstimate:
        """The probability that the first exit falls into the window, through one side ("lower" or "upper") or any."""
        if side is None:
            return RareEstimate.of(self.weights.mean(axis=1), self.log_bound)
        sign = {"lower": -1, "upper": 1}[checks.choice("side", side, ("lower", "upper"))]
        return RareEstimate.of(np.where(self.sides == sign, self.weights, 0.0).mean(axis=1), self.log_bound)

    def rate(self) -> RareEstimate:
        """The exit rate per unit of time of those that are left, ``ln(S_1 / S_2) / (t_2 - t_1)`` over the window.

        S_1 and S_2 are the probabilities to be inside up to the beginning and the end of the window, at the times
        ``t_1 = (first - 1) dt`` and ``t_2 = n dt``. S_1 comes from the paths that are not bent. Raises NoEstimateError
        if these leave before the window, or the estimate of S_2 is not positive.
        """
        weights = self.weights.mean(axis=1)
        left, exiting = float(self.left.mean()), RareEstimate.of(weights, self.log_bound)
        chance = exiting.value / left if left > 0.0 else math.nan
        if not chance < 1.0:
            raise NoEstimateError(
                f"window must begin while paths are left, got {left:.3g} of them and {exiting.value:.3g} that leave in "
                "it. Count exits of plain paths with first_passage."
            )
        log_rate = exiting.log_value - math.log(left * (self.n_steps - self.first + 1) * self.dt)
        error = exiting.relative_error
        if left < 1.0 and weights.any():
            error = float(np.std(weights / weights.mean() - self.left / left)) / math.sqrt(weights.size - 1.0)
        if chance > 1e-12:
            log_rate += math.log(-math.log1p(-chance) / chance)
            error *= chance / ((1.0 - chance) * -math.log1p(-chance))
        return RareEstimate(log_rate, error, exiting.n_paths, exiting.effective, exiting.largest_share)


def conditioned_exits(
    process: LinearProcess,
    domain: checks.Interval,
    *,
    first: int = 1,
    n_paths: int,
    seed: checks.Seed | None = None,
    rng: seeds.Rng | None = None,
    n_draws: int = 1,
    shifted: bool = True,
    slack: float = 1.0,
    n_jobs: int | None = None,
    progress: bool | Callable[[int], object] = False,
) -> ConditionedExits:
    """First exits of a process from a domain at the steps ``first ... n``, as weighted conditioned paths.

    The relative error of ``conditioned_exits(...).probability()`` is about ``1.2 / sqrt(n_paths)`` at any rate and any
    step for H >= 0.3, where the window is longer than the time that the process takes to relax; see `slack`.

    Parameters
    ----------
    process : a `LinearProcess`, such as ``fou_process(hurst, n_steps, dt=dt)``.
    domain : ``(lower, upper)`` around the start, None or an infinite number for an open side.
    first : the first step of the window. Exits before it are seen, and those paths have weight 0.
    n_paths, seed : the number of independent paths and their seed. Path i is a pure function of (seed, i).
    rng : in place of `seed`, a numpy Generator, which is advanced, or anything else that makes one.
    n_draws : how often each path is bent out of the domain. More draws cost less than more paths, but share the path.
    shifted : whether the ends are moved inwards by ``process.shift``, so that exits are those in continuous time, or
        stand as the steps see them. What the shift leaves is below 1 % of the rate at a `LinearProcess.coarseness` of
        0.5 and about 2 % at 1.
    slack : paths are counted as near an end within so many mean overshoots. 0 is the sampler of Adler, Blanchet & Liu;
        between 0.5 and 1.5 the error is smallest and does not depend on the step.
    n_jobs : the number of threads, None for all cores.
    progress : True shows a bar with the time left; a function is called with the number of paths newly finished.

    Raises ValueError for arguments out of range, for a start that is not inside the domain, and for a shift that is not
    known (fractional noise has one), leaves no room, or is too coarse.

    >>> from .linear_process import fou_process
    >>> exits = conditioned_exits(fou_process(0.5, 400, dt=0.01), (None, 4.0), n_paths=200, seed=1)
    >>> exits.probability().trusted, exits.probability().value < 1e-6
    (True, True)
    """
    begin = checks.count("first", first, 1, process.n_steps)
    crowd = Crowd.of(checks.count("n_paths", n_paths), 0, n_jobs=n_jobs, progress=progress)
    draws = Draws(seeds.as_key(seed, rng), begin, checks.count("n_draws", n_draws), checked_slack(slack))
    return bend_paths(process, seen(process, domain, shifted), draws, crowd)


class Draws(NamedTuple):
    """What conditioned paths are drawn with: the key, the first step of the window, the draws of a path, the slack."""

    key: Key
    first: int
    n_draws: int
    slack: float


def checked_slack(slack: float) -> float:
    """The slack as a float; ValueError unless it lies in [0, 10]."""
    if not 0.0 <= checks.finite("slack", slack) <= 10.0:
        raise ValueError(f"slack must lie in [0, 10], got {slack}.")
    return float(slack)


def bend_paths(
    process: LinearProcess, ends: tuple[float, float], draws: Draws, crowd: Crowd, together: int = 1, unit: str = "path"
) -> ConditionedExits:
    """First exits of a crowd of paths from a domain whose ends the steps see as they are.

    Progress counts as one unit so many paths as are `together`.
    """
    n, first = crowd.n_paths, draws.first
    band = Band.of(process, ends, first, draws.slack)
    each = (n, draws.n_draws)
    found = Counts(np.empty(each, np.int64), np.empty(each, np.int64), np.empty(each, np.int8), np.empty(n, bool))
    size = process.generator.block_paths
    size *= max(1, _NUMBERS // (size * (process.n_steps + 1)))
    control = counters(-(-n // size))

    def work(i: int) -> None:
        some = slice(i * size, min((i + 1) * size, n))
        rows = np.empty((some.stop - some.start, process.n_steps + 1))
        process.fill(draws.key, crowd.first + some.start, rows)
        bent = bent_paths(process, band, _normals(draws, crowd.first + some.start, len(rows)))
        law = Path(process.autocovariance, process.memory, process.x0)
        count_exits(rows, law, band.ends, first, bent, found.of(some))
        control[i, 1] = some.stop // together - some.start // together

    run_blocks(work, crowd.threads, control, n // together, crowd.progress, unit, crowd.stop)
    return ConditionedExits(*found, band.log_bound, first, process.n_steps, process.dt)


def seen(process: LinearProcess, domain: checks.Interval, shifted: bool) -> tuple[float, float]:
    """The domain as the steps see it; ValueError for one that cannot be left or does not hold the start."""
    lower, upper = checks.interval("domain", domain)
    if not math.isfinite(lower) and not math.isfinite(upper):
        raise ValueError("domain must have a finite end, got none. No path ever leaves it.")
    if not lower < process.x0 < upper:
        raise ValueError(f"x0 must lie inside the domain ({lower:g}, {upper:g}), got {process.x0:g}.")
    if not shifted:
        return lower, upper
    shift = process.shift
    if math.isnan(shift):
        raise ValueError("shifted must be False for a noise that is not fractional, got True. Its shift is not known.")
    room, nearest = min(process.x0 - lower, upper - process.x0), min(abs(end) for end in (lower, upper))
    if not shift < room:
        raise ValueError(
            f"dt must be at most {_finer(process, room, nearest):g} for a shifted boundary with x0 = {process.x0:g} "
            f"inside, got {process.dt:g}. {_SHORTER}"
        )
    if process.coarseness(nearest) > COARSEST:
        raise CoarseStepError(
            f"dt must be at most {_finer(process, room, nearest):g} for a shifted boundary at {nearest:g}, got "
            f"{process.dt:g}. {_SHORTER}"
        )
    return lower + shift, upper - shift


def _finer(process: LinearProcess, room: float, nearest: float) -> float:
    """A step of half the length or less whose shift leaves room and is not too coarse at the nearest end.

    With the root ``s = shift / beta_H`` of the variance of an increment, ``r_0 - r_1 <= s^2 / 2`` in continuous time.
    Chains of long steps vary more than that, and may have to be asked twice.
    """
    fine = COARSEST * math.sqrt(2.0) * process.autocovariance[0] / max(nearest, 1e-300)
    half = process.shift * 0.5**process.hurst
    return process.finer(min(0.99 * room, fine * float(barrier_shift(process.hurst)), half))


def _normals(draws: Draws, first: int, n_paths: int) -> AnyArray:
    """The normals that bend paths first, first + 1 ..., (n_paths, n_draws, 2), apart from those of the paths."""
    normals = np.empty((n_paths, 2 * draws.n_draws))
    fill_normals(draws.key, first, 1, normals)
    return normals.reshape(-1, draws.n_draws, 2)
