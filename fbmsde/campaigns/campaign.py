"""`Campaign`: many problems, cut into blocks, run on any executor, kept in a store, resumed after a kill."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from pathlib import Path

from ..core import checks
from ..core.show import line
from ..core.telling import says_when_compiling
from ..rare.problem import RareProblem
from ..results.campaign import Summary
from ..results.passage_times import PassageTimes
from ..results.provenance import Provenance
from ..results.rare import RareEscape
from ..simulation.ended import Ended
from ..simulation.passage_problem import PassageProblem
from .base import Blocks, MemoryStore, Plan, Store
from .problems import Block, Problem, fewest_of, most_of, size_of, unit_of
from .progress import Log, Progress
from .replicas import ReplicaBlock, joined_replicas
from .report import Reported
from .rounds import Precision, Track
from .runner import Runner
from .teams import team_of
from .zarr_store import ZarrStore

_WRITE = "Write {'name': PassageProblem(...)} or {'name': RareProblem(...)}."


class InterruptedCampaignError(KeyboardInterrupt):
    """A campaign was interrupted; the message says what is safe, and `results` holds it.

    >>> from fbmsde import Campaign
    >>> def run(campaign: Campaign) -> CampaignResults:
    ...     try:
    ...         return campaign.run()
    ...     except InterruptedCampaignError as stopped:
    ...         return stopped.results
    """

    def __init__(self, message: str, results: CampaignResults) -> None:
        super().__init__(message)
        self.results = results


class CampaignResults(Mapping[str, PassageTimes | RareEscape], Reported):
    """What a campaign has found, by the name of the problem and read from the store when asked for: passage times, and
    of a rare problem the `RareEscape` of its replicas.

    ``results.summaries`` are made from sums over blocks of paths, so that they ask for no memory, and from
    all replicas. A problem one of whose paths
    left the finite numbers raises PathError when its passage times are asked for, which then holds them. One that could
    not be run raises then what its blocks raised, and the `note` of its summary says it.

    >>> from fbmsde import Campaign, FractionalNoise, Grid, PassageProblem, quadratic
    >>> problem = PassageProblem(quadratic(), FractionalNoise(0.3), 0.0, (-1.0, 1.0), horizon=20.0, seed=1,
    ...                          monitoring=Grid(0.01))
    >>> results = Campaign({"well": problem}, n_paths=500).run()
    >>> list(results), results["well"].n_paths
    (['well'], 500)
    """

    def __init__(self, tracks: Mapping[str, Track]) -> None:
        self._tracks = dict(tracks)

    @property
    def summaries(self) -> list[Summary]:
        """What the blocks tell of each problem."""
        return [track.summary() for track in self._tracks.values()]

    @property
    def failures(self) -> dict[str, Exception]:
        """Why problems could not be run, by name."""
        return {name: track.failure for name, track in self._tracks.items() if track.failure is not None}

    def __getitem__(self, name: str) -> PassageTimes | RareEscape:
        if name not in self._tracks:
            raise KeyError(unknown(name, self._tracks))
        track = self._tracks[name]
        if track.failure is not None:
            raise track.failure
        problem, n_paths = track.plan.problem, track.plan.n_paths
        return loaded(track.shelf, n_paths, {} if isinstance(problem, RareProblem) else problem.origin(n_paths))

    def __contains__(self, name: object) -> bool:
        return name in self._tracks

    def __iter__(self) -> Iterator[str]:
        return iter(self._tracks)

    def __len__(self) -> int:
        return len(self._tracks)

    def __repr__(self) -> str:
        parts = [summary.brief() for summary in self.summaries]
        return line(type(self).__name__, [f"{len(parts)} problem{'s' * (len(parts) != 1)}", *parts])


def unknown(name: object, known: Iterable[str]) -> str:
    """What is wrong with a name of no problem.

    >>> unknown("a", ["b", "c"])
    "name must be one of b, c, got 'a'."
    """
    return f"name must be one of {', '.join(known)}, got {name!r}."


def loaded(shelf: Blocks, n_paths: int, origin: Provenance) -> PassageTimes | RareEscape:
    """The passage times of the first paths of a shelf, as far as blocks are there without a gap, and their origin.

    Replicas of a rare problem give its `RareEscape`.
    """
    there, size = shelf.finished(check=False), shelf.block_paths
    parts: list[Block] = []
    for first in range(0, n_paths, size):
        number = first // size
        if number not in there or (parts and parts[-1].n_paths < size):  # a short block that is to grow ends them
            break
        parts.append(shelf.get(number).head(min(size, n_paths - first)))
    if not parts:
        raise ValueError("store must hold the first block of a problem to give its results, got none yet.")
    replicas = [part for part in parts if isinstance(part, ReplicaBlock)]
    if replicas:
        return joined_replicas(replicas)
    whole = Ended.concat([part for part in parts if isinstance(part, Ended)])
    return whole.passages({**origin, "paths": [[0, whole.n_paths]]})


class Campaign:
    """First-passage problems and rare escapes under names, cut into blocks that can be run anywhere and are kept.

    problems : the problems by name, each a `PassageProblem` or a `RareProblem`, whose replicas are counted where
        others have paths.
    n_paths : the number of paths of each problem, or of each by name; of a `RareProblem` that of replicas, 2 or more.
    block_paths : the paths of a block, None for a hundredth of `n_paths` between 1000 and 100000. A block should take
        seconds. A store keeps the size that it began with. A replica is a block of its own.
    store : a folder to keep finished blocks in, which asks for ``pip install "fbmsde[store]"``; None keeps them in
        memory. The same campaign run again goes on where it stopped, and with more paths it runs the missing blocks
        alone. A store refuses other parameters and shows the difference.
    until : a `Precision` that adds rounds of blocks until each problem is known well enough; or one for some of them by
        name.

    Results do not depend on the executor, the number of workers, or the order in which blocks come back, to the bit.

    >>> from fbmsde import FractionalNoise, Grid, PassageProblem, quadratic
    >>> wells = {f"curvature {a:g}": PassageProblem(quadratic(a), FractionalNoise(0.3), 0.0, (-1.0, 1.0), horizon=20.0,
    ...                                             seed=1, monitoring=Grid(0.01)) for a in (1.0, 2.0)}
    >>> results = Campaign(wells, n_paths=2000).run()
    >>> [(name, passages.n_paths) for name, passages in results.items()]
    [('curvature 1', 2000), ('curvature 2', 2000)]
    """

    def __init__(
        self,
        problems: Mapping[str, Problem],
        *,
        n_paths: int | Mapping[str, int],
        block_paths: int | None = None,
        store: Store | str | os.PathLike[str] | None = None,
        until: Precision | Mapping[str, Precision] | None = None,
    ) -> None:
        self.problems = _named(problems)
        self.n_paths = _counts(n_paths, self.problems)
        self.block_paths = None if block_paths is None else checks.count("block_paths", block_paths)
        if block_paths is not None and self._unit == "replica":
            raise ValueError(f"block_paths must be left out where a block is a replica, got {block_paths}.")
        self.until = _precisions(until, self.problems)
        self.store = _store(store)

    def __repr__(self) -> str:
        place = "" if isinstance(self.store, MemoryStore) else f", store={str(self.store)!r}"
        return f"Campaign({len(self.problems)} problems{place})"

    @says_when_compiling
    def run(
        self,
        executor: Executor | str | None = None,
        *,
        n_jobs: int | None = None,
        in_flight: int | None = None,
        progress: bool | Callable[[int], object] = False,
        log: str | os.PathLike[str] | None = None,
    ) -> CampaignResults:
        """Run what is missing.

        executor : "threads", the default; "processes", for which a script must call this below
            ``if __name__ == "__main__":``; or any executor of `concurrent.futures`, such as
            ``client.get_executor()`` of Dask, that of ``mpi4py.futures`` or that of ``loky``. It is not shut down.
        n_jobs : the number of threads or processes, None for all cores.
        in_flight : how many blocks are handed out at once; None for as many as keep everybody busy.
        progress : True for a bar, or for a line a minute where standard error is no terminal; or a function of the
            number of paths newly finished.
        log : a file to which events are appended as lines of JSON.

        A problem that cannot be run does not stop the others; if none can be, the error of the first one is raised.
        Raises `InterruptedCampaignError` on Ctrl-C, and ValueError where the store holds another problem.
        """
        notes, team = Log(log), team_of(executor, n_jobs, in_flight)
        with self.store as store:
            tracks = {name: Track(plan, store, self.until[name]) for name, plan in self._plans(store).items()}
            store.begin(self._asked())  # not before: a campaign that is refused leaves what was asked before it
            total, there = (sum(getattr(t, n) for t in tracks.values()) for n in ("paths_asked", "paths_there"))
            bar = Progress(progress, total, there, unit=self._unit)
            notes.write("begin", problems=len(tracks), paths=total, there=there, executor=executor or "threads")
            try:
                Runner(list(tracks.values()), team, bar, notes).run()
            except KeyboardInterrupt:
                raise InterruptedCampaignError(self._safe(tracks), CampaignResults(tracks)) from None
            finally:
                bar.close()
            team.close()
            notes.write("end")
        results = CampaignResults(tracks)
        if len(failures := list(results.failures.values())) == len(tracks):
            raise failures[0]
        return results

    def _plans(self, store: Store) -> dict[str, Plan]:
        """The problems cut into blocks, of the size that the store has if it knows them."""
        plans = {}
        for name, problem in self.problems.items():
            n_paths = self.n_paths[name]
            size = size_of(problem, n_paths, self.block_paths)
            known = store.block_paths(name)
            if self.block_paths is not None and known not in (None, size):
                raise ValueError(f"block_paths must be that of the store, {known}, got {size}. Leave it out.")
            plans[name] = Plan(name, problem, n_paths, known or size)
        return plans

    @property
    def _unit(self) -> str:
        """What the blocks of all problems are made of."""
        return " or ".join(sorted({unit_of(problem) for problem in self.problems.values()}))

    def _asked(self) -> dict[str, object]:
        """What is asked for, as plain data."""
        until = {name: dict(vars(precision)) for name, precision in self.until.items()}
        return {"problems": dict(self.n_paths), "until": until}

    def _safe(self, tracks: Mapping[str, Track]) -> str:
        """What is kept after an interrupt."""
        there = sum(track.plan.n_blocks - len(track.missing()) for track in tracks.values())
        total = sum(track.plan.n_blocks for track in tracks.values())
        kept = f"{there} of {total} blocks are "
        if isinstance(self.store, MemoryStore):
            return f"interrupted: {kept}done. Give a store to keep them."
        return f"interrupted: {kept}safe in {self.store}. Run the same again to go on."


def _named(problems: Mapping[str, Problem]) -> dict[str, Problem]:
    """The problems; ValueError for none, TypeError for what is no problem or no name."""
    checks.kind("problems", problems, Mapping, _WRITE)
    if not problems:
        raise ValueError("problems must hold at least one problem, got none.")
    for name, problem in problems.items():
        checks.kind("problems", name, str, "Its keys are the names of the problems.")
        if not name or any("\ud800" <= letter <= "\udfff" for letter in name):
            raise ValueError(f"problems must have names that can be written, got {name!r}. Give another name.")
        if not isinstance(problem, RareProblem):
            checks.kind("problems", problem, PassageProblem, _WRITE)
        checks.positive("horizon", problem.reached)  # refuses a monitoring that looks at all paths at once
    return dict(problems)


def _counts(n_paths: int | Mapping[str, int], problems: Mapping[str, Problem]) -> dict[str, int]:
    """The number of paths of each problem."""
    given = n_paths if isinstance(n_paths, Mapping) else dict.fromkeys(problems, checks.count("n_paths", n_paths))
    if set(given) != set(problems):
        raise ValueError(f"n_paths must have the names of the problems, got {', '.join(given) or 'none'}.")
    counts = {name: checks.count(f"n_paths[{name!r}]", given[name], fewest_of(each)) for name, each in problems.items()}
    for name, problem in problems.items():
        most = most_of(problem)
        if counts[name] > most:
            raise ValueError(f"n_paths must be at most the {most} starts of problem {name!r}, got {counts[name]}.")
    return counts


def _precisions(
    until: Precision | Mapping[str, Precision] | None, problems: Mapping[str, Problem]
) -> dict[str, Precision]:
    """When there are paths enough of each problem."""
    given = until if isinstance(until, Mapping) else dict.fromkeys(problems, until or Precision())
    if others := [str(name) for name in given if name not in problems]:
        raise ValueError(f"until must have names of problems, got {', '.join(others)}.")
    for precision in given.values():
        checks.kind("until", precision, Precision, "Write Precision(0.01).")
    return {name: given.get(name, Precision()) for name in problems}


def _store(given: Store | str | os.PathLike[str] | None) -> Store:
    """The store that is meant: memory, a folder, or an object."""
    if given is None:
        return MemoryStore()
    if isinstance(given, (str, os.PathLike)):
        return ZarrStore(Path(given))
    return checks.kind("store", given, Store, "Give a folder.")
