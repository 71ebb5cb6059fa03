"""The command line ``fbmsde``."""

from .common import app
from .program import main

__all__ = ["app", "main"]
