"""Reading of series from files and from data frames."""

from .series import DECIMALS, FORMATS, Series, read_series

__all__ = [
    "DECIMALS",
    "FORMATS",
    "Series",
    "read_series",
]
