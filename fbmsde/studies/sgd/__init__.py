"""Gradient noise of small networks, and the escape of SGD against the model."""
