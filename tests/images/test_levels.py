"""`regen.images.levels`: which level is white, and masks of labels."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from regen.errors import ImageError
from regen.images import ImageWarning, load_image, load_mask


def tiff(levels: np.ndarray) -> bytes:
    return saved(Image.fromarray(levels), "TIFF")


def saved(image: Image.Image, format: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


def ramp(top: float, dtype: type = np.float32) -> np.ndarray:
    return np.linspace(0, top, 160 * 160).reshape(160, 160).astype(dtype)


@pytest.mark.parametrize("high", [1.02, 3.0, 255.0, 1e30])
def test_one_pixel_above_does_not_darken_the_others(high: float) -> None:
    levels = ramp(1)
    levels[3, 4] = high
    expected = torch.from_numpy(levels.clip(0, 1)) * 2 - 1
    torch.testing.assert_close(load_image(tiff(levels))[0, 0], expected)


@pytest.mark.parametrize(("top", "dtype"), [(255, np.float32), (255, np.int32)])
def test_levels_of_eight_bits_in_thirty_two(top: int, dtype: type) -> None:
    image = load_image(tiff(ramp(top, dtype)))
    assert -0.02 < image.mean() < 0.02 and image.max() == 1 and image.min() == -1


def test_levels_of_sixteen_bits_in_thirty_two() -> None:
    for dtype in (np.float32, np.int32):
        assert abs(load_image(tiff(ramp(65535, dtype))).mean().item()) < 0.02


def test_infinity_is_refused() -> None:
    for value in (np.inf, -np.inf):
        levels = ramp(1)
        levels[0, 0] = value
        with pytest.raises(ImageError, match="has pixels that are infinite; save it with levels"):
            load_image(tiff(levels))


@pytest.mark.parametrize(("missing", "share"), [(16, "10%"), (160, "100%")])
def test_what_is_not_a_number_is_said(missing: int, share: str) -> None:
    levels = ramp(1)
    levels[:missing] = np.nan
    with pytest.warns(ImageWarning) as notes:
        image = load_image(tiff(levels))
    assert [str(note.message).partition(": ")[2] for note in notes] == [
        f"{share} of its pixels are not a number, which is read as black"
    ]
    assert (image[0, 0, :missing] == -1).all()


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_nothing_untrue_is_said_of_black(dtype: type) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (load_image(tiff(np.zeros((8, 8), dtype))) == -1).all()


def test_clipping_and_darkness_are_said() -> None:
    levels = ramp(1)
    levels[:10] = 7
    with pytest.warns(ImageWarning, match="6% of its pixels are above 1, which is read as white"):
        load_image(tiff(levels))
    dark = Image.fromarray(np.full((4, 4), 200, np.uint16))
    message = "nearly black: its brightest pixel is 200, where 65535 is white"
    with pytest.warns(ImageWarning, match=message):
        load_image(saved(dark))


LABELS = np.zeros((8, 8), np.uint8)
LABELS[2:5, 3:7] = 1


def palette(*colours: int) -> Image.Image:
    image = Image.frombytes("P", (8, 8), LABELS.tobytes())
    image.putpalette(colours)
    return image


@pytest.mark.parametrize(
    "data",
    [
        saved(Image.fromarray(LABELS)),
        saved(Image.fromarray(LABELS.astype(np.uint16))),
        saved(palette(0, 0, 0, 1, 1, 1)),
        saved(palette(0, 0, 0, 128, 0, 0)),
        saved(palette(0, 0, 0, 0, 0, 255)),
        saved(Image.fromarray(LABELS).convert("RGB")),
        tiff(LABELS.astype(np.int32)),
    ],
    ids=["8 bits", "16 bits", "palette", "red palette", "blue palette", "RGB", "32 bits"],
)
def test_a_map_of_two_labels_is_a_mask(data: bytes) -> None:
    with pytest.warns(ImageWarning, match="is read as a map of the labels 0 and 1: 1 is inside"):
        mask = load_mask(data)
    assert torch.equal(mask[0, 0], torch.from_numpy(LABELS).float())


@pytest.mark.parametrize(
    "data",
    [
        saved(palette(0, 0, 0, 255, 255, 255)),
        saved(Image.fromarray(LABELS * 255)),
        tiff(LABELS.astype(np.float32)),
    ],
)
def test_other_masks_are_what_they_were(data: bytes) -> None:
    assert torch.equal(load_mask(data)[0, 0], torch.from_numpy(LABELS).float())


def test_grey_entries_of_a_palette_keep_their_level() -> None:
    assert load_mask(saved(palette(255, 255, 255, 102, 102, 102))).amin().item() == pytest.approx(
        0.4
    )


def test_a_mask_without_anything_white_is_said() -> None:
    with pytest.warns(ImageWarning, match="nearly black everywhere: 0.027 at most, where white"):
        load_mask(saved(Image.fromarray(LABELS * 7)))
