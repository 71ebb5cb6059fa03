"""Reading series from files: what ordinary programs write is read as it is meant, or refused."""

import gzip
import io
import sys

import numpy as np
import pytest

from fbmsde.io.series import read_series
from fbmsde.laws.likeness import spectral_exponent
from tests.conftest import threshold

N = 60
X, Y = np.round(np.random.default_rng(1).standard_normal((2, N)), 4)


def written(tmp_path, content, name="series.csv"):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def comma(value):
    return f"{value:.4f}".replace(".", ",")


def table(*columns, head="", mark=",", end="\n", form=str):
    lines = [head] if head else []
    cells = [[cell if isinstance(cell, str) else form(cell) for cell in column] for column in columns]
    return end.join([*lines, *(mark.join(row) for row in zip(*cells, strict=True))]) + end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1\n2\n3\n", [[1, 2, 3]]),
        ("noise\n1\n2.5e-1\n", [[1, 0.25]]),
        ("a,b\n1,2\n3,4\n", [[1, 3], [2, 4]]),
        ("1;2\n3;4\n", [[1, 3], [2, 4]]),
        ("1|2\n3|4\n", [[1, 3], [2, 4]]),
        ("# made by hand\n1 2\n\n3   4\n", [[1, 3], [2, 4]]),
        ("1\t2\n3\t4\n", [[1, 3], [2, 4]]),
        ("1,2,3,4\n", [[1, 2, 3, 4]]),
        ("0,1;0,2;0,3\n", [[0.1, 0.2, 0.3]]),
        (",1\n2,x\n", [[np.nan, 2], [1, np.nan]]),
        ("nan,1\n2,inf\n", [[np.nan, 2], [1, np.inf]]),
        ("\ufefft\n1\n2\n", [[1, 2]]),
        ("1.5D+00\n2D-1\n", [[1.5, 0.2]]),
        ("\u22121.5\n2\n", [[-1.5, 2]]),
        ("x\r\r\n1\r\r\n2\r\r\n", [[1, 2]]),
        ("1\r2\r3", [[1, 2, 3]]),
    ],
)
def test_small_text(tmp_path, text, expected):
    values = read_series(written(tmp_path, text)).values
    assert np.array_equal(values, np.array(expected, dtype=float), equal_nan=True)


