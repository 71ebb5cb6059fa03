"""Bars of runs: those of tqdm where somebody looks at them, and whole lines where standard error is a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

EVERY = 60.0  # seconds between two lines where there is no terminal
_UP = "\x1b[A"  # takes a terminal to the line above


def is_watched(stream: TextIO) -> bool:
    """Whether a stream shows a bar that is drawn anew in its place: a terminal or a notebook.

    >>> import io
    >>> is_watched(io.StringIO()) == ("ipykernel" in sys.modules)
    True
    """
    return stream.isatty() or "ipykernel" in sys.modules


def bar(steps: Iterable[Any] | None = None, **options: Any) -> tqdm[Any]:
    """A bar of tqdm with its arguments; where nobody watches standard error, a whole line of it each minute.

    >>> with bar(total=3, disable=True) as shown:
    ...     shown.update(3)
    """
    from tqdm.auto import tqdm as shown

    lines = {"file": _WholeLines(sys.stderr), "mininterval": EVERY, "maxinterval": EVERY, "delay": EVERY / 2.0}
    return shown(steps, **({} if is_watched(sys.stderr) else lines), **options)


@dataclass
class _WholeLines:
    """Writes each state of a bar as a line of its own, and nothing that clears or moves."""

    stream: TextIO

    def write(self, text: str) -> None:
        """Write what is to be read of a text."""
        told = text.replace(_UP, "").strip()
        if told:
            self.stream.write(f"{told}\n")

    def flush(self) -> None:
        """Show what was written."""
        self.stream.flush()
