"""Types of the public face: the choices that users have are those that type checkers know."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from fbmsde.drivers.exact.generators import GENERATORS, GeneratorName
from fbmsde.dynamics.solvers import CALCULI, SOLVERS, Calculus, SolverName
from fbmsde.hurst.registry import ESTIMATORS, NULLS, EstimatorName, NullName
from fbmsde.rare.escape import MONITORING as GRIDS
from fbmsde.rare.escape import GridMonitoring
from fbmsde.rare.methods import METHODS, Named
from fbmsde.simulation.monitoring import MONITORING, MonitoringName

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tests" / "typed_user.py"
LISTED = [
    (SolverName, SOLVERS),
    (SolverName, CALCULI),
    (Calculus, {calculus for known in CALCULI.values() for calculus in known}),
    (GeneratorName, GENERATORS),
    (EstimatorName, ESTIMATORS),
    (NullName, NULLS),
    (MonitoringName, MONITORING),
    (GridMonitoring, GRIDS),
    (Named, METHODS),
]


@pytest.mark.parametrize(("names", "registry"), LISTED)
def test_names_are_those_of_the_registry(names, registry):
    assert set(get_args(names)) == set(registry)


@pytest.mark.slow
def test_mypy_sees_what_a_user_gets_wrong_and_no_any():
    """Each line with a mistake is told, no other one is, and no type that comes back is or holds Any."""
    command = [sys.executable, "-m", "mypy", str(SCRIPT)]
    environment = os.environ | {"MYPYPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=600)
    told = re.findall(r"^tests/typed_user\.py:(\d+): (error|note): (.*)$", done.stdout, re.MULTILINE)
    lines = SCRIPT.read_text().splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert {int(number) for number, kind, _ in told if kind == "error"} == wrong, done.stdout + done.stderr
    revealed = [text for _, _, text in told if text.startswith("Revealed type")]
    assert len(revealed) == sum(line.strip().startswith("reveal_type(") for line in lines)
    of_any_shape = re.compile(r"ndarray\[tuple\[Any, \.\.\.\], ")
    assert not [text for text in revealed if re.search(r"\bAny\b", of_any_shape.sub("ndarray[", text))]
