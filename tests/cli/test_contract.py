"""What every sub-command does, read from the list of them: explain itself, and refuse an option that is given twice."""

from __future__ import annotations

from importlib import import_module

import pytest
from typer.main import get_group
from typer.testing import CliRunner

from fbmsde.cli import app
from fbmsde.cli.program import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_command_explains_itself(name):
    result = CliRunner().invoke(app, [name, "-h"])
    assert result.exit_code == 0
    assert COMMANDS[name].help.split(",")[0][:40] in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_command_refuses_an_option_given_twice(name):
    """The last of two values would win in silence."""
    import_module(f"fbmsde.cli.{COMMANDS[name].file}")
    for option in get_group(app).commands[name].params:
        if option.param_type_name == "option" and not (option.multiple or option.is_flag or option.is_eager):
            value = ["1"] * option.nargs
            result = CliRunner().invoke(app, [name, option.opts[0], *value, option.opts[0], *value])
            assert result.exit_code == 2
            assert f"Option '{option.opts[0]}' must be given once" in " ".join(result.output.split())
