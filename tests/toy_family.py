"""A family that is nothing like StyleGAN2: it turns images of 16 x 24 pixels into others.

Samples are the images of a folder; there are no seeds. A fixed convolution encodes an image, three
more at half the size can be a memory, and a decoder adds to what it makes of their result the
brightness of the image, which bypassed them: that is what the tail needs beside the value.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from regen.errors import GeneratorError
from regen.generators import native
from regen.generators.convolution_keys import ConvolutionKeys
from regen.generators.family import Family
from regen.generators.native import GeneratorFile
from regen.generators.protocol import Generator, Sample
from regen.generators.split import Activation, Split
from regen.images import load_image
from regen.images.listing import image_files

SIZE, CHANNELS, CONVOLUTIONS = (16, 24), 12, 3


@dataclass(frozen=True, kw_only=True)
class ToySample(Sample):
    picture: str  # a path or a data URI


@dataclass(frozen=True)
class ToySource:
    """The images of a folder, by name."""

    paths: list[Path]
    oracle: None = None

    @property
    def count(self) -> int:
        return len(self.paths)

    def samples(self, indices: Iterable[int]) -> list[Sample]:
        return [self._sample(index) for index in indices]

    varied = samples

    def typical(self, count: int) -> list[Sample]:
        return self.samples(range(self.count)[:count])

    def alike(self, sample: ToySample, indices: Iterable[int]) -> list[Sample]:
        return self.samples(indices)

    def index_of(self, sample: ToySample) -> int | None:
        path = Path(sample.picture).resolve()
        return self.paths.index(path) if path in self.paths else None

    def _sample(self, index: int) -> ToySample:
        if index not in range(self.count):
            raise GeneratorError("image", got=index, expected=f"0 to {self.count - 1}")
        path = self.paths[index]
        return ToySample(label=path.name, index=index, picture=str(path))


@dataclass(frozen=True)
class ToyLatent:
    images: Tensor  # [N, 3, H, W]

    def __len__(self) -> int:
        return len(self.images)

    def select(self, index: Tensor | Sequence[int]) -> ToyLatent:
        return ToyLatent(self.images[torch.as_tensor(index)])


@dataclass(frozen=True)
class ToyContext:
    brightness: Tensor  # [N, 1, H, W]

    def select(self, index: Tensor) -> ToyContext:
        return ToyContext(self.brightness[index])

    def join(self, others: Sequence[ToyContext]) -> ToyContext:
        return ToyContext(torch.cat([context.brightness for context in (self, *others)]))

    def detach(self) -> ToyContext:
        return ToyContext(self.brightness.detach())


class ToyConvolution(nn.Conv2d):
    """A convolution and a leaky ReLU; a result in the precision of its input."""

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(super().forward(x.float()), 0.2).to(x.dtype)


class ToyMemory(nn.Sequential):
    """The convolutions `first` to `last`, those of the generator itself."""

    def __init__(self, middle: nn.Sequential, first: int, last: int) -> None:
        super().__init__(OrderedDict((str(i), middle[i - 1]) for i in range(first, last + 1)))

    def forward(self, key: Activation) -> Activation:
        return key.with_features(super().forward(key.features))


class ToySplit(Split):
    def __init__(self, toy: Toy, value_layer: int, memory_layers: int) -> None:
        self.toy, self.value_layer, self.memory_layers = toy, value_layer, memory_layers
        first = value_layer - memory_layers + 1
        self.before = ToyMemory(toy.middle, 1, first - 1)
        self.memory = ToyMemory(toy.middle, first, value_layer).train(toy.training)
        self.after = ToyMemory(toy.middle, value_layer + 1, CONVOLUTIONS)

    def head(self, latent: ToyLatent) -> Activation:
        return self.before(self.toy.encoded(latent))

    def tail(self, value: Activation) -> Tensor:
        return self.toy.decoded(self.after(value))

    def value_shape(self, image_size: tuple[int, int]) -> tuple[int, int, int]:
        return CHANNELS, image_size[0] // 2, image_size[1] // 2

    def memory_weights(self) -> list[str]:
        return [name for name, _ in self.memory.named_parameters()]

    def full_name(self, memory_name: str) -> str:
        return f"middle.{memory_name}"


class KeyedToySplit(ToySplit):
    """One that gives keys, so that the memory can be rewritten in closed form."""

    @torch.no_grad()
    def convolution_keys(
        self, key: Activation, weights: Mapping[str, Tensor]
    ) -> Iterator[ConvolutionKeys]:
        x = key.features.float()
        for name, convolution in self.memory.named_children():
            yield ConvolutionKeys(f"{name}.weight", F.pad(x, (1, 1, 1, 1)), kernel=3)
            own = {part: f"{name}.{part}" for part in ("weight", "bias")}
            own = {part: weights[full] for part, full in own.items() if full in weights}
            x = functional_call(convolution, own, (x,))


class Toy(Generator):
    """Random weights of a seed; only those that are `keyed` can be rewritten in closed form."""

    family = "toy"
    image_size, convolutions = SIZE, CONVOLUTIONS

    def __init__(self, *, keyed: bool = True, seed: int = 0) -> None:
        super().__init__()
        self.keyed = keyed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = ToyConvolution(3, CHANNELS, 4, stride=2, padding=1)
            self.middle = nn.Sequential(
                OrderedDict(
                    (str(i + 1), ToyConvolution(CHANNELS, CHANNELS, 3, padding=1))
                    for i in range(CONVOLUTIONS)
                )
            )
            self.decoder = nn.Conv2d(CHANNELS, 12, 3, padding=1)
            for convolution in (self.encoder, *self.middle, self.decoder):
                nn.init.kaiming_normal_(convolution.weight, a=0.2)
        self.eval().requires_grad_(False)

    def source(
        self, images: Path | None = None, inputs: Mapping[str, object] | None = None
    ) -> ToySource:
        if inputs:
            raise GeneratorError("inputs of samples", got=", ".join(inputs), expected="none")
        if images is None:
            raise GeneratorError(
                "source of samples", got="no folder", expected="a folder of images"
            )
        return ToySource(image_files(images.resolve()))

    def sample(self, request: Mapping[str, object]) -> ToySample:
        for name, value in request.items():
            if name != "picture" or not isinstance(value, str):
                raise GeneratorError(
                    f"{name} of a sample",
                    got=repr(value),
                    expected="a picture, by its path",
                    remedy="this generator changes images; give it one, or a folder of them",
                )
        picture = str(request["picture"])
        embedded = picture.startswith("data:")
        label = "embedded image" if embedded else Path(picture).name
        return ToySample(label=label, picture=picture)

    def latents(self, samples: Sequence[ToySample]) -> ToyLatent:
        images = [load_image(sample.picture, size=SIZE) for sample in samples]
        return ToyLatent(torch.cat(images).to(self.device))

    def encoded(self, latent: ToyLatent) -> Activation:
        context = ToyContext(latent.images.mean(dim=1, keepdim=True))
        return Activation(self.encoder(latent.images), context)

    def decoded(self, last: Activation) -> Tensor:
        pixels = F.pixel_shuffle(self.decoder(last.features.float()), 2).float()
        return torch.tanh(0.5 * pixels + 0.5 * last.context.brightness)

    def forward(self, latent: ToyLatent) -> Tensor:
        first = self.encoded(latent)
        return self.decoded(first.with_features(self.middle(first.features)))

    def split(self, value_layer: int, memory_layers: int) -> ToySplit:
        if not 1 <= memory_layers <= value_layer <= CONVOLUTIONS:
            got = f"{memory_layers} convolutions up to {value_layer}"
            raise GeneratorError("memory", got=got, expected=f"1 to {CONVOLUTIONS}")
        return (KeyedToySplit if self.keyed else ToySplit)(self, value_layer, memory_layers)

    def computing_in(self, dtype: torch.dtype) -> AbstractContextManager[None]:
        return torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32)


def _load(file: GeneratorFile) -> Toy:
    toy = Toy(keyed=file.header["architecture"]["keyed"])
    toy.load_state_dict(file.generator_tensors())
    return toy


def _save(path: Path, toy: Toy, *, card: Mapping[str, object], **more: object) -> None:
    architecture = {"keyed": toy.keyed}
    native.save_file(
        path, toy.state_dict(), family="toy", architecture=architecture, card=card, **more
    )


FAMILY = Family(
    name="toy",
    load=_load,
    save=_save,
    describe=lambda toy: {"architecture": {"keyed": toy.keyed}},
)
