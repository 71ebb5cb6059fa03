"""`ZarrStore`: the blocks of campaigns in a folder that xarray and every other reader of Zarr v3 can open."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Self

from .. import __version__
from ..core.extras import optional
from ..core.files import claimed, is_claimed
from ..rare.problem import RareProblem
from .base import Asked, Plan
from .differences import differences
from .problems import unit_of
from .zarr_catalogue import Catalogue, Keeper, Record
from .zarr_layout import ROOT, Card, Document, folder_name
from .zarr_shelf import StoredShelf, WritableShelf


class ZarrStore:
    """Keeps the blocks of campaigns in a folder, from which a campaign that was stopped or killed goes on.

    The folder holds `results.zarr`, which ``xarray.open_datatree(FOLDER / "results.zarr", engine="zarr")`` opens as
    one group for each problem: `time`, `state`, `side` and `place` of each path, `seconds` and (in continuous time) the
    error `budget` of each block. The group of a rare problem has a row for each replica: `probability`, `ancestors` and
    `expected_error` of each side, and the series `times`, `weights`, `levels`, `shares` and `acceptance`, filled up
    with nan. Attributes are the parameters, versions and machine. A block is there wholly or not at all, and each of
    its files has a checksum. In a `with` block the store belongs to this process alone; `reading` needs no claim.

    The constructor raises ImportError without the extra `store`. What writes raises OSError, with the number of blocks
    that are safe, if the disk is full or the folder cannot be written, and entering the `with` block raises ValueError
    if another process has the folder or something else has made it.

    >>> import tempfile
    >>> with ZarrStore(tempfile.mkdtemp()) as store:
    ...     store.keep("first", {"seed": 1}, {"accuracy": 0.5})
    ...     store.record("first", {"seed": 1})
    {'accuracy': 0.5}
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        optional("google_crc32c", "store")
        self.folder = Path(folder)
        self._opened: Keeper | None = None
        self._claim = ExitStack()

    def __str__(self) -> str:
        return str(self.folder)

    def __enter__(self) -> Self:
        """Claim the folder, and remove what an interrupted write has left in it."""
        with ExitStack() as claim:
            claim.enter_context(claimed(self.folder, "store"))
            keeper = Keeper(self.folder)
            with keeper.explained():
                keeper.files.clear()
            self._opened, self._claim = keeper, claim.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Give the folder back."""
        keeper, self._opened = self._keeper, None
        with self._claim:
            try:
                with keeper.explained():
                    keeper.write_root()
                    keeper.files.remove_parts()
            except OSError:
                if error[0] is None:  # otherwise what went wrong before is told
                    raise

    @staticmethod
    def reading(folder: str | os.PathLike[str]) -> StoreReader:
        """What a folder holds now, while another process may write it. Raises ValueError if there is no store."""
        return StoreReader(folder)

    def begin(self, asked: Asked) -> None:
        """Note what the campaign asks for now, plain JSON data, as attributes of the root."""
        self._keeper.contents.asked = asked
        with self._keeper.explained():
            self._keeper.write_root()

    def block_paths(self, name: str) -> int | None:
        """The number of paths in a block of a problem that the folder holds, None of one that it does not hold."""
        card = self._keeper.contents.cards.get(folder_name(name))
        return card.block_paths if card else None

    def shelf(self, plan: Plan) -> WritableShelf:
        """The shelf of a problem, made or opened, with room for all its paths.

        Documents that are damaged or missing are written again. Raises ValueError that shows the differences if the
        folder holds another problem under this name.
        """
        keeper, folder = self._keeper, folder_name(plan.name)
        held = keeper.contents.cards.get(folder)
        place = keeper.files.root / folder
        if held is None and any(place.glob("state/c.*")):
            raise ValueError(
                f"store must tell which problem its results belong to, got damaged metadata in {place}. Restore "
                "zarr.json there, remove this folder to run the problem again, or choose another store."
            )
        card = _card(plan, len(keeper.contents.cards)) if held is None else self._grown(held, plan)
        with keeper.explained():
            keeper.keep_card(folder, card)
        return WritableShelf(place, card, keeper)

    def record(self, name: str, settings: Mapping[str, object]) -> Document | None:
        """The record kept under a name, None if there is none; ValueError if other settings have made it."""
        held, asked = self._keeper.contents.records.get(folder_name(name)), _plain(settings)
        if held is not None and _text(held.settings) != _text(asked):
            raise ValueError(
                f"store must hold runs with the same settings, got others of {name!r} in {self.folder}: "
                f"{differences(held.settings, asked)}. Choose another folder."
            )
        return held.record if held else None

    def keep(self, name: str, settings: Mapping[str, object], record: Mapping[str, object]) -> None:
        """Keep a small record under a name with the settings that made it, both plain JSON data."""
        with self._keeper.explained():
            self._keeper.keep_record(folder_name(name), Record(name, _plain(settings), _plain(record)))

    @property
    def _keeper(self) -> Keeper:
        """What writes; ValueError outside a `with` block."""
        if self._opened is None:
            raise ValueError(f"store must be in use, got {self.folder} outside of `with`. Write `with store:` before.")
        return self._opened

    def _grown(self, held: Card, plan: Plan) -> Card:
        """The card of a problem that is there, with room for the paths of the plan; ValueError if it is another one."""
        if held.version != __version__:
            raise ValueError(
                f"store must hold results of this version of fbmsde, {__version__}, got {held.version} in "
                f"{self.folder}. Choose another folder."
            )
        if held.digest != plan.problem.digest():
            asked = _plain(plan.problem.description())
            found = differences(held.problem, asked) or "the content of its functions"
            raise ValueError(
                f"store must hold the same problem, got other parameters of {plan.name!r} in {self.folder}: {found}. "
                "Choose another folder."
            )
        if held.block_paths != plan.block_paths:
            raise ValueError(f"block_paths must be {held.block_paths} as in {self.folder}, got {plan.block_paths}.")
        return replace(held, n_paths=max(held.n_paths, plan.n_paths))


class StoreReader:
    """What a store folder holds, for status and reports. It writes nothing, and the folder may be read-only.

    Raises ValueError if the folder holds no store, and ImportError without the extra `store`.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        optional("google_crc32c", "store")
        self.folder = Path(folder)
        try:
            self._contents = Catalogue.of(self.folder)
        except OSError as error:
            raise ValueError(f"store must be a folder to read from, got {self.folder} ({error.strerror}).") from None
        if not (self._contents.cards or self._contents.records or self._contents.asked or self._contents.damaged):
            why = "in which there are none" if self.folder.is_dir() else "which is not there"
            raise ValueError(f"store must be a folder with results of a campaign, got {self.folder}, {why}.")
        self._by_name = {card.name: folder for folder, card in self._contents.cards.items()}

    @property
    def asked(self) -> Asked:
        """What the campaign was asked for last, empty if the file that tells it is damaged."""
        return self._contents.asked

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the problems, in the order in which they came into the store."""
        return tuple(card.name for card in sorted(self._contents.cards.values(), key=lambda card: card.order))

    @property
    def damaged(self) -> tuple[str, ...]:
        """The names of the folders whose metadata is damaged, so that their results cannot be read."""
        return tuple(self._contents.damaged)

    @property
    def busy(self) -> bool:
        """Whether a process has the store for itself, as far as this one may ask."""
        return is_claimed(self.folder)

    def kept(self, name: str) -> StoredShelf:
        """The blocks of one problem; ValueError if the store does not hold it."""
        if name not in self._by_name:
            raise ValueError(f"name must be one of {', '.join(self.names) or 'none'}, got {name!r}.")
        folder = self._by_name[name]
        return StoredShelf(self.folder / ROOT / folder, self._contents.cards[folder])

    def records(self) -> dict[str, Document]:
        """The small records by name."""
        return {record.name: record.record for record in self._contents.records.values()}


def _card(plan: Plan, order: int) -> Card:
    """The card of a problem that is new in the store."""
    problem = plan.problem
    return Card(
        name=plan.name,
        order=order,
        digest=problem.digest(),
        version=__version__,
        problem=_plain(problem.description()),
        provenance=_plain(problem.provenance()),
        sides=problem.names,
        n_positions=0 if isinstance(problem, RareProblem) else problem.n_positions,
        dt=problem.dt,
        horizon=problem.reached,
        block_paths=plan.block_paths,
        n_paths=plan.n_paths,
        kind=f"{unit_of(problem)}s",
    )


def _plain(values: Mapping[str, object]) -> Document:
    """The data as JSON gives it back: tuples as lists."""
    return dict(json.loads(json.dumps(dict(values))))


def _text(values: Mapping[str, object]) -> str:
    """The data as one text, whatever the order of its keys."""
    return json.dumps(values, sort_keys=True)
