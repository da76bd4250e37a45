"""Files of backward projectors: safetensors that say which generator and layer they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.errors import GeneratorError, ProjectorError
from regen.files import tensor_file
from regen.files.budget import MOST_CHANNELS
from regen.generators.protocol import Generator, Latent
from regen.generators.registry import BUNDLED_FOLDER, NAMED
from regen.projector.network import BackwardProjector, ProjectorConfig

_SPARE = 1 << 20  # weights that a network may have beyond those of a file that does not fit it

FORMAT = "projector"
VERSION = 1

# Of the bundled portraits: a late value layer rewrites with the finest detail, an earlier one
# leaves less of a foreign image to the context.
REWRITING_LAYER = 10
PROJECTING_LAYER = 8


@dataclass(frozen=True)
class Projector:
    """A backward projector read from a file, checked against its generator.

    Attributes:
        network: In eval mode, requiring no gradients, on the generator's device.
        value_layer: The convolution whose output it answers with, counted from 1.
        name: The file, for messages.
        header: All that the file says about itself.
    """

    network: BackwardProjector
    value_layer: int
    name: str
    header: tensor_file.Header

    def __call__(self, image: Tensor) -> Tensor:
        """Value features ``[N, C, h, h]`` of ``image [N, 3, R, R]`` in [-1, 1]."""
        features: Tensor = self.network(image)
        return features

    def check_layer(self, value_layer: int) -> None:
        """Make sure that it answers with the features of `value_layer`.

        Raises:
            ProjectorError: If it was trained for another layer.
        """
        if value_layer != self.value_layer:
            raise ProjectorError(
                f"value layer of {self.name}",
                got=value_layer,
                expected=f"{self.value_layer}, for which it was trained",
                remedy="use that layer, or train a projector for the other one",
            )


def bundled_path(name: str, value_layer: int = REWRITING_LAYER) -> Path:
    """Where the projector of the bundled generator `name` for a value layer is."""
    return BUNDLED_FOLDER / f"{name}_projector{value_layer}.safetensors"


def bundled_layers(name: Path | str) -> list[int]:
    """Value layers that the bundled generator `name` has a projector for; none for a path."""
    if str(name) not in NAMED:
        return []
    start = f"{name}_projector"
    paths = BUNDLED_FOLDER.glob(f"{start}*.safetensors")
    return sorted(int(p.stem.removeprefix(start)) for p in paths)


def save_projector(
    path: Path | str,
    projector: BackwardProjector,
    generator: Generator[Latent],
    value_layer: int,
    *,
    card: Mapping[str, Any],
    half: bool = False,
) -> tensor_file.Header:
    """Write a projector.

    Args:
        path: A ``.safetensors`` file; replaced whole or not at all.
        projector: What to write.
        generator: The one it was trained for; its digest goes into the header as ``base``.
        value_layer: The layer it was trained for.
        card: Header entries about it: training settings, provenance, licence; JSON values only.
        half: Store float16 instead of float32.

    Returns:
        The header as written.

    Raises:
        StoreError: If the file cannot be written.
    """
    header = {
        "format": FORMAT,
        "version": VERSION,
        "family": generator.family,
        "architecture": asdict(projector.config),
        "value_layer": value_layer,
        "base": generator.digest(),
        **card,
    }
    dtype = torch.float16 if half else torch.float32
    tensors = {name: t.detach().to(dtype) for name, t in projector.state_dict().items()}
    return tensor_file.save(path, tensors, header)


def load_projector(path: Path | str, generator: Generator[Latent]) -> Projector:
    """Read the projector of a generator.

    Raises:
        StoreError: If the file is damaged, or no projector.
        ProjectorError: If it belongs to another generator, or its header makes no sense.
    """
    stored = tensor_file.load(path, format=FORMAT, version=VERSION)
    header = stored.header
    base, digest = header.get("base"), generator.digest()
    if base != digest:
        raise ProjectorError(
            f"{path} belongs to another generator: digest of the generator",
            got=digest[:12],
            expected=str(base)[:12],
            remedy="use the projector of this generator, or train one with `regen train-projector`",
        )
    config, value_layer = _architecture(path, header), header.get("value_layer")
    _check_value(path, config, value_layer, generator)
    assert isinstance(value_layer, int)
    _check_affordable(path, config, stored.tensors)
    network = BackwardProjector(config)
    tensors = tensor_file.check_tensors(stored.tensors, network.state_dict(), str(path))
    network.load_state_dict(tensors)
    network.eval().requires_grad_(False)
    if isinstance(generator, torch.nn.Module):
        network.to(next(generator.parameters()).device)
    return Projector(network, value_layer, str(path), header)


def open_projector(
    path: Path | str | None,
    generator_name: Path | str,
    generator: Generator[Latent],
    *,
    value_layer: int | None = None,
    preferred: int = REWRITING_LAYER,
) -> Projector:
    """Read a projector, or the bundled one that belongs to a bundled generator.

    Args:
        path: The file, or None for a bundled one.
        generator_name: How the generator was named, "portraits" or a path.
        generator: The generator itself.
        value_layer: Which bundled one; None for the preferred.
        preferred: The one that does best what it is opened for, where there is more than one.

    Raises:
        StoreError: If the file is damaged, or no projector.
        ProjectorError: If there is none, or it belongs to another generator.
    """
    if path is not None:
        return load_projector(path, generator)
    layers = bundled_layers(generator_name)
    if not layers:
        raise ProjectorError(
            f"no projector is known for {generator_name}",
            remedy="name one, or train one with `regen train-projector`",
        )
    if value_layer is None:
        value_layer = preferred if preferred in layers else layers[-1]
    if value_layer not in layers:
        raise ProjectorError(
            f"value layer of {generator_name}",
            got=value_layer,
            expected=f"{' or '.join(map(str, layers))}, with a bundled projector",
            remedy="train a projector for it with `regen train-projector --value-layer`",
        )
    return load_projector(bundled_path(str(generator_name), value_layer), generator)


def _architecture(path: Path | str, header: tensor_file.Header) -> ProjectorConfig:
    entries = header.get("architecture")
    known = {field.name for field in fields(ProjectorConfig)}
    if not isinstance(entries, dict) or set(entries) != known:
        odd = sorted(set(entries) ^ known) if isinstance(entries, dict) else "all of it"
        raise ProjectorError(f"{path}: architecture", got=f"missing or unknown {odd}")
    try:
        return ProjectorConfig(**entries)
    except TypeError as error:
        raise ProjectorError(f"{path}: architecture", got=str(error)) from error


def _check_affordable(
    path: Path | str, config: ProjectorConfig, tensors: Mapping[str, Tensor]
) -> None:
    """A network is made before its tensors are compared, so it must not be far larger than they."""
    levels = list(zip(config.widths, config.blocks, strict=True))
    usual = all(type(size) is int and size <= MOST_CHANNELS for level in levels for size in level)
    held = sum(tensor.numel() for tensor in tensors.values())
    if not usual or sum(36 * b * w**2 for w, b in levels) > 2 * held + _SPARE:
        raise ProjectorError(
            f"{path}: architecture: widths and blocks",
            got=f"{list(config.widths)} and {list(config.blocks)}",
            expected=f"those of its {held:,} weights",
        )


def _check_value(
    path: Path | str, config: ProjectorConfig, value_layer: object, generator: Generator[Latent]
) -> None:
    """Whether the generator has that layer, with features and images of these sizes."""
    if not isinstance(value_layer, int) or isinstance(value_layer, bool):
        raise ProjectorError(f"{path}: value_layer", got=value_layer, expected="an integer")
    try:
        split = generator.split(value_layer, 1)
    except GeneratorError as error:
        raise ProjectorError(f"{path}: {error}") from error
    side = config.value_size
    made_for = (config.value_channels, (side, side), config.resolution)
    has = (split.value_channels, split.value_size, generator.resolution)
    if made_for != has:
        raise ProjectorError(
            f"{path}: channels, size and resolution", got=made_for, expected=str(has)
        )
