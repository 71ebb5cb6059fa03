"""What `escape --rare` makes of its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypedDict

from ..core.ranges import numbers
from ..studies.escape.rates import BARRIERS, PATHS, QUICK, RATES_HURST, RELATIVE_ERROR
from .options import checked_error, refuse_pair

HURST_DEFAULT = f"with --rare {','.join(map(str, RATES_HURST))}"  # as help shows it, behind what it is without --rare
PATHS_DEFAULT = f"with --rare {PATHS}, and {QUICK[1]} with --quick"
ERROR_DEFAULT = f"none; with --rare {RELATIVE_ERROR}, and {QUICK[2]} with --quick"
QUICK_HELP = f"With --rare: a study to try it, with barriers {','.join(f'{k:g}' for k in QUICK[0])}."


class Asked(TypedDict):
    """What `escape_rates` is told of the noise, the barriers and the effort."""

    hurst: list[float] | None
    barriers: Sequence[float]
    n_paths: int
    relative_error: float


class Effort(NamedTuple):
    """The options that say how much is run; None where one is not given."""

    barriers: list[str] | None
    paths: int | None
    error: float | None
    quick: bool

    def asked(self, hurst: list[str] | None) -> Asked:
        """What is asked for, with the defaults of a quick study or of a whole one."""
        usual = QUICK if self.quick else (BARRIERS, PATHS, RELATIVE_ERROR)
        error = checked_error(self.error)
        return {
            "hurst": numbers("hurst", hurst) if hurst else None,
            "barriers": numbers("barriers", self.barriers) if self.barriers else usual[0],
            "n_paths": usual[1] if self.paths is None else self.paths,
            "relative_error": usual[2] if error is None else error,
        }

    def refuse_without_rare(self) -> None:
        """ValueError for an option that does nothing without --rare."""
        for name, given in (("--barriers", self.barriers), ("--quick", self.quick)):
            if given:
                raise ValueError(f"{name} must be given with --rare alone, got it without. Add --rare or leave it out.")


def refuse_with_rare(idle: Mapping[str, object]) -> None:
    """ValueError for an option that does nothing beside --rare: `idle` has their values, None if not given."""
    refuse_pair("--rare", idle, "chooses noise, steps and times for each barrier")
