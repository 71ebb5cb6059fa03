"""Noise: what drives an equation."""
