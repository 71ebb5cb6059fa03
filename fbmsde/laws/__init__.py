"""Laws of fractional Gaussian noise, of the fractional Ornstein-Uhlenbeck process, of extremes and of diffusions."""
