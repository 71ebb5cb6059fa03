"""Timings beside the packages that others publish."""

from .generators import davies_harte_shares, generator_table
from .passage import passage_table

__all__ = [
    "davies_harte_shares",
    "generator_table",
    "passage_table",
]
