"""The study of convergence: loss against step under noises of different memory, beside the exact linear theory."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ...core import checks
from ...core.bars import bar
from ...core.files import write_figure, write_text
from ...core.types import Array
from ...drivers.base import Driver
from ...drivers.epoch import EpochNoise
from ...drivers.fractional import FractionalNoise
from ...drivers.stable import StableNoise
from ...laws.momentum import momentum_bound
from ...results.converge import ConvergeData, ConvergeSettings, Dependence, LossCurve, ScheduleRow
from ..views.matching import scaled_to, step_quartile
from . import report
from .runs import Bench, Noise
from .well import joined_parabolas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILES = ("converge.csv", "converge.json", "converge.png")
NOISES: dict[str, Driver] = {
    "Brownian": FractionalNoise(0.5),
    "fractional, H = 0.3": FractionalNoise(0.3),
    "fractional, H = 0.7": FractionalNoise(0.7),
    "epochs of 11 batches": EpochNoise(1408, 128),
    "stable, alpha = 1.5": StableNoise(1.5),
}
RATES = np.array([0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28])  # times 1 / curvature, of the plateaus
AVERAGES = 2.0 ** np.arange(3, 12, dtype=np.float64)  # numbers of steps
WELL = (4.0, 1.0, 0.15)  # curvatures and height of the double well
Part: TypeAlias = LossCurve | Dependence | ScheduleRow


@dataclass(frozen=True, repr=False)
class ConvergeStudy(ConvergeData):
    """The data of a study of convergence with its faces: text, figure, files.

    >>> from fbmsde import FractionalNoise, converge_study
    >>> study = converge_study({"white": FractionalNoise(0.5)}, n_steps=200, n_paths=100)
    >>> type(study).__name__, len(study.curves)
    ('ConvergeStudy', 3)
    """

    @property
    def table(self) -> str:
        """The results as text: plateaus, exponents, time averages, schedules and the double well."""
        return report.text(self)

    def plot(self) -> Figure:
        """A matplotlib Figure: loss curves, plateaus against the learning rate, time averages and schedules."""
        from ...plots.converge import plot_converge

        return plot_converge(self)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write converge.csv, converge.json and converge.png into an existing folder, each whole or not at all."""
        out = [Path(folder) / name for name in FILES]
        write_text(out[0], report.csv_text(self))
        write_text(out[1], json.dumps(self._record(), indent=1, allow_nan=True) + "\n")
        if self.curves:
            write_figure(out[2], self.plot, 150)
        return out if self.curves else out[:2]

    def _record(self) -> dict[str, object]:
        """Everything as plain numbers, lists and dictionaries."""
        return {
            "settings": asdict(self.settings),
            "complete": self.complete,
            "curves": [_plain(curve) for curve in self.curves],
            "dependences": [_plain(found) for found in self.dependences],
            "schedules": [_plain(row) for row in self.schedules],
        }


def _plain(part: Part) -> dict[str, object]:
    """A part of the study with lists in the place of arrays."""
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(part).items()}


class InterruptedConvergeError(KeyboardInterrupt):
    """The study was interrupted; `study` holds what was finished."""

    def __init__(self, study: ConvergeStudy) -> None:
        super().__init__(f"interrupted after {len(study.curves)} curves")
        self.study = study


