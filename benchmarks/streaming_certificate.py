"""Streaming noise: poles, divergence and fit time, the divergence against the number of poles, checks of its estimate.

OMP_NUM_THREADS=1 python benchmarks/streaming_certificate.py [table] [curve] [estimate] [rounding] [figure [FILE]]: all
five without arguments, about 2 minutes. `estimate` compares with exact divergences at 2^14 and 2^16 steps.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from numba import njit

from fbmsde.drivers.rational import certified, divergence, fit
from fbmsde.drivers.rational.streaming import StreamingNoise
from fbmsde.drivers.rational.targets import FractionalTarget
from fbmsde.laws.fgn import fgn_spectrum

HURST = (0.05, 0.1, 0.2, 0.3, 0.4, 0.45, 0.55, 0.6, 0.7, 0.8, 0.9, 0.95)
FIGURE = "streaming_certificate.png"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe & Ito: told apart with any colour vision
LENGTHS = {2**10: ("#000000", "o"), 2**16: ("#E69F00", "s"), 2**20: ("#56B4E9", "^")}


def timed_fit(hurst: float, n_steps: int) -> tuple[StreamingNoise, float]:
    """A model and the CPU seconds of its fit and certificate, nothing cached, the least of three."""
    seconds = []
    for _ in range(3):
        for cached in (fit._objective, fit._best, certified.fitted):
            cached.cache_clear()
        start = time.process_time()
        noise = StreamingNoise(hurst, n_steps)
        seconds.append(time.process_time() - start)
    return noise, min(seconds)


def table() -> None:
    """What the default tolerance takes, and what it costs."""
    print("\n## default models: K poles, KL and total variation of a path, worst errors, CPU time with certificate")
    for n in (1024, 2**14, 2**16, 2**20, 2**24):
        print(f"\nn = {n}, tolerance {certified.default_tolerance(n):.1e}")
        print("    H   K       KL      TV  Var B_H(t)  autocov.  fit")
        for hurst in HURST:
            noise, seconds = timed_fit(hurst, n)
            c = noise.certificate
            print(
                f"{hurst:5.2f} {len(noise.poles):3} {c.kl:8.1e} {c.total_variation:7.1e} {c.variance_error:11.1e} "
                f"{c.autocovariance_error:9.1e} {1e3 * seconds:4.0f} ms  ({c.kl_method})"
            )


def reached(hurst: float, n_steps: int, n_poles: int) -> float:
    """KL of the best model with that many poles."""
    model, _ = fit.fit(FractionalTarget(hurst), n_steps, n_poles)
    return certified._kl(model, FractionalTarget(hurst), n_steps)


def curve() -> None:
    """KL against the number of poles for long paths."""
    for n in (1024, 2**16, 2**20, 2**24):
        print(f"\n## KL of a path of {n} steps against K; default tolerance {certified.default_tolerance(n):.1e}")
        print("  K" + "".join(f"   H = {hurst:<5}" for hurst in (0.05, 0.1, 0.3, 0.7, 0.95)))
        for k in range(4, 23, 1 if n == 1024 else 2):
            print(f"{k:3}" + "".join(f"{reached(hurst, n, k):12.1e}" for hurst in (0.05, 0.1, 0.3, 0.7, 0.95)))
            if reached(0.05, n, k) < certified.default_tolerance(n) / 10:
                break


def estimate() -> None:
    """The estimate beside the exact divergence, where its matrices are still affordable."""
    for n, poles, hursts in ((2**14, (8, 11, 13), (0.02, *HURST, 0.98)), (2**16, (12,), (0.02, 0.1, 0.3, 0.7, 0.98))):
        print(f"\n## estimate / exact KL (exact value in brackets), {n} steps, K = {poles}")
        for hurst in hursts:
            target = FractionalTarget(hurst)
            models = [fit.fit(target, n, k)[0] for k in poles]
            exact = [divergence.exact_kl(m, target, n) for m in models]
            ratios = [divergence.estimated_kl(m, target, n) / e for m, e in zip(models, exact, strict=True)]
            print(f"{hurst:5.2f}" + "".join(f"  {r:.4f} ({e:.1e})" for r, e in zip(ratios, exact, strict=True)))


@njit(error_model="numpy")
def _rounding(normals, noise, single, by_decay):
    """Root mean square of increments and of their rounding error, and the largest error of the path."""
    rho, _, c, state, d, level = noise
    rho_1, decay_1, c_1, state_1, d_1, level_1 = single
    squares, errors, path, worst = 0.0, 0.0, 0.0, 0.0
    for i in range(normals.size):
        newest, newest_1 = np.float64(normals[i]), normals[i]
        y, y_1 = level + d * newest, level_1 + d_1 * newest_1
        for k in range(rho.size):
            y += c[k] * state[k]
            state[k] = rho[k] * state[k] + newest
            y_1 += c_1[k] * state_1[k]
            if by_decay:
                state_1[k] += newest_1 - decay_1[k] * state_1[k]
            else:
                state_1[k] = rho_1[k] * state_1[k] + newest_1
        error = np.float64(y_1) - y
        squares, errors, path = squares + y * y, errors + error * error, path + error
        worst = max(worst, abs(path))
    return np.sqrt(squares), np.sqrt(errors), worst


def rounding() -> None:
    """What single precision does to a path, by the form of the recursion."""
    print("\n## float32 against float64: relative error of the increments, largest error of B_H over n^H")
    print("    H        n   rho x + e          x + (e - decay x)")
    rng = np.random.default_rng(1)
    for hurst in (0.05, 0.1, 0.3, 0.7, 0.95):
        for n in (2**12, 2**16, 2**20, 2**24):
            noise = StreamingNoise(hurst, n)
            normals = rng.standard_normal(n).astype(np.float32)
            state, level = noise.start @ rng.standard_normal(len(noise.c)), noise.level_sd * rng.standard_normal()
            row = ""
            for by_decay in (False, True):
                arrays = (noise.rho, noise.decay, noise.c, state)
                double = (*(a.copy() for a in arrays), noise.d, level)
                single = (*(a.astype(np.float32) for a in arrays), np.float32(noise.d), np.float32(level))
                size, error, worst = _rounding(normals, double, single, by_decay)
                row += f"   {error / size:.0e}, {worst / n**hurst:.0e}  "
            print(f"{hurst:5.2f} {n:8} {row}")


def figure(file: str = FIGURE) -> None:
    """Model and exact spectrum, the logarithm of their ratio, and the divergence against the number of poles."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        fig, (left, middle, right) = plt.subplots(1, 3, figsize=(12.0, 3.8), layout="constrained")
        _draw_spectra(left, middle, 2**16)
        _draw_divergence(right)
        fig.savefig(file, dpi=160)
    print(f"\nwrote {file}")


