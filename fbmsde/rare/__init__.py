"""Escapes so rare that no plain simulation sees them."""
