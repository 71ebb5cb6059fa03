"""Runs with a bar say when they compile, so that nobody takes the wait for a run that stands still."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

from .bars import bar, is_watched
from .blocks import THREADS, is_compiling

_POLL = 0.2  # seconds between two looks
_LINE = "compiling (kept for the next time)"
_PATIENCE = 1.0  # seconds of compilation about which nothing is said

Asked = ParamSpec("Asked")
Result = TypeVar("Result")


def says_when_compiling(run: Callable[Asked, Result]) -> Callable[Asked, Result]:
    """Decorator of a function with the option `progress`: where it is True, a line tells of long compilation.

    >>> says_when_compiling(lambda progress=False: 1)(progress=True)
    1
    """

    @functools.wraps(run)
    def told(*args: Asked.args, **kwargs: Asked.kwargs) -> Result:
        with compilation_told() if kwargs.get("progress") is True else contextlib.nullcontext():
            return run(*args, **kwargs)

    return told


@contextlib.contextmanager
def compilation_told(patience: float = _PATIENCE) -> Iterator[None]:
    """Within it a line says "compiling" while this thread or one of a run's blocks compiles for longer than a second.

    It is a bar without numbers, so that it goes with the bar of the run, in terminals and in notebooks.
    """
    done, caller = threading.Event(), threading.current_thread()
    watcher = threading.Thread(target=_watch, args=(done, caller, patience), name="fbmsde-telling", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _watch(done: threading.Event, caller: threading.Thread, patience: float) -> None:
    """Show the line while there is compilation that has lasted for some seconds, until the run is done.

    Where nobody watches it is told once.
    """
    waited, is_told = 0.0, False
    with contextlib.ExitStack() as line:
        while not done.wait(_POLL):
            at_work = [caller, *(thread for thread in threading.enumerate() if thread.name.startswith(THREADS))]
            before, waited = waited, waited + _POLL if any(map(is_compiling, at_work)) else 0.0
            if before <= patience < waited:
                line.enter_context(_line(is_told))
                is_told = True
            elif waited == 0.0:
                line.close()


@contextlib.contextmanager
def _line(is_told: bool) -> Iterator[None]:
    """Within it the line is there; where nobody watches it is written down, unless that was done before."""
    if not is_watched(sys.stderr):
        if not is_told:
            print(_LINE, file=sys.stderr, flush=True)
        yield
        return
    with bar(bar_format="{desc}", desc=_LINE, leave=False):
        yield
