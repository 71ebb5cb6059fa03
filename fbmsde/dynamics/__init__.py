"""Landscapes and the one-step schemes that follow them."""
