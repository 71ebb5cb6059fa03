"""`Formula`: a closed form with its source, its status and its range, and one way to evaluate all of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..core import checks
from ..core.pictures import picture
from ..core.show import Shown, line
from ..core.types import Array
from ..laws.stable import stable_index
from .references import REFERENCES
from .verification import Check, Verification

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Status = Literal["exact", "asymptotic", "approximate", "numerical", "refuted"]

SPREAD = "spread in the quadratic well"
PASSAGE = "passage to the minimum of the quadratic well"
EXIT = "exit from the quadratic well through a barrier"
FBM = "fractional Brownian motion without drift"
CHAIN = "gradient descent in the quadratic well"
INERTIA = "particle with inertia"
STABLE = "symmetric stable noise"
SIDES = "sides, balls, walls and resetting"


def _sides(name: str, value: Any) -> float:
    """The number of rims as a float; ValueError unless it is 1 or 2."""
    if checks.number(name, value) not in (1.0, 2.0):
        raise ValueError(f"{name} must be 1 (one rim) or 2 (both rims), got {value!r}.")
    return float(value)


def _time(name: str, value: Any) -> float:
    """The time as a float; ValueError unless it is finite and at least 0."""
    if checks.finite(name, value) < 0.0:
        raise ValueError(f"{name} must be at least 0, got {value}.")
    return float(value)


def _whole(name: str, value: Any) -> float:
    """The number as a float; ValueError unless it is whole and at least 1."""
    if not checks.positive(name, value).is_integer():
        raise ValueError(f"{name} must be a whole number from 1 on, got {value}.")
    return float(value)


def _momentum(name: str, value: Any) -> float:
    """The momentum as a float; ValueError unless it lies in [0, 1)."""
    if not 0.0 <= checks.number(name, value) < 1.0:
        raise ValueError(f"{name} must lie in [0, 1), got {value}.")
    return float(value)


def _index(name: str, value: Any) -> float:
    """The index of a stable law as a float; ValueError unless it lies in (0, 2]."""
    return stable_index(checks.number(name, value))


ARGUMENTS: dict[str, Callable[[str, Any], float]] = {
    "hurst": checks.fraction,
    "curvature": checks.positive,
    "sigma": checks.positive,
    "barrier": checks.positive,
    "x0": checks.finite,
    "times": _time,
    "dt": checks.positive,
    "sides": _sides,
    "drift": checks.finite,
    "horizon": checks.positive,
    "learning_rate": checks.positive,
    "momentum": _momentum,
    "n_samples": _whole,
    "batch_size": _whole,
    "friction": checks.positive,
    "mass": checks.positive,
    "height": checks.positive,
    "alpha": _index,
    "lower": checks.finite,
    "upper": checks.finite,
    "radius": checks.positive,
    "dim": _whole,
    "rate": checks.positive,
}


def _everywhere() -> str:
    """The limits of a formula that holds everywhere: no reason against it."""
    return ""


def no_memory(hurst: float) -> str:
    """The reason against a formula that holds at H = 1/2 only, empty there.

    >>> no_memory(0.3)
    'hurst must be 1/2, got 0.3.'
    """
    return "" if hurst == 0.5 else f"hurst must be 1/2, got {hurst}."


def tabulated_law(hurst: float) -> str:
    """The reason against a formula that needs the table of the law of the maximum, empty inside of that table.

    >>> tabulated_law(0.95)
    'hurst must lie in [0.1, 0.9], got 0.95.'
    """
    return "" if 0.1 <= hurst <= 0.9 else f"hurst must lie in [0.1, 0.9], got {hurst}."


@dataclass(frozen=True, repr=False)
class Formula(Shown):
    """A closed form with what it gives, where it comes from, and how far it can be trusted.

    name, title : its key in `FORMULAS`, and a heading.
    quantity : what comes back: "exit_rate", "mean_exit_time", "survival", "density", "variance", ...
    subject : the problem: `SPREAD`, `PASSAGE`, `EXIT`, `FBM`, `CHAIN`, `INERTIA`, `STABLE` or `SIDES`.
    status : "exact", "asymptotic" (a limit theorem), "approximate" (a heuristic with a measured error),
        "numerical" (a table of simulated values with its error) or "refuted" (simulation contradicts it; it is kept
        because the literature uses it).
    equation : the formula as it is written, in LaTeX.
    source : the paper or the derivation, in words.
    references : keys of the works in `REFERENCES` that it comes from; "fbmsde" for what was derived or measured here.
    validity, measured : the range in which it holds and its measured error, in words.
    compute : the function of some of `ARGUMENTS` that returns the value.
    check : the function that derives the stated error again, or a sentence that says why there is none.
    limits : the function of some of `ARGUMENTS` that returns the reason against an evaluation, or an empty text.
    brownian_status : the status at H = 1/2 if it differs there, else empty.

    >>> from fbmsde.theory import FORMULAS
    >>> FORMULAS["lamperti_rate"].quantity, FORMULAS["lamperti_rate"].arguments
    ('exit_rate', ('hurst', 'curvature'))

    Raises ValueError for a formula without an equation, a source, a check or a reference, and for an unknown reference.
    """

    name: str
    title: str
    quantity: str
    subject: str
    status: Status
    equation: str
    source: str
    references: tuple[str, ...]
    validity: str
    measured: str
    compute: Callable[..., ArrayLike]
    check: Check | str
    limits: Callable[..., str] = _everywhere
    brownian_status: Status | Literal[""] = ""

    def __post_init__(self) -> None:
        for field_name in ("equation", "source", "references", "check"):
            if not getattr(self, field_name):
                raise ValueError(f"{field_name} must be given for the formula {self.name}, got nothing.")
        unknown = sorted(set(self.references) - set(REFERENCES))
        if unknown:
            advice = "Add the work to REFERENCES in theory/references.py."
            raise ValueError(f"references must be keys of REFERENCES, got {', '.join(unknown)}. {advice}")

    def __repr__(self) -> str:
        what = f"{self.quantity} from {', '.join(self.arguments)}"
        return line("Formula", [self.name, self.status, what])

    def plot(self, ax: Axes | None = None, *, label: str | None = None, **arguments: ArrayLike) -> Axes:
        """Draw the formula against the one argument that is an array (n,), where it holds; the Axes come back.

        `ax` is the one to draw on, None for Axes of its own. `arguments` are those of `evaluate`. Raises ValueError
        unless just one of them is an array.

        >>> from fbmsde.theory import FORMULAS
        >>> FORMULAS["lamperti_rate"].plot(hurst=[0.3, 0.5, 0.7], curvature=2.0).get_xlabel()
        'hurst'
        """
        return picture("plot_formula")(self, arguments, ax, label=label)

    def _facts(self) -> Mapping[str, object]:
        status = f"{self.status}; at H = 1/2 {self.brownian_status}" if self.brownian_status else self.status
        return {"name": self.name, "what it is": self.title, "equation": f"${self.equation}$",
                "gives": self.quantity,
                "of": self.subject, "arguments": ", ".join(self.arguments), "status": status, "source": self.source,
                "where it holds": self.validity, "measured error": self.measured}  # fmt: skip

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the keyword arguments that the formula uses; it ignores the other names of `ARGUMENTS`."""
        return tuple(dict.fromkeys([*_parameters(self.compute), *_parameters(self.limits)]))

    def status_at(self, hurst: float) -> Status:
        """Status of the formula at one value of H.

        >>> from fbmsde.theory import FORMULAS
        >>> FORMULAS["effective_fokker_planck"].status_at(0.5)
        'exact'
        """
        return self.brownian_status if hurst == 0.5 and self.brownian_status else self.status

    def cite(self) -> str:
        r"""The entries of BibTeX of the works that the formula comes from, separated by empty lines.

        A formula that was derived or measured in this package cites the package.

        >>> from fbmsde.theory import FORMULAS
        >>> print(FORMULAS["pickands"].cite())
        @article{pickands1969,
          author = {Pickands, James},
          title = {Upcrossing probabilities for stationary {G}aussian processes},
          year = {1969},
          journal = {Transactions of the American Mathematical Society},
          volume = {145},
          pages = {51--73}
        }
        """
        return "\n\n".join(REFERENCES[key].bibtex(key) for key in self.references)

    def verify(self) -> Verification:
        """What comes out when the error that the formula states is derived again, in seconds and always the same.

        The formula is compared with an independent computation or with exact simulated paths of a fixed seed. The
        result says with which, how far off the formula was, and how far off it says that it is. Raises
        NotImplementedError, with the reason, for a formula that has no such check.

        >>> from fbmsde.theory import FORMULAS
        >>> found = FORMULAS["heavy_ball_variance"].verify()
        >>> found.passed, found.compared
        (True, 'the variance with the discrete Lyapunov equation')
        """
        if isinstance(self.check, str):
            raise NotImplementedError(f"{self.name} has no verification: {self.check}")
        return replace(self.check(self.evaluate), formula=self.name)

    def valid(self, **arguments: Any) -> str:
        """The reason why the formula does not hold for these arguments, empty if it does.

        For arrays it is the first reason found. An empty text also means that `evaluate` returns a finite value,
        because a value that is too large for a float counts as a reason.

        >>> from fbmsde.theory import FORMULAS
        >>> FORMULAS["pickands"].valid(hurst=0.3, barrier=0.5)
        'barrier must be at least 2 stationary standard deviations, got 0.748.'
        """
        try:
            reasons = (self._reason(case) or self._value(case)[1] for _, case in self._cases(arguments))
            return next((reason for reason in reasons if reason), "")
        except (TypeError, ValueError) as error:
            return str(error)

    def evaluate(self, *, extrapolate: bool = False, **arguments: Any) -> Array:
        """Value of the formula. Arguments that are arrays are broadcast together and give the shape of the result.

        `arguments` are named as in `ARGUMENTS`; names that the formula does not use are ignored. `extrapolate` lifts
        the limits of a limit theorem or of a measured range, a barrier that is too low for example. It does not lift
        the limits of the mathematics: H in (0, 1), positive sigma, the reach of a table. Raises ValueError with the
        reason where the formula does not hold and where its value is too large for a float, and TypeError for a missing
        or an unknown argument.

        >>> from fbmsde.theory import FORMULAS
        >>> FORMULAS["lamperti_rate"].evaluate(hurst=[0.25, 0.5, 0.75], curvature=3.0)
        array([9., 3., 1.])
        """
        shape = np.broadcast_shapes(*(np.shape(arguments[name]) for name in self.arguments if name in arguments))
        out = np.empty(shape)
        for where, case in self._cases(arguments):
            reason = "" if extrapolate else self._reason(case)
            if reason:
                raise ValueError(f"{self.name}: {reason} extrapolate=True lifts this limit.")
            value, reason = self._value(case)
            if reason:
                raise ValueError(f"{self.name}: {reason}")
            out[where] = value
        return out

    def _reason(self, case: dict[str, Any]) -> str:
        """The reason why one set of arguments lies outside the limits, or an empty text."""
        with np.errstate(all="ignore"):
            return self.limits(**_chosen(self.limits, case))

    def _value(self, case: dict[str, Any]) -> tuple[ArrayLike, str]:
        """The value for one set of arguments, and the reason why there is none: a table that ends, or an overflow."""
        try:
            with np.errstate(all="ignore"):
                value = self.compute(**_chosen(self.compute, case))
        except (OverflowError, ZeroDivisionError):
            value = np.inf
        except ValueError as error:
            return np.nan, str(error)
        return value, "" if np.all(np.isfinite(value)) else f"{self.quantity} must be finite, got one beyond 1e308."

    def _cases(self, arguments: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Each distinct set of checked arguments, scalars and an array of times, with its places in the result."""
        refuse_unknown(arguments)
        missing = [n for n in self.arguments if n not in arguments and _is_required(self, n)]
        if missing:
            raise TypeError(f"{self.name} must be given {', '.join(self.arguments)}, got no {', '.join(missing)}.")
        given = {name: _checked(name, arguments[name]) for name in self.arguments if name in arguments}
        shape = np.broadcast_shapes(*(v.shape for v in given.values()))
        times = given.pop("times", None)
        problems = np.stack([np.broadcast_to(v, shape).ravel() for v in (np.zeros(()), *given.values())])
        distinct, index = np.unique(problems, axis=1, return_inverse=True)
        for j, row in enumerate(distinct.T):
            where = (index == j).reshape(shape)
            case: dict[str, Any] = dict(zip(given, row[1:].tolist(), strict=True))
            if times is not None:
                case["times"] = np.broadcast_to(times, shape)[where]
            yield where, case


def refuse_unknown(arguments: Mapping[str, Any]) -> None:
    """Raise TypeError if a name is none of `ARGUMENTS`.

    >>> refuse_unknown({"hurts": 0.3})
    Traceback (most recent call last):
        ...
    TypeError: arguments must be among hurst, curvature, ..., rate, got hurts.
    """
    if unknown := sorted(set(arguments) - set(ARGUMENTS)):
        raise TypeError(f"arguments must be among {', '.join(ARGUMENTS)}, got {', '.join(unknown)}.")


def _checked(name: str, value: Any) -> Array:
    """An argument as an array of floats, each checked by the function in `ARGUMENTS`."""
    return np.asarray(np.vectorize(lambda x: ARGUMENTS[name](name, x), otypes=[float])(value))


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters of a function, by name."""
    return dict(inspect.signature(function).parameters)


def _is_required(formula: Formula, name: str) -> bool:
    """True if the computation or the limits need the argument and have no default for it."""
    both = (_parameters(f).get(name) for f in (formula.compute, formula.limits))
    return any(p is not None and p.default is inspect.Parameter.empty for p in both)


def _chosen(function: Callable[..., Any], case: dict[str, Any]) -> dict[str, Any]:
    """The arguments in `case` that are parameters of the function."""
    return {name: case[name] for name in _parameters(function) if name in case}
