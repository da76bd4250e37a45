"""Files of backward projectors: safetensors that say which generator and layer they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from os.path import isdir  # unlike those of Path, they raise nothing
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.errors import GeneratorError, ProjectorError
from regen.files import tensor_file
from regen.files.budget import MOST_CHANNELS
from regen.files.paths import checked_path
from regen.files.run_files import PROJECTOR_FILE
from regen.files.tensor_header import Header
from regen.generators import bundled
from regen.generators.protocol import Generator
from regen.numbers import plain
from regen.projector.config import ProjectorConfig
from regen.projector.network import BackwardProjector

_SPARE = 1 << 20  # weights that a network may have beyond those of a file that does not fit it

FORMAT = "projector"
VERSION = 1

# Of the bundled portraits: a late value layer rewrites with the finest detail, an earlier one
# leaves less of a foreign image to the context.
REWRITING_LAYER = 10
PROJECTING_LAYER = 8
_GUIDES = "guides"


@dataclass(frozen=True)
class Projector:
    """A backward projector read from a file, checked against its generator.

    Attributes:
        network: In eval mode, requiring no gradients, on the generator's device.
        value_layer: The convolution whose output it predicts, counted from 1.
        name: The file, for messages.
        header: The file's header.
    """

    network: BackwardProjector
    value_layer: int
    name: str
    header: Header

    def __call__(self, image: Tensor) -> Tensor:
        """Value features ``[N, C, h, w]`` of ``image [N, I, H, W]``, as `BackwardProjector`."""
        features: Tensor = self.network(image)
        return features

    def check_layer(self, value_layer: int) -> None:
        """Check that it predicts the features of `value_layer`.

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


def projectors_of(generator: Generator) -> list[Path]:
    """Files of the bundled projectors that rewrite a generator, found by its digest."""
    return list(bundled.projectors_of(generator.digest(), rewriting=True).values())


def save_projector(
    path: Path | str,
    projector: BackwardProjector,
    generator: Generator,
    value_layer: int,
    *,
    card: Mapping[str, Any],
    half: bool = False,
) -> Header:
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


def checked_projector_path(path: object) -> str:
    """The path of a projector as text. Raises ProjectorError for what is no path."""
    return checked_path(path, ProjectorError, "projector", expected="the path of one")


def load_projector(path: Path | str, generator: Generator) -> Projector:
    """Read the projector of a generator.

    Args:
        path: The file, or the run folder of its training.
        generator: The generator it must belong to.

    Raises:
        StoreError: If the file is damaged, or not a projector.
        ProjectorError: If it belongs to another generator, or its header is invalid.
    """
    path = checked_projector_path(path)
    path = Path(path) / PROJECTOR_FILE if isdir(path) else path
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
    with torch.random.fork_rng(devices=[]):  # for weights that are replaced
        network = BackwardProjector(config)
    tensors = tensor_file.check_tensors(stored.tensors, network.state_dict(), str(path))
    network.load_state_dict(tensors)
    network.eval().requires_grad_(False)
    network.to(generator.device)
    return Projector(network, value_layer, str(path), header)


def open_projector(
    path: Path | str | None,
    generator: Generator,
    *,
    value_layer: int | None = None,
    preferred: int = REWRITING_LAYER,
) -> Projector:
    """Read a projector, or the bundled one that belongs to a generator, found by its digest.

    Args:
        path: The file or run folder, or None for a bundled one.
        generator: The generator.
        value_layer: Which bundled one; None for the preferred.
        preferred: The value layer that suits the purpose best, where there is more than one.

    Raises:
        StoreError: If the file is damaged, or not a projector.
        ProjectorError: If the generator has none, or it belongs to another generator.
    """
    if path is not None:
        return load_projector(path, generator)
    name = generator.source_name or "this generator"
    known = bundled.projectors_of(generator.digest())
    if not known:
        raise ProjectorError(
            f"no projector is known for {name}",
            remedy="name one, or train one with `regen train-projector`",
        )
    if value_layer is None:
        value_layer = preferred if preferred in known else max(known)
    value_layer = plain(value_layer)
    if type(value_layer) is not int or value_layer not in known:
        raise ProjectorError(
            f"value layer of {name}",
            got=value_layer,
            expected=f"{' or '.join(map(str, known))}, with a bundled projector",
            remedy="train a projector for it with `regen train-projector --value-layer`",
        )
    return load_projector(known[value_layer], generator)


def _architecture(path: Path | str, header: Header) -> ProjectorConfig:
    entries = header.get("architecture")
    known = {field.name for field in fields(ProjectorConfig)}
    if isinstance(entries, dict):
        entries = {_GUIDES: 0, **entries}  # files are older than guides
    if not isinstance(entries, dict) or set(entries) != known:
        odd = sorted(set(entries) ^ known) if isinstance(entries, dict) else "all of it"
        raise ProjectorError(f"{path}: architecture", got=f"missing or unknown {odd}")
    try:
        return ProjectorConfig(**entries)
    except (TypeError, ProjectorError) as error:
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
    path: Path | str, config: ProjectorConfig, value_layer: object, generator: Generator
) -> None:
    """Check that the generator has that layer, with features and images of these sizes."""
    if not isinstance(value_layer, int) or isinstance(value_layer, bool):
        raise ProjectorError(f"{path}: value_layer", got=value_layer, expected="an integer")
    try:
        split = generator.split(value_layer, 1)
    except GeneratorError as error:
        raise ProjectorError(f"{path}: {error}") from error
    made_for = (config.value_shape, config.image_size, config.guides)
    guides = int(generator.changes_in_part)
    has = (split.value_shape(generator.image_size), generator.image_size, guides)
    if made_for != has:
        raise ProjectorError(
            f"{path}: channels, size, resolution and guides", got=made_for, expected=str(has)
        )
