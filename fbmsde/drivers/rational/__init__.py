"""The rational model of fractional Gaussian noise, its fit, its certificate and its jumps."""
