"""`simulate_paths`: whole paths of an equation, of which only some steps are kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core import checks, seeds
from ..core.blocks import counters, run_blocks
from ..core.pictures import picture
from ..core.show import Shown, told
from ..core.states import BROKEN
from ..core.telling import says_when_compiling
from ..core.types import Array
from ..drivers.base import LANES, Driver
from ..dynamics.base import Dynamics, takes_arrays
from ..dynamics.equation import as_equation
from ..dynamics.landscapes import Landscape
from ..dynamics.solvers import SOLVERS, SolverName
from ..results.archive import Archive
from ..results.displacement import Displacement, chosen_lags
from ._ends import Ends
from ._loop import follow, width_for
from ._motion import Motion
from ._wide_loop import Spread, follow_wide
from ._wide_motion import WideMotion
from .beginning import Walk, beginning, waiting_steps
from .errors import PathError
from .posed import posed_solver, step_length
from .starts import Drawing, Start, Stationary, points_known, require_starts, start_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OFF = 1e-6  # of a saved step, by which a time may miss it


@dataclass(frozen=True, eq=False, repr=False)
class Paths(Shown):
    """Paths of an equation at the times that were saved.

    times : the saved times from 0 on, (n_saved + 1,). Between two of them lie `save_every` steps of `dt`.
    values : the points, (n_paths, n_saved + 1), in d dimensions (n_paths, n_saved + 1, d). The first is the start.
    dt : the step of the simulation.
    broken : True for the paths that left the finite numbers, (n_paths,). Their values are nan from there on.

    >>> from fbmsde import FractionalNoise, quadratic, simulate_paths
    >>> paths = simulate_paths(quadratic(), FractionalNoise(0.3), 0.0, dt=0.01, n_steps=100, n_paths=5, save_every=50,
    ...                        seed=1)
    >>> paths.times, paths.values.shape
    (array([0. , 0.5, 1. ]), (5, 3))
    """

    times: NDArray[np.float64]
    values: NDArray[np.float64]
    dt: float
    broken: NDArray[np.bool_] = None  # type: ignore[assignment]  # none, as set in __post_init__

    def __post_init__(self) -> None:
        if self.broken is None:
            object.__setattr__(self, "broken", np.zeros(len(self.values), bool))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write all of it to one ``.npz`` file, whole or not at all, which ``fbmsde.load(path)`` reads.

        Raises what `PassageTimes.save` raises.
        """
        arrays = {"times": self.times, "values": self.values, "broken": self.broken}
        Archive("Paths", arrays, {"dt": self.dt}).write(path, overwrite=overwrite)

    @classmethod
    def of_archive(cls, archive: Archive) -> Paths:
        """The paths in a file."""
        arrays, dt = archive.arrays, checks.positive("dt", archive.facts["dt"])
        return cls(arrays["times"], arrays["values"], dt, arrays["broken"])

    def __repr__(self) -> str:
        dim = f" in {self.values.shape[2]} dimensions" if self.values.ndim == 3 else ""
        lost = f", {int(self.broken.sum())} broken" if self.broken.any() else ""
        return (
            f"Paths({len(self.values)} paths{dim} at {self.times.size} times from 0 to {self.times[-1]:g}, "
            f"dt = {self.dt:g}{lost})"
        )

    def _facts(self) -> Mapping[str, object]:
        times = f"{self.times.size} from 0 to {self.times[-1]:g}"
        dim = self.values.shape[2] if self.values.ndim == 3 else 1
        return {"paths": len(self.values), "dimensions": dim, "times": times, "step": self.dt,
                "values": told(self.values), "broken": int(self.broken.sum()) or None}  # fmt: skip


    def mean_squared_displacement(
        self, lags: ArrayLike | int = 40, *, age: ArrayLike = 0.0, coordinate: int | None = None
    ) -> Displacement:
        """Mean over the paths of ``|X(s + t) - X(s)|^2`` with its standard error, as `Displacement`.

        lags : the times t, multiples of the saved step, (n_lags,); or so many of them, evenly spaced in logarithms.
        age : the time s at which displacements begin, or several, (n_ages,). Paths whose displacement depends on s
            age: they have not forgotten where they began, or never will.
        coordinate : the coordinate that counts, None for all of them.

        Broken paths are left out. Raises ValueError for times that are not saved, and where no path is whole.

        >>> from fbmsde import fbm
        >>> walk = Paths(np.linspace(0.0, 1.0, 65), fbm(0.3, 64, 2000, seed=1), 1 / 64)
        >>> found = walk.mean_squared_displacement([0.25], age=[0.0, 0.5])
        >>> bool(np.all(abs(found.values - 0.25**0.6) < 4 * found.standard_errors))
        True
        """
        ages = self._saved("age", np.atleast_1d(checks.array("age", age)))
        number = checks.count("lags", lags) if isinstance(lags, int) else None
        spans = chosen_lags(self.times, number) if number else np.atleast_1d(checks.array("lags", lags))
        points = self.values[~self.broken].reshape(int((~self.broken).sum()), self.times.size, -1)
        if len(points) == 0 or self.times.size < 2:
            raise ValueError("paths must be whole and have two saved times, got none. Take a smaller dt.")
        if coordinate is not None:
            points = points[:, :, [checks.count("coordinate", coordinate, 0, points.shape[2] - 1)]]
        if not np.any(self._saved("lags", spans)):
            raise ValueError(f"lags must be positive, got {lags!r}.")
        return Displacement.of(self.times, points, ages, spans)

    def _saved(self, name: str, wanted: Array) -> Array:
        """Times of one dimension; ValueError unless all of them are saved."""
        steps = wanted / (self.times[1] - self.times[0])
        if wanted.ndim != 1 or np.any(abs(steps - np.rint(steps)) > _OFF) or wanted.min() < 0.0:
            raise ValueError(f"{name} must be multiples of the saved step {self.times[1] - self.times[0]:g}, got "
                             f"{told(wanted)}. Take times[i].")  # fmt: skip
        if wanted.max() > self.times[-1] * (1.0 + _OFF):
            raise ValueError(f"{name} must be at most {self.times[-1]:g}, where the paths end, got {wanted.max():g}.")
        return wanted

    def plot(self, ax: Axes | None = None, *, n_paths: int = 10, coordinate: int = 0) -> Axes:
        """Draw the first paths against time, one coordinate of them, on `ax`, None for Axes of its own.

        The band holds 95 % of all paths at each time where there are 40 or more. The Axes come back.

        >>> Paths(np.arange(3.0), np.array([[0.0, 1.0, 0.5]]), 1.0).plot().get_xlabel()
        'time (units of the equation)'
        """
        points = self.values.reshape(len(self.values), self.times.size, -1)
        shown = points[:, :, checks.count("coordinate", coordinate, 0, points.shape[2] - 1)]
        return picture("plot_paths")(self.times, shown, ax, n_paths=n_paths)


