"""Exits of paths driven by ordinary Brownian motion, H = 1/2, with the probability of an exit within each step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..core import checks, seeds
from ..core.blocks import run_blocks
from ..core.compile import baked
from ..core.random import normal_pair, seed_lane
from ..core.states import BROKEN, CENSORED, LEFT, UNRESOLVED
from ..dynamics.landscapes import Landscape
from ..dynamics.solvers import heun
from ..results.passage_times import PassageTimes
from ._ends import Ends
from ._motion import unresolved
from .ended import Ended
from .watch import INSIDE, LOWER, UPPER

_BLOCKS = 8  # blocks for each thread, because some end before others
_NEVER = 40.0  # a probability with so large a negative logarithm counts as 0


@njit(error_model="numpy", forceinline=True)
def _stays(distance: float, later: float, variance: float) -> float:
    """Probability that a Brownian bridge between two distances from a bound does not reach it."""
    exponent = max(2.0 * distance * later / variance, 0.0)  # a path that ends beyond the bound has not stayed
    return 1.0 - math.exp(-exponent) if exponent < _NEVER else 1.0


@njit(error_model="numpy", forceinline=True)
def _side(above: float, below: float, coin: float) -> int:
    """The side that a bridge has passed: it stays above the lower bound and below the upper one so probably.

    `coin` is uniform in (0, 1), and uniform again in the part that belongs to an exit. That part is shared by the two
    bounds in the ratio of the probabilities to pass them.
    """
    stays = above * below
    if coin <= stays:
        return INSIDE
    passes = (1.0 - above) + (1.0 - below)
    return LOWER if (coin - stays) * passes < (1.0 - above) * (1.0 - stays) else UPPER


@njit(error_model="numpy", forceinline=True)
def _bridge_exits(
    gradient: Any, key: NDArray[np.uint64], params: Any, x0: float, bounds: Any, clock: Any, n_steps: int,
    queue: NDArray, ends: Ends, control: NDArray,
) -> None:  # fmt: skip
    """Write the end of each queued path: LEFT, UNRESOLVED, CENSORED or BROKEN.

    control[0] asks to stop; control[1] counts finished paths.
    """
    lower, upper = bounds
    dt, scale = clock
    words = np.empty((4, 1), np.uint64)
    for path in queue:
        if control[0] != 0:
            break
        seed_lane(key, path, 0, words, 0)
        x, step, outcome = x0, 0, CENSORED
        while step < n_steps and outcome == CENSORED and control[0] == 0:
            shock, coin = normal_pair(words, 0)
            moved = heun(gradient, params, (x,), (scale * shock,), dt)[0]
            above, below = _stays(x - lower, moved - lower, scale**2), _stays(upper - x, upper - moved, scale**2)
            side = _side(above, below, 0.5 * math.erfc(-coin / math.sqrt(2.0)))
            if not abs(moved) < math.inf:
                outcome = BROKEN
            elif side != INSIDE:
                late = unresolved(gradient, params, (x0,), clock, (x,), (moved,), (scale * shock,))
                outcome = UNRESOLVED if late else LEFT
                ends.sides[path], ends.places[path, 0] = side, lower if side == LOWER else upper
            x = moved
            step += 1
        ends.steps[path], ends.states[path] = step, outcome
        control[1] += 1


def _bridging(gradient: Any) -> Any:
    """`_bridge_exits` from one landscape."""

    def kernel(
        key: NDArray[np.uint64], params: Any, x0: float, bounds: Any, clock: Any, n_steps: int,
        queue: NDArray, ends: Ends, control: NDArray,
    ) -> None:  # fmt: skip
        _bridge_exits(gradient, key, params, x0, bounds, clock, n_steps, queue, ends, control)

    return kernel


def bridge_passage(
    landscape: Landscape,
    sigma: float,
    x0: float,
    domain: checks.Interval,
    *,
    dt: float,
    horizon: float,
    n_paths: int,
    seed: checks.Seed | None = None,
    rng: seeds.Rng | None = None,
    n_jobs: int | None = None,
) -> PassageTimes:
    """Times at which paths of ``dX = -gradient(X) dt + sigma dB``, B ordinary Brownian motion, leave an interval.

    Between two points at distances a and b from a bound, the path has been beyond it with the probability of a Brownian
    bridge, ``exp(-2 a b / (sigma^2 dt))``. That is exact for a drift that is constant over the step, so that the error
    falls like dt and not like its square root. The two bounds are taken as independent. An exit counts at the end of
    its step, dt / 2 too late on average, so that ``passages.mean().value - dt / 2`` is nearer to the mean exit time.

    The landscape has one dimension; steps are made by the trapezoidal rule. Raises PathError if a path
    leaves the finite numbers. `rng` may take the place of `seed`, as for `first_passage`. For other H use
    `first_passage` with ``monitoring="continuous"``.

    >>> from fbmsde import quadratic
    >>> passages = bridge_passage(quadratic(), 1.0, 0.0, (-1.0, 1.0), dt=0.01, horizon=20.0, n_paths=200, seed=1)
    >>> passages.times.shape
    (200,)
    """
    checks.kind("landscape", landscape, Landscape, "Write Landscape(potential, gradient) for functions.")
    if landscape.dim != 1:
        raise ValueError(f"landscape must have one dimension, got {landscape.dim}.")
    step, paths = checks.positive("dt", dt), checks.count("n_paths", n_paths)
    start, bounds = checks.finite("x0", x0), checks.interval("domain", domain)
    if not bounds[0] < start < bounds[1]:
        raise ValueError(f"x0 must lie inside the domain {bounds}, got {start}.")
    end = checks.positive("horizon", horizon)
    n_steps = checks.whole_steps(step, end)
    end = checks.reached(step, n_steps, end)
    checks.fits_memory("passage times", 26.0 * paths)
    key, threads = seeds.as_key(seed, rng), checks.workers(n_jobs)
    clock = (step, checks.squarable("sigma", sigma) * math.sqrt(step))
    blocks = np.array_split(np.arange(paths), min(paths, _BLOCKS * threads))
    ends = Ends.open(paths, 1)
    control = np.zeros((len(blocks), 2), np.int64)

    def work(i: int) -> None:
        arguments = (key, landscape.params, start, bounds, clock, n_steps, blocks[i], ends, control[i])
        baked(_bridging, (landscape.point_gradient,), arguments)(*arguments)

    run_blocks(work, threads, control, paths, False)
    return Ended.of(ends, ("lower", "upper"), step, end).passages()
