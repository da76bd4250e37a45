"""`regen.images.collection`: a folder, a zip, and what dataset_tool writes."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from regen.errors import ImageError, TrainingError
from regen.images import collection
from regen.images.folder import read_folder


def png(seed: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 20, 3), np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


FILES = {
    "00000/img00000000.png": png(0),
    "00000/img00000001.png": png(1),
    "00001/img00000002.png": png(2),
}
LABELS = json.dumps({"labels": [[name, i] for i, name in enumerate(FILES)]}).encode()


def zipped(place: Path, files: dict[str, bytes], **options: int) -> Path:
    with zipfile.ZipFile(place, "w", **options) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return place


def folder(place: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return place


@pytest.mark.parametrize("labels", [LABELS, b'{"labels": null}', b'{"labels": []}', b"\xff[["])
def test_what_dataset_tool_writes(tmp_path: Path, labels: bytes) -> None:
    files = {**FILES, "dataset.json": labels}
    one = read_folder(zipped(tmp_path / "a.zip", files), 16)
    two = read_folder(folder(tmp_path / "a", files), 16)
    assert one.names == two.names == tuple(FILES)
    assert torch.equal(one.images, two.images) and one.digest == two.digest
    said = (
        "1 file with classes: classes are not trained, all images are treated alike (dataset.json)"
    )
    for found in (one, two):
        assert [str(finding) for finding in found.findings] == ([said] if labels == LABELS else [])


def test_folders_in_a_plain_folder_are_not_looked_into(tmp_path: Path) -> None:
    place = folder(tmp_path, {**FILES, "a.png": png(3), "b.png": png(4)})
    assert read_folder(place, 16).names == ("a.png", "b.png")


def test_what_is_wrong_in_a_zip_is_a_finding(tmp_path: Path) -> None:
    files = {
        **FILES,
        "notes.txt": b"",
        "bad.png": b"x",
        ".hidden/a.png": b"",
        "__MACOSX/a.png": b"",
    }
    files["odd\x1b[2J.png"] = b"nothing"
    found = read_folder(zipped(tmp_path / "a.zip", files), 16)
    assert [str(finding) for finding in found.findings] == [
        "1 file without an image suffix: left out (notes.txt)",
        "2 files cannot be read (is not an image in a known format): left out "
        "(bad.png, odd\\x1b[2J.png)",
    ]


def test_a_zip_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "MAX_ENTRY_BYTES", 100_000)
    files = {**FILES, "bomb.png": bytes(200_000)}
    place = zipped(tmp_path / "a.zip", files, compression=zipfile.ZIP_DEFLATED)
    (finding,) = read_folder(place, 16).findings
    assert str(finding) == "1 file cannot be read (is too large): left out (bomb.png)"


def test_damaged_zips_are_refused(tmp_path: Path) -> None:
    data = zipped(tmp_path / "a.zip", FILES).read_bytes()
    place = tmp_path / "b.zip"
    for length in range(0, len(data), 97):
        place.write_bytes(data[:length])
        with pytest.raises(ImageError, match="b.zip is not a folder, and not a zip of images: exp"):
            read_folder(place, 16)
    for at in range(0, len(data), 13):
        place.write_bytes(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        with suppress(ImageError, TrainingError):
            assert len(read_folder(place, 16).images) >= 2
    with pytest.raises(ImageError, match="c.zip has no images"):
        read_folder(zipped(tmp_path / "c.zip", {"a.txt": b""}), 16)
