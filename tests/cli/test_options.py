"""Hostile values for every option and argument of every sub-command: one line or the usage, a status, no traceback.

The options are read from the commands, so that those of a new command are tried without being listed here. Values are
such as have no meaning for any option; a run that begins with one of them is a fault.
"""

from __future__ import annotations

import typing
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.main import get_group
from typer.testing import CliRunner

from fbmsde.cli import app
from fbmsde.cli.program import COMMANDS
from fbmsde.core.files import LOCK

CONFIG = """
paths = 20
landscape.name = "quadratic"
noise.name = "white"
start.x0 = 0.0
domain.height = 0.5
monitoring = {dt = 0.1, horizon = 2.0}
"""
NONSENSE = ["nan", "-inf", "abc", "1e400", "9" * 400, "é\u202e中", "[]", "\x1b[31m", "None", "'", "x" * 5000]
EMPTY = ["", "  ", "\n"]
BELOW_ZERO = ["-1", "-1e308", "-0.5"]
NO_PLACE = ["file.txt/below", "a\0b", "x" * 300]
NO_FILE = [*NO_PLACE, "nowhere", "é\u202e中.toml", "folder", "file.txt"]
SIGNED = {"x0"}  # options that may be negative
TAKEN = {  # what must be given for a command to come to its other options
    "config": "campaign.toml",
    "folder": "store",
    "out": "new.npy",
    "file": "series.npy",
    "kind": "increments",
}


pytestmark = pytest.mark.slow


@lru_cache
def commands() -> dict[str, Any]:
    """The sub-commands with their options."""
    for command in COMMANDS.values():
        import_module(f"fbmsde.cli.{command.file}")
    found = get_group(app).commands
    return {name: found[name] for name in COMMANDS}


def is_path(command: Any, parameter: Any) -> bool:
    """Whether the value of a parameter is a path."""
    kind = typing.get_type_hints(command.callback)[parameter.name]
    return Path in (kind, *typing.get_args(kind)) or parameter.name == "file"


PARAMETERS = [
    (name, parameter.name)
    for name, command in commands().items()
    for parameter in command.params
    if not getattr(parameter, "is_flag", False)
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of each kind that commands take."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "folder").mkdir()
    (folder / "file.txt").write_text("paths\n")
    (folder / "campaign.toml").write_text(CONFIG)
    np.save(folder / "series.npy", np.random.default_rng(0).standard_normal(300))
    return folder


def call(name: str, hostile: str, value: str) -> Any:
    """The result of a command that is given one hostile value, and what it needs besides."""
    line = [name]
    for parameter in commands()[name].params:
        chosen = value if parameter.name == hostile else TAKEN[parameter.name] if parameter.required else None
        if chosen is not None and parameter.param_type_name == "option":
            line += [parameter.opts[0], *[chosen] * parameter.nargs]
        elif chosen is not None:
            line += [chosen]
    return CliRunner().invoke(app, line)


def require_refused(result: Any, told: str) -> None:
    """Fail unless a command has been refused by one line and status 1, or as wrong usage by status 2."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise AssertionError(f"{told}: a traceback") from result.exception
    assert result.exit_code in (1, 2), f"{told}: {result.output[-300:]}"
    assert "Traceback" not in result.output
    if result.exit_code == 1:
        assert len(result.stderr.splitlines()) == 1, f"{told}: {result.stderr[-1000:]}"
        assert result.stderr.startswith("error: ") and result.stderr.strip().isprintable()
        assert result.stdout == "", told


def hostile_values(name: str, parameter: str) -> list[str]:
    """Values that have no meaning for a parameter."""
    command = commands()[name]
    (found,) = (each for each in command.params if each.name == parameter)
    if not is_path(command, found):
        return [*EMPTY, *NONSENSE, *(BELOW_ZERO if parameter not in SIGNED else [])]
    given_file = found.param_type_name == "argument" and parameter != "out"
    return [*EMPTY, *(NO_FILE if given_file else NO_PLACE)]


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_hostile_values_are_refused(name, parameter, place, monkeypatch):
    monkeypatch.chdir(place)
    for value in hostile_values(name, parameter):
        require_refused(call(name, parameter, value), f"{name} {parameter} = {value[:40]!r}")
    left = {path.name for path in place.rglob("*") if path.is_file() and path.name != LOCK}
    assert left == {"campaign.toml", "file.txt", "series.npy"}


NUMBERS = [(name, each) for name, each in PARAMETERS if not is_path(commands()[name], type("P", (), {"name": each}))]


@settings(deadline=None, max_examples=50)
@given(which=st.sampled_from(NUMBERS), text=st.text(st.characters(exclude_categories=["Cs", "N"]), min_size=1))
def test_texts_without_meaning_are_refused(which, text, tmp_path_factory):
    """No option takes a text with a bracket in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.getbasetemp())
        require_refused(call(*which, f"[{text}"), f"{which} = {text!r}")
