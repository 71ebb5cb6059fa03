"""Blocks of work on threads, with progress, and stopped at once by an interrupt: the one pool of the package."""

from __future__ import annotations

import contextlib
import ctypes
import math
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bars import bar

THREADS = "fbmsde-block-"  # how the names of the threads of a run begin
_POLL = 0.1  # seconds between two looks at the progress of the threads
_INSIST = 0.02  # seconds between two requests to end
_PATIENCE = 0.3  # seconds that an interrupt is held up by threads that do not end

_APART = 16  # integers of 8 bytes: two lines of the cache, which processors fetch in pairs
_AT_ONCE = 2**22  # numbers that a kernel works through in some hundredths of a second
_ALONE = 2**20  # so many take milliseconds; an interrupt can wait for them even if each costs a hundred times more


def short_ranges(n_items: int, numbers: int) -> Iterator[tuple[int, int]]:
    """Ranges of items of so many numbers each, for kernel calls so short that one can stop between two of them."""
    at_once = max(1, _AT_ONCE // numbers)
    for first in range(0, n_items, at_once):
        yield first, min(first + at_once, n_items)


def counters(n_blocks: int, columns: int = 2) -> NDArray[np.int64]:
    """Zeros (n_blocks, columns) for the `control` of `run_blocks`, or for what else the blocks of a run count.

    Rows are 128 bytes apart, because threads that write into one line of the cache would wait for each other.

    >>> counters(3).shape
    (3, 2)
    """
    return np.zeros((n_blocks, _APART), np.int64)[:, :columns]


class Stopped(Exception):
    """A run was asked to stop before its end. What it had not returned is lost."""


class _Stop(SystemExit):
    """Raised inside of a thread that is to end; one that comes late ends the thread in silence."""


def run_blocks(
    work: Callable[[int], None],
    threads: int,
    control: NDArray[np.int64],
    total: int,
    progress: Any,
    unit: str = "path",
    stop: Callable[[], bool] | None = None,
    numbers: float = math.inf,
) -> None:
    """Call ``work(i)`` for each row i of `control` (n_blocks, 2) on the threads.

    Kernels add to ``control[i, 1]`` what they have finished, of `total`, and stop when ``control[i, 0]`` is set. An
    exception in a block or an interrupt sets it for all and ends the threads: at once between two lines of Python, and
    after the call where they are in a library, in a kernel without `control`, or compiling. `progress`: True for a bar
    that counts `unit`, or a function of the number newly finished. `stop` is asked about every tenth of a second; once
    it returns True the threads end as on an interrupt, and `Stopped` is raised.

    `numbers` is the size of the whole work, if it costs about as much as they are. A single thread is not worth its
    start if there are so few that an interrupt can wait for them: the caller then does the blocks itself.
    """
    if numbers <= _ALONE and min(threads, len(control)) == 1:
        with _reporting(progress, total, unit) as report:
            for i in range(len(control)):
                work(i)
                if control[i, 1] > 0:
                    report(int(control[i, 1]))
        return
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for i in range(len(control)):
        waiting.put(i)
    results: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    team = [
        threading.Thread(target=_labour, args=(work, waiting, results), name=f"{THREADS}{i}")
        for i in range(min(threads, len(control)))
    ]
    with _reporting(progress, total, unit) as report:
        try:
            for thread in team:
                thread.start()
            _watch(results, len(team), control, report, stop)
        except BaseException:
            control[:, 0] = 1
            _dismiss([thread for thread in team if thread.ident], _PATIENCE)
            raise
    for thread in team:
        thread.join()


@contextlib.contextmanager
def _reporting(progress: Any, total: int, unit: str) -> Iterator[Callable[[int], Any]]:
    """What is to be called with the number newly finished: that of a bar, the caller's function, or nothing."""
    if progress is True:
        with bar(total=total, unit=unit, leave=False) as shown:
            yield shown.update
    else:
        yield progress if callable(progress) else lambda newly: None


def _labour(
    work: Callable[[int], None], waiting: queue.SimpleQueue[int], results: queue.SimpleQueue[BaseException | None]
) -> None:
    """What a thread does: blocks until there are none left, telling in the end that they are done, or why not.

    It does not tell of each block, for which the caller would wake up and take the interpreter from the threads.
    """
    try:
        while True:
            work(waiting.get_nowait())
    except queue.Empty:
        results.put(None)
    except BaseException as error:
        results.put(error)


def _watch(
    results: queue.SimpleQueue[BaseException | None],
    n_threads: int,
    control: NDArray[np.int64],
    report: Callable[[int], Any],
    stop: Callable[[], bool] | None,
) -> None:
    """Report progress until all blocks are done; raise what one of them has raised, or Stopped when asked to stop."""
    told, done, next_look = 0, 0, 0.0
    while done < n_threads:
        with contextlib.suppress(queue.Empty):
            error = results.get(timeout=_POLL)
            done += 1
            if error is not None:
                raise error
        if done == n_threads or time.monotonic() >= next_look:
            finished, next_look = int(control[:, 1].sum()), time.monotonic() + _POLL
            if finished > told:
                report(finished - told)
            told = finished
            if done < n_threads and stop is not None and stop():
                raise Stopped("the run was asked to stop before its end.")


def _dismiss(team: list[threading.Thread], patience: float) -> None:
    """End the threads by an exception inside of them; what takes longer than `patience` is left to a thread of its own.

    Kernels that look at `control` have a moment to end by themselves. A thread that compiles is let finish first: a
    compiler that is torn out of its work may keep its lock.
    """
    deadline = time.monotonic() + patience
    while team := [thread for thread in team if thread.is_alive()]:
        team[0].join(_INSIST)
        if time.monotonic() > deadline:
            threading.Thread(target=_dismiss, args=(team, math.inf), name="fbmsde-end").start()
            return
        for thread in team:
            if thread.is_alive() and not is_compiling(thread):
                identity = ctypes.c_ulong(thread.ident or 0)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(_Stop))


def is_compiling(thread: threading.Thread) -> bool:
    """True while a function of the compiler is at work in the thread."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(("numba.", "llvmlite.")):
            return True
        frame = frame.f_back
    return False
