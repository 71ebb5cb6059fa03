"""How long SGD stays in a sharp and a flat minimum
================================================

The learning rate and the standard deviation of the gradient's noise fix the equation; the wells are equally deep."""

import math

import matplotlib.pyplot as plt

import fbmsde

LEARNING_RATE, NOISE_STD, HEIGHT = 0.01, 15.0, 1.0

_, ax = plt.subplots(layout="constrained")
for hurst in (0.4, 0.5, 0.6):
    noise = fbmsde.FractionalNoise.from_sgd(LEARNING_RATE, NOISE_STD, hurst)
    for name, curvature in (("sharp", 4.0), ("flat", 1.0)):
        rim = math.sqrt(2.0 * HEIGHT / curvature)
        passages = fbmsde.first_passage(
            fbmsde.quadratic(curvature), noise, 0.0, (-rim, rim), dt=LEARNING_RATE, horizon=100.0, n_paths=2000, seed=1
        )
        try:
            mean = passages.mean()
            steps = f"{mean.value / LEARNING_RATE:.0f} steps" + (" or more" if mean.restricted else "")
        except fbmsde.NoEstimateError as nothing:
            steps = str(nothing)
        print(f"H = {hurst}, {name:5s} minimum: {steps}")
        curve = passages.survival()
        look = {"sharp": "-", "flat": "--"}[name]
        color = {0.4: "C0", 0.5: "C1", 0.6: "C2"}[hurst]
        ax.step(curve.times / LEARNING_RATE, curve.probabilities, look, color=color, label=f"{name}, H = {hurst}")
ax.set(xlabel="steps", ylabel="share of paths still inside", yscale="log", ylim=(1e-3, 1.0))
ax.legend()
plt.show()
