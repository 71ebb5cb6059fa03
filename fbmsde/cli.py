"""The command line: one sub-command per verb; choices are the keys of the registries."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from . import __version__, _checks
from ._cli_options import EXIT_STATUSES, INTERRUPTED, OnceCommand, count, numbers, refuse_pair, reported, signals, words
from ._files import claimed, replacing
from ._networks import DATA
from ._series_files import DECIMALS, FORMATS, Series, read_series
from .bench import davies_harte_shares, generator_table
from .bench_passage import HURST_VALUES as PASSAGE_HURST
from .bench_passage import passage_table
from .escape import FILES, HURST_VALUES, SCENES, STARTS, EscapeStudy, InterruptedStudyError, escape_study
from .generators import GENERATORS, fbm, fgn
from .hurst import ESTIMATORS, INTERVALS, KINDS, NULLS, HurstEstimate, estimate_hurst
from .noise import METHODS, FractionalNoise
from .sgd_escape import SgdEscape, sgd_escape
from .sgd_study import GROUPS, QUICK, SgdStudy, sgd_study
from .solvers import SOLVERS
from .theory import formulas_table

PROCESSES = ("fgn", "fbm")
_TAKE_GAPS = [name for name, estimator in ESTIMATORS.items() if estimator.fit_gaps is not None][::-1]
_LEFT_OUT = f"left out: constant, or with gaps ({_TAKE_GAPS[0]} takes them)"

app = typer.Typer(
    help="Simulate stochastic differential equations driven by fractional Brownian motion.",
    epilog=EXIT_STATUSES,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_NO_NULL = "none"
_DEFAULT_HURST = ",".join(map(str, HURST_VALUES))


def _refuse_earlier(out: Path, names: tuple[str, ...], overwrite: bool) -> None:
    """Refuse a folder that holds earlier results."""
    held = [name for name in names if (out / name).exists()]
    if held and not overwrite:
        raise ValueError(f"out must not hold earlier results, got {out} with {', '.join(held)}. "
                         "Choose another place or add --overwrite.")  # fmt: skip


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"fbmsde {__version__}")
        raise typer.Exit


VersionFlag = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")]


@app.callback()
def _common(version: VersionFlag = False) -> None:
    """Options before the sub-command."""


Hursts = Annotated[
    list[str],
    typer.Option("--hurst", metavar="LIST", help="Hurst values: 0.3,0.5 or a range 0.3:0.7:0.1. Repeatable."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace earlier results.")]
Seed = Annotated[int, typer.Option(parser=count, metavar="INTEGER", help="Seed of all random numbers.")]


def _choice(names: Iterable[str], what: str = "") -> Any:
    """An option that takes one of the names, and completes them."""
    known = list(names)

    def complete(incomplete: str) -> list[str]:
        return [name for name in known if name.startswith(incomplete)]

    return typer.Option(help=f"{what}One of {', '.join(known)}.", autocompletion=complete)


def _count(what: str) -> Any:
    """An option that takes a whole number."""
    return typer.Option(parser=count, metavar="INTEGER", help=what)


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


@app.command(cls=OnceCommand)
def generate(
    out: Annotated[Path, typer.Argument(help="File to write: .npy (n_paths, n) or .csv, one path per column.")],
    hurst: Annotated[float, typer.Option(help="Hurst parameter.")] = 0.7,
    steps: Annotated[int, _count("Increments per path.")] = 1000,
    paths: Annotated[int, _count("Number of paths.")] = 1,
    kind: Annotated[str, _choice(PROCESSES, "Increments of unit step, or paths from 0. ")] = "fgn",
    horizon: Annotated[float | None, typer.Option(help="End time of the paths of fbm.", show_default="1.0")] = None,
    method: Annotated[str, _choice(GENERATORS)] = "davies_harte",
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Write exact fractional Gaussian noise or fractional Brownian motion to a file."""
    with reported():
        if _checks.choice("kind", kind, PROCESSES) == "fgn":
            refuse_pair("--kind fgn", {"--horizon": horizon}, "has steps of length 1")
        if out.suffix not in (".npy", ".csv"):
            raise ValueError(f"out must end in .npy or .csv, got {out}.")
        _refuse_earlier(out.parent, (out.name,), overwrite)
        out.parent.mkdir(parents=True, exist_ok=True)
        options: dict[str, Any] = {"method": method, "seed": seed, "progress": sys.stderr.isatty()}
        with replacing(out, overwrite=overwrite) as file:
            if kind == "fgn":
                values = fgn(hurst, steps, paths, **options)
            else:
                values = fbm(hurst, steps, paths, horizon=1.0 if horizon is None else horizon, **options)
            if out.suffix == ".npy":
                np.save(file, values)
            else:
                np.savetxt(file, values.T, delimiter=",", fmt="%.17g")
        typer.echo(f"wrote {out}: {kind} with H = {hurst:g}, {paths} x {values.shape[1]}")


