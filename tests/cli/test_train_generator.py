"""`regen train-generator` on a handful of tiny images."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.files import tensor_file
from regen.generators.registry import open_generator
from regen.images import save_image
from regen.training.state_digest import state_digest

RUN = ("train-generator", "faces", "--size", "16", "--device", "cpu", "--precision", "fp32")
MEMORISED = (
    "  So few images will be memorised, with samples that are copies of them; about 100 are enough "
    "to start with, best with --init-from, and a thousand or more are better"
)
SHORT = ("--length-kimg", "0.016", "--batch-images", "8", "--measure-samples", "0")
SMALL = ("--channel-base", "128", "--channel-max", "8")


@pytest.fixture
def faces(world: Any) -> Path:
    folder = Path(world.folder) / "faces"
    folder.mkdir()
    for i in range(6):
        image = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(i)) * 2 - 1
        save_image(folder / f"{i}.png", image)
    return folder


def test_the_run_folder(world: Any, faces: Path) -> None:
    result = world.run(*RUN, *SHORT, *SMALL, "-o", "out")
    assert result.exit_code == 0 and result.stderr == ""
    names = [name for name in world.left() if not name.startswith("events.out.tfevents.")]
    expected = ["checkpoint.pt", "generator.safetensors", "samples.png", "settings.json"]
    assert names == [*expected, "snapshots"] and len(world.left()) == 6
    assert world.left("out/snapshots") == ["000000.00kimg.png", "000000.02kimg.png", "real.png"]
    assert result.stdout.splitlines() == [
        "6 images of 16x16 to train on",
        MEMORISED,
        "Generator: out/generator.safetensors",
        "Use it: regen generate --generator out/generator.safetensors --seeds 0-63 -o DIR",
    ]


def test_the_generator_can_be_used(world: Any, faces: Path) -> None:
    options = ("--licence", "CC0-1.0", "-o", "out")
    lines = world.run(*RUN, *SHORT, *SMALL, *options).stdout.splitlines()
    words = lines[-1].removeprefix("Use it: regen ").replace("0-63 -o DIR", "0-2 -o sheet")
    assert world.run(*words.split()).exit_code == 0
    assert world.left("sheet") == ["grid.png", "seed0000.png", "seed0001.png", "seed0002.png"]
    path = world.folder / "out" / "generator.safetensors"
    generator = open_generator(path)
    assert generator.resolution == 16 and bool(generator.mapping.w_mean.any())
    header = tensor_file.read_header(path, format="generator")
    assert header["provenance"] == (
        "trained by `regen train-generator` on 6 images of the folder faces"
    )
    assert (header["licence"], header["kimg"]) == ("CC0-1.0", 0.016)
    assert header["training"]["r1_gamma"] == 0.0032 and "begun_from" not in header


def test_settings(world: Any, faces: Path) -> None:
    options = ("--no-augment", "--r1-gamma", "3", "--seed", "5", "--flip-probability", "0")
    assert world.run(*RUN, *SHORT, *SMALL, *options, "-o", "out").exit_code == 0
    made = json.loads((world.folder / "out" / "settings.json").read_text())
    assert (made["r1_gamma"], made["seed"], made["flip_probability"]) == (3, 5, 0)
    assert set(made["augmentation"].values()) == {0}
    assert (made["size"], made["init_from"], made["images"]) == (16, None, "faces")


def test_starting_from_a_generator(world: Any, faces: Path) -> None:
    wait = ("--generator-wait-kimg", "0.008")
    result = world.run(*RUN, *SHORT, *wait, "--init-from", "g.safetensors", "-o", "out")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == (
        "Generator initialized from g.safetensors: 54 tensors taken over, 0 new, 18 not needed "
        "(convs.6, convs.7, rgbs.7)"
    )
    assert lines[1] == (
        "Discriminator: new, as that file has none that fits; it trains alone for 0.008 kimg; "
        "the generator's step size is 0.0005"
    )
    header = tensor_file.read_header(world.folder / "out" / "generator.safetensors")
    base = open_generator("g.safetensors")
    assert header["begun_from"] == {"name": "g.safetensors", "digest": base.digest()}
    other = world.run(
        *RUN, *SHORT, *wait, "--init-from", "other.safetensors", "--resume", "-o", "out"
    )
    assert (
        other.exit_code == 2 and "Error: cannot resume out/checkpoint.pt: began: " in other.stderr
    )


def test_settings_for_a_new_discriminator(world: Any, faces: Path) -> None:
    """What is said counts; a discriminator that comes along needs nothing of it."""
    said = ("--generator-wait-kimg", "0", "--init-from", "g.safetensors", "-o", "out")
    assert "none that fits; the generator's" in world.run(*RUN, *SHORT, *said).stdout
    again = ("--init-from", "out/generator.safetensors", "-o", "again")
    assert world.run(*RUN, *SHORT, *again).exit_code == 0
    folders = (world.folder / name for name in ("out", "again"))
    headers = [tensor_file.read_header(folder / "generator.safetensors") for folder in folders]
    names = ("generator_wait_kimg", "generator_lr")
    assert [[h["training"][n] for n in names] for h in headers] == [[0.0, 0.0005], [0.0, 0.002]]


def test_resuming_gives_the_same_generator(world: Any, faces: Path) -> None:
    whole = (*RUN, *SHORT, *SMALL)
    assert world.run(*whole, "-o", "whole").exit_code == 0
    parts = (*RUN, "--batch-images", "8", "--measure-samples", "0", *SMALL)
    assert world.run(*parts, "--length-kimg", "0.008", "-o", "parts").exit_code == 0
    assert world.run(*parts, "--length-kimg", "0.016", "--resume", "-o", "parts").exit_code == 0
    files = [world.folder / name / "generator.safetensors" for name in ("whole", "parts")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_checkpoint_becomes_a_generator(world: Any, faces: Path) -> None:
    """What the message of a training that diverged advises."""
    assert world.run(*RUN, *SHORT, *SMALL, "-o", "out").exit_code == 0
    path = world.folder / "out" / "generator.safetensors"
    before = open_generator(path).digest()
    path.unlink()
    words = (*RUN, "--batch-images", "8", "--measure-samples", "0", *SMALL)
    result = world.run(*words, "--length-kimg", "0.001", "--resume", "-o", "out")
    assert result.exit_code == 0 and open_generator(path).digest() == before


def test_weights_that_are_not_finite_are_not_resumed(world: Any, faces: Path) -> None:
    assert world.run(*RUN, *SHORT, *SMALL, "-o", "out").exit_code == 0
    checkpoint, result = world.folder / "out" / "checkpoint.pt", "out/generator.safetensors"
    (world.folder / result).unlink()
    saved = torch.load(checkpoint, weights_only=True)
    max(saved["state"]["average"].values(), key=torch.numel).fill_(float("nan"))
    saved["digest"] = state_digest({name: saved[name] for name in ("identity", "state")})
    torch.save(saved, checkpoint)
    again = world.run(*RUN, *SHORT, *SMALL, "--resume", "-o", "out")
    assert again.exit_code == 2 and not (world.folder / result).exists()
    assert again.stderr.startswith("Error: out/checkpoint.pt holds a generator whose weights are ")


def test_metrics(world: Any, faces: Path) -> None:
    for path in faces.iterdir():
        path.unlink()
    for i in range(5):
        save_image(faces / f"{i}.png", torch.rand(1, 3, 32, 32) * 2 - 1)
    options = ("--size", "32", "--measure-samples", "5", "-o", "out")
    result = world.run(*RUN, *SHORT, *SMALL, *options)
    assert result.exit_code == 0
    measures = json.loads((world.folder / "out" / "measures.json").read_text())
    assert measures["samples"] == measures["training_images"] == 5
    assert f"frechet_distance: {measures['frechet_distance']:.4g}" in result.stdout.splitlines()
    assert "neighbours.png" in world.left()
    header = tensor_file.read_header(world.folder / "out" / "generator.safetensors")
    assert header["measures"] == measures


def test_checking_only(world: Any, faces: Path) -> None:
    (faces / "6.png").write_bytes(b"broken")
    result = world.run(*RUN, "--check")
    assert result.exit_code == 0 and world.left() == []
    assert result.stdout == (
        "6 images of 16x16 to train on\n"
        "  1 file cannot be read (is not an image in a known format): left out (6.png)\n"
        f"{MEMORISED}\n"
    )


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--resume",), "Error: out/checkpoint.pt: no checkpoint to resume; start without "),
        (("--init-from", "none"), "Error: no such generator: got none, expected a file, or the "),
        (("--precision", "fp16"), "Error: precision: got fp16 on cpu, expected auto, "),
        (("--batch-images", "0"), "Usage: "),
        (
            ("--batch-images", "1000000000"),
            "Error: batch_images: got 1000000000, expected at most ",
        ),
        (("--measure-samples", "1000000000"), "Error: samples to measure: got 1000000000, expec"),
        (("--size", "48"), "Usage: "),
        (("--measure-samples", "2"), "Error: samples to measure: got 2, expected 0, or above 3"),
        (("--channel-base", "8"), "Error: channel_base: got 8, expected an integer from 16"),
        (
            ("--init-from", "g.safetensors", "--channel-base", "64", "--channel-max", "4"),
            "Error: generator to start from: no convolution fits: got channel_base 256 and ",
        ),
    ],
)
def test_bad_input(world: Any, faces: Path, words: tuple[str, ...], problem: str) -> None:
    result = world.run(*RUN, *SHORT, *words, "-o", "out")
    assert result.exit_code == 2 and result.stderr.startswith(problem), result.stderr
    assert world.left() == []


def test_fid_without_its_package(world: Any, faces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch_fidelity", None)
    result = world.run(*RUN, *SHORT[:4], "--fid", "-o", "out")
    assert result.exit_code == 2 and world.left() == []
    assert result.stderr.startswith("Error: FID and KID need the package torch-fidelity, which ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "Error: faces is not a folder: expected a folder of images\n"),
        ({}, "Error: faces has no images: expected .avif, .bmp, "),
        ({"a.png": b"text"}, "Error: faces: images to train on: got 0; 1 file cannot be read"),
    ],
)
def test_folders_without_usable_images(
    world: Any, content: dict[str, bytes] | None, problem: str
) -> None:
    if content is not None:
        (world.folder / "faces").mkdir()
        for name, data in content.items():
            (world.folder / "faces" / name).write_bytes(data)
    result = world.run(*RUN, *SHORT, "-o", "out")
    assert result.exit_code == 2 and world.left() == []
    assert result.stderr.startswith(problem)


def test_a_generator_that_would_not_learn(world: Any, faces: Path) -> None:
    result = world.run(*RUN, *SHORT, "--init-from", "g.safetensors", "-o", "out")
    assert result.exit_code == 2 and "out/generator.safetensors" not in world.left()
    assert result.stderr == (
        "Error: generator_wait_kimg: got 4, in which the generator does not learn, expected less "
        "than the whole training, 0.016; train longer, or give a smaller --generator-wait-kimg\n"
    )


def test_time_that_is_up_is_reported(world: Any, faces: Path, hours_pass: None) -> None:
    wait = ("--generator-wait-kimg", "5", "--minutes", "30", "--batch-images", "8")
    options = ("--length-kimg", "9", "--measure-samples", "0", *SMALL, "-o", "out")
    lines = world.run(*RUN, *wait, *options).stdout.splitlines()
    assert lines[2:4] == [
        "Time is up: 1 of 1125 steps are in out/checkpoint.pt; --resume with the same options "
        "continues",
        "The generator has not learned yet: so far the discriminator trained alone",
    ]


def test_few_images_without_augmentation(world: Any, faces: Path) -> None:
    lines = world.run(*RUN, *SHORT, *SMALL, "--no-augment", "-o", "out").stdout.splitlines()
    assert lines[1:3] == [
        MEMORISED,
        "  Few images, and no augmentation: below 2000, the discriminator soon memorises them",
    ]


@pytest.mark.parametrize("there", ["generator.safetensors", "faces"])
def test_what_exists_already_is_kept(world: Any, faces: Path, there: str) -> None:
    (world.folder / "out").mkdir()
    (world.folder / "out" / "generator.safetensors").write_bytes(b"mine")
    result = world.run(*RUN, *SHORT, "-o", "faces" if there == "faces" else "out")
    assert result.exit_code == 2 and result.stdout == ""
    assert (
        result.stderr
        == {
            "generator.safetensors": "Error: out/generator.safetensors is there already; move it "
            "away, or choose another folder\n",
            "faces": "Error: run folder: faces is the folder of images; choose another one, or "
            "samples would be trained on\n",
        }[there]
    )
    assert world.left() == ["generator.safetensors"] and len(list(faces.iterdir())) == 6


def test_an_earlier_training_is_not_overwritten(world: Any, faces: Path) -> None:
    assert world.run(*RUN, *SHORT, *SMALL, "-o", "out").exit_code == 0
    before = (world.folder / "out" / "checkpoint.pt").read_bytes()
    result = world.run(*RUN, *SHORT, *SMALL, "-o", "out")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: out holds an earlier training; resume it, or choose another folder\n"
    )
    assert (world.folder / "out" / "checkpoint.pt").read_bytes() == before


def test_a_zip_of_dataset_tool(world: Any, faces: Path) -> None:
    place = world.folder / "faces.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for path in faces.iterdir():
            archive.write(path, f"00000/{path.name}")
        archive.writestr("dataset.json", json.dumps({"labels": [["00000/0.png", 1]]}))
    words = ("train-generator", "faces.zip", *RUN[2:])
    result = world.run(*words, "--check")
    assert result.exit_code == 0 and result.stdout.splitlines() == [
        "6 images of 16x16 to train on",
        "  1 file with classes: classes are not trained, all images are treated alike "
        "(dataset.json)",
        MEMORISED,
    ]
    assert world.run(*words, *SHORT, *SMALL, "-o", "out").exit_code == 0
    header = tensor_file.read_header(world.folder / "out" / "generator.safetensors")
    assert header["provenance"].endswith("on 6 images of the zip faces.zip")
    assert world.run(*RUN, *SHORT, *SMALL, "--resume", "-o", "out").exit_code == 0


def test_resuming_past_its_end_or_with_other_images_names_what_to_do(
    world: Any, faces: Path
) -> None:
    words = (*RUN, *SHORT, *SMALL, "-o", "out")
    assert world.run(*words).exit_code == 0
    result = world.run(*words, "--resume")
    assert result.exit_code == 0 and result.stdout.splitlines()[2] == (
        "It was finished already, after 2 steps: give a larger --length-kimg to continue, or "
        "another folder and --init-from out"
    )
    (faces / "0.png").rename(faces / "9.png")
    save_image(faces / "8.png", torch.zeros(1, 3, 20, 20))
    result = world.run(*words, "--resume")
    assert result.exit_code == 2 and result.stderr == (
        "Error: cannot resume out/checkpoint.pt: images have changed; resume with those that it "
        "started with, or start from its result in another folder: --init-from out\n"
    )
