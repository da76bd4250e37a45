"""Samples of a generator that a rewrite must leave unchanged, and where on each.

Shapes: P preserved samples; C, h, w the value; H, W an image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from regen.generators.crops import Window
from regen.generators.protocol import Generator, Sample
from regen.generators.split import Activation, Split, concatenate
from regen.images import as_shown
from regen.images.raster import size_of
from regen.rewriting.crops import Crops
from regen.rewriting.key_similarity import KeyMatcher, match_keys, soft_mask
from regen.rewriting.rule import Rule
from regen.rewriting.settings import FitSettings

LEAST_COMPARED = 16  # samples, whose keys say what all keys share


@dataclass(frozen=True)
class Preserved:
    """Samples of the generator that must stay unchanged.

    Attributes:
        keys: P samples.
        values: Their values, ``[P, C, h, w]``.
        images: Their images, ``[P, 3, H, W]``.
        keep: Where they must not change, at the value's size, ``[P, 1, h, w]`` in [0, 1].
        image_keep: The same at the image's size, ``[P, 1, H, W]``.
    """

    keys: Activation
    values: Tensor
    images: Tensor
    keep: Tensor
    image_keep: Tensor

    def __len__(self) -> int:
        return len(self.values)

    def select(self, index: Tensor | Sequence[int]) -> Preserved:
        """The samples `index`, in this order."""
        index = torch.as_tensor(index, dtype=torch.int64, device=self.values.device)
        parts = (self.values, self.images, self.keep, self.image_keep)
        return Preserved(self.keys.select(index), *(part[index] for part in parts))

    def cropped(
        self, crops: Crops, windows: Sequence[Window], index: Tensor | Sequence[int]
    ) -> Preserved:
        """Windows of the samples `index`, one of each; no values and images are copied whole."""
        numbers = torch.as_tensor(index).tolist()
        return Preserved(
            crops.keys(self.keys.select(index), windows),
            crops.values(self.values, windows, numbers),
            crops.images(self.images, windows, numbers),
            crops.values(self.keep, windows, numbers),
            crops.images(self.image_keep, windows, numbers),
        )

    def beside(self, other: Preserved) -> Preserved:
        """These samples and after them others, copied."""
        return Preserved(
            concatenate([self.keys, other.keys]),
            torch.cat([self.values, other.values]),
            torch.cat([self.images, other.images]),
            torch.cat([self.keep, other.keep]),
            torch.cat([self.image_keep, other.image_keep]),
        )


def targets_of(rule: Rule) -> Preserved:
    """The targets of a rule, which must stay as they are outside of it; nothing is copied."""
    kept, can = 1 - rule.image_mask, rule.changeable
    return Preserved(
        rule.keys,
        rule.before.features,
        rule.images,
        1 - rule.mask,
        kept if can is None else kept * can,
    )


@torch.no_grad()
def keys_of(generator: Generator, split: Split, samples: Sequence[Sample]) -> Activation:
    """Keys of at least one sample, ``features [N, K, kh, kw]``, computed in batches."""
    return concatenate([split.head(latent) for latent in generator.batches(samples)])


@torch.no_grad()
def images_of(
    generator: Generator,
    split: Split,
    keys: Activation,
    weights: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """Images ``[N, 3, H, W]`` that keys of whole samples lead to, computed in batches.

    They are those of `Generator.images`, float32 on the CPU in [-1, 1], where a sample passes the
    memory once; what an image was filled with in earlier passes is in its keys.

    Args:
        generator: Says how many are computed at once.
        split: The same, cut.
        keys: From `keys_of`.
        weights: In place of the memory's own, see `Split.recall`.
    """
    parts = _batches(keys, generator.batch_size)
    return torch.cat([as_shown(split.tail(split.recall(part, weights))) for part in parts])


def _batches(keys: Activation, size: int) -> Iterator[Activation]:
    """Keys of up to `size` samples at once."""
    count = len(keys.features)
    for i in range(0, count, size):
        yield keys.select(range(i, min(i + size, count)))


@torch.no_grad()
def preserve(
    generator: Generator, split: Split, rule: Rule, settings: FitSettings, samples: list[Sample]
) -> tuple[Preserved | None, KeyMatcher]:
    """Samples that must stay unchanged, and the matcher that predicts where the rule will act.

    Args:
        generator: Without a rewrite.
        split: The same, cut.
        rule: Whose region is compared with the samples' keys.
        settings: Whether and where to preserve.
        samples: Random samples that are not targets; of more than are preserved the others are
            compared alone.

    Returns:
        What to preserve, None where nothing is; and the matcher.
    """
    latents = list(generator.batches(samples))
    keys = concatenate([split.head(latent) for latent in latents])
    matcher = match_keys(keys.features, rule.keys.features, rule.mask)
    if not settings.preserve:
        return None, matcher
    count = min(settings.preserve, len(keys.features))
    kept = keys if count == len(keys.features) else keys.select(range(count))
    values, images = _recalled(split, kept, generator.batch_size)
    layers = _keep(matcher, keys.features, (values, images), settings)
    keep, image_keep = (layer[:count] for layer in layers)
    if generator.changes_in_part:  # what cannot change would only dilute the mean
        inside = [generator.changeable(latent) for latent in latents]
        image_keep = image_keep * torch.cat([part for part in inside if part is not None])[:count]
    return Preserved(kept, values, images, keep, image_keep), matcher


def _recalled(split: Split, keys: Activation, batch_size: int) -> tuple[Tensor, Tensor]:
    """Values and images of keys; of large ones there is never a second copy."""
    values: Tensor | None = None
    images: Tensor | None = None
    for i, part in enumerate(_batches(keys, batch_size)):
        value, place = split.recall(part), slice(i * batch_size, (i + 1) * batch_size)
        image = split.tail(value)
        values = _room(len(keys.features), value.features) if values is None else values
        images = _room(len(keys.features), image) if images is None else images
        values[place], images[place] = value.features, image
    assert values is not None and images is not None
    return values, images


def _room(count: int, like: Tensor) -> Tensor:
    """An uninitialised tensor for `count` samples, otherwise like `like`."""
    last = like.is_contiguous(memory_format=torch.channels_last)
    order = torch.channels_last if last else torch.contiguous_format
    return torch.empty(
        (count, *like.shape[1:]), dtype=like.dtype, device=like.device, memory_format=order
    )


def _keep(
    matcher: KeyMatcher, keys: Tensor, layers: Sequence[Tensor], settings: FitSettings
) -> list[Tensor]:
    """Where samples must not change, at the size of each layer."""
    sizes = [size_of(layer) for layer in layers]
    if not settings.preserve_outside_match:
        return [torch.ones(len(keys), 1, *size, device=keys.device) for size in sizes]
    similarity = matcher.similarity(keys)
    edge = matcher.edge(similarity, slack=settings.match_area)
    return [1 - soft_mask(similarity, edge, size) for size in sizes]
