"""`first_passage`: the times at which paths leave a domain, in one pass over lanes of paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..core import checks
from ..drivers.fractional import FractionalNoise
from ..dynamics.landscapes import Landscape
from ..dynamics.solvers import SOLVERS
from ..laws.extremes import barrier_shift
from ..results.passage_times import PassageTimes
from .continuous import _Jumps
from .domains import LevelSet, _Region, as_point
from .grid import _Run, _run_until
from .monitoring import Accuracy

MONITORING = ("grid", "shifted", "continuous")


def first_passage(
    landscape: Landscape,
    noise: FractionalNoise,
    x0: ArrayLike,
    domain: checks.Interval | LevelSet | Callable[..., float],
    *,
    dt: float | None = None,
    horizon: float,
    n_paths: int,
    seed: checks.Seed,
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
    n_paths, start = checks.count("n_paths", n_paths), as_point(landscape, x0)
    checks.kind("noise", noise, FractionalNoise, "Write FractionalNoise(hurst, sigma).")
    region = _Region.of(landscape, start, domain)
    key, threads = checks.as_seed(seed), checks.workers(n_jobs)
    method = SOLVERS[checks.choice("solver", "euler" if solver is None else solver, SOLVERS)]
    checks.fits_memory("passage times", 26.0 * n_paths)
    if checks.choice("monitoring", monitoring, MONITORING) == "continuous":
        _refuse_idle(solver, noise, accuracy)
        jumps = _Jumps(landscape, noise, region, start, n_paths, key, threads, progress, accuracy or Accuracy())
        return jumps.passages(checks.positive("horizon", horizon), dt, fine_steps, until)
    if fine_steps is not None or accuracy is not None:
        raise ValueError(f"monitoring must be 'continuous' for fine_steps and accuracy, got {monitoring!r}.")
    step = checks.positive("dt", dt)
    if monitoring == "shifted":
        region = region.moved_in(barrier_shift(noise.hurst) * noise.scale(step), noise)
    motion = (method, landscape.point_gradient, landscape.params)
    run = _Run(motion, region.tests, start, (step, noise.scale(step)), n_paths, threads, progress)
    if until is None:
        end = checks.positive("horizon", horizon)
        n_steps = checks.whole_steps(step, end)
        return run.passages(noise.feed(n_steps, landscape.dim, key), n_steps, end)
    return _run_until(run, noise, landscape.dim, key, horizon, checks.fraction("until", until))


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
