"""What `suite.py` is made of: how work is timed, what is timed (`parts`, `growth`), and what is made of the numbers."""
