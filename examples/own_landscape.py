"""A landscape and a domain of your own
====================================

A landscape in the plane, a round domain, and the survival curve of paths that start in its middle."""

import matplotlib.pyplot as plt

import fbmsde


def potential(x, a, b):
    """A bowl that rises like a parabola along the first axis and like a fourth power along the second."""
    return 0.5 * a * x[0] ** 2 + 0.25 * b * x[1] ** 4


def gradient(x, a, b):
    """The gradient of the potential, as a tuple."""
    return a * x[0], b * x[1] ** 3


def outside_circle(x, radius):
    """A level function: it is negative inside the circle."""
    return x[0] ** 2 + x[1] ** 2 - radius**2


bowl = fbmsde.Landscape(potential, gradient, params=(2.0, 1.0), dim=2, name="bowl")
noise = fbmsde.FractionalNoise(hurst=0.7, sigma=0.6, correlation=[[1.0, 0.5], [0.5, 1.0]])
circle = fbmsde.LevelSet(outside_circle, params=(1.5,))
passages = fbmsde.first_passage(bowl, noise, (0.0, 0.0), circle, dt=0.01, horizon=50.0, n_paths=2000, seed=1)

curve = passages.survival()
for time in (1.0, 5.0, 20.0):
    print(f"share inside at t = {time:4.1f}: {curve.at(time):.3f}")
mean = passages.mean()
print(f"mean of min(exit time, 50): {mean.value:.2f}, 95 % {mean.confidence_interval()}, restricted: {mean.restricted}")

_, ax = plt.subplots(layout="constrained")
passages.plot(ax, label="paths, with their 95 % interval")
plt.show()
