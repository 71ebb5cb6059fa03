"""What the sub-commands share: kinds of option values, errors as one line, signals and exit statuses."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, TypeGuard

import typer
from typer.core import TyperCommand

from ..core.messages import one_line

INTERRUPTED, TERMINATED = 130, 143  # 128 + the number of SIGINT and of SIGTERM, as shells have it
EXIT_STATUSES = (
    "Exit status: 0 done, 1 refused or failed (one line on standard error says why), 2 wrong usage, "
    "130 interrupted by Ctrl-C, 143 by SIGTERM (what was finished is saved)."
)
_PATIENCE = 0.3  # seconds that threads have to end after an interruption
_EXPECTED = (ValueError, TypeError, MemoryError, ArithmeticError, OSError, ImportError)


class OnceCommand(TyperCommand):
    """A sub-command that refuses an option given twice, of which the last would win in silence, and empty values.

    Where an option or an argument is missing, it says what that is.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """All parameters; flags among them show no kind of value, since they take none."""
        return without_kinds(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse as usual after a first pass that counts the options and looks for empty values."""
        values, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for param in dict.fromkeys(order):
            given = values.get(param.name)
            if any(isinstance(each, str) and not each.strip() for each in (given if _several(given) else [given])):
                kind = "Option" if param.param_type_name == "option" else "Argument"
                ctx.fail(f"{kind} '{param.opts[0]}' must not be empty, got {given!r}.")
        for param, times in Counter(order).items():
            once = not getattr(param, "multiple", False) and not getattr(param, "is_flag", False)
            if times > 1 and once:
                ctx.fail(f"Option '{param.opts[0]}' must be given once, got it {times} times.")
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            missing: Any = getattr(error, "param", None)
            if type(error).__name__ != "MissingParameter" or not getattr(missing, "help", None):
                raise
            given_by = missing.opts[0] if missing.param_type_name == "option" else missing.metavar or missing.name
            return ctx.fail(f"Missing {missing.param_type_name} '{given_by}': {missing.help}")


def without_kinds(params: list[Any]) -> list[Any]:
    """The parameters, of which flags have an empty text where help shows the kind of a value."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


def _several(value: object) -> TypeGuard[Sequence[object]]:
    """Whether an option was given several values."""
    return isinstance(value, (list, tuple))


_ARGUMENT = re.compile(r"\b(kind|method|null|interval|column|skip|decimal)=(?:'([^']*)'|(\w+))")


def as_options(text: str) -> str:
    """The text with arguments of `estimate_hurst` and `read_series` written as options of the command line.

    >>> as_options("pass kind='path', skip=1")
    'pass --kind path, --skip 1'
    """
    return _ARGUMENT.sub(lambda found: f"--{found[1]} {found[2] or found[3]}", text)


@contextmanager
def reported(said: Callable[[str], str] = str) -> Iterator[None]:
    """Turn expected errors into one line on standard error and exit status 1, an interruption into 130.

    `said` turns the words of the library into those of the command.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except _EXPECTED as error:
        typer.echo(f"error: {said(one_line(error))}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("interrupted: nothing more was written", err=True)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def signals() -> Iterator[None]:
    """SIGTERM interrupts as Ctrl-C does; a closed pipe ends the command as it ends every filter.

    A command that is interrupted ends with `INTERRUPTED`, whichever of the two it was; that status becomes
    `TERMINATED` where SIGTERM has come.
    """
    received: list[int] = []

    def interrupt(number: int, _frame: object) -> NoReturn:
        received.append(number)
        raise KeyboardInterrupt

    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, interrupt)}
    if os.name == "posix":
        before[signal.SIGPIPE] = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        yield
    except SystemExit as end:
        if received and end.code == INTERRUPTED:
            raise SystemExit(TERMINATED) from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(status: int) -> None:
    """End the process now if threads are left that the interpreter would wait for, such as one that compiles a kernel.

    Everything that is kept has been written before an interrupted command ends.
    """
    deadline = time.monotonic() + _PATIENCE
    others = [t for t in threading.enumerate() if t is not threading.current_thread() and not t.daemon]
    for thread in others:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in others):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def count(text: str) -> int:
    """A whole number, which may be written as 20000, 20_000 or 2e4."""
    try:
        value = Decimal(str(text))
        if value.is_finite() and value == value.to_integral_value() and value.adjusted() < 19:
            return int(value)
    except InvalidOperation:
        pass
    raise typer.BadParameter(f"must be a whole number, got {text!r}.")


def checked_error(given: float | None) -> float | None:
    """The value of --until-relative-error, None if it is not given; ValueError outside of (0, 1)."""
    if given is not None and not 0.0 < given < 1.0:
        raise ValueError(f"--until-relative-error must lie in (0, 1), got {given}.")
    return given


def words(texts: Iterable[str]) -> list[str]:
    """Different words in the order in which they are given, separated by commas.

    >>> words(["batch size,strategy", "strategy"])
    ['batch size', 'strategy']
    """
    return list(dict.fromkeys(part.strip() for text in texts for part in text.split(",") if part.strip()))


def named_numbers(name: str, texts: Sequence[str]) -> dict[str, float]:
    """Numbers with names, as ``name=value`` separated by commas; ValueError for anything else, and for a name twice.

    >>> named_numbers("landscape_params", ["sharp=4,flat=1", "height=0.5"])
    {'sharp': 4.0, 'flat': 1.0, 'height': 0.5}
    """
    found: dict[str, float] = {}
    for part in words(texts):
        key, _, text = (piece.strip() for piece in part.partition("="))
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{name} must be name=number, separated by commas, got {part!r}.") from None
        if found.setdefault(key, value) != value:
            raise ValueError(f"{name} must give each parameter once, got {key} twice.")
    if texts and not found:
        raise ValueError(f"{name} must be name=number, separated by commas, got none.")
    return found


def refuse_pair(given: str, idle: Mapping[str, object], why: str) -> None:
    """ValueError if an option is given that does nothing beside another: `idle` has their values, None if not given."""
    for name, value in idle.items():
        if value is not None:
            raise ValueError(f"{name} must not be given with {given}, which {why}, got {value}. Leave out one of them.")
