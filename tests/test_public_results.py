"""Every public result shows itself: in one short line as text, in a table of its own where a notebook shows it."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest

import fbmsde
from fbmsde import FractionalNoise, Grid, PassageProblem, first_passage, quadratic, results
from fbmsde.core.show import LONGEST_LINE, Shown
from fbmsde.results.estimates import Estimate
from fbmsde.results.rare import RareEscape, Replica
from fbmsde.results.rare_estimate import RareEstimate
from fbmsde.results.residence import MeanResidence, ResidenceTimes, Visits

JUMPS = {"monitoring": "continuous", "fine_steps": 2**8, "horizon": 1.0, "n_paths": 20, "seed": 0}
MANY = np.linspace(0.0, 1.0, 700)


@cache
def passages():
    options = {"dt": 0.01, "horizon": 9.0, "n_paths": 20, "seed": 0}
    return first_passage(quadratic(), FractionalNoise(0.5), 0.0, (-0.1, 0.1), **options)


def campaign():
    problem = PassageProblem(quadratic(), FractionalNoise(0.5), 0.0, (-0.1, 0.1), horizon=1.0, seed=1,
                             monitoring=Grid(0.01))  # fmt: skip
    return fbmsde.Campaign({f"problem {i}": problem for i in range(9)}, n_paths=20).run()


def rare():
    runs = tuple(Replica(p, MANY, np.ones(700), MANY, MANY, np.empty(0), 9, 0.1) for p in (1e-6, 2e-6, 3e-6))
    return RareEscape("splitting", {"upper": runs}, 1.0, 0.01, 0.1, 10**6, "w" * 300, "n" * 300)


def visits():
    entries = np.array([[0, 0, 1], [0, 30, 0], [0, 60, 1], [1, 0, 1], [1, 50, 0]])
    return ResidenceTimes(Visits.of(entries, 0.1, 100), np.array([[-1.0], [1.0]]), np.array([0.1, 0.1]),
                          np.array([[5, 6, 99], [7, 9, 99]]), 0.1, 10.0, 2)  # fmt: skip


RESULTS = {
    "H = 0.5": lambda: fbmsde.escape_study([0.5], n_paths=50, horizon=5.0, continuous=0),
    "3 series, H from 0.": lambda: fbmsde.estimate_hurst(np.eye(3, 64), kind="increments"),
    "HurstEstimate(H 0.": lambda: fbmsde.estimate_hurst(fbmsde.fgn(0.5, 64, seed=1)[0], kind="increments"),
    "5 windows of 32": lambda: fbmsde.rolling_hurst(fbmsde.fgn(0.5, 64, seed=1)[0], kind="increments", window=32),
    "20 of 20 paths left": passages,
    "mean exit time 0.": lambda: passages().mean(),
    "exit rate ": lambda: passages().exit_rate(),
    "windows 2 from 0 to 9, exits 20": lambda: passages().hazard([0.0, 1.0, 9.0]),
    "share inside at the end 0": lambda: passages().survival(),
    "20 paths, lower 0.": lambda: passages().split(),
    "codes 20 values": lambda: passages().departures,
    "Incidence(times ": lambda: passages().split().curve("upper"),
    "overshoot ": lambda: first_passage(quadratic(), FractionalNoise(0.5), 0.0, (-1, 1), **JUMPS).error_budget,
    "4 paths at 9 times from 0 to 0.8": lambda: fbmsde.simulate_paths(
        quadratic(), FractionalNoise(0.5), 0.0, dt=0.1, n_steps=8, n_paths=4, seed=0
    ),
    "KL ": lambda: fbmsde.StreamingNoise(0.3, 100).certificate,
    "9 problems, problem 0: 20 of 20 paths left, exit rate": campaign,
    "3 replicas by splitting, probability up to time 1: in doubt, about 2e-06 [": rare,
    "probability 1e-06": lambda: rare().sides["upper"][0],
    "value 0.5": lambda: RareEstimate(np.log(0.5), 0.01, 1000, 900.0, 0.002),
    "value=0.1": lambda: Estimate(0.1, 0.05, 0.15),
    "mean residence time 2 [1.": lambda: MeanResidence(2.0, 0.1, 400, 32),
    "5 visits to 2 minima": visits,
    "exit_rate from ": lambda: fbmsde.theory.FORMULAS["pickands_shifted"],
}  # fmt: skip


class Tags(HTMLParser):
    """The tags of a page that are open, and all that were there."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.add(tag)
        styles = " ".join(value for name, value in attrs if name == "style")
        assert "color" not in styles and "background" not in styles  # the reader's own are dark or light

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def shows_itself(result):
    text, page, tags = repr(result), result._repr_html_(), Tags()
    tags.feed(page)
    assert "\n" not in text
    assert len(text) <= LONGEST_LINE
    assert type(result).__name__ in text and type(result).__name__ in page
    assert not tags.open and tags.seen <= {"div", "table", "caption", "b", "tr", "th", "td"}
    assert "http" not in page and "td" in tags.seen


@pytest.mark.parametrize("part", RESULTS)
def test_result_shows_itself(part):
    result = RESULTS[part]()
    shows_itself(result)
    assert part in repr(result)


def records():
    """The classes of `fbmsde.results` that show their fields."""
    others = ("Archive", "Accuracy")
    for module in pkgutil.iter_modules(results.__path__):
        for found in vars(importlib.import_module(f"fbmsde.results.{module.name}")).values():
            if isinstance(found, type) and dataclasses.is_dataclass(found) and found.__name__ not in others:
                yield found


def test_records_with_long_fields_show_themselves():
    """Whatever the fields of a record hold: long texts, markup, thousands of numbers, other records, nothing."""
    plain = Shown._facts, Shown.__repr__
    found = {record for record in records() if (record._facts, record.__repr__) == plain}
    assert len(found) > 20
    for record in found:
        for hostile in ("<script>\n" * 2000, MANY, tuple(MANY), {str(i): i for i in range(999)}, passages(), None):
            made = object.__new__(record)
            for field in dataclasses.fields(record):
                object.__setattr__(made, field.name, hostile)
            text = repr(made)
            assert len(text) <= LONGEST_LINE and "\n" not in text
            assert "<script>" not in made._repr_html_()


def test_every_record_is_shown_in_its_own_words():
    """The `repr` that dataclasses make has all entries of all arrays."""
    for record in records():
        assert issubclass(record, Shown)
        assert not record.__dataclass_params__.repr, record.__name__
