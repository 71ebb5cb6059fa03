"""The code of the recipes in CONTRIBUTING.md: it runs in the files that it belongs to, and its examples hold.

A recipe's code is put into a file of a folder that is added to the path of the package. If it belongs into a file that
is there, it finds all names of that file.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_group
from typer.testing import CliRunner

import fbmsde
from fbmsde import FractionalNoise, ResidenceTimes, first_passage, quadratic, simulate_paths
from fbmsde.cli import app, program
from fbmsde.core import checks
from fbmsde.dynamics.landscapes import LANDSCAPES
from fbmsde.results.residence import Visits
from fbmsde.theory.evidence import fbm

from . import naive

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()


def code_of(heading: str) -> list[str]:
    """The blocks of Python below a heading."""
    part = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [
        textwrap.dedent(block) for block in re.findall(r"^ *```python\n(.*?)^ *```$", part, re.DOTALL | re.MULTILINE)
    ]


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A function that imports the code of a recipe as if it stood in a file of the package, and runs its examples."""

    def build(folder: str, name: str, text: str, beside: str = ""):
        package = importlib.import_module(f"fbmsde.{folder}")
        names = f"vars(import_module('{package.__name__}.{beside}')).items()"
        known = f"globals().update((k, v) for k, v in {names} if k[:2] != '__')" if beside else ""
        head = f"from __future__ import annotations\nfrom importlib import import_module\n{known}\n"
        (tmp_path / f"{name}.py").write_text(head + text.replace("from __future__ import annotations\n", ""))
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        monkeypatch.delitem(sys.modules, f"{package.__name__}.{name}", raising=False)
        module = importlib.import_module(f"{package.__name__}.{name}")
        new = {node.name for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        for test in doctest.DocTestFinder().find(module, globs=vars(module) | {"np": np}):
            if test.name.removeprefix(f"{module.__name__}.").split(".")[0] in new:
                assert doctest.DocTestRunner().run(test).failed == 0
        return module

    return build


def test_landscape(built, monkeypatch):
    (code,) = code_of("A landscape")
    monkeypatch.setitem(LANDSCAPES, "morse", quadratic)  # so that it is not there afterwards
    well = built("dynamics", "recipe_landscape", code, "landscapes").morse(2.0, 1.5)
    points = np.linspace(-1.0, 3.0, 9)
    numeric = fbmsde.Landscape(well.potential, None, well.params)
    assert np.allclose(well.slope(points), numeric.slope(points), atol=1e-7)


def test_solver(built):
    code, twin = code_of("A solver")
    split = built("dynamics", "recipe_solver", code, "solvers").split
    namespace = dict(vars(naive))
    exec(compile(twin, "CONTRIBUTING.md", "exec"), namespace)
    well = fbmsde.tilted_double_well(1.0, 1.0, 0.3)
    got = split(well.point_gradient, well.params, (0.4,), (0.25,), 0.1)[0]
    expected = namespace["split_step"](lambda x: well.gradient(x, *well.params), 0.4, 0.25, 0.1)
    assert got == pytest.approx(expected, rel=1e-15)


def test_dynamics(built):
    (code,) = code_of("A dynamics")
    equation = built("dynamics", "recipe_dynamics", code).forced(quadratic(4.0), 0.5, 2.0)
    quiet = FractionalNoise(0.5, 1e-12)
    end = simulate_paths(equation, quiet, 0.0, dt=1e-4, n_steps=10_000, n_paths=1, seed=0).values[0, -1]
    w = np.pi
    exact = 0.5 * (4.0 * np.cos(w) + w * np.sin(w) - 4.0 * np.exp(-4.0)) / (16.0 + w**2)
    assert end == pytest.approx(exact, abs=1e-3)


def test_driver(built):
    (code,) = code_of("A driver")
    noise = built("drivers", "recipe_driver", code).StudentNoise(0.7)
    runs = [first_passage(quadratic(1.0), noise, 0.0, (-1.0, 1.0), dt=0.05, horizon=5.0, n_paths=n, seed=1)
            for n in (40, 400)]  # fmt: skip
    assert np.array_equal(runs[0].times, runs[1].times[:40])
    assert 0.0 < runs[1].censored.mean() < 1.0


def test_exact_generator(built):
    (code,) = code_of("An exact generator")
    module = built("drivers.exact", "recipe_generator", code, "generators")
    whole, some = np.empty((9, 6)), np.empty((2, 6))
    generator = module.Backward(0.7, 6)
    generator.fill(checks.as_seed(0), 0, 0, whole)
    generator.fill(checks.as_seed(0), 4, 0, some)
    assert np.array_equal(some, whole[4:6])
    module.Cholesky(0.7, 6).fill(checks.as_seed(0), 4, 0, some)
    assert np.array_equal(some[:, ::-1], whole[4:6])


def test_monitoring(built):
    (code,) = code_of("A monitoring")
    tolerant = built("simulation", "recipe_monitoring", code, "monitoring").Tolerant(0.05, margin=0.5)
    plan = {"horizon": 5.0, "n_paths": 50, "seed": 1}
    noise = FractionalNoise(0.3)
    wide = first_passage(quadratic(1.0), noise, 0.0, (-1.5, 1.5), dt=0.05, **plan)
    found = first_passage(quadratic(1.0), noise, 0.0, (-1.0, 1.0), monitoring=tolerant, **plan)
    assert np.array_equal(found.times, wide.times)


def test_formula(built, monkeypatch):
    functions, evidence, entry = code_of("A formula")
    check = built("theory.evidence", "recipe_evidence", evidence, "fbm").brownian_interval_mean
    monkeypatch.setattr(fbm, "brownian_interval_mean", check, raising=False)
    text = f"{functions}\n\ndef _recipe():\n{textwrap.indent(entry, '    ')}"
    (formula,) = built("theory", "recipe_formula", text, "free_fbm")._recipe()
    assert formula.evaluate(hurst=0.5, barrier=2.0, sigma=0.5, x0=1.0) == pytest.approx(12.0)
    assert formula.valid(hurst=0.4, barrier=2.0) == "hurst must be 1/2, got 0.4."
    assert formula.verify().passed


@pytest.mark.slow
def test_estimator(built):
    code, entry = code_of("An estimator")
    built("hurst", "madogram", code)
    text = f"from . import madogram\n\nRECIPE = {{\n{entry}}}\n"
    estimator = built("hurst", "recipe_registry", text, "registry").RECIPE["madogram"]
    fitted = estimator.fit(fbmsde.fgn(0.3, 4000, 20, seed=0))
    assert np.median(fitted.hurst) == pytest.approx(0.3, abs=0.05)
    assert np.median(fitted.sigma) == pytest.approx(1.0, abs=0.05)
    assert np.all(estimator.standard_error(64) > estimator.standard_error(256))


def test_picture(built):
    (code,) = code_of("A picture")
    visits = Visits.of(np.array([[0, 0, 0], [0, 30, 1], [0, 60, 0]]), 0.1, 100)
    cores = (np.array([[-1.0], [1.0]]), np.full(2, 0.1), np.array([[20, 30, 100]]))
    ax = built("plots", "recipe_picture", code).plot_occupation(ResidenceTimes(visits, *cores, 0.1, 10.0, 1))
    assert ax.has_data() and ax.get_xlabel() and ax.get_ylabel()


def test_command(built, monkeypatch):
    code, entry = code_of("A command")
    monkeypatch.setattr(app, "registered_commands", [])
    built("cli", "recipe_command", code)
    listed = eval(f"{{{entry}}}", vars(program))
    assert listed["shift"].help == get_group(app).commands["shift"].help
    result = CliRunner().invoke(app, ["shift", "--hurst", "0.5", "--dt", "0.01"])
    assert result.exit_code == 0 and result.output == "0.5  0.0582597\n"
