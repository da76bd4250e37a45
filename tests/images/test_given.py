"""`regen.images.given`: images of Pillow, arrays and tensors as sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from regen.errors import ImageError
from regen.images import load_image, load_mask
from regen.images.given import checked, image_source, mask_source

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
EXPECTED = torch.from_numpy(PIXELS).permute(2, 0, 1)[None] / 127.5 - 1


@pytest.mark.parametrize(
    "image",
    [
        PIXELS,
        PIXELS.astype(np.int64),
        PIXELS / 255,
        (PIXELS / 255).astype(np.float32),
        Image.fromarray(PIXELS),
        EXPECTED,
        EXPECTED[0].double(),
    ],
    ids=lambda image: f"{type(image).__name__} {getattr(image, 'dtype', '')}",
)
def test_an_image_at_hand_keeps_its_pixels(image: object) -> None:
    torch.testing.assert_close(load_image(image_source(image)), EXPECTED)


@pytest.mark.parametrize("source", ["cat.png", Path("cat.png"), b"bytes", "data:image/png;base64,"])
def test_sources_stay_as_they_are(source: object) -> None:
    assert image_source(source) is source


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK", "HSV", "PA", "F"])
def test_every_mode_of_pillow_is_taken(mode: str) -> None:
    image = (
        Image.new("L", (3, 2)).convert(mode) if mode not in ("I;16",) else Image.new(mode, (3, 2))
    )
    assert load_image(image_source(image)).shape == (1, 3, 2, 3)


@pytest.mark.parametrize(
    ("mode", "level"),
    [("F", 0.5), ("F", 100.0), ("I", 30_000), ("I", 100), ("I;16", 30_000), ("I;16B", 30_000)],
)
def test_numbers_of_pillow_are_scaled_as_those_of_a_file(
    mode: str, level: float, tmp_path: Path
) -> None:
    image = Image.new(mode, (3, 2), level)
    image.save(tmp_path / "image.tiff")
    of_file = load_image(tmp_path / "image.tiff")
    assert torch.equal(load_image(image_source(image)), of_file)
    assert -1 < of_file.mean() < 1


@pytest.mark.parametrize("mode", ["La", "RGBa"])
def test_what_is_transparent_in_other_modes_is_white(mode: str) -> None:
    assert (load_image(image_source(Image.new(mode, (3, 2)))) == 1).all()


def test_images_of_pillow_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(
        tmp_path / "a.jpg"
    )
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "short.jpg").write_bytes(whole[: len(whole) // 2])
    message = "image of Pillow cannot be read, .* is truncated"
    with Image.open(tmp_path / "short.jpg") as short, pytest.raises(ImageError, match=message):
        image_source(short)
    with Image.open(tmp_path / "a.jpg") as closed:
        pass
    with pytest.raises(ImageError, match="cut short or closed: "):
        image_source(closed)
    with pytest.raises(ImageError, match="image: got 0 x 5 pixels, expected at least one pixel"):
        image_source(Image.new("RGB", (0, 5)))


def test_an_image_of_pillow_is_turned_upright() -> None:
    image = Image.fromarray(PIXELS)
    image.getexif()[0x0112] = 6
    upright = load_image(image_source(image))
    assert upright.shape == (1, 3, 6, 4)
    torch.testing.assert_close(upright[0], EXPECTED[0].flip(1).transpose(1, 2))


def test_grey_and_transparent_arrays() -> None:
    grey = load_image(image_source(PIXELS[..., :1]))
    torch.testing.assert_close(grey, EXPECTED[:, :1].expand(-1, 3, -1, -1))
    clear = np.concatenate([PIXELS, np.zeros_like(PIXELS[..., :1])], axis=2)
    assert (load_image(image_source(clear)) == 1).all()


MASK = np.array([[0, 1, 1], [0, 0, 1]])


@pytest.mark.parametrize(
    "mask",
    [
        MASK.astype(bool),
        MASK.astype(np.float32),
        (255 * MASK).astype(np.uint8),
        MASK[None, None].astype(float),
        Image.fromarray((255 * MASK).astype(np.uint8)),
        torch.from_numpy(MASK).bool(),
        torch.from_numpy(MASK)[None, None].float(),
        torch.from_numpy(255 * MASK).byte(),
        torch.from_numpy(MASK).bfloat16(),
    ],
    ids=lambda mask: f"{type(mask).__name__} {getattr(mask, 'dtype', '')}",
)
def test_a_mask_at_hand_keeps_what_is_inside(mask: object) -> None:
    assert load_mask(mask_source(mask))[0, 0].tolist() == MASK.tolist()


def test_soft_masks_are_rounded_to_bytes() -> None:
    soft = torch.linspace(0, 1, 12).view(3, 4)
    torch.testing.assert_close(load_mask(mask_source(soft))[0, 0], soft, atol=1 / 509, rtol=0)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (3, "image: got int, expected a path, bytes, a data URI, an image of Pillow, an array or"),
        (np.zeros((3, 8, 8)), r"array: got shape \[3, 8, 8\], expected \[H, W\], \[H, W, 3\] or"),
        (np.zeros((0, 8, 3)), r"array: got shape \[0, 8, 3\]"),
        (PIXELS.astype(float), "of float64: got values from 1 to 248, expected whole .* or floats"),
        (
            PIXELS / 127.5 - 1,
            "got values from -0.9922 to .*; scale it; tensors, not arrays, are in",
        ),
        (np.full((2, 2), 300), "array of int64: got values from 300 to 300"),
        (np.full((2, 2), np.nan), "array of float64: got values from nan to nan"),
        (np.full((2, 2), "a"), "array: got <U1, expected numbers"),
        (
            torch.zeros(2, 3, 4, 4),
            r"got \[2, 3, 4, 4\], expected .*; take one of them, images\[0\]",
        ),
        (torch.zeros(4, 4, 3), r"image: got \[4, 4, 3\], expected \[3, H, W\] or \[1, 3, H, W\]$"),
        (torch.zeros(3, 4, 4).byte(), "pixels: got uint8, expected floating-point .*; divide"),
        (torch.full((3, 4, 4), 255.0), "pixels: got values from 255 to 255, expected -1 to 1; div"),
        (torch.full((3, 4, 4), torch.nan), "pixels: got values from nan to nan"),
        (torch.zeros(3, 4, 4) * 1j, "pixels: got complex64, expected floating-point .*; make them"),
        (
            torch.zeros(3, 4, 4).to(torch.float8_e5m2),
            "pixels: got float8_e5m2, .*; make them float",
        ),
    ],
)
def test_what_is_no_image_is_refused(image: object, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        image_source(image)


FLAT = torch.zeros(4, 4)


@pytest.mark.filterwarnings("ignore")  # torch says that some kinds are not stable
@pytest.mark.parametrize(
    ("make", "got"),
    [
        (FLAT.to_sparse, "a tensor in the layout sparse_coo, .*; `to_dense"),
        (FLAT.to_sparse_csr, "a tensor in the layout sparse_csr, .*; `to_dense"),
        (FLAT.to_mkldnn, "a tensor in the layout mkldnn, .*; `to_dense"),
        (
            lambda: torch.quantize_per_tensor(FLAT, 0.1, 0, torch.quint8),
            "a quantised tensor, .*; `dequantize",
        ),
        (lambda: FLAT.to("meta"), "a tensor on the device meta, which has no numbers"),
        (lambda: torch.nested.nested_tensor([FLAT]), "a nested tensor, .*; take one of its"),
    ],
)
def test_tensors_of_other_kinds_are_told(make: Callable[[], torch.Tensor], got: str) -> None:
    with pytest.raises(ImageError, match=f"^image: got {got}"):
        image_source(make())
    with pytest.raises(ImageError, match=f"^mask: got {got}"):
        mask_source(make())


def test_the_imaginary_part_of_numbers_is_a_mask() -> None:
    part = torch.complex(torch.zeros(2, 3), -torch.from_numpy(MASK).float()).conj().imag
    assert part.is_neg() and load_mask(mask_source(part))[0, 0].tolist() == MASK.tolist()


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((4, 4, 3)), r"mask: got shape \[4, 4, 3\], expected \[H, W\]"),
        (torch.zeros(3, 4, 4), r"mask: got shape \[3, 4, 4\], expected \[H, W\]"),
        (torch.zeros(5), r"mask: got shape \[5\], expected \[H, W\]"),
        (torch.full((4, 4), 255.0), "mask: array of float32: got values from 255 to 255"),
        (torch.zeros(4, 4) * 1j, "mask: array: got complex64, expected numbers"),
        (None, "mask: got NoneType"),
    ],
)
def test_what_is_no_mask_is_refused(mask: object, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        mask_source(mask)


def test_a_generators_images_may_leave_the_range_a_little() -> None:
    image = torch.full((3, 2, 2), 3.0)
    assert torch.equal(checked(image, "image"), image)
