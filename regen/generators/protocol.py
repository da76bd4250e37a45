"""What a generator must provide so that its rules can be rewritten.

It has numbered samples, turns them into latents and latents into images, and can be cut, which
`regen.generators.split` is about. What it cannot know, an oracle may.

Shapes: N samples; H, W height and width of an image.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Protocol

import torch
from torch import Tensor, nn

from regen.batches import at_once
from regen.errors import GeneratorError, printable
from regen.files import tensor_file
from regen.generators.split import Latent, Split

if TYPE_CHECKING:
    from typing_extensions import Self

_MOST_AT_ONCE = 16  # samples


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One image that a generator can generate. Families add what their samples depend on.

    Attributes:
        label: Name to display: "seed 3", "dog.jpg".
        index: Its number in the generator's source; None for what is not exactly one of the
            source's samples, such as a user's own image or a truncated seed.
    """

    label: str
    index: int | None = None

    @property
    def name(self) -> str:
        """What files of its results are named after, by default the label."""
        return self.label


class Oracle(Protocol):
    """Knows what a perfect rewrite would generate. Images are in [-1, 1], masks in [0, 1]."""

    @property
    def patterns(self) -> Sequence[str]:
        """Names of the patterns it knows."""
        ...

    @property
    def regions(self) -> Sequence[str]:
        """Names of the regions it knows."""
        ...

    def knows(self, sample: Sample) -> bool:
        """Whether it knows the perfect rewrite of a sample."""
        ...

    def plain(self, samples: Sequence[Sample]) -> Tensor:
        """What the samples look like under the old rule, ``[N, 3, H, W]``."""
        ...

    def wanted(self, samples: Sequence[Sample], pattern: str) -> Tensor:
        """The same with a pattern, ``[N, 3, H, W]``."""
        ...

    def region(self, name: str, samples: Sequence[Sample]) -> Tensor:
        """Where a named region is in each sample, ``[N, 1, H, W]``."""
        ...

    def changed(self, samples: Sequence[Sample], pattern: str) -> Tensor:
        """Where `plain` and `wanted` may differ, ``[N, 1, H, W]``."""
        ...


class Source(Protocol):
    """The numbered samples of a generator; equal numbers give equal samples on every machine."""

    @property
    def count(self) -> int | None:
        """How many there are; None for an infinite source."""
        ...

    @property
    def oracle(self) -> Oracle | None:
        """The oracle that knows their perfect rewrites, or None."""
        ...

    def samples(self, indices: Iterable[int]) -> list[Sample]:
        """The samples of these numbers, in their order."""
        ...

    def varied(self, indices: Iterable[int]) -> list[Sample]:
        """The same with the variation that a projector should be trained on."""
        ...

    def typical(self, count: int) -> list[Sample]:
        """Samples whose context is worth trying on a foreign image, the most typical first.

        At least one, and at most `count`: a finite source may have fewer.
        """
        ...

    def alike(self, sample: Sample, indices: Iterable[int]) -> list[Sample]:
        """The samples of these numbers, as far as they go in the manner of `sample`.

        What is not numbered is taken from it: the part that its hole hides, for instance. Where
        nothing is, they are those of `samples`.
        """
        ...

    def index_of(self, sample: Sample) -> int | None:
        """The number of the sample that `sample` is or is a variant of; None if there is none.

        A sample may have one although its own `index` is None: a truncated seed, or an image of
        the folder that was named by its path. Numbers of targets are left out of reserved samples.
        """
        ...


