"""Reading series from files."""

import numpy as np
import pytest

from fbmsde._series_files import read_series


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1\n2\n3\n", [1, 2, 3]),
        ("noise\n1\n2.5e-1\n", [1, 0.25]),
        ("a,b\n1,2\n3,4\n", [[1, 3], [2, 4]]),
        ("1;2\n3;4\n", [[1, 3], [2, 4]]),
        ("# made by hand\n1 2\n\n3   4\n", [[1, 3], [2, 4]]),
        ("1\t2\n3\t4\n", [[1, 3], [2, 4]]),
        ("1,2,3,4\n", [1, 2, 3, 4]),
        (",1\n2,x\n", [[np.nan, 2], [1, np.nan]]),
        ("nan,1\n2,inf\n", [[np.nan, 2], [1, np.inf]]),
        ("\ufefft\n1\n2\n", [1, 2]),
    ],
)
def test_text(tmp_path, text, expected):
    file = tmp_path / "series.csv"
    file.write_text(text, encoding="utf-8")
    assert np.array_equal(read_series(file), np.array(expected, dtype=float), equal_nan=True)


def test_arrays(tmp_path):
    for values in (np.arange(5), np.arange(6.0).reshape(2, 3), np.arange(3, dtype=np.float32)):
        np.save(tmp_path / "series.npy", values)
        assert np.array_equal(read_series(str(tmp_path / "series.npy")), values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "path must hold numbers, got none in series.csv"),
        ("a,b\n", "path must hold numbers, got none in series.csv"),
        ("a\nb\nc\n", "path must hold numbers, got none in series.csv"),
        ("1,2\n3\n", "path must have as many cells in every line, got 1 to 2"),
    ],
)
def test_useless_text_is_refused(tmp_path, text, message):
    file = tmp_path / "series.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_series(file)


def test_useless_arrays_are_refused(tmp_path):
    np.save(tmp_path / "series.npy", np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match=r"path must hold real numbers \(n,\) or \(n_series, n\), got float64"):
        read_series(tmp_path / "series.npy")
    with pytest.raises(FileNotFoundError):
        read_series(tmp_path / "absent.csv")
