"""What the sub-commands share: the app, lists of numbers, claims on files and folders, errors as one line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from typer.models import OptionInfo

from .options import EXIT_STATUSES, count

app = typer.Typer(
    help="Simulate stochastic differential equations driven by fractional Brownian motion.",
    epilog=EXIT_STATUSES,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _refuse_earlier(out: Path, names: tuple[str, ...], overwrite: bool) -> None:
    """Refuse a folder that holds earlier results."""
    held = [name for name in names if (out / name).exists()]
    if held and not overwrite:
        raise ValueError(f"out must not hold earlier results, got {out} with {', '.join(held)}. "
                         "Choose another place or add --overwrite.")  # fmt: skip


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


def _count(what: str) -> OptionInfo:
    """An option that takes a whole number."""
    option: OptionInfo = typer.Option(parser=count, metavar="INTEGER", help=what)
    return option
