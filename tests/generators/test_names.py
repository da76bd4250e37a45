"""Where a generator's file is: names, run folders and paths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from regen.errors import GeneratorError
from regen.files.run_files import CHECKPOINT_FILE
from regen.generators import names
from regen.generators.registry import BUNDLED, BUNDLED_FOLDER, generator_path, open_generator
from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2

Build = Callable[..., StyleGAN2]


def test_bundled_names_are_files_of_the_package() -> None:
    for name in BUNDLED:
        assert generator_path(name) == BUNDLED_FOLDER / f"{name}.safetensors"


def test_a_name_nearly_right_gets_a_suggestion() -> None:
    bundled = "the bundled portraits or portraits-inpaint or portraits-cats or london-faces"
    message = f"no such generator: got portrait, expected a file, or {bundled}; did"
    with pytest.raises(GeneratorError, match=message + r" you mean portraits\?"):
        open_generator("portrait")


@pytest.mark.parametrize("name", ["cats", "no/such/file.safetensors"])
def test_a_name_unlike_any_asks_for_the_path(name: str) -> None:
    with pytest.raises(GeneratorError, match=f"got {name}, .* london-faces; check the path"):
        open_generator(name)


def test_a_folder_is_a_generator_if_one_was_trained_there(build: Build, tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match="no such generator"):
        open_generator(tmp_path)
    generator = build()
    save_stylegan2(tmp_path / "generator.safetensors", generator, card={})
    assert generator_path(tmp_path) == tmp_path / "generator.safetensors"
    assert open_generator(tmp_path).digest() == generator.digest()


def test_a_training_that_has_not_ended_is_to_be_continued(build: Build, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT_FILE).touch()
    with pytest.raises(GeneratorError, match="no such generator"):  # perhaps a projector's
        open_generator(tmp_path)
    (tmp_path / "snapshots").mkdir()
    message = "holds a training that has not ended, .*; continue: `regen train-gen.* --resume$"
    with pytest.raises(GeneratorError, match=message):
        open_generator(tmp_path)
    save_stylegan2(tmp_path / "generator.safetensors", build(), card={})
    assert generator_path(tmp_path) == tmp_path / "generator.safetensors"


def test_what_is_no_path_is_no_generator(build: Build) -> None:
    for name, kind in ((None, "NoneType"), (3, "int"), (b"portraits", "bytes")):
        with pytest.raises(
            GeneratorError, match=f"^generator: got {kind}, expected a name or a pa"
        ):
            open_generator(name)  # type: ignore[arg-type]
    with pytest.raises(GeneratorError, match="^generator: got StyleGAN2, expected a name or a pa"):
        open_generator(build())  # type: ignore[arg-type]


def test_an_edits_file_is_no_generator(tmp_path: Path) -> None:
    (tmp_path / "eyes.json").write_text("{}")
    message = "eyes.json is not a generator: got JSON; an edits file goes to --edits$"
    with pytest.raises(GeneratorError, match=message):
        generator_path(tmp_path / "eyes.json")


def test_an_empty_text_is_not_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "generator.safetensors").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        GeneratorError, match="generator: got an empty text, expected a name or a path"
    ):
        generator_path("")
    assert generator_path(".").name == "generator.safetensors"


@pytest.mark.parametrize("name", BUNDLED)
def test_a_generator_without_its_file_says_what_to_do(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "BUNDLED_FOLDER", tmp_path)
    message = f"the bundled generator {name} has no weights.*install the package again"
    with pytest.raises(GeneratorError, match=message):
        open_generator(name)
