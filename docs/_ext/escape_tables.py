"""What the page on escapes knows of the package: nodes, constants and weights, written into it as JSON.

`docs/_static/escape_law.js` computes from them what the package computes, by the same interpolation.
"""

from __future__ import annotations

import math

import numpy as np
import scipy

from fbmsde.laws import fou_exits
from fbmsde.laws.diffusions import ou_exit_rate
from fbmsde.laws.extremes import barrier_shift, pickands_constant
from fbmsde.laws.fou import fou_stationary_variance
from fbmsde.theory import FORMULAS

_HURSTS = np.arange(20, 96) / 100  # what the slider can be set to
_DEVIATIONS = np.arange(1, 301) / 20  # barriers at which the exact rate of H = 1/2 is written down


def _slopes(nodes: np.ndarray) -> list[list[float]]:
    """The matrix that takes values at the nodes to the slopes of their cubic spline there."""
    spline = scipy.interpolate.CubicSpline(nodes, np.eye(nodes.size))
    return np.asarray(spline(nodes, 1)).tolist()


def _known(values: np.ndarray) -> list:
    """The values as lists, None where they are no number."""
    return np.where(np.isnan(values), None, values).tolist()


def _exact() -> dict[str, list[float]]:
    """The exact exit rate at H = 1/2 in units of the curvature: its logarithm and the slope of that, by barrier."""
    logs = [math.log(ou_exit_rate(k, sigma=math.sqrt(2.0))) for k in _DEVIATIONS]
    slopes = scipy.interpolate.CubicSpline(_DEVIATIONS, logs)(_DEVIATIONS, 1)
    return {"deviations": _DEVIATIONS.tolist(), "logs": logs, "slopes": slopes.tolist()}


def escape_tables() -> dict[str, object]:
    """All tables, for one rim, as JSON can hold them."""
    table = fou_exits.exit_table()
    return {
        "hursts": _HURSTS.tolist(),
        "variances": [fou_stationary_variance(h) for h in _HURSTS],
        "pickands": [float(np.log(pickands_constant(2.0 * h))) for h in _HURSTS],
        "shifts": [barrier_shift(h) for h in _HURSTS],
        "exact": _exact(),
        "nodes": {
            "hursts": table.hursts.tolist(),
            "barriers": table.barriers.tolist(),
            "times": table.times.tolist(),
            "logRatios": table.log_ratio[0].tolist(),
            "errors": _known(table.error[0]),
            "hurstSlopes": _slopes(table.hursts),
            "barrierSlopes": _slopes(table.barriers),
            "between": fou_exits.BETWEEN,
            "early": fou_exits.EARLY,
            "after": fou_exits.AFTER,
            "gone": fou_exits.GONE,
            "steps": fou_exits.STEPS,
        },
        "statuses": {
            name: {"brownian": formula.status_at(0.5), "fractional": formula.status_at(0.3)}
            for name, formula in FORMULAS.items()
            if name in ("fou_exit_rate", "pickands", "kramers_brownian_prefactor", "ou_eigenvalue")
        },
    }
