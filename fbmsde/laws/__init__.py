"""Exact laws: fractional Gaussian noise, the fractional Ornstein-Uhlenbeck process, extremes, ordinary diffusions."""
