"""Generators that `regen` can open: bundled ones by name, all others by path.

A family is a package here that implements `regen.generators.protocol`; `FAMILIES` is the registry.
Files of other tools are read as well, told apart by their content; opening one of those gives a
`CheckpointWarning` that says what should be known of it.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable
from os.path import isfile  # unlike Path.is_file, it takes names that are too long for the system
from pathlib import Path

import torch

from regen.errors import GeneratorError
from regen.files import tensor_file
from regen.generators.stylegan2.files import FORMAT, VERSION, load_stylegan2
from regen.generators.stylegan2.foreign.files import KNOWN_FILES, is_foreign, read_checkpoint
from regen.generators.stylegan2.foreign.rebuild import Checkpoint
from regen.generators.stylegan2.generator import StyleGAN2

BUNDLED_FOLDER = Path(__file__).parent / "bundled"
BUNDLED = ("portraits",)
TRAINED_BY_USERS = ("london-faces",)  # bundled once `make gpu-faces` has made its files
GENERATOR_FILE = "generator.safetensors"  # of a run folder of `regen train-generator`
NAMED = BUNDLED + TRAINED_BY_USERS
_FASTER_BELOW = 0.6  # share of a pickle that is the generator; our own file is verified, it is not

AnyGenerator = StyleGAN2
FAMILIES: dict[str, Callable[[Path], AnyGenerator]] = {"stylegan2": load_stylegan2}


class CheckpointWarning(UserWarning):
    """What the user of another tool's file should know of it."""


def open_generator(name_or_path: str | Path, *, device: torch.device | str = "cpu") -> AnyGenerator:
    """Open a generator.

    Args:
        name_or_path: A bundled name ("portraits"), the folder of a training of a generator, or
            the path of a generator file: one of
            regen's, a pickle of NVIDIA's (stylegan2-ada-pytorch, stylegan3, stylegan2 in
            TensorFlow) or a checkpoint of rosinality's stylegan2-pytorch. No code in it is run.
        device: Where to put it.

    Returns:
        The generator in eval mode, float32, requiring no gradients.

    Raises:
        GeneratorError: If there is no such generator, or its family is unknown.
        StoreError: If the file is damaged or not a generator.
        UnpicklingError: If a pickle is damaged, or names what no such checkpoint needs.
    """
    path = generator_path(name_or_path)
    if is_foreign(path):
        return _open_foreign(path).to(device)
    _refuse_what_is_none(path)
    family = tensor_file.read_header(path, format=FORMAT, version=VERSION).get("family")
    if not isinstance(family, str) or family not in FAMILIES:
        raise GeneratorError(
            f"{path}: family", got=family, expected=" or ".join(FAMILIES), remedy="update regen"
        )
    return FAMILIES[family](path).to(device)


def _refuse_what_is_none(path: Path) -> None:
    """Raise GeneratorError for a photograph, a text: what does not begin as our files do."""
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        reason = error.strerror or error
        raise GeneratorError(f"cannot read {path}: {reason}", remedy="check the file") from error
    if start[8:] != b"{":
        raise GeneratorError(f"{path} is no generator", expected=f"a file of regen, {KNOWN_FILES}")


def _open_foreign(path: Path) -> AnyGenerator:
    checkpoint = read_checkpoint(path)
    for note in checkpoint.notes:
        warnings.warn(f"{path}: {note}", CheckpointWarning, stacklevel=3)
    warnings.warn(_suggestion(path, checkpoint), CheckpointWarning, stacklevel=3)
    return checkpoint.generator


def _suggestion(path: Path, checkpoint: Checkpoint) -> str:
    tensors = checkpoint.generator.state_dict().values()
    share = sum(t.numel() * t.element_size() for t in tensors) / path.stat().st_size
    better = "that is smaller and opens faster" if share < _FASTER_BELOW else "that is verified"
    native = path.with_suffix(".safetensors").name
    if native == path.name:  # a file of another tool that is named like ours
        native = f"{path.stem}-regen.safetensors"
    return f"{path} is a {checkpoint.origin}; for a file {better}: regen convert {path} {native}"


def _bundled(name: str) -> Path:
    path = BUNDLED_FOLDER / f"{name}.safetensors"
    if path.is_file():
        return path
    raise GeneratorError(
        f"the bundled generator {name} has no weights in this installation",
        remedy="train them on a GPU with `make gpu-faces`, then copy out/gpu_faces/publish/* to "
        f"{BUNDLED_FOLDER}",
    )


def generator_path(name_or_path: str | Path) -> Path:
    """The file of a bundled generator, that of a run folder, or the path itself.

    Raises:
        GeneratorError: If there is neither such a name nor such a file.
    """
    name = str(name_or_path)
    if name in NAMED:
        return _bundled(name)
    path = Path(name)
    if isfile(path / GENERATOR_FILE):
        return path / GENERATOR_FILE
    if isfile(path):
        return path
    near = difflib.get_close_matches(name, BUNDLED, 1)
    raise GeneratorError(
        "no such generator",
        got=name,
        expected=f"a file, or the bundled {', '.join(BUNDLED)}",
        remedy=f"did you mean {near[0]}?" if near else "check the path",
    )
