"""Where results come from, as plain data, and how it is told of results that were joined."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Provenance = Mapping[str, object]

PATHS, PARTS, DIGEST = "paths", "parts", "digest"


def joined(parts: Sequence[Provenance | None]) -> Provenance | None:
    """Where results come from that were joined in this order; None if that is not known of all.

    The numbers of paths, ``[first, n_paths]`` for each run, are put together where all else is the same. Otherwise the
    different ones stand under "parts". Raises ValueError if one path of one problem is there twice, because results
    would then count it twice.

    >>> joined([{"seed": 1, "paths": [[0, 10]]}, {"seed": 1, "paths": [[10, 5]]}])
    {'seed': 1, 'paths': [[0, 15]]}
    """
    if any(part is None for part in parts):
        return None
    runs = [run for part in parts if part is not None for run in _runs(part)]
    _require_different(runs)
    groups: dict[str, tuple[dict[str, object], list[list[int]]]] = {}
    for run in runs:
        rest = {name: value for name, value in run.items() if name != PATHS}
        _, ranges = groups.setdefault(json.dumps(rest, sort_keys=True, default=str), (rest, []))
        ranges.extend(_ranges(run))
    found: list[dict[str, object]] = [
        rest | ({PATHS: _adjoined(ranges)} if ranges else {}) for rest, ranges in groups.values()
    ]
    return found[0] if len(found) == 1 else {PARTS: found}


def common_numbers(first: Provenance | None, second: Provenance | None) -> bool:
    """Whether some paths of two results of different problems have the same random numbers: one seed and one number.

    Raises ValueError for one path of one problem in both.

    >>> runs = [{"problem": {"seed": 1, "x0": x0}, "paths": [[first, 10]]} for x0, first in ((0, 0), (1, 5), (1, 10))]
    >>> common_numbers(runs[0], runs[1]), common_numbers(runs[0], runs[2])
    (True, False)
    """
    if first is None or second is None:
        return False
    _require_different([*_runs(first), *_runs(second)])
    return any(
        _seed(one) is not None and _seed(one) == _seed(other) and _overlap(one, other)
        for one in _runs(first)
        for other in _runs(second)
    )


def _seed(run: Provenance) -> object:
    """The seed of a run, None where it is not told."""
    problem = run.get("problem")
    return problem.get("seed") if isinstance(problem, Mapping) else None


def _overlap(one: Provenance, other: Provenance) -> bool:
    """Whether two runs have a path number in common."""
    return any(max(a, b) < min(a + n, b + m) for a, n in _ranges(one) for b, m in _ranges(other))


def path_numbers(provenance: Provenance | None, n_paths: int) -> NDArray[np.int64]:
    """The numbers of so many paths in their run, (n_paths,); 0, 1, ... where they come from several or are not known.

    >>> path_numbers({"paths": [[5, 2], [9, 1]]}, 3)
    array([5, 6, 9])
    """
    ranges = [] if provenance is None else _ranges(provenance)
    if sum(n for _, n in ranges) != n_paths:
        return np.arange(n_paths)
    return np.concatenate([np.arange(first, first + n) for first, n in ranges])


def _runs(provenance: Provenance) -> list[Provenance]:
    """The runs that were joined."""
    parts = provenance.get(PARTS)
    return list(parts) if isinstance(parts, list) else [provenance]


def _ranges(run: Provenance) -> list[list[int]]:
    """The ranges ``[first, n_paths]`` of a run."""
    ranges = run.get(PATHS)
    return [list(each) for each in ranges] if isinstance(ranges, list) else []


def _require_different(runs: Sequence[Provenance]) -> None:
    """ValueError with the number of the path if one path of one problem is there twice."""
    by_problem: dict[object, list[list[int]]] = {}
    for run in runs:
        if run.get(DIGEST) is not None:
            by_problem.setdefault(run[DIGEST], []).extend(_ranges(run))
    for ranges in by_problem.values():
        end = 0
        for first, n_paths in sorted(ranges):
            if first < end:
                raise ValueError(
                    f"parts must hold different paths, got path {first} of one problem and seed twice. "
                    "Take another seed, or first_path=, for the second run."
                )
            end = first + n_paths


def _adjoined(ranges: Sequence[Sequence[int]]) -> list[list[int]]:
    """The ranges in their order, with those in one that follow each other."""
    found: list[list[int]] = []
    for first, n_paths in ranges:
        if found and sum(found[-1]) == first:
            found[-1][1] += n_paths
        else:
            found.append([first, n_paths])
    return found
