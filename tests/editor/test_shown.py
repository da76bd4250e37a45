"""What is shown of a document, and what is not computed again."""

from __future__ import annotations

from regen.editor.document import Document
from regen.editor.kept import Kept
from regen.editor.painting import Exemplar, Painting, Picture, Target
from regen.errors import RegenError
from tests.helpers.editor_session import DAB, Pages, PretendEngine, opened


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


def test_an_exemplar_of_one_target_alone_is_shown_too(kept: Kept) -> None:
    """Its source, which may be a file or a whole image, is not in the state."""
    picture = Picture("data:image/png;base64," + "A" * 5000, "dog", 32, 32)
    target = Target("t", {"seed": 3}, "seed 3", exemplar=Exemplar(picture))
    document = Document(Painting("p", Picture("cat.png", "cat", 32, 32), targets=(target,)))
    pages = opened(kept, PretendEngine(), document)
    images = pages.last("pictures")["images"]
    assert images["exemplar t"] == {"image": "image of dog"}
    assert images["exemplar"] == {"image": "image of cat"}
    (shown,) = pages.state["painting"]["targets"]
    assert set(shown["exemplar"]["picture"]) == {"name", "height", "width", "alpha", "key"}
    assert len(shown["exemplar"]["picture"]["key"]) == 60
    pages.session.engine.after = None  # which images are shown does not depend on it
    pages.do("stroke", on="exemplar t", stroke=DAB)
    assert len(pages.state["painting"]["targets"][0]["exemplar"]["strokes"]) == 1
