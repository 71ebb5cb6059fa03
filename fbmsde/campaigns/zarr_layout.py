"""What a store folder holds: groups and arrays of the Zarr v3 specification, one group for each problem.

All documents (`zarr.json`) of a problem follow from one `Card`, so that a lost or damaged one is written again. The
card is kept twice, in the problem's group and in the root's consolidated metadata, each time with a checksum.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from ..core.extras import optional
from ..core.states import BROKEN, CENSORED, LEFT, NO_LEVEL, UNRESOLVED
from ..core.types import AnyArray

Document = dict[str, object]

ROOT, RUNS, PARTS, FILE = "results.zarr", "runs", ".parts", "zarr.json"
LAYOUT = 1  # the number of this layout; another one is refused
NOT_RUN = 0  # the state of paths that no block has brought yet
MEANINGS = {NOT_RUN: "not_run", LEFT: "left", CENSORED: "censored", BROKEN: "broken", NO_LEVEL: "no_level",
            UNRESOLVED: "unresolved"}  # fmt: skip
UNIT = "unit of time of the equation"
_SUM = 4  # bytes of a checksum
_LONGEST = 120  # characters of a folder's name; a longer one is cut and told by its checksum
_UNSAFE = re.compile(r'[/\\:*?"<>|%\x00-\x1f\x7f]|^\.|^__|[. ]$')


def checksum(content: bytes) -> bytes:
    """The CRC-32C of bytes, four bytes, the smallest first. Raises ImportError without the extra `store`."""
    return int(optional("google_crc32c", "store").value(content)).to_bytes(4, "little")


def folder_name(name: str) -> str:
    """The name of a problem as that of a folder: what a file system or Zarr could refuse becomes `%` and its code.

    >>> folder_name("hurst=0.3"), folder_name("a/b"), folder_name("..")
    ('hurst=0.3', 'a%2Fb', '%2E%2E')
    """
    safe = _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), name)
    safe = {RUNS: "%72uns", FILE: "%7Aarr.json"}.get(safe, safe)
    if len(safe.encode()) <= _LONGEST:
        return safe
    return f"{safe.encode()[:_LONGEST].decode(errors='ignore')}%{checksum(name.encode()).hex()}"


class Column(NamedTuple):
    """One array of a problem, which is cut by blocks.

    width : the length of its second axis, None if it has one axis. by_path : one row a path, otherwise one a block.
    """

    name: str
    dtype: str
    width: int | None
    by_path: bool
    attributes: Mapping[str, object]

    @property
    def fill(self) -> float | int:
        """What stands where no block has been written."""
        return np.nan if self.dtype == "float64" else NOT_RUN

    def file(self, number: int) -> str:
        """The file of a block, below the folder of the array."""
        return f"c.{number}" if self.width is None else f"c.{number}.0"

    def shape(self, rows: int) -> tuple[int, ...]:
        """The shape of so many rows."""
        return (rows,) if self.width is None else (rows, self.width)

    def encode(self, values: AnyArray, rows: int) -> bytes:
        """The content of a file: the values, filled up to so many rows, and their checksum."""
        whole = np.full(self.shape(rows), self.fill, self._stored)
        whole[: len(values)] = np.asarray(values).reshape(self.shape(len(values)))
        content = whole.tobytes()
        return content + checksum(content)

    def decode(self, content: bytes, rows: int) -> AnyArray:
        """The values of a file's content; ValueError if it is damaged."""
        body = content[:-_SUM]
        if checksum(body) != content[-_SUM:]:
            raise ValueError("another checksum")
        return np.frombuffer(body, self._stored).reshape(self.shape(rows)).astype(self.dtype)

    def document(self, n_paths: int, block_paths: int) -> Document:
        """The `zarr.json` of the array."""
        rows, chunk = (n_paths, block_paths) if self.by_path else (-(-n_paths // block_paths), 1)
        second = [] if self.width is None else ["coordinate" if self.by_path else "contribution"]
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": list(self.shape(rows)),
            "data_type": self.dtype,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(self.shape(chunk))}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
            "fill_value": "NaN" if self.dtype == "float64" else NOT_RUN,
            "codecs": [self._bytes_codec, {"name": "crc32c"}],
            "attributes": self.attributes,
            "dimension_names": ["path" if self.by_path else "block", *second],
            "storage_transformers": [],
        }

    @property
    def _stored(self) -> np.dtype[np.generic]:
        """The type in the files, the smallest byte first."""
        return np.dtype(self.dtype).newbyteorder("<")

    @property
    def _bytes_codec(self) -> Document:
        """How numbers become bytes; single bytes have no order."""
        order: Document = {"configuration": {"endian": "little"}} if self.dtype == "float64" else {}
        return {"name": "bytes", **order}


