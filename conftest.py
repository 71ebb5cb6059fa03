"""Which examples in docstrings can run: those of the optional parts need the packages of the extra `sgd`."""

from importlib.util import find_spec

_NEED_TORCH = ["fbmsde/_networks.py", "fbmsde/gradient_noise.py", "fbmsde/sgd_escape.py", "fbmsde/sgd_study.py"]

collect_ignore = [] if find_spec("torch") and find_spec("sklearn") else _NEED_TORCH
