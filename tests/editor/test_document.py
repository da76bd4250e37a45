"""A document and its history: undo over everything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regen.editor.document import Document, History, Rule, document_of
from regen.editor.messages import MessageError
from regen.editor.painting import Painting

FIRST, SECOND = Painting("p"), Painting("q")
ONE = Rule("a", "Rule 1", FIRST)


def test_a_painting_that_is_learned_again_replaces_its_rule() -> None:
    document = Document(FIRST).learned(ONE)
    document = document.learned(Rule("b", "Rule 2", SECOND))
    document = document.with_rule(replace(ONE, name="Eyes", strength=0.5, on=False))
    again = document.learned(Rule("c", "Rule 3", FIRST, kind="full"))
    assert [rule.key for rule in again.rules] == ["c", "b"]
    rule = again.rules[0]
    assert (rule.name, rule.strength, rule.on, rule.kind) == ("Eyes", 0.5, False, "full")
    assert again.applied == (("b", 1.0),)


def test_it_is_read_back() -> None:
    document = Document(SECOND, (replace(ONE, stopped_after=7),))
    assert document_of(document.to_json()) == document


def test_a_rule_that_is_not_there_is_named() -> None:
    with pytest.raises(MessageError, match="rule: got b, expected a"):
        Document(FIRST, (ONE,)).rule("b")


def test_undo_and_redo() -> None:
    history, documents = History(), [Document(Painting(name)) for name in "abc"]
    for document in documents:
        history.push(document)
    assert history.undo() and history.undo() and not history.undo()
    assert history.document is documents[0]
    assert history.redo() and history.document is documents[1]
    history.push(Document(Painting("d")))
    assert not history.redo() and len(history.documents) == 3


def test_a_slider_that_is_dragged_is_undone_at_once() -> None:
    history = History()
    for strength in (1.0, 0.9, 0.8, 0.7):
        document = Document(FIRST, (replace(ONE, strength=strength),))
        history.push(document, "" if strength == 1 else "strength of a")
    assert history.document.rules[0].strength == 0.7 and len(history.documents) == 2
    history.undo()
    assert history.document.rules[0].strength == 1
    history.redo()
    history.push(Document(SECOND), "strength of a")
    assert len(history.documents) == 3


def test_a_long_history_forgets_its_beginning() -> None:
    history = History()
    for number in range(600):
        history.push(Document(Painting(str(number))))
    assert len(history.documents) == 500 and history.document.painting.key == "599"
