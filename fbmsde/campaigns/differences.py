"""In what two descriptions of problems differ, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_SHOWN, _WIDTH = 8, 60  # differences in a message, and characters of a value in it


class _Told(NamedTuple):
    """A value as text, what it is compared by, and what is said if only that differs, because it is a hash."""

    text: str
    content: str
    changed: str = ""


_NOTHING = _Told("nothing", "nothing")


def differences(there: Mapping[str, object], asked: Mapping[str, object]) -> str:
    """The parameters in which two descriptions differ, as a text.

    >>> differences({"noise": {"hurst": 0.3, "sigma": 1.0}}, {"noise": {"hurst": 0.5, "sigma": 1.0}})
    'noise.hurst 0.3 there, 0.5 asked'
    >>> before, after = ({"drift": {"function": "slope", "content": content}} for content in ("1b", "7f"))
    >>> differences(before, after)
    'the code of the function `slope` (drift), or what it uses, has changed since this folder was begun'
    """
    old, new = dict(_flat(there)), dict(_flat(asked))
    pairs = {name: (old.get(name, _NOTHING), new.get(name, _NOTHING)) for name in {**old, **new}}
    shown = [_difference(name, *pair) for name, pair in pairs.items() if pair[0].content != pair[1].content]
    more = [f"{len(shown) - _SHOWN} more"] if len(shown) > _SHOWN else []
    return "; ".join(shown[:_SHOWN] + more)


def _difference(name: str, there: _Told, asked: _Told) -> str:
    """One parameter that differs."""
    if there.text == asked.text and asked.changed:
        return f"{asked.changed.format(name=name)} changed since this folder was begun"
    return f"{name} {_short(there.text)} there, {_short(asked.text)} asked"


def _flat(value: object, name: str = "") -> Iterator[tuple[str, _Told]]:
    """The values of nested data under dotted names."""
    match value:
        case {"function": str(label), "content": str(content)}:
            code = f"the code of the function `{label}` ({{name}}), or what it uses, has"
            yield name, _Told(f"the function `{label}`", content, code)
        case {"array": list(shape), "digest": str(content)}:
            text = f"an array of shape {tuple(shape)}"
            yield name, _Told(text, f"{shape} {content}", f"the values of {{name}}, {text}, have")
        case {"kind": str(kind), "code": str(content), **parts}:
            code = f"the code of the class `{kind}` ({{name}}) has"
            yield name, _Told(f"the class `{kind}`", f"{kind} {content}", code)
            yield from _entries(parts, name)
        case dict() if value:
            yield from _entries(value, name)
        case list() if any(isinstance(part, dict) for part in value):
            for i, part in enumerate(value):
                yield from _flat(part, f"{name}[{i}]")
        case _:
            text = json.dumps(value, ensure_ascii=False)
            yield name, _Told(text, text)


def _entries(values: Mapping[object, object], name: str) -> Iterator[tuple[str, _Told]]:
    """The values of a mapping."""
    for key, value in values.items():
        yield from _flat(value, f"{name}.{key}" if name else str(key))


def _short(text: str) -> str:
    """A text with its middle left out if it is long."""
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 20]}...{text[-17:]}"
