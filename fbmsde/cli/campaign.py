"""The sub-commands `run`, `status` and `report`: campaigns that are described in a file and kept in a store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ..campaigns.campaign import Campaign, CampaignResults, InterruptedCampaignError
from ..campaigns.config import Config, read_config
from ..campaigns.report import FILES
from ..campaigns.rounds import QUANTITIES, Precision
from ..campaigns.stored import StoredCampaign
from .common import Overwrite, _count, _keep, _refuse_earlier, app
from .options import INTERRUPTED, OnceCommand, checked_error, reported

_Out = Annotated[
    Path | None,
    typer.Option(help="Folder for report.csv and report.png; if not given the store, where they are made anew."),
]
_Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the store.", show_default=False)]


@app.command(cls=OnceCommand)
def run(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="What to run.", show_default=False)],
    store: Annotated[
        Path | None, typer.Option(help="Folder that keeps finished blocks; that of the file if not given.")
    ] = None,
    paths: Annotated[
        int | None, _count("Paths of each problem, or replicas of each rare one; those of the file if not given.")
    ] = None,
    jobs: Annotated[int | None, _count("Threads or processes, which do not change the result; all cores.")] = None,
    processes: Annotated[bool, typer.Option("--processes", help="Processes in place of threads.")] = False,
    until_relative_error: Annotated[
        float | None,
        typer.Option(help="Add paths until the 95 % interval of each problem has this half-width over its value."),
    ] = None,
    quantity: Annotated[
        str | None, typer.Option(help=f"Quantity of that interval: {', '.join(QUANTITIES)}.", show_default="exit_rate")
    ] = None,
    log: Annotated[Path | None, typer.Option(help="File to which events are added as lines of JSON.")] = None,
    out: _Out = None,
    overwrite: Overwrite = False,
) -> None:
    """First-passage problems over a grid of parameters, from a file: resumed after a kill, until they are known.

    With a table `rare` in the file the problems are rare escapes, and `replicas` stands there in place of `paths`.
    """
    status = 0
    with reported():
        asked = read_config(config)
        kept = store or asked.store
        if out is not None and out != kept:
            _refuse_earlier(out, FILES, overwrite, kept)
            out.mkdir(parents=True, exist_ok=True)
        n_paths, until = asked.n_paths if paths is None else paths, _precision(asked, until_relative_error, quantity)
        problems, block_paths = asked.problems(), asked.block_paths
        campaign = Campaign(problems, n_paths=n_paths, block_paths=block_paths, store=kept, until=until)
        try:
            found = campaign.run("processes" if processes else None, n_jobs=jobs, progress=True, log=log)
        except InterruptedCampaignError as interruption:
            typer.echo(interruption.results.table)
            typer.echo(str(interruption), err=True)
            raise typer.Exit(INTERRUPTED) from None
        status = _shown(found, out or kept) or _failed(found)
    raise typer.Exit(status)


def _precision(asked: Config, relative_error: float | None, quantity: str | None) -> Precision:
    """When there are paths enough: what the options say, and what the file says where they say nothing."""
    told = asked.until or Precision()
    given = checked_error(relative_error)
    error = told.relative_error if given is None else given
    return replace(told, relative_error=error, quantity=quantity or told.quantity)


def _shown(found: CampaignResults, folder: Path | None) -> int:
    """Write the files of a report where there is a folder for them, and print the table; the exit status."""
    if folder is None:
        typer.echo(found.table)
        typer.echo("nothing was kept: give --store DIR for the paths, or --out FOLDER for a report", err=True)
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    return _keep(found, folder, FILES)


def _failed(found: CampaignResults) -> int:
    """The exit status: 1 if a problem could not be run, if a path broke, or if an interval stayed too wide."""
    return int(bool(found.failures) or any(s.broken or not s.precise for s in found.summaries))


@app.command(cls=OnceCommand)
def status(folder: _Folder) -> None:
    """How far a campaign is, while it runs too: blocks, paths, estimates, time a block, damage."""
    with reported():
        typer.echo(StoredCampaign(folder).status)


@app.command(cls=OnceCommand)
def report(
    folder: _Folder,
    out: _Out = None,
    overwrite: Overwrite = False,
) -> None:
    """Table, report.csv and report.png of a campaign, while it runs too."""
    written = 0
    with reported():
        found, place = StoredCampaign(folder), out or folder
        if place != folder:
            _refuse_earlier(place, FILES, overwrite)
        place.mkdir(parents=True, exist_ok=True)
        written = _keep(found, place, FILES)
    raise typer.Exit(written)
