"""Reading of series from files."""

from .series import DECIMALS, FORMATS, Series, read_series

__all__ = [
    "DECIMALS",
    "FORMATS",
    "Series",
    "read_series",
]
