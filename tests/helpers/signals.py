"""The signals that ask a program to stop."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

STOP = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@contextmanager
def handlers_of_a_terminal() -> Iterator[None]:
    """The handlers of a program started in a terminal, whoever runs the tests."""
    usual = [signal.default_int_handler, signal.SIG_DFL, signal.SIG_DFL]
    before = {number: signal.signal(number, h) for number, h in zip(STOP, usual, strict=True)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
