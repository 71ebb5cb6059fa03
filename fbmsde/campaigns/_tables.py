"""Tables of a TOML file as people write them: read with limits, checked key by key, with errors that say the place."""

from __future__ import annotations

import difflib
import inspect
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from ..core.messages import one_line

Table = Mapping[str, object]
Built = TypeVar("Built")

_MOST_BYTES = 1_000_000
_ALIASES = ("kind", "type")  # of `name`
_DEEPEST = 20  # tables and lists within each other
_EXPECTED = (ValueError, TypeError, MemoryError, ArithmeticError, OSError, ImportError, RecursionError)


@contextmanager
def at(place: str) -> Iterator[None]:
    """Put the place in front of the message of any error of the block, and keep the message to one line.

    TypeError and MemoryError stay what they are; all others become ValueError.
    """
    try:
        yield
    except _EXPECTED as error:
        kind = next((k for k in (TypeError, MemoryError) if isinstance(error, k)), ValueError)
        raise kind(f"{place} {one_line(error)}") from None


def beginning_of(file: Path) -> bytes:
    """The bytes of a file, and of a longer one than `parsed` takes the beginning."""
    with file.open("rb") as stream:
        return stream.read(_MOST_BYTES + 1)


def parsed(data: bytes) -> Table:
    """The tables of a TOML file; ValueError with the line for what is none."""
    if len(data) > _MOST_BYTES:
        raise ValueError(f"the file must have at most {_MOST_BYTES} bytes, got more.")
    try:
        tables = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(f"the file must be text in UTF-8, got a byte that is none at {error.start}.") from None
    except RecursionError:
        raise ValueError(f"the file must not nest deeper than {_DEEPEST} levels, got more.") from None
    for key, value in tables.items():
        _require_plain(key, value, _DEEPEST)
    return tables


def _require_plain(place: str, value: object, depth: int) -> None:
    """ValueError unless the value is made of texts, truths, and numbers of 64 bits, and is not nested deeper."""
    if depth == 0:
        raise ValueError(f"{place[:60]} must not nest deeper than {_DEEPEST} levels, got more.")
    if isinstance(value, Mapping):
        for key, each in value.items():
            _require_plain(f"{place}.{key}", each, depth - 1)
    elif isinstance(value, list):
        for each in value:
            _require_plain(place, each, depth - 1)
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"{place} must have whole numbers of at most 64 bits, got a larger one.")
    elif not isinstance(value, (str, float)):
        raise ValueError(f"{place} must be a text, a truth or a number, got {value}.")


def table_of(value: object) -> Table:
    """The value as a table; TypeError, with what to write, for anything else."""
    if not isinstance(value, Mapping):
        raise TypeError(f"must be a table, got {value!r}. Write it in brackets on a line, and its keys below.")
    return value


def advice(word: str, known: Sequence[str]) -> str:
    """A question after the known word that is most like `word`, behind a space; empty if none is like it.

    >>> advice("hurts", ["hurst", "sigma"])
    " Did you mean 'hurst'?"
    """
    if word in _ALIASES and "name" in known:
        return " Did you mean 'name'?"
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def one_of(place: str, value: object, known: Sequence[str], otherwise: str = "") -> str:
    """The value as one of the known names; ValueError with the nearest of them for anything else."""
    if not isinstance(value, str) or value not in known:
        near = advice(value, known) if isinstance(value, str) else ""
        raise ValueError(f"{place} must be one of {', '.join(known)}, got {value!r}.{near}{otherwise}")
    return value


def require_keys(table: Table, known: Sequence[str], homes: Callable[[str], str], what: str = "") -> None:
    """ValueError with the nearest known key, or with the place where it belongs, for a key that is not known.

    `homes` tells where a key of another table belongs; `what` names what has these keys, behind " of ".
    """
    for key in table:
        if key not in known:
            told = homes(key) or advice(key, known)
            raise ValueError(f"keys{what} must be among {', '.join(known)}, got {key!r}.{told}")


@dataclass(frozen=True)
class Choice(Generic[Built]):
    """What a table may stand for: builders by name, each with keyword arguments that are the keys of the table.

    default : the name of a table without one, None where it must be given.
    hidden : arguments of builders that no table can give.
    extra : keys of the table that are no arguments.
    otherwise : advice at the end of the message on an unknown name.
    """

    builders: Mapping[str, Callable[..., Built]]
    default: str | None = None
    hidden: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    otherwise: str = ""

    def keys(self, name: str) -> tuple[str, ...]:
        """The keys of a table that has this name."""
        arguments = inspect.signature(self.builders[name]).parameters
        return ("name", *self.extra, *(key for key in arguments if key not in self.hidden))

    def every_key(self) -> set[str]:
        """The keys of tables of any name."""
        return {key for name in self.builders for key in self.keys(name)}

    def _owners(self, key: str) -> str:
        """The names of the tables that have this key, as a sentence behind a space; empty if none has."""
        owners = [name for name in self.builders if key in self.keys(name)]
        return f" It is a key of {' and '.join(owners)}." if owners else ""

    def build(self, table: Table, homes: Callable[[str], str], *hidden: object, **defaults: object) -> Built:
        """What the builder that the table names makes of its keys, behind the arguments that no table can give.

        Raises ValueError for unknown names and keys and for missing ones. `defaults` stand for keys that are not given.
        """
        if "name" not in table and self.default is None:
            raise ValueError(f"name must be given, one of {', '.join(self.builders)}.{self.otherwise}")
        name = one_of("name", table.get("name", self.default), list(self.builders), self.otherwise)
        require_keys(table, self.keys(name), lambda key: self._owners(key) or homes(key), f" of {name}")
        given = {key: value for key, value in table.items() if key != "name" and key not in self.extra}
        arguments = inspect.signature(self.builders[name]).parameters
        given = {key: value for key, value in defaults.items() if key in arguments} | given
        for key, argument in arguments.items():
            if argument.default is argument.empty and key not in self.hidden and key not in given:
                raise ValueError(f"{key} must be given for {name}.")
        return self.builders[name](*hidden, **given)
