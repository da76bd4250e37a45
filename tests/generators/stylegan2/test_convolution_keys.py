"""Keys times weight is what the layer convolves, enlarging or not, whatever the weights."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from regen.generators.convolution_keys import KeyedSplit
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from tests.tolerances import assert_near


def small() -> StyleGAN2:
    generator = StyleGAN2(
        StyleGAN2Config(
            resolution=16, z_dim=8, w_dim=8, channel_base=64, channel_max=6, mapping_layers=1
        )
    )
    for name, parameter in generator.named_parameters():
        if name.endswith(("bias", "noise_strength")):
            parameter.data += 0.1 * torch.randn_like(parameter)
    return generator.eval().requires_grad_(False)


@pytest.mark.parametrize("layer", [3, 4])
@pytest.mark.parametrize("changed", [False, True])
def test_keys_times_weight_is_the_layer(layer: int, changed: bool) -> None:
    generator = small()
    split, conv = generator.split(layer, 2), generator.conv(layer)
    latent = generator.seed_latents([1, 2])
    weights = {}
    if changed:
        weights = {f"convs.{layer - 1}.weight": torch.randn_like(generator.conv(layer - 1).weight)}
    keys = list(split.convolution_keys(split.head(latent), weights))
    assert [one.name for one in keys] == [f"convs.{layer - 1}.weight", f"convs.{layer}.weight"]
    height, width = keys[-1].size
    rows = keys[-1].rows(torch.arange(height * width))
    linear = (rows @ conv.weight.flatten(1).T).transpose(1, 2).reshape(2, -1, height, width)
    w = latent.ws[:, layer - 1]
    energy = conv.weight.square().sum(dim=(2, 3))
    scale = (conv.affine(w).square() @ energy.T + 1e-8).rsqrt()
    noise = latent.noise[layer - 1]
    assert noise is not None
    y = linear * scale[:, :, None, None] + noise * conv.noise_strength
    wanted = F.leaky_relu(y + conv.bias[:, None, None], 0.2) * 2**0.5
    found = torch.func.functional_call(split.memory, weights, (split.head(latent),)).features
    assert_near(wanted, found)


def test_some_positions_are_those_of_all() -> None:
    generator = small()
    split = generator.split(4, 1)
    (keys,) = split.convolution_keys(split.head(generator.seed_latents([5])), {})
    every = keys.rows(torch.arange(keys.size[0] * keys.size[1]))
    some = torch.tensor([3, 17, 0])
    assert torch.equal(keys.rows(some), every[:, some])
    assert isinstance(split, KeyedSplit)
