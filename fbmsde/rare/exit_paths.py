"""Paths of rare exits themselves, drawn exactly: `exit_paths`."""

from __future__ import annotations

import numpy as np
import scipy

from ..core import checks, seeds
from ..core.random import fill_normals
from ..core.types import Array, Key
from ..results.estimates import NoEstimateError
from .conditioned import Band, bent_paths, seen
from .linear_process import LinearProcess

_DRAWS_LANE = 1  # of the three normals that choose where a path is bent, to which value, and whether it is kept


def exit_paths(
    process: LinearProcess, domain: checks.Interval, *, first: int, n_paths: int, seed: checks.Seed | None = None,
    rng: seeds.Rng | None = None,
) -> Array:  # fmt: skip
    """Paths of a process whose first exit is at one of the steps ``first ... n``, aligned at it, (n_kept, first + 1).

    They are independent and have exactly the law of the process given that its first exit, as its steps see it, falls
    into this window. `n_paths` conditioned paths are drawn, each as the sampler of `conditioned_exits` without slack
    does: a path with N steps of the window outside is N times too likely. It is kept with the probability 1 / N, if it
    is inside before the window. The last column is the first point outside.

    The share that is kept does not depend on how rare the exit is. It falls with the step, as a path that is outside
    once is outside for more of the steps. `rng` may take the place of `seed`, as for `conditioned_exits`.

    Raises ValueError for arguments out of range or a start that is not inside, and NoEstimateError if none is kept.

    >>> from .linear_process import fou_process
    >>> paths = exit_paths(fou_process(0.5, 60, dt=0.1), (None, 4.0), first=40, n_paths=100, seed=1)
    >>> paths.shape[1], bool((paths[:, -1] >= 4.0).all()), bool((paths[:, :-1] < 4.0).all())
    (41, True, True)
    """
    begin = checks.count("first", first, 1, process.n_steps)
    n, key = checks.count("n_paths", n_paths), seeds.as_key(seed, rng)
    checks.fits_memory("the paths", 32.0 * n * (process.n_steps + 1))
    band = Band.of(process, seen(process, domain, False), begin, 0.0)
    normals = np.empty((n, 3))
    fill_normals(key, 0, _DRAWS_LANE, normals)
    paths = _bent(process, band, key, normals)
    outside = (paths <= band.ends.lower) | (paths >= band.ends.upper)
    exits = outside.argmax(axis=1)
    times = outside[:, begin:].sum(axis=1)
    kept = np.flatnonzero((exits >= begin) & (scipy.special.ndtr(normals[:, 2]) * times < 1.0))
    if kept.size == 0:
        raise NoEstimateError(f"n_paths must be so many that a path is kept, got none of {n}. Take a longer step.")
    return np.asarray(paths[kept[:, None], exits[kept, None] + np.arange(-begin, 1)])


def _bent(process: LinearProcess, band: Band, key: Key, normals: Array) -> Array:
    """Paths that are outside at one step at least, from normals (n_paths, 3), (n_paths, n + 1)."""
    rows = np.empty((len(normals), process.n_steps + 1))
    process.fill(key, 0, rows)
    paths = process.from_start(rows)
    bent = bent_paths(process, band, normals[:, None, :2])
    steps, every = bent.steps, np.arange(process.n_steps + 1)
    r, memory = process.autocovariance, process.memory
    own = memory[steps]
    covariance = r[np.abs(every - steps)] - memory * r[steps] - own * r[every] + own * memory * r[0]
    missing = bent.values - np.take_along_axis(paths, steps, axis=1)
    return np.asarray(paths + covariance * (missing / process.variances[steps]))
