"""From measured noise to the survival of SGD on a landscape of one's own
=======================================================================

All of it in one script: a landscape, noise with the measured autocovariance, a campaign, and a picture. With
``store="folder"`` the campaign keeps its paths, and the same script goes on where it was stopped.
"""

import matplotlib.pyplot as plt
import numpy as np

import fbmsde

# the landscape: two minima of different curvature
well = fbmsde.Landscape(
    lambda x, tilt: x**4 / 4 - x**3 / 3 - x**2 + tilt * x,
    lambda x, tilt: x**3 - x**2 - 2 * x + tilt,
    params=(0.0,), minima=(-1.0, 2.0), saddles=(0.0,), name="mine",
)  # fmt: skip

# the measured noise of the gradient, here of batches that share samples with the batch before
rng = np.random.default_rng(0)
white = rng.standard_normal(20_001)
measured = 1.5 * (white[1:] + 0.6 * white[:-1])
estimate = fbmsde.estimate_hurst(measured, kind="increments")
print(estimate)
print(estimate.note)

lags = np.array([np.mean(measured[k:] * measured[: measured.size - k]) for k in range(2)])
noises = {"measured autocovariance": fbmsde.GaussianNoise(lambda k: np.where(k < 2, lags[np.minimum(k, 1)], 0.0)),
          "white": fbmsde.FractionalNoise(0.5, sigma=measured.std())}  # fmt: skip
chain = fbmsde.sgd(well, learning_rate=0.05)
problems = {name: fbmsde.PassageProblem(chain, noise, -1.0, (None, 0.0), horizon=20_000, seed=1,
                                        monitoring=fbmsde.Grid(1.0)) for name, noise in noises.items()}  # fmt: skip
results = fbmsde.Campaign(problems, n_paths=1000, until=fbmsde.Precision(0.1)).run()

_, ax = plt.subplots(layout="constrained")
for summary in results.summaries:
    curve, rate = results[summary.name].survival(), summary.rate
    print(f"{summary.name}: {summary.paths} paths, rate {rate.value:.2e} [{rate.low:.2e}, {rate.high:.2e}] a step")
    ax.step(curve.times, curve.probabilities, where="post", label=summary.name)
ax.set(xlabel="steps", ylabel="share still in the sharp minimum", yscale="log")
ax.legend()
plt.show()
