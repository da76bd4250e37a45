"""`regen.images.reducing`: a large image, strip by strip, is what it would have been at once."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from regen.images import decoding, levels, load_image
from regen.images.reducing import Wanted


def waves(height: int, width: int) -> np.ndarray:
    """A smooth image with detail at some pixels."""
    y, x = np.mgrid[:height, :width] / 40
    return np.stack([np.sin(x), np.cos(y), np.sin(x + y)], 2) * 120 + 128


def encoded(kind: str) -> bytes:
    pixels = waves(310, 500).astype(np.uint8)
    image = Image.fromarray(pixels)
    if kind == "RGBA":
        image.putalpha(Image.fromarray(pixels[:, :, 1]))
    elif kind == "grey 16":
        image = Image.fromarray((waves(310, 500)[:, :, 0] * 256).astype(np.uint16))
    elif kind == "palette":
        image = image.quantize()
    exif = Image.Exif()
    exif[0x0112] = 6 if kind == "turned" else 1
    file = io.BytesIO()
    image.save(file, "JPEG" if kind in ("JPEG", "turned") else "PNG", exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
@pytest.mark.parametrize("kind", ["RGB", "RGBA", "grey 16", "palette", "JPEG", "turned"])
def test_strips_change_next_to_nothing(
    monkeypatch: pytest.MonkeyPatch, kind: str, fit: str
) -> None:
    data = encoded(kind)
    whole = load_image(data, size=(20, 30), fit=fit)  # type: ignore[arg-type]
    monkeypatch.setattr(decoding, "LARGE_PIXELS", 1000)
    monkeypatch.setattr(levels, "STRIP_PIXELS", 4000)
    reduced = load_image(data, size=(20, 30), fit=fit)  # type: ignore[arg-type]
    assert reduced.shape == whole.shape
    assert (reduced - whole).abs().mean() < 0.02
    assert torch.nn.functional.mse_loss(reduced, whole).sqrt() < 0.05


def test_what_is_cut_off_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "LARGE_PIXELS", 1000)
    image = decoding.decode(encoded("RGB"), wanted=Wanted(10, 10, "cover"))
    assert image.size == (31, 31)  # of 500 x 310: the middle, by ten
    image = decoding.decode(encoded("RGB"), wanted=Wanted(10, 10, "stretch"))
    assert image.size == (31, 31)
    image = decoding.decode(encoded("turned"), wanted=Wanted(10, 100, "stretch"))
    assert image.size[0] < 100 < 300 < image.size[1]
