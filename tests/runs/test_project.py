"""`regen.runs.project`: what `tests/cli/test_project.py` does not see."""

from __future__ import annotations

from pathlib import Path

import pytest

from regen.errors import ProjectorError
from regen.runs.project import ProjectSettings, file_names, project_images


def test_names() -> None:
    out = Path("out")
    assert file_names([Path("a.png"), Path("a.jpg"), Path("a-2.png")], out) == ["a", "a-2", "a-2-2"]


def test_settings_are_checked() -> None:
    with pytest.raises(ProjectorError, match="^candidates: got -1, expected 0 or more$"):
        ProjectSettings(candidates=-1)


def test_nothing_to_project(tmp_path: Path) -> None:
    with pytest.raises(ProjectorError, match="^images to project: got none, expected at least"):
        project_images([], tmp_path / "out", ProjectSettings())
    assert list(tmp_path.iterdir()) == []
