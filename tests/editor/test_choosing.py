"""Samples that a page may choose."""

from __future__ import annotations

from typing import Any

import pytest

from regen.editor.messages import MessageError
from regen.editor.painting import Painting, Target
from regen.errors import RegenError
from tests.helpers.editor_session import DAB, Pages, PretendEngine


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


def test_the_grid_begins_with_samples_like_those_that_were_chosen(pages: Pages) -> None:
    grid = pages.session.grid
    for sample, psi in (({"seed": 3, "truncation": 0.8}, 0.8), ({"seed": 3}, 1.0)):
        grid.begin(Painting("p", targets=(Target("t", sample, "seed 3"),)))
        assert grid.options.truncation == psi
    grid.begin(Painting("p"))
    assert grid.options.truncation == 1.0


@pytest.mark.parametrize(
    "wrong", [{"truncation": 9}, {"truncation": 0.5}, {"truncation": 1, "hole": "tail"}], ids=str
)
def test_samples_that_are_refused_leave_those_that_are_on_their_way(
    wrong: dict[str, Any],
    pages: Pages,
    pretend: PretendEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(sample: Any) -> str:
        raise RegenError("sample", got=str(sample))

    pages.session.handle({"do": "samples", "first": 9, "truncation": 1})
    monkeypatch.setattr(pretend, "label", refuse)
    with pytest.raises(RegenError):
        pages.session.handle({"do": "samples", "first": 40, **wrong})
    pages.worker.run()
    assert pages.last("grid")["first"] == 9
    assert pages.session.grid.first == 9


def test_the_size_of_an_image_is_read_in_the_worker(
    pages: Pages, pretend: PretendEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"picture": "a.png"}
    monkeypatch.setattr(pretend, "label", lambda sample: "a.png")
    monkeypatch.setattr(pretend, "own_size", lambda sample: (40, 50))
    monkeypatch.setattr(pretend, "target", lambda target: {"image": "image of a.png"})
    with pytest.raises(MessageError, match="sample: got"):
        pages.session.handle({"do": "target.add", "sample": own})
    pages.session.grid.offered = [own]
    pages.session.handle({"do": "target.add", "sample": own, "own_size": [9, 9]})
    pages.session.handle({"do": "target.add", "sample": own})
    assert pages.state["painting"]["targets"] == []
    pages.worker.run()
    (seen,) = pages.state["painting"]["targets"]
    assert seen["own_size"] == [40, 50] and seen["label"] == "a.png"
    said = [message["line"] for message in pages.seen if message["channel"] == "said"]
    assert any("expected one that is no target yet" in line for line in said)


def test_an_image_that_cannot_be_read_is_told(
    pages: Pages, pretend: PretendEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(sample: Any) -> None:
        raise RegenError("a.png is gone")

    own = {"picture": "a.png"}
    monkeypatch.setattr(pretend, "label", lambda sample: "a.png")
    monkeypatch.setattr(pretend, "own_size", refuse)
    pages.session.grid.offered = [own]
    pages.do("target.add", sample=own)
    assert pages.last("said")["line"] == "a.png is gone"
    assert pages.state["painting"]["targets"] == []
