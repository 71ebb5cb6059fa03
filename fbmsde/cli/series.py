"""The sub-commands `generate` and `hurst`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer

from ..core import checks
from ..core.files import replacing
from ..core.types import AnyArray
from ..drivers.registry import named_noise
from ..drivers.sample import METHODS, fbm, fgn, sample
from ..hurst.batch import KINDS, NanPolicy
from ..hurst.estimate import INTERVALS, HurstEstimate, estimate_hurst
from ..hurst.registry import ESTIMATORS, NULLS
from ..hurst.words import p_text
from ..io.series import DECIMALS, FORMATS, Series, read_series
from .common import Overwrite, Seed, _choice, _count, _refuse_earlier, app
from .noise import Noise
from .options import OnceCommand, as_options, refuse_pair, reported

PROCESSES = ("fgn", "fbm")
_TAKE_GAPS = [name for name, estimator in ESTIMATORS.items() if estimator.fit_gaps is not None][::-1]
_LEFT_OUT = f"left out: constant, or with gaps ({_TAKE_GAPS[0]} takes them)"

_NO_NULL = "none"


@app.command(cls=OnceCommand)
def generate(
    out: Annotated[Path, typer.Argument(help="File to write: .npy (n_paths, n) or .csv, a path a column.")],
    hurst: Annotated[float | None, typer.Option(help="Hurst parameter.", show_default="0.7")] = None,
    steps: Annotated[int, _count("Increments per path.")] = 1000,
    paths: Annotated[int, _count("Number of paths.")] = 1,
    kind: Annotated[str | None, _choice(PROCESSES, "Increments of unit step, or paths from 0. ", "fgn")] = None,
    horizon: Annotated[float | None, typer.Option(help="End time of the paths of fbm.", show_default="1.0")] = None,
    method: Annotated[str | None, _choice(METHODS, "", "davies_harte")] = None,
    noise: Noise = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Write fractional Gaussian noise, fractional Brownian motion or increments of another noise to a file."""
    with reported():
        wanted = _Wanted(hurst, kind, horizon, method)
        make = wanted.fractional() if noise is None else wanted.other(noise)
        if out.suffix not in (".npy", ".csv"):
            raise ValueError(f"out must end in .npy or .csv, got {out}.")
        _refuse_earlier(out.parent, (out.name,), overwrite)
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(out, overwrite=overwrite) as file:
            values = make(steps, paths, seed)
            if out.suffix == ".npy":
                np.save(file, values)
            else:
                columns = np.moveaxis(values, 0, 1).reshape(values.shape[1], -1)
                np.savetxt(file, columns, delimiter=",", fmt="%.17g")
        what = wanted.text if noise is None else f"increments of {noise}"
        typer.echo(f"wrote {out}: {what}, {paths} x {values.shape[1]}")


class _Wanted(NamedTuple):
    """The options of `generate` that say which process it is; None where one is not given."""

    hurst: float | None
    kind: str | None
    horizon: float | None
    method: str | None

    def fractional(self) -> Callable[[int, int, int], AnyArray]:
        """A function of steps, paths and seed that makes fractional noise or motion."""
        kind = "fgn" if self.kind is None else self.kind
        method = checks.choice("method", "davies_harte" if self.method is None else self.method, METHODS)
        hurst, bar = 0.7 if self.hurst is None else self.hurst, sys.stderr.isatty()
        if checks.choice("kind", kind, PROCESSES) == "fgn":
            refuse_pair("--kind fgn", {"--horizon": self.horizon}, "has steps of length 1")
            return lambda steps, paths, seed: fgn(hurst, steps, paths, method=method, seed=seed, progress=bar)
        end = 1.0 if self.horizon is None else self.horizon
        return lambda steps, paths, seed: fbm(hurst, steps, paths, horizon=end, method=method, seed=seed, progress=bar)

    def other(self, noise: str) -> Callable[[int, int, int], AnyArray]:
        """A function of steps, paths and seed that makes increments of the noise over steps of 1."""
        given = {f"--{name}": value for name, value in self._asdict().items()}
        refuse_pair("--noise", given, "says all of the process")
        driver, bar = named_noise(noise), sys.stderr.isatty()
        return lambda steps, paths, seed: sample(driver, steps, paths, seed=seed, progress=bar)

    @property
    def text(self) -> str:
        """Fractional noise or motion in words."""
        return f"{self.kind or 'fgn'} with H = {0.7 if self.hurst is None else self.hurst:g}"


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
    with reported(as_options):
        what, estimator = checks.choice("kind", kind, KINDS), checks.choice("method", method, ESTIMATORS)
        errors = checks.choice("interval", interval, INTERVALS)
        checks.choice("null", null, (*NULLS, _NO_NULL))
        copies = None if null == _NO_NULL else checks.choice("null", null, NULLS)
        mark = None if decimal is None else checks.choice("decimal", decimal, DECIMALS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the notes say the same
            series = read_series(file, column=column or (), skip=skip, decimal=mark, kind=what)
        typer.echo("\n".join(_taken(file, series)))
        gaps = method in _TAKE_GAPS and bool(np.isnan(series.values).any())
        policy: NanPolicy = "gaps" if gaps else "omit_series"
        estimate = estimate_hurst(series.values, kind=what, method=estimator, nan_policy=policy, null=copies,
                                  interval=errors, progress=sys.stderr.isatty())  # fmt: skip
        typer.echo(as_options("\n".join(_hurst_table(series, estimate))))
        status = int(np.any(estimate.omitted))
    raise typer.Exit(status)


def _taken(file: str, series: Series) -> list[str]:
    """What was read, what it looks like, and what was left out or is odd."""
    names = ", ".join(map(repr, series.names[:10])) + ", ..." * (len(series.names) > 10)
    missing = f", {series.n_missing} missing" if series.n_missing else ""
    head = f"read {file}: {series.values.shape[1]} values of {len(series.names)} series, {names}{missing}; "
    head += f"by their spectrum: {series.looks_text()}"
    return [head, *(f"  {note}" for note in series.notes if note not in series.doubts)]  # the estimate tells the doubts


def _hurst_table(series: Series, estimate: HurstEstimate) -> list[str]:
    """One line per series, or why there is none, and what is odd about some."""
    low, high = estimate.confidence_interval(0.95)
    width = min(24, max(len("series"), *map(len, series.names)))
    lines = [f"{'series':<{width}}  hurst   95 % interval     sigma       p(no memory)  p(fGn)"]
    columns = (estimate.hurst, low, high, estimate.sigma, estimate.p_no_memory, estimate.p_fgn, estimate.omitted)
    rows = zip(series.names, *map(np.atleast_1d, columns), strict=True)
    for name, h, lo, hi, s, memory, fgn_like, omitted in rows:
        told = f"{h:.4f}  [{lo:.4f}, {hi:.4f}]  {s:<10.4g}  {p_text(memory, estimate.p_floor):<12}  {p_text(fgn_like)}"
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
    advice = ["where sizes come in clusters, shuffling gives small p without memory: take --null sign_flip"]
    return [*meaning, clusters, *(advice if estimate.null_model == "shuffle" else [])]
