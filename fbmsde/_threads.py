"""Blocks of work on a pool of threads, with progress, and stopped at once by an interrupt."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

_POLL = 0.1  # seconds between two looks at the progress of the threads


def run_blocks(
    work: Callable[[int], None], threads: int, control: NDArray[np.int64], total: int, progress: Any
) -> None:
    """Call ``work(i)`` for each row i of `control` (n_blocks, 2) on the threads.

    Kernels add to ``control[i, 1]`` what they have finished, of `total`, and stop when ``control[i, 0]`` is set, which
    an exception or an interrupt does for all. `progress`: True for a bar, or a function of the number newly finished.
    """
    with (
        ThreadPoolExecutor(threads) as pool,
        tqdm(total=total, disable=progress is not True, unit="path", leave=False) as bar,
    ):
        report = progress if callable(progress) else bar.update
        told, pending = 0, {pool.submit(work, i) for i in range(control.shape[0])}
        try:
            while pending:
                done, pending = wait(pending, timeout=_POLL, return_when=FIRST_EXCEPTION)
                finished = int(control[:, 1].sum())
                report(finished - told)
                told = finished
                for future in done:
                    future.result()
        except BaseException:
            control[:, 0] = 1
            raise
