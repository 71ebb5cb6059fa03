"""The blocks of one problem in a store folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.types import AnyArray
from ..simulation.ended import Ended
from .problems import Block
from .zarr_blocks import arrays_of, block_of, card_with
from .zarr_catalogue import Keeper
from .zarr_layout import NOT_RUN, Card, Column

_STATE = "state"


class StoredShelf:
    """The blocks of a problem, which are read, perhaps while another process writes more of them."""

    def __init__(self, place: Path, card: Card) -> None:
        self._place, self._card = place, card

    @property
    def card(self) -> Card:
        """What the store knows of the problem."""
        return self._card

    @property
    def n_paths(self) -> int:
        """The largest number of paths that was asked for."""
        return self.card.n_paths

    @property
    def block_paths(self) -> int:
        """The number of paths of a block."""
        return self.card.block_paths

    def finished(self, check: bool = True) -> dict[int, int]:
        """The number of paths of each block that is wholly there, by the number of the block.

        With `check` all files of each block are read, one block after the other, and a damaged block is left out.
        Otherwise only the states are read.
        """
        found = {}
        for number in self.numbers():
            with suppress(OSError):
                found[number] = self.get(number).n_paths if check else _n_run(self._states(number))
        return found

    def get(self, number: int) -> Block:
        """A block that is there; OSError if it is damaged."""
        states, values = self._states(number), dict[str, AnyArray]()
        *others, _ = self.card.columns
        for column in others:
            n_pieces = 1 if column.piece is None else column.n_pieces(values["length"])
            values[column.name] = self._read(column, number, n_pieces)
        try:
            return block_of(self.card, number, _n_run(states), {**values, _STATE: states})
        except ValueError as error:
            raise self._damaged(number, others[0], str(error)) from None

    def seconds(self) -> dict[int, float]:
        """The time that each block took, in seconds, by the number of the block; damaged ones are left out."""
        column = next(column for column in self.card.columns if column.name == "seconds")
        found = {}
        for number in self.numbers():
            with suppress(OSError):
                found[number] = float(self._read(column, number)[0])
        return found

    def numbers(self) -> list[int]:
        """The numbers of the blocks whose states are there, damaged or not."""
        folder = self._place / _STATE
        if not folder.is_dir():
            return []
        endings = (path.name.removeprefix("c.") for path in folder.glob("c.*"))
        return sorted(int(ending) for ending in endings if ending.isdecimal())

    def _states(self, number: int) -> NDArray[np.uint8]:
        """The states of a block, which begin with those of all its paths."""
        column = self.card.columns[-1]
        states = self._read(column, number)
        n = _n_run(states)
        if n == 0 or np.any(states[n:] != NOT_RUN):
            raise self._damaged(number, column, "states of no whole block")
        return states

    def _read(self, column: Column, number: int, n_pieces: int = 1) -> AnyArray:
        """One array of a block; OSError if it is damaged or missing."""
        place, n_rows = self._place / column.name, 1 if column.rows == "block" else self.card.block_paths
        try:
            files = [(place / column.file(number, piece)).read_bytes() for piece in range(n_pieces)]
            pieces = [column.decode(content, n_rows) for content in files]
        except ValueError as error:
            raise self._damaged(number, column, str(error)) from None
        except FileNotFoundError:
            raise self._damaged(number, column, "no file") from None
        return np.concatenate(pieces, axis=-1) if pieces else np.empty((n_rows, *column.tail[:-1], 0))

    def _damaged(self, number: int, column: Column, what: str) -> OSError:
        """The error of a block that cannot be used."""
        return OSError(
            f"block {number} of {self.card.name!r} must be whole, got {what} for its `{column.name}` in {self._place}. "
            "Run the campaign again: only such blocks are made again."
        )


def _n_run(states: NDArray[np.uint8]) -> int:
    """How many paths of a block have been run: those before the first one that was not."""
    missing = states == NOT_RUN
    return int(missing.argmax()) if missing.any() else states.size


class WritableShelf(StoredShelf):
    """The blocks of a problem, of which more are kept."""

    def __init__(self, place: Path, card: Card, keeper: Keeper) -> None:
        super().__init__(place, card)
        self._keeper = keeper

    @property
    def card(self) -> Card:
        """What the store knows of the problem now, as another shelf of it may have made room for more paths."""
        return self._keeper.contents.cards[self._place.name]

    def put(self, number: int, block: Block, seconds: float) -> None:
        """Keep a block that took so many seconds, whole or not at all.

        Its state is written last and makes it count. Raises OSError, with the number of blocks that are safe, if it
        cannot be written, and ValueError for a block of another problem.
        """
        self._require_own(number, block)
        values = {**arrays_of(block), "seconds": np.array([seconds])}
        with self._keeper.explained():
            if (card := card_with(self.card, block)) != self.card:
                self._keeper.keep_card(self._place.name, card)
            self._keeper.follow()
            for column in card.columns:
                n_rows = 1 if column.rows == "block" else self.block_paths
                for piece, part in enumerate(column.pieces(values[column.name])):
                    file = self._place / column.name / column.file(number, piece)
                    self._keeper.files.write(file, column.encode(part, n_rows))

    def _require_own(self, number: int, block: Block) -> None:
        """Raise ValueError unless the block can be one of this shelf."""
        card = self.card
        kind, n_positions = ("paths", block.places.shape[1]) if isinstance(block, Ended) else ("replicas", 0)
        there = (card.kind, number * card.block_paths, card.sides, card.dt, card.horizon, card.n_positions)
        given = (kind, block.first, block.names, block.dt, block.horizon, n_positions)
        if there != given or not 0 < block.n_paths <= card.block_paths:
            raise ValueError(f"block must be number {number} of {card.name!r} {there}, got {given}.")
