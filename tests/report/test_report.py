"""A report as it lies in the run folder."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from PIL import Image

from regen.errors import RegenError, StoreError
from regen.report import ExemplarView, RewriteReport, TargetView, write_report

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


def small_report(n: int = 3, side: int = 16) -> RewriteReport:
    before = torch.rand(n, 3, side, side) * 2 - 1
    return RewriteReport(
        title="Cat eyes",
        command="regen rewrite --edits eyes.json -o out",
        labels=[f"seed {seed}" for seed in range(100, 100 + n)],
        before=before,
        after=before * 0.5,
        metrics={"seeds": n, "inside": {"lpips": None, "l1": 0.25}},
        settings={"steps": 300},
    )


def full_report(n: int = 12) -> RewriteReport:
    report = small_report(n)
    one, two = report.before[0], report.after[0]
    return dataclasses.replace(
        report,
        regions=torch.ones(n, 1, 16, 16),
        region_source="oracle",
        similarity=torch.rand(n, 1, 4, 4),
        oracle=report.before * 0.4,
        exemplars=[ExemplarView("cat.jpg", torch.zeros(3, 40, 30), one, two)],
        targets=[TargetView("seed 3", one, two, two), TargetView("seed 4", one, two, two)],
        losses={"recall": [(0, 1.0), (10, 0.01)], "empty": []},
        use=["regen generate --rewrite rewrite.safetensors:0.5 --images <in> -o half"],
        notes=["Only 2 <b>targets</b>."],
    )


def test_the_three_files_are_there_and_nothing_else(tmp_path: Path) -> None:
    path = write_report(tmp_path / "run", full_report())
    assert path == tmp_path / "run" / "report.html"
    names = sorted(file.name for file in path.parent.iterdir())
    assert names == ["before_after.png", "metrics.json", "report.html"]
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics == {"seeds": 12, "inside": {"lpips": None, "l1": 0.25}}


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
        "regen generate --rewrite rewrite.safetensors:0.5 --images &lt;in&gt; -o half",
    ):
        assert said in plain, said


def test_without_the_optional_parts_their_sections_are_left_out(tmp_path: Path) -> None:
    text = write_report(tmp_path, small_report()).read_text(encoding="utf-8")
    Page(text)
    for heading in ("How the pattern came in", "What was asked for", "While it learned", "All 3"):
        assert heading not in text
    assert "perfect rewrite" not in text and "orange" not in text


def test_the_sheet_has_a_row_for_each_kind_of_image(tmp_path: Path) -> None:
    write_report(tmp_path / "full", full_report())
    write_report(tmp_path / "small", small_report(12))
    files = (tmp_path / run / "before_after.png" for run in ("full", "small"))
    with Image.open(next(files)) as full, Image.open(next(files)) as small:
        sizes = full.size, small.size
    assert sizes[0][0] == sizes[1][0]
    assert sizes[0][1] - sizes[1][1] == 2 * (2 * 16 + 6)  # map and oracle


def test_equal_reports_give_equal_files(tmp_path: Path) -> None:
    report = full_report()
    for run in ("a", "b"):
        write_report(tmp_path / run, report)
    for name in ("before_after.png", "metrics.json", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        write_report(tmp_path / "file", small_report())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ["seed 1"]}, "report: before: got [3, 3, 16, 16], expected [1, 3, 16, 16]"),
        (
            {"oracle": torch.zeros(3, 3, 8, 8)},
            "report: oracle: got [3, 3, 8, 8], expected [3, 3, 16, 16]",
        ),
        (
            {"similarity": torch.zeros(2, 1, 8, 8)},
            "report: similarity: got [2, 1, 8, 8], expected [3, 1, 8, 8]",
        ),
    ],
)
def test_images_that_do_not_belong_together_are_refused(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(RegenError) as error:
        dataclasses.replace(small_report(), **change)  # type: ignore[arg-type]
    assert str(error.value) == message
