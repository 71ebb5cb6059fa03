"""One JSON file for each finished run of the study of gradient noise, so that no run is made twice."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...core.files import write_text
from ...results.estimates import Estimate
from ...results.gradient_runs import Curves, Laws, MeasuredNoise, Memory, RunResult, Tails
from .runs import Effort, Experiment, Protocol, protocol_of

_CONTENTS = 2  # what a file holds beside the settings; 2 since tails and laws of epochs are kept


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
    def file(self) -> str:
        """Name of the file that holds the run."""
        plain = f"{self.group} {self.experiment.name}".replace(" ", "_").replace("%", "percent")
        return f"run_{plain}.json"

    @property
    def settings(self) -> dict[str, object]:
        """Everything that the result depends on, as the file keeps it."""
        effort = {name: value for name, value in asdict(self.effort).items() if name != "ends_only"}
        source = {"data": self.data, "n_samples": self.n_samples, "seed": self.seed}
        return {**source, **effort, **asdict(self.experiment), "null": self.protocol.methods, "contents": _CONTENTS}


def kept(folder: Path, task: Task, run: Callable[[Task], RunResult]) -> RunResult:
    """The result of a task from its file in the folder; if there is no such file, the task is run and the file written.

    A file of an earlier version, which does not hold all that is measured now, is made anew with a warning. Raises
    ValueError if the file was written with other settings.
    """
    file = folder / task.file
    if file.exists():
        held = json.loads(file.read_text())
        if held["settings"] == task.settings:
            return _from_record(held, task.protocol)
        if held["settings"] != {name: value for name, value in task.settings.items() if name != "contents"}:
            raise ValueError(f"out must hold runs with the same settings, got others in {file}. Choose another folder.")
        warnings.warn(f"{file} comes from an earlier version, so that its run is made again.", stacklevel=2)
    begin = time.perf_counter()
    result = run(task)
    seconds = round(time.perf_counter() - begin, 2)
    write_text(file, json.dumps({"settings": task.settings, **_record(result), "seconds": seconds}, indent=1))
    return result


def _record(result: RunResult) -> dict[str, object]:
    """A result as the file keeps it."""
    noise = {how: _noise_record(found) for how, found in result.noise.items()}
    return {**asdict(result), "noise": noise}


def _noise_record(found: MeasuredNoise) -> dict[str, object]:
    """The noise taken in one way as the file keeps it: the estimators beside the other numbers."""
    memories = {method: _memory_record(memory) for method, memory in found.memory.items()}
    more = {name: asdict(part) for name, part in (("tails", found.tails), ("laws", found.laws)) if part}
    return {"std": found.std, "tail_index": found.tail_index, "constant": found.constant, **memories, **more}


def _memory_record(memory: Memory) -> dict[str, float]:
    """What one estimator says, as the file keeps it."""
    hurst, null = memory.hurst, memory.null
    return {"hurst": hurst.value, "low": hurst.low, "high": hurst.high,
            "null": null.value, "null_low": null.low, "null_high": null.high, "p": memory.p}  # fmt: skip


def _from_record(held: Mapping[str, Any], protocol: Protocol) -> RunResult:
    """The result that a file keeps."""
    noise = {how: _noise_from_record(found, protocol) for how, found in held["noise"].items()}
    names = ("accuracy", "train_accuracy", "sharpness", "sharpness_converged")
    return RunResult(**{name: held[name] for name in names}, noise=noise)


def _noise_from_record(held: Mapping[str, Any], protocol: Protocol) -> MeasuredNoise:
    """The noise taken in one way that a file keeps."""
    memory = {method: _memory_from_record(held[method]) for method in protocol.methods}
    tails = Tails(**{**held["tails"], "bend": Estimate(*held["tails"]["bend"])}) if "tails" in held else None
    laws = _laws_from_record(held["laws"]) if "laws" in held else None
    return MeasuredNoise(held["std"], held["tail_index"], held["constant"], memory, tails, laws)


def _laws_from_record(held: Mapping[str, Any]) -> Laws:
    """What the laws said, from a file."""
    estimates = {name: Estimate(*held[name]) for name in ("fgn", "epoch", "lead")}
    curves = Curves(*map(tuple, held["autocorrelation"]))
    return Laws(**{**held, **estimates, "autocorrelation": curves})


def _memory_from_record(held: Mapping[str, float]) -> Memory:
    """What one estimator said, from a file."""
    hurst = Estimate(held["hurst"], held["low"], held["high"])
    return Memory(hurst, Estimate(held["null"], held["null_low"], held["null_high"]), held["p"])
