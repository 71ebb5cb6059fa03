"""What all tests share: which examples in docstrings can run, and that no test leaves figures of pyplot open."""

import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

_SGD = ("networks", "gradient_noise", "runs", "cases", "memory", "escape")
_NEED_TORCH = [f"fbmsde/studies/sgd/{name}.py" for name in _SGD]  # the packages of the extra `sgd`

collect_ignore = [] if find_spec("torch") and find_spec("sklearn") else _NEED_TORCH


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    """Close the figures that pyplot keeps after each test, where it was imported."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
