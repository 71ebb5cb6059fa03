"""The command line: ``fbmsde`` and its sub-commands."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from ..bench.generators import davies_harte_shares, generator_table
from ..bench.passage import HURST_VALUES as PASSAGE_HURST
from ..bench.passage import passage_table
from ..theory.registry import formulas_table
from . import escape, series, sgd  # noqa: F401 - their commands
from .common import _count, app
from .options import OnceCommand, reported, signals


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"fbmsde {__version__}")
        raise typer.Exit


VersionFlag = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")]


@app.callback()
def _common(version: VersionFlag = False) -> None:
    """Options before the sub-command."""


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


@app.command(cls=OnceCommand)
def theory() -> None:
    """Every formula as a Markdown table: what it gives, its status, where it holds, its measured error."""
    with reported():
        typer.echo(formulas_table())


def main() -> None:
    """Entry point of the ``fbmsde`` command."""
    with signals():
        app()
