"""Directives that write what the registries of the package hold, so that no page says it a second time.

``{formulas} SUBJECT`` has a section for each formula of a subject, ``{formula-table}`` a row for each of all formulas,
``{verifications}`` a row for each formula with what came out when its error was derived again, ``{references}`` the
works that they come from, ``{estimators}`` a row for each estimator of the Hurst parameter, and ``{commands}`` a
section for each command.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from typer.testing import CliRunner

from fbmsde import theory
from fbmsde.cli.common import app as program
from fbmsde.cli.program import COMMANDS
from fbmsde.hurst import ESTIMATORS
from fbmsde.theory import FORMULAS, REFERENCES, Formula

_BADGES = {
    "exact": "success",
    "asymptotic": "info",
    "approximate": "warning",
    "numerical": "secondary",
    "refuted": "danger",
}


def _badge(status: str) -> str:
    """The status as a coloured word."""
    return f"{{bdg-{_BADGES[status]}}}`{status}`"


def _status(formula: Formula) -> str:
    """The status of a formula, and that at H = 1/2 if it differs."""
    brownian = formula.brownian_status
    return _badge(formula.status) + (f" at H = 1/2 {_badge(brownian)}" if brownian else "")


def _text(text: str) -> str:
    """A text that is no Markdown, escaped."""
    return "".join(f"\\{c}" if c in "\\`*_$<>[]{}|#" else c for c in text)


def _section(formula: Formula) -> Iterator[str]:
    """The section about a formula as lines of Markdown."""
    yield from (f"(formula-{formula.name})=", f"## {formula.title}", "")
    yield from (f"`{formula.name}` {_status(formula)}", "", "$$", formula.equation, "$$", "")
    facts = {
        "gives": formula.quantity.replace("_", " "),
        "arguments": ", ".join(f"`{name}`" for name in formula.arguments),
        "source": _text(formula.source),
        "holds for": _text(formula.validity),
        "measured": _text(formula.measured),
    }
    for name, fact in facts.items():
        yield from (name, f": {fact}", "")
    yield from ("````{dropdown} BibTeX", "```bibtex", *formula.cite().splitlines(), "```", "````", "")


def _formula_rows() -> Iterator[str]:
    """The rows of the table of formulas."""
    yield from ("| formula | gives | for | status |", "|---|---|---|---|")
    for f in FORMULAS.values():
        yield f"| [{_text(f.title)}](#formula-{f.name}) | {f.quantity.replace('_', ' ')} | {f.subject} | {_status(f)} |"


def _references() -> Iterator[str]:
    """The works that formulas come from, as one block of BibTeX."""
    yield "```bibtex"
    for key, reference in REFERENCES.items():
        yield from (*reference.bibtex(key).splitlines(), "")
    yield "```"


def _verification_rows() -> Iterator[str]:
    """The rows of the table of verifications; those that do not pass stop the build."""
    yield from ("| formula | compared | off by | may be off by |", "|---|---|---|---|")
    for f in FORMULAS.values():
        found = f.verify()
        if not found.passed:
            raise ExtensionError(f"{f.name} does not keep to the error that it states: {found}")
        limit = found.stated + found.uncertainty
        compared = f"{_text(found.compared)} | {found.deviation:.2g} | {limit:.2g}"
        yield f"| [{_text(f.title)}](#formula-{f.name}) | {compared} |"


def _estimator_rows() -> Iterator[str]:
    """The rows of the table of estimators."""
    yield from ("| method | for | shortest series |", "|---|---|---|")
    for name, estimator in ESTIMATORS.items():
        yield f'| `"{name}"` | {_text(estimator.use)} | {estimator.min_length} |'


def _command_sections() -> Iterator[str]:
    """What each command says of itself."""
    for name in COMMANDS:
        told = CliRunner().invoke(program, [name, "--help"], env={"COLUMNS": "100", "TERM": "dumb"}, prog_name="fbmsde")
        if told.exit_code:
            raise ExtensionError(f"fbmsde {name} --help fails: {told.output}")
        yield from (f"## fbmsde {name}", "", "```text", *told.output.strip().splitlines(), "```", "")


class _Written(SphinxDirective):
    """A directive that stands for lines of Markdown."""

    def lines(self) -> Iterator[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        for source in (__file__, *(str(path) for path in Path(theory.__file__).parent.glob("*.py"))):
            self.env.note_dependency(source)
        node = nodes.Element()
        lines = StringList(list(self.lines()), self.env.docname)
        self.state.nested_parse(lines, self.content_offset, node, match_titles=True)
        return node.children


class Formulas(_Written):
    required_arguments = 1

    def lines(self) -> Iterator[str]:
        subject = getattr(theory, self.arguments[0])
        for formula in FORMULAS.values():
            if formula.subject == subject:
                yield from _section(formula)


class FormulaTable(_Written):
    def lines(self) -> Iterator[str]:
        return _formula_rows()


class References(_Written):
    def lines(self) -> Iterator[str]:
        return _references()


class Verifications(_Written):
    def lines(self) -> Iterator[str]:
        return _verification_rows()


class Estimators(_Written):
    def lines(self) -> Iterator[str]:
        return _estimator_rows()


class Commands(_Written):
    def lines(self) -> Iterator[str]:
        return _command_sections()


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("formulas", Formulas)
    app.add_directive("formula-table", FormulaTable)
    app.add_directive("references", References)
    app.add_directive("verifications", Verifications)
    app.add_directive("estimators", Estimators)
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True}
