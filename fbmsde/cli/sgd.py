"""The sub-command `sgd`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ..core import checks
from ..studies.sgd.escape import sgd_escape
from ..studies.sgd.memory import sgd_study
from ..studies.sgd.networks import DATA
from ..studies.sgd.runs import GROUPS, QUICK
from .common import Seed, _choice, _keep, app
from .options import INTERRUPTED, OnceCommand, count, refuse_pair, reported, words


@app.command(cls=OnceCommand)
def sgd(
    out: Annotated[Path, typer.Option(help="Folder of tables and figures.")] = Path("sgd"),
    store: Annotated[
        Path | None, typer.Option(help="Folder of the store of finished runs, which are kept.", show_default="--out")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(help=f"Only these of: {', '.join(GROUPS)}. Repeatable.", metavar="LIST")
    ] = None,
    data: Annotated[str, _choice(DATA)] = "digits",
    samples: Annotated[
        int | None, typer.Option(parser=count, metavar="INTEGER", help="Synthetic samples.", show_default="2000")
    ] = None,
    seed: Seed = 0,
    quick: Annotated[bool, typer.Option("--quick", help="Two short runs a group, to try it.")] = False,
    escapes: Annotated[bool, typer.Option(help="Also compare escapes of SGD with four models of its noise.")] = True,
) -> None:
    """Gradient noise of small networks: groups of runs, is there memory? And escape of SGD against four models."""
    status = 0
    with reported():
        if checks.choice("data", data, DATA) != "synthetic":
            refuse_pair(f"--data {data}", {"--samples": samples}, "has its own size")
        n_samples, progress = 2000 if samples is None else samples, sys.stderr.isatty()
        study = sgd_study(store or out, groups=words(group or GROUPS), data=data, n_samples=n_samples,
                          effort=QUICK if quick else None, seed=seed, progress=progress)  # fmt: skip
        out.mkdir(parents=True, exist_ok=True)
        status = _keep(study, out) or (0 if study.complete else INTERRUPTED)
        if study.complete and escapes and not status:
            run = partial(sgd_escape, n_steps=50, n_replicas=20, n_paths=2000) if quick else sgd_escape
            status = _keep(run(data=data, n_samples=n_samples, seed=seed, progress=progress), out)
    raise typer.Exit(status)
