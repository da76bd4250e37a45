"""Questions to the worker, and the way back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from regen.editor.asking import Asking
from regen.errors import RegenError
from tests.helpers.editor_session import AtOnce


class Desk:
    """A session's thread, which does what was posted when it is told to."""

    def __init__(self) -> None:
        self.worker, self.posted = AtOnce(), list[Callable[[], None]]()
        self.asking = Asking(self.worker, self.posted.append)
        self.heard: list[object] = []

    def hear(self, what: object) -> None:
        self.heard.append(what)

    def go_on(self) -> None:
        while self.posted:
            self.posted.pop(0)()


def refuse() -> None:
    raise RegenError("no")


def fail() -> None:
    raise ValueError("a fault")


def test_what_was_computed_comes_back_to_the_sessions_thread() -> None:
    desk = Desk()
    desk.asking.quick("a", lambda: 3, desk.hear)
    desk.asking.long(lambda: 4, desk.hear, desk.hear)
    desk.worker.run()
    assert desk.heard == []
    desk.go_on()
    assert desk.heard == [3, 4]


def test_a_newer_question_of_the_same_name_takes_the_place_of_an_older_one() -> None:
    desk = Desk()
    for number in range(3):
        desk.asking.quick("a", lambda number=number: number, desk.hear)  # type: ignore[misc]
    desk.worker.run()
    desk.go_on()
    assert desk.heard == [2]


def test_whoever_asked_hears_of_an_error_and_the_worker_of_a_fault_too() -> None:
    desk = Desk()
    desk.asking.quick("a", refuse, desk.hear, desk.hear)
    desk.worker.run()
    desk.asking.quick("b", fail, desk.hear, desk.hear)
    with pytest.raises(ValueError, match="a fault"):
        desk.worker.run()
    desk.go_on()
    assert [str(one) for one in desk.heard] == ["no", "a fault"]


def test_an_error_that_nobody_takes_is_the_workers() -> None:
    desk = Desk()
    desk.asking.quick("a", refuse, desk.hear)
    with pytest.raises(RegenError, match="no"):
        desk.worker.run()
    assert desk.posted == []
