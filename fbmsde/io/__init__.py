"""Reading of series from files and from data frames."""

from .likeness import SpectralExponent, spectral_exponent
from .series import DECIMALS, FORMATS, Series, read_series

__all__ = [
    "DECIMALS",
    "FORMATS",
    "Series",
    "SpectralExponent",
    "read_series",
    "spectral_exponent",
]
