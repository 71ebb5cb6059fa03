from . import plots, theory
from .campaigns.campaign import Campaign, CampaignResults, InterruptedCampaignError
from .campaigns.loading import load
from .campaigns.rounds import Precision
from .campaigns.stored import StoredCampaign
from .drivers.anisotropic import AnisotropicNoise
from .drivers.arma import ArmaNoise, anti_pgd
from .drivers.epoch import EpochNoise
from .drivers.fbm_compat import FBM
from .drivers.finite_population import PopulationNoise
from .drivers.fractional import FractionalNoise
from .drivers.gaussian import GaussianNoise
from .drivers.mixed import MixedNoise
from .drivers.presets import OrnsteinUhlenbeckNoise, arfima, tempered_fgn
from .drivers.rational.certified import Certificate
from .drivers.rational.streaming import StreamingNoise
from .drivers.sample import fbm, fgn
from .drivers.stable import StableNoise
from .dynamics import schedules
from .dynamics.around import reflected, resetting
from .dynamics.chain import Chain
from .dynamics.curvature import hessian_factor, loss_noise
from .dynamics.descent import sgd
from .dynamics.equation import Equation, overdamped
from .dynamics.inertia import langevin
from .dynamics.landscapes import (
    Landscape,
    double_well,
    double_well_2d,
    quadratic,
    rippled_well,
    tilted_double_well,
)
from .dynamics.solvers import SOLVERS
from .dynamics.wide_landscapes import hessian_spectrum, linear_network, power_law_spectrum, rosenbrock, valley
from .hurst.estimate import estimate_hurst
from .hurst.registry import ESTIMATORS
from .hurst.result import HurstEstimate
from .hurst.rolling import RollingHurst, rolling_hurst
from .io.series import read_series
from .laws.diffusions import mean_exit_time
from .rare.escape import rare_escape
from .rare.instanton import most_likely_escape
from .rare.problem import RareProblem
from .results.accuracy import Accuracy
from .results.departures import Departures
from .results.displacement import Displacement
from .results.error_budget import ErrorBudget
from .results.estimates import Estimate, Hazard, Mean, NoEstimateError, Rate, SurvivalCurve
from .results.instanton import MostLikelyEscape
from .results.passage_times import PassageTimes
from .results.rare import RareEscape
from .results.rare_estimate import RareEstimate
from .results.replicas import Replica
from .results.residence import Correlation, MeanResidence, ResidenceTimes
from .results.split import Incidence, Split
from .results.survival_sums import Density, LogRank
from .simulation.bridge import bridge_passage
from .simulation.domains import LevelSet
from .simulation.errors import HorizonError, PathError
from .simulation.exact_ou import fractional_ornstein_uhlenbeck
from .simulation.monitoring import Continuous, Grid, Shifted
from .simulation.passage import first_passage
from .simulation.passage_problem import PassageProblem
from .simulation.paths import Paths, simulate_paths
from .simulation.residence import residence_times
from .simulation.starts import Stationary
from .simulation.wide import ball
from .studies.converge.study import ConvergeStudy, converge_study
from .studies.escape.study import EscapeStudy, escape_study
from .studies.sgd.gradient_noise import GradientNoise, collect_gradient_noise, hill_index
from .studies.views.study import ViewsStudy, views_study

__all__ = [
    "ESTIMATORS",
    "FBM",
    "SOLVERS",
    "Accuracy",
    "AnisotropicNoise",
    "ArmaNoise",
    "Campaign",
    "CampaignResults",
    "Certificate",
    "Chain",
    "Continuous",
    "ConvergeStudy",
    "Correlation",
    "Density",
    "Departures",
    "Displacement",
    "EpochNoise",
    "Equation",
    "ErrorBudget",
    "EscapeStudy",
    "Estimate",
    "FractionalNoise",
    "GaussianNoise",
    "GradientNoise",
    "Grid",
    "Hazard",
    "HorizonError",
    "HurstEstimate",
    "Incidence",
    "InterruptedCampaignError",
    "Landscape",
    "LevelSet",
    "LogRank",
    "Mean",
    "MeanResidence",
    "MixedNoise",
    "MostLikelyEscape",
    "NoEstimateError",
    "OrnsteinUhlenbeckNoise",
    "PassageProblem",
    "PassageTimes",
    "PathError",
    "Paths",
    "PopulationNoise",
    "Precision",
    "RareEscape",
    "RareEstimate",
    "RareProblem",
    "Rate",
    "Replica",
    "ResidenceTimes",
    "RollingHurst",
    "Shifted",
    "Split",
    "StableNoise",
    "Stationary",
    "StoredCampaign",
    "StreamingNoise",
    "SurvivalCurve",
    "ViewsStudy",
    "anti_pgd",
    "arfima",
    "ball",
    "bridge_passage",
    "collect_gradient_noise",
    "converge_study",
    "double_well",
    "double_well_2d",
    "escape_study",
    "estimate_hurst",
    "fbm",
    "fgn",
    "first_passage",
    "fractional_ornstein_uhlenbeck",
    "hessian_factor",
    "hessian_spectrum",
    "hill_index",
    "langevin",
    "linear_network",
    "load",
    "loss_noise",
    "mean_exit_time",
    "most_likely_escape",
    "overdamped",
    "plots",
    "power_law_spectrum",
    "quadratic",
    "rare_escape",
    "read_series",
    "reflected",
    "resetting",
    "residence_times",
    "rippled_well",
    "rolling_hurst",
    "rosenbrock",
    "schedules",
    "sgd",
    "simulate_paths",
    "tempered_fgn",
    "theory",
    "tilted_double_well",
    "valley",
    "views_study",
]

__version__: str
