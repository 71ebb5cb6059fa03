"""Increments as arrays: equal to a plain loop, to the streamed path and to what the simulations use."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fbmsde
from fbmsde import FractionalNoise, Landscape, fbm, fgn, first_passage, simulate_paths
from fbmsde.core import blocks, checks
from fbmsde.drivers.rational.streaming import StreamingNoise
from fbmsde.drivers.sample import METHODS, sample

from .. import naive

HURSTS = (0.3, 0.5, 0.8)
FLAT = Landscape(lambda x: 0.0 * x, lambda x: 0.0 * x)


def joined(stream, n_steps):
    """The first increments of a stream."""
    pieces, length = [], 0
    while length < n_steps:
        pieces.append(next(stream))
        length += len(pieces[-1])
    return np.concatenate(pieces)[:n_steps]


@pytest.mark.parametrize("hurst", HURSTS)
def test_sample_equals_a_plain_loop(hurst):
    noise = StreamingNoise(hurst, 45)
    got = noise.sample(3, seed=2)
    assert got.shape == (3, 45) and got.dtype == float
    for path in range(3):
        expected = naive.streaming(noise, checks.as_seed(2), path, 0, 45)
        np.testing.assert_allclose(got[path], expected, rtol=0, atol=1e-13)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    hurst=st.sampled_from(HURSTS),
    n_paths=st.integers(1, 20),
    chunk=st.integers(1, 70),
    n_jobs=st.integers(1, 3),
    single=st.booleans(),
    data=st.data(),
)
def test_a_row_is_its_stream_whatever_the_chunk_the_paths_and_the_threads(hurst, n_paths, chunk, n_jobs, single, data):
    noise, dtype = StreamingNoise(hurst, 45), np.float32 if single else np.float64
    rows = noise.sample(n_paths, seed=7, dtype=dtype, n_jobs=n_jobs)
    path = data.draw(st.integers(0, n_paths - 1))
    stream = noise.stream(seed=7, path=path, chunk=chunk, dtype=dtype)
    assert rows.dtype == dtype
    np.testing.assert_array_equal(joined(stream, 45), rows[path])


@pytest.mark.parametrize("ahead", [1, 20, 2000])
def test_chunks_are_arrays_of_their_own(ahead, monkeypatch):
    monkeypatch.setattr("fbmsde.drivers.feed_rows._AHEAD", ahead)
    assert np.array_equal(joined(StreamingNoise(0.3, 45).stream(seed=1, chunk=7), 45),
                          StreamingNoise(0.3, 45).sample(seed=1)[0])  # fmt: skip
    stream = StreamingNoise(0.3, 45).stream(seed=1, chunk=3)
    first = next(stream)
    kept = first.copy()
    next(stream)[:] = 0.0
    assert np.array_equal(first, kept) and np.abs(next(stream)).max() > 0.0


@pytest.mark.slow
@pytest.mark.parametrize("n_paths", [1, 127, 128, 129, 700])
def test_rows_do_not_depend_on_the_paths_beside_them(n_paths):
    noise = StreamingNoise(0.3, 45)
    assert np.array_equal(noise.sample(n_paths, seed=7, n_jobs=2), noise.sample(700, seed=7)[:n_paths])


def test_rows_do_not_depend_on_the_length_of_kernel_calls(monkeypatch):
    noise = StreamingNoise(0.3, 45)
    whole, flat = noise.sample(17, seed=7), fgn(0.3, 45, 17, seed=7, dim=2, method="streaming")
    monkeypatch.setattr(blocks, "_AT_ONCE", 20)
    assert np.array_equal(noise.sample(17, seed=7), whole)
    assert np.array_equal(fgn(0.3, 45, 17, seed=7, dim=2, method="streaming"), flat)
    assert np.array_equal(joined(noise.stream(seed=7, path=3, chunk=40), 45), whole[3])


@pytest.mark.parametrize("method", METHODS)
def test_paths_of_a_simulation_sum_the_increments(method):
    noise = FractionalNoise(0.3, 0.7, method=method)
    paths = simulate_paths(FLAT, noise, 0.0, dt=0.25, n_steps=45, n_paths=5, seed=7).values
    increments = sample(noise, 45, 5, dt=0.25, seed=7)
    np.testing.assert_array_equal(paths[:, 1:], np.cumsum(increments, axis=1))
    if method == "streaming":
        assert np.array_equal(increments, StreamingNoise(0.3, 45).sample(5, seed=7) * noise.scale(0.25))


def test_exit_times_are_those_of_the_streamed_increments():
    passages = first_passage(FLAT, FractionalNoise(0.3), 0.0, (-4.0, 3.0), dt=1.0, horizon=45, n_paths=30, seed=7)
    expected = naive.first_passage(FLAT, StreamingNoise(0.3, 45).sample(30, seed=7), 0.0, (-4.0, 3.0), 1.0, "euler")
    assert np.array_equal(passages.times, expected[0]) and np.array_equal(passages.censored, expected[1])
    assert 0 < passages.n_left < 30


@pytest.mark.parametrize("method", METHODS)
def test_increments_of_a_driver_are_its_noise_times_the_strength(method):
    noise = FractionalNoise(0.3, 0.7, method=method)
    got = sample(noise, 45, 5, dt=0.25, dim=2, seed=7, n_jobs=2)
    np.testing.assert_array_equal(got, noise.increment_scale(0.25) * fgn(0.3, 45, 5, dim=2, seed=7, method=method))
    np.testing.assert_array_equal(noise.sample(45, 5, dt=0.25, seed=7), got[:, :, 0])
    single = sample(FractionalNoise(0.3, 0.7, method=method, dtype=np.float32), 45, 5, dt=0.25, dim=2, seed=7)
    assert not np.array_equal(single, got)
    np.testing.assert_allclose(single, got, atol=1e-6)


def test_increments_of_a_correlated_driver():
    noise = FractionalNoise(0.5, correlation=[[1.0, -1.0], [-1.0, 1.0]])
    got = sample(noise, 9, 3, dim=2, seed=7)
    np.testing.assert_array_equal(got[..., 0], -got[..., 1])


def test_paths_too_many_for_one_feed_are_generated_in_parts(monkeypatch):
    monkeypatch.setattr("fbmsde.drivers.stored_feed._STORED_NUMBERS", 4 * 45)
    noise = FractionalNoise(0.3, method="davies_harte")
    assert noise.feed(45, 1.0, 1, checks.as_seed(7)).max_paths == 4
    np.testing.assert_array_equal(sample(noise, 45, 11, seed=7), fgn(0.3, 45, 11, seed=7))


@pytest.mark.parametrize("n_steps", [1, 2, 45])
def test_streaming_noise_from_the_command_of_all_methods(n_steps):
    model = StreamingNoise(0.3, max(2, n_steps))
    got = fgn(0.3, n_steps, 20, method="streaming", seed=7)
    assert np.array_equal(got, model.sample(20, seed=7)[:, :n_steps])
    walk = fbm(0.3, n_steps, 20, horizon=2.0, method="streaming", seed=7)
    assert np.array_equal(walk[:, 1:], np.cumsum(got, axis=1) * (2.0 / n_steps) ** 0.3)


def test_components_are_lanes_of_their_own():
    noise = StreamingNoise(0.3, 45)
    got = fgn(0.3, 45, 3, dim=2, method="streaming", seed=7)
    assert got.shape == (3, 45, 2)
    for path, component in itertools.product(range(3), range(2)):
        expected = naive.streaming(noise, checks.as_seed(7), path, component, 45)
        np.testing.assert_allclose(got[path, :, component], expected, rtol=0, atol=1e-13)


def test_progress_counts_the_paths():
    told = []
    StreamingNoise(0.5, 20).sample(300, seed=1, progress=told.append)
    assert sum(told) == 300


def test_the_stream_goes_on_beyond_the_certificate_in_little_memory(monkeypatch):
    monkeypatch.setattr("fbmsde.drivers.feed_rows._AHEAD", 100)
    stream = StreamingNoise(0.5, 40).stream(seed=1, chunk=64)
    next(stream)
    tracemalloc.start()
    values = [float(np.abs(next(stream)).max()) for _ in range(300)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert all(0.0 < value < 8.0 for value in values)
    assert peak < 2**16, "300 chunks must take no more room than a few"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"path": -1}, ValueError, "path must be at least 0, got -1."),
        ({"path": 2**40}, ValueError, "path must be at most 1099511627775"),
        ({"chunk": 0}, ValueError, "chunk must be at least 1, got 0."),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1."),
        ({"dtype": int}, ValueError, "dtype must be float64 or float32"),
        ({"chunk": 10**15}, MemoryError, "a chunk must fit in memory"),
    ],
)
def test_a_stream_refuses_at_once(options, error, message):
    with pytest.raises(error, match=message):
        StreamingNoise(0.5, 40).stream(**{"seed": 1} | options)


def test_samples_refuse():
    with pytest.raises(MemoryError, match=r"the increments must fit in memory, got 8e\+06 GB"):
        StreamingNoise(0.5, 10**6).sample(10**9, seed=1)
    with pytest.raises(MemoryError, match="the increments must fit in memory"):
        sample(FractionalNoise(0.5), 10**6, 10**9, seed=1)
    with pytest.raises(ValueError, match=r"dt must be positive and finite, got 0\.0"):
        sample(FractionalNoise(0.5), 10, dt=0.0, seed=1)
    with pytest.raises(ValueError, match=r"hurst must lie in \[0\.02, 0\.98\] for streaming noise, got 0\.99"):
        fgn(0.99, 10, method="streaming", seed=1)
    with pytest.raises(ValueError, match=r"method must be one of streaming, davies_harte, .*, got 'wood'"):
        fgn(0.3, 10, method="wood", seed=1)


def test_the_whole_package_names_one_list_of_methods():
    assert fbmsde.noise.METHODS is METHODS and math.isclose(FractionalNoise(0.3, 2.0).scale(1.0), 2.0)
