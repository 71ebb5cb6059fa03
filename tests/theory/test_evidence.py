"""Every formula is written, cited, and derives its stated error again; a formula that is off is found out."""

from __future__ import annotations

import functools
import re
from dataclasses import replace

import pytest

from fbmsde.theory import FORMULAS, REFERENCES

SIMULATED = {
    "pickands_grid",
    "pickands_shifted",
    "fou_exit_rate",
    "fou_exit_rate_grid",
    "effective_fokker_planck",
    "effective_fokker_planck_rate",
    "power_law_diffusion",
    "power_law_diffusion_density",
    "lamperti_rate",
    "lamperti_survival",
    "lamperti_closed_form",
    "persistence",
    "self_similarity",
    "fbm_survival",
    "fbm_survival_perturbative",
    "fbm_survival_straight",
    "fbm_maximum_mean",
    "fbm_argmax",
    "fbm_exit_at_top",
    "grid_shift",
    "reflected_mean",
    "stable_interval_mean",
    "stable_ball_mean",
    "stable_jump_rate",
    "stable_exit_at_top",
}  # these take most of the time
EACH = [pytest.param(n, marks=pytest.mark.slow) if n in SIMULATED else n for n in FORMULAS]
REQUIRED = {
    "article": {"author", "title", "journal", "year", "volume", "pages"},
    "book": {"author", "title", "publisher", "year"},
    "inproceedings": {"author", "title", "booktitle", "year"},
    "software": {"author", "title", "year"},
}


def depth(text):
    """How many braces are open after each character."""
    deep = 0
    for before, c in zip(" " + text, text, strict=False):
        deep += before != "\\" and (c == "{") - (c == "}")
        yield deep


def entries(text):
    """The kind, the key and the fields of each entry of BibTeX; AssertionError for what is none."""
    for block in text.split("\n\n"):
        head = re.fullmatch(r"@(\w+)\{(\w+),\n((?:  \w+ = \{.*\},?\n)+)\}", block)
        assert head, block
        lines = head[3].splitlines()
        assert [line[-1] for line in lines] == [","] * (len(lines) - 1) + ["}"]
        deep = list(depth(block))
        assert min(deep[:-1][head.start(2) :]) >= 1 and deep[-1] == 0
        assert block.isascii()
        yield head[1], head[2], dict(re.match(r"  (\w+) = \{(.*)\},?$", line).groups() for line in lines)


@pytest.mark.parametrize("name", FORMULAS)
def test_formula_is_cited_in_bibtex(name):
    formula = FORMULAS[name]
    found = list(entries(formula.cite()))
    assert [key for _, key, _ in found] == list(formula.references)
    for kind, _, fields in found:
        assert set(fields) >= REQUIRED[kind]
        assert re.fullmatch(r"1[89]\d\d|20\d\d", fields["year"])


def test_every_reference_is_used():
    assert set(REFERENCES) == {key for formula in FORMULAS.values() for key in formula.references}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula_is_written_in_latex(name):
    equation = FORMULAS[name].equation
    deep = list(depth(equation))
    assert min(deep) >= 0 and deep[-1] == 0
    assert equation.isascii() and "\t" not in equation
    assert equation.count(r"\left") - equation.count(r"\leftarrow") == equation.count(r"\right")


@pytest.mark.parametrize("name", EACH)
def test_formula_is_verified_and_one_that_is_off_is_not(name):
    """As it stands it passes; multiplied by 1.5 or by 0.5 it does not."""
    formula = FORMULAS[name]
    found = formula.verify()
    assert found.passed, found
    assert found.formula == name and found.compared
    for factor in (1.5, 0.5):

        @functools.wraps(formula.compute)
        def off(*arguments, factor=factor, **named):
            return factor * formula.compute(*arguments, **named)

        assert not replace(formula, compute=off).verify().passed


def test_verification_is_always_the_same():
    assert FORMULAS["heavy_ball_epoch_variance"].verify() == FORMULAS["heavy_ball_epoch_variance"].verify()


@pytest.mark.parametrize("field", ["equation", "source", "references", "check"])
def test_formula_cannot_do_without(field):
    with pytest.raises(ValueError, match=f"{field} must be given for the formula pickands, got nothing"):
        replace(FORMULAS["pickands"], **{field: ""})


def test_formula_cannot_cite_what_is_not_listed():
    with pytest.raises(ValueError, match=r"references must be keys of REFERENCES, got nobody1900. Add the work"):
        replace(FORMULAS["pickands"], references=("nobody1900",))


def test_formula_without_a_check_says_why():
    formula = replace(FORMULAS["pickands"], check="No second way is known.")
    with pytest.raises(NotImplementedError, match="pickands has no verification: No second way is known"):
        formula.verify()
