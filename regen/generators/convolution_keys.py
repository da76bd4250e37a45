"""What a convolution of the memory convolves, laid out so that it is a plain matrix product.

A convolution is linear in its weight: every position of its output, before noise, bias and
activation and up to a factor per sample and channel, is the product of the weight, flattened to
``[O, I * k * k]``, with one *key*: the patch of the input that the position sees (im2col), with
everything that the layer does to its input, such as styles or enlarging, already applied.

A family whose split provides these keys can be rewritten in closed form; nothing else is required
of it. A family without keys is fitted by gradient steps alone.

Shapes: N samples; I, O input and output channels; k kernel; h, w size of the output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from regen.generators.split import Activation


@dataclass(frozen=True)
class ConvolutionKeys:
    """The keys of one convolution for some samples.

    Attributes:
        name: Of its weight ``[O, I, k, k]``, inside the memory.
        field: Input that the kernel slides over, with padding, ``[N, I, h + k - 1, w + k - 1]``.
        kernel: k.
        backwards: Whether the weight's taps run against the field, as they do in a transposed
            convolution.
    """

    name: str
    field: Tensor
    kernel: int
    backwards: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the output."""
        return self.field.shape[2] - self.kernel + 1, self.field.shape[3] - self.kernel + 1

    def rows(self, positions: Tensor) -> Tensor:
        """Keys of some positions, in the order of the flattened weight.

        Args:
            positions: Indices ``[M]`` int64 into the ``h * w`` positions, row after row.

        Returns:
            ``[N, M, I * k * k]``; ``rows @ weight.flatten(1).T`` is what the layer convolves.
        """
        windows = self.field.unfold(2, self.kernel, 1).unfold(3, self.kernel, 1)
        width = self.size[1]
        chosen = windows[:, :, positions // width, positions % width]  # [N, I, M, k, k]
        if self.backwards:
            chosen = chosen.flip(3, 4)
        return chosen.transpose(1, 2).flatten(2)


@runtime_checkable
class KeyedSplit(Protocol):
    """A split that knows the keys of its memory's convolutions."""

    def convolution_keys(
        self, key: Activation, weights: Mapping[str, Tensor]
    ) -> Iterator[ConvolutionKeys]:
        """Keys of each convolution, from the first to the last, without gradients.

        Args:
            key: N samples.
            weights: Used in place of the memory's own, by name; the others stay.
        """
        ...