class Generator(nn.Module, ABC):
    """A trained network that generates images from latents.

    Attributes:
        family: Name of its family, as files record it.
        source_name: The name or path it was opened by; "" for one that was made in memory.
        oracle: The oracle that knows its perfect rewrites, or None.
        usual_settings: Settings of a rewrite by dotted name, where the defaults do not suit the
            family; whatever else gives a setting comes before them.
        changes_in_part: Whether `changeable` limits where its images can change: it fills holes.
        takes_styles: Whether its samples have a style: it translates.
    """

    family: ClassVar[str]
    usual_settings: ClassVar[Mapping[str, object]] = MappingProxyType({})
    changes_in_part: ClassVar[bool] = False
    takes_styles: ClassVar[bool] = False
    source_name: str = ""
    oracle: Oracle | None = None

    @property
    @abstractmethod
    def image_size(self) -> tuple[int, int]:
        """Height and width of its images, in pixels; the usual ones where they may differ."""

    @property
    @abstractmethod
    def convolutions(self) -> int:
        """How many convolutions can be a value layer."""

    @abstractmethod
    def source(
        self, images: Path | None = None, inputs: Mapping[str, object] | None = None
    ) -> Source:
        """Its numbered samples.

        Args:
            images: A folder of images to take them from, for a family that needs images.
            inputs: What else they have, by the keys of ``samples`` in an edits file: ``holes``,
                ``styles``; a family takes those it supports.

        Raises:
            GeneratorError: If the family needs images and has none, or takes none; or if there is
                an input that it does not support.
        """

    def limited(self, oracle: Oracle) -> Oracle:
        """An oracle of its samples, limited to what it can change of them; by default to all."""
        return oracle

    @abstractmethod
    def sample(self, request: Mapping[str, object]) -> Sample:
        """The sample that a request describes.

        Args:
            request: Keys that describe it in an edits file or a command: ``seed``, ``truncation``,
                ``picture``, ``style``, ``hole``; a family takes those it supports.

        Raises:
            GeneratorError: If the request has a key that the family does not support, or lacks one
                that it needs.
        """

    @abstractmethod
    def latents(self, samples: Sequence[Sample]) -> Latent:
        """Latents of samples: equal samples give equal images on every machine."""

    @abstractmethod
    def forward(self, latent: Latent) -> Tensor:
        """Images ``[N, 3, H, W]`` of latents, nominally in [-1, 1], through the uncut network."""

    def changeable(self, latent: Latent) -> Tensor | None:
        """Where its images can change at all, ``[N, 1, H, W]`` of 0 and 1; None for everywhere.

        Outside of it every image is, bit for bit, what it was given, whatever the weights are.
        """
        return None

    def shown_input(self, latent: Latent) -> Tensor | None:
        """The images that it was given, ``[N, 3, H, W]`` in [-1, 1], what it may not see in grey.

        None for a family that is given no images.
        """
        return None

    @abstractmethod
    def split(self, value_layer: int, memory_layers: int) -> Split:
        """Cut the network.

        Raises:
            GeneratorError: If the generator has fewer layers.
        """

    def check_cut(self, value_layer: int, memory_layers: int, counted: str = "of") -> None:
        """Check that a cut exists.

        Args:
            value_layer: The last convolution of the memory.
            memory_layers: How many it has.
            counted: Which convolutions are counted, to stand before the generator's name.

        Raises:
            GeneratorError: If it does not; the message names the generator as it was opened.
        """
        name = self.source_name or "this generator"
        if not 1 <= value_layer <= self.convolutions:
            raise GeneratorError(
                "value layer",
                got=value_layer,
                expected=f"1 to {self.convolutions}, the convolutions {counted} {name}",
            )
        if not 1 <= memory_layers <= value_layer:
            raise GeneratorError(
                "memory layers",
                got=memory_layers,
                expected=f"1 to {value_layer}, since the memory ends at convolution {value_layer} "
                f"of {name}",
            )

    @abstractmethod
    def computing_in(self, dtype: torch.dtype) -> AbstractContextManager[None]:
        """Inside the block the convolutions compute in `dtype`."""

    def usual_cut(self, *, large: bool = False) -> tuple[int, int]:
        """Value layer, and number of convolutions of the memory, where there is no projector.

        The last convolution and the three before it, or the five before it for a large pattern:
        colours and detail that the generator does not know need the last layers, and shapes need
        earlier ones.

        Args:
            large: Whether the pattern is large: glasses or a mask, not eyes or a nose.
        """
        return self.convolutions, min(6 if large else 4, self.convolutions)

    @property
    def device(self) -> torch.device:
        """The device of its parameters."""
        return next(self.parameters()).device

    def digest(self) -> str:
        """SHA-256 over names, shapes and values of its parameters and buffers."""
        return tensor_file.digest(self.state_dict())

    def twin(self) -> Self:
        """A copy with modules and parameters of its own, whose tensors are the same memory.

        Two threads can compute with a generator and its twin, each with weights in place of its
        own (`Split.recall`, `regen.rewriting.rewrite.rewritten`), and neither sees the other's.
        """
        same: dict[int, object] = {id(buffer): buffer for buffer in self.buffers()}
        for parameter in self.parameters():
            same[id(parameter)] = nn.Parameter(parameter.detach(), requires_grad=False)
        return copy.deepcopy(self, same)

    @property
    def batch_size(self) -> int:
        """How many samples are computed at once: 16 up to 256x256, and fewer of larger images.

        So a batch needs about the same memory, whatever their size, and larger batches would not
        be faster. A user's images that are not square are larger than `image_size`, and need more.
        """
        return at_once(_MOST_AT_ONCE, self.image_size)

    def batches(self, samples: Sequence[Sample], batch_size: int | None = None) -> Iterator[Latent]:
        """Latents of samples, `batch_size` at once; by default the generator's own."""
        size = self.batch_size if batch_size is None else batch_size
        for i in range(0, len(samples), size):
            yield self.latents(samples[i : i + size])

    @torch.no_grad()
    def images(self, samples: Sequence[Sample], batch_size: int | None = None) -> Tensor:
        """Images ``[N, 3, H, W]`` of samples, float32 on the CPU, limited to [-1, 1].

        Args:
            samples: At least one.
            batch_size: How many are computed at once; by default the generator's `batch_size`.
        """
        latents = self.batches(samples, batch_size)
        parts: list[Tensor] = [self(latent).float().cpu() for latent in latents]
        return torch.cat(parts).clamp(-1, 1)


def checked_open(generator: Generator) -> Generator:
    """The generator, if it is one. Raises GeneratorError for its name, or the path of its file."""
    if not isinstance(generator, Generator):
        raise GeneratorError(
            "generator",
            got=printable(repr(generator))[:60],
            expected="an open generator",
            remedy="open it with `regen.open_generator`",
        )
    return generator
