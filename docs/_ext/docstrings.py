"""Docstrings of the package as reStructuredText.

They name arguments and fields as ``name : what it is``, under a heading or without one, and write formulas as plain
text. This turns headings into rubrics, such lists into definition lists, and escapes what would be read as markup.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_ITEM = re.compile(r"(\*{0,2}[A-Za-z_]\w*(?:, \*{0,2}[A-Za-z_]\w*)*) : (.*)")
_LITERAL = re.compile(r"(``.+?``|`[^`]+`|:\w+:`[^`]+`)")
_DATA = {
    "fbmsde.ESTIMATORS": "The estimators of the Hurst parameter by their names, with their standard errors and uses.",
    "fbmsde.SOLVERS": "The solvers by their names: one step each, of the drift and the increment of the noise.",
    "fbmsde.theory.FORMULAS": "The formulas by their names, each a `Formula`.",
    "fbmsde.theory.ARGUMENTS": "The names of all arguments of formulas, with the functions that check them.",
    "fbmsde.theory.REFERENCES": "The works that formulas come from, by their keys, each a `Reference`.",
}


def rewritten(lines: list[str]) -> list[str]:
    """The lines of a docstring as reStructuredText."""
    out: list[str] = []
    in_example = in_item = shown = False
    for number, line in enumerate(lines):
        follows = lines[number + 1] if number + 1 < len(lines) else ""
        if _is_rule(line) and number and lines[number - 1].strip():
            continue
        if line.strip() and _is_rule(follows):
            out += [f".. rubric:: {line.strip()}", ""]
            shown = shown or line.strip().startswith("Example")
            in_item = False
            continue
        if line.startswith(">>>") and not in_example:
            out += [] if shown else [".. rubric:: Example", ""]
            in_example = shown = True
        if in_example:
            in_example = bool(line.strip())
            out.append(line)
            continue
        item = _ITEM.fullmatch(line)
        if item:
            out += [*([""] if not in_item else []), f"``{item[1]}``", f"    {_plain(item[2])}"]
            in_item = True
            continue
        if in_item and line.strip() and not line.startswith(" "):
            out.append("")
            in_item = False
        in_item = in_item and bool(line.strip())
        out.append(_plain(line))
    return out


def _is_rule(line: str) -> bool:
    """Whether the line underlines a heading."""
    return len(line.strip()) >= 3 and set(line.strip()) == {"-"}


def _plain(line: str) -> str:
    """The line with the characters escaped that are markup outside of literals."""
    parts = _LITERAL.split(line)
    return "".join(part if part.startswith(("`", ":")) and part.endswith("`") else _escaped(part) for part in parts)


def _escaped(text: str) -> str:
    """Bars, asterisks and trailing underscores escaped."""
    return re.sub(r"([|*])", r"\\\1", re.sub(r"(\w)_(?=\W|$)", r"\1\\_", text))


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    if what == "data":
        lines[:] = [_DATA.get(name, f'The subject "{obj}" of formulas.')]
    lines[:] = rewritten(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", _process)
    return {"parallel_read_safe": True}
