"""What a page asks for once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from regen.editor import errands
from regen.editor.messages import MessageError
from regen.errors import RegenError
from tests.helpers.editor_session import DAB, Pages, PretendEngine

MASK = "data:image/png;base64,AAAA"


@pytest.fixture
def target(pages: Pages) -> str:
    """The key of a target."""
    pages.do("target.add", sample={"seed": 3})
    return pages.target()


def test_regions_around_a_click_are_told_to_every_page(
    pages: Pages, pretend: PretendEngine, target: str
) -> None:
    found = [{"name": "eyes", "mask": MASK}]
    pretend.suggest = lambda *asked: found  # type: ignore[attr-defined]
    pages.do("suggest", target=target, x=3, y=4)
    assert pages.last("suggested") == {"channel": "suggested", "target": target, "found": found}
    late = Pages(pages.session, pages.worker)
    assert all(message["channel"] != "suggested" for message in late.seen)
    with pytest.raises(MessageError, match="x: got 33, expected a number from 0 to 32"):
        pages.session.handle({"do": "suggest", "target": target, "x": 33, "y": 4})


def test_a_region_is_carried_unless_somebody_paints_in_the_meantime(
    pages: Pages, pretend: PretendEngine, target: str
) -> None:
    pages.do("target.add", sample={"seed": 4})
    other = pages.target(1)
    pretend.carried = lambda *asked: {other: MASK}  # type: ignore[attr-defined]
    pages.session.handle({"do": "carry", "target": target})
    pages.do("stroke", on=target, stroke=DAB)
    assert pages.state["painting"]["targets"][1]["strokes"] == []
    pages.do("carry", target=target)
    (stroke,) = pages.state["painting"]["targets"][1]["strokes"]
    assert (stroke["tool"], stroke["mask"]) == ("mask", MASK)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """What is made instead of any file."""
    (tmp_path / "made.zip").write_bytes(b"four")
    monkeypatch.setattr(errands, "export", lambda *asked: tmp_path / "made.zip")
    return tmp_path / "made.zip"


def test_a_file_is_shown_when_it_is_there(pages: Pages, made: Path) -> None:
    pages.session.handle({"do": "export", "what": "everything"})
    assert pages.last("export")["working"] and pages.last("export")["file"] is None
    pages.worker.run()
    shown = pages.last("export")
    assert shown["file"] == {"name": "made.zip", "bytes": 4} and not shown["working"]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RegenError("the disk is full"), "the disk is full"),
        (ValueError("x"), "Something went wrong in regen: ValueError x"),
    ],
)
def test_a_file_that_cannot_be_made_says_why(
    pages: Pages, monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    def fail(*asked: Any) -> None:
        raise error

    monkeypatch.setattr(errands, "export", fail)
    pages.session.handle({"do": "export", "what": "everything"})
    pages.worker.run()
    shown = pages.last("export")
    assert (shown["problem"], shown["file"], shown["working"]) == (line, None, False)
