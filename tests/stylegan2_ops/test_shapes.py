"""What the compiled operators return, as torch sees it when it traces them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stylegan2_ops import bias_act, modulated_conv2d, upsample2d
from tests.helpers.kernels import LAYOUTS, OPERATORS, SEPARABLE, random

pytestmark = pytest.mark.usefixtures("compiled")


# The warning is opcheck's own: it reads gradients of tensors that it made from its inputs.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_operators_pass_the_checks_of_torch(layout: torch.memory_format) -> None:
    f, x = SEPARABLE, random(2, 5, 6, 7, dtype=torch.float32, layout=layout).requires_grad_()
    scale, noise, b = torch.randn(2, 5), torch.randn(1, 1, 6, 7), torch.randn(5)
    for part in (scale, noise, b):
        part.requires_grad_()
    resampling = ([2, 1], [1, 2], [2, 1, 3, -1], True, 1.5)
    torch.library.opcheck(OPERATORS.upfirdn2d.default, (x, f, *resampling))
    for act in ("linear", "relu", "lrelu", "swish"):
        arguments = (act, 0.2, 1.4, 0.9)
        torch.library.opcheck(OPERATORS.bias_act.default, (x, scale, noise, b, *arguments))
    y_noise = torch.randn(2, 1, 3, 14)
    fused = (x, f, *resampling, scale, y_noise, b, "lrelu", 0.2, 1.4, -1.0)
    torch.library.opcheck(OPERATORS.upfirdn2d_bias_act.default, fused)
    dy, y = torch.randn_like(x), bias_act(x, act="lrelu").detach()
    for wanted in ([True] * 4, [True, False, False, True]):
        inputs = (dy, y, x if wanted[1] else None, scale, "lrelu", 0.2, 1.4, -1.0, wanted, 1)
        torch.library.opcheck(OPERATORS.bias_act_backward.default, inputs)
    weight = torch.randn(6, 5, 3, 3).contiguous(memory_format=torch.channels_last)
    torch.library.opcheck(OPERATORS.demodulation.default, (weight, torch.randn(2, 5)))
    images = [torch.randn(2, c, 4, 7, requires_grad=True) for c in (3, 5)]
    torch.library.opcheck(OPERATORS.weight_gradient.default, (*images, 1, 1))
    x, weight, b = torch.randn(2, 32, 7, 9), torch.randn(32, 32, 3, 3), torch.randn(32)
    for arguments in ((1, 1, False), (1, 0, True), (2, 0, False), (2, 0, True)):
        torch.library.opcheck(OPERATORS.convolution.default, (x, weight, b, *arguments))


def test_torch_compile_traces_without_a_break() -> None:
    x, weight, styles = random(2, 4, 5, 5), random(6, 4, 3, 3), random(2, 4)
    x, weight, styles = (t.float() for t in (x, weight, styles))

    def layer(x: Tensor, weight: Tensor, styles: Tensor) -> Tensor:
        y = modulated_conv2d(
            x, weight, styles, up=2, padding=1, resample_filter=SEPARABLE, act="lrelu", clamp=9.0
        )
        return upsample2d(bias_act(y, act="swish"), SEPARABLE)

    traced = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(traced(x, weight, styles), layer(x, weight, styles))
    weight.requires_grad_()
    (got,) = torch.autograd.grad(traced(x, weight, styles).sum(), weight)
    (wanted,) = torch.autograd.grad(layer(x, weight, styles).sum(), weight)
    torch.testing.assert_close(got, wanted)
