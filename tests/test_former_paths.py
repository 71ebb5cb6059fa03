"""Everything that 0.1.0 exported is found at its former path."""

from __future__ import annotations

import importlib

import pytest

import fbmsde
from fbmsde._former_paths import FORMER

FORMER_NAMES = {
    "bench": "generator_table davies_harte_shares",
    "bench_passage": "passage_table",
    "bridge": "bridge_passage",
    "continuous": "exits Plan",
    "covariance": "fgn_autocovariance fbm_covariance fgn_spectrum fou_variance euler_chain_variance",
    "diffusions": "mean_exit_time ou_exit_rate",
    "escape": "escape_study EscapeStudy",
    "extremes": "barrier_shift pickands_constant fbm_maximum_cdf",
    "fbm_compat": "FBM",
    "fou": "fractional_ornstein_uhlenbeck",
    "generators": "GENERATORS make_generator fgn fbm",
    "hurst": "ESTIMATORS estimate_hurst rolling_hurst HurstEstimate RollingHurst",
    "landscapes": "Landscape LANDSCAPES quadratic double_well",
    "noise": "FractionalNoise METHODS Feed",
    "passage": "first_passage PathError HorizonError LevelSet MONITORING",
    "plots": "plot_escape plot_rolling_hurst plot_sgd_group plot_sgd_escape",
    "simulate": "Paths simulate_paths",
    "solvers": "SOLVERS euler heun",
    "streaming": "StreamingNoise Certificate default_tolerance correlation_factor",
    "survival": "PassageTimes NoEstimateError Mean Rate Hazard SurvivalCurve",
    "theory": "FORMULAS Formula applicable formulas_table first_to_empty flip_height",
    "cli": "app main",
}


@pytest.mark.parametrize("module", FORMER_NAMES)
def test_former_paths_lead_to_the_same_names(module):
    found = importlib.import_module(f"fbmsde.{module}")
    for name in FORMER_NAMES[module].split():
        assert getattr(found, name) is not None
    assert getattr(fbmsde, module) is not None


def test_former_paths_know_what_they_do_not_have():
    assert set(FORMER) <= set(FORMER_NAMES) | {"gradient_noise", "sgd_escape", "sgd_study"}
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        importlib.import_module("fbmsde.passage").nothing  # noqa: B018
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("fbmsde.nowhere")
