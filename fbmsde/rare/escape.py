"""`rare_escape`: the probability and the rate of an escape of any size, in one call."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypedDict, Unpack

from numpy.typing import ArrayLike

from ..core import checks, seeds
from ..drivers.base import Driver
from ..drivers.mixed import is_per_step
from ..dynamics.base import Dynamics
from ..dynamics.equation import as_equation
from ..dynamics.landscapes import Landscape
from ..dynamics.solvers import SolverName
from ..results.estimates import Estimate
from ..results.rare import RareEscape
from ..simulation.domains import Domain
from ..simulation.monitoring import Grid, Shifted, why_unshifted
from ..simulation.posed import step_length
from ..simulation.starts import substream
from .bending import Conditioned
from .methods import MethodName, methods_for
from .problem import RareProblem
from .runs import Method

_FIRST = 10  # replicas at first where a path climbs through all levels of a score, whichever way it takes
_FIRST_OF_WAYS = 32  # elsewhere: a way out that one replica in seven finds is missed by all in 1 of 100 runs
_NOT_RARE = 0.1  # probability above which plain simulation is cheaper
_FASTEST = 4.0  # factor by which the number of replicas grows at most before the error is looked at again
GridMonitoring = Literal["shifted", "grid"]
MONITORING: dict[GridMonitoring, type[Grid]] = {"shifted": Shifted, "grid": Grid}


class Shorthands(TypedDict, total=False):
    """Options of a monitoring given beside its name: ``monitoring="grid", dt=0.01`` is ``monitoring=Grid(0.01)``."""

    dt: float | None
    solver: SolverName | None


def rare_escape(
    landscape: Landscape | Dynamics,
    noise: Driver,
    x0: ArrayLike,
    domain: Domain,
    *,
    horizon: float,
    seed: checks.Seed | None = None,
    rng: seeds.Rng | None = None,
    relative_error: float = 0.1,
    after: float | None = None,
    method: Method | MethodName = "auto",
    monitoring: Grid | GridMonitoring | None = None,
    n_replicas: int | None = None,
    most_replicas: int = 200,
    halve: bool = False,
    n_jobs: int | None = None,
    progress: bool | Callable[[int], object] = False,
    **shorthands: Unpack[Shorthands],
) -> RareEscape:
    """The probability to leave `domain` up to the horizon and the rate of exits, however small, as `RareEscape`.

    Independent replicas of a rare-event method are run until the relative error is reached; all intervals come from
    their spread. Where replicas disagree or are degenerate, the next method is tried, and the result's `note` says so.
    Where all do, `RareEscape.probability` and `RareEscape.rate` raise NoEstimateError with the reasons.

    Parameters
    ----------
    landscape, noise : as for `first_passage`, without resetting and schedules.
    x0 : the start, one point inside the domain, a float or (dim,) floats.
    domain : as for `first_passage`, with walls that stand still. Each side is climbed to by itself, the nearest first;
        one by which less than a millionth of that leaves is given up and told as a bound.
        Give two ways out a side or a level set each: one level set for both leads to the way that looks nearer.
    horizon : the end, in the time unit of the equation. For a rate it should be several times as long as the start is
        remembered.
    seed : an int, a SeedSequence or a Generator. Replica i is a pure function of the seed and i.
    rng : in place of `seed`, a numpy Generator, which is advanced, or anything else that makes one.
    relative_error : the relative standard error that is wanted, in (0, 1): of the probability, or of the rate of exits
        after the time `after` if that is given.
    method : "auto" for the first of those that can follow the problem, which `RareEscape.why` names. "conditioned":
        exactly conditioned paths in a quadratic well under Gaussian noise. "subset": subset simulation for noise that
        is a map of normals, of any kind. "splitting": adaptive multilevel splitting for noise whose lanes can be
        copied, which is every streaming one. Or an object with settings, such as
        ``fbmsde.rare.splitting.Splitting(n_paths=4096)``. A method that is named is not replaced by another one.
    monitoring : "shifted" for exits in continuous time by a boundary moved inwards by ``beta_H sigma dt^H``, which
        `RareEscape.shift` tells and which is known for equations driven by fractional noise as it is; "grid" for exits
        that the steps see, which is all that there is for a chain; or ``Shifted(dt, solver)`` or ``Grid(dt, solver)``.
        None is "shifted" where the shift is known and "grid" elsewhere: for chains, with momentum, and under any other
        noise. `note` says so for an equation.
    dt, solver : the step, and the solver, None for "heun" with a shifted boundary and "euler" on a grid. A chain needs
        no dt. `first_passage` takes "euler" for both: give it ``solver="heun"`` where the two are to be compared. With
        a shifted boundary conditioned paths are exact at any step, and the solver is not used.
    n_replicas, most_replicas : how many replicas are run at first, at least 2, and at most. Where more would be needed
        for the relative error, `note` says so. None runs 10 at first where there is one way to each side: to an end of
        an interval in one dimension, and for conditioned paths. Elsewhere, for a level set and in more dimensions, it
        runs 32, because replicas that all miss a way out agree on a number that is too small: what a replica finds
        with probability q is missed by all n with probability ``(1 - q)**n``, 1 % for q = 0.13.
    halve : whether replicas with half the step are run as well; `RareEscape.halved` is the ratio of the probabilities,
        or None where one of them is in doubt, which `note` says. A chain has no shorter step, and noise
        that is given for each step, such as an `ArmaNoise`, is another one with half of it.
    n_jobs : the number of threads, None for all cores. The result does not depend on it.
    progress : True shows a bar of replicas; a function is called with the number of replicas newly finished.

    Under an `EpochNoise` give its `phase`. The noise then is jointly normal, and subset simulation follows it. Where
    the phase is drawn, splitting is left, whose replicas disagree where epochs are short: with the chain below by 60 to
    80 % of their mean with 1024 paths each, by 18 to 27 % with 16384, and behind higher barriers with 32768 too.

    Importance sampling by a shift of the noise is left out: in a quartic well at H = 0.3 it was measured to report an
    error of 3 % and to be wrong by a factor of 4.

    Raises ValueError and TypeError for arguments outside their range or of the wrong kind, and PathError if a path
    leaves the finite numbers.

    >>> from fbmsde import FractionalNoise, quadratic
    >>> rare = rare_escape(quadratic(1.0), FractionalNoise(0.5), 0.0, (None, 4.0), horizon=8.0, seed=1, dt=0.01)
    >>> rare.method, rare.doubts, 1e-8 < rare.rate().value < 1e-6
    ('conditioned', (), True)

    SGD by epochs of ten batches, of which 7.2e-4 have left after a hundred steps (by two million plain paths):

    >>> from fbmsde import EpochNoise, sgd
    >>> chain, noise = sgd(quadratic(1.0), learning_rate=0.1), EpochNoise(100, 10, phase=0)
    >>> rare = rare_escape(chain, noise, 0.0, (None, 0.6), horizon=100, seed=1)
    >>> rare.method, rare.doubts, 6e-4 < rare.probability().value < 9e-4
    ('subset', (), True)
    """
    equation = as_equation(landscape)
    unshifted = why_unshifted(equation, noise)
    watched = _monitoring(equation, monitoring, unshifted, shorthands)
    if checks.truth("halve", halve) and equation.unit_step:
        raise ValueError("halve must be False for a chain, whose step is a unit of time, got True.")
    problem = RareProblem(
        landscape, noise, x0, domain, horizon=horizon, monitoring=watched, method=method,
        seed=seeds.one_seed(seed, rng),
    )  # fmt: skip
    if halve and is_per_step(noise):
        raise ValueError(
            f"halve must be False under {type(noise).__name__}, whose increments are as large over half a step, got "
            "True. Half the step is another problem."
        )
    if after is not None and not 0.0 <= checks.finite("after", after) < problem.reached:
        raise ValueError(f"after must lie in [0, horizon), got {after}.")
    first = _first_replicas(problem) if n_replicas is None else checks.count("n_replicas", n_replicas, 2)
    most = checks.count("most_replicas", most_replicas)
    if most < first:
        raise ValueError(f"most_replicas must be at least n_replicas = {first}, got {most}.")
    error = checks.fraction("relative_error", relative_error)
    wanted = _Wanted(error, after, first, most, n_jobs, progress)
    methods: list[Method | MethodName] = [problem.method]
    if method == "auto":
        methods = [each for each, _ in methods_for(problem.posed)]
    found = _first_without_doubts(problem, methods, wanted, halve)
    if monitoring is None and unshifted and not equation.unit_step:
        return replace(found, note=f"Exits are those that the steps see. {unshifted} {found.note}".rstrip())
    return found


def _first_replicas(problem: RareProblem) -> int:
    """How many replicas are run at first where no number is given."""
    return _FIRST if isinstance(problem.method, Conditioned) or problem.posed.one_way else _FIRST_OF_WAYS


@dataclass(frozen=True)
class _Wanted:
    """What is wanted of the replicas, and how they are run."""

    relative_error: float
    after: float | None
    first: int
    most: int
    n_jobs: int | None
    progress: bool | Callable[[int], object]

    def error(self, rare: RareEscape) -> float:
        """The relative error of what is wanted."""
        return rare.relative_error if self.after is None else rare.relative_error_of_rate(self.after)

    def doubts(self, rare: RareEscape) -> tuple[str, ...]:
        """The doubts about what is wanted."""
        return rare.doubts if self.after is None else rare.doubts_of_rate(self.after)

    def run(self, problem: RareProblem) -> RareEscape:
        """Replicas of a problem until the error is reached, they are doubted, or there are enough."""
        found = problem.replicas(self.first, n_jobs=self.n_jobs, progress=self.progress)
        while not self.doubts(found) and self.relative_error < self.error(found) and found.n_replicas < self.most:
            n = found.n_replicas
            needed = n * min(_FASTEST, (self.error(found) / self.relative_error) ** 2)
            more = min(math.ceil(needed), self.most) - n
            part = problem.replicas(more, n, n_jobs=self.n_jobs, progress=self.progress)
            found = RareEscape.concat([found, part])
        return found


def _first_without_doubts(
    problem: RareProblem, methods: list[Method | MethodName], wanted: _Wanted, halve: bool
) -> RareEscape:  # fmt: skip
    """The replicas of the first method that leaves no doubts, or those with the fewest; with notes of what happened."""
    tried: list[tuple[RareProblem, RareEscape]] = []
    for method in methods:
        posed = replace(problem, method=method)
        tried.append((posed, wanted.run(posed)))
        if not wanted.doubts(tried[-1][1]):
            break
    taken, best = min(tried, key=lambda each: len(wanted.doubts(each[1])))
    others = [f"{rare.method} left doubts: {' '.join(wanted.doubts(rare))}" for _, rare in tried if rare is not best]
    why = problem.why if taken.method == problem.method else f"{tried[0][1].method} was tried first and left doubts."
    halved, lost = _halved(taken, best, wanted) if halve else (None, [])
    return replace(best, why=why, note=" ".join([*others, *_notes(best, wanted), *lost]), halved=halved)


def _notes(rare: RareEscape, wanted: _Wanted) -> list[str]:
    """What there is to know of a result, in sentences."""
    error, probability = wanted.error(rare), float(rare.values.mean())
    notes = []
    if error > wanted.relative_error and not wanted.doubts(rare):
        notes.append(
            f"The relative error is {error:.2g} after {rare.n_replicas} replicas, {wanted.relative_error:g} was asked "
            "for. Raise most_replicas, or give more paths a replica."
        )
    if probability > _NOT_RARE:
        notes.append(f"A probability of {probability:.2g} is not small: first_passage finds it with less work.")
    return notes


def _halved(problem: RareProblem, rare: RareEscape, wanted: _Wanted) -> tuple[Estimate | None, list[str]]:
    """The probability with half the step over that with the whole step, or None where either is in doubt, and why."""
    if rare.doubts:
        return None, ["Half the step was not tried, because the replicas with the whole step are in doubt."]
    seed = substream(problem.key, "halved step")
    finer = replace(problem.monitoring, dt=problem.dt / 2.0)
    half = wanted.run(replace(problem, monitoring=finer, seed=seed))
    if half.doubts:
        return None, [f"Half the step tells nothing, because it left doubts: {' '.join(half.doubts)}"]
    return half.ratio_to(rare), []


def _monitoring(
    equation: Dynamics, monitoring: Grid | GridMonitoring | None, unshifted: str, shorthands: Shorthands
) -> Grid:  # fmt: skip
    """The monitoring itself, or the one that a name or None stand for with shorthands.

    `unshifted` says why a boundary cannot be shifted, and is empty where it can.
    """
    unknown = set(shorthands) - set(Shorthands.__annotations__)
    if unknown:
        raise TypeError(f"rare_escape() got an unexpected keyword argument {min(unknown)!r}")
    if monitoring is not None and not isinstance(monitoring, str):
        chosen = checks.kind("monitoring", monitoring, Grid, "Write Shifted(dt), or one of shifted, grid.")
        for name, value in shorthands.items():
            if value is not None:
                advice = f"Give it to {type(chosen).__name__} itself."
                raise ValueError(f"{name} must be None beside a monitoring, got {value!r}. {advice}")
        return chosen
    default: GridMonitoring = "grid" if unshifted else "shifted"
    name = default if monitoring is None else checks.choice("monitoring", monitoring, MONITORING)
    if name == "shifted" and unshifted:
        raise ValueError(f"monitoring must be 'grid' for {equation.name}, got 'shifted'. {unshifted}")
    step = step_length(equation, shorthands.get("dt"))
    return MONITORING[name](step, shorthands.get("solver") or ("heun" if name == "shifted" else "euler"))