BOTH = {
    "decimal commas, semicolons": table(X, Y, head="a;b", mark=";", form=comma),
    "decimal commas, blanks": table(X, Y, head="a b", mark="  ", form=comma),
    "decimal commas, tabs": table(X, Y, head="a\tb", mark="\t", form=comma),
    "decimal commas in quotes": table(X, Y, head="a,b", form=lambda v: f'"{comma(v)}"'),
    "quoted numbers": table(X, Y, head='"a","b"', form=lambda v: f'"{v}"'),
    "index without a name": table(map(str, range(N)), X, Y, head=",a,b"),
    "index without a name, german": table(map(str, range(N)), X, Y, head=";a;b", mark=";", form=comma),
    "row names of R": table((f'"{i + 1}"' for i in range(N)), X, Y, head='"a" "b"', mark=" "),
    "dates": table((f"2024-{i // 28 + 1:02d}-{i % 28 + 1:02d}" for i in range(N)), X, Y, head="date,a,b"),
    "dates of Germany": table((f"{i % 28 + 1:02d}.02.2024" for i in range(N)), X, Y, head="Datum;a;b", mark=";",
                              form=comma),
    "dates as numbers": table((f"202401{i // 2 + 1:02d}" for i in range(N)), X, Y, head="date,a,b"),
    "date and hour": table((f"2024-01-01 {i // 4:02d}:{i % 4 * 15:02d}:00" for i in range(N)), X, Y, head="when,a,b"),
    "years": table((str(1900 + i) for i in range(N)), X, Y, head="year,a,b"),
    "years and months": table((str(2000 + i // 12) for i in range(N)), (str(i % 12 + 1) for i in range(N)), X, Y,
                              head="year,month,a,b"),
    "time in equal steps": table((f"{i / 3:.2f}" for i in range(N)), X, Y, head="q,a,b"),
    "time in the last column": table(X, Y, (f"{i / 3:.2f}" for i in range(N)), head="a,b,q"),
    "time with a unit": table((f"{0.5 * i:.1f}" for i in range(N)), X, Y, head="t [s],a,b"),
    "seconds of 1970": table((str(1_600_000_000 + 60 * i + 400 * (i // 7)) for i in range(N)), X, Y, head="q,a,b"),
    "trailing commas": table(X, Y, (" " for _ in range(N)), head="a,b"),
    "trailing commas below a header with one": table(X, Y, ("" for _ in range(N)), head="a,b,"),
    "two header lines": table(X, Y, head="a,b\n(m),(s)"),
    "prose above the header": table(X, Y, head="Station 7\na,b"),
    "comments": table(X, Y, head="# by hand\n% twice\na,b"),
    "carriage returns": table(X, Y, head="a,b", end="\r\n"),
    "latin-1": table(X, Y, head="a,b,Gr\u00f6\u00dfe", form=str).replace("\n", ",\n").encode("latin-1"),
    "utf-8 with its mark": table(X, Y, head="\ufeffa,b"),
    "utf-16": table(X, Y, head="a\tb", mark="\t").encode("utf-16"),
    "gzip": gzip.compress(table(X, Y, head="a,b").encode()),
    "blanks": table(X, Y, head="    a       b", mark="     "),
}  # fmt: skip


@pytest.mark.parametrize("content", BOTH.values(), ids=BOTH.keys())
def test_two_series_among_what_is_none(tmp_path, content):
    series = read_series(written(tmp_path, content))
    assert series.names == ("a", "b")
    assert np.array_equal(series.values, [X, Y])


ONE = {
    "decimal commas": table(X, form=comma),
    "decimal commas with a header": table(X, head="Wert", form=comma),
    "decimal commas, two digits": table(np.round(X, 2), form=lambda v: f"{v:.2f}".replace(".", ",")),
    "thousands": table(5000 * X, form=lambda v: f"{v:,.1f}"),
    "thousands in quotes": table(5000 * X, Y, head="a,y", form=lambda v: f'"{v:,.4f}"'),
    "thousands of Switzerland": table(5000 * X, form=lambda v: f"{v:,.4f}".replace(",", "'")),
    "thousands of Germany": table(5000 * X, Y, head="a;y", mark=";",
                                  form=lambda v: f"{v:,.4f}".translate(str.maketrans(",.", ".,"))),
    "thousands of France": table(5000 * X, Y, head="a;y", mark=";",
                                 form=lambda v: f"{v:,.4f}".translate(str.maketrans(",.", "\u202f,"))),
    "index of a series": table(map(str, range(N)), X, head=",0"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), ONE.items(), ids=ONE.keys())
def test_one_series(tmp_path, kind, text):
    expected = 5000 * X if "thousands" in kind else X
    values = read_series(written(tmp_path, text)).values
    assert values.shape == ((2 if "y" in text else 1), N)
    assert values[0] == pytest.approx(expected, abs=0.051)


def test_gap_is_not_closed(tmp_path):
    cells = [str(v) for v in X]
    cells[20] = ""
    for text in ("\n".join(cells), "x\n" + "\n".join(cells) + "\n\n", "\n".join(c or '""' for c in cells)):
        series = read_series(written(tmp_path, text))
        assert series.values.shape == (1, N)
        assert np.flatnonzero(np.isnan(series.values[0])).tolist() == [20]
        assert f"lacks 1 of {N} values, the first in line {21 + (text[0] == 'x')} " in series.notes[-1]


def test_header_of_numbers(tmp_path):
    walk = np.cumsum(X)
    for text in (table(X, Y, head="0,1"), table(map(str, range(N)), X, Y, head=",0,1"), table(X, Y, head="2019,2020")):
        series = read_series(written(tmp_path, text))
        assert np.array_equal(series.values, [X, Y])
        assert "header left out: 1 line" in series.notes[0]
    counts = table("123456", "323456", "923456", head="0,1,2", form=str)
    assert read_series(written(tmp_path, counts)).values.shape == (3, 6)
    start = written(tmp_path, table(walk, head="0"))
    assert read_series(start, kind="path").values.shape == (1, N + 1)
    assert read_series(start, kind="increments").names == ("0",)
    assert read_series(written(tmp_path, table(walk + 500.0, head="0")), kind="path").names == ("0",)


def test_uneven_times_are_told(tmp_path):
    days = [f"2024-01-{d:02d}" for d in (1, 2, 3, 4, 5, 8, 9, 10, 11, 12)]
    note = read_series(written(tmp_path, table(days, X[:10], head="date,a"))).notes[-1]
    assert "in steps from 1 to 3 (D); the values are taken as equally spaced all the same" in note
    times = np.cumsum(1.0 + np.arange(10) % 3)
    assert "in steps from 1 to 3; the values" in read_series(written(tmp_path, table(times, X[:10]))).notes[-1]


def test_columns_by_name_and_number(tmp_path):
    file = written(tmp_path, table(map(str, range(N)), X, Y, map("x{}".format, range(N)), head="t,a,b,w"))
    for wanted, names in ((["b"], "b"), (["2"], "a"), (["b,a"], "ba"), (["2:3", "a"], "ab"), (["1"], "t")):
        assert read_series(file, column=wanted).names == tuple(names)
    with pytest.raises(ValueError, match="column must be one of 't', 'a', 'b', 'w' or a number from 1 to 4, got 'c'"):
        read_series(file, column=["c"])
    with pytest.raises(ValueError, match="column must hold numbers, got 'w' with 'x0'"):
        read_series(file, column=["4"])
    assert read_series(written(tmp_path, table(X, Y, head="2,1")), column=["1"]).values.tolist() == [[2, *X]]
    assert read_series(written(tmp_path, table(X, Y, head="0,1")), column=["1"]).values.tolist() == [Y.tolist()]


def test_skip_and_decimal(tmp_path):
    file = written(tmp_path, "1 2 3\n4 5\n" + table(X, Y))
    assert np.array_equal(read_series(file, skip=2).values, [X, Y])
    with pytest.raises(ValueError, match="Leave out lines before the table by skip=1"):
        read_series(written(tmp_path, "4\n" + table(X, Y, X)))
    pairs = written(tmp_path, "3,14\n2,71\n1,41\n")
    with pytest.raises(ValueError, match=r"one way only, got '1,41', which may be 1 and 41 or 1\.41"):
        read_series(pairs)
    assert read_series(pairs, decimal=",").values.tolist() == [[3.14, 2.71, 1.41]]
    assert read_series(pairs, decimal=".").values.tolist() == [[3, 2, 1], [14, 71, 41]]
    with pytest.raises(ValueError, match="one way only, got '1,414', which may be"):
        read_series(written(tmp_path, "Wert\n3,142\n2,718\n1,414\n"))
    np.save(tmp_path / "series.npy", X)
    with pytest.raises(ValueError, match=r"skip and decimal are for text, got .*npy, which is none"):
        read_series(tmp_path / "series.npy", skip=1)


def test_a_comma_is_not_both_marks(tmp_path):
    """Without quotes nobody can say which of the commas are decimal; with them it is plain."""
    for text in ("100,9750,0,9750\n101,1250,0,1250\n", "a,b\n1,5,2,5\n2,5,3,5\n"):
        with pytest.raises(ValueError, match="decimal must differ from the mark between columns, got ','"):
            read_series(written(tmp_path, text), decimal=",")
    quoted = written(tmp_path, '"a,b",c\n"1,5","2,5"\n"2,5","3"\n')
    assert read_series(quoted, decimal=",").values.tolist() == [[1.5, 2.5], [2.5, 3.0]]
    with pytest.raises(ValueError, match=r"one way only.* Say which mark is decimal by decimal='\.' or decimal=','"):
        read_series(written(tmp_path, "3,14\n2,71\n"))


def test_long_text_is_read_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("fbmsde.io.text_table._CHUNK", 7)
    text = table(X, Y, head="a,b").replace(f"\n{X[30]},", "\n,")
    series = read_series(written(tmp_path, text))
    assert np.array_equal(np.delete(series.values, 30, axis=1), np.delete([X, Y], 30, axis=1))
    assert "column 'a' lacks 1 of 60 values, the first in line 32 (empty)" in series.notes


def test_arrays(tmp_path):
    for values in (np.arange(5), np.arange(6.0).reshape(2, 3), np.arange(3, dtype=np.float32)):
        np.save(tmp_path / "series.npy", values)
        assert np.array_equal(read_series(str(tmp_path / "series.npy")).values, np.atleast_2d(values))
    assert read_series(tmp_path / "series.npy", column=["1"]).values.shape == (1, 3)


def test_archives(tmp_path):
    np.savez(tmp_path / "one.npz", np.array([X, Y]))
    np.savez_compressed(tmp_path / "two.npz", x=X, y=Y)
    (tmp_path / "renamed.npy").write_bytes((tmp_path / "two.npz").read_bytes())
    assert np.array_equal(read_series(tmp_path / "one.npz").values, [X, Y])
    assert read_series(tmp_path / "one.npz", column=["2"]).names == ("2",)
    assert np.array_equal(read_series(tmp_path / "renamed.npy", column=["y"]).values, [Y])
    with pytest.raises(ValueError, match="column must say which array of the file to take, one of x, y"):
        read_series(tmp_path / "two.npz")
    with pytest.raises(ValueError, match="column must be an array of the file, got 'z'"):
        read_series(tmp_path / "two.npz", column=["z"])


def test_parquet(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"a": X, "b": Y, "n": range(N)}, index=pandas.date_range("2024-01-01", periods=N))
    frame["hole"] = frame["a"].where(frame["n"] != 3)
    frame.to_parquet(tmp_path / "frame.parquet")
    series = read_series(tmp_path / "frame.parquet")
    assert series.names == ("a", "b", "hole")
    assert np.array_equal(series.values[:2], [X, Y])
    assert np.flatnonzero(np.isnan(series.values[2])).tolist() == [3]
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "frame.parquet").read_bytes()[:-40])
    with pytest.raises(ValueError, match="file must be a whole Parquet file, got a damaged one"):
        read_series(tmp_path / "cut.parquet")


def test_parquet_without_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'pyarrow is not installed. Install it with: pip install "fbmsde\[parq'):
        read_series(written(tmp_path, b"PAR1"))


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(table(X, form=comma).encode())))
    assert np.array_equal(read_series("-").values, [X])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "file must hold numbers, got none. Supported: text with one series per column"),
        ("a,b\n", "file must hold numbers, got none"),
        ("a\nb\nc\n", "file must hold numbers, got none"),
        ('{"a": [1, 2, 3]}', "file must hold numbers, got none"),
        ("<html><body>1</body></html>\n", "file must hold numbers, got none"),
        ("5%\n6%\n", "file must hold numbers, got none"),
        ("1,2,3\n4,5\n6,7,8\n", "file must have as many cells in every line, got 3 and 2"),
        (table(X, Y, X) * 20 + "1,2\n", "file must have as many cells in every line, got 3 and, in line 1201, 2"),
        (b"\x00\x01\x02binary", "file must hold series, got binary data. Supported"),
        (gzip.compress(b"1\n2\n", mtime=0)[:12], "file must be whole, got a damaged gzip file"),
        (b"PK\x03\x04 not really", "file must be a whole archive, got a damaged zip file"),
        (b"\x93NUMPY\x01\x00v\x00{'descr'", "file must hold an array of numbers, got a damaged or foreign one"),
        (b"\x93NUMPY\x01\x00\x20\x00" + b"{'descr': '<f8', ".ljust(32), "file must hold an array of numbers, got a"),
        (b"\x93NUMPY", "file must hold an array of numbers, got a damaged or foreign one"),
    ],
)
def test_useless_files_are_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_series(written(tmp_path, content))