@app.command(cls=OnceCommand)
def bench(
    repeats: Annotated[int, _count("Turns of each contestant; the median counts.")] = 5,
    hurst: Annotated[
        float | None, typer.Option(help="Hurst parameter.", show_default="0.7; 0.3, 0.5 and 0.7 with --passage")
    ] = None,
    passage: Annotated[bool, typer.Option("--passage", help="Time first passage instead of the generators.")] = False,
) -> None:
    """CPU time of everything here beside the published packages that are installed."""
    with reported():
        if passage:
            chosen = PASSAGE_HURST if hurst is None else (hurst,)
            typer.echo(passage_table(chosen, repeats=repeats).table())
        else:
            value = 0.7 if hurst is None else hurst
            typer.echo(generator_table(repeats=repeats, hurst=value).table())
            for row in davies_harte_shares(repeats=repeats, hurst=value):
                typer.echo(str(row))


@app.command("hurst", cls=OnceCommand)
def hurst_of_file(
    file: Annotated[str, typer.Argument(help=f"Series as {FORMATS}.")],
    kind: Annotated[str, _choice(KINDS, "What the file holds. ")],
    method: Annotated[str, _choice(ESTIMATORS)] = "whittle",
    null: Annotated[str, _choice((*NULLS, _NO_NULL), "Copies without memory behind p(no memory). ")] = "shuffle",
    interval: Annotated[str, _choice(INTERVALS, "What the interval allows for. ")] = "auto",
    column: Annotated[
        list[str] | None,
        typer.Option(help="Only these columns: names, or numbers from 1 (1,3 or 2:5). Repeatable.", metavar="LIST"),
    ] = None,
    skip: Annotated[int, _count("Lines to leave out at the top of a text file.")] = 0,
    decimal: Annotated[str | None, _choice(DECIMALS, "Decimal mark, told from the text if not given. ")] = None,
) -> None:
    """Hurst parameter of the series in a file, with its interval, whether it has memory and whether it is fGn."""
    with reported():
        copies = None if _checks.choice("null", null, (*NULLS, _NO_NULL)) == _NO_NULL else null
        series = read_series(file, columns=column or (), skip=skip, decimal=decimal, kind=kind)
        typer.echo("\n".join(_taken(file, series)))
        gaps = _checks.choice("method", method, ESTIMATORS) in _TAKE_GAPS and bool(np.isnan(series.values).any())
        policy = "gaps" if gaps else "omit_series"
        estimate = estimate_hurst(series.values, kind=kind, method=method, nan_policy=policy, null=copies,
                                  interval=interval, progress=sys.stderr.isatty())  # fmt: skip
        typer.echo("\n".join(_hurst_table(series, estimate)))
        status = int(np.any(estimate.omitted))
    raise typer.Exit(status)


def _taken(file: str, series: Series) -> list[str]:
    """What was read, and what was left out."""
    names = ", ".join(map(repr, series.names[:10])) + ", ..." * (len(series.names) > 10)
    head = f"read {file}: {series.values.shape[1]} values of {len(series.names)} series, {names}"
    return [head, *(f"  {note}" for note in series.notes)]


