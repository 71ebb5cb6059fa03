"""Learning rates as functions of the number k = 0, 1, ... of the step.

`sgd` takes any function ``rate(k)`` of a float that compiles. Those made here can be put into one another:
``warmup(cosine(0.1, 1000), 50)``. A run evaluates its schedule once for each number of a step, before the paths begin.

>>> warmup(constant(0.1), 4)(0.0) < warmup(constant(0.1), 4)(9.0) == 0.1
True
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from ..core import checks
from ..core.compile import compiled

Schedule = Callable[[float], float]


def constant(rate: float) -> Schedule:
    """The same rate at every step.

    >>> constant(0.1)(7.0)
    0.1
    """
    value = checks.positive("rate", rate)
    return njit(lambda k: value)


def step_decay(rate: float, every: int, factor: float) -> Schedule:
    """The rate times ``factor`` to the number of whole times that `every` steps have passed.

    >>> decay = step_decay(0.8, every=100, factor=0.5)
    >>> decay(99.0), decay(100.0), decay(250.0)
    (0.8, 0.4, 0.2)
    """
    first, length = checks.positive("rate", rate), checks.count("every", every)
    ratio = checks.positive("factor", factor)

    def decayed(k: float) -> float:
        return first * ratio ** math.floor(k / length)

    return njit(decayed)


def cosine(rate: float, n_steps: int, lowest: float = 0.0) -> Schedule:
    """Half a cosine from `rate` at step 0 down to `lowest` at step `n_steps`, and `lowest` from there on.

    Without restarts, as in Loshchilov & Hutter (2017, arXiv:1608.03983, equation 5).

    >>> fall = cosine(0.5, 100)
    >>> fall(0.0), round(fall(50.0), 12), fall(150.0)
    (0.5, 0.25, 0.0)
    """
    first, last = checks.positive("rate", rate), checks.finite("lowest", lowest)
    length = checks.count("n_steps", n_steps)
    if not 0.0 <= last <= first:
        raise ValueError(f"lowest must lie in [0, rate = {first}], got {last}.")

    def annealed(k: float) -> float:
        return last + (first - last) * 0.5 * (1.0 + math.cos(math.pi * min(k / length, 1.0)))

    return njit(annealed)


def warmup(schedule: float | Schedule, n_steps: int) -> Schedule:
    """The rate of `schedule`, a number or a function, times ``(k + 1) / n_steps`` in the first `n_steps` steps.

    The clock of `schedule` begins at step 0 too.

    >>> rise = warmup(0.4, 4)
    >>> [round(rise(float(k)), 12) for k in range(5)]
    [0.1, 0.2, 0.3, 0.4, 0.4]
    """
    length, after = checks.count("n_steps", n_steps), compiled(schedule if callable(schedule) else constant(schedule))

    def warmed(k: float) -> float:
        return after(k) * min(1.0, (k + 1.0) / length)

    return njit(warmed)


def tabulated(rates: ArrayLike) -> Schedule:
    """The rates of a table (n,), one a step. A run of more than n steps is refused.

    >>> tabulated([0.3, 0.2])(1.0)
    0.2
    """
    table = np.array(checks.reals("rates", rates), dtype=float)
    if table.ndim != 1 or table.size == 0:
        raise ValueError(f"rates must be an array (n,) with a rate for each step, got shape {table.shape}.")
    if not np.all(np.isfinite(table)):
        raise ValueError(f"rates must be finite, got one that is not at index {int(np.isfinite(table).argmin())}.")
    length = table.size

    def looked_up(k: float) -> float:
        return table[int(k)] if k < length else math.nan

    return njit(looked_up)
