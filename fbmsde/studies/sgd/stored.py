"""Finished runs of the study of gradient noise as records of a store, so that no run is made twice."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ... import __version__
from ...campaigns.zarr_store import ZarrStore
from ...results.estimates import Estimate
from ...results.gradient_runs import Curves, Laws, MeasuredNoise, Memory, RunResult, Tails
from .runs import Effort, Experiment, Protocol, protocol_of


@dataclass(frozen=True)
class Task:
    """One run to make: an experiment of a group, its data and its seed, and how much effort it is worth."""

    group: str
    experiment: Experiment
    data: str
    n_samples: int
    seed: int
    effort: Effort

    @property
    def protocol(self) -> Protocol:
        """How the noise is read."""
        return protocol_of(self.group)

    @property
    def name(self) -> str:
        """The name under which a store keeps the run."""
        return f"{self.group}, {self.experiment.name}"

    @property
    def settings(self) -> dict[str, object]:
        """Everything that the result depends on, as the store keeps it."""
        effort = {name: value for name, value in asdict(self.effort).items() if name != "ends_only"}
        source = {"data": self.data, "n_samples": self.n_samples, "seed": self.seed}
        made = {"null": self.protocol.methods, "version": __version__}
        return {**source, **effort, **asdict(self.experiment), **made}


def warn_of_earlier_runs(folder: Path) -> None:
    """Warn if the folder holds files of runs as version 0.1.0 wrote them, which lack tails and laws."""
    found = sorted(folder.glob("run_*.json"))
    if found:
        warnings.warn(f"{folder} holds files of version 0.1.0, such as {found[0].name}, which lack what is measured "
                      "now. They are not read: their runs are made again.", stacklevel=3)  # fmt: skip


def require_same_settings(store: ZarrStore, tasks: Iterable[Task]) -> None:
    """ValueError with the differences if the store keeps a run of one of the tasks that was made otherwise."""
    for task in tasks:
        store.record(task.name, task.settings)


def kept(store: ZarrStore, task: Task, run: Callable[[Task], RunResult]) -> RunResult:
    """The result of a task from its record in the store; if there is none, the task is run and its record kept.

    Raises ValueError with the differences if the record was made with other settings.
    """
    held = store.record(task.name, task.settings)
    if held is not None:
        return _from_record(held, task.protocol)
    begin = time.perf_counter()
    result = run(task)
    store.keep(task.name, task.settings, {**_record(result), "seconds": round(time.perf_counter() - begin, 2)})
    return result


def _record(result: RunResult) -> dict[str, object]:
    """A result as the store keeps it."""
    noise = {how: _noise_record(found) for how, found in result.noise.items()}
    return {**asdict(result), "noise": noise}


def _noise_record(found: MeasuredNoise) -> dict[str, object]:
    """The noise taken in one way as the store keeps it: the estimators beside the other numbers."""
    memories = {method: _memory_record(memory) for method, memory in found.memory.items()}
    more = {name: asdict(part) for name, part in (("tails", found.tails), ("laws", found.laws)) if part}
    return {"std": found.std, "tail_index": found.tail_index, "constant": found.constant, **memories, **more}


def _memory_record(memory: Memory) -> dict[str, float]:
    """What one estimator says, as the store keeps it."""
    hurst, null = memory.hurst, memory.null
    return {"hurst": hurst.value, "low": hurst.low, "high": hurst.high,
            "null": null.value, "null_low": null.low, "null_high": null.high, "p": memory.p}  # fmt: skip


def _from_record(held: Mapping[str, Any], protocol: Protocol) -> RunResult:
    """The result that a store keeps."""
    noise = {how: _noise_from_record(found, protocol) for how, found in held["noise"].items()}
    names = ("accuracy", "train_accuracy", "sharpness", "sharpness_converged")
    return RunResult(**{name: held[name] for name in names}, noise=noise)


def _noise_from_record(held: Mapping[str, Any], protocol: Protocol) -> MeasuredNoise:
    """The noise taken in one way that a store keeps."""
    memory = {str(method): _memory_from_record(held[method]) for method in protocol.methods}
    tails = Tails(**{**held["tails"], "bend": Estimate(*held["tails"]["bend"])}) if "tails" in held else None
    laws = _laws_from_record(held["laws"]) if "laws" in held else None
    return MeasuredNoise(held["std"], held["tail_index"], held["constant"], memory, tails, laws)


def _laws_from_record(held: Mapping[str, Any]) -> Laws:
    """What the laws said, from a store."""
    estimates = {name: Estimate(*held[name]) for name in ("fgn", "epoch", "lead")}
    curves = Curves(*map(tuple, held["autocorrelation"]))
    return Laws(**{**held, **estimates, "autocorrelation": curves})


def _memory_from_record(held: Mapping[str, float]) -> Memory:
    """What one estimator said, from a store."""
    hurst = Estimate(held["hurst"], held["low"], held["high"])
    return Memory(hurst, Estimate(held["null"], held["null_low"], held["null_high"]), held["p"])
