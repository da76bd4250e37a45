from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.network import Dense, Synthesis, normalize_2nd_moment
from stylegan2_ops import upsample2d
from tests.tolerances import assert_near

Build = Callable[..., StyleGAN2]


def lrelu(x: Tensor) -> Tensor:
    return math.sqrt(2) * torch.where(x > 0, x, 0.2 * x)


def modulated(x: Tensor, weight: Tensor, style: Tensor, demodulate: bool) -> Tensor:
    """One sample through a convolution with weights of its own, keeping the size."""
    weight = weight * style[None, :, None, None]
    if demodulate:
        weight = weight / (weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
    return F.conv2d(x, weight, padding=weight.shape[-1] // 2)


def enlarged(x: Tensor, weight: Tensor, style: Tensor, f: Tensor) -> Tensor:
    """The same with zeros put between the pixels and the kernel turned, then filtered."""
    spread = torch.zeros(1, x.shape[1], 2 * x.shape[2], 2 * x.shape[3])
    spread[:, :, ::2, ::2] = x
    wide = modulated(F.pad(spread, [3] * 4), weight.flip(2, 3), style, True)
    kernel = (4 * f.flip(0, 1)).expand(wide.shape[1], 1, 4, 4)
    wide = F.conv2d(wide, kernel, groups=wide.shape[1])
    return wide[:, :, 1 : 1 + spread.shape[2], 1 : 1 + spread.shape[3]]


def style_of(layer: torch.nn.Module, w: Tensor) -> Tensor:
    return (layer.affine.weight / math.sqrt(len(w))) @ w + layer.affine.bias


def plain_image(synthesis: Synthesis, ws: Tensor, noise: list[Tensor]) -> Tensor:
    """One sample's image, layer by layer as in the paper's figures 2c and 7b."""
    x, rgb = synthesis.const[None], None
    for number in range(1, synthesis.config.convolutions + 1):
        layer = synthesis.convs[str(number)]
        style = style_of(layer, ws[number - 1])
        if number % 2:
            x = modulated(x, layer.weight, style, True)
        else:
            x = enlarged(x, layer.weight, style, layer.resample_filter)
        x = x + layer.noise_strength * noise[number - 1] + layer.bias[:, None, None]
        x = lrelu(x)
        if layer.clamp is not None:
            x = x.clamp(-layer.clamp, layer.clamp)
        if number % 2:
            to_rgb = synthesis.rgbs[str(number)]
            style = style_of(to_rgb, ws[number]) / math.sqrt(x.shape[1])
            colour = modulated(x, to_rgb.weight, style, False) + to_rgb.bias[:, None, None]
            if to_rgb.clamp is not None:
                colour = colour.clamp(-to_rgb.clamp, to_rgb.clamp)
            rgb = colour if rgb is None else upsample2d(rgb, synthesis.resample_filter) + colour
    assert rgb is not None
    return rgb


@pytest.mark.parametrize("clamp", [None, 0.75])
def test_synthesis_equals_the_network_written_out(build: Build, clamp: float | None) -> None:
    synthesis = build(resolution=32, conv_clamp=clamp).synthesis
    ws = torch.randn(2, 8, 5)  # another code for every layer
    noise = [torch.randn(2, 1, r, r) for r in (4, 8, 8, 16, 16, 32, 32)]
    got = synthesis(ws, noise)
    wanted = [plain_image(synthesis, ws[i], [n[i : i + 1] for n in noise]) for i in range(2)]
    assert_near(got, torch.cat(wanted))


def test_images_are_float32_whatever_the_convolutions_compute_in(build: Build) -> None:
    synthesis = build().synthesis
    ws, noise = torch.randn(2, 6, 5), [None] * 5
    exact, half = synthesis(ws, noise), synthesis(ws, noise, torch.bfloat16)
    assert exact.shape == (2, 3, 16, 16)
    assert half.dtype == torch.float32
    assert not torch.equal(half, exact)
    assert_near(half, exact, torch.bfloat16, size=3.0)


def test_convolutions_run_channels_last(build: Build) -> None:
    synthesis = build(channel_max=8).synthesis
    x = synthesis.start(2)
    assert x.is_contiguous(memory_format=torch.channels_last)
    features, rgb = synthesis.run(1, 3, x, None, torch.randn(2, 6, 5), [None] * 5)
    assert features.is_contiguous(memory_format=torch.channels_last)
    assert rgb is not None
    assert rgb.shape == (2, 3, 4, 4)  # the image at 8x8 belongs to the next layer's run


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_every_convolution_gets_and_gives_channels_last(
    build: Build, samples: int, dtype: torch.dtype
) -> None:
    generator = build()
    seen: list[bool] = []

    def look(_: torch.nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        tensors = (inputs[0], output)
        seen.extend(t.is_contiguous(memory_format=torch.channels_last) for t in tensors)

    for conv in generator.synthesis.convs.values():
        conv.register_forward_hook(look)
    latent = generator.seed_latents(range(samples))
    image = generator.synthesis(latent.ws, latent.noise, dtype)
    assert len(seen) == 2 * generator.convolutions and all(seen)
    assert image.dtype == torch.float32


@pytest.mark.parametrize("lr", [1.0, 0.01])
@pytest.mark.parametrize("act", ["linear", "lrelu"])
def test_dense_is_a_scaled_matrix_product(act: str, lr: float) -> None:
    layer = Dense(7, 4, act=act, bias=0.5, lr=lr)
    x = torch.randn(3, 7)
    wanted = x @ layer.weight.T * (lr / math.sqrt(7)) + 0.5
    torch.testing.assert_close(layer(x), lrelu(wanted) if act == "lrelu" else wanted)
    assert layer.weight.std().item() == pytest.approx(1 / lr, rel=0.5)


def test_mapping_is_normalisation_and_leaky_layers(build: Build) -> None:
    mapping = build(mapping_layers=3, mapping_lr_multiplier=0.1).mapping
    z = 5 * torch.randn(4, 6)
    x = z / (z.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()
    for layer in mapping.layers:
        fan_in = layer.weight.shape[1]
        x = lrelu(x @ (layer.weight * 0.1 / math.sqrt(fan_in)).T + 0.1 * layer.bias)
    torch.testing.assert_close(mapping(z), x)


def test_mapping_of_classes_joins_the_normalised_embedding(build: Build) -> None:
    mapping = build(label_dim=3, mapping_layers=1, mapping_lr_multiplier=1.0).mapping
    z, label = torch.randn(2, 6), torch.eye(3)[[2, 0]]
    assert mapping.embed is not None
    embedded = label @ mapping.embed.weight.T / math.sqrt(3) + mapping.embed.bias
    x = torch.cat([normalize_2nd_moment(z), normalize_2nd_moment(embedded)], dim=1)
    (layer,) = mapping.layers
    wanted = lrelu(x @ layer.weight.T / math.sqrt(11) + layer.bias)
    torch.testing.assert_close(mapping(z, label), wanted)
    assert not torch.equal(mapping(z, label), mapping(z, label.flip(0)))


def test_second_moments_are_one_even_for_zeros() -> None:
    x = normalize_2nd_moment(torch.cat([100 * torch.randn(3, 8), torch.zeros(1, 8)]))
    torch.testing.assert_close(x[:3].square().mean(dim=1), torch.ones(3))
    assert x[3].eq(0).all()


@pytest.mark.parametrize(
    ("classes", "label", "message"),
    [
        (3, None, "class: got none, expected 0 to 2; this generator has classes; `regen"),
        (3, torch.zeros(2, 4), r"label: got \[2, 4\], expected one-hot \[2, 3\]"),
        (3, torch.zeros(1, 3), r"label: got \[1, 3\], expected one-hot \[2, 3\]"),
        (0, torch.zeros(2, 3), r"label: got \[2, 3\], expected one-hot \[2, 0\]"),
    ],
)
def test_labels_that_do_not_fit(
    build: Build, classes: int, label: Tensor | None, message: str
) -> None:
    with pytest.raises(GeneratorError, match=message):
        build(label_dim=classes).mapping(torch.zeros(2, 6), label)


def test_the_official_1024_generator_has_its_known_number_of_parameters() -> None:
    with torch.device("meta"):
        generator = StyleGAN2(StyleGAN2Config(resolution=1024))
    mapping = sum(p.numel() for p in generator.mapping.parameters())
    assert mapping == 8 * (512 * 512 + 512)
    assert sum(p.numel() for p in generator.parameters()) == 30_370_060
    assert list(generator.synthesis.convs) == [str(i) for i in range(1, 18)]
    assert list(generator.synthesis.rgbs) == [str(i) for i in range(1, 18, 2)]


def test_every_parameter_receives_a_gradient(build: Build) -> None:
    generator = build(label_dim=2).requires_grad_(True)
    label = torch.eye(2)
    generator(generator.seed_latents([0, 1], label=label)).square().mean().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
