"""The list of sub-commands, and `fbmsde cache`."""

from __future__ import annotations

from importlib import import_module

import pytest
from typer.main import get_group
from typer.testing import CliRunner

from fbmsde.cli import app
from fbmsde.cli.program import COMMANDS
from fbmsde.core import cache


def call(*arguments):
    return CliRunner().invoke(app, arguments)


def test_list_of_commands_tells_what_the_commands_do():
    for command in COMMANDS.values():
        import_module(f"fbmsde.cli.{command.file}")
    found = get_group(app).commands
    first = {name: (command.help or "").partition("\n\n")[0] for name, command in found.items()}
    assert first == {name: command.help for name, command in COMMANDS.items()}
    assert all(command.callback for command in found.values()), "a name stands for nothing"


def test_misspelt_command_is_wrong_usage_with_advice():
    result = call("theorie")
    assert result.exit_code == 2
    assert "Did you mean 'theory'?" in result.output


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A cache with two kernels of one version."""
    monkeypatch.setenv("FBMSDE_CACHE_DIR", str(tmp_path))
    (tmp_path / ("a" * 32)).mkdir()
    for name in "fg":
        (tmp_path / ("a" * 32) / f"{name}.code").write_bytes(bytes(600_000))
    return tmp_path


def test_cache_says_where_it_is_and_how_much_it_holds(place):
    result = call("cache")
    assert result.exit_code == 0
    assert result.output == (
        f"{place}\n2 kernels and 0 fits of noise, of 1 version of the sources, 1.2 MB\n"
        "$FBMSDE_CACHE_DIR chooses another place\n"
    )


def test_cache_is_cleared(place):
    result = call("cache", "--clear")
    assert (result.exit_code, result.output) == (0, f"deleted 1.2 MB of compiled code and results in {place}\n")
    assert not list(place.iterdir())
    assert "0 kernels and 0 fits of noise, of 0 versions of the sources, 0.0 MB" in call("cache").output


def test_cache_that_cannot_be_cleared_is_an_error(place, monkeypatch):
    monkeypatch.setattr(cache.shutil, "rmtree", lambda *args, **options: None)
    result = call("cache", "--clear")
    assert result.exit_code == 1
    assert result.output == f"error: the cache must be a folder whose files can be deleted, got {place}.\n"
