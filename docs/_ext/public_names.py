"""The build stops unless the API reference lists every public name of the package, each once."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

import fbmsde


def _listed(page: Path) -> list[str]:
    """The names in the summaries of the page."""
    names: list[str] = []
    inside = False
    for line in page.read_text().splitlines():
        if line and not line.startswith(" "):
            inside = line.startswith(".. autosummary::")
        elif inside and line and not line.strip().startswith(":"):
            names.append(line.strip())
    return names


def _check(app: Sphinx) -> None:
    for page, names in {"api/index.rst": fbmsde.__all__, "api/theory.rst": fbmsde.theory.__all__}.items():
        listed = _listed(Path(app.srcdir, page))
        wrong = sorted(set(listed) ^ set(names)) + sorted({name for name in listed if listed.count(name) > 1})
        if wrong:
            raise ExtensionError(f"{page} must list each public name once, got it wrong for {', '.join(wrong)}.")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", _check)
    return {"parallel_read_safe": True}
