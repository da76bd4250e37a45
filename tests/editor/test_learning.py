"""Learning: watched, stopped, and what becomes of it."""

from __future__ import annotations

import pytest

from regen.editor.kept import Kept
from regen.editor.messages import MessageError
from regen.errors import RegenError
from tests.helpers.editor_session import DAB, PretendLearner, ready_to_learn


def test_learning_is_watched_and_becomes_a_rule(kept: Kept) -> None:
    pages = ready_to_learn(kept, PretendLearner())
    pages.do("learn", kind="draft")
    partial = [m for m in pages.seen if m["channel"] == "after" and m["partial"]]
    assert ["partial 0" in m["images"][0] for m in partial] == [True, False]
    assert len(pages.last("learning")["losses"]) == 3
    (rule,) = pages.state["rules"]
    assert (rule["name"], rule["kind"], rule["strength"]) == ("Rule 1", "draft", 1.0)
    assert pages.last("after")["partial"] is False and pages.last("after")["rules"] == 1
    assert pages.last("said") == {"channel": "said", "line": "Learned in 2 s", "good": True}


def test_stop_keeps_what_was_learned(kept: Kept) -> None:
    engine = PretendLearner()
    pages = ready_to_learn(kept, engine)
    engine.between = lambda step: step == 1 and pages.session.handle({"do": "stop"})
    pages.do("learn", kind="full")
    (rule,) = pages.state["rules"]
    assert (
        rule["stopped_after"] == 2 and pages.last("said")["line"] == "Learned after 2 steps in 1 s"
    )


def test_what_is_painted_while_it_learns_is_not_lost(kept: Kept) -> None:
    engine = PretendLearner()
    pages = ready_to_learn(kept, engine)
    engine.between = lambda step: pages.session.handle(
        {"do": "stroke", "on": "exemplar", "stroke": DAB}
    )
    pages.do("learn", kind="draft")
    assert len(pages.state["painting"]["strokes"]) == 4
    assert len(pages.session.document.rules[0].painting.strokes) == 1


def test_only_one_rule_is_learned_at_a_time(kept: Kept) -> None:
    pages = ready_to_learn(kept, PretendLearner())
    pages.session.handle({"do": "learn", "kind": "draft"})
    with pytest.raises(MessageError, match="being learned already; stop it first"):
        pages.session.handle({"do": "learn", "kind": "draft"})


def test_a_fit_that_fails_is_one_line_and_the_session_lives(kept: Kept) -> None:
    engine = PretendLearner()
    pages = ready_to_learn(kept, engine)
    for error, line in (
        (RegenError("the fit diverged", remedy="lower lr"), "the fit diverged; lower lr"),
        (ValueError("two\nlines"), "Something went wrong in regen: ValueError two"),
    ):
        engine.between = lambda step, error=error: (_ for _ in ()).throw(error)
        pages.do("learn", kind="draft")
        assert pages.last("said")["line"] == line and pages.state["learning"] is None
    engine.between = lambda step: None
    pages.do("learn", kind="draft")
    assert len(pages.state["rules"]) == 1


def test_what_is_missing_is_found_in_the_worker_and_told(kept: Kept) -> None:
    """Where a hole limits what can change, it takes the generator to say what is missing."""
    engine = PretendLearner()
    pages = ready_to_learn(kept, engine)
    pages.do("strokes", on="exemplar", strokes=[])
    asked: list[object] = []
    lacks = engine.missing
    engine.missing = lambda painting: (asked.append(painting), lacks(painting))[1]  # type: ignore[method-assign,func-returns-value]
    pages.session.handle({"do": "learn", "kind": "draft"})
    assert asked == [] and pages.state["learning"] is not None
    pages.worker.run()
    assert len(asked) == 1 and pages.last("said")["line"] == lacks(asked[0])
    assert pages.state["learning"] is None and pages.state["rules"] == []
