"""`PassageTimes`: exit times, some of them censored, and the estimates that are made from them."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core import checks
from ..core.show import line
from ..core.types import AnyArray, Array
from .archive import Archive
from .departures import Departures
from .error_budget import ErrorBudget
from .estimates import _ROUNDING, NoEstimateError
from .exit_times import ExitTimes
from .provenance import Provenance, joined, path_numbers
from .split import Split
from .tables import frame_of, set_of

if TYPE_CHECKING:  # extras
    import pandas
    import xarray

_FEW = 0.01  # exits that the equation would not make are noted only if their share is larger than this


@dataclass(frozen=True, eq=False, repr=False)
class PassageTimes(ExitTimes):
    """First-passage times of paths, with estimates of survival, mean, exit rate and hazard.

    times : the exit time of each path, (n_paths,). A censored time is the last one at which the path was seen inside.
        Every estimate takes such a path as at risk up to that time and no longer.
    censored : True for the paths that were not seen to leave, (n_paths,).
    horizon : the end of the last step that was simulated. It is the time of most censored paths.
    dt : the step of the grid of times, which is that of the chain. In continuous time it is ``horizon / fine_steps``
        (there the option `dt` of `first_passage` bounds the jumps).
    error_budget : in continuous time, what each approximation may contribute to the error, else None.
    broken : True for the censored paths that left the finite numbers, (n_paths,); their time is the step before that.
    unresolved : the number of exits by steps that the equation does not take. `note` tells of them.
    departures : through which side and where paths have left, None if that is not known. `side` and `place` show it.
    provenance : the problem with all its parameters, its digest, the numbers of the paths, versions, machine and the
        certificates of the noise, as plain data; None for times that do not come from `first_passage`.

    Results travel: `concat` joins those of several runs, `save` writes a file for ``fbmsde.load``, and `to_dataframe`
    and `to_xarray` hand them to pandas and xarray.

    Raises ValueError unless times are finite and lie between 0 and the horizon, unless all arrays have the same
    length, and unless just the paths that left have a side.

    >>> passages = PassageTimes(np.array([1.0, 2.0, 3.0, 3.0]), np.array([False, False, False, True]), 3.0, 1.0)
    >>> passages.n_left, passages.survival().probabilities.tolist()
    (3, [0.75, 0.5, 0.25])
    """

    times: Array
    censored: NDArray[np.bool_]
    horizon: float
    dt: float
    error_budget: ErrorBudget | None = None
    broken: NDArray[np.bool_] = None  # type: ignore[assignment]  # none, as set in __post_init__
    unresolved: int = 0
    departures: Departures | None = None
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        times, end = checks.array("times", self.times), checks.positive("horizon", self.horizon)
        checks.positive("dt", self.dt)
        if times.ndim != 1 or times.size == 0:
            raise ValueError(f"times must have one dimension and at least one entry, got shape {times.shape}.")
        if not (np.all(times >= 0.0) and np.all(times <= end * (1.0 + _ROUNDING))):
            raise ValueError(f"times must lie in [0, horizon = {end:g}], got {times.min():g} to {times.max():g}.")
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "censored", self._flags("censored", self.censored))
        broken = np.zeros(times.size, bool) if self.broken is None else self._flags("broken", self.broken)
        if np.any(broken & ~self.censored):
            raise ValueError("broken must mark censored paths only, got one that left.")
        object.__setattr__(self, "broken", broken)
        if checks.count("unresolved", self.unresolved, 0) > self.n_left:
            raise ValueError(f"unresolved must count exits, of which there are {self.n_left}, got {self.unresolved}.")
        if self.departures is not None and not np.array_equal(self.departures.codes == 0, self.censored):
            raise ValueError("departures must tell a side for just the paths that left, got other ones.")

    def _flags(self, name: str, values: Any) -> NDArray[np.bool_]:
        """The values as an array; ValueError unless it holds one truth value for each path."""
        flags = np.asarray(values)
        if flags.dtype != bool or flags.shape != self.times.shape:
            raise ValueError(
                f"{name} must hold {self.times.size} truth values, got shape {flags.shape} of {flags.dtype}."
            )
        return flags

    def __repr__(self) -> str:
        parts = [f"{self.n_left} of {self.n_paths} paths left by horizon {self.horizon:g}", f"dt = {self.dt:g}"]
        if self.n_left:
            mean = self.mean()
            end = "horizon" if mean.horizon == self.horizon else f"{mean.horizon:g}"
            parts.append(f"mean {f'of min(T, {end}) ' if mean.restricted else ''}{mean.value:.4g}")
        if self.n_broken:
            parts.append(f"{self.n_broken} broken")
        if self.note:
            parts.append("with a note")
        return line("PassageTimes", parts)

    def _facts(self) -> Mapping[str, object]:
        facts: dict[str, object] = {"paths": self.n_paths, "left": f"{self.n_left} by the horizon {self.horizon:g}"}
        if self.n_left:
            facts |= self.mean()._facts()
            facts |= {"side": self.split().text()} if self.departures is not None else {}
        return facts | {"broken": self.n_broken or None, "step": self.dt, "note": self.note}

    @property
    def note(self) -> str:
        """What a reader must know about these times, empty if there is nothing."""
        coarse = "" if self.error_budget is None else self.error_budget.note
        if self.unresolved <= _FEW * self.n_left:
            return coarse
        return f"{self._unresolved} {coarse}".rstrip()

    @property
    def _unresolved(self) -> str:
        """What there is to know of exits by steps that the equation does not take."""
        return (
            f"{self.unresolved} of {self.n_left} exits were made by steps that the equation does not take (dt times "
            "the curvature beyond 2, or the drift of one step over a tenth of the way). They belong to the chain of "
            f"step {self.dt:g} alone: compare with dt = {self.dt / 4:g}."
        )

    @classmethod
    def concat(cls, parts: Sequence[PassageTimes]) -> PassageTimes:
        """The passage times of several runs in one, path after path in their order.

        Error budgets are merged by the numbers of paths. Results of different problems, such as those of random
        landscapes, become one sample too; `provenance` then has each of them under "parts". Raises ValueError unless
        all have the same step, horizon and sides, and if a path of one problem and seed is there twice, as far as
        `provenance` tells.

        >>> one = PassageTimes(np.array([1.0, 3.0]), np.array([False, True]), 3.0, 1.0)
        >>> PassageTimes.concat([one, one]).times.tolist()
        [1.0, 3.0, 1.0, 3.0]
        """
        if not parts:
            raise ValueError("parts must hold at least one result, got none.")
        for part in parts:
            checks.kind("parts", part, PassageTimes, "Give a list of them.")
            if part._frame != parts[0]._frame:
                raise ValueError(
                    "parts must have the same dt, horizon, sides and kind of error budget, got "
                    f"{parts[0]._frame} and {part._frame}."
                )
        whole, n_paths = parts[0], [part.n_paths for part in parts]
        budget, sides = whole.error_budget, whole.departures
        if budget is not None:
            budgets = [part.error_budget for part in parts if part.error_budget is not None]
            budget = ErrorBudget.merged(budgets, n_paths)
        if sides is not None:
            sides = Departures.concat([part._departures() for part in parts])
        times, censored, broken = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("times", "censored", "broken")
        )
        origin = joined([part.provenance for part in parts])
        unresolved = sum(part.unresolved for part in parts)
        return cls(times, censored, whole.horizon, whole.dt, budget, broken, unresolved, sides, origin)

    @property
    def _frame(self) -> tuple[object, ...]:
        """What results that are joined must share."""
        sides = None if self.departures is None else (self.departures.names, self.departures.places.shape[1:])
        return self.dt, self.horizon, sides, None if self.error_budget is None else "ErrorBudget"

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write all of it to one file, whole or not at all, which ``fbmsde.load(path)`` reads.

        The file is an ``.npz`` of NumPy, and `path` must end in that. An existing file raises FileExistsError unless
        `overwrite` is True. Raises OSError, with the reason, if the file cannot be written.
        """
        arrays = {"times": self.times, "censored": self.censored, "broken": self.broken}
        facts: dict[str, object] = {"horizon": float(self.horizon), "dt": float(self.dt), "unresolved": self.unresolved}
        if self.departures is not None:
            arrays |= {"codes": self.departures.codes, "places": self.departures.places}
            facts["names"] = list(self.departures.names)
        if self.error_budget is not None:
            record = self.error_budget.record().items()
            facts["error_budget"] = {name: value if math.isfinite(value) else str(value) for name, value in record}
        facts["provenance"] = None if self.provenance is None else dict(self.provenance)
        Archive("PassageTimes", arrays, facts).write(path, overwrite=overwrite)

    @classmethod
    def of_archive(cls, archive: Archive) -> PassageTimes:
        """The passage times in a file."""
        arrays, facts = archive.arrays, dict[str, Any](archive.facts)
        names, record = facts.get("names"), facts.get("error_budget")
        departures = None if names is None else Departures(arrays["codes"], tuple(names), arrays["places"])
        budget = None if record is None else ErrorBudget.of_record(record)
        own = arrays["times"], arrays["censored"], facts["horizon"], facts["dt"]
        return cls(*own, budget, arrays["broken"], facts["unresolved"], departures, facts["provenance"])

    def to_dataframe(self) -> pandas.DataFrame:
        """A row for each path: its number, time, whether it was censored, whether it broke, its side and place.

        The number is that of the path in its run where `provenance` tells it. `side` and `place`, in d dimensions
        ``place_0`` ... , are there if it is known where paths left; they are missing for paths that did not leave.
        ``attrs`` holds units, the step, the horizon, what censoring means, and the provenance. Needs pandas.

        >>> PassageTimes(np.array([1.0, 3.0]), np.array([False, True]), 3.0, 1.0).to_dataframe().time.tolist()
        [1.0, 3.0]
        """
        return frame_of(self._columns(), self.departures, self._attributes())

    def to_xarray(self) -> xarray.Dataset:
        """The same as an `xarray.Dataset` with the dimension "path", and "coordinate" for places in d dimensions.

        Each variable tells its unit and what it is. `side` is an empty text for a path that was not seen to leave. The
        attributes of the whole are those of :meth:`to_dataframe`, with the provenance as a JSON text. Needs xarray.

        >>> PassageTimes(np.array([1.0, 3.0]), np.array([False, True]), 3.0, 1.0).to_xarray().sizes["path"]
        2
        """
        return set_of(self._columns(), self.departures, self._attributes())

    def _columns(self) -> dict[str, AnyArray]:
        """The number, time and flags of each path."""
        numbers = path_numbers(self.provenance, self.n_paths)
        return {"path": numbers, "time": self.times, "censored": self.censored, "broken": self.broken}

    def _attributes(self) -> dict[str, object]:
        """What a table of these times says of all of them."""
        own = {"dt": float(self.dt), "horizon": float(self.horizon), "note": self.note}
        return own | {"provenance": None if self.provenance is None else dict(self.provenance)}

    @property
    def side(self) -> NDArray[np.str_]:
        """The name of the side through which each path left, empty for paths that were not seen to leave, (n_paths,).

        It is "lower" or "upper" for an interval, "level" for one level set, and the name of the first level set that
        was not negative where the domain names several. Raises NoEstimateError for times without `departures`.

        >>> from fbmsde import FractionalNoise, first_passage, quadratic
        >>> run = {"dt": 0.01, "horizon": 99.0, "n_paths": 4, "seed": 1}
        >>> passages = first_passage(quadratic(), FractionalNoise(0.5), 0.0, (-1.0, 1.0), **run)
        >>> bool(np.all((passages.side == "upper") == (passages.place >= 1.0)))
        True
        """
        return self._departures().sides

    @property
    def place(self) -> Array:
        """The first point of each path that was not inside, (n_paths,), in d dimensions (n_paths, d); nan if none was.

        On a grid it is the point after the last step, which lies beyond the boundary. In continuous time it is the end
        of the fine step in which the path has left. Raises NoEstimateError for times without `departures`.
        """
        return self._departures().places

    def split(self, confidence_level: float = 0.95) -> Split:
        """The probability to leave through each side, with its confidence interval, as `Split`.

        If paths are censored it is the probability to have left there by the horizon, and `restricted` is True. A
        broken path counts as at risk up to its last time inside. ``split["upper"]`` is one side, and
        ``split.curve("upper")`` its probability as a function of time. Raises NoEstimateError for times without
        `departures`.

        >>> departures = Departures(np.array([1, 2, 2, 2]), ("lower", "upper"), np.array([-1.0, 1.0, 1.0, 1.0]))
        >>> times = np.array([1.0, 2.0, 3.0, 4.0])
        >>> PassageTimes(times, np.full(4, False), 4.0, 1.0, departures=departures).split()
        Split(4 paths, lower 0.25 [0.04559, 0.6994], upper 0.75 [0.3006, 0.9544])
        """
        return Split.of(self.times, self._departures(), confidence_level)

    def _departures(self) -> Departures:
        """Where paths have left; NoEstimateError if that was not noted."""
        if self.departures is None:
            raise NoEstimateError("departures must be given to tell where paths left, got None.")
        return self.departures
