"""What a store folder knows of its problems and records: read from its documents, and written to them."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .zarr_files import StoreFiles
from .zarr_layout import FILE, LAYOUT, ROOT, RUNS, Card, Document, checksum, consolidated, group, read_json

_MARK = "fbmsde_store"
_PAUSE = 1.0  # seconds


@dataclass(frozen=True)
class Record:
    """A small result by name, with the settings that made it, both plain JSON data."""

    name: str
    settings: Document
    record: Document

    def document(self) -> Document:
        """The `zarr.json` of the group whose attributes are the record."""
        return group({**vars(self), "crc32c": self._seal()})

    def _seal(self) -> str:
        return checksum(json.dumps(vars(self), sort_keys=True).encode()).hex()

    @classmethod
    def read(cls, document: object) -> Record | None:
        """The record that a document holds; None if there is none, or a damaged one."""
        match document:
            case {"attributes": {"name": str(name), "settings": dict(settings), "record": dict(record), "crc32c": end}}:
                found = cls(name, settings, record)
                return found if end == found._seal() else None
        return None


@dataclass
class Catalogue:
    """What a store folder holds, by the names of its folders.

    asked : what the campaign was asked for last. cards, records : of the problems and of the small results.
    damaged : the names of folders whose documents tell nothing.
    """

    asked: Mapping[str, object] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> Catalogue:
        """The content of a folder, empty if there is no store. ValueError if something else has made it."""
        root = folder / ROOT
        whole = read_json(root / FILE)
        attributes, copies = _split(whole)
        if whole is not None and attributes.get(_MARK) != LAYOUT:
            raise ValueError(
                f"store must be a folder of campaigns of this version, got {folder}, whose {ROOT} was made by "
                "something else. Choose another folder."
            )
        asked = attributes.get("asked")
        found = cls(asked if isinstance(asked, dict) else {})
        for place in _folders(root):
            found._see(place, copies.get(place.name))
        for place in _folders(root / RUNS):
            copy = copies.get(f"{RUNS}/{place.name}")
            record = Record.read(read_json(place / FILE)) or Record.read(copy)
            if record is not None:
                found.records[place.name] = record
        return found

    def _see(self, place: Path, copy: object) -> None:
        """Take up the folder of a problem."""
        card = Card.read(read_json(place / FILE)) or Card.read(copy)
        if card is not None:
            self.cards[place.name] = card
        elif place.name != RUNS:
            self.damaged.append(place.name)

    def document(self) -> Document:
        """The document of the root, which tells all others too."""
        below: dict[str, Document] = {}
        for folder, card in self.cards.items():
            below |= {f"{folder}/{name}" if name else folder: found for name, found in card.documents().items()}
        if self.records:
            below[RUNS] = group({})
            below |= {f"{RUNS}/{folder}": record.document() for folder, record in self.records.items()}
        return consolidated({_MARK: LAYOUT, "asked": self.asked}, below)


class Keeper:
    """Writes the documents of a store folder. The root's, which tells all others, is written when blocks follow."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, StoreFiles(folder)
        self.contents = Catalogue.of(folder)
        self._behind = True  # whether the root's document may be older than the others
        self._written = -math.inf  # when it was written in this session with the shelves of blocks

    def keep_card(self, folder: str, card: Card) -> None:
        """Write the documents of a problem; those that are there already stay."""
        self.contents.cards[folder] = card
        self.files.write_group(self.files.root / folder, card.documents())
        self._behind = True

    def keep_record(self, folder: str, record: Record) -> None:
        """Write a record."""
        self.contents.records[folder] = record
        runs = self.files.root / RUNS
        self.files.write_document(runs, group({}))
        self.files.write_group(runs / folder, {"": record.document()})
        self.write_root()

    def write_root(self) -> None:
        """Write the root's document."""
        self.files.write_document(self.files.root, self.contents.document(), lasting=True)
        self._behind = False

    def follow(self) -> None:
        """Write the root's document if others have been written since, at most once a second as it may be long."""
        if self._behind and time.monotonic() - self._written >= _PAUSE:
            self.write_root()
            self._written = time.monotonic()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """OSError that tells what is safe, in place of one of the operating system."""
        try:
            yield
        except OSError as error:
            n_safe = sum(1 for _ in self.files.root.glob("*/state/c.*"))
            safe = "1 block is safe" if n_safe == 1 else f"{n_safe} blocks are safe"
            raise OSError(
                f"store must be a folder that can be written, got {self.folder} ({error.strerror or error}): {safe}. "
                "Run again to go on."
            ) from error


def _folders(place: Path) -> list[Path]:
    """The folders in a folder in the order of their names, none if it is not there."""
    try:
        return sorted(path for path in place.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []


def _split(whole: object) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """The attributes of the root's document, and the copies of all others in it."""
    match whole:
        case {"attributes": dict(attributes), "consolidated_metadata": {"metadata": dict(copies)}}:
            return attributes, copies
        case {"attributes": dict(attributes)}:
            return attributes, {}
    return {}, {}
