"""`StoredCampaign`: what a store holds, read while another process may still write it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from ..core.files import write_text
from ..results.campaign import Summary
from ..results.passage_times import PassageTimes
from ..results.rare import RareEscape
from .campaign import loaded, unknown
from .report import FILES, Reported
from .rounds import Count, Precision
from .status import Stock, damage, runs_csv, runs_text, status_text
from .zarr_store import ZarrStore


class StoredCampaign(Mapping[str, PassageTimes | RareEscape], Reported):
    """The campaign in a folder: passage times by the name of the problem, and summaries. Nothing is changed there.

    While blocks are still being made, passage times are those of the blocks before the first gap, and summaries those
    of all blocks that are there.

    >>> import tempfile
    >>> from fbmsde import Campaign, FractionalNoise, Grid, PassageProblem, load, quadratic
    >>> problem = PassageProblem(quadratic(), FractionalNoise(0.3), 0.0, (-1.0, 1.0), horizon=20.0, seed=1,
    ...                          monitoring=Grid(0.01))
    >>> folder = tempfile.mkdtemp()
    >>> results = Campaign({"well": problem}, n_paths=500, store=folder).run()
    >>> type(load(folder)).__name__, load(folder)["well"].n_paths
    ('StoredCampaign', 500)
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._store = ZarrStore.reading(Path(folder))
        asked = cast(Mapping[str, Any], self._store.asked)
        self._paths: Mapping[str, int] = asked.get("problems", {})
        self._until = {name: Precision(**given) for name, given in asked.get("until", {}).items()}

    @property
    def summaries(self) -> list[Summary]:
        """What the blocks tell of each problem; damaged blocks are left out."""
        return [stock.summary for stock in self.stocks]

    @cached_property
    def stocks(self) -> list[Stock]:
        """What the store held of each problem when this was asked for first: every block is read and checked."""
        return [self._stock(name) for name in self]

    @property
    def status(self) -> str:
        """How far the campaign is, as text: each problem, then each run of a study that keeps its runs here."""
        damaged = [f"{name}: damaged metadata, so that its results cannot be read" for name in self._store.damaged]
        parts = (status_text(self.stocks, self._store.busy), runs_text(self._store.records()), "\n".join(damaged))
        return "\n\n".join(part for part in parts if part) or "nothing is there yet"

    @property
    def table(self) -> str:
        """The results as text: problems, then runs."""
        parts = (super().table if len(self) else "", runs_text(self._store.records()))
        return "\n\n".join(part for part in parts if part) or "nothing is there yet"

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write report.csv and report.png into an existing folder; where there are runs alone, report.csv."""
        if len(self) or not self._store.records():
            return super().save(folder)
        file = Path(folder) / FILES[0]
        write_text(file, runs_csv(self._store.records()))
        return [file]

    def _stock(self, name: str) -> Stock:
        shelf, until = self._store.kept(name), self._until.get(name, Precision())
        count, paths, damaged = Count(until.after, shelf.card.kind.removesuffix("s")), 0, []
        first, numbers = self._paths.get(name, shelf.n_paths), sorted(shelf.numbers())
        for number in numbers:
            try:
                block = shelf.get(number)
            except OSError:
                damaged.append(number)
                continue
            if paths < first < paths + block.n_paths:
                count.settle_with(block.head(first - paths))
            elif first <= paths:
                count.settle()
            count.add(count.n_blocks, block)
            paths += block.n_paths
        summary = count.summary(name, shelf.n_paths, until, sum(shelf.seconds().values()))
        asked = -(-shelf.n_paths // shelf.block_paths)
        note = " ".join(part for part in (summary.note, damage(damaged)) if part)
        return Stock(replace(summary, note=note), len(numbers) - len(damaged), asked)

    def __getitem__(self, name: str) -> PassageTimes | RareEscape:
        if name not in self:
            raise KeyError(unknown(name, self))
        shelf = self._store.kept(name)
        card = shelf.card
        return loaded(shelf, shelf.n_paths, {"problem": card.problem, "digest": card.digest, **card.provenance})

    def __contains__(self, name: object) -> bool:
        return name in self._store.names

    def __iter__(self) -> Iterator[str]:
        return iter(self._store.names)

    def __len__(self) -> int:
        return len(self._store.names)

    def __repr__(self) -> str:
        return f"StoredCampaign({len(self)} problems)"
