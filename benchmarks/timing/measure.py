"""How work is timed: contestants in turn, CPU time of the whole process, beside a calibration kernel."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import metadata
from statistics import median
from typing import NamedTuple

import numpy as np

from .records import Cost, PeerFound, RowFound

Run = Callable[[int], float]  # does so many pieces of work, and returns how many numbers they were made of
Make = Callable[[], Run]  # prepares what is prepared once

_ROWS, _COLUMNS, _PASSES = 64, 1024, 8


class Peer(NamedTuple):
    """A package that does the same work: its name, what is called, what is to be known of its numbers, and how many
    pieces it does in a turn if that matters, as to a loop over steps that takes all paths at once."""

    package: str
    call: str
    make: Make
    note: str = ""
    pieces: int | None = None


class Stored(NamedTuple):
    """A number of others that cannot be measured here, in the unit of the row, and where it is from."""

    package: str
    call: str
    cost: float
    note: str


class Row(NamedTuple):
    """A row of the tables: what is timed, its unit and the unit's parts in a second, our call, and pieces of a turn."""

    name: str
    shape: str
    unit: str
    per_second: float
    call: str
    make: Make
    pieces: int
    peers: tuple[Peer, ...] = ()
    stored: tuple[Stored, ...] = ()


class Settings(NamedTuple):
    """How often the contestants take turns, how many seconds a turn of a peer takes at most, unless one piece takes
    longer, which share of the pieces is done, and whether peers take part. We do all pieces, whatever they take."""

    turns: int = 5
    longest: float = 0.12
    share: float = 1.0
    peers: bool = True


class _Ready(NamedTuple):
    """A contestant that is prepared: its work, and how many pieces it does in a turn."""

    run: Run
    pieces: int


def repeated(call: Callable[[], object], numbers: float = 1.0) -> Run:
    """Work whose pieces are calls, each of so many numbers."""

    def run(pieces: int) -> float:
        for _ in range(pieces):
            call()
        return pieces * numbers

    return run


def batches(call: Callable[[int], object], numbers: float = 1.0) -> Run:
    """Work whose pieces are the paths, or series, of one call, each of so many numbers."""

    def run(pieces: int) -> float:
        call(pieces)
        return pieces * numbers

    return run


def calibrate() -> float:
    """Nanoseconds a number of the calibration kernel: normals, their Fourier transforms and running sums, by NumPy.

    It has the mixture of the work that is timed, and nothing of this package.
    """
    generator, block = np.random.default_rng(0), np.empty((_ROWS, _COLUMNS))
    begin = time.process_time()
    for _ in range(_PASSES):
        generator.standard_normal(out=block)
        np.cumsum(np.fft.irfft(np.fft.rfft(block, axis=1), axis=1), axis=1, out=block)
        np.sqrt(np.abs(block), out=block)
    return (time.process_time() - begin) / (_PASSES * block.size) * 1e9


def measured(part: str, row: Row, settings: Settings) -> RowFound:
    """The costs of a row, ours and those of its peers, in turns beside the calibration kernel."""
    blank = RowFound(part, row.name, row.shape, row.unit, row.call, None, None, (), "")
    pieces = max(1, round(row.pieces * settings.share))
    try:
        ours = _Ready(row.make(), pieces)
        ours.run(1)
    except (AttributeError, ImportError, TypeError, ValueError) as error:  # the suite runs older versions as well
        return replace(blank, note=f"not in this version: {error}")
    peers = row.peers if settings.peers else ()
    entrants, refused = _entrants(peers, pieces, settings)
    costs: dict[str, list[float]] = {"": [], "calibration": [], **{call: [] for call in entrants}}
    for _ in range(settings.turns):
        costs["calibration"].append(calibrate())
        for call, entrant in {"": ours, **entrants}.items():
            costs[call].append(_cost(entrant) * row.per_second)
    calibrated = [a / b * 1e9 / row.per_second for a, b in zip(costs[""], costs["calibration"], strict=True)]
    found = [_found(peer, costs, refused) for peer in peers]
    return RowFound(part, row.name, row.shape, row.unit, row.call, Cost.of(costs[""]), Cost.of(calibrated),
                    (*found, *(_known(each, costs[""]) for each in row.stored)), "")  # fmt: skip


def _entrants(peers: Sequence[Peer], pieces: int, settings: Settings) -> tuple[dict[str, _Ready], dict[str, str]]:
    """The peers that are ready, by their calls, and why others are not."""
    entrants, refused = {}, {}
    for peer in peers:
        try:
            entrants[peer.call] = _ready(peer, pieces, settings)
        except ModuleNotFoundError:
            refused[peer.call] = "not installed"
        except Exception as error:  # a peer may fail in any way, and that is its number
            refused[peer.call] = f"fails: {type(error).__name__}: {str(error).splitlines()[0][:120]}"
    return entrants, refused


def _ready(peer: Peer, pieces: int, settings: Settings) -> _Ready:
    """A peer, warmed up, with as many pieces in a turn as fit."""
    run = peer.make()
    run(1)
    if peer.pieces is not None:
        return _Ready(run, max(1, round(peer.pieces * settings.share)))
    one = _seconds(run, 1)
    few = max(1, min(pieces, 64, int(settings.longest / max(one, 1e-7))))
    many = _seconds(run, few) / few if few > 1 else one
    return _Ready(run, max(1, min(pieces, int(settings.longest / max(many, 1e-9)))))


def _seconds(run: Run, pieces: int) -> float:
    """CPU seconds of all threads of the process."""
    begin = time.process_time()
    run(pieces)
    return time.process_time() - begin


def _cost(entrant: _Ready) -> float:
    """CPU seconds a number."""
    begin = time.process_time()
    numbers = entrant.run(entrant.pieces)
    return (time.process_time() - begin) / numbers


def _found(peer: Peer, costs: dict[str, list[float]], refused: dict[str, str]) -> PeerFound:
    """What came of a peer."""
    if peer.call in refused:
        note = "; ".join(text for text in (refused[peer.call], peer.note) if text)
        return PeerFound(peer.package, _version(peer.package), peer.call, None, None, note)
    ratio = median(theirs / ours for theirs, ours in zip(costs[peer.call], costs[""], strict=True))
    return PeerFound(peer.package, _version(peer.package), peer.call, Cost.of(costs[peer.call]), ratio, peer.note)


def _known(stored: Stored, ours: list[float]) -> PeerFound:
    """A number that is not measured here."""
    cost = Cost(stored.cost, stored.cost, stored.cost, 0.0)
    return PeerFound(stored.package, "", stored.call, cost, stored.cost / median(ours), stored.note)


def _version(package: str) -> str:
    """The version that is installed, or nothing."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
