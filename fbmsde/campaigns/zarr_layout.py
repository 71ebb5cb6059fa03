"""What a store folder holds: groups and arrays of the Zarr v3 specification, one group for each problem.

All documents (`zarr.json`) of a problem follow from one `Card`, so that a lost or damaged one is written again. The
card is kept twice, in the problem's group and in the root's consolidated metadata, each time with a checksum.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, Self

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
NUMBERS = {
    "probability": "estimated probability to leave by the side",
    "ancestors": "number of first paths from which those that arrived descend",
    "expected_error": "relative standard error that the replica expects of itself",
}  # of each replica and side
SERIES = {
    "times": "exit times of the paths that arrived",
    "weights": "weights of these paths",
    "levels": "levels that were passed",
    "shares": "share of paths that passed each level",
    "acceptance": "share of moves that were accepted at each level",
}  # of each replica and side
_PIECE = 1024  # values of a series in a file
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

    rows : what its first axis counts: "path" or "replica", of which a block has several, or "block".
    tail, axes : the lengths of its other axes and what they count.
    piece : the length of the pieces into which the last axis is cut, each in a file; None if it is not cut. Then a
        block has as many of them as its values fill, and the array `length` tells how many values there are.
    """

    name: str
    dtype: str
    rows: str
    attributes: Mapping[str, object]
    tail: tuple[int, ...] = ()
    axes: tuple[str, ...] = ()
    piece: int | None = None

    @property
    def fill(self) -> float | int:
        """What stands where no block has been written."""
        return np.nan if self.dtype == "float64" else NOT_RUN

    def file(self, number: int, piece: int = 0) -> str:
        """The file of a block and a piece of it, below the folder of the array."""
        places = [number, *[0] * len(self.tail[1:]), piece] if self.tail else [number]
        return ".".join(("c", *map(str, places)))

    def pieces(self, values: AnyArray) -> list[AnyArray]:
        """The values of each file of a block."""
        if self.piece is None:
            return [values]
        return [values[..., first : first + self.piece] for first in range(0, values.shape[-1], self.piece)]

    def n_pieces(self, lengths: AnyArray) -> int:
        """The number of files of a block in which there are so many values, (1, n_sides, n_series)."""
        longest = int(lengths[..., list(SERIES).index(self.name)].max())
        return -(-longest // (self.piece or 1))

    def encode(self, values: AnyArray, n_rows: int) -> bytes:
        """The content of a file: the values, filled up to so many rows and to a whole piece, and their checksum."""
        whole = np.full(self._chunk(n_rows), self.fill, self._stored)
        given = np.asarray(values) if self.piece else np.asarray(values).reshape(len(values), *self.tail)
        whole[tuple(map(slice, given.shape))] = given
        content = whole.tobytes()
        return content + checksum(content)

    def decode(self, content: bytes, n_rows: int) -> AnyArray:
        """The values of a file's content; ValueError if it is damaged."""
        body = content[:-_SUM]
        if checksum(body) != content[-_SUM:]:
            raise ValueError("another checksum")
        return np.frombuffer(body, self._stored).reshape(self._chunk(n_rows)).astype(self.dtype)

    def document(self, n_paths: int, block_paths: int) -> Document:
        """The `zarr.json` of the array."""
        by_block = self.rows == "block"
        n_rows, chunk = (-(-n_paths // block_paths), 1) if by_block else (n_paths, block_paths)
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": [n_rows, *self.tail],
            "data_type": self.dtype,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(self._chunk(chunk))}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
            "fill_value": "NaN" if self.dtype == "float64" else NOT_RUN,
            "codecs": [self._bytes_codec, {"name": "crc32c"}],
            "attributes": self.attributes,
            "dimension_names": [self.rows, *self.axes],
            "storage_transformers": [],
        }

    def _chunk(self, n_rows: int) -> tuple[int, ...]:
        """The shape of what a file holds."""
        return (n_rows, *self.tail[:-1], self.piece) if self.piece else (n_rows, *self.tail)

    @property
    def _stored(self) -> np.dtype[np.generic]:
        """The type in the files, the smallest byte first."""
        return np.dtype(self.dtype).newbyteorder("<")

    @property
    def _bytes_codec(self) -> Document:
        """How numbers become bytes; single bytes have no order."""
        order: Document = {} if self.dtype == "uint8" else {"configuration": {"endian": "little"}}
        return {"name": "bytes", **order}


@dataclass(frozen=True)
class Card:
    """What is written on the shelf of a problem.

    kind : "paths", or "replicas" of a rare escape, which then stand for paths in `block_paths` and `n_paths`.
    order : the place of the problem among those of the store. digest, problem : of the whole problem, and its
    parameters. provenance : versions, machine, and the certificate of the noise. sides : the names of the sides.
    budget : the names of the numbers of an error budget, none if the blocks have none.
    facts : what all replicas have in common. longest : the largest number of values of one replica and side.
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
    kind: str = "paths"
    facts: Mapping[str, object] = field(default_factory=dict)
    longest: int = 0

    @property
    def columns(self) -> tuple[Column, ...]:
        """The arrays in the order in which those of a block are written: its state comes last and makes it count."""
        found = _of_replicas(self) if self.kind == "replicas" else _of_paths(self)
        states = {"flag_values": [*MEANINGS], "flag_meanings": " ".join(MEANINGS.values())}
        rows = "replica" if self.kind == "replicas" else "path"
        return *found, Column("state", "uint8", rows, {"long_name": f"how the {rows} ended", **states})

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
                plain = {each.name: held[each.name] for each in fields(cls) if each.name in held}
                if seal == _seal(plain):
                    parts: dict[str, Any] = {name: tuple(x) if isinstance(x, list) else x for name, x in plain.items()}
                    return cls(**parts)  # the seal vouches for the kinds
        return None


_SECONDS = Column("seconds", "float64", "block", {"units": "s", "long_name": "time that the block took"})


def _of_paths(card: Card) -> Iterator[Column]:
    """The arrays of a problem whose blocks are paths, but for their states."""
    sides = {"flag_values": [*range(len(card.sides) + 1)],
             "flag_meanings": " ".join(("none", *(side.replace(" ", "_") for side in card.sides)))}  # fmt: skip
    yield Column("time", "float64", "path", {"units": UNIT, "long_name": "exit time; the horizon if censored"})
    yield Column("side", "uint8", "path", {"long_name": "side through which the path left", **sides})
    yield _SECONDS
    if card.n_positions:
        about = {"units": "unit of the state", "long_name": "first point that was not inside, nan if none was"}
        many = card.n_positions > 1
        yield Column("place", "float64", "path", about, (card.n_positions,) if many else (), ("coordinate",) * many)
    if card.budget:
        names: Document = {"long_name": "contributions to the error", "contributions": list(card.budget)}
        yield Column("budget", "float64", "block", names, (len(card.budget),), ("contribution",))


def _of_replicas(card: Card) -> Iterator[Column]:
    """The arrays of a problem whose blocks are replicas, but for their states."""
    n, about = len(card.sides), Document(sides=list(card.sides))
    yield _SECONDS
    yield Column("path_steps", "float64", "replica", {"long_name": "steps that the paths of all sides made together"})
    for name, told in NUMBERS.items():
        yield Column(name, "float64", "replica", {"long_name": told, **about}, (n,), ("side",))
    series: Document = {"long_name": "number of values in each series", "series": list(SERIES), **about}
    yield Column("length", "uint32", "replica", series, (n, len(SERIES)), ("side", "series"))
    for name, told in SERIES.items():
        values: Document = {"long_name": f"{told}; nan behind the last", **about}
        yield Column(name, "float64", "replica", values, (n, card.longest), ("side", "value"), _PIECE)


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
