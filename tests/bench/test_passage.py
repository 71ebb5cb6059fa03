"""The race of first passages: who takes part, and why others do not."""

from __future__ import annotations

import pytest

from fbmsde.bench import passage


def missing():
    raise ImportError


def shallow(hurst, n_steps, n_paths, seed):
    raise RecursionError


@pytest.fixture
def _few(monkeypatch):
    def task(hurst, n_steps, n_paths, seed):
        return 10 * n_paths

    contestants = {
        passage.REFERENCE: passage.Contestant(lambda: task, 400),
        "ordinary": passage.Contestant(lambda: task, 2, brownian=True),
        "nowhere": passage.Contestant(missing, 1),
        "shallow": passage.Contestant(lambda: shallow, 1),
    }
    monkeypatch.setattr(passage, "CONTESTANTS", contestants)


@pytest.mark.usefixtures("_few")
def test_race_says_who_took_part_and_why_others_did_not():
    table = passage.passage_table((0.3, 0.5), n_steps=64, repeats=2, scale=0.5)
    assert [(row.hurst, row.contestant, row.n_paths) for row in table.rows] == [
        (0.3, passage.REFERENCE, 200),
        (0.5, passage.REFERENCE, 200),
        (0.5, "ordinary", 1),
    ]
    assert {row.mean_steps for row in table.rows} == {10.0}
    assert table.left_out == ("nowhere: not installed.", "shallow: does not reach 64 steps (RecursionError).")
    assert table.table().endswith("\n".join(table.left_out))


@pytest.mark.usefixtures("_few")
@pytest.mark.parametrize(
    ("options", "message"), [({"repeats": 0}, "repeats must be"), ({"scale": -1}, "scale must be")]
)
def test_race_refuses_what_makes_no_race(options, message):
    with pytest.raises(ValueError, match=message):
        passage.passage_table((0.5,), **options)
