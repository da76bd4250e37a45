from __future__ import annotations

import os
import signal
import threading

import pytest

from regen.training.interrupt import deferred_interrupt


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_ctrl_c_is_noted() -> None:
    before = signal.getsignal(signal.SIGINT)
    with deferred_interrupt() as interrupt:
        assert not interrupt.pressed
        press()
        assert interrupt.pressed
    assert signal.getsignal(signal.SIGINT) is before


def test_the_second_ctrl_c_raises_and_the_handler_is_returned() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), deferred_interrupt():
        press()
        press()
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_defer_nothing() -> None:
    seen = []

    def work() -> None:
        with deferred_interrupt() as interrupt:
            seen.append(interrupt.pressed)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
