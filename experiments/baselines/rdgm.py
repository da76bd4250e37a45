"""RDGM's `insert`: one convolution, changed along a few directions of its input only.

Bau et al. 2020, "Rewriting a Deep Generative Model", sections 3 and 4, with the constants of its
published code: C over the keys of 1000 latents, Adam with step size 0.05, 2001 iterations, L1 on a
tight crop, and every tenth iteration the weight change is projected on the directions D. Between
projections Adam is free, and may fit with what the next projection takes away. The paper's own
equation has no such freedom: W + L D, minimised over L. Both are here, the second as ``direct``.
Written from the formulas; here it is given the values that the backward projector made.

A key is what meets the convolution's weight, that is, the features before it times their styles.

Shapes: T targets; K, O channels of key and value; M keys inside the region; r rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from regen.errors import RewriteError
from regen.generators.protocol import Generator
from regen.generators.split import Activation, Split
from regen.generators.stylegan2.latent import StyleContext
from regen.generators.stylegan2.network import StyledConvolution
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.images.raster import bounds
from regen.images.regions import resize_mask
from regen.linear_algebra import whitening
from regen.losses import weighted_l1
from regen.rewriting.rewrite import Rewrite
from regen.rewriting.rule import Rule

_RIDGE = 1e-6  # relative to the mean eigenvalue of C
_MARGIN = 3  # cells of the key around the crop, so that the crop's edge sees no padding


@dataclass(frozen=True)
class RdgmConfig:
    """Settings of `insert`; the defaults are those of the published code.

    Attributes:
        rank: Directions that may change, from 1.
        direct: Optimise L alone, which stays in the span of D by itself.
        iterations: Steps of Adam.
        project_every: Steps between projections on the directions.
        lr: Step size.
        samples: Latents that the statistics are taken over.
        truncation: psi of these latents.
    """

    rank: int = 1
    direct: bool = False
    iterations: int = 2001
    project_every: int = 10
    lr: float = 0.05
    samples: int = 1000
    truncation: float = 0.5

    def __post_init__(self) -> None:
        for name in ("rank", "iterations", "project_every", "samples"):
            if getattr(self, name) < 1:
                raise RewriteError(name, got=getattr(self, name), expected="1 or more")


def styled_keys(split: Split, keys: Activation) -> Tensor:
    """Features times styles ``[N, K, h, w]``: what the only convolution of the memory convolves.

    Raises:
        RewriteError: If the memory is not a single convolution of a StyleGAN2.
    """
    convolution = _convolution(split)
    context = keys.context
    assert isinstance(context, StyleContext)
    styles: Tensor = convolution.affine(context.latent.ws[:, split.value_layer - 1])
    return keys.features.float() * styles.float()[:, :, None, None]


@torch.no_grad()
def key_moment(generator: Generator, split: Split, config: RdgmConfig, batch: int = 16) -> Tensor:
    """C, the uncentred second moment ``[K, K]`` of the keys at all positions, float64.

    It belongs to generator and layer alone; RDGM keeps it beside the generator.
    """
    total, count = torch.zeros([], dtype=torch.float64), 0
    for first in range(0, config.samples, batch):
        requests = (
            {"seed": seed, "truncation": config.truncation}
            for seed in range(first, min(first + batch, config.samples))
        )
        keys = split.head(generator.latents([generator.sample(request) for request in requests]))
        rows = _rows(styled_keys(split, keys))
        total, count = total + rows.T @ rows, count + len(rows)
    return total / count


@torch.no_grad()
def context_directions(split: Split, rule: Rule, moment: Tensor, rank: int) -> Tensor:
    """D ``[r, K]``, orthonormal: what sets the region's keys apart from all others.

    The region's keys, each times its mask, are whitened with C^(-1/2); the leading right singular
    vectors are whitened once more, which makes the update act on keys that are whitened, and made
    orthonormal.

    Raises:
        RewriteError: If the region holds fewer keys than directions are wanted.
    """
    white = whitening(moment, _RIDGE)
    keys = styled_keys(split, rule.keys)
    weights = resize_mask(rule.mask, int(keys.shape[2]), int(keys.shape[3])).flatten()
    weights = weights.double().cpu()
    inside = weights > 0
    if int(inside.sum()) < rank or rank > len(moment):
        raise RewriteError("rank", got=rank, expected=f"at most {int(inside.sum())} keys")
    whitened = (_rows(keys)[inside] @ white) * weights[inside, None]  # [M, K]
    leading = torch.linalg.svd(whitened, full_matrices=False).Vh[:rank]
    directions: Tensor = torch.linalg.qr((leading @ white).T).Q
    return directions.T.contiguous()


def project_on(weight: Tensor, directions: Tensor) -> Tensor:
    """The part of ``weight [O, K, k, k]`` whose input channels lie in the span of ``[r, K]``."""
    directions = directions.to(weight)
    return torch.einsum("okyx,dk,dj->ojyx", weight, directions, directions)


def rdgm_insert(
    generator: Generator, split: Split, rule: Rule, moment: Tensor, config: RdgmConfig
) -> Rewrite:
    """Fit the convolution to the rule along its context directions.

    Args:
        generator: Unchanged.
        split: Of the same, with a memory of one convolution.
        rule: Keys, wanted values and masks, made with `split`.
        moment: From `key_moment`.
        config: Settings.

    Returns:
        The change of one weight, of rank `config.rank` in its input channels at every tap.

    Raises:
        RewriteError: If the memory is not a single convolution of a StyleGAN2, or the fit diverges.
    """
    directions = context_directions(split, rule, moment, config.rank)
    name = f"convs.{split.value_layer}.weight"
    original = dict(split.memory.named_parameters())[name].detach()
    crop = _Crop(split, rule)
    descend = _direct if config.direct else _projected
    weight = descend(crop, original, directions, config)
    if not bool(torch.isfinite(weight).all()):
        raise RewriteError("RDGM's insert diverged", remedy=f"lower lr, now {config.lr:g}")
    delta = (weight - original).float()
    settings = {"method": "rdgm", **vars(config)}
    return Rewrite({split.full_name(name): delta}, generator.digest(), generator.family, settings)


def _projected(crop: _Crop, original: Tensor, directions: Tensor, config: RdgmConfig) -> Tensor:
    """The published code: Adam on the whole weight, projected now and then and at the end."""
    rest = original - project_on(original, directions)
    weight = original.clone().requires_grad_()
    optimizer = torch.optim.Adam([weight], lr=config.lr)
    for iteration in range(config.iterations):
        (weight.grad,) = torch.autograd.grad(crop.loss(weight), [weight])
        optimizer.step()
        last = iteration == config.iterations - 1
        if last or iteration % config.project_every == 0:
            with torch.no_grad():
                weight.copy_(rest + project_on(weight, directions))
    return weight.detach()


def _direct(crop: _Crop, original: Tensor, directions: Tensor, config: RdgmConfig) -> Tensor:
    """The paper's equation: ``W + L D``, with Adam on ``L [O, r, k, k]``."""
    outputs, _, height, width = original.shape
    factors = original.new_zeros(outputs, len(directions), height, width, requires_grad=True)
    along = directions.to(original)
    optimizer = torch.optim.Adam([factors], lr=config.lr)
    for _ in range(config.iterations):
        weight = original + torch.einsum("odyx,dk->okyx", factors, along)
        (factors.grad,) = torch.autograd.grad(crop.loss(weight), [factors])
        optimizer.step()
    return original + torch.einsum("odyx,dk->okyx", factors.detach(), along)


