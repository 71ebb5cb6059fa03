"""Which examples in docstrings can run: those of the optional parts need the packages of the extra `sgd`."""

from importlib.util import find_spec

_SGD = ("networks", "gradient_noise", "runs", "cases", "memory", "escape")
_NEED_TORCH = [f"fbmsde/studies/sgd/{name}.py" for name in _SGD]

collect_ignore = [] if find_spec("torch") and find_spec("sklearn") else _NEED_TORCH
