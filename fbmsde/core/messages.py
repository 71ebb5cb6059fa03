"""Errors as one line of text."""

from __future__ import annotations

_LONGEST = 1000


def one_line(error: BaseException) -> str:
    """The message of an error on one line of printable characters, cut off after 1000 of them.

    An error of the system is told with the file that it is about, an error without a message by its kind.

    >>> one_line(ValueError("x must be" + chr(10) + "positive"))
    'x must be positive'
    >>> one_line(FileNotFoundError(2, "No such file or directory", "a.csv"))
    'a.csv: No such file or directory'
    """
    text = str(error)
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    plain = "".join(c if c.isprintable() else "?" for c in " ".join(text.split())) or type(error).__name__
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]} ..."
