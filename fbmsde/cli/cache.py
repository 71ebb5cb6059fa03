"""The sub-command `cache`."""

from __future__ import annotations

from typing import Annotated

import typer

from ..core import cache as kept
from .common import app
from .options import OnceCommand, reported


@app.command(cls=OnceCommand)
def cache(clear: Annotated[bool, typer.Option("--clear", help="Delete all of it.")] = False) -> None:
    """Where compiled code and fits are kept between runs, and how much there is."""
    with reported():
        if clear:
            freed = kept.clear()
            if kept.size():
                raise PermissionError(f"the cache must be a folder whose files can be deleted, got {kept.folder()}.")
            typer.echo(f"deleted {_megabytes(freed)} of compiled code and results in {kept.folder()}")
        else:
            kernels, versions = len(kept.kernels()), len(kept.versions())
            typer.echo(f"{kept.folder()}")
            typer.echo(f"{kernels} kernels and {len(kept.results())} fits of noise, of {versions} "
                       f"version{'s' * (versions != 1)} of the sources, {_megabytes(kept.size())}")  # fmt: skip
            typer.echo(f"${kept.FOLDER_VARIABLE} chooses another place")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
