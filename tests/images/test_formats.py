"""`regen.images.formats`: which formats are read, and that nothing else runs."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from PIL import EpsImagePlugin, Image

from regen.errors import ImageError
from regen.images import load_image
from regen.images.formats import FORMATS

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(40)


@pytest.mark.parametrize("data", [EPS, b"\n  " + EPS, b"\xc5\xd0\xd3\xc6" + bytes(40)])
def test_postscript_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_: pytest.fail("Ghostscript"))
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a program"))
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ImageError, match=r"a\.png is PostScript, which is not read; save it as"):
        load_image(tmp_path / "a.png", size=8)


def test_nothing_is_read_but_what_is_listed() -> None:
    Image.init()
    read = 0
    for name in sorted(set(Image.SAVE) - {"PDF", "PALM", "XBM", "MSP", "IM"}):
        file = io.BytesIO()
        try:
            Image.new("RGB", (16, 16)).save(file, name)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # of another mode, or not to be saved here
        if name in (*FORMATS, "MPO", "JPEG2000"):
            read += 1
        if name in FORMATS:
            assert load_image(file.getvalue()).shape == (1, 3, 16, 16)
        elif name not in ("MPO", "SPIDER"):
            with pytest.raises(ImageError):
                load_image(file.getvalue())
    assert read >= 8


def test_a_heic_image_without_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError) as caught:
        load_image(HEIC)
    assert str(caught.value) == (
        "the embedded image is a HEIC image, for which pillow-heif is not installed; "
        "run `pip install pillow-heif`, or save it as PNG or JPEG"
    )


def test_a_heic_image_with_its_reader() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), (255, 0, 0))).save(file)
    image = load_image(file.getvalue())
    assert image.shape == (1, 3, 48, 64) and image[0, 0].mean() > 0.9 > image[0, 1].mean()
    with pytest.raises(ImageError, match="the embedded image is a damaged HEIC image; save it"):
        load_image(HEIC)