def _draw_spectra(left, middle, n_steps: int) -> None:
    """Spectra of four Hurst parameters, and the log-ratio of model and exact for two of them."""
    freq = np.geomspace(0.3 / n_steps, np.pi, 3000)
    for hurst, colour in zip((0.1, 0.3, 0.7, 0.9), COLOURS, strict=True):
        noise = StreamingNoise(hurst, n_steps)
        exact, model = fgn_spectrum(hurst, freq), noise.spectrum(freq)
        left.loglog(freq, exact, color=colour, lw=5, alpha=0.3)
        left.loglog(freq, model, color=colour, lw=1.2)
        above = (6, 8) if hurst == 0.9 else (6, -17)
        left.annotate(f"H = {hurst}", (freq[1000], exact[1000]), above, color=colour, textcoords="offset points")
        if hurst in (0.3, 0.9):
            ratio = np.abs(np.log(model / exact))
            middle.loglog(freq, ratio, color=colour, lw=1.0, label=f"H = {hurst}, K = {len(noise.poles)}")
    for axes in (left, middle):
        axes.axvline(2 * np.pi / n_steps, color="0.4", lw=0.9, ls=":")
        axes.set_xlabel("angular frequency per step")
    left.annotate("one wave per path", (2 * np.pi / n_steps, 3e-6), (5, 0), color="0.3", textcoords="offset points")
    left.set(title="Spectrum: exact (wide), model (thin)", ylabel="spectral density", ylim=(2e-6, None))
    middle.set(title=f"Log-ratio, n = {n_steps} steps", ylabel="|log(model / exact)|", ylim=(1e-8, 2))
    middle.legend(frameon=False)


def _draw_divergence(axes) -> None:
    """KL against K for three lengths and two Hurst parameters."""
    for (n, (colour, marker)), most in zip(LENGTHS.items(), (10, 15, 19), strict=True):
        poles = np.arange(2, most + 1)
        for hurst, style in ((0.3, "-"), (0.9, "--")):
            kl = [divergence(hurst, n, k) for k in poles]
            label = f"n = 2$^{{{n.bit_length() - 1}}}$, H = {hurst}"
            axes.semilogy(poles, kl, style, color=colour, marker=marker, ms=4, lw=1.0, label=label)
        axes.axhline(certified.default_tolerance(n), color=colour, lw=0.9, ls=":")
    axes.set(title="KL of a path (dotted: default tolerance)", xlabel="number of poles K", ylabel="KL (nats)")
    axes.set_xticks(range(2, 21, 2))
    axes.legend(frameon=False, fontsize=8)


if __name__ == "__main__":
    chosen = [a for a in sys.argv[1:] if a in ("table", "curve", "estimate", "rounding", "figure")]
    files = [a for a in sys.argv[1:] if a not in chosen]
    StreamingNoise(0.6, 100)  # compiles
    for name in chosen or ("table", "curve", "estimate", "rounding", "figure"):
        globals()[name](*(files if name == "figure" else ()))
