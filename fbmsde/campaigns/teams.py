"""Who runs the blocks: threads of this process, processes of this machine, or any executor of `concurrent.futures`."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple, Protocol, Unpack

import cloudpickle

from ..core import checks
from ..core.blocks import Stopped
from ..simulation.problem import RunOptions
from .base import Plan, Span
from .problems import Block, Problem, block_of

_FOREIGN = 64  # blocks that are handed at once to an executor that does not tell how many it runs


class Finished(NamedTuple):
    """A block that was run, the seconds that it took, and where."""

    block: Block
    seconds: float
    where: str


class Team(Protocol):
    """Runs blocks. `most` is the number of blocks that it should be given at once."""

    most: int
    tells: bool  # whether `report` is called while a block runs

    def submit(self, plan: Plan, span: Span, report: Callable[[int], object]) -> Future[Finished]:
        """Run a block; `report` may be called with numbers of paths newly finished."""

    def renew(self) -> bool:
        """Make good the loss of workers; False if that is not ours to do."""

    def stop(self) -> None:
        """Drop what is in flight, as soon as can be."""

    def close(self) -> None:
        """End."""


def run_span(problem: Problem, span: Span, **options: Unpack[RunOptions]) -> Finished:
    """Run the paths of a span."""
    begin = time.perf_counter()
    block = block_of(problem, span.n_paths, span.first, **options)
    where = f"{os.getpid()}:{threading.current_thread().name}"
    return Finished(block, time.perf_counter() - begin, where)


def run_packed(problem: bytes, first: int, n_paths: int) -> Finished:
    """Run a span of a pickled problem, in whatever process this is called."""
    return run_span(_unpacked(problem), Span(first, n_paths), n_jobs=1)


@lru_cache(maxsize=256)
def _unpacked(problem: bytes) -> Problem:
    """The problem of a pickle; the next block of the same problem finds it again."""
    found: Problem = pickle.loads(problem)
    return found


class Threads:
    """Threads of this process: kernels do not hold each other up."""

    tells = True

    def __init__(self, n_jobs: int | None) -> None:
        workers = checks.workers(n_jobs)
        self.most = workers + 1  # one waits, so that no thread does
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="fbmsde")

    def submit(self, plan: Plan, span: Span, report: Callable[[int], object]) -> Future[Finished]:
        """Run a block."""
        options = RunOptions(n_jobs=1, progress=report, stop=self._stopped.is_set)
        return self._pool.submit(run_span, plan.problem, span, **options)

    def renew(self) -> bool:
        """Threads are not lost."""
        return False

    def stop(self) -> None:
        """Let all kernels stop."""
        self._stopped.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """End the threads, which are idle."""
        self._pool.shutdown(wait=False)


class Foreign:
    """Any executor with the protocol of `concurrent.futures`. It is not shut down."""

    tells = False

    def __init__(self, executor: Executor, most: int) -> None:
        self.most = most
        self._executor = executor
        self._packed: dict[int, bytes] = {}

    def submit(self, plan: Plan, span: Span, report: Callable[[int], object]) -> Future[Finished]:
        """Run a block in the executor; the problem travels with it, functions and all."""
        packed = self._packed.get(id(plan.problem))
        if packed is None:
            packed = self._packed[id(plan.problem)] = cloudpickle.dumps(plan.problem)
        return self._executor.submit(run_packed, packed, *span)

    def renew(self) -> bool:
        """Workers of others are not ours to replace."""
        return False

    def stop(self) -> None:
        """Nothing more than that waiting blocks are cancelled, which the runner does."""

    def close(self) -> None:
        """The executor belongs to the caller."""


class Processes(Foreign):
    """Processes of this machine, which are started anew if they die."""

    def __init__(self, n_jobs: int | None) -> None:
        self._workers = checks.workers(n_jobs)
        super().__init__(self._pool(), 2 * self._workers)

    def _pool(self) -> ProcessPoolExecutor:
        self._others = set(multiprocessing.active_children())
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, context, initializer=_leave_interrupts_to_the_parent)

    def renew(self) -> bool:
        """New processes in place of those of a broken pool."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._pool()
        return True

    def stop(self) -> None:
        """Kill the processes."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - self._others:
            process.terminate()

    def close(self) -> None:
        """End the processes, which are idle."""
        self._executor.shutdown(wait=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def team_of(executor: Executor | str | None, n_jobs: int | None, in_flight: int | None) -> Team:
    """The team that an executor stands for: None and "threads", "processes", or an object of the protocol."""
    if in_flight is not None:
        checks.count("in_flight", in_flight)
    if executor is None or isinstance(executor, str):
        kinds: dict[str, Callable[[int | None], Team]] = {"threads": Threads, "processes": Processes}
        team = kinds[checks.choice("executor", executor or "threads", kinds)](n_jobs)
        team.most = in_flight or team.most
        return team
    if not (callable(getattr(executor, "submit", None)) and callable(getattr(executor, "shutdown", None))):
        raise TypeError(
            f"executor must be 'threads', 'processes' or an executor of concurrent.futures, got {executor!r}. "
            "Of a Dask client give client.get_executor()."
        )
    if n_jobs is not None:
        raise ValueError(f"n_jobs must be None beside an executor, which has its own workers, got {n_jobs}.")
    return Foreign(executor, in_flight or _FOREIGN)


__all__ = ["Finished", "Stopped", "Team", "run_packed", "run_span", "team_of"]
