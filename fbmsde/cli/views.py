"""The sub-command `views`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ..core.files import claimed
from ..studies.views.study import FILES, InterruptedViewsError, views_study
from .common import Overwrite, Seed, _count, _keep, _refuse_earlier, app
from .noise import Noises, noises_of
from .options import INTERRUPTED, OnceCommand, reported


@app.command(cls=OnceCommand)
def views(
    noise: Noises = None,
    sharp: Annotated[float, typer.Option(help="Curvature of the sharp minimum.")] = 4.0,
    flat: Annotated[float, typer.Option(help="Curvature of the flat minimum.")] = 1.0,
    height: Annotated[float, typer.Option(help="Height of the rims above both minima.")] = 2.0,
    sigma: Annotated[float, typer.Option(help="Strength of the Brownian noise to which others are matched.")] = 1.0,
    dt: Annotated[float, typer.Option(help="Step of the chains, the learning rate.")] = 0.02,
    horizon: Annotated[float, typer.Option(help="Time after which a path is given up (censored).")] = 100_000.0,
    paths: Annotated[int, _count("Paths per noise and well.")] = 2000,
    seed: Seed = 0,
    jobs: Annotated[int | None, _count("Threads, which do not change the result; all cores if not given.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for views.csv, views.json and views.png.")] = Path("views"),
    overwrite: Overwrite = False,
) -> None:
    """The same sharp and flat minimum under Brownian, fractional, stable and epoch noise: which empties first?"""
    status = 0
    with reported():
        chosen = noises_of(noise) if noise else None
        run = partial(views_study, chosen, sharp=sharp, flat=flat, height=height, sigma=sigma, dt=dt, horizon=horizon,
                      n_paths=paths, seed=seed, n_jobs=jobs, progress=sys.stderr.isatty())  # fmt: skip
        with claimed(out):
            _refuse_earlier(out, FILES, overwrite)
            try:
                study = run()
            except InterruptedViewsError as interruption:
                if not interruption.study.rows:
                    raise KeyboardInterrupt from None
                study, status = interruption.study, INTERRUPTED
            status = _keep(study, out, FILES) or status
    raise typer.Exit(status)
