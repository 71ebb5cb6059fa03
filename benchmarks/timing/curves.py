"""How a curve of time and memory is measured, and its exponent."""

from __future__ import annotations

import ctypes
import math
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np

from .measure import Run
from .records import CurveFound

_SHORT = 0.02  # seconds that a measurement lasts at least
_PAGE = 4.0  # kB, the least that is told
_RACES = 5  # so many turns of a race by the clock for each turn of the suite
_LONG = 0.3  # seconds beyond which it is made once


class Curve(NamedTuple):
    """A curve: name, call, places, the work at a place with its pieces, whether it is a peer's or measured by the clock
    instead of CPU time, pairs (place, seconds) that were measured elsewhere, and what is to be known of it."""

    name: str
    call: str
    places: Sequence[float]
    make: Callable[..., tuple[Run, int]]
    peer: bool = False
    clock: bool = False
    stored: Sequence[tuple[float, float]] = ()
    note: str = ""


def fixed(run: Run, pieces: int) -> tuple[Run, int]:
    """Work that is one number, whatever its pieces."""
    return (lambda k: run(k) * 0.0 + 1.0), pieces


def traced(axis: str, curve: Curve, to_zero: bool, turns: int) -> CurveFound:
    """The seconds and megabytes of a curve at all its places; a place that fails ends it, and the note says why."""
    if curve.clock:
        return _raced(axis, curve, to_zero, turns)
    places, seconds, megabytes, note = [], [], [], curve.note
    for place, known in curve.stored:
        places.append(float(place))
        seconds.append(known)
    for place in curve.places:
        try:
            run, pieces = curve.make(place)
            seconds.append(_seconds(run, pieces, turns))
        except ModuleNotFoundError as error:
            note = f"{error.name}: not installed"
            break
        except Exception as error:  # of peers, and of versions that lack a call
            note = f"at {place:g}: {_fault(error)}"
            break
        places.append(float(place))
        megabytes.append(_megabytes(run, pieces))
    memory = tuple(megabytes) if len(megabytes) == len(places) else ()
    return CurveFound(
        axis, curve.name, curve.call, tuple(places), tuple(seconds), memory, exponent(places, seconds, to_zero),
        exponent(places, memory, to_zero), curve.peer, note,
    )  # fmt: skip


def exponent(places: Sequence[float], values: Sequence[float], to_zero: bool) -> float | None:
    """The slope of log value against log place over the half of the places at the end that counts, at least two.

    >>> exponent((1.0, 2.0, 4.0, 8.0), (9.0, 9.0, 1.0, 4.0), False)
    2.0
    """
    if len(values) < 2 or min(values) <= 0.0:
        return None
    half = max(2, (len(values) + 1) // 2)
    kept = slice(None, half) if to_zero else slice(-half, None)
    return round(float(np.polyfit(np.log(places[kept]), np.log(values[kept]), 1)[0]), 3) + 0.0


def _raced(axis: str, curve: Curve, to_zero: bool, turns: int) -> CurveFound:
    """A curve of seconds of the clock: all places take turns, and each has its least time.

    Other programs make a turn longer and never shorter, so that the least of many is the one that they left alone.
    """
    places = tuple(float(place) for place in curve.places)
    try:
        least, megabytes = _least(curve, turns)
    except Exception as error:  # of versions that lack a call
        return CurveFound(axis, curve.name, curve.call, (), (), (), None, None, curve.peer, _fault(error))
    return CurveFound(
        axis, curve.name, curve.call, places, least, megabytes, exponent(places, least, to_zero),
        exponent(places, megabytes, to_zero), curve.peer, curve.note,
    )  # fmt: skip


def _least(curve: Curve, turns: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The least seconds a number at each place of a curve, and the megabytes."""
    works = [curve.make(place) for place in curve.places]
    for run, pieces in works:
        run(pieces)
    least = [math.inf for _ in works]
    for _ in range(_RACES * turns):
        for i, (run, pieces) in enumerate(works):
            begin = time.perf_counter()
            numbers = run(pieces)
            least[i] = min(least[i], (time.perf_counter() - begin) / numbers)
    return tuple(least), tuple(_megabytes(run, pieces) for run, pieces in works)


def _fault(error: Exception) -> str:
    """What went wrong, in short."""
    return f"{type(error).__name__}: {str(error)[:120]}"


def _seconds(run: Run, pieces: int, turns: int) -> float:
    """The median of some turns of CPU seconds a number, after one that warms up."""
    run(pieces)
    begin = time.process_time()
    run(pieces)
    one = time.process_time() - begin
    calls, found = max(1, min(1000, int(_SHORT / max(one, 1e-6)))), []
    for _ in range(1 if one > _LONG else turns):
        begin, numbers = time.process_time(), 0.0
        for _ in range(calls):
            numbers += run(pieces)
        found.append((time.process_time() - begin) / numbers)
    return median(found)


def _megabytes(run: Run, pieces: int) -> float:
    """The largest memory that the work takes: what Python and NumPy ask for, or by how much the process grows if more.

    Compiled code of others asks without Python, and memory that the process kept from before is asked for without
    growth, so that neither number is enough alone.
    """
    tracemalloc.start()
    run(pieces)
    asked = tracemalloc.get_traced_memory()[1] / 1024.0
    tracemalloc.stop()
    return max(asked, _growth(run, pieces), _PAGE) / 1024.0


def _growth(run: Run, pieces: int) -> float:
    """By how many kB the resident memory grows at most; 0 where the system does not tell.

    Memory that was freed goes back to the system first, as far as it can.
    """
    if sys.platform != "linux":
        return 0.0
    try:
        ctypes.CDLL(None).malloc_trim(0)
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the peak begins anew
    except (AttributeError, OSError):
        return 0.0
    before = _status("VmRSS")
    run(pieces)
    return _status("VmHWM") - before


def _status(name: str) -> float:
    """A number of the state of this process, in kB."""
    with open("/proc/self/status") as file:
        return float(next(line.split()[1] for line in file if line.startswith(name + ":")))
