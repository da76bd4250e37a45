"""Differentiable augmentation of what D sees, so that few images suffice.

Real and fake images alike are changed before D judges them, and the generator learns through the
change: D cannot memorise the real images, and the generator need not imitate the changes.

Source: Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training", section 4:
colour (brightness, saturation, contrast), translation and cutout. Written from the paper.

Shapes: N images; H, W their height and width.
"""

from __future__ import annotations

import torch
from torch import Tensor

from regen.generators.stylegan2.training.augmentation_settings import Augmentation

NUMBERS = 7  # random numbers that determine the augmentation of one image


def random_numbers(count: int, random: torch.Generator) -> Tensor:
    """Random numbers of `count` images for `augment`: uniform in [0, 1), ``[N, 7]``."""
    return torch.rand(count, NUMBERS, generator=random)


def thinned(numbers: Tensor, share: float) -> Tensor:
    """Numbers ``[N, 7]`` for `augment`, of which each kind of change takes place in a share.

    Whether and how much is decided by the same number, so a share of 1 changes none of them.

    Example:
        >>> numbers = random_numbers(2, torch.Generator().manual_seed(0))
        >>> images = torch.rand(2, 3, 8, 8)
        >>> torch.equal(augment(images, thinned(numbers, 0.0), Augmentation()), images)
        True
        >>> torch.equal(thinned(numbers, 1.0), numbers)
        True
    """
    colour, moved, cut = numbers[:, :3], numbers[:, 3:4], numbers[:, 5:6]
    scale = 1 / max(share, 1e-6)
    # Numbers of 1/2 change neither colour nor position; a square centred at -1 is outside.
    colour = torch.where(colour < share, colour * scale, 0.5)
    shift = torch.cat([moved * scale, numbers[:, 4:5]], dim=1)
    shift = torch.where(moved < share, shift, 0.5)
    square = torch.cat([cut * scale, numbers[:, 6:7]], dim=1)
    square = torch.where(cut < share, square, -1.0)
    return torch.cat([colour, shift, square], dim=1)


def steered(share: float, real_sign: float, target: float, images: int, kimg: float) -> float:
    """The share of augmented images after a step.

    It grows while D tells too well what is real, and falls otherwise, always equally fast
    (Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", section 3.1;
    there after every fourth step).

    Args:
        share: Before it.
        real_sign: Mean sign of D's logits of real images, -1 to 1.
        target: What the mean sign should be.
        images: Of the step.
        kimg: Thousands of images from 0 to 1.

    Example:
        >>> steered(0.5, 0.9, 0.6, 16, 1.6), steered(0.5, 0.2, 0.6, 16, 1.6)
        (0.51, 0.49)
    """
    change = images / (1000 * kimg)
    return min(1.0, max(0.0, share + (change if real_sign > target else -change)))


def augment(images: Tensor, numbers: Tensor, augmentation: Augmentation) -> Tensor:
    """Change each image by its own random numbers; differentiable in `images` to any order.

    Args:
        images: ``[N, 3, H, W]``, nominally in [-1, 1].
        numbers: As from `random_numbers`. Equal numbers give equal changes; 1/2 everywhere
            changes neither colour nor position.
        augmentation: Strength of each kind of change.

    Returns:
        The shape, dtype and memory format of `images`; not clipped.

    Example:
        >>> numbers = random_numbers(2, torch.Generator().manual_seed(0))
        >>> images = torch.rand(2, 3, 8, 8)
        >>> torch.equal(augment(images, numbers, Augmentation.none()), images)
        True
    """
    if len(numbers) != len(images) or numbers.shape[1:] != (NUMBERS,):
        raise ValueError(f"random numbers {list(numbers.shape)} for {len(images)} images")
    numbers = numbers.to(images.device)
    if augmentation.brightness or augmentation.saturation or augmentation.contrast:
        images = _recolour(images, 2 * numbers[:, :3] - 1, augmentation)
    if augmentation.translation:
        images = _translate(images, numbers[:, 3:5], augmentation.translation)
    if augmentation.cutout:
        images = images * _kept(images, numbers[:, 5:], augmentation.cutout)
    return images


def _recolour(x: Tensor, signed: Tensor, augmentation: Augmentation) -> Tensor:
    """Brightness, saturation, contrast, in this order, by numbers ``[N, 3]`` in [-1, 1).

    The three are affine in the pixel, its grey and the image's mean, so they are applied as one:
    with brightness b, saturation s and contrast c, ``c (s x + (1 - s) grey) + (1 - c) mean + b``.
    """
    lift, spread, stretch = signed.to(x)[:, :, None, None, None].unbind(1)  # each [N, 1, 1, 1]
    brightness = augmentation.brightness * lift
    saturation = 1 + augmentation.saturation * spread
    contrast = 1 + augmentation.contrast * stretch
    if augmentation.contrast:
        brightness = brightness + (1 - contrast) * x.mean(dim=(1, 2, 3), keepdim=True)
    if augmentation.saturation:
        grey = x.mean(dim=1, keepdim=True)
        brightness = brightness + contrast * (1 - saturation) * grey
    return x * (contrast * saturation) + brightness


def _translate(x: Tensor, uniform: Tensor, share: float) -> Tensor:
    """Shift by whole pixels, by numbers ``[N, 2]`` in [0, 1) for x and y; 0 comes in."""
    layout = torch.preserve_format
    if x.is_contiguous(memory_format=torch.channels_last):
        layout = torch.channels_last
    for dim, numbers in ((3, uniform[:, 0]), (2, uniform[:, 1])):
        most = round(x.shape[dim] * share)
        shift = (numbers * (2 * most + 1)).floor().long() - most
        x = _shifted(x, shift, dim)
    return x.contiguous(memory_format=layout)


def _shifted(x: Tensor, shift: Tensor, dim: int) -> Tensor:
    """Each image moved along `dim` by as many pixels as its int64 `shift`, ``[N]``, says."""
    side = x.shape[dim]
    source = torch.arange(side, device=x.device) - shift[:, None]  # [N, side]
    shape = [len(x), 1, *((side, 1) if dim == 2 else (1, side))]
    inside = ((source >= 0) & (source < side)).view(shape)
    index = source.clamp(0, side - 1).view(shape).expand_as(x)
    return torch.where(inside, x.gather(dim, index), 0.0)


def _kept(x: Tensor, uniform: Tensor, share: float) -> Tensor:
    """1 outside a square whose centre lies anywhere in the image, 0 inside, ``[N, 1, H, W]``."""
    outside = []
    for axis, side in enumerate((x.shape[3], x.shape[2])):
        length = round(side * share)
        first = (uniform[:, axis] * side).floor() - length // 2
        position = torch.arange(side, device=x.device) - first[:, None]  # [N, side]
        outside.append(~((position >= 0) & (position < length)))
    kept = outside[0][:, None, :] | outside[1][:, :, None]  # [N, H, W]
    return kept[:, None].to(x.dtype)
