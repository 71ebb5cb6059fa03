"""Reading series from .npy and text files."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def read_series(path: str | PathLike[str]) -> NDArray[np.float64]:
    """Series from a file: (n,) for a single one, (n_series, n) for several.

    ``.npy``: the array as it is stored, one series per row. Anything else is read as text with one series per
    *column*, or a single line, separated by commas, semicolons, tabs or blanks; a first line with a word in it is taken
    for a header; lines that begin with # and empty lines are skipped; an empty cell or a word becomes NaN.

    Raises FileNotFoundError, and ValueError for pickled or complex arrays, ragged lines and files without numbers.

    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "noise.csv"
    >>> _ = file.write_text("a,b\\n1,4\\n2,5\\n3,6\\n")
    >>> read_series(file)
    array([[1., 2., 3.],
           [4., 5., 6.]])
    """
    file = Path(path)
    if file.suffix == ".npy":
        values = np.load(file, allow_pickle=False)
        if values.dtype.kind not in "fiu" or values.ndim not in (1, 2):
            raise ValueError(f"path must hold real numbers (n,) or (n_series, n), got {values.dtype} {values.shape}.")
        return values.astype(float)
    return _read_text(file)


def _read_text(file: Path) -> NDArray[np.float64]:
    """Columns of a text file as series."""
    lines = [line for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip() and line[0] != "#"]
    separator = next((mark for mark in ",;\t" if lines and mark in lines[0]), None)
    rows = [re.split(separator, line) if separator else line.split() for line in lines]
    if rows and any(_is_word(cell) for cell in rows[0]):
        rows = rows[1:]
    if not rows:
        raise ValueError(f"path must hold numbers, got none in {file.name}.")
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        raise ValueError(f"path must have as many cells in every line, got {min(widths)} to {max(widths)}.")
    values = np.array([[np.nan if _is_word(cell) or not cell.strip() else float(cell) for cell in row] for row in rows])
    columns = values if len(rows) == 1 else values.T
    if np.isnan(columns).all():
        raise ValueError(f"path must hold numbers, got none in {file.name}.")
    return columns[0] if len(columns) == 1 else columns


def _is_word(cell: str) -> bool:
    """Whether the cell is neither empty nor a number."""
    try:
        float(cell or "nan")
    except ValueError:
        return bool(cell.strip())
    return False
