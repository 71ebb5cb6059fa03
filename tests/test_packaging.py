"""What is said in several places about the package is the same everywhere."""

from __future__ import annotations

import configparser
import re
from fnmatch import fnmatch
from pathlib import Path

import fbmsde

ROOT = Path(__file__).parents[1]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")


def text(name: str) -> str:
    return (ROOT / name).read_text()


def listed(section: str, option: str) -> list[str]:
    return SETUP[section][option].split("\n")[1:]


def test_the_version_comes_from_one_place():
    assert SETUP["metadata"]["version"] == "attr: fbmsde.__version__"
    version = re.escape(fbmsde.__version__)
    for name, line in (
        ("CITATION.cff", f"version: {version}"),
        ("recipe/recipe.yaml", f'  version: "{version}"'),
        ("CHANGELOG.md", rf"## {version} \(.*\)"),
    ):
        assert re.search(f"^{line}$", text(name), flags=re.MULTILINE), name
    assert re.search(r"^## (\S+)", text("CHANGELOG.md"), flags=re.MULTILINE)[1] == fbmsde.__version__
    assert "release = version = fbmsde.__version__" in text("docs/conf.py")


def test_the_versions_of_python_are_the_same():
    told = [line.rpartition(" ")[2] for line in listed("metadata", "classifiers") if re.search(r":: 3\.\d+$", line)]
    jobs = re.search(r"python: \[(.*)\]", text(".github/workflows/ci.yml"))[1]
    assert re.findall(r'"(.*?)"', jobs) == told
    assert SETUP["options"]["python_requires"] == f">={told[0]}"
    assert f'  python_min: "{told[0]}"' in text("recipe/recipe.yaml")


def test_the_recipe_needs_what_the_package_needs():
    run = re.search(r"\n  run:\n(.*?)\n\n", text("recipe/recipe.yaml"), flags=re.DOTALL)[1]
    needed = [line.strip("- ").replace(" ", "") for line in run.splitlines()]
    of_conda = {"matplotlib-base": "matplotlib", "lazy-loader": "lazy_loader"}
    names = [re.sub(r"^[\w-]+", lambda name: of_conda.get(name[0], name[0]), each) for each in needed]
    assert names[1:] == listed("options", "install_requires")


def test_every_file_of_the_package_is_in_the_wheel():
    for file in (ROOT / "fbmsde").rglob("*"):
        if file.is_file() and file.suffix not in (".py", ".pyc"):
            package = ".".join(file.parent.relative_to(ROOT).parts)
            known = SETUP["options.package_data"].get(package, "").split(", ")
            assert any(fnmatch(file.name, pattern) for pattern in known), file


def test_the_paper_cites_what_its_bibliography_holds():
    cited = set(re.findall(r"@([a-z]+\d{4}\w*)", text("paper.md")))
    assert cited == set(re.findall(r"^@\w+\{(\w+),$", text("paper.bib"), flags=re.MULTILINE))
