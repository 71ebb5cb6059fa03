"""A grid of parameters: tables that differ in the values of some keys."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ..core.ranges import numbers
from ._sections import KEYS, homes
from ._tables import Table, advice, at, table_of

MOST_POINTS = 10_000
_LONGEST_NAME = 200  # bytes: names are those of folders, which file systems limit to 255

Key = tuple[str, ...]


def points_of(tables: Table, grid: Table) -> Iterator[tuple[str, Table]]:
    """The name of each point of the grid and the tables at it, in the order of the product of the values.

    tables : the tables that all points share.
    grid : lists of values, or ranges as "0.3:0.7:0.1", by dotted keys of the tables ("noise.hurst").

    Raises ValueError or TypeError for a key or a value that cannot stand in a grid, and for too many points.
    """
    with at("[grid]"):
        axes = {key: _values(".".join(key), given) for key, given in _flat(grid)}
        n_points = math.prod(map(len, axes.values()))
        if n_points > MOST_POINTS:
            raise ValueError(f"the product of all lists must have at most {MOST_POINTS} points, got {n_points}.")
        labels = {key: _labels(key, values) for key, values in axes.items()}
        titles = _titles(list(axes))
    for places in itertools.product(*(range(len(values)) for values in axes.values())):
        chosen = dict(zip(axes, places, strict=True))
        name = ",".join(f"{titles[key]}={labels[key][place]}" for key, place in chosen.items())
        with at("[grid]"):
            if len(name.encode()) > _LONGEST_NAME:
                raise ValueError(f"names of points must have at most {_LONGEST_NAME} bytes, got {name!r}.")
            point: object = tables
            for key in sorted(axes, key=len):  # a whole table before the keys within it
                point = _with(point, key, axes[key][chosen[key]], ".".join(key))
        yield name, table_of(point)


def _flat(grid: Table, above: Key = ()) -> Iterator[tuple[Key, object]]:
    """The parts of each dotted key, written in quotes or as tables in tables, and what is given for it."""
    for text, given in grid.items():
        key = (*above, *text.split("."))
        if isinstance(given, Mapping):
            yield from _flat(given, key)
        else:
            _require_place(key)
            yield key, given


def _require_place(key: Key) -> None:
    """ValueError unless the key begins with a table that a problem is made of, or is the seed."""
    if key[0] in KEYS or key == ("seed",):
        return
    told = homes(key[0]) or advice(key[0], [*KEYS, "seed"])
    raise ValueError(f'keys must be seed, a table, or a key in a table as "noise.hurst", where tables are '
                     f"{', '.join(KEYS)}, got {'.'.join(key)!r}.{told}")  # fmt: skip


def _values(key: str, given: object) -> Sequence[object]:
    """The values of one key; TypeError or ValueError for what is no list with at least one value."""
    if isinstance(given, str):
        given = numbers(key, [given])
    if not isinstance(given, list):
        raise TypeError(f'{key} must be a list of values, or a range as "0.3:0.7:0.1", got {given!r}.')
    if not given:
        raise ValueError(f"{key} must have at least one value, got none.")
    if len(given) > MOST_POINTS:
        raise ValueError(f"{key} must have at most {MOST_POINTS} values, got {len(given)}.")
    return given


def _labels(key: Key, values: Sequence[object]) -> list[str]:
    """The values as parts of names; ValueError if two are the same."""
    found = ["".join(c if c.isprintable() and c not in "/\\" else "_" for c in _label(value)) for value in values]
    twice = next((label for label, times in Counter(found).items() if times > 1), None)
    if twice is not None:
        raise ValueError(f"{'.'.join(key)} must have different values, got {twice} more than once.")
    return found


def _label(value: object) -> str:
    """A value as part of a name.

    >>> _label(2.0), _label([0.0, 1.5]), _label({"name": "stable", "alpha": 1.5})
    ('2', '0 1.5', 'stable alpha=1.5')
    """
    if isinstance(value, Mapping):
        return " ".join(_label(each) if key == "name" else f"{key}={_label(each)}" for key, each in value.items())
    if isinstance(value, list):
        return " ".join(map(_label, value))
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _titles(keys: Sequence[Key]) -> dict[Key, str]:
    """What names call each key: its last part, or the whole of it where two have the same last part."""
    times = Counter(key[-1] for key in keys)
    return {key: key[-1] if times[key[-1]] == 1 else ".".join(key) for key in keys}


def _with(node: object, key: Key, value: object, whole: str) -> object:
    """A copy of one or several tables with a value in its place; ValueError if it is taken or is none."""
    head, rest = key[0], key[1:]
    if isinstance(node, list):
        number = int(head) if head.isdecimal() and len(head) < 6 else 0
        if not rest or not 1 <= number <= len(node):
            raise ValueError(f"{whole} must say which of the {len(node)} tables it means, as noise.1.sigma.")
        return [*node[: number - 1], _with(node[number - 1], rest, value, whole), *node[number:]]
    if not isinstance(node, Mapping):
        raise ValueError(f"{whole} must be a key of a table, got {node!r} in place of the table.")
    if rest:
        return {**node, head: _with(node.get(head, {}), rest, value, whole)}
    if head in node:
        raise ValueError(f"{whole} must stand in one place, got it in its table too. Leave out one of them.")
    return {**node, head: value}
