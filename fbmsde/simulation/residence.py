"""`residence_times`: how long paths stay near each minimum, from one long path or several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core import checks, seeds
from ..core.blocks import counters, run_blocks
from ..core.telling import says_when_compiling
from ..core.types import Array
from ..drivers.base import LANES, Driver, Feed
from ..dynamics.base import Dynamics, takes_arrays
from ..dynamics.equation import as_equation
from ..dynamics.landscapes import Landscape
from ..dynamics.solvers import SOLVERS, SolverName
from ..results.residence import ResidenceTimes, Visits
from ._motion import Motion
from ._visit_loop import Walk, follow
from .errors import PathError
from .posed import feed_of, posed_solver, step_length

_SHARE = 1.0 / 3.0  # the default radius of a core, as a share of the distance from its minimum to the nearest saddle
_SEGMENTS = 32  # the shares of time have their errors from so many segments of all paths together, or more
_CHUNK = 2**14  # steps of a lane between two looks at whether to stop


@says_when_compiling
def residence_times(
    landscape: Landscape | Dynamics,
    noise: Driver,
    minima: ArrayLike | None = None,
    *,
    dt: float | None = None,
    n_steps: int,
    n_paths: int = 1,
    seed: checks.Seed | None = None,
    rng: seeds.Rng | None = None,
    radius: ArrayLike | None = None,
    x0: ArrayLike | None = None,
    solver: SolverName = "euler",
    n_jobs: int | None = None,
    progress: bool | Callable[[int], object] = False,
) -> ResidenceTimes:
    """How long paths stay near each minimum before they go over to another one, as `ResidenceTimes`.

    A visit to a minimum begins when a path enters its core, the points within `radius` of it, and comes from the core
    of another one. It ends when the path enters another core. A path that crosses the saddle to and fro between two
    cores therefore goes on with the same visit.

    minima : the points, (m,) in one dimension or (m, d), at least two. None for those that the landscape tells.
    radius : the radius of the cores, a number or one for each minimum, (m,). None for a third of the distance to the
        nearest saddle that the landscape tells, or of half the distance to the nearest other minimum if that is less.
        Cores may not overlap.
    dt, n_steps, n_paths : the step, which may be left out for a chain, and the number of steps of each path. Few long
        paths are as good as many shorter ones, if each makes many visits. The memory in use is that of the result.
    x0 : the start of all paths, None for the first minimum.

    Any driver will do. The other arguments, `rng` too, are as for :func:`simulate_paths`, and path i is the same. Where
    an equation has positions and velocities the cores are those of the positions.

    Raises ValueError for arguments outside their range, and PathError if a path leaves the finite numbers.

    >>> from fbmsde import FractionalNoise, double_well
    >>> times = residence_times(double_well(), FractionalNoise(0.5), dt=0.01, n_steps=100_000, n_paths=4, seed=1)
    >>> times.transitions.shape, bool(times.mean(0).value > 1.0)
    ((2, 2), True)
    """
    equation, threads = as_equation(landscape), checks.workers(n_jobs)
    step, n_steps = step_length(equation, dt), checks.count("n_steps", n_steps)
    n_paths, key = checks.count("n_paths", n_paths), seeds.as_key(seed, rng)
    checks.kind("noise", noise, Driver, "Write FractionalNoise(hurst, sigma).")
    if takes_arrays(equation):
        raise ValueError(f"landscape must take points as tuples, got {equation.name!r}, whose points are arrays.")
    known = landscape if isinstance(landscape, Landscape) else getattr(landscape, "landscape", None)
    cores = _cores(equation.n_positions, known, minima, radius)
    chosen = SOLVERS[posed_solver(equation, noise, solver, step)]
    origin = equation.states(_start(cores, x0)[None, :])
    motion = Motion.unwatched(equation, chosen, origin, step).on(equation.schedule(n_steps))
    feed = feed_of(equation, noise, n_steps, step, key)
    size = min(LANES, feed.max_paths or LANES, -(-n_paths // threads))
    run = _Run(motion, feed, cores, n_steps, n_paths, size)
    control = counters(-(-n_paths // size))
    found: list[_Found | None] = [None] * len(control)

    def work(i: int) -> None:
        found[i] = run.block(i, control[i])

    run_blocks(work, threads, control, n_paths * n_steps, progress, "step")
    return _joined([part for part in found if part is not None], run, step)


def _cores(dim: int, known: Landscape | None, minima: ArrayLike | None, radius: ArrayLike | None) -> Array:
    """Centres and radii of the cores, (m, dim + 1)."""
    if minima is None and (known is None or len(known.minima) < 2):
        raise ValueError("minima must be given, got None, and the equation does not tell two of them.")
    points = checks.array("minima", known.minima if minima is None and known is not None else minima)
    points = points[:, None] if points.ndim == 1 and dim == 1 else points
    if points.ndim != 2 or points.shape[1] != dim or len(points) < 2 or not np.isfinite(points).all():
        raise ValueError(f"minima must be at least two finite points of {dim} coordinates, got shape {points.shape}.")
    apart = np.linalg.norm(points[:, None] - points, axis=-1)
    np.fill_diagonal(apart, np.inf)
    if radius is None:
        saddles = np.reshape(known.saddles, (-1, dim)) if known is not None and known.dim == dim else np.empty((0, dim))
        near = np.linalg.norm(points[:, None] - saddles, axis=-1).min(axis=1, initial=np.inf)
        radii = _SHARE * np.minimum(near, apart.min(axis=1) / 2.0)
    else:
        radii = _radii(radius, len(points))
    close = radii[:, None] + radii > apart
    if close.any():
        i, j = np.argwhere(close)[0]
        raise ValueError(f"radius must keep cores apart, got {radii[i]:g} and {radii[j]:g} for minima {i} and {j} at a "
                         f"distance of {apart[i, j]:g}.")  # fmt: skip
    return np.column_stack([points, radii])


def _radii(radius: ArrayLike, n: int) -> Array:
    """The radius of each core, (n,)."""
    radii = checks.array("radius", radius)
    if radii.shape not in ((), (n,)) or not np.all((radii > 0.0) & np.isfinite(radii)):
        raise ValueError(f"radius must be positive and finite, one or {n} of them, got {radius!r}.")
    return np.broadcast_to(radii, (n,))


def _start(cores: Array, x0: ArrayLike | None) -> Array:
    """The start of all paths, by default the first minimum."""
    point = cores[0, :-1] if x0 is None else np.atleast_1d(checks.array("x0", x0))
    if point.ndim != 1 or not np.isfinite(point).all():
        raise ValueError(f"x0 must be one finite point, got {x0!r}.")
    return point


@dataclass(frozen=True)
class _Found:
    """What the paths of a block tell: entries into cores (n, 3), steps spent, and the steps at which they broke."""

    entries: NDArray[np.int64]
    spent: NDArray[np.int64]
    broken: NDArray[np.int64]


@dataclass(frozen=True)
class _Run:
    """A run in blocks of `size` paths, whose lanes advance side by side."""

    motion: Motion
    feed: Feed
    cores: Array
    n_steps: int
    n_paths: int
    size: int

    def block(self, index: int, control: NDArray[np.int64]) -> _Found:
        """Follow the paths of a block to their end, in pieces that can be stopped."""
        first = index * self.size
        n_paths = min(self.size, self.n_paths - first)
        n_segments = min(-(-_SEGMENTS // self.n_paths), self.n_steps)
        walk = Walk.at(self.motion.origins[0], self.motion.channels, self.cores, n_segments)
        lanes, now, entries = self.feed.lanes(first, n_paths), 0, []
        while now < self.n_steps and control[0] == 0:
            clock = now, min(now + _CHUNK, self.n_steps), self.n_steps
            reached = follow(lanes, self.motion.advance, self.motion.numbers, walk, (first, n_paths), clock, control)
            entries.append(walk.entries[: walk.filled[0]].copy())
            walk.filled[0] = 0
            control[1] += n_paths * (min(reached, self.n_steps) - now)
            now = reached
        return _Found(np.concatenate(entries), walk.spent[:, :n_paths], walk.broken[:n_paths])


def _joined(found: list[_Found], run: _Run, dt: float) -> ResidenceTimes:
    """The result of all blocks; PathError if a path has left the finite numbers."""
    broken = np.concatenate([part.broken for part in found])
    if broken.any():
        path = int(np.argmax(broken > 0))
        raise PathError.at(path, int(broken[path]), dt)
    entries = np.concatenate([part.entries for part in found])
    entries = entries[np.lexsort((entries[:, 1], entries[:, 0]))]
    spent = np.concatenate([part.spent for part in found], axis=1).reshape(-1, len(run.cores) + 1)
    visits = Visits.of(entries, dt, run.n_steps)
    centres, radii = run.cores[:, :-1], run.cores[:, -1]
    return ResidenceTimes(visits, centres, radii, spent, dt, run.n_steps * dt, run.n_paths)
