"""Paths and their exits, on grids and in continuous time."""
