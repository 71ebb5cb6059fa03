"""Gradient noise of PyTorch models: exactness, sampling, memory where it must be and where it must not."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np
import pytest
from scipy.stats import binom, levy_stable, multivariate_normal
from typer.testing import CliRunner

from ..conftest import ALPHA, threshold

torch = pytest.importorskip("torch", reason="the extra sgd is not installed: PyTorch is missing")
pytest.importorskip("sklearn", reason="the extra sgd is not installed: scikit-learn is missing")

from fbmsde import EpochNoise, fgn  # noqa: E402
from fbmsde.campaigns.zarr_store import ZarrStore  # noqa: E402
from fbmsde.cli import app  # noqa: E402
from fbmsde.hurst.registry import ESTIMATORS  # noqa: E402
from fbmsde.laws.fgn import fgn_autocovariance  # noqa: E402
from fbmsde.results.gradient_runs import Run, RunResult  # noqa: E402
from fbmsde.studies.sgd import gradient_noise, laws, memory, networks, nulls, runs, stored  # noqa: E402
from fbmsde.studies.sgd.escape import sgd_escape  # noqa: E402
from fbmsde.studies.sgd.gradient_noise import collect_gradient_noise, draw_batches, hill_index, train  # noqa: E402
from fbmsde.studies.sgd.tails import tails  # noqa: E402

cross_entropy = torch.nn.functional.cross_entropy
TINY = runs.Effort(n_train=20, n_steps=160, n_coordinates=5, n_surrogates=19, ends_only=True)


@pytest.fixture(autouse=True)
def _one_thread():
    with networks.one_thread():
        yield


def names_of_runs(folder):
    """Names of the runs that the store in a folder keeps."""
    return sorted(ZarrStore.reading(folder).records())


@pytest.fixture(scope="module")
def samples():
    return networks.load_samples("synthetic", seed=0, n_samples=150)


@pytest.fixture
def model():
    return networks.make_network("mlp", 5, 1, seed=0).double()


@pytest.fixture
def data(samples):
    return samples.inputs.double(), samples.targets


def naive_gradient(model, data, rows):
    model.zero_grad()
    cross_entropy(model(data[0][rows]), data[1][rows]).backward()
    return torch.cat([p.grad.reshape(-1) for p in model.parameters()]).numpy().copy()


def collect(model, data, **options):
    settings = {"batch_size": 10, "n_steps": 30, "mode": "frozen", "seed": 3, "n_coordinates": 10**6, **options}
    return collect_gradient_noise(model, cross_entropy, data, **settings)


def batches_of(seed, n, size, sampling, n_steps):
    words = [int(word) for word in np.random.SeedSequence(seed).generate_state(4, np.uint64)]
    rng = np.random.default_rng(np.random.SeedSequence(words).spawn(2)[1])
    return list(islice(draw_batches(rng, n, size, sampling), n_steps))


@pytest.mark.parametrize("sampling", ["with_replacement", "without_replacement", "epochs"])
def test_frozen_equals_batch_by_batch(model, data, sampling):
    found = collect(model, data, sampling=sampling)
    whole = naive_gradient(model, data, slice(None))
    batches = batches_of(3, len(data[0]), 10, sampling, 30)
    expected = np.array([naive_gradient(model, data, rows) - whole for rows in batches]).T
    np.testing.assert_allclose(found.noise, expected, atol=1e-14)


def test_training_subtracts_the_gradient_at_each_step(model, data):
    found = collect(model, data, mode="training", learning_rate=0.5, n_steps=5)
    twin = networks.make_network("mlp", 5, 1, seed=0).double()
    for k, rows in enumerate(batches_of(3, len(data[0]), 10, "without_replacement", 5)):
        whole, part = naive_gradient(twin, data, slice(None)), naive_gradient(twin, data, rows)
        np.testing.assert_allclose(found.noise[:, k], part - whole, atol=1e-14)
        with torch.no_grad():
            for p in twin.parameters():
                p -= 0.5 * p.grad


def test_decay_and_momentum_do_not_enter_the_noise(model, data):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9, weight_decay=0.3)
    first = collect(model, data, mode="training", optimizer=optimizer, n_steps=1).noise
    frozen = collect(networks.make_network("mlp", 5, 1, seed=0).double(), data, n_steps=1).noise
    np.testing.assert_allclose(first, frozen, atol=1e-14)


def test_chunks_do_not_change_the_result(model, data, monkeypatch):
    whole = collect(model, data).noise
    twin = networks.make_network("mlp", 5, 1, seed=0).double()
    moving = collect(twin, data, mode="training", learning_rate=0.1).noise
    monkeypatch.setattr(networks, "_CHUNK_NUMBERS", 5000)
    np.testing.assert_allclose(collect(model, data).noise, whole, atol=1e-14)
    twin = networks.make_network("mlp", 5, 1, seed=0).double()
    np.testing.assert_allclose(collect(twin, data, mode="training", learning_rate=0.1).noise, moving, atol=1e-13)


def test_the_noise_of_an_epoch_sums_to_zero(model, data):
    noise = collect(model, data, sampling="epochs", batch_size=12, n_steps=20).noise  # 120 samples, 10 batches
    np.testing.assert_allclose(noise[:, :10].sum(axis=1), 0.0, atol=1e-13)
    assert np.abs(noise[:, :9].sum(axis=1)).max() > 1e-3


def test_the_whole_data_as_batch_has_no_noise(model, data):
    assert np.abs(collect(model, data, batch_size=len(data[0])).noise).max() < 1e-13


def test_variance_with_and_without_replacement(model, data):
    """Batch of half the data: the variance without replacement is (n - m) / (n - 1) of that with; z catches 15 %."""
    noises = [collect(model, data, sampling=s, batch_size=60, n_steps=4000, n_coordinates=1, directions=np.ones(385))
              for s in ("with_replacement", "without_replacement")]  # fmt: skip
    ratio = (noises[1].std / noises[0].std)[0] ** 2
    assert abs(np.log(ratio / (60 / 119))) < threshold(1) * np.sqrt(4 / 4000)


def test_memory_is_found_in_epochs_and_not_in_fresh_batches(model, data):
    """Two batches an epoch: lag-one correlation -1/2; fresh batches: H off by .07 would be caught."""
    options = {"batch_size": 60, "n_steps": 4000, "directions": np.ones(385)}
    fresh = collect(model, data, **options).hurst()
    epochs = collect(model, data, sampling="epochs", **options).hurst()
    assert abs(fresh.hurst[0] - 0.5) < threshold(1) * fresh.standard_error[0]
    assert epochs.hurst[0] < 0.3


def test_directions_are_sums_of_coordinates(model, data):
    directions = np.random.default_rng(0).standard_normal((2, 385))
    np.testing.assert_allclose(
        collect(model, data, directions=directions).noise, directions @ collect(model, data).noise, atol=1e-12
    )


def test_a_subset_of_coordinates_is_drawn_from_the_seed(model, data):
    some, everything = collect(model, data, n_coordinates=7), collect(model, data)
    np.testing.assert_array_equal(some.noise, everything.noise[some.coordinates])
    assert some.noise.shape == (7, 30)
    assert not np.array_equal(some.coordinates, collect(model, data, n_coordinates=7, seed=4).coordinates)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "frosty"}, "mode must be one of frozen, training, got 'frosty'"),
        ({"sampling": "all"}, "sampling must be one of with_replacement, without_replacement, epochs"),
        ({"batch_size": 1000}, "batch_size must be at most the 120 samples, got 1000"),
        ({"mode": "training"}, "learning_rate must be given for mode='training'"),
        ({"directions": np.ones(3)}, "directions must have 385 columns, one per parameter"),
    ],
)
def test_errors(model, data, options, message):
    with pytest.raises(ValueError, match=message):
        collect(model, data, **options)


def test_models_whose_samples_depend_on_each_other_are_refused(data):
    for layer in (torch.nn.BatchNorm1d(64), torch.nn.Dropout(0.5)):
        mixed = torch.nn.Sequential(layer, torch.nn.Linear(64, 10)).double()
        with pytest.raises(ValueError, match="model must treat samples independently, got"):
            collect(mixed, data)
        collect(mixed.eval(), data)


def test_divergence_is_reported(model, data):
    with pytest.raises(ArithmeticError, match="weights must stay finite, got nan or inf at step"):
        collect(model, data, mode="training", learning_rate=1e200)


def test_without_pytorch_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(ImportError, match=r"torch is not installed. Install it with: pip install .fbmsde\[sgd\]."):
        collect_gradient_noise(None, None, (), batch_size=1, n_steps=1, mode="frozen", seed=0)


def test_hill_index_of_pareto_values():
    """Standard error 1 / sqrt(500) of the index at the largest 500 of 10 000: catches 25 %."""
    x = 1.0 + np.random.default_rng(0).pareto(1.7, (4, 10_000))
    assert np.all(np.abs(np.log(hill_index(x) / 1.7)) < threshold(4) / np.sqrt(500))
    assert np.isnan(hill_index(np.zeros((1, 100)))[0])
    assert np.isnan(hill_index(np.ma.masked_equal(np.arange(100.0), 99.0)))


def test_sharpest_direction_equals_dense_hessian(data):
    small = torch.nn.Linear(64, 2).double()
    targets = data[1] % 2
    func = torch.func

    def of(vector):
        p = {"weight": vector[:128].reshape(2, 64), "bias": vector[128:]}
        return cross_entropy(func.functional_call(small, p, (data[0],)), targets)

    vector = torch.cat([p.detach().reshape(-1) for p in small.parameters()])
    values, vectors = np.linalg.eigh(torch.autograd.functional.hessian(of, vector).numpy())
    top = networks.sharpest_direction(small, cross_entropy, (data[0], targets), tolerance=1e-12, max_iterations=3000)
    assert top.eigenvalue == pytest.approx(values[-1], rel=1e-6)
    assert abs(top.vector @ vectors[:, -1]) == pytest.approx(1.0, abs=1e-3)


def quadratic_loss(eigenvalues):
    """A model and a loss whose Hessian is diagonal, and one sample."""

    class Quadratic(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.zeros(len(eigenvalues), dtype=torch.float64))

        def forward(self, x):
            return (self.w * torch.tensor(eigenvalues, dtype=torch.float64) @ self.w / 2.0).expand(len(x))

    one = torch.ones(1, dtype=torch.float64)
    return Quadratic(), lambda out, y: (out * y).mean(), (one, one)


@pytest.mark.parametrize("seed", range(5))
def test_sharpest_direction_is_the_largest_not_the_most_negative(seed):
    """Also where the largest eigenvalue is a hundredth of the most negative one, above a bulk of small ones."""
    assert networks.sharpest_direction(*quadratic_loss([-5.0, 1.0, 2.0]), seed=seed).eigenvalue == pytest.approx(2.0)
    spectrum = [-10.0, 0.1, *np.linspace(-0.01, 0.01, 200)]
    top = networks.sharpest_direction(*quadratic_loss(spectrum), seed=seed)
    assert top.converged and top.eigenvalue == pytest.approx(0.1, rel=1e-3)
    assert abs(top.vector[1]) == pytest.approx(1.0, abs=1e-3)
    assert networks.sharpest_direction(*quadratic_loss([-3.0]), seed=seed).eigenvalue == -3.0


def test_sharpest_direction_says_when_it_has_not_converged():
    """A dense spectrum of 2000 values that one restart does not resolve."""
    top = networks.sharpest_direction(
        *quadratic_loss(np.linspace(-1.0, 1e-3, 2000)), tolerance=1e-10, max_iterations=20
    )
    assert not top.converged and top.iterations <= 60


def test_training_learns_and_is_repeatable(samples):
    scores = []
    for _ in range(2):
        net = networks.make_network("cnn", 4, 2, seed=1)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        train(net, cross_entropy, samples.train, batch_size=20, n_steps=120, seed=0, optimizer=optimizer)
        scores.append(networks.accuracy(net, *samples.train))
    assert scores[0] == scores[1] > 0.6


@pytest.mark.slow
def test_study_stores_resumes_and_plots(tmp_path, monkeypatch):
    options = {"groups": ["batch size", "strategy"], "data": "synthetic", "n_samples": 700, "effort": TINY}
    study = memory.sgd_study(tmp_path, **options)
    assert [run.name for run in study.runs] == ["8", "512", "plain", "cosine rate"]
    kept = ["batch size, 512", "batch size, 8", "strategy, cosine rate", "strategy, plain"]
    assert names_of_runs(tmp_path) == kept
    monkeypatch.setattr(memory, "run_experiment", lambda *a, **k: pytest.fail("a finished run was run again"))
    again = memory.sgd_study(tmp_path, **options)
    assert again.table == study.table
    assert again == study
    memory_table, laws_table, tails_table, _ = study.table.split("\n\n")
    lines = len(memory.REFERENCES) + 4 * 4
    assert memory_table.count("\n| ") == lines + 1
    assert laws_table.count("\n| ") == 3 * 2 + 1  # of 560 samples one batch of 512 is an epoch
    assert tails_table.count("\n| ") == lines - 2 - 3 * 2 + 1
    files = {"sgd.md", "sgd_batch_size.png", "sgd_strategy.png", "sgd_laws.png"}
    assert {p.name for p in again.save(tmp_path)} == files
    monkeypatch.setattr(memory, "_references", lambda *a: pytest.fail("work was done before the settings were seen"))
    with pytest.raises(ValueError, match="seed 0 there, 1 asked"):
        memory.sgd_study(tmp_path, **options, seed=1)


def test_other_estimators_of_memory_and_versions_are_other_settings(tmp_path, monkeypatch):
    """What a group is held against is part of what its result depends on, and so is the code."""
    task, result = task_of("plain"), RunResult(1.0, 1.0, 1.0, True, {})
    with ZarrStore(tmp_path) as store:
        stored.kept(store, task, lambda task: result)
        monkeypatch.setattr(runs.Protocol, "methods", {"whittle": "shuffle"})
        with pytest.raises(ValueError, match=r'null\.whittle "sign_flip" there, "shuffle" asked'):
            stored.kept(store, task, lambda task: pytest.fail("it was run again"))
        monkeypatch.undo()
        monkeypatch.setattr(stored, "__version__", "9.9")
        with pytest.raises(ValueError, match=r'version ".*" there, "9\.9" asked'):
            stored.require_same_settings(store, [task])


def test_files_of_the_first_version_are_not_read(tmp_path):
    """Files of 0.1.0 hold neither tails nor laws."""
    (tmp_path / "run_strategy_plain.json").write_text("{}")
    with pytest.warns(UserWarning, match="holds files of version 0.1.0, such as run_strategy_plain.json, which lack"):
        stored.warn_of_earlier_runs(tmp_path)


def task_of(name):
    """A task of the group of strategies."""
    return stored.Task("strategy", runs.Experiment(name), "synthetic", 700, 0, TINY)


def test_what_a_store_keeps_is_what_was_measured(tmp_path):
    rng = np.random.default_rng(0)
    noise = replace(memory.measure(rng.standard_normal((3, 160)), 19, 0), tails=tails(rng.standard_normal((3, 160))),
                    laws=laws.describe(rng.standard_normal((3, 160)), 20, 3))  # fmt: skip
    result = RunResult(0.5, math.inf, 2.0, True, {"frozen, epochs": noise})
    for run in (lambda task: result, lambda task: pytest.fail("it was run again")):
        with ZarrStore(tmp_path) as store:
            assert stored.kept(store, task_of("32"), run) == result


def test_scores_are_those_of_dense_normal_laws():
    """A scale of each series included, the one of largest likelihood; two epochs of three batches and one more step."""
    noise, n_samples, size = np.random.default_rng(0).standard_normal((2, 7)), 10, 3
    blocks = np.arange(7) // 3
    epoch = np.where(blocks[:, None] == blocks, -1.0 / (n_samples / size - 1.0), 0.0)
    np.fill_diagonal(epoch, 1.0)
    fgn = fgn_autocovariance(0.3, np.abs(np.subtract.outer(np.arange(7), np.arange(7))))
    told = {"epoch": laws.epoch_innovations(noise, epoch[0, 1], 3), "fgn": laws.fgn_innovations(noise, 0.3)}
    for name, covariance in (("epoch", epoch), ("fgn", fgn)):
        found = laws.log_scores(told[name], np.ones(7, bool)).sum()
        expected = [multivariate_normal(cov=row @ np.linalg.solve(covariance, row) / 7 * covariance).logpdf(row)
                    for row in noise]  # fmt: skip
        assert found == pytest.approx(np.mean(expected), rel=1e-10)


@pytest.mark.slow
def test_each_law_is_found_where_it_holds():
    """90 epochs of 11 batches in 60 coordinates: catches a gain off by 10 %."""
    epochs = laws.describe(EpochNoise(1437, 128, phase=0).sample(990, 60, seed=0), 1437, 128)
    error = (epochs.epoch.high - epochs.epoch.low) / 2 / 1.96
    assert error < 0.1 * epochs.expected / threshold(1)
    assert abs(epochs.epoch.value - epochs.expected) < threshold(1) * error
    assert epochs.lead.low > 0.0 and epochs.distances.epoch < min(epochs.distances[:2])
    fractional = laws.describe(fgn(0.3, 990, 60, seed=1), 1437, 128)
    assert fractional.lead.high < 0.0 and fractional.hurst == pytest.approx(0.3, abs=0.02)


def test_a_batch_that_the_others_determine_is_not_scored():
    """Four batches of 20 of 80 samples sum to zero: the last has no density."""
    white = np.random.default_rng(0).standard_normal((3, 10, 4))
    found = laws.describe((white - white.mean(axis=2, keepdims=True)).reshape(3, 40), 80, 20)
    assert found.expected == pytest.approx(-0.5 * np.log([1.0, 8 / 9, 2 / 3]).mean())
    assert np.isfinite(found.epoch).all()


def test_one_batch_an_epoch_is_white_noise():
    found = laws.describe(np.random.default_rng(0).standard_normal((3, 64)), 100, 60)
    assert found.epoch.value == found.expected == 0.0


@pytest.mark.slow
def test_tails_tell_stable_from_other_laws():
    """400 blocks of 64 steps in 10 coordinates: of stable laws neither index is off by more than .1."""
    rng = np.random.default_rng(0)
    for alpha in (1.2, 1.5, 1.8):
        found = tails(levy_stable.rvs(alpha, 0.0, size=(10, 25_600), random_state=rng))
        half = (found.bend.high - found.bend.low) / 2
        assert abs(found.bend.value) < threshold(3) / 1.96 * half < 0.1
        assert found.steps == pytest.approx(alpha, abs=0.1) and found.sums == pytest.approx(alpha, abs=0.1)
    assert tails(rng.standard_normal((200, 640))).non_gaussian < binom.isf(ALPHA, 200, 0.012) / 200
    student = tails(rng.standard_t(3, (10, 25_600)))
    assert student.non_gaussian == 1.0 and student.bend.low > 0.0 and student.sums > student.steps


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "known"),
    [("Gaussian, independent", 0.540), ("epochs of 390 batches", 0.529), ("epochs of 97 batches", 0.419),
     ("epochs of 48 batches", 0.328), ("Student t2, independent", 0.534), ("1 % non-zero, independent", 0.502)],
)  # fmt: skip
def test_nulls_of_the_later_protocol(name, known):
    """Means of 400 series against values of another program: catches a mean off by .015."""
    series = nulls.NULLS[name](np.random.default_rng(2), (400, 3000))
    values = ESTIMATORS["rs_windows_50_500"].fit(series).hurst
    assert abs(values.mean() - known) < threshold(6) * values.std() / 20 + 0.002


@pytest.mark.slow
def test_skewed_noise_is_not_taken_for_memory():
    """60 independent exponential series, p = .05: catches a rate above 27 %; flipped signs would set all R/S apart."""
    rng = np.random.default_rng(1)
    found = [memory.measure(rng.exponential(size=(4, 300)), 39, seed) for seed in range(60)]
    for method in runs.FIRST_METHODS:
        assert sum(f.memory[method].p <= 0.05 for f in found) <= binom.isf(ALPHA / 2, 60, 0.05)


@pytest.mark.slow
def test_noise_whose_size_drifts_is_not_taken_for_memory():
    """60 series of 8 coordinates whose size falls to a thousandth, p = .05: catches a rate above 27 %.

    Shuffles find memory in 43 %, and the interval of fGn misses H = 1/2 in 37 %.
    """
    rng, found, fell = np.random.default_rng(0), [], np.geomspace(1000.0, 1.0, 300)
    for seed in range(60):
        common = rng.standard_normal(300)
        noise = fell * (common + 0.5 * rng.standard_normal((8, 300)))
        found.append(memory.measure(noise, 39, seed))
    surprising = binom.isf(ALPHA / 2, 60, 0.05)
    whittle = [f.memory["whittle"] for f in found]
    assert sum(memory.p <= 0.05 for memory in whittle) <= surprising
    assert sum(not memory.hurst.low <= 0.5 <= memory.hurst.high for memory in whittle) <= surprising


def test_null_of_gradient_noise_flips_signs(model, data):
    estimate = collect(model, data, n_coordinates=3).hurst(n_surrogates=19)
    assert estimate.null_model == "sign_flip"
    assert estimate.p_no_memory.shape == (3,)


def test_interrupted_study_keeps_what_is_finished(tmp_path, monkeypatch):
    finished = []

    def stop_at_second(experiment, **settings):
        if finished:
            raise KeyboardInterrupt
        finished.append(experiment.name)
        white = np.random.default_rng(0).standard_normal((3, 160))
        noise = replace(memory.measure(white, 19, 0), tails=tails(white))
        return RunResult(1.0, 1.0, 1.0, True, dict.fromkeys(runs.SETTINGS, noise))

    monkeypatch.setattr(memory, "run_experiment", stop_at_second)
    study = memory.sgd_study(tmp_path, groups=["learning rate"], effort=TINY)
    assert not study.complete and "Interrupted: only 1 runs" in study.table
    assert names_of_runs(tmp_path) == ["learning rate, 0.01"]


@pytest.mark.slow
def test_escape_of_sgd_and_of_the_model(tmp_path):
    found = sgd_escape(data="synthetic", n_samples=400, batch_size=40, n_steps=60, n_replicas=10, n_paths=500)
    assert found.basin.gradient_norm < 1e-5
    assert found.basin.curvature == pytest.approx(found.basin.eigenvalue, rel=0.1)
    assert [(case.sampling, case.momentum) for case in found.cases[::2]] == [
        ("with_replacement", 0.0), ("with_replacement", 0.9), ("epochs", 0.0), ("epochs", 0.9)]  # fmt: skip
    assert all(0.4 < case.spread < 2.0 for case in found.cases[:4])
    assert [list(case.models) for case in found.cases[::4]] == [
        ["white", "fGn", "population"], ["white", "fGn", "epochs", "population"]]  # fmt: skip
    for case in found.cases[4:]:
        assert case.models["epochs"].spread == pytest.approx(case.models["population"].spread)
    assert all(path.exists() for path in found.save(tmp_path))


@pytest.mark.slow
def test_command_line(tmp_path):
    out, store = tmp_path / "out", tmp_path / "store"
    arguments = ["sgd", "--quick", "--group", "batch size", "--no-escapes", "--data", "synthetic", "--out", out]
    call = partial(CliRunner().invoke, app)
    result = call([str(a) for a in (*arguments, "--store", store)])
    assert result.exit_code == 0, result.output
    assert "| batch size | 512 | training, epochs |" in result.output
    assert (out / "sgd_batch_size.png").exists()
    assert names_of_runs(store) == ["batch size, 512", "batch size, 8"]
    other = call([str(a) for a in (*arguments, "--store", store, "--seed", 1)])
    assert other.exit_code == 1 and "seed 0 there, 1 asked" in other.output


def test_results_show_themselves_in_one_line():
    noise = gradient_noise.GradientNoise(np.zeros((3, 40)), np.arange(3), "frozen", "shuffled", 32)
    assert repr(noise) == "GradientNoise(3 coordinates, 40 steps, frozen, shuffled, batches of 32)"
    done = (Run("batch_size", "32", RunResult(1.0, 1.0, 1.0, True, {})),)
    assert repr(runs.SgdStudy(done, {}, complete=False)) == "SgdStudy(1 runs of batch_size, interrupted)"
