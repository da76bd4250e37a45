"""The page of a report: whole, standing alone, saying what a stranger needs."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from regen.report import write_report
from tests.helpers.reports import full_report, small_report

VOID = {"meta", "link", "img", "line", "polyline"}


class Page(HTMLParser):
    """Checks that elements close in order, and collects what the page refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []
        self.tags: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_stands_alone(tmp_path: Path) -> None:
    page = Page(write_report(tmp_path, full_report()).read_text(encoding="utf-8"))
    assert len(page.references) > 50
    assert all(reference.startswith("data:") for reference in page.references)
    assert "script" not in page.tags and page.tags.count("svg") == 1


def test_the_page_says_what_a_stranger_needs(tmp_path: Path) -> None:
    text = write_report(tmp_path, full_report()).read_text(encoding="utf-8")
    plain = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    for said in (
        "in 2 examples",
        "Only 2 &lt;b&gt;targets&lt;/b&gt;.",
        "difference x4",
        "white: the region",
        "a perfect rewrite",
        "All 12 samples",
        "The regions come from an oracle",
        "decoded from its features",
        "regen rewrite --edits eyes.json -o out",
        "repeat --rewrite to combine several",
        "regen generate --rewrite rewrite.safetensors:0.5 --images &lt;in&gt; -o half",
    ):
        assert said in plain, said


def test_without_the_optional_parts_their_sections_are_left_out(tmp_path: Path) -> None:
    text = write_report(tmp_path, small_report()).read_text(encoding="utf-8")
    Page(text)
    headings = ("How the pattern was projected", "The targets", "Learning curves", "All 3")
    for heading in headings:
        assert heading not in text
    assert "perfect rewrite" not in text and "orange" not in text
