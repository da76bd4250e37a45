"""Keys of StyleGAN2's convolutions: the input times its styles, enlarged where the layer enlarges.

The filter that follows a transposed convolution commutes with it: enlarging with the filter first
and convolving afterwards, taps reversed, is the same map, and its keys can be computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from regen.generators.convolution_keys import ConvolutionKeys
from regen.generators.split import Activation
from regen.generators.stylegan2.latent import StyleContext
from regen.generators.stylegan2.network import LayerRun, StyledConvolution
from stylegan2_ops import upfirdn2d

_KERNEL = 3


@torch.no_grad()
def convolution_keys(
    memory: LayerRun, first: int, last: int, key: Activation, weights: Mapping[str, Tensor]
) -> Iterator[ConvolutionKeys]:
    """Keys of convolutions `first` to `last`; see `KeyedSplit`."""
    context, x = key.context, key.features
    assert isinstance(context, StyleContext)
    for layer in range(first, last + 1):
        conv, name = memory.convs[str(layer)], f"convs.{layer}"
        assert isinstance(conv, StyledConvolution)
        w, noise = context.latent.ws[:, layer - 1], context.latent.noise[layer - 1]
        yield ConvolutionKeys(f"{name}.weight", _field(conv, x, w), _KERNEL, conv.up == 2)
        given = {part: f"{name}.{part}" for part in ("weight", "bias")}
        own = {part: weights[full] for part, full in given.items() if full in weights}
        x = functional_call(conv, own, (x, w, noise))


def _field(conv: StyledConvolution, x: Tensor, w: Tensor) -> Tensor:
    x = x.float() * conv.affine(w).float()[:, :, None, None]
    if conv.up == 1:
        return F.pad(x, (1, 1, 1, 1))
    f = conv.resample_filter
    sides = []
    for taps in (f.shape[-1], f.shape[0]):  # those of the layer, and one more for the kernel
        sides += [1 + (taps + 1) // 2, 1 + (taps - 2) // 2]
    return upfirdn2d(x.contiguous(), f, up=2, padding=sides, gain=4)
