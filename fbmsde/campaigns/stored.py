"""`StoredCampaign`: what a store holds, read while another process may still write it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from ..core import checks
from ..results.campaign import Summary
from ..results.passage_times import PassageTimes
from .base import Reading
from .campaign import loaded
from .rounds import Count, Precision
from .zarr_store import ZarrStore


class StoredCampaign(Mapping[str, PassageTimes]):
    """The campaign in a folder: passage times by the name of the problem, and summaries. Nothing is changed there.

    While blocks are still being made, passage times are those of the blocks before the first gap, and summaries those
    of all blocks that are there.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._store: Reading = ZarrStore.reading(Path(folder))
        asked = cast(Mapping[str, Any], self._store.asked)
        self._paths: Mapping[str, int] = asked.get("problems", {})
        self._until = {name: Precision(**given) for name, given in asked.get("until", {}).items()}

    @property
    def summaries(self) -> list[Summary]:
        """What the blocks tell of each problem."""
        return [self._summary(name) for name in self]

    def _summary(self, name: str) -> Summary:
        shelf, until = self._store.kept(name), self._until.get(name, Precision())
        count = Count(until.after)
        first = self._paths.get(name, shelf.n_paths)
        paths = 0
        for place, (number, n_paths) in enumerate(sorted(shelf.finished(check=False).items())):
            if paths >= first:
                count.settle()
            count.add(place, shelf.get(number))
            paths += n_paths
        return count.summary(name, shelf.n_paths, until, sum(shelf.seconds().values()))

    def __getitem__(self, name: str) -> PassageTimes:
        shelf = self._store.kept(checks.choice("name", name, self._store.names))
        return loaded(shelf, shelf.n_paths)

    def __iter__(self) -> Iterator[str]:
        return iter(self._store.names)

    def __len__(self) -> int:
        return len(self._store.names)

    def __repr__(self) -> str:
        return f"StoredCampaign({len(self)} problems)"
