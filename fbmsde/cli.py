"""The command line: one sub-command per verb; choices are the keys of the registries."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from . import __version__, _checks
from ._networks import DATA
from ._series_files import read_series
from .bench import davies_harte_shares, generator_table
from .bench_passage import passage_table
from .escape import FILES, HURST_VALUES, SCENES, EscapeStudy, InterruptedStudyError, escape_study
from .generators import GENERATORS, fbm, fgn
from .hurst import ESTIMATORS, estimate_hurst
from .noise import METHODS, FractionalNoise
from .sgd_escape import sgd_escape
from .sgd_study import GROUPS, QUICK, sgd_study
from .solvers import SOLVERS
from .theory import formulas_table

app = typer.Typer(
    help="Simulate stochastic differential equations driven by fractional Brownian motion.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
)

_DEFAULT_HURST = ",".join(map(str, HURST_VALUES))
_EXPECTED = (ValueError, TypeError, MemoryError, ArithmeticError, OSError, ImportError)


@contextmanager
def _reported() -> Iterator[None]:
    """Turn expected errors into one line on standard error and exit status 1."""
    try:
        yield
    except _EXPECTED as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


def _numbers(name: str, text: str) -> list[float]:
    """Numbers from a list with commas or blanks."""
    try:
        return [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise ValueError(f"{name} must be numbers separated by commas, got {text!r}.") from None


def _claim_folder(out: Path, names: tuple[str, ...], overwrite: bool) -> None:
    """Make the folder and refuse it when it cannot be written or holds earlier results."""
    held = [name for name in names if (out / name).exists()]
    if held and not overwrite:
        raise ValueError(f"out must not hold earlier results, got {out} with {', '.join(held)}. "
                         "Choose another folder or add --overwrite.")  # fmt: skip
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / f".fbmsde-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(f"out must be a folder that can be written, got {out} ({error.strerror}).") from None


def _claim_file(out: Path, overwrite: bool) -> None:
    """Refuse a file that exists, and one of an unknown kind."""
    if out.suffix not in (".npy", ".csv"):
        raise ValueError(f"out must end in .npy or .csv, got {out}.")
    _claim_folder(out.parent, (out.name,), overwrite)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"fbmsde {__version__}")
        raise typer.Exit


VersionFlag = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")]


@app.callback()
def _common(version: VersionFlag = False) -> None:
    """Options before the sub-command."""


Hursts = Annotated[str, typer.Option("--hurst", help="Hurst values, separated by commas.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace earlier results.")]


@app.command()
def escape(
    hurst: Hursts = _DEFAULT_HURST,
    sharp: Annotated[float, typer.Option(help="Curvature of the sharp minimum.")] = 4.0,
    flat: Annotated[float, typer.Option(help="Curvature of the flat minimum.")] = 1.0,
    height: Annotated[float, typer.Option(help="Height of the barrier above both minima.")] = 2.0,
    sigma: Annotated[float, typer.Option(help="Strength of the noise.")] = 1.0,
    dt: Annotated[float, typer.Option(help="Step of the Euler-Maruyama scheme.")] = 0.005,
    horizon: Annotated[float, typer.Option(help="Time after which a path is given up (censored).")] = 100.0,
    paths: Annotated[int, typer.Option(help="Paths per Hurst value and well.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Seed; the same seed gives the same result on any number of threads.")] = 0,
    jobs: Annotated[int | None, typer.Option(help="Threads; all cores if not given.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for escape.csv, escape.json and escape.png.")] = Path("escape"),
    from_sgd: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LR NOISE_STD", help="Step dt = LR and sigma = LR^(1-H) NOISE_STD, as SGD has them."),
    ] = None,
    landscape: Annotated[str, typer.Option(help=f"One of {', '.join(SCENES)}.")] = "quadratic",
    start: Annotated[str, typer.Option(help="Which minimum to start in: sharp, flat or both.")] = "both",
    method: Annotated[str, typer.Option(help=f"Noise: one of {', '.join(METHODS)}.")] = "streaming",
    solver: Annotated[str, typer.Option(help=f"One of {', '.join(SOLVERS)}.")] = "euler",
    continuous: Annotated[
        int | None, typer.Option(help="Paths for the exit rate in continuous time; 0 for none, a tenth if not given.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """How long paths stay in a sharp and in a flat minimum, for each Hurst value, against theory."""
    with _reported():
        values = _numbers("hurst", hurst)
        _claim_folder(out, FILES, overwrite)
        options: dict[str, Any] = {
            "sharp": sharp, "flat": flat, "height": height, "horizon": horizon, "n_paths": paths, "seed": seed,
            "n_jobs": jobs, "landscape": landscape, "start": start, "method": method, "solver": solver,
            "continuous": continuous,
        }  # fmt: skip
        study, status = _run_escape(values, sigma, dt, from_sgd, options)
        typer.echo(study.table)
        for path in study.save(out):
            typer.echo(f"wrote {path}")
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
        return interruption.study, 130
    return study, int(any("must stay finite" in row.note for row in study.rows))


@app.command()
def generate(
    out: Annotated[Path, typer.Argument(help="File to write: .npy (n_paths, n) or .csv, one path per column.")],
    hurst: Annotated[float, typer.Option(help="Hurst parameter.")] = 0.7,
    steps: Annotated[int, typer.Option(help="Increments per path.")] = 1000,
    paths: Annotated[int, typer.Option(help="Number of paths.")] = 1,
    kind: Annotated[str, typer.Option(help="fgn (increments of unit step) or fbm (paths from 0).")] = "fgn",
    horizon: Annotated[float, typer.Option(help="End time of the paths of fbm.")] = 1.0,
    method: Annotated[str, typer.Option(help=f"One of {', '.join(GENERATORS)}.")] = "davies_harte",
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
    overwrite: Overwrite = False,
) -> None:
    """Write exact fractional Gaussian noise or fractional Brownian motion to a file."""
    with _reported():
        _checks.choice("kind", kind, ("fgn", "fbm"))
        _claim_file(out, overwrite)
        if kind == "fgn":
            values = fgn(hurst, steps, paths, method=method, seed=seed)
        else:
            values = fbm(hurst, steps, paths, horizon=horizon, method=method, seed=seed)
        if out.suffix == ".npy":
            np.save(out, values)
        else:
            np.savetxt(out, values.T, delimiter=",", fmt="%.17g")
        typer.echo(f"wrote {out}: {kind} with H = {hurst:g}, {paths} x {values.shape[1]}")


@app.command()
def bench(
    repeats: Annotated[int, typer.Option(help="Turns of each contestant; the median counts.")] = 5,
    hurst: Annotated[float, typer.Option(help="Hurst parameter.")] = 0.7,
    passage: Annotated[bool, typer.Option("--passage", help="Time first passage instead of the generators.")] = False,
) -> None:
    """CPU time of everything here beside the published packages that are installed."""
    with _reported():
        if passage:
            typer.echo(passage_table(repeats=repeats).table())
        else:
            typer.echo(generator_table(repeats=repeats, hurst=hurst).table())
            for row in davies_harte_shares(repeats=repeats, hurst=hurst):
                typer.echo(str(row))


@app.command("hurst")
def hurst_of_file(
    file: Annotated[Path, typer.Argument(help="Series as .npy (n_series, n) or text, one series per column.")],
    kind: Annotated[str, typer.Option(help="What the file holds: increments or path.")],
    method: Annotated[str, typer.Option(help=f"One of {', '.join(ESTIMATORS)}.")] = "whittle",
) -> None:
    """Hurst parameter of the series in a file, with its interval and what shuffled copies give."""
    with _reported():
        if not file.exists():
            raise ValueError(f"file must exist, got {file}.")
        estimate = estimate_hurst(np.atleast_2d(read_series(file)), kind=kind, method=method)
        low, high = estimate.confidence_interval(0.95)
        typer.echo("series  hurst   95 % interval     sigma       p(no memory)")
        columns = (estimate.hurst, low, high, estimate.sigma, estimate.p_no_memory)
        for i, (h, lo, hi, s, p) in enumerate(zip(*map(np.atleast_1d, columns), strict=True)):
            typer.echo(f"{i:6d}  {h:.4f}  [{lo:.4f}, {hi:.4f}]  {s:<10.4g}  {p:.3g}")


@app.command()
def sgd(
    out: Annotated[Path, typer.Option(help="Folder of runs, tables, figures; finished runs are kept.")] = Path("sgd"),
    group: Annotated[list[str] | None, typer.Option(help=f"Only these of: {', '.join(GROUPS)}. Repeatable.")] = None,
    data: Annotated[str, typer.Option(help=f"One of {', '.join(DATA)}.")] = "digits",
    samples: Annotated[int, typer.Option(help="Number of synthetic samples.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="Two short runs a group, to try it.")] = False,
    escapes: Annotated[bool, typer.Option(help="Also compare escapes of SGD with the model fed by its noise.")] = True,
) -> None:
    """Gradient noise of small networks: four groups of runs, is there memory? And escape of SGD against the model."""
    with _reported():
        shown: dict[str, Any] = {"data": data, "n_samples": samples, "seed": seed, "progress": sys.stderr.isatty()}
        study = sgd_study(out, groups=group or list(GROUPS), effort=QUICK if quick else None, **shown)
        typer.echo(study.table)
        written = study.save(out)
        if study.complete and escapes:
            size: dict[str, Any] = {"n_steps": 50, "n_replicas": 20, "n_paths": 2000} if quick else {}
            escape_found = sgd_escape(**shown, **size)
            typer.echo("\n" + escape_found.table)
            written += escape_found.save(out)
        for path in written:
            typer.echo(f"wrote {path}")
    raise typer.Exit(0 if study.complete else 130)


@app.command()
def theory() -> None:
    """Every formula as a Markdown table: what it gives, its status, where it holds, its measured error."""
    typer.echo(formulas_table())


def main() -> None:
    """Entry point of the ``fbmsde`` command."""
    app()
