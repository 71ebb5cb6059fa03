"""The command line: ``fbmsde``, its sub-commands and the files that they are in."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from .. import __version__
from .common import app
from .options import INTERRUPTED, TERMINATED, leave, reported, signals, without_kinds


class SubCommand(NamedTuple):
    """The file of this folder that a sub-command is in, and the first line of its help."""

    file: str
    help: str


COMMANDS = {
    "escape": SubCommand(
        "escape", "How long paths stay in a sharp and in a flat minimum, for each Hurst value or noise, against theory."
    ),
    "run": SubCommand(
        "campaign",
        "First-passage problems over a grid of parameters, from a file: resumed after a kill, until they are known.",
    ),
    "status": SubCommand(
        "campaign", "How far a campaign is, while it runs too: blocks, paths, estimates, time a block, damage."
    ),
    "report": SubCommand("campaign", "Table, report.csv and report.png of a campaign, while it runs too."),
    "generate": SubCommand(
        "series",
        "Write fractional Gaussian noise, fractional Brownian motion or increments of another noise to a file.",
    ),
    "hurst": SubCommand(
        "series",
        "Hurst parameter of the series in a file, with its interval, whether it has memory and whether it is fGn.",
    ),
    "sgd": SubCommand(
        "sgd",
        "Gradient noise of small networks: groups of runs, is there memory? And escape of SGD against four models.",
    ),
    "views": SubCommand(
        "views",
        "The same sharp and flat minimum under Brownian, fractional, stable and epoch noise: which empties first?",
    ),
    "converge": SubCommand(
        "converge",
        "Loss of gradient descent against the step under noises of different memory, beside exact theory.",
    ),
    "bench": SubCommand("bench", "CPU time of everything here beside the published packages that are installed."),
    "theory": SubCommand(
        "theory", "Every formula as a Markdown table: what it gives, its status, where it holds, its measured error."
    ),
    "cache": SubCommand("cache", "Where compiled code and fits are kept between runs, and how much there is."),
}


class LateGroup(TyperGroup):
    """Sub-commands that are imported when they are called; until then only their names and first lines are known."""

    def __init__(self, *, commands: Any = None, **options: Any) -> None:
        known: dict[str, Any] = {name: TyperCommand(name, help=command.help) for name, command in COMMANDS.items()}
        super().__init__(commands=known | dict(commands or {}), **options)

    def get_params(self, ctx: Any) -> list[Any]:
        """All parameters; flags among them show no kind of value."""
        return without_kinds(super().get_params(ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the file of the sub-command, then look it up as usual."""
        if args and args[0] in COMMANDS:
            with reported():
                import_module(f".{COMMANDS[args[0]].file}", __package__)
            self.commands.update(get_group(app).commands)
        return super().resolve_command(ctx, args)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"fbmsde {__version__}")
        raise typer.Exit


VersionFlag = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")]


@app.callback(cls=LateGroup)
def _common(version: VersionFlag = False) -> None:
    """Options before the sub-command."""


def main() -> None:
    """Entry point of the ``fbmsde`` command."""
    try:
        with signals():
            app()
    except SystemExit as end:
        if end.code in (INTERRUPTED, TERMINATED):
            leave(int(end.code))
        raise
