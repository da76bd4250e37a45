"""Whatever is wrong with a picture of an edits file: the message names the file and the place."""

from __future__ import annotations

import base64
import copy
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.editor.opening import document_from
from regen.edits.schema import read_edits
from regen.errors import RegenError
from regen.files.atomic import write_json
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images import ImageWarning, mask_to_png
from regen.rewriting.examples import load_examples
from tests.helpers.rfr import lively

URI = "data:image/png;base64,"
BOX = {"box": [2, 2, 9, 9]}


def declaring(width: int, height: int) -> str:
    """A PNG that says how large it is, as a data URI."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99)))
    return URI + base64.b64encode(data + chunk(b"IEND", b"")).decode()


def embedded(mask: torch.Tensor) -> str:
    return URI + base64.b64encode(mask_to_png(mask[None, None])).decode()


GOOD = embedded(torch.eye(16))
EDIT: dict[str, Any] = {"exemplar": GOOD, "region": BOX, "targets": [{"seed": 3, "region": BOX}]}


@pytest.fixture(scope="module")
def generator() -> StyleGAN2:
    config = StyleGAN2Config(
        resolution=16, z_dim=8, w_dim=8, channel_base=128, channel_max=8, mapping_layers=1
    )
    return StyleGAN2(config).eval().requires_grad_(False)


def written(folder: Path, *path: str | int, value: object) -> Path:
    """An edits file of two edits with another value at a path in the second."""
    edits = [copy.deepcopy(EDIT), copy.deepcopy(EDIT)]
    place: Any = edits[1]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    write_json(folder / "e.json", {"version": 1, "edits": edits})
    return folder / "e.json"


LARGE = declaring(13_200, 13_200)
TOO_LARGE = "the embedded image is too large to be used at its own size: got 13200 x 13200"
BROKEN = {
    LARGE: TOO_LARGE,
    declaring(1, 170_000_000): "the embedded image is too long: got 1 x 170000000",
    URI + "AAAA": "the embedded image is not an image in a known format",
    URI + "%": "the embedded image is not valid base64",
    "data:,": "the embedded image: got data:,",
}


@pytest.mark.parametrize(("picture", "message"), BROKEN.items(), ids=range(len(BROKEN)))
def test_an_exemplar(picture: str, message: str, generator: StyleGAN2, tmp_path: Path) -> None:
    file = written(tmp_path, "exemplar", value=picture)
    with pytest.raises(RegenError) as caught:
        load_examples(read_edits(file), generator)
    assert str(caught.value).startswith(f"{file}: edits[1].exemplar: {message}")


@pytest.mark.parametrize(("picture", "message"), BROKEN.items(), ids=range(len(BROKEN)))
@pytest.mark.parametrize("path", [("region",), ("targets", 0, "region"), ("targets", 0, "hole")])
def test_a_mask(picture: str, message: str, path: tuple[str | int, ...], tmp_path: Path) -> None:
    file = written(tmp_path, *path, value={"mask": picture})
    with pytest.raises(RegenError) as caught:
        read_edits(file)
    place = {1: "region", 3: f"targets[0].{path[-1]}"}[len(path)]
    assert str(caught.value).startswith(f"{file}: edits[1].{place}.mask: {message}")


def test_an_exemplar_that_is_a_file(generator: StyleGAN2, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(base64.b64decode(LARGE.removeprefix(URI)))
    file = written(tmp_path, "exemplar", value="cat.png")
    with pytest.raises(RegenError) as caught:
        load_examples(read_edits(file), generator)
    name = tmp_path / "cat.png"
    assert str(caught.value).startswith(f"{file}: edits[1].exemplar: {name} is too large to be")


@pytest.mark.parametrize(("picture", "message"), BROKEN.items(), ids=range(len(BROKEN)))
def test_a_picture_that_is_filled(picture: str, message: str, tmp_path: Path) -> None:
    network = lively()
    target = {"picture": picture, "hole": BOX, "region": BOX}
    file = written(tmp_path, "targets", 0, value=target)
    content = read_edits(file)
    second = content.__class__(content.edits[1:], file=content.file)
    with pytest.raises(RegenError) as caught:
        load_examples(second, network)
    assert str(caught.value).startswith(f"{file}: edits[0].targets[0]: {message}")


@pytest.mark.parametrize("path", [("region",), ("targets", 0, "region"), ("targets", 0, "hole")])
@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.ones(16, 16), "the embedded image covers 100% of its image; if it is inverted"),
        (torch.eye(16) / 255, "the embedded image is read as a map of the labels 0 and 1"),
        (torch.eye(16) / 50, "the embedded image is nearly black everywhere"),
    ],
    ids=["inverted", "labels", "black"],
)
def test_what_is_remarked_on_a_mask(
    mask: torch.Tensor, message: str, path: tuple[str | int, ...], tmp_path: Path
) -> None:
    file = written(tmp_path, *path, value={"mask": embedded(mask)})
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        read_edits(file)
    place = {1: "region", 3: f"targets[0].{path[-1]}"}[len(path)]
    (said,) = [str(one.message) for one in seen if one.category is ImageWarning]
    assert said.startswith(f"{file}: edits[1].{place}.mask: {message}")


def test_images_that_are_too_large_together(generator: StyleGAN2, tmp_path: Path) -> None:
    edits = []
    for number in range(3):
        large = embedded(torch.eye(3200)[:, :3100].add(number / 9).clamp(0, 1))
        edits.append({**EDIT, "exemplar": large})
    write_json(tmp_path / "e.json", {"version": 1, "edits": edits})
    with pytest.raises(RegenError) as caught:
        load_examples(read_edits(tmp_path / "e.json"), generator)
    assert str(caught.value) == (
        f"{tmp_path}/e.json: edits[2].exemplar: the embedded image is too large to be used at its "
        "own size: got 3100 x 3200, expected at most 4.16 million pixels beside the images before "
        "it; scale it down, and the regions in it"
    )


def test_the_editor_names_it_too(tmp_path: Path) -> None:
    write_json(tmp_path / "e.json", {"version": 1, "edits": [{**EDIT, "exemplar": LARGE}]})
    with pytest.raises(RegenError) as caught:
        document_from(tmp_path / "e.json", "portraits")
    assert str(caught.value).startswith(f"{tmp_path}/e.json: edits[0].exemplar: {TOO_LARGE}")
