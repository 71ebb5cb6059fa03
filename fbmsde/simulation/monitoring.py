"""What counts as an exit: on a grid, on a grid with the boundary moved, or in continuous time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, runtime_checkable

from ..core import checks
from ..drivers.base import Driver
from ..drivers.fractional import FractionalNoise
from ..drivers.jumping import Jumping
from ..dynamics.base import Dynamics
from ..dynamics.solvers import SOLVERS, SolverName
from ..laws.extremes import barrier_shift
from ..results.accuracy import Accuracy
from .continuous import MOST_FINE_STEPS, Plan, exits, jump_plan
from .ended import Ended
from .grid import grid_ends, steps_up_to
from .posed import posed_solver
from .problem import Crowd, Problem
from .regions import Region, has_room, require_room

__all__ = ["MONITORING", "Accuracy", "Continuous", "Grid", "Monitoring", "Shifted", "why_unshifted"]

_TAKE_GRID = "Take monitoring='grid', which is Grid(dt), for the exits that the steps see."


@runtime_checkable
class Monitoring(Protocol):
    """A way to look for exits: a frozen dataclass of the options that have a meaning for it."""

    def ends(self, problem: Problem, crowd: Crowd) -> Ended:
        """How the paths of a crowd end. What a path does must not depend on the crowd that it is in."""

    def clock(self, problem: Problem) -> tuple[float, float]:
        """The step of the grid of exit times, and the horizon that is reached."""


@dataclass(frozen=True)
class Grid:
    """A path has left at the first multiple of `dt` at which it is not strictly inside.

    This is the passage of the chain itself (SGD is one). It is later than that of the continuous process, by an amount
    that falls like ``dt^H``. `dt` is in the time unit of the equation, `solver` a key of `SOLVERS`. Any driver will do.

    With `until` the run ends when this share of the paths has left, at the latest at the horizon, which then may be
    inf. The result's `horizon` is the time that was reached. The number of steps is doubled from 2^10 on. The streaming
    model is fitted for its whole range, and a share that is not reached within it raises `HorizonError`.

    >>> Grid(0.01).solver
    'euler'
    """

    dt: float
    solver: SolverName = "euler"
    until: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "dt", checks.positive("dt", self.dt))
        checks.choice("solver", self.solver, SOLVERS)
        if self.until is not None:
            object.__setattr__(self, "until", checks.fraction("until", self.until))

    def shift(self, problem: Problem) -> float:
        """The length by which the boundary is moved inwards: none."""
        return 0.0

    def region(self, problem: Problem) -> Region:
        """The region that a path leaves when it is seen to leave: that of the problem."""
        return problem.region

    def ends(self, problem: Problem, crowd: Crowd) -> Ended:
        """How the paths of a crowd end."""
        solver = SOLVERS[posed_solver(problem.equation, problem.driver, self.solver, self.dt)]
        return grid_ends(problem, self.region(problem), self.dt, solver, self.until, crowd)

    def clock(self, problem: Problem) -> tuple[float, float]:
        """The step, and the end of the last step; ValueError if a share of the paths decides where that is."""
        if self.until is not None:
            raise ValueError(f"until must be None for a horizon that is known beforehand, got {self.until}.")
        n_steps, end = steps_up_to(problem.horizon, self.dt)
        return self.dt, checks.reached(self.dt, n_steps, end)


@dataclass(frozen=True)
class Shifted(Grid):
    """The same as `Grid`, with the boundary moved inwards by ``beta_H sigma dt^H`` (`laws.extremes.barrier_shift`).

    Of the grid's bias of exit probabilities the shift leaves a tenth at most for H <= 1/2: 3 % at H = 0.2, below 2 % at
    0.3 and 6 to 10 % at 0.4, for fBm through 1 within time 1 on 2^6 to 2^14 steps. Beyond 1/2 the bias itself is about
    1 % and less. The shift is known for fractional noise only; another driver raises TypeError.

    >>> Shifted(0.01, "heun").dt
    0.01
    """

    def shift(self, problem: Problem) -> float:
        """The length by which the boundary is moved inwards, ``beta_H sigma dt^H``."""
        noise = _fractional(problem)
        if _is_mixed(problem.equation):
            raise ValueError(
                "equation must be driven by the noise as it is in every coordinate for a shifted boundary, got "
                f"{problem.equation.name!r}. {_TAKE_GRID}"
            )
        return float(barrier_shift(noise.common_hurst) * noise.increment_scale(self.dt))

    def region(self, problem: Problem) -> Region:
        """The region of the problem with its boundary moved inwards."""
        shift = self.shift(problem)
        region = problem.region.moved_in(shift, _fractional(problem))
        require_room(region, shift, problem.places, lambda: self._advice(problem), problem.first)
        return region

    def _advice(self, problem: Problem) -> str:
        """Which step leaves room between the starts and the boundary: the first half, quarter ... that does."""
        noise = _fractional(problem)
        for dt in (self.dt * 2.0**-k for k in range(1, 64)):
            if has_room(problem.region.moved_in(replace(self, dt=dt).shift(problem), noise), problem.places):
                return f"Take a shorter dt, such as {dt:.3g}, or monitoring='grid' for the exits that the steps see."
        return _TAKE_GRID


def why_unshifted(equation: Dynamics, noise: Driver) -> str:
    """Why the shift of a boundary is not known for an equation and its noise, as a sentence; empty where it is.

    >>> from fbmsde import StableNoise, quadratic
    >>> from fbmsde.dynamics.equation import as_equation
    >>> why_unshifted(as_equation(quadratic()), StableNoise(1.5))
    'The shift of the boundary is known for fractional noise only.'
    """
    if equation.unit_step:
        return "A chain has no continuous time."
    if _is_mixed(equation):
        return "The shift of the boundary is known where the noise drives every coordinate as it is."
    if not isinstance(noise, FractionalNoise):
        return "The shift of the boundary is known for fractional noise only."
    try:
        barrier_shift(noise.common_hurst)
    except ValueError:
        return "The shift of the boundary is known for one Hurst parameter of all components, from 0.02 on."
    return ""


def _is_mixed(equation: Dynamics) -> bool:
    """Whether there are coordinates that the noise does not drive, or not as it is."""
    return equation.slope() is None or equation.factor() is not None


def _fractional(problem: Problem) -> FractionalNoise:
    """The noise of a problem, TypeError unless it is fractional."""
    advice = f"The shift of the boundary is known for fractional noise only. {_TAKE_GRID}"
    return checks.kind("noise", problem.driver, FractionalNoise, advice)


@dataclass(frozen=True)
class Continuous:
    """The passage of the equation itself, on an effective grid of `fine_steps` steps up to the horizon.

    fine_steps : the number of fine steps, at most 2^30. If None, it is the smallest power of two (between 2^16 and
        2^26) whose remaining boundary error changes exit probabilities by less than 5e-4, the standard error of one
        million paths. Where 2^26 are too few for that, as for a horizon far beyond the time of exit and for H below
        0.3, the error budget says so, and the note of the passage times where the boundary is misplaced by ten times as
        much. The cost grows like the logarithm of the number.
    longest : the longest jump, in the time unit of the equation; None for no such limit.
    accuracy : how rarely a jump may hide an exit, and how finely the drift is followed.

    Jumps move by the trapezoidal rule. The equation must be that of a landscape, and the driver must be able to jump
    (`Jumping`).

    >>> Continuous(fine_steps=2**20).accuracy.drift_step
    0.02
    """

    fine_steps: int | None = None
    longest: float | None = None
    accuracy: Accuracy = field(default_factory=Accuracy)

    def __post_init__(self) -> None:
        if self.fine_steps is not None:
            object.__setattr__(self, "fine_steps", checks.count("fine_steps", self.fine_steps))
            if self.fine_steps > MOST_FINE_STEPS:
                raise ValueError(
                    f"fine_steps must be at most 2^30, got {self.fine_steps}. No noise model reaches further."
                )
        if self.longest is not None:
            object.__setattr__(self, "longest", checks.positive("longest", self.longest))

    def ends(self, problem: Problem, crowd: Crowd) -> Ended:
        """How the paths of a crowd end."""
        plan, noise = self._plan(problem), _jumping(problem)
        left = exits(noise, plan, self.accuracy, problem.key, crowd)
        return Ended.of(left.ends, problem.region.names, plan.dt, problem.horizon, left.budget)

    def clock(self, problem: Problem) -> tuple[float, float]:
        """The fine step, and the horizon."""
        return self._plan(problem).dt, problem.horizon

    def _plan(self, problem: Problem) -> Plan:
        """The plan of a run, the same for every range of paths."""
        return jump_plan(problem, _jumping(problem), self.fine_steps, self.longest, self.accuracy)


def _jumping(problem: Problem) -> Jumping:
    """The noise; TypeError unless it can jump."""
    advice = f"Continuous time needs a noise that can jump many steps at once. {_TAKE_GRID}"
    return checks.kind("noise", problem.driver, Jumping, advice)


MonitoringName = Literal["grid", "shifted", "continuous"]

MONITORING: dict[MonitoringName, Callable[..., Monitoring]] = {
    "grid": Grid,
    "shifted": Shifted,
    "continuous": Continuous,
}
