"""Reading of series from text tables, .npy, .npz and Parquet files: plain, gzipped or from standard input."""

from __future__ import annotations

import gzip
import io
import sys
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..core import checks
from ..core.extras import optional
from ..core.types import Array, SeriesKind, Spaced
from ..laws.likeness import WORDS, Look, contradiction, spectral_exponent
from .columns import UNEVEN, as_wanted, chosen_columns, columns_left_out, label, uneven_index
from .held import Convertible, Held, held_columns
from .text_table import Column, Lines, find_layout, read_columns

FORMATS = (
    "text with one series per column (separated by commas, semicolons, tabs, bars or blanks; header, dates and "
    "decimal commas are recognised), .npy, .npz or Parquet, each also as .gz; - for standard input"
)
_TOLD = 10  # series whose look is told one by one
DecimalMark = Literal[".", ","]
DECIMALS: tuple[DecimalMark, ...] = get_args(DecimalMark)


@dataclass(frozen=True, repr=False)
class Series(Spaced):
    """Series with their names.

    values : one series per row, (n_series, n). A missing value is NaN.
    names : the names of the series.
    notes : sentences on what was left out, on what is missing or not equally spaced, and on a `kind` that contradicts
        the values.
    doubts : those of the notes that are about the `kind`.

    It can be passed on as it is: NumPy takes it for the array (n,) of the only series or (n_series, n) of several, and
    the note of a Hurst estimate repeats what `spacing` says.

    >>> from fbmsde import estimate_hurst, fbm
    >>> series = read_series(fbm(0.7, 1000, seed=1))
    >>> np.asarray(series).shape, round(estimate_hurst(series, kind="path").hurst, 1)
    ((1001,), 0.7)
    """

    values: Array
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        one = self.values[0] if len(self.names) == 1 else self.values
        return np.array(one, dtype, copy=copy)

    @property
    def spacing(self) -> tuple[str, ...]:
        """Those of the notes that say that the series are not equally spaced in time."""
        return tuple(note for note in self.notes if UNEVEN in note)

    @property
    def looks(self) -> tuple[Look, ...]:
        """What each series looks like by its spectrum, "path", "increments" or "unclear": see `spectral_exponent`."""
        return tuple(spectral_exponent(row).look for row in self.values)

    def looks_text(self) -> str:
        """What the series look like in words: "increments" if all do, else series by series."""
        looks = self.looks
        if len(set(looks)) == 1:
            return looks[0]
        each = [f"{name!r} {look}" for name, look in zip(self.names, looks, strict=True)]
        return ", ".join(each[:_TOLD]) + ", ..." * (len(each) > _TOLD)

    @property
    def n_missing(self) -> int:
        """The number of missing values in all series together."""
        return int(np.isnan(self.values).sum())

    def __repr__(self) -> str:
        names = ", ".join(map(repr, self.names[:4])) + ", ..." * (len(self.names) > 4)
        missing = f", {self.n_missing} missing" if self.n_missing else ""
        return f"Series({self.values.shape[1]} values of {names}{missing}; by their spectrum: {self.looks_text()})"


