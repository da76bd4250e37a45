"""Signals that ask a program to stop, handled at a safe moment.

Ctrl-C sends SIGINT; Slurm, Docker and systemd send SIGTERM; a terminal that is closed sends SIGHUP,
often twice. All of them mean the same here: stop, and keep what was done. A signal that the parent
process has ignored, SIGHUP under `nohup` for instance, stays ignored.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # the last one is not known to Windows

Handler = Callable[[int, FrameType | None], None]


class Interrupt:
    """What a loop in a `deferred_interrupt` block looks at after each step.

    Attributes:
        pressed: Whether a signal has asked to stop.
    """

    def __init__(self) -> None:
        self.pressed = False


@contextmanager
def deferred_interrupt() -> Iterator[Interrupt]:
    """Note a signal that asks to stop instead of raising; a second Ctrl-C raises at once.

    SIGTERM and SIGHUP never raise, however often they come: whoever sends them and does not want
    to wait sends SIGKILL. Outside of the main thread, where Python allows no handlers, nothing is
    deferred.

    Raises:
        KeyboardInterrupt: On Ctrl-C, if a signal has asked to stop already.
    """
    interrupt = Interrupt()

    def note(number: int, frame: FrameType | None) -> None:
        if interrupt.pressed and number == signal.SIGINT:
            raise KeyboardInterrupt
        interrupt.pressed = True

    with _handling(STOP_SIGNALS, note):
        yield interrupt


@contextmanager
def every_signal_interrupts() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does: raise KeyboardInterrupt.

    Only the first of them raises, so that a repeated one does not disturb the saving that the
    first has caused. Outside of the main thread nothing changes.
    """
    raised = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal raised
        if not raised:
            raised = True
            raise KeyboardInterrupt

    with _handling(STOP_SIGNALS[1:], interrupt):
        yield


@contextmanager
def _handling(names: tuple[str, ...], handler: Handler) -> Iterator[None]:
    """Handle these signals, except ignored ones, and restore their handlers at the end."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        before = {n: signal.getsignal(n) for n in numbers}
        before = {n: old for n, old in before.items() if old not in (signal.SIG_IGN, None)}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
