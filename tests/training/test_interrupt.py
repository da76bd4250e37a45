"""Signals that ask to stop: noted in a deferred block, KeyboardInterrupt elsewhere."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from regen.training.interrupt import deferred_interrupt, every_signal_interrupts
from tests.helpers.signals import STOP

pytestmark = pytest.mark.usefixtures("usual_handlers")


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in STOP]


@pytest.mark.parametrize("number", STOP)
def test_a_signal_is_noted(number: signal.Signals) -> None:
    before = handlers()
    with deferred_interrupt() as interrupt:
        assert not interrupt.pressed
        signal.raise_signal(number)
        assert interrupt.pressed
    assert handlers() == before


@pytest.mark.parametrize("first", STOP)
def test_a_ctrl_c_after_another_signal_raises_and_handlers_are_returned(
    first: signal.Signals,
) -> None:
    before = handlers()
    with pytest.raises(KeyboardInterrupt), deferred_interrupt():
        signal.raise_signal(first)
        signal.raise_signal(signal.SIGINT)
    assert handlers() == before


@pytest.mark.parametrize("number", STOP[1:])
def test_signals_that_are_sent_twice_ask_once(number: signal.Signals) -> None:
    """A shell and the kernel both send SIGHUP when a terminal is closed."""
    with deferred_interrupt() as interrupt:
        signal.raise_signal(number)
        signal.raise_signal(number)
        assert interrupt.pressed


@pytest.mark.parametrize("number", STOP)
def test_every_signal_is_a_keyboard_interrupt(number: signal.Signals) -> None:
    before = handlers()
    with pytest.raises(KeyboardInterrupt), every_signal_interrupts():
        signal.raise_signal(number)
    assert handlers() == before


def test_saving_is_disturbed_by_ctrl_c_alone() -> None:
    saved = []
    with every_signal_interrupts():
        try:
            signal.raise_signal(signal.SIGHUP)
        except KeyboardInterrupt:
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGTERM)
            saved.append("what was done")
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    assert saved == ["what was done"]


def test_a_deferred_block_stands_inside_a_command() -> None:
    with every_signal_interrupts():
        inside = handlers()
        with deferred_interrupt() as interrupt:
            signal.raise_signal(signal.SIGTERM)
            assert interrupt.pressed
        assert handlers() == inside


@pytest.mark.parametrize("block", [deferred_interrupt, every_signal_interrupts])
@pytest.mark.parametrize("number", STOP)
def test_what_is_ignored_stays_ignored(
    block: Callable[[], AbstractContextManager[object]], number: signal.Signals
) -> None:
    """`nohup` ignores SIGHUP, a shell without job control SIGINT of what runs behind an &."""
    signal.signal(number, signal.SIG_IGN)
    with block():
        signal.raise_signal(number)
        assert signal.getsignal(number) == signal.SIG_IGN


@pytest.mark.parametrize("block", [deferred_interrupt, every_signal_interrupts])
def test_other_threads_change_nothing(block: Callable[[], AbstractContextManager[object]]) -> None:
    before, seen = handlers(), []

    def work() -> None:
        with block():
            seen.append(handlers())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