def test_useless_arrays_are_refused(tmp_path):
    for values in (np.zeros((2, 2, 2)), np.zeros(3, complex), np.array("a"), np.zeros(3, [("x", float)])):
        np.save(tmp_path / "series.npy", values)
        with pytest.raises(ValueError, match=r"source must hold real numbers \(n,\) or \(n_series, n\), got"):
            read_series(tmp_path / "series.npy")
    np.save(tmp_path / "objects.npy", np.array([{}]))
    with pytest.raises(ValueError, match=r"got a damaged or foreign one .Object arrays cannot be loaded"):
        read_series(tmp_path / "objects.npy")
    with pytest.raises(ValueError, match=r"file must hold what its name says, \.npy, got an empty file"):
        read_series(written(tmp_path, b"", "empty.npy"))
    with pytest.raises(FileNotFoundError):
        read_series(tmp_path / "absent.csv")
    with pytest.raises(IsADirectoryError, match="file must be a file, got the folder"):
        read_series(tmp_path)


def test_what_is_held_in_memory():
    pandas, xarray = pytest.importorskip("pandas"), pytest.importorskip("xarray")
    days = pandas.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-09"], name="day")
    frame = pandas.DataFrame({"price": [1.0, None, 3.0], "n": pandas.array([4, 5, None], "Int64"), "word": list("abc")})
    read = read_series(frame.set_index(days))
    assert read.names == ("price", "n")
    assert np.array_equal(read.values, [[1, np.nan, 3], [4, 5, np.nan]], equal_nan=True)
    assert read.notes == (
        "the index 'day' is not equally spaced, in steps from 86400 to 604800 (s); the values are taken as equally "
        "spaced all the same",
        "column 'word' was left out: it holds no numbers but 'a'",
        "column 'price' lacks 1 of 3 values, the first in line 2 ('missing')",
        "column 'n' lacks 1 of 3 values, the first in line 3 ('missing')",
    )
    for column in ("price", 1, ["1"]):
        assert read_series(frame, column=column).names == ("price",)
    assert read_series(frame["price"]).names == ("price",)
    array = xarray.DataArray(np.arange(6.0).reshape(2, 3), dims=("path", "time"), coords={"path": ["a", "b"]}, name="x")
    for held in (array, array.T):
        assert read_series(held).values.tolist() == [[0, 1, 2], [3, 4, 5]]
        assert read_series(held, column="b").values.tolist() == [[3, 4, 5]]
    data = xarray.Dataset({"u": ("time", [1.0, 2.0]), "v": ("time", [3.0, 4.0])})
    assert read_series(data, column="v").values.tolist() == [[3, 4]]
    rows = read_series(np.ma.array([[1.0, 2.0], [3.0, 4.0]], mask=[[0, 1], [0, 0]]))
    assert np.array_equal(rows.values, [[1, np.nan], [3, 4]], equal_nan=True)
    assert rows.notes == ("series '1' lacks 1 of 2 values",) and rows.n_missing == 1


