"""The import of the package, `--version` and `--help` load next to nothing; names are found when they are used."""

from __future__ import annotations

import ast
import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import fbmsde
from fbmsde._former_paths import FORMER
from tests.test_architecture import FLOOR

PACKAGE = Path(fbmsde.__file__).parent
HEAVY = {"numpy", "numba", "scipy", "matplotlib", "pandas", "tqdm", "filelock", "cloudpickle", "torch", "fbm"}
NAMES = """
Accuracy AnisotropicNoise ArmaNoise Campaign CampaignResults Certificate Chain Continuous ConvergeStudy Correlation
Density Departures Displacement ESTIMATORS EpochNoise Equation ErrorBudget EscapeStudy Estimate FBM FractionalNoise
GaussianNoise GradientNoise Grid Hazard HorizonError HurstEstimate Incidence InterruptedCampaignError Landscape
LevelSet LogRank Mean MeanResidence MixedNoise MostLikelyEscape NoEstimateError OrnsteinUhlenbeckNoise PassageProblem
PassageTimes PathError Paths PopulationNoise Precision RareEscape RareEstimate RareProblem Rate Replica ResidenceTimes
RollingHurst SOLVERS Shifted Split StableNoise Stationary StoredCampaign StreamingNoise SurvivalCurve ViewsStudy
anti_pgd arfima ball bridge_passage collect_gradient_noise converge_study double_well double_well_2d escape_study
estimate_hurst fbm fgn first_passage fractional_ornstein_uhlenbeck hessian_factor hessian_spectrum hill_index
langevin
linear_network load loss_noise mean_exit_time most_likely_escape overdamped plots power_law_spectrum quadratic
rare_escape read_series reflected resetting residence_times rippled_well rolling_hurst rosenbrock schedules sgd
simulate_paths tempered_fgn theory tilted_double_well valley views_study
"""


def printed(script, *arguments):
    """What a fresh interpreter prints when it runs the script."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(script, *arguments):
    """The packages that are loaded at the end of a script."""
    last = "\nimport sys\nprint(*sorted({name.partition('.')[0] for name in sys.modules}))"
    return set(printed(script + last, *arguments).splitlines()[-1].split())


def test_import_loads_nothing_heavy():
    assert not HEAVY & loaded_by("import fbmsde; fbmsde.__version__; dir(fbmsde)")


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_load_nothing_heavy(option):
    call = "from fbmsde.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass"
    assert not HEAVY & loaded_by(call, option)


def test_names_are_found_when_they_are_used():
    script = "import sys, fbmsde\nbefore = 'numba' in sys.modules\nprint(before, fbmsde.first_passage.__name__)"
    assert printed(script) == "False first_passage\n"


def test_first_passage_is_found_without_what_it_does_not_need():
    script = "import sys, fbmsde\nfbmsde.first_passage, fbmsde.FractionalNoise, fbmsde.quadratic\nprint(*sys.modules)"
    loaded = set(printed(script).split())
    assert "fbmsde.simulation.passage" in loaded
    idle = {"scipy.stats", "scipy.interpolate", "matplotlib", "pandas", "tqdm", "filelock", "cloudpickle", "torch"}
    idle |= {f"fbmsde.{folder}" for folder in ("hurst", "theory", "studies", "plots", "bench", "cli")}
    assert not loaded & idle


def test_public_names_are_these():
    assert sorted(fbmsde.__all__) == sorted(NAMES.split())
    assert set(dir(fbmsde)) == {*NAMES.split(), *FLOOR, "__version__"}
    everything: dict[str, object] = {}
    exec("from fbmsde import *", everything)
    assert set(NAMES.split()) <= set(everything)


@pytest.mark.parametrize("name", NAMES.split())
def test_public_name_has_an_example(name):
    named = getattr(fbmsde, name)
    assert isinstance(named, dict) or ">>>" in inspect.getdoc(named)


def test_folders_and_former_paths_are_attributes_without_an_import():
    names = sorted({*FLOOR, *FORMER})
    script = f"import fbmsde\nfor name in {names}:\n    assert getattr(fbmsde, name).__name__ == 'fbmsde.' + name\n"
    printed(script + "print(fbmsde.hurst.estimate_hurst, fbmsde.theory.FORMULAS, fbmsde.passage.first_passage)")


def test_unknown_name_is_no_attribute():
    assert not hasattr(fbmsde, "nothing")
    with pytest.raises(ImportError):
        exec("from fbmsde import nothing")


def test_pickles_are_read_where_nothing_was_imported():
    raw = pickle.dumps([fbmsde.FractionalNoise(0.7), fbmsde.quadratic(1.0), fbmsde.Accuracy(), fbmsde.HorizonError])
    assert printed(f"import pickle; print(pickle.loads({raw!r})[0])") == f"{fbmsde.FractionalNoise(0.7)}\n"


def imported(path):
    """Names of all modules that a file imports, by statements and by `import_module`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield ast.unparse(node.args[0]).strip("'")


def test_only_the_benchmark_imports_the_package_fbm():
    users = {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py") if "fbm" in imported(path)}
    assert users == {"bench"}
