"""Starting from a trained generator, even of another size or with other channels.

A layer is taken over where its name and shape are the same; the rest is random. A generator of
more pixels gets new layers at its end, whose colours start at 0: its first images are the old
ones, enlarged. One of fewer pixels takes the old one's first layers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from regen.errors import TrainingError
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2

MAPPING_LR_MULTIPLIER = 0.01  # as published


@dataclass(frozen=True)
class WarmStart:
    """What was taken over.

    Attributes:
        taken: Names of the tensors that were taken over.
        new: Names of those that are learned and start at random, or at 0.
        unused: Names of those of the old generator that the new one does not have.
    """

    taken: tuple[str, ...]
    new: tuple[str, ...]
    unused: tuple[str, ...]

    def __str__(self) -> str:
        text = f"{len(self.taken)} tensors taken over, {len(self.new)} new"
        if self.new:
            text += f" ({', '.join(layers_of(self.new))})"
        if self.unused:
            text += f", {len(self.unused)} not needed ({', '.join(layers_of(self.unused))})"
        return text


def layers_of(names: tuple[str, ...]) -> list[str]:
    """Names of the layers of tensors, each once.

    Example:
        >>> layers_of(("synthesis.convs.9.weight", "synthesis.convs.9.bias", "mapping.w_mean"))
        ['convs.9', 'mapping']
    """
    layers = []
    for name in names:
        parts = name.split(".")
        layers.append(".".join(parts[1:3]) if parts[0] == "synthesis" else parts[0])
    return list(dict.fromkeys(layers))


def architecture_from(old: StyleGAN2, size: int) -> StyleGAN2Config:
    """The architecture of `old` at another size, with the published step size of its mapping.

    Raises:
        TrainingError: If `old` has classes.
        GeneratorError: If the size is not possible.
    """
    if old.config.label_dim:
        raise TrainingError(
            "generator to start from", got=f"{old.config.label_dim} classes", expected="none"
        )
    return replace(old.config, resolution=size, mapping_lr_multiplier=MAPPING_LR_MULTIPLIER)


@torch.no_grad()
def take_over(new: StyleGAN2, old: StyleGAN2) -> WarmStart:
    """Copy into `new`, in place, what fits of `old`.

    A mapping of another learning-rate multiplier computes the same afterwards.

    Raises:
        TrainingError: If not a single convolution's weight fits.
    """
    theirs, mine = _useful(old, new), new.state_dict()
    taken = [n for n, t in mine.items() if n in theirs and theirs[n].shape == t.shape]
    if not any(name.startswith("synthesis.convs") and name.endswith(".weight") for name in taken):
        raise TrainingError(
            "generator to start from: no convolution fits",
            got=f"{_words(old.config)}",
            expected=_words(new.config),
            remedy="leave out the channels: the new generator then has the old one's",
        )
    for name in taken:
        mine[name].copy_(theirs[name])
    if new.resolution > old.resolution:
        for name, rgb in new.synthesis.rgbs.items():
            if f"synthesis.rgbs.{name}.weight" not in taken:
                weight, bias = rgb.get_parameter("weight"), rgb.get_parameter("bias")
                weight.zero_()
                bias.zero_()
    added = tuple(n for n in mine if n not in taken and not n.endswith("noise_const"))
    unused = tuple(name for name in theirs if name not in taken)
    return WarmStart(tuple(taken), added, unused)


def _useful(old: StyleGAN2, new: StyleGAN2) -> dict[str, Tensor]:
    """The tensors of `old`, its mapping's stored for the learning-rate multiplier of `new`.

    Noise that is 0 everywhere, as in a generator trained without, is left out.
    """
    factor = old.config.mapping_lr_multiplier / new.config.mapping_lr_multiplier
    useful = {}
    for name, tensor in old.state_dict().items():
        if name.startswith("mapping.layers."):
            useful[name] = tensor * factor
        elif not name.endswith("noise_const") or bool(tensor.any()):
            useful[name] = tensor
    return useful


def _words(config: StyleGAN2Config) -> str:
    return f"channel_base {config.channel_base} and channel_max {config.channel_max}"
