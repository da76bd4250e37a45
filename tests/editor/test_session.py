"""A session: what pages see, and what is computed when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from regen.editor.document import Document
from regen.editor.kept import Kept
from regen.editor.messages import MessageError
from regen.editor.painting import Picture
from regen.editor.rules import LearnedRule
from regen.editor.session import Session
from regen.errors import RegenError
from tests.helpers.editor_session import AtOnce, Pages, PretendEngine

DAB = {"tool": "brush", "mode": "add", "points": [[9, 9]], "radius": 4}


class Learner(PretendEngine):
    """Learns in three steps, of which it shows two."""

    def __init__(self, between: Any = lambda step: None) -> None:
        super().__init__()
        self.between = between

    def bundled(self, name: str) -> tuple[Picture, str]:
        return Picture("skimage:chelsea", name, 30, 45), "the cat"

    def learn(self, painting: Any, kind: str, key: str, **calls: Any) -> LearnedRule:
        for step in range(3):
            calls["on_step"](step, 3, 1.0 - 0.1 * step)
            self.between(step)
            if calls["should_stop"]():
                return LearnedRule(key, step + 1, 1.0)
            if step < 2:
                calls["on_partial"](f"partial {step}")
        return LearnedRule(key, None, 2.0)


def opened(kept: Kept, engine: PretendEngine, document: Document | None = None) -> Pages:
    worker = AtOnce()
    session = Session(kept, worker, "portraits", lambda: engine, lambda f: f(), document)
    pages = Pages(session, worker)
    worker.run()
    return pages


def ready_to_learn(kept: Kept, engine: PretendEngine) -> Pages:
    pages = opened(kept, engine)
    pages.do("picture.bundled", name="cat")
    pages.do("target.add", sample={"seed": 3})
    for on in ("exemplar", pages.target()):
        pages.do("stroke", on=on, stroke=DAB)
    return pages


def test_a_page_that_opens_sees_what_every_page_sees(pages: Pages) -> None:
    pages.do("target.add", sample={"seed": 3})
    second = Pages(pages.session, pages.worker)
    for channel in ("state", "generator", "unseen", "grid", "preview", "after", "pictures"):
        assert second.last(channel) == pages.last(channel)
    pages.do("target.remove", target=pages.target())
    assert second.state == pages.state and second.state["painting"]["targets"] == []


def test_a_page_that_closes_is_told_nothing_more(pages: Pages) -> None:
    heard: list[str] = []
    pages.session.join(heard.append)
    pages.session.leave(heard.append)
    before = len(heard)
    pages.do("target.add", sample={"seed": 3})
    assert len(heard) == before


def test_undo_over_everything(kept: Kept) -> None:
    pages = ready_to_learn(kept, Learner())
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
    pages = ready_to_learn(kept, Learner())
    pages.do("learn", kind="draft")
    found = kept.load("portraits")
    assert found == pages.session.document and len(found.rules) == 1
    again = opened(kept, Learner(), found)
    assert again.state["painting"] == pages.state["painting"]


def test_learning_is_watched_and_becomes_a_rule(kept: Kept) -> None:
    pages = ready_to_learn(kept, Learner())
    pages.do("learn", kind="draft")
    partial = [m for m in pages.seen if m["channel"] == "after" and m["partial"]]
    assert ["partial 0" in m["images"][0] for m in partial] == [True, False]
    assert len(pages.last("learning")["losses"]) == 3
    (rule,) = pages.state["rules"]
    assert (rule["name"], rule["kind"], rule["strength"]) == ("Rule 1", "draft", 1.0)
    assert pages.last("after")["partial"] is False and pages.last("after")["rules"] == 1
    assert pages.last("said") == {"channel": "said", "line": "Learned in 2 s", "good": True}


def test_stop_keeps_what_was_learned(kept: Kept) -> None:
    engine = Learner()
    pages = ready_to_learn(kept, engine)
    engine.between = lambda step: step == 1 and pages.session.handle({"do": "stop"})
    pages.do("learn", kind="full")
    (rule,) = pages.state["rules"]
    assert (
        rule["stopped_after"] == 2 and pages.last("said")["line"] == "Learned after 2 steps in 1 s"
    )


def test_what_is_painted_while_it_learns_is_not_lost(kept: Kept) -> None:
    engine = Learner()
    pages = ready_to_learn(kept, engine)
    engine.between = lambda step: pages.session.handle(
        {"do": "stroke", "on": "exemplar", "stroke": DAB}
    )
    pages.do("learn", kind="draft")
    assert len(pages.state["painting"]["strokes"]) == 4
    assert len(pages.session.document.rules[0].painting.strokes) == 1


def test_only_one_rule_is_learned_at_a_time(kept: Kept) -> None:
    pages = ready_to_learn(kept, Learner())
    pages.session.handle({"do": "learn", "kind": "draft"})
    with pytest.raises(MessageError, match="being learned already; stop it first"):
        pages.session.handle({"do": "learn", "kind": "draft"})


def test_a_fit_that_fails_is_one_line_and_the_session_lives(kept: Kept) -> None:
    engine = Learner()
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


def test_a_preview_that_cannot_be_made_says_why(pages: Pages, pretend: PretendEngine) -> None:
    pretend.problem = RegenError("region reaches outside its image")
    pages.do("target.add", sample={"seed": 3})
    assert pages.last("preview")["missing"] == "region reaches outside its image"


def test_of_many_gestures_the_last_is_previewed(pages: Pages, pretend: PretendEngine) -> None:
    pages.do("target.add", sample={"seed": 3})
    pretend.asked.clear()
    for _ in range(50):
        pages.session.handle({"do": "stroke", "on": pages.target(), "stroke": DAB})
    pages.worker.run()
    assert pretend.asked == ["preview"]
    assert len(pages.state["painting"]["targets"][0]["strokes"]) == 50


@pytest.mark.parametrize(
    "message",
    [
        {"do": "open", "path": "/etc/passwd"},
        {"do": "learn", "kind": "draft"},
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
    session = Session(kept, AtOnce(), "portraits", Learner, lambda f: f())
    with pytest.raises(MessageError, match="the generator is still being opened; wait a moment"):
        session.handle({"do": "picture.bundled", "name": "cat"})


def test_a_target_gets_another_style_or_hole(pages: Pages) -> None:
    pages.do("target.add", sample={"seed": 3})
    target = pages.target()
    pages.do("target.style", target=target, seed=7)
    (seen,) = pages.state["painting"]["targets"]
    assert seen["sample"] == {"seed": 3, "style": {"seed": 7}}
    pages.do("stroke", on=f"hole {target}", stroke=DAB)
    pages.do("target.style", target=target, seed=8)
    assert len(pages.state["painting"]["targets"][0]["hole"]) == 1
    pages.do("target.hole", target=target, name="nose")
    (seen,) = pages.state["painting"]["targets"]
    assert seen["hole"] == [] and seen["sample"]["hole"] == {"portraits": "nose", "grow": 2}
    pages.do("target.hole", target=target, name="")
    assert "hole" not in pages.state["painting"]["targets"][0]["sample"]
    for _ in range(4):
        pages.do("undo")
    assert pages.state["painting"]["targets"][0]["sample"]["style"] == {"seed": 7}
    for message in (
        {"do": "target.style", "target": target, "seed": -1},
        {"do": "target.style", "target": "none", "seed": 1},
        {"do": "target.hole", "target": target, "name": 7},
        {"do": "stroke", "on": "hole none", "stroke": DAB},
    ):
        with pytest.raises(MessageError):
            pages.session.handle(message)


def test_what_a_stroke_does_not_change_is_not_computed_again(
    pages: Pages, pretend: PretendEngine
) -> None:
    pages.do("target.add", sample={"seed": 3})
    asked = []
    pretend.after = lambda *_: asked.append("after") or []  # type: ignore[method-assign]
    pretend.targets_after = lambda *_: asked.append("targets") or {}  # type: ignore[method-assign]
    pages.do("stroke", on=pages.target(), stroke=DAB)
    assert asked == []
    pages.do("target.add", sample={"seed": 4})
    assert asked == ["after", "targets"]


def test_the_grid_is_asked_for_with_a_hole(pages: Pages) -> None:
    pages.do("samples", first=9, truncation=1, hole="nose")
    assert (pages.last("grid")["hole"], pages.last("grid")["first"]) == ("nose", 9)
