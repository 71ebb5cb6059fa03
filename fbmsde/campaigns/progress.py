"""What a campaign shows while it runs: one bar, or a line a minute where nobody looks, and a log of events."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from ..core.bars import EVERY, is_watched


class Progress:
    """One bar for a campaign; a line a minute on a stream that is no terminal; or a function of new paths.

    What is counted is called `unit`: "path", "replica", or "path or replica".

    Paths that were there before count as done, and not for the speed.
    """

    def __init__(
        self, shown: bool | Callable[[int], object], total: int, there: int, stream: TextIO | None = None, *,
        unit: str = "path",
    ):  # fmt: skip
        self.total, self.done, self._there = total, there, there
        self._unit = unit
        self._stream = stream or sys.stderr
        self._call = shown if callable(shown) else None
        self._begin = self._told = time.monotonic()
        self._lock = threading.Lock()
        self._bar = None
        self._lines = shown is True and not is_watched(self._stream)
        if shown is True and not self._lines:
            from tqdm.auto import tqdm

            self._bar = tqdm(total=total, initial=there, unit=unit, unit_scale=True, leave=False, file=self._stream)

    def add(self, newly: int) -> None:
        """So many paths more are finished. Threads may call it."""
        with self._lock:
            self.done += newly
            if self._bar is not None:
                self._bar.update(newly)
        if self._call is not None and newly > 0:
            self._call(newly)

    def grow(self, more: int, there: int) -> None:
        """So many paths more are asked for, of which so many are there; a short block that is to grow is taken out."""
        with self._lock:
            self.total += more
            self.done += there
            self._there += there
            if self._bar is not None:
                self._bar.total, self._bar.n = self.total, self.done
                self._bar.initial += there  # what the speed is counted from
                self._bar.last_print_n += there
                self._bar.refresh()

    def look(self) -> None:
        """Write a line if it is time for one."""
        if self._lines and time.monotonic() - self._told >= EVERY:
            self._told = time.monotonic()
            print(self.line(), file=self._stream, flush=True)

    def line(self) -> str:
        """What is done, how fast, and the time left.

        >>> Progress(False, 200, 100).line()
        '100 of 200 paths (50 %)'
        """
        plural = " or ".join(f"{unit}s" for unit in self._unit.split(" or "))
        share = f"{self.done} of {self.total} {plural} ({100 * self.done // max(self.total, 1)} %)"
        speed = (self.done - self._there) / max(time.monotonic() - self._begin, 1e-9)
        if speed <= 0.0:
            return share
        left = (self.total - self.done) / speed
        return f"{share}, {speed:.3g} {plural}/s, {_duration(left)} left"

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()


def _duration(seconds: float) -> str:
    """A time in words of two units.

    >>> _duration(3725.0), _duration(59.0)
    ('1 h 2 min', '59 s')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _plain(value: object) -> object:
    """The value, None in place of a number that JSON does not have."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Log:
    """Events as lines of JSON at the end of a file, with null for what is not known; without a file, nothing.

    >>> Log(None).write("begin", paths=10)
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._path = None if path is None else Path(path)
        if self._path is not None:
            try:
                with self._path.open("a"):
                    pass
            except OSError as error:
                raise OSError(f"log must be a file that can be written, got {path} ({error.strerror}).") from None

    def write(self, event: str, **fields: object) -> None:
        """One event with its fields. A log that cannot be written any more does not end the campaign."""
        if self._path is None:
            return
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            with self._path.open("a", encoding="utf-8") as file:
                told = {name: _plain(value) for name, value in fields.items()}
                file.write(json.dumps({"time": when, "event": event, **told}, default=str, allow_nan=False) + "\n")
        except OSError as error:
            self._path = None
            print(f"log: {error.strerror}; nothing more is logged", file=sys.stderr)