@says_when_compiling
def simulate_paths(
    landscape: Landscape | Dynamics,
    noise: Driver,
    x0: ArrayLike | Drawing | Stationary,
    *,
    dt: float | None = None,
    n_steps: int,
    n_paths: int,
    seed: checks.Seed | None = None,
    rng: seeds.Rng | None = None,
    solver: SolverName = "euler",
    save_every: int = 1,
    n_jobs: int | None = None,
    progress: bool | Callable[[int], object] = False,
) -> Paths:
    """Paths of an equation from `x0`, every `save_every`-th step of them, as `Paths`.

    `landscape` is a `Landscape`, for ``dX = -gradient(X) dt + dZ``, an `Equation` or a `Chain`, for which `dt` is 1 and
    may be left out; `noise` is the driver of Z. The values hold the whole state, velocities included.

    Path i depends on (seed, i) alone and is the path that `first_passage` follows with the same arguments. `rng` takes
    a numpy Generator in place of `seed`, or anything else that makes one. With streaming noise the memory in use is
    that of the result, whatever `n_steps` is; exact generators hold some whole paths besides. `n_jobs` is the number of
    threads, None for all cores; the result does not depend on it. If `progress` is True a bar is shown; if it is a
    function, it is called with the number of paths newly finished. An interrupt stops a run at once.

    Raises PathError if a path leaves the finite numbers; its `paths` hold all paths, with the broken ones marked.
    Raises MemoryError if the result would not fit.

    >>> from fbmsde import FractionalNoise, quadratic
    >>> paths = simulate_paths(quadratic(1.0), FractionalNoise(0.7), 1.0, dt=0.01, n_steps=1000, n_paths=3, seed=0,
    ...                        save_every=100)
    >>> paths.values.shape, paths.times[-1].round(9)
    ((3, 11), np.float64(10.0))
    """
    whole = as_equation(landscape)
    step, n_steps = step_length(whole, dt), checks.count("n_steps", n_steps)
    n_paths, every = checks.count("n_paths", n_paths), checks.count("save_every", save_every)
    checks.finite("dt * n_steps", step * n_steps)
    if every > n_steps:
        raise ValueError(f"save_every must be at most n_steps = {n_steps}, got {every}.")
    threads, key = checks.workers(n_jobs), seeds.as_key(seed, rng)
    checks.kind("noise", noise, Driver, "Write FractionalNoise(hurst, sigma).")
    dim, n_saved = whole.n_shown, n_steps // every
    checks.fits_memory("paths", 8.0 * n_paths * (n_saved + 1) * dim)
    walk = Walk(whole, noise, SOLVERS[posed_solver(whole, noise, solver, step)], step, key)
    require_starts(x0, whole, n_paths)
    start = start_of(x0, whole, range(n_paths), key)
    origins, feed, _ = beginning(start, walk, n_steps, range(n_paths))
    motion, out = _motion(walk, solver, start, origins, n_steps), np.empty((n_paths, n_saved + 1, dim))
    together = 1 if isinstance(motion, WideMotion) else LANES
    size = feed.max_paths or together * -(-n_paths // (together * threads))
    firsts = range(0, n_paths, size)
    control, ends = counters(len(firsts)), Ends.open(n_paths, 0)

    def work(i: int) -> None:
        queue = np.arange(firsts[i], min(firsts[i] + size, n_paths))
        if isinstance(motion, WideMotion):
            spread = Spread.of(feed, motion.channels, firsts[i], queue.size)
            follow_wide(spread, motion, n_steps, queue, ends, control[i], out, every)
        else:
            width = width_for(queue.size)
            lanes = feed.lanes(firsts[i], queue.size, width)
            follow(lanes, motion, n_steps, queue, ends, control[i], out, every, width)

    run_blocks(work, threads, control, n_paths, progress)
    broken = ends.states == BROKEN
    times = np.arange(n_saved + 1, dtype=np.float64) * (every * step)
    for lost in np.flatnonzero(broken):
        out[lost, max(0, -(-ends.steps[lost] // every)) :] = np.nan
    paths = Paths(times, out[:, :, 0] if dim == 1 else out, step, broken)
    if broken.any():
        path = int(np.argmax(broken))
        raise PathError.at(path, int(ends.steps[path]), step, paths=paths)
    return paths


def _motion(walk: Walk, solver: SolverName, start: Start, origins: Array, n_steps: int) -> Motion | WideMotion:
    """The motion of paths from their origins that nobody watches."""
    equation = walk.equation
    if takes_arrays(equation):
        rows = points_known(start, "where points are arrays").rows
        return WideMotion.of(equation, solver, None, rows, (walk.dt, 1.0)).on(equation.schedule(n_steps))
    motion = Motion.unwatched(equation, walk.solver, origins, walk.dt)
    return motion.on(equation.schedule(n_steps))._replace(wait=waiting_steps(start, walk.dt))
