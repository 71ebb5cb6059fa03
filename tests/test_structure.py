"""The script that measures the structure of a package, on a package of a few lines whose structure is known."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

FILES = {
    "__init__.py": "from .top.command import run",
    "core.py": "def positive(value: float) -> float:\n    return value",
    "noise.py": "from dataclasses import dataclass\n@dataclass\nclass Noise:\n    hurst: float\n    dt: float = 1.0",
    "middle/__init__.py": "",
    "middle/plan.py": """
from typing import TYPE_CHECKING, Any
from ..core import positive
from ..noise import Noise
if TYPE_CHECKING:
    from ..top.command import run
class Plan:
    noise: Noise
    settings: dict[str, Any]
    def paths(self) -> Any:
        return draw(self.noise)
def draw(source: Noise) -> float:
    '''A docstring does not count.'''

    # a comment neither
    return positive(source)
""",
    "top/__init__.py": "",
    "top/command.py": """
def run(noise, other: Any, *rest):
    from ..middle.plan import Plan
    plan = Plan(noise, settings=locals())
    return show(plan, noise.hurst)
def show(plan: "Plan", hurst):
    return plan.paths()
""",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    for name, text in FILES.items():
        file = tmp_path / "small" / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text)
    return tmp_path / "small"


def test_structure_of_a_small_package(package, monkeypatch, capsys):
    import structure

    monkeypatch.setattr(sys, "argv", ["structure.py", str(package)])
    structure.main()
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("modules: 6, arrows 4, circles 1, floors 2: middle.plan > ")
    assert out[1] == "    circle: middle.plan, top.command"
    assert out[2].startswith("folders: 3, arrows 3, circles 1, floors 2: middle > small")
    assert out[3] == "    circle: middle, top"
    assert out[4] == "functions: 5, mean 1.4 lines, longest 3, over 25 lines 0, over 40 lines 0"
    assert out[5].startswith("public functions: 5, mean 1.40 parameters, over 9 parameters 0, most run 3, show 2")
    assert [line.split() for line in out[7:10]] == [
        ["all", "1", "1", "2"],
        ["middle", "1", "0", "1"],
        ["top", "0", "1", "1"],
    ]
    assert out[10] == (
        "walk of noise: 6 of the 6 functions and classes that it reaches: top.command.run > middle.plan.Plan > "
        "top.command.show > middle.plan.Plan.paths > middle.plan.draw > core.positive"
    )
    assert out[11] == "    as an argument by itself: 2: middle.plan.draw > core.positive"
    assert out[12] == (
        "walk of dt: 3 of the 3 functions and classes that it reaches: noise.Noise > middle.plan.draw > core.positive"
    )


def test_chains_go_around_circles(package):
    import structure

    arrows = {"a": {"b"}, "b": {"c", "d"}, "c": {"b"}, "d": {"e"}, "e": set()}
    assert structure.circles_of(arrows) == [{"b", "c"}]
    assert structure.longest_chain(arrows) == ["a", "b", "d", "e"]
