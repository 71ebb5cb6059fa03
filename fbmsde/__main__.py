"""``python -m fbmsde``: the command line."""

from .cli import main

main()