@dataclass(frozen=True)
class Card:
    """What is written on the shelf of a problem.

    order : the place of the problem among those of the store. digest, problem : of the whole problem, and its
    parameters. provenance : versions, machine, and the certificate of the noise. sides : the names of the sides.
    budget : the names of the numbers of an error budget, none if the blocks have none.
    """

    name: str
    order: int
    digest: str
    version: str
    problem: Mapping[str, object]
    provenance: Mapping[str, object]
    sides: tuple[str, ...]
    n_positions: int
    dt: float
    horizon: float
    block_paths: int
    n_paths: int
    budget: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The arrays in the order in which those of a block are written: its state comes last and makes it count."""
        sides = {"flag_values": [*range(len(self.sides) + 1)],
                 "flag_meanings": " ".join(("none", *(side.replace(" ", "_") for side in self.sides)))}  # fmt: skip
        states = {"flag_values": [*MEANINGS], "flag_meanings": " ".join(MEANINGS.values())}
        place = {"units": "unit of the state", "long_name": "first point that was not inside, nan if none was"}
        found = [
            Column("time", "float64", None, True, {"units": UNIT, "long_name": "exit time; the horizon if censored"}),
            Column("side", "uint8", None, True, {"long_name": "side through which the path left", **sides}),
            Column("seconds", "float64", None, False, {"units": "s", "long_name": "time that the block took"}),
        ]
        if self.n_positions:
            found += [Column("place", "float64", self.n_positions if self.n_positions > 1 else None, True, place)]
        if self.budget:
            names: Document = {"long_name": "contributions to the error", "contributions": list(self.budget)}
            found += [Column("budget", "float64", len(self.budget), False, names)]
        return *found, Column("state", "uint8", None, True, {"long_name": "how the path ended", **states})

    def documents(self) -> dict[str, Document]:
        """The `zarr.json` of the group, under an empty name, and of its arrays."""
        arrays = {column.name: column.document(self.n_paths, self.block_paths) for column in self.columns}
        return {"": group(self.attributes()), **arrays}

    def attributes(self) -> Document:
        """The card as the attributes of the group, with a checksum over them."""
        plain: Document = json.loads(json.dumps(asdict(self)))
        return {**plain, "crc32c": _seal(plain)}

    @classmethod
    def read(cls, document: object) -> Self | None:
        """The card that a group's document holds; None if there is none, or a damaged one."""
        match document:
            case {"attributes": {"crc32c": seal, **held}}:
                plain = {field.name: held.get(field.name) for field in fields(cls)}
                if seal == _seal(plain):
                    return cls(**{name: tuple(x) if isinstance(x, list) else x for name, x in plain.items()})  # type: ignore[arg-type]
        return None


def _seal(plain: Mapping[str, object]) -> str:
    """The checksum of plain data, whatever the order of its keys."""
    return checksum(json.dumps(plain, sort_keys=True).encode()).hex()


def group(attributes: Mapping[str, object]) -> Document:
    """The document of a group."""
    return {"zarr_format": 3, "node_type": "group", "attributes": dict(attributes)}


def consolidated(attributes: Mapping[str, object], documents: Mapping[str, Document]) -> Document:
    """The root's document, with those of all groups and arrays below it by their paths."""
    inside = {"kind": "inline", "must_understand": False, "metadata": dict(documents)}
    return {**group(attributes), "consolidated_metadata": inside}


def read_json(path: Path) -> object:
    """The data of a JSON file; None if it is not there or damaged. OSError if the folder cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None
