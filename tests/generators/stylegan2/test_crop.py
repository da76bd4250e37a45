from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from regen.generators.crops import CropSplit, Window, cut
from regen.generators.split import concatenate
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.crop import Crop, spans
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.trimming import Span
from tests.tolerances import assert_near

Build = Callable[..., StyleGAN2]
SIX_TAPS = (1.0, -2.0, 5.0, 5.0, 3.0, 1.0)


def noisy(build: Build, **config: object) -> StyleGAN2:
    generator = build(resolution=64, channel_base=256, channel_max=8, **config)
    for layer in range(1, generator.convolutions + 1):
        generator.conv(layer).noise_strength.data.fill_(0.3)
        generator.conv(layer).bias.data.normal_()
    return generator


@pytest.mark.parametrize("taps", [{}, {"resample_taps": SIX_TAPS}, {"rgb_resample_taps": SIX_TAPS}])
@pytest.mark.parametrize(("value_layer", "memory_layers"), [(8, 3), (9, 2), (9, 4), (7, 1), (6, 1)])
@pytest.mark.parametrize("noise", ["const", "random", "none"])
def test_windows_equal_the_whole_image_up_to_rounding(
    build: Build, taps: dict[str, object], value_layer: int, memory_layers: int, noise: str
) -> None:
    generator = noisy(build, **taps)
    split = generator.split(value_layer, memory_layers)
    assert isinstance(split, CropSplit)
    key = split.head(generator.seed_latents([1, 2, 3], noise=noise))  # type: ignore[arg-type]
    value = split.recall(key)
    cell = split.cell
    windows = [
        Window(top * cell, left * cell, 13, 22) for top, left in ((1, 0), (0, 1), (48 // cell, 1))
    ]
    cropped = split.recall(split.crop_key(key, windows))
    assert_near(cropped.features, cut(value.features, split.value_windows(windows)), size=10)
    whole = cut(split.tail(value), windows)
    assert_near(split.tail(cropped), whole, size=10)
    assert_near(split.tail(split.crop_value(value, windows)), whole, size=10)


def test_cropped_activations_can_be_rearranged_and_differentiated(build: Build) -> None:
    generator = noisy(build)
    split = generator.split(8, 2)
    keys = split.head(generator.seed_latents([1, 2]))
    windows = [Window(0, 16, 9, 9), Window(16, 0, 9, 9)]
    both = split.crop_key(keys, windows)
    one, other = both.select([0]), both.select([1])
    weights = {"convs.8.weight": generator.conv(8).weight.detach().clone().requires_grad_()}
    swapped = split.tail(split.recall(concatenate([other, one]), weights))
    wanted = cut(split.tail(split.recall(keys, weights)), windows)
    assert_near(swapped, wanted.flip(0), size=10)
    (cropped_gradient,) = torch.autograd.grad(swapped.sum(), list(weights.values()))
    (gradient,) = torch.autograd.grad(wanted.sum(), list(weights.values()))
    assert_near(cropped_gradient, gradient, size=100)


def test_spans_are_as_small_as_they_can_be() -> None:
    """What each layer needs, counted by hand for a window of 8 pixels at 32x32 with four taps."""
    features, image = spans(StyleGAN2Config(resolution=32), 8)
    assert features[7] == image[8] == Span(0, 8)
    assert features[6] == Span(-1, 9)  # one position for the 3x3 convolution
    assert image[7] == Span(-1, 5)  # two pixels for the filter, at half the resolution
    assert features[5] == Span(-2, 6)  # three for convolution and filter: (-4, 12) halved
    assert features[4] == Span(-3, 7)
    assert image[5] == Span(-2, 4)


def test_nothing_within_a_span_can_be_left_out(build: Build) -> None:
    """The first or last row of the key matters to a pixel of the window."""
    generator = noisy(build)
    split = generator.split(9, 3)
    crop = split.crop_key(split.head(generator.seed_latents([1])), [Window(16, 16, 8, 8)])
    crop.features.requires_grad_()
    (gradient,) = torch.autograd.grad(
        split.tail(split.recall(crop)).square().sum(), [crop.features]
    )
    rows = gradient.abs().sum(dim=(0, 1, 3))
    assert bool((rows[[0, -1]] > 0).any())


def test_windows_of_one_batch_are_equally_large() -> None:
    with pytest.raises(AssertionError, match="several sizes"):
        Crop(StyleGAN2Config(resolution=32), (Window(0, 0, 4, 4), Window(0, 0, 4, 5)))
