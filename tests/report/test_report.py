"""A report as it lies in the run folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from regen.errors import StoreError
from regen.report import write_report
from tests.helpers.reports import full_report, small_report


def test_both_files_are_there_and_nothing_else(tmp_path: Path) -> None:
    path = write_report(tmp_path / "run", full_report())
    assert path == tmp_path / "run" / "report.html"
    names = sorted(file.name for file in path.parent.iterdir())
    assert names == ["before_after.png", "report.html"]


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
    for name in ("before_after.png", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        write_report(tmp_path / "file", small_report())
