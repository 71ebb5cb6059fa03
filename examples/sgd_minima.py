"""How long SGD stays in a sharp and in a flat minimum, from its learning rate and the noise of its gradient."""

import math

import fbmsde

LEARNING_RATE, NOISE_STD, HEIGHT = 0.01, 15.0, 1.0

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
