"""`first_passage`: the times at which paths leave a domain, in one pass over lanes of paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict, Unpack

from numpy.typing import ArrayLike

from ..core import checks, seeds
from ..drivers.base import Driver
from ..dynamics.base import Dynamics
from ..dynamics.equation import as_equation
from ..dynamics.landscapes import Landscape
from ..dynamics.solvers import SolverName
from ..results.accuracy import Accuracy
from ..results.passage_times import PassageTimes
from .domains import Domain
from .monitoring import MONITORING, Continuous, Monitoring, MonitoringName
from .passage_problem import PassageProblem
from .posed import step_length
from .starts import Drawing, Stationary, require_starts


class Shorthands(TypedDict, total=False):
    """Options of a monitoring given beside its name: ``monitoring="grid", dt=0.01`` is ``monitoring=Grid(0.01)``.

    `dt`, `solver` and `until` belong to "grid" and "shifted". `fine_steps`, `accuracy` and `dt` belong to "continuous",
    where `dt` is the longest jump.
    """

    dt: float | None
    solver: SolverName | None
    until: float | None
    fine_steps: int | None
    accuracy: Accuracy | None


def first_passage(
    landscape: Landscape | Dynamics,
    noise: Driver,
    x0: ArrayLike | Drawing | Stationary,
    domain: Domain,
    *,
    horizon: float,
    n_paths: int,
    seed: checks.Seed | None = None,
    rng: seeds.Rng | None = None,
    first_path: int = 0,
    monitoring: Monitoring | MonitoringName = "grid",
    n_jobs: int | None = None,
    progress: bool | Callable[[int], object] = False,
    **shorthands: Unpack[Shorthands],
) -> PassageTimes:
    """Times at which paths started at `x0` leave `domain`, as `PassageTimes`.

    The paths are those of ``dX = -gradient(X) dt + dZ`` for a landscape, or of an `Equation`, driven by the noise Z.
    Paths still inside at the horizon are censored there, never given a time.

    Parameters
    ----------
    landscape : a `Landscape`, an `Equation` or a `Chain`. The step of a chain is a unit of time, and `dt` may be left
        out.
    noise : the driver, such as `FractionalNoise`.
    x0 : the start, a float or (dim,) floats, inside the domain; or one for each path, (n_paths, dim), in one dimension
        (n_paths,), with rows for the paths before `first_path` too. Velocities may be left out and then are 0. Or a
        function ``f(rng, n)`` that draws n starts from a numpy Generator; it is asked for 1024 at a time. Or
        "stationary", or `Stationary(burn_in)`, on a grid.
    domain : ``(lower, upper)`` in one dimension, None, -inf or inf for an open side. On a grid each may be a function
        of the time, ``lower(t)``. Or a `LevelSet`, or a function that is negative inside, of a float or a tuple of d
        floats. Or several of them by name, ``{"left": level, ...}``: inside is where all are negative, and
        `PassageTimes.side` is the name of the first that is not.
    horizon : the end, in the time unit of the equation. On a grid the last step is the last multiple of dt not beyond
        it, and the result's `horizon` is the end of that step. ``horizon=inf`` needs ``Grid(..., until=share)``.
    n_paths, seed : the number of paths, and their seed. Path i is a pure function of (seed, i).
    rng : in place of `seed`, a numpy Generator, which is advanced, or anything else that makes one.
    first_path : the number of the first path. The run of a part of the paths gives what the whole run gives for them.
    monitoring : what counts as an exit: ``Grid(dt, solver, until)``, ``Shifted(dt, solver, until)`` or
        ``Continuous(fine_steps, longest, accuracy)``; or one of the names "grid", "shifted" and "continuous" with
        `Shorthands`, as in ``monitoring="shifted", dt=0.01``. The solver is "euler" unless one is given, also where
        the boundary is shifted, for which `rare_escape` takes "heun".
    n_jobs : number of threads, None for all cores. The result does not depend on it.
    progress : True shows a bar with the time left; a function is called with the number of paths newly finished.

    In continuous time ``passages.error_budget`` tells what each approximation may contribute, and
    ``error_budget.halved()`` returns the shorthands of a second run to check it with. A one-dimensional landscape is
    scanned beforehand wherever paths can be expected, and no jump passes over what was seen; `Landscape.finest` makes
    the scan finer. A landscape in several dimensions and the boundary of a level set are looked at around the start of
    a jump and its predicted end only: features narrower than a jump must be declared as `Landscape.finest` and
    `LevelSet.finest`. One jump in sixteen is looked at on its way. What was missed then shows in the budget, and a
    drift that turns by more than half a standard deviation of a jump raises ValueError.

    Raises
    ------
    ValueError for arguments outside their range, and TypeError for those of the wrong kind. PathError if a path leaves
    the finite numbers or the level function returns nan; its `passages` hold the results of all paths, with the broken
    ones marked.

    >>> from fbmsde import FractionalNoise, Grid, quadratic
    >>> passages = first_passage(quadratic(1.0), FractionalNoise(0.3), 0.0, (-2.0, 2.0), monitoring=Grid(dt=0.01),
    ...                          horizon=20.0, n_paths=1000, seed=1)
    >>> passages.times.shape, bool(passages.censored.any())
    ((1000,), True)
    """
    whole, n_paths = as_equation(landscape), checks.count("n_paths", n_paths)
    watched = _monitoring(whole, monitoring, shorthands)
    require_starts(x0, whole, checks.count("first_path", first_path, 0) + n_paths)
    problem = PassageProblem(landscape, noise, x0, domain, horizon=horizon, monitoring=watched,
                             seed=seeds.one_seed(seed, rng))  # fmt: skip
    return problem.passages(n_paths, first_path, n_jobs=n_jobs, progress=progress)


def _monitoring(equation: Dynamics, monitoring: Monitoring | MonitoringName, shorthands: Shorthands) -> Monitoring:
    """The monitoring itself, or the one that a name and its shorthands stand for; ValueError for options of another."""
    unknown = set(shorthands) - set(Shorthands.__annotations__)
    if unknown:
        raise TypeError(f"first_passage() got an unexpected keyword argument {min(unknown)!r}")
    given = {name: value for name, value in shorthands.items() if value is not None}
    if not isinstance(monitoring, str):
        advice = f"Write Grid(dt), or one of {', '.join(MONITORING)}."
        chosen = checks.kind("monitoring", monitoring, Monitoring, advice)
        for name, value in given.items():
            advice = f"Give what it needs to {type(chosen).__name__} itself."
            raise ValueError(f"{name} must be None beside a monitoring, got {value!r}. {advice}")
        return chosen
    if checks.choice("monitoring", monitoring, MONITORING) == "continuous":
        if "solver" in given:
            raise ValueError(
                f"solver must be None in continuous time, got {given['solver']!r}. Jumps move by the trapezoidal rule."
            )
        if "until" in given:
            raise ValueError(f"until must be None in continuous time, got {given['until']}. Give a horizon.")
        return Continuous(shorthands.get("fine_steps"), shorthands.get("dt"), shorthands.get("accuracy") or Accuracy())
    if "fine_steps" in given or "accuracy" in given:
        raise ValueError(f"monitoring must be 'continuous' for fine_steps and accuracy, got {monitoring!r}.")
    step = step_length(equation, shorthands.get("dt"), ", or monitoring='continuous' for exits in continuous time")
    return MONITORING[monitoring](step, shorthands.get("solver") or "euler", shorthands.get("until"))
