"""The option `--noise` of the sub-commands that take any noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ..drivers.base import Driver
from ..drivers.registry import NOISES, named_noise

_HOW = f"as stable:alpha=1.5; + adds noises, as white+stable:alpha=1.5. One of {', '.join(NOISES)}."

Noise = Annotated[str | None, typer.Option("--noise", metavar="NAME:KEY=VALUE", help=f"Another noise, {_HOW}")]
OtherNoises = Annotated[
    list[str] | None,
    typer.Option("--noise", metavar="NAME:KEY=VALUE", help=f"A noise in place of --hurst, {_HOW} Repeatable."),
]
Noises = Annotated[
    list[str] | None,
    typer.Option(
        "--noise",
        metavar="NAME:KEY=VALUE",
        help=f"A noise, {_HOW} Its strength is set by the study. Repeatable; five if none is given.",
    ),
]


def noises_of(specs: Sequence[str]) -> dict[str, Driver]:
    """The noises that were asked for, by what was written; ValueError for one that was given twice."""
    for spec in specs:
        if specs.count(spec) > 1:
            raise ValueError(f"noise must be given once, got {spec!r} twice.")
    return {spec: named_noise(spec) for spec in specs}
