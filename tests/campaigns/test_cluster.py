"""The README's section on clusters runs as it is written, on a cluster of this machine that loses a worker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fbmsde import Campaign, StoredCampaign

pytest.importorskip("distributed")

README = (Path(__file__).parents[2] / "README.md").read_text()

KILLER = '''
import multiprocessing, os, pathlib, runpy, signal, threading, time

def kill_a_worker():
    """Once two blocks are kept, the process of a worker dies."""
    log = pathlib.Path("deep.log")
    kept = 0
    while kept < 2:
        time.sleep(0.02)
        kept = log.read_text().count('"event": "block"') if log.exists() else 0
    workers = [p for p in multiprocessing.active_children() if "Worker" in p.name or "Dask" in p.name]
    os.kill(workers[0].pid, signal.SIGKILL)
    print(f"killed after {kept} blocks", flush=True)

if __name__ == "__main__":
    threading.Thread(target=kill_a_worker, daemon=True).start()
    runpy.run_path("cluster.py", run_name="__main__")
'''


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_gives_the_same_bits(tmp_path):
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL) if "LocalCluster" in b)
    (tmp_path / "cluster.py").write_text(block)
    (tmp_path / "killer.py").write_text(KILLER)
    done = subprocess.run(
        [sys.executable, "killer.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    space: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), space)  # its problems, as it is not the main module
    found, problems = StoredCampaign(tmp_path / "deep"), space["problems"]
    whole = Campaign(problems, n_paths=found[next(iter(problems))].n_paths).run(n_jobs=1)
    for name in problems:
        np.testing.assert_array_equal(found[name].times, whole[name].times)
        np.testing.assert_array_equal(found[name].place, whole[name].place)
    events = [json.loads(line) for line in (tmp_path / "deep.log").read_text().splitlines()]
    kept = [(event["problem"], event["number"]) for event in events if event["event"] == "block"]
    assert len(kept) == len(set(kept))
    kept_before = int(re.search(r"killed after (\d+) blocks", done.stdout)[1])
    assert 2 <= kept_before < len(kept) == 24
