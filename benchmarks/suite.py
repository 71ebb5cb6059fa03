"""The benchmarks of fbmsde beside other packages, with its growth and a comparison with an earlier run.

    python benchmarks/suite.py --out results.json

writes results.json, the tables results.md beside it, and a figure of each kind of growth; about four minutes of CPU
time. Peers that are not installed are left out and named. The extra `bench` of the package brings some of them; others
ask for older versions of NumPy and numba than they need:

    pip install --no-deps stochastic whittlehurst torchfbm antropy nolds torchsde trampoline diffrax

`--only exact_noise --only rare` runs some parts, `--only threads` a part of growth, `--quick` all of them in small, to
see that they work. Freed arrays are used again by all contestants, where the C library can do so, since new memory
costs a virtual machine up to 16 ns a number, now and then. Threads go by the clock, the least of many turns, and need a
machine that does little else. The run is compared with benchmarks/results/0.1.0.json, or with the file of `--against`;
`--strict` ends with status 1 if a row has become slower beyond the noise that the tables state. Times are compared as
multiples of a calibration kernel that runs in the same turns, which makes up for a busy machine, and in part for
another one. To be sure, run both versions on the same machine, one after the other: the suite uses no call that 0.1.0
lacks where it has the same, and

    PYTHONPATH=/path/to/that/version python benchmarks/suite.py --no-peers --only ... --out then.json

times another checkout.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timing.measure import Settings
    from timing.records import CurveFound, Results, RowFound

PARTS = ("exact_noise", "one_path", "streaming_noise", "grid", "continuous", "rare", "hurst", "growth")
AXES = ("n", "paths", "d", "H", "1-H", "k", "threads", "horizon", "fine-steps")  # parts of growth
STORED = Path(__file__).parent / "results" / "0.1.0.json"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite, write its files, and return the exit status."""
    options = _parser().parse_args(arguments)
    for name in THREADS:  # before the libraries are loaded
        os.environ.setdefault(name, "1")
    from timing.compare import regressions
    from timing.figures import draw
    from timing.records import load
    from timing.table import markdown

    options.out.parent.mkdir(parents=True, exist_ok=True)  # before minutes of work
    results = load(options.tables) if options.tables else _run(options)
    then = load(options.against) if options.against.exists() else None
    if then is not None and then.quick != results.quick:  # their numbers are not to be compared
        then = None
    if not options.tables:
        results.save(options.out)
    options.out.with_suffix(".md").write_text(markdown(results, then))
    draw(results.curves, options.out.parent)
    slower = regressions(results, then) if then else []
    for change in slower:
        print(f"{change.row.part}, {change.row.name}, {change.row.shape}: {change.verdict} (noise {change.noise:.0%})")
    return 1 if slower and options.strict else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results.json"), help="where the results go")
    parser.add_argument("--only", action="append", choices=(*PARTS, *AXES), metavar="PART",
                        help=f"a part, one of {', '.join(PARTS)}, or of growth {', '.join(AXES)}; several if repeated")
    parser.add_argument("--quick", action="store_true", help="a sixty-fourth of the paths and two turns")
    parser.add_argument("--no-peers", action="store_true", help="time this package alone")
    parser.add_argument("--turns", type=int, default=5, help="how often the contestants take turns")
    parser.add_argument("--against", type=Path, default=STORED, help="an earlier run to compare with")
    parser.add_argument("--strict", action="store_true", help="exit status 1 if a row has become slower")
    parser.add_argument("--tables", type=Path, help="write tables and figures of this file again, without a run")
    return parser


def _run(options: argparse.Namespace) -> Results:
    """All that was asked for, measured."""
    from timing import machine
    from timing.measure import Settings, calibrate
    from timing.records import Cost, Results

    where, date = machine.machine(), datetime.now(UTC).strftime("%Y-%m-%d")
    turns = 2 if options.quick else options.turns
    settings = Settings(turns=turns, share=1 / 64 if options.quick else 1.0, peers=not options.no_peers)
    calibration = [calibrate() for _ in range(4 * turns)]
    rows: list[RowFound] = []
    curves: list[CurveFound] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of peers
        for part in options.only or PARTS:
            if part == "growth" or part in AXES:
                curves += _growth(AXES if part == "growth" else (part,), settings, options.quick)
            else:
                rows += _part(part, settings)
    version = import_module("fbmsde").__version__
    return Results(version, machine.commit(), date, options.quick, turns, where, machine.versions(),
                   Cost.of(calibration), tuple(rows), tuple(curves))  # fmt: skip


def _part(part: str, settings: Settings) -> list[RowFound]:
    """The rows of a part, told while they are measured."""
    from timing.machine import keep_memory
    from timing.measure import measured

    keep_memory()
    found = []
    for row in import_module(f"timing.parts.{part}").rows():
        found.append(measured(part, row, settings))
        cost = found[-1].cost
        told = found[-1].note if cost is None else f"{cost.median:.4g} {row.unit}"
        print(f"{part}: {row.name}, {row.shape}: {told}", file=sys.stderr, flush=True)
    return found


def _growth(names: Sequence[str], settings: Settings, quick: bool) -> list[CurveFound]:
    """The curves of some axes, told while they are measured."""
    from timing import growth
    from timing.curves import traced

    found = []
    for name in names:
        axis = growth.AXES[name]
        for curve in axis.curves():
            if curve.peer and not settings.peers:
                continue
            some = curve._replace(places=curve.places[:2]) if quick else curve
            found.append(traced(name, some, axis.to_zero, min(settings.turns, 3)))
            told = f"exponent {found[-1].exponent}"
            if name == "threads" and found[-1].seconds:
                told += f", {found[-1].seconds[0] / found[-1].seconds[-1]:.2f} times as fast on all of them"
            print(f"growth: {name}, {curve.name}: {told}", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
