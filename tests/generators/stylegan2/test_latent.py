from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from regen.generators.split import concatenate
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.latent import StyleContext, StyleLatent

Build = Callable[..., StyleGAN2]


@pytest.mark.parametrize("noise", ["const", "random", "none"])
@pytest.mark.parametrize("value_layer", [1, 4])
def test_samples_can_be_chosen_and_joined(build: Build, value_layer: int, noise: Any) -> None:
    generator = build()
    split = generator.split(value_layer, 1)
    latent = generator.seed_latents([1, 2, 3], noise=noise)
    value = split.value_of(latent)
    image = generator(latent)
    chosen = value.select([2, 0, 2])
    torch.testing.assert_close(split.tail(chosen), image[[2, 0, 2]])
    joined = concatenate([value.select([1]), value.select([0, 2])])
    torch.testing.assert_close(split.tail(joined), image[[1, 0, 2]])
    torch.testing.assert_close(generator(latent.select([1])), image[1:2])
    if noise == "const":
        assert isinstance(joined.context, StyleContext)
        assert joined.context.latent.noise[0] is generator.conv(1).noise_const


def test_joining_samples_of_different_noise_keeps_each_ones_own(build: Build) -> None:
    generator = build()
    split = generator.split(3, 2)
    modes: list[Any] = ["none", "const", "random"]
    latents = [generator.seed_latents([6 + i], noise=mode) for i, mode in enumerate(modes)]
    joined = concatenate([split.value_of(latent) for latent in latents])
    wanted = torch.cat([generator(latent) for latent in latents])
    torch.testing.assert_close(split.tail(joined), wanted)


def test_detached_activations_are_outside_of_any_graph(build: Build) -> None:
    generator = build().requires_grad_(True)
    latent = generator.seed_latents([0, 1], noise="random")
    noise = tuple(n if n is None else n.requires_grad_() for n in latent.noise)
    value = generator.split(3, 1).value_of(StyleLatent(latent.ws, noise)).detach()
    context = value.context
    assert isinstance(context, StyleContext)
    assert context.rgb is not None
    tensors = [value.features, context.rgb, context.latent.ws, *context.latent.noise]
    assert not any(t is not None and t.requires_grad for t in tensors)


def test_a_latent_is_shown_by_its_shape(build: Build) -> None:
    shown = [repr(build().seed_latents([1, 2], noise=mode)) for mode in ("const", "none")]
    assert shown == [
        "<StyleLatent of ws [2, 6, 5], noise: 5 layers>",
        "<StyleLatent of ws [2, 6, 5], noise: none>",
    ]
