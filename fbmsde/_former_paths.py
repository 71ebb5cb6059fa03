"""Module paths of version 0.1.0, kept for one release: each hands on the names of the modules that took its place."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

FORMER = {
    "bench_passage": ("bench.passage",),
    "bridge": ("simulation.bridge",),
    "continuous": ("simulation.continuous",),
    "covariance": ("laws.fgn", "laws.fou"),
    "diffusions": ("laws.diffusions",),
    "escape": ("studies.escape",),
    "extremes": ("laws.extremes",),
    "fbm_compat": ("drivers.fbm_compat",),
    "fou": ("simulation.exact_ou",),
    "generators": ("drivers.exact.generators", "drivers.sample"),
    "gradient_noise": ("studies.sgd.gradient_noise",),
    "landscapes": ("dynamics.landscapes",),
    "noise": ("drivers.fractional", "drivers.base"),
    "passage": ("simulation.passage", "simulation.errors", "simulation.domains"),
    "sgd_escape": ("studies.sgd.escape", "studies.sgd.cases"),
    "sgd_study": ("studies.sgd.memory", "studies.sgd.runs"),
    "simulate": ("simulation.paths",),
    "solvers": ("dynamics.solvers",),
    "streaming": ("drivers.rational.streaming", "drivers.base"),
    "survival": ("results.passage_times", "results.estimates"),
}


class _Finder(MetaPathFinder, Loader):
    """Finds a former path and fills it with a module that looks its names up where they are now."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The place of a module of 0.1.0, None for every other."""
        package, _, name = fullname.rpartition(".")
        return ModuleSpec(fullname, self) if package == __package__ and name in FORMER else None

    def exec_module(self, module: ModuleType) -> None:
        """Look names up when they are asked for."""
        places = FORMER[module.__name__.rpartition(".")[2]]

        def look_up(name: str) -> Any:
            for place in places:
                found = import_module(f"{__package__}.{place}")
                if hasattr(found, name):
                    return getattr(found, name)
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        module.__doc__ = f"Former path of {', '.join(places)}."
        vars(module)["__getattr__"] = look_up


sys.meta_path.append(_Finder())
