"""Gradient noise of a logistic regression, and its memory
=======================================================

Two Hurst estimators are asked about the same gradient noise, which is taken twice. With batches drawn afresh at every
step it cannot have memory. With batches cut from shuffles of the data it must be antipersistent, because the noise of
an epoch sums to zero.

Of 20 coordinates without memory one is expected to have p <= .05 by chance. The coordinates share their batches, so
that such chances come together: in 25 other draws there were 0 to 4 such coordinates, 31 of 500 in all.
"""

import matplotlib.pyplot as plt
import numpy as np

import fbmsde
from fbmsde.theory import epoch_autocorrelation

rng = np.random.default_rng(0)
n_samples, n_features, batch_size, n_steps = 1200, 20, 100, 2000
inputs = rng.standard_normal((n_samples, n_features)) * np.geomspace(1.0, 0.1, n_features)
weights_true = rng.standard_normal(n_features)
labels = (rng.random(n_samples) < 1.0 / (1.0 + np.exp(-inputs @ weights_true))).astype(float)

# find the minimum of the regularised loss by plain gradient descent
weights = np.zeros(n_features)
for _ in range(2000):
    weights -= 0.5 * (inputs.T @ (1.0 / (1.0 + np.exp(-inputs @ weights)) - labels) / n_samples + 0.01 * weights)

# gradients of single samples, (n_samples, n_features): the noise of a batch is its mean gradient minus that of all
gradients = inputs * (1.0 / (1.0 + np.exp(-inputs @ weights)) - labels)[:, None]
full_gradient = gradients.mean(axis=0)


def fresh_batches():
    while True:
        yield rng.choice(n_samples, batch_size, replace=False)


def epochs():
    while True:
        yield from rng.permutation(n_samples).reshape(-1, batch_size)


lags = np.arange(1, 25)
_, ax = plt.subplots(layout="constrained")
for name, batches in (("fresh batches", fresh_batches()), ("shuffled epochs", epochs())):
    noise = np.array([gradients[next(batches)].mean(axis=0) - full_gradient for _ in range(n_steps)]).T
    for method in ("whittle", "rs_noise_as_path"):
        estimate = fbmsde.estimate_hurst(noise, kind="increments", method=method, null="sign_flip")
        significant = np.sum(estimate.p_no_memory <= 0.05)
        print(
            f"{name:<16} {method:<17} H = {np.median(estimate.hurst):.3f}, with signs flipped "
            f"{np.median(estimate.null):.3f}; p <= .05 in {significant} of {n_features} coordinates, "
            f"{0.05 * n_features:.0f} expected by chance"
        )
    scaled = noise / noise.std(axis=1, keepdims=True)
    ax.plot(lags, [np.mean(scaled[:, k:] * scaled[:, :-k]) for k in lags], "o-", label=name)
ax.plot(lags, epoch_autocorrelation(lags, n_samples, batch_size), "k--", label="exact law of epochs")
ax.set(xlabel="lag (steps)", ylabel="autocorrelation of the noise, mean over coordinates")
ax.legend()
plt.show()
