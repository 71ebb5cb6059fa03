"""Exact generators of fractional Gaussian noise."""