def test_useless_objects_are_refused():
    pandas, xarray = pytest.importorskip("pandas"), pytest.importorskip("xarray")
    frame = pandas.DataFrame({"a": [np.nan, np.nan], "b": ["x", "y"], "c": [1, 2]})
    for source, column, message in (
        (frame, "a", "column must hold numbers, got 'a' with nothing but gaps"),
        (frame, "b", "column must hold numbers, got 'b' with 'x'"),
        (frame, "z", "column must be one of 'a', 'b', 'c' or a number from 1 to 3, got 'z'"),
        (frame[["a", "b"]], (), "source must hold numbers, got none. column 'a' was left out: it is empty"),
        (np.full(5, np.nan), (), "source must hold numbers, got nothing but gaps"),
        (xarray.DataArray(np.zeros((2, 2, 2))), (), "source must fit into a table, got DataArray"),
    ):
        with pytest.raises(ValueError, match=message):
            read_series(source, column=column)
    with pytest.raises(ValueError, match="skip and decimal are for text, got a source of type DataFrame"):
        read_series(frame, skip=1)
    for source, column, message in (
        ([1.0, 2.0], (), r"source must be a file, an array, or an object of pandas or xarray, got \[1.0, 2.0\]"),
        (frame, 1.5, "column must be a name, a number from 1 or several of them, got 1.5"),
    ):
        with pytest.raises(TypeError, match=message):
            read_series(source, column=column)


