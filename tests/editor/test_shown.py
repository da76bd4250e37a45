"""What is shown of a document, and what is not computed again."""

from __future__ import annotations

from regen.errors import RegenError
from tests.helpers.editor_session import DAB, Pages, PretendEngine


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