def read_series(
    source: str | PathLike[str] | NDArray[Any] | Held | Convertible,
    *,
    column: str | int | Sequence[str | int] = (),
    skip: int = 0,
    decimal: DecimalMark | None = None,
    kind: SeriesKind | None = None,
) -> Series:
    """The series in a file or a data frame, with their names and with notes on what was left out.

    The first bytes tell the kind of a file. ``.npy`` and ``.npz`` hold arrays (n,) or (n_series, n), one series per
    row; Parquet and text hold one series per column. Each may be gzipped. In text the separator (comma, semicolon,
    tab, bar or blanks), the decimal mark, marks between thousands, header lines and quotes are recognised, and lines
    that begin with # or % are comments. A single line of numbers is one series.

    A Series or a DataFrame of pandas, a DataArray or a Dataset of xarray, a table of pyarrow and an array may stand in
    the place of a file. The series of a DataArray of two dimensions run along its time.

    Columns of words or dates are left out. So is an index or a time: a column that is named like one, or one that
    changes in equal steps beside others. `notes` names each of them and says where a time is not equally spaced.
    Missing values are NaN, so that no gap is closed; an empty line in a table of one column is such a value.

    Parameters
    ----------
    source : the file, "-" for standard input, or the object.
    column : name or number (from 1) of the column to take, or several of them; what is both is taken as a name. All
        series are taken if it is empty.
    skip : number of lines of text to leave out at the top.
    decimal : the decimal mark, "." or ",", for a file that can be read with either.
    kind : "increments" or "path", as for `estimate_hurst`, if it is known. A series that looks like the other one by
        its spectrum (`fbmsde.laws.likeness`) leads to a UserWarning, which `notes` repeats. In text it decides besides
        whether a 0 above a single column may be the start of a path or must be the name of the column.

    Raises
    ------
    FileNotFoundError and other kinds of OSError; ImportError for Parquet without pyarrow; ValueError for damaged and
    binary files, lines of different widths, numbers that can be read in two ways, and where no numbers are left;
    TypeError for a source of another kind.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "noise.csv"
    >>> _ = file.write_text("date;a;b\\n2024-01-01;0,5;4\\n2024-01-02;2,5;5\\n2024-01-03;3;6\\n")
    >>> series = read_series(file)
    >>> series.names, series.values.tolist()
    (('a', 'b'), [[0.5, 2.5, 3.0], [4.0, 5.0, 6.0]])
    >>> series.notes[-1]
    "column 'date' was left out: it holds no numbers but '2024-01-01'"
    >>> read_series(file, column="b").values.tolist()
    [[4.0, 5.0, 6.0]]
    """
    if kind is not None:
        checks.choice("kind", kind, WORDS)
    if isinstance(source, (str, PathLike)):
        found = _read_file(source, as_wanted(column), checks.count("skip", skip, 0), decimal, kind)
    elif skip or decimal:
        raise ValueError(f"skip and decimal are for text, got a source of type {type(source).__name__}.")
    else:
        found = _read_held(source, as_wanted(column))
    if kind is None:
        return found
    said = [contradiction(f"series {name!r}", row, kind) for name, row in zip(found.names, found.values, strict=True)]
    told = tuple(sentence for sentence in said if sentence)
    if told:
        warnings.warn(told[0] + (f" And {len(told) - 1} more series do." if len(told) > 1 else ""), stacklevel=2)
    return replace(found, notes=(*found.notes, *told), doubts=told)


def _read_held(source: object, columns: tuple[str, ...]) -> Series:
    """The series in an object."""
    if isinstance(source, np.ndarray):
        masked = np.ma.getmask(source)
        return _rows({"": source if masked is np.ma.nomask else np.where(masked, np.nan, source)}, columns)
    if not isinstance(source, (Held, Convertible)):
        raise TypeError(f"source must be a file, an array, or an object of pandas or xarray, got {source!r:.60}.")
    found, index = held_columns(source)
    return _series(found, columns, [note] if index is not None and (note := uneven_index(index)) else [])


def _read_file(
    path: str | PathLike[str], columns: tuple[str, ...], skip: int, decimal: str | None, kind: str | None
) -> Series:
    """The series in a file."""
    if decimal is not None:
        checks.choice("decimal", decimal, DECIMALS)
    data, name = _bytes(path)
    for magic, read in _READERS.items():
        if data.startswith(magic):
            if skip or decimal:
                raise ValueError(f"skip and decimal are for text, got {name}, which is none.")
            return read(data, columns)
    suffix = Path(name.removesuffix(".gz")).suffix.lower()
    if suffix in (".npy", ".npz", ".parquet"):
        what = f"{len(data)} bytes of something else" if data else "an empty file"
        raise ValueError(f"file must hold what its name says, {suffix}, got {what}.")
    return _read_text(_decoded(data), columns, skip, decimal, kind)


