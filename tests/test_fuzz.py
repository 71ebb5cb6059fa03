"""Hostile input: whatever a file or an option holds, there is a result or one line that says why not."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fbmsde._series_files import read_series
from fbmsde.cli import app

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture],
               derandomize=True)  # fmt: skip
ODD = st.sampled_from(
    ["nan", "inf", "-inf", "-1", "0", "-0.0", "1e-320", "1e308", "1e400", "", "x", "0,5", "0.5:", "0.1:0.9:1e-9",
     "1::2", "nan:1:2", "99999999999999999999", "\u0663", "None", "true", "0x10", "1_0", "2.5", "\x00", "sNaN", "--",
     "1e999999"]
) | st.text(max_size=8)  # fmt: skip


GENERATE_OPTIONS = ["--hurst", "--steps", "--paths", "--kind", "--horizon", "--method", "--seed"]


def call(*arguments, text=None):
    """Run the command; the exit status is documented and nothing but an exit is raised."""
    result = CliRunner().invoke(app, list(arguments), input=text)
    assert result.exit_code in (0, 1, 2), (arguments, result.exit_code, result.output)
    assert result.exception is None or isinstance(result.exception, SystemExit), (arguments, repr(result.exception))
    return result


def whole(kind):
    """A good file of one kind."""
    values, held = np.random.default_rng(0).standard_normal((2, 40)), io.BytesIO()
    if kind == "npy":
        np.save(held, values)
    elif kind == "npz":
        np.savez(held, a=values)
    elif kind == "text":
        held.write(b"a;b\n" + b"\n".join(f"{x:.3f};{y:.3f}".encode() for x, y in values.T))
    elif kind == "gz":
        held.write(gzip.compress(b"\n".join(str(v).encode() for v in values[0])))
    else:
        pandas = pytest.importorskip("pandas")
        pandas.DataFrame(values.T, columns=["a", "b"]).to_parquet(held)
    return held.getvalue()


@FEW
@given(content=st.binary(max_size=200) | st.text("0123456789.,;-+eE\t\n \"'#aN_", max_size=80).map(str.encode))
@example(b"\x93NUMPY\x01\x00")
@example(b"\x1f\x8b\x08")
@example(b"PK\x05\x06" + 18 * b"\0")
@example(b'"1\n2\n')
def test_any_bytes_are_read_or_refused(tmp_path, content):
    (tmp_path / "series").write_bytes(content)
    try:
        series = read_series(tmp_path / "series")
    except ValueError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert series.values.ndim == 2
        assert len(series.names) == len(series.values)


@pytest.mark.parametrize("kind", ["npy", "npz", "text", "gz", "parquet"])
@FEW
@given(data=st.data())
def test_damaged_files_are_read_or_refused(tmp_path, kind, data):
    """A good file with a few bytes changed and its end cut off."""
    content = bytearray(whole(kind))
    places = st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255))
    for place, byte in data.draw(st.lists(places, max_size=4)):
        content[place] = byte
    (tmp_path / "series").write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        assert read_series(tmp_path / "series").values.ndim == 2
    except ValueError as error:
        assert len(str(error).splitlines()) == 1


@FEW
@given(option=st.sampled_from(GENERATE_OPTIONS), value=ODD)
def test_generate_with_any_value(tmp_path_factory, option, value):
    out = tmp_path_factory.getbasetemp() / "fuzz.npy"
    sizes = [] if option in ("--steps", "--paths") else ["--steps", "9"]
    call("generate", str(out), "--overwrite", *sizes, f"{option}={value}")


@FEW
@given(option=st.sampled_from(["--kind", "--method", "--column", "--skip", "--decimal"]), value=ODD)
def test_hurst_with_any_value(option, value):
    given_kind = [] if option == "--kind" else ["--kind", "path"]
    text = "a,b\n" + "\n".join(f"{i},{i * i % 7}" for i in range(40))
    call("hurst", "-", *given_kind, f"{option}={value}", text=text)


ESCAPE = {"--hurst": "0.5", "--paths": "3", "--horizon": "1", "--dt": "0.1", "--continuous": "0", "--jobs": "1",
          "--start": "flat"}  # fmt: skip
ESCAPE_OPTIONS = [*ESCAPE, "--sharp", "--flat", "--height", "--sigma", "--seed", "--landscape", "--method", "--solver"]


@pytest.mark.slow
@settings(FEW, max_examples=40)
@given(option=st.sampled_from(ESCAPE_OPTIONS), value=ODD)
def test_escape_with_any_value(tmp_path_factory, option, value, monkeypatch):
    monkeypatch.setattr("fbmsde.plots.plot_escape", _no_picture)
    options = ESCAPE | {option: value}
    out = tmp_path_factory.getbasetemp() / "fuzz"
    call("escape", "--out", str(out), "--overwrite", *(f"{name}={text}" for name, text in options.items()))


class _Blank:
    def savefig(self, file, **_options):
        file.write(b"")


def _no_picture(_study):
    return _Blank()
