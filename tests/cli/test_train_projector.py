"""`regen train-projector` on a tiny random generator."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from regen.files import tensor_file
from regen.generators.registry import open_generator
from regen.images import save_image

RUN = ("train-projector", "--generator", "g.safetensors", "--device", "cpu")
SHORT = ("--kimg", "0.008", "--batch", "4")


def test_the_run_folder(world: Any) -> None:
    result = world.run(*RUN, *SHORT, "-o", "out")
    assert result.exit_code == 0 and result.stderr == ""
    names = [name for name in world.left() if not name.startswith("events.out.tfevents.")]
    assert names == ["checkpoint.pt", "projector.safetensors", "settings.json"]
    assert len(world.left()) == 4
    lines = result.stdout.splitlines()
    assert lines[0].startswith("feature_l1: ")
    assert lines[-2] == "Projector: out/projector.safetensors"


def test_the_projector_can_be_used(world: Any) -> None:
    lines = world.run(*RUN, *SHORT, "-o", "out").stdout.splitlines()
    words = lines[-1].removeprefix("Use it: regen ").replace("IMAGE -o DIR", "cat.png -o seen")
    assert world.run(*words.split()).exit_code == 0
    header = tensor_file.read_header(
        world.folder / "out" / "projector.safetensors", format="projector"
    )
    assert header["base"] == open_generator(world.folder / "g.safetensors").digest()
    assert (header["value_layer"], header["training"]["kimg"]) == (4, 0.008)


def test_settings(world: Any) -> None:
    options = ("--preset", "paper", "--value-layer", "5", "--adversarial", "0", "--seed", "3")
    options += ("--context", "mean", "--precision", "fp32")
    assert world.run(*RUN, *SHORT, *options, "-o", "out").exit_code == 0
    made = json.loads((world.folder / "out" / "settings.json").read_text())
    assert (made["composites"], made["schedule"], made["context"]) == (0, "constant", "mean")
    assert (made["value_layer"], made["adversarial"], made["seed"]) == (5, 0, 3)
    assert (made["batch"], made["precision"]) == (4, "fp32")


def test_a_training_that_ends_in_time_has_a_projector(world: Any) -> None:
    result = world.run(*RUN, *SHORT, "--minutes", "1e-9", "-o", "out")
    assert result.exit_code == 0 and result.stderr == ""
    said, *_, projector, _ = result.stdout.splitlines()
    assert said == (
        "Time is up: 1 of 2 steps are in out/checkpoint.pt; --resume with the same options "
        "continues"
    )
    assert projector == "Projector: out/projector.safetensors"
    path = world.folder / "out" / "projector.safetensors"
    assert tensor_file.read_header(path)["stopped_after_kimg"] == 0.004
    assert world.run(*RUN, *SHORT, "--resume", "-o", "out").exit_code == 0
    assert "stopped_after_kimg" not in tensor_file.read_header(path)


def test_extra_images_are_used(world: Any) -> None:
    (world.folder / "more").mkdir()
    for name in ("a.png", "b.jpg"):
        save_image(world.folder / "more" / name, torch.rand(1, 3, 20, 50) * 2 - 1)
    (world.folder / "more" / "notes.txt").write_text("no image")
    for folder, words in (("with", ("--extra-images", "more")), ("without", ())):
        assert world.run(*RUN, *SHORT, *words, "-o", folder).exit_code == 0
    headers = [
        tensor_file.read_header(world.folder / name / "projector.safetensors")
        for name in ("with", "without")
    ]
    assert [header["extra_images"] for header in headers] == [True, False]
    assert headers[0]["digest"] != headers[1]["digest"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "Error: more is not a folder: expected a folder of images\n"),
        ({}, "Error: more has no images: expected .avif, .bmp, "),
        ({"a.png": b"text"}, "Error: more/a.png is not an image in a known format; "),
    ],
)
def test_extra_images_that_cannot_be_used(
    world: Any, content: dict[str, bytes] | None, problem: str
) -> None:
    if content is not None:
        (world.folder / "more").mkdir()
        for name, data in content.items():
            (world.folder / "more" / name).write_bytes(data)
    result = world.run(*RUN, *SHORT, "--extra-images", "more", "-o", "out")
    assert result.exit_code == 2 and world.left() == []
    assert result.stderr.startswith(problem)


def test_an_earlier_training_is_not_overwritten(world: Any) -> None:
    assert world.run(*RUN, *SHORT, "-o", "out").exit_code == 0
    before = {path: path.read_bytes() for path in (world.folder / "out").iterdir()}
    result = world.run(*RUN, *SHORT, "--lr", "0.1", "-o", "out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "Error: out holds an earlier training; resume it, or choose another folder\n"
    )
    assert {path: path.read_bytes() for path in (world.folder / "out").iterdir()} == before


def test_resuming_with_other_settings_changes_nothing(world: Any) -> None:
    assert world.run(*RUN, *SHORT, "-o", "out").exit_code == 0
    before = {path: path.read_bytes() for path in (world.folder / "out").iterdir()}
    result = world.run(*RUN, *SHORT, "--lr", "0.1", "--resume", "-o", "out")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: cannot resume out/checkpoint.pt: lr: got 0.1, ")
    assert {path: path.read_bytes() for path in (world.folder / "out").iterdir()} == before


def test_resuming_what_is_finished_gives_the_same_projector(world: Any) -> None:
    assert world.run(*RUN, *SHORT, "-o", "out").exit_code == 0
    path = world.folder / "out" / "projector.safetensors"
    before = path.read_bytes()
    path.unlink()
    assert world.run(*RUN, *SHORT, "--resume", "-o", "out").exit_code == 0
    assert path.read_bytes() == before


def test_resuming_where_nothing_was_started(world: Any) -> None:
    result = world.run(*RUN, *SHORT, "--resume", "-o", "out")
    assert result.exit_code == 2 and world.left() == []
    assert result.stderr == (
        "Error: out/checkpoint.pt: no checkpoint to resume; start without resuming\n"
    )


def test_a_layer_that_the_generator_lacks(world: Any) -> None:
    result = world.run(*RUN, *SHORT, "--value-layer", "8", "-o", "out")
    assert result.exit_code == 2 and world.left() == []
    assert result.stderr == (
        "Error: value layer: got 8, expected 1 to 7, the convolutions of g.safetensors\n"
    )


@pytest.mark.parametrize(("window", "most"), [("0", 65536), ("16", 262144)])
def test_a_batch_that_no_machine_has_memory_for(world: Any, window: str, most: int) -> None:
    words = ("--generator", "g.safetensors", "--batch", "1000000000", "--window", window)
    result = world.run("train-projector", *words, "-o", "out")
    message = f"Error: batch: got 1000000000, expected at most {most} images of "
    assert result.exit_code == 2 and result.stderr.startswith(message)
    assert world.left() == []
