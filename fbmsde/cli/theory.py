"""The sub-command `theory`."""

from __future__ import annotations

import typer

from ..theory.registry import formulas_table
from .common import app
from .options import OnceCommand, reported


@app.command(cls=OnceCommand)
def theory() -> None:
    """Every formula as a Markdown table: what it gives, its status, where it holds, its measured error."""
    with reported():
        typer.echo(formulas_table())