def _hurst_table(series: Series, estimate: HurstEstimate) -> list[str]:
    """One line per series, or why there is none, and what is odd about some."""
    low, high = estimate.confidence_interval(0.95)
    width = min(24, max(len("series"), *map(len, series.names)))
    lines = [f"{'series':<{width}}  hurst   95 % interval     sigma       p(no memory)  p(fGn)"]
    columns = (estimate.hurst, low, high, estimate.sigma, estimate.p_no_memory, estimate.p_fgn, estimate.omitted)
    rows = zip(series.names, *map(np.atleast_1d, columns), strict=True)
    for name, h, lo, hi, s, memory, fgn_like, omitted in rows:
        told = f"{h:.4f}  [{lo:.4f}, {hi:.4f}]  {s:<10.4g}  {memory:<12.3g}  {fgn_like:.3g}"
        lines.append(f"{name[:width]:<{width}}  {_LEFT_OUT if omitted else told}")
    notes = [f"{name}: {note}" for name, note in zip(series.names, np.atleast_1d(estimate.note), strict=True) if note]
    return lines + _hurst_footnotes(series, estimate) + notes


def _hurst_footnotes(series: Series, estimate: HurstEstimate) -> list[str]:
    """Which null stands behind p(no memory), and which intervals are wider than those of fGn."""
    meaning = {
        "shuffle": ["p(no memory): by shuffling, that the order of the increments does not matter"],
        "sign_flip": ["p(no memory): by flipping signs, that the signs of the increments are independent"],
        None: [],
    }[estimate.null_model]
    wide = [name for name, kind in zip(series.names, np.atleast_1d(estimate.interval), strict=True) if kind == "robust"]
    if not wide:
        return meaning
    clusters = "interval and p(fGn) allow for sizes that come in clusters or drift: " + ", ".join(wide)
    advice = ["clusters are found by shuffling too, without memory: take --null sign_flip"]
    return [*meaning, clusters, *(advice if estimate.null_model == "shuffle" else [])]


@app.command(cls=OnceCommand)
def sgd(
    out: Annotated[Path, typer.Option(help="Folder of runs, tables, figures; finished runs are kept.")] = Path("sgd"),
    group: Annotated[
        list[str] | None, typer.Option(help=f"Only these of: {', '.join(GROUPS)}. Repeatable.", metavar="LIST")
    ] = None,
    data: Annotated[str, _choice(DATA)] = "digits",
    samples: Annotated[
        int | None, typer.Option(parser=count, metavar="INTEGER", help="Synthetic samples.", show_default="2000")
    ] = None,
    seed: Seed = 0,
    quick: Annotated[bool, typer.Option("--quick", help="Two short runs a group, to try it.")] = False,
    escapes: Annotated[bool, typer.Option(help="Also compare escapes of SGD with the model fed by its noise.")] = True,
) -> None:
    """Gradient noise of small networks: four groups of runs, is there memory? And escape of SGD against the model."""
    status = 0
    with reported():
        if _checks.choice("data", data, DATA) != "synthetic":
            refuse_pair(f"--data {data}", {"--samples": samples}, "has its own size")
        shown: dict[str, Any] = {"data": data, "n_samples": 2000 if samples is None else samples, "seed": seed,
                                 "progress": sys.stderr.isatty()}  # fmt: skip
        study = sgd_study(out, groups=words(group or GROUPS), effort=QUICK if quick else None, **shown)
        status = _keep(study, out) or (0 if study.complete else INTERRUPTED)
        if study.complete and escapes and not status:
            size: dict[str, Any] = {"n_steps": 50, "n_replicas": 20, "n_paths": 2000} if quick else {}
            status = _keep(sgd_escape(**shown, **size), out)
    raise typer.Exit(status)


@app.command(cls=OnceCommand)
def theory() -> None:
    """Every formula as a Markdown table: what it gives, its status, where it holds, its measured error."""
    with reported():
        typer.echo(formulas_table())


def main() -> None:
    """Entry point of the ``fbmsde`` command."""
    with signals():
        app()
