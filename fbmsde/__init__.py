"""Simulation of stochastic differential equations driven by fractional Brownian motion."""
