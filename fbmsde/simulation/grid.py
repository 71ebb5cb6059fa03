"""Exits on a grid of time steps: blocks of paths on threads, and the trials of an open horizon."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import checks
from ..core.blocks import run_blocks
from ..core.points import Point
from ..core.states import CENSORED
from ..drivers.base import Feed
from ..drivers.fractional import FractionalNoise
from ..drivers.rational.streaming import MAX_STEPS_CHOSEN, step_limit
from ..results.passage_times import PassageTimes
from ._lane_kernel import Domain, exit_steps
from .errors import HorizonError, passages_of

_FIRST_TRIAL = 2**10  # steps of the first trial when the horizon is open


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
        return passages_of(steps, states, dt, checks.reached(dt, n_steps, horizon))


def _run_until(run: _Run, noise: FractionalNoise, dim: int, key: Any, horizon: float, share: float) -> PassageTimes:
    """Double the number of steps, for the paths that have not left, until the share is reached."""
    dt, end = run.clock[0], checks.number("horizon", horizon)
    if not end > 0:
        raise ValueError(f"horizon must be positive, got {end}.")
    if noise.method != "streaming":
        raise ValueError(f"method must be 'streaming' for `until`, got {noise.method!r}: whole paths have a fixed end.")
    asked = checks.whole_steps(dt, end) if math.isfinite(end) else MAX_STEPS_CHOSEN + 1
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
