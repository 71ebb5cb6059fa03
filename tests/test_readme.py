"""The README: its Python blocks run, its commands and files exist, the examples run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fbmsde.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.slow
def test_python_blocks_run(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) >= 2
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    first = capsys.readouterr().out.splitlines()[0]
    assert "left; exit rate" in first
    assert f"\n    {first}\n" in README


def test_both_commands_are_there():
    commands = re.findall(r"```sh\n(.*?)\n```", README)
    ends = [c.split("&&")[-1].strip() for c in commands[:2]]
    assert ends == [".venv/bin/fbmsde escape", ".venv/bin/python -m pytest"]


def test_linked_files_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_sub_commands_are_listed():
    names = [c.name or c.callback.__name__ for c in app.registered_commands]
    assert all(f"`{name}`" in README or f"`fbmsde {name}`" in README for name in names)


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.stem)
def test_example_runs(path, tmp_path):
    done = subprocess.run([sys.executable, path], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