def _bytes(path: str | PathLike[str]) -> tuple[bytes, str]:
    """The content of the file, unpacked if it is gzipped, and its name."""
    name = str(path)
    if name == "-":
        data = sys.stdin.buffer.read()
    else:
        if Path(path).is_dir():
            raise IsADirectoryError(f"file must be a file, got the folder {name}. Give a file in it.")
        data = Path(path).read_bytes()
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"file must be whole, got a damaged gzip file ({error}).") from None
    return data, name


def _read_npy(data: bytes, columns: tuple[str, ...]) -> Series:
    """The rows of the array in a .npy file."""
    return _rows({"": _loaded(lambda: np.load(io.BytesIO(data), allow_pickle=False))}, columns)


def _read_npz(data: bytes, columns: tuple[str, ...]) -> Series:
    """The rows of the only array in a .npz archive, or of the arrays that are asked for by name."""

    def arrays() -> dict[str, Any]:
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            return {name: held[name] for name in held.files if not columns or name in columns or len(held.files) == 1}

    found = _loaded(arrays)
    if len(found) == 1 and not set(found) & set(columns):
        return _rows({"": next(iter(found.values()))}, columns)
    if columns:
        missing = [name for name in columns if name not in found]
        if missing:
            raise ValueError(f"column must be an array of the file, got {missing[0]!r}.")
        return _rows({name: found[name] for name in columns}, ())
    if not found:
        raise ValueError(f"file must hold series, got an archive without arrays. Supported: {FORMATS}.")
    raise ValueError(f"column must say which array of the file to take, one of {', '.join(found)}.")


def _loaded(load: Callable[[], Any]) -> Any:
    """The result of `load`; ValueError in place of whatever a damaged file makes NumPy raise."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return load()
    except Exception as error:  # damaged headers reach the tokenizer of Python, broken archives zlib
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"file must hold an array of numbers, got a damaged or foreign one ({reason}).") from None


def _rows(arrays: dict[str, Any], columns: tuple[str, ...]) -> Series:
    """The rows of all arrays as series, or only the rows whose numbers, from 1, are asked for."""
    names: list[str] = []
    rows: list[Array] = []
    for name, values in arrays.items():
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu" or values.ndim not in (1, 2):
            found = f"{values.dtype} {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
            raise ValueError(f"source must hold real numbers (n,) or (n_series, n), got {found}.")
        two = np.atleast_2d(values).astype(float, copy=False)
        rows += list(two)
        names += [name or "1"] if len(two) == 1 else [f"{name}{' ' if name else ''}{i + 1}" for i in range(len(two))]
    if not rows or len({row.size for row in rows}) > 1 or not rows[0].size:
        raise ValueError("source must hold series of one length, got none or others.")
    chosen = chosen_columns(names, columns)
    taken = np.array([rows[i] for i in chosen])
    if np.isnan(taken).all():
        raise ValueError("source must hold numbers, got nothing but gaps.")
    missing = np.isnan(taken).sum(axis=1)
    lacking = [(names[i], count) for i, count in zip(chosen, missing, strict=True) if count]
    notes = [f"series {name!r} lacks {count} of {taken.shape[1]} values" for name, count in lacking]
    return Series(taken, tuple(names[i] for i in chosen), tuple(notes))


def _read_parquet(data: bytes, columns: tuple[str, ...]) -> Series:
    """The columns of a Parquet file."""
    pyarrow, parquet = optional("pyarrow", "parquet"), optional("pyarrow.parquet", "parquet")
    try:
        table = parquet.read_table(io.BytesIO(data))
        found = [_parquet_column(pyarrow, name, table.column(j)) for j, name in enumerate(table.column_names)]
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"file must be a whole Parquet file, got a damaged one ({reason}).") from None
    return _series(found, columns, [])


def _parquet_column(pyarrow: Any, name: str, column: Any) -> Column:
    """A column with NaN for its missing values, or with its words if it holds no numbers."""
    types = pyarrow.types
    if not (types.is_integer(column.type) or types.is_floating(column.type) or types.is_decimal(column.type)):
        return Column(name, np.empty(0), tuple(map(str, column.to_pylist())))
    values = column.cast(pyarrow.float64()).to_numpy(zero_copy_only=False).astype(float)
    faults = tuple(("missing", int(row) + 1) for row in np.flatnonzero(np.isnan(values)))
    return Column(name, values, (), faults)


def _refuse_archive(data: bytes, columns: tuple[str, ...]) -> Series:
    """The series in a zip file if it is an archive of NumPy; ValueError if it is a spreadsheet or something else."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except Exception as error:
        raise ValueError(f"file must be a whole archive, got a damaged zip file ({error}).") from None
    if any(name.endswith(".npy") for name in names):
        return _read_npz(data, columns)
    raise ValueError(f"file must hold series, got a zip file or spreadsheet. Save it as text; supported: {FORMATS}.")


