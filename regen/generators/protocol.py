"""What a generator must offer so that its rules can be rewritten.

A network is cut twice, into head, memory and tail, so that for every latent

    tail(memory(head(latent))) == network(latent)        bit for bit.

What the tail needs beside the value (style codes, the running RGB image, noise) travels in an
`Activation`; nothing stays behind in a module between calls.

Shapes: N samples; C, h, w channels, height and width of the layer; H, W of the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

Latent = TypeVar("Latent")
_Latent = TypeVar("_Latent", contravariant=True)


class Context(Protocol):
    """What travels beside the features. Private to a family, but it can be rearranged."""

    def select(self, index: Tensor) -> Context:
        """The context of the samples ``index [M]`` (int64), in this order."""
        ...

    def join(self, others: Sequence[Any]) -> Context:
        """This context's samples followed by those of `others`, of the same family."""
        ...

    def detach(self) -> Context:
        """The same context, outside of any autograd graph."""
        ...


@dataclass(frozen=True)
class Activation:
    """Features at a cut, and what the rest of the network needs beside them.

    Attributes:
        features: ``[N, C, h, w]``, unbounded.
        context: Private to the generator family; the memory may add to it.
    """

    features: Tensor
    context: Context

    def with_features(self, features: Tensor) -> Activation:
        """This activation's context with other features of any size."""
        return replace(self, features=features)

    def select(self, index: Tensor | Sequence[int]) -> Activation:
        """The samples ``index``, in this order; repetitions are allowed."""
        index = torch.as_tensor(index, dtype=torch.int64, device=self.features.device)
        return Activation(self.features[index], self.context.select(index))

    def detach(self) -> Activation:
        """The same activation, outside of any autograd graph."""
        return Activation(self.features.detach(), self.context.detach())


@runtime_checkable
class Split(Protocol[_Latent]):
    """A generator cut at a value layer.

    Attributes:
        memory: The convolutions between key and value, `Activation` -> `Activation`. Its
            parameters are those of the generator itself, not copies.
        value_layer: The convolution whose output is the value, counted from 1.
        memory_layers: How many convolutions the memory holds.
        value_channels: C of the value.
        value_size: (h, w) of the value.
    """

    value_layer: int
    memory_layers: int

    @property
    def memory(self) -> nn.Module: ...

    @property
    def value_channels(self) -> int: ...

    @property
    def value_size(self) -> tuple[int, int]: ...

    def head(self, latent: _Latent) -> Activation:
        """From latents to the key, ``features [N, K, h', w']``."""
        ...

    def tail(self, value: Activation) -> Tensor:
        """From the value to the image ``[N, 3, H, W]``, nominally in [-1, 1]."""
        ...

    def memory_weights(self) -> list[str]:
        """Names, inside `memory`, of the parameters that a rewrite may change."""
        ...

    def full_name(self, memory_name: str) -> str:
        """The name in the whole generator of the memory's parameter ``memory_name``."""
        ...


class Generator(Protocol[Latent]):
    """A trained network that draws images from latents. An nn.Module with what follows."""

    family: str

    @property
    def resolution(self) -> int:
        """Height and width of its images, in pixels."""
        ...

    @property
    def convolutions(self) -> int:
        """How many convolutions can be a value layer."""
        ...

    def latents(self, seeds: Sequence[int], truncation: float | Sequence[float] = 1.0) -> Latent:
        """Latents of seeds: equal seeds give equal images on every machine."""
        ...

    def split(self, value_layer: int, memory_layers: int) -> Split[Latent]:
        """Cut the network.

        Raises:
            GeneratorError: If the generator has fewer layers.
        """
        ...

    def digest(self) -> str:
        """SHA-256 over names, shapes and values of its parameters and buffers."""
        ...


def value_of(split: Split[Latent], latent: Latent) -> Activation:
    """The value ``[N, C, h, w]`` of latents, with the context that its tail needs."""
    value: Activation = split.memory(split.head(latent))
    return value


def concatenate(activations: Sequence[Activation]) -> Activation:
    """Activations of the same cut as one, sample after sample."""
    features = torch.cat([a.features for a in activations])
    return Activation(features, activations[0].context.join([a.context for a in activations[1:]]))
