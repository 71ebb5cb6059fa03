"""What theory knows of a first-passage problem, read from where its result comes from."""

from __future__ import annotations

from collections.abc import Mapping

from ..results.provenance import PARTS, Provenance
from ..theory.formula import EXIT
from ..theory.registry import applicable

_ON_GRID = ("fou_exit_rate_grid", "ou_eigenvalue_grid", "pickands_euler")  # the best one first
_CONTINUOUS = ("ou_eigenvalue", "fou_exit_rate", "pickands")
_INSTEAD = "Give a rate, or a function of times that returns the share inside."


def known_rates(provenance: Provenance | None) -> dict[str, float]:
    """The exit rate from a quadratic well under fractional noise by the best formula that holds, by its title.

    Raises ValueError, with the reason, where the result tells no problem or none that a formula holds for.
    """
    problem = None if provenance is None or PARTS in provenance else provenance.get("problem")
    if not isinstance(problem, Mapping):
        raise ValueError(f"theory must be given for times that do not tell of one problem, got True. {_INSTEAD}")
    asked = _asked(problem)
    if asked is None:
        raise ValueError("theory must be given unless paths leave a quadratic well from its minimum under fractional "
                         f"noise, through one side or two equal ones, got True. {_INSTEAD}")  # fmt: skip
    found = {formula.name: formula for formula in applicable("exit_rate", EXIT, **asked)}
    for name in _ON_GRID if "dt" in asked else _CONTINUOUS:
        if name in found:
            return {found[name].title: float(found[name].evaluate(extrapolate=False, **asked))}
    raise ValueError(f"theory must be given where no formula holds, got True for {asked}. {_INSTEAD}")


def counts_steps(provenance: Provenance | None) -> bool:
    """Whether a unit of time is a step of a chain in all runs of a result.

    >>> counts_steps({"problem": {"landscape": {"kind": "Reflected", "inner": {"kind": "Chain"}}}}), counts_steps(None)
    (True, False)
    """
    parts = [] if provenance is None else provenance.get(PARTS, [provenance])
    equations = [_part(_part(run, "problem"), "landscape") for run in parts] if isinstance(parts, list) else []
    return bool(equations) and all(_is_chain(equation) for equation in equations)


def _is_chain(equation: Mapping[str, object]) -> bool:
    """Whether an equation, or the one that walls or resets stand around, is a chain."""
    return equation.get("kind") == "Chain" or ("inner" in equation and _is_chain(_part(equation, "inner")))


def _asked(problem: Mapping[str, object]) -> dict[str, float] | None:
    """The arguments of the formulas, None unless the problem is one that they are for."""
    landscape, noise, monitoring = (_part(problem, name) for name in ("landscape", "noise", "monitoring"))
    params, rims = landscape.get("params"), _rims(problem.get("domain"))
    if not (landscape.get("name") == "quadratic" and landscape.get("dim") == 1 and isinstance(params, list)):
        return None
    if noise.get("kind") != "FractionalNoise" or problem.get("x0") != 0.0 or not rims or max(rims) > min(rims):
        return None
    numbers = {"hurst": noise.get("hurst"), "sigma": noise.get("sigma"), "curvature": params[0], "barrier": rims[0],
               "sides": len(rims), "horizon": problem.get("horizon")}  # fmt: skip
    if monitoring.get("kind") == "Grid":
        numbers["dt"] = monitoring.get("dt")
    return {name: float(value) for name, value in numbers.items() if isinstance(value, (int, float))}


def _part(problem: Mapping[str, object], name: str) -> Mapping[str, object]:
    """A part of the problem, empty if it is not told as a mapping."""
    part = problem.get(name)
    return part if isinstance(part, Mapping) else {}


def _rims(domain: object) -> list[float]:
    """The distances of the finite ends of an interval around 0; none where the domain is no such interval."""
    if not (isinstance(domain, (list, tuple)) and len(domain) == 2):
        return []
    return [abs(float(end)) for end in domain if isinstance(end, (int, float)) and abs(end) < float("inf")]