def converge_study(
    noises: Mapping[str, Driver] | None = None,
    *,
    noise_std: float = 1.0,
    curvature: float = 1.0,
    x0: float = 3.0,
    learning_rate: float = 0.1,
    momentum: float = 0.9,
    n_steps: int = 1600,
    n_paths: int = 2000,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: bool = False,
) -> ConvergeStudy:
    """Convergence of gradient descent under noises of different memory, beside exact theory, as a `ConvergeStudy`.

    Chains ``v' = beta v - eta (f'(x) + xi)``, ``x' = x + v'`` run in the parabola ``curvature x^2 / 2`` from `x0`,
    without momentum and with it, and in a double well from its sharp minimum. The noise xi of the gradient has the
    standard deviation `noise_std`, or the quartile that belongs to it where it has no variance. Besides come the loss
    of the stationary chain against the learning rate, the variance of averages over time, and the loss at the end of
    schedules of the learning rate. In the parabola all of these are known exactly for every noise with a variance.

    noises : noises by name, each with a strength `sigma` and either an autocovariance or a stable law; None for
        `NOISES`. The strengths that they come with do not matter.

    Raises ValueError for arguments outside their range and for an unstable chain, TypeError for a noise that cannot be
    matched, and `InterruptedConvergeError` on Ctrl-C.

    >>> from fbmsde import FractionalNoise
    >>> study = converge_study({"white": FractionalNoise(0.5)}, n_steps=200, n_paths=100)
    >>> len(study.curves), study.curves[0].exact_plateau.__round__(4)
    (3, 0.0263)
    """
    chosen = dict(NOISES if noises is None else checks.kind("noises", noises, Mapping, "Write {'name': noise}."))
    if not chosen:
        raise ValueError("noises must hold at least one noise, got none.")
    settings = ConvergeSettings(
        noises=tuple(chosen),
        noise_std=checks.positive("noise_std", noise_std),
        curvature=checks.positive("curvature", curvature),
        x0=checks.moderate("x0", x0),
        learning_rate=checks.positive("learning_rate", learning_rate),
        momentum=checks.number("momentum", momentum),
        n_steps=checks.count("n_steps", n_steps, 16),
        n_paths=checks.count("n_paths", n_paths, 2),
        seed=checks.count("seed", seed, 0, math.inf),
    )
    for beta in (0.0, settings.momentum):
        if not settings.learning_rate * settings.curvature < momentum_bound(beta):
            raise ValueError(
                f"learning_rate must be below {momentum_bound(beta) / settings.curvature:.6g} at momentum {beta:g}, "
                f"got {settings.learning_rate}. The chain is unstable."
            )
    checks.workers(n_jobs)
    return _run(settings, _matched(chosen, settings.noise_std), n_jobs, progress)


def _matched(noises: Mapping[str, Driver], noise_std: float) -> list[Noise]:
    """The noises, each with the quartile of one step of a normal law of this standard deviation."""
    for name, noise in noises.items():
        if getattr(noise, "phase", None) is not None:
            raise ValueError(f"phase must be None for the exact losses to hold, got {noise!r} for {name!r}.")
    quartile = step_quartile(FractionalNoise(0.5, noise_std), 1.0)
    return [Noise(name, scaled_to(noise, quartile / step_quartile(noise, 1.0))) for name, noise in noises.items()]


def schedules(learning_rate: float, n_steps: int) -> dict[str, Array]:
    """The learning rates (n_steps,) of the schedules that are compared, all of which begin at `learning_rate`.

    >>> sorted(schedules(0.1, 100))
    ['1 / step', 'constant', 'cosine', 'ten times less at half time']
    """
    k = np.arange(n_steps)
    return {
        "constant": np.full(n_steps, learning_rate),
        "ten times less at half time": np.where(k < n_steps // 2, learning_rate, learning_rate / 10.0),
        "cosine": 0.5 * learning_rate * (1.0 + np.cos(np.pi * k / n_steps)),
        "1 / step": learning_rate / (1.0 + learning_rate * k),
    }


def _tasks(bench: Bench, noises: list[Noise]) -> Iterator[Callable[[], Part]]:
    """Every run of the study as a call without arguments."""
    settings, well = bench.settings, joined_parabolas(*WELL)
    momenta = tuple(dict.fromkeys((0.0, settings.momentum)))
    for noise in noises:
        for beta in momenta:
            yield partial(bench.convex, noise, beta)
        yield partial(bench.double_well, noise, well)
    for noise in noises:
        for name, rates in schedules(settings.learning_rate, settings.n_steps).items():
            yield partial(bench.scheduled, noise, name, rates)
        if not noise.heavy:
            for beta in momenta:
                rates = RATES if beta == 0.0 else RATES[:5]
                yield partial(bench.plateaus, noise, rates / settings.curvature, beta)
            yield partial(bench.averages, noise, AVERAGES)


def _run(settings: ConvergeSettings, noises: list[Noise], n_jobs: int | None, progress: bool) -> ConvergeStudy:
    """Run everything; an interruption carries what is finished."""
    found: list[Part] = []
    with bar(disable=not progress, unit="path") as shown:
        try:
            for task in _tasks(Bench(settings, n_jobs, shown.update), noises):
                found.append(task())
        except KeyboardInterrupt:
            raise InterruptedConvergeError(_study(settings, found, complete=False)) from None
    return _study(settings, found)


def _study(settings: ConvergeSettings, found: list[Part], complete: bool = True) -> ConvergeStudy:
    """The study of these parts."""
    return ConvergeStudy(
        settings,
        tuple(part for part in found if isinstance(part, LossCurve)),
        tuple(part for part in found if isinstance(part, Dependence)),
        tuple(part for part in found if isinstance(part, ScheduleRow)),
        complete,
    )
