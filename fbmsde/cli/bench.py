"""The sub-command `bench`."""

from __future__ import annotations

from typing import Annotated

import typer

from ..bench.generators import davies_harte_shares, generator_table
from ..bench.passage import HURST_VALUES, passage_table
from .common import _count, app
from .options import OnceCommand, reported


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
            chosen = HURST_VALUES if hurst is None else (hurst,)
            typer.echo(passage_table(chosen, repeats=repeats).table())
        else:
            value = 0.7 if hurst is None else hurst
            typer.echo(generator_table(repeats=repeats, hurst=value).table())
            for row in davies_harte_shares(repeats=repeats, hurst=value):
                typer.echo(str(row))
