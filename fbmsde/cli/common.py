"""What the sub-commands share: the app, kinds of options, and results that are kept and shown."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Protocol

import typer
from typer.models import OptionInfo

from .options import EXIT_STATUSES, INTERRUPTED, count

app = typer.Typer(
    help="Simulate stochastic differential equations driven by fractional Brownian motion.",
    epilog=EXIT_STATUSES,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _refuse_earlier(out: Path, names: tuple[str, ...], overwrite: bool, store: Path | None = None) -> None:
    """Refuse a folder that holds earlier results; with a store, tell that these can be made again from it."""
    held = [name for name in names if (out / name).exists()]
    if held and not overwrite:
        advice = "Choose another place or add --overwrite."
        if store is not None:
            advice = f"Add --overwrite to write them anew, for which nothing that {store} keeps is run again."
        found = ", ".join(str(out / name) for name in held)
        raise ValueError(f"out must not hold earlier results, got {found}. {advice}")


Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace earlier results.")]
Seed = Annotated[int, typer.Option(parser=count, metavar="INTEGER", help="Seed of all random numbers.")]


def _hursts(default: str) -> OptionInfo:
    """The option that takes lists of Hurst values; `default` is what the help shows for None."""
    option: OptionInfo = typer.Option(
        "--hurst",
        metavar="LIST",
        help="Hurst values: 0.3,0.5 or a range 0.3:0.7:0.1. Repeatable.",
        show_default=default,
    )
    return option


def _choice(names: Iterable[str], what: str = "", default: str | None = None) -> OptionInfo:
    """An option that takes one of the names, and completes them; `default` is what the help shows for None."""
    known = list(names)

    def complete(incomplete: str) -> list[str]:
        return [name for name in known if name.startswith(incomplete)]

    shown = True if default is None else default
    option: OptionInfo = typer.Option(
        help=f"{what}One of {', '.join(known)}.", autocompletion=complete, show_default=shown
    )
    return option


def _count(what: str, default: str | None = None) -> OptionInfo:
    """An option that takes a whole number; `default` is what the help shows for None."""
    shown = True if default is None else default
    option: OptionInfo = typer.Option(parser=count, metavar="INTEGER", help=what, show_default=shown)
    return option


class _Kept(Protocol):
    """A study as the commands keep it: files in a folder, and a table."""

    @property
    def table(self) -> str:
        """The results as text."""

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write the files of the study into a folder; their paths."""


def _keep(study: _Kept, out: Path, names: Sequence[str] = ()) -> int:
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
