"""A session: what pages do to its document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from regen.editor.kept import Kept
from regen.editor.messages import MessageError
from regen.editor.session import Session
from regen.errors import RegenError
from tests.helpers.editor_session import AtOnce, Pages, PretendLearner, opened, ready_to_learn


def test_undo_over_everything(kept: Kept) -> None:
    pages = ready_to_learn(kept, PretendLearner())
    pages.do("learn", kind="draft")
    (rule,) = pages.state["rules"]
    pages.do("rule.strength", rule=rule["key"], value=0.5)
    states = [pages.state]
    while pages.state["undo"]:
        pages.do("undo")
        states.append(pages.state)
    assert len(states) == 7 and states[-1]["painting"]["picture"] is None
    for state in reversed(states[:-1]):
        pages.do("redo")
        assert pages.state["painting"] == state["painting"]
        assert pages.state["rules"] == state["rules"]
    pages.do("redo")
    assert pages.state == states[0]


def test_every_change_is_kept(kept: Kept) -> None:
    pages = ready_to_learn(kept, PretendLearner())
    pages.do("learn", kind="draft")
    found = kept.load("portraits")
    assert found == pages.session.document and len(found.rules) == 1
    again = opened(kept, PretendLearner(), found)
    assert again.state["painting"] == pages.state["painting"]


@pytest.mark.parametrize(
    "message",
    [
        {"do": "open", "path": "/etc/passwd"},
        {"do": "learn", "kind": "huge"},
        {"do": "target.add", "sample": {"seed": 1, "picture": "/etc/passwd"}},
        {"do": "target.add", "sample": "x"},
        {"do": "target.add", "sample": {"seed": 1, "hole": {"mask": "/etc/passwd"}}},
        {"do": "target.add", "sample": {"seed": 1, "style": {"picture": "/etc/passwd"}}},
        {"do": "samples", "first": -1, "truncation": 1},
        {"do": "suggest", "target": "x", "x": 1, "y": 1},
        {"do": "carry"},
        {"do": "export"},
        {"do": "picture.bundled"},
    ],
    ids=json.dumps,
)
def test_a_message_that_makes_no_sense_changes_nothing(pages: Pages, message: Any) -> None:
    before = pages.session.document
    with pytest.raises(MessageError):
        pages.session.handle(message)
    assert pages.session.document is before


def test_a_generator_that_cannot_be_opened_ends_the_command(kept: Kept) -> None:
    broken: list[BaseException] = []

    def refuse() -> None:
        raise RegenError("no such generator")

    worker = AtOnce()
    Session(kept, worker, "none", refuse, lambda f: f(), on_broken=broken.append)
    worker.run()
    assert str(broken[0]) == "no such generator"


def test_nothing_is_done_before_the_generator_is_open(kept: Kept) -> None:
    session = Session(kept, AtOnce(), "portraits", PretendLearner, lambda f: f())
    with pytest.raises(MessageError, match="the generator is still being opened; wait a moment"):
        session.handle({"do": "picture.bundled", "name": "cat"})


def test_an_exemplar_that_cannot_be_kept_is_answered(kept: Kept) -> None:
    """Whoever brought it does not wait for ever."""
    pages = opened(kept, PretendLearner())
    pages.session.engine.brought = lambda data, name: pages.session.engine.bundled(name)

    def full(*given: Any) -> None:
        raise RegenError("the disk is full")

    pages.session.kept.save = full  # type: ignore[method-assign]
    answers: list[RegenError | None] = []
    pages.session.bring(b"", "cat.png", answers.append)
    with pytest.raises(RegenError, match="the disk is full"):
        next(iter(pages.worker.waiting.values()))()
    assert answers == [None]


def test_a_fault_while_an_exemplar_is_read_is_one_line(kept: Kept) -> None:
    pages = opened(kept, PretendLearner())

    def fault(*given: Any) -> None:
        raise ValueError("two\nlines")

    pages.session.engine.brought = pages.session.engine.bundled = fault
    answers: list[RegenError | None] = []
    pages.session.bring(b"", "cat.png", answers.append)
    pages.worker.run()
    assert [str(one) for one in answers] == ["Something went wrong in regen: ValueError two"]
    before = len([one for one in pages.seen if one["channel"] == "said"])
    pages.do("picture.bundled", name="cat")
    assert len([one for one in pages.seen if one["channel"] == "said"]) == before + 1
