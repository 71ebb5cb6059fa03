"""The sub-command `converge`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ..core.files import claimed
from ..studies.converge.study import FILES, InterruptedConvergeError, converge_study
from .common import Overwrite, Seed, _count, _keep, _refuse_earlier, app
from .noise import Noises, noises_of
from .options import INTERRUPTED, OnceCommand, reported


@app.command(cls=OnceCommand)
def converge(
    noise: Noises = None,
    noise_std: Annotated[float, typer.Option(help="Standard deviation of the gradient's noise.")] = 1.0,
    curvature: Annotated[float, typer.Option(help="Curvature of the parabola.")] = 1.0,
    x0: Annotated[float, typer.Option("--x0", help="Start in the parabola.")] = 3.0,
    learning_rate: Annotated[float, typer.Option(help="Learning rate of the loss curves.")] = 0.1,
    momentum: Annotated[float, typer.Option(help="Momentum of the second loss curve.")] = 0.9,
    steps: Annotated[int, _count("Steps of the loss curves and schedules.")] = 1600,
    paths: Annotated[int, _count("Chains per noise.")] = 2000,
    seed: Seed = 0,
    jobs: Annotated[int | None, _count("Threads, which do not change the result; all cores if not given.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for converge.csv, converge.json and converge.png.")] = Path(
        "converge"
    ),
    overwrite: Overwrite = False,
) -> None:
    """Loss of gradient descent against the step under noises of different memory, beside exact theory."""
    status = 0
    with reported():
        chosen = noises_of(noise) if noise else None
        run = partial(converge_study, chosen, noise_std=noise_std, curvature=curvature, x0=x0,
                      learning_rate=learning_rate, momentum=momentum, n_steps=steps, n_paths=paths, seed=seed,
                      n_jobs=jobs, progress=sys.stderr.isatty())  # fmt: skip
        with claimed(out):
            _refuse_earlier(out, FILES, overwrite)
            try:
                study = run()
            except InterruptedConvergeError as interruption:
                if not interruption.study.curves:
                    raise KeyboardInterrupt from None
                study, status = interruption.study, INTERRUPTED
            status = _keep(study, out, FILES) or status
    raise typer.Exit(status)
