"""Samples that a page may choose."""

from __future__ import annotations

import pytest

from regen.editor.messages import MessageError
from tests.helpers.editor_session import DAB, Pages


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


def test_the_grid_is_asked_for_with_a_hole(pages: Pages) -> None:
    pages.do("samples", first=9, truncation=1, hole="nose")
    assert (pages.last("grid")["hole"], pages.last("grid")["first"]) == ("nose", 9)
