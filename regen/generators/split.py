"""A generator that is cut, and what goes through its parts.

A network is cut twice, into head, memory and tail (section 3.2 of the paper), so that for every
latent

    tail(memory(head(latent))) == network(latent)        bit for bit.

What the tail needs beside the value (style codes, the running RGB image, noise) travels in an
`Activation`; nothing stays behind in a module between calls.

Shapes: N samples; C, h, w channels, height and width of a layer; H, W of an image.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from regen.errors import GeneratorError

if TYPE_CHECKING:
    from typing_extensions import Self

Kind = TypeVar("Kind")


class Latent(Protocol):
    """What an image is a function of. Private to a family, but it can be rearranged."""

    def __len__(self) -> int: ...

    def select(self, index: Tensor | Sequence[int]) -> Self:
        """The samples ``index``, in this order; repetitions are allowed."""
        ...


def latent_of(kind: type[Kind], given: object, made_by: str) -> Kind:
    """What a network was given, if it is a latent of its family.

    Args:
        kind: The family's latents.
        given: What the network was given.
        made_by: How its latents are made, for the message.

    Raises:
        GeneratorError: If it is something else, a tensor for instance.
    """
    if not isinstance(given, kind):
        got = type(given).__name__
        remedy = f"make them with {made_by}"
        raise GeneratorError(
            "input of this generator", got=got, expected=f"a {kind.__name__}", remedy=remedy
        )
    return given


class Context(Protocol):
    """What travels beside the features. Private to a family, but it can be rearranged."""

    def select(self, index: Tensor) -> Self:
        """The context of the samples ``index [M]`` (int64), in this order."""
        ...

    def join(self, others: Sequence[Self]) -> Self:
        """This context's samples followed by those of `others`, of the same family."""
        ...

    def detach(self) -> Self:
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

    def __repr__(self) -> str:
        """Its shape, without the numbers."""
        return f"<Activation of features {list(self.features.shape)}>"

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


def concatenate(activations: Sequence[Activation]) -> Activation:
    """Activations of the same cut as one, sample after sample."""
    features = torch.cat([a.features for a in activations])
    return Activation(features, activations[0].context.join([a.context for a in activations[1:]]))


class Split(ABC):
    """A generator cut at a value layer.

    Attributes:
        memory: The convolutions between key and value, `Activation` -> `Activation`, together one
            associative memory (section 3.2 of the paper). Its parameters are those of the
            generator itself, not copies.
        value_layer: The convolution whose output is the value, counted from 1.
        memory_layers: Number of convolutions of the memory.
        recordable: Whether memory and tail are pure functions of tensors that are all on the
            device, so that a GPU may record them (`regen.training.graphs`) with their gradients:
            they copy nothing there, ask no tensor for a number, and keep nothing.
    """

    recordable: ClassVar[bool] = False
    memory: nn.Module
    value_layer: int
    memory_layers: int

    @abstractmethod
    def head(self, latent: Latent) -> Activation:
        """From latents to the key, ``features [N, K, h', w']``."""

    @abstractmethod
    def tail(self, value: Activation) -> Tensor:
        """From the value to the image ``[N, 3, H, W]``, nominally in [-1, 1]."""

    @abstractmethod
    def value_shape(self, image_size: tuple[int, int]) -> tuple[int, int, int]:
        """Channels, height and width (C, h, w) of the value of images of a height and width."""

    @abstractmethod
    def memory_weights(self) -> list[str]:
        """Names, inside `memory`, of the parameters that a rewrite may change."""

    def memory_parameters(self) -> dict[str, Tensor]:
        """The parameters of `memory_weights`, without gradients, in the order of the memory."""
        names = set(self.memory_weights())
        return {n: p.detach() for n, p in self.memory.named_parameters() if n in names}

    @abstractmethod
    def full_name(self, memory_name: str) -> str:
        """The name in the whole generator of the memory's parameter ``memory_name``."""

    def recall(self, key: Activation, weights: Mapping[str, Tensor] | None = None) -> Activation:
        """The value of a key, with `weights` in place of the memory's own, by name inside it."""
        if weights is None:
            value: Activation = self.memory(key)
        else:
            value = functional_call(self.memory, dict(weights), (key,))
        return value

    def value_of(self, latent: Latent) -> Activation:
        """The value of latents, with the context that the tail needs."""
        return self.recall(self.head(latent))
