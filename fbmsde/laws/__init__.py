"""Laws of fractional Gaussian noise and other noises, of linear chains and wells, of extremes and of exits."""
