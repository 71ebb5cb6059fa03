"""The loop of splitting: lanes that follow a path again up to where it passes a level and leave it there."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit, typeof, types
from numpy.typing import NDArray

from ..core.compile import lasting_name, locked
from ..core.types import Array
from ..drivers.base import BLOCK, LANES, NOISE, Lanes
from ..drivers.branching import Branch
from ._climb import CLIMB, COUNTS, NOT_ARRIVED, NUMBERS, Ascent, Counts

_HIGHEST = -5e-324  # the highest score of a path that has not arrived
_NEVER = -(2**62)  # the age of a lane without a path
FRESH = -1  # the parent of a path that begins at the beginning


class Book(NamedTuple):
    """The paths of a splitting run, one a row: where each was left by its parent, and how it went on.

    numbers, words : what the driver's lane remembered at the branch, (n_rows, n_numbers) and (n_rows, n_words).
    points, ages, tops, arrivals : the state (n_rows, dim), the number of steps behind it, the running maximum of the
        score and the step of arrival, (n_rows,) each, at the branch.
    final_tops, final_arrivals : the same at the end of the path, which is its arrival or the horizon.
    """

    numbers: Array
    words: NDArray[np.uint64]
    points: Array
    ages: Counts
    tops: Array
    arrivals: Counts
    final_tops: Array
    final_arrivals: Counts

    @classmethod
    def blank(cls, n_rows: int, dim: int, n_numbers: int, n_words: int) -> Book:
        """A book of so many paths, none of which has begun."""
        remembered = np.zeros((n_rows, n_numbers)), np.zeros((n_rows, n_words), np.uint64)
        counts = (np.zeros(n_rows, np.int64) for _ in range(3))
        return cls(
            *remembered, np.zeros((n_rows, dim)), next(counts), np.zeros(n_rows), next(counts),
            np.zeros(n_rows), next(counts),
        )  # fmt: skip


class Tasks(NamedTuple):
    """Paths to be made, (n_tasks,) each.

    rows : where each is written.
    parents : the row of the path that it follows until its score first exceeds the level; FRESH for none.
    levels : the levels.
    generations : from the branch on it takes the random words of path `row` of this generation.
    """

    rows: Counts
    parents: Counts
    levels: Array
    generations: Counts


class _Crew(NamedTuple):
    """What each lane does, (LANES,) each: its task (or -1), how high it may score before it has to be looked at, and
    its path. Below 0 the mark is the level at which the path leaves its parent; without a parent it is `_HIGHEST`."""

    tasks: Counts
    marks: Array
    ages: Counts
    tops: Array
    arrivals: Counts
    x: Array


BOOK = typeof(Book.blank(1, 1, 1, 1))
TASKS = typeof(Tasks(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1), np.zeros(1, np.int64)))


@njit(error_model="numpy", nogil=True)
def _begin(
    start: Callable[..., None], load: Callable[..., None], data: tuple[object, ...], origin: Array, floor: float,
    book: Book, path: int, parent: int, crew: _Crew, lane: int,
) -> None:  # fmt: skip
    """Put the beginning of a path, or what its parent was at its own branch, into a lane."""
    if parent < 0:
        start(data, lane, path)
        crew.ages[lane], crew.tops[lane], crew.arrivals[lane] = 0, floor, NOT_ARRIVED
    else:
        load(data, lane, book.numbers[parent], book.words[parent])
        crew.ages[lane], crew.tops[lane] = book.ages[parent], book.tops[parent]
        crew.arrivals[lane] = book.arrivals[parent]
    for j in range(origin.size):
        crew.x[j, lane] = origin[j] if parent < 0 else book.points[parent, j]


@njit(error_model="numpy", nogil=True)
def _note_branch(
    save: Callable[..., None], data: tuple[object, ...], book: Book, row: int, crew: _Crew, lane: int
) -> None:  # fmt: skip
    """Write what a lane is to the book, as the branch of path `row`."""
    save(data, lane, book.numbers[row], book.words[row])
    book.ages[row], book.tops[row], book.arrivals[row] = crew.ages[lane], crew.tops[lane], crew.arrivals[lane]
    for j in range(crew.x.shape[0]):
        book.points[row, j] = crew.x[j, lane]


@njit(error_model="numpy", nogil=True)
def _goes_on(
    save: Callable[..., None], reseed: Callable[..., None], data: tuple[object, ...], n_steps: int,
    tasks: Tasks, book: Book, paths: Counts, crew: _Crew, lane: int,
) -> bool:  # fmt: skip
    """Let the path of a lane leave its parent if it is time to; True if it is to go on, False once it has ended."""
    task = crew.tasks[lane]
    if task < 0:
        return False
    row = tasks.rows[task]
    if crew.marks[lane] < _HIGHEST and not crew.tops[lane] <= crew.marks[lane]:
        reseed(data, lane, paths[row], tasks.generations[task])
        _note_branch(save, data, book, row, crew, lane)
        crew.marks[lane] = _HIGHEST
    if crew.tops[lane] < 0.0 and crew.arrivals[lane] == NOT_ARRIVED and crew.ages[lane] < n_steps:
        return True
    book.final_tops[row], book.final_arrivals[row] = crew.tops[lane], crew.arrivals[lane]
    crew.tasks[lane] = -1
    return False


def follow_branches(
    start: Callable[..., None], draw: Callable[..., None], data: tuple[object, ...], scale: float,
    save: Callable[..., None], load: Callable[..., None], reseed: Callable[..., None],
    climb: Callable[..., None], numbers: Array, origin: Array, floor: float, channels: int, n_steps: int,
    tasks: Tasks, book: Book, paths: Counts, control: Counts,
) -> None:  # fmt: skip
    """Make the paths of all tasks and write them to the book. A parent must not be the row of another task.

    Row r holds path ``paths[r]``. A path leaves its parent at the end of the block of steps in which the parent's
    score first exceeds the level: that is a stopping time. control[0] asks to stop; control[2] counts the steps that
    all paths together have made.
    """
    noise, upcoming, busy = np.zeros((channels, BLOCK, LANES)), 0, LANES
    doing, ages, arrivals = np.full(LANES, -1), np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    marks, tops, x = np.zeros(LANES), np.zeros(LANES), np.zeros((origin.size, LANES))
    crew = _Crew(doing, marks, ages, tops, arrivals, x)  # as one value it is slow to pass for each lane and block
    for lane in range(LANES):
        start(data, lane, 0)  # a lane without a task runs along unread
    while busy > 0 and control[0] == 0:
        for lane in range(LANES):
            if (tops[lane] <= marks[lane]) & (arrivals[lane] == NOT_ARRIVED) & (ages[lane] < n_steps):
                continue
            while not _goes_on(save, reseed, data, n_steps, tasks, book, paths, crew, lane):
                if upcoming == tasks.rows.size:
                    marks[lane], tops[lane], ages[lane], arrivals[lane] = np.inf, 0.0, _NEVER, NOT_ARRIVED
                    busy -= 1
                    break
                row, parent = tasks.rows[upcoming], tasks.parents[upcoming]
                _begin(start, load, data, origin, floor, book, paths[row], parent, crew, lane)
                if parent < 0:
                    _note_branch(save, data, book, row, crew, lane)
                marks[lane] = tasks.levels[upcoming] if parent >= 0 else _HIGHEST
                doing[lane] = upcoming
                upcoming += 1
        draw(data, noise)
        climb(numbers, scale, x, noise, ages, n_steps, tops, arrivals)
        control[2] += BLOCK * busy


def branch_paths(
    lanes: Lanes, branch: Branch, ascent: Ascent, n_steps: int, tasks: Tasks, book: Book, paths: Counts, control: Counts
) -> None:
    """Call `follow_branches`, compiled for the driver's type of data."""
    noise, copying = (lanes.start, lanes.draw, lanes.data, lanes.scale), (branch.save, branch.load, branch.reseed)
    _loop(lanes.kind)(*noise, *copying, *ascent, n_steps, tasks, book, paths, control)


@lru_cache(maxsize=64)
def _loop(data: types.Type) -> Callable[..., None]:
    """The loop for one type of a driver's data."""
    words = types.Array(types.uint64, 1, "C")
    start, draw = types.void(data, types.int64, types.int64), types.void(data, NOISE)
    copied, reseed = types.void(data, types.int64, NUMBERS, words), types.void(data, *[types.int64] * 3)
    signature = types.void(
        types.FunctionType(start), types.FunctionType(draw), data, types.float64,
        types.FunctionType(copied), types.FunctionType(copied), types.FunctionType(reseed),
        types.FunctionType(CLIMB), NUMBERS, NUMBERS, types.float64, *[types.int64] * 2, TASKS, BOOK, COUNTS,
        COUNTS,
    )  # fmt: skip
    loop: Callable[..., None] = locked(follow_branches, signature, lasting_name(follow_branches))
    return loop
