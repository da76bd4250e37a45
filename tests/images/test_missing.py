"""`regen.images.missing`: JPEGs cut and closed, or zeroed, and whole files that look like it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from regen.errors import ImageError
from regen.images import data_uri, load_image, load_layers, load_mask
from regen.images.brought import bring
from regen.images.folder import read_folder
from regen.images.jpeg import segments
from regen.images.missing import what_is_missing
from regen.images.scans import bits_left

END = b"\xff\xd9"
BLURRED = "its last scans are missing, without which it is blurred; copy it again, or save it as "


def photograph(mode: str = "RGB") -> Image.Image:
    """Smooth, with some noise, and nowhere grey."""
    y, x = np.mgrid[0:90, 0:120]
    bands = [np.sin(x / 17 + band) * 40 + np.cos(y / 13) * 20 + 190 for band in range(3)]
    noise = np.random.default_rng(0).normal(0, 4, (90, 120, 3))
    pixels = (np.stack(bands, -1) + noise).clip(150, 255).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


def half_grey() -> Image.Image:
    """As if its lower half were missing."""
    image = photograph()
    image.paste((128, 128, 128), (0, 45, 120, 90))
    return image


def encoded(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def refused(data: bytes) -> str:
    """What is said of a file that was cut and closed."""
    with pytest.raises(
        ImageError, match="cannot be decoded, it may be damaged or cut short"
    ) as seen:
        load_image(data + END)
    return str(seen.value)


def cut(data: bytes, kept: float) -> bytes:
    """A file without what is behind a part of its bytes, closed with an end mark."""
    return data[: int(kept * len(data))] + END


JPEGS: dict[str, Callable[[Image.Image], bytes]] = {
    "baseline": encoded,
    "not subsampled": partial(encoded, subsampling=0, quality=100),
    "restarting": partial(encoded, restart_marker_blocks=3),
    "grey": lambda image: encoded(image.convert("L")),
    "CMYK": lambda image: encoded(image.convert("CMYK")),
    "followed by another": lambda image: encoded(image) + encoded(image)[:-40] + END,
}


@pytest.mark.parametrize("kept", [0.7, 0.75, 0.8, 0.9, 0.97])
@pytest.mark.parametrize("kind", [name for name in JPEGS if name != "followed by another"])
def test_a_jpeg_that_is_cut_and_closed_is_refused(kind: str, kept: float) -> None:
    message = "cannot be decoded, it may be damaged or cut short: its data end before its last pix"
    with pytest.raises(ImageError, match=f"{message}el; copy it again, or save it as PNG or JPEG"):
        load_image(cut(JPEGS[kind](photograph()), kept))


@pytest.mark.parametrize(("options", "last"), [({}, 60), ({"restart_marker_blocks": 3}, 120)])
def test_every_length_but_for_the_last_blocks(options: dict[str, Any], last: int) -> None:
    data = encoded(photograph(), **options)
    first = data.rindex(b"\xff\xda") + 14  # where the scan's data begin
    for length in range(first, len(data) - last):
        with pytest.raises(ImageError):
            load_image(data[:length] + END)


def test_a_large_jpeg_that_is_decoded_at_a_fraction() -> None:
    data = encoded(photograph().resize((4_800, 3_600)))
    assert load_image(data, size=32).shape == (1, 3, 32, 32)
    with pytest.raises(ImageError, match="its data end before its last pixel"):
        load_image(cut(data, 0.6), size=32)


def scan_starts(data: bytes) -> list[int]:
    """Where the scans of a JPEG begin, each with its tables, and where the last ends."""
    marks = [(marker, at - 2) for marker, at, _ in segments(data)]
    first = next(at for marker, at in marks if marker == 0xDA)
    after = [at for (before, _), (_, at) in pairwise(marks) if before == 0xDA]
    return [first, *after, len(data) - len(END)]


@pytest.mark.parametrize("kind", ["RGB", "L", "CMYK"])
def test_a_progressive_jpeg_is_refused_until_only_last_bits_are_missing(kind: str) -> None:
    """Whole files lack them too, and there is no telling in the middle of the very last scan."""
    data = encoded(photograph(kind), progressive=True)
    *starts, whole_end = scan_starts(data)
    for start, end in pairwise(starts):
        if bits_left(data[:end] + END) > 1:
            assert BLURRED in refused(data[:end])
        else:
            whole, blurred = load_image(data), load_image(data[:end] + END)
            assert (blurred - whole).abs().mean() < 0.05
        refused(data[: (start + end) // 2])
    load_image(data[: whole_end - 1] + END)


def one_by_one(order: Sequence[int]) -> bytes:
    """Each component in a scan of its own, made of files of one component."""
    files = [encoded(plane) for plane in photograph("YCbCr").split()]
    head, scans = b"\xff\xd8", []
    for marker, at, end in segments(files[0]):
        content = files[0][at:end]
        if marker == 0xC0:
            components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
            content = b"\0\x11" + content[2:7] + b"\x03" + components
        if marker != 0xDA:
            head += bytes([0xFF, marker]) + content
    for file in files:
        scans += [file[at + 8 : end] for marker, at, end in segments(file) if marker == 0xDA]
    parts = [b"\xff\xda\0\x08\x01" + bytes([i + 1, 0, 0, 63, 0]) + scans[i] for i in order]
    return head + b"".join(parts) + END


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0)], ids=["colours last", "colours first"])
def test_a_jpeg_of_several_scans_is_whole_or_refused(order: Sequence[int]) -> None:
    data = one_by_one(order)
    exact = torch.from_numpy(np.array(photograph())).permute(2, 0, 1)[None] / 127.5 - 1
    assert (load_image(data) - exact).abs().mean() < 0.03
    assert torch.equal(load_image(data + b"motion" * 99), load_image(data))
    *_, start, end = scan_starts(data)
    for kept in (0.05, 0.3, 0.6, 0.9):
        said = refused(data[: start + 10 + int(kept * (end - start - 10))])
        assert "its data end before its last pixel; copy it again" in said
    assert "its last scans are missing, and some of its colours; copy it" in refused(data[:start])


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(
    "options", [{}, {"optimize": True}, {"restart_marker_rows": 1}, {"subsampling": 0}], ids=str
)
def test_a_jpeg_of_which_a_sector_has_become_zeros_is_refused(
    options: dict[str, Any], at: float
) -> None:
    data = encoded(photograph().resize((480, 360)), quality=95, **options)
    place = int(at * len(data)) // 512 * 512
    with pytest.raises(ImageError, match="cut short: a part of its data has become zeros; copy it"):
        load_image(data[:place] + bytes(512) + data[place + 512 :])


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (128, 128, 128), (9, 99, 200)])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_flat_jpeg_is_read_whose_data_are_zeros(
    colour: tuple[int, int, int], progressive: bool
) -> None:
    flat = Image.new("RGB", (640, 640), colour)
    data = encoded(flat, optimize=True, progressive=progressive)
    assert bytes(256) in data
    assert load_image(data).std() < 1


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("make", [photograph, half_grey], ids=["photograph", "half grey"])
@pytest.mark.parametrize("tail", [b"", b"motion" * 99, END, bytes(5_000)])
def test_whole_jpegs_are_read(kind: str, make: Callable[[], Image.Image], tail: bytes) -> None:
    assert load_image(JPEGS[kind](make()) + tail).shape == (1, 3, 90, 120)


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("JPEG", {"progressive": True}),
        ("MPO", {"save_all": True, "append_images": [photograph()]}),
        ("GIF", {"save_all": True, "append_images": [photograph()]}),
        ("PNG", {"save_all": True, "append_images": [photograph()]}),
        ("WEBP", {"save_all": True, "append_images": [photograph()], "lossless": True}),
    ],
)
def test_other_whole_files_that_end_grey_show_their_first_image(
    format: str, options: dict[str, Any]
) -> None:
    image = load_image(encoded(half_grey(), format, **options))
    assert image[..., 60:, :].abs().max() < 0.1 < image[..., :40, :].mean()


def test_of_several_images_in_a_file_the_first_must_be_whole() -> None:
    data = encoded(half_grey(), "MPO", save_all=True, append_images=[photograph()])
    first = data.index(END) + len(END)
    assert load_image(data[: first + 300]).shape == (1, 3, 90, 120)
    with pytest.raises(ImageError, match="cut short"):
        load_image(data[: first - 300])


def test_sixteen_bits_of_grey_are_no_jpeg() -> None:
    grey = Image.fromarray(np.full((8, 8), 32768, np.uint16))
    assert load_image(encoded(grey, "PNG")).abs().max() < 1e-4


READERS: dict[str, Callable[[Path], object]] = {
    "an image": load_image,
    "an image resized": partial(load_image, size=16),
    "an image and its opacity": load_layers,
    "a mask": load_mask,
    "an embedded image": data_uri,
    "an image brought along": lambda path: bring(path, 64),
}


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("kind", READERS)
def test_every_reader_refuses_what_is_cut(
    tmp_path: Path, kind: str, format: str, closed: bool
) -> None:
    data = cut(encoded(photograph(), format), 0.75)
    (tmp_path / "a").write_bytes(data if closed else data[: -len(END)])
    with pytest.raises(ImageError, match="a cannot be decoded, it may be damaged or cut short"):
        READERS[kind](tmp_path / "a")


def test_a_folder_to_train_on_leaves_it_out(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        Image.fromarray(np.full((16, 16, 3), int(name[0]), np.uint8)).save(tmp_path / name)
    (tmp_path / "3.jpg").write_bytes(cut(encoded(photograph()), 0.75))
    (finding,) = read_folder(tmp_path, 16).findings
    assert str(finding) == "1 file cannot be read (cannot be decoded): left out (3.jpg)"


def test_only_a_grey_corner_is_looked_at_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regen.images.missing.with_filler", lambda data: pytest.fail("twice"))
    data = encoded(photograph())
    with Image.open(io.BytesIO(data)) as image:
        assert what_is_missing(image, io.BytesIO(data)) == ""


def test_what_is_not_made_of_segments_is_left_to_the_decoder() -> None:
    image = Image.new("L", (8, 8), 128)
    assert what_is_missing(image, io.BytesIO(b"no JPEG")) == ""
    image.info["progressive"] = 1
    assert what_is_missing(image, io.BytesIO(b"\xff\xd8\xff\xc2\0\2\xff\xda\0\2")) == ""
