"""The sub-command `escape`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple, TypedDict

import typer

from ..core import checks
from ..core.files import claimed
from ..core.ranges import numbers
from ..drivers.base import Driver
from ..drivers.fractional import METHODS, FractionalNoise
from ..drivers.sample import NoiseMethod
from ..dynamics.landscapes import LANDSCAPES, parameters
from ..dynamics.solvers import SOLVERS
from ..studies.escape.interrupted import InterruptedStudyError, Study
from ..studies.escape.rates import RATES_FILES, escape_rates
from ..studies.escape.study import FILES, HURST_VALUES, PATHS, STARTS, escape_study
from ..studies.escape.wells import PAIR
from .common import Overwrite, Seed, _choice, _count, _hursts, _keep, _refuse_earlier, app
from .escape_rates import ERROR_DEFAULT, HURST_DEFAULT, PATHS_DEFAULT, QUICK_HELP, Effort, refuse_with_rare
from .noise import OtherNoises, noises_of
from .options import INTERRUPTED, OnceCommand, checked_error, named_numbers, refuse_pair, reported

_DEFAULT_HURST = ",".join(map(str, HURST_VALUES))


@app.command(cls=OnceCommand)
def escape(
    hurst: Annotated[list[str] | None, _hursts(f"{_DEFAULT_HURST}; {HURST_DEFAULT}")] = None,
    noise: OtherNoises = None,
    sharp: Annotated[float | None, typer.Option(help="Curvature of the sharp minimum.", show_default="4.0")] = None,
    flat: Annotated[float | None, typer.Option(help="Curvature of the flat minimum.", show_default="1.0")] = None,
    height: Annotated[
        float | None, typer.Option(help="Height of the barrier above both minima.", show_default="2.0")
    ] = None,
    sigma: Annotated[float | None, typer.Option(help="Strength of the noise.", show_default="1.0")] = None,
    dt: Annotated[float | None, typer.Option(help="Step of the scheme.", show_default="0.005")] = None,
    horizon: Annotated[
        float | None, typer.Option(help="Time after which a path is given up (censored).", show_default="100.0")
    ] = None,
    paths: Annotated[int | None, _count("Paths per noise and well.", f"{PATHS}; {PATHS_DEFAULT}")] = None,
    seed: Seed = 0,
    jobs: Annotated[int | None, _count("Threads, which do not change the result; all cores if not given.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for tables and figures, escape.csv and more.")] = Path("escape"),
    from_sgd: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LR NOISE_STD", help="Step dt = LR and sigma = LR^(1-H) NOISE_STD, as SGD has them."),
    ] = None,
    landscape: Annotated[str, _choice(LANDSCAPES)] = "quadratic",
    landscape_params: Annotated[
        list[str] | None,
        typer.Option(metavar="LIST", help="Parameters of the landscape: height=2,tilt=0.3; of quadratic none."),
    ] = None,
    start: Annotated[str, _choice(STARTS, "Which minimum to start in. ")] = "both",
    method: Annotated[str | None, _choice(METHODS, "Noise. ", "streaming")] = None,
    solver: Annotated[str | None, _choice(SOLVERS, default="euler")] = None,
    continuous: Annotated[
        int | None, _count("Paths for the exit rate in continuous time; 0 for none, a tenth if not given.")
    ] = None,
    until_relative_error: Annotated[
        float | None,
        typer.Option(help="Add paths until the 95 % interval of each exit rate has this half-width over its value.",
                     show_default=ERROR_DEFAULT),
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="Folder that keeps finished paths: the same command goes on from there.")
    ] = None,
    overwrite: Overwrite = False,
    rare: Annotated[
        bool, typer.Option("--rare", help="Exit rates as barriers grow, down to escapes that plain paths never make.")
    ] = False,
    barriers: Annotated[
        list[str] | None,
        typer.Option(metavar="LIST", help="With --rare: barriers of the flat well in standard deviations.",
                     show_default="1.5:3:0.5,4:8:1"),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help=QUICK_HELP)] = False,
) -> None:
    """How long paths stay in a sharp and in a flat minimum, for each Hurst value or noise, against theory."""
    status = 0
    with reported():
        params, effort = named_numbers("landscape_params", landscape_params or []), Effort(
            barriers, paths, until_relative_error, quick)  # fmt: skip
        _refuse_idle(landscape, params, {"sharp": sharp, "flat": flat, "height": height})
        common: _Common = {
            "sharp": 4.0 if sharp is None else sharp, "flat": 1.0 if flat is None else flat,
            "height": 2.0 if height is None else height, "landscape": landscape, "landscape_params": params,
            "start": start, "seed": seed, "n_jobs": jobs, "store": store, "progress": True,
        }  # fmt: skip
        study_of: Callable[[], Study]
        if rare:
            refuse_with_rare({"--noise": noise, "--sigma": sigma, "--dt": dt, "--horizon": horizon,
                              "--from-sgd": from_sgd, "--method": method, "--solver": solver,
                              "--continuous": continuous})  # fmt: skip
            files, study_of = RATES_FILES, partial(escape_rates, **effort.asked(hurst), **common)
        else:
            effort.refuse_without_rare()
            made = None if method is None else checks.choice("method", method, METHODS)
            wanted = _Wanted(hurst, sigma, dt, from_sgd, made)
            driven = wanted.named(noise) if noise else wanted.fractional()
            step = checks.choice("solver", solver or "euler", SOLVERS)
            files, study_of = FILES, partial(
                escape_study, **driven, **common, horizon=100.0 if horizon is None else horizon,
                n_paths=PATHS if paths is None else paths, solver=step, continuous=continuous,
                until_relative_error=checked_error(until_relative_error),
            )  # fmt: skip
        status = _finished(study_of, _Place(out, store, overwrite), files)
    raise typer.Exit(status)


class _Common(TypedDict):
    """What both studies are told."""

    sharp: float
    flat: float
    height: float
    landscape: str
    landscape_params: dict[str, float]
    start: str
    seed: int
    n_jobs: int | None
    store: Path | None
    progress: bool


class _Place(NamedTuple):
    """The folder of the files, that of the store, and whether earlier files may be replaced."""

    out: Path
    store: Path | None
    overwrite: bool

    def claims(self) -> AbstractContextManager[None]:
        """The claim on the folder of the files, unless it is that of the store, which the campaign claims."""
        if self.store is not None and self.out.resolve() == self.store.resolve():
            return nullcontext()
        return claimed(self.out)


def _finished(study_of: Callable[[], Study], place: _Place, files: tuple[str, ...]) -> int:
    """Run a study, keep it and show it; the exit status."""
    with place.claims():
        _refuse_earlier(place.out, files, place.overwrite, place.store)
        study, status = _run_escape(study_of)
        if status != INTERRUPTED or (study.rows and place.store is None):
            return _keep(study, place.out, files) or status
        if study.rows:
            typer.echo(study.table)
        return status


def _refuse_idle(landscape: str, params: Mapping[str, float], given: Mapping[str, float | None]) -> None:
    """ValueError if --sharp, --flat or --height is given and does nothing with this landscape and these parameters."""
    known = parameters(landscape)
    for name, value in given.items():
        if name in params:
            refuse_pair(f"--landscape-params {name}", {f"--{name}": value}, "sets it too")
        if landscape != PAIR and name not in known:
            refuse_pair(f"--landscape {landscape}", {f"--{name}": value}, "has no such parameter")


class _Driven(TypedDict, total=False):
    """What `escape_study` is told of the noise, and the step."""

    hurst: list[float]
    sigma: list[float]
    method: NoiseMethod | None
    noises: dict[str, Driver]
    dt: float


class _Wanted(NamedTuple):
    """The options of `escape` that say which fractional noise it is, and the step; None where one is not given."""

    hurst: list[str] | None
    sigma: float | None
    dt: float | None
    from_sgd: tuple[float, float] | None
    method: NoiseMethod | None

    def fractional(self) -> _Driven:
        """Fractional noise of each Hurst value; its strength and the step as they were given, or as SGD has them."""
        values = numbers("hurst", self.hurst or [_DEFAULT_HURST])
        if self.from_sgd is None:
            strengths = [1.0 if self.sigma is None else self.sigma] * len(values)
            return {"hurst": values, "sigma": strengths, "method": self.method, "dt": self.step}
        refuse_pair("--from-sgd", {"--sigma": self.sigma, "--dt": self.dt}, "sets both")
        step, noise_std = self.from_sgd
        strengths = [FractionalNoise.from_sgd(step, noise_std, h).increment_scale(1.0) for h in values]
        return {"hurst": values, "sigma": strengths, "method": self.method, "dt": step}

    def named(self, texts: Sequence[str]) -> _Driven:
        """The noises that the texts name; ValueError for an option that belongs to Hurst values."""
        idle = {"--hurst": self.hurst, "--sigma": self.sigma, "--method": self.method, "--from-sgd": self.from_sgd}
        refuse_pair("--noise", idle, "has its own parameters")
        return {"noises": noises_of(texts), "dt": self.step}

    @property
    def step(self) -> float:
        """The step that was given, or its default."""
        return 0.005 if self.dt is None else self.dt


def _run_escape(study_of: Callable[[], Study]) -> tuple[Study, int]:
    """The study and the exit status: 130 after an interruption, 1 when a path broke, else 0."""
    try:
        study = study_of()
    except InterruptedStudyError as interruption:
        typer.echo(str(interruption), err=True)
        return interruption.study, INTERRUPTED
    return study, int(any("must stay finite" in row.note for row in study.rows))
