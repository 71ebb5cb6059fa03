"""Studies: many runs and one table."""
