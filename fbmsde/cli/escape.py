"""The sub-command `escape`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple, TypedDict

import typer

from ..core.files import claimed
from ..core.ranges import numbers
from ..drivers.base import Driver
from ..drivers.fractional import METHODS, FractionalNoise
from ..dynamics.landscapes import LANDSCAPES, parameters
from ..dynamics.solvers import SOLVERS
from ..studies.escape.study import FILES, HURST_VALUES, STARTS, EscapeStudy, InterruptedStudyError, escape_study
from ..studies.escape.wells import PAIR
from .common import Overwrite, Seed, _choice, _count, _hursts, _keep, _refuse_earlier, app
from .noise import OtherNoises, noises_of
from .options import INTERRUPTED, OnceCommand, named_numbers, refuse_pair, reported

_DEFAULT_HURST = ",".join(map(str, HURST_VALUES))


@app.command(cls=OnceCommand)
def escape(
    hurst: Annotated[list[str] | None, _hursts(_DEFAULT_HURST)] = None,
    noise: OtherNoises = None,
    sharp: Annotated[float | None, typer.Option(help="Curvature of the sharp minimum.", show_default="4.0")] = None,
    flat: Annotated[float | None, typer.Option(help="Curvature of the flat minimum.", show_default="1.0")] = None,
    height: Annotated[
        float | None, typer.Option(help="Height of the barrier above both minima.", show_default="2.0")
    ] = None,
    sigma: Annotated[float | None, typer.Option(help="Strength of the noise.", show_default="1.0")] = None,
    dt: Annotated[float | None, typer.Option(help="Step of the scheme.", show_default="0.005")] = None,
    horizon: Annotated[float, typer.Option(help="Time after which a path is given up (censored).")] = 100.0,
    paths: Annotated[int, _count("Paths per noise and well.")] = 20_000,
    seed: Seed = 0,
    jobs: Annotated[int | None, _count("Threads, which do not change the result; all cores if not given.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for escape.csv, escape.json and escape.png.")] = Path("escape"),
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
    solver: Annotated[str, _choice(SOLVERS)] = "euler",
    continuous: Annotated[
        int | None, _count("Paths for the exit rate in continuous time; 0 for none, a tenth if not given.")
    ] = None,
    until_relative_error: Annotated[
        float | None,
        typer.Option(help="Add paths until the 95 % interval of each exit rate has this half-width over its value."),
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="Folder that keeps finished paths: the same command goes on from there.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """How long paths stay in a sharp and in a flat minimum, for each Hurst value or noise, against theory."""
    status = 0
    with reported():
        wanted = _Wanted(hurst, sigma, dt, from_sgd, method)
        driven = wanted.named(noise) if noise else wanted.fractional()
        params = named_numbers("landscape_params", landscape_params or [])
        _refuse_idle(landscape, params, {"sharp": sharp, "flat": flat, "height": height})
        study_of = partial(
            escape_study, **driven, sharp=4.0 if sharp is None else sharp,
            flat=1.0 if flat is None else flat, height=2.0 if height is None else height, horizon=horizon,
            n_paths=paths, seed=seed, n_jobs=jobs, landscape=landscape, landscape_params=params, start=start,
            solver=solver, continuous=continuous, until_relative_error=until_relative_error, store=store, progress=True,
        )  # fmt: skip
        with _claims(out, store):
            _refuse_earlier(out, FILES, overwrite)
            study, status = _run_escape(study_of)
            if status != INTERRUPTED or (study.rows and store is None):
                status = _keep(study, out, FILES) or status
            elif study.rows:
                typer.echo(study.table)
    raise typer.Exit(status)


def _claims(out: Path, store: Path | None) -> AbstractContextManager[None]:
    """The claim on the folder of the files, unless it is that of the store, which is claimed by the campaign."""
    if store is not None and out.resolve() == store.resolve():
        return nullcontext()
    return claimed(out)


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
    method: str | None
    noises: dict[str, Driver]
    dt: float


class _Wanted(NamedTuple):
    """The options of `escape` that say which fractional noise it is, and the step; None where one is not given."""

    hurst: list[str] | None
    sigma: float | None
    dt: float | None
    from_sgd: tuple[float, float] | None
    method: str | None

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


def _run_escape(study_of: Callable[[], EscapeStudy]) -> tuple[EscapeStudy, int]:
    """The study and the exit status: 130 after an interruption, 1 when a path broke, else 0."""
    try:
        study = study_of()
    except InterruptedStudyError as interruption:
        typer.echo(str(interruption), err=True)
        return interruption.study, INTERRUPTED
    return study, int(any("must stay finite" in row.note for row in study.rows))
