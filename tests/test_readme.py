"""The README: its Python blocks run, its commands and files exist, the examples run."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fbmsde.cli.program import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```\n\n((?:    [^\n]*\n)*)", README, flags=re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize(("block", "shown"), BLOCKS, ids=map(str, range(len(BLOCKS))))
def test_python_block_prints_what_is_shown(block, shown, capsys):
    """A block and, where lines that are set in follow it, what it prints to the last digit."""
    exec(compile(block, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert not shown or textwrap.dedent(shown) == printed


def test_blocks_with_output_are_seen():
    assert sum(bool(shown) for _, shown in BLOCKS) >= 3


def test_both_commands_are_there():
    commands = re.findall(r"```sh\n(.*?)\n```", README)
    ends = [c.split("&&")[-1].strip() for c in commands[:2]]
    assert ends == [".venv/bin/fbmsde escape", ".venv/bin/python -m pytest"]


def test_linked_files_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_sub_commands_are_listed():
    listed = re.search(r"On the command line there are (.*?);", README, flags=re.DOTALL)
    assert set(re.findall(r"[a-z]+(?=`)", listed[1])) == set(COMMANDS)


def test_names_of_the_package_are_there_after_a_bare_import():
    """The longest first: a shorter one imports what a longer one needs."""
    pages = "".join(path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")))
    found = set(re.findall(r"(?<![\w/.-])fbmsde((?:\.[A-Za-z]\w*)+)", pages))
    names = sorted(found, key=lambda name: -name.count("."))
    code = f"import fbmsde, operator\nfor name in {names}: operator.attrgetter(name[1:])(fbmsde)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert len(names) > 20 and not done.returncode, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.stem)
def test_example_runs(path, tmp_path):
    done = subprocess.run([sys.executable, path], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
