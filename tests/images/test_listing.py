from __future__ import annotations

from pathlib import Path

import pytest

from regen.errors import ImageError
from regen.images.listing import SUFFIXES, image_files


def test_images_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPEG", "c.AVIF", "notes.txt", ".hidden.png", "photo.xcf"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in image_files(tmp_path)] == ["a.JPEG", "b.png", "c.AVIF"]


def test_every_suffix_is_found(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        (tmp_path / f"image{suffix}").touch()
    assert {path.suffix for path in image_files(tmp_path)} == SUFFIXES


def test_what_is_not_a_folder_of_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none is not a folder: expected a folder of images$"):
        image_files(tmp_path / "none")
    (tmp_path / "deeper").mkdir()
    with pytest.raises(ImageError, match=r"has no images: expected \.avif, \.bmp, .*\.webp$"):
        image_files(tmp_path)
    (tmp_path / "deeper" / "a.png").touch()
    with pytest.raises(ImageError, match=r"\.webp; there are some in .*deeper$"):
        image_files(tmp_path)


def test_a_folder_that_cannot_be_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ImageError, match=r"cannot look into .* \(Permission denied\)$"):
        image_files(tmp_path)