class _Crop:
    """The convolution on a tight crop around each target's region, and its L1 there."""

    def __init__(self, split: Split, rule: Rule) -> None:
        layer = split.value_layer
        self.conv = _convolution(split)
        context = rule.keys.context
        assert isinstance(context, StyleContext)
        self.codes = context.latent.ws[:, layer - 1]
        boxes = [_tight_box(mask) for mask in rule.mask]
        up = self.conv.up
        size = [int(s) for s in rule.keys.features.shape[2:]]
        spans = [
            min(
                size[axis],
                max((b[axis + 2] - 1) // up - b[axis] // up for b in boxes) + 1 + 2 * _MARGIN,
            )
            for axis in (0, 1)
        ]
        corners = [
            [max(0, min(b[axis] // up - _MARGIN, size[axis] - spans[axis])) for axis in (0, 1)]
            for b in boxes
        ]
        self.keys = _cut(rule.keys.features, corners, spans).float()
        scaled, large = [[y * up, x * up] for y, x in corners], [s * up for s in spans]
        self.wanted = _cut(rule.wanted, scaled, large).float()
        tight = torch.zeros_like(rule.mask)
        for i, (top, left, bottom, right) in enumerate(boxes):
            tight[i, :, top:bottom, left:right] = 1
        self.tight = _cut(tight, scaled, large)
        noise = context.latent.noise[layer - 1]
        if noise is not None:
            each = noise.expand(len(rule), 1, *rule.wanted.shape[2:])
            noise = _cut(each, scaled, large)
        self.noise = noise

    def loss(self, weight: Tensor) -> Tensor:
        """Mean absolute difference to the wanted values, over channels and all tight boxes."""
        arguments = (self.keys, self.codes, self.noise)
        value: Any = functional_call(self.conv, {"weight": weight}, arguments)
        return weighted_l1(value, self.wanted, self.tight)


def _convolution(split: Split) -> StyledConvolution:
    if not isinstance(split, StyleGAN2Split):
        raise RewriteError("RDGM", got="a generator of another family", expected="a StyleGAN2")
    if split.memory_layers != 1:
        got = f"a memory of {split.memory_layers}"
        raise RewriteError("RDGM", got=got, expected="a memory of 1 convolution")
    convolution = split.memory.convs[str(split.value_layer)]
    assert isinstance(convolution, StyledConvolution)
    return convolution


def _tight_box(mask: Tensor) -> tuple[int, int, int, int]:
    """Top, left, bottom, right around all that is positive in ``mask [1, h, w]``."""
    left, top, right, bottom = (int(edge) for edge in bounds(mask[None], 0.0))
    return top, left, bottom, right


def _cut(x: Tensor, corners: list[list[int]], size: list[int]) -> Tensor:
    """A window ``[T, C, *size]`` of each sample, from its (top, left) corner."""
    height, width = size
    windows = [
        part[:, y : y + height, x0 : x0 + width] for part, (y, x0) in zip(x, corners, strict=True)
    ]
    return torch.stack(windows).contiguous(memory_format=torch.channels_last)


def _rows(keys: Tensor) -> Tensor:
    """Keys ``[N, K, h, w]`` as rows ``[N h w, K]``, float64 on the CPU."""
    return keys.detach().cpu().double().permute(0, 2, 3, 1).reshape(-1, keys.shape[1])
