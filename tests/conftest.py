"""What the tests share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import numpy as np
import pytest
from scipy import stats

ALPHA = 1e-6  # probability of a false alarm of one statistical test, divided by its number of comparisons


def threshold(comparisons: int, alpha: float = ALPHA) -> float:
    """Largest |z| that one of so many two-sided comparisons may reach."""
    return float(stats.norm.isf(alpha / (2 * comparisons)))


@pytest.fixture(autouse=True)
def _quiet_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are compared as text: the width of the terminal must not matter."""
    monkeypatch.setenv("COLUMNS", "200")
    np.set_printoptions(precision=8)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as a process that was started by hand has it: one that tests run in may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
