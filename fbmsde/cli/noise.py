"""The option `--noise` of the sub-commands that take any noise."""

from __future__ import annotations

from typing import Annotated

import typer

from ..drivers.registry import NOISES

_HOW = f"as epoch:n_samples=1437,batch_size=128; + adds noises. One of {', '.join(NOISES)}."

Noise = Annotated[str | None, typer.Option("--noise", metavar="NAME:KEY=VALUE", help=f"Another noise, {_HOW}")]
OtherNoises = Annotated[
    list[str] | None,
    typer.Option("--noise", metavar="NAME:KEY=VALUE", help=f"A noise in place of --hurst, {_HOW} Repeatable."),
]
Noises = Annotated[
    list[str] | None,
    typer.Option("--noise", metavar="NAME:KEY=VALUE", help=f"A noise, {_HOW} Repeatable; five if none is given."),
]
