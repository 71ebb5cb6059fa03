"""Tables of the runs of the study of gradient noise in Markdown, and sentences that sum them up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...results.estimates import Estimate
from ...results.gradient_runs import Laws, MeasuredNoise, Null, Run, Tails

Kind = tuple[str, str, str]  # title of an estimator, its name, and how its copies without memory are made

_REFERENCE = "reference"


def memory_table(
    runs: Sequence[Run], published: str, title: str, references: Mapping[str, MeasuredNoise]
) -> str:
    """One line for every run and setting, the reference series first."""
    heads = ["group", "run", "noise", "test accuracy", "largest Hessian eigenvalue", "std", "tail index (Hill)",
             "H Whittle [95 %]", "signs flipped [95 %]", "p", title, "steps shuffled [95 %]", "p",
             "constant"]  # fmt: skip
    lines = [[_REFERENCE, name, "", "", "", *_memory_cells(found, published)] for name, found in references.items()]
    for run in runs:
        scores = f"{run.result.accuracy:.3f}", f"{run.result.sharpness:.3g}"
        lines += [[run.group, run.name, how, *scores, *_memory_cells(found, published)]
                  for how, found in run.result.noise.items()]  # fmt: skip
    return markdown(heads, lines)


def _memory_cells(found: MeasuredNoise, published: str) -> list[str]:
    """What the noise says by Whittle's estimator and by the published one."""
    ours, theirs = found.memory["whittle"], found.memory[published]
    return [f"{found.std:.2g}", f"{found.tail_index:.2f}", _told(ours.hurst), _told(ours.null), f"{ours.p:.2g}",
            f"{theirs.hurst.value:.3f}", _told(theirs.null), f"{theirs.p:.2g}", f"{found.constant}"]  # fmt: skip


def laws_table(runs: Sequence[Run]) -> str:
    """One line for every run and each of the settings with shuffled epochs."""
    heads = ["group", "run", "noise", "batches an epoch", "their correlation", "H of fGn",
             "gain of fGn (0.001 nats a step) [95 %]", "gain of epochs [95 %]", "expected", "lead of epochs [95 %]",
             "distance of autocorrelation: white", "fGn", "epochs"]  # fmt: skip
    return markdown(heads, [[*start, *_laws_cells(laws)] for start, laws in _laws(runs)])


def _laws(runs: Sequence[Run]) -> Iterator[tuple[list[str], Laws]]:
    """What was run and how, and the laws of its noise, wherever there are some."""
    for run in runs:
        for how, found in run.result.noise.items():
            if found.laws is not None:
                yield [run.group, run.name, how], found.laws


def _laws_cells(laws: Laws) -> list[str]:
    """What the laws say of one noise."""
    distances = [f"{value:.4f}" for value in laws.distances]
    gains = [_told(Estimate(*(1000.0 * x for x in gain)), 1) for gain in (laws.fgn, laws.epoch, laws.lead)]
    return [f"{laws.n_batches}", f"{laws.correlation:.4f}", f"{laws.hurst:.3f}", *gains[:2],
            f"{1000.0 * laws.expected:.1f}", gains[2], *distances]  # fmt: skip


def tails_table(runs: Sequence[Run], references: Mapping[str, MeasuredNoise]) -> str:
    """One line for every reference and run with independent steps."""
    heads = ["group", "run", "noise", "not normal at the 1 % level", "stable index by sums of 8",
             "by sums of 64", "difference of 1/index [95 %]"]  # fmt: skip
    lines = [[_REFERENCE, name, "", *_tails_cells(found.tails)] for name, found in references.items() if found.tails]
    lines += [[run.group, run.name, how, *_tails_cells(found.tails)]
              for run in runs for how, found in run.result.noise.items() if found.tails]  # fmt: skip
    return markdown(heads, lines)


def _tails_cells(tails: Tails) -> list[str]:
    """What the tails of one noise say."""
    return [f"{tails.non_gaussian:.2f}", f"{tails.steps:.2f}", f"{tails.sums:.2f}", _told(tails.bend)]


def nulls_table(nulls: Mapping[str, Null]) -> str:
    """What the estimator of the later protocol returns for series without long memory."""
    heads = ["series without long memory", "mean estimate", "its standard error", "spread of single series"]
    return markdown(heads, [[name, f"{null.mean:.3f}", f"{null.standard_error:.4f}", f"{null.spread:.3f}"]
                            for name, null in nulls.items()])  # fmt: skip


def markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown.

    >>> print(markdown(["a", "b"], [["1", "2"]]))
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, ["---"] * len(heads), *lines))


def _told(estimate: Estimate, digits: int = 3) -> str:
    """An estimate with its interval."""
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def memory_sentence(how: str, found: Sequence[MeasuredNoise], kinds: Sequence[Kind]) -> str:
    """Ranges over the runs of one setting, and how many differ from their copies without memory."""
    texts = []
    for title, method, copies in kinds:
        memories = [noise.memory[method] for noise in found]
        values, nulls = [memory.hurst.value for memory in memories], [memory.null.value for memory in memories]
        hits = sum(memory.p <= 0.05 for memory in memories)
        texts.append(f"{title} {_range(values)}, {copies} {_range(nulls)}, different at the 5 % level in {hits} of "
                     f"{len(found)} runs")  # fmt: skip
    return f"{how}: {'; '.join(texts)}."


def _range(values: Sequence[float], digits: int = 3) -> str:
    """The smallest and the largest value."""
    return f"{min(values):.{digits}f} ... {max(values):.{digits}f}"


def laws_sentence(how: str, runs: Sequence[Run]) -> str:
    """How well the law of epochs describes one setting, over the runs."""
    found = [laws for (_, _, way), laws in _laws(runs) if way == how]
    if not found:
        return f"{how}: no epoch has more than one batch."
    kept = [laws.epoch.value / laws.expected for laws in found]
    fgn = [laws.fgn.value / laws.expected for laws in found]
    ahead, behind = sum(laws.lead.low > 0.0 for laws in found), sum(laws.lead.high < 0.0 for laws in found)
    nearest = sum(min(laws.distances) == laws.distances.epoch for laws in found)
    return (f"{how}: of the gain over white noise that the law of epochs promises, it keeps {_range(kept, 2)} and fGn "
            f"with the H by Whittle reaches {_range(fgn, 2)}; epochs are ahead in {ahead} and behind in {behind} of "
            f"{len(found)} runs, and nearest to the measured autocorrelation in {nearest}.")  # fmt: skip


def tails_sentence(how: str, runs: Sequence[Run]) -> str:
    """Whether the noise of one setting is Gaussian or stable, over the runs."""
    found = [tails for run in runs if (tails := run.result.noise[how].tails)]
    unstable = sum(not tails.bend.low <= 0.0 <= tails.bend.high for tails in found)
    return (f"{how}: {_range([tails.non_gaussian for tails in found], 2)} of the coordinates are not normal at the 1 % "
            f"level; the stable index is {_range([tails.steps for tails in found], 2)} by sums of 8 steps and "
            f"{_range([tails.sums for tails in found], 2)} by sums of 64, a difference that a stable law does not make "
            f"in {unstable} of {len(found)} runs.")  # fmt: skip
