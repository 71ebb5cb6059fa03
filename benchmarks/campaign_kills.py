"""A campaign that is killed again and again ends with the same bits, and makes no block twice that was safe.

    python benchmarks/campaign_kills.py --kills 20 --blocks 200

Each run of the campaign is a process of its own, which SIGKILL ends at a random moment after it has kept a block; the
last one is let go on to the end. The arrays are compared with those of a run in one piece in memory.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from fbmsde import Campaign, FractionalNoise, Grid, PassageProblem, quadratic
from fbmsde.campaigns.stored import StoredCampaign

PATHS = 250  # of a block


def campaign(blocks: int, store: Path | None) -> Campaign:
    """Two problems, with half of the blocks each."""
    problems = {
        f"H={hurst}": PassageProblem(
            quadratic(1.0), FractionalNoise(hurst), 0.0, (-2.0, 2.0), horizon=100.0, seed=1, monitoring=Grid(0.01)
        )
        for hurst in (0.3, 0.7)
    }
    return Campaign(problems, n_paths=PATHS * blocks // 2, block_paths=PATHS, store=store)


def kept(log: Path) -> list[tuple[str, int]]:
    """The blocks that were kept, in order, from the log; a line that a kill has torn is left out."""
    found = []
    for line in log.read_text().splitlines() if log.exists() else []:
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue
        if event["event"] == "block":
            found.append((event["problem"], event["number"]))
    return found


def killed(arguments: list[str], log: Path, pause: float) -> bool:
    """Start a run, wait until it has kept a block and a pause more, and kill it; False if it was at its end by then."""
    before = len(kept(log))
    process = subprocess.Popen([sys.executable, __file__, *arguments])
    while process.poll() is None and len(kept(log)) == before:
        time.sleep(0.01)
    time.sleep(pause)
    ended = process.poll() is not None
    process.kill()
    process.wait()
    return not ended


def main() -> None:
    """Kill, resume and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--blocks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--run", type=Path, help="run the campaign in this folder (used by the script itself)")
    given = parser.parse_args()
    if given.run:
        campaign(given.blocks, given.run / "store").run(log=given.run / "log")
        return
    folder = Path(tempfile.mkdtemp())
    log, moments = folder / "log", random.Random(given.seed)
    arguments = ["--run", str(folder), "--blocks", str(given.blocks)]
    whole = campaign(given.blocks, None).run()  # compiles
    begin = time.perf_counter()
    campaign(given.blocks, None).run()
    seconds = time.perf_counter() - begin
    kills = 0
    for _ in range(given.kills):
        kills += killed(arguments, log, moments.uniform(0.0, 1.4 * seconds / given.kills))
    subprocess.run([sys.executable, __file__, *arguments], check=True)
    found, blocks = StoredCampaign(folder / "store"), kept(log)
    equal = all(
        np.array_equal(getattr(found[name], field), getattr(whole[name], field))
        and np.array_equal(found[name].place, whole[name].place, equal_nan=True)
        for name in whole
        for field in ("times", "censored", "side")
    )
    print(f"{kills} kills, {given.blocks} blocks, {seconds:.1f} s in one piece")
    print(f"equal to the bit: {equal}; blocks made again although they were safe: {len(blocks) - len(set(blocks))}")


if __name__ == "__main__":
    main()