def of_power(exponent, n_series, n):
    """Periodic series whose spectrum is f to the power of minus the exponent."""
    parts = np.random.default_rng(3).standard_normal((n_series, n // 2 + 1, 2)) @ [1.0, 1.0j]
    parts[:, 0] = 0.0
    parts[:, 1:] *= np.arange(1, n // 2 + 1) ** (-exponent / 2)
    return np.fft.irfft(parts, n, axis=1)


def test_a_kind_that_contradicts_the_values_is_told():
    """Noises with the spectra of H = .3, .5 and .7 and their sums are told apart."""
    noise = np.concatenate([of_power(2 * hurst - 1, 1, 4000) for hurst in (0.3, 0.5, 0.7)])
    paths = np.cumsum(noise, axis=1)
    with pytest.warns(UserWarning, match=r"series '1' looks like a path, not like increments.* And 2 more series do"):
        read = read_series(paths, kind="increments")
    assert read.looks == ("path",) * 3 and len(read.notes) == 3
    with pytest.warns(UserWarning, match=r"series '1' looks like increments, not like a path: .*faster than f\^-1"):
        assert read_series(noise, kind="path").looks == ("increments",) * 3
    assert read_series(noise, kind="increments").notes == read_series(paths, kind="path").notes == ()
    paths[0, 2000::5] = np.nan
    assert read_series(paths[:1], kind="path").looks == ("path",)
    assert read_series(np.arange(63.0)).looks == ("unclear",)
    assert repr(read_series(noise[:1])) == "Series(4000 values of '1'; by their spectrum: increments)"
    with pytest.raises(ValueError, match="kind must be one of increments, path, got 'noise'"):
        read_series(noise, kind="noise")


def test_the_exponent_of_a_spectrum():
    """The mean of 400 slopes is that of the spectrum, and their spread is the stated error.

    Slopes that are off by .03, such as those over other frequencies or of an amplitude in place of a power, and errors
    that are off by a fifth would be seen.
    """
    for exponent in (-0.4, 0.6, 1.4):
        found = [spectral_exponent(row) for row in of_power(exponent, 400, 2048)]
        values, error = np.array([each.value for each in found]), found[0].error
        assert abs(values.mean() - exponent) < threshold(6) * error / np.sqrt(400)
        assert abs(np.log(values.std() / error)) < threshold(6) / np.sqrt(800)
