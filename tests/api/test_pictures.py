"""`regen.api.pictures`: reading, saving and showing images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import regen
from regen.errors import ImageError, StoreError


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".jpg", ".jpeg", ".webp"])
@pytest.mark.parametrize("shape", [(3, 20, 30), (1, 3, 20, 30)])
def test_an_image_is_saved_in_the_format_of_its_suffix(
    tmp_path: Path, suffix: str, shape: tuple[int, ...]
) -> None:
    image, path = torch.full(shape, 0.2), tmp_path / f"image{suffix}"
    regen.save_image(image, path)
    again = regen.load_image(str(path))
    assert again.shape == (1, 3, 20, 30)
    torch.testing.assert_close(again, image.view(1, 3, 20, 30), atol=0.03, rtol=0)


def test_what_is_beyond_the_range_is_clipped(tmp_path: Path) -> None:
    regen.save_image(torch.tensor([-1.5, 0, 1.5]).view(3, 1, 1), tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").getpixel((0, 0)) == (0, 128, 255)


@pytest.mark.parametrize(
    ("image", "name", "message"),
    [
        (torch.zeros(8, 3, 4, 4), "a.png", r"got \[8, 3, 4, 4\], .*; take one of them"),
        (torch.zeros(3, 4, 4).byte(), "a.png", "image: pixels: got uint8"),
        (torch.full((3, 4, 4), 200.0), "a.png", "image: pixels: got values from 200 to 200"),
        (torch.full((3, 4, 4), torch.inf), "a.png", "image: pixels: got values from inf to inf"),
        (torch.zeros(3, 4, 4), "a.gif", r"a.gif: suffix: got '.gif', expected .png, .jpg, .jpeg"),
        (torch.zeros(3, 4, 4), "a", "a: suffix: got '', expected .png"),
        (np.zeros((4, 4, 3)), "a.png", r"image: got ndarray, .*; `regen.load_image` makes one"),
        ("a.png", torch.zeros(3, 4, 4), "path to save to: got Tensor, expected a path, after the"),
        (torch.zeros(3, 4, 4), None, "path to save to: got NoneType, expected a path, after the"),
        (
            torch.zeros(3, 4, 4),
            "a\0.png",
            r"path to save to: got 'a\\x00.png', expected a path, aft",
        ),
        (torch.zeros(3, 4, 4).to_sparse(), "a.png", "image: got a tensor in the layout sparse_coo"),
    ],
)
def test_what_cannot_be_saved_is_refused_and_a_file_stays(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    image: torch.Tensor,
    name: str,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.png").write_text("earlier")
    with pytest.raises(ImageError, match=message):
        regen.save_image(image, name)
    assert Path("a.png").read_text() == "earlier" and len(list(tmp_path.iterdir())) == 1


def test_a_folder_must_exist(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="create the folder first"):
        regen.save_image(torch.zeros(3, 4, 4), tmp_path / "none" / "a.png")


def test_an_image_of_pillow_and_back() -> None:
    image = torch.rand(3, 5, 7) * 2 - 1
    shown = regen.to_pil(image[None])
    assert shown.mode == "RGB" and shown.size == (7, 5)
    torch.testing.assert_close(regen.load_image(shown)[0], image, atol=1 / 255 + 1e-6, rtol=0)
    with pytest.raises(ImageError, match=r"got \[2, 3, 5, 7\]"):
        regen.to_pil(torch.zeros(2, 3, 5, 7))


def test_images_are_brought_to_a_size() -> None:
    wide = np.zeros((10, 40, 3), np.uint8)
    assert regen.load_image(wide, size=16).shape == (1, 3, 16, 16)
    white = regen.load_image(wide, size=(16, 16), fit="contain")[0, 0]
    assert white[0, 0] == 1 and white[8, 8] == -1
    with pytest.raises(ImageError, match="fit: got fill, expected cover, contain or stretch"):
        regen.load_image(wide, size=16, fit="fill")  # type: ignore[arg-type]


def test_masks_of_any_kind() -> None:
    assert regen.load_mask(np.eye(3, dtype=bool))[0, 0].tolist() == torch.eye(3).tolist()
    assert regen.load_mask(torch.eye(3)).shape == (1, 1, 3, 3)


def test_a_sheet_without_labels_keeps_the_pixels() -> None:
    images = torch.rand(5, 3, 8, 8) * 2 - 1
    sheet = regen.sheet(images)
    assert sheet.size == (3 * 10 - 2, 2 * 10 - 2)
    assert sheet.crop((0, 0, 8, 8)).tobytes() == regen.to_pil(images[0]).tobytes()
    assert regen.sheet(images, columns=5).size == (5 * 10 - 2, 8)
    assert regen.sheet(images[0]).tobytes() == regen.to_pil(images[0]).tobytes()


def test_a_sheet_with_labels() -> None:
    images = [torch.zeros(3, 200, 200), torch.zeros(1, 3, 220, 210)]
    sheet = regen.sheet(images, labels=[3, 4], columns=2)
    assert sheet.size == (2 * 216 - 6, 35 + 220)
    once = regen.sheet((image for image in images), labels=(i for i in (3, 4)), columns=2)
    assert once.tobytes() == sheet.tobytes()


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (torch.zeros(0, 3, 8, 8), {}, "images: got none, expected at least one"),
        ([], {}, "images: got none, expected at least one"),
        (torch.zeros(2, 3, 8, 8), {"labels": ["a"]}, "labels: got 1, expected 2, one an image"),
        (torch.zeros(2, 3, 8, 8), {"columns": 0}, "columns: got 0, expected 1 or more"),
        (torch.zeros(2, 3, 8, 8), {"columns": 2.5}, "columns: got 2.5, expected 1 or more"),
        (torch.zeros(2, 3, 8, 8), {"columns": "2"}, "columns: got '2', expected 1 or more"),
        (torch.zeros(2, 3, 8, 8), {"labels": 2}, "labels: got 0, expected 2, one an image"),
        (None, {}, "images: got NoneType, expected several tensors"),
        ([torch.zeros(3, 8, 8), torch.zeros(3, 9, 8)], {}, "images: got several sizes, expected"),
        ([torch.zeros(3, 8, 8), torch.zeros(8, 8)], {}, r"images\[1\]: got \[8, 8\], expected"),
        (torch.zeros(2, 3, 8, 8).to_mkldnn(), {}, "images: got a tensor in the layout mkldnn"),
        (torch.zeros(2, 3, 8, 8).byte(), {}, r"images\[0\]: pixels: got uint8"),
    ],
)
def test_what_makes_no_sheet_is_refused(images: object, options: dict, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        regen.sheet(images, **options)  # type: ignore[arg-type]


def test_the_image_of_an_exemplar(world: object) -> None:
    assert regen.api.exemplar_image("cat.png").shape == (1, 3, 40, 50)
    with pytest.raises(ImageError, match=r"edits\[0\]: dog.png does not exist"):
        regen.api.exemplar_image("dog.png", within="edits[0]")
