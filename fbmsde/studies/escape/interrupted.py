"""`InterruptedStudyError`: what was finished of a study when it was interrupted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class Noted(Protocol):
    """A row of a study."""

    @property
    def note(self) -> str:
        """What a reader must know about it."""


class Study(Protocol):
    """What the studies of escapes have in common."""

    @property
    def rows(self) -> Sequence[Noted]:
        """What was measured."""

    @property
    def table(self) -> str:
        """The results as text."""

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write the files of the study into a folder; their paths."""


class InterruptedStudyError(KeyboardInterrupt):
    """The study was interrupted; `study` holds the rows that were finished, and the message says what is safe."""

    def __init__(self, message: str, study: Study) -> None:
        super().__init__(message)
        self.study = study
