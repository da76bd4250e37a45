"""`regen project` on a tiny random generator."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from PIL import Image

from regen.files import tensor_file
from regen.generators.registry import open_generator
from regen.images import load_image, save_image
from regen.projector.files import open_projector
from regen.runs import project as project_job

RUN = ("--generator", "g.safetensors", "--projector", "p.safetensors", "--device", "cpu")


def metrics(world: Any) -> dict[str, Any]:
    return dict(json.loads((world.folder / "out" / "metrics.json").read_text()))


def shown(world: Any, name: str = "cat") -> Image.Image:
    with Image.open(world.folder / "out" / f"{name}.png") as image:
        return image.copy()


def test_features_image_and_metrics(world: Any) -> None:
    result = world.run("project", "cat.png", *RUN, "-o", "out")
    assert result.exit_code == 0
    assert world.left() == ["cat.features.safetensors", "cat.png", "metrics.json"]
    assert shown(world).width == 2 * 70 - 6
    lines = result.stdout.splitlines()
    assert lines[0].startswith("out/cat.png: LPIPS ") and " dB, SSIM " in lines[0]
    assert lines[-1] == "Metrics: out/metrics.json"


def test_every_image_is_labelled_and_the_input_by_its_file(world: Any) -> None:
    (world.folder / "dog.png").write_bytes((world.folder / "cat.png").read_bytes())
    words = ("project", "cat.png", "dog.png", *RUN, "--refine", "1", "-o", "out")
    assert world.run(*words).exit_code == 0
    cat, dog = shown(world, "cat"), shown(world, "dog")
    for left in (0, 70, 140):
        above = (left, 0, left + 64, cat.height - 64)
        label, other = cat.crop(above), dog.crop(above)
        assert all(len(one.getcolors()) > 1 for one in (label, other))
        assert (label.tobytes() == other.tobytes()) == (left > 0)


def test_the_features_are_the_projectors(world: Any) -> None:
    assert world.run("project", "cat.png", *RUN, "-o", "out").exit_code == 0
    stored = tensor_file.load(world.folder / "out" / "cat.features.safetensors", format="features")
    generator = open_generator(world.folder / "g.safetensors")
    projector = open_projector(world.folder / "p.safetensors", generator)
    image = load_image(world.folder / "cat.png", size=32)
    torch.testing.assert_close(stored.tensors["features"], projector(image))
    header = stored.header
    assert (header["base"], header["value_layer"]) == (generator.digest(), 5)
    assert (header["source"], header["family"]) == ("cat.png", "stylegan2")
    assert header["projector"] == projector.header["digest"]


def test_metrics_name_the_lpips(world: Any) -> None:
    assert world.run("project", "cat.png", *RUN, "-o", "out").exit_code == 0
    found = metrics(world)
    assert found["lpips"]["backbone"] == "squeeze" and found["lpips"]["resolution"] == 32
    assert "lpips" in found["lpips"]["version"]
    (image,) = found["images"]
    assert {"lpips", "l1", "psnr", "ssim"} == set(image["projected"])
    assert all(isinstance(value, float) for value in image["projected"].values())
    assert image["refined"] is None and image["source"] == "cat.png" and image["name"] == "cat"


def test_without_the_weights_of_a_large_backbone_lpips_is_null_with_the_reason(world: Any) -> None:
    result = world.run("project", "cat.png", *RUN, "--lpips", "alex", "-o", "out")
    assert result.exit_code == 0 and "Note: no LPIPS: LPIPS alex: its weights " in result.stderr
    found = metrics(world)
    assert found["lpips"]["backbone"] is None and found["lpips"]["unavailable"]
    assert found["images"][0]["projected"]["lpips"] is None


def test_refinement_comes_closer_and_is_shown(world: Any) -> None:
    result = world.run("project", "cat.png", *RUN, "--refine", "20", "-o", "out")
    assert result.exit_code == 0 and "\n  refined: LPIPS " in result.stdout
    (image,) = metrics(world)["images"]
    assert image["refined"]["l1"] < image["projected"]["l1"]
    assert metrics(world)["settings"]["refine"]["steps"] == 20
    stored = tensor_file.load(world.folder / "out" / "cat.features.safetensors")
    assert set(stored.tensors) == {"features", "unrefined"}
    assert shown(world).width == 3 * 70 - 6


def test_an_image_out_of_reach_is_reported(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("project", "cat.png", *RUN, "--lpips", "alex", "-o", "out")  # whose weights lack
    result = world.run(*words)
    assert "Warning: cat.png is far from any image this generator makes; " in result.stderr
    assert metrics(world)["images"][0]["out_of_reach"] is True
    monkeypatch.setattr(project_job, "OUT_OF_REACH_SSIM", -1.0)
    result = world.run(*words)
    assert "Warning" not in result.stderr
    assert metrics(world)["images"][0]["out_of_reach"] is False


@pytest.mark.parametrize(("limit", "far"), [(-1.0, True), (1e9, False)])
def test_where_there_is_lpips_it_decides_on_reach(
    world: Any, monkeypatch: pytest.MonkeyPatch, limit: float, far: bool
) -> None:
    monkeypatch.setattr(project_job, "OUT_OF_REACH_LPIPS", limit)
    assert world.run("project", "cat.png", *RUN, "-o", "out").exit_code == 0
    assert metrics(world)["images"][0]["out_of_reach"] is far


def test_equal_names_from_different_folders_do_not_overwrite_each_other(world: Any) -> None:
    for folder, value in (("a", -0.5), ("b", 0.5)):
        (world.folder / folder).mkdir()
        save_image(world.folder / folder / "cat.png", torch.full((1, 3, 32, 32), value))
    assert world.run("project", "a/cat.png", "b/cat.png", *RUN, "-o", "out").exit_code == 0
    assert [one["name"] for one in metrics(world)["images"]] == ["cat", "cat-2"]
    for name, value in (("cat", -0.5), ("cat-2", 0.5)):
        seen = load_image(world.folder / "out" / f"{name}.png")[..., -64:, :64]
        torch.testing.assert_close(seen, torch.full_like(seen, value), atol=1 / 127, rtol=0)


def test_the_image_itself_is_never_overwritten(world: Any) -> None:
    before = (world.folder / "cat.png").read_bytes()
    assert world.run("project", "cat.png", *RUN, "-o", ".").exit_code == 0
    assert (world.folder / "cat.png").read_bytes() == before
    assert (world.folder / "cat-2.png").is_file()


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
def test_images_of_any_kind(world: Any, fit: str) -> None:
    kinds = {"RGBA": "rgba.png", "L": "grey.png", "I;16": "deep.png", "P": "palette.gif"}
    for mode, name in kinds.items():
        Image.new(mode, (70, 20), 50_000 if mode == "I;16" else 5).save(world.folder / name)
    sideways = Image.new("RGB", (30, 90))
    sideways.getexif()[0x0112] = 6
    sideways.save(world.folder / "phone.jpg", exif=sideways.getexif())
    names = [*kinds.values(), "phone.jpg"]
    assert world.run("project", *names, *RUN, "--fit", fit, "-o", "out").exit_code == 0
    assert [one["source"] for one in metrics(world)["images"]] == names
    assert metrics(world)["settings"]["fit"] == fit
