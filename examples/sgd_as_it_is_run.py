"""SGD with momentum under real gradients and three models of them
===============================================================

It is told by which side paths leave, how soon, and what the models of the noise say about both.

The noise of batches that are cut from shuffled epochs is drawn from real gradients of single samples. Beside it run
white noise, fractional noise and the exact Gaussian law of epochs, all with the same standard deviation of a step.
"""

import matplotlib.pyplot as plt
import numpy as np

import fbmsde

rng = np.random.default_rng(0)
n_samples, batch_size = 1200, 100
gradients = rng.standard_exponential(n_samples) * rng.choice([-1.0, 1.0], n_samples)  # of the samples, with heavy tails

# unequal sides: the right one is nearer, but climbs as high as the left one
well = fbmsde.Landscape(lambda x: 2.0 * x**2 + 0.8 * x**3, lambda x: 4.0 * x + 2.4 * x**2, name="skewed", minima=(0.0,))
chain = fbmsde.sgd(well, learning_rate=0.1, momentum=0.5)

real = fbmsde.PopulationNoise(gradients, batch_size, sigma=5.0)
step = real.increment_scale(1.0)
models = {
    "real gradients, epochs": real,
    "exact law of epochs": fbmsde.EpochNoise(n_samples, batch_size, sigma=step),
    "white noise": fbmsde.FractionalNoise(0.5, sigma=step),
    "fractional noise, H = 0.35": fbmsde.FractionalNoise(0.35, sigma=step),
}
_, ax = plt.subplots(layout="constrained")
for name, noise in models.items():
    passages = fbmsde.first_passage(chain, noise, 0.0, (-0.4, 0.35), horizon=20_000, n_paths=1000, seed=1)
    up, mean = passages.split()["upper"], passages.mean()
    low, high = mean.confidence_interval()
    print(f"{name:28} mean exit after {mean.value:5.0f} [{low:.0f}, {high:.0f}] steps, "
          f"upwards in {100 * up.value:.0f} % [{100 * up.low:.0f}, {100 * up.high:.0f}]")
    curve = passages.survival()
    ax.step(curve.times, curve.probabilities, where="post", label=name)
ax.set(xlabel="steps", ylabel="share of paths still inside", yscale="log", xlim=(0.0, 8000.0), ylim=(0.01, 1.0))
ax.legend()
plt.show()
