"""What a study of convergence asked and found, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..core.show import Shown, Table, line, told
from ..core.types import Array
from .estimates import Estimate


@dataclass(frozen=True, repr=False)
class ConvergeSettings(Shown):
    """Everything that a study of convergence was asked for.

    noises : the names of the noises of the gradient, in the order of the tables; each has the standard deviation
        `noise_std` (under stable noise, the quartile that belongs to it).
    curvature, x0 : the parabola and the start in it.
    learning_rate, momentum : of the loss curves.
    n_steps, n_paths, seed : length and number of the chains, and the seed of all random numbers.
    """

    noises: tuple[str, ...]
    noise_std: float
    curvature: float
    x0: float
    learning_rate: float
    momentum: float
    n_steps: int
    n_paths: int
    seed: int


@dataclass(frozen=True, repr=False)
class LossCurve(Shown):
    """The loss against the step for one noise.

    noise, landscape, momentum : the case.
    statistic : "mean", or "median" where the noise has no variance, so that the loss has no mean.
    steps, loss, error : numbers of steps, the loss above that of the lowest minimum, and its standard error, (n,).
    exact : the exact mean loss of the linear chain, (n,), empty where there is none.
    plateau, exact_plateau : the loss after the transient, and its exact value, NaN where there is none.
    flat_share : the share of the last steps on the flat minimum's side of the saddle, unknown in a parabola.
    """

    noise: str
    landscape: str
    momentum: float
    statistic: str
    steps: Array = field(repr=False, compare=False)
    loss: Array = field(repr=False, compare=False)
    error: Array = field(repr=False, compare=False)
    exact: Array = field(repr=False, compare=False)
    plateau: Estimate
    exact_plateau: float
    flat_share: Estimate


@dataclass(frozen=True, repr=False)
class Dependence(Shown):
    """A quantity of the chain against what it depends on, measured and exact, for one noise.

    name : "plateau against learning rate" or "variance of the time average against time".
    momentum : of the chain.
    x, measured, error, exact : (n,); the standard errors of `measured`, and the exact values.
    exponent : of ``measured ~ x^p`` over `fitted`, the first and last x that were used.
    predicted : the exponent in the limit: ``2 - 2H`` for the plateau and ``2H - 2`` for the time average of fractional
        noise; NaN where no limit is known.
    """

    noise: str
    name: str
    momentum: float
    x: Array = field(repr=False, compare=False)
    measured: Array = field(repr=False, compare=False)
    error: Array = field(repr=False, compare=False)
    exact: Array = field(repr=False, compare=False)
    exponent: Estimate
    fitted: tuple[float, float]
    predicted: float


@dataclass(frozen=True, repr=False)
class ScheduleRow(Shown):
    """The mean loss at the end of a schedule of the learning rate for one noise, measured and exact."""

    noise: str
    schedule: str
    measured: Estimate
    exact: float


@dataclass(frozen=True, repr=False)
class ConvergeData(Shown):
    """Everything that was asked (`settings`) and found; `complete` is False after an interruption."""

    settings: ConvergeSettings
    curves: tuple[LossCurve, ...]
    dependences: tuple[Dependence, ...]
    schedules: tuple[ScheduleRow, ...]
    complete: bool = True

    def __repr__(self) -> str:
        curves = f"{len(self.curves)} curves" + ", interrupted" * (not self.complete)
        return line(type(self).__name__, [curves, "; ".join(self.settings.noises)])

    def _facts(self) -> Mapping[str, object]:
        asked, state = self.settings, None if self.complete else "interrupted"
        return {"chains": asked.n_paths, "steps": asked.n_steps, "learning rate": asked.learning_rate, "state": state}

    def _lines(self) -> Table:
        heads = ("noise", "landscape", "momentum", "loss of the plateau [95 %]", "exact")
        return heads, [
            (c.noise, c.landscape, told(c.momentum), c.plateau.text(), told(c.exact_plateau)) for c in self.curves
        ]  # fmt: skip
