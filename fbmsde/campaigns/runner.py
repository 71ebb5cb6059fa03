"""The run of a campaign: blocks go out to a team, come back in any order, and are kept one by one."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from pickle import PicklingError
from typing import NamedTuple

from .progress import Log, Progress
from .rounds import Track
from .teams import Finished, Stopped, Team

_LOOK = 0.5  # seconds between two looks at the clock while blocks run
_PATIENCE = 1.2  # seconds that blocks in flight have to come back after an interrupt
_ATTEMPTS = 3  # at a block whose worker fails
_OWN = (ValueError, TypeError, ArithmeticError, PicklingError)  # of a problem: the others go on without it
_FINAL = (ImportError, MemoryError, Stopped)  # would be raised again


class _Errand(NamedTuple):
    """A block on its way, and how often it was sent."""

    track: Track
    number: int
    attempt: int = 1


class Runner:
    """Runs the missing blocks of all problems, and further rounds of those that need them."""

    def __init__(self, tracks: Sequence[Track], team: Team, progress: Progress, log: Log) -> None:
        self._tracks, self._team, self._progress, self._log = tracks, team, progress, log
        self._waiting: deque[_Errand] = deque()
        self._flying: dict[Future[Finished], _Errand] = {}

    def run(self) -> None:
        """Run until every problem is done. An error or an interrupt drops what is in flight and is raised again."""
        try:
            for track in self._tracks:
                self._enqueue(track)
            while self._waiting or self._flying:
                self._hand_out()
                self._collect()
        except BaseException as error:
            self._drop()
            self._log.write("stopped", error=str(error) or type(error).__name__)
            raise

    def _enqueue(self, track: Track) -> None:
        """Let the missing blocks of a problem wait; where there are none, begin its next round."""
        while not (missing := track.missing()):
            before, found = track.paths_there, track.summary()
            more = track.advance()
            self._log.write("round", problem=found.name, paths=found.paths, relative_error=found.relative_error)
            if not more:
                return
            self._progress.grow(track.plan.n_paths - before, track.paths_there - before)
        self._waiting.extend(_Errand(track, number) for number in missing)

    def _hand_out(self) -> None:
        """Give the team as much as it should have."""
        while self._waiting and len(self._flying) < self._team.most:
            errand = self._waiting.popleft()
            plan = errand.track.plan
            try:
                future = self._team.submit(plan, plan.span(errand.number), self._progress.add)
            except Exception as error:  # the team broke since blocks were taken, or the problem cannot travel
                future = Future()
                future.set_exception(error)
            self._flying[future] = errand

    def _collect(self) -> None:
        """Wait for blocks and keep them."""
        done, _ = wait(list(self._flying), timeout=_LOOK, return_when=FIRST_COMPLETED)
        for future in done:
            if future in self._flying:  # those of a broken team are sent again
                self._take(future, self._flying.pop(future))
        self._progress.look()

    def _take(self, future: Future[Finished], errand: _Errand) -> None:
        """Keep the block of a future, or send it again."""
        error = None if future.cancelled() else future.exception()
        if errand.track.failure is not None and (future.cancelled() or error is not None):
            return
        if isinstance(error, _OWN):
            self._give_up(errand.track, error)
            return
        if future.cancelled() or error is not None:
            self._send_again(errand, error)
            return
        self._keep(errand, future.result())
        if errand.track.complete:
            self._enqueue(errand.track)

    def _keep(self, errand: _Errand, finished: Finished) -> None:
        """Put a block on the shelf."""
        track, number = errand.track, errand.number
        begin = time.perf_counter()
        track.put(number, finished.block, finished.seconds)
        n_paths = track.plan.span(number).n_paths
        self._progress.add(0 if self._team.tells else n_paths)
        self._log.write(
            "block", problem=track.plan.name, number=number, paths=n_paths, seconds=round(finished.seconds, 4),
            keeping=round(time.perf_counter() - begin, 4), where=finished.where,
        )  # fmt: skip

    def _give_up(self, track: Track, error: Exception) -> None:
        """Leave a problem that cannot be run."""
        track.failure = error
        self._waiting = deque(errand for errand in self._waiting if errand.track is not track)
        for future in [future for future, errand in self._flying.items() if errand.track is track]:
            future.cancel()
        self._log.write("failed", problem=track.plan.name, error=str(error))

    def _send_again(self, errand: _Errand, error: BaseException | None) -> None:
        """Send a block whose worker failed once more; raise what would be raised again, or was too often."""
        if isinstance(error, _FINAL) or errand.attempt >= _ATTEMPTS:
            raise error or RuntimeError(f"a block was cancelled {_ATTEMPTS} times")
        name, number = errand.track.plan.name, errand.number
        self._log.write("again", problem=name, number=number, error=repr(error), attempt=errand.attempt)
        lost = [errand]
        if isinstance(error, BrokenExecutor):
            if not self._team.renew():
                raise error
            whole = {future: other for future, other in self._flying.items() if _has_come(future)}
            lost += [other for future, other in self._flying.items() if future not in whole and not other.track.failure]
            self._flying = whole
        self._waiting.extendleft(again._replace(attempt=again.attempt + 1) for again in reversed(lost))

    def _drop(self) -> None:
        """Stop the team; keep the blocks that come back at once."""
        self._team.stop()
        begun = [future for future in self._flying if not future.cancel()]
        done, _ = wait(begun, timeout=_PATIENCE)
        for future in done:
            if _has_come(future):
                try:
                    self._keep(self._flying[future], future.result())
                except OSError:
                    return


def _has_come(future: Future[Finished]) -> bool:
    """Whether a block is there to be taken."""
    return future.done() and not future.cancelled() and future.exception() is None
