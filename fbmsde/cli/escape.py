"""The sub-command `escape`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.files import claimed
from ..drivers.fractional import METHODS, FractionalNoise
from ..dynamics.solvers import SOLVERS
from ..studies.escape.study import FILES, HURST_VALUES, SCENES, STARTS, EscapeStudy, InterruptedStudyError, escape_study
from ..studies.sgd.cases import SgdEscape
from ..studies.sgd.runs import SgdStudy
from .common import Hursts, Overwrite, Seed, _choice, _count, _refuse_earlier, app
from .options import INTERRUPTED, OnceCommand, numbers, refuse_pair, reported

_DEFAULT_HURST = ",".join(map(str, HURST_VALUES))


@app.command(cls=OnceCommand)
def escape(
    hurst: Hursts = [_DEFAULT_HURST],  # noqa: B006
    sharp: Annotated[float, typer.Option(help="Curvature of the sharp minimum.")] = 4.0,
    flat: Annotated[float, typer.Option(help="Curvature of the flat minimum.")] = 1.0,
    height: Annotated[float, typer.Option(help="Height of the barrier above both minima.")] = 2.0,
    sigma: Annotated[float | None, typer.Option(help="Strength of the noise.", show_default="1.0")] = None,
    dt: Annotated[float | None, typer.Option(help="Step of the scheme.", show_default="0.005")] = None,
    horizon: Annotated[float, typer.Option(help="Time after which a path is given up (censored).")] = 100.0,
    paths: Annotated[int, _count("Paths per Hurst value and well.")] = 20_000,
    seed: Seed = 0,
    jobs: Annotated[int | None, _count("Threads, which do not change the result; all cores if not given.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for escape.csv, escape.json and escape.png.")] = Path("escape"),
    from_sgd: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LR NOISE_STD", help="Step dt = LR and sigma = LR^(1-H) NOISE_STD, as SGD has them."),
    ] = None,
    landscape: Annotated[str, _choice(SCENES)] = "quadratic",
    start: Annotated[str, _choice(STARTS, "Which minimum to start in. ")] = "both",
    method: Annotated[str, _choice(METHODS, "Noise. ")] = "streaming",
    solver: Annotated[str, _choice(SOLVERS)] = "euler",
    continuous: Annotated[
        int | None, _count("Paths for the exit rate in continuous time; 0 for none, a tenth if not given.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """How long paths stay in a sharp and in a flat minimum, for each Hurst value, against theory."""
    status = 0
    with reported():
        if from_sgd is not None:
            refuse_pair("--from-sgd", {"--sigma": sigma, "--dt": dt}, "sets both")
        options: dict[str, Any] = {
            "sharp": sharp, "flat": flat, "height": height, "horizon": horizon, "n_paths": paths, "seed": seed,
            "n_jobs": jobs, "landscape": landscape, "start": start, "method": method, "solver": solver,
            "continuous": continuous,
        }  # fmt: skip
        strength = 1.0 if sigma is None else sigma
        values, step = numbers("hurst", hurst), 0.005 if dt is None else dt
        with claimed(out):
            _refuse_earlier(out, FILES, overwrite)
            study, status = _run_escape(values, strength, step, from_sgd, options)
            status = _keep(study, out, FILES) or status
    raise typer.Exit(status)


def _run_escape(
    values: list[float], sigma: float, dt: float, from_sgd: tuple[float, float] | None, options: dict[str, Any]
) -> tuple[EscapeStudy, int]:
    """The study and the exit status: 130 after an interruption, 1 when a path broke, else 0."""
    strength: float | list[float] = sigma
    if from_sgd is not None:
        dt, noise_std = from_sgd
        strength = [FractionalNoise.from_sgd(dt, noise_std, h).sigma for h in values]
    try:
        study = escape_study(values, sigma=strength, dt=dt, progress=sys.stderr.isatty(), **options)
    except InterruptedStudyError as interruption:
        if not interruption.study.rows:
            raise KeyboardInterrupt from None
        return interruption.study, INTERRUPTED
    return study, int(any("must stay finite" in row.note for row in study.rows))


def _keep(study: EscapeStudy | SgdStudy | SgdEscape, out: Path, names: Sequence[str] = ()) -> int:
    """Save first, so that nothing is lost by printing, then show the table; the exit status."""
    try:
        written = study.save(out)
    except KeyboardInterrupt:
        typer.echo(study.table)
        missing = ", ".join(name for name in names if not (out / name).exists())
        typer.echo(f"interrupted while the files were written: {missing or 'some'} missing in {out}", err=True)
        return INTERRUPTED
    except OSError:
        typer.echo(study.table)
        raise
    typer.echo(study.table)
    for path in written:
        typer.echo(f"wrote {path}")
    return 0
