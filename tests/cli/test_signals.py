"""Signals: the exit status tells which one ended a command, and the handlers of the caller come back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from fbmsde.cli import main
from fbmsde.cli.options import signals

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", [["theory"], ["cache"]])
def test_exit_status_tells_the_signal(number, status, command, monkeypatch):
    """In any command, also in one that knows nothing of interruptions."""

    def interrupted(*_args, **_options):
        os.kill(os.getpid(), number)

    monkeypatch.setattr("typer.echo", interrupted)
    monkeypatch.setattr(sys, "argv", ["fbmsde", *command])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == status


def test_only_an_interruption_becomes_a_termination():
    """A command that SIGTERM hits in its last line has already said how it ended."""
    for status in (0, 1, 2):
        with pytest.raises(SystemExit) as end, signals():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            except KeyboardInterrupt:
                raise SystemExit(status) from None
        assert end.value.code == status
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_an_interrupted_command_does_not_wait_for_a_thread_that_does_not_end():
    """A thread in a library, as the compiler is, cannot be stopped; without this the process would last 60 s."""
    code = (
        "import os, signal, sys, threading, time, typer\n"
        "from fbmsde.cli import main\n"
        "def interrupted(*_, **__):\n"
        "    threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "typer.echo = interrupted\n"
        "sys.argv = ['fbmsde', 'cache']\n"
        "main()\n"
    )
    begin = time.monotonic()
    result = subprocess.run([sys.executable, "-c", code], check=False, timeout=50)
    assert result.returncode == 143
    assert time.monotonic() - begin < 40.0
