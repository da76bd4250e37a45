from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from regen.errors import ImageError, TrainingError
from regen.images import folder as folder_module
from regen.images.folder import read_folder


def image(seed: int, width: int = 20, height: int = 20) -> Image.Image:
    pixels = np.random.RandomState(seed).randint(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for seed in (1, 2):
        image(seed).save(tmp_path / f"{seed}.png")
    return tmp_path


def test_sound_images_have_no_findings(place: Path) -> None:
    found = read_folder(place, 16, sizes=(16,))
    assert found.images.shape == (2, 3, 16, 16) and found.images.dtype == torch.uint8
    assert found.names == ("1.png", "2.png") and found.findings == ()
    assert found.report() == "2 images of 16x16 to train on"


def test_every_kind_of_finding_in_one_list(place: Path) -> None:
    (place / "3_broken.jpg").write_bytes(b"\xff\xd8\xff nonsense")
    image(3, 8, 40).save(place / "4_small.png")
    image(4, 40, 20).save(place / "5_wide.png")
    image(1).save(place / "6_again.bmp")  # another file, the same pixels
    image(5).convert("L").save(place / "7_grey.png")
    image(6).convert("CMYK").save(place / "8_cmyk.jpg")
    clear = image(7)
    clear.putalpha(128)
    clear.save(place / "9_clear.png")
    (place / "notes.txt").write_text("no image")
    found = read_folder(place, 16, sizes=(16,))
    assert found.names == (
        "1.png",
        "2.png",
        "5_wide.png",
        "7_grey.png",
        "8_cmyk.jpg",
        "9_clear.png",
    )
    assert found.report().splitlines() == [
        "6 images of 16x16 to train on",
        "  1 file without an image suffix: left out (notes.txt)",
        "  1 file cannot be read (is not an image in a known format): left out (3_broken.jpg)",
        "  1 file smaller than 16 pixels: left out; --enlarge keeps them, blurred (4_small.png)",
        "  1 file not square: only the middle is used (5_wide.png)",
        "  1 file the same image as 1.png: left out (6_again.bmp)",
        "  1 file not in RGB (grey): converted to RGB (7_grey.png)",
        "  1 file not in RGB (CMYK): converted to RGB (8_cmyk.jpg)",
        "  1 file with transparency: laid over white (9_clear.png)",
    ]


def test_many_files_are_named_in_part(place: Path) -> None:
    for i in range(5):
        (place / f"broken{i}.png").write_bytes(b"none")
    (finding,) = read_folder(place, 16, sizes=(16,)).findings
    problem = "5 files cannot be read (is not an image in a known format): left out"
    assert str(finding) == f"{problem} (broken0.png, broken1.png, broken2.png and 2 more)"
    every = ", ".join(f"broken{i}.png" for i in range(5))
    assert (
        read_folder(place, 16, sizes=(16,))
        .report(every_name=True)
        .endswith(f"\n  {problem} ({every})")
    )


def test_what_is_skipped_is_reported(place: Path) -> None:
    (place / "more").mkdir()
    (place / "empty.png").touch()
    (place / "photo.xcf").write_bytes(b"")
    (place / ".hidden").write_bytes(b"")
    assert [str(finding) for finding in read_folder(place, 16, sizes=(16,)).findings] == [
        "1 file that is a folder: skipped (more)",
        "1 file without an image suffix: left out (photo.xcf)",
        "1 file cannot be read (is empty): left out (empty.png)",
    ]


def test_a_size_that_small_images_have_is_proposed(place: Path) -> None:
    found = read_folder(place, 16, sizes=(16, 32, 64))
    assert found.findings == ()
    with pytest.raises(TrainingError, match=r"--enlarge keeps them, blurred, --size 16 as they"):
        read_folder(place, 64, sizes=(16, 32, 64))


def test_the_middle_is_kept(tmp_path: Path) -> None:
    pixels = np.zeros((16, 48, 3), np.uint8)
    pixels[:, 16:32] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image(1).save(tmp_path / "b.png")
    first = read_folder(tmp_path, 16).images[0]
    assert first.unique().tolist() == [200]


def test_small_images_can_be_enlarged(place: Path) -> None:
    image(3, 8, 8).save(place / "small.png")
    found = read_folder(place, 16, enlarge=True)
    assert len(found.images) == 3
    assert str(found.findings[0]) == (
        "1 file smaller than 16 pixels: enlarged, so blurred (small.png)"
    )


def test_the_digest_is_that_of_the_images(place: Path) -> None:
    before = read_folder(place, 16, sizes=(16, 32, 64)).digest
    assert read_folder(place, 16, sizes=(16, 32, 64)).digest == before
    image(3).save(place / "3.png")
    assert read_folder(place, 16, sizes=(16, 32, 64)).digest != before


def test_progress_counts_every_file(place: Path) -> None:
    seen: list[int] = []
    read_folder(place, 16, on_file=lambda: seen.append(1))
    assert len(seen) == 2


def test_folders_that_cannot_be_trained_on(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none is not a folder: expected a folder of images"):
        read_folder(tmp_path / "none", 16)
    (tmp_path / "a").mkdir()
    with pytest.raises(ImageError, match=r"a has no images: expected \.avif, "):
        read_folder(tmp_path / "a", 16)
    image(1).save(tmp_path / "a" / "1.png")
    (tmp_path / "a" / "2.png").write_bytes(b"broken")
    with pytest.raises(TrainingError) as raised:
        read_folder(tmp_path / "a", 16)
    assert str(raised.value).endswith(
        "images to train on: got 1; 1 file cannot be read (is not an image in a known format): "
        "left out (2.png), expected at least 2"
    )


MEASURED = """
import sys
from pathlib import Path
from regen.images.folder import read_folder
from regen.runs.timing import peak_memory_mb

folder = Path(sys.argv[1])
read_folder(folder / "few", 512)
before = peak_memory_mb()
images = read_folder(folder / "many", 512).images
print(images.nbytes / 1e6, peak_memory_mb() - before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the peak of memory is not known there")
def test_images_are_held_once(tmp_path: Path) -> None:
    for name, count in (("few", 2), ("many", 100)):
        (tmp_path / name).mkdir()
        for i in range(count):
            Image.new("RGB", (512, 512), (i, 0, 0)).save(tmp_path / name / f"{i}.png")
    words = [sys.executable, "-c", MEASURED, str(tmp_path)]
    result = subprocess.run(words, capture_output=True, text=True, check=True)
    needed, taken = map(float, result.stdout.split())
    assert needed > 78 and taken < 1.4 * needed


def test_more_than_memory_holds(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module.os, "sysconf", lambda name: 30)
    with pytest.raises(TrainingError, match=r"2 images of 16x16 in memory: got 0\.0 GB"):
        read_folder(place, 16, sizes=(16, 32, 64))
