"""The filter and the epilogue in one pass, against the two in a row."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stylegan2_ops import upfirdn2d_bias_act
from tests.helpers.kernels import ASYMMETRIC, LAYOUTS, SEPARABLE, both, close, random
from tests.tolerances import DTYPES

pytestmark = pytest.mark.usefixtures("compiled")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("f", [SEPARABLE, ASYMMETRIC])
def test_fused_operator_is_the_two_in_a_row(
    f: Tensor, dtype: torch.dtype, layout: torch.memory_format
) -> None:
    x = random(2, 35, 7, 8, dtype=dtype, layout=layout)
    for noise in (None, random(7, 8), random(2, 1, 7, 8)):
        for act in ("linear", "lrelu", "tanh"):
            parts = {"scale": random(2, 35), "noise": noise, "act": act, "clamp": 2.0}
            b = random(35)
            got, wanted = both(
                lambda b=b, p=parts: upfirdn2d_bias_act(
                    x, f, b, padding=[1, f.shape[1] - 2, 2, 1], filter_gain=2.0, **p
                )
            )
            close(got, wanted, dtype)


@pytest.mark.parametrize("act", ["lrelu", "tanh"])
@pytest.mark.parametrize("f", [SEPARABLE, ASYMMETRIC])
def test_fused_gradients_are_those_of_finite_differences(act: str, f: Tensor) -> None:
    inputs = [random(2, 3, 4, 3), random(3), random(2, 3), random(1, 1, 3, 3)]
    padding = [1, f.shape[1] - 2, 1, 1]

    def run(x: Tensor, b: Tensor, scale: Tensor, noise: Tensor) -> Tensor:
        return upfirdn2d_bias_act(
            x, f, b, padding=padding, filter_gain=2.0, scale=scale, noise=noise, act=act, clamp=1.1
        )

    for tensor in inputs:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(run, inputs)
    assert torch.autograd.gradgradcheck(run, inputs, atol=1e-4)


@pytest.mark.parametrize("act", ["lrelu", "relu", "linear"])
def test_negative_gain_of_the_fused_operator_without_a_scale(act: str) -> None:
    x, b = random(1, 3, 5, 5).requires_grad_(), random(3).requires_grad_()

    def run() -> list[Tensor]:
        y = upfirdn2d_bias_act(x, SEPARABLE, b, padding=2, act=act, gain=-1.3)
        return list(torch.autograd.grad(y.square().sum(), [x, b]))

    for got, wanted in zip(*both(run), strict=True):
        close(got, wanted, torch.float64)