_READERS: dict[bytes, Callable[[bytes, tuple[str, ...]], Series]] = {
    b"\x93NUMPY": _read_npy,
    b"PK": _refuse_archive,
    b"PAR1": _read_parquet,
}


def _decoded(data: bytes) -> str:
    """The text that the bytes encode: UTF-16 or UTF-8 by its mark, else UTF-8, else Latin-1; ValueError if binary."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\0" in data:
        raise ValueError(f"file must hold series, got binary data. Supported: {FORMATS}.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _read_text(text: str, columns: tuple[str, ...], skip: int, decimal: str | None, kind: str | None) -> Series:
    """The columns of a text table as series, or its only line as one series."""
    lines = Lines(text, skip)
    try:
        layout = find_layout(lines, decimal, kind)
    except ValueError as error:
        raise ValueError(f"{error} Supported: {FORMATS}." if "got none" in str(error) else str(error)) from None
    found = read_columns(lines, layout)
    notes = []
    if layout.n_header:
        first = next(line for line in lines.lines if line.strip())
        notes.append(f"header left out: {layout.n_header} line{'s' * (layout.n_header > 1)}, {first.strip()[:60]!r}")
    if lines.n_comments:
        notes.append(f"comments left out: {lines.n_comments} line{'s' * (lines.n_comments > 1)}")
    if lines.n_blank and layout.width > 1:
        notes.append(f"empty lines left out: {lines.n_blank}")
    if layout.width > 1 and not layout.n_header and all(column.values.size == 1 for column in found):
        return Series(np.array([[column.values[0] for column in found]]), ("1",), tuple(notes))
    return _series(found, columns, notes)


def _series(found: Sequence[Column], wanted: tuple[str, ...], notes: Sequence[str]) -> Series:
    """The wanted columns as series; by default all that hold numbers and are no index or time."""
    names = [column.name for column in found]
    told = list(notes)
    if wanted:
        chosen = [found[i] for i in chosen_columns(names, wanted)]
        for column in chosen:
            if not column.values.size or np.isnan(column.values).all():
                held = next((repr(cell) for cell in column.cells if cell), "nothing but gaps")
                raise ValueError(f"column must hold numbers, got {column.name!r} with {held}.")
    else:
        left_out = columns_left_out(found)
        told += [f"{label(found[i].name)} was left out: {reason}" for i, reason in left_out.items()]
        chosen = [column for i, column in enumerate(found) if i not in left_out]
    if not chosen or not chosen[0].values.size:
        raise ValueError(f"source must hold numbers, got none. {' '.join(told)}".rstrip())
    for column in chosen:
        if column.faults:
            cell, place = column.faults[0]
            told.append(f"{label(column.name)} lacks {len(column.faults)} of {column.values.size} values, "
                        f"the first in line {place} ({repr(cell) if cell else 'empty'})")  # fmt: skip
    return Series(np.array([column.values for column in chosen]), tuple(c.name for c in chosen), tuple(told))
