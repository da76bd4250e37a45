"""Commands that fill a folder again, or a folder that another one fills."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from regen.files.folder_lock import LOCK_FILE, folder_lock
from regen.runs.logbook import Logbook

REWRITE = ("rewrite", "--edits", "edits.json", "--preserve", "2", "--seeds", "2", "-o", "out")
PROJECT = ("project", "--generator", "g.safetensors", "--projector", "p.safetensors", "-o", "out")
GENERATE = ("generate", "--generator", "g.safetensors", "--seeds", "0-1", "-o", "out")
PROJECTOR = ("train-projector", "--generator", "g.safetensors", "--batch", "4", "--kimg", "0.016")
IMAGES = ("train-generator", "images", "--size", "32", "--enlarge", "--length-kimg", "0.016")
GENERATOR = (*IMAGES, "--batch-images", "8", "--measure-samples", "0", "--channel-base", "256")
COMMANDS = {
    "rewrite": (*REWRITE, "--steps", "2"),
    "project": (*PROJECT, "cat.png"),
    "generate": GENERATE,
    "train-projector": (*PROJECTOR, "-o", "out"),
    "train-generator": (*GENERATOR, "-o", "out"),
}


@pytest.fixture(autouse=True)
def images(world: Any) -> None:
    """A folder of two images to train on."""
    (world.folder / "images").mkdir()
    for name in ("a", "b"):
        (world.folder / "images" / f"{name}.png").symlink_to(world.folder / "cat.png")
    other = world.folder / "images" / "b.png"
    other.unlink()
    assert world.run("generate", "--generator", "g.safetensors", "--seeds", "9", "-o", "s").stdout
    os.rename(world.folder / "s" / "seed0009.png", other)


def events(world: Any) -> list[str]:
    return [name for name in world.left() if name.startswith("events.out.tfevents.")]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_that_another_run_fills_is_refused(world: Any, name: str) -> None:
    out: Path = world.folder / "out"
    out.mkdir()
    (out / "metrics.json").write_text("theirs")
    with folder_lock(out):
        result = world.run(*COMMANDS[name])
        assert result.exit_code == 2
        (line,) = result.stderr.splitlines()
        assert line.startswith(f"Error: out is being filled by another run: process {os.getpid()} ")
        assert world.left() == [LOCK_FILE, "metrics.json"]
    assert (out / "metrics.json").read_text() == "theirs"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_lock_is_released(world: Any, name: str) -> None:
    result = world.run(*COMMANDS[name])
    assert result.exit_code == 0, result.stderr
    assert not [left for left in world.left() if left.startswith(".")]


def test_a_second_rewrite_that_is_interrupted_leaves_no_result_of_the_first(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.run(*REWRITE, "--steps", "2").exit_code == 0
    (world.folder / "out" / "notes.txt").write_text("mine")
    (world.folder / "out" / "events.out.tfevents.1.host.2.0").write_text("of another program")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Logbook, "scalars", interrupt)
    assert world.run(*REWRITE, "--steps", "3").exit_code == 130
    kept = ["edits.json", "events.out.tfevents.1.host.2.0", "notes.txt", "settings.json"]
    assert world.left() == kept
    settings = json.loads((world.folder / "out" / "settings.json").read_text())
    assert settings["fit"]["steps"] == 3


def test_a_second_rewrite_has_one_file_of_events(world: Any) -> None:
    for steps in ("2", "3"):
        assert world.run(*REWRITE, "--steps", steps).exit_code == 0
    assert len(events(world)) == 1


def test_bad_input_costs_no_earlier_result(world: Any) -> None:
    assert world.run(*REWRITE, "--steps", "2").exit_code == 0
    before = {path: path.read_bytes() for path in (world.folder / "out").iterdir()}
    world.edits(lambda content: content.update(projector="other_p.safetensors"))
    assert world.run(*REWRITE).exit_code == 2
    assert {path: path.read_bytes() for path in (world.folder / "out").iterdir()} == before


def test_a_rewrite_may_repeat_the_edits_and_settings_of_its_own_folder(world: Any) -> None:
    assert world.run(*REWRITE, "--steps", "2").exit_code == 0
    first = (world.folder / "out" / "rewrite.safetensors").read_bytes()
    again = ("rewrite", "--edits", "out/edits.json", "--config", "out/settings.json", "-o", "out")
    result = world.run(*again)
    assert result.exit_code == 0, result.stderr
    assert (world.folder / "out" / "rewrite.safetensors").read_bytes() == first


def test_projecting_again_removes_what_its_metrics_no_longer_list(world: Any) -> None:
    (world.folder / "dog[1].png").write_bytes((world.folder / "cat.png").read_bytes())
    assert world.run(*PROJECT, "cat.png", "dog[1].png").exit_code == 0
    (world.folder / "out" / "mine.png").write_text("mine")
    assert world.run(*PROJECT, "cat.png").exit_code == 0
    assert world.left() == ["cat.features.safetensors", "cat.png", "metrics.json", "mine.png"]


def test_projecting_an_earlier_result_keeps_it(world: Any) -> None:
    assert world.run(*PROJECT, "cat.png").exit_code == 0
    before = (world.folder / "out" / "cat.png").read_bytes()
    assert world.run(*PROJECT, "out/cat.png").exit_code == 0
    assert (world.folder / "out" / "cat.png").read_bytes() == before
    assert world.left() == [
        "cat-2.features.safetensors",
        "cat-2.png",
        "cat.png",
        "metrics.json",
    ]


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"images": 5}',
        '{"images": [{"name": "../g"}, {"name": "../../etc/passwd"}, {"name": ""}]}',
        '{"inside": {}, "seeds": 2}',
    ],
)
def test_metrics_of_something_else_remove_nothing(world: Any, content: str) -> None:
    out: Path = world.folder / "out"
    out.mkdir()
    (world.folder / "g.png").write_text("mine")
    (out / "metrics.json").write_text(content)
    (out / "mine.png").write_text("mine")
    assert world.run(*PROJECT, "cat.png").exit_code == 0
    assert (out / "mine.png").is_file() and (world.folder / "g.png").is_file()


def test_a_sheet_of_an_earlier_run_goes_and_its_images_stay(world: Any) -> None:
    assert world.run(*GENERATE).exit_code == 0
    words = ("--seeds", "5", "--no-grid")
    assert world.run("generate", "--generator", "g.safetensors", *words, "-o", "out").exit_code == 0
    assert world.left() == ["seed0000.png", "seed0001.png", "seed0005.png"]


@pytest.mark.parametrize("words", [PROJECTOR, GENERATOR], ids=["projector", "generator"])
def test_a_training_that_died_before_its_checkpoint_leaves_no_second_events(
    world: Any, words: tuple[str, ...]
) -> None:
    out: Path = world.folder / "out"
    (out / "snapshots").mkdir(parents=True)
    name = words[0]
    (out / f"events.out.tfevents.1.host.2.0.{name}").write_text("of a run that was killed")
    for stale in ("real.png", "0000000.50kimg.png"):
        (out / "snapshots" / stale).write_text("of a run that was killed")
    (out / "snapshots" / "mine.png").write_text("mine")
    result = world.run(*words, "-o", "out")
    assert result.exit_code == 0, result.stderr
    assert len(events(world)) == 1
    shown = {path.name for path in (out / "snapshots").iterdir()}
    assert "mine.png" in shown and (name == "train-projector" or "0000000.50kimg.png" not in shown)


@pytest.mark.parametrize("words", [PROJECTOR, GENERATOR], ids=["projector", "generator"])
def test_settings_that_do_not_fit_the_checkpoint_cost_nothing(
    world: Any, words: tuple[str, ...]
) -> None:
    assert world.run(*words, "-o", "out").exit_code == 0
    files = [path for path in (world.folder / "out").rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    assert world.run(*words, "--seed", "5", "-o", "out", "--resume").exit_code == 2
    assert world.run(*words, "--seed", "5", "-o", "out").exit_code == 2
    files = [path for path in (world.folder / "out").rglob("*") if path.is_file()]
    assert {path: path.read_bytes() for path in files} == before
