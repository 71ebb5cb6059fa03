"""Whether an equation, a solver, a step and a driver go together."""

from __future__ import annotations

import numpy as np

from ..core import checks
from ..core.types import Key
from ..drivers.base import Driver, Feed
from ..drivers.flagged import Flagged
from ..drivers.fractional import FractionalNoise
from ..dynamics.base import Dynamics
from ..dynamics.solvers import SOLVERS, SolverName


def posed_solver(equation: Dynamics, driver: Driver, solver: SolverName, dt: float) -> SolverName:
    """The name of the solver; ValueError or TypeError unless the equation is well posed with it, `dt` and the driver.

    The rules are those of the equation (`Dynamics.require`).
    """
    hurst = float(np.min(driver.hurst)) if isinstance(driver, FractionalNoise) else None
    equation.require(checks.choice("solver", solver, SOLVERS), dt, hurst)
    return solver


def step_length(equation: Dynamics, dt: float | None, instead: str = "") -> float:
    """The step as a float: `dt`, which may be left out for a chain, whose step is a unit of time.

    Raises TypeError where it is missing, with what can be done `instead` of giving it.
    """
    if dt is None and not equation.unit_step:
        raise TypeError(f"dt must be a number, got None. Give the step, such as dt=0.01{instead}.")
    return 1.0 if dt is None else checks.positive("dt", dt)


def feed_of(equation: Dynamics, driver: Driver, n_steps: int, dt: float, key: Key) -> Feed:
    """A feed of all components of the noise of an equation, with the one that tells of resets if there are any."""
    noise = Flagged(driver, equation.reset_rate) if equation.reset_rate > 0.0 else driver
    return noise.feed(n_steps, dt, equation.n_channels, key)
