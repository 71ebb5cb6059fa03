"""Simulation of stochastic differential equations driven by fractional Brownian motion."""

from . import theory
from ._budget import Accuracy, ErrorBudget
from ._errors import HorizonError, PathError
from .bridge import bridge_passage
from .escape import EscapeStudy, escape_study
from .fbm_compat import FBM
from .fou import fractional_ornstein_uhlenbeck
from .generators import fbm, fgn
from .hurst import estimate_hurst, rolling_hurst
from .landscapes import Landscape, double_well, double_well_2d, quadratic, rippled_well, tilted_double_well
from .noise import FractionalNoise
from .passage import LevelSet, first_passage
from .simulate import Paths, simulate_paths
from .streaming import StreamingNoise
from .survival import NoEstimateError, PassageTimes

__version__ = "0.1.0"

__all__ = [
    "FBM",
    "Accuracy",
    "ErrorBudget",
    "EscapeStudy",
    "FractionalNoise",
    "HorizonError",
    "Landscape",
    "LevelSet",
    "NoEstimateError",
    "PassageTimes",
    "PathError",
    "Paths",
    "StreamingNoise",
    "bridge_passage",
    "double_well",
    "double_well_2d",
    "escape_study",
    "estimate_hurst",
    "fbm",
    "fgn",
    "first_passage",
    "fractional_ornstein_uhlenbeck",
    "quadratic",
    "rippled_well",
    "rolling_hurst",
    "simulate_paths",
    "theory",
    "tilted_double_well",
]
