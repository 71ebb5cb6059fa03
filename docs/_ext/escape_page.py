"""The page on which escapes can be tried out: its controls, its tables and its two scripts.

``{escape-page}`` writes the controls, and the tables as JSON, which a browser reads from a file without a server.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import escape_tables
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_PAGE = "explore"
_SCRIPTS = ("escape_law.js", "explore.js")
_CONTROLS = Path(__file__).parents[1] / "_templates" / "explore.html"


class EscapePage(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        for source in (escape_tables.__file__, str(_CONTROLS)):
            self.env.note_dependency(source)
        tables = json.dumps(escape_tables.escape_tables(), separators=(",", ":"), allow_nan=False)
        text = f'{_CONTROLS.read_text("utf-8")}<script type="application/json" id="escape-tables">{tables}</script>'
        return [nodes.raw("", text, format="html")]


def _add_scripts(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document) -> None:
    if page == _PAGE:
        for script in _SCRIPTS:
            app.add_js_file(script, loading_method="defer")
        app.add_css_file("explore.css")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("escape-page", EscapePage)
    app.connect("html-page-context", _add_scripts)
    return {"parallel_read_safe": True}
