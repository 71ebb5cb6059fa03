"""Whether an equation, a solver, a step and a driver go together."""

from __future__ import annotations

import numpy as np

from ..core import checks
from ..drivers.base import Driver
from ..drivers.fractional import FractionalNoise
from ..dynamics.base import Dynamics
from ..dynamics.solvers import SOLVERS


def posed_solver(equation: Dynamics, driver: Driver, solver: str, dt: float) -> str:
    """The name of the solver; ValueError or TypeError unless the equation is well posed with it, `dt` and the driver.

    The rules are those of the equation (`Dynamics.require`).
    """
    hurst = float(np.min(driver.hurst)) if isinstance(driver, FractionalNoise) else None
    equation.require(checks.choice("solver", solver, SOLVERS), dt, hurst)
    return solver


def step_length(equation: Dynamics, dt: float | None) -> float:
    """The step as a float: `dt`, which may be left out for a chain, whose step is a unit of time."""
    return 1.0 if dt is None and equation.unit_step else checks.positive("dt", dt)
