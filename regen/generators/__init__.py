"""Generators that `regen` can open: bundled ones by name, all others by path.

A family is a package here that implements `regen.generators.protocol`; `FAMILIES` is the registry.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import torch

from regen import store
from regen.errors import GeneratorError
from regen.generators.stylegan2.native import FORMAT, VERSION, load_stylegan2
from regen.generators.stylegan2.split import StyleGAN2

BUNDLED_FOLDER = Path(__file__).parent / "bundled"
BUNDLED = ("portraits",)

AnyGenerator = StyleGAN2
FAMILIES: dict[str, Callable[[Path], AnyGenerator]] = {"stylegan2": load_stylegan2}


def open_generator(name_or_path: str | Path, *, device: torch.device | str = "cpu") -> AnyGenerator:
    """Open a generator.

    Args:
        name_or_path: A bundled name ("portraits") or the path of a generator file.
        device: Where to put it.

    Returns:
        The generator in eval mode, float32, requiring no gradients.

    Raises:
        GeneratorError: If there is no such generator, or its family is unknown.
        StoreError: If the file is damaged or not a generator.
    """
    path = generator_path(name_or_path)
    family = store.read_header(path, format=FORMAT, version=VERSION).get("family")
    if not isinstance(family, str) or family not in FAMILIES:
        raise GeneratorError(
            f"{path}: family", got=family, expected=" or ".join(FAMILIES), remedy="update regen"
        )
    return FAMILIES[family](path).to(device)


def generator_path(name_or_path: str | Path) -> Path:
    """The file of a bundled generator or the path itself.

    Raises:
        GeneratorError: If there is neither such a name nor such a file.
    """
    name = str(name_or_path)
    if name in BUNDLED:
        return BUNDLED_FOLDER / f"{name}.safetensors"
    path = Path(name)
    if path.is_file():
        return path
    near = difflib.get_close_matches(name, BUNDLED, 1)
    raise GeneratorError(
        "no such generator",
        got=name,
        expected=f"a file, or the bundled {', '.join(BUNDLED)}",
        remedy=f"did you mean {near[0]}?" if near else "check the path",
    )
