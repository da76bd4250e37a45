"""`regen.runs.generate`: what `tests/cli/test_generate.py` does not see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from regen.errors import GeneratorError
from regen.generators.munit.source import read_sample
from regen.generators.protocol import Generator
from regen.generators.rfr.files import save_rfr
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images import load_image, save_image
from regen.images.sheets import draw_cells
from regen.runs import generate
from regen.runs.generate import GenerateSettings, generate_images
from tests.helpers.rfr import lively
from tests.helpers.stylegan2 import tiny_generator


@pytest.mark.parametrize(
    ("seeds", "truncation", "problem"),
    [
        ((), 1.0, "^seeds: got none, expected at least one$"),
        ((1,), -10.5, "^truncation: got -10.5, expected -10 to 10$"),
        ((1,), float("nan"), "^truncation: got nan, expected -10 to 10$"),
    ],
)
def test_a_drawing_is_checked(seeds: tuple[int, ...], truncation: float, problem: str) -> None:
    with pytest.raises(GeneratorError, match=problem):
        GenerateSettings(seeds, truncation=truncation)


def test_images_that_overflow_are_not_saved_as_black(tmp_path: Path) -> None:
    generator = StyleGAN2(StyleGAN2Config(resolution=8, z_dim=4, w_dim=4, channel_max=4))
    for parameter in generator.parameters():
        parameter.data.fill_(3e38)
    save_stylegan2(tmp_path / "g.safetensors", generator, card={})
    with pytest.raises(GeneratorError, match=r"seed0001.png: pixels: got NaN, expected numbers; w"):
        generate_images(tmp_path / "g.safetensors", [], GenerateSettings((1,)), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """An inpainting generator, two photographs of different sizes, and their masks."""
    save_rfr(tmp_path / "g.safetensors", lively(), card={})
    for name, size in (("a", (40, 40)), ("b", (64, 80))):
        for kind in ("photos", "masks"):
            (tmp_path / kind).mkdir(exist_ok=True)
        save_image(tmp_path / "photos" / f"{name}.png", torch.rand(1, 3, *size) * 2 - 1)
        mask = -torch.ones(1, 3, *size)
        mask[..., 10:20, 10:20] = 1
        save_image(tmp_path / "masks" / f"{name}.png", mask)
    return tmp_path


def test_holes_in_photographs_are_filled(photos: Path) -> None:
    settings = GenerateSettings((), images=photos / "photos", holes=photos / "masks")
    files = generate_images(photos / "g.safetensors", [], settings, photos / "out")
    assert [path.name for path in files] == ["a.png", "b.png", "grid.png"]
    a, b, sheet = map(load_image, files)
    assert a.shape == (1, 3, 32, 32) and b.shape == (1, 3, 32, 40) and sheet.shape[3] == 2 * 86 - 6
    given = load_image(photos / "photos" / "a.png", size=32, fit="stretch")
    known = torch.ones(32, 32, dtype=torch.bool)
    known[8:16, 8:16] = False
    assert (a - given).abs()[..., known].max() < 1 / 127
    assert (a - given).abs()[..., ~known].mean() > 0.05


def test_the_sheet_names_every_image(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[list[tuple[int, int]], list[str]]] = []

    def drawing(images: list[Image.Image], labels: list[str], columns: int) -> Image.Image:
        drawn.append(([image.size for image in images], labels))
        return draw_cells(images, labels, columns)

    monkeypatch.setattr(generate, "draw_cells", drawing)
    settings = GenerateSettings((), images=photos / "photos", holes=photos / "masks")
    generate_images(photos / "g.safetensors", [], settings, photos / "out")
    assert drawn == [([(32, 32), (40, 32)], ["a.png", "b.png"])]


def test_one_mask_for_all_and_a_part_of_nobody(photos: Path) -> None:
    mask = str(photos / "masks" / "a.png")
    settings = GenerateSettings((1,), images=photos / "photos", hole=mask, grow=1, passes=2)
    files = generate_images(photos / "g.safetensors", [], settings, photos / "out")
    assert [path.name for path in files] == ["b.png", "grid.png"]
    nose = GenerateSettings((), images=photos / "photos", hole="nose")
    with pytest.raises(GeneratorError, match=r"a.png: a part of a face by its name: got an image"):
        generate_images(photos / "g.safetensors", [], nose, photos / "other")
    assert not (photos / "other").exists()


@pytest.mark.parametrize("settings", [{"seeds": (1,)}, {"seeds": (), "images": "a", "hole": "m"}])
def test_masks_need_images_and_no_other_hole(settings: dict, tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match="folder of masks: got "):
        GenerateSettings(**settings, holes=tmp_path)


def test_a_margin_needs_a_hole(tmp_path: Path) -> None:
    message = "grow: got 3, without a hole, expected a hole that it enlarges; name one with --hole"
    for more in ({}, {"images": tmp_path, "holes": tmp_path}):
        with pytest.raises(GeneratorError, match=message):
            GenerateSettings((1,), grow=3, **more)
    assert GenerateSettings((1,), hole="nose", grow=3).inputs()["grow"] == 3


SHARED_WORK = """
import sys
from pathlib import Path
from regen.generators.protocol import Generator
from regen.images.sheets import draw_cells
from regen.runs import generate

Generator.batch_size = 2
folder = Path(sys.argv[1])
settings = generate.GenerateSettings(tuple(range(7)))
files = generate.generate_images(folder / "g.safetensors", [], settings, folder / "two")
assert len(files) == 8 and all(file.parent == folder / "two" for file in files)
"""


def test_two_processes_share_the_images(
    in_two_processes: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_stylegan2(tmp_path / "g.safetensors", tiny_generator().eval(), card={})
    in_two_processes(SHARED_WORK)
    monkeypatch.setattr(Generator, "batch_size", 2)
    settings = GenerateSettings(tuple(range(7)))
    files = generate_images(tmp_path / "g.safetensors", [], settings, tmp_path / "one")
    assert [file.name for file in files][-1] == "grid.png" and len(files) == 8
    for file in files:
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file.name


def test_files_are_named_after_people_and_pictures_not_their_styles(tmp_path: Path) -> None:
    for request, name in (({"seed": 3, "style": 7}, "seed0003"), ({"picture": "dog.jpg"}, "dog")):
        assert generate._file_name(read_sample(request)) == name
