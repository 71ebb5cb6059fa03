"""The files of a store folder, each of which is written whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from .zarr_layout import FILE, PARTS, ROOT, Document


class StoreFiles:
    """Writes files below the root of a store.

    A file is begun in a folder of its own and then moved to its place in one step, so that no reader sees a part of it
    and what an interrupted write left is found in one place. Only the document of the root is waited for, until it is
    on disk: what a power failure takes of the others follows from it, and what it takes of blocks is found by their
    checksums and made again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / ROOT
        self._parts = folder / PARTS

    def clear(self) -> None:
        """Remove what interrupted writes have left, and make the root."""
        self.root.mkdir(exist_ok=True)
        shutil.rmtree(self._parts, ignore_errors=True)
        self._parts.mkdir(exist_ok=True)

    def remove_parts(self) -> None:
        """Remove the folder of unfinished files."""
        shutil.rmtree(self._parts, ignore_errors=True)

    def write(self, place: Path, content: bytes, lasting: bool = False) -> None:
        """Put a file in its place; `lasting` waits until its content is on disk."""
        part = self._parts / secrets.token_hex(8)
        try:
            with part.open("xb") as file:
                file.write(content)
                if lasting:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(part, place)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def write_document(self, place: Path, document: Document, lasting: bool = False) -> None:
        """Put the `zarr.json` of a group or an array in its place, unless it is there already."""
        content = json.dumps(document, ensure_ascii=False).encode()
        file = place / FILE
        try:
            if file.read_bytes() == content:
                return
        except FileNotFoundError:
            place.mkdir(parents=True, exist_ok=True)
        self.write(file, content, lasting)

    def write_group(self, place: Path, documents: Mapping[str, Document]) -> None:
        """Put the documents of a group and of its arrays in place; a new group appears in one step."""
        whole = place if place.exists() else self._parts / secrets.token_hex(8)
        whole.mkdir(exist_ok=True)
        for name, document in documents.items():
            self.write_document(whole / name, document)
        if whole != place:
            os.replace(whole, place)
